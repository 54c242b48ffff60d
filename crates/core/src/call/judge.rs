//! Verdicts: what a path's pieces mean for a call (the algebra of `ARCHITECTURE.md`).

use crate::manifest::{Place, Proto};
use crate::report::{Alternative, How, Leg, Reach, Verdict};
use crate::requirement::Level;
use crate::vocabulary::{Opener, Where};

/// Whether pieces are open, all together.
pub(super) fn reach(pieces: &[Reach]) -> Reach {
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
pub(super) fn rank(reach: Reach) -> u8 {
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
pub(super) fn leg(alternatives: &[(Level, &Alternative)]) -> (Verdict, String) {
    let required = alternatives.iter().any(|(l, _)| matches!(l, Level::Required | Level::Admin));
    let wanted = required || alternatives.iter().any(|(l, _)| *l == Level::Recommended);
    if !wanted {
        // What nothing hangs on is told, and costs nothing.
        return (Verdict::Works, String::new());
    }
    let reach = |i: usize| alternatives[i].1.reach;
    let is_open = |i: &usize| matches!(reach(*i), Reach::Open | Reach::Punched | Reach::Chance);
    let first_open = (0..alternatives.len()).find(is_open);
    let unknown = |until: usize| (0..until).any(|i| reach(i) == Reach::Unknown);
    let Some(open) = first_open else {
        return match (unknown(alternatives.len()), required) {
            (true, _) => (Verdict::Unknown, String::new()),
            (false, true) => (Verdict::Fails, String::new()),
            (false, false) => (Verdict::Degraded, format!("no {}", alternatives[0].1.what)),
        };
    };
    if let kind @ (Reach::Punched | Reach::Chance) = reach(open) {
        let how =
            if kind == Reach::Punched { "only by hole punching" } else { "by chance: it depends on who sends first" };
        let note = alternatives[open].1.share.map_or_else(|| how.to_owned(), |share| format!("{how} for {share}"));
        return (Verdict::Degraded, note);
    }
    if unknown(open) {
        return (Verdict::Unknown, format!("at least by {}", protocol(alternatives[open].1)));
    }
    if open > 0 {
        return (Verdict::Degraded, format!("only by {}", protocol(alternatives[open].1)));
    }
    let rest = || alternatives.iter().skip(1).filter(|(l, _)| *l == Level::Recommended).map(|(_, a)| *a);
    if let Some(missing) = rest().find(|a| matches!(a.reach, Reach::Closed | Reach::Partly)) {
        return (Verdict::Degraded, format!("not by {}", protocol(missing)));
    }
    if rest().any(|a| a.reach == Reach::Unknown) {
        return (Verdict::Unknown, String::new());
    }
    (Verdict::Works, String::new())
}

/// A leg's verdict for whom any alternative is as good as another; without any it fails.
pub(super) fn only_way(alternatives: &[(Level, &Alternative)]) -> Verdict {
    let has = |reach| alternatives.iter().any(|(_, a)| a.reach == reach);
    match (has(Reach::Open), has(Reach::Unknown)) {
        (true, _) => Verdict::Works,
        (false, true) => Verdict::Unknown,
        (false, false) => Verdict::Fails,
    }
}

/// By what the first open alternative works.
pub(super) fn by(alternatives: &[(Level, &Alternative)]) -> String {
    let open = alternatives.iter().find(|(_, a)| a.reach == Reach::Open);
    open.map_or_else(String::new, |(_, a)| format!("by {}", protocol(a)))
}

fn protocol(a: &Alternative) -> String {
    a.proto.name().to_uppercase()
}

/// How media gets through: by the first way that is open, unless a better one may be.
pub(super) fn how(alternatives: &[Alternative], here: &Where) -> Option<How> {
    for a in alternatives {
        return Some(match (a.reach, a.proto) {
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
pub(super) fn path(place: &Where, legs: &[Leg], notes: &[String]) -> (Verdict, String) {
    let worst = legs.iter().map(|l| l.verdict).max().unwrap_or(Verdict::Unknown);
    let note =
        legs.iter().zip(notes).filter(|(l, n)| l.verdict == worst && !n.is_empty()).map(|(_, n)| n.clone()).next();
    let verdict = if *place == Where::At(Place::Admin) && worst == Verdict::Fails { Verdict::Degraded } else { worst };
    (verdict, note.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vocabulary::LegKind;

    fn alternative(proto: Proto, reach: Reach) -> Alternative {
        Alternative {
            requirement: String::new(),
            what: format!("{} 1", proto.name()),
            proto,
            ports: vec![(1, 1)],
            purpose: String::new(),
            opener: Opener::Caller,
            reach,
            share: None,
            pieces: Vec::new(),
        }
    }

    /// Levels and reaches of UDP and TCP, and what follows.
    #[test]
    fn alternatives_are_judged_in_order_of_preference() {
        use Level::{Optional, Recommended, Required};
        use Reach::{Closed, Open, Partly, Unknown};
        for (udp, tcp, level, verdict, note) in [
            (Open, Open, Recommended, Verdict::Works, ""),
            (Closed, Open, Recommended, Verdict::Degraded, "only by TCP"),
            (Partly, Open, Recommended, Verdict::Degraded, "only by TCP"),
            (Open, Closed, Recommended, Verdict::Degraded, "not by TCP"),
            (Open, Closed, Optional, Verdict::Works, ""),
            (Open, Unknown, Recommended, Verdict::Unknown, ""),
            (Unknown, Open, Recommended, Verdict::Unknown, "at least by TCP"),
            (Unknown, Closed, Recommended, Verdict::Unknown, ""),
            (Closed, Unknown, Recommended, Verdict::Unknown, ""),
            (Closed, Closed, Recommended, Verdict::Fails, ""),
            (Partly, Partly, Recommended, Verdict::Fails, ""),
        ] {
            let (u, t) = (alternative(Proto::Udp, udp), alternative(Proto::Tcp, tcp));
            assert_eq!(leg(&[(Required, &u), (level, &t)]), (verdict, note.to_owned()), "{udp:?} {tcp:?} {level:?}");
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
            how: None,
            any_of: Vec::new(),
            not_for_them: Vec::new(),
        };
        let (admin, lan) = (Where::At(Place::Admin), Where::At(Place::Lan));
        let none = vec![String::new()];
        assert_eq!(path(&admin, &[leg(Verdict::Fails)], &none).0, Verdict::Degraded);
        assert_eq!(path(&lan, &[leg(Verdict::Fails)], &none).0, Verdict::Fails);
        assert_eq!(path(&lan, &[], &[]).0, Verdict::Unknown, "nothing was asked");
        assert_eq!(
            path(&lan, &[leg(Verdict::Works), leg(Verdict::Unknown)], &[String::new(), String::new()]).0,
            Verdict::Unknown
        );
    }
}
