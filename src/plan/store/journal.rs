//! Rows of planfile's journal `events/operations.jsonl` (`reference/planfile.md` §9.4): one operational event with its
//! hash, and the same event as a `SODL/1` line. Readers verify the hash, so the canonical form follows Python's `json`
//! to the byte. Secrets never enter the journal.

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::secrets;
use crate::base::{atomic, faults};
use crate::plan::lifecycle::history::Facts;

const SCHEMA: &str = "subactor.operational-event.v1";

/// The row of a change.
pub(super) fn change_row(id: &str, facts: &Facts, actor: Option<&str>) -> String {
    let payload = json!({
        "changes": facts.changes, "reason": facts.reason.as_deref().unwrap_or_default(),
        "previous_status": facts.previous_status, "status": facts.status,
        "previous_execution_state": facts.previous_state, "execution_state": facts.state,
    });
    let status = [&facts.status, &facts.state].into_iter().find_map(Value::as_str).unwrap_or("recorded");
    row(id, &facts.at, facts.action, status, actor, payload)
}

/// The row of a new ticket.
pub(super) fn create_row(id: &str, record: &Value, actor: &str) -> String {
    let at = record.get("created_at").and_then(Value::as_str).unwrap_or_default();
    let at = at.strip_suffix('Z').map_or_else(|| at.to_owned(), |text| format!("{text}+00:00"));
    row(id, &at, "create", "open", Some(actor), record.clone())
}

fn row(id: &str, at: &str, action: &str, status: &str, actor: Option<&str>, payload: Value) -> String {
    let data = secrets::without(json!({ "payload": payload }));
    let mut event = Map::new();
    let mut put = |key: &str, value: Value| event.insert(key.to_owned(), value);
    put("schema", json!(SCHEMA));
    put("timestamp", json!(at));
    put("kind", json!("task"));
    put("source", json!("koru-tui.store"));
    put("ticket_id", json!(or_dash(id)));
    put("actor", json!(actor.map(str::trim).filter(|actor| !actor.is_empty()).unwrap_or("system")));
    put("oql", json!(format!("ticket.{action}")));
    put("uri", json!(format!("planfile://tickets/{id}/command/{action}")));
    put("mode", json!("apply"));
    put("status", json!(status));
    put("correlation_id", json!(or_dash(id)));
    put("causation_id", json!("-"));
    put("replayable", json!(true));
    put("input_hash", json!(sha256(&canonical(&data))));
    put("receipt_ref", json!("-"));
    put("data", data);
    let core = Value::Object(event.clone());
    let event_id = format!("evt_{}", &sha256(&canonical(&core))[..24]);
    event.insert("event_id".to_owned(), json!(event_id));
    let event_hash = sha256(&canonical(&Value::Object(event.clone())));
    event.insert("event_hash".to_owned(), json!(event_hash));
    let dsl = line(&event);
    json!({"schema": SCHEMA, "event": event, "dsl": dsl}).to_string()
}

/// Appends rows in one write, ending a last line that a crash tore. Not synced, unlike the tickets: nothing is rebuilt
/// from the journal and the tickets' own history says the same, so a power loss may take the last rows.
///
/// # Errors
/// Any I/O error.
pub(super) fn append(folder: &Path, rows: &[String]) -> io::Result<()> {
    atomic::make_own_dir(folder)?;
    faults::step("append to the journal")?;
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(nix::fcntl::OFlag::O_NOFOLLOW.bits())
        .open(folder.join("operations.jsonl"))?;
    let mut text = String::with_capacity(rows.iter().map(|row| row.len() + 1).sum::<usize>() + 1);
    if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            text.push('\n');
        }
    }
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    file.write_all(text.as_bytes())
}

/// The event as one `SODL/1` line.
fn line(event: &Map<String, Value>) -> String {
    const FIELDS: [&str; 15] = [
        "event_id",
        "event_hash",
        "timestamp",
        "kind",
        "source",
        "ticket_id",
        "actor",
        "oql",
        "uri",
        "mode",
        "status",
        "correlation_id",
        "causation_id",
        "input_hash",
        "receipt_ref",
    ];
    let mut line = "SODL/1".to_owned();
    for key in FIELDS {
        let label = if key == "event_id" { "id" } else { key };
        let text = event.get(key).and_then(Value::as_str).unwrap_or("-");
        line.push_str(&format!(" {label}={}", percent(or_dash(text))));
    }
    let data = event.get("data").map(canonical).unwrap_or_default();
    line.push_str(&format!(" replayable=true data={}", base64url(data.as_bytes())));
    line
}

