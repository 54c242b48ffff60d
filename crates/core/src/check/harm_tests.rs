//! Beside every example stands a second service; in half of the cases it shares a port, a target or a rule with the
//! product's own. Every fault is planted and cured: the service is reached as before. Without the gate it is not.

use super::harm::Gate;
use super::judged::{judge, network};
use super::trial::with;
use super::{Found, cure};
use crate::cube::{Cube, Set};
use crate::manifest::Place;
use crate::model::{Family, Part, address_value};
use crate::planted::{FAULTS, Fault};
use crate::site::Site;
use crate::snapshot::{Snapshot, Source};
use crate::trace::Budget;
use crate::trace::{Disposition, Question, Val, ask};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::PathBuf;
use std::rc::Rc;

/// What an administrator may have beside the product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Proxy,
    OtherForward,
    SshFromAnywhere,
    SshFromOneAddress,
    RoutersPage,
    OtherInstance,
    Vpn,
}

const KINDS: [Kind; 7] = [
    Kind::Proxy,
    Kind::OtherForward,
    Kind::SshFromAnywhere,
    Kind::SshFromOneAddress,
    Kind::RoutersPage,
    Kind::OtherInstance,
    Kind::Vpn,
];

const PUBLIC: &str = "203.0.113.5";
const ANYONE: &str = "8.8.4.4";
const ADMIN: &str = "198.51.100.77";

/// A packet by which a service is asked.
#[derive(Debug, Clone)]
struct Probe {
    lan: bool,
    src: &'static str,
    dst: &'static str,
    proto: u8,
    port: u16,
}

fn outside(proto: u8, port: u16) -> Probe {
    Probe { lan: false, src: ANYONE, dst: PUBLIC, proto, port }
}

/// A second service.
struct Plant {
    kind: Kind,
    shares: bool,
    put: fn(&mut Snapshot),
    probes: Vec<Probe>,
}

const TCP: u8 = 6;
const UDP: u8 = 17;

fn append(site: &mut Snapshot, lines: &str) {
    let text = &mut site.sources[1].text;
    text.push_str(lines);
    text.push('\n');
}

