//! The console's actions from a command line: the board as text, the audit, taking a change back, words in old runs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[allow(dead_code)]
#[path = "supervisor/console.rs"]
mod console;
mod support;

use koru_tui::plan::lifecycle::Op;
use koru_tui::plan::ticket::TicketId;
use koru_tui::runtime::Options;
use koru_tui::runtime::protocol::{Command, Event, Outcome, ProjectCommand, ProjectEvent, TicketCommand};
use serde_json::{Value, json};
use support::project::{Project, human, shell};

fn ran(project: &Project, args: &[&str]) -> (i32, String) {
    let output = project.koru(args);
    let text =
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), text)
}

fn parsed(project: &Project, args: &[&str]) -> Value {
    serde_json::from_slice(&project.koru(args).stdout).unwrap()
}

#[test]
fn the_board_as_text_has_what_needs_somebody_first() {
    let project = Project::with(&[
        shell("PLF-001", "run the tests", "true"),
        human("PLF-002", "which \u{1b}[2Jflow", "device code or PKCE?\nsay one"),
        shell("PLF-003", "migrate", "echo no disk left; exit 3"),
        shell("PLF-004", "import", "true").blocked_by("PLF-001"),
    ]);
    assert_eq!(ran(&project, &["ticket", "run", "PLF-003"]).0, 1);
    let (code, text) = ran(&project, &["status"]);
    assert_eq!(code, 0, "{text}");
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].contains("1 need you") && lines[0].contains("1 failed"), "{text}");
    let at = |words: &str| {
        lines.iter().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {text}"))
    };
    let order =
        [at("PLF-002"), at("device code or PKCE?"), at("PLF-003"), at("PLF-001"), at("blocked by PLF-001")];
    assert!(order.is_sorted(), "{order:?} {text}");
    assert!(!text.contains('\u{1b}'), "{text:?}");
    let board = parsed(&project, &["status", "--format", "json"]);
    assert_eq!(
        (&board["counts"]["needs_you"], &board["counts"]["failed"]),
        (&json!(1), &json!(1)),
        "{board}"
    );
    let failed = board["tickets"].as_array().unwrap().iter().find(|row| row["id"] == "PLF-003").unwrap();
    assert_eq!(failed["run"]["last"], "no disk left", "{failed}");
}

#[test]
fn words_in_old_runs_are_found() {
    let project = Project::with(&[shell("PLF-001", "migrate", "echo fine; echo No disk left")]);
    ran(&project, &["ticket", "run", "PLF-001"]);
    let (code, text) = ran(&project, &["runs", "search", "no", "disk"]);
    assert!(code == 0 && text.contains(":2  No disk left"), "{text}");
    let (code, text) = ran(&project, &["runs", "search", "--ticket", "PLF-009", "disk"]);
    assert_eq!((code, text.as_str()), (1, ""));
}

#[test]
fn a_ticket_is_made_for_an_agent_by_name() {
    let project = Project::with(&[]);
    for (args, handler) in [(&["--agent", "codex"][..], "agent:codex"), (&["--agent"][..], "agent")] {
        let all: Vec<&str> = [&["ticket", "create", "x", "--format", "json"], args].concat();
        let record = parsed(&project, &all);
        assert_eq!(
            (&record["executor"]["kind"], &record["executor"]["handler"]),
            (&json!("llm"), &json!(handler))
        );
    }
}

/// What a console changes is told by the audit, with who, when and about which state, and can be taken back, also later
/// and from elsewhere; not over what somebody did since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_in_the_audit_and_is_taken_back_by_a_verb() {
    let project = Project::with(&[human("PLF-001", "which flow?", "device code or PKCE?")]);
    let fresh = project.record("PLF-001");
    let id = || TicketId::new("PLF-001");
    let options = Options { actor: "ann".to_owned(), ..Options::new(project.path().to_owned()) };
    let mut console = console::Console::with(options);
    console.loaded().await;
    let text = "PKCE, ghp_0123456789abcdefghijABCDEFGHIJ012345".to_owned();
    console.done(Command::Ticket(TicketCommand::Answer { id: id(), text: text.clone(), seen: None })).await;
    assert_eq!(project.record("PLF-001")["status"], "done");
    console.done(Command::Project(ProjectCommand::Audit { count: 9 })).await;
    let heard = console.heard.iter().rev().find_map(|event| match event {
        Event::Project(ProjectEvent::Audit { rows }) => Some(rows.clone()),
        _ => None,
    });
    let rows = heard.unwrap();
    assert_eq!((rows.len(), &*rows[0].who, &*rows[0].kind), (1, "ann", "ticket.changed"));
    assert!(rows[0].text.contains("ticket PLF-001, what answered, before"), "{}", rows[0].text);
    console.handle.shutdown().await;

    // Another program takes it back: the ticket is home again, as it was but for its history.
    let undone = parsed(&project, &["ticket", "undo", "PLF-001", "--format", "json"]);
    assert_eq!((&undone["undone"], &undone["text"]), (&json!("answered"), &json!(text)));
    let without = |mut record: serde_yaml::Value| {
        for key in ["history", "updated_at"] {
            record.as_mapping_mut().unwrap().remove(key);
        }
        record
    };
    assert_eq!(without(project.record("PLF-001")), without(fresh));
    let (code, said) = ran(&project, &["ticket", "undo", "PLF-001"]);
    assert!(code == 1 && said.contains("keeps no change that can be taken back"), "{said}");
    let rows = parsed(&project, &["audit", "--ticket", "PLF-001", "--format", "json"]);
    let what: Vec<&str> = rows.as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(what, ["answered", "undone: answered"]);
    assert!(!rows.to_string().contains("ghp_"), "{rows}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_not_taken_back_over_what_somebody_did_since() {
    let project = Project::with(&[shell("PLF-001", "build", "true")]);
    let id = || TicketId::new("PLF-001");
    let mut console = console::Console::with(Options::new(project.path().to_owned()));
    console.loaded().await;
    let op = Op::Block { reason: "wait".to_owned() };
    console.done(Command::Ticket(TicketCommand::Apply { id: id(), op, seen: None })).await;
    assert_eq!(ran(&project, &["ticket", "ready", "PLF-001"]).0, 0);
    let refused = console.ask(Command::Ticket(TicketCommand::Undo { id: id() })).await;
    let Outcome::Refused { message } = refused else { panic!("{refused:?}") };
    assert!(message.contains("was changed again after it was blocked"), "{message}");
    console.handle.shutdown().await;
}
