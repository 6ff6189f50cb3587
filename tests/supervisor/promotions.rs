//! Work that lands, through the supervisor: seen without being asked for, decided on by two consoles, stopped in its
//! checks, and drained.

use std::path::Path;

use koru_tui::plan::ticket::Status;
use koru_tui::runtime::protocol::promotion::{After, PromotionView, State};
use koru_tui::runtime::protocol::{Command, Event, PromotionCommand, PromotionEvent, Snapshot};

use super::agents::{bench, delegate, git};
use super::console::{Console, ticket};

const WORK: &str = "session; text m1 Fixing; echo 'hello world' >hello.txt; finish Done.";

/// A console on a project whose one ticket an agent has finished, and the promotion of it.
async fn finished() -> ((tempfile::TempDir, tempfile::TempDir), Console, PromotionView) {
    let project = bench(WORK, "", &[ticket("PLF-1", "human", "", "")]);
    let mut console = Console::open(project.0.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    console.ended(&run).await;
    // Nobody asks for it: the end of the run is enough.
    let snapshot = console.until(|snapshot| !snapshot.promotions.list.is_empty()).await;
    let view = PromotionView::clone(&snapshot.promotions.list[0]);
    (project, console, view)
}

fn state(snapshot: &Snapshot) -> String {
    snapshot.promotions.list[0].promotion.state.word().to_owned()
}

fn main(root: &Path) -> String {
    git(root, &["rev-parse", "main"]).trim().to_owned()
}

fn approve(view: &PromotionView, seen: &str) -> Command {
    let id = view.promotion.id.clone();
    Command::Promotion(PromotionCommand::Approve { id, seen: seen.to_owned(), word: None })
}

fn undo(view: &PromotionView) -> Command {
    Command::Promotion(PromotionCommand::Undo { id: view.promotion.id.clone() })
}

fn reject(view: &PromotionView, seen: &str, after: After) -> Command {
    let (id, seen, reason) = (view.promotion.id.clone(), seen.to_owned(), "in Polish, please".to_owned());
    Command::Promotion(PromotionCommand::Reject { id, seen, reason, after })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_consoles_decide_once_and_the_second_sees_what_became_of_it() {
    let ((project, _signs), mut console, view) = finished().await;
    let root = project.path();
    let (before, head) = (main(root), view.promotion.head.clone());
    assert_eq!((view.promotion.state.word(), view.base_ahead), ("pending", Some(0)));
    let mut other = Console::open(root);
    other.until(|snapshot| !snapshot.promotions.list.is_empty()).await;

    let stale = console.refused(approve(&view, &"0".repeat(40))).await;
    assert!(stale.contains("is not what you saw"), "{stale}");
    let stale = console.refused(reject(&view, &"0".repeat(40), After::Rework)).await;
    assert!(stale.contains("is not what you saw"), "{stale}");
    assert_eq!(main(root), before);

    console.done(approve(&view, &head)).await;
    assert_eq!(main(root), head);
    let carried = console.heard.iter().find_map(|event| match event {
        Event::Promotion(PromotionEvent::Carried { promotion, trouble }) => {
            Some((promotion.state.word(), trouble.clone()))
        }
        _ => None,
    });
    assert_eq!(carried, Some(("applied", None)));
    console.until(|snapshot| state(snapshot) == "applied").await;

    let late = other.refused(approve(&view, &head)).await;
    assert!(late.contains("is applied already, by koru-shell"), "{late}");
    other.until(|snapshot| state(snapshot) == "applied").await;
    other.done(undo(&view)).await;
    assert_eq!(main(root), before);
    assert!(console.refused(undo(&view)).await.contains("undone"));
    console.until(|snapshot| state(snapshot) == "undone").await;
    other.handle.shutdown().await;
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_work_goes_back_and_what_comes_of_it_is_another_promotion() {
    let ((project, _signs), mut console, view) = finished().await;
    let before = main(project.path());
    console.done(reject(&view, &view.promotion.head, After::Rework)).await;
    let shown = console.until(|snapshot| state(snapshot) == "rejected").await;
    let why = match &shown.promotions.list[0].promotion.state {
        State::Rejected { reason, .. } => reason.clone(),
        _ => String::new(),
    };
    assert_eq!((why.as_str(), main(project.path())), ("in Polish, please", before));
    console.until(|snapshot| snapshot.plan.tickets[0].status == Status::Open).await;
    // A look that was asked for changes nothing about it.
    console.done(Command::Promotion(PromotionCommand::Refresh)).await;
    assert_eq!(console.handle.snapshot().promotions.list.len(), 1);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checks_on_a_moved_base_are_shown_and_can_be_stopped_and_closing_waits_for_them() {
    let ((project, signs), mut console, view) = finished().await;
    let root = project.path();
    std::fs::write(root.join("other"), "theirs\n").unwrap();
    git(root, &["add", "other"]);
    git(root, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "two"]);
    let theirs = main(root);
    let go = signs.path().join("go");
    let command = format!(
        "echo looking closely; n=0; while [ ! -e {} ] && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.05; done",
        go.display()
    );
    let policy = serde_json::json!({"llm": {}, "ci": {"command": command}}).to_string();
    std::fs::write(root.join(".planfile/.koru/policy.yaml"), policy).unwrap();
    console.done(Command::Promotion(PromotionCommand::Refresh)).await;
    let ahead = console.until(|snapshot| snapshot.promotions.list[0].base_ahead == Some(1)).await;
    assert_eq!(ahead.promotions.landing, None);

    let says = |snapshot: &Snapshot| {
        snapshot.promotions.landing.as_ref().is_some_and(|landing| landing.says.contains("looking closely"))
    };
    let begin = |console: &mut Console| {
        console.last += 1;
        let request = koru_tui::runtime::protocol::RequestId(console.last);
        console.handle.send(request, approve(&view, &view.promotion.head));
    };
    begin(&mut console);
    console.until(says).await;
    let second = console.refused(approve(&view, &view.promotion.head)).await;
    assert!(second.contains("lands right now"), "{second}");
    console.done(Command::Promotion(PromotionCommand::Stop { id: view.promotion.id.clone() })).await;
    console.until(|snapshot| snapshot.promotions.landing.is_none()).await;
    assert_eq!((main(root), state(&console.handle.snapshot()).as_str()), (theirs.clone(), "pending"));

    begin(&mut console);
    console.until(says).await;
    console.handle.shutdown().await;
    assert_eq!(main(root), theirs);
    // Nothing is left of either: no worktree but the operator's and the ticket's.
    assert_eq!(git(root, &["worktree", "list"]).lines().count(), 2);

    std::fs::write(&go, "").unwrap();
    let mut again = Console::open(root);
    again.until(|snapshot| !snapshot.promotions.list.is_empty()).await;
    again.done(approve(&view, &view.promotion.head)).await;
    assert_eq!(git(root, &["rev-parse", "main~1"]).trim(), theirs);
    again.handle.shutdown().await;
}
