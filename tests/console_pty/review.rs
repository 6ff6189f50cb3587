//! The way of a comment: from a finding to its line in the diff, over two files, to the worker of the next round. The
//! agents are small scripts that speak Claude Code's stream.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::steps::{open, quit, wait_status};
use crate::support::project::{Project, human};
use crate::support::wait;

/// What both agents begin with.
const SPEECH: &str = r#"#!/bin/sh
count() { echo x >>"$SIGNS/$1"; wc -l <"$SIGNS/$1" | tr -d ' '; }
begin() { printf '{"type":"system","subtype":"init","session_id":"%s","model":"m","tools":[]}\n' "$1"; }
answer() { printf '{"type":"result","subtype":"success","is_error":false,"result":"%s","session_id":"%s","num_turns":1,"usage":{"input_tokens":7,"output_tokens":3},"total_cost_usd":0.05}\n' "$2" "$1"; }
verdict() { answer j-1 "{\\\"ticket\\\":\\\"PLF-001\\\",\\\"head\\\":\\\"$(git rev-parse HEAD)\\\",\\\"decision\\\":\\\"$1\\\",\\\"summary\\\":\\\"s\\\",\\\"findings\\\":[$2]}"; }
"#;

/// Changes two files, and keeps what it was told.
const WORKER: &str = r#"
n=$(count worked); begin w-1; printf '%s\n' "$1" >"$SIGNS/told.$n.part"; mv "$SIGNS/told.$n.part" "$SIGNS/told.$n"
sed -i "s/two/two, turn $n/" src/a.rs src/b.rs
answer w-1 Done.
"#;

/// Finds something once.
const JUDGE: &str = r#"
n=$(count judged); begin j-1
if [ "$n" = 1 ]; then
verdict changes_required '{\"earlier_id\":null,\"severity\":\"high\",\"blocking\":true,\"file\":\"src/b.rs\",\"line\":2,\"end_line\":null,\"reason\":\"the turn says nothing\",\"required_change\":null,\"dimension\":null}'
else verdict approve; fi
"#;

/// A project whose ticket was worked on for one round, which was not enough.
fn reviewed() -> (Project, PathBuf) {
    let project = Project::with(&[human("PLF-001", "say the turn", "which turn?")]);
    let signs = project.around().join("signs");
    std::fs::create_dir(&signs).unwrap();
    let mut config = "roles: {worker: fake, reviewer: judge}\nreview: {max_rounds: 1}\nagents:\n".to_owned();
    for (name, script) in [("fake", WORKER), ("judge", JUDGE)] {
        let (program, signs) = (signs.join(name), signs.display());
        std::fs::write(&program, format!("{SPEECH}{script}")).unwrap();
        config.push_str(&format!(
            "  {name}:\n    kind: custom\n    stream: claude\n    args: [/bin/sh, {}, '{{prompt}}']\n    env: {{SIGNS: \
             {signs}}}\n    writable: [{signs}]\n",
            program.display(),
        ));
    }
    project.write(".planfile/.koru/config.yaml", &config);
    project.write(".planfile/.koru/policy.yaml", "ci:\n  command: grep -q turn src/a.rs\n");
    project.write(".gitignore", ".planfile/.koru/\n");
    for file in ["src/a.rs", "src/b.rs"] {
        project.write(file, "one\ntwo\nthree\n");
    }
    for args in [&["add", "-A"][..], &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "two"]] {
        assert!(Command::new("git").args(args).current_dir(project.path()).status().unwrap().success());
    }
    let worked = project.koru(&["ticket", "run", "PLF-001", "--agent", "fake"]);
    assert_eq!(worked.status.code(), Some(0), "{}", String::from_utf8_lossy(&worked.stderr));
    (project, signs)
}

#[test]
fn comments_on_lines_of_two_files_are_in_the_next_rounds_fix_list() {
    let (project, signs) = reviewed();
    let terminal = open(&project);
    // From the finding to its line.
    terminal.wait_for("the turn says nothing");
    terminal.send("V");
    terminal.wait_for("at its line");
    terminal.send("\r");
    terminal.wait_for("two, turn 1");
    terminal.wait_until("the finding at its line", |screen| {
        screen.contains("file 2/2") && screen.contains("high judge, round 1: the turn says nothing")
    });
    // A comment here, one in the other file; nobody is told before they are sent.
    let comment = |place: &str, text: &str| {
        terminal.send("c");
        terminal.wait_for(&format!("comment on {place}"));
        terminal.send(text);
        terminal.send("\x13");
        terminal.wait_for(&format!("you (not sent): {text}"));
    };
    comment("src/b.rs:2", "say why");
    terminal.send("P");
    terminal.wait_until("the other file", |screen| screen.contains("file 1/2") && screen.contains("- two"));
    terminal.send("j");
    comment("src/a.rs:2", "count from one");
    assert!(!signs.join("told.2").exists());
    terminal.send("S");
    terminal.wait_for("2 comments sent to the next round");
    let told = wait::until("the second round", || std::fs::read_to_string(signs.join("told.2")).ok());
    for words in ["src/b.rs:2", "say why", "src/a.rs:2", "count from one", "the turn says nothing"] {
        assert!(told.contains(words), "no {words:?} in\n{told}");
    }
    wait_status(&project, "PLF-001", "done");
    let rounds: Value =
        serde_json::from_str(&project.read(".planfile/.koru/loop/PLF-001/rounds.json")).unwrap();
    let fixes: Vec<(String, u64, String)> = rounds["rounds"][1]["fixes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|fix| fix["source"].to_string().contains("operator"))
        .map(|fix| {
            let text = |key: &str| fix[key].as_str().unwrap().to_owned();
            (text("file"), fix["line"].as_u64().unwrap(), text("reason").lines().next().unwrap().to_owned())
        })
        .collect();
    let given = [("src/b.rs", 2, "say why"), ("src/a.rs", 2, "count from one")];
    assert_eq!(fixes, given.map(|(file, line, text)| (file.to_owned(), line, text.to_owned())));
    // What is shown is not the newest work any more, and it says so.
    terminal.wait_for("work went on");
    terminal.send("\x12");
    terminal.wait_for("two, turn 2, turn 1");
    terminal.send("\x1b");
    terminal.wait_for("QUEUE");
    quit(terminal);
}