/// Second services beside the router with nftables (`LiveKit`: tcp 443 and 7881, udp 50000-60000 to 192.168.1.50).
#[allow(clippy::too_many_lines)] // a table
fn nft_plants() -> Vec<Plant> {
    let plant = |kind, shares, put: fn(&mut Snapshot), probes| Plant { kind, shares, put, probes };
    vec![
        plant(
            Kind::Proxy,
            false,
            |s| append(s, "add rule ip nat prerouting ip daddr 203.0.113.5 tcp dport 8443 dnat to 192.168.1.80:443"),
            vec![outside(TCP, 8443)],
        ),
        plant(
            Kind::Proxy,
            true,
            |s| append(s, "insert rule ip nat prerouting ip daddr 203.0.113.5 tcp dport 443 dnat to 192.168.1.80"),
            vec![outside(TCP, 443), Probe { lan: true, src: "192.168.1.99", ..outside(TCP, 443) }],
        ),
        plant(
            Kind::OtherForward,
            false,
            |s| append(s, "add rule ip nat prerouting iifname \"wan0\" tcp dport 25 dnat to 192.168.1.81"),
            vec![outside(TCP, 25)],
        ),
        plant(
            Kind::OtherForward,
            true,
            |s| {
                append(
                    s,
                    "insert rule ip nat prerouting ip daddr 203.0.113.5 meta l4proto { tcp, udp } th dport 7881 dnat to 192.168.1.81",
                );
            },
            vec![outside(TCP, 7881), outside(UDP, 7881)],
        ),
        plant(
            Kind::SshFromAnywhere,
            false,
            |s| append(s, "insert rule inet filter input iifname \"wan0\" tcp dport 22 accept"),
            vec![outside(TCP, 22), Probe { lan: true, src: "192.168.1.99", dst: "192.168.1.1", ..outside(TCP, 22) }],
        ),
        plant(
            Kind::SshFromAnywhere,
            true,
            |s| {
                append(
                    s,
                    "add rule ip nat prerouting ip daddr 203.0.113.5 tcp dport { 22, 7882 } dnat to 192.168.1.50",
                );
            },
            vec![outside(TCP, 22), Probe { lan: true, src: "192.168.1.99", ..outside(TCP, 22) }],
        ),
        plant(
            Kind::SshFromOneAddress,
            false,
            |s| append(s, "insert rule inet filter input ip saddr 198.51.100.77 tcp dport 22 accept"),
            vec![Probe { src: ADMIN, ..outside(TCP, 22) }],
        ),
        plant(
            Kind::SshFromOneAddress,
            true,
            |s| {
                append(s, "add rule ip nat prerouting ip saddr 198.51.100.77 tcp dport 2222 dnat to 192.168.1.50:22");
                append(s, "insert rule ip nat prerouting ip saddr 9.9.9.9 tcp dport 7881 dnat to 192.168.1.81:22");
            },
            vec![Probe { src: ADMIN, ..outside(TCP, 2222) }, Probe { src: "9.9.9.9", ..outside(TCP, 7881) }],
        ),
        plant(
            Kind::RoutersPage,
            false,
            |s| append(s, "insert rule inet filter input iifname { \"lan0\", \"wan0\" } tcp dport 8444 accept"),
            vec![
                outside(TCP, 8444),
                Probe { lan: true, src: "192.168.1.99", dst: "192.168.1.1", ..outside(TCP, 8444) },
            ],
        ),
        plant(
            Kind::RoutersPage,
            true,
            |s| append(s, "insert rule inet filter input meta l4proto { tcp, udp } th dport { 443, 50400 } accept"),
            vec![
                outside(UDP, 50400),
                Probe { lan: true, src: "192.168.1.99", dst: "192.168.1.1", ..outside(TCP, 443) },
            ],
        ),
        plant(
            Kind::OtherInstance,
            false,
            |s| append(s, "add rule ip nat prerouting ip daddr 203.0.113.5 udp dport 40000-40100 dnat to 192.168.1.61"),
            vec![outside(UDP, 40050)],
        ),
        plant(
            Kind::OtherInstance,
            true,
            |s| {
                append(
                    s,
                    "insert rule ip nat prerouting ip daddr 203.0.113.5 udp dport 50100-50200 dnat to 192.168.1.61",
                );
            },
            vec![outside(UDP, 50150)],
        ),
        plant(Kind::Vpn, false, |s| append(s, "insert rule inet filter input udp dport 51820 accept"), vec![]),
        plant(
            Kind::Vpn,
            true,
            |s| append(s, "insert rule inet filter input iifname \"wan0\" udp dport 50123 accept"),
            vec![outside(UDP, 50123)],
        ),
    ]
}

/// A port forward of pfSense with its own pass.
fn forward(proto: &str, port: &str, to: &str, local: &str, from: &str) -> String {
    let from = if from.is_empty() { "<any></any>".to_owned() } else { format!("<address>{from}</address>") };
    format!(
        "\t\t<rule>\n\t\t\t<source>{from}</source>\n\t\t\t<destination><network>wanip</network><port>{port}</port>\
         </destination>\n\t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>{proto}</protocol>\n\t\t\t<target>{to}</target>\n\
         \t\t\t<local-port>{local}</local-port>\n\t\t\t<interface>wan</interface>\n\t\t\t<descr><![CDATA[beside]]></descr>\n\
         \t\t\t<associated-rule-id>pass</associated-rule-id>\n\t\t\t<natreflection>purenat</natreflection>\n\t\t</rule>\n"
    )
}

/// A rule that lets packets for the firewall itself pass.
fn own(proto: &str, port: &str, from: &str) -> String {
    let from = if from.is_empty() { "<any></any>".to_owned() } else { format!("<address>{from}</address>") };
    format!(
        "\t\t<rule>\n\t\t\t<type>pass</type>\n\t\t\t<source>{from}</source>\n\t\t\t<interface>wan</interface>\n\
         \t\t\t<ipprotocol>inet</ipprotocol>\n\t\t\t<protocol>{proto}</protocol>\n\t\t\t<destination>\
         <network>wanip</network><port>{port}</port></destination>\n\t\t\t<descr><![CDATA[own]]></descr>\n\t\t</rule>\n"
    )
}

fn first(site: &mut Snapshot, rule: &str) {
    let text = &mut site.sources[1].text;
    *text = text.replacen("\t\t</outbound>\n", &format!("\t\t</outbound>\n{rule}"), 1);
}

