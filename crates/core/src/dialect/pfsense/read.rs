//! `config.xml` into [`Config`].

mod services;

use super::config::{
    Addressing, Alias, Config, End, Forward, Gateway, Holds, Interface, Npt, OneToOne, Outbound, OutboundRule, Place,
    Reflects, Rule, System, VirtualAddress,
};
use super::generate::parse_net;
use crate::model::{Family, SourceId, SourceSpan};
use crate::snapshot::ReadError;
use crate::xml::{Broken, El, Tree, child, children, elements, has, own_text, says, text};
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::IpAddr;

/// Reads an export.
///
/// # Errors
/// Not well-formed, only an area, without anything that decides, or another product's.
pub fn read(source: SourceId, text: &str) -> Result<Config, ReadError> {
    let at = |start: usize, end: usize| {
        let place = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        SourceSpan { source, start: place(start), end: place(end) }
    };
    let body = text.trim_start_matches('\u{feff}');
    let skipped = text.len() - body.len();
    let tree = Tree::read(body).map_err(|Broken { at: byte, why }| {
        ReadError::new(at(skipped + byte, skipped + byte), format!("this is not well-formed XML: {why}"))
            .help("download the backup again: Diagnostics > Backup & Restore; a file that was cut off cannot be judged")
    })?;
    let root = tree.root();
    let span = |n: El<'_>| at(n.range().start + skipped, n.range().end + skipped);
    match root.tag_name().name() {
        "pfsense" => {}
        "opnsense" => {
            return Err(ReadError::new(
                span_of_name(span(root), "opnsense"),
                "this is a configuration of OPNsense, which is not read yet",
            )
            .help("its rules as pf holds them are read: give /tmp/rules.debug"));
        }
        area @ ("nat" | "filter" | "aliases" | "interfaces" | "system") => {
            return Err(ReadError::new(
                span_of_name(span(root), area),
                format!("this backup holds only the area <{area}>"),
            )
            .help("choose \"Backup area: All\" in Diagnostics > Backup & Restore"));
        }
        other => {
            let name = other.to_owned();
            return Err(ReadError::new(
                span_of_name(span(root), &name),
                format!("<{name}> is no configuration of pfSense"),
            )
            .help("give what Diagnostics > Backup & Restore downloads"));
        }
    }
    let mut reader = Reader { config: Config::default(), span: &span };
    reader.all(root);
    if reader.config.statements == 0 {
        return Err(ReadError::new(
            span_of_name(span(root), "pfsense"),
            "this backup holds neither interfaces nor rules",
        )
        .help("choose \"Backup area: All\" in Diagnostics > Backup & Restore"));
    }
    Ok(reader.config)
}

fn span_of_name(mut span: SourceSpan, name: &str) -> SourceSpan {
    span.end = span.start + u32::try_from(name.len()).unwrap_or(0) + 1;
    span
}

struct Reader<'f> {
    config: Config,
    span: &'f dyn Fn(El<'_>) -> Place,
}

