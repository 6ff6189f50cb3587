//! Documents of lines that look alike to the parsers, right or wrong: however a text is read, the answer is one.
//!
//! Every run makes the same documents, so that a change is never blamed for what it did not do. A longer search is asked
//! for with `PROPTEST_CASES` and `PROPTEST_RNG_SEED`; what it finds becomes a fixed case in the suite beside this file.

use proptest::prelude::*;
use proptest::test_runner::RngSeed;

use super::SprintDoc;
use crate::plan::yaml::{load, stream};

const WORDS: &[&str] = &[
    "a", "key", "- ", "- - ", "-", ": ", ":", "'", "''", "\"", "\\n", "\\", "{}", "[]", "[", "}", "#", " #",
    " ", "  ", "x y", "1.5", "|", ">", "&a ", "*a", "!", "? ", "é", "a:b", "key: v", "key:", "- key: v",
    "'q'", "\"d\"", "---", "...", "\t", "\r", ",", "<<: ", "%", "\r\n", "\u{feff}", "|-", ">+", "|2",
    "id: A-1", "\u{a0}", "# c", "]", "{", "!!str ",
];

/// As many cases as `PROPTEST_CASES` says or `usual`, from one seed unless `PROPTEST_RNG_SEED` names another.
pub(in crate::plan::yaml) fn config(usual: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { asked.cases } else { usual };
    let rng_seed = if asked.rng_seed == RngSeed::Random { RngSeed::Fixed(1) } else { asked.rng_seed };
    ProptestConfig { cases, rng_seed, failure_persistence: None, ..asked }
}

/// A line of any words at any depth.
pub(in crate::plan::yaml) fn line() -> impl Strategy<Value = String> {
    let words = proptest::collection::vec(proptest::sample::select(WORDS), 0..4);
    (0usize..7, words).prop_map(|(indent, words)| format!("{}{}\n", " ".repeat(indent), words.concat()))
}

/// A line of a form that the line parser takes, mostly.
pub(in crate::plan::yaml) fn tidy_line() -> impl Strategy<Value = String> {
    let forms = proptest::sample::select(
        &[
            "k: v",
            "k:",
            "- v",
            "- k: v",
            "- k:",
            "- - v",
            "-  v",
            "k:  v",
            "k: 'q'",
            "k: \"d\"",
            "k: 'q",
            "q'",
            "k: \"d",
            "d\"",
            "more",
            "k: {}",
            "k: []",
            "k: v w",
            "- 'q'",
            "",
            "# c",
            "k: ''",
            "k: 'it''s'",
            "k: \"a\\tb\"",
            "k: \"a\\",
            "k: |",
            "k: >-",
            "k: v # c",
            "k: - v",
            "-",
            "- -",
            "- {}",
            "k: *a",
            "k: &a v",
            "k: !!str 1",
            "k: é",
            "? k",
            ": v",
            "k: 1.5",
            "k: yes",
            "k : v",
            "'k': v",
            "k: [a, b]",
            "k: {a: b}",
            "k: v: w",
            "k: #",
            "k: a#b",
            "k: a:b",
            "--- ",
            "-k: v",
        ][..],
    );
    (0usize..5, forms, 0usize..40).prop_map(|(indent, form, odd)| {
        let indent = indent * 2 + usize::from(odd == 0);
        format!("{}{}\n", " ".repeat(indent), form.replacen('k', ["k", "l", "m"][odd % 3], 1))
    })
}

/// Two tickets in planfile's layout with lines of any kind in the first.
pub(in crate::plan::yaml) fn sprint(lines: &[String], second: bool) -> String {
    let more = if second { "    B-1:\n      id: B-1\n      name: b\n" } else { "" };
    format!("sprint:\n  id: s\n  tickets:\n    A-1:\n      id: A-1\n{}{more}", lines.concat())
}

/// What a reading of a file says: of each ticket its key and itself, then the warnings.
fn said(entries: &[super::super::sprint::Entry], warnings: &[super::super::SprintWarning]) -> String {
    let tickets: Vec<_> = entries.iter().map(|entry| (&entry.key, entry.shadowed, &entry.ticket)).collect();
    format!("{tickets:#?}{warnings:#?}")
}

/// By chunks, as a whole, taken over from an earlier reading, straight to JSON: all say the same.
fn one_answer(text: &str) -> Result<(), TestCaseError> {
    let whole = load::whole_only(text, "current");
    let doc = SprintDoc::parse("current", text.as_bytes().to_vec(), None);
    prop_assert_eq!(doc.as_ref().err(), whole.as_ref().err());
    let (Ok(doc), Ok(whole)) = (doc, whole) else { return Ok(()) };
    prop_assert_eq!(said(doc.entries(), doc.warnings()), said(&whole.entries, &whole.warnings));
    let again = SprintDoc::parse("current", text.as_bytes().to_vec(), Some(&doc)).unwrap();
    prop_assert_eq!(said(again.entries(), again.warnings()), said(doc.entries(), doc.warnings()));

    let mut written = b"[".to_vec();
    doc.write_records(|_| true, &mut written);
    written.push(b']');
    let records: Vec<_> = doc.keyed().map(|(key, _)| doc.record(key).unwrap()).collect();
    prop_assert_eq!(String::from_utf8(written).unwrap(), serde_json::to_string(&records).unwrap());
    Ok(())
}

proptest! {
    #![proptest_config(config(4000))]

    #[test]
    fn any_lines_agree(lines in proptest::collection::vec(line(), 1..8)) {
        let _ = super::both(&lines.concat());
    }

    #[test]
    fn tidy_lines_agree(lines in proptest::collection::vec(tidy_line(), 1..10)) {
        let _ = super::both(&lines.concat());
    }

    #[test]
    fn any_text_parses_or_faults(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = SprintDoc::parse("current", bytes, None);
    }
}

proptest! {
    #![proptest_config(config(1500))]

    #[test]
    fn any_lines_below_a_ticket_are_read_one_way(
        lines in proptest::collection::vec(line(), 1..12),
        second in any::<bool>(),
    ) {
        one_answer(&sprint(&lines, second))?;
    }

    #[test]
    fn tidy_lines_below_a_ticket_are_read_one_way(
        lines in proptest::collection::vec(tidy_line(), 1..12),
        deep in 0usize..4,
        second in any::<bool>(),
    ) {
        let lines: Vec<String> = lines.into_iter().map(|line| format!("{}{line}", "  ".repeat(deep))).collect();
        one_answer(&sprint(&lines, second))?;
    }

    #[test]
    fn blocks_and_the_whole_say_the_same(
        lines in proptest::collection::vec(tidy_line(), 1..8),
        block in 40u64..300,
    ) {
        let lines: Vec<String> = lines.into_iter().map(|line| format!("      {line}")).collect();
        let text = sprint(&lines, true);
        if SprintDoc::parse("current", text.as_bytes().to_vec(), None).is_ok() {
            let (ours, whole) = stream::tests::both(&text, block, None);
            prop_assert!(ours.as_ref().is_none_or(|ours| *ours == whole), "{ours:?} {whole}");
        }
    }
}
