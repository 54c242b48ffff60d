//! A port forward as far as edits need it: of an edit, or of the configuration.

use super::sections::{El, child, own_text, text};
use crate::dialect::pfsense::edit::{Destination, NewForward};
use crate::vocabulary::port_range;
use crate::xml::Item;

/// Source or destination of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::pfsense) struct End {
    pub what: What,
    /// "Invert match".
    pub not: bool,
    /// Port, range `1-2` or alias.
    pub port: Option<String>,
}

/// Exactly one of three elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::pfsense) enum What {
    Any,
    /// A special word: `wanip`, `lan`, `(self)`.
    Network(String),
    /// Address, network or alias.
    Address(String),
}

impl What {
    pub fn source(source: Option<&str>) -> Self {
        source.map_or(Self::Any, |s| Self::Address(s.trim().to_owned()))
    }

    pub fn destination(destination: &Destination) -> Self {
        match destination {
            Destination::InterfaceAddress(interface) => Self::Network(format!("{interface}ip")),
            Destination::Address(address) => Self::Address(address.trim().to_owned()),
        }
    }

    pub fn word(&self) -> &str {
        match self {
            Self::Any => "any",
            Self::Network(word) | Self::Address(word) => word,
        }
    }

    pub fn item(&self) -> Item {
        match self {
            Self::Any => Item::Empty("any"),
            Self::Network(n) => Item::Text("network", n.clone()),
            Self::Address(a) => Item::Text("address", a.clone()),
        }
    }
}

impl End {
    pub fn of(what: What, port: Option<String>) -> Self {
        Self { what, not: false, port }
    }

    /// `<source>` or `<destination>` of a rule; a missing one is any.
    pub fn read(rule: El, name: &str) -> Self {
        let Some(end) = child(rule, name) else { return Self::of(What::Any, None) };
        let word = |n| Some(text(end, n)).filter(|t| !t.is_empty());
        let what = match (child(end, "any"), word("network"), word("address")) {
            (None, Some(network), _) => What::Network(network),
            (None, None, Some(address)) => What::Address(address),
            _ => What::Any,
        };
        // `7881-7881` and `7881` are the same range.
        let port = word("port").map(|p| match p.split_once('-') {
            Some((from, to)) if from == to => from.to_owned(),
            _ => p,
        });
        Self { what, not: child(end, "not").is_some(), port }
    }

    pub fn item(&self, name: &'static str) -> Item {
        let mut items = vec![self.what.item()];
        if self.not {
            items.push(Item::Empty("not"));
        }
        items.extend(self.port.clone().map(|p| Item::Text("port", p)));
        Item::Node(name, items)
    }
}

/// What decides whether two forwards are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::dialect::pfsense) struct Forward {
    pub interface: String,
    pub family: String,
    pub protocol: String,
    pub source: End,
    pub destination: End,
    pub target: String,
    pub local_port: String,
}

impl Forward {
    pub fn of(new: &NewForward) -> Self {
        Self {
            interface: new.interface.clone(),
            family: family(new.v6).to_owned(),
            protocol: new.protocol.to_owned(),
            source: End::of(What::source(new.source.as_deref()), None),
            destination: End::of(What::destination(&new.destination), Some(range(new.ports))),
            target: new.target.trim().to_owned(),
            local_port: new.local_port.to_string(),
        }
    }

    /// A forward of the configuration. Missing: the interface is `wan`, the family IPv4, and the ports stay as they
    /// are (`filter_nat_rules_generate` of pfSense's `filter.inc`).
    pub fn read(rule: El) -> Self {
        let or = |value: String, other: &str| if value.is_empty() { other.to_owned() } else { value };
        let destination = End::read(rule, "destination");
        let first = destination.port.as_deref().map_or("", |p| p.split('-').next().unwrap_or(p));
        Self {
            interface: or(text(rule, "interface"), "wan"),
            family: or(text(rule, "ipprotocol"), "inet"),
            protocol: text(rule, "protocol").to_lowercase(),
            source: End::read(rule, "source"),
            target: text(rule, "target"),
            local_port: or(text(rule, "local-port"), first),
            destination,
        }
    }

