//! Settings of Linux that decide about packets beside the rules: what `sysctl -a` prints, and their names.
//!
//! Source: Documentation/networking/ip-sysctl.rst and Documentation/networking/bridge.rst of Linux.

mod dialect;
mod signs;

use crate::model::{Family, SourceId};
use crate::secrets::{finish, hide};
use crate::snapshot::{InputError, floor_boundary};
use std::collections::HashMap;
use std::ops::Range;

pub use dialect::Sysctl;

/// What a setting is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum What {
    /// Frames that a bridge passes on meet the rules of this family: `bridge-nf-call-iptables`, `-ip6tables`.
    BridgeCalls(Family),
    /// Packets of this family are passed on: `ip_forward`, `conf.all.forwarding`.
    Forwarding(Family),
    /// IPv6 packets that arrive by an interface are passed on whatever the setting for all says: `force_forwarding`.
    ForceForwarding,
    /// Loopback addresses are taken from outside: `route_localnet`.
    RouteLocalnet,
    /// Connections to well-known ports get their helper without a rule: `nf_conntrack_helper`, before Linux 6.0.
    Helpers,
    /// The way back to the source is checked: `rp_filter`.
    ReversePath,
    /// That check looks at the packet's mark too: `src_valid_mark`.
    ReverseMark,
}

/// Where it holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The whole device: `conf.all`, or a setting without interfaces.
    Device,
    /// Interfaces that will be made later: `conf.default`.
    Later,
    /// One interface.
    Interface(Box<str>),
}

/// A setting by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Setting {
    /// What it is about.
    pub what: What,
    /// Where it holds.
    pub scope: Scope,
}

/// A setting with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The setting.
    pub setting: Setting,
    /// Its value.
    pub value: u8,
    /// The text that tells it.
    pub source: SourceId,
    /// Its bytes there.
    pub at: Range<usize>,
}

/// What is known of a device's kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Each setting once.
    pub list: Vec<Fact>,
    /// Places of the settings in the list.
    places: HashMap<Setting, usize>,
    /// All settings were given: what is absent is not there (no bridge filters where its module is not loaded).
    pub whole: bool,
}

/// Long names without interfaces, and what they mean. The last part alone is a name too.
const DEVICE: [(&str, What); 4] = [
    ("net.netfilter.nf_conntrack_helper", What::Helpers),
    ("net.ipv4.ip_forward", What::Forwarding(Family::V4)),
    ("net.bridge.bridge-nf-call-iptables", What::BridgeCalls(Family::V4)),
    ("net.bridge.bridge-nf-call-ip6tables", What::BridgeCalls(Family::V6)),
];

/// Settings of interfaces: their folder, last part, meaning, and the largest value. Those whose last part is unique are
/// known by it alone too.
const INTERFACE: [(&str, &str, What, u8); 6] = [
    ("net.ipv4.conf.", "forwarding", What::Forwarding(Family::V4), 1),
    ("net.ipv6.conf.", "forwarding", What::Forwarding(Family::V6), 2),
    ("net.ipv6.conf.", "force_forwarding", What::ForceForwarding, 1),
    ("net.ipv4.conf.", "route_localnet", What::RouteLocalnet, 1),
    ("net.ipv4.conf.", "rp_filter", What::ReversePath, 2),
    ("net.ipv4.conf.", "src_valid_mark", What::ReverseMark, 1),
];

/// Names that a manifest may use, for messages.
pub fn names() -> Vec<&'static str> {
    vec![
        "bridge-nf-call-iptables",
        "bridge-nf-call-ip6tables",
        "ip_forward",
        "nf_conntrack_helper",
        "net.ipv6.conf.all.forwarding",
        "route_localnet",
        "rp_filter",
        "src_valid_mark",
    ]
}

impl What {
    /// The largest value that it has.
    pub fn largest(self) -> u8 {
        INTERFACE.iter().filter(|(_, _, what, _)| *what == self).map(|(.., most)| *most).max().unwrap_or(1)
    }

