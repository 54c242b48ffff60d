//! Is a text rules of nftables at all?

/// Families of tables.
const FAMILIES: &[&str] = &["ip", "ip6", "inet", "arp", "bridge", "netdev"];

/// What commands are about, beside families (`add ip filter input …` is `add rule …`) and elements of a set (`add @s …`).
const OBJECTS: &[&str] = &[
    "table",
    "chain",
    "rule",
    "set",
    "map",
    "element",
    "flowtable",
    "counter",
    "counters",
    "quota",
    "quotas",
    "limit",
    "limits",
    "ct",
    "secmark",
    "synproxy",
    "ruleset",
    "tables",
    "chains",
    "sets",
    "maps",
    "@",
];

/// What a rule goes on with.
const VERDICTS: &[&str] = &[
    "", "accept", "drop", "return", "continue", "jump", "goto", "reject", "log", "counter", "comment", "queue", "limit",
];

/// Signs of a word that stands for many.
const SIGNS: &[&str] =
    &["0", "\"", "{", "@", "$", "!=", "==", "<", ">", "<=", ">=", "&", ".", "and", "or", "set", "in"];

/// First words of statements, and what their second word is (nft(8)). Many of the first are words of other languages too:
/// `set` begins lines of half of all routers. One of the second that is no word stands for all that begin with it, `0` for
/// numbers, `{` for a line that opens a block or a set, `*` for any, and an empty one for nothing.
const STATEMENTS: &[(&[&str], &[&[&str]])] = &[
    // Commands and definitions.
    (&["table"], &[FAMILIES, &["{"]]),
    (&["chain", "set", "map", "flowtable", "secmark", "tunnel", "meter", "element"], &[&["{"]]),
    (&["rule"], &[FAMILIES]),
    (
        &["add", "create", "insert", "replace", "delete", "destroy", "flush", "rename", "list", "reset"],
        &[OBJECTS, FAMILIES],
    ),
    (&["reset", "update"], &[&["tcp", "@"]]),
    (&["define", "redefine"], &[&["="]]),
    (&["undefine"], &[&["*"]]),
    (&["include"], &[&["\"", "'"]]),
    // Lines of blocks.
    (&["type"], &[&["filter", "nat", "route", "mark", "ifname", "verdict", "string", "\""], TYPES]),
    (
        &["typeof"],
        &[&["ip", "ip6", "tcp", "udp", "th", "ct", "meta", "iifname", "oifname", "iif", "oif", "ether", "vlan"]],
    ),
    (&["hook"], &[&["ingress", "egress", "prerouting", "input", "forward", "output", "postrouting"]]),
    (&["policy"], &[&["accept", "drop", "memory", "performance", "="]]),
    (&["flags"], &[&["interval", "timeout", "constant", "dynamic", "offload", "dormant", "owner", "persist"]]),
    (&["elements", "devices"], &[&["="]]),
    (&["timeout", "size", "gc-interval"], &[&["0"]]),
    (&["comment"], &[&["\""]]),
    (&["auto-merge"], &[&[""]]),
    (&["l3proto"], &[FAMILIES]),
    (&["protocol"], &[&["tcp", "udp"]]),
    (&["mss", "wscale"], &[&["0"]]),
    (&["synproxy"], &[VERDICTS, &["{", "mss", "name", "wscale", "timestamp"]]),
    // Matches.
    (
        &["ip"],
        &[&[
            "saddr",
            "daddr",
            "protocol",
            "version",
            "hdrlength",
            "dscp",
            "ecn",
            "length",
            "id",
            "frag-off",
            "ttl",
            "checksum",
            "option",
            ".",
        ]],
    ),
    (&["ip6"], &[&["saddr", "daddr", "version", "dscp", "ecn", "flowlabel", "length", "nexthdr", "hoplimit", "."]]),
    (
        &["tcp", "udp", "udplite", "sctp", "dccp", "th"],
        &[&[
            "sport", "dport", "flags", "option", "sequence", "ackseq", "doff", "reserved", "window", "checksum",
            "urgptr", "length", "csumcov", "vtag", "chunk", "type", ".",
        ]],
    ),
    (
        &["icmp", "icmpv6", "igmp"],
        &[&[
            "type",
            "code",
            "checksum",
            "id",
            "sequence",
            "gateway",
            "mtu",
            "group",
            "mrt",
            "packet-too-big",
            "max-delay",
            "parameter-problem",
        ]],
    ),
    (&["esp", "ah", "comp"], &[&["spi", "sequence", "nexthdr", "reserved", "hdrlength", "flags", "cpi"]]),
    (
        &["ether", "vlan", "arp"],
        &[&["saddr", "daddr", "type", "id", "dei", "cfi", "pcp", "htype", "ptype", "hlen", "plen", "operation"]],
    ),
    (&["gre", "vxlan", "geneve", "gretap"], &[&["protocol", "version", "flags", "vni", "ip", "tcp", "udp", "type"]]),
    (&["meta"], &[&["*"]]),
    (
        &["iif", "iifname", "iiftype", "iifgroup", "iifkind", "oif", "oifname", "oiftype", "oifgroup", "oifkind"],
        &[&["*"]],
    ),
    (
        &["ibrname", "obrname", "ibriport", "obriport", "sdif", "sdifname", "skuid", "skgid", "l4proto", "nfproto"],
        &[&["*"]],
    ),
    (
        &["mark", "pkttype", "cgroup", "rtclassid", "time", "day", "hour", "sport", "dport"],
        &[SIGNS, &["host", "broadcast", "multicast"]],
    ),
    (
        &["ct"],
        &[&[
            "{",
            "state",
            "status",
            "mark",
            "direction",
            "helper",
            "expectation",
            "timeout",
            "expiration",
            "label",
            "l3proto",
            "protocol",
            "original",
            "reply",
            "count",
            "zone",
            "id",
            "bytes",
            "packets",
            "avgpkt",
            "event",
            "secmark",
        ]],
    ),
    (&["fib"], &[&["saddr", "daddr", "mark", "iif", "oif"]]),
    (&["rt"], &[&["classid", "nexthop", "mtu", "ip", "ip6", "ipsec", "type", "0", "tcpmss"]]),
    (&["socket"], &[&["transparent", "mark", "wildcard", "cgroupv2"]]),
    (&["osf"], &[&["name", "ttl", "version"]]),
    (&["ipsec"], &[&["in", "out"]]),
    (&["exthdr"], &[&["hbh", "frag", "rt", "dst", "mh", "srh"]]),
    (
        &["frag", "hbh", "mh", "dst", "srh"],
        &[&[
            "nexthdr",
            "reserved",
            "frag-off",
            "more-fragments",
            "id",
            "hdrlength",
            "type",
            "checksum",
            "tag",
            "flags",
            "sid",
            "last-entry",
            "reserved2",
        ]],
    ),
    (&["xt"], &[&["match", "target"]]),
    (&["numgen"], &[&["inc", "random"]]),
    (&["jhash", "symhash"], &[&["*"]]),
    // Statements.
    (&["accept", "drop", "continue", "return", "notrack"], &[&["", "comment"]]),
    (&["jump", "goto"], &[&["*"]]),
    (
        &["counter"],
        &[
            VERDICTS,
            &[
                "{",
                "packets",
                "name",
                "ip",
                "ip6",
                "tcp",
                "udp",
                "ct",
                "meta",
                "dnat",
                "snat",
                "masquerade",
                "redirect",
            ],
        ],
    ),
    (&["limit"], &[&["{", "rate", "name"]]),
    (&["quota"], &[&["{", "name", "over", "until", "0"]]),
    (&["log"], &[VERDICTS, &["prefix", "level", "group", "flags", "snaplen", "queue-threshold"]]),
    (&["last"], &[VERDICTS, &["used"]]),
    (&["reject"], &[&["", "with", "comment"]]),
    (&["queue"], &[&["", "num", "to", "flags", "bypass"]]),
    (
        &["dnat", "snat", "tproxy", "dup", "fwd", "redirect", "masquerade"],
        &[VERDICTS, FAMILIES, &["to", "prefix", "random", "fully-random", "persistent", "0", ":"]],
    ),
    (&["flow"], &[&["add", "offload", "table"]]),
];

