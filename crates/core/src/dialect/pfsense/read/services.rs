//! Sections of services that make interfaces, networks or rules of their own: tunnels, bridges, captive portals, packages.

use crate::dialect::pfsense::config::{
    Bridge, Config, DialIn, Ipsec, IpsecPeer, Local, OpenVpn, Package, Place, Policy, Portal, Relay,
};
use crate::dialect::pfsense::generate::parse_net;
use crate::xml::{El, child, children, elements, has, own_text, says, text};
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::IpAddr;

/// Reads them all.
pub(super) fn read(config: &mut Config, root: El<'_>, span: &dyn Fn(El<'_>) -> Place) {
    openvpn(config, root);
    config.ipsec = child(root, "ipsec").and_then(ipsec);
    dial_in(config, root);
    plain_tunnels(config, root);
    bridges(config, root, span);
    tunables(config, root);
    portals(config, root, span);
    packages(config, root, span);
    relays(config, root, span);
}

fn openvpn(config: &mut Config, root: El<'_>) {
    let Some(section) = child(root, "openvpn") else { return };
    for (element, device) in [("openvpn-server", "ovpns"), ("openvpn-client", "ovpnc")] {
        for (i, node) in children(section, element).enumerate() {
            let own = (i + 1).to_string();
            let nets = ["tunnel_network", "tunnel_networkv6"].into_iter().filter_map(|k| text(node, k));
            // Devices of the second layer have no other end (`return_gateways_array`).
            let routed = !says(node, "dev_mode", "tap");
            config.openvpn.push(OpenVpn {
                device: format!("{device}{}", text(node, "vpnid").unwrap_or(own.into())),
                enabled: !has(node, "disable"),
                tunnel: nets.filter_map(|n| parse_net(&n)).collect(),
                gateway: ["v6only", "v4only"].map(|other| routed && !says(node, "create_gw", other)),
            });
        }
    }
}

/// `IPsec` is on as soon as one tunnel is (`ipsec_enabled`).
fn ipsec(section: El<'_>) -> Option<Ipsec> {
    let on: Vec<El<'_>> = children(section, "phase1").filter(|p| !has(*p, "disabled")).collect();
    if on.is_empty() {
        return None;
    }
    let mut out = Ipsec::default();
    for phase in &on {
        let address = text(*phase, "remote-gateway").and_then(|a| a.parse::<IpAddr>().ok());
        let mobile = has(*phase, "mobile");
        if let Some(interface) = text(*phase, "interface")
            && (mobile || address.is_some())
        {
            let address = address.filter(|a| !mobile && !a.is_unspecified());
            out.peers.push(IpsecPeer { interface: interface.into_owned(), address });
        }
    }
    if let Some(client) = child(section, "client").filter(|c| has(*c, "enable")) {
        for (address, bits) in [("pool_address", "pool_netbits"), ("pool_address_v6", "pool_netbits_v6")] {
            let net = text(client, address).zip(text(client, bits)).and_then(|(a, b)| parse_net(&format!("{a}/{b}")));
            out.clients.extend(net);
        }
    }
    for phase in children(section, "phase2").filter(|p| !has(*p, "disabled")) {
        let ikeid = text(phase, "ikeid");
        let Some(tunnel) = on.iter().find(|t| text(**t, "ikeid") == ikeid) else { continue };
        let remote = child(phase, "remoteid").and_then(network);
        match text(phase, "mode").as_deref() {
            Some("transport") => {}
            Some("vti") => {
                let ends = ["remoteid", "localid"].iter().filter_map(|k| child(phase, k).and_then(network));
                let families = ends.fold([false; 2], |f, n| [f[0] || n.addr().is_ipv4(), f[1] || n.addr().is_ipv6()]);
                out.routed.push((format!("ipsec{}", ikeid.unwrap_or_default()), families));
            }
            _ => {
                let mobile = has(phase, "mobile") || has(*tunnel, "mobile");
                let Some(local) = child(phase, "localid").and_then(side) else { continue };
                let translated = child(phase, "natlocalid").and_then(side);
                let remotes = if mobile { out.clients.clone() } else { remote.into_iter().collect() };
                for remote in remotes {
                    let (local, translated) = (local.clone(), translated.clone());
                    out.policies.push(Policy { local, translated, remote, mobile });
                }
            }
        }
    }
    Some(out)
}

