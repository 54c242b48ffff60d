//! Is a text rules of nftables at all?

/// Words that begin a command or a definition (nft(8), "INPUT FILE FORMATS" and the sections on tables to stateful objects).
const COMMANDS: &[&str] = &[
    "table",
    "chain",
    "rule",
    "set",
    "map",
    "element",
    "flowtable",
    "limit",
    "quota",
    "counter",
    "secmark",
    "synproxy",
    "ct",
    "add",
    "create",
    "insert",
    "replace",
    "delete",
    "destroy",
    "flush",
    "rename",
    "list",
    "reset",
    "monitor",
    "describe",
    "define",
    "redefine",
    "undefine",
    "include",
];

/// Words that begin a statement of a chain, a set or a map: a file that is included can hold no more than these.
const STATEMENTS: &[&str] = &[
    "type",
    "typeof",
    "hook",
    "policy",
    "flags",
    "elements",
    "timeout",
    "size",
    "comment",
    "devices",
    "auto-merge",
    "gc-interval",
    "ip",
    "ip6",
    "tcp",
    "udp",
    "udplite",
    "sctp",
    "dccp",
    "icmp",
    "icmpv6",
    "igmp",
    "esp",
    "ah",
    "comp",
    "th",
    "ether",
    "vlan",
    "arp",
    "meta",
    "iif",
    "iifname",
    "iiftype",
    "oif",
    "oifname",
    "oiftype",
    "mark",
    "skuid",
    "skgid",
    "pkttype",
    "cgroup",
    "fib",
    "rt",
    "socket",
    "osf",
    "ipsec",
    "exthdr",
    "frag",
    "hbh",
    "mh",
    "dst",
    "srh",
    "xt",
    "log",
    "accept",
    "drop",
    "continue",
    "jump",
    "goto",
    "return",
    "reject",
    "queue",
    "dnat",
    "snat",
    "masquerade",
    "redirect",
    "tproxy",
    "notrack",
    "flow",
    "dup",
    "fwd",
    "update",
    "meter",
    "numgen",
    "jhash",
    "symhash",
    "day",
    "hour",
    "time",
    "last",
];

/// As many lines are looked at: the first one can be broken in any way.
const LINES: usize = 20;

/// One of the first lines that are no comments begins like a command or a statement of nftables, or there are only
/// comments. Other texts are none of its rulesets, and nothing of them is quoted.
pub(in crate::dialect) fn begins_like_rules(text: &str) -> bool {
    let lines = text.lines().map(str::trim_start).filter(|l| !l.is_empty() && !l.starts_with('#'));
    let mut first = lines.take(LINES).peekable();
    first.peek().is_none()
        || first.any(|line| {
            let word = line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next().unwrap_or_default();
            line.starts_with(['@', '$', '{', '}']) || COMMANDS.contains(&word) || STATEMENTS.contains(&word)
        })
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
        ] {
            assert!(!begins_like_rules(other), "{other}");
        }
    }
}