fn last(site: &mut Snapshot, rule: &str) {
    let text = &mut site.sources[1].text;
    *text = text.replacen("\t</nat>", &format!("{rule}\t</nat>"), 1);
}

fn passes(site: &mut Snapshot, rule: &str) {
    let text = &mut site.sources[1].text;
    *text = text.replacen("\t<filter>\n", &format!("\t<filter>\n{rule}"), 1);
}

/// The same beside pfSense with Reflector (tcp 443, 80 and 7881, udp 44200-44300 to 192.168.1.60).
#[allow(clippy::too_many_lines)] // a table
fn pfsense_plants() -> Vec<Plant> {
    let plant = |kind, shares, put: fn(&mut Snapshot), probes| Plant { kind, shares, put, probes };
    let inside = |port| Probe { lan: true, src: "192.168.1.99", dst: "192.168.1.1", ..outside(TCP, port) };
    vec![
        plant(
            Kind::Proxy,
            false,
            |s| last(s, &forward("tcp", "8443", "192.168.1.80", "443", "")),
            vec![outside(TCP, 8443)],
        ),
        plant(
            Kind::Proxy,
            true,
            |s| first(s, &forward("tcp", "443", "192.168.1.80", "443", "")),
            vec![outside(TCP, 443), Probe { lan: true, src: "192.168.1.99", ..outside(TCP, 443) }],
        ),
        plant(
            Kind::OtherForward,
            false,
            |s| last(s, &forward("tcp", "25", "192.168.1.81", "25", "")),
            vec![outside(TCP, 25)],
        ),
        plant(
            Kind::OtherForward,
            true,
            |s| first(s, &forward("tcp/udp", "7881", "192.168.1.81", "7881", "")),
            vec![outside(TCP, 7881), outside(UDP, 7881)],
        ),
        plant(Kind::SshFromAnywhere, false, |s| passes(s, &own("tcp", "22", "")), vec![outside(TCP, 22), inside(22)]),
        plant(
            Kind::SshFromAnywhere,
            true,
            |s| last(s, &forward("tcp/udp", "2222", "192.168.1.60", "2222", "")),
            vec![outside(TCP, 2222)],
        ),
        plant(
            Kind::SshFromOneAddress,
            false,
            |s| passes(s, &own("tcp", "22", ADMIN)),
            vec![Probe { src: ADMIN, ..outside(TCP, 22) }],
        ),
        plant(
            Kind::SshFromOneAddress,
            true,
            |s| {
                last(s, &forward("tcp", "2222", "192.168.1.60", "22", ADMIN));
                first(s, &forward("tcp", "7881", "192.168.1.81", "22", "9.9.9.9"));
            },
            vec![Probe { src: ADMIN, ..outside(TCP, 2222) }, Probe { src: "9.9.9.9", ..outside(TCP, 7881) }],
        ),
        plant(
            Kind::RoutersPage,
            false,
            |s| passes(s, &own("tcp", "8444", "")),
            vec![outside(TCP, 8444), inside(8444), inside(443)],
        ),
        plant(
            Kind::RoutersPage,
            true,
            |s| passes(s, &own("tcp/udp", "44250", "")),
            vec![outside(UDP, 44250), outside(TCP, 44250), inside(443)],
        ),
        plant(
            Kind::OtherInstance,
            false,
            |s| last(s, &forward("udp", "50000-50100", "192.168.1.61", "50000", "")),
            vec![outside(UDP, 50050)],
        ),
        plant(
            Kind::OtherInstance,
            true,
            |s| first(s, &forward("udp", "44210-44220", "192.168.1.61", "44210", "")),
            vec![outside(UDP, 44215)],
        ),
        plant(Kind::Vpn, false, |s| passes(s, &own("udp", "51820", "")), vec![outside(UDP, 51820)]),
        plant(Kind::Vpn, true, |s| passes(s, &own("udp", "44222", "")), vec![outside(UDP, 44222)]),
    ]
}

fn forwards(site: &mut Snapshot, item: &str) {
    let text = &mut site.sources[0].text;
    *text = text.replacen("forwards = [", &format!("forwards = [\"{item}\", "), 1);
}

