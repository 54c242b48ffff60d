//! Ports that two things on one host want at once, and free ones in their place.

use super::Instance;
use crate::manifest::{PortRanges, Proto, show_ranges};
use crate::requirement::{Party, Requirement};
use crate::snapshot::InputError;

/// Ports below are well-known ones (RFC 6335 6) and are never proposed.
const FIRST_PROPOSED: u32 = 1024;

/// Ports that two requirements on one host both want.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// Index of the instance that keeps its ports.
    pub first: usize,
    /// Index of the instance that should move; the same one when it is at odds with itself.
    pub second: usize,
    /// Requirement of the first instance.
    pub first_id: String,
    /// Requirement of the second instance.
    pub second_id: String,
    /// Transport protocol.
    pub proto: Proto,
    /// Ports that both want.
    pub ports: PortRanges,
    /// Key of `with` by which the second instance moves.
    pub parameter: String,
    /// A free range of the same length: first and last port.
    pub proposal: Option<(u16, u16)>,
}

/// Every overlap of instances on one host, those of an instance with itself too. Rows of two instances do not clash when
/// both are `shared`. What nobody may reach from outside clashes too: it listens on the host all the same. Ports that are
/// only a document's example do not: which ones are used is not known.
pub fn overlaps(instances: &[Instance]) -> Vec<Overlap> {
    let mut out: Vec<Overlap> = Vec::new();
    for (second, b) in instances.iter().enumerate() {
        for (first, a) in instances.iter().enumerate().take(second + 1) {
            if first != second && !same_host(a, b) {
                continue;
            }
            for (n, mine) in listening(b).enumerate() {
                let others = listening(a).take(if first == second { n } else { usize::MAX });
                for theirs in others.filter(|t| clash(t, mine, first == second)) {
                    let moved = out.iter().find(|o| o.second == second && o.parameter == mine.parameter);
                    let proposal = match moved {
                        Some(o) => o.proposal,
                        None => proposal(instances, second, mine, &out),
                    };
                    out.push(Overlap {
                        first,
                        second,
                        first_id: theirs.id.clone(),
                        second_id: mine.id.clone(),
                        proto: mine.proto,
                        ports: common(&theirs.ports, &mine.ports),
                        parameter: mine.parameter.clone(),
                        proposal,
                    });
                }
            }
        }
    }
    out
}

/// Checks that no two instances on a host want the same ports.
///
/// # Errors
/// The first overlap, at the value that should change, with free ports in the help.
pub fn check(instances: &[Instance]) -> Result<(), InputError> {
    let all = overlaps(instances);
    let Some(worst) = all.first() else { return Ok(()) };
    let (a, b) = (&instances[worst.first], &instances[worst.second]);
    let what = format!("{} {}", worst.proto.name(), show_ranges(&worst.ports));
    let message = if worst.first == worst.second {
        format!("`{}` listens on {what} twice: for {} and for {}", b.label(), worst.first_id, worst.second_id)
    } else {
        let host = a.deploy.host.iter().find(|h| b.deploy.host.iter().any(|o| o.value == h.value));
        let host = host.map_or_else(String::new, |h| format!(" of {}", h.value));
        format!("`{}` and `{}` both listen on {what}{host}", a.label(), b.label())
    };
    let span = match b.deploy.with.get(&worst.parameter) {
        Some((_, value)) => value.span.clone(),
        None => b.deploy.span.start..(b.deploy.span.start + "[[deploy]]".len()).min(b.deploy.span.end),
    };
    let moves: Vec<&Overlap> = all.iter().filter(|o| o.second == worst.second).collect();
    let help = if moves.iter().any(|o| o.proposal.is_none()) {
        "no free range of that length is left on this host: make one of them shorter".to_owned()
    } else {
        format!(
            "give `{}` other ports, here and in its own configuration: `with = {{ {} }}`",
            b.label(),
            with(b, &moves)
        )
    };
    Err(InputError::in_manifest(span, message).label("why: callpath explain port-overlap").help(help))
}

