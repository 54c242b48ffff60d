//! `callpath trace`: one flow, expectations, bad input, and that it says what `check` says.

use crate::sites::{blocks, example, lay_out, root, scenarios, sites, snapshot};
use callpath_core::check::analyze;
use callpath_core::cube::Set;
use callpath_core::query::{Question, Reader};
use callpath_core::report::{Alternative, Path as Row, Piece, Reach, Report, Trace};
use callpath_core::vocabulary::{CallerKind, Opener, PortSet, Where};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Rows of media that `check` judges as a conversation of two sides, and a trace by what the caller sends alone: the
/// scenario, and why the caller's own packets do not all get through.
const BOTH_SIDES: &[(&str, &str)] = &[
    ("country-blocked", "senders of some countries are dropped; the server's own checks reach them"),
    ("double-nat", "the outer address is not known; the server's checks leave either way"),
    ("drops-by-source-port", "some of the caller's ports are dropped; the server's checks reach them"),
    ("one-port-hole", "a port is dropped on the way in, and not on the way out"),
    ("outer-address-unknown", "the outer address is not known; the server's checks leave either way"),
    ("phone-at-home-hears-nothing", "voice gets in; the PBX sends its own to the phone's inner address"),
    ("ports-shifted", "some ports come out at others; the server's checks tell the right ones"),
    ("range-cut", "a part of the ports is not forwarded; the server's checks open it"),
    ("rate-limit", "a rate limit on the way in; the server's checks leave without it"),
    ("several-rulesets", "a part of the ports is dropped on the way in, and not on the way out"),
    ("spokes-range-cut", "a part of the ports is not forwarded; the server's checks open it"),
    ("spokes-wan-unknown", "the outer address is not known; the server's checks leave either way"),
    ("stated-home-router-silent", "a part of the ports is not forwarded; the server's checks open it"),
    ("udp-range-cut", "a part of the ports is not forwarded; the server's checks open it"),
    ("unread-statement", "a statement on the way in was not understood; the server's checks do not meet it"),
];

/// The row is one of the above, and differs as they may.
fn by_both_sides(scenario: &str, path: &Row, kind: &str, piece: &Piece) -> bool {
    let own_network = matches!(path.kind, Some(CallerKind::Public | CallerKind::App));
    let by_checks = piece.reach == Reach::Open && own_network;
    let hears_nothing =
        piece.reach == Reach::Closed && matches!(path.kind, Some(CallerKind::Home | CallerKind::Symmetric));
    kind == "media" && (by_checks || hears_nothing) && BOTH_SIDES.iter().any(|(name, _)| *name == scenario)
}

/// Why a row of a report is not compared with a trace.
fn not_compared(path: &Row, a: &Alternative) -> Option<&'static str> {
    match path.vantage {
        Where::Outwards => Some("the server asks all of the internet, not one address"),
        Where::At(_) if a.opener == Opener::Server => {
            Some("the server sends first (ICE): a trace follows what the caller sends")
        }
        Where::At(_) => None,
    }
}

/// The addresses that a row's packets are sent to. Of several a caller tries each, and a trace asks one.
fn asked(report: &Report, path: &Row, to: &str) -> Vec<String> {
    let addresses: Vec<String> = to.split(", ").map(str::to_owned).collect();
    if addresses.iter().all(|a| a.parse::<std::net::IpAddr>().is_ok()) {
        return addresses;
    }
    let v6 = path.id.ends_with("/v6");
    let instance = report.instances.iter().find(|i| i.label == path.instance).expect("an instance");
    instance.told.iter().filter(|t| t.contains(':') == v6).cloned().collect()
}

/// The ports of a piece, each once.
fn ports(piece: &Piece) -> Vec<(u16, u16)> {
    let all = piece.packets.iter().flat_map(|p| &p.ports).map(|(lo, hi)| (u128::from(*lo), u128::from(*hi)));
    let port = |n: u128| u16::try_from(n).expect("a port");
    Set::from_ranges(all).ranges().iter().map(|(lo, hi)| (port(*lo), port(*hi))).collect()
}

/// Both say the same of the same packets; of some senders' or some of their ports, one of the trace's pieces does.
fn agrees(trace: &Trace, piece: &Piece) -> bool {
    let pieces = trace.flows.iter().flat_map(|f| &f.pieces);
    let some = piece.packets.iter().any(|p| !p.from.is_empty() || !p.source_ports.is_empty());
    trace.reach == piece.reach
        || some && pieces.map(|p| &p.piece).any(|p| p.reach == piece.reach && p.packets == piece.packets)
}

