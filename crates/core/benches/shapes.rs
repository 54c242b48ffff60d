//! `check` of a site whose router has n rules for one port each, in memory: time, work and memory at 1,000 and 10,000.
//!
//! `cargo bench -p callpath-core --bench shapes`. Memory is the largest resident size of this process so far.

#[path = "../tests/growth/shapes.rs"]
mod shapes;

use callpath_core::check::analyze;
use callpath_core::counters;
use callpath_core::snapshot::{Snapshot, Source};
use shapes::{MANIFEST, SHAPES};
use std::time::{Duration, Instant};

fn peak_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
    line.and_then(|l| l.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}

fn main() {
    println!("{:<40} {:>8} {:>8} {:>7} {:>12} {:>8}", "shape", "rules", "ms", "asks", "work", "MB");
    let mut last = Duration::ZERO;
    for rules in [1_000, 10_000] {
        for (name, shape) in SHAPES {
            let sources = [("callpath.toml", MANIFEST.to_owned()), ("router.nft", shape(rules).text())];
            let sources = sources.map(|(name, text)| Source { name: name.into(), text }).into();
            let snapshot = Snapshot { sources, directory: String::new() };
            counters::take();
            let start = Instant::now();
            analyze(&snapshot).expect("an answer");
            let time = start.elapsed();
            let counted = counters::take();
            let ms = time.as_millis();
            println!("{name:<40} {rules:>8} {ms:>8} {:>7} {:>12} {:>8}", counted.asks, counted.work, peak_megabytes());
            last = last.max(time);
        }
    }
    println!("the longest took {} ms", last.as_millis());
}
