//! Landing what an agent has finished, by keystroke in a real terminal on real git: approve, undo, a stale commit, the
//! word of high-risk work, a rejection with its reason.

use std::process::Command;

use crate::steps::{quit, wait_status};
use crate::support::project::{Project, Ticket, human};
use crate::support::pty::{Launch, Terminal};

/// Writes the file that the ticket is called after, and something of its own.
const WORKER: &str = r#"#!/bin/sh
printf '{"type":"system","subtype":"init","session_id":"w","model":"m","tools":[]}\n'
id=$(basename "$PWD"); echo "by $id" >"$id.txt"
printf '{"type":"result","subtype":"success","is_error":false,"result":"Done.","session_id":"w","num_turns":1,"total_cost_usd":0.25}\n'
"#;

fn git(project: &Project, arguments: &[&str]) -> String {
    let output = Command::new("git").args(arguments).current_dir(project.path()).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn main(project: &Project) -> String {
    git(project, &["rev-parse", "main"])
}

/// A project whose tickets an agent has finished.
pub(crate) fn finished(tickets: &[Ticket], config: &str) -> Project {
    let project = Project::with(tickets);
    let program = project.around().join("worker");
    std::fs::write(&program, WORKER).unwrap();
    let config = format!(
        "roles: {{worker: fake}}\nagents:\n  fake:\n    kind: custom\n    stream: claude\n    args: [/bin/sh, {}, \
         '{{prompt}}']\n{config}",
        program.display()
    );
    project.write(".planfile/.koru/config.yaml", &config);
    project.write(".planfile/.koru/policy.yaml", "ci:\n  command: ls *.txt\n");
    project.write(".gitignore", ".planfile/\n");
    git(&project, &["add", ".gitignore"]);
    git(&project, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "two"]);
    git(&project, &["branch", "-M", "main"]);
    for number in 1..=tickets.len() {
        let id = format!("PLF-00{number}");
        let worked = project.koru(&["ticket", "run", &id, "--agent", "fake"]);
        assert_eq!(worked.status.code(), Some(0), "{}", String::from_utf8_lossy(&worked.stderr));
    }
    project
}

/// Opens the screen of what lands, where this many wait.
pub(crate) fn open_at(project: &Project, waiting: usize) -> Terminal {
    // Their tickets are finished and folded away: the header says that there is something.
    let terminal = Launch::koru(project.path(), &[]).size(120, 40).start();
    terminal.wait_for(&format!("{waiting} to land"));
    terminal.send("L");
    terminal.wait_for("PROMOTIONS");
    terminal
}

