//! `diff` through the real binary: what a ticket's work changed, as text and as JSON, and why there is nothing to print.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/cli.rs"]
mod cli;
mod support;

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use cli::Place;
use koru_tui::execute::isolation::{self, Worktree};
use koru_tui::plan::ticket::TicketId;
use serde_json::{Value, json};
use support::project::{Project, human};

fn git(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=a", "-c", "user.email=a@b"]).args(args).current_dir(folder);
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {args:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A ticket with a worktree in which nothing was done yet.
fn begun() -> (Project, Worktree) {
    let project = Project::with(&[human("PLF-001", "work", "?"), human("PLF-002", "other", "?")]);
    project.write(".gitignore", ".planfile/.koru/\n");
    let lines: String = (1..=12).map(|line| format!("line {line}\n")).collect();
    project.write("src/a.rs", &lines);
    project.write("old name.txt", &"the same\n".repeat(9));
    project.write("run.sh", "true\n");
    git(project.path(), &["add", "-A"]);
    git(project.path(), &["commit", "-qm", "two"]);
    let (worktree, _) = isolation::prepare(project.path(), &TicketId::new("PLF-001"), None).unwrap();
    (project, worktree)
}

/// The same with work of every kind in it.
fn worked() -> (Project, Worktree) {
    let (project, worktree) = begun();
    let top = &worktree.path;
    let text = std::fs::read_to_string(top.join("src/a.rs")).unwrap();
    std::fs::write(top.join("src/a.rs"), text.replace("line 6\n", "line\x1b[2J six\u{202e}\n")).unwrap();
    std::fs::rename(top.join("old name.txt"), top.join("new name.txt")).unwrap();
    std::fs::set_permissions(top.join("run.sh"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(top.join(std::ffi::OsStr::from_bytes(b"caf\xe9")), b"\0\x01").unwrap();
    (project, worktree)
}

#[test]
fn a_diff_is_text_that_no_terminal_obeys() {
    let (project, worktree) = worked();
    let of_tree = project.run(&["diff", "PLF-001", "--working-tree"]).expect(0).out;
    let expected = "\
A caf<0xE9>  binary, 0 to 2 bytes
R old name.txt → new name.txt  +0 -0
M run.sh  +0 -0  mode 100644 → 100755
M src/a.rs  +1 -1
@@ -3,7 +3,7 @@
 line 3
 line 4
 line 5
-line 6
+line^[[2J six<U+202E>
 line 7
 line 8
 line 9
";
    assert_eq!(of_tree, expected);
    // Nothing is committed, so the branch is where it began.
    assert_eq!(project.run(&["diff", "PLF-001"]).expect(0).out, "");
    git(&worktree.path, &["add", "-A"]);
    git(&worktree.path, &["commit", "-qm", "three"]);
    assert_eq!(project.run(&["diff", "PLF-001"]).expect(0).out, expected);
    let stat = project.run(&["diff", "PLF-001", "--stat"]).expect(0).out;
    let heads: Vec<&str> = expected.lines().filter(|line| "ARM".contains(&line[..1])).collect();
    assert_eq!(stat.lines().collect::<Vec<_>>(), heads);
}

#[test]
fn a_diff_is_json_with_the_states_that_it_is_of() {
    let (project, worktree) = begun();
    std::fs::write(worktree.path.join("src/a.rs"), "line 1\n\tline 2\n").unwrap();
    git(&worktree.path, &["commit", "-qam", "three"]);
    let whole = project.run(&["diff", "PLF-001", "--format", "json"]).expect(0).json();
    let commit = |name: &str| Value::from(git(&worktree.path, &["rev-parse", name]));
    assert_eq!([&whole["base"], &whole["head"]], [&commit("HEAD^"), &commit("HEAD")]);
    assert_eq!(whole["range"], json!({"range": "whole"}));
    let file = &whole["files"][0];
    assert_eq!([&file["path"], &file["new_blob"]], [&json!("src/a.rs"), &commit("HEAD:src/a.rs")]);
    assert_eq!(file["stat"], json!({"stat": "text", "added": 1, "removed": 11}));
    assert_eq!(file["changes"][0]["added"], json!(["\tline 2"]));
    let blank = project.run(&["diff", "PLF-001", "-w", "--format", "json"]).expect(0).json();
    assert_eq!(blank["files"][0]["stat"], json!({"stat": "text", "added": 0, "removed": 10}));
    // The same contents are the same hash, wherever they lie.
    let tree = project.run(&["diff", "PLF-001", "--working-tree", "--format", "json"]).expect(0).json();
    assert_eq!([&tree["hash"], &tree["head"]], [&whole["hash"], &Value::Null]);
    assert_eq!(whole["hash"].as_str().unwrap().len(), 64);
}

#[test]
fn where_there_is_nothing_to_compare_it_says_why() {
    let (project, _worktree) = begun();
    let nobody = project.run(&["diff", "PLF-002"]).expect(1);
    assert!(
        nobody.err.contains("PLF-002") && nobody.err.contains("no agent has worked on it"),
        "{}",
        nobody.err
    );
    let round = project.run(&["diff", "PLF-001", "--round", "3"]).expect(2);
    assert!(round.err.contains("round 3"), "{}", round.err);
    project.run(&["diff", "PLF-001", "--round", "1", "--working-tree"]).expect(2);
    project.run(&["diff", "PLF-001", "--between", "1"]).expect(2);
    project.write(".planfile/.koru/loop/PLF-001/rounds.json", "{\"ticket\": ");
    let torn = project.run(&["diff", "PLF-001"]).expect(1);
    assert!(torn.err.contains("rounds.json"), "{}", torn.err);
}