/// One end of a phase 2 (`ipsec_idinfo_to_cidr`).
fn side(id: El<'_>) -> Option<Local> {
    match &*text(id, "type")? {
        "address" | "network" | "none" | "mobile" => network(id).map(Local::Net),
        interface => Some(Local::Interface(interface.to_owned())),
    }
}

fn network(id: El<'_>) -> Option<IpNet> {
    let kind = text(id, "type").unwrap_or("network".into());
    if ["none", "mobile"].contains(&&*kind) {
        return parse_net("0.0.0.0/0");
    }
    let address = text(id, "address")?;
    let whole = kind == "network" && text(id, "netbits").is_some();
    if whole { parse_net(&format!("{address}/{}", text(id, "netbits")?)) } else { parse_net(&address) }
}

fn dial_in(config: &mut Config, root: El<'_>) {
    let net = |node: El<'_>, bits: &str| {
        let bits = text(node, bits).unwrap_or("32".into());
        text(node, "remoteip").and_then(|a| parse_net(&format!("{a}/{bits}"))).map(|n| n.trunc())
    };
    let server = |node: &El<'_>| says(*node, "mode", "server");
    let l2tp = child(root, "l2tp").filter(server).and_then(|n| net(n, "l2tp_subnet"));
    config.dial_in.extend(l2tp.map(|clients| DialIn { tab: "l2tp", clients }));
    for node in child(root, "pppoes").into_iter().flat_map(|n| children(n, "pppoe")).filter(server) {
        config.dial_in.extend(net(node, "pppoe_subnet").map(|clients| DialIn { tab: "pppoe", clients }));
    }
}

fn plain_tunnels(config: &mut Config, root: El<'_>) {
    for (section, element, device) in [("gifs", "gif", "gifif"), ("gres", "gre", "greif")] {
        for node in child(root, section).into_iter().flat_map(|n| children(n, element)) {
            let Some(device) = text(node, device) else { continue };
            for (address, bits) in
                [("tunnel-local-addr", "tunnel-remote-net"), ("tunnel-local-addr6", "tunnel-remote-net6")]
            {
                let own = text(node, address).and_then(|a| a.parse::<IpAddr>().ok());
                let bits = text(node, bits).and_then(|b| b.parse().ok());
                if let Some(own) = own {
                    let net = bits.and_then(|b| IpNet::new(own, b).ok()).unwrap_or_else(|| own.into());
                    config.plain_tunnels.push((device.clone().into_owned(), net));
                }
            }
        }
    }
}

fn bridges(config: &mut Config, root: El<'_>, span: &dyn Fn(El<'_>) -> Place) {
    for node in child(root, "bridges").into_iter().flat_map(|n| children(n, "bridged")) {
        let members = text(node, "members").unwrap_or_default();
        let members = members.split(',').filter(|m| !m.is_empty()).map(|m| m.trim().to_owned()).collect();
        config.bridges.push(Bridge {
            device: text(node, "bridgeif").unwrap_or_default().into_owned(),
            members,
            secluded: text(node, "private").is_some(),
            at: span(node),
        });
    }
}

fn tunables(config: &mut Config, root: El<'_>) {
    for item in child(root, "sysctl").into_iter().flat_map(|n| children(n, "item")) {
        let tunable = text(item, "tunable").unwrap_or_default();
        let Some(name) = tunable.strip_prefix("net.link.bridge.") else { continue };
        // `default` stands for what the firewall sets by itself.
        let Some(on) = text(item, "value").and_then(|v| v.parse::<i64>().ok()).map(|v| v != 0) else { continue };
        match name {
            "pfil_member" => config.bridging.by_member = on,
            "pfil_bridge" => config.bridging.by_bridge = on,
            "pfil_local_phys" => config.bridging.local = on,
            _ => {}
        }
    }
}

