//! Changes of a box that is stated: what its owner has to change there, and what the manifest says then.

use super::models::{self, Model};
use super::raw::{self, OneOrMany};
use super::traffic::{self, Entry, Key, Traffic};
use super::{At, value};
use crate::change::{Edits, Intent, Patch, Planned, Refused, Step, StepKind, Wanted, join};
use crate::dialect::{Editor, On};
use crate::manifest::Proto;
use std::net::IpAddr;
use std::ops::Range;

/// What a stated box does not do yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Number of its table among the manifest's gateways.
    pub gateway: usize,
    /// What.
    pub does: Does,
}

/// What a stated box or a filter does not do yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Does {
    /// It forwards these ports, the same outside and inside.
    Forward {
        /// Protocol.
        proto: Proto,
        /// Closed ranges.
        ports: Vec<(u16, u16)>,
        /// The host behind it.
        to: IpAddr,
        /// The port there, where it is another.
        port: Option<u16>,
        /// As the manifest has to say it: only another host than the usual one is named.
        written: Vec<String>,
        /// What the manifest says and what is to be changed into this: a part of the same ports.
        instead: Option<String>,
    },
    /// It turns calls from inside to its public address back in.
    Hairpin,
    /// A filter lets these ports in.
    Pass {
        /// As the manifest has to say it.
        written: Vec<String>,
    },
}

/// Statements about one box or filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statements {
    /// What the box is called.
    pub device: String,
    /// How its own pages call what it does.
    pub words: &'static Model,
    /// What it does not do yet.
    pub list: Vec<Statement>,
}

/// What a manifest states, to be changed.
pub(crate) struct StatedBoxes(String);

impl StatedBoxes {
    /// The boxes of this manifest.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl Editor for StatedBoxes {
    fn plan(&self, wanted: &Wanted, on: &On<'_>) -> Result<Planned, Refused> {
        // What a stated device does stands at its place in the manifest.
        let at = on.device.pipeline.origins.first().map_or(0, |o| o.at.start as usize);
        let list = plan(&self.0, at, &wanted.intent)?;
        let words = list.first().map_or(&models::GENERAL, |s| model(&self.0, s.gateway));
        let patch = Patch::new(Statements { device: on.device.name.to_string(), words, list });
        Ok(Planned { patch, marks: Vec::new() })
    }
}

impl Edits for Statements {
    fn apply(text: &str, all: &[&Self]) -> Result<String, Refused> {
        apply(text, &each_once(all.iter().copied()))
    }

    fn steps(_: &str, all: &[&Self]) -> (Vec<Step>, Vec<Step>) {
        let (mut there, mut back) = (Vec::new(), Vec::new());
        let mut devices: Vec<&str> = Vec::new();
        for one in all {
            if devices.contains(&&*one.device) {
                continue;
            }
            devices.push(&one.device);
            let (more, undo) =
                steps((&one.device, one.words), &each_once(all.iter().copied().filter(|s| s.device == one.device)));
            join(&mut there, &more, false);
            join(&mut back, &undo, true);
        }
        (there, back)
    }
}

fn each_once<'s>(all: impl Iterator<Item = &'s Statements>) -> Vec<&'s Statement> {
    let mut out: Vec<&Statement> = Vec::new();
    for statement in all.flat_map(|s| &s.list) {
        if !out.contains(&statement) {
            out.push(statement);
        }
    }
    out
}

