//! The standard situations in every dialect: the same verdict, the same cause, also under pseudonyms, and where changes are
//! printed, a cure.

use super::{DIALECTS, apply, of_text, without_secrets};
use crate::check::changes;
use crate::redact::{Key, redact};
use crate::report::{Report, Severity, Verdict};
use crate::snapshot::{Snapshot, Source};

/// What may be wrong with a router before a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Situation {
    NoForward,
    WrongTarget,
    BlockedFirst,
    NoHairpin,
    NoSourceNat,
    RangeCut,
    Unread,
}

use Situation::{BlockedFirst, NoForward, NoHairpin, NoSourceNat, RangeCut, Unread, WrongTarget};

impl Situation {
    const ALL: [Self; 7] = [NoForward, WrongTarget, BlockedFirst, NoHairpin, NoSourceNat, RangeCut, Unread];

    /// The finding that names it.
    fn code(self) -> &'static str {
        match self {
            NoForward => "forward-missing",
            WrongTarget => "wrong-target",
            BlockedFirst => "blocked-earlier",
            NoHairpin => "hairpin-missing",
            NoSourceNat => "hairpin-no-source-nat",
            RangeCut => "range-cut",
            Unread => "not-understood",
        }
    }

    /// What becomes of calls: where media by UDP does not get in, the fallback to TCP and hole punching remain.
    fn verdict(self) -> Verdict {
        match self {
            Unread => Verdict::Unknown,
            NoSourceNat => Verdict::Fails,
            NoForward | WrongTarget | BlockedFirst | NoHairpin | RangeCut => Verdict::Degraded,
        }
    }
}

/// A router in the words of one dialect.
pub struct Standard {
    /// Lines of its `[[gateway]]` beside `config`.
    pub gateway: &'static str,
    /// Everything works.
    pub open: String,
    /// What is changed in that text. The dialect has no word for a situation that is not here.
    pub situations: Vec<(Situation, &'static str, &'static str)>,
    /// Situations that it cures.
    pub cures: &'static [Situation],
}

/// Addresses and a route, for a dialect whose text does not hold them.
pub(super) const STATED: &str =
    "interfaces = { wan = \"203.0.113.5/24\", lan = \"192.168.1.1/24\" }\nroutes = [\"default via 203.0.113.1\"]";

impl Standard {
    /// The site, with this text of the router.
    fn site(&self, text: &str) -> Snapshot {
        // A dialect without a word for calls from inside to the outer address is asked about the internet alone.
        let inside = self.situations.iter().any(|(s, ..)| *s == NoHairpin);
        let clients = if inside { "\"internet\", \"lan\"" } else { "\"internet\"" };
        let manifest = format!(
            "name = \"voice.example.org\"\naddress = \"203.0.113.5\"\n[[gateway]]\nconfig = \"router\"\n{}\n[[deploy]]\n\
             system = \"livekit\"\nhost = \"192.168.1.50\"\nclients = [{clients}]\n",
            self.gateway
        );
        let file = |name: &str, text: &str| Source { name: name.into(), text: text.into() };
        Snapshot { sources: vec![file("callpath.toml", &manifest), file("router", text)], directory: String::new() }
    }
}

/// What is wrong. Whether holes can be punched besides depends on the ports that a router picks.
fn codes(report: &Report) -> Vec<&'static str> {
    let told = report.findings.iter().filter(|f| f.severity != Severity::Note && f.code != "hole-punching-only");
    told.map(|f| f.code).collect()
}

#[test]
fn standard_situations_are_the_same_in_every_dialect() {
    let mut faults = Vec::new();
    for (name, standard) in DIALECTS.iter().filter_map(|d| Some((d.about().name, d.standard()?))) {
        let found = of_text(&standard.open).map(|d| d.about().name);
        assert_eq!(found, Some(name));
        let (none, report) = changes(&standard.site(&standard.open)).unwrap_or_else(|e| panic!("{name}: {e}"));
        if report.verdict != Verdict::Works || !none.is_empty() {
            faults.push(format!("{name}, open: {:?} {:?} {}", report.verdict, codes(&report), report.headline));
        }
        for (situation, from, to) in &standard.situations {
            assert_eq!(standard.open.matches(from).count(), 1, "{name}, {situation:?}");
            let text = standard.open.replace(from, to);
            let blank = without_secrets(text.clone());
            assert_eq!(blank.len(), text.len(), "{name}, {situation:?}");
            let site = standard.site(&text);
            let (list, report) = changes(&site).unwrap_or_else(|e| panic!("{name}, {situation:?}: {e}"));
            let (verdict, codes) = (report.verdict, codes(&report));
            if verdict != situation.verdict() || codes != [situation.code()] {
                faults.push(format!("{name}, {situation:?}: {verdict:?} {codes:?} {}", report.headline));
            }
            // Under pseudonyms it is the same, as far as a blanked text is.
            let hidden = changes(&redact(&site, &Key::new(*b"a key for a test")));
            let hidden = hidden.map(|(_, report)| (report.verdict, self::codes(&report)));
            if hidden.as_ref().ok() != Some(&(verdict, codes.clone())) {
                faults.push(format!("{name}, {situation:?}: under pseudonyms {hidden:?}"));
            }
            let patches: Vec<_> = list.iter().filter(|(id, _)| id.0 == 1).map(|(_, p)| p).collect();
            let cured = apply(&text, &patches).expect("the changes can be made together");
            let works = changes(&standard.site(&cured)).is_ok_and(|(_, report)| report.verdict == Verdict::Works);
            if works != standard.cures.contains(situation) {
                faults.push(format!("{name}, {situation:?}: cured: {works} {:?}", report.findings));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_dialect_with_rules_has_the_standard_situations() {
    // A filter on a wire has no forwards and no way back in.
    let routers = |d: &&&dyn super::Dialect| d.about().engine.is_some_and(|e| e != super::Engine::Wire);
    for dialect in DIALECTS.iter().filter(routers) {
        let name = dialect.about().name;
        let Some(known) = dialect.standard() else {
            // The same rules in another notation are compared with those of its engine.
            let mut rivals = DIALECTS.iter().filter(|d| d.about().title == dialect.about().title);
            assert!(rivals.any(|d| d.standard().is_some()), "no standard situations of {name}");
            continue;
        };
        let there = |s: &Situation| known.situations.iter().any(|(one, ..)| one == s);
        assert!([NoForward, WrongTarget, RangeCut, Unread].iter().all(there), "{name}");
        let missing: Vec<Situation> = Situation::ALL.into_iter().filter(|s| !there(s)).collect();
        assert!(missing.is_empty() || !dialect.about().offered, "{name}: {missing:?}");
    }
}
