//! One entry of a review report or a fix list. Kept as it was written, so that nothing of it is lost on its way from the
//! reviewer to the worker; [`Issue::finding`] is what the house makes of it.

use serde_json::{Map, Value};

use super::fields::{Fields, Invalid, put};
use crate::verify::finding::{Finding, Severity, Source};

/// An entry: `{severity, file, reason}`, by convention with `id` and `required_change` (loop-kit §6).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Issue {
    map: Map<String, Value>,
}

impl Issue {
    /// Checks an entry; it must give a reason, and its other known fields must be of their types.
    pub(super) fn parse(place: &str, map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::of(map.clone(), place);
        fields.text("reason")?;
        for key in ["id", "severity", "file", "required_change", "dimension"] {
            fields.optional_text(key)?;
        }
        for key in ["line", "end_line"] {
            fields.optional_number(key)?;
        }
        Ok(Self { map })
    }

    /// A suggestion that is only a text.
    pub(super) fn of_text(reason: String) -> Self {
        Self { map: Map::from_iter([("reason".to_owned(), Value::String(reason))]) }
    }

    /// The entry for a finding.
    pub fn of_finding(finding: &Finding) -> Self {
        let mut map = Map::new();
        put(&mut map, "id", finding.id.as_str());
        put(&mut map, "severity", finding.severity.word());
        put(&mut map, "file", finding.file.clone());
        put(&mut map, "line", finding.line);
        put(&mut map, "end_line", finding.end_line);
        put(&mut map, "reason", finding.reason.as_str());
        put(&mut map, "required_change", finding.required_change.clone());
        put(&mut map, "dimension", finding.dimension.clone());
        put(&mut map, "confidence", finding.confidence);
        Self { map }
    }

    /// The finding that it is.
    pub fn finding(&self, blocking: bool, source: Source) -> Finding {
        let text = |key: &str| self.text(key).map(str::to_owned).filter(|text| !text.trim().is_empty());
        let number = |key: &str| {
            let number = self.map.get(key).and_then(Value::as_u64);
            number.and_then(|number| u32::try_from(number).ok()).filter(|number| *number > 0)
        };
        let (file, reason) = (text("file"), text("reason").unwrap_or_default());
        let otherwise = if blocking { Severity::Medium } else { Severity::Info };
        Finding {
            id: text("id").unwrap_or_else(|| Finding::key(file.as_deref(), &reason)),
            severity: text("severity").map_or(otherwise, |word| Severity::parse(&word)),
            blocking,
            file,
            line: number("line"),
            end_line: number("end_line"),
            reason,
            required_change: text("required_change"),
            source,
            dimension: text("dimension"),
            confidence: self.map.get("confidence").and_then(Value::as_f64),
        }
    }

    /// One of its texts.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.map.get(key).and_then(Value::as_str)
    }

    /// As it is written.
    pub fn to_value(&self) -> Value {
        Value::Object(self.map.clone())
    }
}