#[test]
fn a_trace_says_what_check_says() {
    let work = std::env::temp_dir().join(format!("callpath-trace-{}", std::process::id()));
    let (mut compared, mut wrong, mut excused) = (0, Vec::new(), BTreeSet::new());
    for dir in sites(&work) {
        let site = snapshot(&dir);
        let Ok(report) = analyze(&site) else { continue };
        let mut reader = Reader::new(&site).expect("what check reads");
        let name = dir.file_name().expect("a name").to_string_lossy().into_owned();
        let rows = report.paths.iter().flat_map(|path| path.legs.iter().map(move |leg| (path, leg)));
        for (path, leg, a) in rows.flat_map(|(path, leg)| leg.any_of.iter().map(move |a| (path, leg, a))) {
            let certain = a.pieces.iter().filter(|p| matches!(p.reach, Reach::Open | Reach::Closed));
            let [to] = &asked(&report, path, &leg.to)[..] else { continue };
            for piece in certain.filter(|_| not_compared(path, a).is_none()) {
                let ports = PortSet { proto: a.proto, ports: ports(piece) };
                let from = path.vantage.to_string();
                let about = format!("{name}: {} {ports} of {to}: check says {:?}", path.id, piece.reach);
                compared += 1;
                match reader.trace(&Question { from, to: to.clone(), ports, source_ports: Vec::new() }) {
                    Ok(trace) if agrees(&trace, piece) => {}
                    Ok(_) if by_both_sides(&name, path, leg.kind.name(), piece) => {
                        excused.insert(name.clone());
                    }
                    Ok(trace) => wrong.push(format!("{about}, trace {:?}", trace.reach)),
                    Err(e) => wrong.push(format!("{about}, trace {e:?}")),
                }
            }
        }
    }
    fs::remove_dir_all(&work).expect("clean up");
    println!("{compared} rows");
    assert!(wrong.is_empty(), "{} of {compared}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(compared > 2500, "only {compared} rows were compared");
    let listed: BTreeSet<String> = BOTH_SIDES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(excused, listed, "scenarios that differ, and those that are listed");
}

/// Output, messages and exit code in a folder.
fn run(dir: &Path, arguments: &[&str]) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_callpath")).arg("trace").args(arguments).current_dir(dir).output();
    let output = output.expect("callpath runs");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (text(&output.stdout), text(&output.stderr), output.status.code().expect("an exit code"))
}

/// The block of a scenario with what a trace prints there; the exit code and the arguments stand in its first line.
#[test]
fn scenarios_show_what_a_trace_prints() {
    let bless = std::env::var("CALLPATH_BLESS").ok();
    let work = std::env::temp_dir().join(format!("callpath-traced-{}", std::process::id()));
    let (mut count, mut wrong) = (0, Vec::new());
    for path in scenarios() {
        let name = path.file_stem().expect("name").to_string_lossy().into_owned();
        let mut text = fs::read_to_string(&path).expect("scenario");
        let all = blocks(&text);
        for block in all.iter().filter(|b| b.info.starts_with("trace ")) {
            count += 1;
            let dir = work.join(&name);
            lay_out(&name, &text, &all, &dir);
            let (_, arguments) = block.info.split_once(": ").expect("arguments behind the exit code");
            let (said, errors, code) = run(&dir, &arguments.split(' ').collect::<Vec<_>>());
            let now = format!("```trace {code}: {arguments}\n{said}{errors}```\n");
            let lines: String = block.lines.iter().flat_map(|l| [l, "\n"]).collect();
            let before = format!("```{}\n{lines}```\n", block.info);
            if bless.as_ref().is_some_and(|b| b == "1" || b.split(',').any(|n| n == name)) {
                text = text.replacen(&before, &now, 1);
                fs::write(&path, &text).expect("write");
            } else if before != now {
                wrong.push(format!("{name}: now\n{now}"));
            }
            // Results of expectations are one line each; all else fits a terminal.
            let long = said.lines().find(|l| l.chars().count() > 80).filter(|_| !arguments.contains("--expectations"));
            wrong.extend(long.map(|l| format!("{name}: more than 80 columns: {l}")));
        }
    }
    fs::remove_dir_all(&work).expect("clean up");
    assert!(count >= 3, "{count} scenarios show a trace");
    assert!(wrong.is_empty(), "{}\nCALLPATH_BLESS=1 writes them anew", wrong.join("\n\n"));
}

fn router() -> PathBuf {
    root().join("examples/linux-router")
}

