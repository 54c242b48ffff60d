//! pfSense's own generator as judge: for each of its configurations, `config.xml` and what the generator made of it
//! have the same fates, and these are the fates that were reasoned by hand.

mod facts;
mod fates;
pub mod seen;
pub mod world;

use callpath_core::cube::{Cube, Set};
use callpath_core::model::{Family, address_value};
use callpath_core::trace::{Answer, Question, ask};
use facts::Facts;
use fates::{Fate, fates};
use seen::one;
use std::path::PathBuf;
use world::World;

fn folder() -> Option<PathBuf> {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/pfsense");
    if !dir.is_dir() {
        assert!(std::env::var_os("CI").is_none(), "the corpus is not here: {}", dir.display());
        return None;
    }
    Some(dir)
}

/// Configurations with their rules: name, configuration, rules.
fn pairs() -> Vec<(String, String, String)> {
    let Some(dir) = folder() else { return Vec::new() };
    let generated = dir.join("generated");
    let mut out = Vec::new();
    let folders = ["", "v2.7.2", "v2.8"].map(|v| (v, std::fs::read_dir(generated.join(v)).expect("folder")));
    let files = folders.into_iter().flat_map(|(v, list)| list.flatten().map(move |e| (v, e.path())));
    for (version, path) in files {
        let Some(stem) = path.file_name().and_then(|n| n.to_str()).and_then(|n| n.strip_suffix(".rules.debug")) else {
            continue;
        };
        let own = generated.join(format!("{stem}.xml"));
        let xml = if own.exists() { own } else { dir.join(format!("{stem}.xml")) };
        let read = |p: &PathBuf| String::from_utf8_lossy(&std::fs::read(p).expect("file")).into_owned();
        let name = if version.is_empty() { stem.to_owned() } else { format!("{stem} {version}") };
        out.push((name, read(&xml), read(&path)));
    }
    out.sort();
    out
}

/// Configurations of which 2.7.2 makes other rules than later versions do, and how. A configuration is read as later
/// versions read it, so the fates differ in these.
const OLD_QUIRKS: &[(&str, &str)] = &[
    ("04-opndossier-config-pfsense v2.7.2", "an empty gateway sends packets to the default line"),
    ("21-home-soc-lab v2.7.2", "an outbound rule without a destination is taken for one to any"),
    ("npt v2.7.2", "IPv6 rules name the prefix that the line delegated, not the interface's own"),
    ("wan-dhcp-down v2.7.2", "an interface with only a link-local address counts as one with a line"),
];

/// Points at the edges of every piece of both answers.
fn points(a: &Answer, b: &Answer) -> Vec<Cube> {
    let mut out: Vec<Cube> = Vec::new();
    for trip in a.trips.iter().chain(&b.trips) {
        for pick in [0usize, 1, 2] {
            let parts = trip.asked.parts.clone().map(|set| {
                let r = set.ranges();
                match pick {
                    0 => Set::one(r[0].0),
                    1 => Set::one(r[r.len() - 1].1),
                    _ => Set::one(r[r.len() / 2].0 + (r[r.len() / 2].1 - r[r.len() / 2].0) / 2),
                }
            });
            let point = Cube { parts, vars: Vec::new() };
            if !out.contains(&point) {
                out.push(point);
            }
        }
    }
    out
}

#[test]
fn a_configuration_and_the_rules_made_of_it_have_the_same_fates() {
    let pairs = pairs();
    let Some(dir) = folder() else {
        println!("the corpus is not here: 0 configurations compared");
        return;
    };
    let facts = Facts::read(&dir.join("generated/facts.toml"));
    let (mut flows, mut packets, mut wrong) = (0, 0, Vec::new());
    for (name, xml, rules) in pairs.iter().filter(|p| !OLD_QUIRKS.iter().any(|(name, _)| *name == p.0)) {
        let a = World::of_config(name, xml, rules, &facts);
        let b = World::of_rules(name, xml, rules, &facts);
        for question in a.questions() {
            flows += 1;
            let (x, y) = (ask(&a.network, &question), ask(&b.network, &question));
            for point in points(&x, &y) {
                packets += 1;
                let (left, right) =
                    (one(&x, &point, question.family, a.router), one(&y, &point, question.family, b.router));
                if left != right {
                    wrong
                        .push(format!("{name}: {}\n   config {left:?}\n   rules  {right:?}", shown(&question, &point)));
                }
            }
        }
    }
    let compared = pairs.len() - OLD_QUIRKS.len();
    println!("{compared} configurations, {flows} flows, {packets} packets at the edges of pieces");
    println!("not compared: {OLD_QUIRKS:?}");
    let mut firsts: Vec<String> = Vec::new();
    for (name, ..) in &pairs {
        let here: Vec<&String> = wrong.iter().filter(|w| w.starts_with(&format!("{name}: "))).collect();
        if let Some(first) = here.first() {
            firsts.push(format!("{} in {first}", here.len()));
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), firsts.join("\n"));
}

