//! `key=value`, `key: value`, `"key": "value"`, `--key value`, `Authorization: Bearer value`: values whose key says
//! that they are secret.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::is_placeholder;
use super::seen::Seen;

/// How sure a key makes us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// Its value is a secret whatever it looks like.
    Strong,
    /// Its value is one when it looks like one: "token" is also a word of parsers.
    Weak,
    /// As weak, but a value that is the id of something is no secret: agents name their conversations like this.
    Session,
}

/// Reports the values of secret keys.
///
/// A key is followed by a sign, or is an option: both are rarer than words, so they are looked for, and the word before
/// a sign is found from there. Keys are taken in the order in which they stand; inside a value there is none.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    let bytes = text.as_bytes();
    let mut pairs = Pairs { text, done: 0, seen: Seen::of(text), found };
    let mut option = option_after(bytes, 0);
    for sign in memchr::memchr2_iter(b'=', b':', bytes) {
        let Some(word) = key_before(bytes, sign) else { continue };
        while let Some(earlier) = option.take_if(|option| option.start < word.start) {
            option = option_after(bytes, earlier.end);
            pairs.take(earlier);
        }
        pairs.take(word);
    }
    while let Some(last) = option {
        option = option_after(bytes, last.end);
        pairs.take(last);
    }
}

/// What was found of one text.
struct Pairs<'a> {
    text: &'a str,
    /// Where the last value ends.
    done: usize,
    /// Words that are no keys.
    seen: Seen<'a>,
    found: &'a mut Vec<Range<usize>>,
}

impl Pairs<'_> {
    /// Takes a word that may be a key.
    fn take(&mut self, word: Range<usize>) {
        if word.start < self.done || word.len() > LONGEST || self.seen.is_harmless(word.clone()) {
            return;
        }
        let key = &self.text[word.clone()];
        let Some(sure) = judge(key) else { return self.seen.harmless(word) };
        if let Some(value) = value_after(self.text, word.end, key.starts_with("--"), sure) {
            self.done = value.end;
            self.found.push(value);
        } else if let Some(end) = field_end(self.text, word.end) {
            self.seen.harmless_before(word, end);
        }
    }
}

/// Where the field `"key":"value"` ends whose key ends at `at`, its last quote included: what [`value_after`] says of it
/// depends on nothing else. `None` for any other writing of a pair, and for a long value.
fn field_end(text: &str, at: usize) -> Option<usize> {
    let value = text.as_bytes()[at..].strip_prefix(b"\":\"")?;
    let length = value.iter().take(LONGEST).position(|byte| *byte == b'"')?;
    Some(at + 3 + length + 1)
}

/// The word that this equals sign or colon follows, with a quote and blanks between them perhaps. One that is too long
/// to be a key is cut.
fn key_before(bytes: &[u8], sign: usize) -> Option<Range<usize>> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let before = &bytes[..sign];
    let before = match before.last() {
        Some(last) if is_blank(last) => {
            &before[..before.iter().rposition(|byte| !is_blank(byte)).map_or(0, |last| last + 1)]
        }
        _ => before,
    };
    let before = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")).unwrap_or(before);
    let far = before.len().saturating_sub(LONGEST + 1);
    let length = before[far..].iter().rev().take_while(|byte| is_key_byte(**byte)).count();
    (length > 0).then(|| before.len() - length..before.len())
}

/// The next word from `from` on that begins with two dashes and has a quote, a blank or a sign after it.
fn option_after(bytes: &[u8], mut from: usize) -> Option<Range<usize>> {
    static DASHES: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("--"));
    while let Some(found) = DASHES.find(&bytes[from..]) {
        let start = from + found;
        let length = bytes[start..].iter().take_while(|byte| is_key_byte(**byte)).count();
        from = start + length;
        let begins = start.checked_sub(1).is_none_or(|before| !is_key_byte(bytes[before]));
        let after = bytes.get(from);
        if begins && after.is_some_and(|byte| matches!(byte, b'=' | b':' | b'"' | b'\'' | b' ' | b'\t')) {
            return Some(start..from);
        }
    }
    None
}

