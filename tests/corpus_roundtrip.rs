//! Real planfile trees: read as planfile reads them, refused where planfile would lose them, edited byte for byte.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use koru_tui::plan::lifecycle::Change;
use koru_tui::plan::yaml::SprintDoc;
use serde_json::{Value, json};

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/planfile")
}

/// Every sprint file of the healthy trees.
fn sprint_files() -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "yaml")
                && path.parent().unwrap().ends_with("sprints")
            {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&corpus(), &mut found);
    assert!(found.len() > 40, "the corpus is there: {}", found.len());
    found
}

fn open(path: &Path) -> SprintDoc {
    let bytes = std::fs::read(path).unwrap();
    SprintDoc::parse(path.file_stem().unwrap().to_str().unwrap(), bytes, None)
        .unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

fn change(path: &[&str], value: Option<Value>) -> Change {
    Change { path: path.iter().map(|key| (*key).to_owned()).collect(), value }
}

#[test]
fn records_read_as_in_planfiles_own_mirror() {
    let mut compared = 0;
    for path in sprint_files() {
        let mirror =
            path.with_file_name(format!("{}.fast.json", path.file_name().unwrap().to_str().unwrap()));
        let Ok(mirror) = std::fs::read(mirror) else { continue };
        let mirror: Value = serde_json::from_slice(&mirror).unwrap();
        let doc = open(&path);
        let ours: serde_json::Map<String, Value> =
            doc.keyed().map(|(key, _)| (key.to_owned(), doc.record(key).unwrap())).collect();
        assert_eq!(Value::Object(ours), mirror["data"]["sprint"]["tickets"], "{}", path.display());
        compared += doc.tickets().count();
    }
    assert!(compared >= 30, "{compared} tickets compared");
}

#[test]
fn records_written_as_json_are_the_records() {
    let mut files = sprint_files();
    for (case, _) in table() {
        files.push(corpus().join("malformed").join(case).join("current.yaml"));
    }
    for path in files {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let Ok(doc) = SprintDoc::parse("current", bytes, None) else { continue };
        let mut out = b"[".to_vec();
        let count = doc.write_records(|_| true, &mut out);
        out.push(b']');
        let expected: Vec<Value> = doc.keyed().map(|(key, _)| doc.record(key).unwrap()).collect();
        assert_eq!(count, expected.len());
        assert_eq!(String::from_utf8(out).unwrap(), Value::Array(expected).to_string(), "{}", path.display());
        assert_eq!(doc.write_records(|_| false, &mut Vec::new()), 0);
    }
}

#[test]
fn every_ticket_of_the_corpus_is_valid_and_takes_edits_and_gives_them_back() {
    let mut edited = 0;
    for path in sprint_files() {
        let doc = open(&path);
        let whole = doc.text().to_owned();
        for ticket in doc.tickets() {
            let id = ticket.id.as_str();
            assert_eq!(ticket.invalid, None, "{} {id}", path.display());
            let record = doc.record(id).unwrap();
            // Nothing named, nothing different, nothing there: nothing changes.
            let same: Vec<Change> = record
                .as_object()
                .unwrap()
                .iter()
                .map(|(key, value)| change(&[key], Some(value.clone())))
                .collect();
            assert_eq!(doc.edit(id, &[]).unwrap().text(), whole);
            assert_eq!(doc.edit(id, &same).unwrap().text(), whole);
            assert_eq!(
                doc.edit(id, &[change(&["x_absent"], None), change(&["execution", "x_absent"], None)])
                    .unwrap()
                    .text(),
                whole
            );
            // A key that comes and goes.
            let there =
                doc.edit(id, &[change(&["x_koru"], Some(json!({"round": [1, {"a": null}]})))]).unwrap();
            assert_ne!(there.text(), whole);
            assert_eq!(
                there.edit(id, &[change(&["x_koru"], None)]).unwrap().text(),
                whole,
                "{} {id}",
                path.display()
            );
            // Values that change and change back.
            for key in ["status", "priority", "name", "description", "updated_at", "sprint"] {
                let Some(old) = record.get(key).filter(|old| old.is_string()) else { continue };
                let there = doc.edit(id, &[change(&[key], Some(json!("other: 'x'")))]).unwrap();
                let back = there.edit(id, &[change(&[key], Some(old.clone()))]).unwrap();
                assert_eq!(back.record(id).unwrap(), record);
                let plain = old.as_str().unwrap();
                // planfile writes these as we do.
                if plain.len() < 60 && plain.bytes().all(|byte| byte.is_ascii_alphabetic()) {
                    assert_eq!(back.text(), whole, "{} {id} {key}", path.display());
                }
            }
            edited += 1;
        }
    }
    assert!(edited >= 60, "{edited} tickets edited");
}

#[test]
fn tickets_move_between_files_and_back() {
    for path in sprint_files() {
        let doc = open(&path);
        let mut moved = 0;
        for (key, ticket) in doc.keyed().take(5) {
            let source = doc.source(key).unwrap();
            let other = SprintDoc::parse(
                "backlog",
                b"sprint:\n    id: b\n    tickets:\n        Z-1:\n            id: Z-1\n            name: z\n"
                    .to_vec(),
                None,
            )
            .unwrap();
            let there = other.insert_source(key, source).unwrap();
            assert_eq!(there.record(key), doc.record(key));
            let gone = doc.remove(&[key]).unwrap();
            assert_eq!(gone.ticket(key), None);
            let back = gone.insert_source(key, there.source(key).unwrap()).unwrap();
            assert_eq!(back.ticket(key), Some(ticket));
            assert_eq!(there.remove(&[key]).unwrap().text(), other.text());
            if doc.text().starts_with("sprint:\n  id:") {
                assert_eq!(back.text(), doc.text(), "{} {key}", path.display());
            }
            moved += 1;
        }
        assert_eq!(moved, doc.keyed().count().min(5));
    }
}

/// The changes that lead from one record to the other: deepest keys only, lists whole.
fn difference(before: &Value, after: &Value, path: &mut Vec<String>, out: &mut Vec<Change>) {
    let (Some(old), Some(new)) = (before.as_object(), after.as_object()) else {
        if before != after {
            out.push(Change { path: path.clone(), value: Some(after.clone()) });
        }
        return;
    };
    for (key, value) in new {
        path.push(key.clone());
        match old.get(key) {
            Some(before) => difference(before, value, path, out),
            None => out.push(Change { path: path.clone(), value: Some(value.clone()) }),
        }
        path.pop();
    }
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        path.push(key.clone());
        out.push(Change { path: path.clone(), value: None });
        path.pop();
    }
}

