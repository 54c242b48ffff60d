//! The whole recipe for a product: what its document tells to set up, whether it is there already or not.

use super::edit::{Destination, Edit, NewForward, NewPass, Reflection};
use super::guide::{self, Step};
use super::splice::sections::{Splice, Tree, child};
use crate::change::{Context, network};
use crate::profile::Instance;
use crate::requirement::{Level, Party, Requirement};
use crate::xml::spliced;
use std::net::IpAddr;

/// Edits for all instances, in the order of their documents: forwards for the WAN address, an alias for the public
/// name with forwards of its own where the product's document has one, reflection's source part.
pub fn recipe(instances: &[Instance], context: &Context) -> Vec<Edit> {
    let mut out: Vec<Edit> = Vec::new();
    let mut add = |edit: Edit| {
        if !out.contains(&edit) {
            out.push(edit);
        }
    };
    for instance in instances {
        for row in rows(instance) {
            for forward in forwards(instance, row, &Destination::InterfaceAddress("wan".into())) {
                add(forward);
            }
        }
        // Behind a second router calls from inside never ask for the WAN address.
        let name = instance.profile.alias.clone();
        let alias = name.or_else(|| context.second_router.then(|| "public_ip".to_owned()));
        if let (Some(alias), Some(member)) = (&alias, public(context)) {
            let descr = "the public address, as people outside ask for it".into();
            add(Edit::AddAlias { name: alias.clone(), kind: "host", members: vec![member], descr });
            for row in rows(instance) {
                for forward in forwards(instance, row, &Destination::Address(alias.clone())) {
                    add(forward);
                }
            }
        }
    }
    if out.iter().any(|e| matches!(e, Edit::AddForward(_))) {
        // Callers in the server's own network need it with every reflected forward.
        out.push(Edit::ReflectionHelper(true));
    }
    out
}

fn public(context: &Context) -> Option<String> {
    context.name.clone().or_else(|| context.address.map(|a| a.to_string()))
}

/// What must be reached from outside.
fn rows(instance: &Instance) -> impl Iterator<Item = &Requirement> {
    instance.requirements.iter().filter(|r| {
        r.to == Party::Server
            && !r.example
            && matches!(r.from, Party::Callers | Party::Phones | Party::Admin | Party::Internet)
            && matches!(r.level, Level::Required | Level::Recommended | Level::Admin)
    })
}

fn forwards(instance: &Instance, row: &Requirement, destination: &Destination) -> Vec<Edit> {
    let name = row.label.clone().unwrap_or_else(|| format!("{} {}", instance.profile.title, row.id));
    let by_name = matches!(destination, Destination::Address(_));
    let descr = if by_name { format!("{name} (by name)") } else { name };
    let sources: Vec<Option<String>> = match row.level {
        // Without an address nobody is let in: that is said, not guessed.
        Level::Admin => instance.deploy.admin.iter().map(|a| Some(network(&a.value))).collect(),
        _ => vec![None],
    };
    let mut out = Vec::new();
    for host in instance.deploy.host.iter().map(|h| h.value) {
        for source in &sources {
            for ports in &row.ports {
                out.extend(one(host, row, destination, *ports, source.as_ref(), &descr));
            }
        }
    }
    out
}

fn one(
    host: IpAddr,
    row: &Requirement,
    destination: &Destination,
    ports: (u16, u16),
    source: Option<&String>,
    descr: &str,
) -> Option<Edit> {
    if host.is_ipv6() {
        // IPv6 is not translated: a rule that lets the packets pass is all.
        let rule = NewPass {
            interface: "wan".into(),
            v6: true,
            protocol: row.proto.name(),
            source: source.cloned(),
            destination: host.to_string(),
            ports,
            before: None,
            floating: false,
            descr: descr.to_owned(),
        };
        return matches!(destination, Destination::InterfaceAddress(_)).then_some(Edit::AddPass(rule));
    }
    Some(Edit::AddForward(NewForward {
        interface: "wan".into(),
        v6: false,
        protocol: row.proto.name(),
        destination: destination.clone(),
        ports,
        target: host.to_string(),
        local_port: ports.0,
        reflection: Reflection::PureNat,
        source: source.cloned(),
        descr: descr.to_owned(),
    }))
}

/// A configuration with nothing but a WAN and a LAN, for a firewall that was not exported.
const EMPTY: &str = "<?xml version=\"1.0\"?>\n<pfsense>\n\t<system></system>\n\t<interfaces>\n\t\t<wan>\n\t\t\t<enable></enable>\n\t\t\t<if>em0</if>\n\t\t\t<descr><![CDATA[WAN]]></descr>\n\t\t</wan>\n\t\t<lan>\n\t\t\t<enable></enable>\n\t\t\t<if>em1</if>\n\t\t\t<descr><![CDATA[LAN]]></descr>\n\t\t</lan>\n\t</interfaces>\n\t<nat></nat>\n\t<filter></filter>\n\t<aliases></aliases>\n</pfsense>\n";

/// The recipe against an export, or against a firewall that was not exported: what is wanted, the whole guide, the way
/// back, and whether nothing is missing.
pub fn guide(text: Option<&str>, edits: &[Edit]) -> (Vec<Step>, Vec<Step>, bool) {
    let text = text.unwrap_or(EMPTY);
    // The whole recipe is shown, also what is there already: it is the document with the user's own values.
    let bare = without_rules(text);
    let missing = guide::steps(edits, text);
    (guide::steps(edits, &bare), guide::undo_steps(edits, text), missing.is_empty())
}

/// The export with interfaces only.
fn without_rules(text: &str) -> String {
    let Ok(tree) = Tree::read(text) else { return text.to_owned() };
    let section = |name| tree.section(name).ok().flatten();
    let rules = ["nat", "filter", "aliases"].into_iter().filter_map(section).filter_map(|s| tree.content(s));
    let mut splices: Vec<Splice> = rules.map(|at| Splice { at, text: String::new() }).collect();
    let helper = section("system").and_then(|system| child(system, "enablenatreflectionhelper"));
    splices.extend(helper.map(|helper| Splice { at: helper.range(), text: String::new() }));
    spliced(text, splices)
}
