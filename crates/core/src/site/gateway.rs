//! A gateway from its files and from what the manifest states about it.

use super::address::is_link_local;
use super::kernel;
use crate::dialect::iproute::{self, MAIN};
use crate::dialect::kernel::Facts;
use crate::dialect::{self, Counts, Dialect, Files, Readings};
use crate::manifest::{At, Deploy, Gateway, GatewayKind, StatedRoute};
use crate::model::{Device, Family, Interface, Route, RouteTarget, SourceId};
use crate::snapshot::{InputError, Snapshot};
use ipnet::IpNet;
use std::net::IpAddr;

/// A gateway whose files were read.
#[derive(Debug, Clone)]
pub(super) struct Router {
    /// The device; segments are not set yet.
    pub device: Device,
    /// Interface towards the internet, by family.
    pub outer_v4: usize,
    /// The same for IPv6.
    pub outer_v6: usize,
    /// How the outer interface was found, for the report.
    pub outer_why: String,
    /// Its outer IPv4 address, if anything says it.
    pub wan: Option<Wan>,
    /// A default route was read or stated, by family (IPv4, IPv6).
    pub has_default: [bool; 2],
    /// A route dump was read, so absent routes do not exist: by family (IPv4, IPv6).
    pub routes_dumped: [bool; 2],
    /// Number among the manifest's gateways.
    pub number: usize,
    /// What its files say.
    pub files: Files,
    /// What is known of its kernel.
    pub kernel: Facts,
    /// Rulesets that are in the device already: they wait for no address.
    pub rulesets: Vec<(SourceId, Counts)>,
}

/// The outer address and how it is known.
#[derive(Debug, Clone)]
pub(super) struct Wan {
    /// The address.
    pub address: IpAddr,
    /// Where it was found, for the report.
    pub why: String,
}

/// What to call a gateway that has no label: its system's name where its files tell it.
pub(super) fn kind_name(snapshot: &Snapshot, gateway: &Gateway) -> &'static str {
    let GatewayKind::Read { files, .. } = &gateway.kind else { return "the box in front" };
    let files = dialect::expand(snapshot, files);
    let mut texts = files.iter().filter_map(|f| snapshot.find(&f.value)).filter_map(|id| snapshot.source(id));
    let named = texts.find_map(|s| dialect::of_text(&s.text).map(Dialect::about).filter(|a| a.is_system));
    named.map_or("router", |a| a.title)
}