#[test]
fn work_is_approved_by_keystroke_and_taken_back_and_a_stale_commit_is_refused() {
    let project = finished(&[human("PLF-001", "greet", "how?")], "");
    let (before, first) = (main(&project), git(&project, &["rev-parse", "koru/PLF-001"]));
    let terminal = open_at(&project, 1);
    terminal.wait_for(&format!("{} on main, which goes forward", &first[..12]));
    terminal.wait_for("ci passed");

    // The work goes on behind the console's back: what was on the screen does not land, and what is there is shown.
    let worktree = project.path().join(".planfile/.koru/worktrees/PLF-001");
    std::fs::write(worktree.join("more.txt"), "more\n").unwrap();
    let inside = |arguments: &[&str]| {
        let status = Command::new("git").args(arguments).current_dir(&worktree).status().unwrap();
        assert!(status.success(), "git {arguments:?}");
    };
    inside(&["add", "more.txt"]);
    inside(&["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "more"]);
    let head = git(&project, &["rev-parse", "koru/PLF-001"]);
    terminal.send("A");
    terminal.wait_for(&format!("land PLF-001 at {} on main?", &first[..12]));
    terminal.send("y");
    terminal.wait_for("the work of PLF-001 went on since");
    assert_eq!(main(&project), before);
    terminal.wait_for("the work went on to PLF-001");
    terminal.wait_until("the new one", |screen| screen.contains("2 of 2"));
    terminal.send("k");
    terminal.wait_for(&format!("{} on main", &head[..12]));

    terminal.send("A");
    terminal.wait_for(&format!("land PLF-001 at {} on main?", &head[..12]));
    terminal.send("y");
    terminal.wait_for(&format!("PLF-001 landed on main as {}", &head[..12]));
    assert_eq!(main(&project), head);
    assert_eq!(project.read("more.txt"), "more\n");
    terminal.send("u");
    terminal.wait_for("take PLF-001 back from main?");
    terminal.send("y");
    terminal.wait_for(&format!("PLF-001 is taken back; main is at {}", &before[..12]));
    assert_eq!(main(&project), before);
    assert!(!project.path().join("more.txt").exists());
    terminal.send("\x1b");
    terminal.wait_for("QUEUE");
    quit(terminal);
}

#[test]
fn high_risk_asks_for_the_word_and_a_rejection_goes_back_with_its_reason() {
    let tickets = [human("PLF-001", "keys", "which?"), human("PLF-002", "greet", "how?")];
    let project = finished(&tickets, "promotion:\n  high_risk: ['PLF-001.txt']\n");
    let (before, head) = (main(&project), git(&project, &["rev-parse", "koru/PLF-001"]));
    let terminal = open_at(&project, 2);
    terminal.wait_for("is high-risk");
    terminal.send("A");
    terminal.wait_for("high risk: type PLF-001 to land it:");
    terminal.send("y\r");
    terminal.wait_for("nothing landed: that was not PLF-001");
    assert_eq!(main(&project), before);
    terminal.send("\x1b");
    terminal.wait_gone("that was not PLF-001");
    terminal.send("A");
    terminal.wait_for("high risk: type PLF-001 to land it:");
    terminal.send("PLF-001\r");
    terminal.wait_for("PLF-001 landed on main as");
    assert_eq!(main(&project), head);

    terminal.send("j");
    terminal.wait_for("PLF-002  greet");
    terminal.send("R");
    terminal.wait_for("reject PLF-002, and then");
    terminal.send("1");
    terminal.wait_for("why PLF-002 is rejected");
    terminal.send("in Polish, please\x13");
    terminal.wait_for("PLF-002 is rejected; whoever works it next is told why");
    wait_status(&project, "PLF-002", "open");
    let notes = serde_yaml::to_string(&project.record("PLF-002")["outputs"]["notes"]).unwrap();
    assert!(notes.contains("in Polish, please"), "{notes}");
    assert_eq!(main(&project), head);
    terminal.send("\x1b");
    terminal.wait_for("QUEUE");
    quit(terminal);
}

/// Three low-risk ones, two of which change the same file: the first lands, the second too once its checks ran on top of
/// it.
#[test]
fn marked_ones_land_one_after_the_other_each_with_its_own_record() {
    let tickets = ["PLF-001", "PLF-002"].map(|id| human(id, &format!("say {id}"), "how?").label("risk:low"));
    let project = finished(&tickets, "");
    let terminal = open_at(&project, 2);
    terminal.wait_for("PLF-001  say PLF-001");
    terminal.send(" ");
    terminal.wait_for("1 marked");
    terminal.send("j");
    terminal.wait_for("PLF-002  say PLF-002");
    terminal.send(" ");
    terminal.wait_for("2 marked");
    terminal.send("A");
    terminal.wait_for("land 2 marked promotions, one after the other?");
    terminal.send("y");
    terminal.wait_for("landed: PLF-001, PLF-002");
    assert_eq!(
        (project.read("PLF-001.txt"), project.read("PLF-002.txt")),
        ("by PLF-001\n".to_owned(), "by PLF-002\n".to_owned())
    );
    let audit = project.path().join(".planfile/.koru/audit");
    let rows: Vec<String> = std::fs::read_dir(audit)
        .unwrap()
        .flat_map(|entry| {
            let text = std::fs::read_to_string(entry.unwrap().path()).unwrap();
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|row| row.contains("promotion.apply"))
        .collect();
    assert_eq!(rows.len(), 2, "{rows:#?}");
    terminal.send("\x1b");
    terminal.wait_for("QUEUE");
    quit(terminal);
}
