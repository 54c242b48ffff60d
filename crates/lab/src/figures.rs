//! Figures that every campaign keeps.

use std::collections::BTreeMap;
use std::fmt;

/// A part of a whole, in percent.
pub(crate) fn share(part: u64, whole: u64) -> f64 {
    #[allow(clippy::cast_precision_loss)] // a percentage for people
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// How many rulesets nft or the kernel did not take, by reason.
#[derive(Debug, Default)]
pub struct Refusals(BTreeMap<String, u64>);

impl Refusals {
    pub(crate) fn add(&mut self, why: &str) {
        let line = why.lines().find(|l| l.contains("Error")).unwrap_or(why);
        let reason = line.split("Error: ").nth(1).unwrap_or(line).trim().to_owned();
        *self.0.entry(reason).or_default() += 1;
    }
}

impl fmt::Display for Refusals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .iter()
            .try_for_each(|(reason, count)| writeln!(f, "not taken by nft or the kernel, {count} times: {reason}"))
    }
}