/// Types of sets that are no other words (nft(8), "DATA TYPES").
const TYPES: &[&str] = &[
    "ipv4_addr",
    "ipv6_addr",
    "ether_addr",
    "inet_proto",
    "inet_service",
    "iface_index",
    "iface_type",
    "icmp_type",
    "icmpv6_type",
    "icmp_code",
    "icmpv6_code",
    "icmpx_code",
    "ct_state",
    "ct_dir",
    "ct_status",
    "ct_label",
    "ether_type",
    "pkt_type",
    "fib_addrtype",
    "tcp_flag",
    "dscp",
    "uid",
    "gid",
    "realm",
    "cgroupsv2",
    "dccp_pkttype",
    "nf_proto",
    "devgroup",
    "boolean",
    "integer",
    "day",
    "hour",
    "time",
];

/// As many lines are looked at: the first one can be broken in any way.
const LINES: usize = 20;

/// Some of the first lines that are no comments are commands or statements of nftables, and not many are something else; or
/// there are only comments. Other texts are none of its rulesets: nothing of them is kept or quoted.
pub(in crate::dialect) fn begins_like_rules(text: &str) -> bool {
    let lines = text.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let (mut ours, mut others) = (0, 0);
    for line in lines.take(LINES) {
        // Addresses, names and brackets of a set that began above say nothing.
        let open = line.ends_with(',') || !line.starts_with(|c: char| c.is_alphabetic() || "@$".contains(c));
        if is_statement(line) {
            ours += 1;
        } else if !open {
            others += 1;
        }
    }
    let nothing = text.lines().all(|l| l.trim_start().is_empty() || l.trim_start().starts_with('#'));
    nothing || ours > 0 && ours * 3 >= others
}