/// Zones are elements below `<captiveportal>`, each with the name of its zone.
fn portals(config: &mut Config, root: El<'_>, span: &dyn Fn(El<'_>) -> Place) {
    let Some(section) = child(root, "captiveportal") else { return };
    // Before 2.1 there was one zone, which stood in the section itself.
    let zones = std::iter::once(section).chain(elements(section));
    for node in zones.filter(|n| has(*n, "enable")) {
        let interfaces = text(node, "interface").unwrap_or_default();
        let interfaces = interfaces.split(',').filter(|i| !i.is_empty()).map(|i| i.trim().to_owned()).collect();
        let zone = node.tag_name().name().to_owned();
        config.portals.push(Portal { zone, interfaces, at: span(node) });
    }
}

/// Switches by which packages write rules: the package, where the switch stands, and what it says when it is on.
const SWITCHES: &[(&str, &[&str], &str)] = &[
    ("squid", &["squid", "config", "transparent_proxy"], "on"),
    ("siproxd", &["siproxdsettings", "config", "sipenable"], "on"),
    ("haproxy", &["haproxy", "ha_pools", "item", "transparent_clientip"], "yes"),
    ("haproxy-devel", &["haproxy", "ha_pools", "item", "transparent_clientip"], "yes"),
];

/// Where packages name the interfaces of which they take packets (`siproxd_generate_rules` of `siproxd.inc`).
const INBOUND: &[(&str, &[&str])] = &[("siproxd", &["siproxdsettings", "config", "if_inbound"])];

fn packages(config: &mut Config, root: El<'_>, span: &dyn Fn(El<'_>) -> Place) {
    let Some(section) = child(root, "installedpackages") else { return };
    for node in children(section, "package") {
        let Some(name) = text(node, "internal_name").or_else(|| text(node, "name")) else { continue };
        let writes_rules = text(node, "filter_rule_function").is_some();
        let switch = SWITCHES.iter().find(|(n, ..)| n.eq_ignore_ascii_case(&name));
        let switched_on = switch.map(|(_, path, on)| {
            let mut at = vec![section];
            for step in *path {
                at = at.into_iter().flat_map(|n| children(n, step)).collect();
            }
            at.iter().any(|n| own_text(*n).is_some_and(|said| said == *on))
        });
        let inbound =
            INBOUND.iter().filter(|(n, _)| n.eq_ignore_ascii_case(&name)).flat_map(|(_, path)| below(section, path));
        let lists: Vec<String> = inbound.filter_map(own_text).map(Cow::into_owned).collect();
        let inbound = lists.iter().flat_map(|t| t.split(',')).map(str::trim).filter(|t| !t.is_empty());
        let inbound = inbound.map(str::to_owned).collect();
        config.packages.push(Package { name: name.into_owned(), writes_rules, switched_on, inbound, at: span(node) });
    }
    let upnp = child(section, "miniupnpd").and_then(|n| child(n, "config"));
    config.upnp = upnp.is_some_and(|n| says(n, "enable", "on"));
}

