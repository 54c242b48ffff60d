//! `cargo xtask ci`: do the dependencies keep to `deny.toml`? The part of `cargo deny` that needs no network and no long
//! build: licences, sources, wildcards. What `cargo deny check` says besides is looked at by hand (`CONTRIBUTING.md`).

use crate::packages::{self, Package};
use crate::task::root;

/// Where packages may come from.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Checks every package of `Cargo.lock`.
pub fn check() -> Result<(), String> {
    let path = root().join("deny.toml");
    let text = std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let allowed = allowed(&text)?;
    let list = packages::all()?;
    let bad: Vec<String> = list.iter().flat_map(|p| faults(p, &allowed)).collect();
    for name in twice(&list) {
        eprintln!("more than one version: {name}");
    }
    if bad.is_empty() {
        eprintln!("{} packages keep to deny.toml", list.len());
        return Ok(());
    }
    Err(bad.join("\n"))
}

fn faults(package: &Package, allowed: &[&str]) -> Vec<String> {
    let Package { name, version, source, license, wildcard, .. } = package;
    let mut out = Vec::new();
    if license.is_empty() {
        out.push(format!("{name} {version}: no licence is named"));
    } else if !Expression::new(license).holds(allowed) {
        out.push(format!("{name} {version}: deny.toml does not allow the licence {license}"));
    }
    if !source.is_empty() && source != CRATES_IO {
        out.push(format!("{name} {version}: comes from {source}"));
    }
    // Others' wildcards are theirs to mend; the lock file holds the version.
    if *wildcard && source.is_empty() {
        out.push(format!("{name}: a dependency of any version (`*`)"));
    }
    out
}

/// The licences that `deny.toml` allows: the strings of `allow`, one a line.
fn allowed(text: &str) -> Result<Vec<&str>, String> {
    let section = text.split("\n[licenses]").nth(1).ok_or("deny.toml: no [licenses]")?;
    let list = section.split("\nallow = [").nth(1).and_then(|rest| rest.split("\n]").next());
    let names: Vec<&str> = list.unwrap_or_default().lines().filter_map(|l| l.split('"').nth(1)).collect();
    if names.is_empty() { Err("deny.toml: `allow` of [licenses] lists nothing".into()) } else { Ok(names) }
}

/// Names of which there are several versions.
fn twice(list: &[Package]) -> Vec<&str> {
    let mut names: Vec<&str> = list.iter().map(|p| &*p.name).collect();
    names.sort_unstable();
    let mut out: Vec<&str> = names.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0]).collect();
    out.dedup();
    out
}

/// An expression of SPDX (annex D of its specification), with the older `/` for OR.
struct Expression(Vec<String>, usize);

impl Expression {
    fn new(text: &str) -> Self {
        let spaced = text.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        Self(spaced.split_whitespace().map(str::to_owned).collect(), 0)
    }

    /// Can the package be taken under allowed licences alone? What is not understood is not allowed.
    fn holds(mut self, allowed: &[&str]) -> bool {
        let holds = self.any(allowed);
        holds && self.1 == self.0.len()
    }

    fn any(&mut self, allowed: &[&str]) -> bool {
        let mut holds = self.every(allowed);
        while self.take("OR") {
            holds |= self.every(allowed);
        }
        holds
    }

    fn every(&mut self, allowed: &[&str]) -> bool {
        let mut holds = self.one(allowed);
        while self.take("AND") {
            holds &= self.one(allowed);
        }
        holds
    }

    fn one(&mut self, allowed: &[&str]) -> bool {
        if self.take("(") {
            let holds = self.any(allowed);
            return self.take(")") && holds;
        }
        let Some(mut name) = self.0.get(self.1).cloned() else { return false };
        self.1 += 1;
        if self.take("WITH") {
            name = format!("{name} WITH {}", self.0.get(self.1).map_or("", |n| n));
            self.1 += 1;
        }
        allowed.contains(&&*name)
    }

    fn take(&mut self, word: &str) -> bool {
        let there = self.0.get(self.1).is_some_and(|w| w == word);
        self.1 += usize::from(there);
        there
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_hold_where_a_choice_of_allowed_licences_does() {
        for (text, holds) in [
            ("MIT", true),
            ("GPL-3.0-only", false),
            ("MIT/Apache-2.0", true),
            ("MIT OR GPL-3.0-only", true),
            ("MIT AND GPL-3.0-only", false),
            ("(MIT OR GPL-3.0-only) AND ISC", true),
            ("GPL-3.0-only OR ISC AND GPL-3.0-only", false),
            ("Apache-2.0 WITH LLVM-exception", true),
            ("MIT WITH something", false),
            ("(MIT", false),
            ("MIT ISC", false),
            ("", false),
        ] {
            assert_eq!(Expression::new(text).holds(&["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]), holds, "{text}");
        }
    }

    #[test]
    fn a_package_that_does_not_keep_to_it_is_named() {
        let good =
            || Package { name: "x".into(), license: "MIT".into(), source: CRATES_IO.into(), ..Package::default() };
        assert_eq!(faults(&good(), &["MIT"]), Vec::<String>::new());
        for (bad, why) in [
            (Package { license: String::new(), ..good() }, "no licence"),
            (Package { license: "GPL-3.0-only".into(), ..good() }, "does not allow"),
            (Package { source: "git+https://example.org/x".into(), ..good() }, "comes from git"),
            (Package { source: String::new(), wildcard: true, ..good() }, "any version"),
        ] {
            let faults = faults(&bad, &["MIT"]);
            assert!(faults.len() == 1 && faults[0].contains(why), "{faults:?}");
        }
        let list = [good(), good(), Package { name: "y".into(), ..good() }];
        assert_eq!(twice(&list), ["x"]);
    }

    #[test]
    fn the_list_is_read() {
        assert_eq!(allowed("\n[licenses]\nallow = [\n    \"MIT\", # why\n    \"ISC\",\n]\n"), Ok(vec!["MIT", "ISC"]));
        assert!(allowed("[licenses]\n").is_err());
    }
}
