//! UDP and TCP packets with chosen headers, and a number by which they are known again.

use callpath_core::model::Family;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// TCP's protocol number.
pub const TCP: u8 = 6;
/// UDP's protocol number.
pub const UDP: u8 = 17;

const MAGIC: [u8; 4] = *b"cpth";

/// Addresses and ports of a packet, in [`callpath_core::model::Part`] order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tuple {
    /// Address family.
    pub family: Family,
    /// Source, destination, source port, destination port, protocol.
    pub parts: [u128; 5],
}

impl Tuple {
    /// The addressing of an answer.
    #[must_use]
    pub fn inverse(self) -> Self {
        let [src, dst, sport, dport, proto] = self.parts;
        Self { family: self.family, parts: [dst, src, dport, sport, proto] }
    }

    /// Source address.
    pub fn src(self) -> IpAddr {
        self.family.address(self.parts[0])
    }

    /// Destination address.
    pub fn dst(self) -> IpAddr {
        self.family.address(self.parts[1])
    }
}

impl std::fmt::Display for Tuple {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let proto = if self.parts[4] == u128::from(TCP) { "tcp" } else { "udp" };
        write!(f, "{proto} {} port {} to {} port {}", self.src(), self.parts[2], self.dst(), self.parts[3])
    }
}

/// Which of the three packets of a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Stage {
    /// First packet.
    Request,
    /// Its answer.
    Reply,
    /// The third packet.
    Next,
}

/// The number that a packet carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Which round trip.
    pub trip: u32,
    /// Which packet of it.
    pub stage: Stage,
}

#[allow(clippy::cast_possible_truncation)] // values were drawn within the field's width
fn port(v: u128) -> [u8; 2] {
    (v as u16).to_be_bytes()
}

fn sum(bytes: &[u8], mut total: u32) -> u32 {
    for pair in bytes.chunks(2) {
        total += u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0));
    }
    total
}

#[allow(clippy::cast_possible_truncation)] // folded to 16 bits first
fn fold(mut total: u32) -> [u8; 2] {
    while total >> 16 != 0 {
        total = (total & 0xffff) + (total >> 16);
    }
    (!(total as u16)).to_be_bytes()
}

/// The IP packet. TCP: the number is in the sequence numbers, as connection tracking wants them; UDP: in the payload.
pub fn build(tuple: Tuple, mark: Mark) -> Vec<u8> {
    let tcp = tuple.parts[4] == u128::from(TCP);
    let body = if tcp { tcp_segment(tuple, mark) } else { udp_datagram(tuple, mark) };
    let (src, dst) = (octets(tuple.src()), octets(tuple.dst()));
    let proto = if tcp { TCP } else { UDP };
    let mut pseudo = sum(&src, sum(&dst, 0));
    pseudo = pseudo + u32::from(proto) + u32::try_from(body.len()).unwrap_or(0);
    let mut body = body;
    let at = if tcp { 16 } else { 6 };
    let mut check = fold(sum(&body, pseudo));
    if !tcp && check == [0, 0] {
        check = [0xff, 0xff];
    }
    body[at..at + 2].copy_from_slice(&check);
    let mut out = header(tuple.family, &src, &dst, proto, body.len());
    out.extend_from_slice(&body);
    out
}

fn header(family: Family, src: &[u8], dst: &[u8], proto: u8, length: usize) -> Vec<u8> {
    let length = u16::try_from(length).unwrap_or(0);
    match family {
        Family::V4 => {
            let mut h = vec![0x45, 0];
            h.extend_from_slice(&(length + 20).to_be_bytes());
            h.extend_from_slice(&[0, 1, 0, 0, 64, proto, 0, 0]);
            h.extend_from_slice(src);
            h.extend_from_slice(dst);
            let check = fold(sum(&h, 0));
            h[10..12].copy_from_slice(&check);
            h
        }
        Family::V6 => {
            let mut h = vec![0x60, 0, 0, 0];
            h.extend_from_slice(&length.to_be_bytes());
            h.extend_from_slice(&[proto, 64]);
            h.extend_from_slice(src);
            h.extend_from_slice(dst);
            h
        }
    }
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    }
}

