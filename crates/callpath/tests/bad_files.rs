//! Every reader and every kind of bad file: one message that names it, exit code 2 or a report that says "unknown", no
//! panic, within seconds and 600 MB. `--nocapture` prints the table.

#![cfg(target_os = "linux")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Address space, in the kilobytes of `ulimit -v`: what exceeds it ends in an abort, and so fails the test.
const MOST_MEMORY: u32 = 600 * 1024;
/// Processor time: what else runs on the machine does not count. `cargo test` optimises little and checks every addition,
/// which makes the program some three times as slow.
const MOST_TIME: Duration = Duration::from_secs(if cfg!(debug_assertions) { 6 } else { 2 });
/// Whoever takes that long by the clock has stopped.
const HUNG: Duration = Duration::from_mins(2);

/// A reader: its file in the site, a good text, the start of something nested and of something that multiplies.
struct Reader {
    file: &'static str,
    good: String,
    deep: String,
    laughs: String,
    /// A piece in front of which a NUL byte is put.
    inside: &'static str,
}

fn example(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).expect("an example")
}

const NFT_JSON: &str = r#"{"nftables":[{"table":{"family":"ip","name":"t","handle":1}},
{"chain":{"family":"ip","table":"t","name":"c","handle":1,"type":"filter","hook":"forward","prio":0,"policy":"drop"}},
{"rule":{"family":"ip","table":"t","chain":"c","handle":2,"expr":[{"accept":null}]}}]}
"#;

const PF: &str = "\
set limit states 1000
lan = \"{ igc1 igc2 }\"
table <phones> { 192.168.20.0/24 192.168.30.0/24 }
nat on igc0 inet from 192.168.1.0/24 to any -> 203.0.113.5/32 port 1024:65535
rdr on igc0 inet proto udp from any to 203.0.113.5 port 50000:50499 -> 192.168.1.50
block in log all
pass in quick on igc0 reply-to (igc0 203.0.113.1) inet proto udp from any to 192.168.1.50 port 50000:50499 keep state
pass in quick on $lan from <phones> to any
pass in quick on $lan from any to any
";

fn multiplied(define: impl Fn(usize, &str) -> String) -> String {
    (1..12).map(|n| define(n, &format!("$a{} ", n - 1).repeat(10))).collect()
}

fn readers() -> Vec<Reader> {
    let braces = format!("{}{}", "{".repeat(100_000), "}".repeat(100_000));
    let brackets = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let rule = |value: &str| {
        format!(
            "table ip t {{\n chain c {{\n  type filter hook forward priority 0;\n  ip saddr {value} accept\n }}\n}}\n"
        )
    };
    let nft_laughs = multiplied(|n, before| format!("define a{n} = {{ {} }}\n", before.trim().replace(' ', ", ")));
    let pf_laughs = multiplied(|n, before| format!("a{n} = \"{before}\"\n"));
    let entities: String = (1..12)
        .map(|n| {
            let before = format!("&a{};", n - 1).repeat(10);
            format!("<!ENTITY a{n} \"{before}\">\n")
        })
        .collect::<Vec<String>>()
        .concat();
    let reader = |file, good: &str, deep, laughs, inside| Reader { file, good: good.into(), deep, laughs, inside };
    vec![
        reader("callpath.toml", &manifest(), format!("address = {brackets}"), "x = \"y\"\n".repeat(10_000), "system"),
        reader(
            "ruleset.nft",
            &example("examples/linux-router/ruleset.nft"),
            rule(&format!("{}1", "1 & ".repeat(100_000))) + &rule(&braces),
            format!("define a0 = {{ 1.1.1.1 }}\n{nft_laughs}{}", rule("$a11")),
            "chain",
        ),
        reader("ruleset.json", NFT_JSON, format!("{{\"nftables\":{brackets}}}"), braces.clone(), "chain"),
        reader(
            "ip-addr.json",
            &example("examples/linux-router/ip-addr.json"),
            format!("[{{\"ifname\":{brackets}}}]"),
            format!("[{}{{}}]", "{},".repeat(100_000)),
            "ifname",
        ),
        reader(
            "ip-route.json",
            &example("examples/linux-router/ip-route.json"),
            format!("[{{\"dst\":{brackets}}}]"),
            format!("[{}{{}}]", "{},".repeat(100_000)),
            "dst",
        ),
        reader(
            "config.xml",
            &example("examples/spokes/pfsense/config.xml"),
            format!("<?xml version=\"1.0\"?>\n<pfsense>{}", "<a>".repeat(100_000)),
            format!(
                "<?xml version=\"1.0\"?>\n<!DOCTYPE pfsense [<!ENTITY a0 \"ha\">\n{entities}]>\n<pfsense>&a11;</pfsense>"
            ),
            "hostname",
        ),
        reader(
            "rules.debug",
            PF,
            format!("{PF}pass in from {braces} to any\n"),
            format!("a0 = \"x\"\n{pf_laughs}{PF}pass in on $a11 from any to any\n"),
            "pass",
        ),
    ]
}

