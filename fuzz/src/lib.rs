//! The bodies of the fuzz targets, as the tests have them.

#[cfg(test)]
#[path = "../../crates/core/tests/length.rs"]
mod length;
#[path = "../../crates/core/tests/oracle/mod.rs"]
mod oracle;
#[path = "../../crates/core/tests/planted.rs"]
mod planted;
#[path = "../../crates/core/tests/fuzz/targets/mod.rs"]
mod targets;

/// Runs the target of this name.
///
/// # Panics
/// When something does not hold, or there is no such target.
pub fn run(name: &str, data: &[u8]) {
    let target = targets::TARGETS.iter().find(|t| t.name == name).expect("a target");
    (target.run)(data);
}
