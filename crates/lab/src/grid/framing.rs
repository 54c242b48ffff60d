//! Datagrams over TCP, each after its length (RFC 4571).

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};

/// A connection.
#[derive(Debug)]
pub struct Framed {
    stream: TcpStream,
    /// The other end, as seen from here.
    pub peer: SocketAddr,
    received: Vec<u8>,
    unsent: Vec<u8>,
    open: bool,
}

impl Framed {
    /// Takes a connection over.
    ///
    /// # Errors
    /// When it is gone already.
    pub fn new(stream: TcpStream) -> std::io::Result<Self> {
        stream.set_nonblocking(true)?;
        stream.set_nodelay(true)?;
        let peer = stream.peer_addr()?;
        Ok(Self { stream, peer, received: Vec::new(), unsent: Vec::new(), open: true })
    }

    /// Is it worth waiting for?
    pub fn is_open(&self) -> bool {
        self.open
    }

    /// Sends as soon as the connection takes it.
    pub fn send(&mut self, datagram: &[u8]) {
        let Ok(length) = u16::try_from(datagram.len()) else { return };
        self.unsent.extend(length.to_be_bytes());
        self.unsent.extend(datagram);
        self.flush();
    }

    fn flush(&mut self) {
        while self.open && !self.unsent.is_empty() {
            match self.stream.write(&self.unsent) {
                Ok(0) => self.open = false,
                Ok(sent) => drop(self.unsent.drain(..sent)),
                Err(e) if e.kind() == ErrorKind::WouldBlock => return,
                Err(_) => self.open = false,
            }
        }
    }

    /// All datagrams that have come completely.
    pub fn receive(&mut self) -> Vec<Vec<u8>> {
        self.flush();
        let mut chunk = [0; 4096];
        while self.open {
            match self.stream.read(&mut chunk) {
                Ok(0) => self.open = false,
                Ok(length) => self.received.extend(&chunk[..length]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.open = false,
            }
        }
        let mut out = Vec::new();
        while let Some(length) = self.received.first_chunk().map(|l| usize::from(u16::from_be_bytes(*l))) {
            if self.received.len() < 2 + length {
                break;
            }
            out.push(self.received[2..2 + length].to_vec());
            self.received.drain(..2 + length);
        }
        out
    }
}

impl AsFd for Framed {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
