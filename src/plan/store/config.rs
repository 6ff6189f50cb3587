//! planfile's `config.yaml`: what it says about storage, ids and the archive, and the one edit that we make in it.
//!
//! Read as planfile 0.1.126 reads it: every setting has a default, odd values fall back to it. The file is never
//! rewritten; only the value of `next_id` is replaced in place.

use std::ops::Range;
use std::sync::Arc;

use serde_yaml::Value;

use super::archive::ArchiveRule;
use crate::base::yaml;
use crate::plan::yaml::SprintFault;

/// The settings of one planfile.
#[derive(Clone, Debug)]
pub(super) struct Config {
    /// `project`, when it is a text.
    pub(super) project: Option<String>,
    /// Ids start with this.
    pub(super) prefix: String,
    /// Next id, or what stands there instead of a number.
    pub(super) next_id: Result<u64, String>,
    /// When finished tickets leave `current`.
    pub(super) archive: ArchiveRule,
    /// `storage.backend`; `None` without a `storage` section, which only releases without a lock leave out.
    pub(super) backend: Option<String>,
    text: Arc<str>,
}

impl Config {
    /// Reads the text of a config.
    ///
    /// # Errors
    /// Where the file stops being a mapping that planfile reads.
    pub(super) fn parse(bytes: &[u8]) -> Result<Config, SprintFault> {
        let text = std::str::from_utf8(bytes).map_err(|error| not_text(bytes, error.valid_up_to()))?;
        let root = match yaml::from_str::<Value>(text) {
            Ok(Value::Null) => Value::Mapping(serde_yaml::Mapping::new()),
            Ok(root @ Value::Mapping(_)) => root,
            Ok(_) => {
                return Err(fault(text, 1, 1, "the config must be a mapping of settings; repair it by hand"));
            }
            Err(error) => return Err(unreadable(text, &error)),
        };
        let storage = root.get("storage").filter(|storage| !storage.is_null());
        let backend = storage.map(|storage| match storage.get("backend").and_then(Value::as_str) {
            Some(word) => word.to_owned(),
            None => "single-yaml".to_owned(),
        });
        Ok(Config {
            project: root.get("project").and_then(text_of),
            prefix: root.get("prefix").and_then(text_of).unwrap_or_else(|| "PLF".to_owned()),
            next_id: next_id_of(root.get("next_id")),
            archive: ArchiveRule::read(root.get("archive")),
            backend,
            text: text.into(),
        })
    }

    /// Whether planfile would look for shards instead of single files (an unknown word means single files to it).
    pub(super) fn is_sharded(&self) -> bool {
        self.backend.as_deref() == Some("sharded-yaml")
    }

    /// The config's text with another `next_id`, every other byte the same; `None` when it is written in a way that
    /// cannot be edited in place.
    pub(super) fn with_next_id(&self, next: u64) -> Option<String> {
        let text = &*self.text;
        let edited = match next_id_spans(text).as_slice() {
            [span] => format!("{}{next}{}", &text[..span.start], &text[span.end..]),
            [] if is_block_mapping(text) => {
                let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
                format!("{text}{gap}next_id: {next}\n")
            }
            _ => return None,
        };
        let before: Value = yaml::from_str(text).ok()?;
        let after: Value = yaml::from_str(&edited).ok()?;
        (after.get("next_id").and_then(Value::as_u64) == Some(next) && same_but_next_id(before, after))
            .then_some(edited)
    }
}

fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// What Python's `int()` makes of the value.
fn next_id_of(value: Option<&Value>) -> Result<u64, String> {
    let shown = |value: &Value| serde_yaml::to_string(value).unwrap_or_default().trim().to_owned();
    match value {
        None => Ok(1),
        Some(Value::String(text)) => text.trim().parse().map_err(|_| text.clone()),
        Some(value) => value.as_u64().ok_or_else(|| shown(value)),
    }
}

