//! Lines, what they say, what becomes of packets, and a change.

use super::*;
use crate::change::{Intent, Packets, Wanted};
use crate::cube::{Cube, Set};
use crate::dialect::recognise;
use crate::model::{Device, Family, Interface, Pipeline, Route, RouteTarget, address_value};
use crate::trace::{Disposition, Network, Question, ask};

const TEXT: &str = "toy firewall 1\noutside wan0\nforward udp 5004-5005 to 192.168.1.50 # calls\n";

/// Does a packet to the public address come about with its answer?
fn arrives(text: &str, port: u16) -> Option<bool> {
    let mut pipeline = Pipeline::default();
    lower::lower(&parse(SourceId(0), text), &mut pipeline);
    let device = |pipeline, nets: &[(&str, usize)]| {
        let iface = |(net, segment): &(&str, usize)| {
            let (name, addresses) = (format!("wan{segment}").into(), vec![net.parse().expect("net")]);
            Interface { name, addresses, segment: *segment, ..Interface::default() }
        };
        let interfaces = nets.iter().map(iface).collect();
        Device { interfaces, pipeline, forwards: true, ..Device::default() }
    };
    let router = device(pipeline, &[("203.0.113.5/24", 0), ("192.168.1.1/24", 1)]);
    let mut server = device(Pipeline::default(), &[("192.168.1.50/24", 1)]);
    let target = RouteTarget::Via(0, Some("192.168.1.1".parse().expect("ip")));
    server.routes.push(Route { to: "0.0.0.0/0".parse().expect("net"), target, table: 254, metric: 0 });
    let caller = device(Pipeline::default(), &[("203.0.113.9/24", 0)]);
    let one = |ip: &str| Set::one(address_value(ip.parse().expect("ip")));
    let parts = [one("203.0.113.9"), one("203.0.113.5"), Set::one(40000), Set::one(port.into()), Set::one(17)];
    let question = Question { from: 2, family: Family::V4, packets: Cube { parts, vars: Vec::new() } };
    let trips = ask(&Network { devices: vec![router, server, caller].into(), ..Network::default() }, &question).trips;
    let known = !matches!(trips[0].request.end, Disposition::Unknown(_));
    known.then(|| trips[0].next.as_ref().is_some_and(|j| j.last().device == 1))
}

#[test]
fn it_is_in_the_table() {
    assert_eq!(recognise(SourceId(0), TEXT).map(|d| d.about().name), Ok(ABOUT.name));
}

#[test]
fn lines_decide_and_what_is_not_understood_leaves_it_open() {
    assert_eq!((arrives(TEXT, 5005), arrives(TEXT, 5006)), (Some(true), Some(false)));
    let text = format!("{TEXT}  shape voip first\n");
    let last = parse(SourceId(0), &text).pop().expect("a line");
    assert_eq!((last.says, &text[last.at.start as usize..last.at.end as usize]), (Says::Unread, "  shape voip first"));
    assert_eq!(arrives(&text, 5005), None);
}

#[test]
fn a_change_works_and_can_be_taken_back() {
    let address = "203.0.113.5".parse().expect("ip");
    let (family, proto, ports) = (Family::V4, Proto::Udp, vec![(7000, 7000), (7010, 7019)]);
    let packets = Packets { family, proto, ports, from: Vec::new(), in_ifaces: Vec::new(), out_iface: None };
    let to = "192.168.1.50".parse().expect("ip");
    let intent = Intent::Forward { packets, address, to, port: None, hairpin: false };
    let wanted = [Wanted { intent, nearest: None, deciding: None, name: "calls".into() }];
    let printed = change::print(TEXT, &wanted).expect("can be done");
    assert_eq!((arrives(TEXT, 7015), arrives(&printed.text, 7015)), (Some(false), Some(true)));
    let gone = |l: &&str| !printed.undo[0].lines.iter().any(|u| u.trim_end() == l.trim_end());
    assert_eq!(printed.text.split_inclusive('\n').filter(gone).collect::<String>(), TEXT);
}

#[test]
fn no_comment_and_no_line_that_is_not_understood_speaks() {
    let mut text = String::from(
        "toy firewall 1\noutside wan # canary\n# canary\nforward udp 50000-60000 to 192.168.1.50 # canary\n",
    );
    for name in ["password", "psk", "note"] {
        for line in ["NAME canary\n", "NAME = canary # canary\n", "outside NAME canary\n", "allow NAME canary\n"] {
            text += &line.replace("NAME", name);
        }
    }
    text += "outside https://canary@lists.example/canary\nallow tcp 443 to ghp_canary1canary1canary1\n";
    let blank = crate::dialect::without_secrets(text.clone());
    assert!(!blank.contains("canary"), "{blank}");
    let ends = |text: &str| text.match_indices('\n').map(|(at, _)| at).collect::<Vec<_>>();
    assert_eq!((blank.len(), ends(&blank)), (text.len(), ends(&text)));
}
