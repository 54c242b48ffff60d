//! What a campaign has shown, and the floors below which agreement means little.

use super::probes::Probe;
use super::run::{Mismatch, rule_number};
use crate::compare::{Fate, Fates, is_open, rules};
use crate::generate::Ruleset;
use callpath_core::trace::{Network, RoundTrip};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Figures of a campaign.
#[derive(Debug, Default)]
pub struct Tally {
    /// Packets judged: requests, answers and third packets.
    pub packets: u64,
    /// Rulesets tried.
    pub rulesets: u64,
    /// Packets that came out nowhere.
    pub dropped: u64,
    /// Packets that came out with another header than they were sent with.
    pub translated: u64,
    /// Packets that were answers.
    pub replies: u64,
    /// Packets whose fate the trace leaves open.
    pub unknown: u64,
    /// Of these, in rulesets without anything that holds now and then: there must be none.
    pub unfounded: u64,
    /// Packets decided by rules with a construct.
    pub constructs: BTreeMap<&'static str, u64>,
    /// Rulesets that nft or the kernel did not take, by reason.
    pub refusals: BTreeMap<String, u64>,
    /// Conversations whose rules the kernel named one by one.
    pub traced: u64,
    /// Packets that met the session of another packet of their batch.
    pub clashes: u64,
    /// Where kernel and trace differ.
    pub mismatches: Vec<Mismatch>,
}

/// Below this many packets the floors on shares and constructs are shown but not asked for.
const ENOUGH: u64 = 100_000;

impl Tally {
    pub(super) fn refused(&mut self, why: &str) {
        let line = why.lines().find(|l| l.contains("Error")).unwrap_or(why);
        let reason = line.split("Error: ").nth(1).unwrap_or(line).trim().to_owned();
        *self.refusals.entry(reason).or_default() += 1;
    }

    pub(super) fn count(
        &mut self,
        probe: &Probe,
        fates: &Fates,
        trips: &[&RoundTrip],
        network: &Network,
        rulesets: &[Ruleset],
    ) {
        let mut sent = probe.tuple;
        for (i, fate) in fates.iter().enumerate() {
            match fate {
                Fate::NotSent => continue,
                Fate::Gone => self.dropped += 1,
                Fate::Arrived(_, seen) => {
                    self.translated += u64::from(*seen != sent);
                    sent = if i == 0 { seen.inverse() } else { probe.tuple };
                }
            }
            self.packets += 1;
            self.replies += u64::from(i == 1);
        }
        if trips.iter().all(|t| is_open(t)) {
            self.unknown += 1;
            let sometimes = ["limit, quota, ct count", "dynamic set"];
            let may = |r: &Ruleset| r.rules().any(|r| r.constructs.iter().any(|c| sometimes.contains(c)));
            self.unfounded += u64::from(!rulesets.iter().any(may));
        }
        let Some(trip) = trips.first() else { return };
        for (device, origin) in rules(trip) {
            let Some(number) = rule_number(network, device, origin) else { continue };
            let Some(rule) = rulesets.get(device).and_then(|r| r.rules().find(|r| r.number == number)) else {
                continue;
            };
            for construct in &rule.constructs {
                *self.constructs.entry(construct).or_default() += 1;
            }
        }
    }

    fn share(part: u64, whole: u64) -> f64 {
        #[allow(clippy::cast_precision_loss)] // a percentage for people
        if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
    }

    /// Packets decided, construct by construct.
    pub fn table(&self) -> String {
        let mut out = String::from("construct                          packets decided\n");
        for (construct, count) in &self.constructs {
            let _ = writeln!(out, "  {construct:<32} {count:>15}");
        }
        let _ = writeln!(out, "answers: {:.1} % of packets", Self::share(self.replies, self.packets));
        let _ = writeln!(out, "conversations traced rule by rule by `nft monitor trace`: {}", self.traced);
        let _ = writeln!(out, "met another packet's session, and alone did as the trace says: {}", self.clashes);
        for (reason, count) in &self.refusals {
            let _ = writeln!(out, "not taken by nft or the kernel, {count} times: {reason}");
        }
        out
    }

    /// Floors that were missed.
    pub fn missed(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.unfounded > 0 {
            out.push(format!("{} packets unknown in rulesets that leave nothing open", self.unfounded));
        }
        let dropped = Self::share(self.dropped, self.packets);
        if !(20.0..=80.0).contains(&dropped) {
            out.push(format!("{dropped:.1} % of packets dropped; 20 to 80 % are asked for"));
        }
        if Self::share(self.translated, self.packets) < 30.0 {
            out.push("less than 30 % of packets were translated".into());
        }
        if Self::share(self.replies, self.packets) < 20.0 {
            out.push("less than 20 % of packets were answers".into());
        }
        if self.clashes * 10_000 > self.packets {
            out.push("more than one packet in 10,000 met another's session".into());
        }
        if self.rulesets * 500 < self.packets {
            out.push("fewer than 2,000 rulesets per million packets".into());
        }
        if self.packets >= 1_000_000 {
            let few = self.constructs.iter().filter(|(_, n)| **n < 1_000);
            out.extend(few.map(|(c, n)| format!("`{c}` decided {n} packets; 1,000 are asked for")));
        }
        if self.packets < ENOUGH { Vec::new() } else { out }
    }

    /// The last line.
    pub fn line(&self) -> String {
        format!(
            "packets {}, rulesets {}, dropped {:.1} %, translated {:.1} %, unknown {}, mismatches: {}",
            self.packets,
            self.rulesets,
            Self::share(self.dropped, self.packets),
            Self::share(self.translated, self.packets),
            self.unknown,
            self.mismatches.len()
        )
    }
}
