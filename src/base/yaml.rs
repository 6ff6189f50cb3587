//! Reading small YAML files with `serde_yaml`, whose scanner takes time that grows with the square of how deep lists and
//! maps in flow style lie in each other: a few kilobytes of `[` would hold whoever reads them for minutes.
//!
//! The depth is counted before, roughly: brackets in texts and comments count too. No file that somebody wrote comes near
//! the limit. (Tickets are read by `plan::yaml`, whose depth is bounded by itself.)

use serde::de::{DeserializeOwned, Error as _};

/// Deepest nesting that is read. `serde_yaml` itself gives up at 128.
const DEPTH: usize = 512;

/// Reads a document.
///
/// # Errors
/// What is no YAML, does not fit, or is nested too deeply.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_yaml::Error> {
    if is_deep(bytes) {
        return Err(serde_yaml::Error::custom(format!("more than {DEPTH} brackets are open at once")));
    }
    serde_yaml::from_slice(bytes)
}

/// As [`from_slice`], from a text.
///
/// # Errors
/// As there.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, serde_yaml::Error> {
    from_slice(text.as_bytes())
}

fn is_deep(bytes: &[u8]) -> bool {
    let mut depth: usize = 0;
    for byte in bytes {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use serde_yaml::Value;

    use super::*;

    #[test]
    fn what_is_nested_too_deeply_is_refused_at_once() {
        for open in ["[", "{a: ", "- [[\n"] {
            let text = open.repeat(200_000);
            let error = from_str::<Value>(&text).unwrap_err().to_string();
            assert!(error.contains("512 brackets"), "{error}");
        }
        let wide = format!("[{}]", "[a], {b: c}, ".repeat(50_000));
        assert!(from_str::<Value>(&wide).unwrap().is_sequence());
        assert!(from_slice::<Value>(b"\xff").is_err());
    }
}
