//! Secrets are taken out of what goes to the journal: first by our own redaction, then by planfile's rules, so that
//! planfile's reader, which redacts again before it verifies the hash, finds nothing left to change.

use serde_json::Value;

use crate::base::redact::Redactor;

const MARK: &str = "[REDACTED]";

/// The value without secrets.
pub(super) fn without(value: Value) -> Value {
    clean(value, "", &Redactor::default())
}

fn clean(value: Value, key: &str, redactor: &Redactor) -> Value {
    if is_sensitive(key) {
        return Value::from(MARK);
    }
    match value {
        Value::Object(map) => {
            map.into_iter().map(|(name, item)| (name.clone(), clean(item, &name, redactor))).collect()
        }
        Value::Array(list) => list.into_iter().map(|item| clean(item, "", redactor)).collect(),
        Value::String(text) => Value::String(as_planfile(&redactor.clean(&text))),
        other => other,
    }
}

/// planfile's list of key parts, without regard to case; `_` and `-` inside `api_key`, `private_key` are optional.
fn is_sensitive(key: &str) -> bool {
    let key = key.to_lowercase();
    const PARTS: [&str; 12] = [
        "authorization",
        "cookie",
        "credential",
        "password",
        "passwd",
        "secret",
        "token",
        "apikey",
        "api_key",
        "api-key",
        "private_key",
        "private-key",
    ];
    PARTS.iter().any(|part| key.contains(part)) || key.contains("privatekey")
}

/// planfile 0.1.126's rules for texts: the value after `token=` in a URL, after `authorization:` and after
/// `password=`-like words.
fn as_planfile(text: &str) -> String {
    let text = replace_values(text, token_value);
    let text = replace_values(&text, authorization_value);
    replace_values(&text, keyword_value)
}

/// Replaces each range that `find` yields, searching on behind it.
fn replace_values(text: &str, find: fn(&str, usize) -> Option<std::ops::Range<usize>>) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut done, mut at) = (0, 0);
    while at < text.len() {
        match find(text, at) {
            Some(value) if text.is_char_boundary(at) => {
                out.push_str(&text[done..value.start]);
                out.push_str(MARK);
                (done, at) = (value.end, value.end);
            }
            _ => at += 1,
        }
    }
    out.push_str(&text[done..]);
    out
}

/// `[?#&](access_)?token=` at `at`: the value behind it.
fn token_value(text: &str, at: usize) -> Option<std::ops::Range<usize>> {
    let rest = text.get(at..)?.strip_prefix(['?', '#', '&'])?;
    let rest = strip_word(rest, "access_").unwrap_or(rest);
    let value = strip_word(rest, "token=")?;
    range(text, value, |c| c == '&' || c == '#' || c.is_whitespace())
}

/// `authorization` and a `:` or `=` at `at`: the value behind it, a scheme `bearer` stays.
fn authorization_value(text: &str, at: usize) -> Option<std::ops::Range<usize>> {
    let stop = |c: char| c == ',' || c == ';' || c.is_whitespace();
    let value = after_sign(strip_word(text.get(at..)?, "authorization")?)?;
    if let Some(token) = strip_word(value, "bearer")
        && token.starts_with(char::is_whitespace)
        && let Some(found) = range(text, token.trim_start(), stop)
    {
        return Some(found);
    }
    range(text, value, stop)
}

/// A word that names a secret and a `:` or `=` at `at`: the value behind it.
fn keyword_value(text: &str, at: usize) -> Option<std::ops::Range<usize>> {
    const WORDS: [&str; 6] = ["password", "passwd", "secret", "apikey", "api_key", "api-key"];
    let rest = text.get(at..)?;
    let value = WORDS.iter().find_map(|word| after_sign(strip_word(rest, word)?))?;
    range(text, value, |c| matches!(c, ',' | ';' | '&') || c.is_whitespace())
}

/// The rest behind a word, without regard to ASCII case.
fn strip_word<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word).then(|| &text[word.len()..])
}

/// The rest behind `\s*[:=]\s*`.
fn after_sign(text: &str) -> Option<&str> {
    Some(text.trim_start().strip_prefix([':', '='])?.trim_start())
}

/// The range of `value`, a tail of `text`, up to the first stop; `None` when that is empty.
fn range(text: &str, value: &str, stop: impl Fn(char) -> bool) -> Option<std::ops::Range<usize>> {
    let start = text.len() - value.len();
    let length = value.find(stop).unwrap_or(value.len());
    (length > 0).then_some(start..start + length)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_telling_keys_and_patterns_go() {
        let given = json!({
            "API_Key": "abc", "env": {"x-token": 1, "list": ["https://h/?a=1&access_token=zz"]},
            "note": "Authorization: Bearer qqq, PASSWORD = hunter2; é api-key:x",
        });
        let wanted = json!({
            "API_Key": MARK, "env": {"x-token": MARK, "list": ["https://h/?a=1&access_token=[REDACTED]"]},
            "note": "Authorization: Bearer [REDACTED], PASSWORD = [REDACTED]; é api-key:[REDACTED]",
        });
        assert_eq!(without(given), wanted);
    }

    #[test]
    fn plain_text_stays_and_twice_is_once() {
        for text in ["", "no secrets: none", "pass the token", "authorization:", "päßword=1", "password=["]
        {
            let once = without(json!(text));
            assert_eq!(without(once.clone()), once);
        }
        assert_eq!(as_planfile("a token = b"), "a token = b");
        assert_eq!(as_planfile("/?token=zz#f&token=y"), "/?token=[REDACTED]#f&token=[REDACTED]");
    }
}
