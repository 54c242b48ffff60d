//! What is known of the kernels of Linux devices: put into the model, and said in the report.

use super::gateway::at_line;
use crate::cube::Set;
use crate::dialect::kernel::{Fact, Facts, Scope, What};
use crate::manifest::{At, known_names};
use crate::model::{
    Action, Bridge, Device, Doubt, DoubtId, DoubtKind, Families, Family, Hook, Interface, KeyField, Loopback, Origin,
    Part, Policy, Rule, Settings, SourceId, Stage, StageKind, Step, WayBack,
};
use crate::snapshot::{InputError, Snapshot};

/// What the files and the manifest say together.
///
/// # Errors
/// A setting about which they differ, or one that the manifest states for an interface that is not there.
pub(super) fn joined(
    snapshot: &Snapshot,
    read: Facts,
    stated: &Facts,
    interfaces: &[Interface],
) -> Result<Facts, InputError> {
    let mut all = read;
    for fact in &stated.list {
        let at = At { value: (), span: fact.at.clone() };
        if let Scope::Interface(name) = &fact.setting.scope
            && !interfaces.iter().any(|i| i.name == *name)
        {
            let known = interfaces.iter().map(|i| &*i.name);
            return Err(at.error(format!("there is no interface `{name}`")).help(known_names(
                name,
                "interfaces",
                known,
            )));
        }
        all.add(Facts::of(fact.clone())).map_err(|pair| {
            let file = snapshot.source(pair.0.source).map_or("a file", |s| &s.name);
            let (what, value) = (pair.0.setting.what.name(), pair.0.value);
            at.error(format!("`{file}` says that {what} is {value}"))
                .help("leave it out here, or save what `sysctl -a` prints again if it has changed since")
        })?;
    }
    Ok(all)
}

/// Puts what is known into a device of Linux. What is not known of loopback destinations is a doubt; all else has the
/// value that [`given`] names.
pub(super) fn apply(facts: &Facts, device: &mut Device) {
    let unknown = device.interfaces.iter().any(|i| facts.route_localnet(&i.name).is_none());
    let loopback = unknown.then(|| {
        let origin = device.pipeline.add_origin(Origin::default());
        device.pipeline.add_doubt(Doubt {
            origin,
            what: format!("whether {} takes loopback addresses from outside (route_localnet)", device.name).into(),
            supply: "state it: `kernel = { route_localnet = 0 }`, or give what `sysctl -a` prints".into(),
            fixed: true,
            kind: DoubtKind::Fact,
        })
    });
    if facts.helpers() == Some(true) {
        helped(device);
    }
    let calls = [Family::V4, Family::V6].map(|f| facts.bridge_calls(f) == Some(true));
    let mut joined: Vec<Option<DoubtId>> = Vec::new();
    for index in 0..device.interfaces.len() {
        let bridge = calls.contains(&true) && device.interfaces[index].ports != Some(0);
        joined.push(bridge.then(|| joined_by(device, index)));
    }
    for (iface, joined) in device.interfaces.iter_mut().zip(joined) {
        let bridge = |calls: bool| joined.filter(|_| calls).map(|joined| Bridge { ports: iface.ports, joined });
        let name = &iface.name;
        let marked = facts.reverse_mark(name) == Some(true);
        iface.settings = Settings {
            keeps_v4: facts.forwards(Family::V4, name) == Some(false),
            keeps_v6: facts.forwards(Family::V6, name) == Some(false),
            loopback: match (facts.route_localnet(name), loopback) {
                (Some(true), _) => Loopback::Accepted,
                (None, Some(doubt)) => Loopback::Unknown(doubt),
                _ => Loopback::Refused,
            },
            way_back: match facts.rp_filter(name) {
                None | Some(0) => WayBack::Unchecked,
                Some(1) => WayBack::Same { marked },
                Some(_) => WayBack::Any { marked },
            },
            bridge_v4: bridge(calls[0]),
            bridge_v6: bridge(calls[1]),
        };
    }
}

/// The port whose connections get the SIP helper where none is named (`nf_conntrack_sip.c`, parameter `ports`).
const SIP: u128 = 5060;

/// Gives connections to the SIP helper, as the kernel does without a rule: when a connection begins.
fn helped(device: &mut Device) {
    let pipeline = &mut device.pipeline;
    let origin = pipeline.add_origin(Origin::default());
    let name = &device.name;
    let doubt = pipeline.add_doubt(Doubt {
        origin,
        what: format!("{name} gives SIP to a helper without a rule (nf_conntrack_helper = 1; set it to 0)").into(),
        supply: "".into(),
        fixed: false,
        kind: DoubtKind::Fact,
    });
    let is = |part, values: &[u128]| {
        let set = Set::union(values.iter().map(|v| Set::one(*v)));
        Step::is(KeyField::Header(part), set)
    };
    let steps = vec![is(Part::Proto, &[6, 17]), is(Part::DstPort, &[SIP]), Step::Act(Action::Helper(doubt))];
    let chain = pipeline.add_chain("helpers", origin, vec![Rule { origin, steps: steps.into() }]);
    for hook in [Hook::Prerouting, Hook::Output] {
        let stages = &mut pipeline.hooks[hook as usize];
        let tracks = stages.iter().rposition(|s| matches!(s.kind, StageKind::Track));
        let kind = StageKind::Filter { chain, policy: Policy::Accept, reroute: false };
        // Without tracking no connection has a helper.
        if let Some(at) = tracks {
            stages.insert(at + 1, Stage { kind, families: Families::BOTH, interfaces: None });
        }
    }
}