/// What makes a wanted thing true on a device of which this manifest states what it does. `at`: where it does.
///
/// # Errors
/// When nothing that can be stated would do it.
pub(crate) fn plan(text: &str, at: usize, intent: &Intent) -> Result<Vec<Statement>, Refused> {
    let unreadable = || Refused("callpath.toml could not be read again".into());
    let manifest = super::parse(text).map_err(|_| unreadable())?;
    let gateway = manifest.gateways.iter().rposition(|g| g.span.start <= at).ok_or_else(unreadable)?;
    let places = Places::find(text, gateway).ok_or_else(unreadable)?;
    let one = |does: Does| Ok(vec![Statement { gateway, does }]);
    match intent {
        Intent::Allow { packets, input: false, .. } if places.filter => {
            let from: Vec<String> =
                packets.from.iter().map(|n| format!(" from {}", crate::change::network(n))).collect();
            let senders = if from.is_empty() { vec![String::new()] } else { from };
            let ports = packets.ports.iter().map(|range| super::show_ranges(&[*range]));
            let entry = |ports: String| senders.iter().map(move |s| format!("{ports}{s}")).collect::<Vec<_>>();
            let written = ports.map(|p| format!("{}/{p}", packets.proto.name())).flat_map(entry).collect();
            one(Does::Pass { written })
        }
        _ if places.filter => Err(Refused("what a filter passes can be stated, and nothing else".into())),
        Intent::Forward { hairpin: true, .. } if places.hairpin.as_ref().is_none_or(|(_, on)| !on) => {
            one(Does::Hairpin)
        }
        Intent::Forward { packets, to, port, .. } if to.is_ipv4() && packets.from.is_empty() => {
            let (proto, ports) = (packets.proto, packets.ports.clone());
            // One port leads to one host.
            let other = ports.iter().find_map(|range| places.others(proto, *range, (*to, *port)));
            let mut instead = match &other {
                Some((item, true)) if ports.len() == 1 => Some(item.clone()),
                Some((item, _)) => {
                    return Err(Refused(format!(
                        "\"{item}\" leads to another host: what that needs of it stays there"
                    )));
                }
                None => None,
            };
            let written = ports.iter().map(|(lo, hi)| {
                let ports = super::show_ranges(&[(*lo, *hi)]);
                let to = match port {
                    Some(port) => format!(" to {to}:{port}"),
                    None if Some(*to) == places.usual => String::new(),
                    None => format!(" to {to}"),
                };
                format!("{}/{ports}{to}", proto.name())
            });
            let written = written.collect();
            // Routers refuse a second forward of the same ports: the one that is there is changed.
            if let ([range], None, None) = (&ports[..], &instead, port) {
                instead = places.part_of(proto, *range, *to);
            }
            one(Does::Forward { proto, ports, to: *to, port: *port, written, instead })
        }
        _ => Err(Refused("such boxes have no setting for it that could be stated".into())),
    }
}

/// The manifest with these statements in it; everything else stays byte for byte.
///
/// # Errors
/// When it does not state a box that forwards a list of ports or nothing.
pub(crate) fn apply(text: &str, statements: &[&Statement]) -> Result<String, Refused> {
    let mut out = text.to_owned();
    let mut gateways: Vec<usize> = statements.iter().map(|s| s.gateway).collect();
    gateways.sort_unstable();
    gateways.dedup();
    // From the end, so that the places of the others stay.
    for gateway in gateways.into_iter().rev() {
        let here: Vec<&Does> = statements.iter().filter(|s| s.gateway == gateway).map(|s| &s.does).collect();
        out = apply_to(&out, gateway, &here)?;
    }
    Ok(out)
}

fn apply_to(text: &str, gateway: usize, statements: &[&Does]) -> Result<String, Refused> {
    let refused = || Refused("what the box forwards is not stated as a list of ports".into());
    let places = Places::find(text, gateway).ok_or_else(refused)?;
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut fresh: Vec<&String> = Vec::new();
    let listed = |text: &String| places.listed.iter().find(|l| l.value == *text);
    for statement in statements {
        match statement {
            Does::Forward { written, instead, .. } => match (instead.as_ref().and_then(listed), &written[..]) {
                (Some(old), [new]) => edits.push((old.span.clone(), format!("\"{new}\""))),
                _ => fresh.extend(written.iter().filter(|w| listed(w).is_none())),
            },
            Does::Pass { written } => fresh.extend(written.iter().filter(|w| listed(w).is_none())),
            Does::Hairpin => {}
        }
    }
    fresh.dedup();
    if !fresh.is_empty() {
        let fresh: Vec<String> = fresh.iter().map(|item| format!("\"{item}\"")).collect();
        let list = fresh.join(", ");
        edits.push(match places.list.ok_or_else(refused)? {
            List::Whole(span) => {
                let kept = places.listed.iter().filter_map(|item| text.get(item.span.clone()));
                (span, format!("[{}]", kept.chain(fresh.iter().map(|item| &**item)).collect::<Vec<_>>().join(", ")))
            }
            List::Behind(item) => (item..item, format!(", {list}")),
            List::Empty(start) => (start..start, list),
        });
    }
    if statements.contains(&&Does::Hairpin) {
        match places.hairpin {
            Some((span, false)) => edits.push((span, "true".into())),
            Some(_) => {}
            None => edits.push((places.after..places.after, format!("{}hairpin = true", places.joint))),
        }
    }
    let mut out = text.to_owned();
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    for (span, new) in edits {
        out.replace_range(span, &new);
    }
    Ok(out)
}