impl Reader<'_> {
    fn all(&mut self, root: El<'_>) {
        let version = text(root, "version").unwrap_or_default();
        self.config.version = version.split_once('.').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        match child(root, "system") {
            Some(system) => self.config.system = self.system(system),
            None => self.config.system.admin_ports = vec![80],
        }
        for node in child(root, "interfaces").into_iter().flat_map(elements) {
            self.config.statements += 1;
            self.interface(node);
        }
        if let Some(gateways) = child(root, "gateways") {
            self.gateways(gateways);
        }
        for node in sections(root, "staticroutes", "route") {
            if !has(node, "disabled")
                && let (Some(net), Some(gateway)) = (text(node, "network"), text(node, "gateway"))
            {
                self.config.routes.push((net.into_owned(), gateway.into_owned()));
            }
        }
        for node in sections(root, "aliases", "alias") {
            self.config.statements += 1;
            self.alias(node);
        }
        self.alias_routes();
        for node in sections(root, "ifgroups", "ifgroupentry") {
            if let Some(name) = text(node, "ifname") {
                let members = text(node, "members").unwrap_or_default();
                let members = members.split_whitespace().map(str::to_owned).collect();
                self.config.groups.push((name.into_owned(), members));
            }
        }
        for node in sections(root, "virtualip", "vip") {
            self.virtual_address(node);
        }
        self.vips_of_vips();
        if let Some(nat) = child(root, "nat") {
            self.nat(nat);
        }
        if child(root, "filter").is_some_and(|f| has(f, "bypassstaticroutes")) {
            self.config.system.bypass_static_routes = true;
        }
        let rules = sections(root, "filter", "rule");
        self.config.rules.reserve_exact(rules.len());
        for (index, node) in rules.into_iter().enumerate() {
            self.config.statements += 1;
            let rule = self.rule(index, node);
            self.config.rules.push(rule);
        }
        services::read(&mut self.config, root, self.span);
        let made = super::lines::run_time(&self.config);
        self.config.gateways.extend(made);
        for node in sections(root, "schedules", "schedule") {
            if let Some(name) = text(node, "name") {
                self.config.schedules.push((name.into_owned(), holds(node)));
            }
        }
        for node in child(root, "dhcpd").into_iter().flat_map(elements) {
            if has(node, "enable") {
                self.config.dhcp.push(node.tag_name().name().to_owned());
            }
        }
    }

    fn system(&self, node: El<'_>) -> System {
        let gui = child(node, "webgui");
        let https = gui.is_some_and(|g| says(g, "protocol", "https"));
        let own = gui.and_then(|g| text(g, "port")).and_then(|p| p.parse().ok());
        let mut admin_ports = vec![own.unwrap_or(if https { 443 } else { 80 })];
        if https && !gui.is_some_and(|g| has(g, "disablehttpredirect")) {
            admin_ports.push(80);
        }
        if let Some(ssh) = child(node, "ssh").filter(|s| has(*s, "enable")) {
            admin_ports.push(text(ssh, "port").and_then(|p| p.parse().ok()).unwrap_or(22));
        }
        let switch = child(node, "disablenatreflection");
        System {
            reflection_off: switch.is_some(),
            reflection_pure: has(node, "enablenatreflectionpurenat"),
            reflection_helper: has(node, "enablenatreflectionhelper"),
            reflection_one_to_one: has(node, "enablebinatreflection"),
            no_reply_to: has(node, "disablereplyto"),
            if_bound: text(node, "statepolicy").map(|p| p == "if-bound"),
            ipv6: has(node, "ipv6allow"),
            filter_off: has(node, "disablefilter"),
            skip_down: has(node, "skip_rules_gw_down"),
            no_negation: has(node, "disablenegate"),
            no_vpn_rules: has(node, "disablevpnrules"),
            table_entries: text(node, "maximumtableentries").and_then(|n| n.parse().ok()),
            link_local: has(node, "no_apipa_block"),
            bypass_static_routes: false,
            no_lockout_rule: gui.is_some_and(|g| has(g, "noantilockout")),
            admin_ports,
            reflection_at: switch.map(|n| (self.span)(n)),
        }
    }

    fn interface(&mut self, node: El<'_>) {
        let name = node.tag_name().name().to_owned();
        let Some(device) = text(node, "if") else {
            return self.unread(node, "an interface without a device");
        };
        let addressing = |key: &str, bits: &str| match text(node, key).filter(|value| value != "none") {
            None => Addressing::None,
            Some(value) => match value.parse::<IpAddr>() {
                Ok(ip) => {
                    let full = if ip.is_ipv4() { 32 } else { 128 };
                    let length = text(node, bits).and_then(|b| b.parse().ok()).filter(|b| *b <= full).unwrap_or(full);
                    Addressing::Static(IpNet::new_assert(ip, length))
                }
                Err(_) => Addressing::Line(value.into_owned()),
            },
        };
        let gateway = |key: &str| text(node, key).filter(|g| g != "none").map(Cow::into_owned);
        let descr = text(node, "descr").map_or_else(|| name.to_uppercase(), Cow::into_owned);
        self.config.interfaces.push(Interface {
            device: device.into_owned(),
            descr,
            enabled: has(node, "enable"),
            v4: addressing("ipaddr", "subnet"),
            v6: addressing("ipaddrv6", "subnetv6"),
            gateway: [gateway("gateway"), gateway("gatewayv6")],
            block_private: has(node, "blockpriv"),
            block_bogons: has(node, "blockbogons"),
            no_nat: has(node, "nonat"),
            at: (self.span)(node),
            name: name.clone(),
        });
        // A second address that an interface with a lease answers to.
        if let Some(ip) = text(node, "alias-address").and_then(|a| a.parse::<IpAddr>().ok())
            && says(node, "ipaddr", "dhcp")
        {
            let bits = text(node, "alias-subnet").and_then(|b| b.parse().ok()).unwrap_or(32);
            let net = IpNet::new(ip, bits).unwrap_or_else(|_| ip.into());
            self.config.virtual_addresses.push(VirtualAddress {
                mode: "ipalias".into(),
                interface: name,
                net,
                id: None,
            });
        }
    }

    fn gateways(&mut self, node: El<'_>) {
        for item in children(node, "gateway_item") {
            self.config.statements += 1;
            let (Some(name), Some(interface)) = (text(item, "name"), text(item, "interface")) else {
                self.unread(item, "a gateway without a name or interface");
                continue;
            };
            let address = text(item, "gateway").and_then(|g| g.parse::<IpAddr>().ok());
            // The address says the family, whatever else does.
            let family = match address {
                Some(ip) => Family::of(ip),
                None if says(item, "ipprotocol", "inet6") => Family::V6,
                None => Family::V4,
            };
            self.config.gateways.push(Gateway {
                name: name.into_owned(),
                interface: interface.into_owned(),
                address,
                family,
                down: has(item, "force_down") && !has(item, "action_disable"),
                disabled: has(item, "disabled"),
                dynamic: address.is_none(),
                default: has(item, "defaultgw"),
            });
        }
        self.config.default_gateway = ["defaultgw4", "defaultgw6"].map(|k| text(node, k).map(Cow::into_owned));
        for group in children(node, "gateway_group") {
            self.config.statements += 1;
            let Some(name) = text(group, "name") else {
                self.unread(group, "a group of gateways without a name");
                continue;
            };
            let member = |n: El<'_>| {
                let said = own_text(n)?;
                let mut parts = said.split('|');
                Some((parts.next()?.to_owned(), parts.next()?.parse().ok()?))
            };
            let members = children(group, "item").filter_map(member).collect();
            self.config.gateway_groups.push((name.into_owned(), members));
        }
    }

    /// A static route to an alias is one to each of its networks.
    fn alias_routes(&mut self) {
        let config = &mut self.config;
        for (to, gateway) in std::mem::take(&mut config.routes) {
            match config.aliases.iter().find(|a| a.name == to) {
                Some(alias) => {
                    let nets = alias.members.iter().filter_map(|m| parse_net(m));
                    config.routes.extend(nets.map(|net| (net.to_string(), gateway.clone())));
                }
                None => config.routes.push((to, gateway)),
            }
        }
    }

    fn alias(&mut self, node: El<'_>) {
        let Some(name) = text(node, "name") else { return self.unread(node, "an alias without a name") };
        let kind = text(node, "type").unwrap_or("host".into()).into_owned();
        let members = text(node, "address").unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        self.config.aliases.push(Alias { name: name.into_owned(), kind, members, at: (self.span)(node) });
    }

    fn virtual_address(&mut self, node: El<'_>) {
        let ip = text(node, "subnet").and_then(|s| s.parse::<IpAddr>().ok());
        let bits = text(node, "subnet_bits").and_then(|b| b.parse().ok());
        let (Some(mode), Some(interface), Some(ip)) = (text(node, "mode"), text(node, "interface"), ip) else {
            return self.unread(node, "a virtual address that is not an address of an interface");
        };
        let full = if ip.is_ipv4() { 32 } else { 128 };
        let net = IpNet::new(ip, bits.unwrap_or(full)).unwrap_or_else(|_| ip.into());
        let (mode, interface) = (mode.into_owned(), interface.into_owned());
        let id = text(node, "uniqid").map(|id| format!("_vip{id}"));
        self.config.virtual_addresses.push(VirtualAddress { mode, interface, net, id });
    }

    /// A virtual address that stands on another one is on that one's interface.
    fn vips_of_vips(&mut self) {
        let all = self.config.virtual_addresses.clone();
        for vip in &mut self.config.virtual_addresses {
            // An alias of a shared address is the deepest that pages allow.
            for _ in 0..2 {
                if let Some(below) = all.iter().find(|v| v.id.as_deref() == Some(&vip.interface)) {
                    vip.interface.clone_from(&below.interface);
                }
            }
        }
    }

    fn nat(&mut self, node: El<'_>) {
        for (index, rule) in children(node, "rule").enumerate() {
            self.config.statements += 1;
            let forward = self.forward(index, rule);
            self.config.forwards.push(forward);
        }
        if let Some(outbound) = child(node, "outbound") {
            self.config.outbound = Outbound {
                // Empty is no mode at all, and makes no rules.
                mode: text(outbound, "mode")
                    .unwrap_or(if has(outbound, "mode") { "disabled" } else { "automatic" }.into())
                    .into_owned(),
                rules: children(outbound, "rule").map(|n| self.outbound_rule(n)).collect(),
            };
            self.config.statements += self.config.outbound.rules.len() + 1;
        }
        for rule in children(node, "onetoone") {
            self.config.statements += 1;
            // One without an outer address is left out.
            let external = text(rule, "external").unwrap_or_default();
            self.config.one_to_one.push(OneToOne {
                disabled: has(rule, "disabled"),
                nobinat: has(rule, "nobinat"),
                interface: text(rule, "interface").unwrap_or("wan".into()).into_owned(),
                external: external.into_owned(),
                family: if says(rule, "ipprotocol", "inet6") { Family::V6 } else { Family::V4 },
                source: end(rule, "source"),
                destination: end(rule, "destination"),
                reflection: text(rule, "natreflection").map(|r| r == "enable"),
                descr: text(rule, "descr").unwrap_or_default().into_owned(),
                at: (self.span)(rule),
            });
        }
        for rule in children(node, "npt") {
            self.config.statements += 1;
            let net = |name: &str| {
                let end = end(rule, name);
                end.address.or(end.network).and_then(|a| parse_net(&a))
            };
            // A rule without an inner prefix is left out; an outer one that is no prefix is that of a line.
            if let Some(inner) = net("source") {
                self.config.npt.push(Npt {
                    disabled: has(rule, "disabled"),
                    interface: text(rule, "interface").unwrap_or("wan".into()).into_owned(),
                    inner,
                    outer: net("destination"),
                    at: (self.span)(rule),
                });
            }
        }
    }

    fn forward(&self, index: usize, node: El<'_>) -> Forward {
        Forward {
            index,
            disabled: has(node, "disabled"),
            nordr: has(node, "nordr"),
            interface: text(node, "interface").unwrap_or("wan".into()).into_owned(),
            family: if says(node, "ipprotocol", "inet6") { Family::V6 } else { Family::V4 },
            protocol: text(node, "protocol").map(|p| p.to_ascii_lowercase()).filter(|p| p != "any"),
            source: end(node, "source"),
            destination: end(node, "destination"),
            target: text(node, "target").map(Cow::into_owned),
            local_port: text(node, "local-port").map(Cow::into_owned),
            descr: text(node, "descr").unwrap_or_default().into_owned(),
            associated: text(node, "associated-rule-id").unwrap_or_default().into_owned(),
            reflection: match text(node, "natreflection").as_deref() {
                Some("enable") => Reflects::Proxy,
                Some("purenat") => Reflects::Pure,
                Some("disable") => Reflects::Off,
                _ => Reflects::Default,
            },
            at: (self.span)(node),
        }
    }

    fn outbound_rule(&self, node: El<'_>) -> OutboundRule {
        let source =
            child(node, "source").and_then(|s| text(s, "network").or_else(|| has(s, "any").then_some("any".into())));
        OutboundRule {
            disabled: has(node, "disabled"),
            interface: text(node, "interface").unwrap_or("wan".into()).into_owned(),
            family: match text(node, "ipprotocol").as_deref() {
                Some("inet6") => Some(Family::V6),
                Some("inet46") | None => None,
                Some(_) => Some(Family::V4),
            },
            protocol: text(node, "protocol").map(|p| p.to_ascii_lowercase()).filter(|p| p != "any"),
            source: source.map(Cow::into_owned),
            source_not: child(node, "source").is_some_and(|s| has(s, "not")),
            source_port: text(node, "sourceport").map(Cow::into_owned),
            destination: end(node, "destination"),
            port: text(node, "dstport").map(Cow::into_owned),
            target: text(node, "target").map(Cow::into_owned),
            target_bits: text(node, "target_subnet").map(Cow::into_owned),
            nat_port: text(node, "natport").map(Cow::into_owned),
            static_port: has(node, "staticnatport"),
            no_nat: has(node, "nonat"),
            descr: text(node, "descr").unwrap_or_default().into_owned(),
            at: (self.span)(node),
        }
    }

    fn rule(&self, index: usize, node: El<'_>) -> Rule {
        let floats = has(node, "floating");
        let floating = says(node, "floating", "yes");
        let limited = limited(node);
        let protocol = text(node, "protocol").filter(|p| p != "any").map(Cow::into_owned);
        let (source, destination) = (end(node, "source"), end(node, "destination"));
        let tagged = text(node, "tagged").map(|t| (!has(node, "nottagged"), t.into_owned()));
        Rule {
            index,
            tracker: text(node, "tracker").and_then(|t| t.parse().ok()),
            action: text(node, "type").unwrap_or("pass".into()).into_owned(),
            disabled: has(node, "disabled"),
            interfaces: text(node, "interface")
                .unwrap_or_default()
                .split(',')
                .filter(|i| !i.is_empty())
                .map(str::to_owned)
                .collect(),
            families: match text(node, "ipprotocol").as_deref() {
                Some("inet6") => vec![Family::V6],
                Some("inet46") => vec![Family::V4, Family::V6],
                _ => vec![Family::V4],
            },
            never: protocol.as_deref().is_some_and(|p| p.to_ascii_lowercase().contains("icmp"))
                || protocol.as_deref().is_some_and(|p| p.eq_ignore_ascii_case("tcp")) && other_flags(node),
            // A port without a protocol: the generator writes TCP, and no port. Numbers have no ports.
            protocol: if text(node, "protocol").is_none() && [&source, &destination].iter().any(|e| e.port.is_some()) {
                Some("6".to_owned())
            } else {
                protocol
            },
            floats,
            floating,
            quick: !floats || has(node, "quick"),
            direction: if floating { text(node, "direction").unwrap_or("any".into()) } else { "in".into() }
                .into_owned(),
            source,
            destination,
            state: text(node, "statetype").map(Cow::into_owned),
            gateway: text(node, "gateway").map(Cow::into_owned),
            no_reply_to: has(node, "disablereplyto"),
            schedule: text(node, "sched").map(Cow::into_owned),
            limited,
            any_flags: has(node, "tcpflags_any"),
            tag: text(node, "tag").map(Cow::into_owned),
            tagged,
            narrowed: narrowed(node),
            descr: text(node, "descr").unwrap_or_default().into_owned(),
            associated: text(node, "associated-rule-id").map(Cow::into_owned),
            at: (self.span)(node),
        }
    }

    fn unread(&mut self, node: El<'_>, why: &str) {
        let place = (self.span)(node);
        self.config.unread.push((place, why.to_owned()));
    }
}

