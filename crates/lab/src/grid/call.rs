//! One call.

use crate::grid::agent::{Agent, Tcp};
use crate::grid::browser;
use crate::grid::cell::{Caller, Cell, Ice, Media, Stun};
use crate::grid::network::{self, Network, PUBLIC, SERVER};
use crate::grid::{MEDIA_PORTS, TCP_PORT, stun};
use crate::namespace::Failure;
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use str0m::change::{SdpAnswer, SdpOffer};
use str0m::media::{Direction, MediaKind};
use str0m::net::TcpType;
use str0m::{Candidate, Rtc, RtcConfig};

/// Who begins with its checks. What the first packets leave in routers on the way is there for the later ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// The caller: it knows the server's addresses from the answer, while its own follow one by one.
    Caller,
    /// The server.
    Server,
}

/// Which program calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Program {
    /// An app of its own: an agent like the server's.
    App,
    /// Chromium. Who listens only has not allowed the microphone.
    Chromium,
}

/// How long things take.
pub(super) mod waits {
    use std::time::Duration;

    /// How much later the other one begins.
    pub const LATER: Duration = Duration::from_millis(200);
    /// From when on the caller tries TCP.
    pub const FALLBACK: Duration = Duration::from_secs(3);
    /// When a call has failed for which no way was found.
    pub const NO_WAY: Duration = Duration::from_secs(6);
    /// When a call has failed for which one was found. Agents begin with DTLS while they still look for a way, and ask
    /// again after one, two and four seconds.
    pub const NO_MEDIA: Duration = Duration::from_secs(12);
}

/// When the caller begins, and when the server.
pub(super) fn start_times(start: Instant, first: First) -> (Instant, Instant) {
    match first {
        First::Caller => (start, start + waits::LATER),
        First::Server => (start + waits::LATER, start),
    }
}

/// What both sides of a call need.
pub(super) fn protocol(lite: bool) -> Rtc {
    let mut config = RtcConfig::new().set_ice_lite(lite).clear_codecs().enable_opus(true, false);
    // As often as browsers check, so that three seconds are enough to try everything.
    config.set_initial_stun_rto(Duration::from_millis(200));
    config.set_max_stun_rto(Duration::from_millis(400));
    config.set_max_stun_retransmits(30);
    config.build(Instant::now())
}

/// A candidate as the other side reads it.
pub(super) fn told(rtc: &mut Rtc, candidate: Candidate) -> Result<Candidate, Failure> {
    let added = rtc.add_local_candidate(candidate).ok_or("a candidate was not taken")?;
    Candidate::from_sdp_string(&added.to_sdp_string()).map_err(|e| format!("a candidate cannot be told: {e}"))
}

/// The server's end of a call.
pub(super) struct Server {
    pub(super) agent: Agent,
    pub(super) udp: Candidate,
    pub(super) tcp: Candidate,
}

impl Server {
    /// Takes an offer, as servers do that are told their public address: only that one is shown.
    pub(super) fn new(network: &Network, cell: Cell, offer: SdpOffer) -> Result<(Self, SdpAnswer), Failure> {
        let (udp, listener) = network.server.inside(|| sockets(cell))??;
        let port = udp.local_addr().map_err(|e| e.to_string())?.port();
        let mut rtc = protocol(cell.ice == Ice::Lite);
        let answer = rtc.sdp_api().accept_offer(offer).map_err(|e| format!("the offer is refused: {e}"))?;
        let (shown, shown_tcp) = (SocketAddr::from((PUBLIC, port)), SocketAddr::from((PUBLIC, TCP_PORT)));
        let udp_candidate = told(&mut rtc, Candidate::host(shown, "udp").map_err(|e| e.to_string())?)?;
        let passive = Candidate::builder().tcp().host(shown_tcp).tcptype(TcpType::Passive).build();
        let tcp_candidate = told(&mut rtc, passive.map_err(|e| e.to_string())?)?;
        let agent = Agent::new(rtc, udp, shown, Tcp::Passive(listener, shown_tcp))?;
        Ok((Self { agent, udp: udp_candidate, tcp: tcp_candidate }, answer))
    }
}

