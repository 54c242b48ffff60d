//! Sites behind a list that follows sessions, and behind one that does not.

use crate::check::analyze;
use crate::report::{Report, Verdict};
use crate::snapshot::{InputError, Snapshot, Source};

/// A server with a public address behind the filter that this table describes.
fn site(gateway: &str, list: &str) -> Result<Report, InputError> {
    let manifest = format!(
        "name = \"voice.example.org\"\naddress = \"203.0.113.5\"\n[[gateway]]\nlabel = \"the group\"\nconfig = \"list\"\n\
         {gateway}[[deploy]]\nsystem = \"livekit\"\nhost = \"203.0.113.5\"\nclients = [\"internet\"]\n\
         firewall = \"host.nft\"\n"
    );
    let host = "table inet filter { chain input { type filter hook input priority 0; policy drop; iif lo accept; ct state \
                established accept; udp dport 50000-60000 accept; tcp dport { 443, 7881 } accept; } }\n";
    let file = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
    let sources = vec![file("callpath.toml", &manifest), file("list", list), file("host.nft", host)];
    analyze(&Snapshot { sources, directory: String::new() })
}

/// Its verdict, and the codes of what was found.
fn told(list: &str) -> (Verdict, Vec<&'static str>) {
    let report = site("", list).unwrap_or_else(|e| panic!("{e}"));
    (report.verdict, report.findings.iter().map(|f| f.code).collect())
}

const CALLS: &str = "in udp 50000-60000\nin tcp 443\nin tcp 7881\n";
/// What the server sends on its own.
const OUT: &str = "out udp 1-65535\nout tcp 1-65535\n";

#[test]
fn a_group_follows_sessions_and_a_list_does_not() {
    let group = format!("toy wire 1\ntracks\n{CALLS}{OUT}");
    assert_eq!(told(&group).0, Verdict::Works);
    // Answers need lines of their own: those to callers, and those to what the server sends.
    let list = format!("toy wire 1\n{CALLS}in udp 1024-65535\n{OUT}");
    assert_eq!(told(&list).0, Verdict::Works, "{:?}", told(&list).1);
    for one_way in [CALLS.to_owned(), format!("{CALLS}{OUT}")] {
        assert_eq!(told(&format!("toy wire 1\n{one_way}")).0, Verdict::Fails, "{one_way}");
    }
}

#[test]
fn the_first_line_that_fits_decides() {
    let before = format!("toy wire 1\ntracks\nnot in udp 50000-55000\n{CALLS}{OUT}");
    let (verdict, codes) = told(&before);
    assert_eq!(verdict, Verdict::Degraded, "{codes:?}");
    assert!(codes.contains(&"blocked-earlier"), "{codes:?}");
    let behind = format!("toy wire 1\ntracks\n{CALLS}not in udp 50000-55000\n{OUT}");
    assert_eq!(told(&behind).0, Verdict::Works);
}

#[test]
fn a_line_that_is_not_understood_leaves_it_open() {
    let (verdict, codes) = told(&format!("toy wire 1\nshape voip first\ntracks\n{CALLS}{OUT}"));
    assert_eq!((verdict, codes.contains(&"not-understood")), (Verdict::Unknown, true), "{codes:?}");
}

#[test]
fn addresses_that_it_does_not_guard_pass() {
    let closed = "toy wire 1\ntracks\n";
    assert_eq!(told(closed).0, Verdict::Fails);
    let other = site("guards = [\"203.0.113.77\"]\n", closed).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(other.verdict, Verdict::Works);
    let own = site("guards = [\"203.0.113.5\"]\n", closed).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(own.verdict, Verdict::Fails);
}

#[test]
fn what_its_list_says_is_not_stated_beside_it() {
    let list = format!("toy wire 1\ntracks\n{CALLS}{OUT}");
    for (key, line) in [("tracks", "tracks = false\n"), ("out", "out = \"none\"\n")] {
        let error = site(line, &list).expect_err(key);
        assert!(error.message.contains(key), "{error}");
    }
    let error = site("wan = \"203.0.113.5\"\n", &list).expect_err("a filter has no address");
    assert!(error.message.contains("filter"), "{error}");
}