#[test]
fn what_a_planfile_command_changes_an_edit_changes_alike() {
    let mut pairs = 0;
    let mut identical = 0;
    for pair in std::fs::read_dir(corpus().join("pairs")).unwrap() {
        let pair = pair.unwrap().path();
        let current = |side: &str| open(&pair.join(side).join(".planfile/sprints/current.yaml"));
        let (before, after) = (current("before"), current("after"));
        for (key, _) in after.keyed() {
            let (old, new) = (before.record(key).unwrap(), after.record(key).unwrap());
            let mut changes = Vec::new();
            difference(&old, &new, &mut Vec::new(), &mut changes);
            let ours = before.edit(key, &changes).unwrap();
            assert_eq!(ours.record(key), Some(new), "{}", pair.display());
            pairs += 1;
            if ours.text() == after.text() {
                identical += 1;
            } else if !pair.ends_with("foreign-edits") {
                // planfile quotes less than we do; nothing else may differ.
                let bare =
                    |text: &str| text.lines().map(|line| line.replace(['\'', '"'], "")).collect::<Vec<_>>();
                assert_eq!(bare(ours.text()), bare(after.text()), "{}", pair.display());
            }
        }
    }
    assert!(pairs >= 8 && identical >= 6, "{pairs} pairs, {identical} of them byte for byte");
}

#[test]
fn comments_anchors_and_unknown_keys_survive_an_edit() {
    let path = corpus().join("pairs/foreign-edits/before/.planfile/sprints/current.yaml");
    let doc = open(&path);
    let edited = doc
        .edit(
            "PLF-001",
            &[
                change(&["execution", "state"], Some(json!("ready"))),
                change(&["execution", "assigned_to"], Some(json!("worker-a"))),
            ],
        )
        .unwrap();
    let expected = doc.text().replace(
        "{queue: default, state: pending, x_exec: keep?}",
        "{assigned_to: worker-a, queue: default, state: ready, x_exec: keep?}",
    );
    assert_eq!(edited.text(), expected);
}

/// What the table of the corpus says about one case.
fn table() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(corpus().join("malformed/README.md")).unwrap();
    let rows: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let case = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
            Some((case.to_owned(), (*cells.get(3)?).to_owned()))
        })
        .collect();
    assert!(rows.len() > 80, "{} rows", rows.len());
    rows
}

