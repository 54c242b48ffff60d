//! Which interfaces lead outside, and the gateways that the firewall makes of them while it runs.
//!
//! Followed: `interface_has_gateway` of `interfaces.inc`, `return_gateways_array` and `fixup_default_gateway` of
//! `gwlb.inc`.

use super::config::{Addressing, Config, Gateway, Interface};
use crate::model::Family;

/// Ways to get an address that come with a gateway (IPv4, IPv6).
const WITH_GATEWAY: [&[&str]; 2] = [&["dhcp", "pppoe", "pptp", "l2tp", "ppp"], &["dhcp6", "slaac", "6to4", "6rd"]];

fn addressing(iface: &Interface, family: Family) -> &Addressing {
    if family == Family::V4 { &iface.v4 } else { &iface.v6 }
}

fn index(family: Family) -> usize {
    usize::from(family == Family::V6)
}

/// It leads to the internet: a gateway is set, or the line tells one (`interface_has_gateway`).
pub(super) fn outside(config: &Config, iface: &Interface, family: Family) -> bool {
    match addressing(iface, family) {
        Addressing::Line(how) if WITH_GATEWAY[index(family)].contains(&how.as_str()) => true,
        _ => {
            is_tunnel(&iface.device)
                || is_plain_tunnel(config, &iface.device, family)
                || iface.gateway[index(family)].is_some()
        }
    }
}

/// A device of `OpenVPN`, or of a routed tunnel of `IPsec`.
pub(super) fn is_tunnel(device: &str) -> bool {
    device.starts_with("ovpn") || device.starts_with("ipsec")
}

fn is_plain_tunnel(config: &Config, device: &str, family: Family) -> bool {
    (device.starts_with("gif") || device.starts_with("gre"))
        && config.plain_tunnels.iter().any(|(d, n)| d == device && Family::of(n.addr()) == family)
}

/// Last part of the name of the gateway that the firewall makes of an interface, if it makes one.
fn made_of(config: &Config, iface: &Interface, family: Family) -> Option<String> {
    if !outside(config, iface, family) || matches!(addressing(iface, family), Addressing::Static(_)) {
        return None;
    }
    let version = if family == Family::V4 { "V4" } else { "V6" };
    if let Addressing::Line(how) = addressing(iface, family)
        && WITH_GATEWAY[index(family)].contains(&how.as_str())
    {
        return Some(how.to_uppercase());
    }
    if iface.device.starts_with("ovpn") {
        let of = config.openvpn.iter().find(|o| o.device == iface.device)?;
        return of.gateway[index(family)].then(|| format!("VPN{version}"));
    }
    if iface.device.starts_with("ipsec") {
        let routed = config.ipsec.iter().flat_map(|i| &i.routed).find(|(d, _)| *d == iface.device)?;
        return routed.1[index(family)].then(|| format!("VTI{version}"));
    }
    is_plain_tunnel(config, &iface.device, family).then(|| format!("TUNNEL{version}"))
}

/// Gateways that exist only at run time. From 2.8 on the firewall also writes them into its configuration.
pub(super) fn run_time(config: &Config) -> Vec<Gateway> {
    let mut out = Vec::new();
    for iface in config.interfaces.iter().filter(|i| i.enabled) {
        for family in [Family::V4, Family::V6] {
            if family == Family::V6 && !config.system.ipv6 {
                continue;
            }
            let Some(kind) = made_of(config, iface, family) else { continue };
            let descr = iface.descr.to_uppercase();
            let configured = config
                .gateways
                .iter()
                .any(|g| g.interface == iface.name && g.family == family && (g.dynamic || g.name == descr));
            if !configured {
                out.push(Gateway {
                    name: format!("{descr}_{kind}"),
                    interface: iface.name.clone(),
                    address: None,
                    family,
                    down: false,
                    disabled: false,
                    dynamic: true,
                    default: false,
                });
            }
        }
    }
    out
}

/// Is it there, so that rules may name it? Of what is not known to be down it is taken that it is up.
pub(super) fn there(config: &Config, gateway: &Gateway) -> bool {
    !gateway.disabled && config.interfaces.iter().any(|i| i.enabled && i.name == gateway.interface)
}

/// The gateway of the default route; none when the firewall is told to have none, or has none to choose from.
pub(super) fn default_gateway(config: &Config, family: Family) -> Option<&Gateway> {
    let usable = |g: &&Gateway| there(config, g) && g.family == family;
    let named = config.default_gateway[index(family)].as_deref();
    if named == Some("-") {
        return None;
    }
    let by_name = |name: &str| config.gateways.iter().filter(usable).find(|g| g.name == name);
    if let Some(chosen) = named.and_then(by_name) {
        return Some(chosen);
    }
    if let Some((_, members)) = config.gateway_groups.iter().find(|(g, _)| Some(g.as_str()) == named) {
        let mut up: Vec<_> = members.iter().filter_map(|(m, tier)| Some((tier, by_name(m)?))).collect();
        up.sort_by_key(|(tier, g)| (g.down, **tier));
        return up.first().map(|(_, g)| *g);
    }
    // One that is not there leaves no default route.
    if named.is_some() {
        return None;
    }
    // Automatic: the one marked in the old way, else the first that is up: in the order of the interfaces, before 2.8 in
    // that of the export with those made at run time behind (`order_gateways_as_configured`).
    let mut all: Vec<&Gateway> = config.gateways.iter().filter(usable).collect();
    if config.version.is_none_or(|v| v >= (23, 4)) {
        all.sort_by_key(|g| (rank(&g.interface), g.name.to_lowercase()));
    }
    let marked = all.iter().find(|g| g.default);
    marked.or_else(|| all.iter().find(|g| !g.down)).or(all.first()).copied()
}

/// WAN, LAN, then the others by their number (`compare_interface_friendly_names`).
fn rank(interface: &str) -> (u8, u32) {
    match interface {
        "wan" => (0, 0),
        "lan" => (1, 0),
        other => (2, other.strip_prefix("opt").and_then(|n| n.parse().ok()).unwrap_or(u32::MAX)),
    }
}
