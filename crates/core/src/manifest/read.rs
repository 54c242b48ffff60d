//! From the written manifest to the checked one.

use super::kernel;
use super::raw::{self, OneOrMany};
use super::value::{address, address_pair, at, forwards, net, place, ports, prefix, strings};
use super::{At, Deploy, Forwards, Gateway, GatewayKind, Manifest, Net, Place, StatedInterface, did_you_mean, route};
use crate::dialect::kernel::Facts;
use crate::profile::{Answers, Ice};
use crate::snapshot::InputError;
use toml::Spanned;

pub(super) fn manifest(text: &str) -> Result<Manifest, InputError> {
    let raw: raw::Manifest = toml::from_str(text).map_err(|e| syntax(text, &e))?;
    let address = match &raw.address {
        Some(a) => address_pair(&strings(a), "the public address")?,
        None => Vec::new(),
    };
    let gateways = raw.gateway.iter().map(gateway).collect::<Result<Vec<_>, _>>()?;
    let nets = raw.net.iter().map(|n| read_net(n.get_ref())).collect::<Result<Vec<_>, _>>()?;
    let callers = raw.caller.iter().map(caller).collect::<Result<Vec<_>, _>>()?;
    let deploys = raw.deploy.iter().map(deploy).collect::<Result<Vec<_>, _>>()?;
    if deploys.is_empty() {
        return Err(InputError::in_manifest(text.len()..text.len(), "nothing is installed: there is no [[deploy]]")
            .help("add a [[deploy]] table with `system = \"livekit\"` and `host = \"<the server's own address>\"`"));
    }
    unique(deploys.iter().map(|d| &d.label), "instances", "give one of them another `label`")?;
    unique(nets.iter().map(|n| &n.name), "networks", "give one of them another `name`")?;
    unique(callers.iter().filter_map(|c| c.label.as_ref()), "callers", "give one of them another `name`")?;
    if let Some(stated) = gateways.iter().skip(1).find(|g| matches!(g.kind, GatewayKind::Stated { .. })) {
        return Err(InputError::in_manifest(
            stated.span.start..stated.span.start,
            "a stated box stands behind another",
        )
        .help("only the outermost gateway can be stated: list gateways from the internet inwards"));
    }
    let name = raw.name.as_ref().map(at);
    name.as_ref().map_or(Ok(()), host_name)?;
    Ok(Manifest { name, address, gateways, nets, callers, deploys })
}

/// A name alone: what is copied out of a browser has more around it.
fn host_name(name: &At<String>) -> Result<(), InputError> {
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
    let stated: Vec<&str> = [
        g.inside.as_ref().map(|_| "inside"),
        g.forwards.as_ref().map(|_| "forwards"),
        g.hairpin.as_ref().map(|_| "hairpin"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let read = g.config.is_some() || g.wan.is_some() || !g.interfaces.is_empty() || !g.routes.is_empty();
    let head = span.start..(span.start + "[[gateway]]".len()).min(span.end);
    if let (Some(key), Some(name), false) = (stated.first(), g.aliases.keys().next(), read) {
        return Err(at(name)
            .error(format!("`{key}` is for a box that has no configuration here, and `aliases` for one that has"))
            .help("a stated box has no aliases: leave them out, or read it with `config`"));
    }
    if let (Some(key), Some(name), false) = (stated.first(), g.kernel.keys().next(), read) {
        return Err(at(name)
            .error(format!(
                "`{key}` is for a box that has no configuration here, and `kernel` for a Linux router that has"
            ))
            .help("a stated box does as its other keys say: leave `kernel` out, or read it with `config`"));
    }
    if let Some(label) = g.label.as_ref().filter(|l| l.get_ref().trim().is_empty()) {
        return Err(at(label)
            .error("a gateway without a name")
            .help("say what reports call it: `label = \"the box\"`"));
    }
    let kind = match (stated.first(), read) {
        (Some(key), true) => {
            return Err(InputError::in_manifest(head, format!("`{key}` is for a box that has no configuration here"))
                .help("state a box with `inside`, `forwards` and `hairpin`, or read it with `config`, not both"));
        }
        (Some(_), false) => {
            let Some(inside) = &g.inside else {
                return Err(InputError::in_manifest(head, "a stated box needs its inner address")
                    .help("add `inside = \"192.168.0.1/24\"`"));
            };
            let forwards = match &g.forwards {
                Some(f) => forwards(f)?,
                None => At { value: Forwards::Unknown, span: head.clone() },
            };
            GatewayKind::Stated {
                inside: net(&at(inside))?,
                forwards,
                hairpin: g.hairpin.as_ref().map(|h| *h.get_ref()),
            }
        }
        (None, _) => GatewayKind::Read {
            files: g.config.as_ref().map(paths).transpose()?.unwrap_or_default(),
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
        return Err(InputError::in_manifest(head, "nothing is known about this gateway's rules").help(
            "name its configuration: `config = \"ruleset.nft\"` (`nft list ruleset`), or state what it does: \
             `inside`, `forwards`, `hairpin`",
        ));
    }
    Ok(Gateway { span, label: g.label.as_ref().map(at), kind })
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
        wan: c.wan.as_ref().map(|w| address(&at(w))).transpose()?,
        interfaces: interfaces(&c.interfaces)?,
        routes: c.routes.iter().map(|r| route::route(&at(r))).collect::<Result<_, _>>()?,
        aliases: Vec::new(),
        kernel: Facts::default(),
    };
    Ok(Gateway { span, label: Some(at(&c.name)), kind })
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
    Ok(Net { name: at(&n.name), prefixes, behind: n.behind.as_ref().map(at) })
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
        Some(list) => Some(list.get_ref().iter().map(|c| place(&at(c))).collect::<Result<Vec<At<Place>>, _>>()?),
    };
    Ok(Deploy {
        span,
        system: at(&d.system),
        label: at(d.label.as_ref().unwrap_or(&d.system)),
        host,
        mode: d.mode.as_ref().map(at),
        with,
        on: d.on.iter().map(at).collect(),
        off: d.off.iter().map(at).collect(),
        clients,
        admin: d.admin.iter().map(|a| prefix(&at(a))).collect::<Result<_, _>>()?,
        firewall: d.firewall.as_ref().map(paths).transpose()?.unwrap_or_default(),
        kernel: kernel::facts(&d.kernel)?,
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
