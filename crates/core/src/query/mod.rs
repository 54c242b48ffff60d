//! Questions about one flow: who sends, whom, by which ports, and what becomes of it. Expectations about flows are the tests
//! of a site.
//!
//! The same trace and the same goals as `check` has decide, and the same story tells the way of one packet of each fate.

mod expectations;
mod places;

pub use expectations::{Expectation, Expected, Line, Outcome, Results, Suite, judge};

use crate::call::Judge;
use crate::call::flow::{Flow, FlowPiece};
use crate::check::{Cases, cases};
use crate::cube::Set;
use crate::explain;
use crate::explain::story::Story;
use crate::manifest::{PortRanges, Proto, parse_ports};
use crate::model::{Family, Part};
use crate::report::{Disposition, Reach, TRACE_SCHEMA, Tool, Trace, TracedFlow, TracedPiece, lines_of_trace};
use crate::site::Site;
use crate::snapshot::{InputError, Places, Snapshot};
use crate::trace::{self, Budget, Phase};
use crate::verdict::{Fate, Piece, algebra};
use crate::vocabulary::{PortSet, port_ranges, port_set};
use crate::way::DoubtLine;
use places::{Asked, flows};
use std::collections::BTreeSet;

/// Ports that are sent from where none are named: those of clients.
const SOURCE_PORTS: (u16, u16) = (1024, 65535);

/// One flow, as it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Who sends: a place of the site, an address, an instance.
    pub from: String,
    /// Whom they ask: the site's name, an address, an instance.
    pub to: String,
    /// Protocol and ports.
    pub ports: PortSet,
    /// Ports that they are sent from; empty: those of clients.
    pub source_ports: PortRanges,
}

/// A word of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Word {
    /// Who sends.
    From,
    /// Whom they ask.
    To,
}

/// A word of a question that means nothing here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// Which.
    pub word: Word,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// A site that was read once, to be asked about any number of flows.
#[derive(Debug)]
pub struct Reader<'a> {
    snapshot: &'a Snapshot,
    places: Places<'a>,
    cases: Cases,
    budget: Budget,
    assumptions: Vec<String>,
}

/// Reads `udp/50000-50499`.
///
/// # Errors
/// What is wrong, and what to do.
pub fn parse_flow_ports(text: &str) -> Result<PortSet, (String, String)> {
    let help = || "write the protocol and the ports: udp/50000-50499, tcp/443".to_owned();
    let Some((proto, ports)) = text.split_once('/') else {
        return Err((format!("`{text}` names no protocol and ports"), help()));
    };
    let proto = [Proto::Tcp, Proto::Udp].into_iter().find(|p| p.name().eq_ignore_ascii_case(proto));
    let Some(proto) = proto else {
        return Err((format!("`{text}` is neither tcp nor udp"), help()));
    };
    parse_ports(ports).map(|ports| PortSet { proto, ports })
}

impl<'a> Reader<'a> {
    /// Reads a site.
    ///
    /// # Errors
    /// Input from which no answer follows.
    pub fn new(snapshot: &'a Snapshot) -> Result<Self, InputError> {
        let budget = Budget::of_a_run();
        let (cases, places) = (cases(snapshot, &budget)?, Places::of(snapshot));
        let mut out = Self { snapshot, places, cases, budget, assumptions: Vec::new() };
        let judge = out.judge(&out.cases.site);
        let assumptions = explain::given(&judge, &out.places, &mut BTreeSet::new());
        out.assumptions = assumptions;
        Ok(out)
    }

    fn judge<'j>(&'j self, site: &'j Site) -> Judge<'j> {
        Judge::new(self.snapshot, &self.cases.manifest, &self.cases.instances, site)
    }

    /// What becomes of a flow.
    ///
    /// # Errors
    /// Every word of the question that means nothing here.
    pub fn trace(&mut self, question: &Question) -> Result<Trace, Vec<Wrong>> {
        // One question may not take what all others have, and all together no more than a run has.
        let Cases { site, other, .. } = &mut self.cases;
        for site in std::iter::once(site).chain(other.as_mut().map(|(site, _)| site)) {
            site.network.budget = self.budget.for_another_site();
        }
        let (flows, not_traced) = self.flows(question)?;
        let all: Vec<Reach> = flows.iter().flat_map(|f| &f.pieces).map(|p| p.piece.reach).collect();
        let mut trace = Trace {
            schema: TRACE_SCHEMA,
            tool: Tool { name: "callpath", version: env!("CARGO_PKG_VERSION") },
            from: question.from.clone(),
            to: question.to.clone(),
            ports: question.ports.clone(),
            source_ports: question.source_ports.clone(),
            reach: algebra::reach(&all),
            flows,
            not_traced,
            assumptions: self.assumptions.clone(),
        };
        lines_of_trace(&mut trace);
        Ok(trace)
    }

