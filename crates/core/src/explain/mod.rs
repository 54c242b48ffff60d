//! What was judged, in words: one packet of each fate with its way, and the report around it.

mod given;
mod headline;
pub(crate) mod story;
mod whole;

pub(crate) use whole::{given, report};

use crate::call::CLIENT_PORTS;
use crate::cube::Set;
use crate::model::{Family, Part};
use crate::profile::Instance;
use crate::report::{Alternative, Exposure, Leg, Path, Piece};
use crate::site::{Case, Site};
use crate::snapshot::{Places, Snapshot};
use crate::trace::Network;
use crate::verdict::{self, Failure, Judged, Note, Reach};
use crate::vocabulary::{CallerKind, port_ranges};
use crate::way::Reason;
use std::cell::OnceCell;
use std::fmt::Display;
use story::Story;

/// A sentence names as many ranges of lines.
const MOST_LINES: usize = 8;

/// Tells what was judged of a site.
pub(crate) struct Teller<'a> {
    judged: &'a Judged,
    places: Places<'a>,
    /// The network as it is for callers whose router picks ports, and for those whose router keeps them; made once.
    for_kinds: [OnceCell<Option<Network>>; 2],
}

impl<'a> Teller<'a> {
    /// What was judged of these texts.
    pub fn new(snapshot: &'a Snapshot, judged: &'a Judged) -> Self {
        Self { judged, places: Places::of(snapshot), for_kinds: Default::default() }
    }

    fn instance(&self, n: usize) -> &Instance {
        &self.judged.instances[n]
    }

    /// The site of one of the two cases.
    fn site(&self, case: Case) -> &Site {
        let other = self.judged.other.as_ref();
        other.filter(|site| site.case == case && self.judged.site.case != case).unwrap_or(&self.judged.site)
    }

    /// The network in which packets of this kind of caller were followed.
    fn network(&self, kind: Option<CallerKind>) -> &Network {
        let site = &self.judged.site;
        let own = kind.and_then(|kind| {
            let at = usize::from(kind == CallerKind::Symmetric);
            let known = matches!(kind, CallerKind::Home | CallerKind::Symmetric).then(|| &self.for_kinds[at])?;
            known.get_or_init(|| kind.network(site)).as_ref()
        });
        own.unwrap_or(&site.network)
    }

    /// A path.
    pub fn path(&self, path: &verdict::Path) -> Path {
        let instance = self.instance(path.instance);
        let itself = path.vantage == crate::vocabulary::Where::At(crate::manifest::Place::Own);
        Path {
            id: path.id.clone(),
            instance: instance.label().to_owned(),
            vantage: path.vantage.clone(),
            kind: path.kind,
            who: path.who.clone(),
            kinds: Vec::new(),
            address: path.address.clone(),
            family: path.family,
            verdict: path.verdict,
            depends: if itself { depends(instance) } else { String::new() },
            note: path.note.as_ref().map_or_else(String::new, note),
            legs: path.legs.iter().map(|leg| self.leg(path, leg)).collect(),
        }
    }

    fn leg(&self, path: &verdict::Path, leg: &verdict::Leg) -> Leg {
        Leg {
            kind: leg.kind.clone(),
            to: leg.to.clone(),
            verdict: leg.verdict,
            how: leg.how,
            any_of: leg.any_of.iter().map(|a| self.alternative(path, a)).collect(),
            not_for_them: leg.not_for_them.clone(),
        }
    }

    /// A way to do a part of a call.
    pub fn alternative(&self, path: &verdict::Path, a: &verdict::Alternative) -> Alternative {
        let r = &a.requirement;
        Alternative {
            requirement: r.id.clone(),
            what: r.what(),
            proto: r.proto,
            ports: a.ports.clone(),
            purpose: r.purpose.clone(),
            opener: a.opener,
            reach: a.reach,
            share: a.share,
            pieces: a.pieces.iter().map(|piece| self.piece(path, piece)).collect(),
        }
    }

    fn piece(&self, path: &verdict::Path, piece: &verdict::Piece) -> Piece {
        let clients = Set::range(CLIENT_PORTS.0, CLIENT_PORTS.1);
        self.story(self.network(path.kind), path.family, &path.from).piece(piece, &clients)
    }

