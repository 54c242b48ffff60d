//! Changes of a box that is stated: what its owner has to change there, and what the manifest says then.

use super::raw::{self, OneOrMany};
use super::traffic::{self, Entry, Key, Traffic};
use super::{At, value};
use crate::change::{Intent, Refused, Step};
use crate::manifest::Proto;
use std::fmt::Write;
use std::net::IpAddr;
use std::ops::Range;

/// What a stated box does not do yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// It forwards these ports, the same outside and inside.
    Forward {
        /// Protocol.
        proto: Proto,
        /// Closed ranges.
        ports: Vec<(u16, u16)>,
        /// The host behind it.
        to: IpAddr,
        /// As the manifest has to say it: only another host than the usual one is named.
        written: Vec<String>,
        /// What the manifest says and what is to be changed into this: a part of the same ports.
        instead: Option<String>,
    },
    /// It turns calls from inside to its public address back in.
    Hairpin,
}

/// What makes a wanted thing true on the stated box of this manifest.
///
/// # Errors
/// When nothing that can be stated would do it.
pub(crate) fn plan(text: &str, intent: &Intent) -> Result<Vec<Statement>, Refused> {
    let places = Places::find(text).ok_or_else(|| Refused("callpath.toml could not be read again".into()))?;
    match intent {
        Intent::Forward { hairpin: true, .. } if places.hairpin.as_ref().is_none_or(|(_, on)| !on) => {
            Ok(vec![Statement::Hairpin])
        }
        Intent::Forward { packets, to, .. } if to.is_ipv4() && packets.from.is_empty() => {
            let (proto, ports) = (packets.proto, packets.ports.clone());
            let written = ports.iter().map(|(lo, hi)| {
                let ports = super::show_ports(&[(*lo, *hi)]);
                let to = if Some(*to) == places.usual { String::new() } else { format!(" to {to}") };
                format!("{}/{ports}{to}", proto.name())
            });
            let written = written.collect();
            // Routers refuse a second forward of the same ports: the one that is there is changed.
            let instead = match ports[..] {
                [range] => places.part_of(proto, range, *to),
                _ => None,
            };
            Ok(vec![Statement::Forward { proto, ports, to: *to, written, instead }])
        }
        _ => Err(Refused("such boxes have no setting for it that could be stated".into())),
    }
}

/// The manifest with these statements in it; everything else stays byte for byte.
///
/// # Errors
/// When it does not state a box that forwards a list of ports or nothing.
pub(crate) fn apply(text: &str, statements: &[&Statement]) -> Result<String, Refused> {
    let refused = || Refused("what the box forwards is not stated as a list of ports".into());
    let places = Places::find(text).ok_or_else(refused)?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut fresh: Vec<&String> = Vec::new();
    let listed = |text: &String| places.listed.iter().find(|l| l.value == *text);
    for statement in statements {
        let Statement::Forward { written, instead, .. } = statement else { continue };
        match (instead.as_ref().and_then(listed), &written[..]) {
            (Some(old), [new]) => edits.push((old.span.clone(), format!("\"{new}\""))),
            _ => fresh.extend(written.iter().filter(|w| listed(w).is_none())),
        }
    }
    if !fresh.is_empty() {
        let (span, whole) = places.forwards.ok_or_else(refused)?;
        let mut list = String::new();
        for (n, item) in fresh.iter().enumerate() {
            let comma = if n > 0 || (!whole && !places.listed.is_empty()) { ", " } else { "" };
            let _ = write!(list, "{comma}\"{item}\"");
        }
        if whole {
            edits.push((span, format!("[{list}]")));
        } else {
            edits.push((span, list));
        }
    }
    if statements.iter().any(|s| **s == Statement::Hairpin) {
        match places.hairpin {
            Some((span, false)) => edits.push((span, "true".into())),
            Some(_) => {}
            None => edits.push((places.after_inside..places.after_inside, "\nhairpin = true".into())),
        }
    }
    let mut out = text.to_owned();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    for (span, new) in edits {
        out.replace_range(span, &new);
    }
    Ok(out)
}

/// What to do on the box, and how to take it back.
pub(crate) fn steps(device: &str, statements: &[&Statement]) -> (Vec<Step>, Vec<Step>) {
    let (mut add, mut write) = (Vec::new(), Vec::new());
    let (mut there, mut back) = (Vec::new(), Vec::new());
    let step = |place: String, lines: Vec<String>| Step { place, lines, save: false, shell: None };
    let page = format!("port forwards (port sharing) of {device}");
    for statement in statements {
        let Statement::Forward { proto, ports, to, written, instead } = statement else { continue };
        let proto = proto.name().to_uppercase();
        let line = format!("{proto} {} to {to}, the same ports inside", super::show_ports(ports));
        if let Some(old) = instead {
            let was = old.split('/').nth(1).unwrap_or(old);
            there.push(step(format!("{page}: change {proto} {was} into"), vec![line.clone()]));
            back.push(step(format!("{page}: change {proto} {} into", super::show_ports(ports)), vec![was.to_owned()]));
            write.push(format!("\"{}\" in place of \"{old}\"", written.concat()));
        } else {
            add.push(line);
            write.extend(written.iter().map(|w| format!("\"{w}\"")));
        }
    }
    if !add.is_empty() {
        back.push(step(format!("{page}: remove"), add.clone()));
        there.push(step(format!("{page}: add"), add));
    }
    if statements.iter().any(|s| **s == Statement::Hairpin) {
        let setting = format!("NAT loopback (NAT reflection, hairpin) of {device}");
        there.push(step(format!("{setting}: switch it on, if it has that"), Vec::new()));
        back.push(step(format!("{setting}: switch it off"), Vec::new()));
        write.push("hairpin = true".into());
    }
    there.push(step("callpath.toml: change what is stated, so that the next check knows".into(), write));
    (there, back)
}

