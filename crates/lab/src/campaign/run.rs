//! One ruleset: loaded, listed, asked about, tried.

use super::counters::{Expected, counters};
use super::floors::Tally;
use super::probes::{Asked, Probe, ask_all, draw};
use crate::compare::{Fate, Fates, STAGES, allows, candidates, is_open, rules};
use crate::generate::Ruleset;
use crate::monitor::{Monitor, TRACING};
use crate::namespace::{Failure, Namespace};
use crate::packet::{Mark, Stage, Tuple};
use crate::random::Random;
use crate::topology::{Built, Topology};
use crate::wire::{Inside, Place, Segment};
use callpath_core::dialect::nft::{json, lower::lower, text};
use callpath_core::model::{DoubtKind, Family, Pipeline, SourceId, address_value};
use callpath_core::snapshot::Source;
use callpath_core::trace::{Did, Disposition, Network, RoundTrip};
use std::collections::HashMap;
use std::fmt::Write;

/// The lab's own table: the kernel's answers of its own (rejects, resets, unreachable) end before they disturb
/// sessions and counters.
const OWN_TABLE: &str = "table inet callpath_lab {\nchain quiet {\ntype filter hook output priority -500; policy accept;\n\
    meta l4proto { icmp, ipv6-icmp } counter drop\ntcp flags & rst == rst counter drop\n}\n}\n";

/// In one ruleset of so many, packets are traced by the kernel too.
const TRACED_EVERY: u64 = 16;
/// So many of them.
const TRACED: usize = 3;

/// Round trips per ruleset.
const PROBES: usize = 190;

/// A topology that exists, with its sockets.
#[derive(Debug)]
pub struct Bench {
    pub(super) topology: Topology,
    pub(super) built: Vec<Built>,
    pub(super) segments: Vec<Segment>,
    pub(super) inside: Vec<Inside>,
    pub(super) next_trip: u32,
}

/// A packet of which kernel and trace say different things.
#[derive(Debug, Clone)]
pub struct Mismatch {
    /// Topology.
    pub topology: &'static str,
    /// One ruleset per router.
    pub rulesets: Vec<Ruleset>,
    /// The packet, if it is a matter of a single one.
    pub probe: Probe,
    /// Listings were read as JSON.
    pub as_json: bool,
    /// What differs, for a person.
    pub what: String,
}

impl Mismatch {
    /// For a person, and as a fixture.
    pub fn text(&self) -> String {
        let Self { topology, probe, what, as_json, .. } = self;
        let [_, _, sport, dport, proto] = probe.tuple.parts;
        let (src, dst, form) = (probe.tuple.src(), probe.tuple.dst(), if *as_json { "json" } else { "text" });
        let mut out = format!("# {topology}: {}\n\n{what}\n\n", probe.tuple);
        let _ = writeln!(out, "packet: {src} {sport} {dst} {dport} {proto} from {} read as {form}", probe.from);
        for (i, ruleset) in self.rulesets.iter().enumerate() {
            let _ = write!(out, "\nrouter {i}:\n\n```nft\n{}```\n", ruleset.text());
        }
        out
    }
}

/// What was tried with a set of probes.
struct Tried {
    fates: Vec<Fates>,
    counters: Vec<HashMap<u32, u64>>,
}

impl Bench {
    /// Builds a topology.
    ///
    /// # Errors
    /// When the kernel or a program refuses.
    pub fn new(topology: Topology) -> Result<Self, Failure> {
        let built = topology.build()?;
        let open = |n: usize| Segment::open(&format!("{}{n}", topology.wire));
        let segments = (0..topology.segments).map(open).collect::<Result<Vec<_>, _>>()?;
        let inside = built.iter().enumerate().map(|(i, b)| Inside::open(i, &b.space)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { topology, built, segments, inside, next_trip: 1 })
    }

    /// Loads a ruleset into a router.
    ///
    /// # Errors
    /// What `nft` says against it.
    pub fn load(&self, router: usize, ruleset: &str) -> Result<(), Failure> {
        let script = format!("flush ruleset\n{OWN_TABLE}{ruleset}");
        self.built[router].space.command("nft", &["-f", "-"], &script).map(|_| ())
    }

    /// A router's namespace.
    pub fn space(&self, router: usize) -> &Namespace {
        &self.built[router].space
    }

    /// What becomes of one packet, its answer and the third one, on the rules that are loaded.
    ///
    /// # Errors
    /// When the lab itself fails.
    pub fn fates(&mut self, probe: &Probe) -> Result<Fates, Failure> {
        Ok(self.attempt(std::slice::from_ref(probe))?.fates[0])
    }

    /// What kernel and trace say differently about one packet, on the rules that are loaded, as they are listed.
    ///
    /// # Errors
    /// When the lab itself fails.
    pub fn differs(&mut self, probe: &Probe) -> Result<Option<String>, Failure> {
        self.alone_loaded(false, probe)
    }