    /// Ports of the host inside, which its filter rule names: as many as outside, from the local port on. Absent when
    /// they do not fit below 65536, which pfSense's page refuses too.
    pub fn inner_ports(&self) -> Option<String> {
        let (Ok(first), Some((from, to))) = (self.local_port.parse::<u16>(), self.outer_ports()) else {
            return Some(self.local_port.clone());
        };
        Some(range((first, first.checked_add(to.saturating_sub(from))?)))
    }

    fn outer_ports(&self) -> Option<(u16, u16)> {
        self.destination.port.as_deref().and_then(port_range)
    }

    /// The name that links a forward to its filter rule: `nat_` and 13 hexadecimal digits, as PHP's `uniqid` has them
    /// (`get_unique_id` of pfSense's `itemid.inc`). It follows from the content, so printing twice gives the same.
    pub fn link(&self, descr: &str, taken: impl Fn(&str) -> bool) -> String {
        let port = |end: &End| end.port.clone().unwrap_or_default();
        let content = [
            &self.interface,
            &self.family,
            &self.protocol,
            self.source.what.word(),
            self.destination.what.word(),
            &port(&self.destination),
            &self.target,
            &self.local_port,
            descr,
        ]
        .join("\n");
        let id = |n: u32| format!("nat_{:013x}", fnv(format!("{content}\n{n}").as_bytes()) & 0xf_ffff_ffff_ffff);
        (0..=u32::MAX).map(id).find(|id| !taken(id)).unwrap_or_default()
    }

    /// The filter rule of this forward, its elements in the order in which `saveNATrule` of pfSense's
    /// `firewall_nat.inc` sets them.
    pub fn filter_rule(&self, ports: &str, descr: &str, link: &str, tracker: u64, disabled: bool) -> Item {
        let end = |what, port: &str| End::of(what, Some(port.to_owned()).filter(|p| !p.is_empty()));
        let mut items = vec![
            self.source.item("source"),
            Item::Text("interface", self.interface.clone()),
            Item::Text("ipprotocol", self.family.clone()),
            Item::Text("protocol", self.protocol.clone()),
            end(self.target_end(), ports).item("destination"),
        ];
        if disabled {
            items.push(Item::Empty("disabled"));
        }
        items.extend([
            Item::Cdata("descr", linked_descr(descr)),
            Item::Text("associated-rule-id", link.to_owned()),
            Item::Text("tracker", tracker.to_string()),
            Item::Node(
                "created",
                vec![Item::Text("time", tracker.to_string()), Item::Text("username", "NAT Port Forward".into())],
            ),
        ]);
        Item::Node("rule", items)
    }

    /// The target as destination of the filter rule: an address of pfSense itself is a special word.
    pub fn target_end(&self) -> What {
        let special = |t: &str| {
            let name = t.strip_suffix("ip");
            name.is_some_and(|n| matches!(n, "wan" | "lan") || n.strip_prefix("opt").is_some_and(digits))
        };
        if special(&self.target) { What::Network(self.target.clone()) } else { What::Address(self.target.clone()) }
    }
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// `inet` or `inet6`.
pub(super) fn family(v6: bool) -> &'static str {
    if v6 { "inet6" } else { "inet" }
}

/// Ports as pfSense writes them: `50000-50499`, `7881`.
pub(super) fn range((from, to): (u16, u16)) -> String {
    if from == to { from.to_string() } else { format!("{from}-{to}") }
}

/// Description of a forward's filter rule: `saveNATrule` cuts it to 62 bytes; here never within a character.
pub(super) fn linked_descr(descr: &str) -> String {
    let mut all = format!("NAT {descr}");
    let cut = (0..=all.len().min(62)).rev().find(|i| all.is_char_boundary(*i)).unwrap_or(0);
    all.truncate(cut);
    all
}

/// Text of an element's description.
pub(in crate::dialect::pfsense) fn descr(rule: El) -> String {
    child(rule, "descr").map(own_text).unwrap_or_default()
}

/// FNV-1a, 64 bits: short, and the same on every machine.
fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}
