//! What each product's document says, written down by hand a second time, and held against its profile.

use super::{PROFILES, find};
use crate::manifest::show_ranges;
use crate::ports::{Choice, Format, render, sheet};
use crate::requirement::Level;

/// Product, mode, what must or may be reached, what must not.
const DOCUMENTS: &[(&str, &str, &str, &str)] = &[
    ("spokes", "docker", "50000-50499/udp 7881/tcp", ""),
    (
        "reflector",
        "caddy",
        "443/tcp 80/tcp 44200-44300/udp 7881/tcp 8888/tcp 22/tcp",
        "1250/tcp 3000/tcp 7880/tcp 3900/tcp 5432/tcp 6379/tcp 7077/tcp",
    ),
    (
        "reflector",
        "direct",
        "3000/tcp 1250/tcp 7880/tcp 7881/tcp 44200-44300/udp 40000-40100/udp 3900/tcp 8888/tcp 22/tcp",
        "5432/tcp 6379/tcp 7077/tcp",
    ),
    // LiveKit's own document says that 7880 is for the proxy alone.
    ("plugnmeet", "proxy", "80/tcp 443/tcp 7881/tcp 50000-60000/udp 443/udp", "7880/tcp"),
    ("difuse", "nat", "6069/tcp 443/tcp 20000-30000/udp", ""),
    ("difuse", "edge", "6069/tcp 443/tcp 20000-30000/udp", ""),
    (
        "nethvoice",
        "firewall",
        "5060-5061/tcp 5060-5061/udp 10000-20000/udp 20107/tcp 20092/tcp 20149/tcp 20110/udp 21000-21999/udp 55820/udp \
         443/tcp 22/tcp",
        "",
    ),
    (
        "nethvoice",
        "node",
        "5060-5061/tcp 5060-5061/udp 10000-20000/udp 20107/tcp 20092/tcp 20149/tcp 20110/udp 21000-21999/udp 55820/udp \
         443/tcp 22/tcp",
        "",
    ),
];

fn choice(system: &str, mode: &str) -> Choice {
    Choice { system: system.into(), mode: Some(mode.into()), ..Choice::default() }
}

fn sorted(list: impl Iterator<Item = String>) -> Vec<String> {
    let mut list: Vec<String> = list.collect();
    list.sort();
    list
}

#[test]
fn every_port_of_the_document_is_there_and_no_other() {
    for (system, mode, open, closed) in DOCUMENTS {
        let instance = choice(system, mode).instance().expect(system);
        let rows = |forbidden: bool| {
            let list = instance.requirements.iter().filter(move |r| (r.level == Level::Forbidden) == forbidden);
            sorted(list.map(|r| format!("{}/{}", show_ranges(&r.ports), r.proto.name())))
        };
        assert_eq!(rows(false), sorted(open.split_whitespace().map(str::to_owned)), "{system}, {mode}");
        assert_eq!(rows(true), sorted(closed.split_whitespace().map(str::to_owned)), "{system}, {mode}");
        let markdown = render(&instance, Format::Markdown);
        for wanted in open.split_whitespace() {
            let (ports, proto) = wanted.split_once('/').expect("ports/proto");
            let proto = proto.to_uppercase();
            let found = markdown.lines().any(|l| {
                let cells: Vec<&str> = l.split('|').map(str::trim).collect();
                cells.len() == 7 && cells[1].split(' ').next() == Some(ports) && cells[2] == proto
            });
            assert!(found, "{system}, {mode}: {wanted} is not in the table\n{markdown}");
        }
        for wanted in closed.split_whitespace() {
            let (ports, proto) = wanted.split_once('/').expect("ports/proto");
            assert!(markdown.contains(&format!("\n- {ports} {}: ", proto.to_uppercase())), "{system}: {wanted}");
        }
    }
}

#[test]
fn every_mode_of_every_product_but_the_base_is_written_down() {
    for (name, _) in PROFILES.iter().filter(|(n, _)| *n != "livekit") {
        for mode in find(name).expect("profile").mode {
            assert!(DOCUMENTS.iter().any(|d| d.0 == *name && d.1 == mode.name), "{name}, {}", mode.name);
        }
    }
}

/// Product, mode, text that each form of the sheet must hold.
const FACTS: &[(&str, &str, &str)] = &[
    ("spokes", "docker", "Spokes LiveKit UDP"),
    ("spokes", "docker", "Spokes LiveKit TCP Fallback"),
    ("spokes", "docker", "sign-in and signalling: the document names no port"),
    ("spokes", "docker", "NAT reflection (Pure NAT)"),
    ("spokes", "docker", "500 ports, 2 for each participant: about 250 participants"),
    ("reflector", "caddy", "proxied through Caddy"),
    ("reflector", "caddy", "admin only: from your address"),
    ("reflector", "caddy", "101 ports, 2 for each participant: about 50 participants"),
    ("reflector", "caddy", "49152-65535"),
    ("reflector", "caddy", "udp 40000-40100 (recording)"),
    ("reflector", "direct", "refuse the microphone"),
    ("reflector", "direct", "yes (if garage is used)"),
    ("reflector", "direct", "yes (if webrtc is used)"),
    ("reflector", "direct", "yes (if livekit is used)"),
    ("plugnmeet", "proxy", "10001 ports, 2 for each participant: about 5000 participants"),
    ("plugnmeet", "proxy", "install.sh"),
    ("difuse", "nat", "in SDP"),
    ("difuse", "nat", "Local IP Subnets"),
    ("nethvoice", "firewall", "example, yours differs"),
    ("nethvoice", "firewall", "switch off"),
    ("nethvoice", "node", "nothing is left to do"),
    ("difuse", "edge", "no gateway stands in front"),
    ("nethvoice", "firewall", "NAT reflection"),
    ("nethvoice", "firewall", "create-module/20firewall"),
    ("livekit", "proxy", "full agent"),
];

