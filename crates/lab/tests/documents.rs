//! Two texts with rules on one host: the kernel says what becomes of a packet for either order in which they are loaded, and
//! the report what it would say of both together. Where the orders differ, it must not know.

use callpath_core::check::analyze;
use callpath_core::manifest::Proto;
use callpath_core::report::{Reach, Report};
use callpath_core::snapshot::{Snapshot, Source};
use std::process::Command;

fn table(family: &str, name: &str, kind: &str, hook: &str, priority: i32, rule: &str) -> String {
    format!(
        "table {family} {name} {{\n\tchain c {{\n\t\ttype {kind} hook {hook} priority {priority};\n\t\t{rule}\n\t}}\n}}\n"
    )
}

/// Pairs of texts.
fn pairs() -> Vec<[String; 2]> {
    let mark = |at| table("inet", "a", "filter", "input", at, "tcp dport 443 meta mark set 1");
    let by_mark = |at| table("inet", "b", "filter", "input", at, "meta mark 1 drop");
    let nat = |name: &str, to: &str| table("ip", name, "nat", "prerouting", -100, &format!("tcp dport 443 {to}"));
    let drops = |family: &str, at| table(family, "b", "filter", "prerouting", at, "tcp dport 7881 drop");
    vec![
        [mark(0), by_mark(0)],
        [mark(-1), by_mark(0)],
        [mark(1), by_mark(0)],
        [
            table("inet", "a", "filter", "input", 0, "tcp dport 443 accept"),
            table("inet", "b", "filter", "input", 0, "tcp dport 443 drop"),
        ],
        [nat("a", "dnat to 198.51.100.9"), nat("b", "redirect to :7881")],
        [nat("a", "dnat to 198.51.100.9"), drops("inet", 0)],
        // A filter at the priority at which the core translates.
        [nat("a", "redirect to :7881"), drops("ip", -100)],
        [nat("a", "redirect to :7881"), drops("ip", -101)],
        [nat("a", "redirect to :7881"), drops("ip", -99)],
        [nat("a", "redirect to :443"), table("ip", "b", "nat", "input", 100, "accept")],
    ]
}

/// Whether a connection to port 443 reaches the host, for each of these rulesets.
fn kernel(rulesets: &[String]) -> Vec<bool> {
    let mut script = String::from(
        "set -e
unshare -n sleep 600 & other=$!
trap 'kill $other' EXIT
until ip link add v0 type veth peer name v1 netns $other 2>/dev/null; do sleep 0.1; done
out() { nsenter -t $other -n \"$@\"; }
ip addr add 203.0.113.5/24 dev v0; ip link set v0 address 02:00:00:00:00:05 up; ip link set lo up
out ip addr add 203.0.113.9/24 dev v1; out ip link set v1 address 02:00:00:00:00:09 up
ip neigh replace 203.0.113.9 lladdr 02:00:00:00:00:09 dev v0
out ip neigh replace 203.0.113.5 lladdr 02:00:00:00:00:05 dev v1
seen() { nft list chain inet watch $1 | grep -q 'packets [1-9]'; }
",
    );
    for ruleset in rulesets {
        script.push_str("nft flush ruleset\nnft -f - <<'RULES'\n");
        script.push_str(ruleset);
        script.push_str(
            "table inet watch {
	chain first {
		type filter hook prerouting priority -450;
		tcp dport 443 counter
	}
	chain last {
		type filter hook input priority 400;
		tcp dport { 443, 7881 } counter
	}
}
RULES
until seen first; do out timeout 0.2 bash -c \": > /dev/tcp/203.0.113.5/443\" 2>/dev/null || true; done
if seen last; then echo yes; else echo no; fi
",
        );
    }
    // Root needs no user namespace.
    let root = nix::unistd::geteuid().is_root();
    let namespaces: &[&str] = if root { &["-n"] } else { &["-r", "-n"] };
    let output = Command::new("unshare").args(namespaces).args(["bash", "-c", &script]).output();
    let output = output.expect("unshare (util-linux)");
    assert!(output.status.success(), "{}\n{script}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").lines().map(|l| l == "yes").collect()
}

/// What the report says of signalling from the internet.
fn said(texts: &[&String]) -> Reach {
    let names = ["one.nft", "two.nft"];
    let listed: Vec<String> = names.iter().take(texts.len()).map(|n| format!("\"{n}\"")).collect();
    let manifest =
        format!("[[deploy]]\nsystem = \"livekit\"\nhost = \"203.0.113.5\"\nfirewall = [{}]\n", listed.join(", "));
    let source = |(name, text): (&str, &str)| Source { name: name.into(), text: text.into() };
    let texts = texts.iter().map(|t| t.as_str());
    let sources = [source(("callpath.toml", &manifest))].into_iter().chain(names.into_iter().zip(texts).map(source));
    let snapshot = Snapshot { sources: sources.collect(), directory: String::new() };
    let report = analyze(&snapshot).unwrap_or_else(|e| panic!("{}: {}", e.message, e.help));
    signalling(&report)
}

fn signalling(report: &Report) -> Reach {
    let path = report.paths.iter().find(|p| p.id == "livekit/internet:public").expect("a path");
    let mut all = path.legs.iter().flat_map(|l| &l.any_of);
    all.find(|a| a.proto == Proto::Tcp && a.ports == [(443, 443)]).expect("signalling").reach
}

#[test]
fn the_kernel_judges_texts_in_either_order() {
    let pairs = pairs();
    let rulesets: Vec<String> = pairs.iter().flat_map(|[a, b]| [format!("{a}{b}"), format!("{b}{a}")]).collect();
    let seen = kernel(&rulesets);
    assert_eq!(seen.len(), rulesets.len());
    let (mut differ, mut same) = (0, 0);
    for (n, [a, b]) in pairs.iter().enumerate() {
        let fates = [seen[2 * n], seen[2 * n + 1]];
        // One text tells the order of its own chains.
        for (text, arrives) in rulesets[2 * n..2 * n + 2].iter().zip(fates) {
            assert_eq!(said(&[text]) == Reach::Open, arrives, "{text}");
        }
        for reach in [said(&[a, b]), said(&[b, a])] {
            if fates[0] == fates[1] {
                assert_eq!(reach == Reach::Open, fates[0], "{a}{b}{reach:?}");
                assert_ne!(reach, Reach::Unknown, "{a}{b}");
                same += 1;
            } else {
                assert_eq!(reach, Reach::Unknown, "{a}{b}");
                differ += 1;
            }
        }
    }
    assert!(differ >= 4 && same >= 8, "{differ} {same}");
}
