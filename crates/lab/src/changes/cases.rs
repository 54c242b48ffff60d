//! The table of routers.

/// What is to become true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// From outside to the server, by the interface's name.
    Forward,
    /// The same by the public address.
    ForwardAnyhow,
    /// From inside to the public address and back.
    Hairpin,
    /// From outside to the server's own IPv6 address.
    AllowSix,
    /// To the router itself: it plays a server with a firewall of its own.
    Input,
    /// The server's answers.
    Answers,
    /// No longer from outside to the server.
    Close,
}

/// A router and a change.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// For a person.
    pub name: &'static str,
    /// Its rules.
    pub rules: &'static str,
    /// The change starts from the listing with handles, not from these lines.
    pub listed: bool,
    /// What is wanted.
    pub wish: Wish,
}

const fn case(name: &'static str, wish: Wish, rules: &'static str) -> Case {
    Case { name, rules, listed: false, wish }
}

const fn listed(name: &'static str, wish: Wish, rules: &'static str) -> Case {
    Case { name, rules, listed: true, wish }
}

const POLICY: &str = "table inet filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		iifname \"lan0\" oifname \"wan0\" accept
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		iifname \"wan0\" tcp dport 443 dnat to 192.168.1.50
	}
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		oifname \"wan0\" masquerade
	}
}
";

const LAST_DROP: &str = "table ip filter {
	chain forward {
		type filter hook forward priority filter; policy accept;
		ct state established,related accept
		ip saddr 203.0.113.99 drop
		iifname \"wan0\" jump outside
	}
	chain outside {
		tcp dport 443 accept
		counter reject with icmp port-unreachable
	}
}
table ip nat {
	chain pre {
		type nat hook prerouting priority dstnat; policy accept;
	}
}
";

const TWO_CHAINS: &str = "table inet first {
	chain forward {
		type filter hook forward priority filter - 5; policy drop;
		ct state vmap { established : accept, related : accept, invalid : drop }
		udp dport 50000-50010 accept
	}
}
table ip second {
	chain forward {
		type filter hook forward priority filter + 5; policy accept;
		ct state established accept
		iifname \"wan0\" udp dport 1024-65535 drop
	}
	chain early {
		type filter hook prerouting priority raw; policy accept;
		iifname \"wan0\" udp dport 50100-50200 drop
	}
}
table inet nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 203.0.113.6 udp dport 50000-60000 dnat ip to 192.168.1.51
	}
}
";

const NO_NAT: &str = "table inet filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		drop
	}
}";

const SERVER: &str = "table inet filter {
	chain input {
		type filter hook input priority filter; policy drop;
		ct state established,related accept
		iif \"lo\" accept
		tcp dport 22 accept
	}
	chain output {
		type filter hook output priority filter; policy accept;
	}
}
";

const COMMENTS: &str = "#!/usr/sbin/nft -f
# A router with names. {
define inside = 192.168.1.0/24
table inet filter {
	comment \"kept by hand\"
	set barred {
		type ipv4_addr
		flags interval
		elements = { 10.0.0.0/8, 100.64.0.0/10 } # not seen outside
	}
	map ports {
		type inet_service : verdict
		elements = { 443 : accept, 7881 : accept }
	}
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept comment \"answers; of all kinds\"
		iifname \"wan0\" ip saddr @barred drop
		ip saddr $inside accept
		tcp dport vmap @ports
		limit rate 10/minute log prefix \"lost: \" # callpath: nothing
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat
		ip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat to 192.168.1.50
	}
}
";

const ANSWERS: &str = "table ip filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		iifname \"wan0\" udp dport 50000-60000 accept
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		iifname \"wan0\" udp dport 50000-60000 dnat to 192.168.1.50
	}
}
";

const OPEN: &str = "table inet filter {
	chain forward {
		type filter hook forward priority filter; policy accept;
		ct state established,related accept
		accept
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority dstnat; policy accept;
		udp dport 50000-60000 dnat to 192.168.1.50
	}
}
";

/// Every router with its change.
pub const CASES: &[Case] = &[
    case("policy drop", Wish::Forward, POLICY),
    case("policy drop, by address", Wish::ForwardAnyhow, POLICY),
    listed("policy drop, listed with handles", Wish::Forward, POLICY),
    case("a reject at the end of a chain", Wish::Forward, LAST_DROP),
    listed("the same, listed with handles", Wish::Forward, LAST_DROP),
    case("two chains and one before translation", Wish::Forward, TWO_CHAINS),
    listed("the same, listed with handles", Wish::ForwardAnyhow, TWO_CHAINS),
    case("no nat table, no newline at the end", Wish::Forward, NO_NAT),
    case("no rules at all", Wish::Forward, ""),
    case("a server's own firewall", Wish::Input, SERVER),
    case("comments, sets, maps and variables", Wish::Forward, COMMENTS),
    case("hairpin", Wish::Hairpin, POLICY),
    case("hairpin without a nat table", Wish::Hairpin, NO_NAT),
    case("IPv6 through the filter", Wish::AllowSix, POLICY),
    listed("IPv6, listed with handles", Wish::AllowSix, NO_NAT),
    case("answers", Wish::Answers, ANSWERS),
    case("closing", Wish::Close, OPEN),
];
