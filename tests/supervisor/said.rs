//! What the operator says while a ticket is worked on in rounds is told to the worker, or refused: never dropped.

use koru_tui::plan::ticket::TicketId;
use koru_tui::runtime::protocol::review::Stage;
use koru_tui::runtime::protocol::{Command, ReviewChoice, ReviewCommand, RunCommand, RunId, RunState};

use super::agents::{self, delegate, lines_until};
use super::console::{Console, project, ticket};
use super::rounds::{WORKER, bench, comment, decide, review, worked};

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

fn say(run: &RunId, text: &str) -> Command {
    Command::Run(RunCommand::Say { run: run.clone(), text: text.to_owned() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_while_gates_check_unreviewed_work_are_one_more_turn() {
    let script = "session; text m$$ Hm; echo 'hello world' >hello.txt; case \"$1\" in *'port 80'*) echo 80 >port ;; esac; \
                  finish Done.";
    let (project, signs) = agents::bench(script, "", &[ticket("PLF-1", "human", "", "")]);
    let sign = signs.path().display();
    let policy = format!(
        "llm:\n  require_ci_pass_before_complete: true\nci:\n  command: touch {sign}/gating; n=0; while [ ! -e {sign}/go ] && \
         [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.05; done; grep -q world hello.txt\n"
    );
    std::fs::write(project.path().join(".planfile/.koru/policy.yaml"), policy).unwrap();
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    let gating = signs.path().join("gating");
    console.until(|_| gating.exists()).await;
    console.done(say(&run, "use port 80")).await;
    std::fs::write(signs.path().join("go"), "").unwrap();
    let ended = console.ended(&run).await;
    assert_eq!(ended.state, RunState::Done, "{:?}", ended.message);
    assert_eq!(agents::git(project.path(), &["show", "koru/PLF-1:port"]), "80\n");
    assert!(!project.path().join(".planfile/.koru/loop/PLF-1/queued.json").exists(), "it was told");
    assert_eq!(ended.agent.as_ref().unwrap().tally.turns, 2);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_that_a_stopped_agent_did_not_hear_are_told_of_and_said_to_the_next() {
    let script = "session; case \"$1\" in *'port 80'*) text m2 Yes; echo 'hello world' >hello.txt; finish Done. ;; *) text m1 \
                  Working; awaits never ;; esac";
    let (project, _signs) = agents::bench(script, "", &[ticket("PLF-1", "human", "", "")]);
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    lines_until(&mut console, &run, "Working").await;
    console.done(say(&run, "use port 80")).await;
    console.done(Command::Run(RunCommand::Stop { run: run.clone() })).await;
    let ended = console.ended(&run).await;
    assert_eq!(ended.state, RunState::Stopped);
    assert_eq!(ended.agent.as_ref().unwrap().queued, ["use port 80"]);
    let lines = console.transcript(&run).await;
    assert!(lines.iter().any(|line| line == "[nobody was told yet: use port 80]"), "{lines:?}");
    let again = console.done(delegate("PLF-1", None)).await.unwrap();
    assert_eq!(console.ended(&again).await.state, RunState::Done);
    assert!(!project.path().join(".planfile/.koru/loop/PLF-1/queued.json").exists(), "it was told");
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_kept_from_an_earlier_run_are_told_in_the_round_that_begins() {
    let (project, signs) = bench(WORKER, "begin j-1; verdict approve", "");
    let folder = project.path().join(".planfile/.koru/loop/PLF-1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("queued.json"), serde_json::to_vec(&[comment("rename it")]).unwrap()).unwrap();
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!(ended.state, RunState::Done, "{:?}", ended.message);
    let over = review(&console);
    assert_eq!((over.rounds.len(), over.rounds[0].fixes.clone()), (1, vec![comment("rename it")]));
    assert!(std::fs::read_to_string(signs.path().join("told.1")).unwrap().contains("rename it"));
    assert!(!folder.join("queued.json").exists());
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_program_counts_no_turns_is_told_once_and_not_for_ever() {
    let script = "printf '%s\\n--\\n' \"$1\" >>\"$SIGNS/told\"; echo 'hello world' >hello.txt; finish Done.";
    let (project, signs) = agents::bench(script, "", &[ticket("PLF-1", "human", "", "")]);
    let folder = project.path().join(".planfile/.koru/loop/PLF-1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("queued.json"), serde_json::to_vec(&[comment("rename it")]).unwrap()).unwrap();
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::Done);
    let told = std::fs::read_to_string(signs.path().join("told")).unwrap();
    assert_eq!((told.matches("rename it").count(), told.matches("--\n").count()), (1, 1), "{told}");
    assert!(!folder.join("queued.json").exists());
    console.handle.shutdown().await;
}
