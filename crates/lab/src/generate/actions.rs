//! Random actions.

use super::matches::range_text;
use super::{Hook, Kind, Maker, Place};

impl Maker<'_> {
    /// An action of a filter chain; it may add a match that it needs.
    pub(super) fn filter_action(&mut self, place: &Place, matches: &mut Vec<String>) -> String {
        loop {
            let found = match self.random.below(26) {
                0..=7 => {
                    self.uses("accept");
                    Some("accept".to_owned())
                }
                8..=11 if self.random.chance(90) => {
                    self.uses("drop");
                    Some("drop".to_owned())
                }
                11 | 24 if place.family != "netdev" => self.reject(place, matches),
                12..=13 | 25 => self.jump(place),
                14 if !place.targets.is_empty() || place.hook == Hook::Any => {
                    self.uses("return");
                    Some("return".to_owned())
                }
                15..=16 => Some(self.verdict_map(place, matches)),
                17..=20 if place.family != "netdev" => self.set_mark(place, matches),
                21..=22 if place.priority < -200 && matches!(place.hook, Hook::Prerouting | Hook::Output) => {
                    self.uses("notrack");
                    Some("notrack".to_owned())
                }
                23 if place.family != "netdev" && place.kind == Kind::Filter => Some(self.dynamic_set(place, matches)),
                _ => None,
            };
            if let Some(found) = found {
                return found;
            }
        }
    }

    fn reject(&mut self, place: &Place, matches: &mut Vec<String>) -> Option<String> {
        if !matches!(place.hook, Hook::Input | Hook::Forward | Hook::Output) {
            return None;
        }
        self.uses("reject");
        Some(match (self.random.below(3), place.family) {
            (0, _) => {
                if *self.transport.get_or_insert("tcp") != "tcp" {
                    return None;
                }
                matches.push("meta l4proto tcp".into());
                "reject with tcp reset".into()
            }
            (1, "inet") => "reject with icmpx admin-prohibited".into(),
            (1, "ip") => "reject with icmp host-prohibited".into(),
            _ => "reject".into(),
        })
    }

    fn jump(&mut self, place: &Place) -> Option<String> {
        if place.targets.is_empty() {
            return None;
        }
        let target = self.random.pick(&place.targets).clone();
        let word = if self.random.chance(50) { "jump" } else { "goto" };
        self.uses(word);
        Some(format!("{word} {target}"))
    }

    fn verdict_map(&mut self, place: &Place, matches: &mut Vec<String>) -> String {
        let l4 = self.transport();
        let ranges = self.port_ranges(3);
        let mut entries = Vec::new();
        for (a, b) in ranges {
            let verdict = match place.targets.last() {
                Some(target) if self.random.chance(30) => format!("jump {target}"),
                _ => (*self.random.pick(&["accept", "accept", "drop", "continue"])).to_owned(),
            };
            entries.push(format!("{} : {verdict}", range_text(a, b)));
        }
        let kind = self.random.below(4);
        let six = self.six(place);
        // What nft would add behind the counter.
        if kind != 1 || place.family == "netdev" {
            matches.push(format!("meta l4proto {l4}"));
        }
        if kind == 2 && !matches!(place.family, "ip" | "ip6") {
            matches.push(format!("meta nfproto ipv{}", if six { 6 } else { 4 }));
        }
        match kind {
            0 => {
                self.uses("named verdict map");
                let name = format!("v{}", self.sets.len());
                let list = entries.join(", ");
                self.sets.push(format!(
                    "map {name} {{\ntype inet_service : verdict\nflags interval\nelements = {{ {list} }}\n}}"
                ));
                format!("{l4} dport vmap @{name}")
            }
            1 if place.family != "netdev" => {
                self.uses("verdict map");
                let list = ["established : accept, invalid : drop", "new : accept, untracked : accept"];
                format!("ct state vmap {{ {} }}", self.random.pick(&list))
            }
            2 => {
                self.uses("verdict map, concatenation");
                let proto = if six { "ip6" } else { "ip" };
                let net = self.net(six);
                let (a, b) = self.port_ranges(1)[0];
                let verdict = *self.random.pick(&["accept", "drop"]);
                format!("{proto} saddr . {l4} dport vmap {{ {net} . {} : {verdict} }}", range_text(a, b))
            }
            _ => {
                self.uses("verdict map");
                format!("{l4} dport vmap {{ {} }}", entries.join(", "))
            }
        }
    }

    fn set_mark(&mut self, place: &Place, matches: &mut Vec<String>) -> Option<String> {
        let l4 = self.transport();
        Some(match self.random.below(6) {
            0..=1 => {
                self.uses("mark set");
                "meta mark set 0x1".into()
            }
            2 => {
                self.uses("mark set, computed");
                (*self.random.pick(&[
                    "meta mark set mark or 0x4",
                    "meta mark set mark and 0x1",
                    "meta mark set mark xor 0x3",
                ]))
                .to_owned()
            }
            3 => {
                self.uses("mark set, map");
                matches.push(format!("meta l4proto {l4}"));
                let (a, b) = self.port_ranges(1)[0];
                format!("meta mark set {l4} dport map {{ {} : 0x5 }}", range_text(a, b))
            }
            4 if place.hook != Hook::Ingress => {
                self.uses("ct mark set");
                (*self.random.pick(&["ct mark set 0x1", "ct mark set meta mark", "ct mark set ct mark or 0x2"]))
                    .to_owned()
            }
            5 => {
                self.uses("mark from ct mark");
                "meta mark set ct mark".into()
            }
            _ => return None,
        })
    }

    fn dynamic_set(&mut self, place: &Place, matches: &mut Vec<String>) -> String {
        self.uses("dynamic set");
        let six = self.six(place);
        let (proto, kind) = if six { ("ip6", "ipv6_addr") } else { ("ip", "ipv4_addr") };
        let name = format!("d{}", self.sets.len());
        self.sets.push(format!("set {name} {{\ntype {kind}\nsize 65535\nflags dynamic,timeout\ntimeout 1m\n}}"));
        matches.push(format!("{proto} saddr @{name}"));
        (*self.random.pick(&["accept", "drop"])).to_owned()
    }

    /// An action of a translation chain.
    pub(super) fn nat_action(&mut self, place: &Place, matches: &mut Vec<String>) -> String {
        if self.random.chance(8) {
            self.uses("accept");
            return (*self.random.pick(&["accept", "accept", "return"])).to_owned();
        }
        let six = self.six(place);
        let to = match place.family {
            // nft adds the family behind the counter by itself; in front of it, the counter counts what the rule decides.
            "inet" if six => {
                matches.push("meta nfproto ipv6".into());
                "ip6 "
            }
            "inet" => {
                matches.push("meta nfproto ipv4".into());
                "ip "
            }
            _ => "",
        };
        match place.hook {
            Hook::Prerouting | Hook::Output => self.destination(place, six, to, matches),
            Hook::Input => {
                self.uses("snat");
                format!("snat {to}to {}", self.source_address(six))
            }
            _ => self.source(six, to, matches),
        }
    }

    fn server(&mut self, six: bool) -> &'static str {
        let names = self.names;
        let list = names.servers[usize::from(six)];
        list[self.random.below(list.len())]
    }

    fn source_address(&mut self, six: bool) -> &'static str {
        self.names.outer[usize::from(six)]
    }

    fn with_port(address: &str, port: &str) -> String {
        if address.contains(':') { format!("[{address}]:{port}") } else { format!("{address}:{port}") }
    }

    fn destination(&mut self, place: &Place, six: bool, to: &str, matches: &mut Vec<String>) -> String {
        let (server, other) = (self.server(six), self.server(six));
        let l4 = "meta l4proto { tcp, udp }".to_owned();
        let proto = if six { "ip6" } else { "ip" };
        if self.random.chance(60) && place.hook == Hook::Prerouting {
            matches.push(format!("{proto} daddr {}", self.names.outer[usize::from(six)]));
        }
        let ranges = self.port_ranges(2);
        let (a, b) = ranges[0];
        let port = self.port();
        match self.random.below(13) {
            0..=3 => {
                self.uses("dnat");
                format!("dnat {to}to {server}")
            }
            4 => {
                self.uses("dnat, port");
                matches.push(l4);
                format!("dnat {to}to {}", Self::with_port(server, &port.to_string()))
            }
            5 => {
                self.uses("dnat, port range");
                matches.push(l4);
                format!("dnat {to}to {}", Self::with_port(server, &range_text(a, b)))
            }
            6 => {
                self.uses("dnat, address range");
                let (lo, hi) =
                    if six { ("2001:db8:1::50", "2001:db8:1::51") } else { ("192.168.1.50", "192.168.1.51") };
                format!("dnat {to}to {lo}-{hi}")
            }
            7 => {
                self.uses("dnat, map");
                let entries: Vec<String> = ranges
                    .iter()
                    .zip([server, other])
                    .map(|((a, b), s)| format!("{} : {s}", range_text(*a, *b)))
                    .collect();
                let l4 = self.transport();
                matches.push(format!("meta l4proto {l4}"));
                format!("dnat {to}to {l4} dport map {{ {} }}", entries.join(", "))
            }
            8 => {
                self.uses("dnat, address and port map");
                let l4 = self.transport();
                matches.push(format!("meta l4proto {l4}"));
                format!("dnat {proto} addr . port to {l4} dport map {{ {port} : {server} . {a} }}")
            }
            9 => {
                self.uses("dnat, port map");
                let l4 = self.transport();
                matches.push(format!("meta l4proto {l4}"));
                format!("dnat {to}to {server}:{l4} dport map {{ {port} : {a} }}")
                    .replace(&format!("{server}:"), &if six { format!("[{server}]:") } else { format!("{server}:") })
            }
            10 => {
                self.uses("redirect");
                matches.push(l4);
                if self.random.chance(50) { format!("redirect to :{port}") } else { "redirect".into() }
            }
            11 => {
                self.uses("dnat, prefix");
                let (from, net) =
                    if six { ("2001:db8:ffff::/64", "2001:db8:1::/64") } else { ("203.0.113.0/24", "192.168.1.0/24") };
                format!("dnat {to}prefix to {proto} daddr map {{ {from} : {net} }}")
            }
            _ => {
                self.uses("dnat, named map");
                let name = format!("m{}", self.sets.len());
                let kind = if six { "ipv6_addr" } else { "ipv4_addr" };
                self.sets.push(format!(
                    "map {name} {{\ntype inet_service : {kind}\nflags interval\nelements = {{ {} : {server} }}\n}}",
                    range_text(a, b)
                ));
                let l4 = self.transport();
                matches.push(format!("meta l4proto {l4}"));
                format!("dnat {to}to {l4} dport map @{name}")
            }
        }
    }

    fn source(&mut self, six: bool, to: &str, matches: &mut Vec<String>) -> String {
        let names = self.names;
        if self.random.chance(50) {
            matches.push(format!("oifname \"{}\"", self.random.pick(&names.interfaces)));
        }
        let own = self.source_address(six);
        let proto = if six { "ip6" } else { "ip" };
        let l4 = "meta l4proto { tcp, udp }".to_owned();
        let (a, b) = self.port_ranges(1)[0];
        match self.random.below(12) {
            0..=4 => {
                self.uses("masquerade");
                "masquerade".into()
            }
            5 => {
                self.uses("masquerade, ports");
                matches.push(l4);
                format!("masquerade to :{}", wide(a, b))
            }
            6 => {
                self.uses("random ports");
                (*self.random.pick(&["masquerade random", "masquerade fully-random", "masquerade random,persistent"]))
                    .to_owned()
            }
            7..=8 => {
                self.uses("snat");
                format!("snat {to}to {own}")
            }
            9 => {
                self.uses("snat, port range");
                matches.push(l4);
                format!("snat {to}to {}", Self::with_port(own, &wide(a, b)))
            }
            10 => {
                self.uses("snat, address range");
                let (lo, hi) =
                    if six { ("2001:db8:ffff::5", "2001:db8:ffff::8") } else { ("203.0.113.5", "203.0.113.8") };
                format!("snat {to}to {lo}-{hi}")
            }
            _ => {
                self.uses("snat, map");
                let net = self.net(six);
                format!("snat {to}to {proto} saddr map {{ {net} : {own} }}")
            }
        }
    }
}

/// Ports to choose from: enough of them that none is taken twice in a batch.
fn wide(a: u16, b: u16) -> String {
    let low = a.clamp(1024, 60000);
    format!("{low}-{}", b.clamp(low + 5000, 65535))
}