#[test]
fn a_flow_is_told_hop_by_hop_with_request_answer_and_next_packet() {
    let (said, _, code) = run(&router(), &["internet", "203.0.113.5", "udp/50000-60100"]);
    assert_eq!(code, 0, "without an expectation, any answer is one");
    for part in [
        "PARTLY  udp 50000-60100",
        "OPEN  udp 50000-60000: accepted by server 192.168.1.50",
        "CLOSED  udp 60001-60100: denied by router (input)",
        "prerouting  ruleset.nft:48\n             ip daddr 203.0.113.5 udp dport 50000-60000 dnat to $server\n",
        "forward  ruleset.nft:34\n",
        "first packet: caller -> 203.0.113.5:50000",
        "answer: 192.168.1.50:50000 -> caller",
        "next packet: caller -> 203.0.113.5:50000",
        "facts are taken as given",
    ] {
        assert!(said.contains(part), "{part}\n{said}");
    }
    let (said, _, _) = run(&router(), &["internet", "203.0.113.5", "tcp/443", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!(json["schema"], "callpath.trace/1");
    let piece = &json["flows"][0]["pieces"][0];
    assert_eq!((&json["reach"], &piece["disposition"]), (&"open".into(), &"accepted".into()));
    assert!(piece["steps"].as_array().is_some_and(|s| s.iter().any(|s| s["packet"] == "next")), "{said}");
    assert!(json["assumptions"].as_array().is_some_and(|a| !a.is_empty()), "{said}");
}

#[test]
fn words_of_a_question_are_places_names_and_addresses() {
    for (words, code) in [
        (["internet", "voice.example.org", "tcp/443"], 0),
        (["internet", "server", "tcp/443"], 0),
        (["internet", "livekit", "udp/50000-60000"], 0),
        (["8.8.8.8", "203.0.113.5", "tcp/443"], 0),
        (["9.0.0.0/8", "203.0.113.5", "tcp/443"], 0),
        (["lan", "VOICE.example.org", "tcp/443"], 0),
        (["192.168.1.77", "server", "tcp/443"], 0),
        (["net:guest0", "voice.example.org", "tcp/443"], 0),
        (["guest0", "voice.example.org", "tcp/443"], 0),
        (["self", "voice.example.org", "tcp/443"], 0),
        (["server", "8.8.8.8", "udp/19302"], 0),
        (["livekit", "8.8.8.8", "udp/19302"], 0),
        // From one family to the other there is no way, and that is no answer.
        (["8.8.8.8", "2001:db8:1::50", "tcp/443"], 2),
        (["internet", "192.168.1.50", "tcp/443"], 1),
        (["internet", "voice.example.org", "tcp/7880"], 1),
        (["internet", "voice.example.org", "tcp/443-444"], 1),
    ] {
        let (said, errors, is) = run(&router(), &[&words[..], &["--expect", "open"]].concat());
        assert_eq!(is, code, "{words:?}\n{said}{errors}");
    }
}

#[test]
fn what_is_not_closed_for_everybody_is_not_closed() {
    for (words, code) in [
        (["internet", "voice.example.org", "tcp/7880"], 0),
        (["internet", "203.0.113.5", "tcp/22"], 0),
        (["internet", "192.168.1.50", "tcp/22"], 0),
        // A part of it is open.
        (["internet", "voice.example.org", "tcp/442-443"], 1),
        // The server's own network meets no rule.
        (["lan", "server", "tcp/22"], 1),
        (["lan", "192.168.1.77", "tcp/22"], 1),
    ] {
        let (said, errors, is) = run(&router(), &[&words[..], &["--expect", "closed"]].concat());
        assert_eq!(is, code, "{words:?}\n{said}{errors}");
    }
    let (said, _, code) = run(&router(), &["internet", "server", "tcp/443", "--expect", "closed"]);
    assert!(
        code == 1 && said.ends_with("\nnot as expected (closed): tcp 443 is open: accepted by server 192.168.1.50\n")
    );
}

/// A folder of its own, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let dir = std::env::temp_dir().join(format!("callpath-trace-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).expect("a folder");
        for (file, text) in files {
            fs::write(dir.join(file), text).expect("write");
        }
        Self(dir)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

const STATED: &str = "address = \"203.0.113.5\"\nname = \"voice.example.org\"\n[[gateway]]\nlabel = \"box\"\n\
    inside = \"192.168.1.1/24\"\nforwards = [\"tcp/443\", \"tcp/2222 to 192.168.1.9:22\"]\n\
    [[deploy]]\nsystem = \"livekit\"\nhost = \"192.168.1.50\"\n";

#[test]
fn what_is_not_known_is_neither_open_nor_closed() {
    let folder = Folder::new("unknown", &[("callpath.toml", STATED)]);
    let code = |to: &str, ports: &str, expect: &str| run(&folder.0, &["internet", to, ports, "--expect", expect]);
    for (to, ports, open, closed) in [
        ("voice.example.org", "tcp/443", 0, 1),
        // No forward leads to the server; what the box itself answers, nobody stated.
        ("voice.example.org", "tcp/22", 1, 0),
        ("203.0.113.5", "tcp/22", 1, 1),
        // Another host takes it.
        ("voice.example.org", "tcp/2222", 1, 1),
        ("203.0.113.5", "tcp/2222", 0, 1),
    ] {
        let (said, errors, is) = code(to, ports, "open");
        assert_eq!(is, open, "{to} {ports} open\n{said}{errors}");
        let (said, errors, is) = code(to, ports, "closed");
        assert_eq!(is, closed, "{to} {ports} closed\n{said}{errors}");
    }
    let (said, ..) = code("203.0.113.5", "tcp/22", "closed");
    assert!(said.starts_with("UNKNOWN") && said.contains("whether box itself answers there"), "{said}");
}

#[test]
fn bad_questions_give_no_answer() {
    for (words, message, help) in [
        (
            &["lann", "server", "tcp/443"][..],
            "there is no place `lann` here",
            "did you mean `lan`? places: internet, lan, net:guest0",
        ),
        (&["guest1", "server", "tcp/443"], "there is no place `guest1` here", "did you mean `guest0`?"),
        (&["10.99.0.1", "server", "tcp/443"], "no address of the internet or of a known network", "[[net]]"),
        (&["admin", "server", "tcp/443"], "not stated from where the site is administered", "add `admin`"),
        (
            &["internet", "voice.exmple.org", "tcp/443"],
            "`voice.exmple.org` is no name",
            "did you mean `voice.example.org`?",
        ),
        (&["internet", "203.0.113.0/24", "tcp/443"], "is no name", "name one address"),
        (&["internet", "203.0.113", "tcp/443"], "is no name", "four numbers"),
        (&["internet", "server", "443"], "names no protocol", "udp/50000-50499"),
        (&["internet", "server", "icmp/8"], "neither tcp nor udp", "tcp/443"),
        (&["internet", "server", "tcp/0"], "port 0 does not exist", "1 to 65535"),
        (&["internet", "server", "udp/50499-50000"], "the wrong way round", "50000-50499"),
        (&["internet", "server", "tcp/443", "--source-port", "x"], "`x` is not a port", "7881"),
        (&["internet", "server", "tcp/443", "nowhere"], "nowhere", ""),
        (&["internet", "server", "tcp/443", "--redact"], "a trace has no pseudonyms", "callpath snapshot --redact"),
        (&["internet", "server"], "required arguments were not provided", "PROTO/PORT"),
        (&["--expectations", "no-such-file"], "there is no such file", "check the path"),
    ] {
        let (said, errors, code) = run(&router(), words);
        assert_eq!((code, &*said), (2, ""), "{words:?}: {errors}");
        assert!(errors.contains(message) && errors.contains(help), "{words:?}: {errors}");
        assert!(!errors.contains("panicked") && errors.len() < 4000, "{errors}");
    }
    let (_, errors, _) = run(&router(), &["lann", "sever", "tcp/443"]);
    assert_eq!(errors.matches("error:").count(), 2, "both words are told: {errors}");
    let two = STATED.to_owned()
        + "[[deploy]]\nsystem = \"reflector\"\nhost = \"192.168.1.60\"\nwith = { tcp = 7882, https = 8443 }\n";
    let folder = Folder::new("two", &[("callpath.toml", &two)]);
    let (_, errors, code) = run(&folder.0, &["internet", "server", "tcp/443"]);
    assert!(code == 2 && (errors.contains("several servers") || errors.contains("error")), "{errors}");
}

#[test]
fn expectations_are_a_test_of_a_site() {
    let good = "# what must hold\nopen internet -> voice.example.org udp/50000-60000\n\nclosed internet -> server tcp/7880 # forbidden\n";
    let bad = good.to_owned() + "open guest0 -> server tcp/443\nclosed lan -> server tcp/22\n";
    let wrong =
        "opn a -> b tcp/1\nopen internet voice.example.org tcp/1\n  open internet -> voice.example.org tcp/70000\n";
    let unknown = "open internt -> voice.example.org tcp/1\nopen internet -> voice.exmple.org tcp/1\n";
    let folder = Folder::new(
        "suite",
        &[
            ("good.txt", good),
            ("bad.txt", &bad),
            ("wrong.txt", wrong),
            ("unknown.txt", unknown),
            ("empty.txt", "# x\n"),
        ],
    );
    let site = router();
    let site = site.to_str().expect("a path");
    let suite = |file: &str, more: &[&str]| run(&folder.0, &[&["--expectations", file, site], more].concat());
    let (said, errors, code) = suite("good.txt", &[]);
    assert_eq!((code, &*errors), (0, ""), "{said}");
    assert!(said.contains("ok       good.txt:4  closed internet -> server tcp/7880\n"), "{said}");
    assert!(said.ends_with("\n2 of 2 expectations hold\n"), "{said}");
    let (said, _, code) = suite("bad.txt", &[]);
    assert_eq!(code, 1);
    assert!(
        said.contains("FAILS    bad.txt:5  open guest0 -> server tcp/443: tcp 443 is closed: router drops it"),
        "{said}"
    );
    assert!(said.contains("FAILS    bad.txt:6  closed lan -> server tcp/22: tcp 22 is open: delivered to"), "{said}");
    assert_eq!(said.lines().count(), 4 + 2, "one line each: {said}");
    let (said, _, code) = suite("bad.txt", &["--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((code, &json["holds"], json["results"].as_array().map(Vec::len)), (1, &false.into(), Some(4)));
    for (file, places) in [
        ("wrong.txt", &["wrong.txt:1:1", "wrong.txt:2:1", "wrong.txt:3:38"][..]),
        ("unknown.txt", &["unknown.txt:1:6", "unknown.txt:2:18"]),
        ("empty.txt", &["empty.txt:1:1"]),
    ] {
        let (said, errors, code) = suite(file, &[]);
        assert_eq!((code, &*said), (2, ""), "{errors}");
        assert_eq!(errors.matches("error:").count(), places.len(), "{errors}");
        assert!(places.iter().all(|p| errors.contains(p)), "{places:?}\n{errors}");
    }
}

/// Names of a configuration stand in a trace, and none begins a line as ours do.
#[test]
fn names_forge_no_lines() {
    let rules = "table ip nat {\n\tchain pre {\n\t\ttype nat hook prerouting priority -100; policy accept;\n\
        \t\tudp dport 50000-60000 dnat to 192.168.1.50 comment \"x\u{1b}[2JOPEN  forged\"\n\t}\n}\n";
    let manifest = "address = \"203.0.113.9\"\n[[gateway]]\nlabel = \"OPEN  x\\nCLOSED  FORGED\"\nconfig = \"r.nft\"\n\
        interfaces = { wan = \"203.0.113.9/24\", lan = \"192.168.1.1/24\" }\nroutes = [\"default via 203.0.113.1\"]\n\
        [[deploy]]\nsystem = \"livekit\"\nlabel = \"y\\nOPEN  FORGED\"\nhost = \"192.168.1.50\"\n";
    let folder = Folder::new("forged", &[("callpath.toml", manifest), ("r.nft", rules)]);
    for to in ["203.0.113.9", "server", "y\nOPEN  FORGED"] {
        for ports in ["udp/50000", "tcp/22"] {
            let (said, errors, _) = run(&folder.0, &["internet", to, ports, "--expect", "open"]);
            let forged =
                |l: &str| ["OPEN  FORGED", "CLOSED  FORGED", "FORGED"].iter().any(|f| l.trim_start().starts_with(f));
            assert!(!said.lines().chain(errors.lines()).any(forged), "{said}{errors}");
            assert!(!said.contains('\u{1b}') && !errors.contains('\u{1b}'), "{said}{errors}");
        }
    }
}

/// The example of a scenario is read from its first line, as everywhere.
#[test]
fn a_snapshot_is_traced_like_its_site() {
    assert_eq!(example("example: spokes\n"), "spokes");
    let folder = Folder::new("snapshot", &[]);
    let site = router();
    let made = Command::new(env!("CARGO_BIN_EXE_callpath"))
        .args(["snapshot", site.to_str().expect("a path"), "-o", "site.json"])
        .current_dir(&folder.0)
        .output()
        .expect("callpath runs");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let flow = ["internet", "voice.example.org", "udp/50000-50499"];
    let (one, _, _) = run(&site, &flow);
    let (other, errors, _) = run(&folder.0, &[&flow[..], &["site.json"]].concat());
    assert_eq!(one, other, "{errors}");
}
