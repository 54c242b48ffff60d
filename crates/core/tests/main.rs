//! The tests of the core from outside: one program, a module for each subject.

mod bridges;
mod budgets;
mod causes;
mod closed;
mod containers;
mod deploys;
mod documents;
mod faults;
mod fuzz;
mod generated;
mod grounds;
mod growth;
#[cfg(target_os = "linux")]
mod hostile;
mod ice;
mod invariants;
mod kernel;
mod kinds;
mod lines;
mod local_networks;
mod mapping;
mod mutations;
mod nft_readers;
mod oracle;
mod outbound;
mod pfsense;
mod pfsense_fields;
mod planted;
mod proxies;
mod pseudonyms;
mod render;
mod rooms;
mod sentences;
mod shares;
mod sites;
mod sources;
mod tried;

/// One of two lengths: campaigns are shorter where `CALLPATH_SHORT` is set, as `cargo xtask test` does.
fn length<T>(full: T, short: T) -> T {
    if std::env::var_os("CALLPATH_SHORT").is_some() { short } else { full }
}
