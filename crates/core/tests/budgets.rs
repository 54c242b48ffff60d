//! Texts that are small to write and large to read: an answer, or a message with a place, comes all the same.

use callpath_core::call::analyze;
use callpath_core::dialect::{iproute, recognise, ruleset, without_secrets};
use callpath_core::model::{Pipeline, SourceId, print};
use callpath_core::redact::redact;
use callpath_core::snapshot::{InputError, Snapshot, Source};
use std::fmt::Write as _;
use std::time::{Duration, Instant};

/// An answer takes no longer.
const LONGEST: Duration = Duration::from_secs(10);

fn within<T>(about: &str, work: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let done = work();
    let took = start.elapsed();
    println!("{about}: {took:.1?}");
    assert!(took < LONGEST, "{about} takes {took:.1?}");
    done
}

fn files(files: &[(&str, &str)]) -> Snapshot {
    let source = |(name, text): &(&str, &str)| Source { name: (*name).into(), text: (*text).into() };
    Snapshot { sources: files.iter().map(source).collect(), directory: String::new() }
}

/// Reads the file behind an empty manifest.
fn read(snapshot: &Snapshot) -> Result<usize, InputError> {
    let id = SourceId(1);
    let kind = recognise(id, &snapshot.sources[1].text)?;
    ruleset(snapshot, id, kind, &mut Pipeline::default()).map(|counts| counts.statements)
}

fn rules(text: &str) -> usize {
    read(&files(&[("callpath.toml", ""), ("r.nft", text)])).expect("it is read")
}

/// Lines, one for each number.
fn lines(n: usize, line: impl Fn(usize) -> String) -> String {
    (0..n).map(|i| line(i) + "\n").collect()
}

#[test]
fn many_tables_sets_and_chains_are_read_and_dropped() {
    let base = "table ip f {\n\tchain forward {\n\t\ttype filter hook forward priority 0; policy drop;\n\t}\n}\n";
    let n = 50_000;
    within("tables", || rules(&(base.to_owned() + &lines(n, |i| format!("table ip t{i} {{ }}")))));
    let sets = lines(n, |i| format!("add set ip f s{i} {{ type ipv4_addr; }}"));
    within("sets", || rules(&(base.to_owned() + &sets)));
    let dropped = |kind: &str, all: &str, of: &str| {
        let gone = lines(n, |i| format!("delete {kind} ip {of}{i}"));
        within(kind, || rules(&(base.to_owned() + all + &gone)));
    };
    dropped("set", &sets, "f s");
    dropped("table", &lines(n, |i| format!("add table ip t{i}")), "t");
    dropped("chain", &lines(n, |i| format!("add chain ip f c{i}")), "f c");
    within("flushed again and again", || {
        let many = lines(n, |i| format!("add table ip t{i}\nflush ruleset"));
        rules(&(many + base))
    });
}

#[test]
fn what_was_removed_is_gone_and_can_come_back() {
    let text = "table ip f {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.1 }\n\t}\n\tchain old {\n\t\tdrop\n\t}\n\tchain c {\n\t\ttype filter hook forward priority 0; policy accept;\n\t}\n}\n\
        delete set ip f s\nadd set ip f s { type ipv4_addr; }\nadd element ip f s { 10.0.0.2 }\n\
        rename chain ip f old new\ndelete chain ip f new\nadd chain ip f new\nadd rule ip f new accept\n\
        add table ip g\ndelete table ip g\nadd rule ip f c jump new\nadd rule ip f c ip saddr @s drop\n";
    let left = "table ip f {\n\tset s {\n\t\ttype ipv4_addr\n\t\telements = { 10.0.0.2 }\n\t}\n\tchain c {\n\t\ttype filter hook forward priority 0; policy accept;\n\t\tjump new\n\t\tip saddr @s drop\n\t}\n\tchain new {\n\t\taccept\n\t}\n}\n";
    assert_eq!(rules(text), rules(left));
    let printed = |text: &str| {
        let mut pipeline = Pipeline::default();
        let site = files(&[("callpath.toml", ""), ("r.nft", text)]);
        ruleset(&site, SourceId(1), recognise(SourceId(1), text).expect("rules"), &mut pipeline).expect("it is read");
        print::pipeline(&pipeline)
    };
    assert_eq!(printed(text), printed(left));
}

