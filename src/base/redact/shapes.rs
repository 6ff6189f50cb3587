//! Secrets that show by themselves: tokens with a known prefix, JSON web tokens, `Bearer …`, and long words in which
//! upper case, lower case and digits change places too often for any language.

use std::ops::Range;

use super::seen::Seen;

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
pub(super) const SHORTEST: usize = 14;

/// Shortest word that is judged by its look alone.
const LONG: usize = 26;

/// Shortest beginning of one, where a text was cut.
const BEGUN: usize = 10;

/// How ids begin that agents and their hosts give to conversations, messages, tool calls and requests: they look random,
/// open nothing, and name what an operator looks for.
const IDS: [&str; 14] = [
    "msg_",
    "toolu_",
    "req_",
    "ses_",
    "prt_",
    "call_",
    "resp_",
    "rs_",
    "fc_",
    "chatcmpl-",
    "gen-",
    "thread_",
    "item_",
    "srvtoolu_",
];

/// Reports secrets by shape.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut seen = Seen::of(text);
    // No word goes on at `from`, and the bytes from there to `known` belong to one.
    let (mut from, mut known) = (0, 0);
    // A word that is long enough and begins at `from` or later has the byte so far behind it in it or before it: where
    // that belongs to no word, or one that lies between does not, all before it is passed over unseen.
    while let Some(probe) = Some(from + SHORTEST - 1).filter(|probe| *probe < bytes.len()) {
        if let Some(gap) = bytes[known..=probe].iter().rposition(|byte| !is_word_byte(*byte)) {
            from = known + gap + 1;
            known = probe + 1;
            continue;
        }
        let more = bytes[probe + 1..].iter().take_while(|byte| is_word_byte(**byte)).count();
        let end = probe + 1 + more;
        judge(text, from..end, &mut seen, found);
        (from, known) = (end, end);
    }
}

/// Reports what is secret of one long word.
fn judge<'a>(text: &'a str, place: Range<usize>, seen: &mut Seen<'a>, found: &mut Vec<Range<usize>>) {
    // Only after a blank what stands before the word says anything of it.
    let alone = !text.as_bytes()[..place.start].ends_with(b" ");
    if alone && seen.is_harmless(place.clone()) {
        return;
    }
    let whole = &text[place.clone()];
    // A dot or dash that ends a sentence is not part of the word.
    let word = whole.trim_end_matches(['.', '-', '=']);
    let word = if whole[word.len()..].starts_with('=') { whole } else { word };
    let start = place.start;
    let named = word.len() >= 16 && word.bytes().any(|byte| byte.is_ascii_digit());
    if named && !alone && follows_bearer(&text.as_bytes()[..start]) {
        found.push(start..start + word.len());
    } else if let Some(skip) = secret_from(word) {
        found.push(start + skip..start + word.len());
    } else if alone {
        seen.harmless(place);
    }
}

/// Whether a text ends with the word `Bearer` and blanks.
fn follows_bearer(before: &[u8]) -> bool {
    let Some(last) = before.iter().rposition(|byte| *byte != b' ') else { return false };
    let start = before[..=last].iter().rposition(|byte| !is_word_byte(*byte)).map_or(0, |gap| gap + 1);
    is_bearer(&before[start..=last])
}

/// Whether a word is `Bearer`, perhaps with a dot or dash that is not part of it.
pub(super) fn is_bearer(word: &[u8]) -> bool {
    let end = word.iter().rposition(|byte| !matches!(byte, b'.' | b'-' | b'=')).map_or(0, |last| last + 1);
    word[..end].eq_ignore_ascii_case(b"bearer") && word.get(end) != Some(&b'=')
}

pub(super) fn is_word_byte(byte: u8) -> bool {
    const WORD: [bool; 256] = super::table(b"_-.+/=");
    WORD[usize::from(byte)]
}

/// Where the secret starts in a word that is or holds one.
fn secret_from(word: &str) -> Option<usize> {
    if word.len() < SHORTEST {
        return None;
    }
    if let Some(at) = token_in(word) {
        return Some(at);
    }
    if is_sum(word) {
        return None;
    }
    // `name=value`: the value is judged, the name stays.
    let skip = word.trim_end_matches('=').rfind('=').map_or(0, |at| at + 1);
    is_random(&word[skip..]).then_some(skip)
}