fn manifest() -> String {
    site("ruleset.nft")
}

/// A manifest that names a file beside what else its router needs.
fn site(file: &str) -> String {
    let files = match file {
        "config.xml" => "\"config.xml\"".to_owned(),
        "ip-addr.json" | "ip-route.json" | "callpath.toml" => {
            "\"ruleset.nft\", \"ip-addr.json\", \"ip-route.json\"".to_owned()
        }
        rules => format!("\"{rules}\", \"ip-addr.json\", \"ip-route.json\""),
    };
    let wan = if file == "config.xml" { "wan = \"203.0.113.5\"\n" } else { "" };
    format!(
        "address = \"203.0.113.5\"\n\n[[gateway]]\nconfig = [{files}]\n{wan}\n[[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n"
    )
}

struct Run {
    code: Option<i32>,
    out: String,
    err: String,
    /// Processor time, as last seen before it ended.
    time: Duration,
    /// Kilobytes, as last seen before it ended.
    peak: u64,
}

/// Time in user and kernel mode (`proc_pid_stat(5)`), in ticks of 10 ms.
fn processor_time(pid: u32) -> Option<Duration> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, behind) = text.rsplit_once(')')?;
    let ticks: u64 = behind.split_whitespace().skip(11).take(2).map(|t| t.parse().unwrap_or(0)).sum();
    Some(Duration::from_millis(ticks * 10))
}

