//! From the written manifest to the checked one.

use super::facts::{Admin, OwnFirewall};
use super::kernel;
use super::models;
use super::raw::{self, OneOrMany};
use super::traffic::{Key, Source, Traffic, traffic};
use super::value::{address, address_pair, at, calling, net, ports, prefix, public_addresses, strings};
use super::{
    At, Deploy, Filter, Gateway, GatewayKind, Manifest, Net, Passes, Peer, Place, StatedBox, StatedInterface,
    did_you_mean, facts, route,
};
use crate::dialect::kernel::Facts;
use crate::profile::{Answers, Ice};
use crate::snapshot::InputError;
use crate::visible;
use std::net::IpAddr;
use toml::Spanned;

pub(super) fn manifest(text: &str) -> Result<Manifest, InputError> {
    let raw: raw::Manifest = toml::from_str(text).map_err(|e| syntax(text, &e))?;
    let address = match &raw.address {
        Some(a) => public_addresses(
            &strings(a),
            "write the address that the internet sees (a page such as https://ip.me shows it); the box that has this \
             one is a [[gateway]], and it is its `wan`",
        )?,
        None => Vec::new(),
    };
    let dns = facts::dns(&raw.dns)?;
    let admin = raw.admin.as_ref().map(facts::admin).transpose()?;
    let gateways = raw.gateway.iter().map(gateway).collect::<Result<Vec<_>, _>>()?;
    let nets = raw.net.iter().map(|n| read_net(n.get_ref())).collect::<Result<Vec<_>, _>>()?;
    let callers = raw.caller.iter().map(caller).collect::<Result<Vec<_>, _>>()?;
    let peers = raw.peer.iter().map(peer).collect::<Result<Vec<_>, _>>()?;
    let mut deploys = raw.deploy.iter().map(deploy).collect::<Result<Vec<_>, _>>()?;
    if deploys.is_empty() {
        return Err(InputError::in_manifest(text.len()..text.len(), "nothing is installed: there is no [[deploy]]")
            .help("add a [[deploy]] table with `system = \"livekit\"` and `host = \"<the server's own address>\"`"));
    }
    unique(deploys.iter().map(|d| &d.label), "instances", "give one of them another `label`")?;
    unique(nets.iter().map(|n| &n.name), "networks", "give one of them another `name`")?;
    unique(callers.iter().filter_map(|c| c.label.as_ref()), "callers", "give one of them another `name`")?;
    unique(peers.iter().map(|p| &p.name), "peers", "give one of them another `name`")?;
    for deploy in &mut deploys {
        deploy.admin_from = deploy.admin_from.take().or_else(|| admin.clone());
        deploy.admin = deploy.admin_from.as_ref().map_or_else(Vec::new, |a| addresses_of(a, &nets));
    }
    let name = raw.name.as_ref().map(at);
    name.as_ref().map_or(Ok(()), host_name)?;
    let manifest = Manifest { name, address, dns, admin, gateways, nets, peers, callers, deploys };
    places(&manifest)?;
    Ok(manifest)
}

/// The addresses from which something is administered, as far as the manifest itself says them.
fn addresses_of(admin: &At<Admin>, nets: &[Net]) -> Vec<At<ipnet::IpNet>> {
    let Admin::From(list) = &admin.value else { return Vec::new() };
    let mut out = Vec::new();
    for source in list {
        match &source.value {
            Source::Net(net) => out.push(source.with(*net)),
            Source::Place(Place::Net(name)) => {
                let here = nets.iter().filter(|n| n.name.value == *name);
                out.extend(here.flat_map(|n| n.prefixes.iter().map(|p| source.with(p.value))));
            }
            Source::Place(_) => {}
        }
    }
    out
}

