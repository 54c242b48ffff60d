//! An ICE agent with its sockets: str0m decides what to send, this decides how it gets out and in.

use crate::grid::cell::Media;
use crate::grid::framing::Framed;
use crate::grid::stun::{self, Kind};
use crate::namespace::Failure;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsFd;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};
use str0m::media::{MediaTime, Mid};
use str0m::net::{Protocol, Receive, TcpType, Transmit};
use str0m::{Candidate, Event, IceConnectionState, Input, Output, Rtc};

/// How often a frame of audio is sent.
const FRAME: Duration = Duration::from_millis(20);
/// How long a connection over TCP may take.
const CONNECT: Duration = Duration::from_secs(3);
/// One frame of silence in Opus.
const SILENCE: &[u8] = &[0xf8, 0xff, 0xfe];

/// Media over TCP, as an agent has it.
#[derive(Debug)]
pub enum Tcp {
    /// Waits for connections; the address that the agent told.
    Passive(TcpListener, SocketAddr),
    /// Connects to this candidate if no other way was found by that time.
    Later(Candidate, Instant),
    /// Is connecting to this candidate.
    Connecting(Candidate, Receiver<std::io::Result<TcpStream>>),
    /// Has none, or it has failed.
    Nothing,
}

/// An agent.
pub struct Agent {
    /// The protocol.
    pub rtc: Rtc,
    udp: UdpSocket,
    /// How the agent calls its socket: a gateway's address where it tells that one.
    shown: SocketAddr,
    tcp: Tcp,
    /// Connections, and how the agent calls its own end of them.
    connections: Vec<(Framed, SocketAddr)>,
    /// Requests under way: answers must come from where they were sent to.
    asked: HashMap<stun::Id, SocketAddr>,
    /// Candidates of the other side, and when they become known.
    to_come: Vec<(Instant, Candidate)>,
    mid: Option<Mid>,
    linked: bool,
    connected: bool,
    frames: u32,
    next_frame: Instant,
    last_media: Media,
    heard: Media,
}

impl Agent {
    /// An agent whose offer and answer have been exchanged.
    ///
    /// # Errors
    /// When the socket is of no use.
    pub fn new(rtc: Rtc, udp: UdpSocket, shown: SocketAddr, tcp: Tcp) -> Result<Self, Failure> {
        udp.set_nonblocking(true).map_err(|e| format!("a socket cannot be set: {e}"))?;
        Ok(Self {
            rtc,
            udp,
            shown,
            tcp,
            connections: Vec::new(),
            asked: HashMap::new(),
            to_come: Vec::new(),
            mid: None,
            linked: false,
            connected: false,
            frames: 0,
            next_frame: Instant::now(),
            last_media: Media::None,
            heard: Media::None,
        })
    }

    /// The side that offered knows its medium from the start.
    pub fn offers(&mut self, mid: Mid) {
        self.mid = Some(mid);
    }

    /// Tells it candidates of the other side, from some time on.
    pub fn learns(&mut self, when: Instant, candidates: &[Candidate]) {
        self.to_come.extend(candidates.iter().map(|c| (when, c.clone())));
    }

    /// How the last audio came.
    pub fn heard(&self) -> Media {
        self.heard
    }

    /// Has a way been found, so that media is only a question of time?
    pub fn linked(&self) -> bool {
        self.linked
    }

    /// Does what is due, then waits a little.
    ///
    /// # Errors
    /// When the agent gives up, which a network must not bring about.
    pub fn turn(&mut self) -> Result<(), Failure> {
        let now = Instant::now();
        let due = self.to_come.extract_if(.., |(when, _)| *when <= now).collect::<Vec<_>>();
        for (_, candidate) in due {
            self.rtc.add_remote_candidate(candidate);
        }
        self.speak(now)?;
        self.connect(now);
        self.rtc.handle_input(Input::Timeout(now)).map_err(failed)?;
        let next = loop {
            match self.rtc.poll_output().map_err(failed)? {
                Output::Timeout(next) => break next,
                Output::Transmit(transmit) => self.transmit(&transmit),
                Output::Event(event) => self.note(&event),
            }
        };
        self.wait(next.saturating_duration_since(now).clamp(Duration::from_millis(1), FRAME))?;
        self.receive()
    }

    fn note(&mut self, event: &Event) {
        match event {
            Event::IceConnectionStateChange(state) => {
                self.linked = matches!(state, IceConnectionState::Connected | IceConnectionState::Completed);
            }
            Event::Connected => self.connected = true,
            Event::MediaAdded(added) => self.mid = Some(added.mid),
            Event::MediaData(_) => self.heard = self.last_media,
            _ => {}
        }
    }

    fn speak(&mut self, now: Instant) -> Result<(), Failure> {
        if !self.connected || now < self.next_frame {
            return Ok(());
        }
        self.next_frame = now + FRAME;
        let Some(writer) = self.mid.and_then(|mid| self.rtc.writer(mid)) else { return Ok(()) };
        let Some(params) = writer.payload_params().next() else { return Ok(()) };
        let (pt, time) = (params.pt(), MediaTime::from_seconds(f64::from(self.frames) * FRAME.as_secs_f64()));
        self.frames += 1;
        writer.write(pt, now, time, SILENCE).map_err(failed)
    }

