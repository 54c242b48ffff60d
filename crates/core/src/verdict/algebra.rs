//! Verdicts: what a path's pieces mean for a call (the algebra of `ARCHITECTURE.md`).

use super::{Alternative, How, Judgement, Leg, Note, Path, Reach, Verdict};
use crate::manifest::{Place, Proto};
use crate::requirement::Level;
use crate::vocabulary::{CallerKind, Opener, Where};

/// Whether pieces are open, all together.
pub(crate) fn reach(pieces: &[Reach]) -> Reach {
    let has = |wanted| pieces.contains(&wanted);
    // What works only by luck counts for all.
    let open = has(Reach::Open) || has(Reach::Punched) || has(Reach::Chance);
    match (open, has(Reach::Closed), has(Reach::Unknown)) {
        (true, false, false) if has(Reach::Chance) => Reach::Chance,
        (true, false, false) if has(Reach::Punched) => Reach::Punched,
        (true, false, false) => Reach::Open,
        (false, true, false) => Reach::Closed,
        (_, true, _) => Reach::Partly,
        _ => Reach::Unknown,
    }
}

/// How good a way is; the least is the best.
pub(crate) fn rank(reach: Reach) -> u8 {
    match reach {
        Reach::Open => 0,
        Reach::Punched => 1,
        Reach::Chance => 2,
        Reach::Unknown => 3,
        Reach::Partly => 4,
        Reach::Closed => 5,
    }
}

/// A leg's verdict and a note on it.
pub(crate) fn leg(alternatives: &[(Level, &Alternative)]) -> (Verdict, Option<Note>) {
    let required = alternatives.iter().any(|(l, _)| matches!(l, Level::Required | Level::Admin));
    let wanted = required || alternatives.iter().any(|(l, _)| *l == Level::Recommended);
    if !wanted {
        // What nothing hangs on is told, and costs nothing.
        return (Verdict::Works, None);
    }
    let reach = |i: usize| alternatives[i].1.reach;
    let proto = |i: usize| alternatives[i].1.requirement.proto;
    let is_open = |i: &usize| matches!(reach(*i), Reach::Open | Reach::Punched | Reach::Chance);
    let first_open = (0..alternatives.len()).find(is_open);
    let unknown = |until: usize| (0..until).any(|i| reach(i) == Reach::Unknown);
    let Some(open) = first_open else {
        return match (unknown(alternatives.len()), required) {
            (true, _) => (Verdict::Unknown, None),
            (false, true) => (Verdict::Fails, None),
            (false, false) => (Verdict::Degraded, Some(Note::Without(alternatives[0].1.requirement.what()))),
        };
    };
    match reach(open) {
        Reach::Punched => return (Verdict::Degraded, Some(Note::Punched(alternatives[open].1.share))),
        Reach::Chance => return (Verdict::Degraded, Some(Note::Chance(alternatives[open].1.share))),
        _ => {}
    }
    if unknown(open) {
        return (Verdict::Unknown, Some(Note::AtLeastBy(proto(open))));
    }
    if open > 0 {
        return (Verdict::Degraded, Some(Note::OnlyBy(proto(open))));
    }
    let rest = || alternatives.iter().skip(1).filter(|(l, _)| *l == Level::Recommended).map(|(_, a)| *a);
    if let Some(missing) = rest().find(|a| matches!(a.reach, Reach::Closed | Reach::Partly)) {
        return (Verdict::Degraded, Some(Note::NotBy(missing.requirement.proto)));
    }
    if rest().any(|a| a.reach == Reach::Unknown) {
        return (Verdict::Unknown, None);
    }
    (Verdict::Works, None)
}

/// A leg's verdict for whom any alternative is as good as another; without any it fails.
pub(crate) fn only_way(alternatives: &[(Level, &Alternative)]) -> Verdict {
    let has = |reach| alternatives.iter().any(|(_, a)| a.reach == reach);
    match (has(Reach::Open), has(Reach::Unknown)) {
        (true, _) => Verdict::Works,
        (false, true) => Verdict::Unknown,
        (false, false) => Verdict::Fails,
    }
}

/// By what the first open alternative works.
pub(crate) fn by(alternatives: &[(Level, &Alternative)]) -> Option<Note> {
    let open = alternatives.iter().find(|(_, a)| a.reach == Reach::Open);
    open.map(|(_, a)| Note::By(a.requirement.proto))
}

/// How media gets through: by the first way that is open, unless a better one may be.
pub(crate) fn how(alternatives: &[Alternative], here: &Where) -> Option<How> {
    for a in alternatives {
        return Some(match (a.reach, a.requirement.proto) {
            (Reach::Open, Proto::Tcp) => How::Tcp,
            (Reach::Open, Proto::Udp) if a.opener == Opener::Server && *here != Where::Outwards => How::Direct,
            (Reach::Open, Proto::Udp) => How::Udp,
            (Reach::Punched, _) => How::HolePunching,
            (Reach::Chance, _) => How::ByChance,
            (Reach::Unknown, _) => return None,
            (Reach::Closed | Reach::Partly, _) => continue,
        });
    }
    Some(How::None)
}

/// A path's verdict: its worst leg, and without any nothing is known; an administrator who cannot come in degrades, but stops no call.
pub(crate) fn path(place: &Where, legs: &[Leg]) -> (Verdict, Option<Note>) {
    let worst = legs.iter().map(|l| l.verdict).max().unwrap_or(Verdict::Unknown);
    let note = legs.iter().filter(|l| l.verdict == worst).find_map(|l| l.note.clone());
    let verdict = if *place == Where::At(Place::Admin) && worst == Verdict::Fails { Verdict::Degraded } else { worst };
    (verdict, note)
}

