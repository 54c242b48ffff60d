//! Fuzz target `snapshot`: see `crates/core/tests/fuzz/targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| callpath_fuzz::run("snapshot", data));
