//! Fuzz target `printing`: see `crates/core/tests/fuzz/targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| callpath_fuzz::run("printing", data));
