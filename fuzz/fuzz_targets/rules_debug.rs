//! Fuzz target `rules_debug`: see `crates/core/tests/fuzz/targets`.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| callpath_fuzz::run("rules_debug", data));
