//! Texts that are small to write and large to read: an answer, or a message with a place, comes all the same.

use callpath_core::check::analyze;
use callpath_core::counters;
use callpath_core::dialect::{iproute, recognise, ruleset, without_secrets};
use callpath_core::model::{Pipeline, SourceId, print};
use callpath_core::query::{Question, Reader, parse_flow_ports};
use callpath_core::redact::{Key, redact};
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
    let dialect = recognise(id, &snapshot.sources[1].text)?;
    ruleset(snapshot, id, dialect, &mut Pipeline::default()).map(|c| c.counts.statements)
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
        within(part, || redact(&files(&[("callpath.toml", &manifest), ("r.nft", &text)]), &Key::new([7; 16])));
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

/// A router that works, with more rules.
fn router(translate: &str, forward: &str, more: &str) -> String {
    format!(
        "{more}table ip nat {{\n\tchain prerouting {{\n\t\ttype nat hook prerouting priority -100; policy accept;\n{translate}\
         \t\tip daddr 203.0.113.9 udp dport 50000-60000 dnat to 192.168.1.50\n\
         \t\tip daddr 203.0.113.9 tcp dport {{ 443, 7881 }} dnat to 192.168.1.50\n\t}}\n\
         \tchain postrouting {{\n\t\ttype nat hook postrouting priority 100; policy accept;\n\
         \t\toifname \"lan\" ip saddr 192.168.1.0/24 masquerade\n\t\toifname \"wan\" masquerade\n\t}}\n}}\n\
         table ip filter {{\n\tchain forward {{\n\t\ttype filter hook forward priority 0; policy drop;\n\
         \t\tct state established,related accept\n{forward}\t\tct status dnat accept\n\t\tiifname \"lan\" accept\n\t}}\n}}\n"
    )
}

/// A manifest for it. `interfaces`: more of them; `deploys`: what is installed.
fn manifest(interfaces: &str, deploys: &str) -> String {
    format!(
        "address = \"203.0.113.9\"\n[[gateway]]\nlabel = \"router\"\nconfig = \"router.nft\"\n\
         interfaces = {{ wan = \"203.0.113.9/24\", lan = \"192.168.1.1/24\"{interfaces} }}\n\
         routes = [\"default via 203.0.113.1\"]\n{deploys}"
    )
}

const DEPLOY: &str = "[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n";

/// A name, and the texts of a site.
type Site = (&'static str, Vec<(&'static str, String)>);

/// Rules of a few kilobytes of which much has to be asked.
fn involved_rules() -> Vec<Site> {
    let nft = |name, text: String| (name, vec![("callpath.toml", manifest("", DEPLOY)), ("router.nft", text)]);
    let jumps =
        (0..15).rev().fold(String::from("table ip deep {\n\tchain c15 {\n\t\tudp dport 1 drop\n\t}\n"), |all, i| {
            let jump = format!("\t\tudp dport != {i} jump c{}\n", i + 1).repeat(3);
            format!("{all}\tchain c{i} {{\n{jump}\t}}\n")
        });
    let jumps =
        jumps + "\tchain forward {\n\t\ttype filter hook forward priority -1; policy accept;\n\t\tjump c0\n\t}\n}\n";
    let bases = (0..200).fold(String::from("table ip many {\n"), |all, i| {
        format!(
            "{all}\tchain c{i} {{\n\t\ttype filter hook forward priority {}; policy accept;\n\t\tudp dport {} drop\n\t}}\n",
            i + 1,
            50_000 + 7 * i
        )
    }) + "}\n";
    let forwards = lines(50, |i| {
        let map = "map { 0 : 192.168.1.50, 1 : 192.168.1.51, 2 : 192.168.1.52 }";
        format!("\t\tudp dport {} dnat to numgen inc mod 3 {map}", 50_000 + i)
    });
    let marks = lines(50, |i| {
        let bit = 1_u64 << (i % 32);
        format!(
            "\t\tlimit rate {}/second meta mark set mark or {bit:#x}\n\t\tmeta mark & {bit:#x} != 0 udp dport {} drop",
            i + 1,
            50_000 + i
        )
    });
    vec![
        nft("three jumps a chain, fifteen deep", router("", "", &jumps)),
        nft("200 base chains", router("", "", &bases)),
        nft("forwards by numbers and maps", router(&forwards, "", "")),
        nft("50 marks with limits", router("", &marks, "")),
    ]
}

