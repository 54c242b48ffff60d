//! `nft monitor trace`: the kernel names the rules that a packet met.

use crate::namespace::{Failure, Namespace};
use std::collections::BTreeSet;
use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A running `nft monitor trace` inside a router.
#[derive(Debug)]
pub struct Monitor(Child);

/// The lab's own table that has every packet traced.
pub const TRACING: &str = "table inet callpath_lab_trace {\nchain in_pre {\ntype filter hook prerouting priority -510; \
    policy accept;\nmeta nftrace set 1\n}\nchain in_out {\ntype filter hook output priority -510; policy accept;\n\
    meta nftrace set 1\n}\n}\n";

impl Monitor {
    /// Starts it; it listens when this returns.
    ///
    /// # Errors
    /// When `nft` cannot be started.
    pub fn start(space: &Namespace) -> Result<Self, Failure> {
        let child = space.inside(|| {
            Command::new("nft")
                .args(["monitor", "trace"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .map_err(|e| format!("`nft monitor trace` cannot be run: {e}"))
        })??;
        // It says nothing when it is ready.
        std::thread::sleep(Duration::from_millis(60));
        Ok(Self(child))
    }

    /// Ends it; the numbers of the rules that it named.
    ///
    /// # Errors
    /// When its output is lost.
    pub fn rules(mut self) -> Result<BTreeSet<u32>, Failure> {
        std::thread::sleep(Duration::from_millis(60));
        self.0.kill().map_err(|e| format!("`nft monitor trace` cannot be ended: {e}"))?;
        let mut text = String::new();
        if let Some(mut stdout) = self.0.stdout.take() {
            stdout.read_to_string(&mut text).map_err(|e| format!("what nft traced cannot be read: {e}"))?;
        }
        self.0.wait().map_err(|e| format!("`nft monitor trace` was lost: {e}"))?;
        let number = |line: &str| line.rsplit_once("comment \"r")?.1.split('"').next()?.parse().ok();
        Ok(text.lines().filter(|l| l.contains(" rule ")).filter_map(number).collect())
    }
}
