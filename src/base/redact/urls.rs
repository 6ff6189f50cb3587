//! Credentials in URLs: `scheme://user:password@host`, `scheme://token@host`.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// A bare user longer than this is taken for a token: `git@` is a user.
const LONGEST_USER: usize = 15;

/// A URL without its user and password; the scheme, host and path stay.
pub fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest[..authority(rest)].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

/// Reports the credentials of every URL in the text.
pub(super) fn find(text: &str, found: &mut Vec<Range<usize>>) {
    static SCHEME: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("://"));
    for at in SCHEME.find_iter(text.as_bytes()) {
        let rest = &text[at + 3..];
        let rest = &rest[..authority(rest)];
        let Some(end) = rest.rfind('@') else { continue };
        let user = &rest[..end];
        let secret = match user.split_once(':') {
            Some((_, password)) => !super::is_placeholder(password),
            None => user.len() > LONGEST_USER,
        };
        if secret && user != super::REDACTED {
            found.push(at + 3..at + 3 + end);
        }
    }
}

/// Where the part that names user and host ends.
fn authority(rest: &str) -> usize {
    rest.find(|c: char| {
        c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '`' | ')')
    })
    .unwrap_or(rest.len())
}
