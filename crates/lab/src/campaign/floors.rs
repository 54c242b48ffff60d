//! What a campaign has shown, and the floors below which agreement means little.

use super::probes::Probe;
use super::run::{Mismatch, rule_number};
use crate::compare::{Fate, Fates, is_open, rules};
use crate::figures::{Refusals, share};
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
    pub refusals: Refusals,
    /// Conversations whose rules the kernel named one by one.
    pub traced: u64,
    /// Packets that met the session of another packet of their batch.
    pub clashes: u64,
    /// Where kernel and trace differ.
    pub mismatches: Vec<Mismatch>,
}

/// Fewer packets come from a dozen rulesets: their shares say nothing.
const FEW: u64 = 5_000;
/// From this many packets on, shares have to reach their floors; with fewer, half of them.
const ENOUGH: u64 = 100_000;
/// From this many packets on, every construct has to decide some.
const MANY: u64 = 1_000_000;

impl Tally {
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

    /// Packets decided, construct by construct.
    pub fn table(&self) -> String {
        let mut out = String::from("construct                          packets decided\n");
        for (construct, count) in &self.constructs {
            let _ = writeln!(out, "  {construct:<32} {count:>15}");
        }
        let _ = writeln!(out, "answers: {:.1} % of packets", share(self.replies, self.packets));
        let _ = writeln!(out, "conversations traced rule by rule by `nft monitor trace`: {}", self.traced);
        let _ = writeln!(out, "met another packet's session, and alone did as the trace says: {}", self.clashes);
        let _ = write!(out, "{}{}", self.refusals, self.spared());
        out
    }

    /// Floors that were missed. That nothing is unknown without a reason is asked for always; shares need some rulesets.
    pub fn missed(&self) -> Vec<String> {
        let mut out = Vec::new();
        if self.unfounded > 0 {
            out.push(format!("{} packets unknown in rulesets that leave nothing open", self.unfounded));
        }
        if self.packets < FEW {
            return out;
        }
        // A ruleset that drops all it gets is a large part of a short campaign.
        let least = |percent: f64| if self.packets < ENOUGH { percent / 2.0 } else { percent };
        let dropped = share(self.dropped, self.packets);
        if !(least(20.0)..=100.0 - least(20.0)).contains(&dropped) {
            out.push(format!(
                "{dropped:.1} % of packets dropped; {0} to {1} % are asked for",
                least(20.0),
                100.0 - least(20.0)
            ));
        }
        for (what, count, percent) in [("were translated", self.translated, 30.0), ("were answers", self.replies, 20.0)]
        {
            let is = share(count, self.packets);
            if is < least(percent) {
                out.push(format!("{is:.1} % of packets {what}; {} % are asked for", least(percent)));
            }
        }
        let clashes = if self.packets < ENOUGH { 2_000 } else { 10_000 };
        if self.clashes * clashes > self.packets {
            out.push(format!("more than one packet in {clashes} met another's session"));
        }
        if self.rulesets * 500 < self.packets {
            out.push("fewer than 2,000 rulesets per million packets".into());
        }
        if self.packets >= MANY {
            let few = self.constructs.iter().filter(|(_, n)| **n < 1_000);
            out.extend(few.map(|(c, n)| format!("`{c}` decided {n} packets; 1,000 are asked for")));
        }
        out
    }

    /// Floors that a campaign of this length is not asked for; empty: all are.
    fn spared(&self) -> &'static str {
        match self.packets {
            0..FEW => "no floors for shares and constructs: too few packets\n",
            FEW..ENOUGH => "half the floors for shares, and none for constructs: few packets\n",
            ENOUGH..MANY => "no floors for constructs: fewer than a million packets\n",
            _ => "",
        }
    }

    /// The last line.
    pub fn line(&self) -> String {
        format!(
            "packets {}, rulesets {}, dropped {:.1} %, translated {:.1} %, unknown {}, mismatches: {}",
            self.packets,
            self.rulesets,
            share(self.dropped, self.packets),
            share(self.translated, self.packets),
            self.unknown,
            self.mismatches.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_campaigns_have_floors_too() {
        let tally = |packets: u64, share: u64| Tally {
            packets,
            rulesets: packets / 400,
            dropped: packets / 2,
            translated: packets * share / 100,
            replies: packets * share / 100,
            ..Tally::default()
        };
        for (packets, low, high) in [(20_000, 10, 16), (200_000, 25, 31)] {
            assert!(tally(packets, high).missed().is_empty(), "{:?}", tally(packets, high).missed());
            assert!(!tally(packets, low).missed().is_empty(), "{packets} packets, {low} % translated");
        }
        let unfounded = Tally { unfounded: 1, ..tally(100, 0) };
        assert_eq!(unfounded.missed().len(), 1, "whatever the length");
        assert_eq!(tally(100, 0).missed().len(), 0);
    }
}
