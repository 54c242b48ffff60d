//! Pairs: two parties open towards each other through random translations and filters, in both orders, and the kernel
//! says whether the trace knows what becomes of every packet.

mod draw;
mod follow;
mod network;
mod rules;
mod script;
mod tally;
mod text;

pub use follow::Shown;
pub use script::Script;
pub use tally::Tally;

use crate::campaign::{Bench, Options};
use crate::compare::Fate;
use crate::fixtures::Fixtures;
use crate::generate::Ruleset;
use crate::namespace::Failure;
use crate::packet::Tuple;
use crate::random::Random;
use crate::wire::Place;
use follow::Follower;
use network::Scene;
use std::fmt::Write;

/// Pairs that talk under one set of rules.
const BATCH: u64 = 50;

/// A pair of which kernel and trace say different things.
#[derive(Debug, Clone)]
pub struct Mismatch {
    /// Topology.
    pub topology: &'static str,
    /// One ruleset per router.
    pub rulesets: Vec<Ruleset>,
    /// What was sent.
    pub script: Script,
    /// What differs, for a person.
    pub what: String,
}

impl Mismatch {
    /// For a person, and as a fixture.
    pub fn text(&self) -> String {
        let mut out = format!("# {}\n\n{}\n\n{}", self.topology, self.what, self.script);
        for (i, ruleset) in self.rulesets.iter().enumerate() {
            let _ = write!(out, "\nrouter {i}:\n\n```nft\n{}```\n", ruleset.text());
        }
        out
    }
}

/// What was sent of a script, and what became of it.
#[derive(Debug, Clone, Default)]
struct Played {
    sent: Vec<Option<(Place, Tuple)>>,
    fates: Vec<Fate>,
}

/// Plays scripts beside each other, packet by packet, in a network that has forgotten everything.
fn play(bench: &mut Bench, scripts: &[Script]) -> Result<Vec<Played>, Failure> {
    bench.forget()?;
    let mut all = vec![Played::default(); scripts.len()];
    let longest = scripts.iter().map(|s| s.events.len()).max().unwrap_or(0);
    for number in 0..longest {
        let mut packets = Vec::new();
        let mut whose = Vec::new();
        for (index, (script, played)) in scripts.iter().zip(&mut all).enumerate() {
            if number >= script.events.len() {
                continue;
            }
            let packet = script.packet(number, &played.sent, &played.fates, bench.topology());
            played.sent.push(packet);
            played.fates.push(Fate::NotSent);
            if let Some(packet) = packet {
                packets.push(packet);
                whose.push(index);
            }
        }
        for (index, fate) in whose.into_iter().zip(bench.wave(&packets)?) {
            all[index].fates[number] = fate;
        }
    }
    Ok(all)
}

/// One pair on the rules that are loaded; what differs.
fn alone_loaded(bench: &mut Bench, script: &Script) -> Result<Option<String>, Failure> {
    let network = bench.network(false)?;
    let played = play(bench, std::slice::from_ref(script))?.remove(0);
    let routers = bench.topology().routers.len();
    Ok(Follower::new(&network, routers, script, &played.sent, &played.fates).follow().err())
}

fn load(bench: &Bench, rulesets: &[Ruleset]) -> Result<(), Failure> {
    rulesets.iter().enumerate().try_for_each(|(router, ruleset)| bench.load(router, &ruleset.text()))
}

/// One pair on freshly loaded rules; what differs.
fn alone(bench: &mut Bench, rulesets: &[Ruleset], script: &Script) -> Result<Option<String>, Failure> {
    load(bench, rulesets)?;
    alone_loaded(bench, script)
}

/// Tries a pair alone, twice. Absent: then it fares as the trace says, so it met another pair, or an unlikely port.
fn confirm(bench: &mut Bench, mut mismatch: Mismatch, minimise: bool) -> Result<Option<Mismatch>, Failure> {
    for _ in 0..2 {
        match alone(bench, &mismatch.rulesets, &mismatch.script)? {
            Some(what) => mismatch.what = what,
            None => return Ok(None),
        }
    }
    if minimise {
        while let Some(less) = smaller(bench, &mismatch)? {
            mismatch = less;
        }
    }
    Ok(Some(mismatch))
}

