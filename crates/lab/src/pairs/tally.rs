//! What a campaign of pairs has shown, and the floors below which agreement means little.

use super::Mismatch;
use super::follow::Shown;
use crate::compare::Fate;
use crate::figures::{Refusals, share};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Figures of a campaign.
#[derive(Debug, Default)]
pub struct Tally {
    /// Pairs judged.
    pub pairs: u64,
    /// Packets that they sent.
    pub packets: u64,
    /// Sets of rules tried, one for each router of a network.
    pub rulesets: u64,
    /// Packets that came out somewhere.
    pub arrived: u64,
    /// Pairs in which a device picked another port, because the wanted one was taken.
    pub clashes: u64,
    /// Pairs in which a device picked a port at random.
    pub random: u64,
    /// Pairs in which a packet arrived only because of those before it, without being an answer.
    pub punched: u64,
    /// Pairs in which a packet that nobody had asked for was dropped.
    pub stopped: u64,
    /// Pairs in which the outer party sent first.
    pub outer_first: u64,
    /// Pairs whose fate the trace leaves open.
    pub unknown: u64,
    /// Pairs that fared as the trace says when tried alone.
    pub disturbed: u64,
    /// Pairs by network.
    pub networks: BTreeMap<&'static str, u64>,
    /// Rulesets that nft or the kernel did not take, by reason.
    pub refusals: Refusals,
    /// Where kernel and trace differ.
    pub mismatches: Vec<Mismatch>,
}

/// Below this many pairs the floors are not asked for.
const ENOUGH: u64 = 2_000;

impl Tally {
    pub(super) fn count(&mut self, network: &'static str, fates: &[Fate], outer_first: bool, shown: Shown) {
        let sent = fates.iter().filter(|f| **f != Fate::NotSent);
        self.packets += sent.count() as u64;
        self.arrived += fates.iter().filter(|f| matches!(f, Fate::Arrived(..))).count() as u64;
        self.pairs += 1;
        self.clashes += u64::from(shown.clash);
        self.random += u64::from(shown.random);
        self.punched += u64::from(shown.punched);
        self.stopped += u64::from(shown.stopped);
        self.unknown += u64::from(shown.open);
        self.outer_first += u64::from(outer_first);
        *self.networks.entry(network).or_default() += 1;
    }

    fn shares(&self) -> [(&'static str, u64, f64); 5] {
        [
            ("another port, because the wanted one was taken", self.clashes, 3.0),
            ("a port picked at random", self.random, 5.0),
            ("let in only because of packets the other way", self.punched, 5.0),
            ("dropped, because nobody had asked", self.stopped, 10.0),
            ("the outer party first", self.outer_first, 30.0),
        ]
    }

    /// Pairs, kind by kind.
    pub fn table(&self) -> String {
        let mut out = String::new();
        for (what, count, _) in self.shares() {
            let _ = writeln!(out, "  {what:<48} {count:>9}  {:>5.1} % of pairs", share(count, self.pairs));
        }
        for (network, count) in &self.networks {
            let _ = writeln!(out, "  {network:<48} {count:>9}");
        }
        let _ = writeln!(out, "alone did as the trace says: {}", self.disturbed);
        let spared = if self.pairs < ENOUGH { "no floors: too few pairs\n" } else { "" };
        let _ = write!(out, "{}{spared}", self.refusals);
        out
    }

    /// Floors that were missed.
    pub fn missed(&self) -> Vec<String> {
        let mut out = Vec::new();
        for (what, count, floor) in self.shares() {
            let is = share(count, self.pairs);
            if is < floor {
                out.push(format!("{what}: {is:.1} % of pairs; {floor} % are asked for"));
            }
        }
        if !(20.0..=80.0).contains(&share(self.arrived, self.packets)) {
            out.push("less than 20 % of packets arrived, or more than 80 %".into());
        }
        if self.unknown * 100 > self.pairs {
            out.push("more than 1 % of pairs unknown".into());
        }
        // Rules that set source and destination ports both can give two pairs one tuple.
        if self.disturbed * 200 > self.pairs {
            out.push("more than one pair in 200 fared otherwise alone".into());
        }
        if self.rulesets * 100 < self.pairs {
            out.push("fewer than one ruleset for 100 pairs".into());
        }
        if self.pairs < ENOUGH { Vec::new() } else { out }
    }

    /// The last line.
    pub fn line(&self) -> String {
        format!(
            "pairs {}, packets {}, arrived {:.1} %, rulesets {}, clashes {}, punched {}, unknown {}, mismatches: {}",
            self.pairs,
            self.packets,
            share(self.arrived, self.packets),
            self.rulesets,
            self.clashes,
            self.punched,
            self.unknown,
            self.mismatches.len()
        )
    }
}
