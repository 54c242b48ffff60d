//! Counters of rules: how often the kernel reached each, beside what the trace expects.

use super::run::rule_number;
use crate::compare::{is_open, rules};
use callpath_core::trace::{Network, RoundTrip};
use std::collections::{BTreeMap, HashMap};

/// Counters of rules by their number, out of a listing.
pub(super) fn counters(listing: &str) -> HashMap<u32, u64> {
    let mut out = HashMap::new();
    for line in listing.lines() {
        let number = line.rsplit_once("comment \"r").and_then(|(_, n)| n.split('"').next()?.parse().ok());
        let count = line.split_once("counter packets ").and_then(|(_, n)| n.split(' ').next()?.parse().ok());
        if let (Some(number), Some(count)) = (number, count) {
            out.insert(number, count);
        }
    }
    out
}

/// How often each rule should have been reached, at least and at most.
pub(super) struct Expected<'n> {
    network: &'n Network,
    counts: Vec<BTreeMap<u32, (u64, u64)>>,
    /// Something else differs already.
    pub void: bool,
}

impl<'n> Expected<'n> {
    pub fn new(network: &'n Network, routers: usize) -> Self {
        Self { network, counts: vec![BTreeMap::new(); routers], void: false }
    }

    pub fn add(&mut self, trips: &[&RoundTrip]) {
        let mut bounds: BTreeMap<(usize, u32), (u64, u64)> = BTreeMap::new();
        for (i, trip) in trips.iter().enumerate() {
            let mut own: BTreeMap<(usize, u32), u64> = BTreeMap::new();
            for (device, origin) in rules(trip) {
                if let Some(number) = rule_number(self.network, device, origin) {
                    *own.entry((device, number)).or_default() += 1;
                }
            }
            for (key, n) in &own {
                let (lo, hi) = bounds.entry(*key).or_insert((if i == 0 { *n } else { 0 }, *n));
                (*lo, *hi) = ((*lo).min(*n), (*hi).max(*n));
            }
            for (key, (lo, _)) in &mut bounds {
                if !own.contains_key(key) {
                    *lo = 0;
                }
            }
        }
        // What is open may have met any rule.
        if trips.iter().any(|t| is_open(t)) {
            self.void = true;
        }
        for ((device, number), (lo, hi)) in bounds {
            let entry = self.counts[device].entry(number).or_default();
            entry.0 += lo;
            entry.1 += hi;
        }
    }

    pub fn difference(&self, counted: &[HashMap<u32, u64>]) -> Option<String> {
        let mut out = Vec::new();
        for (router, counts) in counted.iter().enumerate() {
            for (number, count) in counts {
                let (lo, hi) = self.counts[router].get(number).copied().unwrap_or_default();
                if !(lo..=hi).contains(count) {
                    out.push(format!(
                        "rule r{number} of router {router}: the kernel reached it {count} times, the trace {lo}-{hi}"
                    ));
                }
            }
        }
        out.sort();
        (!out.is_empty() && !self.void).then(|| out.join("\n"))
    }
}