    fn listing(&self, router: usize, as_json: bool) -> Result<String, Failure> {
        let args: &[&str] = if as_json { &["-j", "list", "ruleset"] } else { &["list", "ruleset"] };
        self.built[router].space.command("nft", args, "")
    }

    /// The model of what the routers have loaded, read from their own listings.
    pub(crate) fn network(&self, as_json: bool) -> Result<Network, Failure> {
        let mut pipelines = Vec::new();
        for router in 0..self.built.len() {
            let listing = self.listing(router, as_json)?;
            let read = if as_json {
                json::parse(SourceId(0), &listing)
            } else {
                text::parse(SourceId(0), &[Source { name: "listing".into(), text: listing.clone() }])
            };
            let mut ruleset = read.map_err(|e| format!("a listing was not read: {e}\n{listing}"))?;
            ruleset.tables.retain(|t| !t.name.starts_with("callpath_lab"));
            let mut pipeline = Pipeline::default();
            let coverage = lower(&ruleset, false, &mut pipeline);
            if coverage.unread > 0 {
                let doubts: Vec<String> = pipeline
                    .doubts
                    .iter()
                    .filter(|d| d.kind == DoubtKind::Unread)
                    .map(|d| d.what.to_string())
                    .collect();
                return Err(format!("a listing was not understood: {}\n{listing}", doubts.join("; ")));
            }
            pipelines.push(pipeline);
        }
        Ok(self.topology.network(pipelines))
    }

    /// Tries one set of rulesets, already loaded; what differs.
    ///
    /// # Errors
    /// When the lab itself fails.
    pub fn judge(
        &mut self,
        random: &mut Random,
        rulesets: &[Ruleset],
        as_json: bool,
        tally: &mut Tally,
    ) -> Result<Vec<Mismatch>, Failure> {
        let network = self.network(as_json)?;
        let asked = ask_all(&self.topology, &network);
        let probes = draw(random, &asked, PROBES);
        let tried = self.attempt(&probes)?;
        tally.rulesets += 1;
        let topology = self.topology.name;
        let mismatch = |probe: &Probe, what: String| Mismatch {
            topology,
            rulesets: rulesets.to_vec(),
            probe: *probe,
            as_json,
            what,
        };
        let mut out = Vec::new();
        let mut expected = Expected::new(&network, self.built.len());
        for (probe, fates) in probes.iter().zip(&tried.fates) {
            match self.verdict(&asked, probe, fates) {
                Ok(trips) => {
                    tally.count(probe, fates, &trips, &network, rulesets);
                    expected.add(&trips);
                }
                Err(what) => {
                    if out.is_empty() {
                        out.push(mismatch(probe, what));
                    }
                    expected.void = true;
                }
            }
        }
        if let Some(what) = expected.difference(&tried.counters).filter(|_| out.is_empty()) {
            out.push(self.culprit(rulesets, as_json, &probes, &what)?);
        }
        if out.is_empty() && tally.rulesets % TRACED_EVERY == 1 {
            for probe in probes.iter().take(TRACED) {
                tally.traced += 1;
                let differs = self.traced(&asked, &network, probe)?;
                out.extend(differs.map(|what| mismatch(probe, what)));
            }
        }
        Ok(out)
    }

