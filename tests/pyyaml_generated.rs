//! Thousands of made-up and bent sprint files: we read each as the real PyYAML does, or refuse it as it does.
//!
//! The files come from one seed, so that the suite says the same in every run. `KORU_TUI_YAML_TEXTS` and
//! `KORU_TUI_YAML_SEED` ask for more of them and for others; what that finds goes to `tests/fixtures/yaml/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod support;

#[path = "pyyaml_generated/dice.rs"]
mod dice;
#[path = "pyyaml_generated/grammar.rs"]
mod grammar;
#[path = "pyyaml_generated/mutants.rs"]
mod mutants;
#[path = "support/pyyaml.rs"]
mod pyyaml;

use serde_json::json;

use dice::Dice;

/// Texts that one Python process reads.
const BATCH: usize = 20_000;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Makes texts and compares, batch by batch.
fn compare_many(salt: u64, make: &mut dyn FnMut(&mut Dice) -> String) {
    let mut left = setting("KORU_TUI_YAML_TEXTS", 1500) as usize;
    let mut dice = Dice::new(setting("KORU_TUI_YAML_SEED", 1) ^ salt << 32);
    while left > 0 {
        let texts: Vec<String> = (0..left.min(BATCH)).map(|_| make(&mut dice)).collect();
        left -= texts.len();
        let Some(read) = pyyaml::python(pyyaml::READER, &json!(texts)) else { return };
        pyyaml::compare(&texts, read.as_array().unwrap());
    }
}

#[test]
fn mutated_files_read_alike() {
    let seeds = mutants::seeds();
    compare_many(1, &mut |dice| mutants::mutate(&seeds[dice.roll(seeds.len())], dice));
}

#[test]
fn generated_files_read_alike() {
    compare_many(2, &mut grammar::document);
}