fn shown(question: &Question, point: &Cube) -> String {
    let v = |i: usize| point.parts[i].min().unwrap_or(0);
    format!(
        "{} {}:{} -> {}:{} proto {}",
        question.from,
        question.family.address(v(0)),
        v(2),
        question.family.address(v(1)),
        v(3),
        v(4)
    )
}

#[test]
fn the_reasoned_fates_hold_for_configurations_and_for_rules() {
    let Some(dir) = folder() else {
        println!("the corpus is not here: 0 fates compared");
        return;
    };
    let facts = Facts::read(&dir.join("generated/facts.toml"));
    let list = fates(&std::fs::read_to_string(dir.join("generated/fates.yaml")).expect("fates"));
    let pairs = pairs();
    let (mut wrong, mut found) = (Vec::new(), 0);
    for fate in &list {
        let old = format!("{} v2.7.2", fate.file);
        for (name, xml, rules) in pairs.iter().filter(|p| p.0 == fate.file || p.0 == old) {
            found += 1;
            let worlds = [World::of_config(name, xml, rules, &facts), World::of_rules(name, xml, rules, &facts)];
            for (which, world) in ["config", "rules"].into_iter().zip(worlds) {
                if let Err(why) = holds_in(fate, &world) {
                    let Fate { from, proto, src, dst, port, why: reason, .. } = fate;
                    wrong.push(format!("{which} {name}: {from} {proto} {src} -> {dst}:{port}: {why} ({reason})"));
                }
            }
        }
    }
    println!("{} fates, for configuration and rules of two versions: {}", list.len(), found * 2);
    assert!(found >= list.len() && wrong.is_empty(), "{} of {}:\n{}", wrong.len(), found * 2, wrong.join("\n"));
}

fn holds_in(fate: &Fate, world: &World) -> Result<(), String> {
    let family = Family::of(fate.dst);
    let (from, source) = world.sender(fate, family)?;
    let parts = [
        Set::one(address_value(source)),
        Set::one(address_value(fate.dst)),
        Set::one(u128::from(fate.sport)),
        Set::one(u128::from(fate.port)),
        Set::one(if fate.proto == "tcp" { 6 } else { 17 }),
    ];
    let packet = Cube { parts, vars: Vec::new() };
    let answer = ask(&world.network, &Question { from, family, packets: packet.clone() });
    let all = one(&answer, &packet, family, world.router);
    for s in &all {
        let mut end = s.end.as_str();
        if end == "delivered" && fate.fate == "misrouted" {
            // Delivered to nobody who can answer.
            end = if s.reply == "ok" { "delivered" } else { "misrouted" };
        }
        if end != fate.fate {
            return Err(format!("is {s:?}, should be {}", fate.fate));
        }
        if ["delivered", "local"].contains(&end)
            && fate.to.as_ref().is_some_and(|to| *to != s.to && *to != bracketed(&s.to))
        {
            return Err(format!("is {s:?}, should go to {:?}", fate.to));
        }
        if end == "delivered" {
            let wanted = match fate.source.as_deref() {
                Some("unchanged") => Some(source.to_string()),
                other => other.map(str::to_owned),
            };
            if wanted.as_ref().is_some_and(|w| *w != s.source) {
                return Err(format!("is {s:?}, should come from {wanted:?}"));
            }
            let kept = s.sport == fate.sport.to_string();
            if fate.sport_out.as_deref().is_some_and(|w| (w == "rewritten") == kept) {
                return Err(format!("is {s:?}, source port should be {:?}", fate.sport_out));
            }
            // By another line an answer may or may not arrive: that it may not is enough.
            let asymmetric = fate.reply.as_deref() == Some("asymmetric") && all.iter().any(|s| s.reply != "ok");
            if !asymmetric && fate.reply.as_deref().is_some_and(|w| (w == "ok") != (s.reply == "ok")) {
                return Err(format!("is {s:?}, reply should be {:?}", fate.reply));
            }
        }
    }
    if let Some(rule) = fate.rule.as_deref().and_then(|r| r.parse::<u64>().ok()) {
        let trackers = world.trackers(&answer, &packet, fate.side_out);
        // Trackers of pfSense's own rules stand in its rules only.
        if trackers.iter().any(|t| *t != rule) && (world.from_rules || rule > 1_500_000_000 || rule / 100 == 1_000_001)
        {
            return Err(format!("decided by {trackers:?}, should be {rule}"));
        }
    }
    if all.is_empty() { Err("no answer".into()) } else { Ok(()) }
}

fn bracketed(to: &str) -> String {
    to.rsplit_once(':').map_or_else(String::new, |(a, p)| format!("[{a}]:{p}"))
}
