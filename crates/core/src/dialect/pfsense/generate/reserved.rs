//! Tables that the firewall has of its own. From 2.8 on rules may name them like aliases (`$reserved_table_names` of
//! `globals.inc`).

use super::Generator;
use crate::dialect::pf::ast::{Entry, Table, Unknown};
use crate::dialect::pf::text::bundled;
use crate::model::Family;
use ipnet::IpNet;

/// Fixed networks, by the name of their table.
const NETWORKS: &[(&str, &[&str])] = &[
    ("_loopback4_", &["127.0.0.0/8"]),
    ("_loopback6_", &["::1/128"]),
    ("_linklocal4_", &["169.254.0.0/16"]),
    ("_linklocal6_", &["fe80::/10"]),
    ("_private4_", &["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"]),
    ("_private6_", &["fc00::/7"]),
    ("_multicast4_", &["224.0.0.0/4"]),
    ("_multicast6_", &["ff00::/8"]),
    (
        "_reserved4_",
        &[
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.88.99.0/24",
            "192.168.0.0/16",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ],
    ),
    (
        "_reserved6_",
        &[
            "::1/128",
            "::/128",
            "::ffff:0:0/96",
            "64:ff9b::/96",
            "64:ff9b:1::/48",
            "100::/64",
            "2001::/23",
            "2001:2::/48",
            "2001:db8::/32",
            "2002::/16",
            "3fff::/20",
            "5f00::/16",
            "fc00::/7",
            "fe80::/10",
            "ff00::/8",
        ],
    ),
    (
        "_nat64reserved_",
        &[
            "64:ff9b::/104",
            "64:ff9b::a00:0/104",
            "64:ff9b::6440:0/106",
            "64:ff9b::7f00:0/104",
            "64:ff9b::a9fe:0/112",
            "64:ff9b::ac10:0/108",
            "64:ff9b::c000:0/120",
            "64:ff9b::c000:200/120",
            "64:ff9b::c058:6300/120",
            "64:ff9b::c0a8:0/112",
            "64:ff9b::c612:0/111",
            "64:ff9b::c633:6400/120",
            "64:ff9b::cb00:7100/120",
            "64:ff9b::e000:0/100",
            "64:ff9b::f000:0/100",
            "64:ff9b::ffff:ffff/128",
        ],
    ),
];

/// Tables that hold those of both families.
const BOTH: &[(&str, [&str; 2])] = &[
    ("_loopback46_", ["_loopback4_", "_loopback6_"]),
    ("_linklocal46_", ["_linklocal4_", "_linklocal6_"]),
    ("_private46_", ["_private4_", "_private6_"]),
    ("_multicast46_", ["_multicast4_", "_multicast6_"]),
    ("_reserved46_", ["_reserved4_", "_reserved6_"]),
];

/// Tables of senders that services block while the firewall runs, and whom.
const BLOCKED: &[(&str, &str)] = &[
    ("sshguard", "which hosts failed to sign in too often"),
    ("snort2c", "which hosts intrusion detection blocked"),
    ("virusprot", "which hosts opened connections too fast"),
];

/// Tables that the firewall makes of its own networks.
const OWN: &[&str] = &["bogons", "bogonsv6", "vpn_networks", "negate_networks", "tonatsubnets"];

