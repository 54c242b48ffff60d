//! Addresses: a map that keeps common prefixes, and with them subnets (Crypto-PAn: Xu, Fan, Ammar and Moon, 2002).
//!
//! Bit by bit: whether a bit is turned depends on the bits before it and on the key, so two addresses that share their
//! first bits share as many afterwards. Where a block must stay a block (private addresses, a written range), no bit on
//! the way to its ends is turned.

use super::key::{Key, Use};
use rustc_hash::{FxHashMap, FxHashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

/// Blocks with a meaning of their own. The way to each stays, so it maps onto itself and everything else stays outside.
const CLASSES: &[(&str, u8)] = &[
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
    ("224.0.0.0", 24),
    ("239.0.0.0", 8),
    ("240.0.0.0", 4),
    ("::", 64),
    ("::ffff:0.0.0.0", 96),
    ("64:ff9b::", 96),
    ("64:ff9b:1::", 48),
    ("2001::", 23),
    ("2001:db8::", 32),
    ("2002::", 16),
    ("2000::", 3),
    ("fc00::", 7),
    ("fd00::", 8),
    ("fe80::", 64),
    ("fec0::", 10),
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
    ("224.0.0.0", 24),
    ("240.0.0.0", 4),
    ("::", 127),
];

/// Blocks of IPv6 with an IPv4 address in them, and where it begins: NAT64 (RFC 6052), mapped (RFC 4291), 6to4 (RFC 3056).
const EMBEDDED: &[(&str, u8, u8)] =
    &[("64:ff9b::", 96, 96), ("64:ff9b:1::", 48, 96), ("::ffff:0.0.0.0", 96, 96), ("2002::", 16, 16)];

fn parsed(list: &[(&str, u8)]) -> Vec<(IpAddr, u8)> {
    list.iter().filter_map(|(block, bits)| Some((block.parse().ok()?, *bits))).collect()
}

/// The map of one run.
#[derive(Debug)]
pub(super) struct Addresses {
    key: Key,
    /// Bits that stay: what stands before them (from the left) and how many bits that is.
    stay: FxHashSet<(bool, u8, u128)>,
    known: FxHashMap<(IpAddr, u8), IpAddr>,
    /// Every IPv4 address so far, for those that are written as one number.
    seen: FxHashSet<Ipv4Addr>,
}

impl Addresses {
    pub fn new(key: Key) -> Self {
        let mut new = Self { key, stay: FxHashSet::default(), known: FxHashMap::default(), seen: FxHashSet::default() };
        for (block, bits) in parsed(CLASSES) {
            (0..bits).for_each(|depth| new.keep(block, depth));
        }
        new
    }

    /// An address's pseudonym.
    pub fn address(&mut self, ip: IpAddr) -> IpAddr {
        self.network(ip, length(ip))
    }

    /// A network's pseudonym; the bits behind its length must be zero.
    pub fn network(&mut self, ip: IpAddr, bits: u8) -> IpAddr {
        if constant(ip) {
            return ip;
        }
        if let Some(new) = self.known.get(&(ip, bits)) {
            return *new;
        }
        let new = match ip {
            IpAddr::V4(_) => {
                let turned = self.turned(ip, bits);
                IpAddr::V4(Ipv4Addr::from(u32::try_from(turned >> 96).unwrap_or(0)))
            }
            IpAddr::V6(v6) => match embedded(v6) {
                Some(at) => {
                    let inner = Ipv4Addr::from(u32::try_from(u128::from(v6) >> (96 - at) & 0xffff_ffff).unwrap_or(0));
                    let inside = bits.saturating_sub(at).min(32);
                    let inner = match self.network(IpAddr::V4(inner), inside) {
                        IpAddr::V4(new) => u128::from(u32::from(new)),
                        IpAddr::V6(_) => 0,
                    };
                    let mask = 0xffff_ffff_u128 << (96 - at);
                    IpAddr::V6(Ipv6Addr::from(self.turned(ip, bits) & !mask | inner << (96 - at)))
                }
                None => IpAddr::V6(Ipv6Addr::from(self.turned(ip, bits))),
            },
        };
        self.known.insert((ip, bits), new);
        new
    }

    /// Remembers an address that is written as such.
    pub fn see(&mut self, ip: IpAddr) {
        if let IpAddr::V4(ip) = ip
            && !constant(IpAddr::V4(ip))
        {
            self.seen.insert(ip);
        }
    }

    /// The number of an address that is written as such elsewhere, in either order of its bytes; nothing for another.
    pub fn written_as_number(&mut self, number: u32) -> Option<u32> {
        // Ports, lengths and times are smaller.
        if number <= 0xff_ffff {
            return None;
        }
        let orders: [fn(u32) -> u32; 2] = [|n| n, u32::swap_bytes];
        orders.into_iter().find_map(|order| {
            let ip = Ipv4Addr::from(order(number));
            self.seen.contains(&ip).then(|| order(self.number(u32::from(ip))))
        })
    }

    /// The pseudonym of an IPv4 address as a number.
    pub fn number(&mut self, number: u32) -> u32 {
        match self.address(IpAddr::V4(Ipv4Addr::from(number))) {
            IpAddr::V4(new) => u32::from(new),
            IpAddr::V6(_) => number,
        }
    }

    /// The first and the last address of a network stay its first and its last: no host becomes one of them.
    pub fn edges(&mut self, ip: IpAddr, bits: u8) {
        if bits > 0 && bits + 1 < length(ip) {
            let (first, rest) = (before(ip, bits), u128::MAX >> bits);
            let last = if ip.is_ipv4() { first | rest & !0 << 96 } else { first | rest };
            for depth in bits..length(ip) {
                for edge in [first, last] {
                    self.stay.insert((ip.is_ipv4(), depth, edge & mask(depth)));
                }
            }
        }
    }

    /// Everything from one address to another stays a range: below what both share, neither is turned.
    pub fn range(&mut self, from: IpAddr, to: IpAddr) {
        if from.is_ipv4() == to.is_ipv4() {
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

    fn turned(&self, ip: IpAddr, bits: u8) -> u128 {
        let value = left(ip);
        let mut out = value;
        for depth in 0..bits {
            let shown = value & mask(depth);
            if self.stay.contains(&(ip.is_ipv4(), depth, shown)) {
                continue;
            }
            let (of, shown) = match ip {
                IpAddr::V4(_) => (Use::Bit4, shown),
                IpAddr::V6(_) if depth < 64 => (Use::Bit6, shown),
                // The same identifier is the same behind every prefix: a firewall may complete it.
                IpAddr::V6(_) => (Use::Identifier, shown << 64),
            };
            // Zeros that begin an identifier stay: people number their hosts.
            if of == Use::Identifier && shown == 0 {
                continue;
            }
            let mut original = [0; 17];
            original[0] = depth;
            original[1..].copy_from_slice(&shown.to_be_bytes());
            if self.key.number(of, &original) & 1 == 1 {
                out ^= 1 << (127 - depth);
            }
        }
        out
    }
}

/// Where an IPv4 address begins in this one.
fn embedded(ip: Ipv6Addr) -> Option<u8> {
    let (block, inner) = (|b: &str| b.parse::<Ipv6Addr>().map_or(0, u128::from), u128::from(ip));
    EMBEDDED.iter().find(|(b, bits, _)| (block(b) ^ inner) & mask(*bits) == 0).map(|(.., at)| *at)
}

/// Does this address mean the same everywhere?
pub(super) fn constant(ip: IpAddr) -> bool {
    static BLOCKS: LazyLock<Vec<(IpAddr, u8)>> = LazyLock::new(|| parsed(CONSTANT));
    let within = |(block, bits): &(IpAddr, u8)| block.is_ipv4() == ip.is_ipv4() && before(ip, *bits) == left(*block);
    BLOCKS.iter().any(within) || matches!(ip, IpAddr::V6(ip) if ip.segments()[0] & 0xfff0 == 0xff00)
}

pub(crate) fn length(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { 32 } else { 128 }
}

/// The address with its first bit at the left end.
fn left(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(u32::from(ip)) << 96,
        IpAddr::V6(ip) => u128::from(ip),
    }
}

/// As many bits at the left end.
fn mask(bits: u8) -> u128 {
    if bits == 0 { 0 } else { u128::MAX << (128 - bits) }
}

/// The first bits alone, at the left end.
fn before(ip: IpAddr, bits: u8) -> u128 {
    left(ip) & mask(bits)
}

/// The address with nothing behind its first bits.
pub(super) fn is_network(ip: IpAddr, bits: u8) -> bool {
    bits <= length(ip) && before(ip, bits) == left(ip)
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
            "239.1.2.3",
            "2001:db8:1::50",
            "2a01:4f8::1",
            "fd12:3456::1",
            "fe80::aaff:fe01:203",
            "86.1.2.3",
        ];
        let mut turned = vec![0; list.len()];
        for key in 0..20 {
            let mut map = Addresses::new(Key::new([key; 16]));
            map.range(ip("10.7.0.5"), ip("10.7.3.9"));
            map.edges(ip("10.1.2.3"), 24);
            let new: Vec<IpAddr> = list.iter().map(|a| map.address(ip(a))).collect();
            for (i, a) in list.iter().enumerate() {
                turned[i] += usize::from(ip(a) != new[i]);
                for (j, b) in list.iter().enumerate() {
                    if ip(a).is_ipv4() == ip(b).is_ipv4() {
                        let shared = |a: IpAddr, b: IpAddr| (left(a) ^ left(b)).leading_zeros();
                        assert_eq!(shared(ip(a), ip(b)), shared(new[i], new[j]), "{a} {b}");
                    }
                }
                for (block, bits) in CLASSES {
                    let within =
                        |a: IpAddr| a.is_ipv4() == ip(block).is_ipv4() && before(a, *bits) == before(ip(block), *bits);
                    assert_eq!(within(ip(a)), within(new[i]), "{a} {} {block}/{bits}", new[i]);
                }
            }
            let size = |a: IpAddr, b: IpAddr| (left(b) >> 96) - (left(a) >> 96);
            let (from, to) = (map.address(ip("10.7.0.5")), map.address(ip("10.7.3.9")));
            assert_eq!(size(from, to), size(ip("10.7.0.5"), ip("10.7.3.9")));
            for a in ["0.0.0.0", "127.0.0.1", "255.255.255.0", "224.0.0.18", "::1", "::", "203.0.113.5", "ff02::1"] {
                assert_eq!(map.address(ip(a)), ip(a));
            }
            assert_eq!(map.network(ip("10.0.0.0"), 8), ip("10.0.0.0"));
            // The ends of a network of an interface stay its ends.
            let net = map.network(ip("10.1.2.0"), 24);
            assert_eq!(map.address(ip("10.1.2.0")), net);
            assert_eq!(left(map.address(ip("10.1.2.255"))), left(net) | 255 << 96);
        }
        assert!(turned.iter().all(|times| *times > 10), "{turned:?}");
    }

    #[test]
    fn an_address_in_another_has_its_own_pseudonym() {
        let mut map = Addresses::new(Key::new([7; 16]));
        let IpAddr::V4(new) = map.address(ip("81.2.69.160")) else { panic!("IPv4") };
        for (before, bits) in [("64:ff9b::", 96), ("::ffff:", 96)] {
            let got = map.address(ip(&format!("{before}81.2.69.160")));
            assert_eq!(got, ip(&format!("{before}{new}")));
            let net = map.network(ip(&format!("{before}81.2.0.0")), bits + 16);
            assert!(is_network(net, bits + 16), "{net}");
        }
        let [a, b, c, d] = new.octets();
        let IpAddr::V6(tunnel) = map.address(ip("2002:5102:45a0::1")) else { panic!("IPv6") };
        assert_eq!(tunnel.octets()[..6], [0x20, 0x02, a, b, c, d]);
        map.see(ip("81.2.69.160"));
        let number = u32::from(Ipv4Addr::new(81, 2, 69, 160));
        assert_eq!(map.written_as_number(number), Some(u32::from(new)));
        assert_eq!(map.written_as_number(number.swap_bytes()), Some(u32::from(new).swap_bytes()));
        map.see(ip("10.0.0.0"));
        assert_eq!((map.written_as_number(7), map.written_as_number(10)), (None, None));
    }

    #[test]
    fn an_identifier_is_the_same_behind_every_prefix() {
        let mut map = Addresses::new(Key::new([9; 16]));
        let end = |a: IpAddr| left(a) & u128::from(u64::MAX);
        let alone = map.address(ip("::211:22ff:fe33:4455"));
        assert_eq!(left(alone) >> 64, 0);
        assert_eq!(end(map.address(ip("2a01:4f8:1:2:211:22ff:fe33:4455"))), end(alone));
    }
}
