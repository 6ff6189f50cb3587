//! Between worker and reviewer: what gates find and leave, what is not of the work, and what a reviewer's last word costs.

use koru_tui::plan::ticket::TicketId;
use koru_tui::runtime::protocol::review::{Stage, Wait};
use koru_tui::runtime::protocol::{Command, ReviewChoice, RunCommand, RunState};

use super::agents::{self, delegate, git};
use super::console::{Console, ticket};
use super::rounds::{WORKER, bench, count, decide, review, worked};

/// Approves whatever it is asked, and is counted.
const APPROVES: &str = "count judged >/dev/null; begin j-1; verdict approve";

/// Never lets work pass, and is counted.
const REFUSES: &str = "count judged >/dev/null; begin j-1; verdict changes_required \"$(bad wrong)\"";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_gates_refuse_is_not_laundered_by_a_review() {
    let worker = "count worked >/dev/null; begin w-1; echo nothing >>hello.txt; finish w-1 Done.";
    let (project, signs) = bench(worker, APPROVES, "review:\n  max_rounds: 1\n");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!(ended.state, RunState::NeedsYou);
    let head = review(&console).rounds[0].head.clone().unwrap();
    let run = console.done(decide(&head, ReviewChoice::ReviewAgain)).await.unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::NeedsYou);
    assert_eq!(review(&console).stage, Stage::Waiting { why: Wait::MaxRounds });
    assert_eq!((count(signs.path(), "worked"), count(signs.path(), "judged")), (1, 0));
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_gates_leave_is_nobodys_work() {
    let worker = "n=$(count worked); begin w-1; [ $n = 1 ] && echo world >>hello.txt\nfinish w-1 Done.";
    let (project, signs) = bench(worker, REFUSES, "");
    let policy = "llm:\n  require_ci_pass_before_complete: true\nci:\n  command: mkdir -p out && date +%N \
                  >out/coverage.xml && echo built >>hello.txt && grep -q world hello.txt\n";
    std::fs::write(project.path().join(".planfile/.koru/policy.yaml"), policy).unwrap();
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    // The second turn changed nothing: no round is made of what the gates left in the first.
    assert_eq!((ended.state, count(signs.path(), "judged")), (RunState::NeedsYou, 1));
    let over = review(&console);
    assert_eq!((over.stage, over.gated), (Stage::Waiting { why: Wait::NoChange }, None));
    let worktree = project.path().join(".planfile/.koru/worktrees/PLF-1");
    assert_eq!(git(&worktree, &["status", "--porcelain"]), "");
    assert_eq!(std::fs::read_to_string(worktree.join("hello.txt")).unwrap(), "hello\nworld\n");
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_violation_is_not_laundered_by_a_review() {
    let worker =
        "count worked >/dev/null; begin w-1; echo world >>hello.txt; echo more >other.txt; finish w-1 Done.";
    let (project, signs) = bench(worker, APPROVES, "");
    let sprint = project.path().join(".planfile/sprints/current.yaml");
    let text = std::fs::read_to_string(&sprint).unwrap();
    std::fs::write(
        &sprint,
        text.replace("      priority: normal\n", "      priority: normal\n      files: [hello.txt]\n"),
    )
    .unwrap();
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!(ended.state, RunState::Violation, "{:?}", ended.message);
    let seen = review(&console).rounds[0].from.clone();
    let run = console.done(decide(&seen, ReviewChoice::ReviewAgain)).await.unwrap();
    let again = console.ended(&run).await;
    assert_eq!(again.state, RunState::Violation, "{:?}", again.message);
    assert_eq!((count(signs.path(), "worked"), count(signs.path(), "judged")), (1, 0));
    assert_eq!(git(project.path(), &["rev-parse", "koru/PLF-1"]).trim(), seen, "nothing was committed");
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reviewer_that_is_asked_twice_costs_what_its_conversation_cost() {
    // The second answer tells what the conversation amounts to, as Claude Code does.
    let judge = "n=$(count judged); begin j-1\n[ $n = 1 ] && answer 'looks fine' || verdict approve | sed 's/:0.05/:0.08/'";
    let (project, _signs) = bench(WORKER, judge, "");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!(ended.state, RunState::Done, "{:?}", ended.message);
    let part = review(&console).rounds[0].reviewer.clone().unwrap();
    let cost = part.cost.unwrap().usd;
    assert!((cost - 0.08).abs() < 1e-9, "{cost}");
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_in_a_verdict_is_not_kept() {
    let secret = format!("ghp_{}", "a1B2c3".repeat(6));
    let judge = format!(
        "begin j-1; head=$(git rev-parse HEAD); f=$(bad 'it logs {secret}' | sed 's/\\\\//g'); printf \
         '{{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"judged\",\"structured_output\":\
         {{\"ticket\":\"PLF-1\",\"head\":\"%s\",\"decision\":\"changes_required\",\"summary\":\"{secret}\",\"findings\":\
         [%s]}},\"session_id\":\"j-1\",\"num_turns\":1,\"total_cost_usd\":0.05}}\\n' \"$head\" \"$f\""
    );
    let (project, _signs) = bench(WORKER, &judge, "review:\n  max_rounds: 1\n");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    let waiting = review(&console);
    assert_eq!((ended.state, &waiting.stage), (RunState::NeedsYou, &Stage::Waiting { why: Wait::MaxRounds }));
    let kept =
        std::fs::read_to_string(project.path().join(".planfile/.koru/loop/PLF-1/rounds.json")).unwrap();
    assert!(kept.contains("it logs ") && !kept.contains(&secret), "{kept}");
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verdict_whose_cost_reaches_the_limit_counts_and_nobody_is_paid_after_it() {
    let (project, signs) = bench(WORKER, REFUSES, "budgets: {run_usd: 0.29}\n");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!(ended.state, RunState::NeedsYou, "{:?}", ended.message);
    let waiting = review(&console);
    assert_eq!((waiting.stage.clone(), waiting.rounds.len()), (Stage::Working, 2));
    assert!(waiting.rounds[0].verdict.is_some(), "{waiting:?}");
    assert_eq!((count(signs.path(), "worked"), count(signs.path(), "judged")), (1, 1));
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wished_review_holds_when_the_work_goes_on() {
    let (project, signs) = bench(WORKER, APPROVES, "");
    let koru = project.path().join(".planfile/.koru");
    let config = std::fs::read_to_string(koru.join("config.yaml")).unwrap();
    std::fs::write(koru.join("config.yaml"), config.replace(", reviewer: judge", "")).unwrap();
    let base = git(project.path(), &["rev-parse", "HEAD"]).trim().to_owned();
    // As a run left it that was told `--reviewer=judge` and died in the worker's first turn.
    let rounds = format!(
        r#"{{"ticket": "PLF-1", "max_rounds": 3, "base": "{base}", "stage": {{"stage": "working"}}, "reviewer": "judge",
            "rounds": [{{"number": 1, "from": "{base}", "head": null, "fixes": [], "worker": null, "gates": [],
            "reviewer": null, "verdict": null}}]}}"#
    );
    std::fs::create_dir_all(koru.join("loop/PLF-1")).unwrap();
    std::fs::write(koru.join("loop/PLF-1/rounds.json"), rounds).unwrap();
    let mut console = Console::open(project.path());
    console.loaded().await;
    let delegate = RunCommand::Delegate { ticket: TicketId::new("PLF-1"), agent: None, note: None };
    let run = console.done(Command::Run(delegate)).await.unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::Done);
    assert_eq!((count(signs.path(), "worked"), count(signs.path(), "judged")), (1, 1));
    let over = review(&console);
    assert_eq!(
        (over.stage, over.rounds.len(), over.reviewer.as_deref()),
        (Stage::Approved, 1, Some("judge"))
    );
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_gates_leave_of_unreviewed_work_is_taken_away_too() {
    let script = "session; text m1 Hm; echo 'hello world' >hello.txt; finish Done.";
    let (project, _signs) = agents::bench(script, "", &[ticket("PLF-1", "human", "", "")]);
    let policy = "llm:\n  require_ci_pass_before_complete: true\nci:\n  command: mkdir -p out && echo 1 >out/coverage.xml \
                  && echo built >>hello.txt && grep -q world hello.txt\n";
    std::fs::write(project.path().join(".planfile/.koru/policy.yaml"), policy).unwrap();
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(delegate("PLF-1", None)).await.unwrap();
    let ended = console.ended(&run).await;
    assert_eq!(ended.state, RunState::Done, "{:?}", ended.message);
    let worktree = project.path().join(".planfile/.koru/worktrees/PLF-1");
    assert_eq!(git(&worktree, &["status", "--porcelain"]), "");
    assert_eq!(std::fs::read_to_string(worktree.join("hello.txt")).unwrap(), "hello world\n");
    console.handle.shutdown().await;
}

/// The end of a reply in Claude Code's stream: a good moment for a pause.
const REPLY: &str = r#"printf '{"type":"stream_event","event":{"type":"message_delta","delta":{"stop_reason":"x"},"usage":{"input_tokens":1,"output_tokens":1}}}\n'"#;

/// The reviewer's verdict is its last message, and it does not end by itself: it is paused right after it.
fn paused(verdict: &str) -> String {
    let said = r#"printf '{"type":"assistant","message":{"id":"v1","content":[{"type":"text","text":"%s"}]},"session_id":"j-1"}\n' "$1""#;
    format!(
        "count judged >/dev/null; begin j-1; n=0; while [ ! -e \"$SIGNS/go\" ] && [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.05; \
         done\nanswer() {{ {said}; }}\n{verdict}\n{REPLY}\nn=0; while [ $n -lt 600 ]; do n=$((n + 1)); sleep 0.05; done"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verdict_that_was_given_before_a_pause_stands_and_is_not_paid_again() {
    let (project, signs) = bench(WORKER, &paused("verdict changes_required \"$(bad wrong)\""), "");
    let mut console = Console::open(project.path());
    console.loaded().await;
    let delegate = RunCommand::Delegate { ticket: TicketId::new("PLF-1"), agent: None, note: None };
    let run = console.done(Command::Run(delegate)).await.unwrap();
    let judged = signs.path().join("judged");
    console.until(|_| judged.exists()).await;
    console.done(Command::Run(RunCommand::PauseAfterTurn { run: run.clone(), on: true })).await;
    std::fs::write(signs.path().join("go"), "").unwrap();
    let ended = console.ended(&run).await;
    assert_eq!(ended.state, RunState::NeedsYou, "{:?}", ended.message);
    assert!(ended.message.as_deref().unwrap().contains("paused after its verdict"), "{:?}", ended.message);
    let waiting = review(&console);
    assert_eq!((waiting.stage.clone(), waiting.rounds.len()), (Stage::Working, 2), "{waiting:?}");
    assert_eq!(waiting.rounds[1].fixes[0].reason, "wrong");
    assert_eq!((count(signs.path(), "worked"), count(signs.path(), "judged")), (1, 1));
    console.handle.shutdown().await;
}
