//! The audit: append-only JSON lines per day under `.planfile/.koru/audit/`, written through before a decision is shown
//! as done.
//!
//! One file a UTC day, `2026-11-21.jsonl`, 0600; one row is one line, one write and one sync. Several programs may append
//! at once. What a crash or another program left in a file is passed over and counted by the reader, never repaired:
//! nothing here rewrites or removes a row. Strings are redacted before they are written (DESIGN §5).

use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::base::atomic;
use crate::base::redact::Redactor;

/// Bytes that are read from the end of one day's file; a day of decisions is far smaller.
const DAY_LIMIT: u64 = 32 * 1024 * 1024;

/// Longest line that counts as a row.
const LINE_LIMIT: usize = 1024 * 1024;

/// Keys that every row has and no detail may replace.
const OWN_KEYS: [&str; 3] = ["at", "kind", "who"];

/// Ending of a day's file.
const ENDING: &str = ".jsonl";

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// When it was decided or found.
    pub at: Timestamp,
    /// What kind: `breach`, `waiver`, `stop`, `answer`, …
    pub kind: String,
    /// Who did it (foreign text).
    pub who: String,
    /// Everything else, in the order of the file (foreign text).
    pub detail: Map<String, Value>,
}

/// What [`tail`] found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tail {
    /// Rows in the order of the files, the newest last.
    pub rows: Vec<Row>,
    /// Lines that are no rows: torn by a crash, or written by something else.
    pub unreadable: usize,
}

/// Appends one row durably to the day's file in `folder`: `{"at": …, "kind": kind, "who": who, …detail}`. A detail that
/// is no object, or that has one of these three keys, is kept whole under `detail`.
///
/// # Errors
/// Any I/O error; nothing or the whole line is written. A row that is too long to be read again is refused.
pub fn append(folder: &Path, at: Timestamp, kind: &str, who: &str, detail: &Value) -> io::Result<()> {
    let redactor = Redactor::default();
    let mut row = Map::new();
    row.insert("at".to_owned(), Value::String(at.to_string()));
    row.insert("kind".to_owned(), Value::String(kind.to_owned()));
    row.insert("who".to_owned(), Value::String(redactor.clean(who).into_owned()));
    match clean(&redactor, detail) {
        Value::Object(fields) if !OWN_KEYS.iter().any(|key| fields.contains_key(*key)) => row.extend(fields),
        Value::Null => {}
        other => {
            row.insert("detail".to_owned(), other);
        }
    }
    let line = Value::Object(row).to_string();
    if line.len() > LINE_LIMIT {
        let message = format!("an audit row of {} bytes is longer than {LINE_LIMIT}", line.len());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    atomic::make_own_dir(folder)?;
    let day = at.to_zoned(TimeZone::UTC).date();
    atomic::append_line(&folder.join(format!("{day}{ENDING}")), &line)
}

/// The newest `limit` rows. A folder that is not there has none.
///
/// # Errors
/// Any I/O error of reading the folder; a single file that cannot be read counts as one unreadable line.
pub fn tail(folder: &Path, limit: usize) -> io::Result<Tail> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Tail::default()),
        Err(error) => return Err(error),
    };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let mut days: Vec<String> = names.filter(|name| is_day(name)).collect();
    days.sort_unstable_by(|a, b| b.cmp(a));
    let mut newest_first = Vec::new();
    let mut unreadable = 0;
    for day in days {
        let Ok(text) = end_of(&folder.join(day)) else {
            unreadable += 1;
            continue;
        };
        for line in text.split(|byte| *byte == b'\n').rev().filter(|line| !line.trim_ascii().is_empty()) {
            if newest_first.len() == limit {
                break;
            }
            match row(line) {
                Some(row) => newest_first.push(row),
                None => unreadable += 1,
            }
        }
        if newest_first.len() == limit {
            break;
        }
    }
    newest_first.reverse();
    Ok(Tail { rows: newest_first, unreadable })
}

fn is_day(name: &str) -> bool {
    name.strip_suffix(ENDING).is_some_and(|day| day.parse::<Date>().is_ok_and(|date| date.to_string() == day))
}

/// The end of a day's file, from a whole line on. Links are not followed.
fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no regular file"));
    }
    let skipped = metadata.len().saturating_sub(DAY_LIMIT);
    file.seek(SeekFrom::Start(skipped))?;
    let mut text = Vec::new();
    file.take(DAY_LIMIT).read_to_end(&mut text)?;
    if skipped > 0 {
        let first = text.iter().position(|byte| *byte == b'\n').map_or(text.len(), |end| end + 1);
        text.drain(..first);
    }
    Ok(text)
}

