//! Reading JSON of which nothing is promised: a missing or differently typed field is simply not there.

use serde_json::Value;

use super::prefix;

/// Bytes of a path or a sentence.
const WORD: usize = 4096;

/// Bytes of a name or an id.
const NAME: usize = 256;

/// The line as a JSON object. Bytes that are no UTF-8 are replaced, as a terminal would; `None` for anything else.
pub(super) fn object(line: &[u8]) -> Option<Value> {
    let value = match serde_json::from_slice::<Value>(line) {
        Ok(value) => value,
        Err(_) if std::str::from_utf8(line).is_err() => {
            serde_json::from_str(&String::from_utf8_lossy(line)).ok()?
        }
        Err(_) => return None,
    };
    value.is_object().then_some(value)
}

/// The text under `key`, or "".
pub(super) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The text under `key`, if there is one that is not empty: a path or a sentence, cut after [`WORD`] bytes, since some
/// are remembered.
pub(super) fn word(value: &Value, key: &str) -> Option<String> {
    Some(prefix(text(value, key), WORD)).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// The name or id under `key`, or "". Cut after [`NAME`] bytes, since they are remembered.
pub(super) fn name(value: &Value, key: &str) -> String {
    prefix(text(value, key), NAME).to_owned()
}

/// The name under `key`, if there is one.
pub(super) fn named(value: &Value, key: &str) -> Option<String> {
    Some(name(value, key)).filter(|name| !name.is_empty())
}

/// Takes the text under `key` out, so that a long one is not copied.
pub(super) fn take_text(value: &mut Value, key: &str) -> String {
    match value.get_mut(key).map(Value::take) {
        Some(Value::String(text)) => text,
        _ => String::new(),
    }
}

/// Takes whatever is under `key` out.
pub(super) fn take(value: &mut Value, key: &str) -> Value {
    value.get_mut(key).map(Value::take).unwrap_or_default()
}

/// The list under `key`, or an empty one.
pub(super) fn take_list(value: &mut Value, key: &str) -> Vec<Value> {
    match take(value, key) {
        Value::Array(list) => list,
        _ => Vec::new(),
    }
}

/// The whole number under `key`, or 0. Numbers written with a point count too; negative ones do not.
pub(super) fn count(value: &Value, key: &str) -> u64 {
    number(value, key).unwrap_or_default()
}

/// The whole number under `key`.
pub(super) fn number(value: &Value, key: &str) -> Option<u64> {
    let found = value.get(key)?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked, and saturating")]
    found.as_u64().or_else(|| found.as_f64().filter(|n| n.is_finite() && *n >= 0.0).map(|n| n as u64))
}

/// The number under `key`, if it is a usable amount.
pub(super) fn amount(value: &Value, key: &str) -> Option<f64> {
    value.get(key)?.as_f64().filter(|n| n.is_finite() && *n >= 0.0)
}

/// The HTTP status under `key`.
pub(super) fn status(value: &Value, key: &str) -> Option<u16> {
    number(value, key).and_then(|n| u16::try_from(n).ok()).filter(|n| (100..600).contains(n))
}

/// An exit code under `key`.
pub(super) fn exit_code(value: &Value, key: &str) -> Option<i32> {
    value.get(key)?.as_i64().and_then(|n| i32::try_from(n).ok())
}

/// Text of a tool's output: a string as it is, a list of `{type: text, text}` parts joined, anything else as JSON.
pub(super) fn content(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        Value::Array(parts) => {
            let mut all = String::new();
            for mut part in parts {
                if !all.is_empty() && !all.ends_with('\n') {
                    all.push('\n');
                }
                match text(&part, "type") {
                    "text" => all.push_str(&take_text(&mut part, "text")),
                    "" => all.push_str(part.as_str().unwrap_or(&part.to_string())),
                    // A picture's bytes are no text.
                    other => all.push_str(&format!("[{other}]")),
                }
            }
            all
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(object(b"{\"a\":\"x\xff\"}"), Some(json!({"a": "x\u{fffd}"})));
        assert_eq!(object(b"[1]"), None);
        assert_eq!(object(b"{\"a\":"), None);
    }

    #[test]
    fn a_field_of_another_type_is_not_there() {
        let value = json!({"s": 5, "n": "x", "neg": -1, "f": 2.0, "code": -9, "status": 99_999});
        assert_eq!((text(&value, "s"), count(&value, "n"), count(&value, "neg")), ("", 0, 0));
        assert_eq!(
            (number(&value, "f"), exit_code(&value, "code"), status(&value, "status")),
            (Some(2), Some(-9), None)
        );
    }

    #[test]
    fn content_parts_are_joined() {
        let parts = json!([{"type": "text", "text": "a\n"}, {"type": "image", "data": "…"}, {"type": "text", "text": "b"}]);
        assert_eq!(content(parts), "a\n[image]\nb");
        assert_eq!(content(json!({"k": 1})), "{\"k\":1}");
    }
}
