//! Addresses: a map that keeps common prefixes, and with them subnets.
//!
//! Bit by bit: whether a bit is turned depends on the bits before it, so two addresses that share their first bits share
//! as many afterwards. Where a block must stay a block (private addresses, a written range), no bit on the way is turned.

use rustc_hash::{FxHashMap, FxHashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Blocks with a meaning of their own. The way to each stays, so it maps onto itself and everything else stays outside.
const KEPT: &[(&str, u8)] = &[
    ("0.0.0.0", 8),
    ("10.0.0.0", 8),
    ("100.64.0.0", 10),
    ("127.0.0.0", 8),
    ("169.254.0.0", 16),
    ("172.16.0.0", 12),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.88.99.0", 24),
    ("192.168.0.0", 16),
    ("198.18.0.0", 15),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 3),
    ("::", 96),
    ("64:ff9b::", 96),
    ("64:ff9b:1::", 48),
    ("2001::", 23),
    ("2001:db8::", 32),
    ("2002::", 16),
    ("2000::", 3),
    ("fc00::", 7),
    ("fd00::", 8),
    ("fe80::", 64),
    ("ff00::", 8),
];

/// Blocks in which nothing is hidden: they belong to nobody, or to everybody.
const CONSTANT: &[(&str, u8)] = &[
    ("0.0.0.0", 8),
    ("127.0.0.0", 8),
    ("192.0.0.0", 24),
    ("192.0.2.0", 24),
    ("192.88.99.0", 24),
    ("198.51.100.0", 24),
    ("203.0.113.0", 24),
    ("224.0.0.0", 3),
    ("::", 96),
    ("64:ff9b::", 96),
    ("64:ff9b:1::", 48),
    ("fe80::", 112),
    ("ff00::", 8),
];

/// The map for one snapshot.
#[derive(Default)]
pub(super) struct Addresses {
    /// Addresses and networks of the snapshot, with their length.
    seen: FxHashSet<(IpAddr, u8)>,
    /// Bits that stay: what stands before them (from the left) and how many bits that is.
    stay: FxHashSet<(bool, u8, u128)>,
    /// What decides about the other bits; nothing yet while the texts are looked through.
    key: Option<u64>,
}

impl Addresses {
    /// An address's pseudonym.
    pub fn address(&mut self, ip: IpAddr) -> IpAddr {
        self.network(ip, length(ip))
    }

    /// A network's pseudonym; the bits behind its length must be zero.
    pub fn network(&mut self, ip: IpAddr, bits: u8) -> IpAddr {
        if constant(ip) {
            return ip;
        }
        match self.key {
            None => {
                self.seen.insert((ip, bits));
                ip
            }
            Some(key) => self.turned(ip, bits, key),
        }
    }

    /// Everything from one address to another stays a range: below what both share, neither is turned.
    pub fn range(&mut self, from: IpAddr, to: IpAddr) {
        if from.is_ipv4() == to.is_ipv4() && self.key.is_none() {
            let shared = u8::try_from((left(from) ^ left(to)).leading_zeros()).unwrap_or(128);
            for depth in shared..length(from) {
                self.keep(from, depth);
                self.keep(to, depth);
            }
        }
    }

    fn keep(&mut self, ip: IpAddr, depth: u8) {
        self.stay.insert((ip.is_ipv4(), depth, before(ip, depth)));
    }

    /// Settles the map: of many, one under which no pseudonym is one of the addresses themselves, or the best of them.
    pub fn settle(&mut self, texts: u64) {
        for (block, bits) in KEPT {
            if let Ok(block) = block.parse() {
                (0..*bits).for_each(|depth| self.keep(block, depth));
            }
        }
        let tries = if self.seen.len() > 2_000 { 8 } else { 400 };
        let clashes = |key: u64| {
            let same = |(ip, bits): &&(IpAddr, u8)| {
                let new = self.turned(*ip, *bits, key);
                self.seen.contains(&(new, *bits)) || new == *ip
            };
            self.seen.iter().filter(same).count()
        };
        let keys = (0..tries).map(|n| hash(&(texts, n)));
        let mut best = (usize::MAX, 0);
        for key in keys {
            let found = clashes(key);
            if found < best.0 {
                best = (found, key);
            }
            if found == 0 {
                break;
            }
        }
        self.key = Some(best.1);
    }