/// What the instance's `with` should be: its own values, and the proposals.
fn with(instance: &Instance, moves: &[&Overlap]) -> String {
    let mut list: Vec<(&str, String)> = Vec::new();
    for o in moves {
        if let (false, Some((lo, hi))) = (list.iter().any(|(name, _)| *name == o.parameter), o.proposal) {
            list.push((&o.parameter, show_ranges(&[(lo, hi)])));
        }
    }
    for (name, (_, value)) in &instance.deploy.with {
        if list.iter().all(|(n, _)| n != name) {
            list.push((name, show_ranges(&value.value)));
        }
    }
    let item = |(name, ports): &(&str, String)| {
        if ports.parse::<u16>().is_ok() { format!("{name} = {ports}") } else { format!("{name} = \"{ports}\"") }
    };
    list.iter().map(item).collect::<Vec<_>>().join(", ")
}

fn same_host(a: &Instance, b: &Instance) -> bool {
    a.deploy.host.iter().any(|h| b.deploy.host.iter().any(|o| o.value == h.value))
}

/// Requirements that a socket on the host stands for.
fn listening(instance: &Instance) -> impl Iterator<Item = &Requirement> {
    instance.requirements.iter().filter(|r| r.to == Party::Server)
}

fn clash(a: &Requirement, b: &Requirement, same_instance: bool) -> bool {
    // Within an instance one shared row is enough: a proxy tells what arrives on its port apart.
    let allowed = if same_instance { a.parameter == b.parameter || a.shared || b.shared } else { a.shared && b.shared };
    a.proto == b.proto && !allowed && !a.example && !b.example && !common(&a.ports, &b.ports).is_empty()
}

fn common(a: &[(u16, u16)], b: &[(u16, u16)]) -> PortRanges {
    let pairs = a.iter().flat_map(|x| b.iter().map(move |y| (x.0.max(y.0), x.1.min(y.1))));
    let mut both: PortRanges = pairs.filter(|(lo, hi)| lo <= hi).collect();
    both.sort_unstable();
    both
}