/// The words of the model that a manifest names for one of its boxes.
fn model(text: &str, gateway: usize) -> &'static Model {
    let manifest = super::parse(text).ok();
    match manifest.as_ref().and_then(|m| m.gateways.get(gateway)).map(|g| &g.kind) {
        Some(super::GatewayKind::Stated(stated)) => stated.words,
        _ => &models::GENERAL,
    }
}

/// What to do on the box, and how to take it back, in the words of its pages.
pub(crate) fn steps((device, words): (&str, &Model), statements: &[&Statement]) -> (Vec<Step>, Vec<Step>) {
    let (mut add, mut write) = (Vec::new(), Vec::new());
    let (mut there, mut back) = (Vec::new(), Vec::new());
    let page = words.forward_of(device);
    for statement in statements {
        let Does::Forward { proto, ports, to, port, written, instead } = &statement.does else { continue };
        let proto = proto.name().to_uppercase();
        let inside = port.map_or_else(|| "the same ports inside".to_owned(), |p| format!("port {p} inside"));
        let line = format!("{proto} {} to {to}, {inside}", super::show_ranges(ports));
        if let Some(old) = instead {
            let was = old.split('/').nth(1).unwrap_or(old);
            there.push(Step::by_hand(format!("{page}: change {proto} {was} into"), vec![line.clone()]));
            back.push(Step::by_hand(
                format!("{page}: change {proto} {} into", super::show_ranges(ports)),
                vec![was.to_owned()],
            ));
            write.push(format!("\"{}\" in place of \"{old}\"", written.concat()));
        } else {
            add.push(line);
            write.extend(written.iter().map(|w| format!("\"{w}\"")));
        }
    }
    // Where SIP is forwarded, a helper for it rewrites what it says.
    let sip = |s: &&&Statement| matches!(&s.does, Does::Forward { ports, .. } if ports.iter().any(|p| (p.0..=p.1).contains(&5060)));
    if let Some(helper) = words.helper.filter(|_| !words.key.is_empty() && statements.iter().any(|s| sip(&s))) {
        there.push(Step::by_hand(
            format!("{device} ({}), {helper}: switch it off, if it is on", words.name),
            Vec::new(),
        ));
    }
    if !add.is_empty() {
        back.push(Step::by_hand(format!("{page}: remove"), add.clone()));
        there.push(Step::by_hand(format!("{page}: add"), add));
    }
    let passes: Vec<String> = statements
        .iter()
        .filter_map(|s| match &s.does {
            Does::Pass { written } => Some(written),
            _ => None,
        })
        .flatten()
        .cloned()
        .collect();
    if !passes.is_empty() {
        let shown = |text: &String| {
            let (proto, ports) = text.split_once('/').unwrap_or_default();
            format!("{} {ports}, inbound", proto.to_uppercase())
        };
        let lines: Vec<String> = passes.iter().map(shown).collect();
        there.push(Step::by_hand(format!("rules of {device}: add"), lines.clone()));
        back.push(Step::by_hand(format!("rules of {device}: remove"), lines));
        write.extend(passes.iter().map(|p| format!("\"{p}\"")));
    }
    if statements.iter().any(|s| s.does == Does::Hairpin) {
        let (on, off) = words.loopback_of(device);
        there.push(Step::by_hand(on, Vec::new()));
        back.push(Step::by_hand(off, Vec::new()));
        write.push("hairpin = true".into());
    }
    let place = "callpath.toml: change what is stated, so that the next check knows".to_owned();
    there.push(Step { kind: StepKind::Manifest, ..Step::by_hand(place, write) });
    (there, back)
}

