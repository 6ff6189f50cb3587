//! What we write, the real PyYAML reads as meant; what PyYAML reads, we read the same; what it refuses, we refuse.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stderr)]

mod support;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use koru_tui::plan::lifecycle::Change;
use koru_tui::plan::yaml::SprintDoc;
use serde_json::{Map, Value, json};

/// Reads documents as planfile's loader does and answers, for each, its tickets or why there are none.
const READER: &str = r#"
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
    except RecursionError:
        return {"odd": "recursion"}
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

fn python(script: &str, input: &Value) -> Option<Value> {
    let python = support::peer::planfile_python()?;
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
fn ours(text: &str) -> Result<Value, String> {
    let doc =
        SprintDoc::parse("current", text.as_bytes().to_vec(), None).map_err(|fault| fault.to_string())?;
    let record = |key: &str| (key.to_owned(), doc.record(key).unwrap());
    Ok(Value::Object(doc.keyed().map(|(key, _)| record(key)).collect()))
}

/// Strings that break YAML writers.
fn nasty() -> Vec<String> {
    let mut all: Vec<String> =
        serde_json::from_str(include_str!("fixtures/yaml/nasty-strings.json")).unwrap();
    all.push("x".repeat(5000));
    all.push("word ".repeat(900).trim_end().to_owned());
    all.push("ż".repeat(1200));
    all.push("line\n".repeat(50));
    all.push((0u8..=127).map(char::from).collect());
    all
}

fn sprint_of(tickets: &str) -> String {
    format!("sprint:\n  id: s\n  tickets:\n{tickets}")
}

/// Every nasty string as value, as list item, as key, in a nested record and in a flow record.
fn nasty_record() -> Value {
    let strings = nasty();
    let keyed: Map<String, Value> = strings.iter().map(|text| (text.clone(), json!(text))).collect();
    let fields: Map<String, Value> =
        strings.iter().enumerate().map(|(index, text)| (format!("f{index}"), json!(text))).collect();
    json!({
        "id": "N-1", "name": "nasty", "x_list": strings, "x_fields": fields, "x_keys": keyed,
        "x_deep": [[["a"], []], {}, [{"k": [1, {"z": null}]}], [true, false, null]],
        "x_numbers": [0, -1, 1.0, -0.5, 1e100, 1.5e-7, 1e16, 123_456_789_012_345_u64, i64::MIN, i64::MAX, 0.1, 30.0],
    })
}

#[test]
fn pyyaml_reads_every_nasty_string_as_meant() {
    let record = nasty_record();
    let empty =
        SprintDoc::parse("current", SprintDoc::empty_text("s", "S", "active").into_bytes(), None).unwrap();
    let block = empty.insert("N-1", &record).unwrap();
    // The same strings by way of edits, in block and in flow style.
    let mut texts = vec![block.text().to_owned()];
    for head in ["    N-1:\n      id: N-1\n      name: nasty\n", "    N-1: {id: N-1, name: nasty}\n"] {
        let doc = SprintDoc::parse("current", sprint_of(head).into_bytes(), None).unwrap();
        let changes: Vec<Change> = record
            .as_object()
            .unwrap()
            .iter()
            .map(|(key, value)| Change { path: vec![key.clone()], value: Some(value.clone()) })
            .collect();
        texts.push(doc.edit("N-1", &changes).unwrap().text().to_owned());
    }
    for text in &texts {
        assert_eq!(ours(text).unwrap()["N-1"], record);
    }
    let Some(read) = python(READER, &json!(texts)) else { return };
    for answer in read.as_array().unwrap() {
        assert_eq!(answer["tickets"]["N-1"], record, "{}", answer["refused"]);
    }
}

#[test]
fn a_json_writer_and_pyyaml_agree_on_the_bytes_we_keep() {
    // One string at a time, so that a failure names it.
    let empty =
        SprintDoc::parse("current", SprintDoc::empty_text("s", "S", "active").into_bytes(), None).unwrap();
    let strings = nasty();
    let texts: Vec<String> = strings
        .iter()
        .map(|text| empty.insert("N-1", &json!({"id": "N-1", "name": text})).unwrap().text().to_owned())
        .collect();
    let Some(read) = python(READER, &json!(texts)) else { return };
    for (answer, text) in read.as_array().unwrap().iter().zip(&strings) {
        assert_eq!(answer["tickets"]["N-1"]["name"], json!(text), "{answer}");
    }
}

/// Values as a person may write them, one a line.
const VALUES: &str = include_str!("fixtures/yaml/values.txt");

/// Blocks as a person may write them, below `v:`.
const BLOCKS: &str = include_str!("fixtures/yaml/blocks.json");

/// Every value and every block in each place where it may stand.
fn written_by_hand() -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for value in VALUES.strip_suffix('\n').unwrap().split('\n') {
        texts.push(sprint_of(&format!("    A-1:\n      v: {value}\n      id: A-1\n")));
        texts.push(sprint_of(&format!("    A-1:\n      id: A-1\n      l:\n      - {value}\n      - b\n")));
        texts.push(sprint_of(&format!("    A-1: {{id: A-1, v: {value}}}\n")));
        texts.push(sprint_of(&format!("    A-1:\n      {value}: v\n      id: A-1\n")));
    }
    let blocks: Vec<String> = serde_json::from_str(BLOCKS).unwrap();
    for block in blocks {
        texts.push(sprint_of(&format!("    A-1:\n      v:{block}      id: A-1\n    B-1:\n      id: B-1\n")));
        texts.push(sprint_of(&format!("    A-1:\n      id: A-1\n      v:{block}")));
        texts.push(sprint_of(&format!("    A-1:{block}")));
    }
    texts
}