/// The next free range at or above the present one, else the nearest below it.
fn proposal(instances: &[Instance], second: usize, mine: &Requirement, earlier: &[Overlap]) -> Option<(u16, u16)> {
    let own = &instances[second];
    let protos: Vec<Proto> = listening(own).filter(|r| r.parameter == mine.parameter).map(|r| r.proto).collect();
    let mut taken: Vec<(u32, u32)> = Vec::new();
    for (n, other) in instances.iter().enumerate().filter(|(n, i)| *n == second || same_host(i, own)) {
        let rows = listening(other).filter(|r| protos.contains(&r.proto));
        let rows = rows.filter(|r| n != second || r.parameter != mine.parameter);
        taken.extend(rows.flat_map(|r| &r.ports).map(|(lo, hi)| (u32::from(*lo), u32::from(*hi))));
    }
    taken.extend(earlier.iter().filter_map(|o| o.proposal).map(|(lo, hi)| (u32::from(lo), u32::from(hi))));
    let length = mine.count();
    let step = match length {
        0 | 1 => 1,
        2..100 => 10,
        _ => 100,
    };
    let now = mine.ports.first().map_or(FIRST_PROPOSED, |(lo, _)| u32::from(*lo)).max(FIRST_PROPOSED);
    let free = |lo: &u32| {
        let hi = lo + length.max(1) - 1;
        *lo >= FIRST_PROPOSED && hi <= 65535 && taken.iter().all(|(a, b)| hi < *a || *b < *lo)
    };
    let above = (now.div_ceil(step)..=65535 / step).map(|k| k * step);
    let below = (0..now.div_ceil(step)).rev().map(|k| k * step);
    let lo = above.chain(below).find(free)?;
    let port = |p: u32| u16::try_from(p).ok();
    Some((port(lo)?, port(lo + length.max(1) - 1)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest;
    use crate::profile::{PROFILES, find, instance};

    fn instances(deploys: &[(&str, &str)]) -> Vec<Instance> {
        let table = |(n, (system, rest)): (usize, &(&str, &str))| {
            format!("[[deploy]]\nsystem = \"{system}\"\nlabel = \"n{n}\"\nhost = \"192.168.1.50\"\n{rest}\n")
        };
        let text: Vec<String> = deploys.iter().enumerate().map(table).collect();
        let text = text.join("\n");
        let manifest = manifest::parse(&text).expect("manifest");
        manifest.deploys.iter().map(|d| instance(d).expect("instance")).collect()
    }

    fn proposals(deploys: &[(&str, &str)]) -> Vec<(String, Option<(u16, u16)>)> {
        overlaps(&instances(deploys)).into_iter().map(|o| (o.parameter, o.proposal)).collect()
    }

    #[test]
    fn the_next_free_range_is_proposed_well_aligned() {
        let two = proposals(&[("spokes", ""), ("spokes", "")]);
        assert_eq!(two, [("udp".into(), Some((50500, 50999))), ("tcp".into(), Some((7882, 7882)))]);
        let taken = proposals(&[("spokes", ""), ("reflector", "with = { udp = \"50600-50700\" }"), ("spokes", "")]);
        assert!(taken.contains(&("udp".into(), Some((50800, 51299)))), "{taken:?}");
        // There is no room above: the nearest below.
        let wide = proposals(&[("plugnmeet", ""), ("plugnmeet", "")]);
        assert!(wide.contains(&("udp".into(), Some((39900, 49900)))), "{wide:?}");
        let short = proposals(&[
            ("livekit", "with = { udp = \"50000-50019\" }"),
            ("livekit", "with = { udp = \"50003-50022\" }"),
        ]);
        assert!(short.contains(&("udp".into(), Some((50020, 50039)))), "{short:?}");
    }

    #[test]
    fn what_is_proposed_is_free() {
        for (name, _) in PROFILES {
            let two = instances(&[(name, ""), (name, "")]);
            let found = overlaps(&two);
            let mut with: Vec<String> = Vec::new();
            for o in &found {
                let (lo, hi) = o.proposal.unwrap_or_else(|| panic!("{name}: nothing for {}", o.parameter));
                assert!(lo >= 1024, "{name}");
                let entry = format!("{} = \"{lo}-{hi}\"", o.parameter);
                if !with.contains(&entry) {
                    with.push(entry);
                }
            }
            let with = format!("with = {{ {} }}", with.join(", "));
            assert_eq!(overlaps(&instances(&[(name, ""), (name, &with)])), [], "{name}: {with}");
        }
    }

    #[test]
    fn a_product_as_documented_is_not_at_odds_with_itself() {
        for (name, _) in PROFILES {
            for mode in find(name).expect("profile").mode {
                let one = instances(&[(name, &format!("mode = \"{}\"", mode.name))]);
                assert_eq!(overlaps(&one), [], "{name}, {}", mode.name);
            }
        }
    }

    #[test]
    fn the_error_stands_at_the_value_and_says_what_to_write() {
        let text = "[[deploy]]\nsystem = \"spokes\"\nhost = \"192.168.1.50\"\n[[deploy]]\nsystem = \"spokes\"\n\
            label = \"friends\"\nhost = \"192.168.1.50\"\nwith = { udp = \"50100-50599\", tcp = 7882 }\n";
        let manifest = manifest::parse(text).expect("manifest");
        let list: Vec<Instance> = manifest.deploys.iter().map(|d| instance(d).expect("instance")).collect();
        let error = check(&list).expect_err("they overlap");
        assert_eq!(error.message, "`spokes` and `friends` both listen on udp 50100-50499 of 192.168.1.50");
        assert_eq!(&text[error.at.expect("a place").1], "\"50100-50599\"");
        assert_eq!(
            &*error.help,
            "give `friends` other ports, here and in its own configuration: `with = { udp = \"50500-50999\", tcp = 7882 }`"
        );
        let other = text.replacen("192.168.1.50", "192.168.1.51", 1);
        let manifest = manifest::parse(&other).expect("manifest");
        let list: Vec<Instance> = manifest.deploys.iter().map(|d| instance(d).expect("instance")).collect();
        assert_eq!(check(&list), Ok(()), "another host");
    }

    #[test]
    fn a_range_moved_onto_another_of_its_own_is_an_error() {
        let one = instances(&[("reflector", "mode = \"direct\"\nwith = { udp = \"40050-40150\" }")]);
        let error = check(&one).expect_err("overlaps with recording");
        assert!(error.message.contains("udp 40050-40100 twice"), "{}", error.message);
    }
}
