//! What becomes of packets at rules that leave something open.

use super::*;
use crate::cube::{Cube, Set};
use crate::dialect::pf::text;
use crate::model::{Route, RouteTarget, SourceId, address_value};
use crate::trace::{Disposition, Network, Question, ask};

/// A device with interfaces, each in a segment of its own number.
fn device(nets: &[(&str, &str, usize)]) -> Device {
    let iface = |(name, net, segment): &(&str, &str, usize)| Interface {
        name: (*name).into(),
        addresses: net.parse().into_iter().collect(),
        segment: *segment,
        ..Interface::default()
    };
    Device { interfaces: nets.iter().map(iface).collect(), forwards: true, ..Device::default() }
}

/// Does a packet of UDP from the internet to the public address get its answer from the server? None: nobody knows.
fn answered(rules: &Ruleset) -> (Option<bool>, Counts) {
    let mut router = device(&[("em0", "203.0.113.5/24", 0), ("em1", "192.168.1.1/24", 1)]);
    let counts = lower(rules, &mut router);
    let mut server = device(&[("eth0", "192.168.1.50/24", 1)]);
    let target = RouteTarget::Via(0, Some("192.168.1.1".parse().expect("ip")));
    server.routes.push(Route { to: "0.0.0.0/0".parse().expect("net"), target, table: 254, metric: 0 });
    let caller = device(&[("eth0", "203.0.113.9/24", 0)]);
    let one = |ip: &str| Set::one(address_value(ip.parse().expect("ip")));
    let parts = [one("203.0.113.9"), one("203.0.113.5"), Set::one(40000), Set::one(5004), Set::one(17)];
    let question = Question { from: 2, family: Family::V4, packets: Cube { parts, vars: Vec::new() } };
    let trips = ask(&Network { devices: vec![router, server, caller].into(), ..Network::default() }, &question).trips;
    let unknown = |t: &crate::trace::RoundTrip| {
        let journeys = [Some(&t.request), t.reply.as_ref(), t.next.as_ref()];
        journeys.into_iter().flatten().any(|j| matches!(j.end, Disposition::Unknown(_)))
    };
    let arrives = |t: &crate::trace::RoundTrip| t.next.as_ref().is_some_and(|j| j.last().device == 1);
    let known = !trips.iter().any(unknown) && trips.iter().all(|t| arrives(t) == arrives(&trips[0]));
    (known.then(|| arrives(&trips[0])), counts)
}

const FORWARD: &str = "rdr on em0 inet proto udp from any to 203.0.113.5 port 5004 -> 192.168.1.50\n";

/// The fate with these statements before a forward, and whether all were understood.
fn before_forward(text: &str) -> (Option<bool>, bool) {
    let rules = text::parse(SourceId(0), &format!("{text}{FORWARD}pass all\n"));
    let (fate, counts) = answered(&rules);
    assert_eq!(counts.statements, counts.understood + counts.approximated + counts.unread, "{counts:?}");
    (fate, counts.understood == counts.statements)
}

#[test]
fn a_name_that_is_no_interface_may_be_any() {
    assert_eq!(before_forward(""), (Some(true), true));
    let blocked = |name: &str| before_forward(&format!("block in quick on {name} inet proto udp from any to any\n"));
    assert_eq!(blocked("em0"), (Some(false), true));
    assert_eq!(blocked("em1"), (Some(true), true));
    for strange in ["$WAN", "WAN", "em7", "ovpns1", "outside", "! em7"] {
        assert_eq!(blocked(strange), (None, false), "{strange}");
    }
    // Surely not the line to the internet.
    for other in ["lo0", "openvpn", "pfsync0"] {
        assert_eq!(blocked(other), (Some(true), true), "{other}");
    }
    // What em0 is, is known, whatever em7 may be.
    assert_eq!(blocked("{ em0 em7 }"), (Some(false), false));
    let addresses = before_forward("block in quick on em0 inet proto udp from any to (em7)\n");
    assert_eq!(addresses, (None, false));
    // Where a backup names all interfaces, a device with another name is another device, but a group may be anything.
    for (name, fate) in [("em7", Some(true)), ("outside", None)] {
        let text = format!("block in quick on {name} inet proto udp from any to any\n{FORWARD}pass all\n");
        let rules = Ruleset { all_named: true, ..text::parse(SourceId(0), &text) };
        assert_eq!(answered(&rules).0, fate, "{name}");
    }
}

