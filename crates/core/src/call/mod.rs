//! Calls: who calls whom, by what, and whether it gets through.

pub(crate) mod address;
mod ask;
mod callers;
mod containers;
mod exposure;
mod filter;
pub(crate) mod gateway;
mod guess;
mod ice;
mod input;
mod judge;
mod kernel;
mod later;
pub(crate) mod learned;
mod media;
mod outwards;
mod parties;
mod paths;
pub(crate) mod proxy;
mod server;
pub(crate) mod site;
mod stated;
pub(crate) mod told;
pub(crate) mod views;

pub(crate) use input::check;
pub(crate) use judge::Judge;

/// Ports that callers send from.
pub(crate) const CLIENT_PORTS: (u128, u128) = (1024, 65535);