/// Places that other keys name have tables of their own. A network that an interface holds has none: what `clients`
/// names is looked up when networks are known.
fn places(m: &Manifest) -> Result<(), InputError> {
    let sources = |t: &At<Traffic>| -> Vec<At<Place>> {
        let Traffic::Some(list) = &t.value else { return Vec::new() };
        let place = |e: &super::Entry| match &e.from {
            Some(Source::Place(place)) => Some(t.with(place.clone())),
            _ => None,
        };
        list.iter().filter_map(place).collect()
    };
    let mut named: Vec<At<Place>> = Vec::new();
    for gateway in &m.gateways {
        match &gateway.kind {
            GatewayKind::Stated(stated) => named.extend(sources(&stated.forwards)),
            GatewayKind::Filter(filter) => {
                if let Passes::Stated(passes) = &filter.passes {
                    named.extend(sources(passes));
                }
                named.extend(sources(&filter.out));
            }
            GatewayKind::Read { .. } => {}
        }
    }
    let admins = m.admin.iter().chain(m.deploys.iter().filter_map(|d| d.admin_from.as_ref()));
    for admin in admins {
        if let Admin::From(list) = &admin.value {
            named.extend(list.iter().filter_map(|s| match &s.value {
                Source::Place(place) => Some(s.with(place.clone())),
                Source::Net(_) => None,
            }));
        }
    }
    named.extend(m.deploys.iter().flat_map(|d| &d.told).map(|(place, _)| place.clone()));
    for place in &named {
        let (names, table): (Vec<&str>, _) = match &place.value {
            Place::Peer(_) => (m.peers.iter().map(|p| p.name.value.as_str()).collect(), "peer"),
            Place::Caller(_) => {
                (m.callers.iter().filter_map(|c| c.label.as_ref()).map(|l| l.value.as_str()).collect(), "caller")
            }
            Place::Net(_) => (m.nets.iter().map(|n| n.name.value.as_str()).collect(), "net"),
            _ => continue,
        };
        let shown = place.value.to_string();
        let name = shown.split_once(':').map_or("", |(_, n)| n);
        if !names.contains(&name) {
            let help = format!("add a [[{table}]] table with `name = \"{name}\"`");
            let help = did_you_mean(name, names).map_or(help, |like| format!("did you mean `{table}:{like}`?"));
            return Err(place.error(format!("there is no [[{table}]] called `{name}`")).help(help));
        }
    }
    Ok(())
}

/// A name alone: what is copied out of a browser has more around it.
pub(super) fn host_name(name: &At<String>) -> Result<(), InputError> {
    let text = name.value.trim();
    if !text.is_empty() && !text.contains(|c: char| c.is_whitespace() || c.is_control() || "/:@?#\"'\\".contains(c)) {
        return Ok(());
    }
    let host = text.split_once("://").map_or(text, |(_, rest)| rest);
    let host = host.split(['/', ':', '?', '#']).next().unwrap_or_default();
    let help = if host.is_empty() || host.contains(char::is_whitespace) { "voice.example.org" } else { host };
    Err(name.error(format!("`{text}` is not a host's name")).help(format!("write the name alone: `{help}`")))
}

fn unique<'a>(names: impl Iterator<Item = &'a At<String>>, what: &str, help: &str) -> Result<(), InputError> {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if seen.contains(&&*name.value) {
            return Err(name.error(format!("two {what} are called `{}`", name.value)).help(help));
        }
        seen.push(&name.value);
    }
    Ok(())
}