    fn story<'s>(&'s self, network: &'s Network, family: Family, senders: &'s Set) -> Story<'s> {
        Story { places: &self.places, network, family, senders, whole: false }
    }

    /// A port that is reached and should not be.
    fn exposure(&self, e: &verdict::Exposure) -> Exposure {
        let story = self.story(&self.site(e.case).network, e.family, &e.from);
        Exposure {
            instance: self.instance(e.instance).label().to_owned(),
            socket: e.socket.clone(),
            outside: e.outside.clone(),
            family: e.family,
            by: e.by.map(|a| a.to_string()),
            at: e.at.map(|a| a.to_string()),
            forbidden: e.forbidden.clone(),
            unknown: e.unknown,
            doubts: story.doubts(&e.doubts),
            steps: story.of(&e.packets).0,
        }
    }

    /// One packet of a failure in words, and what they tell. Callers who get through by hole punching have nothing to tell:
    /// others at their place do.
    pub fn story_of(&self, failure: &Failure) -> (String, Option<Reason>) {
        let paths = || self.judged.judgement.paths.iter();
        let own = || paths().filter(|p| p.id == failure.path);
        let alike = |p: &&verdict::Path| {
            own().any(|o| (o.instance, &o.vantage, o.family) == (p.instance, &p.vantage, p.family))
        };
        let mut pieces = own().chain(paths().filter(alike)).flat_map(|p| pieces_of(p, failure).map(move |x| (p, x)));
        let told = |(path, piece): (&verdict::Path, &verdict::Piece)| {
            let p = self.piece(path, piece);
            let stop = p.stop.as_ref().filter(|_| p.reach != Reach::Unknown && p.reach != Reach::Chance);
            let stop = stop.map(|s| (s.what.clone(), p.reason()));
            let doubt = || p.doubts.first().filter(|_| p.reach == Reach::Unknown);
            stop.or_else(|| doubt().map(|d| (d.what.clone(), p.reason())))
        };
        pieces.find_map(told).unwrap_or_default()
    }

    /// The other rules that end a failure's packets, by file and line.
    pub fn others_of(&self, failure: &Failure) -> String {
        let own = self.judged.judgement.paths.iter().filter(|p| p.id == failure.path);
        let mut pieces = own.flat_map(|p| pieces_of(p, failure).map(move |x| (p, x)));
        // Of several that differ by their senders, none is picked.
        let (Some((path, piece)), None) = (pieces.next(), pieces.next()) else { return String::new() };
        let piece = self.piece(path, piece);
        let rules = piece.stop.as_ref().map_or(&[][..], |s| &s.others);
        let shown = rules.iter().filter_map(|r| r.first(MOST_LINES));
        shown.collect::<Vec<_>>().join("; ")
    }
}

/// Pieces of a path with a failure's packets, unless these get through.
fn pieces_of<'p>(path: &'p verdict::Path, failure: &Failure) -> impl Iterator<Item = &'p verdict::Piece> {
    let ports = port_ranges(&failure.region.part(Part::DstPort));
    let asked = failure.requirement.id.clone();
    let here = path.legs.iter().flat_map(|l| &l.any_of).filter(move |a| a.requirement.id == asked);
    here.flat_map(|a| &a.pieces).filter(move |p| p.reach != Reach::Open && p.ports() == ports)
}

/// What depends on the server reaching its own name.
fn depends(instance: &Instance) -> String {
    let known = instance.profile.itself.as_ref().map(|a| a.about.clone());
    known.unwrap_or_else(|| format!("nothing of {} is known to depend on it", instance.profile.title))
}

fn note(note: &Note) -> String {
    let for_share = |how: &str, share: Option<&dyn Display>| {
        share.map_or_else(|| how.to_owned(), |share| format!("{how} for {share}"))
    };
    let name = |proto: crate::manifest::Proto| proto.name().to_uppercase();
    match note {
        Note::Without(what) => format!("no {what}"),
        Note::Punched(share) => for_share("only by hole punching", share.as_ref().map(|s| s as &dyn Display)),
        Note::Chance(share) => {
            for_share("by chance: it depends on who sends first", share.as_ref().map(|s| s as &dyn Display))
        }
        Note::AtLeastBy(proto) => format!("at least by {}", name(*proto)),
        Note::OnlyBy(proto) => format!("only by {}", name(*proto)),
        Note::NotBy(proto) => format!("not by {}", name(*proto)),
        Note::By(proto) => format!("by {}", name(*proto)),
        Note::ByRelay => "only by relay".to_owned(),
    }
}
