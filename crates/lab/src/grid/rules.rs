//! Rulesets of the grid, one function for each place that may have rules. The gateway's and the server's are given to the
//! kernel and to callpath as the same text; those around a caller only the kernel gets: callpath knows kinds of callers.

use crate::grid::cell::{Caller, Firewall, Gateway};

/// The beginning of every ruleset.
macro_rules! translate {
    (forwards { $($forward:literal)* } sources { $($source:literal)* }) => {
        concat!(
            "table ip nat {\n",
            "  chain prerouting {\n",
            "    type nat hook prerouting priority dstnat; policy accept;\n",
            $("    ", $forward, "\n",)*
            "  }\n",
            "  chain postrouting {\n",
            "    type nat hook postrouting priority srcnat; policy accept;\n",
            $("    ", $source, "\n",)*
            "  }\n",
            "}\n",
        )
    };
}

/// Lets out the LAN and in what was asked for; more as given.
macro_rules! pass {
    ($($also:literal)*) => {
        concat!(
            "table inet filter {\n",
            "  chain forward {\n",
            "    type filter hook forward priority filter; policy drop;\n",
            "    ct state established,related accept\n",
            "    iifname \"lan\" accept\n",
            $("    ", $also, "\n",)*
            "  }\n",
            "}\n",
        )
    };
}

/// Strangers get no answer from the gateway itself.
macro_rules! closed_input {
    () => {
        concat!(
            "table inet input {\n",
            "  chain input {\n",
            "    type filter hook input priority filter; policy drop;\n",
            "    ct state established,related accept\n",
            "    iifname \"lan\" accept\n",
            "    iifname \"lo\" accept\n",
            "  }\n",
            "}\n",
        )
    };
}

/// What the gateway before the server does.
pub fn gateway_rules(gateway: Gateway) -> &'static str {
    match gateway {
        Gateway::Good => concat!(
            translate! {
                forwards {
                    "ip daddr 203.0.113.10 udp dport 50000-50499 dnat to 192.168.1.50"
                    "ip daddr 203.0.113.10 tcp dport 7881 dnat to 192.168.1.50"
                }
                sources {
                    "oifname \"wan\" masquerade"
                    "iifname \"lan\" oifname \"lan\" ct status dnat masquerade"
                }
            },
            pass!("ct status dnat accept"),
        ),
        Gateway::NoUdp => concat!(
            translate! {
                forwards { "ip daddr 203.0.113.10 tcp dport 7881 dnat to 192.168.1.50" }
                sources {
                    "oifname \"wan\" masquerade"
                    "iifname \"lan\" oifname \"lan\" ct status dnat masquerade"
                }
            },
            pass!("ct status dnat accept"),
        ),
        Gateway::NoHairpin => concat!(
            translate! {
                forwards {
                    "iifname \"wan\" udp dport 50000-50499 dnat to 192.168.1.50"
                    "iifname \"wan\" tcp dport 7881 dnat to 192.168.1.50"
                }
                sources { "oifname \"wan\" masquerade" }
            },
            pass!("ct status dnat accept"),
        ),
        Gateway::HairpinNoSnat => concat!(
            translate! {
                forwards {
                    "ip daddr 203.0.113.10 udp dport 50000-50499 dnat to 192.168.1.50"
                    "ip daddr 203.0.113.10 tcp dport 7881 dnat to 192.168.1.50"
                }
                sources { "oifname \"wan\" masquerade" }
            },
            pass!("ct status dnat accept"),
        ),
        Gateway::NoPass => concat!(
            translate! {
                forwards {
                    "ip daddr 203.0.113.10 udp dport 50000-50499 dnat to 192.168.1.50"
                    "ip daddr 203.0.113.10 tcp dport 7881 dnat to 192.168.1.50"
                }
                sources {
                    "oifname \"wan\" masquerade"
                    "iifname \"lan\" oifname \"lan\" ct status dnat masquerade"
                }
            },
            pass!(),
        ),
        Gateway::Nothing => concat!(translate! { forwards {} sources { "oifname \"wan\" masquerade" } }, pass!()),
        Gateway::NothingInputDrop => {
            concat!(translate! { forwards {} sources { "oifname \"wan\" masquerade" } }, pass!(), closed_input!())
        }
        Gateway::NothingInputDropRandom => concat!(
            translate! { forwards {} sources { "oifname \"wan\" masquerade fully-random" } },
            pass!(),
            closed_input!(),
        ),
    }
}

/// What the server's own firewall does; empty: there is none.
pub fn server_rules(firewall: Firewall) -> &'static str {
    match firewall {
        Firewall::Open => "",
        Firewall::Closed => concat!(
            "table inet filter {\n",
            "  chain input {\n",
            "    type filter hook input priority filter; policy drop;\n",
            "    ct state established,related accept\n",
            "    iifname \"lo\" accept\n",
            "    tcp dport 22 accept\n",
            "  }\n",
            "}\n",
        ),
    }
}

/// What the router before the caller does; none: there is no router, or it is the server's own gateway.
pub fn router_rules(caller: Caller) -> Option<&'static str> {
    match caller {
        Caller::Home => {
            Some(
                concat!(translate! { forwards {} sources { "oifname \"wan\" masquerade" } }, pass!(), closed_input!(),),
            )
        }
        Caller::Symmetric => Some(concat!(
            translate! { forwards {} sources { "oifname \"wan\" masquerade fully-random" } },
            pass!(),
            closed_input!(),
        )),
        _ => None,
    }
}

/// What the caller's own firewall does; empty: there is none.
pub fn caller_rules(caller: Caller) -> &'static str {
    if caller != Caller::UdpBlocked {
        return "";
    }
    concat!(
        "table inet filter {\n",
        "  chain input {\n",
        "    type filter hook input priority filter; policy accept;\n",
        "    meta l4proto udp drop\n",
        "  }\n",
        "  chain output {\n",
        "    type filter hook output priority filter; policy accept;\n",
        "    meta l4proto udp drop\n",
        "  }\n",
        "}\n",
    )
}