    fn flows(&self, question: &Question) -> Result<(Vec<TracedFlow>, Vec<String>), Vec<Wrong>> {
        let judge = self.judge(&self.cases.site);
        let (asked, not_traced) = flows(&judge, question)?;
        let other = match &self.cases.other {
            Some((site, doubt)) => Some((self.judge(site), flows(&self.judge(site), question)?.0, doubt)),
            None => None,
        };
        let ports = port_set(&question.ports.ports);
        let sources = match &question.source_ports[..] {
            [] => port_set(&[SOURCE_PORTS]),
            named => port_set(named),
        };
        let ask = |judge: &Judge<'_>, one: &Asked, ports: &Set| {
            judge.flow(&Flow {
                vantage: &one.vantage,
                from: &one.from,
                to: one.to,
                proto: question.ports.proto,
                ports,
                source_ports: &sources,
                whom: &one.whom,
                meant: one.meant,
                named_at: one.by_name.then_some(&one.vantage.place),
            })
        };
        let told = |(index, one): (usize, &Asked)| {
            let mut pieces = ask(&judge, one, &ports);
            if let Some((other, all, doubt)) = &other
                && let Some(twin) = all.get(index)
            {
                let differ = differ(&pieces, &ask(other, twin, &ports));
                if !differ.is_empty() {
                    pieces = ask(&judge, one, &ports.minus(&differ));
                    pieces.push(unknown(&differ, (*doubt).clone()));
                }
            }
            self.told(one, &pieces, &sources)
        };
        Ok((asked.iter().enumerate().map(told).collect(), not_traced))
    }

    /// The pieces of one flow in words.
    fn told(&self, asked: &Asked, pieces: &[FlowPiece], sources: &Set) -> TracedFlow {
        let network = &self.cases.site.network;
        let family = Family::of(asked.to);
        let story = Story { places: &self.places, network, family, senders: &asked.from, whole: true };
        let name = |device: usize| network.devices[device].name.to_string();
        let one = |FlowPiece { piece, taken }: &FlowPiece| {
            let shown = story.piece(piece, sources);
            let disposition = match (&piece.fate, &shown.stop) {
                _ if piece.reach == Reach::Unknown => Disposition::Unknown,
                (_, Some(stop)) => Disposition::stopped(stop.kind, stop.packet > Phase::Request),
                (Fate::Followed(followed), None) => match followed.trip.request.end {
                    trace::Disposition::Delivered { listening: true } => Disposition::Accepted,
                    _ => Disposition::Delivered,
                },
                (Fate::Missing(..), None) => Disposition::Unknown,
            };
            let device = match (&piece.fate, &shown.stop) {
                _ if piece.reach == Reach::Unknown => String::new(),
                (_, Some(stop)) => stop.device.clone(),
                (Fate::Followed(followed), None) => name(followed.trip.request.last().device),
                (Fate::Missing(..), None) => String::new(),
            };
            TracedPiece { disposition, device, taken_by: taken.map(name), piece: shown }
        };
        TracedFlow {
            who: asked.who.clone(),
            asked: asked.to.to_string(),
            family,
            pieces: pieces.iter().map(one).collect(),
        }
    }
}

/// Ports of which two cases of a site say different things.
fn differ(one: &[FlowPiece], other: &[FlowPiece]) -> Set {
    let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (&a.piece, &b.piece)));
    Set::union(pairs.filter(|(a, b)| a.reach != b.reach).map(|(a, b)| common(a, b)))
}

/// Ports of packets that are in both.
fn common(one: &Piece, other: &Piece) -> Set {
    match (&one.fate, &other.fate) {
        (Fate::Followed(a), Fate::Followed(b)) => {
            let pairs = a.region.cubes.iter().flat_map(|a| b.region.cubes.iter().map(move |b| (a, b)));
            Set::union(pairs.filter_map(|(a, b)| a.and(b)).map(|c| c.part(Part::DstPort).clone()))
        }
        _ => port_set(&one.ports()).and(&port_set(&other.ports())),
    }
}

fn unknown(ports: &Set, doubt: DoubtLine) -> FlowPiece {
    FlowPiece { piece: Piece::unknown(port_ranges(ports), vec![doubt]), taken: None }
}