fn is_statement(line: &str) -> bool {
    // A variable, or a set of addresses, that a file holds which is included.
    if let Some(name) = line.strip_prefix(['@', '$']) {
        return name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    }
    let ends = |c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_';
    let first = &line[..line.find(ends).unwrap_or(line.len())];
    let rest = &line[first.len()..];
    // `type: nat`, `log=yes`
    if !rest.is_empty() && !rest.starts_with(|c: char| c.is_whitespace() || ";{\"".contains(c)) {
        return false;
    }
    let rest = rest.trim_start();
    let second = &rest[..rest.find(|c: char| ends(c) && c != '=').unwrap_or(rest.len())];
    let fits = |sign: &&str| match *sign {
        "" => rest.is_empty() || rest.starts_with([';', '#', '}']),
        "*" => !rest.is_empty(),
        "{" => line.contains('{'),
        "=" => line.contains('='),
        "0" => rest.starts_with(|c: char| c.is_ascii_digit()),
        sign if sign.starts_with(|c: char| c.is_ascii_alphabetic()) => second == sign,
        sign => rest.starts_with(sign),
    };
    let here = STATEMENTS.iter().filter(|(words, _)| words.contains(&first));
    here.flat_map(|(_, seconds)| *seconds).any(|list| list.iter().any(&fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rulesets_and_what_they_include_are_told_from_other_texts() {
        for rules in [
            "table inet t {\n}\n",
            "# by hand\n\nflush ruleset\n",
            "tabel inet t {\n chain c {\n",
            "tcp dport 22 accept\n",
            "iifname \"wan\" drop",
            "\t$lan, 10.0.0.0/8\n",
            "@known\n",
            "# nothing\n",
            "table ip t {\n set s {\n  type ipv4_addr\n  elements = { 10.0.0.1,\n 10.0.0.2 }\n }\n chain c {\n",
            "set s {\n type ifname\n elements = { eth0,\n eth1,\n eth2 }\n}\n",
            "add inet filter input tcp dport 22 accept\n",
            "define wan = eth0\n",
            "chain x {\n newmatch 5 accept\n othermatch 7\n thirdmatch\n}\n",
            "include \"/etc/nftables.d/*.nft\"\n",
            "ct state { established, related } accept\n",
            "masquerade",
        ] {
            assert!(begins_like_rules(rules), "{rules}");
        }
        for other in [
            "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1::/usr/sbin/nologin\n",
            "HOME=/root\0PATH=/bin",
            "password = \"hunter2\"\n",
            "-----BEGIN OPENSSH PRIVATE KEY-----\n",
            "ssh-ed25519 AAAA root@host\n",
            "<6>[    0.000000] Linux version 6.18\n",
            "set system login user vyos authentication encrypted-password '$6$hunter2'\nset vpn ipsec psk x secret hunter2\n",
            "set system host-name gw\nset security ike policy p pre-shared-key ascii-text \"hunter2\"\n",
            "config vpn ipsec phase1-interface\n edit \"x\"\n  set psksecret ENC hunter2\n  set type static\n next\nend\n",
            "/ppp secret\nadd name=anna password=hunter2\nadd action=accept chain=forward\n",
            "firewall {\n    name WAN {\n        default-action drop\n        rule 10 {\n            log enable\n",
            "hostname gw\nenable secret hunter2\ninterface eth0\n ip address 192.0.2.1 255.255.255.0\nlog on\n",
            "keys:\n  APIkey: hunter2\ntype: media\nlog: debug\n",
            "public\n  target: default\n  services: ssh\n  ports: 443/tcp\n",
            "The list of flags\nset the time, then flush\nadd salt\nlog it\n",
        ] {
            assert!(!begins_like_rules(other), "{other}");
        }
    }
}
