//! Chromium as the caller.

use crate::grid::call::{First, Server, start_times, waits};
use crate::grid::cell::{Caller, Cell, Media, Stun};
use crate::grid::network::{self, Network};
use crate::grid::{http, stun};
use crate::namespace::Failure;
use nix::sys::prctl::set_child_subreaper;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use str0m::Candidate;
use str0m::change::SdpOffer;
use str0m::net::Protocol;

/// How long a browser may take to start and to offer.
const START: Duration = Duration::from_secs(90);
/// How often it is looked for requests of the page.
const PAUSE: Duration = Duration::from_millis(10);

/// Settings: no window, and nothing of its own on the network.
const SETTINGS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-breakpad",
];

/// A microphone that hums, and a person who allows it.
const MICROPHONE: [&str; 2] = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"];

/// A browser that ends with this.
struct Browser {
    child: Child,
    home: PathBuf,
}

impl Browser {
    fn start(network: &Network, port: u16, microphone: bool) -> Result<Self, Failure> {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("callpath-grid-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&home).map_err(|e| format!("{} cannot be made: {e}", home.display()))?;
        let mut command = Command::new("chromium");
        command.args(SETTINGS).arg(format!("--user-data-dir={}", home.display()));
        if microphone {
            command.args(MICROPHONE);
        }
        command.arg(format!("http://127.0.0.1:{port}/"));
        command.env("HOME", &home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Its helpers outlive it; they are ended with it and must not be left over as dead processes.
        set_child_subreaper(true).map_err(|e| format!("processes cannot be looked after: {e}"))?;
        let child = network.caller.inside(|| command.process_group(0).spawn())?;
        let child = child.map_err(|e| format!("`chromium` cannot be run ({e}): install it (Debian: chromium)"))?;
        Ok(Self { child, home })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Ok(group) = i32::try_from(self.child.id()) {
            // It may have ended by itself.
            let _ = killpg(Pid::from_raw(group), Signal::SIGKILL);
        }
        let _ = self.child.wait();
        while let Ok(group) = i32::try_from(self.child.id())
            && waitpid(Pid::from_raw(-group), None).is_ok()
        {}
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// Does the page ask for the microphone? Only then a browser tells its own addresses.
fn speaks(caller: Caller) -> bool {
    caller != Caller::LanListening
}

fn page(cell: Cell, first: First) -> String {
    let (now, (caller_at, _)) = (Instant::now(), start_times(Instant::now(), first));
    let after = caller_at.saturating_duration_since(now);
    let stun = match cell.stun {
        Stun::Known => format!("stun:{}:{}", network::STUN, stun::PORT),
        Stun::Unknown => String::new(),
    };
    include_str!("page.html")
        .replace("{{stun}}", &stun)
        .replace("{{microphone}}", &speaks(cell.caller).to_string())
        .replace("{{udp_after}}", &after.as_millis().to_string())
        .replace("{{tcp_after}}", &(after + waits::FALLBACK).as_millis().to_string())
}

/// An offer without its candidates, and those that mean something to the server: no names, nothing but UDP.
fn take_apart(offer: &str) -> (String, Vec<Candidate>) {
    let (candidates, rest): (Vec<&str>, Vec<&str>) = offer.lines().partition(|line| line.starts_with("a=candidate:"));
    let candidates = candidates.iter().filter_map(|line| Candidate::from_sdp_string(line.strip_prefix("a=")?).ok());
    let rest = rest.iter().filter(|line| **line != "a=end-of-candidates");
    (rest.flat_map(|line| [*line, "\r\n"]).collect(), candidates.filter(|c| c.proto() == Protocol::Udp).collect())
}

/// A call of a page in a browser.
pub(super) fn call(network: &Network, cell: Cell, first: First) -> Result<Media, Failure> {
    let listener = network.caller.inside(|| TcpListener::bind("127.0.0.1:0"))?;
    let listener = listener.map_err(|e| format!("the page's socket cannot be opened: {e}"))?;
    let port = listener.local_addr().map_err(|e| e.to_string())?.port();
    listener.set_nonblocking(true).map_err(|e| e.to_string())?;
    let _browser = Browser::start(network, port, speaks(cell.caller))?;

    let page = page(cell, first);
    let begun = Instant::now();
    let (mut server, start) = loop {
        if begun.elapsed() > START {
            return Err("the browser does not offer anything".into());
        }
        let Some(request) = http::next(&listener).map_err(|e| e.to_string())? else {
            std::thread::sleep(PAUSE);
            continue;
        };
        match request.path.as_str() {
            "/" => request.answer("200 OK", "text/html", &page),
            "/offer" => {
                let (offer, candidates) = take_apart(&request.body);
                let offer = SdpOffer::from_sdp_string(&offer).map_err(|e| format!("the browser's offer: {e}"))?;
                let (mut server, answer) = Server::new(network, cell, offer)?;
                let (udp, tcp) = (server.udp.to_sdp_string(), server.tcp.to_sdp_string());
                let start = Instant::now();
                server.agent.learns(start_times(start, first).1, &candidates);
                request.answer("200 OK", "text/plain", &format!("{udp}\n{tcp}\n{}", answer.to_sdp_string()));
                break (server, start);
            }
            "/failed" => return Err(format!("the page failed: {}", request.body)),
            _ => request.answer("404 Not Found", "text/plain", ""),
        }
    };

    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let (agent, over) = (&mut server.agent, &done);
        let running = scope.spawn(move || network.server.inside(|| serve(agent, start, speaks(cell.caller), over)));
        let heard = listen(&listener, || running.is_finished());
        // The server's agent goes on until the browser is heard, or time is up.
        done.store(true, Ordering::Relaxed);
        let spoken = running.join().map_err(|_| "the server's agent died")???;
        let heard = heard?;
        Ok(if spoken { heard } else { Media::None })
    })
}

/// The server's end; was there what had to be heard?
fn serve(
    agent: &mut crate::grid::agent::Agent,
    start: Instant,
    speaks: bool,
    done: &AtomicBool,
) -> Result<bool, Failure> {
    let mut linked = false;
    loop {
        agent.turn()?;
        linked |= agent.linked();
        let heard = !speaks || agent.heard() != Media::None;
        let late = start.elapsed() > if linked { waits::NO_MEDIA } else { waits::NO_WAY };
        if late || heard && done.load(Ordering::Relaxed) {
            return Ok(heard);
        }
    }
}

/// Waits for the page to say what it heard.
fn listen(listener: &TcpListener, over: impl Fn() -> bool) -> Result<Media, Failure> {
    while !over() {
        let Some(request) = http::next(listener).map_err(|e| e.to_string())? else {
            std::thread::sleep(PAUSE);
            continue;
        };
        match (request.path.as_str(), request.body.as_str()) {
            ("/heard", "udp") => return Ok(Media::Udp),
            ("/heard", "tcp") => return Ok(Media::Tcp),
            ("/failed" | "/heard", why) => return Err(format!("the page failed: {why}")),
            _ => request.answer("404 Not Found", "text/plain", ""),
        }
    }
    Ok(Media::None)
}
