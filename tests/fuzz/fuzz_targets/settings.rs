//! Feeds `properties::settings` with whatever the fuzzer thinks of.
#![no_main]
#[allow(dead_code)]
#[path = "../../support/properties.rs"]
mod properties;

thread_local! {
    static FOLDER: tempfile::TempDir = tempfile::tempdir().expect("a temporary folder");
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| FOLDER.with(|folder| properties::settings(folder.path(), bytes)));
