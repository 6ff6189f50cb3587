//! The scanners said plainly, byte by byte: the fast ones must find the same.

use super::super::pairs::{Key, is_key_byte, session, strong, value_after, weak};
use super::super::shapes::{SHORTEST, is_bearer, is_random, is_token, is_word_byte};
use super::*;
use std::ops::Range;

/// What [`pairs::find`] finds: word by word.
fn pairs(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !is_key_byte(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && is_key_byte(bytes[at]) {
            at += 1;
        }
        // Most words are followed by a blank and another word: looked at first, that saves looking at the word.
        let sign =
            bytes.get(at).is_some_and(|byte| matches!(byte, b'=' | b':' | b'"' | b'\'' | b' ' | b'\t'));
        let word = &text[start..at];
        if sign
            && (word.starts_with("--") || has_sign(&bytes[at..]))
            && let Some(key) = judge(word)
            && let Some(value) = value_after(text, at, word.starts_with("--"), key)
        {
            at = at.max(value.end);
            found.push(value);
        }
    }
}

/// Whether an equals sign or a colon follows, after a quote and blanks perhaps.
fn has_sign(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    rest.iter().find(|byte| !matches!(byte, b' ' | b'\t')).is_some_and(|byte| matches!(byte, b'=' | b':'))
}

fn judge(word: &str) -> Option<Key> {
    if !(3..=64).contains(&word.len()) {
        return None;
    }
    let (mut letters, mut length) = ([0; 64], 0);
    for byte in word.bytes().filter(u8::is_ascii_alphanumeric) {
        letters[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    let word = &letters[..length];
    if (0..length).any(|at| strong(&word[at..])) {
        Some(Key::Strong)
    } else if weak(word) {
        Some(Key::Weak)
    } else if session(word) {
        Some(Key::Session)
    } else {
        None
    }
}

/// What [`shapes::find`] finds: word by word.
fn shapes(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut after_bearer = false;
    while at < bytes.len() {
        if !is_word_byte(bytes[at]) {
            after_bearer &= bytes[at] == b' ';
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && is_word_byte(bytes[at]) {
            at += 1;
        }
        if at - start < SHORTEST {
            after_bearer = is_bearer(&bytes[start..at]);
            continue;
        }
        // A dot or dash that ends a sentence is not part of the word.
        let word = text[start..at].trim_end_matches(['.', '-', '=']);
        let word = if at - start > word.len() && bytes[start + word.len()] == b'=' {
            &text[start..at]
        } else {
            word
        };
        if after_bearer && word.len() >= 16 && word.bytes().any(|byte| byte.is_ascii_digit()) {
            found.push(start..start + word.len());
        } else if let Some(skip) = secret_from(word) {
            found.push(start + skip..start + word.len());
        }
        after_bearer = is_bearer(&bytes[start..at]);
    }
}

/// Where the secret starts in a word that is or holds one.
fn secret_from(word: &str) -> Option<usize> {
    if word.len() < SHORTEST {
        return None;
    }
    let mut inside = false;
    for (at, byte) in word.bytes().enumerate() {
        // A token starts where a part of the word does.
        if !std::mem::replace(&mut inside, byte.is_ascii_alphanumeric()) && is_token(&word[at..]) {
            return Some(at);
        }
    }
    if ["sha256-", "sha384-", "sha512-", "sha1-", "h1"].iter().any(|sum| word.starts_with(sum)) {
        return None;
    }
    // `name=value`: the value is judged, the name stays.
    let skip = word.trim_end_matches('=').rfind('=').map_or(0, |at| at + 1);
    is_random(&word[skip..]).then_some(skip)
}

/// A text of words, signs and blanks that meet in all ways, and whatever else there is.
fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        "(?i)(password|passwd|pass_phrase|private-key|apikey|access_token|auth|pwd|secret|credentials?)",
        "(?i)(token|authorization|session(_?id)?|cookie|signature|pat|bearer)",
        "[a-z]{1,9}",
        "[a-zA-Z0-9]{12,30}",
        "[A-Za-z0-9_./+=-]{1,40}",
        "(ghp_|sk-|xoxb-|AKIA|eyJ|hf_|r8_|do|ey|sk)[a-zA-Z0-9.]{0,40}",
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{12}",
    ];
    let sign = prop_oneof![
        "[=: \t\"'`\\\\/&,;|.-]{1,3}",
        Just("\": \"".to_owned()),
        Just(" --".to_owned()),
        Just("-----".to_owned()),
        Just("://".to_owned()),
        Just(" ".to_owned()),
        "\\PC{0,2}",
    ];
    proptest::collection::vec(prop_oneof![word, sign], 0..24).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_scanners_find_what_the_plain_ones_find(text in text()) {
        let (mut fast, mut plain) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        super::super::pairs::find(&text, &mut fast[0]);
        super::super::shapes::find(&text, &mut fast[1]);
        pairs(&text, &mut plain[0]);
        shapes(&text, &mut plain[1]);
        prop_assert_eq!(fast, plain);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_said_again_and_again_is_judged_alike(
        texts in proptest::collection::vec(text(), 1..5), order in proptest::collection::vec(0..5_usize, 40..80),
    ) {
        // Long enough that words are remembered.
        let lines: Vec<&str> = order.iter().map(|at| texts[at % texts.len()].as_str()).collect();
        let mut text = lines.join("\n");
        text.push_str(&"\n".repeat(1024));
        let (mut fast, mut plain) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
        super::super::pairs::find(&text, &mut fast[0]);
        super::super::shapes::find(&text, &mut fast[1]);
        pairs(&text, &mut plain[0]);
        shapes(&text, &mut plain[1]);
        prop_assert_eq!(fast, plain);
    }

    #[test]
    fn lines_that_are_clean_together_are_clean_alone(
        texts in proptest::collection::vec(text(), 1..30), known in "[a-z]{6,8}",
    ) {
        let redactor = Redactor::with_values([known, "swordfish".to_owned()]);
        let lines = || texts.iter().flat_map(|text| text.split('\n'));
        let together = lines().collect::<Vec<_>>().join("\n");
        if lines().any(|line| redactor.clean(line) != line) {
            prop_assert!(!redactor.is_clean(&together), "{:?}", together);
        }
    }
}
