//! `key=value`, `key: value`, `"key": "value"`, `--key value`, `Authorization: Bearer value`: values whose key says
//! that they are secret.

use std::ops::Range;

use super::is_placeholder;

/// How sure a key makes us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Key {
    /// Its value is a secret whatever it looks like.
    Strong,
    /// Its value is one when it looks like one: "token" is also a word of parsers, "session" one of everything.
    Weak,
}

/// Reports the values of secret keys.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
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

fn is_key_byte(byte: u8) -> bool {
    const KEY: [bool; 256] = super::table(b"_-");
    KEY[usize::from(byte)]
}

/// Whether an equals sign or a colon follows, after a quote and blanks perhaps.
fn has_sign(rest: &[u8]) -> bool {
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    rest.iter().find(|byte| !matches!(byte, b' ' | b'\t')).is_some_and(|byte| matches!(byte, b'=' | b':'))
}

/// Longest word that is taken for a key.
const LONGEST: usize = 64;

/// Called for every key of every JSON line that an agent prints: looks at bytes, and makes no text of its own.
fn judge(word: &str) -> Option<Key> {
    if !(3..=LONGEST).contains(&word.len()) {
        return None;
    }
    let (mut letters, mut length) = ([0; LONGEST], 0);
    for byte in word.bytes().filter(u8::is_ascii_alphanumeric) {
        letters[length] = byte.to_ascii_lowercase();
        length += 1;
    }
    let word = &letters[..length];
    if (0..length).any(|at| strong(&word[at..])) {
        Some(Key::Strong)
    } else if weak(word) {
        Some(Key::Weak)
    } else {
        None
    }
}

/// Whether a word begins with one that stands for a secret.
fn strong(word: &[u8]) -> bool {
    let words: &[&[u8]] = match word[0] {
        b'p' => &[b"password", b"passwd", b"passphrase", b"privatekey"],
        b's' => &[b"secret"],
        b'a' => &[b"apikey", b"accesskey", b"accesstoken", b"authtoken"],
        b'c' => &[b"credential"],
        _ => return false,
    };
    words.iter().any(|strong| word.starts_with(strong))
}

/// Whether a word ends with one that may stand for a secret, or is a short one of those.
fn weak(word: &[u8]) -> bool {
    let words: &[&[u8]] = match word.last() {
        Some(b'n') => &[b"token", b"authorization", b"session"],
        Some(b's') => &[b"credentials"],
        Some(b'd') => &[b"sessionid"],
        Some(b'e') => &[b"cookie", b"signature"],
        Some(b't') => &[b"pat"],
        _ => &[],
    };
    words.iter().any(|weak| word.ends_with(weak)) || word == b"auth" || word == b"pwd"
}

/// The secret value that follows a key ending at `at`.
fn value_after(text: &str, at: usize, is_option: bool, key: Key) -> Option<Range<usize>> {
    let rest = &text[at..];
    // A quoted key ends with its quote.
    let after_quote = rest.strip_prefix(['"', '\'']).unwrap_or(rest);
    let trimmed = after_quote.trim_start_matches([' ', '\t']);
    let spaced = trimmed.len() < after_quote.len();
    let (sign, value) = match trimmed.chars().next() {
        Some(sign @ ('=' | ':')) => (sign, trimmed[1..].trim_start_matches([':', '='])),
        _ if is_option && spaced => (' ', trimmed),
        _ => return None,
    };
    let value_spaced = value.starts_with([' ', '\t']);
    let value = value.trim_start_matches([' ', '\t']);
    let value = scheme(value).map_or(value, |length| &value[length..]);
    let start = text.len() - value.len();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\'' | '`'));
    let (start, value) = match quote {
        Some(quote) => {
            let inner = &value[1..];
            (start + 1, &inner[..inner.find(quote).unwrap_or(inner.len())])
        }
        None => {
            let end =
                value.find(|c: char| c.is_whitespace() || ",;\"'`)}]&|".contains(c)).unwrap_or(value.len());
            (start, &value[..end])
        }
    };
    if is_placeholder(value) || text[start + value.len()..].starts_with('(') {
        return None;
    }
    let certain = key == Key::Strong && value.len() >= 3;
    // In code and prose, `secret = other.name` and `password: the user's` name things; a value has no such shape.
    let names_a_thing =
        quote.is_none() && (sign == '=' || sign == ':') && (spaced || value_spaced) && is_words(value);
    let looks_secret = value.len() >= 8 && looks_random(value);
    ((certain && !names_a_thing) || looks_secret).then(|| start..start + value.len())
}

/// Length of an authentication scheme with its blank.
fn scheme(value: &str) -> Option<usize> {
    ["Bearer ", "Basic ", "Token ", "bearer ", "basic ", "token "]
        .into_iter()
        .find(|scheme| value.starts_with(scheme))
        .map(str::len)
}

/// Letters with what joins names: an identifier, a path of fields, a word.
fn is_words(value: &str) -> bool {
    value
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, '_' | '.' | ':' | '-' | '\'' | '/' | '?' | '!' | '*'))
}

/// Letters and digits mixed, or upper case in the middle of lower case more than once: not a word.
fn looks_random(value: &str) -> bool {
    let digits = value.bytes().filter(u8::is_ascii_digit).count();
    let letters = value.bytes().filter(u8::is_ascii_alphabetic).count();
    digits >= 2 && letters >= 2
}