    /// Its name for people, without interface.
    pub fn name(self) -> &'static str {
        match self {
            Self::BridgeCalls(Family::V4) => "bridge-nf-call-iptables",
            Self::BridgeCalls(Family::V6) => "bridge-nf-call-ip6tables",
            Self::Forwarding(Family::V4) => "ip_forward",
            Self::Forwarding(Family::V6) => "net.ipv6.conf.all.forwarding",
            Self::ForceForwarding => "force_forwarding",
            Self::RouteLocalnet => "route_localnet",
            Self::Helpers => "nf_conntrack_helper",
            Self::ReversePath => "rp_filter",
            Self::ReverseMark => "src_valid_mark",
        }
    }
}

/// The setting with a name, long (`net.ipv4.ip_forward`, `net/ipv4/ip_forward`) or short (`ip_forward`).
pub fn setting(name: &str) -> Option<Setting> {
    // With dots between parts, a dot in an interface's name is a slash, and the other way round (sysctl(8)).
    let first = name.find(['.', '/']).map(|i| name.as_bytes()[i]);
    let dotted: String = match first {
        Some(b'/') => name
            .chars()
            .map(|c| {
                if c == '/' {
                    '.'
                } else if c == '.' {
                    '/'
                } else {
                    c
                }
            })
            .collect(),
        _ => name.to_owned(),
    };
    let short = |long: &str| long.rsplit('.').next() == Some(&*dotted);
    if let Some((_, what)) = DEVICE.iter().find(|(long, _)| *long == dotted || short(long)) {
        return Some(Setting { what: *what, scope: Scope::Device });
    }
    let only = INTERFACE.iter().filter(|(_, last, ..)| *last == dotted).map(|(_, _, what, _)| *what);
    if let [what] = only.collect::<Vec<_>>()[..] {
        return Some(Setting { what, scope: Scope::Device });
    }
    INTERFACE.iter().find_map(|(folder, last, what, _)| {
        let interface = dotted.strip_prefix(folder)?.strip_suffix(last)?.strip_suffix('.')?;
        let scope = match interface {
            "all" => Scope::Device,
            "default" => Scope::Later,
            name if !name.is_empty() && !name.contains('.') => Scope::Interface(name.replace('/', ".").into()),
            _ => return None,
        };
        Some(Setting { what: *what, scope })
    })
}

/// Is this what `sysctl -a` prints, or a file of settings in that form? Its first line that is no comment tells.
pub fn looks_like(start: &str) -> bool {
    let line = start.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with(['#', ';']));
    let Some((name, _)) = line.and_then(|l| l.trim_start_matches('-').split_once('=')) else { return false };
    is_setting(name.trim())
}

/// Is this the name of a setting, with its folder in front?
fn is_setting(name: &str) -> bool {
    let folders = ["abi", "crypto", "debug", "dev", "fs", "kernel", "net", "sunrpc", "user", "vm"];
    let plain = |c: char| c.is_ascii_alphanumeric() || "._/-:@*".contains(c);
    name.split_once(['.', '/']).is_some_and(|(folder, rest)| folders.contains(&folder) && !rest.is_empty())
        && name.chars().all(plain)
}

/// Reads `name = value` lines. Settings that decide nothing here are passed over.
///
/// # Errors
/// A setting whose value it cannot have, or that stands there twice with two values.
pub fn read(source: SourceId, text: &str) -> Result<Facts, InputError> {
    let mut out = Facts::default();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let body = line.trim();
        let Some((name, value)) = body.split_once('=').filter(|_| !body.starts_with(['#', ';'])) else { continue };
        let name = name.trim().trim_start_matches('-').trim_end();
        out.whole |= name == "kernel.ostype";
        let Some(setting) = setting(name).filter(|_| name.contains(['.', '/'])) else { continue };
        let place = start + (line.len() - line.trim_start().len());
        let place = place..place + body.len();
        let value = value.trim();
        let most = setting.what.largest();
        let Some(number) = value.parse::<u8>().ok().filter(|v| *v <= most) else {
            let shown = place.start..place.start + floor_boundary(body, body.len().min(80));
            return Err(InputError::at(source, shown, format!("`{name}` has no value `{value}`"))
                .help(format!("it is a number from 0 to {most}: save what `sysctl -a` prints, unchanged")));
        };
        // A later line of a file of settings replaces an earlier one, as `sysctl -p` does.
        out.put(Fact { setting, value: number, source, at: place });
    }
    Ok(out)
}