    fn transmit(&mut self, transmit: &Transmit) {
        let (to, content) = (transmit.destination, &transmit.contents[..]);
        if let Some(Kind::Request(id)) = stun::kind(content) {
            self.asked.insert(id, to);
        }
        if transmit.proto == Protocol::Udp {
            // Firewalls of the host's own and missing routes answer with errors: the packet is lost, no more.
            let _ = self.udp.send_to(content, to);
        } else if let Some((connection, _)) = self.connections.iter_mut().find(|(c, _)| c.peer == to) {
            connection.send(content);
        }
    }

    /// Moves on with media over TCP.
    fn connect(&mut self, now: Instant) {
        self.tcp = match std::mem::replace(&mut self.tcp, Tcp::Nothing) {
            Tcp::Later(candidate, when) if now >= when && !self.linked => {
                let ((tell, told), to) = (channel(), candidate.addr());
                // A thread stays in the namespace of the one that started it.
                std::thread::spawn(move || tell.send(TcpStream::connect_timeout(&to, CONNECT)));
                Tcp::Connecting(candidate, told)
            }
            Tcp::Connecting(candidate, told) => match told.try_recv() {
                Ok(Ok(stream)) => {
                    self.connected_to(candidate, stream);
                    Tcp::Nothing
                }
                Ok(Err(_)) => Tcp::Nothing,
                Err(_) => Tcp::Connecting(candidate, told),
            },
            Tcp::Passive(listener, shown) => {
                while let Ok((stream, _)) = listener.accept() {
                    self.connections.extend(Framed::new(stream).ok().map(|framed| (framed, shown)));
                }
                Tcp::Passive(listener, shown)
            }
            other => other,
        };
    }

    fn connected_to(&mut self, candidate: Candidate, stream: TcpStream) {
        let Ok(own) = stream.local_addr() else { return };
        let Ok(framed) = Framed::new(stream) else { return };
        self.connections.push((framed, own));
        if let Ok(local) = Candidate::builder().tcp().host(own).tcptype(TcpType::Active).build() {
            self.rtc.add_local_candidate(local);
            self.rtc.add_remote_candidate(candidate);
        }
    }

    fn wait(&self, at_most: Duration) -> Result<(), Failure> {
        let mut sources = vec![PollFd::new(self.udp.as_fd(), PollFlags::POLLIN)];
        if let Tcp::Passive(listener, _) = &self.tcp {
            sources.push(PollFd::new(listener.as_fd(), PollFlags::POLLIN));
        }
        let open = self.connections.iter().filter(|(c, _)| c.is_open());
        sources.extend(open.map(|(c, _)| PollFd::new(c.as_fd(), PollFlags::POLLIN)));
        let at_most = PollTimeout::try_from(at_most).unwrap_or(PollTimeout::ZERO);
        match poll(&mut sources, at_most) {
            Ok(_) | Err(nix::Error::EINTR) => Ok(()),
            Err(e) => Err(format!("sockets cannot be waited for: {e}")),
        }
    }

    fn receive(&mut self) -> Result<(), Failure> {
        let mut datagram = [0; 2048];
        while let Ok((length, from)) = self.udp.recv_from(&mut datagram) {
            self.take(Protocol::Udp, from, self.shown, &datagram[..length])?;
        }
        let mut all = Vec::new();
        for (connection, shown) in &mut self.connections {
            let from = connection.peer;
            all.extend(connection.receive().into_iter().map(|datagram| (from, *shown, datagram)));
        }
        for (from, shown, datagram) in all {
            self.take(Protocol::Tcp, from, shown, &datagram)?;
        }
        Ok(())
    }

    fn take(&mut self, proto: Protocol, from: SocketAddr, to: SocketAddr, datagram: &[u8]) -> Result<(), Failure> {
        // RFC 8445, 7.2.5.2.1: an answer from another address than the one asked is a failure. str0m leaves it at the
        // transaction's number.
        if let Some(Kind::Answer(id)) = stun::kind(datagram)
            && self.asked.get(&id) != Some(&from)
        {
            return Ok(());
        }
        let Ok(receive) = Receive::new(proto, from, to, datagram) else { return Ok(()) };
        let input = Input::Receive(Instant::now(), receive);
        if !self.rtc.accepts(&input) {
            return Ok(());
        }
        if matches!(datagram.first(), Some(128..192)) {
            self.last_media = if proto == Protocol::Udp { Media::Udp } else { Media::Tcp };
        }
        self.rtc.handle_input(input).map_err(failed)
    }
}

// Taken by value: that is what `map_err` gives.
#[allow(clippy::needless_pass_by_value)]
fn failed(e: str0m::RtcError) -> Failure {
    format!("an ICE agent gave up: {e}")
}