/// Reads a gateway; a stated box gives nothing here. `alone`: no other gateway can lead to the servers.
///
/// # Errors
/// Files that cannot be read, interfaces or an outer interface that nothing tells.
#[allow(clippy::too_many_lines)] // one fact after the other
pub(super) fn read(
    (snapshot, readings): (&Snapshot, &mut Readings),
    gateway: &Gateway,
    (number, name): (usize, &str),
    deploys: &[Deploy],
    alone: bool,
) -> Result<Option<Router>, InputError> {
    let GatewayKind::Read { files, boot, wan, interfaces, routes, kernel: stated_kernel, .. } = &gateway.kind else {
        return Ok(None);
    };
    let head = || InputError::in_manifest(gateway.span.start..gateway.span.start + "[[gateway]]".len(), String::new());
    let read = readings.read(snapshot, files, boot)?;
    let engines = read.engines();
    let linux = read.has_linux_settings();
    let routes_dumped = read.routes_dumped();
    if engines.is_empty() {
        let message = format!("there are no firewall rules among the files of {name}");
        let first = files.first().map_or_else(head, |f| f.error(""));
        return Err(
            InputError { message, ..first }.help(format!("add to `config` what it has: {}", dialect::wanted_files()))
        );
    }
    if let [one, other, ..] = engines[..] {
        let first = files.first().map_or_else(head, |f| f.error(""));
        let message = format!("{name} has rules of {} and of {}", one.name(), other.name());
        return Err(
            InputError { message, ..first }.help("a device has one kind of rules: give each its own [[gateway]]")
        );
    }
    if let Some(fact) = stated_kernel.list.first().filter(|_| !linux) {
        let of = engines.first().map_or("", |e| e.name());
        let message = format!("{name} is read from rules of {of}, not of Linux");
        return Err(
            InputError::in_manifest(fact.at.clone(), message).help("leave `kernel` out: it names settings of Linux")
        );
    }
    let described = read.facts.described.clone().map(|d| Device { name: name.into(), ..d });
    let mut list = stated_interfaces(interfaces);
    match read.facts.interfaces.clone() {
        Some(dumped) => {
            if let Some((stated, _)) = interfaces.iter().find(|(n, _)| dumped.iter().any(|d| *d.name == *n.value)) {
                return Err(stated
                    .error(format!("the address dump names `{}` too", stated.value))
                    .help("leave it out here: the dump says what its addresses are"));
            }
            list.extend(dumped);
        }
        None if described.is_some() => {}
        None if list.is_empty() => {
            return Err(InputError { message: format!("nothing says which addresses {name} has"), ..head() }.help(
                "add what `ip -j addr` prints to `config`, or state them: \
                 interfaces = { wan0 = \"203.0.113.5/24\", lan0 = \"192.168.1.1/24\" }",
            ));
        }
        None => {}
    }
    list.retain(|i| &*i.name != "lo");
    let mut device =
        Device { name: name.into(), interfaces: list, forwards: true, drops_own_source: true, ..Device::default() };
    if let Some(described) = described {
        // What is stated comes on top of what the backup holds.
        let stated = std::mem::replace(&mut device, described).interfaces;
        for more in stated {
            match device.interface(&more.name) {
                Some(i) => device.interfaces[i].addresses.extend(more.addresses),
                None => device.interfaces.push(more),
            }
        }
    }
    for engine in &engines {
        engine.behave(&mut device);
    }
    let rulesets = read.lower(&mut device);
    iproute::add_rules(&mut device, &read.facts.rules);
    for route in read.facts.routes.iter().flatten() {
        iproute::add_route(&mut device, route);
    }
    for route in routes {
        stated_route(&mut device, route)?;
    }
    let kernel = kernel::joined(snapshot, read.facts.kernel.clone(), stated_kernel, &device.interfaces)?;
    if linux {
        kernel::apply(&kernel, &mut device);
    }
    let holds = |ip: &IpAddr| device.interfaces.iter().flat_map(|i| &i.addresses).any(|n| n.contains(ip));
    if let Some(host) = deploys.iter().flat_map(|d| &d.host).next().filter(|h| alone && !holds(&h.value)) {
        return Err(no_network(host.error(""), host.value, [&device]));
    }
    let outer = outer(&device, wan.as_ref(), deploys, name).map_err(|(message, help)| {
        let base = wan.as_ref().map_or_else(head, |w| w.error(""));
        InputError { message, ..base }.help(help)
    })?;
    let default = |family| device.routes.iter().find(|r| is_default(r, family)).and_then(via);
    let outer_v6 = default(Family::V6).unwrap_or(outer.0);
    let has_default = [Family::V4, Family::V6].map(|f| device.routes.iter().any(|r| is_default(r, f)));
    let known = device.interfaces[outer.0].addresses.iter().map(IpNet::addr).find(IpAddr::is_ipv4);
    let wan = match (wan, known) {
        (Some(w), _) if w.value.is_ipv4() => {
            let held = device.interfaces[outer.0].addresses.iter().any(|n| n.addr() == w.value);
            if let Some(other) = known.filter(|_| !held) {
                return Err(w
                    .error(format!(
                        "{name}'s outer interface {} has {other}, not {}",
                        device.interfaces[outer.0].shown(),
                        w.value
                    ))
                    .help("remove `wan`, or save the address dump again if the address has changed since"));
            }
            if !held {
                device.interfaces[outer.0].addresses.push(w.value.into());
            }
            let why = format!("stated in {}", at_line(snapshot, w));
            Some(Wan { address: w.value, why })
        }
        (_, Some(address)) => {
            Some(Wan { address, why: format!("the address of {}", device.interfaces[outer.0].shown()) })
        }
        _ => None,
    };
    Ok(Some(Router {
        outer_v4: outer.0,
        outer_v6,
        outer_why: outer.1,
        wan,
        has_default,
        routes_dumped,
        number,
        kernel,
        files: read,
        rulesets,
        device,
    }))
}

/// No interface has a server's address in its network: the error at the server's place in the manifest.
pub(super) fn no_network<'d>(
    at: InputError,
    host: IpAddr,
    gateways: impl IntoIterator<Item = &'d Device>,
) -> InputError {
    let mut known = Vec::new();
    for device in gateways {
        for iface in &device.interfaces {
            let nets =
                iface.addresses.iter().filter(|n| n.addr().is_ipv4() == host.is_ipv4() && !is_link_local(n.addr()));
            known.extend(nets.map(|n| format!("{} of {} ({n})", iface.name, device.name)));
        }
    }
    let known = if known.is_empty() { "none of that family".to_owned() } else { known.join(", ") };
    let message = format!("no gateway has an interface in the network of {host}");
    InputError { message, ..at }
        .help(format!("interfaces: {known}; check `host`, or add the interface that leads to the server"))
}

/// `callpath.toml:7` of a value in the manifest.
pub(crate) fn at_line<T>(snapshot: &Snapshot, at: &At<T>) -> String {
    let (line, _) = crate::snapshot::line_column(snapshot.manifest(), at.span.start);
    let name = snapshot.sources.first().map_or("callpath.toml", |s| &s.name);
    format!("{}:{line}", name.rsplit('/').next().unwrap_or(name))
}