/// The doubt how those who talk are joined to a bridge.
fn joined_by(device: &mut Device, index: usize) -> DoubtId {
    let iface = &device.interfaces[index];
    let (shown, name) = (iface.shown(), &device.name);
    let what = match iface.ports {
        None => format!("whether {shown} of {name} is a bridge, and joins those who talk by different ports"),
        Some(_) => format!("whether the bridge {shown} of {name} joins those who talk by different ports"),
    };
    let supply = "with `bridge-nf-call-iptables = 0` it does not matter; `ip -j addr` says whether it is a bridge";
    let origin = device.pipeline.add_origin(Origin::default());
    let doubt = Doubt { origin, what: what.into(), supply: supply.into(), fixed: true, kind: DoubtKind::Fact };
    device.pipeline.add_doubt(doubt)
}

/// What is given about the kernels of routers: what was stated or read, and what is taken to be.
pub(super) fn given<'r>(snapshot: &Snapshot, routers: impl Iterator<Item = (&'r Device, &'r Facts)>) -> Vec<String> {
    let mut out = Vec::new();
    let mut silent = false;
    for (device, facts) in routers {
        let name = &device.name;
        out.extend(told(snapshot, device, facts));
        let known = |family| device.interfaces.iter().all(|i| facts.forwards(family, &i.name).is_some());
        let (v4, v6) = (known(Family::V4), known(Family::V6));
        let checks = device.interfaces.iter().all(|i| facts.rp_filter(&i.name).is_some());
        match (v4, v6, checks) {
            (false, false, false) => silent = true,
            (true, true, true) => {}
            _ => {
                let mut parts = Vec::new();
                match (v4, v6) {
                    (false, false) => parts.push("forwards packets"),
                    (false, true) => parts.push("forwards IPv4 packets (ip_forward = 1)"),
                    (true, false) => parts.push("forwards IPv6 packets (net.ipv6.conf.all.forwarding = 1)"),
                    (true, true) => {}
                }
                parts.extend((!checks).then_some("does not check return paths (rp_filter = 0)"));
                out.push(format!("{name} {}", parts.join(" and ")));
            }
        }
        let checked = device.interfaces.iter().any(|i| i.settings.way_back != WayBack::Unchecked);
        let by_mark = device.routing_rules.iter().any(|r| r.mark.is_some());
        if checked && by_mark && device.interfaces.iter().any(|i| facts.reverse_mark(&i.name).is_none()) {
            out.push(format!("{name} checks return paths without the packet's mark (src_valid_mark = 0)"));
        }
    }
    if silent {
        out.insert(0, "routers forward packets and do not check return paths (rp_filter = 0)".into());
    }
    out
}

/// What is taken as given where a product's document wants no helper: that no kernel gives one by itself.
pub(super) fn no_helpers<'r>(routers: impl Iterator<Item = (&'r Device, &'r Facts)>) -> Option<String> {
    let silent: Vec<&str> = routers.filter(|(_, f)| f.helpers().is_none()).map(|(d, _)| &*d.name).collect();
    let (last, first) = silent.split_last()?;
    let (who, give) = if first.is_empty() {
        ((*last).to_owned(), "gives")
    } else {
        (format!("{} and {last}", first.join(", ")), "give")
    };
    Some(format!("{who} {give} SIP to a helper only where a rule says so (nf_conntrack_helper = 0)"))
}

/// What is taken as given of bridges: that nobody's packets meet rules within them. Asked for the interfaces by which
/// servers are joined.
pub(super) fn bridges(device: &Device, facts: &Facts, joins: impl Fn(&Interface) -> bool) -> Vec<String> {
    let mut out = Vec::new();
    for iface in device.interfaces.iter().filter(|i| i.ports != Some(0) && joins(i)) {
        let open = |family: &Family| {
            facts.bridge_calls(*family).is_none() && iface.addresses.iter().any(|n| Family::of(n.addr()) == *family)
        };
        let settings: Vec<String> = [Family::V4, Family::V6]
            .into_iter()
            .filter(open)
            .map(|f| format!("{} = 0", What::BridgeCalls(f).name()))
            .collect();
        if !settings.is_empty() {
            let if_one = if iface.ports.is_some() { "" } else { ", should it be a bridge" };
            let (settings, shown, name) = (settings.join(", "), iface.shown(), &device.name);
            out.push(format!("what stays within {shown} of {name} meets no rules{if_one} ({settings})"));
        }
    }
    out
}

/// What the manifest states, and which file tells the rest.
pub(super) fn told(snapshot: &Snapshot, device: &Device, facts: &Facts) -> Vec<String> {
    let mut out = Vec::new();
    let name = &device.name;
    let stated: Vec<&Fact> = facts.list.iter().filter(|f| f.source == SourceId::MANIFEST).collect();
    if let Some(first) = stated.first() {
        let list: Vec<String> = stated.iter().map(|f| shown(f)).collect();
        let place = at_line(snapshot, &At { value: (), span: first.at.clone() });
        out.push(format!("{name}: {}, as you stated ({place})", list.join(", ")));
    }
    if let Some(file) = facts.list.iter().find(|f| f.source != SourceId::MANIFEST) {
        let file = snapshot.source(file.source).map_or("", |s| &s.name);
        out.push(format!("{name}: the settings of its kernel are those of {file}"));
    }
    out
}

/// `rp_filter of wan0 = 1`.
fn shown(fact: &Fact) -> String {
    let name = match (fact.setting.what, &fact.setting.scope) {
        (What::Forwarding(_), Scope::Interface(i)) => format!("forwarding of {i}"),
        (what, Scope::Interface(i)) => format!("{} of {i}", what.name()),
        (what, _) => what.name().to_owned(),
    };
    format!("{name} = {}", fact.value)
}