/// A package that takes connections on the firewall itself.
struct Relaying {
    name: &'static str,
    /// Its settings, and what is there when it is on.
    section: &'static [&'static str],
    on: (&'static [&'static str], &'static str),
    protocols: &'static [u8],
    /// Where its ports stand: first and last one.
    ports: &'static [(&'static [&'static str], &'static [&'static str])],
    /// Ports that it takes when none stand there.
    usual: &'static [(u16, u16)],
    pages: bool,
}

/// Packages that take connections on the firewall itself and pass them on (their pages in `pfsense/FreeBSD-ports`).
const RELAYS: &[Relaying] = &[
    Relaying {
        name: "haproxy",
        section: &["haproxy"],
        on: (&["enable"], "yes"),
        protocols: &[6],
        ports: &[
            (&["ha_backends", "item", "a_extaddr", "item", "extaddr_port"], &[]),
            (&["ha_backends", "item", "extaddr_port"], &[]),
            (&["ha_backends", "item", "port"], &[]),
        ],
        usual: &[],
        pages: true,
    },
    Relaying {
        name: "squid",
        section: &["squidreversegeneral", "config"],
        on: (&["reverse_http"], "on"),
        protocols: &[6],
        ports: &[(&["reverse_http_port"], &[])],
        usual: &[(80, 80)],
        pages: true,
    },
    Relaying {
        name: "squid",
        section: &["squidreversegeneral", "config"],
        on: (&["reverse_https"], "on"),
        protocols: &[6],
        ports: &[(&["reverse_https_port"], &[])],
        usual: &[(443, 443)],
        pages: true,
    },
    Relaying {
        name: "stunnel",
        section: &["stunnel"],
        on: (&["config", "localport"], ""),
        protocols: &[6],
        ports: &[(&["config", "localport"], &[])],
        usual: &[],
        pages: true,
    },
    Relaying {
        name: "siproxd",
        section: &["siproxdsettings", "config"],
        on: (&["sipenable"], "on"),
        protocols: &[6, 17],
        ports: &[(&["port"], &[])],
        usual: &[(5060, 5060)],
        pages: false,
    },
    Relaying {
        name: "siproxd",
        section: &["siproxdsettings", "config"],
        on: (&["sipenable"], "on"),
        protocols: &[17],
        ports: &[(&["rtplower"], &["rtpupper"])],
        usual: &[(7070, 7089)],
        pages: false,
    },
];

fn below<'t>(node: El<'t>, path: &[&'static str]) -> Vec<El<'t>> {
    path.iter().fold(vec![node], |at, step| at.into_iter().flat_map(|n| children(n, step)).collect())
}

fn relays(config: &mut Config, root: El<'_>, span: &dyn Fn(El<'_>) -> Place) {
    let packages = child(root, "installedpackages").into_iter();
    for (relaying, section) in packages.flat_map(|p| RELAYS.iter().map(move |r| (r, below(p, r.section)))) {
        let (path, word) = relaying.on;
        let on =
            |n: &El<'_>| below(*n, path).iter().any(|s| own_text(*s).is_some_and(|t| word.is_empty() || t == word));
        let Some(node) = section.into_iter().find(on) else { continue };
        // A name, or anything else that is no port, may be every port.
        let mut known = true;
        let mut number = |n: El<'_>| {
            let text = own_text(n)?;
            let port = text.parse::<u16>().ok();
            known &= port.is_some();
            port
        };
        let mut ports: Vec<(u16, u16)> = Vec::new();
        for (first, last) in relaying.ports {
            let mut ends = if last.is_empty() { Vec::new() } else { below(node, last) }.into_iter();
            for at in below(node, first) {
                let Some(low) = number(at) else { continue };
                let high = ends.next().and_then(&mut number).unwrap_or(low);
                ports.push((low, high.max(low)));
            }
        }
        if ports.is_empty() {
            ports.extend(relaying.usual);
        }
        config.relays.push(Relay {
            name: relaying.name.to_owned(),
            protocols: relaying.protocols.to_vec(),
            ports: Some(ports).filter(|p| known && !p.is_empty()),
            pages: relaying.pages,
            at: span(node),
        });
    }
    // The balancer of versions before 2.5.
    for node in below(root, &["load_balancer", "virtual_server"]) {
        let port = text(node, "port").and_then(|p| p.parse().ok());
        config.relays.push(Relay {
            name: "the load balancer".to_owned(),
            protocols: vec![6, 17],
            ports: port.map(|p| vec![(p, p)]),
            pages: true,
            at: span(node),
        });
    }
}