/// The whole's verdict: the worst path decides, and ports that must be closed.
pub(crate) fn whole(judgement: &Judgement, instances: usize) -> Verdict {
    let forbidden = |unknown: bool| judgement.exposures.iter().any(|e| e.forbidden.is_some() && e.unknown == unknown);
    // Callers' own strict networks are to blame too, and the server is no caller: that they hear nothing does not fail the
    // whole.
    let counted = |p: &Path| match (p.kind, &p.vantage, p.verdict) {
        (Some(CallerKind::Symmetric | CallerKind::UdpBlocked), _, Verdict::Fails)
        | (_, Where::At(Place::Own), Verdict::Fails) => Verdict::Degraded,
        (_, _, verdict) => verdict,
    };
    let mut worst = judgement.paths.iter().map(counted).max().unwrap_or(Verdict::Unknown);
    // Who was not asked for does not get through for that.
    if (0..instances).any(|n| !judgement.paths.iter().any(|p| p.instance == n && p.is_call())) {
        worst = worst.max(Verdict::Unknown);
    }
    if forbidden(false) {
        worst = Verdict::Fails;
    } else if forbidden(true) {
        worst = worst.max(Verdict::Unknown);
    }
    worst
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::requirement::{Party, Requirement};
    use crate::vocabulary::LegKind;

    fn alternative(proto: Proto, reach: Reach) -> Alternative {
        let requirement = Requirement {
            id: String::new(),
            leg: LegKind::Media,
            any_of: None,
            from: Party::Callers,
            to: Party::Server,
            proto,
            ports: vec![(1, 1)],
            level: Level::Required,
            at: Vec::new(),
            shared: false,
            when: Vec::new(),
            parameter: String::new(),
            example: false,
            shown: None,
            proxied: None,
            per_participant: None,
            who: None,
            label: None,
            note: None,
            purpose: String::new(),
            source: String::new(),
        };
        Alternative { requirement, ports: vec![(1, 1)], opener: Opener::Caller, reach, share: None, pieces: Vec::new() }
    }

    /// Levels and reaches of UDP and TCP, and what follows.
    #[test]
    fn alternatives_are_judged_in_order_of_preference() {
        use Level::{Optional, Recommended, Required};
        use Reach::{Closed, Open, Partly, Unknown};
        let (tcp_only, no_tcp) = (Some(Note::OnlyBy(Proto::Tcp)), Some(Note::NotBy(Proto::Tcp)));
        for (udp, tcp, level, verdict, note) in [
            (Open, Open, Recommended, Verdict::Works, None),
            (Closed, Open, Recommended, Verdict::Degraded, tcp_only.clone()),
            (Partly, Open, Recommended, Verdict::Degraded, tcp_only),
            (Open, Closed, Recommended, Verdict::Degraded, no_tcp),
            (Open, Closed, Optional, Verdict::Works, None),
            (Open, Unknown, Recommended, Verdict::Unknown, None),
            (Unknown, Open, Recommended, Verdict::Unknown, Some(Note::AtLeastBy(Proto::Tcp))),
            (Unknown, Closed, Recommended, Verdict::Unknown, None),
            (Closed, Unknown, Recommended, Verdict::Unknown, None),
            (Closed, Closed, Recommended, Verdict::Fails, None),
            (Partly, Partly, Recommended, Verdict::Fails, None),
        ] {
            let (u, t) = (alternative(Proto::Udp, udp), alternative(Proto::Tcp, tcp));
            assert_eq!(leg(&[(Required, &u), (level, &t)]), (verdict, note), "{udp:?} {tcp:?} {level:?}");
        }
        let closed = alternative(Proto::Tcp, Closed);
        assert_eq!(leg(&[(Recommended, &closed)]).0, Verdict::Degraded);
        assert_eq!(leg(&[(Optional, &closed)]).0, Verdict::Works);
        assert_eq!(leg(&[(Level::Admin, &closed)]).0, Verdict::Fails);
    }

    #[test]
    fn closed_beside_anything_else_is_partly() {
        use Reach::{Closed, Open, Partly, Unknown};
        for (pieces, all) in [
            (vec![Open], Open),
            (vec![Closed, Closed], Closed),
            (vec![Open, Closed], Partly),
            (vec![Closed, Unknown], Partly),
            (vec![Open, Unknown], Unknown),
            (vec![Unknown], Unknown),
        ] {
            assert_eq!(reach(&pieces), all);
        }
    }

    #[test]
    fn an_administrator_outside_only_degrades() {
        let leg = |verdict| Leg {
            kind: LegKind::Media,
            to: String::new(),
            verdict,
            note: None,
            how: None,
            any_of: Vec::new(),
            not_for_them: Vec::new(),
        };
        let (admin, lan) = (Where::At(Place::Admin), Where::At(Place::Lan));
        assert_eq!(path(&admin, &[leg(Verdict::Fails)]).0, Verdict::Degraded);
        assert_eq!(path(&lan, &[leg(Verdict::Fails)]).0, Verdict::Fails);
        assert_eq!(path(&lan, &[]).0, Verdict::Unknown, "nothing was asked");
        assert_eq!(path(&lan, &[leg(Verdict::Works), leg(Verdict::Unknown)]).0, Verdict::Unknown);
    }
}
