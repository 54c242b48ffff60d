//! Two judgements of one site of which a fact is not known: where they differ, it is unknown.

use super::{Doubt, Elsewhere, Exposure, Judgement, Reached, Verdict};
use crate::way::DoubtLine;

/// What holds in both cases, and what may hold. `doubt`: the fact that is not known.
pub(crate) fn either(mut judgement: Judgement, other: &Judgement, doubt: &DoubtLine) -> Judgement {
    paths(&mut judgement, other, doubt);
    exposures(&mut judgement, other, doubt);
    let led = |a: &Elsewhere, b: &Elsewhere| Elsewhere { unknown: b.unknown, ..a.clone() } == *b;
    for e in &mut judgement.elsewhere {
        e.unknown |= !other.elsewhere.iter().any(|o| led(o, e) && !o.unknown);
    }
    let more = other.elsewhere.iter().filter(|o| !judgement.elsewhere.iter().any(|e| led(e, o)));
    let more: Vec<Elsewhere> = more.map(|o| Elsewhere { unknown: true, ..o.clone() }).collect();
    judgement.elsewhere.extend(more);
    judgement.closed.retain(|c| other.closed.contains(c));
    judgement.searched.retain(|s| other.searched.contains(s));
    let same = |a: &Reached, b: &Reached| {
        (a.instance, a.proto, a.family, &a.inside, &a.outside) == (b.instance, b.proto, b.family, &b.inside, &b.outside)
    };
    for r in &mut judgement.reached {
        r.unknown |= !other.reached.iter().any(|o| same(o, r) && !o.unknown);
    }
    // Only what fails in both cases has a cause that is certain.
    let Judgement { paths, failures, .. } = &mut judgement;
    failures.retain(|f| paths.iter().find(|p| p.id == f.path).is_none_or(|p| p.verdict != Verdict::Unknown));
    judgement
}

fn paths(judgement: &mut Judgement, other: &Judgement, doubt: &DoubtLine) {
    for path in &mut judgement.paths {
        let Some(twin) = other.paths.iter().find(|p| p.id == path.id) else { continue };
        for (leg, twin) in path.legs.iter_mut().zip(&twin.legs) {
            for (a, b) in leg.any_of.iter_mut().zip(&twin.any_of) {
                if a.reach != b.reach {
                    a.doubt(vec![doubt.clone()]);
                }
            }
            if leg.verdict != twin.verdict {
                leg.verdict = Verdict::Unknown;
            }
            if leg.how != twin.how || leg.verdict == Verdict::Unknown {
                leg.how = None;
            }
        }
        if path.verdict != twin.verdict {
            path.verdict = Verdict::Unknown;
            path.note = None;
        }
    }
}

/// What is reached in one case only may be reached.
fn exposures(judgement: &mut Judgement, other: &Judgement, doubt: &DoubtLine) {
    let same = |a: &Exposure, b: &Exposure| {
        (a.instance, &a.socket, &a.outside, a.family) == (b.instance, &b.socket, &b.outside, b.family)
    };
    let may = |e: &Exposure| {
        let mut doubts = e.doubts.clone();
        doubts.push(Doubt::Missing(doubt.clone()));
        Exposure { unknown: true, doubts, ..e.clone() }
    };
    for e in &mut judgement.exposures {
        if !other.exposures.iter().any(|o| same(o, e) && !o.unknown) {
            *e = may(e);
        }
    }
    let more = other.exposures.iter().filter(|o| !judgement.exposures.iter().any(|e| same(e, o)));
    let more: Vec<Exposure> = more.map(may).collect();
    judgement.exposures.extend(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubt() -> DoubtLine {
        DoubtLine::of_site("which".into(), "state it".into())
    }

    fn led(host: &str, unknown: bool) -> Elsewhere {
        let outside = crate::vocabulary::PortSet { proto: crate::manifest::Proto::Tcp, ports: vec![(25, 25)] };
        Elsewhere { host: host.into(), outside, family: crate::model::Family::V4, by: None, unknown }
    }

    #[test]
    fn what_one_case_alone_says_is_unknown() {
        let judgement = Judgement { elsewhere: vec![led("a", false), led("b", false)], ..Judgement::default() };
        let other = Judgement { elsewhere: vec![led("a", false), led("c", false)], ..Judgement::default() };
        let both = either(judgement, &other, &doubt());
        assert_eq!(both.elsewhere, [led("a", false), led("b", true), led("c", true)]);
    }
}