fn sections<'t>(root: El<'t>, section: &str, name: &str) -> Vec<El<'t>> {
    root.children().filter(|n| n.has_tag_name(section)).flat_map(|n| children(n, name)).collect()
}

fn end(node: El<'_>, name: &str) -> End {
    let Some(node) = child(node, name) else { return End::default() };
    let value = |key: &str| text(node, key).map(Cow::into_owned);
    End {
        present: true,
        any: has(node, "any"),
        network: value("network"),
        address: value("address"),
        not: has(node, "not"),
        port: value("port"),
    }
}

/// Limits, as far as the generator writes them: those of connections for TCP only, a rate only with its seconds.
fn limited(rule: El<'_>) -> Option<String> {
    let tcp = text(rule, "protocol").is_some_and(|p| ["tcp", "tcp/udp"].contains(&&*p));
    let limits = ["max", "max-src-nodes", "max-src-states", "max-src-conn", "max-src-conn-rate"];
    let written = |key: &&&str| match **key {
        "max-src-conn" => tcp,
        "max-src-conn-rate" => tcp && text(rule, "max-src-conn-rates").is_some(),
        _ => true,
    };
    let shown = |key: &&str| text(rule, key).map(|v| format!("{key} {v}"));
    let all: Vec<String> = limits.iter().filter(written).filter_map(shown).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// What a rule asks of packets beyond what is known of a call's.
fn narrowed(rule: El<'_>) -> Option<String> {
    if has(rule, "nat64") {
        return Some("it turns IPv6 into IPv4".into());
    }
    let asked = [
        ("os", "only senders that look like"),
        ("dscp", "only packets with the DSCP value"),
        ("vlanprio", "only packets with the VLAN priority"),
        ("srcmac", "only from the hardware address"),
        ("dstmac", "only to the hardware address"),
    ];
    let of = |(key, what)| text(rule, key).filter(|v| *v != "none").map(|v| format!("{what} {v}"));
    asked.into_iter().find_map(of)
}

/// A rule about TCP that asks for other flags than those of a connection's first packet.
fn other_flags(rule: El<'_>) -> bool {
    // Of each flag, whether it is SYN.
    let flags = |key| -> Vec<bool> {
        let list = text(rule, key).unwrap_or_default();
        list.split(',').filter(|f| !f.is_empty()).map(|f| f == "syn").collect()
    };
    if has(rule, "tcpflags_any") || text(rule, "tcpflags2").is_none() {
        return false;
    }
    let (set, looked_at) = (flags("tcpflags1"), flags("tcpflags2"));
    set.contains(&false) || set.contains(&true) != looked_at.contains(&true)
}

/// Whole days on all days of the week hold always; the 30th of February never comes.
fn holds(schedule: El<'_>) -> Holds {
    let ranges: Vec<El<'_>> = children(schedule, "timerange").collect();
    let whole_day = |n: &El<'_>| text(*n, "hour").is_some_and(|h| h == "0:00-23:59");
    let all_days =
        |n: &El<'_>| text(*n, "position").is_some_and(|p| (1..=7).all(|d| p.split(',').any(|x| x == d.to_string())));
    if ranges.iter().any(|n| whole_day(n) && all_days(n)) {
        return Holds::Always;
    }
    let impossible = |n: &El<'_>| {
        let days = |month: &str| match month {
            "2" => 29,
            "4" | "6" | "9" | "11" => 30,
            _ => 31,
        };
        let (Some(months), Some(dates)) = (text(*n, "month"), text(*n, "day")) else { return false };
        let mut pairs = months.split(',').zip(dates.split(','));
        pairs.all(|(m, d)| d.split('-').next().and_then(|d| d.parse::<u8>().ok()).is_some_and(|d| d > days(m)))
    };
    if ranges.iter().all(impossible) { Holds::Never } else { Holds::Sometimes }
}
