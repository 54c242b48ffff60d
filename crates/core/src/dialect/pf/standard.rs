//! The standard situations in rules of pf.

use crate::dialect::standard::Situation::{
    BlockedFirst, NoForward, NoHairpin, NoSourceNat, RangeCut, Unread, WrongTarget,
};
use crate::dialect::standard::{STATED, Standard};

const OPEN: &str = "set limit states 100000
nat on wan inet from 192.168.1.0/24 to any -> 203.0.113.5/32 port 1024:65535
nat on lan inet from 192.168.1.0/24 to 192.168.1.50 -> 192.168.1.1/32 port 1024:65535
rdr on wan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.50
rdr on wan inet proto tcp from any to 203.0.113.5 port 443 -> 192.168.1.50
rdr on wan inet proto tcp from any to 203.0.113.5 port 7881 -> 192.168.1.50
rdr on lan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.50
rdr on lan inet proto tcp from any to 203.0.113.5 port 443 -> 192.168.1.50
rdr on lan inet proto tcp from any to 203.0.113.5 port 7881 -> 192.168.1.50
block in log inet all label \"Default deny rule IPv4\"
pass in quick on wan inet proto udp from any to 192.168.1.50 port 50000:60000 keep state label \"USER_RULE: calls\"
pass in quick on wan inet proto tcp from any to 192.168.1.50 port 443 keep state label \"USER_RULE: pages\"
pass in quick on wan inet proto tcp from any to 192.168.1.50 port 7881 keep state label \"USER_RULE: calls\"
pass in quick on lan inet from 192.168.1.0/24 to any keep state label \"USER_RULE: lan\"
pass out inet all keep state allow-opts label \"let out anything IPv4 from firewall host itself\"
";

/// A router in which everything works, and what may be wrong with it.
pub(super) fn standard() -> Standard {
    Standard {
        gateway: STATED,
        open: OPEN.into(),
        situations: vec![
            (NoForward, "rdr on wan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.50\n", ""),
            (
                WrongTarget,
                "rdr on wan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.50\n",
                "rdr on wan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.51\n",
            ),
            (
                BlockedFirst,
                "pass in quick on wan inet proto udp",
                "block in quick on wan inet proto udp from any to any\npass in quick on wan inet proto udp",
            ),
            (NoHairpin, "rdr on lan inet proto udp from any to 203.0.113.5 port 50000:60000 -> 192.168.1.50\n", ""),
            (
                NoSourceNat,
                "nat on lan inet from 192.168.1.0/24 to 192.168.1.50 -> 192.168.1.1/32 port 1024:65535\n",
                "",
            ),
            (
                RangeCut,
                "rdr on wan inet proto udp from any to 203.0.113.5 port 50000:60000",
                "rdr on wan inet proto udp from any to 203.0.113.5 port 50000:55000",
            ),
            (Unread, "pass in quick on wan inet proto udp", "frobnicate on wan\npass in quick on wan inet proto udp"),
        ],
        cures: &[],
    }
}
