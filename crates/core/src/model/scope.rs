//! Which addresses the internet can reach.

use ipnet::IpNet;
use std::net::IpAddr;

/// Addresses that are not reached from the internet: RFC 1918, RFC 6598, link-local, RFC 7335.
const PRIVATE_V4: &[&str] =
    &["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.168.0.0/16"];

/// An address that a provider shares between customers (RFC 6598).
pub fn is_shared(ip: IpAddr) -> bool {
    matches!(ip, IpAddr::V4(a) if a.octets()[0] == 100 && a.octets()[1] & 0xc0 == 64)
}

/// Can the internet reach this address as it is? Documentation blocks count as if they could: examples use them.
pub fn is_public(ip: IpAddr) -> bool {
    let among = |list: &[&str]| list.iter().filter_map(|s| s.parse::<IpNet>().ok()).any(|n| n.contains(&ip));
    match ip {
        IpAddr::V4(_) => !among(PRIVATE_V4) && !ip.is_loopback() && !ip.is_multicast(),
        IpAddr::V6(_) => among(&["2000::/3"]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_addresses_count_as_public_in_examples() {
        for (ip, public) in [
            ("203.0.113.5", true),
            ("192.168.1.1", false),
            ("100.64.1.1", false),
            ("2001:db8::1", true),
            ("fd00::1", false),
        ] {
            assert_eq!(is_public(ip.parse().expect("ip")), public, "{ip}");
        }
    }
}
