//! Printed changes on a router: packets before and after, the same rules by both ways of applying them, and back.

mod cases;
pub mod sessions;

pub use cases::{CASES, Case, Wish};

use crate::campaign::{Bench, Probe};
use crate::compare::Fate;
use crate::namespace::{Failure, Namespace};
use crate::packet::{Tuple, UDP};
use crate::topology::single;
use crate::wire::Place;
use callpath_core::change::{Intent, Packets, Printed, Step, Wanted};
use callpath_core::cube::{Cube, Set};
use callpath_core::dialect::nft::{change::print, lower::lower, text};
use callpath_core::manifest::Proto;
use callpath_core::model::{Family, OriginId, Pipeline, SourceId, address_value};
use callpath_core::snapshot::Source;
use callpath_core::trace::{Did, Disposition, Question, ask};
use std::net::IpAddr;

/// Devices of the topology: the router, then its hosts.
const INTERNET: usize = 1;
const CLIENT: usize = 3;
const PORT: u16 = 50123;

fn ip(s: &str) -> IpAddr {
    s.parse().expect("an address literal")
}

impl Wish {
    fn family(self) -> Family {
        if self == Self::AllowSix { Family::V6 } else { Family::V4 }
    }

    /// The packet that shows it.
    fn probe(self) -> Probe {
        let (from, src, dst) = match self {
            Self::Hairpin => (CLIENT, "192.168.1.60", "203.0.113.5"),
            Self::AllowSix => (INTERNET, "2001:4860::8", "2001:db8:1::50"),
            _ => (INTERNET, "8.8.4.4", "203.0.113.5"),
        };
        let ports = [40001, u128::from(PORT), u128::from(UDP)];
        let [sport, dport, proto] = ports;
        let parts = [address_value(ip(src)), address_value(ip(dst)), sport, dport, proto];
        Probe { from, tuple: Tuple { family: self.family(), parts } }
    }

    fn wanted(self, deciding: Option<OriginId>) -> Vec<Wanted> {
        let packets = |iface: Option<&str>| Packets {
            family: self.family(),
            proto: Proto::Udp,
            ports: vec![(50000, 60000)],
            from: Vec::new(),
            in_ifaces: iface.into_iter().map(Into::into).collect(),
            out_iface: None,
        };
        let (public, server) = (ip("203.0.113.5"), ip("192.168.1.50"));
        let forward = |iface, hairpin| Intent::Forward {
            packets: packets(iface),
            address: public,
            to: server,
            port: None,
            hairpin,
        };
        let allow = |to| Intent::Allow { packets: packets(Some("wan0")), to: ip(to), input: false };
        let intents = match self {
            // A rule that blocks behind the forward is a cause of its own.
            Self::Forward => vec![forward(Some("wan0"), false), allow("192.168.1.50")],
            Self::ForwardAnyhow => vec![forward(None, false), allow("192.168.1.50")],
            Self::Hairpin => {
                let from = vec!["192.168.1.0/24".parse().expect("a network literal")];
                let turned = Packets { from, out_iface: Some("lan0".into()), ..packets(None) };
                vec![forward(Some("lan0"), true), Intent::SourceNat { packets: turned, to: server }]
            }
            Self::AllowSix => {
                vec![allow("2001:db8:1::50")]
            }
            Self::Input => vec![Intent::Allow { packets: packets(None), to: public, input: true }],
            Self::Answers => vec![Intent::AllowAnswers { family: Family::V4, input: false }],
            Self::Close => {
                let inside = vec![(50000, 60000)];
                vec![Intent::Close {
                    packets: packets(Some("wan0")),
                    address: public,
                    to: server,
                    inside,
                    except: Vec::new(),
                }]
            }
        };
        let name = "LiveKit media-udp".to_owned();
        intents.into_iter().map(|intent| Wanted { intent, nearest: None, deciding, name: name.clone() }).collect()
    }

    /// Did the conversation come about?
    fn works(self, bench: &mut Bench) -> Result<bool, Failure> {
        let arrived = |fate: &Fate, at: Place| matches!(fate, Fate::Arrived(place, _) if *place == at);
        let probe = self.probe();
        let host = if self == Self::Input { Place::Router(0) } else { Place::Hosts(1) };
        let fates = bench.fates(&probe)?;
        // The third packet is sent only if the answer came from the address that was asked.
        Ok(arrived(&fates[0], host) && arrived(&fates[1], Place::Hosts(probe.from - 1)) && arrived(&fates[2], host))
    }
}