/// Where a manifest states one of its boxes or filters.
struct Places {
    /// It is a filter.
    filter: bool,
    /// How items are added to what is listed.
    list: Option<List>,
    /// Items that are listed already.
    listed: Vec<At<String>>,
    /// The host that is meant where none is named.
    usual: Option<IpAddr>,
    hairpin: Option<(Range<usize>, bool)>,
    /// Where another key can stand.
    after: usize,
    /// What stands before a further key.
    joint: &'static str,
}

/// How items are added to a value. Whole lines are kept as they are, with their ends and comments, so the text is changed
/// at spans: `toml_edit` (0.25.18) writes LF for CRLF, and hands the comment of the last item to the one that follows.
enum List {
    /// The value becomes a list.
    Whole(Range<usize>),
    /// Behind the last item, which ends here.
    Behind(usize),
    /// In a list without items, behind its bracket.
    Empty(usize),
}

impl Places {
    fn find(text: &str, gateway: usize) -> Option<Self> {
        let raw: raw::Manifest = toml::from_str(text).ok()?;
        let manifest = super::parse(text).ok()?;
        let filter = matches!(manifest.gateways.get(gateway)?.kind, super::GatewayKind::Filter(_));
        let here = raw.gateway.get(gateway)?.get_ref();
        let (value, key) =
            if filter { (here.passes.as_ref(), Key::Passes) } else { (here.forwards.as_ref(), Key::Forwards) };
        let key_ends = if filter { value?.span().end } else { here.inside.as_ref()?.span().end };
        let inline = text.get(raw.gateway.get(gateway)?.span())?.starts_with('{');
        // Behind the comment of that line.
        let line_ends = text[key_ends..].find('\n').map_or(text.len(), |at| key_ends + at);
        let (after, joint) = match text[..line_ends].strip_suffix('\r') {
            _ if inline => (key_ends, ", "),
            Some(line) => (line.len(), "\r\n"),
            None => (line_ends, "\n"),
        };
        let stated = value.and_then(|f| traffic::traffic(f, key).ok()).map(|f| f.value);
        let span = value.map(toml::Spanned::span);
        let listed = match (value.map(toml::Spanned::get_ref), &stated) {
            (Some(OneOrMany::Many(items)), _) => items.iter().map(value::at).collect(),
            (Some(OneOrMany::One(one)), Some(Traffic::Some(_))) => {
                vec![At { value: one.clone(), span: span.clone().unwrap_or_default() }]
            }
            _ => Vec::new(),
        };
        let many = matches!(value.map(toml::Spanned::get_ref), Some(OneOrMany::Many(_)));
        let list = match (stated, span) {
            (Some(Traffic::Some(_)), Some(span)) if many => {
                Some(listed.last().map_or(List::Empty(span.start + 1), |last| List::Behind(last.span.end)))
            }
            (Some(Traffic::None | Traffic::Some(_)), Some(span)) => Some(List::Whole(span)),
            _ => None,
        };
        let first = || manifest.deploys.iter().flat_map(|d| &d.host).map(|h| h.value).find(IpAddr::is_ipv4);
        // The next device inwards is meant where none is named: another box, or the first server.
        let mut further = manifest.gateways.iter().skip(gateway + 1).filter(|g| g.line.is_none());
        let usual = match further.find(|g| !matches!(g.kind, super::GatewayKind::Filter(_))).map(|g| &g.kind) {
            Some(super::GatewayKind::Stated(next)) => next.wan.as_ref().map(|w| w.value),
            Some(_) => None,
            None => first(),
        };
        let hairpin = here.hairpin.as_ref().map(|h| (h.span(), *h.get_ref()));
        Some(Self { filter, list, listed, usual, hairpin, after, joint })
    }