fn gateway(g: &Spanned<raw::Gateway>) -> Result<Gateway, InputError> {
    let span = g.span();
    let g = g.get_ref();
    let head = span.start..(span.start + "[[gateway]]".len()).min(span.end);
    let bad = |message: String| InputError::in_manifest(head.clone(), message);
    let first = |keys: &[(&'static str, bool)]| keys.iter().find(|(_, given)| *given).map(|(key, _)| *key);
    let stated = first(&[
        ("inside", g.inside.is_some()),
        ("forwards", g.forwards.is_some()),
        ("hairpin", g.hairpin.is_some()),
        ("model", g.model.is_some()),
    ]);
    let filter = first(&[
        ("passes", g.passes.is_some()),
        ("out", g.out.is_some()),
        ("tracks", g.tracks.is_some()),
        ("guards", g.guards.is_some()),
    ]);
    // What a stated box and a filter have no use for.
    let read = first(&[
        ("config", g.config.is_some()),
        ("boot", g.boot.is_some()),
        ("interfaces", !g.interfaces.is_empty()),
        ("routes", !g.routes.is_empty()),
    ]);
    if let (Some(key), Some(name), None) = (stated.or(filter), g.aliases.keys().next(), read) {
        return Err(at(name)
            .error(format!("`{key}` is for a box that has no configuration here, and `aliases` for one that has"))
            .help("a stated box has no aliases: leave them out, or read it with `config`"));
    }
    if let (Some(key), Some(name), None) = (stated.or(filter), g.kernel.keys().next(), read) {
        return Err(at(name)
            .error(format!(
                "`{key}` is for a box that has no configuration here, and `kernel` for a Linux router that has"
            ))
            .help("a stated box does as its other keys say: leave `kernel` out, or read it with `config`"));
    }
    for (name, what, help) in [
        (&g.label, "a gateway without a name", "say what reports call it: `label = \"the box\"`"),
        (&g.line, "a line without a name", "name it: `line = \"home\"`; on the way in of `address`, leave it out"),
        (&g.model, "a model without a name", "name it: `model = \"fritzbox\"`, or leave it out"),
    ] {
        if let Some(name) = name.as_ref().filter(|l| l.get_ref().trim().is_empty()) {
            return Err(at(name).error(what).help(help));
        }
        name.iter().try_for_each(one_line)?;
    }
    let kind = match (stated, filter) {
        (Some(box_key), Some(filter_key)) => {
            return Err(bad(format!(
                "`{filter_key}` is for a filter without NAT, `{box_key}` for a box that translates"
            ))
            .help("one table is one of them: give a filter in front of a box a [[gateway]] table of its own"));
        }
        (Some(key), None) if read.is_some() => {
            return Err(bad(format!("`{key}` is for a box that has no configuration here"))
                .help("state a box with `inside`, `forwards` and `hairpin`, or read it with `config`, not both"));
        }
        (Some(_), None) => GatewayKind::Stated(stated_box(g, &head)?),
        (None, Some(key)) => GatewayKind::Filter(a_filter(g, &head, key)?),
        (None, None) => GatewayKind::Read {
            files: g.config.as_ref().map(paths).transpose()?.unwrap_or_default(),
            boot: g.boot.as_ref().map(paths).transpose()?.unwrap_or_default(),
            wan: g.wan.as_ref().map(|w| address(&at(w))).transpose()?,
            interfaces: interfaces(&g.interfaces)?,
            routes: g.routes.iter().map(|r| route::route(&at(r))).collect::<Result<_, _>>()?,
            aliases: aliases(g)?,
            kernel: kernel::facts(&g.kernel)?,
        },
    };
    if let GatewayKind::Read { files, .. } = &kind
        && files.is_empty()
    {
        return Err(bad("nothing is known about this gateway's rules".into()).help(
            "name its configuration: `config = \"ruleset.nft\"` (`nft list ruleset`), or state what it does: \
             `inside`, `forwards`, `hairpin`",
        ));
    }
    Ok(Gateway { span, label: g.label.as_ref().map(at), line: g.line.as_ref().map(at), kind })
}

/// A box as its owner states it.
fn stated_box(g: &raw::Gateway, head: &std::ops::Range<usize>) -> Result<StatedBox, InputError> {
    let needs = |span: std::ops::Range<usize>| {
        InputError::in_manifest(span, "a stated box needs its inner address").help("add `inside = \"192.168.0.1/24\"`")
    };
    let inside = g.inside.as_ref().ok_or_else(|| needs(head.clone()))?;
    let networks = strings(inside).iter().map(net).collect::<Result<Vec<_>, _>>()?;
    if networks.is_empty() {
        return Err(needs(inside.span()));
    }
    for (n, one) in networks.iter().enumerate() {
        if !one.value.addr().is_ipv4() {
            return Err(one
                .error(format!("{} is an IPv6 address; what a stated box does to IPv6 cannot be stated", one.value))
                .help("write its inner IPv4 address: `inside = \"192.168.0.1/24\"`"));
        }
        let crosses = |o: &&At<ipnet::IpNet>| o.value.contains(&one.value) || one.value.contains(&o.value);
        if let Some(other) = networks[..n].iter().find(crosses) {
            return Err(one
                .error(format!("{} and {} are one network", other.value, one.value))
                .help("each network of the box has addresses of its own: write each once"));
        }
    }
    let wan = g.wan.as_ref().map(|w| address(&at(w))).transpose()?;
    if let Some(wan) = wan.as_ref().filter(|w| !w.value.is_ipv4()) {
        return Err(wan
            .error("what a stated box does to IPv6 cannot be stated")
            .help("write its outer IPv4 address, or leave `wan` out"));
    }
    if let Some(wan) = wan.as_ref()
        && let Some(inner) = networks.iter().find(|n| n.value.contains(&wan.value))
    {
        return Err(wan
            .error(format!("{} is in the box's own inner network {}", wan.value, inner.value.trunc()))
            .help("`wan` is the address on its outer side, `inside` the one on its inner side"));
    }
    let forwards = match &g.forwards {
        Some(f) => traffic(f, Key::Forwards)?,
        None => At { value: Traffic::Unknown, span: head.clone() },
    };
    let words = models::words(g.model.as_ref().map(|m| m.get_ref().as_str()));
    Ok(StatedBox { wan, inside: networks, forwards, hairpin: g.hairpin.as_ref().map(|h| *h.get_ref()), words })
}

/// A filter that translates nothing. `key`: one of its keys.
fn a_filter(g: &raw::Gateway, head: &std::ops::Range<usize>, key: &str) -> Result<Filter, InputError> {
    let bad = |message: String| InputError::in_manifest(head.clone(), message);
    if let Some(wan) = &g.wan {
        return Err(at(wan)
            .error("a filter without NAT has no outer address")
            .help("leave `wan` out; a box with NAT is stated by `inside` and `forwards`"));
    }
    if let Some(line) = &g.line {
        return Err(at(line)
            .error("a filter is no line to the internet")
            .help("name the `line` in the table of the box that ends it, and list the filter before that box"));
    }
    if let Some(boot) = &g.boot {
        return Err(InputError::in_manifest(boot.span(), "what a filter loads when it starts is not read")
            .help("leave `boot` out: `config` or `passes` says what the filter does now"));
    }
    if !g.interfaces.is_empty() || !g.routes.is_empty() {
        return Err(bad(format!("`{key}` is for a filter without NAT: it has no interfaces and no routes"))
            .help("leave them out; a box with rules of its own is read with `config`"));
    }
    let passes = match (&g.passes, &g.config) {
        (Some(_), Some(config)) => {
            return Err(InputError::in_manifest(
                config.span(),
                "`passes` is for a filter that has no configuration here",
            )
            .help("state what it passes, or read it with `config`, not both"));
        }
        (Some(passes), None) => Passes::Stated(traffic(passes, Key::Passes)?),
        (None, Some(config)) => Passes::Files(paths(config)?),
        (None, None) => Passes::Stated(At { value: Traffic::Unknown, span: head.clone() }),
    };
    let out = match &g.out {
        Some(out) => traffic(out, Key::Passes)?,
        None => At { value: Traffic::All(None), span: head.clone() },
    };
    let guards = match &g.guards {
        Some(list) if strings(list).is_empty() => {
            return Err(InputError::in_manifest(list.span(), "the filter guards nothing")
                .help("name addresses, or leave `guards` out: it stands before everything behind it then"));
        }
        Some(list) => Some(strings(list).iter().map(prefix).collect::<Result<_, _>>()?),
        None => None,
    };
    let keys = [("tracks", g.tracks.as_ref().map(Spanned::span)), ("out", g.out.as_ref().map(Spanned::span))];
    let beside = keys.into_iter().find_map(|(key, span)| Some(At { value: key, span: span? }));
    Ok(Filter { passes, out, tracks: g.tracks.as_ref().is_none_or(|t| *t.get_ref()), guards, beside })
}

/// A caller's router is read like a gateway.
fn caller(c: &Spanned<raw::Caller>) -> Result<Gateway, InputError> {
    let span = c.span();
    let c = c.get_ref();
    if c.name.get_ref().trim().is_empty() {
        return Err(at(&c.name).error("a caller without a name").help("name the place: `name = \"her flat\"`"));
    }
    let kind = GatewayKind::Read {
        files: paths(&c.config)?,
        boot: Vec::new(),
        wan: c.wan.as_ref().map(|w| address(&at(w))).transpose()?,
        interfaces: interfaces(&c.interfaces)?,
        routes: c.routes.iter().map(|r| route::route(&at(r))).collect::<Result<_, _>>()?,
        aliases: Vec::new(),
        kernel: Facts::default(),
    };
    Ok(Gateway { span, label: Some(at(&c.name)), line: None, kind })
}

fn interfaces(
    stated: &std::collections::BTreeMap<Spanned<String>, Spanned<OneOrMany>>,
) -> Result<Vec<StatedInterface>, InputError> {
    let mut out = Vec::new();
    for (name, addresses) in stated {
        let list = strings(addresses).iter().map(net).collect::<Result<Vec<_>, _>>()?;
        out.push((at(name), list));
    }
    // A map is sorted by name; people expect the order in which they wrote.
    out.sort_by_key(|(name, _)| name.span.start);
    Ok(out)
}

fn aliases(g: &raw::Gateway) -> Result<Vec<super::StatedAlias>, InputError> {
    let mut out = Vec::new();
    for (name, members) in &g.aliases {
        let list = strings(members).iter().map(prefix).collect::<Result<Vec<_>, _>>()?;
        out.push((at(name), list.into_iter().map(|n| n.value).collect()));
    }
    Ok(out)
}

/// File names; an empty one is an error here, a missing file is one later.
fn paths(v: &Spanned<OneOrMany>) -> Result<Vec<At<String>>, InputError> {
    let list = strings(v);
    match list.iter().find(|p| p.value.trim().is_empty()) {
        Some(p) => Err(p.error("an empty file name").help("write the path relative to this file")),
        None => Ok(list),
    }
}

fn read_net(n: &raw::Net) -> Result<Net, InputError> {
    if n.name.get_ref().trim().is_empty() {
        return Err(at(&n.name).error("a network without a name").help("name it: `name = \"guests\"`"));
    }
    if strings(&n.prefix).is_empty() {
        return Err(InputError::in_manifest(n.prefix.span(), "the network has no addresses")
            .help("write them with their prefix length: `prefix = \"192.168.20.0/24\"`"));
    }
    let prefixes = strings(&n.prefix).iter().map(prefix).collect::<Result<Vec<_>, _>>()?;
    let tunnel = n.tunnel.as_ref().map(at);
    if let (Some(true), Some(behind)) = (tunnel.as_ref().map(|t| t.value), &n.behind) {
        return Err(at(behind)
            .error("a tunnel lies behind no interface: its ends hold addresses of it")
            .help("leave `behind` out, or `tunnel`"));
    }
    Ok(Net { name: at(&n.name), prefixes, behind: n.behind.as_ref().map(at), tunnel })
}

fn peer(p: &Spanned<raw::Peer>) -> Result<Peer, InputError> {
    let p = p.get_ref();
    if p.name.get_ref().trim().is_empty() {
        return Err(at(&p.name).error("a peer without a name").help("name it: `name = \"trunk\"`"));
    }
    let address = strings(&p.address).iter().map(prefix).collect::<Result<Vec<_>, _>>()?;
    if address.is_empty() {
        return Err(InputError::in_manifest(p.address.span(), "the peer has no address")
            .help("write its address or network: `address = \"192.0.2.0/24\"`"));
    }
    let uses = strings(&p.uses);
    if uses.is_empty() {
        return Err(InputError::in_manifest(p.uses.span(), "the peer uses nothing")
            .help("name rows of the product, as `callpath ports` shows them: `uses = [\"sip-udp\", \"rtp\"]`"));
    }
    Ok(Peer { name: at(&p.name), address, uses })
}

fn deploy(d: &Spanned<raw::Deploy>) -> Result<Deploy, InputError> {
    let span = d.span();
    let d = d.get_ref();
    let host = address_pair(&strings(&d.host), "a host")?;
    if host.is_empty() {
        return Err(InputError::in_manifest(d.host.span(), "the host has no address")
            .help("write its address in your own network: `host = \"192.168.1.50\"`"));
    }
    if let Some(label) = d.label.as_ref().filter(|l| l.get_ref().trim().is_empty()) {
        return Err(at(label)
            .error("an instance without a name")
            .help("leave `label` out: reports then call it as its product"));
    }
    d.label.iter().try_for_each(one_line)?;
    let mut with = std::collections::BTreeMap::new();
    for (key, value) in &d.with {
        with.insert(key.get_ref().clone(), (key.span(), ports(value)?));
    }
    let clients = match &d.clients {
        None => None,
        Some(list) if list.get_ref().is_empty() => {
            return Err(InputError::in_manifest(list.span(), "nobody calls: `clients` names no place").help(
                "name the places from which people call, or leave `clients` out: then they call from everywhere",
            ));
        }
        Some(list) => Some(list.get_ref().iter().map(|c| calling(&at(c))).collect::<Result<Vec<At<Place>>, _>>()?),
    };
    let (firewall, own_firewall) = firewall(d)?;
    let address = d.address.as_ref().map(|list| {
        let cure = "write the public address by which this server is reached; its own address is `host`";
        public_addresses(&strings(list), cure).and_then(|all| {
            let families = [IpAddr::is_ipv4, IpAddr::is_ipv6];
            let second = families.iter().find_map(|f| all.iter().filter(|a| f(&a.value)).nth(1));
            second.map_or(Ok(all.clone()), |more| {
                Err(more
                    .error(format!("a second address of its family, {}", more.value))
                    .help("a server is reached by one address of each family: give the other to another [[deploy]]"))
            })
        })
    });
    Ok(Deploy {
        span,
        address: address.transpose()?.unwrap_or_default(),
        system: at(&d.system),
        label: at(d.label.as_ref().unwrap_or(&d.system)),
        host,
        mode: d.mode.as_ref().map(at),
        with,
        on: d.on.iter().map(at).collect(),
        off: d.off.iter().map(at).collect(),
        clients,
        admin: Vec::new(),
        admin_from: d.admin.as_ref().map(facts::admin).transpose()?,
        boot: boot(d, &firewall)?,
        firewall,
        kernel: kernel::facts(&d.kernel)?,
        own_firewall,
        config: d.config.as_ref().map(paths).transpose()?.unwrap_or_default(),
        proxy: d.proxy.as_ref().map(facts::proxy).transpose()?,
        told: facts::told(&d.told)?,
        interface: d.interface.as_ref().map(at),
        ice: d.ice.as_ref().map(|i| ice(&at(i))).transpose()?,
        stun: d.stun.as_ref().map(at),
        answers: d.answers.as_ref().map(|a| answers(&at(a))).transpose()?,
        local: match &d.local {
            None => None,
            Some(list) => Some(strings(list).iter().map(prefix).collect::<Result<_, _>>()?),
        },
    })
}

/// Files, and the word in their place.
type Firewall = (Vec<At<String>>, Option<At<OwnFirewall>>);

/// Reports begin lines with such a name.
fn one_line(name: &Spanned<String>) -> Result<(), InputError> {
    if *name.get_ref() == visible::line(name.get_ref().clone()) {
        return Ok(());
    }
    Err(at(name)
        .error("this name has several lines, or signs that cannot be seen")
        .help("write it in one line of plain words: `label = \"the box\"`"))
}

/// Files that a server loads when it starts, beside those that say what is in force.
fn boot(d: &raw::Deploy, firewall: &[At<String>]) -> Result<Vec<At<String>>, InputError> {
    let Some(boot) = &d.boot else { return Ok(Vec::new()) };
    if firewall.is_empty() {
        return Err(InputError::in_manifest(
            boot.span(),
            "`boot` is compared with what is in force, which is not given",
        )
        .help("name what `nft list ruleset` prints in `firewall`, or these files if that is all there is"));
    }
    paths(boot)
}

/// Files of a server's own firewall, or the word that stands for them.
fn firewall(d: &raw::Deploy) -> Result<Firewall, InputError> {
    let Some(stated) = &d.firewall else { return Ok((Vec::new(), None)) };
    let list = paths(stated)?;
    let word = |s: &At<String>| match s.value.as_str() {
        "none" => Some(s.with(OwnFirewall::None)),
        "unknown" => Some(s.with(OwnFirewall::Unknown)),
        _ => None,
    };
    match (&list[..], list.iter().find_map(word)) {
        ([_], Some(word)) => Ok((Vec::new(), Some(word))),
        (_, Some(word)) => {
            let text = if word.value == OwnFirewall::None { "none" } else { "unknown" };
            Err(word.error(format!("`{text}` beside files")).help(format!("a file of that name is \"./{text}\"")))
        }
        (_, None) => Ok((list, None)),
    }
}

fn ice(s: &At<String>) -> Result<At<Ice>, InputError> {
    match &*s.value {
        "full" => Ok(s.with(Ice::Full)),
        "lite" => Ok(s.with(Ice::Lite)),
        other => Err(s
            .error(format!("`{other}` is no kind of ICE agent"))
            .help("\"full\" sends connectivity checks itself, \"lite\" only answers them")),
    }
}

fn answers(s: &At<String>) -> Result<At<Answers>, InputError> {
    match &*s.value {
        "source" => Ok(s.with(Answers::Source)),
        "sdp" => Ok(s.with(Answers::Sdp)),
        other => Err(s
            .error(format!("`{other}` is no place that voice is sent to"))
            .help("\"source\": to where the phone's voice comes from; \"sdp\": to the address that the phone names")),
    }
}

/// What the TOML reader says, in our words where it speaks about keys.
fn syntax(text: &str, e: &toml::de::Error) -> InputError {
    let span = e.span().unwrap_or(0..0);
    let message = e.message().lines().next().unwrap_or("not TOML").to_owned();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let names: Vec<&str> = rest.split('`').skip(1).step_by(2).collect();
        if let Some((unknown, known)) = names.split_first() {
            let help = match did_you_mean(unknown, known.iter().copied()) {
                Some(like) => format!("did you mean `{like}`?"),
                None => format!("keys here: {}", known.join(", ")),
            };
            return InputError::in_manifest(span, format!("unknown key `{unknown}`")).help(help);
        }
    }
    if let Some(rest) = message.strip_prefix("missing field ") {
        let key = rest.trim_matches('`');
        let help = match key {
            "host" => "add the server's own address: `host = \"192.168.1.50\"`".to_owned(),
            "system" => "add the product's name: `system = \"livekit\"`".to_owned(),
            "uses" => "name rows of the product: `uses = [\"sip-udp\", \"rtp\"]`".to_owned(),
            _ => format!("add `{key} = …`"),
        };
        let head = span.start..text[span.start..].find('\n').map_or(text.len(), |n| span.start + n);
        return InputError::in_manifest(head, format!("`{key}` is missing")).help(help);
    }
    let help = if text.trim_start().starts_with(['{', '<']) || text.contains('\0') {
        "callpath.toml is a text file in TOML; this is another kind of file"
    } else {
        "the file is TOML: `key = \"value\"`, tables in [[double brackets]]"
    };
    InputError::in_manifest(span, lower_first(&message)).help(help)
}

fn lower_first(s: &str) -> String {
    let mut chars = s.chars();
    match chars.next() {
        Some(c) if !s.starts_with("TOML") => c.to_lowercase().chain(chars).collect(),
        _ => s.to_owned(),
    }
}
