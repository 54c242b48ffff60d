//! Random matches.

use super::{Hook, Kind, Maker, Place};

/// Ports of interest, sorted.
pub(super) const PORTS: &[u16] =
    &[1, 53, 79, 80, 81, 443, 1024, 5000, 5004, 5009, 6000, 7881, 40000, 50000, 50100, 50499, 60000, 65535];

impl Maker<'_> {
    /// One or the other family, as the table allows.
    pub(super) fn six(&mut self, place: &Place) -> bool {
        let drawn = match place.family {
            "ip" => false,
            "ip6" => true,
            _ => self.random.chance(40),
        };
        *self.six.get_or_insert(drawn)
    }

    pub(super) fn transport(&mut self) -> &'static str {
        let drawn = if self.random.chance(60) { "udp" } else { "tcp" };
        self.transport.get_or_insert(drawn)
    }

    /// Sorted, disjoint port ranges.
    pub(super) fn port_ranges(&mut self, count: usize) -> Vec<(u16, u16)> {
        let mut points: Vec<u16> = (0..count * 2).map(|_| *self.random.pick(PORTS)).collect();
        points.sort_unstable();
        points.dedup();
        points.chunks(2).map(|c| (c[0], *c.last().unwrap_or(&c[0]))).collect()
    }

    pub(super) fn port(&mut self) -> u16 {
        *self.random.pick(PORTS)
    }

    pub(super) fn address(&mut self, six: bool) -> &'static str {
        let names = self.names;
        let list = if six { &names.v6 } else { &names.v4 };
        list[self.random.below(list.len())]
    }

    /// Two addresses in order.
    fn address_range(&mut self, six: bool) -> (&'static str, &'static str) {
        let names = self.names;
        let list = if six { &names.v6 } else { &names.v4 };
        let (a, b) = (self.random.below(list.len()), self.random.below(list.len()));
        (list[a.min(b)], list[a.max(b)])
    }

    pub(super) fn net(&mut self, six: bool) -> &'static str {
        let names = self.names;
        let list = names.nets[usize::from(six)];
        list[self.random.below(list.len())]
    }

    fn side(&mut self, six: bool) -> String {
        let (proto, field) = (if six { "ip6" } else { "ip" }, if self.random.chance(50) { "saddr" } else { "daddr" });
        format!("{proto} {field}")
    }

    fn named_set(&mut self, kind: &str, flags: &str, elements: &[String]) -> String {
        let name = format!("s{}", self.sets.len());
        let flags = if flags.is_empty() { String::new() } else { format!("flags {flags}\n") };
        self.sets.push(format!("set {name} {{\ntype {kind}\n{flags}elements = {{ {} }}\n}}", elements.join(", ")));
        name
    }

    /// A match that may stand in this place.
    pub(super) fn a_match(&mut self, place: &Place) -> String {
        let tracked = place.hook != Hook::Ingress;
        loop {
            let found = match self.random.below(34) {
                0..=6 => Some(self.ports()),
                7..=12 => Some(self.addresses(place)),
                13..=14 => Some(self.concatenation(place)),
                15..=18 => Some(self.interface(place)),
                19..=24 if tracked => Some(self.connection(place)),
                25 => Some(self.protocol(place)),
                26..=27 if place.hook != Hook::Ingress => Some(self.mark()),
                28..=29 if tracked => self.fib(place),
                30 => {
                    if *self.transport.get_or_insert("tcp") != "tcp" {
                        continue;
                    }
                    self.uses("tcp flags");
                    let list = [
                        "tcp flags & (fin | syn | rst | ack) == syn",
                        "tcp flags syn",
                        "tcp flags & (syn | ack) == (syn | ack)",
                        "tcp flags != syn",
                        "tcp flags { syn, ack }",
                    ];
                    Some((*self.random.pick(&list)).to_owned())
                }
                31 if place.family == "inet" => {
                    self.uses("meta nfproto");
                    Some(format!("meta nfproto ipv{}", if self.six(place) { 6 } else { 4 }))
                }
                32 if place.kind != Kind::Nat && place.hook != Hook::Ingress => Some(self.sometimes()),
                33 => {
                    self.uses("constant fields");
                    let six = self.six(place);
                    Some(if six { "ip6 version 6" } else { "ip frag-off & 0x1fff 0" }.to_owned())
                }
                _ => None,
            };
            if let Some(found) = found {
                return found;
            }
        }
    }

    fn ports(&mut self) -> String {
        let l4 = self.transport();
        let field = if self.random.chance(80) { "dport" } else { "sport" };
        let port = self.port();
        let form = match self.random.below(9) {
            // nft 1.0.6 lists `dport < 5000 dport > 65534`, which holds for no packet, as `dport != 5000-65534`, which
            // holds for many: what it prints does not tell what is loaded.
            6 if self.constructs.contains(&"comparison") => 0,
            form => form,
        };
        match form {
            0..=1 => {
                self.uses("port");
                format!("{l4} {field} {port}")
            }
            2..=3 => {
                self.uses("port range");
                let range = self.port_ranges(1)[0];
                format!("{l4} {field} {}-{}", range.0, range.1)
            }
            4 => {
                self.uses("port set");
                let list = self.port_list(3);
                format!("{l4} {field} {{ {list} }}")
            }
            5 => {
                self.uses("named set, intervals");
                let ranges = self.port_ranges(3);
                let list: Vec<String> = ranges.iter().map(|(a, b)| range_text(*a, *b)).collect();
                let name = self.named_set("inet_service", "interval", &list);
                format!("{l4} {field} @{name}")
            }
            6 => {
                self.uses("comparison");
                let op = *self.random.pick(&["<", ">", "<=", ">="]);
                let port = port.clamp(2, 65534);
                format!("{l4} {field} {op} {port}")
            }
            7 => {
                self.uses("negation");
                format!("{l4} {field} != {port}")
            }
            _ => {
                self.uses("th");
                let range = self.port_ranges(1)[0];
                format!("meta l4proto {{ tcp, udp }} th {field} {}-{}", range.0, range.1)
            }
        }
    }

    pub(super) fn port_list(&mut self, count: usize) -> String {
        let list: Vec<String> = self.port_ranges(count).iter().map(|(a, b)| range_text(*a, *b)).collect();
        list.join(", ")
    }

    fn addresses(&mut self, place: &Place) -> String {
        let six = self.six(place);
        let side = self.side(six);
        match self.random.below(8) {
            0 => {
                self.uses("address");
                format!("{side} {}", self.address(six))
            }
            1..=2 => {
                self.uses("prefix");
                format!("{side} {}", self.net(six))
            }
            3 => {
                self.uses("address range");
                let (a, b) = self.address_range(six);
                if a == b { format!("{side} {a}") } else { format!("{side} {a}-{b}") }
            }
            4 => {
                self.uses("address set");
                let (a, b) = self.address_range(six);
                if a == b { format!("{side} {{ {a} }}") } else { format!("{side} {{ {a}, {b} }}") }
            }
            5 => {
                self.uses("named set, intervals");
                let net = self.net(six).to_owned();
                let kind = if six { "ipv6_addr" } else { "ipv4_addr" };
                let name = self.named_set(kind, "interval", &[net]);
                format!("{side} @{name}")
            }
            6 => {
                self.uses("named set");
                let (a, b) = self.address_range(six);
                let kind = if six { "ipv6_addr" } else { "ipv4_addr" };
                let mut list = vec![a.to_owned(), b.to_owned()];
                list.dedup();
                let name = self.named_set(kind, "", &list);
                format!("{side} @{name}")
            }
            _ => {
                self.uses("negation");
                format!("{side} != {}", self.net(six))
            }
        }
    }

    fn concatenation(&mut self, place: &Place) -> String {
        let six = self.six(place);
        let side = self.side(six);
        let l4 = self.transport();
        let (net, address) = (self.net(six), self.address(six));
        let range = self.port_ranges(1)[0];
        let port = self.port();
        match self.random.below(3) {
            0 => {
                self.uses("concatenation");
                format!("{side} . {l4} dport {{ {address} . {port}, {net} . {} }}", range_text(range.0, range.1))
            }
            1 => {
                self.uses("named set, concatenation");
                let kind = if six { "ipv6_addr . inet_service" } else { "ipv4_addr . inet_service" };
                let list = [format!("{net} . {}", range_text(range.0, range.1))];
                let name = self.named_set(kind, "interval", &list);
                format!("{side} . {l4} dport @{name}")
            }
            _ => {
                self.uses("concatenation");
                let net2 = self.net(six);
                format!("{side} . {l4} dport != {{ {net2} . {} }}", range_text(range.0, range.1))
            }
        }
    }

    fn interface(&mut self, place: &Place) -> String {
        let names = self.names;
        let way = match place.hook {
            Hook::Prerouting | Hook::Input | Hook::Ingress => "i",
            Hook::Output => "o",
            _ if self.random.chance(50) => "i",
            _ => "o",
        };
        let name = *self.random.pick(&names.interfaces);
        let other = *self.random.pick(&names.interfaces);
        match self.random.below(7) {
            0..=1 => {
                self.uses(if way == "i" { "iifname" } else { "oifname" });
                format!("{way}ifname \"{name}\"")
            }
            2 => {
                self.uses("iif, oif");
                format!("{way}if \"{name}\"")
            }
            3 => {
                self.uses("interface wildcard");
                format!("{way}ifname \"{}*\"", &name[..2])
            }
            4 if name != other => {
                self.uses("interface set");
                format!("{way}ifname {{ \"{name}\", \"{other}\" }}")
            }
            5 => {
                self.uses("interface group");
                format!("{way}ifgroup {}", self.random.pick(&["0", "7", "9"]))
            }
            6 => {
                self.uses("negation");
                format!("{way}ifname != \"{name}\"")
            }
            _ => {
                self.uses(if way == "i" { "iifname" } else { "oifname" });
                format!("{way}ifname \"{other}\"")
            }
        }
    }

    fn connection(&mut self, place: &Place) -> String {
        let six = self.six(place);
        let family = if six { "ip6" } else { "ip" };
        let l4 = self.transport();
        match self.random.below(10) {
            0..=1 => {
                self.uses("ct state");
                let list = ["new", "established", "established,related", "invalid", "untracked", "new,established"];
                format!("ct state {}", self.random.pick(&list))
            }
            2 => {
                self.uses("ct state");
                let list = ["{ new, established }", "{ invalid, untracked }", "!= new", "! established"];
                format!("ct state {}", self.random.pick(&list))
            }
            3 => {
                self.uses("ct status");
                let list = ["dnat", "snat", "snat,dnat", "seen-reply", "confirmed", "! dnat"];
                format!("ct status {}", self.random.pick(&list))
            }
            4 => {
                self.uses("ct direction");
                format!("ct direction {}", self.random.pick(&["original", "reply"]))
            }
            5 => {
                self.uses("ct mark");
                let list = ["0x1", "!= 0x1", "& 0x3 == 0x1", "0x0"];
                format!("ct mark {}", self.random.pick(&list))
            }
            6..=7 => {
                self.uses("ct original");
                let field = *self.random.pick(&["saddr", "daddr"]);
                format!("ct original {family} {field} {}", self.net(six))
            }
            8 => {
                self.uses("ct original");
                let range = self.port_ranges(1)[0];
                format!("meta l4proto {l4} ct original proto-dst {}", range_text(range.0, range.1))
            }
            _ => {
                self.uses("ct reply");
                format!("ct reply {family} saddr {}", self.net(six))
            }
        }
    }

    fn protocol(&mut self, place: &Place) -> String {
        let l4 = self.transport();
        match place.family {
            "ip" if self.random.chance(50) => {
                self.uses("protocol");
                format!("ip protocol {l4}")
            }
            "ip6" if self.random.chance(50) => {
                self.uses("protocol");
                format!("ip6 nexthdr {l4}")
            }
            _ => {
                self.uses("protocol");
                format!("meta l4proto {l4}")
            }
        }
    }

    fn mark(&mut self) -> String {
        self.uses("meta mark");
        let list = ["0x0", "0x1", "!= 0x0", "& 0x3 == 0x1", "0x1-0x7", "{ 0x1, 0x5 }"];
        format!("meta mark {}", self.random.pick(&list))
    }

    fn fib(&mut self, place: &Place) -> Option<String> {
        // The kernel allows each form in some hooks only; regular chains are called from several.
        let early = matches!(place.hook, Hook::Prerouting | Hook::Input | Hook::Forward);
        match self.random.below(3) {
            0 if early => {
                self.uses("fib type");
                let kind = self.random.pick(&["local", "unicast", "{ local, broadcast }"]);
                Some(format!("fib daddr type {kind}"))
            }
            1 if place.hook == Hook::Prerouting => {
                self.uses("fib oif");
                let list = ["fib saddr . iif oif missing", "fib saddr . iif oif exists", "fib daddr oifname \"lan0\""];
                Some((*self.random.pick(&list)).to_owned())
            }
            2 if early => {
                self.uses("fib type");
                Some("fib daddr . iif type local".to_owned())
            }
            _ => None,
        }
    }

    /// Matches that hold for some packets and not for others, as the world goes.
    fn sometimes(&mut self) -> String {
        self.uses("limit, quota, ct count");
        let list =
            ["limit rate 5/second burst 2 packets", "limit rate over 3/second", "quota over 300 bytes", "ct count 3"];
        (*self.random.pick(&list)).to_owned()
    }
}

pub(super) fn range_text(a: u16, b: u16) -> String {
    if a == b { a.to_string() } else { format!("{a}-{b}") }
}
