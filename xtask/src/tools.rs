//! Programs that the tests need beside Rust.

use crate::task::run;
use std::path::Path;

/// Programs, and the Debian package of each.
const NEEDED: [(&str, &str); 3] = [("nft", "nftables"), ("ip", "iproute2"), ("chromium", "chromium")];

/// Sees to it that all programs are there: installs them where that is possible, else says what to install.
pub fn needed() -> Result<(), String> {
    let missing: Vec<&str> =
        NEEDED.iter().filter(|(program, _)| !exists(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !is_root() || !exists("apt-get") {
        return Err(format!(
            "the tests need these packages, please install them: {list} (Debian: apt-get install {list})"
        ));
    }
    // Package lists may be missing in a fresh container; if they cannot be refreshed, old ones may do.
    let _ = run("apt-get", &["update", "-qq"]);
    let mut args = vec!["install", "-y", "--no-install-recommends"];
    args.extend(missing);
    run("apt-get", &args)
}

/// Is a program on the path, or where administrators' programs are?
fn exists(program: &str) -> bool {
    let path = std::env::var("PATH").unwrap_or_default();
    path.split(':').chain(["/usr/sbin", "/sbin"]).any(|dir| Path::new(dir).join(program).is_file())
}

/// Without a dependency: on Linux, /proc/self belongs to the user of this process.
fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|m| m.uid() == 0)
}