/// The same beside a box that is stated (Spokes: udp 50000-50499, tcp 7881 to 192.168.1.50).
fn stated_plants() -> Vec<Plant> {
    let plant = |kind, shares, put: fn(&mut Snapshot), probes| Plant { kind, shares, put, probes };
    vec![
        plant(Kind::Proxy, false, |s| forwards(s, "tcp/443 to 192.168.1.80"), vec![outside(TCP, 443)]),
        plant(Kind::OtherForward, true, |s| forwards(s, "tcp/7881 to 192.168.1.81"), vec![outside(TCP, 7881)]),
        plant(Kind::SshFromAnywhere, true, |s| forwards(s, "tcp/22 to 192.168.1.50"), vec![outside(TCP, 22)]),
        plant(Kind::OtherInstance, true, |s| forwards(s, "udp/50450-50480 to 192.168.1.61"), vec![outside(UDP, 50460)]),
        plant(Kind::Vpn, false, |s| forwards(s, "udp/51820 to 192.168.1.82"), vec![outside(UDP, 51820)]),
    ]
}

fn example(name: &str) -> Snapshot {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples").join(name);
    let read = |file: &str| std::fs::read_to_string(dir.join(file)).unwrap_or_else(|e| panic!("{name}/{file}: {e}"));
    let manifest = read("callpath.toml");
    let files: Vec<String> =
        crate::manifest::parse(&manifest).expect("manifest").files().into_iter().map(|f| f.value.clone()).collect();
    let mut sources = vec![Source { name: "callpath.toml".into(), text: manifest }];
    sources.extend(files.into_iter().map(|name| Source { text: read(&name), name }));
    Snapshot { sources, directory: String::new() }
}

fn stated(forwards: &str, more: &str) -> Snapshot {
    let text = format!(
        "name = \"voice.example.org\"\naddress = \"{PUBLIC}\"\n[[gateway]]\ninside = \"192.168.1.1/24\"\n\
         forwards = [{forwards}]\n{more}\n[[deploy]]\nsystem = \"spokes\"\nhost = \"192.168.1.50\"\n"
    );
    Snapshot { sources: vec![Source { name: "callpath.toml".into(), text }], directory: String::new() }
}

fn planted(site: &Snapshot, fault: &Fault) -> Snapshot {
    let mut out = site.clone();
    for (file, from, to) in fault.edits {
        let source = out.sources.iter_mut().find(|s| s.name == *file).expect("faults name files that there are");
        assert!(source.text.contains(from), "{from}");
        source.text = source.text.replacen(from, to, 1);
    }
    out
}

/// Sites with something wrong, and what may stand beside it.
fn sites() -> Vec<(String, Snapshot, Vec<Plant>)> {
    let mut out = Vec::new();
    for fault in FAULTS {
        let plants = match fault.example {
            "linux-router" => nft_plants(),
            "reflector" => pfsense_plants(),
            _ => continue,
        };
        out.push((format!("{} in {}", fault.cause, fault.example), planted(&example(fault.example), fault), plants));
    }
    for (name, forwards, more) in [
        ("no media", "\"tcp/7881\"", "hairpin = true"),
        ("range cut", "\"udp/50000-50400\", \"tcp/7881\"", "hairpin = true"),
        ("no tcp", "\"udp/50000-50499\"", "hairpin = true"),
        ("no hairpin", "\"udp/50000-50499\", \"tcp/7881\"", "hairpin = false"),
    ] {
        out.push((format!("stated, {name}"), stated(forwards, more), stated_plants()));
    }
    out
}

/// Where a packet's conversation takes place, if it does for certain.
fn reached(site: &Site, probe: &Probe) -> Option<(usize, u128, u128)> {
    let ip = |s: &str| address_value(s.parse::<IpAddr>().expect("an address literal"));
    let lan = |v: &&crate::site::Vantage| (v.place == Place::Lan) == probe.lan;
    let from = site.vantages.iter().find(lan)?.device;
    let one = |v: u128| Set::one(v);
    let parts =
        [one(ip(probe.src)), one(ip(probe.dst)), one(40001), one(u128::from(probe.port)), one(u128::from(probe.proto))];
    let packets = Cube { parts, vars: Vec::new() };
    let answer = ask(&site.network, &Question { from, family: Family::V4, packets });
    let value = |v: Val| match v {
        Val::Const(c) => c,
        Val::Part(Part::Dst, k) => ip(probe.dst).wrapping_add(k),
        Val::Part(_, k) => u128::from(probe.port).wrapping_add(k),
        Val::Var(_) => u128::MAX,
    };
    let mut all = answer.trips.iter().map(|t| {
        let last = t.request.last();
        let next = t.next.as_ref().is_some_and(|n| matches!(n.end, Disposition::Delivered { .. }));
        next.then(|| (last.device, value(last.header.dst), value(last.header.dport)))
    });
    let first = all.next()??;
    all.all(|other| other == Some(first)).then_some(first)
}

