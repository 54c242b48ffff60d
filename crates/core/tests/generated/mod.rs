//! What the real tools made of configurations, and where real packets ended, as judge of what is read from the listings
//! of nftables.

mod expected;
mod fates;
mod folder;
mod seen;
mod world;

use callpath_core::cube::{Cube, Set};
use callpath_core::model::{Family, address_value};
use callpath_core::trace::{Question, ask};
use expected::{Counts, EXPECTED, UNKNOWN};
use fates::{Fate, fates};
use folder::Folder;
use seen::{Seen, Verdict};
use world::World;

/// How many fates the folders hold.
const FATES: usize = 659;

#[test]
fn packets_end_where_real_ones_did() {
    let Some(folders) = Folder::all() else {
        assert!(std::env::var_os("CI").is_none(), "the corpus is not beside the repository");
        println!("the corpus is not beside the repository: 0 fates compared");
        return;
    };
    let (mut complaints, mut all, mut unknown_calls) = (Vec::new(), 0, 0);
    for as_json in [false, true] {
        for folder in &folders {
            let counts = judge(folder, as_json, &mut complaints, &mut unknown_calls);
            if !as_json {
                all += counts.all();
            }
            let wanted = EXPECTED.iter().find(|(name, json, _)| *name == folder.name && *json == as_json);
            let (.., wanted) = wanted.unwrap_or_else(|| panic!("{}: no numbers", folder.name));
            let reading = if as_json { "json" } else { "text" };
            println!("{:10} {reading}: {counts:?}", folder.name);
            if counts != *wanted {
                complaints.push(format!("{} {reading}: {counts:?}, expected {wanted:?}", folder.name));
            }
        }
    }
    println!("{all} fates; {unknown_calls} unknown among TCP and UDP of the text");
    assert!(complaints.is_empty(), "{}", complaints.join("\n"));
    assert_eq!(all, FATES);
    assert_eq!(unknown_calls, UNKNOWN.len(), "a listed flow is not unknown any more");
    assert!(unknown_calls <= 20);
}

fn judge(folder: &Folder, as_json: bool, complaints: &mut Vec<String>, unknown_calls: &mut usize) -> Counts {
    let mut counts = Counts::default();
    let list = fates(&folder.fates());
    for fate in &list {
        let Some(pipeline) = folder.pipeline(&fate.file, as_json) else { continue };
        if fate.number().is_none() {
            counts.not_followed += 1;
            continue;
        }
        let mut world = World::of(folder, &fate.file, pipeline, Family::of(fate.dst));
        match fate.from.as_str() {
            "inetr" | "inetpriv" => world.routed_back("192.168.1.0/24"),
            "inetc" => world.routed_back("172.16.0.0/12"),
            _ => {}
        }
        let (verdict, ways) = verdict(fate, &world);
        let line = |w: &[Seen]| w.iter().fold(String::new(), |all, s| all + &format!("\n      {s:?}"));
        match verdict {
            Verdict::Agrees => counts.agree += 1,
            Verdict::Wrong => {
                counts.wrong += 1;
                complaints.push(format!("wrong: {} {}: {fate:?}{}", folder.name, fate.name(), line(&ways)));
            }
            Verdict::Unknown(doubts) => {
                counts.unknown += 1;
                if as_json {
                    continue;
                }
                *unknown_calls += 1;
                let listed = UNKNOWN.iter().find(|(name, _)| *name == fate.name());
                match listed {
                    Some((_, why)) => println!("unknown: {}: {why}", fate.name()),
                    None => complaints.push(format!(
                        "unknown: {} {} ({}): {doubts:?}{}",
                        folder.name,
                        fate.name(),
                        fate.why,
                        line(&ways)
                    )),
                }
            }
        }
    }
    counts
}

fn verdict(fate: &Fate, world: &World) -> (Verdict, Vec<Seen>) {
    let (from, source) = world.sender(fate).unwrap_or_else(|| panic!("nobody is {}: {}", fate.from, fate.name()));
    let one = |v: u128| Set::one(v);
    let parts = [
        one(address_value(source)),
        one(address_value(fate.dst)),
        one(u128::from(fate.sport)),
        one(u128::from(fate.port)),
        one(u128::from(fate.number().expect("followed"))),
    ];
    let packets = Cube { parts, vars: Vec::new() };
    let question = Question { from, family: Family::of(fate.dst), packets: packets.clone() };
    let answer = ask(&world.network, &question);
    seen::verdict(fate, source, world, &answer, &packets)
}
