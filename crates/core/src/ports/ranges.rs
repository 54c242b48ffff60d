//! Notes on ranges: what else takes ports from them, and which ranges of a product must stay apart.

use crate::manifest::{PortRanges, Proto, parse_ports, show_ranges};
use crate::profile::Instance;
use crate::requirement::Party;
use serde::Deserialize;

/// Ranges in other use, whatever the product.
const COMMON: &str = include_str!("../../../../profiles/ranges.toml");

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub range: Vec<Range>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Range {
    pub ports: String,
    pub name: String,
    pub why: String,
    pub source: String,
}

/// Ranges in other use; a test reads them.
pub(super) fn common() -> Result<File, toml::de::Error> {
    toml::from_str(COMMON)
}

/// A range of the product: key of `with`, protocol, ports.
type Own = (String, Proto, PortRanges);

pub(super) fn notes(instance: &Instance) -> Vec<String> {
    let mut out = Vec::new();
    let known = common().map(|f| f.range).unwrap_or_default();
    let own = own(instance);
    for range in &known {
        let avoid = parse_ports(&range.ports).unwrap_or_default();
        let meets = |ports: &PortRanges| ports.iter().any(|(lo, hi)| avoid.iter().any(|(a, b)| lo <= b && a <= hi));
        let hit = own.iter().filter(|(name, _, ports)| used(instance, name) && meets(ports));
        let hit: Vec<String> =
            hit.map(|(_, proto, ports)| format!("{} {}", proto.name(), show_ranges(ports))).collect();
        if !hit.is_empty() {
            let hit = hit.join(", ");
            out.push(format!("among {} ({}): {hit}; {} [{}]", range.name, range.ports, range.why, range.source));
        }
    }
    for proto in [Proto::Udp, Proto::Tcp] {
        let list: Vec<String> = own
            .iter()
            .filter(|o| o.1 == proto)
            .map(|(name, _, ports)| format!("{} {} ({name})", proto.name(), show_ranges(ports)))
            .collect();
        if list.len() > 1 {
            out.push(format!(
                "ranges of {} that must stay clear of each other: {}",
                instance.profile.title,
                list.join(", ")
            ));
        }
    }
    let clear: Vec<String> = known.iter().map(|r| format!("{} ({})", r.ports, r.name)).collect();
    if !own.is_empty() {
        out.push(format!("if you choose another range, avoid {}", clear.join(" and ")));
    }
    out
}

/// Every range that the product can use, in whatever mode, with the ports that are chosen here.
fn own(instance: &Instance) -> Vec<Own> {
    let mut out: Vec<Own> = Vec::new();
    for row in instance.profile.row.iter().filter(|r| r.to == Party::Server) {
        let default = instance.profile.parameter.iter().find(|p| p.name == row.ports).map_or("", |p| &*p.default);
        let ports = match instance.deploy.with.get(&row.ports) {
            Some((_, ports)) => ports.value.clone(),
            None => parse_ports(default).unwrap_or_default(),
        };
        let known = out.iter().any(|(name, proto, _)| *name == row.ports && *proto == row.proto);
        if default.contains('-') && !known {
            out.push((row.ports.clone(), row.proto, ports));
        }
    }
    out
}

fn used(instance: &Instance, parameter: &str) -> bool {
    instance.requirements.iter().any(|r| r.parameter == parameter)
}
