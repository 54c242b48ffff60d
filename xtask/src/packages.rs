//! The packages that this workspace is made of, as `cargo metadata` lists them.
//!
//! Read without a JSON parser, as tasks depend on nothing: of each package, a few fields that cargo prints in one order.
//! A count against `Cargo.lock` shows when that order changes.

use crate::task::root;
use std::process::Command;

/// A package.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Package {
    /// Name.
    pub name: String,
    /// Version.
    pub version: String,
    /// Where it comes from; empty for those of this workspace.
    pub source: String,
    /// Its licences, as an expression of SPDX.
    pub license: String,
    /// The oldest compiler that it promises to work with.
    pub rust: Option<String>,
    /// It asks for any version of something.
    pub wildcard: bool,
}

/// Every package of `Cargo.lock`, for any platform.
pub fn all() -> Result<Vec<Package>, String> {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).map_err(|e| format!("Cargo.lock: {e}"))?;
    let program = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(program)
        .args(["metadata", "--locked", "--format-version", "1"])
        .current_dir(root())
        .output()
        .map_err(|e| format!("cargo metadata: {e}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata: {}", String::from_utf8_lossy(&output.stderr).trim_end()));
    }
    let list = read(&String::from_utf8_lossy(&output.stdout));
    let locked = lock.matches("[[package]]\n").count();
    if list.len() == locked && list.iter().all(|p| !p.name.is_empty()) {
        Ok(list)
    } else {
        Err(format!("cargo metadata: {} packages were read, Cargo.lock has {locked}", list.len()))
    }
}

fn read(json: &str) -> Vec<Package> {
    let packages = json.split("\"workspace_members\":").next().unwrap_or_default();
    // Only a package has an id; its name and version stand before it, everything else behind it.
    let ids: Vec<usize> = packages.match_indices("\"id\":\"").map(|(at, _)| at).collect();
    let mut out = Vec::new();
    for (n, at) in ids.iter().enumerate() {
        let before = &packages[n.checked_sub(1).map_or(0, |n| ids[n])..*at];
        let behind = &packages[*at..ids.get(n + 1).copied().unwrap_or(packages.len())];
        let last = |key: &str| before.rsplit_once(key).and_then(|(_, rest)| text(rest));
        let first = |key: &str| behind.split_once(key).and_then(|(_, rest)| text(rest));
        // A dependency of the package may come from a registry, so its own source is looked for before them.
        let head = behind.split("\"dependencies\":").next().unwrap_or_default();
        out.push(Package {
            name: last("\"name\":").unwrap_or_default(),
            version: last("\"version\":").unwrap_or_default(),
            source: head.split_once("\"source\":").and_then(|(_, rest)| text(rest)).unwrap_or_default(),
            license: first("\"license\":").unwrap_or_default(),
            rust: behind.rsplit_once("\"rust_version\":").and_then(|(_, rest)| text(rest)),
            wildcard: behind.match_indices("\"req\":\"*\"").any(|(at, _)| !behind[..at].ends_with("\"source\":null,")),
        });
    }
    out
}

/// The string that stands next; nothing for `null`.
fn text(json: &str) -> Option<String> {
    json.strip_prefix('"')?.split('"').next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_each_package_are_found() {
        let json = r#"{"packages":[{"name":"ours","version":"0.1.0","id":"path+file:///x#0.1.0","license":"MIT",
"source":null,"dependencies":[{"name":"two","source":null,"req":"*","kind":null}],"rust_version":null},
{"name":"two","version":"1.2.3","id":"registry+u#two@1.2.3","license":null,"description":"\"license\":",
"source":"registry+u","dependencies":[{"name":"x","source":"registry+u","req":"*"}],"rust_version":"1.60"}],
"workspace_members":[],"resolve":{"nodes":[{"id":"x"}]}}"#
            .replace('\n', "");
        let list = read(&json);
        let ours =
            Package { name: "ours".into(), version: "0.1.0".into(), license: "MIT".into(), ..Package::default() };
        assert_eq!(list[0], ours);
        let [_, two] = &list[..] else { panic!("{list:?}") };
        assert_eq!((&*two.name, &*two.source, &*two.license), ("two", "registry+u", ""));
        assert_eq!((two.rust.as_deref(), two.wildcard), (Some("1.60"), true));
    }

    #[test]
    fn every_locked_package_is_read() {
        assert!(all().is_ok_and(|list| list.iter().any(|p| p.name == "callpath-core" && p.source.is_empty())));
    }
}
