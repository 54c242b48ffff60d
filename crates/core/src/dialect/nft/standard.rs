//! The standard situations in rules of nftables.

use crate::dialect::standard::Situation::{
    BlockedFirst, NoForward, NoHairpin, NoSourceNat, RangeCut, Unread, WrongTarget,
};
use crate::dialect::standard::{STATED, Standard};

const OPEN: &str = "table ip filter {
	chain forward {
		type filter hook forward priority 0; policy drop;
		ct state established,related accept
		iifname \"lan\" accept
		ip daddr 192.168.1.50 udp dport 50000-60000 accept
		ip daddr 192.168.1.50 tcp dport { 443, 7881 } accept
	}
}
table ip nat {
	chain prerouting {
		type nat hook prerouting priority -100; policy accept;
		iifname \"wan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50
		iifname \"lan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50
		ip daddr 203.0.113.5 tcp dport { 443, 7881 } dnat to 192.168.1.50
	}
	chain postrouting {
		type nat hook postrouting priority 100; policy accept;
		oifname \"wan\" masquerade
		ip saddr 192.168.1.0/24 ip daddr 192.168.1.50 masquerade
	}
}
";

/// A router in which everything works, and what may be wrong with it.
pub(super) fn standard() -> Standard {
    Standard {
        gateway: STATED,
        open: OPEN.into(),
        situations: vec![
            (NoForward, "\t\tiifname \"wan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50\n", ""),
            (
                WrongTarget,
                "\"wan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50",
                "\"wan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.51",
            ),
            (
                BlockedFirst,
                "\t\tip daddr 192.168.1.50 udp",
                "\t\tudp dport 50000-60000 drop\n\t\tip daddr 192.168.1.50 udp",
            ),
            (NoHairpin, "\t\tiifname \"lan\" ip daddr 203.0.113.5 udp dport 50000-60000 dnat to 192.168.1.50\n", ""),
            (NoSourceNat, "\t\tip saddr 192.168.1.0/24 ip daddr 192.168.1.50 masquerade\n", ""),
            (
                RangeCut,
                "\"wan\" ip daddr 203.0.113.5 udp dport 50000-60000",
                "\"wan\" ip daddr 203.0.113.5 udp dport 50000-55000",
            ),
            (Unread, "\t\tip daddr 192.168.1.50 udp", "\t\tfrobnicate 7 drop\n\t\tip daddr 192.168.1.50 udp"),
        ],
        cures: &[NoForward, WrongTarget, BlockedFirst, NoHairpin, NoSourceNat, RangeCut],
    }
}