/// The packets reached this service, and not the product's own ports or a box in front.
fn is_it(kind: Kind, (_, address, _): (usize, u128, u128)) -> bool {
    let is = |s: &str| address == address_value(s.parse::<IpAddr>().expect("an address literal"));
    match kind {
        Kind::Proxy => is("192.168.1.80"),
        Kind::OtherForward => is("192.168.1.81"),
        Kind::OtherInstance => is("192.168.1.61"),
        Kind::RoutersPage | Kind::Vpn => !is("192.168.1.50") && !is("192.168.1.60"),
        Kind::SshFromAnywhere | Kind::SshFromOneAddress => true,
    }
}

/// What is proposed, notes included: neither takes anything, as far as is known.
fn proposed(f: &Found) -> bool {
    f.change.is_ok() && f.takes.is_empty()
}

/// Services that a site's cures take away.
fn hurt(site: &Snapshot, probes: &[(Kind, &Probe)], gate: Gate) -> Vec<String> {
    let first = Rc::new(judge(site, false, &Budget::default(), &Rc::default()).expect("an answer"));
    let before: Vec<_> =
        probes.iter().map(|(kind, p)| reached(&first.judged.site, p).filter(|was| is_it(*kind, *was))).collect();
    let cure = cure(site, &first, gate);
    let Some(cured) = with(site, &cure.found, |n| proposed(&cure.found[n])) else { return Vec::new() };
    let after = network(&cured, true, &Budget::default(), &Rc::default()).expect("what was printed can be read");
    let mut out = Vec::new();
    for ((_, probe), was) in probes.iter().zip(before) {
        let is = reached(&after, probe);
        if was.is_some() && was != is {
            out.push(format!("{probe:?}: was {was:?}, is {is:?}"));
        }
    }
    out
}

#[test]
fn cures_take_nothing_from_what_stands_beside_and_without_the_gate_they_do() {
    let mut bad = Vec::new();
    let mut without: BTreeMap<Kind, usize> = BTreeMap::new();
    let (mut alone, mut shared) = (0, 0);
    for (n, (name, site, plants)) in sites().into_iter().enumerate() {
        // What shares nothing stands beside all at once.
        let (sharing, beside): (Vec<&Plant>, Vec<&Plant>) = plants.iter().partition(|p| p.shares);
        let mut all = site.clone();
        for plant in &beside {
            (plant.put)(&mut all);
        }
        let probes: Vec<(Kind, &Probe)> =
            beside.iter().flat_map(|plant| plant.probes.iter().map(|p| (plant.kind, p))).collect();
        alone += beside.len();
        bad.extend(hurt(&all, &probes, Gate::On).into_iter().map(|why| format!("{name}, beside: {why}")));
        for plant in sharing.iter().cycle().skip(n * 3).take(sharing.len().min(4)) {
            let mut with = site.clone();
            (plant.put)(&mut with);
            let probes: Vec<(Kind, &Probe)> = plant.probes.iter().map(|p| (plant.kind, p)).collect();
            shared += 1;
            let hurt_by = |gate| hurt(&with, &probes, gate);
            bad.extend(hurt_by(Gate::On).into_iter().map(|why| format!("{name}, {:?}: {why}", plant.kind)));
            if without.get(&plant.kind).is_none_or(|n| *n < 2) && !hurt_by(Gate::Off).is_empty() {
                *without.entry(plant.kind).or_default() += 1;
            }
        }
    }
    println!("{alone} services beside, {shared} that share something; without the gate: {without:?}");
    assert!(bad.is_empty(), "{} hurt:\n{}", bad.len(), bad.join("\n"));
    for kind in KINDS {
        assert!(without.contains_key(&kind), "{kind:?}: without the gate nothing is hurt, so the test shows nothing");
    }
}
