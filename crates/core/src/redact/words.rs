//! Words that stay: what a language defines. Each dialect has its list, and so have the manifest and products.
//!
//! A word of one list stays in files of every kind, for a name stands in several of them and must be the same in all.

use crate::dialect::DIALECTS;
use crate::manifest;
use crate::profile::{self, PROFILES};
use rustc_hash::FxHashSet;
use std::sync::LazyLock;

/// How the kernel and the system begin names of devices; a number follows (udev's `net_id`, drivers of Linux and FreeBSD).
pub(super) const DEVICES: &[&str] = &[
    "ae",
    "axe",
    "bce",
    "bge",
    "bnxt",
    "bond",
    "br",
    "bridge",
    "cxgb",
    "cxl",
    "dummy",
    "em",
    "enc",
    "eno",
    "ens",
    "epair",
    "eth",
    "gif",
    "gre",
    "hn",
    "ice",
    "igb",
    "igc",
    "ipsec",
    "ix",
    "ixgbe",
    "ixl",
    "ixv",
    "lagg",
    "lan",
    "lo",
    "lxcbr",
    "mce",
    "mlxen",
    "msk",
    "mvneta",
    "nebula",
    "nfe",
    "oce",
    "opt",
    "ovpn",
    "ovpnc",
    "ovpns",
    "pflog",
    "pfsync",
    "ppp",
    "pppoe",
    "re",
    "rl",
    "sis",
    "sk",
    "tailscale",
    "tap",
    "team",
    "tun",
    "usb",
    "ue",
    "vio",
    "virbr",
    "vlan",
    "vmbr",
    "vmnet",
    "vmx",
    "vr",
    "vtnet",
    "vxlan",
    "wan",
    "wg",
    "wlan",
    "wwan",
    "xenbr",
    "xl",
    "xn",
];

/// How names begin by which a program or a system knows what is its own. Longer ones stand first.
pub(super) const OWNERS: &[&str] = &[
    "DOCKER-", "LIBVIRT_", "__chain", "f2b-", "ufw6-", "ufw-", "nat_", "ovpns", "ovpnc", "ovpn", "ipsec", "pppoe",
    "ppp",
];

/// How names end that pfSense makes of an interface's: gateways of its line, and the table of its networks.
pub(super) const GATEWAYS: &[&str] = &[
    "_DHCP",
    "_DHCP6",
    "_PPPOE",
    "_PPP",
    "_PPTP",
    "_L2TP",
    "_SLAAC",
    "_6RD",
    "_6TO4",
    "_TRACK6",
    "_VPNV4",
    "_VPNV6",
    "_VTIV4",
    "_VTIV6",
    "_TUNNELV4",
    "_TUNNELV6",
    "_TUNNELv4",
    "_TUNNELv6",
    "__NETWORK",
];

/// Names that programs give, which no grammar has.
const NAMES: &str = "\
    _default anti-lockout addr-set-sshd docker docker-user docker_user dockerd firewalld forward fw4 input libvirt_network ufw \
    output docker-bridge docker-internal docker-ct docker-forward webconfiguratorlockout sshlockout lan wan opt cni \
    postrouting prerouting nftables iptables callpath callpath.toml config.xml www-data systemd-network systemd-resolve";

/// Units of time and size behind a number.
pub(super) const UNITS: &[&str] =
    &["d", "h", "m", "s", "ms", "us", "bytes", "kbytes", "mbytes", "gbytes", "b", "kb", "mb", "gb"];

/// Words of products: names in manifests, and of the aliases that their documents have.
fn of_products() -> impl Iterator<Item = String> {
    PROFILES.iter().filter_map(|(_, text)| profile::parse(text).ok()).flat_map(|p| {
        let modes = p.mode.into_iter().flat_map(|m| m.also.into_iter().chain([m.name]));
        let parameters = p.parameter.into_iter().map(|p| p.name);
        let features = p.feature.into_iter().map(|f| f.name);
        let rows = p.row.into_iter().map(|r| r.id);
        modes.chain(parameters).chain(features).chain(rows).chain(p.alias).chain([p.name])
    })
}

/// Every word in small letters.
static WORDS: LazyLock<FxHashSet<String>> = LazyLock::new(|| {
    let own = DIALECTS.iter().map(|d| d.vocabulary());
    let lists = own.chain([manifest::WORDS, NAMES]).flat_map(|list| list.split_ascii_whitespace()).map(str::to_owned);
    lists.chain(of_products().map(|w| w.to_lowercase())).collect()
});

/// Is it a word of a language, or a name that the system gives to a device?
pub(super) fn is_known(word: &str) -> bool {
    if word.len() == 1 {
        return word.is_ascii();
    }
    let known = |w: &str| WORDS.contains(w) || is_device(w);
    if word.bytes().any(|b| b.is_ascii_uppercase()) { known(&word.to_ascii_lowercase()) } else { known(word) }
}

/// `eth0`, `igc1.100`, `enp3s0f1`, `wanip`, `opt12ip`.
fn is_device(word: &str) -> bool {
    let (device, vlan) = word.split_once('.').unwrap_or((word, ""));
    if vlan.len() > 4 || !vlan.bytes().all(|b| b.is_ascii_digit()) || word.ends_with('.') {
        return false;
    }
    let letters = device.bytes().take_while(u8::is_ascii_lowercase).count();
    let (begins, rest) = device.split_at(letters);
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (number, rest) = rest.split_at(digits);
    let small = digits > 0 && digits <= 5 && (digits < 2 || !number.starts_with('0'));
    match (begins, rest) {
        ("enp" | "wlp", rest) => {
            small
                && !rest.is_empty()
                && rest
                    .split(char::is_alphabetic)
                    .skip(1)
                    .all(|n| (1..=3).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
                && rest.bytes().all(|b| b.is_ascii_digit() || b"sfdn".contains(&b))
        }
        ("opt", "ip") => small,
        (begins, "") => small && DEVICES.contains(&begins),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn devices_are_known_by_their_number() {
        for word in ["eth0", "igc1.100", "enp3s0f1", "wlp2s0", "opt12ip", "wg0", "WAN", "ovpns12", "br0", "LAN0"] {
            assert!(is_known(word), "{word}");
        }
        for word in [
            "eth",
            "wg-office",
            "enx001122334455",
            "br-4711canary",
            "anna",
            "eth0.",
            "eth0.anna",
            "enpanna",
            "lan4711471",
        ] {
            assert!(!is_known(word), "{word}");
        }
    }
}