impl Generator<'_> {
    /// Do rules mean the firewall's own table by this name? Before 2.8 the pages know no such names.
    pub(super) fn is_reserved(&self, name: &str) -> bool {
        self.since_2_8()
            && (OWN.contains(&name)
                || BLOCKED.iter().any(|(n, _)| *n == name)
                || BOTH.iter().any(|(n, _)| *n == name)
                || NETWORKS.iter().any(|(n, _)| *n == name))
    }

    /// Makes them all.
    pub(super) fn reserved_tables(&mut self) {
        let parsed = |list: &[&str]| list.iter().filter_map(|n| n.parse().ok()).map(Entry::Net).collect::<Vec<_>>();
        self.own_table("bogons", parsed(bundled("/etc/bogons").unwrap_or_default()), None);
        self.own_table("bogonsv6", parsed(bundled("/etc/bogonsv6").unwrap_or_default()), None);
        if !self.since_2_8() {
            return;
        }
        for (name, nets) in NETWORKS {
            self.own_table(name, parsed(nets), None);
        }
        for (name, parts) in BOTH {
            let nets = parts.iter().filter_map(|p| NETWORKS.iter().find(|(n, _)| n == p));
            let nets = nets.flat_map(|(_, nets)| parsed(nets)).collect();
            self.own_table(name, nets, None);
        }
        for (name, _) in BLOCKED {
            self.blocked_table(name);
        }
        let vpn = self.vpn_networks().into_iter().map(Entry::Net).collect::<Vec<_>>();
        self.own_table("negate_networks", if self.config.system.no_negation { Vec::new() } else { vpn.clone() }, None);
        self.own_table("vpn_networks", vpn, None);
        // Up to four networks it is a macro of that name, which rules cannot name as a table: the table is empty then.
        let mode = self.config.outbound.mode.as_str();
        let nets = self.translated_networks();
        let as_table = ["", "automatic", "hybrid"].contains(&mode) && nets.len() > 3;
        let nets = if as_table { nets.into_iter().map(Entry::Net).collect() } else { Vec::new() };
        self.own_table("tonatsubnets", nets, None);
    }

    /// A table of senders that a service fills.
    pub(super) fn blocked_table(&mut self, name: &str) {
        let who = BLOCKED.iter().find(|(n, _)| *n == name).map_or("which hosts are blocked", |(_, who)| who);
        let unknown = Unknown {
            what: format!("{who}: the firewall keeps them in <{name}>").into(),
            supply: format!("add `aliases = {{ {name} = [\"…\"] }}` with what Diagnostics > Tables shows").into(),
            ..Unknown::default()
        };
        self.own_table(name, Vec::new(), Some(unknown));
    }

    fn own_table(&mut self, name: &str, entries: Vec<Entry>, unknown: Option<Unknown>) {
        let (entries, unknown) = match self.known.tables.get(name) {
            Some(known) => (known.clone(), None),
            None => (entries, unknown),
        };
        let listed = unknown.is_some();
        let table = Table { entries: entries.into(), unknown, listed, ..Table::default() };
        self.out.rules.tables.insert(name.into(), table);
    }

    /// Networks of tunnels that the gateway of a rule does not apply to (`filter_get_vpns_list`, which looks for
    /// `OpenVPN` where it is not).
    pub(super) fn vpn_networks(&self) -> Vec<IpNet> {
        let ipsec = self.config.ipsec.iter();
        let all = |n: &IpNet| n.prefix_len() > 0;
        let mut out: Vec<IpNet> = ipsec.clone().flat_map(|i| &i.clients).copied().collect();
        out.extend(ipsec.flat_map(|i| &i.policies).filter(|p| !p.mobile).map(|p| p.remote).filter(all));
        out.extend(self.config.dial_in.iter().filter(|d| d.tab == "pppoe").map(|d| d.clients));
        out
    }

    /// Networks that are translated: loopback, static routes into private networks, inner interfaces with their virtual
    /// addresses, tunnels (`filter_nat_rules_automatic_tonathosts`).
    pub(super) fn translated_networks(&self) -> Vec<IpNet> {
        let loopback: IpNet = "127.0.0.0/8".parse().unwrap_or_else(|_| unreachable!("a network written here"));
        let mut out: Vec<IpNet> = vec![loopback];
        let config = self.config;
        for (to, gateway) in &config.routes {
            let there = config.gateways.iter().any(|g| g.name == *gateway && super::there(config, g));
            if let (true, Ok(net @ IpNet::V4(v4))) = (there, to.parse::<IpNet>())
                && (v4.addr().is_private() || shared(v4.addr()))
            {
                out.push(net);
            }
        }
        for iface in self.enabled().filter(|i| !self.outside(i, Family::V4)) {
            out.extend(self.addresses(iface, Family::V4).into_iter().map(|n| n.trunc()));
            let virt = config.virtual_addresses.iter().filter(|v| v.interface == iface.name);
            out.extend(virt.map(|v| v.net.trunc()).filter(|n| n.addr().is_ipv4()));
        }
        out.extend(config.dial_in.iter().map(|d| d.clients));
        let tunnels = config.openvpn.iter().filter(|o| o.enabled).flat_map(|o| o.tunnel.iter().copied());
        out.extend(tunnels.filter(|n| n.addr().is_ipv4()));
        out.extend(config.ipsec.iter().flat_map(|i| i.clients.iter().copied()).filter(|n| n.addr().is_ipv4()));
        out
    }
}

/// RFC 6598, which pfSense counts among the private networks.
fn shared(ip: std::net::Ipv4Addr) -> bool {
    let [a, b, ..] = ip.octets();
    a == 100 && (64..128).contains(&b)
}
