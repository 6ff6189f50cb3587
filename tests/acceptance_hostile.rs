#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Hostile text through every verb and format of the real binary: nothing that acts on a terminal, or hides in it,
//! reaches standard output or standard error; JSON still carries the exact text.

#[path = "support/cli.rs"]
mod cli;
mod support;

use cli::Place;
use support::project::{Project, human, shell};

/// Colours, clipboard, title, 8-bit controls, overwriting, bell, bidi, zero width, line separators, a lone return.
const HOSTILE: &str = "a\u{1b}[31mred\u{1b}]52;c;aGk=\u{7}\u{1b}]0;title\u{1b}\\\u{9b}2J\u{85}b\rc\u{8}\u{7f}\u{202e}evil\u{2066}\u{200b}\u{feff}\u{2028}d\ne";

fn project() -> Project {
    let place = Project::with(&[
        shell("PLF-001", HOSTILE, "printf '\\033]0;x\\007out\\n'; printf '\\033[2Jerr\\n' >&2; exit 4")
            .label(HOSTILE)
            .file(HOSTILE),
        human("PLF-002", HOSTILE, HOSTILE).blocked_by(HOSTILE),
        human("PLF-003", HOSTILE, HOSTILE),
    ]);
    // Raw controls would make the file unreadable; as escapes of double-quoted scalars they are legal YAML.
    let escaped: String = place
        .get(".planfile/sprints/current.yaml")
        .chars()
        .map(|c| if c > '~' { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() })
        .collect();
    place.put(".planfile/sprints/current.yaml", &escaped);
    place.put(".planfile/.koru/policy.yaml", "llm: {}\nnotes: [\"\\e[31mnote\"]\n");
    place
}

#[track_caller]
fn harmless(place: &impl Place, args: &[&str]) {
    let ran = place.run(args);
    for (name, text) in [("stdout", &ran.out), ("stderr", &ran.err)] {
        let found = cli::acts_on_a_terminal(text);
        assert_eq!(found, None, "{args:?} let {found:?} through to {name}: {text:?}");
    }
    assert!(ran.code == 0 || ran.code == 1 || ran.code == 2, "{args:?}: exit {}: {}", ran.code, ran.all());
}

#[test]
fn reading_verbs_are_harmless_in_every_format() {
    let place = project();
    for format in ["text", "json", "markdown"] {
        for args in [
            ["ticket", "list", "--sprint", "all"].as_slice(),
            &["ticket", "show", "PLF-001"],
            &["ticket", "show", "PLF-002"],
            &["ticket", "next"],
            &["ticket", "next", "--debug"],
            &["brief"],
            &["brief", "--ticket", "PLF-001"],
            &["brief", "--ticket", "PLF-002"],
            &["doctor"],
            &["queue", "run", "--dry-run"],
            &["queue", "run", "--dry-run", "--loop"],
        ] {
            harmless(&place, &[args, &["--format", format]].concat());
        }
    }
}

#[test]
fn writing_verbs_are_harmless_in_every_format() {
    for format in ["text", "json", "markdown"] {
        let place = project();
        for args in [
            ["ticket", "create", HOSTILE, "-d", HOSTILE, "-l", HOSTILE].as_slice(),
            &["ticket", "claim", "PLF-001", "--assigned-to", HOSTILE, "--lease-seconds", "60"],
            &["ticket", "claim", "PLF-001", "--assigned-to", "other"],
            &["ticket", "ready", "PLF-001", "--note", HOSTILE],
            &["ticket", "start", "PLF-001", "--assigned-to", HOSTILE],
            &["ticket", "input", "PLF-001", "--prompt", HOSTILE],
            &["ticket", "update", "PLF-001", "--name", HOSTILE, "--note", HOSTILE],
            &["ticket", "fail", "PLF-001", "--error", HOSTILE],
            &["ticket", "block", "PLF-002", "--reason", HOSTILE],
            &[
                "ticket",
                "complete",
                "PLF-003",
                "--note",
                HOSTILE,
                "--artifact",
                HOSTILE,
                "--result-json",
                "\"\\u001b[31m\"",
            ],
            &["init"],
            &["bootstrap", "--from", HOSTILE],
        ] {
            harmless(&place, &[args, &["--format", format]].concat());
        }
    }
}

#[test]
fn a_run_is_harmless_in_every_format() {
    for format in ["text", "json", "markdown"] {
        harmless(&project(), &["queue", "run", "--loop", "--format", format]);
        harmless(&project(), &["queue", "run", "--format", format]);
    }
    let place = project();
    place.run(&["ticket", "block", "PLF-001", "--reason", "later"]).expect(0);
    let ran = place.run_with(&["queue", "run", "--interactive"], HOSTILE).expect(0);
    assert_eq!(cli::acts_on_a_terminal(&ran.all()), None, "{:?}", ran.all());
}

#[test]
fn mistakes_that_quote_the_command_line_are_harmless() {
    let place = project();
    for args in [
        ["ticket", "show", HOSTILE].as_slice(),
        &["ticket", "list", "--status", HOSTILE],
        &["ticket", "list", "--sprint", HOSTILE],
        &["ticket", "update", "PLF-001", "-p", HOSTILE],
        &["ticket", HOSTILE],
        &[HOSTILE],
        &["--format", HOSTILE],
        &["--project", HOSTILE, "doctor"],
        &["ticket", "complete", "PLF-001", "--result-json", HOSTILE],
    ] {
        harmless(&place, args);
        assert_eq!(place.run(args).code, 2, "{args:?}");
    }
}

#[test]
fn json_carries_the_exact_text() {
    let place = project();
    let list = place.run(&["ticket", "list", "--format", "json"]).expect(0).json();
    assert_eq!(list[0]["name"], HOSTILE);
    let shown = place.run(&["ticket", "show", "PLF-002", "--format", "json"]).expect(0).json();
    assert_eq!(shown["inputs"]["prompt"], HOSTILE);
}
