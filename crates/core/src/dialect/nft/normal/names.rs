//! Words that both readers know.

use crate::dialect::nft::ast::{HookName, TableFamily};

/// A table family by its keyword.
pub(in crate::dialect::nft) fn family(word: &str) -> Option<TableFamily> {
    Some(match word {
        "ip" => TableFamily::Ip,
        "ip6" => TableFamily::Ip6,
        "inet" => TableFamily::Inet,
        "arp" => TableFamily::Arp,
        "bridge" => TableFamily::Bridge,
        "netdev" => TableFamily::Netdev,
        _ => return None,
    })
}

/// A hook by its name.
pub(in crate::dialect::nft) fn hook(word: &str) -> Option<HookName> {
    Some(match word {
        "ingress" => HookName::Ingress,
        "prerouting" => HookName::Prerouting,
        "input" => HookName::Input,
        "forward" => HookName::Forward,
        "output" => HookName::Output,
        "postrouting" => HookName::Postrouting,
        "egress" => HookName::Egress,
        _ => return None,
    })
}

/// Priority names (nft(8), "standard priority names"; `std_prios` and `bridge_std_prios` in nftables' src/rule.c).
/// nft refuses some names at some hooks; a ruleset that was loaded does not have those.
pub(in crate::dialect::nft) fn priority(name: &str, family: TableFamily) -> Option<i32> {
    Some(match (family, name) {
        (TableFamily::Bridge, "dstnat") => -300,
        (TableFamily::Bridge, "filter") => -200,
        (TableFamily::Bridge, "out") => 100,
        (TableFamily::Bridge, "srcnat") => 300,
        (TableFamily::Bridge, _) => return None,
        (_, "filter") => 0,
        (TableFamily::Arp | TableFamily::Netdev, _) => return None,
        (_, "raw") => -300,
        (_, "mangle") => -150,
        (_, "dstnat") => -100,
        (_, "security") => 50,
        (_, "srcnat") => 100,
        _ => return None,
    })
}

/// The value of a number as nftables reads it: hexadecimal with `0x`, octal with a leading zero.
pub(in crate::dialect::nft) fn number(text: &str) -> Option<u64> {
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok();
    }
    if text.len() > 1 && text.starts_with('0') {
        return u64::from_str_radix(text, 8).ok();
    }
    text.parse().ok()
}
