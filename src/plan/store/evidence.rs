//! Receipts that planfile merges into `outputs` on reading (`evidence/<id>.jsonl`, `reference/planfile.md` §9.3).
//! Read only: the YAML is not changed by them, and neither do we write any.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

/// The receipts' file of a ticket; `None` for an id that planfile would not look up either.
pub(super) fn path_of(folder: &Path, id: &str) -> Option<PathBuf> {
    let fits = (1..=128).contains(&id.len())
        && id.starts_with(|first: char| first.is_ascii_alphanumeric())
        && id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'));
    fits.then(|| folder.join(format!("{id}.jsonl")))
}

/// Merges the receipts of `lines` into `record` as planfile 0.1.126 does. Lines that are no receipts are passed over.
pub(super) fn merge(record: &mut Value, lines: &str) {
    let rows: Vec<Value> = lines.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let rows: Vec<&Map<String, Value>> = rows.iter().filter_map(Value::as_object).collect();
    if rows.is_empty() || !record.is_object() {
        return;
    }
    let mut outputs = record.get("outputs").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut result = outputs.get("result").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut notes = texts(outputs.get("notes"));
    let mut artifacts = texts(outputs.get("artifacts"));
    let mut latest = record.get("updated_at").and_then(Value::as_str).unwrap_or_default().to_owned();
    for row in rows {
        let collection = row.get("collection").and_then(Value::as_str).unwrap_or_default();
        let Some(evidence) = row.get("evidence").filter(|evidence| evidence.is_object()) else { continue };
        if collection.is_empty() {
            continue;
        }
        let mut values = result.get(collection).and_then(Value::as_array).cloned().unwrap_or_default();
        let key = row.get("idempotency_key").and_then(text).unwrap_or_else(|| item_key(evidence));
        if key.is_empty() || values.iter().all(|value| item_key(value) != key) {
            values.push(evidence.clone());
            result.insert(collection.to_owned(), Value::Array(values));
        }
        add_new(&mut notes, texts(row.get("notes")));
        add_new(&mut artifacts, texts(row.get("artifacts")));
        let stamp = row.get("timestamp").and_then(Value::as_str).unwrap_or_default();
        if later(stamp, &latest) {
            latest = stamp.to_owned();
        }
    }
    outputs.insert("result".to_owned(), Value::Object(result));
    outputs.insert("notes".to_owned(), json!(notes));
    outputs.insert("artifacts".to_owned(), json!(artifacts));
    record["outputs"] = Value::Object(outputs);
    if !latest.is_empty() {
        record["updated_at"] = Value::String(latest);
    }
}

/// planfile compares the texts; instants are what is meant, text only where one of them is none.
fn later(stamp: &str, than: &str) -> bool {
    match (stamp.parse::<jiff::Timestamp>(), than.parse::<jiff::Timestamp>()) {
        (Ok(stamp), Ok(than)) => stamp > than,
        _ => stamp > than,
    }
}

fn item_key(item: &Value) -> String {
    ["idempotency_key", "evidence_id", "execution_id"]
        .iter()
        .find_map(|key| item.get(key).and_then(text))
        .unwrap_or_default()
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(text).collect()
}

fn add_new(list: &mut Vec<String>, more: Vec<String>) {
    for item in more {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn receipts_extend_outputs_once_each() {
        let mut record = json!({
            "updated_at": "2026-11-21T05:00:00Z",
            "outputs": {"notes": ["a"], "result": {"runs": [{"idempotency_key": "k1", "n": 1}]}},
        });
        let lines = concat!(
            r#"{"collection":"runs","idempotency_key":"k1","evidence":{"n":9},"notes":["a","b"],"timestamp":"2026-11-21T05:00:01+00:00"}"#,
            "\n{torn\n[]\n",
            r#"{"collection":"runs","idempotency_key":"k2","evidence":{"n":2},"artifacts":["x"],"timestamp":"2026-11-21T04:00:00+00:00"}"#,
            "\n",
            r#"{"collection":"","evidence":{"n":3}}"#,
        );
        merge(&mut record, lines);
        let wanted = json!({
            "updated_at": "2026-11-21T05:00:01+00:00",
            "outputs": {
                "notes": ["a", "b"], "artifacts": ["x"],
                "result": {"runs": [{"idempotency_key": "k1", "n": 1}, {"n": 2}]},
            },
        });
        assert_eq!(record, wanted);
    }

    #[test]
    fn no_receipts_change_nothing() {
        let mut record = json!({"outputs": null});
        merge(&mut record, "\n");
        assert_eq!(record, json!({"outputs": null}));
    }

    #[test]
    fn ids_that_are_no_file_names_have_no_receipts() {
        assert_eq!(path_of(Path::new("e"), "PLF-001"), Some(PathBuf::from("e/PLF-001.jsonl")));
        for id in ["", "../x", "a/b", ".x", "-x", "a b"] {
            assert_eq!(path_of(Path::new("e"), id), None, "{id}");
        }
    }
}
