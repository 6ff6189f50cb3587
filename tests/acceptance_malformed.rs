#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Broken planfiles through the real binary: every verb refuses what does not parse with a clear error that names file
//! and line, exit code 1, and not one byte changed; whatever does parse stays usable.

#[path = "support/cli.rs"]
mod cli;
mod support;

use std::fs;
use std::path::{Path, PathBuf};

use cli::{Empty, Place};

/// Sprint files that cannot be read as their author meant; `fixtures/planfile/malformed/README.md` says what each is.
const UNPARSABLE: [&str; 24] = [
    "01-empty",
    "02-whitespace",
    "03-null-document",
    "04-comment-only",
    "05-truncated-in-quote",
    "06-truncated-in-key",
    "08-tab-indent",
    "10-bad-indent",
    "11-unclosed-flow",
    "14-two-documents",
    "18-utf16le",
    "19-latin1",
    "20-binary",
    "21-nul-byte",
    "22-control-char",
    "23-root-list",
    "24-root-scalar",
    "25-sprint-is-list",
    "28-tickets-list",
    "58-python-tag",
    "62-recursive-alias",
    "64-deep-nesting",
    "65-deep-nesting-5000",
    "72-git-conflict-markers",
];

/// Every call that needs the current sprint.
const CALLS: [&[&str]; 16] = [
    &["ticket", "list"],
    &["ticket", "list", "--format", "json"],
    &["ticket", "show", "PLF-001"],
    &["ticket", "next"],
    &["ticket", "create", "new"],
    &["ticket", "claim", "PLF-001", "--assigned-to", "me"],
    &["ticket", "start", "PLF-001"],
    &["ticket", "complete", "PLF-001", "--note", "n"],
    &["ticket", "done", "PLF-001"],
    &["ticket", "fail", "PLF-001", "--error", "e"],
    &["ticket", "input", "PLF-001", "--prompt", "p"],
    &["ticket", "ready", "PLF-001"],
    &["ticket", "block", "PLF-001", "--reason", "r"],
    &["ticket", "update", "PLF-001", "--note", "n"],
    &["queue", "run", "--no-log"],
    &["doctor"],
];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/planfile/malformed")
}

/// A store of two healthy tickets with the files of `case` laid over it.
fn store(case: &str) -> Empty {
    let place = Empty::new();
    place.put(".planfile/config.yaml", "archive:\n  enabled: false\nnext_id: 3\nprefix: PLF\nproject: shop\nstorage:\n  backend: single-yaml\n");
    for layer in ["00-control", case] {
        for entry in fs::read_dir(corpus().join(layer)).unwrap() {
            let from = entry.unwrap().path();
            let name = from.file_name().unwrap().to_str().unwrap().to_owned();
            let folder = if name.starts_with("config") { ".planfile" } else { ".planfile/sprints" };
            let to = place.root().join(folder).join(&name);
            fs::create_dir_all(to.parent().unwrap()).unwrap();
            fs::copy(from, to).unwrap();
        }
    }
    place.put(
        ".planfile/sprints/backlog.yaml",
        "sprint:\n  id: backlog\n  name: Backlog\n  status: active\n  tickets:\n    PLF-100:\n      id: PLF-100\n      name: In the backlog\n      \
         status: open\n      created_at: '2026-01-01T00:00:00Z'\n      updated_at: '2026-01-01T00:00:00Z'\n",
    );
    place
}

#[test]
fn every_verb_refuses_every_unparsable_sprint_and_changes_nothing() {
    let mut offences = Vec::new();
    for case in UNPARSABLE {
        let place = store(case);
        let before = place.planfile_bytes();
        for call in CALLS {
            let ran = place.run(call);
            let said = ran.all();
            if ran.code != 1 || !said.contains("current.yaml") || !said.contains("line") {
                offences.push(format!("{case}: {}: exit {}: {said}", call.join(" "), ran.code));
            }
            if let Some(c) = cli::acts_on_a_terminal(&said) {
                offences.push(format!("{case}: {}: {c:?} reached the terminal", call.join(" ")));
            }
            if place.planfile_bytes() != before {
                offences.push(format!("{case}: {}: files changed", call.join(" ")));
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn the_rest_of_the_planfile_stays_usable() {
    let place = store("11-unclosed-flow");
    let ran = place.run(&["ticket", "list", "--sprint", "all", "--format", "json"]).expect(1);
    assert_eq!(ran.json()[0]["id"], "PLF-100");
    assert_eq!(
        place.run(&["ticket", "show", "PLF-100", "--format", "json"]).expect(0).json()["name"],
        "In the backlog"
    );
    let broken = place.get(".planfile/sprints/current.yaml");
    place.run(&["ticket", "update", "PLF-100", "--priority", "high"]).expect(0);
    assert_eq!(place.on_disk_in("backlog", "PLF-100")["priority"], "high");
    assert_eq!(place.get(".planfile/sprints/current.yaml"), broken);
}

#[test]
fn a_broken_config_is_refused_by_name() {
    for case in ["81-config-broken", "85-config-root-list"] {
        let place = store(case);
        let before = place.planfile_bytes();
        for call in CALLS {
            let ran = place.run(call);
            assert!(
                ran.code == 1 && ran.all().contains("config"),
                "{case}: {call:?}: {}: {}",
                ran.code,
                ran.all()
            );
        }
        assert_eq!(place.planfile_bytes(), before, "{case}");
    }
}

#[test]
fn no_case_of_the_corpus_makes_a_verb_crash_or_lose_the_file() {
    let mut cases: Vec<String> = fs::read_dir(corpus())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    cases.sort();
    assert!(cases.len() > 80, "{cases:?}");
    let mut offences = Vec::new();
    for case in &cases {
        let place = store(case);
        let before = place.planfile_bytes();
        for call in [CALLS[0], CALLS[1], CALLS[2], CALLS[3], CALLS[15], &["brief"]] {
            let ran = place.run(call);
            if !((0..=1).contains(&ran.code) || (ran.code == 2 && call[1] == "show")) {
                offences.push(format!("{case}: {}: exit {}: {}", call.join(" "), ran.code, ran.all()));
            }
        }
        if place.planfile_bytes() != before {
            offences.push(format!("{case}: reading changed the store"));
        }
        let ran = place.run(&["ticket", "create", "Another one"]);
        let known = place.run(&["ticket", "list", "--format", "json"]).out;
        if ran.code == 0 && !known.contains("Another one") {
            offences.push(format!("{case}: create said it worked, but the ticket is not there"));
        }
        if ran.code != 0 && place.planfile_bytes() != before {
            offences.push(format!("{case}: a refused create changed the store: {}", ran.all()));
        }
        // A config that names no number for `next_id` is a mistake of its author (2).
        if ran.code > 2 {
            offences.push(format!("{case}: create: exit {}: {}", ran.code, ran.all()));
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}