fn row(line: &[u8]) -> Option<Row> {
    if line.len() > LINE_LIMIT {
        return None;
    }
    let Value::Object(mut fields) = serde_json::from_slice(line).ok()? else { return None };
    let mut take = |key: &str| match fields.shift_remove(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let (at, kind, who) = (take("at")?.parse().ok()?, take("kind")?, take("who")?);
    Some(Row { at, kind, who, detail: fields })
}

fn clean(redactor: &Redactor, value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(redactor.clean(text).into_owned()),
        Value::Array(items) => items.iter().map(|item| clean(redactor, item)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(key, value)| (key.clone(), clean(redactor, value))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::os::unix::fs::PermissionsExt;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn fields(value: Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn rows_are_private_lines_of_their_day_and_read_back() {
        let keep = tempfile::tempdir().unwrap();
        let folder = keep.path().join("koru/audit");
        assert_eq!(tail(&folder, 10).unwrap(), Tail::default());
        let detail = json!({"ticket": "PLF-1", "rule": "allow_tag", "evidence": "a\nb"});
        append(&folder, at("2026-11-20T23:59:59Z"), "breach", "koru-tui", &detail).unwrap();
        append(&folder, at("2026-11-21T00:00:00Z"), "answer", "op", &json!({"who": "else"})).unwrap();
        append(&folder, at("2026-11-21T00:00:01Z"), "stop", "op", &Value::Null).unwrap();
        let first = folder.join("2026-11-20.jsonl");
        assert_eq!(
            std::fs::read_to_string(&first).unwrap(),
            "{\"at\":\"2026-11-20T23:59:59Z\",\"kind\":\"breach\",\"who\":\"koru-tui\",\"ticket\":\"PLF-1\",\
             \"rule\":\"allow_tag\",\"evidence\":\"a\\nb\"}\n"
        );
        assert_eq!(std::fs::metadata(&first).unwrap().permissions().mode() & 0o777, 0o600);
        let row = |when: &str, kind: &str, who: &str, detail: Value| Row {
            at: at(when),
            kind: kind.to_owned(),
            who: who.to_owned(),
            detail: fields(detail),
        };
        let all = [
            row("2026-11-20T23:59:59Z", "breach", "koru-tui", detail),
            row("2026-11-21T00:00:00Z", "answer", "op", json!({"detail": {"who": "else"}})),
            row("2026-11-21T00:00:01Z", "stop", "op", json!({})),
        ];
        assert_eq!(tail(&folder, 10).unwrap(), Tail { rows: all.to_vec(), unreadable: 0 });
        assert_eq!(tail(&folder, 2).unwrap().rows, all[1..]);
    }

    #[test]
    fn torn_and_foreign_lines_are_counted_and_left_alone() {
        let keep = tempfile::tempdir().unwrap();
        let path = keep.path().join("2026-11-21.jsonl");
        let torn = "not json\n{\"at\":\"never\",\"kind\":\"a\",\"who\":\"b\"}\n[1]\n\n{\"at\":\"2026-11-21T0";
        std::fs::write(&path, torn).unwrap();
        std::fs::write(keep.path().join("notes.jsonl"), "x").unwrap();
        std::fs::write(keep.path().join("2026-13-01.jsonl"), "x").unwrap();
        std::os::unix::fs::symlink("/etc/passwd", keep.path().join("2026-11-20.jsonl")).unwrap();
        append(keep.path(), at("2026-11-21T05:00:00Z"), "stop", "op", &json!({"n": 1})).unwrap();
        let found = tail(keep.path(), 10).unwrap();
        assert_eq!((found.rows.len(), found.unreadable), (1, 5));
        assert!(std::fs::read_to_string(&path).unwrap().starts_with(torn));
    }

    #[test]
    fn secrets_stay_out_and_oversized_rows_are_refused() {
        let keep = tempfile::tempdir().unwrap();
        let secret = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
        let detail = json!({"evidence": [{"command": format!("curl -H 'Authorization: Bearer {secret}'")}]});
        append(keep.path(), at("2026-11-21T05:00:00Z"), "breach", "op", &detail).unwrap();
        let path = keep.path().join("2026-11-21.jsonl");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("curl") && !text.contains(secret), "{text}");
        let long = json!({"evidence": "x".repeat(LINE_LIMIT)});
        assert!(append(keep.path(), at("2026-11-21T05:00:00Z"), "breach", "op", &long).is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    }

    #[test]
    fn writers_at_the_same_time_do_not_tear_each_other() {
        let keep = tempfile::tempdir().unwrap();
        std::thread::scope(|scope| {
            for writer in 0..4 {
                let folder = keep.path();
                scope.spawn(move || {
                    for n in 0..20 {
                        let detail = json!({"writer": writer, "n": n});
                        append(folder, at("2026-11-21T05:00:00Z"), "stop", "op", &detail).unwrap();
                    }
                });
            }
        });
        let found = tail(keep.path(), 1000).unwrap();
        assert_eq!((found.rows.len(), found.unreadable), (80, 0));
    }
}
