#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]
//! The real PyYAML as a judge: it reads texts as planfile's loader does, and our reading is compared with its.

use std::io::Write;
use std::process::{Command, Stdio};

use koru_tui::plan::yaml::SprintDoc;
use serde_json::Value;

/// Reads documents as planfile's loader does and answers, for each, its tickets or why there are none.
pub const READER: &str = r#"
import json, math, sys, datetime
import yaml
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

class Odd(Exception):
    pass

def safe(value):
    if isinstance(value, dict):
        out = {}
        for key, item in value.items():
            if isinstance(key, float):
                raise Odd("float key")
            key = safe(key)
            if isinstance(key, bool):
                key = "true" if key else "false"
            elif key is None:
                key = "null"
            elif not isinstance(key, str):
                key = str(key)
            out[key] = safe(item)
        return out
    if isinstance(value, (list, tuple)):
        return [safe(item) for item in value]
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, int) and not isinstance(value, bool) and not -2**63 <= value < 2**63:
        raise Odd("large integer")
    if isinstance(value, (bytes, set)):
        raise Odd("no JSON")
    return value

def tickets(text):
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    try:
        data = yaml.load(text, Loader=Loader)
    except Exception as error:
        return {"refused": str(error).replace("\n", " ")[:300]}
    try:
        if not isinstance(data, dict):
            return {"refused": "root"}
        holder = data.get("sprint", data)
        if not isinstance(holder, dict):
            return {"refused": "sprint"}
        found = holder.get("tickets")
        if found is None:
            found = {}
        if not isinstance(found, dict):
            return {"refused": "tickets"}
        return {"tickets": safe(found)}
    except RecursionError:
        return {"refused": "recursive"}
    except Odd as odd:
        return {"odd": str(odd)}

print(json.dumps([tickets(text) for text in json.load(sys.stdin)]))
"#;

/// Runs a script on JSON; `None`, noted, when there is no Python with PyYAML.
pub fn python(script: &str, input: &Value) -> Option<Value> {
    let python = super::support::peer::planfile_python()?;
    let mut child = Command::new(python)
        .args(["-c", script])
        .env("PYTHONIOENCODING", "utf-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let text = input.to_string();
    let writer = std::thread::spawn(move || stdin.write_all(text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success());
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// What we read: the tickets, or the fault.
pub fn ours(text: &str) -> Result<Value, String> {
    let doc =
        SprintDoc::parse("current", text.as_bytes().to_vec(), None).map_err(|fault| fault.to_string())?;
    let record = |key: &str| (key.to_owned(), doc.record(key).unwrap());
    Ok(Value::Object(doc.keyed().map(|(key, _)| record(key)).collect()))
}

/// Compares our reading of each text with PyYAML's; tells all differences at once.
pub fn compare(texts: &[String], answers: &[Value]) {
    let mut wrong = Vec::new();
    let mut counts = [0usize; 3];
    for (text, answer) in texts.iter().zip(answers) {
        let ours = ours(text);
        // We say more than planfile where it silently drops what stands twice (and with it an alias that contains
        // itself), or would take ages.
        let known = ["stands twice", "levels deep", "aliases multiply", "contains itself"];
        // Documented in `plan::yaml::check`: a mapping under the tag of a scalar stands for the value of its key `=`.
        let stands_for = |fault: &String| fault.contains("does not fit") && text.contains('=');
        let more = ours
            .as_ref()
            .is_err_and(|fault| known.iter().any(|known| fault.contains(known)) || stands_for(fault));
        let fine = match (&ours, answer.get("tickets")) {
            // Read, but its value cannot be said in JSON.
            (ours, _) if answer.get("odd").is_some() => {
                counts[2] += 1;
                ours.is_ok() || more
            }
            (Ok(ours), Some(theirs)) => {
                counts[0] += 1;
                ours == theirs
            }
            (Err(_), None) => {
                counts[1] += 1;
                true
            }
            (Err(_), Some(_)) => more,
            (Ok(_), None) => false,
        };
        if !fine {
            wrong.push(format!("--- {text}\n--- ours: {ours:?}\n--- PyYAML: {answer}\n"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {} differ ({counts:?} read, refused, not comparable)\n{}",
        wrong.len(),
        texts.len(),
        wrong[..wrong.len().min(40)].join("\n")
    );
}
