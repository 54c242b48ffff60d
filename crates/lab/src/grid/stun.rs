//! As much of STUN (RFC 8489) as a caller needs to learn its outer address, and a server to tell it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const COOKIE: u32 = 0x2112_a442;
const REQUEST: u16 = 0x0001;
const ANSWER: u16 = 0x0101;
const REFUSAL: u16 = 0x0111;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// Port of STUN servers.
pub const PORT: u16 = 3478;

/// How long an answer is waited for, and how often it is asked.
const PATIENCE: Duration = Duration::from_millis(250);
const ATTEMPTS: usize = 3;

/// A transaction.
pub type Id = [u8; 12];

/// What a datagram of STUN is.
#[derive(Debug, PartialEq, Eq)]
pub enum Kind {
    /// Somebody asks.
    Request(Id),
    /// Somebody answers, well or with an error.
    Answer(Id),
}

fn two(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Looks at a datagram; none: it is something else.
pub fn kind(datagram: &[u8]) -> Option<Kind> {
    let id: Id = datagram.get(8..20)?.try_into().ok()?;
    if datagram[4..8] != COOKIE.to_be_bytes() {
        return None;
    }
    match two(datagram, 0)? {
        REQUEST => Some(Kind::Request(id)),
        ANSWER | REFUSAL => Some(Kind::Answer(id)),
        _ => None,
    }
}

/// Answers every request until told to stop.
pub fn serve(socket: &UdpSocket, stop: &AtomicBool) {
    let mut datagram = [0; 1500];
    // Without a limit it would not notice the end.
    let _ = socket.set_read_timeout(Some(Duration::from_millis(50)));
    while !stop.load(Ordering::Relaxed) {
        let Ok((length, SocketAddr::V4(from))) = socket.recv_from(&mut datagram) else { continue };
        let Some(Kind::Request(id)) = kind(&datagram[..length]) else { continue };
        let mut answer = Vec::with_capacity(32);
        answer.extend(ANSWER.to_be_bytes());
        answer.extend(12_u16.to_be_bytes());
        answer.extend(COOKIE.to_be_bytes());
        answer.extend(id);
        answer.extend(XOR_MAPPED_ADDRESS.to_be_bytes());
        answer.extend(8_u16.to_be_bytes());
        answer.extend([0, 1]);
        let [high, low, ..] = COOKIE.to_be_bytes();
        answer.extend((from.port() ^ u16::from_be_bytes([high, low])).to_be_bytes());
        answer.extend((from.ip().to_bits() ^ COOKIE).to_be_bytes());
        // Who does not get it asks again.
        let _ = socket.send_to(&answer, from);
    }
}

/// The outer address of a socket; none: nobody answered.
pub fn ask(socket: &UdpSocket, server: SocketAddr) -> Option<SocketAddr> {
    let id: Id = *b"callpath-ask";
    let mut request = Vec::with_capacity(20);
    request.extend(REQUEST.to_be_bytes());
    request.extend(0_u16.to_be_bytes());
    request.extend(COOKIE.to_be_bytes());
    request.extend(id);
    socket.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut answer = [0; 1500];
    for _ in 0..ATTEMPTS {
        if socket.send_to(&request, server).is_err() {
            // A firewall of the host's own says so at once.
            continue;
        }
        let Ok((length, from)) = socket.recv_from(&mut answer) else { continue };
        if from == server && kind(&answer[..length]) == Some(Kind::Answer(id)) {
            return mapped(&answer[..length]);
        }
    }
    None
}

fn mapped(answer: &[u8]) -> Option<SocketAddr> {
    let mut at = 20;
    loop {
        let (name, length) = (two(answer, at)?, usize::from(two(answer, at + 2)?));
        if name == XOR_MAPPED_ADDRESS && length == 8 {
            let [high, low, ..] = COOKIE.to_be_bytes();
            let port = two(answer, at + 6)? ^ u16::from_be_bytes([high, low]);
            let address = u32::from_be_bytes(answer.get(at + 8..at + 12)?.try_into().ok()?) ^ COOKIE;
            return Some(SocketAddr::new(IpAddr::V4(Ipv4Addr::from_bits(address)), port));
        }
        at += 4 + length.next_multiple_of(4);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_learns_its_address() {
        let server = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let (stop, to) = (AtomicBool::new(false), server.local_addr().expect("an address"));
        std::thread::scope(|scope| {
            scope.spawn(|| serve(&server, &stop));
            assert_eq!(ask(&client, to), client.local_addr().ok());
            stop.store(true, Ordering::Relaxed);
        });
    }
}
