//! Feeds `properties::diff` with whatever the fuzzer thinks of.
#![no_main]
#[allow(dead_code)]
#[path = "../../support/properties.rs"]
mod properties;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| properties::diff(bytes));
