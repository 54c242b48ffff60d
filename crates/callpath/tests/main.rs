//! The tests of the command line: one program, a module for each subject.

#[cfg(target_os = "linux")]
mod bad_files;
mod bad_input;
mod bad_pfsense;
mod bad_sites;
mod canaries;
mod diff;
mod fix;
#[cfg(target_os = "linux")]
mod foreign_files;
mod formats;
#[cfg(target_os = "linux")]
mod hostile;
mod html;
mod page;
#[cfg(target_os = "linux")]
mod pasted;
mod ports;
mod promises;
mod pseudonyms;
mod readme;
mod render;
#[cfg(unix)]
mod saving;
mod scenarios;
mod schema;
mod secrets;
mod sites;
mod snapshot;
mod trace;
mod tutorial;
mod unread_files;
