//! Beginnings of secrets where a text was cut: what stands right before an ellipsis, or at the end of a text that is
//! still being written.
//!
//! Whoever cuts a line says so with an ellipsis, and cuts before anything is redacted, as nobody wants to look through
//! megabytes for what is not kept. The beginning of a secret has no shape of its own any more: it is compared with the
//! values that are known, with the beginnings of tokens, and with what random letters look like.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::{SHORTEST, shapes};

/// What says that something was left out: looked for in every line.
static ELLIPSIS: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("…"));

/// Reports what may be the beginning of a secret before each ellipsis.
pub(super) fn find(text: &str, known: &[Finder<'static>], found: &mut Vec<Range<usize>>) {
    for at in ELLIPSIS.find_iter(text.as_bytes()) {
        before(&text[..at], known, found);
    }
}

/// Reports what may be the beginning of a secret at the end of `text`.
pub(super) fn before(text: &str, known: &[Finder<'static>], found: &mut Vec<Range<usize>>) {
    // Some who cut put a blank before the ellipsis.
    let text = text.trim_end_matches(' ');
    let longest = known.iter().filter_map(|value| begun(text.as_bytes(), value.needle())).max();
    if let Some(length) = longest.filter(|length| text.is_char_boundary(text.len() - length)) {
        found.push(text.len() - length..text.len());
    }
    if let Some(start) = shapes::begun(text) {
        found.push(start..text.len());
    }
}

/// How much of `value`, but not all of it, `text` ends with; what is shorter than any secret is none.
fn begun(text: &[u8], value: &[u8]) -> Option<usize> {
    let most = text.len().min(value.len().saturating_sub(1));
    (SHORTEST..=most).rev().find(|length| text.ends_with(&value[..*length]))
}