fn or_dash(text: &str) -> &str {
    if text.trim().is_empty() { "-" } else { text.trim() }
}

/// Keys sorted, no blanks, integral floats as integers: what Python and Node hash alike.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            let pairs =
                keys.iter().map(|key| format!("{}:{}", Value::from(key.as_str()), canonical(&map[*key])));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        Value::Array(list) => format!("[{}]", list.iter().map(canonical).collect::<Vec<_>>().join(",")),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() => python_float(float),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
}

/// Python's `repr` of a finite float, or the integer that it is.
fn python_float(float: f64) -> String {
    if float.fract() == 0.0 {
        return if float == 0.0 { "0".to_owned() } else { format!("{float:.0}") };
    }
    if float.abs() >= 1e-4 {
        return json!(float).to_string();
    }
    let text = format!("{float:e}");
    match text.split_once("e-") {
        Some((digits, exponent)) if exponent.len() == 1 => format!("{digits}e-0{exponent}"),
        _ => text,
    }
}

fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// URL-safe base64 without padding.
fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=chunk.len() {
            let index = (bits >> (18 - 6 * place)) & 63;
            out.push(char::from(ALPHABET[index as usize]));
        }
    }
    out
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row that planfile 0.1.126 wrote (`statuses-archived`), hash and line included.
    const REAL: &str = include_str!("../../../tests/fixtures/planfile/journal-row.json");

    #[test]
    fn hash_and_line_agree_with_planfiles_own() {
        let row: Value = serde_json::from_str(REAL).unwrap();
        let mut event = row["event"].as_object().unwrap().clone();
        assert_eq!(line(&event), row["dsl"]);
        let hash = event.shift_remove("event_hash").unwrap();
        assert_eq!(sha256(&canonical(&Value::Object(event.clone()))), hash);
        let id = event.shift_remove("event_id").unwrap();
        assert_eq!(format!("evt_{}", &sha256(&canonical(&Value::Object(event)))[..24]), id);
    }

    #[test]
    fn canonical_json_is_pythons() {
        let value = json!({"b": [30.0, 0.5, -0.0, 1e-7, 1.5e-5, 1e22, 3], "a": {"é\n": null, "A": true}});
        let wanted = r#"{"a":{"A":true,"é\n":null},"b":[30,0.5,0,1e-07,1.5e-05,10000000000000000000000,3]}"#;
        assert_eq!(canonical(&value), wanted);
    }

    #[test]
    fn a_torn_last_line_is_ended_before_rows_are_added() {
        let folder = tempfile::tempdir().unwrap();
        let events = folder.path().join("events");
        append(&events, &["{1}".to_owned(), "{2}".to_owned()]).unwrap();
        let path = events.join("operations.jsonl");
        std::fs::write(&path, "{1}\n{2").unwrap();
        append(&events, &["{3}".to_owned()]).unwrap();
        assert_eq!(std::fs::read_to_string(path).unwrap(), "{1}\n{2\n{3}\n");
    }

    #[test]
    fn base64_has_no_padding() {
        let cases = [("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("\u{3ff}\u{3fe}", "z7_Pvg")];
        for (given, wanted) in cases {
            assert_eq!(base64url(given.as_bytes()), wanted);
        }
    }

    #[test]
    fn a_row_is_one_line_whatever_the_ticket_says() {
        let record = json!({"id": "A 1\n", "name": "x\ny", "created_at": "2026-11-21T05:00:00Z"});
        let text = create_row("A 1\n", &record, " ");
        assert!(!text.contains('\n'), "{text}");
        let row: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(row["event"]["actor"], "system");
        assert_eq!(row["event"]["timestamp"], "2026-11-21T05:00:00+00:00");
    }
}
