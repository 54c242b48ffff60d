//! The campaign: ruleset after ruleset, the kernel says whether the trace is right.

mod counters;
mod floors;
mod probes;
mod run;
mod send;

pub use floors::Tally;
pub use probes::Probe;
pub use run::{Bench, Mismatch};

use crate::fixtures::Fixtures;
use crate::generate::{Names, Ruleset, ruleset};
use crate::namespace::Failure;
use crate::random::Random;
use crate::topology::{double, single};

/// What a campaign is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Packets to judge.
    pub packets: u64,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Where mismatches are saved.
    pub fixtures: Fixtures,
    /// Stop after this many.
    pub most_mismatches: usize,
    /// Make what differs as small as it goes.
    pub minimise: bool,
}

/// A ruleset per router, drawn until the kernel takes it.
fn drawn(random: &mut Random, bench: &Bench, names: &[Names], tally: &mut Tally) -> Result<Vec<Ruleset>, Failure> {
    let mut out = Vec::new();
    for (router, names) in names.iter().enumerate() {
        let mut tries = 0;
        loop {
            let candidate = ruleset(random, names);
            match bench.load(router, &candidate.text()) {
                Ok(()) => {
                    out.push(candidate);
                    break;
                }
                Err(why) => {
                    tally.refusals.add(&why);
                    tries += 1;
                    if tries > 200 {
                        return Err(format!("the kernel takes no ruleset at all; the last refusal:\n{why}"));
                    }
                }
            }
        }
    }
    Ok(out)
}

/// The topologies of a campaign, each with what its routers' rules may name.
#[derive(Debug)]
pub struct Lab([(Bench, Vec<Names>); 2]);

impl Lab {
    /// Builds the topologies.
    ///
    /// # Errors
    /// When the kernel or a program refuses.
    pub fn new() -> Result<Self, Failure> {
        Ok(Self([
            (Bench::new(single())?, vec![Names::single()]),
            (Bench::new(double())?, vec![Names::double(0), Names::double(1)]),
        ]))
    }
}

/// Runs a campaign. Progress goes to standard error.
///
/// # Errors
/// When the lab or a program fails.
pub fn campaign(lab: &mut Lab, options: &Options) -> Result<Tally, Failure> {
    let benches = &mut lab.0;
    let mut tally = Tally::default();
    let mut round = 0u64;
    let mut shown = std::time::Instant::now();
    while tally.packets < options.packets && tally.mismatches.len() < options.most_mismatches {
        // Everything about a ruleset follows from its own seed, so that a mismatch can be brought back alone.
        let seed = options.seed.wrapping_add(round);
        let mut random = Random::new(seed);
        let (bench, names) = &mut benches[usize::from(seed % 4 == 3)];
        let rulesets = drawn(&mut random, bench, names, &mut tally)?;
        let seen = bench.judge(&mut random, &rulesets, seed % 2 == 1, &mut tally)?;
        for mismatch in seen {
            let Some(small) = bench.confirm(mismatch, options.minimise)? else {
                tally.clashes += 1;
                continue;
            };
            options.fixtures.save(seed, &small.text())?;
            eprintln!("{}", small.text());
            tally.mismatches.push(small);
        }
        round += 1;
        if shown.elapsed().as_secs() >= 10 {
            shown = std::time::Instant::now();
            eprintln!("{} packets, {} rulesets, {} mismatches", tally.packets, tally.rulesets, tally.mismatches.len());
        }
    }
    Ok(tally)
}

/// Tries all saved mismatches again. Returns how many there are, and those that differ still.
///
/// # Errors
/// When the lab fails, or a fixture cannot be read.
pub fn replay(lab: &mut Lab, fixtures: &Fixtures) -> Result<(usize, Vec<String>), Failure> {
    fixtures.again(|text| {
        let topology = text.strip_prefix("# ").and_then(|t| t.split(':').next()).unwrap_or_default();
        let bench = lab.0.iter_mut().map(|(bench, _)| bench).find(|b| b.topology().name == topology);
        bench.ok_or_else(|| format!("there is no topology `{topology}`"))?.replay(text)
    })
}
