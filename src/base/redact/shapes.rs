//! Secrets that show by themselves: tokens with a known prefix, JSON web tokens, `Bearer …`, and long words in which
//! upper case, lower case and digits change places too often for any language.

use std::ops::Range;

/// Prefix of a known token, and how many more characters make it one.
const PREFIXES: &[(&str, usize)] = &[
    ("ghp_", 20),
    ("gho_", 20),
    ("ghu_", 20),
    ("ghs_", 20),
    ("ghr_", 20),
    ("github_pat_", 20),
    ("glpat-", 16),
    ("xoxb-", 10),
    ("xoxp-", 10),
    ("xoxa-", 10),
    ("xoxr-", 10),
    ("xoxs-", 10),
    ("xapp-", 10),
    ("sk-", 16),
    ("sk_live_", 10),
    ("sk_test_", 10),
    ("rk_live_", 10),
    ("whsec_", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 30),
    ("ya29.", 16),
    ("npm_", 30),
    ("pypi-", 30),
    ("hf_", 20),
    ("dop_v1_", 30),
    ("shpat_", 20),
    ("SG.", 30),
    ("gsk_", 20),
    ("xai-", 20),
    ("r8_", 30),
    ("nvapi-", 20),
    ("AGE-SECRET-KEY-", 20),
];

/// Shortest word that can be or hold a token.
const SHORTEST: usize = 14;

/// Shortest word that is judged by its look alone.
const LONG: usize = 26;

/// Reports secrets by shape.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
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

/// Whether a word is `Bearer`, perhaps with a dot or dash that is not part of it.
fn is_bearer(word: &[u8]) -> bool {
    let end = word.iter().rposition(|byte| !matches!(byte, b'.' | b'-' | b'=')).map_or(0, |last| last + 1);
    word[..end].eq_ignore_ascii_case(b"bearer") && word.get(end) != Some(&b'=')
}

fn is_word_byte(byte: u8) -> bool {
    const WORD: [bool; 256] = super::table(b"_-.+/=");
    WORD[usize::from(byte)]
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

/// Whether a text starts with a known token.
fn is_token(text: &str) -> bool {
    // Most words are none of these, and every part of a word is asked about.
    let [first, second, ..] = text.as_bytes() else { return false };
    if !matches!(
        (first, second),
        (b'g', b'h' | b'i' | b'l' | b's')
            | (b'x', b'o' | b'a')
            | (b's', b'k' | b'h')
            | (b'r', b'k' | b'8')
            | (b'w', b'h')
            | (b'A', b'K' | b'S' | b'I' | b'G')
            | (b'y', b'a')
            | (b'n', b'p' | b'v')
            | (b'p', b'y')
            | (b'h', b'f')
            | (b'd', b'o')
            | (b'S', b'G')
            | (b'e', b'y')
    ) {
        return false;
    }
    let first = Some(first);
    let likely = PREFIXES.iter().filter(|(prefix, _)| prefix.as_bytes().first() == first);
    let known =
        likely.filter_map(|(prefix, more)| Some((text.strip_prefix(prefix)?, *more))).any(|(rest, more)| {
            rest.len() >= more
                && rest.bytes().any(|byte| byte.is_ascii_digit())
                && rest.bytes().take(more).all(|byte| byte != b'/' && byte != b'=')
        });
    // A JSON web token: three parts, the first a JSON object in Base64.
    known || (text.starts_with("eyJ") && text.len() >= 30 && text.matches('.').count() >= 2)
}

/// Base64 of random bytes changes between upper, lower and digit at about 62 % of its places; names, paths and
/// camel case at 40 % and fewer, and hexadecimal has no two cases.
fn is_random(word: &str) -> bool {
    if word.len() < LONG {
        return false;
    }
    // Upper, lower, digit; and how often one follows on another.
    let (mut counts, mut changes, mut before) = ([0_usize; 3], 0, None);
    for byte in word.bytes() {
        let class = match byte {
            b'A'..=b'Z' => 0,
            b'a'..=b'z' => 1,
            b'0'..=b'9' => 2,
            _ => continue,
        };
        counts[class] += 1;
        changes += usize::from(before.is_some_and(|before| before != class));
        before = Some(class);
    }
    let all: usize = counts.iter().sum();
    let [upper, lower, digit] = counts;
    all >= LONG
        && word.len() - all <= word.len() / 6
        && upper >= 3
        && lower >= 3
        && digit >= 2
        && changes * 25 >= all * 12
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_token_passes_the_first_look() {
        for (prefix, more) in PREFIXES {
            let token = format!("{prefix}{}", "a1".repeat(*more));
            assert!(is_token(&token), "{token}");
        }
    }
}
