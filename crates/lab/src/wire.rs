//! Raw sockets: the hosts' side of every segment, and the inside of every router.

use crate::namespace::{Failure, Namespace};
use crate::packet::{Mark, Tuple, parse, transport};
use crate::topology::group_of;
use callpath_core::model::Family;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, SockaddrIn6, recv,
    recvmsg, send, sendto, setsockopt, socket, sockopt,
};
use std::io::IoSliceMut;
use std::net::{IpAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Where a packet came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// On a segment, for this group of hosts (index among the topology's hosts).
    Hosts(usize),
    /// Delivered to this router.
    Router(usize),
}

/// A packet that came out somewhere.
#[derive(Debug, Clone, Copy)]
pub struct Seen {
    /// Where.
    pub place: Place,
    /// Its header there.
    pub tuple: Tuple,
    /// Which packet it is.
    pub mark: Mark,
}

const BUFFER: usize = 32 << 20;

fn failed(what: &str) -> impl Fn(nix::Error) -> Failure + '_ {
    move |e| format!("{what}: {e}")
}

/// The wire end of a segment.
#[derive(Debug)]
pub struct Segment(OwnedFd);

impl Segment {
    /// Opens an interface of this thread's namespace.
    ///
    /// # Errors
    /// When the kernel refuses (`CAP_NET_RAW`).
    pub fn open(name: &str) -> Result<Self, Failure> {
        let index = nix::net::if_::if_nametoindex(name).map_err(failed("a segment is missing"))?;
        let every_protocol = u16::try_from(libc::ETH_P_ALL).unwrap_or(3).to_be();
        // SAFETY: a plain system call; nix has no address type for packet sockets that can be made from an index.
        let fd =
            unsafe { libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_NONBLOCK, i32::from(every_protocol)) };
        if fd < 0 {
            return Err(format!("packets cannot be captured here: {}", std::io::Error::last_os_error()));
        }
        // SAFETY: the descriptor was just made and nobody else owns it.
        let owned = unsafe { OwnedFd::from_raw_fd(fd) };
        // SAFETY: an all-zero `sockaddr_ll` is valid; its fields are set below.
        let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
        address.sll_family = u16::try_from(libc::AF_PACKET).unwrap_or(17);
        address.sll_protocol = every_protocol;
        address.sll_ifindex = i32::try_from(index).unwrap_or(0);
        let length = u32::try_from(size_of::<libc::sockaddr_ll>()).unwrap_or(0);
        // SAFETY: address and length describe a live `sockaddr_ll`.
        let bound = unsafe { libc::bind(fd, (&raw const address).cast(), length) };
        if bound < 0 {
            return Err(format!("{name} cannot be opened: {}", std::io::Error::last_os_error()));
        }
        // Without privilege over the limit the default buffer has to do.
        let _ = setsockopt(&owned, sockopt::RcvBufForce, &BUFFER);
        Ok(Self(owned))
    }

    /// Sends an IP packet to a hardware address.
    ///
    /// # Errors
    /// When the interface is gone.
    pub fn send(&self, to: [u8; 6], family: Family, packet: &[u8]) -> Result<(), Failure> {
        let mut frame = Vec::with_capacity(14 + packet.len());
        frame.extend_from_slice(&to);
        frame.extend_from_slice(&[0x02, 0xca, 0x11, 0xff, 0, 1]);
        frame.extend_from_slice(if family == Family::V4 { &[0x08, 0x00] } else { &[0x86, 0xdd] });
        frame.extend_from_slice(packet);
        loop {
            match send(self.0.as_raw_fd(), &frame, MsgFlags::empty()) {
                Ok(_) => return Ok(()),
                Err(nix::Error::ENOBUFS | nix::Error::EAGAIN) => std::thread::yield_now(),
                Err(e) => return Err(format!("a segment does not take packets: {e}")),
            }
        }
    }

    /// Takes what has come for hosts.
    pub fn drain(&self, out: &mut Vec<Seen>) {
        let mut frame = [0u8; 2048];
        while let Ok(length) = recv(self.0.as_raw_fd(), &mut frame, MsgFlags::MSG_DONTWAIT) {
            let Some(group) = group_of(&frame[..length]) else { continue };
            if let Some((tuple, mark)) = frame.get(14..length).and_then(parse) {
                out.push(Seen { place: Place::Hosts(group), tuple, mark });
            }
        }
    }
}

/// Sockets inside a router: what is delivered to it, and packets that it sends itself.
#[derive(Debug)]
pub struct Inside {
    router: usize,
    receive: Vec<(Family, u8, OwnedFd)>,
    send_v4: OwnedFd,
    send_v6: OwnedFd,
}

fn raw(family: AddressFamily, protocol: SockProtocol) -> Result<OwnedFd, Failure> {
    let fd = socket(family, SockType::Raw, SockFlag::SOCK_NONBLOCK, protocol).map_err(failed("no raw socket"))?;
    let _ = setsockopt(&fd, sockopt::RcvBufForce, &BUFFER);
    Ok(fd)
}

