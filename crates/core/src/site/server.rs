//! Servers: where products listen, and their own firewalls.

use super::everything;
use super::guess;
use super::kernel;
use crate::dialect::iproute::{self, MAIN};
use crate::dialect::kernel::Facts;
use crate::dialect::{Counts, Files, Readings};
use crate::manifest::{At, OwnFirewall, ProxyAt};
use crate::model::{Device, Endpoint, Family, Interface, KeyField, Pipeline, Route, RouteTarget, SourceId, Step};
use crate::profile::{Instance, Proxied};
use crate::requirement::Party;
use crate::snapshot::{InputError, Snapshot};
use ipnet::IpNet;
use std::net::IpAddr;

/// A host on which products run.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// The device; its segment is not set yet.
    pub device: Device,
    /// Own addresses, as the manifest gives them; prefix lengths are not known yet.
    pub addresses: Vec<At<IpNet>>,
    /// Interface that holds them.
    pub interface: usize,
    /// Routes were dumped, by family (IPv4, IPv6).
    pub routes_dumped: [bool; 2],
    /// What is known of its kernel.
    pub kernel: Facts,
    /// What its files say.
    pub files: Files,
    /// Rulesets that are in the device already: they wait for no address.
    pub rulesets: Vec<(SourceId, Counts)>,
}

/// All servers, and which of them each instance runs on. `outermost`: no router is described before them; a filter alone is
/// none.
///
/// # Errors
/// Firewall files that cannot be read, or that differ on one host.
pub(super) fn read_all(
    (snapshot, readings): (&Snapshot, &mut Readings),
    instances: &[Instance],
    outermost: bool,
) -> Result<(Vec<Server>, Vec<usize>), InputError> {
    let mut servers: Vec<Server> = Vec::new();
    let mut server_of = Vec::new();
    // The instance whose table names the firewall of each.
    let mut stated: Vec<usize> = Vec::new();
    let mut interfaces: Vec<Option<&At<String>>> = Vec::new();
    for (n, instance) in instances.iter().enumerate() {
        let hosts: Vec<IpAddr> = instance.deploy.host.iter().map(|h| h.value).collect();
        let same = servers.iter().position(|s| s.addresses.iter().any(|a| hosts.contains(&a.value.addr())));
        if let Some(index) = same {
            let other = &instances[stated[index]];
            if let Some(name) = &instance.deploy.interface
                && let Some(known) = interfaces[index].filter(|known| known.value != name.value)
            {
                return Err(name
                    .error(format!("another [[deploy]] table of this host names the interface {}", known.value))
                    .help("a host's address is on one interface: name it in one of its tables only"));
            }
            if let (Some(word), Some(known)) = (&instance.deploy.own_firewall, &other.deploy.own_firewall)
                && word.value != known.value
            {
                return Err(word
                    .error(format!("`{}` runs on the same host, and says another thing of its firewall", other.label()))
                    .help("a host has one firewall: say what it is in one of the [[deploy]] tables only"));
            }
            let files = instance.deploy.firewall.first().zip(other.deploy.own_firewall.as_ref());
            let files = files.or(other.deploy.firewall.first().zip(instance.deploy.own_firewall.as_ref()));
            if let Some((file, _)) = files {
                return Err(file
                    .error("a [[deploy]] table of the same host says that its firewall is none or unknown")
                    .help("leave `firewall` out there: these files say what it is"));
            }
            if let Some(file) = instance.deploy.firewall.first()
                && other.deploy.firewall.iter().map(|f| &f.value).ne(instance.deploy.firewall.iter().map(|f| &f.value))
            {
                return Err(file
                    .error(format!("`{}` runs on the same host with other firewall files", other.label()))
                    .help("a host has one firewall: name its files in one of the [[deploy]] tables only"));
            }
            for address in &instance.deploy.host {
                if !servers[index].addresses.iter().any(|a| a.value.addr() == address.value) {
                    servers[index].addresses.push(address.with(address.value.into()));
                }
            }
            servers[index].device.endpoints.extend(endpoints(instance));
            server_of.push(index);
            continue;
        }
        // Its firewall may be named in any table of the host.
        let here = |i: &&Instance| i.deploy.host.iter().any(|h| hosts.contains(&h.value));
        let named = |i: &Instance| !i.deploy.firewall.is_empty() || i.deploy.own_firewall.is_some();
        let tells = |i: &(usize, &Instance)| here(&i.1) && named(i.1);
        let of = instances.iter().enumerate().skip(n).find(tells).map_or(n, |(of, _)| of);
        let interface = instances.iter().skip(n).filter(here).find_map(|i| i.deploy.interface.as_ref());
        let kernel: Vec<&Facts> = instances.iter().skip(n).filter(here).map(|i| &i.deploy.kernel).collect();
        let told = &instances[of].deploy;
        let unknown = match told.own_firewall.as_ref().map(|f| f.value) {
            Some(OwnFirewall::Unknown) => true,
            Some(OwnFirewall::None) => false,
            // Behind a described router it is taken to let everything in; here nothing else protects the host. A product
            // that opens its ports by itself says what its firewall lets in.
            None => outermost && !instances.iter().filter(here).all(Instance::opens_itself),
        };
        let given = (&told.firewall[..], &told.boot[..], unknown);
        servers.push(server((snapshot, readings), instance, given, interface, &kernel)?);
        stated.push(of);
        interfaces.push(interface);
        server_of.push(servers.len() - 1);
    }
    Ok((servers, server_of))
}

