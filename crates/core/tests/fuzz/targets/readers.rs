//! Readers of a router's configuration, and what is made of it.

use super::{site, sound};
use callpath_core::cube::{Cube, Set};
use callpath_core::dialect::pf::{self, lower::lower};
use callpath_core::dialect::pfsense::generate::{Known, device, generate};
use callpath_core::dialect::{Counts, Dialect, nft, pfsense, recognise, ruleset, without_secrets};
use callpath_core::model::{Device, Family, Interface, Pipeline, Route, RouteTarget, SourceId, address_value, print};
use callpath_core::redact::{Key, redact};
use callpath_core::snapshot::Snapshot;
use callpath_core::trace::{Network, Question, ask};

/// The text under test.
const ID: SourceId = SourceId(1);

/// `nft list ruleset`, and what people write.
pub fn nft_text(text: &str) {
    let snapshot = site::of_file("ruleset.nft", text);
    if let Some(pipeline) = read(&snapshot, &nft::Text) {
        asked(router(pipeline));
    }
    sometimes(&snapshot);
}

/// `nft -j list ruleset`.
pub fn nft_json(text: &str) {
    let snapshot = site::of_file("ruleset.json", text);
    if let Some(pipeline) = read(&snapshot, &nft::Json) {
        asked(router(pipeline));
    }
    sometimes(&snapshot);
}

/// `/tmp/rules.debug`.
pub fn rules_debug(text: &str) {
    let snapshot = site::of_file("rules.debug", text);
    if read(&snapshot, &pf::Pf).is_some() {
        let mut device = router(Pipeline::default());
        lower(&pf::text::parse(ID, text), &mut device);
        sound::places(&device.pipeline, &snapshot);
        asked(device);
    }
    sometimes(&snapshot);
}

/// A backup of pfSense.
pub fn config_xml(text: &str) {
    let blank = without_secrets(text.to_owned());
    assert_eq!(blank.len(), text.len(), "positions stay");
    let ends = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
    assert_eq!(ends(&blank), ends(text), "lines stay");
    for text in [text, &*blank] {
        let snapshot = site::of_file("config.xml", text);
        let Some(pipeline) = read(&snapshot, &pfsense::PfSense) else { continue };
        let again = read(&snapshot, &pfsense::PfSense).expect("it was read before");
        assert_eq!(print::pipeline(&again), print::pipeline(&pipeline), "read twice, it is the same");
        // Of a text that is not well-formed more may be hidden the second time: its tags end elsewhere then.
        assert_eq!(without_secrets(blank.clone()), blank, "nothing is left to be hidden");
        let config = pfsense::read::read(ID, text).expect("it was read before");
        let mut device = device(&config, "router");
        let rules = generate(&config, &device.interfaces, &Known::default()).rules;
        lower(&rules, &mut device);
        sound::places(&device.pipeline, &snapshot);
        let outer = router(Pipeline::default());
        for (interface, place) in device.interfaces.iter_mut().zip(outer.interfaces) {
            interface.segment = place.segment;
            if interface.addresses.is_empty() {
                interface.addresses = place.addresses;
            }
        }
        device.interfaces.truncate(2);
        device.routes.retain(|r| !matches!(r.target, RouteTarget::Via(i, _) if i > 1));
        asked(device);
    }
    sometimes(&site::of_file("config.xml", &blank));
}

/// Reads it as `callpath import` does.
fn read(snapshot: &Snapshot, dialect: &dyn Dialect) -> Option<Pipeline> {
    let text = &snapshot.source(ID)?.text;
    if let Err(e) = recognise(ID, text) {
        sound::error(&e, snapshot);
    }
    let mut pipeline = Pipeline::default();
    match ruleset(snapshot, ID, dialect, &mut pipeline).map(|c| c.counts) {
        Ok(Counts { statements, understood, approximated, unread }) => {
            assert_eq!(understood + approximated + unread, statements, "every statement is counted once");
            sound::places(&pipeline, snapshot);
            let _ = print::pipeline(&pipeline);
            Some(pipeline)
        }
        Err(e) => {
            sound::error(&e, snapshot);
            None
        }
    }
}

/// Judges the whole site, and one with pseudonyms, for one text in eight: readers are to see as many texts as they can.
fn sometimes(snapshot: &Snapshot) {
    let text = &snapshot.sources[1].text;
    if text.bytes().fold(0u8, |sum, b| sum.wrapping_mul(31).wrapping_add(b)).is_multiple_of(8) {
        sound::judged(snapshot);
        sound::judged(&redact(snapshot, &Key::new([7; 16])));
    }
}

fn interface(name: &str, net: &str, segment: usize) -> Interface {
    Interface { name: name.into(), addresses: net.parse().into_iter().collect(), segment, ..Interface::default() }
}

fn via(gateway: &str) -> Route {
    Route {
        to: "0.0.0.0/0".parse().expect("a network"),
        target: RouteTarget::Via(0, gateway.parse().ok()),
        table: 254,
        metric: 0,
    }
}

fn router(pipeline: Pipeline) -> Device {
    Device {
        interfaces: vec![interface("wan", "203.0.113.5/24", 0), interface("lan", "192.168.1.1/24", 1)],
        routes: vec![via("203.0.113.1")],
        pipeline,
        forwards: true,
        drops_own_source: true,
        ..Device::default()
    }
}

/// Asks for one caller on the internet: the pieces of the answer are the question.
fn asked(router: Device) {
    let value = |s: &str| address_value(s.parse().expect("an address"));
    let server = Device {
        interfaces: vec![interface("eth0", "192.168.1.50/24", 1)],
        routes: vec![via("192.168.1.1")],
        ..Device::default()
    };
    let mut internet = Device { interfaces: vec![interface("eth0", "203.0.113.1/24", 0)], ..Device::default() };
    internet.interfaces[0].hosts_v4 = Set::range(value("8.8.8.0"), value("8.8.8.255"));
    let network = Network { devices: vec![router, server, internet].into(), ..Network::default() };
    let parts = [
        Set::one(value("8.8.8.8")),
        Set::from_ranges([value("203.0.113.5"), value("192.168.1.50")].map(|a| (a, a))),
        Set::range(1024, 65535),
        Set::range(1, 65535),
        Set::from_ranges([(6, 6), (17, 17)]),
    ];
    let question = Question { from: 2, family: Family::V4, packets: Cube { parts, vars: Vec::new() } };
    let answer = ask(&network, &question);
    if answer.variables.is_empty() {
        let volume: u128 = answer.trips.iter().map(|t| t.asked.volume()).sum();
        assert_eq!(volume, question.packets.volume(), "the pieces are not the question");
    }
}