impl Inside {
    /// Opens a router's sockets.
    ///
    /// # Errors
    /// When the kernel refuses (`CAP_NET_RAW`).
    pub fn open(router: usize, space: &Namespace) -> Result<Self, Failure> {
        space.inside(|| {
            let mut receive = Vec::new();
            for (family, domain) in [(Family::V4, AddressFamily::Inet), (Family::V6, AddressFamily::Inet6)] {
                for (number, protocol) in [(6, SockProtocol::Tcp), (17, SockProtocol::Udp)] {
                    let fd = raw(domain, protocol)?;
                    if family == Family::V6 {
                        setsockopt(&fd, sockopt::Ipv6RecvPacketInfo, &true).map_err(failed("no packet info"))?;
                    }
                    receive.push((family, number, fd));
                }
            }
            let send_v4 = raw(AddressFamily::Inet, SockProtocol::Raw)?;
            let send_v6 = raw(AddressFamily::Inet6, SockProtocol::Raw)?;
            Ok(Self { router, receive, send_v4, send_v6 })
        })?
    }

    /// Sends a packet from the router itself, through its output hook. That its rules stop it, or that it knows no way,
    /// is a fate like any other: nothing arrives.
    ///
    /// # Errors
    /// When the kernel does not send for another reason: such a packet would be counted as dropped by the rules.
    pub fn send(&self, tuple: Tuple, packet: &[u8]) -> Result<(), Failure> {
        loop {
            let sent = match tuple.dst() {
                IpAddr::V4(a) => {
                    let to = SockaddrIn::from(SocketAddrV4::new(a, 0));
                    sendto(self.send_v4.as_raw_fd(), packet, &to, MsgFlags::empty())
                }
                IpAddr::V6(a) => {
                    let to = SockaddrIn6::from(SocketAddrV6::new(a, 0, 0, 0));
                    sendto(self.send_v6.as_raw_fd(), packet, &to, MsgFlags::empty())
                }
            };
            match sent {
                Ok(_) | Err(nix::Error::EPERM | nix::Error::ENETUNREACH | nix::Error::EHOSTUNREACH) => return Ok(()),
                Err(nix::Error::ENOBUFS | nix::Error::EAGAIN) => std::thread::yield_now(),
                Err(e) => return Err(format!("router {} does not send to {}: {e}", self.router, tuple.dst())),
            }
        }
    }

    /// Takes what was delivered.
    pub fn drain(&self, out: &mut Vec<Seen>) {
        let place = Place::Router(self.router);
        for (family, protocol, fd) in &self.receive {
            let mut buffer = [0u8; 2048];
            loop {
                let found = match family {
                    Family::V4 => match recv(fd.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                        Ok(n) => parse(&buffer[..n]),
                        Err(_) => break,
                    },
                    Family::V6 => match receive_v6(fd.as_raw_fd(), *protocol, &mut buffer) {
                        Ok(found) => found,
                        Err(()) => break,
                    },
                };
                if let Some((tuple, mark)) = found {
                    out.push(Seen { place, tuple, mark });
                }
            }
        }
    }
}

/// IPv6 raw sockets leave the header out; addresses come beside the packet.
fn receive_v6(fd: RawFd, protocol: u8, buffer: &mut [u8]) -> Result<Option<(Tuple, Mark)>, ()> {
    let mut space = nix::cmsg_space!(libc::in6_pktinfo);
    let mut parts = [IoSliceMut::new(buffer)];
    let message = recvmsg::<SockaddrIn6>(fd, &mut parts, Some(&mut space), MsgFlags::MSG_DONTWAIT).map_err(|_| ())?;
    let src = message.address.map(|a| IpAddr::V6(a.ip()));
    let dst = message.cmsgs().ok().and_then(|mut list| {
        list.find_map(|c| match c {
            ControlMessageOwned::Ipv6PacketInfo(info) => Some(IpAddr::from(info.ipi6_addr.s6_addr)),
            _ => None,
        })
    });
    let length = message.bytes;
    let (Some(src), Some(dst)) = (src, dst) else { return Ok(None) };
    Ok(transport(Family::V6, protocol, src, dst, &buffer[..length]))
}

/// Forgets all sessions of the namespace that this thread is in (`IPCTNL_MSG_CT_DELETE` without a tuple,
/// `linux/netfilter/nfnetlink_conntrack.h`).
///
/// # Errors
/// When the kernel refuses (`CAP_NET_ADMIN`).
pub fn forget_sessions() -> Result<(), Failure> {
    let fd = socket(AddressFamily::Netlink, SockType::Raw, SockFlag::empty(), SockProtocol::NetlinkNetFilter)
        .map_err(failed("no netfilter socket"))?;
    let mut message = Vec::with_capacity(20);
    message.extend_from_slice(&20u32.to_ne_bytes());
    message.extend_from_slice(&((1u16 << 8) | 2).to_ne_bytes());
    message.extend_from_slice(&5u16.to_ne_bytes());
    message.extend_from_slice(&[1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    send(fd.as_raw_fd(), &message, MsgFlags::empty()).map_err(failed("sessions cannot be forgotten"))?;
    let mut answer = [0u8; 64];
    recv(fd.as_raw_fd(), &mut answer, MsgFlags::empty()).map_err(failed("sessions cannot be forgotten"))?;
    match i32::from_ne_bytes([answer[16], answer[17], answer[18], answer[19]]) {
        0 => Ok(()),
        code => Err(format!("sessions cannot be forgotten (error {})", -code)),
    }
}