/// The text with nothing in it but names of settings and the values of those that decide: small numbers.
pub fn without_secrets(text: &str) -> String {
    let mut out = text.as_bytes().to_vec();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        let end = start + body.len();
        let lead = body.len() - body.trim_start_matches(['\u{feff}', ' ', '\t', '-']).len();
        let marks = body.len() - body.trim_start_matches(['\u{feff}', ' ', '\t', '#', ';']).len();
        match body.split_once('=') {
            _ if marks > lead => hide(&mut out[start + marks..end]),
            Some((long, value)) if is_setting(long[lead.min(long.len())..].trim()) => {
                let name = long[lead.min(long.len())..].trim();
                let value_at = start + long.len() + 1;
                let number = value.trim();
                let small = number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit());
                let word = name == "kernel.ostype" && number == "Linux";
                if !(word || small && setting(name).is_some()) {
                    hide(&mut out[value_at..end]);
                }
            }
            _ => hide(&mut out[start + lead..end]),
        }
        start += line.len();
    }
    finish(out)
}

impl Facts {
    /// One fact.
    pub fn of(fact: Fact) -> Self {
        let mut out = Self::default();
        out.put(fact);
        out
    }

    /// Adds a fact, in the place of an earlier one about the same setting.
    fn put(&mut self, fact: Fact) {
        let next = self.list.len();
        let at = *self.places.entry(fact.setting.clone()).or_insert(next);
        if at == next {
            self.list.push(fact);
        } else {
            self.list[at] = fact;
        }
    }

    fn value(&self, what: What, scope: &Scope) -> Option<u8> {
        let at = self.places.get(&Setting { what, scope: scope.clone() })?;
        Some(self.list[*at].value)
    }

    /// Bridges show the frames of this family to IP's rules; absent: not known.
    pub fn bridge_calls(&self, family: Family) -> Option<bool> {
        let found = self.value(What::BridgeCalls(family), &Scope::Device).map(|v| v != 0);
        found.or(self.whole.then_some(false))
    }

    /// Connections get helpers without a rule; absent: not known. Off by default since Linux 4.7, and gone in 6.0
    /// (`nf_conntrack_helper.c`).
    pub fn helpers(&self) -> Option<bool> {
        let found = self.value(What::Helpers, &Scope::Device).map(|v| v != 0);
        found.or(self.whole.then_some(false))
    }

    /// Packets of a family that arrive by this interface are passed on; absent: not known.
    ///
    /// IPv4 asks the interface (`IN_DEV_FORWARD`, include/linux/inetdevice.h), which follows `all` until it is set; IPv6
    /// asks `all` alone, or the interface's `force_forwarding` (`ip6_forward`, `net/ipv6/ip6_output.c`).
    pub fn forwards(&self, family: Family, interface: &str) -> Option<bool> {
        let here = Scope::Interface(interface.into());
        let all = self.value(What::Forwarding(family), &Scope::Device).map(|v| v != 0);
        match family {
            Family::V4 => self.value(What::Forwarding(family), &here).map(|v| v != 0).or(all),
            Family::V6 if self.value(What::ForceForwarding, &here) == Some(1) => Some(true),
            Family::V6 => all,
        }
    }

    /// Loopback addresses are taken from this interface; absent: not known (`IN_DEV_ROUTE_LOCALNET`: either setting).
    pub fn route_localnet(&self, interface: &str) -> Option<bool> {
        self.either(What::RouteLocalnet, interface)
    }

    /// The check of the way back looks at the packet's mark; absent: not known (`IN_DEV_SRC_VMARK`: either setting).
    pub fn reverse_mark(&self, interface: &str) -> Option<bool> {
        self.either(What::ReverseMark, interface)
    }

    fn either(&self, what: What, interface: &str) -> Option<bool> {
        let values = [Scope::Interface(interface.into()), Scope::Device].map(|s| self.value(what, &s));
        if values.contains(&Some(1)) { Some(true) } else { values.iter().flatten().next().map(|_| false) }
    }

    /// How the way back is checked on this interface; absent: not known (`IN_DEV_RPFILTER`: the larger of both).
    pub fn rp_filter(&self, interface: &str) -> Option<u8> {
        let values = [Scope::Interface(interface.into()), Scope::Device].map(|s| self.value(What::ReversePath, &s));
        values.into_iter().flatten().max()
    }

