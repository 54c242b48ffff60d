//! Sets of addresses: who "the internet" is.

use crate::cube::Set;
use crate::model::address_value;
use crate::model::{Family, prefix_range};
pub(crate) use crate::model::{is_public, is_shared};
use ipnet::IpNet;
use std::net::IpAddr;

/// Blocks that are not ordinary unicast addresses of the internet (RFC 6890, with RFC 5771 and RFC 1112 for 224/3).
const SPECIAL_V4: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/3",
];

/// The same within `2000::/3`, where all global unicast addresses are assigned from (RFC 4291 2.4).
const SPECIAL_V6: &[&str] = &["2001::/23", "2001:db8::/32", "2002::/16"];

/// A prefix as a set.
pub(crate) fn prefix_set(net: IpNet) -> Set {
    let (lo, hi) = prefix_range(net);
    Set::range(lo, hi)
}

/// One address as a set.
pub(crate) fn one(ip: IpAddr) -> Set {
    Set::one(address_value(ip))
}

fn blocks(list: &[&str]) -> Set {
    Set::from_ranges(list.iter().filter_map(|s| s.parse().ok()).map(prefix_range))
}

/// Unicast addresses of the internet without special blocks.
pub(crate) fn internet(family: Family) -> Set {
    match family {
        Family::V4 => Set::range(0, family.max_address()).minus(&blocks(SPECIAL_V4)),
        Family::V6 => blocks(&["2000::/3"]).minus(&blocks(SPECIAL_V6)),
    }
}

/// Link-local IPv6 (`fe80::/10`).
pub(crate) fn is_link_local(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V6(a) if a.is_unicast_link_local())
}

/// Addresses of a network that hosts can have: IPv4 networks lose their first and last one, IPv6 networks their first,
/// which every router of them has (RFC 4291 2.6.1).
pub(crate) fn hosts(net: IpNet) -> Set {
    let (lo, hi) = prefix_range(net);
    match net {
        IpNet::V4(n) if n.prefix_len() < 31 => Set::range(lo + 1, hi - 1),
        IpNet::V6(n) if n.prefix_len() < 127 => Set::range(lo + 1, hi),
        _ => Set::range(lo, hi),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_internet_has_no_private_and_no_special_addresses() {
        let v4 = internet(Family::V4);
        for (ip, inside) in [
            ("1.0.0.0", true),
            ("8.8.8.8", true),
            ("223.255.255.255", true),
            ("10.1.2.3", false),
            ("192.168.1.1", false),
            ("100.64.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("0.1.2.3", false),
        ] {
            assert_eq!(v4.contains(address_value(ip.parse().expect("ip"))), inside, "{ip}");
        }
        let v6 = internet(Family::V6);
        assert!(v6.contains(address_value("2a00::1".parse().expect("ip"))));
        assert!(!v6.contains(address_value("fd00::1".parse().expect("ip"))));
    }
}