#[test]
fn one_to_one_that_is_not_for_one_network_leaves_both_ways_open() {
    let plain = "binat on em0 inet from 192.168.1.50 to any -> 203.0.113.5\n";
    let without = |text: &str| {
        let rules = text::parse(SourceId(0), &format!("{text}pass all\n"));
        let (fate, counts) = answered(&rules);
        (fate, counts.approximated + counts.unread)
    };
    assert_eq!(without(plain), (Some(true), 0));
    for odd in [
        "binat on em0 inet from { 192.168.1.50 192.168.1.51 } to any -> 203.0.113.5\n",
        "table <inner> { 192.168.1.50 }\nbinat on em0 inet from <inner> to any -> 203.0.113.5\n",
        "binat on em0 inet from ! 192.168.1.50 to any -> 203.0.113.5\n",
        "binat on em0 inet from (em1) to any -> 203.0.113.5\n",
        "binat on em0 inet from 192.168.1.50 to any -> (em7)\n",
        "binat on em0 inet from 192.168.1.50 to any -> 203.0.113.5 frobnicate\n",
    ] {
        assert_eq!(without(odd), (None, 1), "{odd}");
    }
}

#[test]
fn a_target_that_nobody_knows_is_no_translation_to_nothing() {
    let many = (0..65).map(|n| format!(" 192.168.1.{}", 2 * n)).collect::<Vec<_>>().concat();
    for odd in [
        "rdr on em0 inet proto udp from any to 203.0.113.5 port 5004 -> <nowhere>\n".to_owned(),
        format!("table <many> {{{many} }}\nrdr on em0 inet proto udp from any to 203.0.113.5 port 5004 -> <many>\n"),
        "table <names> persist\nrdr on em0 inet proto udp from any to 203.0.113.5 port 5004 -> <names>\n".to_owned(),
        "rdr on em0 inet proto udp from any to 203.0.113.5 port 5004 -> (em7)\n".to_owned(),
        "nat on em1 inet proto udp from any to any -> <nowhere>\n".to_owned(),
        "nat on em1 inet proto udp from any to any -> (em7)\n".to_owned(),
    ] {
        assert_eq!(before_forward(&odd), (None, false), "{odd}");
    }
    // A target of the other family makes no rule for this one.
    assert_eq!(before_forward("rdr on em0 proto udp from any to any port 5004 -> 2001:db8::5\n"), (Some(true), true));
}

#[test]
fn what_is_picked_in_turn_counts_as_followed_both_ways_once() {
    let counts = |text: &str| answered(&text::parse(SourceId(0), text)).1;
    let found = counts("rdr on em0 proto udp from any to any port 5004 -> { 192.168.1.50 192.168.1.51 } round-robin\n");
    assert_eq!((found.approximated, found.understood), (1, 0));
    let found = counts(
        "pass in on em1 route-to { ( em0 203.0.113.1 ) ( em0 203.0.113.2 ) } round-robin inet from any to any\n",
    );
    assert_eq!((found.approximated, found.understood), (1, 0));
    let found = counts("pass out on em1 route-to ( em0 203.0.113.1 ) inet from any to any\npass all\n");
    assert_eq!((found.approximated, found.understood), (1, 1));
    let found = counts(
        "pass in on em0 reply-to ( em0 203.0.113.1 ) inet from any to any\n\
         pass in on em1 reply-to ( em1 192.168.1.9 ) inet from any to any\n",
    );
    assert_eq!((found.approximated, found.understood), (2, 0));
    // Two families, two doubts, one statement.
    let found = counts("pass in on em0 proto udp from any to any frobnicate\npass all\n");
    assert_eq!((found.approximated, found.understood), (1, 1));
}

#[test]
fn more_ways_and_labels_than_the_mark_has_room_for_are_not_taken_for_none() {
    let ways = (0..256u32)
        .map(|n| {
            format!(
                "pass in quick on em1 route-to ( em0 10.0.{}.{} ) inet proto udp from any to 10.9.9.9\n",
                n / 200,
                n % 200 + 1
            )
        })
        .collect::<Vec<String>>()
        .concat();
    let rules = text::parse(SourceId(0), &format!("{ways}{FORWARD}pass all\n"));
    let mut router = device(&[("em0", "203.0.113.5/24", 0), ("em1", "192.168.1.1/24", 1)]);
    let counts = lower(&rules, &mut router);
    assert_eq!(counts.approximated, 1);
    assert!(router.routing_rules.iter().all(|r| r.mark.is_none_or(|(value, _)| value != 0)));
    assert_eq!(answered(&rules).0, Some(true));
    let labelled = (0..256)
        .map(|n| format!("pass in quick on em0 proto udp from any to any port {} tag T{n}\n", 6000 + n))
        .collect::<Vec<String>>()
        .concat();
    let labels = text::parse(SourceId(0), &format!("{labelled}block in quick on em0 tagged T255\n{FORWARD}pass all\n"));
    let (fate, counts) = answered(&labels);
    assert_eq!((fate, counts.approximated), (None, 2));
}