#[test]
fn includes_that_multiply_end_with_a_place() {
    let mut all = vec![("callpath.toml".to_owned(), String::new())];
    for i in 0..12 {
        let next = format!("include \"./i{}.nft\"\n", i + 1).repeat(3);
        all.push((format!("i{i}.nft"), next));
    }
    all.push(("i12.nft".to_owned(), "table ip f {\n\tchain x {\n\t\tip saddr 10.0.0.1 drop\n\t}\n}\n".to_owned()));
    let all: Vec<(&str, &str)> = all.iter().map(|(name, text)| (&**name, &**text)).collect();
    let error = within("includes", || read(&files(&all))).expect_err("too many");
    assert!(error.message.contains("multiply") && error.at.is_some(), "{error:?}");
}

#[test]
fn nested_aliases_are_looked_through_once() {
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/spokes/");
    let text = |name: &str| std::fs::read_to_string(format!("{example}{name}")).expect("the example");
    let mut aliases = String::new();
    for (kind, name) in [("network", "net"), ("port", "port")] {
        for i in 0..40 {
            let own = if kind == "port" { format!("{}", 1000 + i) } else { format!("10.{i}.0.0/16") };
            let members = if i == 0 { own } else { format!("{name}{0} {name}{0} {name}{0} {own}", i - 1) };
            let _ =
                write!(aliases, "<alias><name>{name}{i}</name><type>{kind}</type><address>{members}</address></alias>");
        }
    }
    let rule = "<rule><type>block</type><interface>wan</interface><ipprotocol>inet</ipprotocol><protocol>tcp</protocol>\
        <source><address>net39</address></source><destination><any/><port>port39</port></destination></rule>";
    let config = text("pfsense/config.xml");
    let config = match config.split_once("<aliases>") {
        Some((before, behind)) => format!("{before}<aliases>{aliases}{behind}"),
        None => config.replacen("<filter>", &format!("<aliases>{aliases}</aliases><filter>"), 1),
    };
    let config = config.replacen("<filter>", &format!("<filter>{rule}"), 1);
    let site = files(&[("callpath.toml", &text("callpath.toml")), ("pfsense/config.xml", &config)]);
    within("aliases", || analyze(&site)).expect("an answer");
}

#[test]
fn blanks_in_a_tag_are_passed_over() {
    let blanks = " ".repeat(400_000);
    for text in
        [format!("<pfsense><a{blanks}>x</a></pfsense>"), format!("<pfsense><a b{blanks}"), format!("<a b={blanks}c>")]
    {
        assert_eq!(within("blanks", || without_secrets(text.clone())).len(), text.len());
    }
}

#[test]
fn pseudonyms_of_long_words_come_soon() {
    for part in ["a.1.", "a-1.", "1.1.1.", "a@", "a:1:", "fe80::1:", "aa.@.", "aa.aa."] {
        let word = part.repeat(400_000 / part.len());
        let text = format!("table ip f {{\n\tchain c {{\n\t}}\n}}\ndefine x = {word}\n");
        let manifest = format!("name = \"{word}\"\n");
        within(part, || redact(&files(&[("callpath.toml", &manifest), ("r.nft", &text)])));
    }
}

#[test]
fn long_dumps_of_addresses_and_rules_are_read() {
    let id = SourceId(1);
    let links = lines(20_000, |i| format!("{{\"ifname\":\"p{i}\",\"master\":\"p{}\"}},", i / 2));
    let rules = lines(20_000, |i| format!("{{\"priority\":{i},\"src\":\"10.0.0.0\",\"srclen\":24,\"table\":\"5\"}},"));
    for (text, last) in
        [(links, "{\"ifname\":\"lo\"}"), (rules, "{\"priority\":32766,\"src\":\"all\",\"table\":\"main\"}")]
    {
        within("a dump", || iproute::parse(id, &format!("[{text}{last}]"))).expect("it is read");
    }
}
