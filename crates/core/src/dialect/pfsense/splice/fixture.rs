//! Configurations and edits for tests.

use crate::dialect::pfsense::edit::{
    Destination, Edit, ForwardField, NewForward, NewOutbound, NewPass, Reflection, RuleField,
};

/// As pfSense writes it: tabs, pairs of tags, CDATA.
pub(in crate::dialect::pfsense) const BASE: &str = include_str!("fixture.xml");

/// The same configuration in other hands.
pub(in crate::dialect::pfsense) fn variants() -> Vec<(&'static str, String)> {
    let closed = BASE
        .replace("<any></any>", "<any/>")
        .replace("<disabled></disabled>", "<disabled/>")
        .replace("<enable></enable>", "<enable/>");
    let spaced = closed.replace("/>", " />").replace('\t', "  ");
    let joined: String = BASE.lines().map(str::trim).collect();
    let bare: String = BASE.replace("<alias>", "<!-- first --><alias>");
    vec![
        ("tabs", BASE.to_owned()),
        ("windows", BASE.replace('\n', "\r\n")),
        ("self-closed, four spaces", closed.replace('\t', "    ")),
        ("spaced", spaced),
        ("one line", joined),
        ("comments", bare),
        ("no end of line at the end", BASE.trim_end().to_owned()),
    ]
}

pub(in crate::dialect::pfsense) fn forward(
    protocol: &'static str,
    destination: Destination,
    ports: (u16, u16),
    descr: &str,
) -> NewForward {
    NewForward {
        interface: "wan".into(),
        v6: false,
        protocol,
        destination,
        ports,
        target: "192.168.1.50".into(),
        local_port: ports.0,
        reflection: Reflection::PureNat,
        source: None,
        descr: descr.into(),
    }
}

/// What the host of the forwards sends out.
fn outbound(target: Option<&str>) -> NewOutbound {
    NewOutbound {
        interface: "wan".into(),
        v6: false,
        source: "192.168.1.50/32".into(),
        target: target.map(str::to_owned),
        descr: "outbound".into(),
    }
}

pub(in crate::dialect::pfsense) fn pass(interface: &str, before: Option<usize>, floating: bool) -> NewPass {
    NewPass {
        interface: interface.into(),
        v6: false,
        protocol: "udp",
        source: Some("192.168.20.0/24".into()),
        destination: "192.168.1.50".into(),
        ports: (50000, 50499),
        before,
        floating,
        descr: "Calls from phones".into(),
    }
}

/// The Spokes document, in its order.
pub(in crate::dialect::pfsense) fn spokes() -> Vec<Edit> {
    let wan = || Destination::InterfaceAddress("wan".into());
    let name = || Destination::Address("public_ip".into());
    vec![
        Edit::AddForward(forward("udp", wan(), (50000, 50499), "Spokes LiveKit UDP")),
        Edit::AddForward(forward("tcp", wan(), (7881, 7881), "Spokes LiveKit TCP Fallback")),
        Edit::AddAlias {
            name: "public_ip".into(),
            kind: "host",
            members: vec!["yourserver.duckdns.org".into()],
            descr: "public address by name".into(),
        },
        Edit::AddForward(forward("udp", name(), (50000, 50499), "Spokes LiveKit UDP (public name)")),
        Edit::AddForward(forward("tcp", name(), (7881, 7881), "Spokes LiveKit TCP Fallback (public name)")),
        Edit::ReflectionHelper(true),
    ]
}

/// Lists of edits that fit [`BASE`], every kind and field among them.
pub(in crate::dialect::pfsense) fn lists() -> Vec<Vec<Edit>> {
    let wan = || Destination::InterfaceAddress("wan".into());
    let odd = NewForward {
        v6: true,
        target: "2001:db8::50".into(),
        source: Some("trunk & <co>".into()),
        local_port: 30000,
        reflection: Reflection::Default,
        ..forward("tcp/udp", wan(), (20000, 20010), "Büro & <Ärger> \"quoted\" ]]> 電話 with a long name for one cut")
    };
    let set = |forward, set: &[ForwardField]| Edit::SetForward { forward, set: set.to_vec() };
    let rule = |rule, set: &[RuleField]| Edit::SetRule { rule, set: set.to_vec() };
    vec![
        spokes(),
        vec![Edit::AddForward(odd.clone()), Edit::ReflectionHelper(true)],
        vec![Edit::AddForward(NewForward {
            interface: "opt2".into(),
            descr: String::new(),
            ..forward("udp", Destination::Address("198.51.100.7".into()), (1, 65535), "")
        })],
        vec![
            set(0, &[ForwardField::Reflection(Reflection::PureNat), ForwardField::Ports(5060, 5070)]),
            set(0, &[ForwardField::LocalPort(6060), ForwardField::Protocol("tcp/udp")]),
            set(0, &[ForwardField::Target("192.168.1.60".into()), ForwardField::Source(Some("10.0.0.0/8".into()))]),
            set(
                0,
                &[ForwardField::Destination(Destination::Address("pbx_names".into())), ForwardField::Disabled(true)],
            ),
        ],
        vec![
            set(1, &[ForwardField::Disabled(false), ForwardField::Reflection(Reflection::Default)]),
            set(1, &[ForwardField::Source(None), ForwardField::Destination(wan())]),
            set(2, &[ForwardField::Associated(true), ForwardField::Reflection(Reflection::Proxy)]),
            set(3, &[ForwardField::Associated(true), ForwardField::Reflection(Reflection::Disable)]),
        ],
        vec![set(0, &[ForwardField::Associated(false)])],
        vec![Edit::SetAlias { name: "pbx_names".into(), members: vec!["new.example".into(), "b.example".into()] }],
        vec![Edit::AddAlias {
            name: "rtp".into(),
            kind: "port",
            members: vec!["5060".into(), "10000:20000".into()],
            descr: "A & B".into(),
        }],
        vec![Edit::AddAlias {
            name: "inside".into(),
            kind: "network",
            members: vec!["10.0.0.0/8".into()],
            descr: String::new(),
        }],
        vec![
            Edit::AddForward(odd),
            Edit::AddPass(pass("opt1", Some(4), false)),
            rule(5, &[RuleField::Gateway(None), RuleField::Ports(1, 2), RuleField::Destination("192.168.1.9".into())]),
            rule(4, &[RuleField::Disabled(true), RuleField::Action("pass"), RuleField::Protocol("tcp")]),
            Edit::AddPass(NewPass { descr: "second".into(), source: None, ..pass("opt1", Some(5), false) }),
        ],
        vec![Edit::AddPass(NewPass { v6: true, ..pass("opt1", None, false) }), Edit::AddPass(pass("lan", None, true))],
        vec![Edit::AddPass(pass("wan", Some(3), true)), rule(3, &[RuleField::Source(Some("10.1.0.0/16".into()))])],
        vec![rule(2, &[RuleField::Gateway(Some("WAN2".into())), RuleField::Source(None)])],
        vec![rule(6, &[RuleField::Disabled(false)]), Edit::ReflectionHelper(true)],
        vec![Edit::NoReplyTo(true), rule(2, &[RuleField::NoReplyTo(true)])],
        vec![Edit::OutboundMode("hybrid"), Edit::AddOutbound(outbound(None))],
        vec![
            Edit::AddOutbound(outbound(Some("203.0.113.6"))),
            Edit::OutboundMode("advanced"),
            Edit::AddOutbound(NewOutbound {
                interface: "opt1".into(),
                descr: "second & <last>".into(),
                ..outbound(None)
            }),
        ],
    ]
}