/// Whether a word says that it is a checksum.
fn is_sum(word: &str) -> bool {
    ["sha256-", "sha384-", "sha512-", "sha1-", "h1"].iter().any(|sum| word.starts_with(sum))
}

/// Whether a word is an id of an agent or its host.
pub(super) fn is_id(word: &str) -> bool {
    IDS.iter().any(|id| {
        word.strip_prefix(id).is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    })
}

/// Where, in a text that is cut at its end, the beginning of a secret stands: of a known token, or of a word that is
/// random as far as it goes.
pub(super) fn begun(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let start = bytes.iter().rposition(|byte| !is_word_byte(*byte)).map_or(0, |last| last + 1);
    let word = &text[start..];
    let mut inside = false;
    for (at, byte) in word.bytes().enumerate() {
        let begins = !std::mem::replace(&mut inside, byte.is_ascii_alphanumeric());
        // As much of it as is certain to be one.
        let is_begun = |(prefix, _): &(&str, usize)| {
            let rest = word[at..].strip_prefix(prefix);
            rest.is_some_and(|rest| rest.len() >= 4 && rest.bytes().any(|byte| byte.is_ascii_digit()))
        };
        if begins && byte.is_ascii() && (PREFIXES.iter().any(is_begun) || word[at..].starts_with("eyJ")) {
            return Some(start + at);
        }
    }
    let skip = word.trim_end_matches('=').rfind('=').map_or(0, |at| at + 1);
    (!is_sum(word) && is_random_from(&word[skip..], BEGUN)).then_some(start + skip)
}

/// Where a known token starts in a word: where a part of the word does.
fn token_in(word: &str) -> Option<usize> {
    let bytes = word.as_bytes();
    // Nearly no word has two letters beside each other that begin one.
    if !bytes.windows(2).any(|pair| may_begin(pair[0], pair[1])) {
        return None;
    }
    let starts = |at: &usize| at.checked_sub(1).is_none_or(|before| !bytes[before].is_ascii_alphanumeric());
    (0..bytes.len()).filter(starts).find(|at| is_token(&word[*at..]))
}

/// How a JSON web token starts: the first of its three parts is a JSON object in Base64.
const WEB_TOKEN: &str = "eyJ";

/// Whether two bytes begin a token.
fn may_begin(first: u8, second: u8) -> bool {
    const BITS: [[u64; 256]; 2] = beginnings();
    BITS[0][usize::from(first)] & BITS[1][usize::from(second)] != 0
}

/// A bit for each prefix, under its first byte and under its second one.
const fn beginnings() -> [[u64; 256]; 2] {
    let mut bits = [[0; 256]; 2];
    let mut at = 0;
    while at <= PREFIXES.len() {
        let prefix = if at < PREFIXES.len() { PREFIXES[at].0 } else { WEB_TOKEN };
        let bytes = prefix.as_bytes();
        bits[0][bytes[0] as usize] |= 1 << at;
        bits[1][bytes[1] as usize] |= 1 << at;
        at += 1;
    }
    bits
}

/// Whether a text starts with a known token.
pub(super) fn is_token(text: &str) -> bool {
    let [first, second, ..] = text.as_bytes() else { return false };
    if !may_begin(*first, *second) {
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
    known || (text.starts_with(WEB_TOKEN) && text.len() >= 30 && text.matches('.').count() >= 2)
}

/// Base64 of random bytes changes between upper, lower and digit at about 62 % of its places; names, paths and
/// camel case at 40 % and fewer, and hexadecimal has no two cases.
pub(super) fn is_random(word: &str) -> bool {
    is_random_from(word, LONG)
}

/// The same of a word that may be short because it was cut.
fn is_random_from(word: &str, least: usize) -> bool {
    // Of a short word three of each kind would be too much to ask.
    let each = if least < LONG { 2 } else { 3 };
    if word.len() < least || is_id(word) {
        return false;
    }
    // Most long words are paths, names and digests, which have no upper case to speak of.
    if word.bytes().filter(u8::is_ascii_uppercase).count() < each {
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
    all >= least
        && word.len() - all <= word.len() / 6
        && upper >= each
        && lower >= each
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