fn run(dir: &Path) -> Run {
    let start = Instant::now();
    let script = format!("ulimit -v {MOST_MEMORY}; exec \"$0\" check .");
    // Into files: a pipe that nobody empties would stop the program.
    let sink = |name: &str| fs::File::create(dir.join(name)).expect("a file for the output");
    let mut child = Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_callpath")])
        .current_dir(dir)
        .stdin(Stdio::null())
        .stdout(sink("stdout"))
        .stderr(sink("stderr"))
        .spawn()
        .expect("sh runs");
    let status = format!("/proc/{}/status", child.id());
    let (mut peak, mut time) = (0, Duration::ZERO);
    let code = loop {
        time = processor_time(child.id()).unwrap_or(time);
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        peak = line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(peak);
        if let Some(status) = child.try_wait().expect("a status") {
            break status.code();
        }
        if start.elapsed() > HUNG {
            child.kill().expect("ends");
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    let read = |name: &str| String::from_utf8(fs::read(dir.join(name)).expect("output")).expect("text");
    Run { code, out: read("stdout"), err: read("stderr"), time, peak }
}

fn directory(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("callpath-table-{}-{name}", std::process::id()));
    fs::create_dir_all(&dir).expect("directory");
    dir
}

/// A directory with a good site around one file, which is made bad by `make`.
fn bad(reader: &Reader, readers: &[Reader], make: impl FnOnce(&Path)) -> Run {
    // Tests run beside each other.
    static RUNS: AtomicUsize = AtomicUsize::new(0);
    let dir = directory(&RUNS.fetch_add(1, Ordering::Relaxed).to_string());
    for other in readers.iter().filter(|r| r.file != reader.file) {
        fs::write(dir.join(other.file), &other.good).expect("write");
    }
    fs::write(dir.join("callpath.toml"), site(reader.file)).expect("write");
    let file = dir.join(reader.file);
    let _ = fs::remove_file(&file);
    make(&file);
    let run = run(&dir);
    let _ = fs::set_permissions(&file, fs::Permissions::from_mode(0o600));
    fs::remove_dir_all(&dir).expect("remove");
    run
}

/// What every run must hold: an answer in time, and never silence.
fn sound(what: &str, file: &str, run: &Run) {
    let Run { code, out, err, time, .. } = run;
    assert!(*time < MOST_TIME, "{what}: {time:?}");
    assert!(!err.contains("panicked") && err.len() < 4000, "{what}: {err}");
    match code {
        Some(2) => {
            assert!(out.is_empty(), "{what}: nothing is judged\n{out}");
            assert!(
                err.starts_with("error") && (err.contains(file) || err.contains("callpath.toml:")),
                "{what}: it names {file}\n{err}"
            );
            assert!(err.contains("help: "), "{what}: it says what to do\n{err}");
        }
        Some(0 | 1) => assert!(err.is_empty() && !out.is_empty(), "{what}: {err}"),
        _ => panic!("{what}: {code:?}\n{err}"),
    }
}

#[test]
fn every_kind_of_bad_file_is_answered() {
    let readers = readers();
    let mut rows = 0;
    let mut row = |reader: &Reader, kind: &str, codes: &[i32], message: &str, make: &dyn Fn(&Path)| {
        let run = bad(reader, &readers, make);
        let what = format!("{} {kind}", reader.file);
        let first = if run.err.is_empty() { &run.out } else { &run.err };
        let first = first.lines().next().unwrap_or_default().to_owned();
        println!("{what:<32} {:?} {:>5} ms {:>4} MB  {first}", run.code, run.time.as_millis(), run.peak >> 10);
        sound(&what, reader.file, &run);
        assert!(run.code.is_some_and(|c| codes.contains(&c)), "{what}: {:?}\n{}{}", run.code, run.err, run.out);
        assert!(run.err.contains(message), "{what}: no `{message}` in\n{}", run.err);
        rows += 1;
    };
    for r in &readers {
        let write = |bytes: Vec<u8>| move |file: &Path| fs::write(file, &bytes).expect("write");
        let latin = [b"# M\xfcller\n".to_vec(), r.good.clone().into_bytes()].concat();
        let nul = r.good.replacen(r.inside, &format!("\0{}", r.inside), 1);
        row(r, "empty", &[2], "", &write(Vec::new()));
        row(r, "another kind", &[2], "", &write(b"\x7fELF\x02\x01\x01\0\0\0".to_vec()));
        row(r, "deep", &[1, 2], "", &write(r.deep.clone().into_bytes()));
        row(r, "laughs", &[0, 1, 2], "", &write(r.laughs.clone().into_bytes()));
        row(r, "NUL", &[2], "", &write(nul.into_bytes()));
        // Blanks of Unicode that no format has, before a value and before every sign.
        for (kind, blank) in [("form feed", '\u{c}'), ("no-break space", '\u{a0}'), ("line separator", '\u{2028}')] {
            let one = r.good.replacen(r.inside, &format!("{blank}{}", r.inside), 1);
            row(r, kind, &[0, 1, 2], "", &write(one.into_bytes()));
            let everywhere: String = r.good.chars().flat_map(|c| [blank, c]).collect();
            row(r, &format!("{kind} everywhere"), &[0, 1, 2], "", &write(everywhere.into_bytes()));
        }
        row(r, "Latin-1", &[2], "not a text file", &write(latin));
        row(r, "CRLF", &[0, 1], "", &write(r.good.replace('\n', "\r\n").into_bytes()));
        row(r, "BOM", &[0, 1], "", &write(format!("\u{feff}{}", r.good).into_bytes()));
        row(r, "200 MB", &[2], "is too large: 200 MB", &|file| {
            fs::File::create(file).and_then(|f| f.set_len(200 << 20)).expect("200 MB");
        });
        row(r, "directory", &[2], "is a directory", &|file| {
            fs::create_dir(file).expect("directory");
        });
        row(r, "link in a circle", &[2], "cannot be read", &|file| symlink(file, file).expect("link"));
        row(r, "FIFO", &[2], "is not a regular file", &|file| {
            assert!(Command::new("mkfifo").arg(file).status().expect("mkfifo").success());
        });
        // Root may read everything: then this row says what a good file says.
        let closed = |file: &Path| {
            fs::write(file, &r.good).expect("write");
            fs::set_permissions(file, fs::Permissions::from_mode(0o000)).expect("mode");
        };
        let probe = directory("probe").join("closed");
        closed(&probe);
        if fs::read(&probe).is_err() {
            row(r, "no permission", &[2], "permission denied", &closed);
        } else {
            println!("{} no permission: NOT TRIED as root, who may read everything", r.file);
        }
    }
    fs::remove_dir_all(directory("probe")).expect("remove");
    println!("{rows} rows");
    assert!(rows >= 60, "{rows}");
}

/// A ruleset of this many more statements, understood or not.
fn many(file: &str, good: &str, count: usize, understood: bool) -> String {
    let rule = |n: usize| {
        let net = format!("10.{}.{}.{}", n >> 16, n >> 8 & 255, n & 255);
        match (file, understood) {
            ("ruleset.nft", true) => format!("  ip saddr {net} drop\n"),
            ("ruleset.nft", false) => format!("  frobnicate {n}\n"),
            ("rules.debug", false) => format!("block frobnicate {n}\n"),
            ("ruleset.json", _) => {
                let field = "{\"payload\":{\"protocol\":\"ip\",\"field\":\"saddr\"}}";
                let expr = if understood {
                    format!("{{\"match\":{{\"op\":\"==\",\"left\":{field},\"right\":\"{net}\"}}}},{{\"drop\":null}}")
                } else {
                    format!("{{\"frobnicate\":{n}}}")
                };
                format!(
                    ",{{\"rule\":{{\"family\":\"ip\",\"table\":\"t\",\"chain\":\"c\",\"handle\":{n},\"expr\":[{expr}]}}}}"
                )
            }
            ("rules.debug", true) => format!("block in quick on wan from {net} to any\n"),
            (_, true) => format!(
                "<rule><type>block</type><interface>wan</interface><source><address>{net}</address></source><destination><any/></destination></rule>\n"
            ),
            (_, false) => format!(
                "<rule><type>pass</type><interface>opt{n}</interface><frobnicate/><protocol>p{n}</protocol></rule>\n"
            ),
        }
    };
    let rules: String = (0..count).map(rule).collect();
    match file {
        "ruleset.nft" => {
            format!("{good}table ip many {{\n chain c {{\n  type filter hook forward priority 0;\n{rules} }}\n}}\n")
        }
        "ruleset.json" => good.replacen("]}\n", &format!("{rules}]}}\n"), 1),
        "rules.debug" => format!("{good}{rules}"),
        _ => good.replacen("<filter>", &format!("<filter>{rules}"), 1),
    }
}

#[test]
fn as_many_statements_as_are_read_take_no_longer() {
    let readers = readers();
    for (file, most) in
        [("ruleset.nft", 100_000), ("ruleset.json", 100_000), ("rules.debug", 50_000), ("config.xml", 40_000)]
    {
        let reader = readers.iter().find(|r| r.file == file).expect("a reader");
        // A rule of nftables is a statement each, its verdict another one; what the good text has counts too.
        for (kind, count, understood) in
            [("not understood", most - 200, false), ("understood", most - 200, true), ("too many", most + 1, false)]
        {
            let text = many(file, &reader.good, count, understood);
            let run = bad(reader, &readers, |file| fs::write(file, &text).expect("write"));
            let what = format!("{file} with {count} statements, {kind}");
            println!("{what:<56} {:?} {:>5} ms {:>4} MB", run.code, run.time.as_millis(), run.peak >> 10);
            sound(&what, file, &run);
            let refused = run.err.contains(&format!("and {most} are the most"));
            assert_eq!(refused, kind == "too many", "{what}\n{}", run.err);
            assert!(refused || run.code == Some(1) || understood, "{what}: {:?}", run.code);
        }
    }
}

#[test]
fn as_many_includes_as_are_followed_take_no_longer() {
    let readers = readers();
    let reader = readers.iter().find(|r| r.file == "ruleset.nft").expect("a reader");
    for (count, refused) in [(9_900, false), (400_000, true)] {
        for path in ["none*@.nft", "../none*@", "none@.nft", "./@"] {
            let line = |n: usize| format!("include \"{}\"\n", path.replace('@', &n.to_string()));
            let text = reader.good.clone() + &(0..count).map(line).collect::<String>();
            let run = bad(reader, &readers, |file| fs::write(file, &text).expect("write"));
            let what = format!("{count} includes of {path}");
            println!("{what:<40} {:?} {:>5} ms {:>4} MB", run.code, run.time.as_millis(), run.peak >> 10);
            sound(&what, "ruleset.nft", &run);
            assert_eq!(run.err.contains("multiply beyond all measure"), refused, "{what}: {}", run.err);
        }
    }
}

#[test]
fn a_site_has_only_so_many_files() {
    let readers = readers();
    let reader = readers.iter().find(|r| r.file == "ruleset.nft").expect("a reader");
    // The manifest and the files beside the ruleset count too.
    for (count, refused) in [(1_900, false), (2_000, true)] {
        let run = bad(reader, &readers, |file| {
            let folder = file.parent().expect("a folder").join("more");
            fs::create_dir_all(&folder).expect("a folder");
            for n in 0..count {
                fs::write(folder.join(format!("{n}.nft")), format!("# part {n}\n")).expect("write");
            }
            fs::write(file, format!("{}include \"./more/*.nft\"\n", reader.good)).expect("write");
        });
        println!("{count} files: {:?} {} ms, {} MB", run.code, run.time.as_millis(), run.peak >> 10);
        sound(&format!("{count} files"), if refused { "more/" } else { "ruleset.nft" }, &run);
        assert_eq!(run.err.contains("too many files: 2000 are the most"), refused, "{count}: {}", run.err);
    }
}

#[test]
fn each_kind_of_file_has_a_largest_size() {
    let readers = readers();
    for (file, megabytes) in
        [("ruleset.nft", 12), ("ruleset.json", 24), ("ip-addr.json", 8), ("config.xml", 32), ("rules.debug", 4)]
    {
        let reader = readers.iter().find(|r| r.file == file).expect("a reader");
        let run = bad(reader, &readers, |path| {
            // What tells the kind stands in front; behind it a hole that takes no space on the disk.
            fs::write(path, format!("{}{}", reader.good, " ".repeat(4096))).expect("write");
            let end = (megabytes << 20) + 1;
            fs::OpenOptions::new().append(true).open(path).and_then(|f| f.set_len(end)).expect("a hole");
        });
        println!("{file}: {} ms, {} MB", run.time.as_millis(), run.peak >> 10);
        sound(file, file, &run);
        assert!(run.err.contains(&format!("{megabytes} MB are the most")), "{file}\n{}", run.err);
    }
}

#[test]
fn what_was_cut_off_never_looks_whole() {
    let readers = readers();
    let mut cuts = 0;
    for r in &readers {
        let whole = bad(r, &readers, |file| fs::write(file, &r.good).expect("write"));
        assert!(matches!(whole.code, Some(0 | 1)), "{}: {}", r.file, whole.err);
        // Short texts are cut more often, so that every reader meets some.
        let (length, before) = (r.good.trim_end().len(), cuts);
        let every = (length / 10).clamp(1, 100);
        for at in (every..length).step_by(every).filter(|at| r.good.is_char_boundary(*at)) {
            let run = bad(r, &readers, |file| fs::write(file, &r.good[..at]).expect("write"));
            let what = format!("{} cut at byte {at}", r.file);
            sound(&what, r.file, &run);
            // Judged as what it is: what ends between two keys of TOML, or between two tables of nftables (`table ip n`
            // alone is a command too); and pf, where a rule may end after any word (`pass in quick`).
            let (cut, rest) = r.good.split_at(at);
            let line_ends = cut.ends_with('\n') || rest.starts_with('\n');
            let closed = cut.matches('{').count() == cut.matches('}').count();
            let judged = match r.file {
                "callpath.toml" => line_ends,
                "ruleset.nft" => {
                    closed
                        && (line_ends
                            || cut.lines().last().is_some_and(|l| "table".starts_with(l) || l.starts_with("table ")))
                }
                file => file == "rules.debug",
            };
            assert!(run.code >= whole.code, "{what}: a cut makes nothing better\n{}", run.out);
            if !judged {
                assert_eq!(run.code, Some(2), "{what}\n{}", run.out);
            }
            cuts += 1;
        }
        assert!(cuts - before > 3, "{}: {} cuts", r.file, cuts - before);
    }
    println!("{cuts} cuts");
    assert!(cuts > 80, "{cuts}");
}