/// The mismatch without a packet or a rule, if it still is one.
fn smaller(bench: &mut Bench, mismatch: &Mismatch) -> Result<Option<Mismatch>, Failure> {
    let shorter = (0..mismatch.script.events.len()).rev().filter_map(|n| mismatch.script.without(n));
    let shorter = shorter.map(|script| Mismatch { script, ..mismatch.clone() });
    let fewer = mismatch.rulesets.iter().enumerate().flat_map(|(router, ruleset)| {
        ruleset.rules().map(move |rule| {
            let mut rulesets = mismatch.rulesets.clone();
            rulesets[router] = ruleset.without(rule.number);
            Mismatch { rulesets, ..mismatch.clone() }
        })
    });
    for mut candidate in shorter.chain(fewer) {
        // Twice, because chance is part of some rules.
        if alone(bench, &candidate.rulesets, &candidate.script)?.is_none() {
            continue;
        }
        if let Some(what) = alone(bench, &candidate.rulesets, &candidate.script)? {
            candidate.what = what;
            return Ok(Some(candidate));
        }
    }
    Ok(None)
}

/// The networks of a campaign.
#[derive(Debug)]
pub struct Lab(Vec<Scene>);

impl Lab {
    /// Builds the networks.
    ///
    /// # Errors
    /// When the kernel or a program refuses.
    pub fn new() -> Result<Self, Failure> {
        network::scenes().map(Self)
    }
}

/// Random rules for every device of a scene, drawn until the kernel takes them.
fn drawn(random: &mut Random, scene: &Scene, tally: &mut Tally) -> Result<Vec<Ruleset>, Failure> {
    let mut out = Vec::new();
    for (router, role) in scene.roles.iter().enumerate() {
        let mut tries = 0;
        loop {
            let candidate = role.ruleset(random);
            let Err(why) = scene.bench.load(router, &candidate.text()) else {
                out.push(candidate);
                break;
            };
            tally.refusals.add(&why);
            tries += 1;
            if tries > 100 {
                return Err(format!("the kernel takes no ruleset at all; the last refusal:\n{why}"));
            }
        }
    }
    Ok(out)
}

/// One set of rules: pairs that differ.
fn judge(scene: &mut Scene, random: &mut Random, count: u64, tally: &mut Tally) -> Result<Vec<Mismatch>, Failure> {
    let rulesets = drawn(random, scene, tally)?;
    let network = scene.bench.network(random.chance(50))?;
    let mut ports = draw::Ports::default();
    let scripts: Vec<Script> =
        (0..count).map(|_| draw::script(random, &mut ports, &scene.inner, &scene.outer)).collect();
    let played = play(&mut scene.bench, &scripts)?;
    let topology = scene.bench.topology();
    tally.rulesets += 1;
    let mut out = Vec::new();
    for (script, Played { sent, fates }) in scripts.into_iter().zip(&played) {
        match Follower::new(&network, topology.routers.len(), &script, sent, fates).follow() {
            Ok(shown) => tally.count(topology.name, fates, script.outer_first(), shown),
            Err(what) => out.push(Mismatch { topology: topology.name, rulesets: rulesets.clone(), script, what }),
        }
    }
    Ok(out)
}

/// Runs a campaign of so many pairs. Progress goes to standard error.
///
/// # Errors
/// When the lab or a program fails.
pub fn campaign(lab: &mut Lab, pairs: u64, options: &Options) -> Result<Tally, Failure> {
    let mut tally = Tally::default();
    let mut shown = std::time::Instant::now();
    let mut round = 0u64;
    while tally.pairs < pairs && tally.mismatches.len() < options.most_mismatches {
        // Everything about a ruleset follows from its own seed, so that a mismatch can be brought back alone.
        let seed = options.seed.wrapping_add(round);
        let mut random = Random::new(seed);
        let scenes = lab.0.len() as u64;
        let scene = &mut lab.0[usize::try_from(seed % scenes).unwrap_or(0)];
        let count = BATCH.min(pairs - tally.pairs);
        for mismatch in judge(scene, &mut random, count, &mut tally)? {
            if tally.mismatches.len() >= options.most_mismatches {
                break;
            }
            let Some(small) = confirm(&mut scene.bench, mismatch, options.minimise)? else {
                tally.disturbed += 1;
                continue;
            };
            options.fixtures.save(seed, &small.text())?;
            eprintln!("{}", small.text());
            tally.mismatches.push(small);
        }
        round += 1;
        if shown.elapsed().as_secs() >= 10 {
            shown = std::time::Instant::now();
            eprintln!("{}", tally.line());
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
        let bad = || "this is no fixture of a pair".to_owned();
        let script = text::parse(text).ok_or_else(bad)?;
        let title = text.lines().next().and_then(|l| l.strip_prefix("# ")).ok_or_else(bad)?;
        let topology = title.split(':').next().unwrap_or(title);
        let scene = lab.0.iter_mut().find(|s| s.bench.topology().name == topology).ok_or_else(bad)?;
        for (router, part) in text.split("```nft\n").skip(1).enumerate() {
            scene.bench.load(router, part.split("```").next().unwrap_or_default())?;
        }
        alone_loaded(&mut scene.bench, &script)
    })
}