pub(super) fn is_key_byte(byte: u8) -> bool {
    const KEY: [bool; 256] = super::table(b"_-");
    KEY[usize::from(byte)]
}

/// Longest word that is taken for a key.
const LONGEST: usize = 64;

/// Called for every key of every JSON line that an agent prints: looks at bytes, and makes no text of its own.
fn judge(word: &str) -> Option<Key> {
    if !(3..=LONGEST).contains(&word.len()) || !has_letters(word) {
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
    } else if session(word) {
        Some(Key::Session)
    } else {
        None
    }
}

/// Whether a word has all letters of any word that stands for a secret: nearly no key has.
fn has_letters(word: &str) -> bool {
    const NEEDED: [u32; 14] = [
        letters(b"passwd"),
        letters(b"passphrase"),
        // Those of "privatekey" too.
        letters(b"apikey"),
        letters(b"accesskey"),
        // And of all that end so.
        letters(b"token"),
        letters(b"cookie"),
        letters(b"secret"),
        letters(b"credential"),
        letters(b"authorization"),
        letters(b"session"),
        letters(b"signature"),
        letters(b"pat"),
        letters(b"auth"),
        letters(b"pwd"),
    ];
    let there = word.bytes().fold(0, |there, byte| there | letter(byte));
    NEEDED.iter().any(|needed| there & needed == *needed)
}

/// A bit for each letter of the alphabet.
const fn letters(word: &[u8]) -> u32 {
    let (mut bits, mut at) = (0, 0);
    while at < word.len() {
        bits |= letter(word[at]);
        at += 1;
    }
    bits
}

const fn letter(byte: u8) -> u32 {
    let place = (byte | 0x20).wrapping_sub(b'a');
    if place < 26 { 1 << place } else { 0 }
}

/// Whether a word begins with one that stands for a secret.
pub(super) fn strong(word: &[u8]) -> bool {
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
pub(super) fn weak(word: &[u8]) -> bool {
    let words: &[&[u8]] = match word.last() {
        Some(b'n') => &[b"token", b"authorization"],
        Some(b's') => &[b"credentials"],
        Some(b'e') => &[b"cookie", b"signature"],
        Some(b't') => &[b"pat"],
        _ => &[],
    };
    words.iter().any(|weak| word.ends_with(weak)) || word == b"auth" || word == b"pwd"
}

/// Whether a word ends with one that names a session.
pub(super) fn session(word: &[u8]) -> bool {
    word.ends_with(b"session") || word.ends_with(b"sessionid")
}

/// The secret value that follows a key ending at `at`.
pub(super) fn value_after(text: &str, at: usize, is_option: bool, key: Key) -> Option<Range<usize>> {
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
    let looks_secret =
        value.len() >= 8 && looks_random(value) && !(key == Key::Session && is_identifier(value));
    ((certain && !names_a_thing) || looks_secret).then(|| start..start + value.len())
}

/// Whether a value is the name of something rather than a key to it: a UUID, a digest of git, the id of an agent's
/// conversation, of a run of ours.
fn is_identifier(value: &str) -> bool {
    let hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    let parts = || value.split('-');
    let uuid = value.len() == 36 && parts().map(str::len).eq([8, 4, 4, 4, 12]) && parts().all(hex);
    let digest = matches!(value.len(), 40 | 64) && hex(value);
    uuid || digest || super::shapes::is_id(value) || is_run(value)
}

/// `<ticket>-<UTC stamp>-<n>`, as run folders are called.
fn is_run(value: &str) -> bool {
    let Some((rest, number)) = value.rsplit_once('-') else { return false };
    let stamp = rest.rsplit_once('-').map_or(rest, |(_, stamp)| stamp);
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let stamp = stamp.split_once('T').and_then(|(day, time)| Some((day, time.strip_suffix('Z')?)));
    digits(number)
        && stamp.is_some_and(|(day, time)| day.len() == 8 && time.len() == 6 && digits(day) && digits(time))
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