/// Where a manifest states its box.
struct Places {
    /// The value to replace as a whole, or where more items of a list go.
    forwards: Option<(Range<usize>, bool)>,
    /// Items that are listed already.
    listed: Vec<At<String>>,
    /// The host that is meant where none is named.
    usual: Option<IpAddr>,
    hairpin: Option<(Range<usize>, bool)>,
    after_inside: usize,
}

impl Places {
    fn find(text: &str) -> Option<Self> {
        let raw: raw::Manifest = toml::from_str(text).ok()?;
        let manifest = super::parse(text).ok()?;
        let gateway = raw.gateway.first()?.get_ref();
        let inside = gateway.inside.as_ref()?;
        let forwards = gateway.forwards.as_ref();
        let stated = forwards.and_then(|f| traffic::traffic(f, Key::Forwards).ok()).map(|f| f.value);
        let span = forwards.map(toml::Spanned::span);
        let forwards = match (stated, span) {
            (Some(Traffic::None), Some(span)) => Some((span, true)),
            // Before the bracket that closes it, and before a comma that stands there for nothing.
            (Some(Traffic::Some(_)), Some(span)) => {
                let list = text.get(span.clone())?.strip_suffix(']')?.trim_end().trim_end_matches(',');
                let end = span.start + list.trim_end().len();
                Some((end..end, false))
            }
            _ => None,
        };
        let listed = match gateway.forwards.as_ref().map(toml::Spanned::get_ref) {
            Some(OneOrMany::Many(items)) => items.iter().map(value::at).collect(),
            _ => Vec::new(),
        };
        let first = || manifest.deploys.iter().flat_map(|d| &d.host).map(|h| h.value).find(IpAddr::is_ipv4);
        Some(Self {
            forwards,
            listed,
            // Behind a router that is read, that router is the next device.
            usual: if raw.gateway.len() == 1 { first() } else { None },
            hairpin: gateway.hairpin.as_ref().map(|h| (h.span(), *h.get_ref())),
            after_inside: inside.span().end,
        })
    }

    /// The one item that forwards a part of these ports to this host, and nothing else.
    fn part_of(&self, proto: Proto, (lo, hi): (u16, u16), to: IpAddr) -> Option<String> {
        let part = |item: &&At<String>| {
            let list = traffic::entries(item, Key::Forwards).unwrap_or_default();
            let [Entry { what: Some((p, from, to_port)), target, inner: None, from: None }] = &list[..] else {
                return false;
            };
            *p == proto && lo <= *from && *to_port <= hi && target.or(self.usual) == Some(to)
        };
        let mut parts = self.listed.iter().filter(part);
        let first = parts.next()?;
        parts.next().is_none().then(|| first.value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(gateway: &str) -> String {
        format!(
            "address = \"203.0.113.5\"  # mine\n[[gateway]]\ninside = \"192.168.1.1/24\"\n{gateway}\n[[deploy]]\n\
             system = \"spokes\"\nhost = \"192.168.1.50\"\n"
        )
    }

    fn forward(proto: Proto, lo: u16, hi: u16, to: &str, hairpin: bool) -> Intent {
        let packets = crate::change::Packets {
            family: crate::model::Family::V4,
            proto,
            ports: vec![(lo, hi)],
            from: Vec::new(),
            in_iface: None,
            out_iface: None,
        };
        let address = "203.0.113.5".parse().expect("an address");
        Intent::Forward { packets, address, to: to.parse().expect("an address"), hairpin }
    }

    #[test]
    fn a_statement_is_changed_and_everything_around_it_stays() {
        let usual = forward(Proto::Udp, 50000, 50499, "192.168.1.50", false);
        let other = forward(Proto::Tcp, 7882, 7882, "192.168.1.51", false);
        let inside = forward(Proto::Udp, 50000, 50499, "192.168.1.50", true);
        for (intent, before, after) in [
            (&usual, "forwards = \"none\" # yet", "forwards = [\"udp/50000-50499\"] # yet"),
            (&usual, "forwards = []", "forwards = [\"udp/50000-50499\"]"),
            (&usual, "forwards = [\"tcp/7881\"]", "forwards = [\"tcp/7881\", \"udp/50000-50499\"]"),
            (&usual, "forwards = [\n  \"tcp/7881\",\n]", "forwards = [\n  \"tcp/7881\", \"udp/50000-50499\",\n]"),
            (&usual, "forwards = [\"udp/50000-50400\"]", "forwards = [\"udp/50000-50499\"]"),
            (&other, "forwards = [\"tcp/7882\"]", "forwards = [\"tcp/7882\", \"tcp/7882 to 192.168.1.51\"]"),
            (&inside, "forwards = \"none\"\nhairpin = false", "forwards = \"none\"\nhairpin = true"),
            (&inside, "forwards = \"none\"", "hairpin = true\nforwards = \"none\""),
        ] {
            let text = manifest(before);
            let statements = plan(&text, intent).expect("a plan");
            let list: Vec<&Statement> = statements.iter().collect();
            let changed = apply(&text, &list).expect("a change");
            assert_eq!(changed, manifest(after));
            crate::manifest::parse(&changed).expect("reads");
        }
    }

    #[test]
    fn what_is_not_stated_as_a_list_is_not_changed() {
        let text = manifest("forwards = \"unknown\"");
        let statements = plan(&text, &forward(Proto::Udp, 1, 2, "192.168.1.50", false)).expect("a plan");
        let list: Vec<&Statement> = statements.iter().collect();
        assert!(apply(&text, &list).is_err());
    }
}