/// Hosts on which a reverse proxy answers for an instance: the server of each, where it has one. Those that are no
/// product's own are added.
pub(super) fn add_proxies(instances: &[Instance], outermost: bool, servers: &mut Vec<Server>) -> Vec<Option<usize>> {
    let mut out = Vec::new();
    for instance in instances {
        let proxy = instance.deploy.proxy.as_ref().and_then(|p| Some((&p.value, p.value.at.as_ref()?)));
        let Some((_, At { value: ProxyAt::Host(ip, port), span })) = proxy else {
            out.push(None);
            continue;
        };
        let held = servers.iter().position(|s| s.addresses.iter().any(|a| a.value.addr() == *ip));
        let index = held.unwrap_or_else(|| {
            let address = At { value: IpNet::from(*ip), span: span.clone() };
            servers.push(bare(&format!("proxy {ip}"), address, outermost));
            servers.len() - 1
        });
        for r in instance.requirements.iter().filter(|r| r.proxied.is_some() && r.to == Party::Server) {
            let own = (*port).filter(|_| r.proxied == Some(Proxied::Pages)).map(|p| vec![(p, p)]);
            for ports in own.unwrap_or_else(|| r.ports.clone()) {
                let name = format!("{} {} by proxy", instance.label(), r.id).into();
                servers[index].device.endpoints.push(Endpoint {
                    proto: r.proto.number(),
                    ports,
                    bind: None,
                    answers_as_routed: false,
                    name,
                });
            }
        }
        out.push(Some(index));
    }
    out
}

/// A host of which only the address is known; `outermost`: nothing that is described protects it.
fn bare(name: &str, address: At<IpNet>, outermost: bool) -> Server {
    let device = Device {
        pipeline: if outermost { guess::firewall(name) } else { Pipeline::default() },
        is_host: true,
        name: name.into(),
        interfaces: vec![Interface { name: "eth0".into(), ..Interface::default() }],
        drops_own_source: true,
        ..Device::default()
    };
    Server {
        device,
        addresses: vec![address],
        interface: 0,
        routes_dumped: [false; 2],
        rulesets: Vec::new(),
        kernel: Facts::default(),
        files: Files::default(),
    }
}

