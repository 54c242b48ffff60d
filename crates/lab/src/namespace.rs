//! Network namespaces that belong to this process alone.

use nix::sched::{CloneFlags, setns, unshare};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::process::{Command, Stdio};

/// A network namespace, kept alive by its file descriptor.
#[derive(Debug)]
pub struct Namespace(OwnedFd);

/// What went wrong while building the lab, for a person.
pub type Failure = String;

/// Moves this process into namespaces of its own; call it before any thread is started. Its network namespace is the
/// wire: nothing outside of the process can be reached from there.
///
/// # Errors
/// When neither root nor user namespaces are there.
pub fn enter_wire() -> Result<(), Failure> {
    let root = nix::unistd::geteuid().is_root();
    let (uid, gid) = (nix::unistd::geteuid(), nix::unistd::getegid());
    let flags = if root { CloneFlags::CLONE_NEWNET } else { CloneFlags::CLONE_NEWNET | CloneFlags::CLONE_NEWUSER };
    unshare(flags).map_err(|e| {
        format!(
            "no network namespace can be made here ({e}): run as root, or allow user namespaces \
             (sysctl kernel.unprivileged_userns_clone=1 or user.max_user_namespaces)"
        )
    })?;
    if !root {
        let write =
            |path: &str, text: String| std::fs::write(path, text).map_err(|e| format!("{path} cannot be written: {e}"));
        write("/proc/self/setgroups", "deny".into())?;
        write("/proc/self/uid_map", format!("0 {uid} 1"))?;
        write("/proc/self/gid_map", format!("0 {gid} 1"))?;
    }
    // The wire's own IPv6 would announce itself on every segment.
    for which in ["all", "default"] {
        let path = format!("/proc/sys/net/ipv6/conf/{which}/disable_ipv6");
        std::fs::write(&path, "1").map_err(|e| format!("{path} cannot be set: {e}"))?;
    }
    Ok(())
}

impl Namespace {
    /// A new, empty network namespace.
    ///
    /// # Errors
    /// When the kernel refuses.
    pub fn new() -> Result<Self, Failure> {
        let made = std::thread::spawn(|| -> Result<OwnedFd, Failure> {
            unshare(CloneFlags::CLONE_NEWNET).map_err(|e| format!("no network namespace can be made: {e}"))?;
            let file = File::open("/proc/thread-self/ns/net").map_err(|e| format!("/proc is not readable: {e}"))?;
            Ok(file.into())
        });
        made.join().map_err(|_| "making a namespace failed".to_owned())?.map(Self)
    }

    /// A path by which other programs find it.
    pub fn path(&self) -> String {
        format!("/proc/{}/fd/{}", std::process::id(), self.0.as_raw_fd())
    }

    /// Runs something inside.
    ///
    /// # Errors
    /// When the namespace cannot be entered.
    pub fn inside<T: Send>(&self, run: impl FnOnce() -> T + Send) -> Result<T, Failure> {
        std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                setns(&self.0, CloneFlags::CLONE_NEWNET).map_err(|e| format!("a namespace cannot be entered: {e}"))?;
                Ok(run())
            });
            thread.join().map_err(|_| "work inside a namespace failed".to_owned())?
        })
    }

    /// Runs a program inside; its output.
    ///
    /// # Errors
    /// When it is not installed, or fails; the message holds what it said.
    pub fn command(&self, program: &str, args: &[&str], input: &str) -> Result<String, Failure> {
        self.inside(|| command(program, args, input))?
    }
}

/// Runs a program where this thread is; its output.
///
/// # Errors
/// When it is not installed, or fails; the message holds what it said.
pub fn command(program: &str, args: &[&str], input: &str) -> Result<String, Failure> {
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| format!("`{program}` cannot be run ({e}): install it (Debian: nftables, iproute2)"))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that stops reading says why on its standard error.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|e| format!("`{program}` was lost: {e}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!("{program} {}: {}", args.join(" "), String::from_utf8_lossy(&output.stderr)))
}