    fn turned(&self, ip: IpAddr, bits: u8, key: u64) -> IpAddr {
        let value = left(ip);
        let mut out = value;
        for depth in 0..bits {
            let shown = before(ip, depth);
            // Host parts that say nothing stay: the last octet, and zeros at the start of an interface identifier.
            let host = match ip {
                IpAddr::V4(_) => depth >= 24,
                IpAddr::V6(_) => depth >= 64 && shown << 64 < 1 << 80,
            };
            let stays = host || self.stay.contains(&(ip.is_ipv4(), depth, shown));
            if !stays && hash(&(key, ip.is_ipv4(), depth, shown)) & 1 == 1 {
                out ^= 1 << (127 - depth);
            }
        }
        match ip {
            IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from(u32::try_from(out >> 96).unwrap_or(0))),
            IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from(out)),
        }
    }
}

/// Hardware addresses in order of appearance.
#[derive(Default)]
pub(super) struct Hardware(FxHashMap<String, usize>);

impl Hardware {
    /// A pseudonym: locally administered. Those that mean nobody or everybody stay.
    pub fn address(&mut self, text: &str) -> String {
        let text = text.to_ascii_lowercase();
        if ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"].contains(&text.as_str()) {
            return text;
        }
        let next = self.0.len() + 1;
        let [.., a, b] = self.0.entry(text).or_insert(next).to_be_bytes();
        format!("02:00:00:00:{a:02x}:{b:02x}")
    }
}

/// Does this address mean the same everywhere?
pub(super) fn constant(ip: IpAddr) -> bool {
    CONSTANT.iter().any(|(block, bits)| {
        let block: Result<IpAddr, _> = block.parse();
        block.is_ok_and(|b| b.is_ipv4() == ip.is_ipv4() && before(b, *bits) == before(ip, *bits))
    })
}

fn length(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// The address with its first bit at the left end.
fn left(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// The first bits alone, at the left end.
fn before(ip: IpAddr, bits: u8) -> u128 {
    if bits == 0 { 0 } else { left(ip) & (u128::MAX << (128 - bits)) }
}

/// The address with nothing behind its first bits.
pub(super) fn is_network(ip: IpAddr, bits: u8) -> bool {
    bits <= length(ip) && before(ip, bits) == left(ip)
}

/// The last address of a network.
pub(super) fn broadcast(ip: Ipv4Addr, bits: u8) -> Ipv4Addr {
    Ipv4Addr::from(u32::from(ip) | u32::MAX.checked_shr(u32::from(bits)).unwrap_or(0))
}

/// A number from anything. The same program gives the same on every machine; one built with another version of Rust may
/// not, as the standard library's hasher is not promised. A plainer one of our own would let whoever knows a few of the
/// originals work out the rest.
pub(super) fn hash(of: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn prefixes_classes_and_ranges_stay() {
        let list = [
            "192.168.1.1",
            "192.168.1.77",
            "192.168.9.1",
            "10.1.2.3",
            "10.1.9.9",
            "8.8.8.8",
            "8.8.4.4",
            "100.65.1.1",
            "172.20.1.1",
            "2001:db8:1::50",
            "2a01:4f8::1",
            "fd12:3456::1",
            "fe80::aaff:fe01:203",
            "86.1.2.3",
        ];
        let mut map = Addresses::default();
        for a in list {
            map.address(ip(a));
        }
        map.range(ip("10.7.0.5"), ip("10.7.3.9"));
        map.settle(7);
        let new: Vec<IpAddr> = list.iter().map(|a| map.address(ip(a))).collect();
        for (i, a) in list.iter().enumerate() {
            assert_ne!(ip(a), new[i]);
            for (j, b) in list.iter().enumerate() {
                if ip(a).is_ipv4() == ip(b).is_ipv4() {
                    assert_eq!(
                        (left(ip(a)) ^ left(ip(b))).leading_zeros(),
                        (left(new[i]) ^ left(new[j])).leading_zeros()
                    );
                }
            }
            for (block, bits) in KEPT {
                let within =
                    |a: IpAddr| a.is_ipv4() == ip(block).is_ipv4() && before(a, *bits) == before(ip(block), *bits);
                assert_eq!(within(ip(a)), within(new[i]), "{a} {} {block}/{bits}", new[i]);
            }
        }
        let size = |a: IpAddr, b: IpAddr| (left(b) >> 96) - (left(a) >> 96);
        let (from, to) = (map.address(ip("10.7.0.5")), map.address(ip("10.7.3.9")));
        assert_eq!(size(from, to), size(ip("10.7.0.5"), ip("10.7.3.9")));
        for a in ["0.0.0.0", "127.0.0.1", "255.255.255.0", "224.0.0.18", "::1", "::", "203.0.113.5"] {
            assert_eq!(map.address(ip(a)), ip(a));
        }
        assert_eq!(map.network(ip("10.0.0.0"), 8), ip("10.0.0.0"));
    }
}