fn stated_interfaces(list: &[(At<String>, Vec<At<IpNet>>)]) -> Vec<Interface> {
    let interface = |(name, nets): &(At<String>, Vec<At<IpNet>>)| Interface {
        name: name.value.as_str().into(),
        addresses: nets.iter().map(|n| n.value).collect(),
        ..Interface::default()
    };
    list.iter().map(interface).collect()
}

pub(super) fn is_default(route: &Route, family: Family) -> bool {
    route.to.prefix_len() == 0 && Family::of(route.to.addr()) == family && route.table == MAIN
}

fn via(route: &Route) -> Option<usize> {
    route.target.ways().first().map(|(i, _)| *i)
}

fn stated_route(device: &mut Device, route: &At<StatedRoute>) -> Result<(), InputError> {
    let r = &route.value;
    let target = if r.blackhole {
        RouteTarget::Blackhole
    } else {
        let by_hop = |hop: IpAddr| {
            let length = |i: &Interface| {
                let holds = i.addresses.iter().filter(|n| n.prefix_len() > 0 && n.contains(&hop));
                holds.map(IpNet::prefix_len).max()
            };
            let found = device.interfaces.iter().enumerate().filter_map(|(i, f)| length(f).map(|l| (i, l)));
            found.min_by_key(|(_, l)| std::cmp::Reverse(*l)).map(|(i, _)| i)
        };
        let index = match (&r.dev, r.via) {
            (Some(dev), _) => device.interface(dev).ok_or_else(|| {
                let known = device.interfaces.iter().map(|i| &*i.name);
                route.error(format!("there is no interface `{dev}`")).help(crate::manifest::known_names(
                    dev,
                    "interfaces",
                    known,
                ))
            })?,
            (None, Some(hop)) => by_hop(hop).ok_or_else(|| {
                route.error(format!("no interface's network holds the next hop {hop}")).help("add `dev <interface>`")
            })?,
            (None, None) => return Ok(()),
        };
        RouteTarget::Via(index, r.via)
    };
    let all = |v6: bool| -> IpNet {
        let zero: IpAddr =
            if v6 { std::net::Ipv6Addr::UNSPECIFIED.into() } else { std::net::Ipv4Addr::UNSPECIFIED.into() };
        IpNet::new_assert(zero, 0)
    };
    let to = match (r.to, r.via) {
        (Some(net), _) => vec![net],
        (None, Some(hop)) => vec![all(hop.is_ipv6())],
        (None, None) => vec![all(false), all(true)],
    };
    device.routes.extend(to.into_iter().map(|to| Route { to, target: target.clone(), table: MAIN, metric: 0 }));
    Ok(())
}

/// The interface towards the internet, and how it was found. Else what to ask.
fn outer(
    device: &Device,
    wan: Option<&At<IpAddr>>,
    deploys: &[Deploy],
    name: &str,
) -> Result<(usize, String), (String, String)> {
    let found =
        |i: usize, why: &str| Ok((i, format!("{} is {name}'s outer interface: {why}", device.interfaces[i].shown())));
    if let Some(w) = wan
        && let Some(i) = device.interfaces.iter().position(|i| i.addresses.iter().any(|n| n.addr() == w.value))
    {
        return found(i, "it holds the stated address");
    }
    for family in [Family::V4, Family::V6] {
        if let Some(i) = device.routes.iter().filter(|r| is_default(r, family)).min_by_key(|r| r.metric).and_then(via) {
            return found(i, "it holds the default route");
        }
    }
    // Of several networks that hold a server the most specific one leads to it.
    let length =
        |i: &Interface, host: IpAddr| i.addresses.iter().filter(|n| n.contains(&host)).map(IpNet::prefix_len).max();
    let longest = |host: IpAddr| device.interfaces.iter().filter_map(|i| length(i, host)).max();
    let hosts: Vec<IpAddr> = deploys.iter().flat_map(|d| &d.host).map(|h| h.value).collect();
    let holds_host = |i: &Interface| hosts.iter().any(|h| length(i, *h).is_some_and(|l| Some(l) == longest(*h)));
    let own_only = |i: &Interface| !i.addresses.is_empty() && i.addresses.iter().all(|n| is_link_local(n.addr()));
    let candidates: Vec<usize> = (0..device.interfaces.len())
        .filter(|i| !holds_host(&device.interfaces[*i]) && !own_only(&device.interfaces[*i]))
        .collect();
    let help = "name its address: `wan = \"203.0.113.5\"`, or add what `ip -j route` prints to `config`";
    match candidates[..] {
        [one] => found(one, "the only one whose network holds no server"),
        [] => Err((format!("every interface of {name} leads to a server; none leads to the internet"), help.into())),
        _ => {
            let names: Vec<&str> = candidates.iter().map(|i| &*device.interfaces[*i].name).collect();
            Err((format!("which interface of {name} leads to the internet: {}?", names.join(" or ")), help.into()))
        }
    }
}
