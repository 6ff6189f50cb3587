//! What the operator says while a ticket is worked on in rounds is told to the worker, or refused: never dropped.

use koru_tui::plan::ticket::TicketId;
use koru_tui::runtime::protocol::review::Stage;
use koru_tui::runtime::protocol::{Command, ReviewChoice, ReviewCommand, RunCommand, RunState};

use super::console::{Console, project, ticket};
use super::rounds::{WORKER, bench, comment, decide, review};

fn send(seen: &str) -> Command {
    let (ticket, findings) = (TicketId::new("PLF-1"), vec![comment("rename it")]);
    Command::Review(ReviewCommand::SendFindings { ticket, seen: seen.to_owned(), findings })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_without_rounds_takes_no_comments() {
    let script = "while [ ! -e go ]; do sleep 0.05; done";
    let project = project(&[ticket("PLF-1", "shell", script, "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(Command::Run(RunCommand::Start { ticket: TicketId::new("PLF-1") })).await.unwrap();
    let refused = console.refused(send(&"a".repeat(40))).await;
    assert!(refused.contains("in no round"), "{refused}");
    assert!(!project.path().join(".planfile/.koru/loop/PLF-1/queued.json").exists());
    std::fs::write(project.path().join("go"), "").unwrap();
    console.ended(&run).await;
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_to_a_reviewer_without_a_verdict_are_kept_and_no_approval_passes_them_over() {
    let judge = "n=$(count judged); begin j-1\n[ $n = 3 ] && { verdict approve; exit; }\nwhile [ ! -e \"$SIGNS/go\" ]; \
                 do sleep 0.05; done\nanswer 'looks fine to me'";
    let (project, signs) = bench(WORKER, judge, "");
    let mut console = Console::open(project.path());
    console.loaded().await;
    let id = TicketId::new("PLF-1");
    let delegate = RunCommand::Delegate { ticket: id.clone(), agent: None, note: None };
    let run = console.done(Command::Run(delegate)).await.unwrap();
    let sign = signs.path().join("judged");
    let seen = console.until(|_| sign.exists()).await;
    // Lines of another commit are other lines.
    let refused = console.refused(send(&seen.reviews[&id].base.clone())).await;
    assert!(refused.contains("the newest round"), "{refused}");
    let say = RunCommand::Say { run: run.clone(), text: "use port 80".to_owned() };
    console.done(Command::Run(say)).await;
    std::fs::write(signs.path().join("go"), "").unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::NeedsYou);
    let queue = project.path().join(".planfile/.koru/loop/PLF-1/queued.json");
    assert!(std::fs::read_to_string(&queue).unwrap().contains("use port 80"));
    let head = review(&console).rounds[0].head.clone().unwrap();
    let refused = console.refused(decide(&head, ReviewChoice::Accept)).await;
    assert!(refused.contains("told to nobody yet"), "{refused}");
    let another = decide(&head, ReviewChoice::Another { fixes: Vec::new() });
    let run = console.done(another).await.unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::Done);
    let over = review(&console);
    assert_eq!((over.stage, over.rounds.len()), (Stage::Approved, 2));
    assert_eq!(over.rounds[1].fixes[0].reason, "use port 80");
    let told = std::fs::read_to_string(signs.path().join("told.2")).unwrap();
    assert!(told.contains("use port 80"), "{told}");
    assert!(!queue.exists());
    console.handle.shutdown().await;
}
