//! Thousands of made-up and bent sprint files: we read each as the real PyYAML does, or refuse it as it does.
//!
//! The files come from one seed, so that the suite says the same in every run. `KORU_TUI_YAML_TEXTS` and
//! `KORU_TUI_YAML_SEED` ask for more of them and for others; what that finds goes to `tests/fixtures/yaml/`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod support;

#[path = "pyyaml_generated/dice.rs"]
mod dice;
#[path = "pyyaml_generated/edits.rs"]
mod edits;
#[path = "pyyaml_generated/grammar.rs"]
mod grammar;
#[path = "pyyaml_generated/mutants.rs"]
mod mutants;
#[path = "support/pyyaml.rs"]
mod pyyaml;

use serde_json::{Value, json};

use dice::Dice;

/// Texts that one Python process reads.
const BATCH: usize = 20_000;

fn setting(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

/// Calls `each` with dice of its own and the number of texts to make, batch by batch, until it says that it cannot.
fn batches(salt: u64, each: &mut dyn FnMut(&mut Dice, usize) -> Option<()>) {
    let mut left = setting("KORU_TUI_YAML_TEXTS", 1500) as usize;
    let mut dice = Dice::new(setting("KORU_TUI_YAML_SEED", 1) ^ salt << 32);
    while left > 0 && each(&mut dice, left.min(BATCH)).is_some() {
        left -= left.min(BATCH);
    }
}

/// Makes texts and compares.
fn compare_many(salt: u64, make: &mut dyn FnMut(&mut Dice) -> String) {
    batches(salt, &mut |dice, count| {
        let texts: Vec<String> = (0..count).map(|_| make(dice)).collect();
        let read = pyyaml::python(pyyaml::READER, &json!(texts))?;
        pyyaml::compare(&texts, read.as_array().unwrap());
        Some(())
    });
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

#[test]
fn edited_files_read_as_meant() {
    // What stands besides the tickets is told as well.
    let reader = pyyaml::READER.replace(
        r#"return {"tickets": safe(found)}"#,
        r#"return {"tickets": safe(found), "rest": safe({**data, **holder, "sprint": 0, "tickets": 0})}"#,
    );
    assert_ne!(reader, pyyaml::READER);
    let seeds = mutants::seeds();
    batches(3, &mut |dice, count| {
        let make = |dice: &mut Dice| match dice.roll(3) {
            0 => mutants::mutate(&seeds[dice.roll(seeds.len())], dice),
            _ => grammar::document(dice),
        };
        let edited: Vec<edits::Edited> = (0..count)
            .filter_map(|_| {
                let text = make(dice);
                edits::edited(dice, text)
            })
            .collect();
        let texts: Vec<&str> = edited.iter().flat_map(|edit| [edit.before.as_str(), &edit.after]).collect();
        let read = pyyaml::python(&reader, &json!(texts))?;
        let wrong: Vec<String> = edited
            .iter()
            .zip(read.as_array().unwrap().chunks(2))
            .filter(|(edit, read)| {
                let meant = |before: &Value| {
                    json!({"tickets": edit.done.again(&before["tickets"]), "rest": before["rest"]})
                };
                let sayable = read[0].get("tickets").is_some() && read[1].get("odd").is_none();
                sayable && read[1] != meant(&read[0])
            })
            .map(|(edit, read)| format!("{:?}\n--- {}\n--- {}\n--- {}\n", edit.done, edit.before, edit.after, read[1]))
            .collect();
        assert!(
            wrong.is_empty(),
            "{} of {} differ\n{}",
            wrong.len(),
            edited.len(),
            wrong[..wrong.len().min(20)].join("\n")
        );
        Some(())
    });
}