fn sources(text: &str) -> Vec<Source> {
    vec![Source { name: "ruleset.nft".into(), text: text.into() }]
}

fn pipeline(text: &str) -> Result<Pipeline, Failure> {
    let ruleset = text::parse(SourceId(0), &sources(text)).map_err(|e| format!("not read: {e}\n{text}"))?;
    let mut pipeline = Pipeline::default();
    lower(&ruleset, true, &mut pipeline);
    Ok(pipeline)
}

/// The statement that ends the packet, by the trace.
fn deciding(pipeline: &Pipeline, probe: &Probe) -> Option<OriginId> {
    let network = single().network(vec![pipeline.clone()]);
    let parts = probe.tuple.parts.map(Set::one);
    let packets = Cube { parts, vars: Vec::new() };
    let answer = ask(&network, &Question { from: probe.from, family: probe.tuple.family, packets });
    let trip = answer.trips.first()?;
    let journey = trip.next.as_ref().or(trip.reply.as_ref()).unwrap_or(&trip.request);
    if journey.last().device != 0
        || !matches!(journey.end, Disposition::Dropped | Disposition::Rejected(_) | Disposition::Unheard(_))
    {
        return None;
    }
    match journey.last().steps.last()?.did {
        Did::Rule(origin) => Some(origin),
        Did::PolicyDrop(chain) => Some(pipeline.chain(chain).origin),
        _ => None,
    }
}

/// Without counters: packets that were tried would show.
fn listing(space: &Namespace) -> Result<String, Failure> {
    space.command("nft", &["-s", "list", "ruleset"], "")
}

/// Runs what a person would paste.
fn paste(space: &Namespace, steps: &[Step]) -> Result<(), Failure> {
    for step in steps.iter().filter(|s| s.shell().is_some()) {
        let script = format!("set -e\n{}\n", step.lines.join("\n"));
        space.command("sh", &["-s"], &script)?;
    }
    Ok(())
}

fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(what()) }
}

/// Tries one change.
///
/// # Errors
/// What is not as it should be, or what the lab lacks.
pub fn judge(bench: &mut Bench, case: &Case) -> Result<(), Failure> {
    let probe = case.wish.probe();
    bench.load(0, case.rules)?;
    let before = listing(bench.space(0))?;
    let given = if case.listed {
        let listed = bench.space(0).command("nft", &["-a", "list", "ruleset"], "")?;
        listed[listed.find("table ").unwrap_or(0)..].to_owned()
    } else {
        case.rules.to_owned()
    };
    let closing = case.wish == Wish::Close;
    ensure(case.wish.works(bench)? == closing, || format!("before the change the packet fares otherwise\n{before}"))?;

    let pipeline = pipeline(&given)?;
    let wanted = case.wish.wanted(deciding(&pipeline, &probe));
    let printed = print(SourceId(0), &sources(&given), &pipeline, &wanted).map_err(|e| e.to_string())?;
    ensure(printed.text.starts_with(&given), || "the text has changed".into())?;

    let pasted = applied(bench, case, &printed, &before, |bench| paste(bench.space(0), &printed.steps))?;
    let loaded = applied(bench, case, &printed, &before, |bench| {
        if case.listed {
            bench.space(0).command("nft", &["-f", "-"], &format!("flush ruleset\n{}", printed.text)).map(|_| ())
        } else {
            bench.space(0).command("nft", &["-c", "-f", "-"], &printed.text)?;
            bench.load(0, &printed.text)
        }
    })?;
    ensure(pasted == loaded, || format!("pasted lines and the loaded text differ\n{pasted}\n{loaded}"))
}

/// Applies a change, tries the packet, takes the change back; the listing in between.
fn applied(
    bench: &mut Bench,
    case: &Case,
    printed: &Printed,
    before: &str,
    apply: impl FnOnce(&Bench) -> Result<(), Failure>,
) -> Result<String, Failure> {
    bench.load(0, case.rules)?;
    apply(bench)?;
    let after = listing(bench.space(0))?;
    let closing = case.wish == Wish::Close;
    ensure(case.wish.works(bench)? != closing, || format!("the change does not do what it should\n{after}"))?;
    if let Some(what) = bench.differs(&case.wish.probe())? {
        return Err(format!("{what}\n{after}"));
    }
    paste(bench.space(0), &printed.undo)?;
    let back = listing(bench.space(0))?;
    ensure(back == before, || format!("taken back, the rules are others\n{before}\n{back}"))?;
    Ok(after)
}