/// The server's sockets. Media ports are taken when a call begins; cells begin at different ones, for the last ports of a
/// range must do as well as the first.
fn sockets(cell: Cell) -> Result<(UdpSocket, TcpListener), Failure> {
    let from = cell.place().unwrap_or(0) * 7 % MEDIA_PORTS.len();
    let mut ports = MEDIA_PORTS.cycle().skip(from).take(MEDIA_PORTS.len());
    let udp = ports.find_map(|port| UdpSocket::bind((SERVER, port)).ok());
    let tcp = TcpListener::bind((SERVER, TCP_PORT)).map_err(|e| format!("the server's TCP port is not free: {e}"))?;
    tcp.set_nonblocking(true).map_err(|e| format!("a socket cannot be set: {e}"))?;
    Ok((udp.ok_or("no media port is free")?, tcp))
}

/// Runs two agents, each in its namespace, until both have heard the other one or time is up; what both heard.
fn talk(network: &Network, caller: &mut Agent, server: &mut Agent, start: Instant) -> Result<Media, Failure> {
    let (heard, linked) = (Mutex::new([Media::None; 2]), AtomicBool::new(false));
    let run = |who: usize, agent: &mut Agent| -> Result<(), Failure> {
        while start.elapsed() < if linked.load(Ordering::Relaxed) { waits::NO_MEDIA } else { waits::NO_WAY } {
            agent.turn()?;
            if agent.linked() {
                linked.store(true, Ordering::Relaxed);
            }
            let mut heard = heard.lock().map_err(|_| "the other agent died")?;
            heard[who] = agent.heard();
            if !heard.contains(&Media::None) {
                break;
            }
        }
        Ok(())
    };
    let (one, other) = std::thread::scope(|scope| {
        let (run, server) = (&run, server);
        let other = scope.spawn(move || network.server.inside(|| run(1, server)));
        (network.caller.inside(|| run(0, caller)), other.join())
    });
    one??;
    other.map_err(|_| "the server's agent died")???;
    let heard = heard.into_inner().map_err(|_| "an agent died")?;
    Ok(if heard.contains(&Media::None) { Media::None } else { heard[0] })
}

/// Makes a network and calls through it.
///
/// # Errors
/// When the lab does not work; a call that fails is an answer.
pub fn call(cell: Cell, program: Program, first: First) -> Result<Media, Failure> {
    let network = network::build(cell)?;
    let stun = network.internet.inside(|| UdpSocket::bind((network::STUN, stun::PORT)))?;
    let stun = stun.map_err(|e| format!("the STUN server cannot be opened: {e}"))?;
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| stun::serve(&stun, &stop));
        let media = match program {
            Program::App => app(&network, cell, first),
            Program::Chromium => browser::call(&network, cell, first),
        };
        stop.store(true, Ordering::Relaxed);
        media
    })
}

/// A call of an app of its own.
fn app(network: &Network, cell: Cell, first: First) -> Result<Media, Failure> {
    let address = cell.caller.address();
    let udp = network.caller.inside(|| UdpSocket::bind((address, 0)))?;
    let udp = udp.map_err(|e| format!("the caller's socket cannot be opened: {e}"))?;
    let own = udp.local_addr().map_err(|e| e.to_string())?;
    let outer = match cell.stun {
        Stun::Known => stun::ask(&udp, (network::STUN, stun::PORT).into()),
        Stun::Unknown => None,
    };
    if outer.is_none() && cell.stun == Stun::Known && cell.caller != Caller::UdpBlocked {
        return Err("the STUN server does not answer".into());
    }

    let mut rtc = protocol(false);
    let mut change = rtc.sdp_api();
    let mid = change.add_media(MediaKind::Audio, Direction::SendRecv, None, None, None);
    let (offer, pending) = change.apply().ok_or("there is nothing to offer")?;
    let (mut server, answer) = Server::new(network, cell, offer)?;
    let answered = rtc.sdp_api().accept_answer(pending, answer);
    answered.map_err(|e| format!("the answer is refused: {e}"))?;

    let mut offered = vec![told(&mut rtc, Candidate::host(own, "udp").map_err(|e| e.to_string())?)?];
    if cell.caller == Caller::LanListening {
        // A browser tells names instead, which mean nothing to the server.
        offered.clear();
    }
    if let Some(outer) = outer.filter(|outer| *outer != own) {
        let reflexive = Candidate::server_reflexive(outer, own, "udp").map_err(|e| e.to_string())?;
        offered.push(told(&mut rtc, reflexive)?);
    }
    let start = Instant::now();
    let (caller_at, server_at) = start_times(start, first);
    let mut caller = Agent::new(rtc, udp, own, Tcp::Later(server.tcp.clone(), caller_at + waits::FALLBACK))?;
    caller.offers(mid);
    caller.learns(caller_at, &[server.udp]);
    server.agent.learns(server_at, &offered);
    talk(network, &mut caller, &mut server.agent, start)
}
