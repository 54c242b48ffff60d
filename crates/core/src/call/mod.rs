//! Calls: who calls whom, by what, and whether it gets through.

mod ask;
mod callers;
mod exposure;
pub(crate) mod flow;
mod ice;
mod input;
mod judge;
mod later;
pub(crate) mod learned;
mod media;
mod outwards;
mod parties;
mod paths;
pub(crate) mod proxy;
pub(crate) mod told;
pub(crate) mod views;

pub(crate) use input::check;
pub(crate) use judge::Judge;

/// Ports that callers send from.
pub(crate) const CLIENT_PORTS: (u128, u128) = (1024, 65535);
