//! Secrets are taken out of text before it is shown, logged or exported: known token shapes, `key=value` pairs whose
//! key names a secret, credentials in URLs, values of the environment variables handed to a run, and long
//! high-entropy words.
//!
//! Each rule is a scanner that reports ranges ([`pairs`], [`shapes`], [`urls`], and [`cuts`] for what was cut in two);
//! this module joins and replaces them. Every byte that an agent prints passes here twice (as it came, and as a line),
//! so a scanner looks for the few bytes that can begin a secret and passes over the rest, many lines at once where it
//! can ([`Redactor::is_clean`]), and judges a word once that stands on every line ([`seen`]); what it must find is said
//! plainly by the scanners of the tests. What is left alone on purpose, because an operator needs it: commit ids and
//! other hexadecimal digests, UUIDs, the ids of conversations, messages, tool calls and runs, checksums that say so
//! (`sha256-…`), placeholders (`$TOKEN`, `<token>`, `***`), and prose or code in which a word
//! like "token" is followed by another word. A text without a secret is borrowed, not copied. Cleaning twice changes
//! nothing more.

mod cuts;
mod names;
mod pairs;
mod seen;
mod shapes;
mod urls;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::packed;
use memchr::memmem::Finder;

pub use names::is_secret_name;
pub use urls::without_credentials;

/// What stands where a secret was.
pub const REDACTED: &str = "[redacted]";

/// Shortest value, in characters, that is taken out wherever it stands: a shorter one would be found in harmless words.
const SHORTEST: usize = 6;

/// Takes secrets out.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    known: Option<Arc<Known>>,
}

/// Exact values.
#[derive(Debug)]
struct Known {
    /// Tells in one pass whether any of them is there; which, and where else, is asked only then.
    any: Option<packed::Searcher>,
    each: Vec<Finder<'static>>,
}

impl Redactor {
    /// One that also takes out these exact values (those of 6 characters and more; of a value of several lines, such
    /// as a private key, each line), also as they stand in a line of JSON.
    pub fn with_values(values: impl IntoIterator<Item = String>) -> Self {
        let mut known: Vec<String> = values
            .into_iter()
            .flat_map(|value| {
                value.lines().map(|line| line.trim().to_owned()).chain([value.clone()]).collect::<Vec<_>>()
            })
            .filter(|value| value.chars().count() >= SHORTEST)
            .collect();
        let escaped: Vec<String> = known.iter().filter_map(|value| in_json(value)).collect();
        known.extend(escaped);
        known.sort_unstable();
        known.dedup();
        if known.is_empty() {
            return Self::default();
        }
        // Without it (too many values, a machine that has no such instructions) each is looked for by itself.
        let any = packed::Searcher::new(&known).filter(|_| known.len() > 1);
        let each = known.iter().map(|value| Finder::new(value).into_owned()).collect();
        Self { known: Some(Arc::new(Known { any, each })) }
    }

    /// The text with every secret replaced by `[redacted]`; borrowed when there is none.
    pub fn clean<'a>(&self, text: &'a str) -> Cow<'a, str> {
        cleaned(text, self.find(text))
    }

    /// [`Redactor::clean`] for a text that is still being written: what may be the beginning of a secret at its end is
    /// taken out too.
    pub fn clean_unfinished<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut found = self.find(text);
        cuts::before(text, self.each(), &mut found);
        cleaned(text, found)
    }

    /// Appends what [`Redactor::clean`] makes of the text.
    pub fn clean_into(&self, text: &str, out: &mut String) {
        let found = self.find(text);
        if found.is_empty() {
            out.push_str(text);
        } else {
            replace(text, found, out);
        }
    }

    /// Whether there is nothing to take out of any line of the text: what is said for all lines at once need not be asked
    /// for each. It may say no where each line alone is clean (a value whose quote is closed on another line), never the
    /// other way round: a word ends with its line, and a value in the whole text is at least as long as in its line.
    pub fn is_clean(&self, text: &str) -> bool {
        self.find(text).is_empty()
    }

    fn each(&self) -> &[Finder<'static>] {
        self.known.as_ref().map_or(&[], |known| &known.each)
    }

    fn find(&self, text: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        if let Some(known) = &self.known {
            known.find(text, &mut found);
        }
        urls::find(text, &mut found);
        pairs::find(text, &mut found);
        shapes::find(text, &mut found);
        cuts::find(text, self.each(), &mut found);
        found
    }
}

/// The text with the ranges replaced; borrowed when there are none.
fn cleaned(text: &str, found: Vec<Range<usize>>) -> Cow<'_, str> {
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    replace(text, found, &mut out);
    Cow::Owned(out)
}

impl Known {
    fn find(&self, text: &str, found: &mut Vec<Range<usize>>) {
        if self.any.as_ref().is_some_and(|any| any.find(text).is_none()) {
            return;
        }
        for value in &self.each {
            let length = value.needle().len();
            found.extend(value.find_iter(text.as_bytes()).map(|at| at..at + length));
        }
    }
}

/// The value as JSON writes it between quotes, where that is another text.
fn in_json(value: &str) -> Option<String> {
    let quoted = serde_json::to_string(value).ok()?;
    let escaped = quoted.strip_prefix('"')?.strip_suffix('"')?;
    (escaped != value).then(|| escaped.to_owned())
}

/// Appends the text with the ranges replaced, joined where they touch.
fn replace(text: &str, mut found: Vec<Range<usize>>, out: &mut String) {
    found.sort_unstable_by_key(|range| (range.start, range.end));
    let mut done = 0;
    let mut ranges = found.into_iter().peekable();
    while let Some(mut range) = ranges.next() {
        while let Some(next) = ranges.next_if(|next| next.start <= range.end) {
            range.end = range.end.max(next.end);
        }
        out.push_str(&text[done..range.start]);
        out.push_str(REDACTED);
        done = range.end;
    }
    out.push_str(&text[done..]);
}

/// A table of letters, digits and these signs: every byte of an agent's stream is looked up in two of them.
const fn table(signs: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        table[byte as usize] = byte.is_ascii_alphanumeric();
        byte += 1;
    }
    let mut at = 0;
    while at < signs.len() {
        table[signs[at] as usize] = true;
        at += 1;
    }
    table
}

/// Whether a value only stands for a secret: empty, cleaned already, a variable, a blank to fill in.
fn is_placeholder(value: &str) -> bool {
    value.is_empty()
        || value.starts_with(['$', '<', '%', '{', '(', '['])
        || value.chars().all(|c| matches!(c, '*' | '.' | 'x' | 'X' | '-' | '_' | '•' | '…'))
        || BLANKS.iter().any(|blank| value.eq_ignore_ascii_case(blank))
}

/// What stands where a value would be, in any case of letters.
const BLANKS: [&str; 9] =
    ["null", "none", "nil", "true", "false", "undefined", "redacted", "required", "optional"];

#[cfg(test)]
mod tests;