    /// The round trips of the trace that agree with what was seen, or what differs.
    fn verdict<'a>(&self, asked: &'a [Asked], probe: &Probe, fates: &Fates) -> Result<Vec<&'a RoundTrip>, String> {
        let routers = self.built.len();
        let Some(a) = asked.iter().find(|a| a.from == probe.from && a.question.family == probe.tuple.family) else {
            return Err("the packet was never asked about".into());
        };
        let all = candidates(&a.answer, &probe.tuple);
        let good: Vec<&RoundTrip> =
            all.iter().copied().filter(|t| allows(&a.answer, t, &probe.tuple, fates, routers)).collect();
        if good.is_empty() {
            let says: Vec<String> = all.iter().map(|t| story(t)).collect();
            return Err(format!("the kernel: {fates:?}\nthe trace: {}", says.join("\n  or ")));
        }
        for (detail, answer) in &a.brief {
            let all = candidates(answer, &probe.tuple);
            if !all.iter().any(|t| allows(answer, t, &probe.tuple, fates, routers)) {
                let says: Vec<String> = all.iter().map(|t| story(t)).collect();
                return Err(format!("the kernel: {fates:?}\nthe trace in {detail:?}: {}", says.join("\n  or ")));
            }
        }
        Ok(good)
    }

    /// The packet whose rules differ from the counters: each tried alone.
    fn culprit(
        &mut self,
        rulesets: &[Ruleset],
        as_json: bool,
        probes: &[Probe],
        batch: &str,
    ) -> Result<Mismatch, Failure> {
        let mut found = Mismatch {
            topology: self.topology.name,
            rulesets: rulesets.to_vec(),
            probe: probes[0],
            as_json,
            what: format!("{batch}\n(single packets do not differ)"),
        };
        for probe in probes {
            if let Some(what) = self.alone(rulesets, as_json, probe)? {
                (found.probe, found.what) = (*probe, what);
                break;
            }
        }
        Ok(found)
    }

    /// One packet with all its rules traced by the kernel; what differs. The kernel names the rules that were carried
    /// out to their end: each must be one that the trace names, and one that dropped the packet must be among them.
    fn traced(&mut self, asked: &[Asked], network: &Network, probe: &Probe) -> Result<Option<String>, Failure> {
        for built in &self.built {
            built.space.command("nft", &["-f", "-"], TRACING)?;
        }
        let monitors = self.built.iter().map(|b| Monitor::start(&b.space)).collect::<Result<Vec<_>, _>>()?;
        let tried = self.attempt(std::slice::from_ref(probe))?;
        let named = monitors.into_iter().map(Monitor::rules).collect::<Result<Vec<_>, _>>()?;
        for built in &self.built {
            built.space.command("nft", &["delete", "table", "inet", "callpath_lab_trace"], "")?;
        }
        let Ok(trips) = self.verdict(asked, probe, &tried.fates[0]) else {
            // Judged with the others already; alone it met no other session.
            return Ok(None);
        };
        let fits = |trip: &&&RoundTrip| {
            let met: Vec<(usize, u32)> = rules(trip)
                .into_iter()
                .filter_map(|(device, origin)| Some((device, rule_number(network, device, origin)?)))
                .collect();
            let named_are_met =
                named.iter().enumerate().all(|(r, list)| list.iter().all(|number| met.contains(&(r, *number))));
            let decided = last_dropping_rule(trip).and_then(|(d, o)| Some((d, rule_number(network, d, o)?)));
            named_are_met && decided.is_none_or(|(d, number)| named[d].contains(&number))
        };
        if trips.iter().any(|t| is_open(t)) || trips.iter().find(fits).is_some() {
            return Ok(None);
        }
        Ok(Some(format!("`nft monitor trace` names the rules {named:?}; the trace does not")))
    }

    /// One packet on freshly loaded rules; what differs.
    fn alone(&mut self, rulesets: &[Ruleset], as_json: bool, probe: &Probe) -> Result<Option<String>, Failure> {
        for (router, ruleset) in rulesets.iter().enumerate() {
            self.load(router, &ruleset.text())?;
        }
        self.alone_loaded(as_json, probe)
    }

    /// One packet on the rules that are loaded; what differs.
    fn alone_loaded(&mut self, as_json: bool, probe: &Probe) -> Result<Option<String>, Failure> {
        let network = self.network(as_json)?;
        let asked = ask_all(&self.topology, &network);
        let tried = self.attempt(std::slice::from_ref(probe))?;
        match self.verdict(&asked, probe, &tried.fates[0]) {
            Err(what) => Ok(Some(what)),
            Ok(trips) => {
                let mut expected = Expected::new(&network, self.built.len());
                expected.add(&trips);
                Ok(expected.difference(&tried.counters))
            }
        }
    }

    /// Tries the packet alone, twice, then takes away tables and rules as long as the difference stays. Absent: alone, the
    /// packet fares as the trace says. Then it met the session of another packet of its batch; the trace speaks of one conversation at a time.
    ///
    /// # Errors
    /// When the lab itself fails.
    pub fn confirm(&mut self, mut mismatch: Mismatch, minimise: bool) -> Result<Option<Mismatch>, Failure> {
        for _ in 0..2 {
            if self.alone(&mismatch.rulesets, mismatch.as_json, &mismatch.probe)?.is_none() {
                return Ok(None);
            }
        }
        if !minimise {
            return Ok(Some(mismatch));
        }
        loop {
            let mut smaller = None;
            'search: for router in 0..mismatch.rulesets.len() {
                let ruleset = &mismatch.rulesets[router];
                let tables = (0..ruleset.tables.len()).map(|i| ruleset.without_table(i));
                let numbers: Vec<u32> = ruleset.rules().map(|r| r.number).collect();
                let rules = numbers.into_iter().map(|n| ruleset.without(n));
                for candidate in tables.chain(rules) {
                    let mut rulesets = mismatch.rulesets.clone();
                    rulesets[router] = candidate;
                    let Ok(Some(what)) = self.alone(&rulesets, mismatch.as_json, &mismatch.probe) else { continue };
                    smaller = Some((rulesets, what));
                    break 'search;
                }
            }
            match smaller {
                Some((rulesets, what)) => (mismatch.rulesets, mismatch.what) = (rulesets, what),
                None => return Ok(Some(mismatch)),
            }
        }
    }

    /// Tries a saved packet again; what differs.
    ///
    /// # Errors
    /// When the fixture cannot be read, or the lab itself fails.
    pub fn replay(&mut self, fixture: &str) -> Result<Option<String>, Failure> {
        let bad = || "a fixture lacks its `packet:` line".to_owned();
        let line = fixture.lines().find_map(|l| l.strip_prefix("packet: ")).ok_or_else(bad)?;
        let words: Vec<&str> = line.split(' ').collect();
        let [src, sport, dst, dport, proto, _, from, _, _, form] = words[..] else { return Err(bad()) };
        let address = |s: &str| s.parse::<std::net::IpAddr>().map_err(|_| bad());
        let number = |s: &str| s.parse::<u128>().map_err(|_| bad());
        let (src, dst) = (address(src)?, address(dst)?);
        let parts = [address_value(src), address_value(dst), number(sport)?, number(dport)?, number(proto)?];
        let from = usize::try_from(number(from)?).unwrap_or(usize::MAX);
        let probe = Probe { from, tuple: Tuple { family: Family::of(src), parts } };
        for (router, part) in fixture.split("```nft\n").skip(1).enumerate() {
            self.load(router, part.split("```").next().unwrap_or_default())?;
        }
        self.alone_loaded(form == "json", &probe)
    }

    /// Sends probes with their answers and third packets; what was seen and counted.
    fn attempt(&mut self, probes: &[Probe]) -> Result<Tried, Failure> {
        self.forget()?;
        let first = self.number(probes.len());
        let mut fates: Vec<Fates> = vec![[Fate::NotSent; 3]; probes.len()];
        for stage in STAGES {
            let mut sent = 0;
            for (i, probe) in probes.iter().enumerate() {
                let trip = first + u32::try_from(i).unwrap_or(0);
                let Some((from, tuple)) = self.packet(probe, &fates[i], stage) else { continue };
                fates[i][stage as usize] = Fate::Gone;
                sent += 1;
                if let Some(direct) = self.send(from, tuple, Mark { trip, stage })? {
                    fates[i][stage as usize] = Fate::Arrived(direct, tuple);
                }
            }
            self.collect(sent, first, stage, &mut fates);
        }
        let counters = (0..self.built.len())
            .map(|router| self.listing(router, false).map(|l| counters(&l)))
            .collect::<Result<_, _>>()?;
        Ok(Tried { fates, counters })
    }

    /// The topology.
    pub(crate) fn topology(&self) -> &Topology {
        &self.topology
    }

    /// The packet of a stage: the answer has the header that was seen, turned round.
    fn packet(&self, probe: &Probe, fates: &Fates, stage: Stage) -> Option<(Place, Tuple)> {
        let routers = self.built.len();
        let asker = if probe.from < routers { Place::Router(probe.from) } else { Place::Hosts(probe.from - routers) };
        match stage {
            Stage::Request => Some((asker, probe.tuple)),
            Stage::Reply => match fates[0] {
                Fate::Arrived(place @ Place::Router(_), seen) => Some((place, seen.inverse())),
                Fate::Arrived(place @ Place::Hosts(g), seen) => {
                    let own = self.topology.hosts[g].own(seen.family);
                    own.contains(seen.parts[1]).then(|| (place, seen.inverse()))
                }
                _ => None,
            },
            Stage::Next => match fates[1] {
                Fate::Arrived(place, seen) if place == asker && seen == probe.tuple.inverse() => {
                    Some((asker, probe.tuple))
                }
                _ => None,
            },
        }
    }
}

/// The rule that dropped or rejected a packet of the round trip.
fn last_dropping_rule(trip: &RoundTrip) -> Option<(usize, callpath_core::model::OriginId)> {
    let journey = trip.next.as_ref().or(trip.reply.as_ref()).unwrap_or(&trip.request);
    if !matches!(journey.end, Disposition::Dropped | Disposition::Rejected(_) | Disposition::Unheard(_)) {
        return None;
    }
    match journey.last().steps.last()?.did {
        Did::Rule(origin) => Some((journey.last().device, origin)),
        _ => None,
    }
}

/// The number in a rule's comment.
pub(super) fn rule_number(network: &Network, device: usize, origin: callpath_core::model::OriginId) -> Option<u32> {
    let comment = network.devices[device].pipeline.origin(origin).comment.as_ref()?;
    comment.strip_prefix('r')?.parse().ok()
}

/// A round trip on a few lines.
fn story(trip: &RoundTrip) -> String {
    let journeys = [Some(&trip.request), trip.reply.as_ref(), trip.next.as_ref()];
    let parts: Vec<String> = journeys
        .into_iter()
        .flatten()
        .map(|j| format!("device {} {:?} {:?}", j.last().device, j.end, j.last().header))
        .collect();
    parts.join(" | ")
}
