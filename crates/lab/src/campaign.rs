//! The campaign: ruleset after ruleset, the kernel says whether the trace is right.

mod counters;
mod floors;
mod probes;
mod run;
mod send;

pub use floors::Tally;
pub use probes::Probe;
pub use run::{Bench, Mismatch};

use crate::generate::{Names, Ruleset, ruleset};
use crate::namespace::Failure;
use crate::random::Random;
use crate::topology::{double, single};
use std::path::{Path, PathBuf};

/// What a campaign is told.
#[derive(Debug, Clone)]
pub struct Options {
    /// Packets to judge.
    pub packets: u64,
    /// Seed of the random numbers.
    pub seed: u64,
    /// Where mismatches are saved.
    pub fixtures: PathBuf,
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
                    tally.refused(&why);
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
            small.save(&options.fixtures, seed)?;
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
pub fn replay(lab: &mut Lab, fixtures: &Path) -> Result<(usize, Vec<String>), Failure> {
    let Ok(entries) = std::fs::read_dir(fixtures) else { return Ok((0, Vec::new())) };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|e| e.path()).collect();
    paths.retain(|p| p.extension().is_some_and(|e| e == "md") && !p.ends_with("README.md"));
    paths.sort();
    let mut differ = Vec::new();
    for path in &paths {
        let text = std::fs::read_to_string(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))?;
        let (bench, _) = &mut lab.0[usize::from(text.starts_with("# two routers"))];
        let found = bench.replay(&text).map_err(|e| format!("{}: {e}", path.display()))?;
        differ.extend(found.map(|what| format!("{}: {what}", path.display())));
    }
    Ok((paths.len(), differ))
}