fn server(
    (snapshot, readings): (&Snapshot, &mut Readings),
    instance: &Instance,
    (firewall, boot, unknown): (&[At<String>], &[At<String>], bool),
    interface: Option<&At<String>>,
    stated: &[&Facts],
) -> Result<Server, InputError> {
    let deploy = &instance.deploy;
    let addresses: Vec<At<IpNet>> = deploy.host.iter().map(|h| h.with(IpNet::from(h.value))).collect();
    let read = readings.read(snapshot, firewall, boot)?;
    let mut own = Device::default();
    let rulesets = read.lower(&mut own);
    let routes_dumped = read.routes_dumped();
    let name = format!("server {}", deploy.host[0].value);
    let dumped = read.facts.interfaces.is_some();
    let mut interfaces = read.facts.interfaces.clone().unwrap_or_default();
    interfaces.retain(|i| &*i.name != "lo");
    let interface = if dumped {
        let holds = |i: &Interface| i.addresses.iter().any(|n| n.addr() == deploy.host[0].value);
        interfaces.iter().position(holds).ok_or_else(|| {
            deploy.host[0]
                .error(format!("the server's address dump does not hold {}", deploy.host[0].value))
                .help("check `host`, or save what `ip -j addr` prints on the server again")
        })?
    } else {
        let name = interface.map_or("eth0", |i| &i.value);
        interfaces.push(Interface { name: name.into(), ..Interface::default() });
        if interface.is_none()
            && let Some(file) = firewall.first()
            && names_interfaces(&own.pipeline)
        {
            return Err(file
                .error("these rules name interfaces; which one holds the server's address?")
                .help("add `interface = \"<name>\"`, or what `ip -j addr` prints on the server to `firewall`"));
        }
        0
    };
    let pipeline = if unknown && !read.has_rules() { guess::firewall(&name) } else { own.pipeline };
    let mut device = Device {
        name: name.into(),
        interfaces,
        pipeline,
        is_host: true,
        drops_own_source: true,
        endpoints: endpoints(instance),
        ..Device::default()
    };
    iproute::add_rules(&mut device, &read.facts.rules);
    for route in read.facts.routes.iter().flatten() {
        iproute::add_route(&mut device, route);
    }
    if !dumped {
        super::containers::infer(&mut device, interface);
    }
    let mut known = read.facts.kernel.clone();
    for facts in stated {
        known = kernel::joined(snapshot, known, facts, &device.interfaces)?;
    }
    for engine in read.engines() {
        engine.behave(&mut device);
    }
    if read.has_linux_settings() {
        kernel::apply(&known, &mut device);
    }
    Ok(Server { kernel: known, files: read, device, addresses, interface, routes_dumped, rulesets })
}

/// Puts a server on its segment, with its addresses. Where no routes of a family are given, the gateway there is its way
/// out: those that are taken to be.
pub(super) fn attach(
    device: &mut Device,
    server: &Server,
    segment: usize,
    nets: &[(IpNet, Option<IpAddr>)],
) -> Vec<IpAddr> {
    let index = server.interface;
    let mut taken = Vec::new();
    let iface = &mut device.interfaces[index];
    let tunnel = iface.tunnel;
    iface.segment = segment;
    for (net, gateway) in nets {
        if !iface.addresses.iter().any(|n| n.addr() == net.addr()) {
            iface.addresses.push(*net);
        }
        let family = Family::of(net.addr());
        // A tunnel leads to its other ends alone.
        let there = tunnel && gateway.is_none();
        if !server.routes_dumped[usize::from(family == Family::V6)] && !there {
            taken.extend(*gateway);
            device.routes.push(Route {
                to: everything(family),
                target: RouteTarget::Via(index, *gateway),
                table: MAIN,
                metric: 0,
            });
        }
    }
    taken
}

fn endpoints(instance: &Instance) -> Vec<Endpoint> {
    let mut out: Vec<Endpoint> = Vec::new();
    for r in instance.requirements.iter().filter(|r| r.to == Party::Server && !r.example) {
        for ports in &r.ports {
            out.push(Endpoint {
                answers_as_routed: false,
                proto: r.proto.number(),
                ports: *ports,
                bind: None,
                name: format!("{} {}", instance.label(), r.id).into(),
            });
        }
    }
    out
}

/// Does a rule read the name or group of an interface other than the loopback?
fn names_interfaces(pipeline: &Pipeline) -> bool {
    let lo = crate::cube::Set::one(crate::model::iface_value("lo"));
    let lo = lo.or(&crate::cube::Set::one(0));
    let reads = |key: &crate::model::Key| {
        use KeyField::{InGroup, InIface, OutGroup, OutIface, RouteIface};
        matches!(key.field, InIface | OutIface | InGroup | OutGroup | RouteIface { .. })
    };
    let steps = pipeline.chains.iter().flat_map(|c| &c.rules).flat_map(|r| &r.steps);
    let mut found = steps.filter_map(|s| match s {
        Step::Match(m) if m.keys.iter().any(reads) => Some(match &m.test {
            crate::model::Test::In(set) => !set.is_subset(&lo),
            crate::model::Test::Boxes(_) => true,
        }),
        Step::Act(crate::model::Action::Verdict(v)) => Some(v.keys.iter().any(reads)),
        _ => None,
    });
    found.any(|x| x)
}