#[test]
fn malformed_files_fault_where_planfile_reads_nothing_and_hide_what_planfile_hides() {
    for (case, outcome) in table() {
        let Ok(bytes) = std::fs::read(corpus().join("malformed").join(&case).join("current.yaml")) else {
            continue;
        };
        let lines = String::from_utf8_lossy(&bytes).lines().count().max(1);
        let read = SprintDoc::parse("current", bytes, None);
        let nothing = outcome.starts_with("nothing") || outcome.starts_with("exit 1");
        match read {
            Err(fault) => {
                assert!(nothing, "{case}: {fault}");
                assert!(
                    fault.line >= 1 && fault.line <= lines.max(20) && fault.column >= 1,
                    "{case}: {fault:?}"
                );
                assert!(fault.message.len() > 20, "{case}: {fault:?}");
            }
            Ok(doc) if case == "27-tickets-null" => {
                assert_eq!((doc.tickets().count(), doc.warnings().len()), (0, 1), "{case}");
            }
            Ok(doc) => {
                assert!(!nothing, "{case} reads, and planfile reads nothing");
                let visible: Vec<&str> = doc
                    .tickets()
                    .filter(|ticket| ticket.invalid.is_none())
                    .map(|ticket| ticket.id.as_str())
                    .collect();
                let listed = outcome.split([';', '(']).next().unwrap().trim();
                assert_eq!(visible.join(", "), listed, "{case}");
                // Whatever planfile hides is shown here with a reason, and nothing is dropped.
                assert!(doc.tickets().count() == 2 || case == "07-truncated-clean", "{case}");
                assert_eq!(
                    doc.tickets().filter(|ticket| ticket.invalid.is_some()).count(),
                    doc.tickets().count() - visible.len()
                );
            }
        }
    }
}

#[test]
fn faults_point_at_the_cause() {
    let expected: [(&str, usize, usize, &str, Option<&str>); 14] = [
        ("05-truncated-in-quote", 19, 19, "never closed", Some("      updated_at: '2026-0")),
        ("06-truncated-in-key", 19, 7, "missing `:`", Some("      updat")),
        ("08-tab-indent", 8, 1, "tab", Some("\tname: ticket 1")),
        ("10-bad-indent", 8, 6, "align its indentation", Some("     name: ticket 1")),
        ("11-unclosed-flow", 11, 15, "`[` is never closed", Some("      labels: [a, b")),
        ("14-two-documents", 20, 1, "second YAML document", Some("---")),
        ("18-utf16le", 1, 1, "UTF-16", None),
        ("19-latin1", 8, 15, "0xF1 is not UTF-8", Some("      name: ca\u{fffd}on")),
        ("21-nul-byte", 8, 17, "NUL", Some("      name: tick\0et")),
        ("22-control-char", 8, 17, "U+0007", Some("      name: tick\u{7}et")),
        ("23-root-list", 1, 1, "not a mapping", Some("- a")),
        (
            "58-python-tag",
            13,
            20,
            "python/object",
            Some("      description: !!python/object/apply:os.getcwd []"),
        ),
        ("62-recursive-alias", 13, 23, "contains itself", Some("      sync: &r {self: *r}")),
        ("72-git-conflict-markers", 9, 1, "conflict markers", Some("<<<<<<< HEAD")),
    ];
    for (case, line, column, words, excerpt) in expected {
        let bytes = std::fs::read(corpus().join("malformed").join(case).join("current.yaml")).unwrap();
        let fault = SprintDoc::parse("current", bytes, None).unwrap_err();
        assert_eq!(
            (fault.line, fault.column, fault.excerpt.as_deref()),
            (line, column, excerpt),
            "{case}: {fault:?}"
        );
        assert!(fault.message.contains(words), "{case}: {}", fault.message);
    }
}

#[test]
fn no_file_that_faults_can_be_made_by_an_edit() {
    // Readable but odd files stay readable whatever is appended to their tickets.
    for (case, _) in table() {
        let Ok(bytes) = std::fs::read(corpus().join("malformed").join(&case).join("current.yaml")) else {
            continue;
        };
        let Ok(doc) = SprintDoc::parse("current", bytes, None) else { continue };
        for (key, _) in doc.keyed() {
            let note = change(&["outputs", "notes"], Some(json!(["line\nbreak: [x"])));
            if let Ok(edited) =
                doc.edit(key, &[note, change(&["updated_at"], Some(json!("2026-05-12T10:00:00Z")))])
            {
                let again = SprintDoc::parse("current", edited.text().as_bytes().to_vec(), None).unwrap();
                assert_eq!(
                    again.record(key).unwrap()["outputs"]["notes"],
                    json!(["line\nbreak: [x"]),
                    "{case}"
                );
                for (other, _) in doc.keyed().filter(|(other, _)| *other != key) {
                    assert_eq!(again.record(other), doc.record(other), "{case}");
                }
            }
        }
    }
}