/// Where the value of a top-level `next_id` stands.
fn next_id_spans(text: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let body = line.trim_end_matches(['\n', '\r']);
        if let Some(rest) =
            body.strip_prefix("next_id").map(str::trim_start).and_then(|rest| rest.strip_prefix(':'))
        {
            let value = rest.find(" #").map_or(rest, |comment| &rest[..comment]);
            let from = start + body.len() - rest.len() + (value.len() - value.trim_start().len());
            if !value.trim().is_empty() {
                spans.push(from..from + value.trim().len());
            }
        }
        start += line.len();
    }
    spans
}

/// Whether a further line `key: value` at the end would be one more setting.
fn is_block_mapping(text: &str) -> bool {
    let mut lines =
        text.lines().filter(|line| !line.trim().is_empty() && !line.trim_start().starts_with('#'));
    lines.all(|line| !line.starts_with(['{', '.', '%']) && !line.starts_with("---"))
}

fn same_but_next_id(mut before: Value, mut after: Value) -> bool {
    for root in [&mut before, &mut after] {
        if let Value::Mapping(map) = root {
            map.remove("next_id");
        }
    }
    before == after || (before.is_null() && after == Value::Mapping(serde_yaml::Mapping::new()))
}

fn unreadable(text: &str, error: &serde_yaml::Error) -> SprintFault {
    let (line, column) = error.location().map_or((1, 1), |at| (at.line(), at.column()));
    fault(text, line, column, &format!("the config does not parse ({error}); repair it by hand"))
}

fn not_text(bytes: &[u8], at: usize) -> SprintFault {
    let before = bytes.get(..at).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let message = "the config is not UTF-8 text; save it as UTF-8".to_owned();
    SprintFault { line, column: 1, message, excerpt: None }
}

fn fault(text: &str, line: usize, column: usize, message: &str) -> SprintFault {
    let excerpt = text.lines().nth(line.saturating_sub(1)).map(str::to_owned);
    SprintFault { line, column, message: message.to_owned(), excerpt }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Config {
        Config::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn the_next_id_is_edited_in_place() {
        let cases = [
            ("prefix: X\nnext_id: 3 # keep\nproject: p\n", "prefix: X\nnext_id: 12 # keep\nproject: p\n"),
            ("next_id: '3'\r\nprefix: X\r\n", "next_id: 12\r\nprefix: X\r\n"),
            ("next_id : 3", "next_id : 12"),
            ("prefix: X", "prefix: X\nnext_id: 12\n"),
            ("# nothing yet\n", "# nothing yet\nnext_id: 12\n"),
            ("archive:\n  next_id: 7\nnext_id: 3\n", "archive:\n  next_id: 7\nnext_id: 12\n"),
        ];
        for (given, wanted) in cases {
            assert_eq!(config(given).with_next_id(12).as_deref(), Some(wanted));
        }
    }

    #[test]
    fn a_config_that_cannot_be_edited_in_place_is_left_alone() {
        assert_eq!(config("{next_id: 3, prefix: X}\n").with_next_id(4), None);
        assert_eq!(config("next_id:\n  3\n").with_next_id(4), None);
    }

    #[test]
    fn next_id_is_read_as_python_would() {
        assert_eq!(config("next_id: '3'\n").next_id, Ok(3));
        assert_eq!(config("{}\n").next_id, Ok(1));
        assert_eq!(config("next_id: seven\n").next_id, Err("seven".to_owned()));
    }

    #[test]
    fn faults_name_the_line() {
        let broken = Config::parse(b"prefix: X\nnext_id: [3\n").unwrap_err();
        assert!(broken.line >= 2, "{broken}");
        let list = Config::parse(b"- 1\n").unwrap_err();
        assert_eq!((list.line, list.excerpt.as_deref()), (1, Some("- 1")));
        assert_eq!(Config::parse(b"a: 1\nb: \xff\n").unwrap_err().line, 2);
    }

    #[test]
    fn the_backend_tells_layouts_apart() {
        assert_eq!(config("prefix: X\n").backend, None);
        assert_eq!(config("storage: {}\n").backend.as_deref(), Some("single-yaml"));
        assert!(config("storage: {backend: sharded-yaml}\n").is_sharded());
        assert!(!config("storage: {backend: martian}\n").is_sharded());
    }
}
