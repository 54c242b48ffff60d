//! Every element of an export that decides about packets: two configurations that differ in it alone, and what becomes
//! of one packet in each. Elements without such a pair stand in a list with the reason.

pub mod base;
mod branches;
mod filter;
mod irrelevant;
mod nat;
mod rest;
mod services;

use base::{BASE, Edit, edited, fate};
use callpath_core::dialect::pfsense::secrets;

/// Two configurations that differ in one element.
pub struct Pair {
    /// The element's path, repeated elements by one name.
    field: &'static str,
    /// What both have beyond the base.
    setup: &'static [Edit],
    /// What the second has beyond the first.
    change: Edit,
    /// The packet.
    packet: &'static str,
    /// Its fate in the first and in the second.
    fates: (&'static str, &'static str),
}

const fn pair(
    field: &'static str,
    setup: &'static [Edit],
    change: Edit,
    packet: &'static str,
    before: &'static str,
    after: &'static str,
) -> Pair {
    Pair { field, setup, change, packet, fates: (before, after) }
}

fn pairs() -> impl Iterator<Item = &'static Pair> {
    nat::PAIRS.iter().chain(filter::PAIRS).chain(rest::PAIRS).chain(branches::PAIRS).chain(services::PAIRS)
}

#[test]
fn each_element_alone_changes_the_fate_of_a_packet() {
    let mut wrong = Vec::new();
    for Pair { field, setup, change, packet, fates } in pairs() {
        let first = edited(BASE, setup);
        let second = edited(&first, &[*change]);
        let got = (fate(&first, packet), fate(&second, packet));
        if (&*got.0, &*got.1) != *fates || got.0 == got.1 {
            wrong.push(format!(
                "{field} {packet}\n   before {}\n    wanted {}\n   after  {}\n    wanted {}",
                got.0, fates.0, got.1, fates.1
            ));
        }
    }
    println!("{} pairs", pairs().count());
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// Functions of the reader and the elements inside of which they look.
const READERS: &[(&str, &[&str])] = &[
    ("system", &["system"]),
    ("interface", &["interfaces"]),
    ("gateways", &["gateways"]),
    ("alias", &["aliases"]),
    ("virtual_address", &["virtualip"]),
    ("nat", &["nat"]),
    ("forward", &["nat/rule"]),
    ("outbound_rule", &["nat/outbound/rule"]),
    ("rule", &["filter/rule"]),
    ("narrowed", &["filter/rule"]),
    ("other_flags", &["filter/rule"]),
    ("end", &["nat/rule/source", "nat/rule/destination", "filter/rule/source", "filter/rule/destination"]),
    ("holds", &["schedules/schedule"]),
    ("limited", &["filter/rule"]),
    ("openvpn", &["openvpn"]),
    ("ipsec", &["ipsec"]),
    ("side", &["ipsec"]),
    ("network", &["ipsec"]),
    ("dial_in", &[""]),
    ("plain_tunnels", &[""]),
    ("bridges", &["bridges"]),
    ("tunables", &["sysctl"]),
    ("portals", &["captiveportal"]),
    ("packages", &["installedpackages"]),
];

/// Words of the reader that are values, not names of elements.
const VALUES: &[&str] = &[
    "https",
    "if-bound",
    "none",
    "dhcp",
    "ipalias",
    "inet",
    "inet6",
    "inet46",
    "host",
    "automatic",
    "enable",
    "purenat",
    "disable",
    "any",
    "wan",
    "pass",
    "yes",
    "in",
    "icmp",
    "tcp",
    "syn",
    "2",
    "4",
    "6",
    "9",
    "11",
    // Of services.
    "openvpn",
    "ovpns",
    "ovpnc",
    "ipsec",
    "tap",
    "v6only",
    "v4only",
    "transport",
    "vti",
    "network",
    "server",
    "32",
    "l2tp",
    "pppoes",
    "gifs",
    "gres",
    "bridges",
    "sysctl",
    // Tunables; `bridges.rs` beside this folder has what each of them does.
    "pfil_member",
    "pfil_bridge",
    "pfil_local_phys",
    "captiveportal",
    "installedpackages",
    "on",
];

/// The reader's own text.
const READER: &str = concat!(
    include_str!("../../src/dialect/pfsense/read.rs"),
    include_str!("../../src/dialect/pfsense/read/services.rs")
);

/// Short texts in the body of a function of the reader.
fn words(function: &str) -> Vec<&'static str> {
    let reader = READER;
    let start = [format!("fn {function}("), format!("fn {function}<")].iter().find_map(|f| reader.find(f.as_str()));
    let rest = &reader[start.unwrap_or_else(|| panic!("the reader has no `{function}`"))..];
    let indent = if reader.contains(&format!("\n    fn {function}(")) { "\n    }\n" } else { "\n}\n" };
    let body = &rest[..rest.find(indent).unwrap_or(rest.len())];
    let texts = body.split('"').skip(1).step_by(2);
    texts
        .filter(|w| {
            !w.is_empty() && w.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c))
        })
        .collect()
}

#[test]
fn every_element_that_is_read_or_kept_has_a_pair_or_a_reason() {
    let listed: Vec<&str> = pairs().map(|p| p.field).chain(irrelevant::IRRELEVANT.iter().map(|(f, _)| *f)).collect();
    let mut wrong = Vec::new();
    let read: Vec<(String, &str)> = READERS
        .iter()
        .flat_map(|(function, prefixes)| prefixes.iter().map(move |p| (function, p)))
        .flat_map(|(function, prefix)| {
            words(function)
                .into_iter()
                .map(move |w| (if prefix.is_empty() { String::new() } else { format!("{prefix}/") }, w))
        })
        .collect();
    let inside = |path: &str, prefix: &str, name: &str| {
        path.strip_prefix(prefix).is_some_and(|rest| rest.split('/').any(|part| part == name))
    };
    for (prefix, word) in &read {
        if !listed.iter().any(|l| inside(l, prefix, word)) && !VALUES.contains(word) {
            wrong.push(format!("read, but without a pair or a reason: {word} in {prefix}"));
        }
    }
    let sections =
        ["system", "interfaces", "gateways", "staticroutes", "nat", "filter", "aliases", "virtualip", "schedules"];
    for section in sections {
        for name in secrets::kept_in(section) {
            // Rules of both kinds share one list.
            let of = |s: &str| ["nat", "filter"].contains(&s) && ["nat", "filter"].contains(&section) || s == section;
            if !listed.iter().any(|l| of(l.split('/').next().unwrap_or_default()) && l.ends_with(&format!("/{name}"))) {
                wrong.push(format!("kept, but without a pair or a reason: {name} in {section}"));
            }
        }
    }
    let reader = READER;
    for field in &listed {
        let (section, name) =
            (field.split('/').next().unwrap_or_default(), field.rsplit('/').next().unwrap_or_default());
        if !reader.contains(&format!("\"{name}\"")) && !secrets::kept_in(section).contains(&name) {
            wrong.push(format!("listed, but neither read nor kept: {field}"));
        }
    }
    for (field, reason) in irrelevant::IRRELEVANT {
        if pairs().any(|p| p.field == *field) || reason.is_empty() {
            wrong.push(format!("a pair and a reason: {field}"));
        }
    }
    println!("{} fields by pairs, {} with a reason", pairs().count(), irrelevant::IRRELEVANT.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