    /// Adds what another text says.
    ///
    /// # Errors
    /// Two facts that contradict each other, the older one first.
    pub fn add(&mut self, more: Self) -> Result<(), Box<(Fact, Fact)>> {
        self.whole |= more.whole;
        for fact in more.list {
            match self.places.get(&fact.setting).map(|at| &self.list[*at]) {
                Some(old) if old.value != fact.value => return Err(Box::new((old.clone(), fact))),
                Some(_) => {}
                None => self.put(fact),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_has_a_long_name_and_often_a_short_one() {
        let device = |what| Some(Setting { what, scope: Scope::Device });
        for (name, wanted) in [
            ("net.ipv4.ip_forward", device(What::Forwarding(Family::V4))),
            ("net/ipv4/ip_forward", device(What::Forwarding(Family::V4))),
            ("ip_forward", device(What::Forwarding(Family::V4))),
            ("net.ipv4.conf.all.forwarding", device(What::Forwarding(Family::V4))),
            ("net.ipv6.conf.all.forwarding", device(What::Forwarding(Family::V6))),
            ("bridge-nf-call-iptables", device(What::BridgeCalls(Family::V4))),
            ("net.bridge.bridge-nf-call-ip6tables", device(What::BridgeCalls(Family::V6))),
            ("rp_filter", device(What::ReversePath)),
            ("nf_conntrack_helper", device(What::Helpers)),
            ("net.netfilter.nf_conntrack_helper", device(What::Helpers)),
            ("net.ipv4.conf.default.rp_filter", Some(Setting { what: What::ReversePath, scope: Scope::Later })),
            (
                "net.ipv4.conf.eth0/10.route_localnet",
                Some(Setting { what: What::RouteLocalnet, scope: Scope::Interface("eth0.10".into()) }),
            ),
            (
                "net/ipv4/conf/eth0.10/route_localnet",
                Some(Setting { what: What::RouteLocalnet, scope: Scope::Interface("eth0.10".into()) }),
            ),
            // It would be of either family.
            ("forwarding", None),
            ("net.ipv4.conf..rp_filter", None),
            ("net.ipv4.tcp_syncookies", None),
        ] {
            assert_eq!(setting(name), wanted, "{name}");
        }
        assert!(names().iter().all(|n| setting(n).is_some()));
    }

    const DUMP: &str = "kernel.hostname = office\nkernel.ostype = Linux\nnet.ipv4.conf.all.rp_filter = 0\n\
                        net.ipv4.conf.wan0.rp_filter = 2\nnet.ipv4.ip_forward = 1\nnet.ipv4.conf.wan0.forwarding = 0\n\
                        net.ipv6.conf.all.forwarding = 0\nnet.ipv6.conf.wan0.stable_secret = 2001:db8::1\n";

    #[test]
    fn a_dump_tells_what_holds_on_an_interface() {
        assert!(looks_like(DUMP) && looks_like("# ours\nnet.ipv4.ip_forward=1\n"));
        assert!(!looks_like("define net = 1\n") && !looks_like("network = 1") && !looks_like(""));
        let facts = read(SourceId(1), DUMP).expect("read");
        assert_eq!((facts.rp_filter("wan0"), facts.rp_filter("lan0")), (Some(2), Some(0)));
        assert_eq!([facts.forwards(Family::V4, "wan0"), facts.forwards(Family::V4, "lan0")], [Some(false), Some(true)]);
        assert_eq!(facts.forwards(Family::V6, "lan0"), Some(false));
        assert_eq!(facts.route_localnet("wan0"), None);
        assert_eq!(facts.bridge_calls(Family::V4), Some(false), "a whole dump without the module");
        let error = read(SourceId(1), "net.ipv4.ip_forward = yes\n").expect_err("no number");
        assert_eq!(error.at.map(|(_, at)| at), Some(0.."net.ipv4.ip_forward = yes".len()));
    }

    #[test]
    fn what_decides_nothing_is_blanked() {
        let blanked = without_secrets(DUMP);
        assert_eq!(blanked.len(), DUMP.len());
        assert!(!blanked.contains("office") && !blanked.contains("2001:db8::1"), "{blanked}");
        assert_eq!(read(SourceId(1), &blanked).ok(), read(SourceId(1), DUMP).ok());
    }
}