    /// An item that sends some of these ports to another host, and whether it is about nothing else.
    fn others(&self, proto: Proto, (lo, hi): (u16, u16), (to, port): (IpAddr, Option<u16>)) -> Option<(String, bool)> {
        self.listed.iter().find_map(|item| {
            let list = traffic::entries(item, Key::Forwards).unwrap_or_default();
            let found = list.iter().find_map(|e| match e {
                // What is for some senders only stands beside it.
                Entry { what: Some((p, first, last)), target, inner, from: None } => {
                    let elsewhere = target.or(self.usual).is_some_and(|t| t != to)
                        || inner.unwrap_or(*first) != port.unwrap_or(*first);
                    let meets = *p == proto && *first <= hi && lo <= *last && elsewhere;
                    meets.then_some(lo <= *first && *last <= hi)
                }
                _ => None,
            })?;
            Some((item.value.clone(), list.len() == 1 && found))
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
            in_ifaces: Vec::new(),
            out_iface: None,
        };
        let address = "203.0.113.5".parse().expect("an address");
        Intent::Forward { packets, address, to: to.parse().expect("an address"), port: None, hairpin }
    }

    /// The manifest with what its only gateway needs for this.
    fn changed(text: &str, intent: &Intent) -> Result<String, Refused> {
        let at = text.find("inside").expect("a key of the gateway");
        let statements = plan(text, at, intent).expect("a plan");
        apply(text, &statements.iter().collect::<Vec<_>>())
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
            // A comment stays beside what it is about.
            (
                &usual,
                "forwards = [\n  \"tcp/7881\", # web, a\n  # end\n]",
                "forwards = [\n  \"tcp/7881\", \"udp/50000-50499\", # web, a\n  # end\n]",
            ),
            (&usual, "forwards = 'tcp/7881' # web", "forwards = ['tcp/7881', \"udp/50000-50499\"] # web"),
            (&usual, "forwards = [\"udp/50000-50400\"]", "forwards = [\"udp/50000-50499\"]"),
            // One port leads to one host.
            (&other, "forwards = [\"tcp/7882\"]", "forwards = [\"tcp/7882 to 192.168.1.51\"]"),
            (&inside, "forwards = \"none\"\nhairpin = false", "forwards = \"none\"\nhairpin = true"),
            (&inside, "forwards = \"none\"", "hairpin = true\nforwards = \"none\""),
        ] {
            let text = manifest(before);
            let changed = changed(&text, intent).expect("a change");
            assert_eq!(changed, manifest(after));
            crate::manifest::parse(&changed).expect("reads");
        }
    }

    #[test]
    fn another_key_stands_on_a_line_of_its_own_or_in_the_same_braces() {
        let inside = forward(Proto::Udp, 50000, 50499, "192.168.1.50", true);
        let deploy = "[[deploy]]\nsystem = \"spokes\"\nhost = \"192.168.1.50\"\n";
        for (before, after) in [
            (
                "[[gateway]]\r\ninside = \"192.168.1.1/24\" # home\r\nforwards = \"none\"\r\n",
                "[[gateway]]\r\ninside = \"192.168.1.1/24\" # home\r\nhairpin = true\r\nforwards = \"none\"\r\n",
            ),
            (
                "gateway = [{ inside = \"192.168.1.1/24\", forwards = \"none\" }]\n",
                "gateway = [{ inside = \"192.168.1.1/24\", hairpin = true, forwards = \"none\" }]\n",
            ),
        ] {
            let text = format!("{before}{deploy}");
            assert_eq!(changed(&text, &inside).expect("a change"), format!("{after}{deploy}"));
        }
    }

    #[test]
    fn what_is_not_stated_as_a_list_is_not_changed() {
        let text = manifest("forwards = \"unknown\"");
        assert!(changed(&text, &forward(Proto::Udp, 1, 2, "192.168.1.50", false)).is_err());
    }
}