/// What a page says: ranges and options are marked, so that they are not broken.
fn without_marks(page: &str) -> String {
    page.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text)).collect()
}

#[test]
fn every_form_of_the_sheet_says_what_the_document_says() {
    for (system, mode, fact) in FACTS {
        let instance = choice(system, mode).instance().expect(system);
        for format in [Format::Text, Format::Markdown, Format::Html] {
            // The terminal's lines are broken.
            let text = render(&instance, format).split_whitespace().collect::<Vec<_>>().join(" ");
            let text = if format == Format::Html { without_marks(&text) } else { text };
            assert!(text.contains(fact), "{system}, {mode}, {format:?}: {fact}\n{text}");
        }
    }
}

#[test]
fn each_parameter_changes_every_form_and_the_requirements() {
    const FORMATS: [Format; 4] = [Format::Text, Format::Markdown, Format::Json, Format::Html];
    for (name, _) in PROFILES {
        let profile = find(name).expect("profile");
        let on: Vec<String> = profile.feature.iter().map(|f| f.name.clone()).collect();
        for parameter in &profile.parameter {
            let value = if parameter.default.contains('-') { "33000-33123" } else { "33333" };
            let changes = profile.mode.iter().any(|mode| {
                let usual = Choice { on: on.clone(), ..choice(name, &mode.name) };
                let other = Choice { with: vec![format!("{}={value}", parameter.name)], ..usual.clone() };
                let (usual, other) = (usual.instance().expect(name), other.instance().expect(name));
                if usual.requirements == other.requirements {
                    return false;
                }
                for (a, b) in usual.requirements.iter().zip(&other.requirements) {
                    let moved = a.parameter == parameter.name;
                    assert_eq!(moved, a.ports != b.ports, "{name}: only rows of {} move", parameter.name);
                    assert_eq!(b.ports == crate::manifest::parse_ports(value).expect("ports"), moved);
                    assert!(!moved || !b.example, "a stated port is no example");
                }
                for format in FORMATS {
                    assert_ne!(render(&usual, format), render(&other, format), "{name}, {}", parameter.name);
                    assert!(render(&other, format).contains(value), "{name}, {}: {format:?}", parameter.name);
                }
                true
            });
            assert!(changes, "{name}: {} changes nothing", parameter.name);
        }
    }
}

#[test]
fn a_row_is_there_only_with_its_features() {
    for (name, _) in PROFILES {
        for feature in find(name).expect("profile").feature {
            let seen = find(name).expect("profile").mode.iter().any(|mode| {
                let on = Choice { on: vec![feature.name.clone()], ..choice(name, &mode.name) };
                let off = Choice { off: vec![feature.name.clone()], ..choice(name, &mode.name) };
                let (on, off) = (on.instance().expect(name), off.instance().expect(name));
                assert!(off.requirements.iter().all(|r| !r.when.contains(&feature.name)), "{name}, {}", feature.name);
                on.requirements.len() > off.requirements.len()
            });
            assert!(seen, "{name}: {} changes nothing", feature.name);
        }
    }
}

#[test]
fn a_child_takes_from_its_base_what_it_does_not_say() {
    let spokes = find("spokes").expect("profile");
    let row = spokes.row.iter().find(|r| r.id == "media-udp").expect("row");
    assert_eq!((row.leg.as_str(), row.per_participant), ("media", Some(2)));
    assert_eq!(row.source, "pfsense: Rule 1: UDP Range");
    assert_eq!(spokes.parameter.len(), 2, "parameters of dropped rows are gone");
    assert_eq!(spokes.alias.as_deref(), Some("public_ip"));
    for (name, _) in PROFILES {
        let profile = find(name).expect("profile");
        let base = profile.base.as_deref().map(|b| find(b).expect("base"));
        for dropped in &profile.drop {
            let known = base.iter().any(|b| b.row.iter().any(|r| r.id == *dropped));
            assert!(known, "{name}: its base has no row {dropped}");
        }
    }
    let sheet = sheet(&choice("reflector", "direct").instance().expect("reflector"));
    let signal = sheet.open.iter().find(|l| l.id == "signal").expect("row");
    assert_eq!(signal.ports, "7880");
}