fn udp_datagram(tuple: Tuple, mark: Mark) -> Vec<u8> {
    let mut out = Vec::with_capacity(20);
    out.extend_from_slice(&port(tuple.parts[2]));
    out.extend_from_slice(&port(tuple.parts[3]));
    out.extend_from_slice(&[0, 20, 0, 0]);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&mark.trip.to_be_bytes());
    out.extend_from_slice(&[mark.stage as u8, 0, 0, 0]);
    out
}

/// Sequence numbers: request `8n`, answer `8n + 4` acknowledging `8n + 1`, third packet `8n + 1` acknowledging `8n + 5`.
fn tcp_segment(tuple: Tuple, mark: Mark) -> Vec<u8> {
    let base = mark.trip.wrapping_mul(8);
    let (seq, ack, flags) = match mark.stage {
        Stage::Request => (base, 0, 0x02),
        Stage::Reply => (base + 4, base + 1, 0x12),
        Stage::Next => (base + 1, base + 5, 0x10),
    };
    let mut out = Vec::with_capacity(20);
    out.extend_from_slice(&port(tuple.parts[2]));
    out.extend_from_slice(&port(tuple.parts[3]));
    out.extend_from_slice(&seq.to_be_bytes());
    out.extend_from_slice(&ack.to_be_bytes());
    out.extend_from_slice(&[0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    out
}

/// Reads a packet that [`build`] made, whatever was translated on the way.
pub fn parse(ip: &[u8]) -> Option<(Tuple, Mark)> {
    let (family, proto, src, dst, body) = match ip.first()? >> 4 {
        4 => {
            let src: [u8; 4] = ip.get(12..16)?.try_into().ok()?;
            let dst: [u8; 4] = ip.get(16..20)?.try_into().ok()?;
            (Family::V4, ip[9], IpAddr::from(Ipv4Addr::from(src)), IpAddr::from(Ipv4Addr::from(dst)), ip.get(20..)?)
        }
        6 => {
            let src: [u8; 16] = ip.get(8..24)?.try_into().ok()?;
            let dst: [u8; 16] = ip.get(24..40)?.try_into().ok()?;
            (Family::V6, ip[6], IpAddr::from(Ipv6Addr::from(src)), IpAddr::from(Ipv6Addr::from(dst)), ip.get(40..)?)
        }
        _ => return None,
    };
    transport(family, proto, src, dst, body)
}

/// The same without IP header, as IPv6 raw sockets deliver it.
pub fn transport(family: Family, proto: u8, src: IpAddr, dst: IpAddr, body: &[u8]) -> Option<(Tuple, Mark)> {
    let number = |i: usize| body.get(i..i + 2).map(|b| u128::from(u16::from_be_bytes([b[0], b[1]])));
    let long = |i: usize| body.get(i..i + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    let parts = [
        callpath_core::model::address_value(src),
        callpath_core::model::address_value(dst),
        number(0)?,
        number(2)?,
        u128::from(proto),
    ];
    let mark = match proto {
        UDP if body.get(8..12)? == MAGIC => {
            let stage = match body.get(16)? {
                0 => Stage::Request,
                1 => Stage::Reply,
                _ => Stage::Next,
            };
            Mark { trip: long(12)?, stage }
        }
        TCP => {
            let seq = long(4)?;
            match (body.get(13)? & 0x17, seq % 8) {
                (0x02, 0) => Mark { trip: seq / 8, stage: Stage::Request },
                (0x12, 4) => Mark { trip: seq / 8, stage: Stage::Reply },
                (0x10, 1) => Mark { trip: seq / 8, stage: Stage::Next },
                _ => return None,
            }
        }
        _ => return None,
    };
    Some((Tuple { family, parts }, mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_read_back() {
        for (family, proto) in [(Family::V4, 6), (Family::V4, 17), (Family::V6, 6), (Family::V6, 17)] {
            for stage in [Stage::Request, Stage::Reply, Stage::Next] {
                let tuple = Tuple { family, parts: [0x0808_0404, 0xc0a8_0132, 1234, 50000, proto] };
                let mark = Mark { trip: 77, stage };
                assert_eq!(parse(&build(tuple, mark)), Some((tuple, mark)));
            }
        }
    }
}