/// Sites of many networks, products, ports and callers.
fn wide_sites() -> Vec<Site> {
    let many = |range: std::ops::Range<usize>, sep: &str, one: &dyn Fn(usize) -> String| {
        range.map(one).collect::<Vec<_>>().join(sep)
    };
    let inner = many(0..50, "", &|i| format!(", n{i} = \"10.0.{i}.1/24\""));
    let deploys =
        many(0..50, "", &|i| format!("[[deploy]]\nsystem = \"livekit\"\nlabel = \"d{i}\"\nhost = \"10.0.{i}.50\"\n"));
    let stated = many(0..200, ", ", &|i| format!("\"udp/{} to 192.168.1.50\"", 50_000 + 2 * i));
    let stated = format!(
        "address = \"203.0.113.9\"\n[[gateway]]\nlabel = \"box\"\ninside = \"192.168.1.1/24\"\nforwards = [{stated}]\n{DEPLOY}"
    );
    let dump = many(0..500, ",", &|i| {
        format!(
            "{{\"ifname\":\"v{i}\",\"addr_info\":[{{\"local\":\"10.{}.{}.1\",\"prefixlen\":24}}]}}",
            i / 250,
            i % 250
        )
    });
    let dump = format!(
        "[{{\"ifname\":\"wan\",\"addr_info\":[{{\"local\":\"203.0.113.9\",\"prefixlen\":24}}]}},\
         {{\"ifname\":\"lan\",\"addr_info\":[{{\"local\":\"192.168.1.1\",\"prefixlen\":24}}]}},{dump}]"
    );
    let dumped = format!(
        "address = \"203.0.113.9\"\n[[gateway]]\nlabel = \"router\"\nconfig = [\"router.nft\", \"addr.json\"]\n\
         routes = [\"default via 203.0.113.1\"]\n{DEPLOY}"
    );
    let ports = many(0..5000, ",", &|i| (10_000 + 2 * i).to_string());
    let with = format!("[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\nwith = {{ udp = \"{ports}\" }}\n");
    let callers = many(0..20, "", &|i| {
        format!(
            "[[caller]]\nname = \"home{i}\"\nconfig = \"caller.nft\"\ninterfaces = {{ wan = \"198.51.100.{}/24\", lan = \"192.168.{}.1/24\" }}\nroutes = [\"default via 198.51.100.1\"]\n",
            i + 10,
            i + 100
        )
    });
    let caller = "table ip f {\n\tchain forward {\n\t\ttype filter hook forward priority 0; policy accept;\n"
        .to_owned()
        + &lines(40_000, |i| format!("\t\tip daddr 10.{}.{}.1 udp dport {} drop", i / 256, i % 256, 1 + i % 60_000))
        + "\t}\n}\ntable ip nat {\n\tchain post {\n\t\ttype nat hook postrouting priority 100; policy accept;\n\t\toifname \"wan\" masquerade\n\t}\n}\n";
    let example = |name: &str| {
        std::fs::read_to_string(format!("{}/../../examples/spokes/{name}", env!("CARGO_MANIFEST_DIR")))
            .expect("the example")
    };
    let nets = many(1..101, "", &|i| {
        format!(
            "<opt{i}><if>igc{}</if><descr>NET{i}</descr><enable></enable><ipaddr>10.{i}.0.1</ipaddr><subnet>24</subnet></opt{i}>",
            i + 1
        )
    });
    let backup = example("pfsense/config.xml").replacen("</interfaces>", &format!("{nets}</interfaces>"), 1);
    vec![
        (
            "50 deploys and 50 networks",
            vec![("callpath.toml", manifest(&inner, &deploys)), ("router.nft", router("", "", ""))],
        ),
        ("200 stated forwards", vec![("callpath.toml", stated)]),
        (
            "500 interfaces of a dump",
            vec![("callpath.toml", dumped), ("router.nft", router("", "", "")), ("addr.json", dump)],
        ),
        ("5,000 ports of a product", vec![("callpath.toml", manifest("", &with)), ("router.nft", router("", "", ""))]),
        (
            "20 callers with 40,000 rules",
            vec![
                ("callpath.toml", manifest("", &(DEPLOY.to_owned() + &callers))),
                ("router.nft", router("", "", "")),
                ("caller.nft", caller),
            ],
        ),
        (
            "pfSense with 100 interfaces",
            vec![("callpath.toml", example("callpath.toml")), ("pfsense/config.xml", backup)],
        ),
    ]
}

/// Every port of every site is traced within a run's budget, and what did not end in it is unknown.
#[test]
fn whatever_a_trace_meets_it_comes_to_its_end() {
    let ports = parse_flow_ports("udp/1-65535").expect("ports");
    for (about, texts) in involved_rules().into_iter().chain(wide_sites()) {
        let texts: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, &**text)).collect();
        let site = files(&texts);
        counters::take();
        let mut reader = Reader::new(&site).unwrap_or_else(|e| panic!("{about}: {} {}", e.message, e.help));
        let to = if about.starts_with("pfSense") { "203.0.113.5" } else { "203.0.113.9" };
        let question = Question { from: "internet".into(), to: to.into(), ports: ports.clone(), source_ports: vec![] };
        let trace = within(about, || reader.trace(&question)).expect("words that mean something");
        let counts = counters::take();
        println!("{about}: {:?} {counts:?}", trace.reach);
        assert!(counts.work < MOST_WORK && counts.asks < 200_000, "{about}: {counts:?}");
        assert!(trace.flows.iter().all(|f| f.pieces.len() < 1000), "{about}");
    }
}

/// Rules that a run may try on pieces: as many as its budget holds.
const MOST_WORK: u64 = 120_000_000;

#[test]
fn whatever_a_site_asks_a_run_comes_to_its_end() {
    for (about, texts) in involved_rules().into_iter().chain(wide_sites()) {
        let texts: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, &**text)).collect();
        let site = files(&texts);
        counters::take();
        let start = Instant::now();
        let report = analyze(&site).unwrap_or_else(|e| panic!("{about}: {} {}", e.message, e.help));
        let counts = counters::take();
        println!("{about}: {:?} {counts:?} {:.1?} {}", report.verdict, start.elapsed(), report.headline);
        assert!(counts.work < MOST_WORK && counts.asks < 200_000 && counts.reads < 100, "{about}: {counts:?}");
    }
}
