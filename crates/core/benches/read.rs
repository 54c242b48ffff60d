//! Reading and lowering rulesets of 10,000 and 100,000 rules, beside `nft -c -f` on the same file in the same run.
//!
//! `cargo bench -p callpath-core --bench read`. Needs root, `nft` and `unshare` for the peer's figures. Memory is the largest
//! resident size of this process so far, so the sizes run in order.

use callpath_core::dialect::nft::{lower::lower, text};
use callpath_core::model::{Pipeline, SourceId};
use callpath_core::snapshot::Source;
use std::fmt::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn ruleset(rules: usize) -> String {
    let mut out = String::from(
        "table ip bench {\n\tchain forward {\n\t\ttype filter hook forward priority filter; policy accept;\n",
    );
    for n in 0..rules {
        let (a, b, c) = (n % 223 + 1, n / 223 % 256, n / 57_088 % 256);
        let verdict = if n % 3 == 2 { "drop" } else { "accept" };
        let low = 1024 + n % 40_000;
        let _ = writeln!(
            out,
            "\t\tip saddr {a}.{b}.{c}.0/24 ip daddr 10.{b}.{c}.0/24 udp dport {low}-{} counter packets 0 bytes 0 {verdict}",
            low + 100
        );
    }
    out.push_str("\t}\n}\n");
    out
}

fn median(mut f: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let start = Instant::now();
            f();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[2]
}

fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    println!("{:>8} {:>10} {:>14} {:>16} {:>12}", "rules", "text", "read + lower", "peak so far", "nft -c -f");
    for rules in [1_000, 10_000, 100_000] {
        let text = ruleset(rules);
        let path = std::env::temp_dir().join(format!("callpath-bench-{rules}.nft"));
        std::fs::write(&path, &text).expect("a temporary file");
        let sources = [Source { name: "bench.nft".into(), text }];
        let ours = median(|| {
            let read = text::parse(SourceId(0), &sources).expect("reads");
            let mut pipeline = Pipeline::default();
            let coverage = lower(&read, true, &mut pipeline);
            assert_eq!((coverage.unread, coverage.approximated), (0, 0));
        });
        let peer = median(|| {
            let file = path.to_string_lossy();
            // As root: inside a user namespace the kernel limits how large a ruleset may be.
            let nft = ["-n", "nft", "-c", "-f", &file];
            let status = Command::new("unshare").args(nft).stdout(Stdio::null()).stderr(Stdio::null()).status();
            assert!(status.is_ok_and(|s| s.success()), "`unshare -n nft -c -f` does not work here; run as root");
        });
        println!(
            "{rules:>8} {:>7} kB {:>11.1} ms {:>13} MB {:>9.0} ms",
            sources[0].text.len() / 1024,
            ours.as_secs_f64() * 1e3,
            peak_megabytes(),
            peer.as_secs_f64() * 1e3
        );
        let _ = std::fs::remove_file(path);
    }
}