/// PyYAML 6.0.3's answers to [`written_by_hand`], one JSON a line, so that the agreement is tested without it as well.
fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/yaml/pyyaml-answers.jsonl")
}

#[test]
fn we_read_what_pyyaml_reads_and_refuse_what_it_refuses() {
    let texts = written_by_hand();
    let answers = std::fs::read_to_string(golden()).unwrap();
    let answers: Vec<Value> = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(answers.len(), texts.len(), "run the suite with KORU_TUI_BLESS=1 and a PyYAML");
    compare(&texts, &answers);
}

#[test]
fn the_golden_answers_are_pyyamls() {
    let Some(read) = python(READER, &json!(written_by_hand())) else { return };
    let lines: Vec<String> = read
        .as_array()
        .unwrap()
        .iter()
        // Why PyYAML refuses is not what is compared, and differs between its releases.
        .map(|answer| {
            if answer.get("refused").is_some() { r#"{"refused":""}"#.to_owned() } else { answer.to_string() }
        })
        .collect();
    let text = lines.join("\n") + "\n";
    if std::env::var_os("KORU_TUI_BLESS").is_some() {
        std::fs::write(golden(), &text).unwrap();
    }
    assert_eq!(std::fs::read_to_string(golden()).unwrap(), text);
}

/// Compares our reading of each text with PyYAML's; tells all differences at once.
fn compare(texts: &[String], answers: &[Value]) {
    let mut wrong = Vec::new();
    let mut counts = [0usize; 3];
    for (text, answer) in texts.iter().zip(answers) {
        let ours = ours(text);
        let fine = match (&ours, answer.get("tickets")) {
            _ if answer.get("odd").is_some() => {
                counts[2] += 1;
                true
            }
            (Ok(ours), Some(theirs)) => {
                counts[0] += 1;
                ours == theirs
            }
            (Err(_), None) => {
                counts[1] += 1;
                true
            }
            // We say more than planfile where it silently drops what stands twice, or would take ages.
            (Err(fault), Some(_)) => {
                ["stands twice", "levels deep", "aliases multiply"].iter().any(|known| fault.contains(known))
            }
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

/// A small deterministic generator: the suite must fail the same way twice.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }
}

/// Bits of YAML that mutations put in.
const BITS: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    ":",
    ": ",
    "- ",
    "#",
    " #",
    "'",
    "\"",
    "|",
    ">",
    "&a ",
    "*a",
    "!",
    "!!str ",
    "[",
    "]",
    "{",
    "}",
    ",",
    ", ",
    "?",
    "? ",
    "%",
    "@",
    "\\",
    "\\n",
    "---\n",
    "...\n",
    "\r",
    "\r\n",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "🚀",
    "<<: ",
    "=",
    "0",
    "1_0",
    "yes",
    "~",
    "\n    ",
    "\n      ",
    "\n        ",
    "\n      - ",
    "\n    X-1:",
];

fn mutate(source: &str, dice: &mut Dice) -> String {
    let mut text: Vec<char> = source.chars().collect();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(text.len() + 1);
        match dice.roll(5) {
            0 => {
                let end = (at + 1 + dice.roll(12)).min(text.len());
                text.drain(at..end);
            }
            1 => {
                let end = (at + dice.roll(60)).min(text.len());
                let piece: Vec<char> = text[at..end].to_vec();
                let to = dice.roll(text.len() + 1);
                text.splice(to..to, piece);
            }
            _ => {
                let bit = BITS[dice.roll(BITS.len())];
                text.splice(at..at, bit.chars());
            }
        }
    }
    text.into_iter().collect()
}

fn seeds() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/planfile");
    let mut seeds: Vec<String> = [
        "malformed/00-control",
        "malformed/12-duplicate-ticket-key",
        "malformed/50-execution-state-unknown",
        "malformed/60-anchor-alias",
        "malformed/61-merge-key",
        "malformed/68-octal-hex-sexagesimal",
        "malformed/71-non-string-map-keys",
        "malformed/16-crlf",
    ]
    .iter()
    .map(|case| std::fs::read_to_string(root.join(case).join("current.yaml")).unwrap())
    .collect();
    seeds.push(
        std::fs::read_to_string(root.join("pairs/foreign-edits/before/.planfile/sprints/current.yaml"))
            .unwrap(),
    );
    seeds.push(sprint_of(
        "    A-1:\n      id: A-1\n      name: \"multi\\\n        line\n\n        text\"\n      d: |\n        one\n          two\n\n        three\n      e: >-\n        a\n        b\n      l:\n      - x: 1\n        y: [a, {b: c}]\n      - 'it''s\n        it'\n      - plain text\n        goes on\n    # comment\n    B-1:\n      ? k\n      : v\n      id: B-1\n",
    ));
    seeds
}

#[test]
fn mutated_files_read_alike() {
    let count = std::env::var("KORU_TUI_MUTANTS").ok().and_then(|count| count.parse().ok()).unwrap_or(1500);
    let seed = std::env::var("KORU_TUI_MUTANT_SEED")
        .ok()
        .and_then(|seed| seed.parse().ok())
        .unwrap_or(0x9e37_79b9_7f4a_7c15);
    let mut dice = Dice(seed);
    let seeds = seeds();
    let texts: Vec<String> = (0..count).map(|_| mutate(&seeds[dice.roll(seeds.len())], &mut dice)).collect();
    let Some(read) = python(READER, &json!(texts)) else { return };
    compare(&texts, read.as_array().unwrap());
}
