//! Work in rounds under the supervisor: a worker and a reviewer that are small scripts, which speak Claude Code's stream
//! and decide by what they are told and by what they left behind.

use std::path::Path;

use koru_tui::plan::ticket::{Status, TicketId};
use koru_tui::runtime::protocol::review::{Finding, Progress, Source, Stage, Wait};
use koru_tui::runtime::protocol::{
    Command, Review, ReviewChoice, ReviewCommand, Role, RunCommand, RunId, RunState, RunView,
};

use super::agents::git;
use super::console::{Console, project, ticket};

/// What both scripts begin with. `count NAME` adds to a file and says how often it was called.
const SPEECH: &str = r#"#!/bin/sh
count() { echo x >>"$SIGNS/$1"; wc -l <"$SIGNS/$1" | tr -d ' '; }
begin() { printf '{"type":"system","subtype":"init","session_id":"%s","model":"m","tools":[]}\n' "$1"; printf '{"type":"assistant","message":{"id":"m%s","content":[{"type":"text","text":"on it"}]},"session_id":"%s"}\n' "$$" "$1"; }
finish() { printf '{"type":"result","subtype":"success","is_error":false,"result":"%s","session_id":"%s","num_turns":1,"usage":{"input_tokens":10,"output_tokens":5},"total_cost_usd":%s}\n' "$2" "$1" "${3:-0.25}"; }
answer() { printf '{"type":"result","subtype":"success","is_error":false,"result":"%s","session_id":"j-1","num_turns":1,"usage":{"input_tokens":7,"output_tokens":3},"total_cost_usd":0.05}\n' "$1"; }
verdict() { answer "{\\\"ticket\\\":\\\"PLF-1\\\",\\\"head\\\":\\\"$(git rev-parse HEAD)\\\",\\\"decision\\\":\\\"$1\\\",\\\"summary\\\":\\\"s\\\",\\\"findings\\\":[$2]}"; }
bad() { printf '{\\"earlier_id\\":null,\\"severity\\":\\"high\\",\\"blocking\\":true,\\"file\\":\\"hello.txt\\",\\"line\\":1,\\"end_line\\":null,\\"reason\\":\\"%s\\",\\"required_change\\":null,\\"dimension\\":null}' "$1"; }
"#;

/// The usual worker: adds a line a turn, and keeps what it was told. Its cost is that of the conversation so far, as
/// Claude Code's is.
pub(crate) const WORKER: &str = "n=$(count worked)\nprintf '%s' \"$1\" >\"$SIGNS/told.$n\"\nbegin w-1; echo \"world $n\" >>hello.txt; \
                      finish w-1 Done. 0.$((n * 25))\n";

/// A git project with the agents `fake` and `judge`, who has the role `reviewer`.
pub(crate) fn bench(worker: &str, judge: &str, more: &str) -> (tempfile::TempDir, tempfile::TempDir) {
    let (project, signs) = (project(&[ticket("PLF-1", "human", "", "")]), tempfile::tempdir().unwrap());
    let root = project.path();
    let koru = root.join(".planfile/.koru");
    std::fs::create_dir_all(&koru).unwrap();
    let mut config = "roles: {worker: fake, reviewer: judge}\nagents:\n".to_owned();
    for (name, script) in [("fake", worker), ("judge", judge)] {
        let program = signs.path().join(name);
        std::fs::write(&program, format!("{SPEECH}{script}\n")).unwrap();
        config.push_str(&format!(
            "  {name}:\n    kind: custom\n    stream: claude\n    args: [/bin/sh, {}, '{{prompt}}']\n    env: {{SIGNS: \
             {signs}}}\n    writable: [{signs}]\n",
            program.display(),
            signs = signs.path().display(),
        ));
    }
    std::fs::write(koru.join("config.yaml"), format!("{config}{more}")).unwrap();
    let policy = "llm:\n  require_ci_pass_before_complete: true\nci:\n  command: grep -q world hello.txt\n";
    std::fs::write(koru.join("policy.yaml"), policy).unwrap();
    git(root, &["init", "-q", "-b", "main"]);
    std::fs::write(root.join(".gitignore"), ".planfile/.koru/\n").unwrap();
    std::fs::write(root.join("hello.txt"), "hello\n").unwrap();
    git(root, &["add", "-A"]);
    git(root, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"]);
    (project, signs)
}

pub(crate) async fn worked(console: &mut Console) -> (RunId, std::sync::Arc<RunView>) {
    console.loaded().await;
    let delegate = RunCommand::Delegate { ticket: TicketId::new("PLF-1"), agent: None, note: None };
    let run = console.done(Command::Run(delegate)).await.unwrap();
    let view = console.ended(&run).await;
    (run, view)
}

pub(crate) fn review(console: &Console) -> Review {
    let snapshot = console.handle.snapshot();
    Review::clone(&snapshot.reviews[&TicketId::new("PLF-1")])
}

fn on_disk(root: &Path) -> Review {
    let path = root.join(".planfile/.koru/loop/PLF-1/rounds.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

pub(crate) fn count(signs: &Path, name: &str) -> usize {
    std::fs::read_to_string(signs.join(name)).unwrap_or_default().lines().count()
}

pub(crate) fn decide(seen: &str, choice: ReviewChoice) -> Command {
    let ticket = TicketId::new("PLF-1");
    Command::Review(ReviewCommand::Decide { ticket, seen: seen.to_owned(), choice })
}

pub(crate) fn comment(reason: &str) -> Finding {
    Finding {
        id: Finding::key(Some("hello.txt"), reason),
        file: Some("hello.txt".to_owned()),
        line: Some(1),
        ..Finding::of_operator(reason, "ann")
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_goes_back_once_and_is_approved() {
    let judge = "n=$(count judged); begin j-1\n[ $n = 1 ] && verdict changes_required \"$(bad 'says too little')\" || \
                 verdict approve";
    let (project, signs) = bench(WORKER, judge, "");
    let mut console = Console::open(project.path());
    let (run, ended) = worked(&mut console).await;
    assert_eq!(ended.state, RunState::Done, "{:?}", ended.message);
    let review = review(&console);
    assert_eq!(review, on_disk(project.path()));
    assert_eq!((review.stage.clone(), review.rounds.len(), review.max_rounds), (Stage::Approved, 2, 3));
    let [one, two] = &review.rounds[..] else { panic!("{review:?}") };
    assert_eq!((one.from.as_str(), Some(two.from.as_str())), (review.base.as_str(), one.head.as_deref()));
    assert_eq!(git(project.path(), &["rev-parse", "koru/PLF-1"]).trim(), two.head.as_deref().unwrap());
    assert_eq!(two.fixes.iter().map(|fix| fix.reason.as_str()).collect::<Vec<_>>(), ["says too little"]);
    let progress: Vec<Progress> = review.progress(2).into_iter().map(|(progress, _)| progress).collect();
    assert_eq!(progress, [Progress::Fixed]);
    // Both rounds are the same conversation, and the second was told what to mend.
    let told = std::fs::read_to_string(signs.path().join("told.2")).unwrap();
    assert!(told.contains("says too little") && told.contains("hello.txt:1"), "{told}");
    let parts: Vec<_> = review.rounds.iter().flat_map(|round| [&round.worker, &round.reviewer]).collect();
    let costs: Vec<f64> = parts.iter().map(|part| part.as_ref().unwrap().cost.unwrap().usd).collect();
    let want = [0.25, 0.05, 0.25, 0.05];
    assert!(costs.iter().zip(want).all(|(cost, want)| (cost - want).abs() < 1e-9), "{costs:?}");
    let agent = ended.agent.as_ref().unwrap();
    assert_eq!((agent.agent.as_str(), agent.tally.conversation.as_deref()), ("fake", Some("w-1")));
    assert_eq!((agent.turn.unwrap().round, agent.turn.unwrap().role), (2, Role::Worker));
    assert!(
        (agent.tally.cost.unwrap().usd - 0.6).abs() < 1e-9 && agent.tally.tokens.input == 34,
        "{agent:?}"
    );
    let lines = console.transcript(&run).await;
    for line in [
        "── round 1 of 3 · worker fake ──",
        "── round 2 of 3 · reviewer judge ──",
        "[verdict: approve, no finding]",
    ] {
        assert!(lines.iter().any(|other| other == line), "{line} in {lines:?}");
    }
    assert_eq!(console.ticket("PLF-1").status, Status::Done);
    let result = console.ticket("PLF-1").outputs.result.clone().unwrap();
    assert_eq!((&result["review"]["rounds"], &result["review"]["decision"]), (&2.into(), &"approve".into()));
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_gate_goes_back_without_paying_the_reviewer() {
    let worker = "n=$(count worked); begin w-1; [ $n = 1 ] && echo nothing >>hello.txt || echo world >>hello.txt\nfinish w-1 Done.";
    let judge = "count judged >/dev/null; begin j-1; verdict approve";
    let (project, signs) = bench(worker, judge, "");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!(ended.state, RunState::Done, "{:?}", ended.message);
    let review = review(&console);
    assert_eq!((review.rounds.len(), count(signs.path(), "judged")), (2, 1));
    assert_eq!((review.rounds[0].reviewer.clone(), review.rounds[1].fixes.len()), (None, 1));
    assert_eq!(review.rounds[1].fixes[0].source, Source::Gate { gate: "ci".to_owned() });
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn used_up_rounds_wait_and_a_person_allows_another() {
    let judge = "n=$(count judged); begin j-1\n[ $n -le 2 ] && verdict changes_required \"$(bad 'still wrong')\" || verdict approve";
    let (project, signs) = bench(WORKER, judge, "review:\n  max_rounds: 2\n");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!(ended.state, RunState::NeedsYou);
    let waiting = review(&console);
    assert_eq!((waiting.stage.clone(), waiting.rounds.len()), (Stage::Waiting { why: Wait::MaxRounds }, 2));
    assert_eq!(console.ticket("PLF-1").execution.state, "waiting_input");
    let head = waiting.rounds[1].head.clone().unwrap();

    let stale = decide(&waiting.rounds[0].head.clone().unwrap(), ReviewChoice::Accept);
    assert!(console.refused(stale).await.contains("as you saw it"));
    let fixes = vec![comment("one word less")];
    let run = console.done(decide(&head, ReviewChoice::Another { fixes: fixes.clone() })).await.unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::Done);
    let over = review(&console);
    assert_eq!((over.stage.clone(), over.rounds.len(), over.max_rounds), (Stage::Approved, 3, 3));
    assert_eq!((over.rounds[2].fixes.clone(), over.rounds[2].from.clone()), (fixes, head.clone()));
    let told = std::fs::read_to_string(signs.path().join("told.3")).unwrap();
    assert!(told.contains("one word less"), "{told}");
    let audit = std::fs::read_dir(project.path().join(".planfile/.koru/audit")).unwrap();
    let rows: String = audit.map(|day| std::fs::read_to_string(day.unwrap().path()).unwrap()).collect();
    assert!(
        rows.contains("\"review.decide\"") && rows.contains(&head) && rows.contains("one word less"),
        "{rows}"
    );
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reviewer_that_contradicts_itself_leaves_it_to_a_person_who_accepts() {
    let judge = "begin j-1; verdict approve \"$(bad 'a blocker')\"";
    let (project, _signs) = bench(WORKER, judge, "");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!(ended.state, RunState::NeedsYou);
    let waiting = review(&console);
    assert!(matches!(&waiting.stage, Stage::Waiting { why: Wait::Contradiction { .. } }), "{waiting:?}");
    let head = waiting.rounds[0].head.clone().unwrap();
    // Judged once more, what was said first stays in the audit.
    let again = console.done(decide(&head, ReviewChoice::ReviewAgain)).await.unwrap();
    assert_eq!(console.ended(&again).await.state, RunState::NeedsYou);
    let audit = std::fs::read_dir(project.path().join(".planfile/.koru/audit")).unwrap();
    let rows: String = audit.map(|day| std::fs::read_to_string(day.unwrap().path()).unwrap()).collect();
    assert!(rows.contains("\"review-again\"") && rows.contains("a blocker"), "{rows}");
    // What was put in since by hand was not on the screen.
    let file = project.path().join(".planfile/.koru/worktrees/PLF-1/hello.txt");
    let kept = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "smuggled\n").unwrap();
    assert!(
        console.refused(decide(&head, ReviewChoice::Accept)).await.contains("differ from what was reviewed")
    );
    std::fs::write(&file, kept).unwrap();
    console.done(decide(&head, ReviewChoice::Accept)).await;
    let done = console.until(|snapshot| {
        snapshot.plan.ticket(&TicketId::new("PLF-1")).is_some_and(|ticket| ticket.status == Status::Done)
    });
    let notes = &done.await.plan.ticket(&TicketId::new("PLF-1")).unwrap().outputs.notes.clone();
    assert!(notes.iter().any(|note| note.starts_with("Approved by koru-shell at")), "{notes:?}");
    assert_eq!(review(&console).stage, Stage::Approved);
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_verdict_is_asked_for_once_more_and_a_rejection_needs_a_reason() {
    let judge = "count judged >/dev/null; begin j-1; answer 'looks fine to me'";
    let (project, signs) = bench(WORKER, judge, "");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!((ended.state, count(signs.path(), "judged")), (RunState::NeedsYou, 2));
    let waiting = review(&console);
    assert!(matches!(&waiting.stage, Stage::Waiting { why: Wait::NoVerdict { .. } }), "{waiting:?}");
    let head = waiting.rounds[0].head.clone().unwrap();
    // Reviewed again, the worker is not paid again.
    let run = console.done(decide(&head, ReviewChoice::ReviewAgain)).await.unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::NeedsYou);
    assert_eq!((count(signs.path(), "worked"), count(signs.path(), "judged")), (1, 4));
    let reject = |reason: &str| decide(&head, ReviewChoice::Reject { reason: reason.to_owned() });
    assert!(console.refused(reject(" ")).await.contains("say why"));
    console.done(reject("wrong idea")).await;
    let failed = |status| status == Status::Failed;
    console
        .until(|snapshot| snapshot.plan.ticket(&TicketId::new("PLF-1")).is_some_and(|t| failed(t.status)))
        .await;
    let error = console.ticket("PLF-1").execution.last_error.clone().unwrap_or_default();
    assert!(error.contains("wrong idea"), "{error}");
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_worker_is_caught_in_a_later_round() {
    let worker = "n=$(count worked); begin w-1; [ $n = 1 ] && echo world >>hello.txt\nfinish w-1 Done.";
    let judge = "count judged >/dev/null; begin j-1; verdict changes_required \"$(bad wrong)\"";
    let (project, signs) = bench(worker, judge, "");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!((ended.state, count(signs.path(), "judged")), (RunState::NeedsYou, 1));
    assert_eq!(review(&console).stage, Stage::Waiting { why: Wait::NoChange });
    console.handle.shutdown().await;
}

/// What a reviewer tries that does more than look: files of the work, new ones, git's index and a commit.
const MEDDLES: &str = "begin j-1; echo mine >>hello.txt; echo more >new.txt; rm -f hello.txt; mkdir made; \
                       git add -A; git -c core.hooksPath=/dev/null commit -qm mine; verdict approve";

fn left_alone(project: &Path) {
    let worktree = project.join(".planfile/.koru/worktrees/PLF-1");
    assert_eq!(std::fs::read_to_string(worktree.join("hello.txt")).unwrap(), "hello\nworld 1\n");
    assert!(!worktree.join("new.txt").exists());
    assert_eq!(git(&worktree, &["status", "--porcelain"]), "");
    assert!(!git(project, &["log", "--all", "--format=%s"]).contains("mine"));
}

/// The kernel keeps it out, so nothing is there to undo, and its verdict counts. Never skipped: without Landlock it fails.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reviewer_can_only_look() {
    let (project, _signs) = bench(WORKER, MEDDLES, "");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!((review(&console).stage, ended.state), (Stage::Approved, RunState::Done));
    left_alone(project.path());
    console.handle.shutdown().await;
}

/// Where nothing keeps it out (here, because the configuration lets it), what it changed is found and undone, and its
/// verdict does not count.
/// Gives every agent a folder more that it may write to.
fn let_write(root: &Path, folder: &Path) {
    let path = root.join(".planfile/.koru/config.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(path, text.replace("writable: [", &format!("writable: [{}, ", folder.display()))).unwrap();
}

/// It may write there, because the configuration says so: what it changed is put back, its verdict does not count, and
/// the worker is not paid again when it judges anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reviewer_that_changes_the_work_is_caught_and_undone() {
    let judge = "n=$(count judged); begin j-1; [ $n = 1 ] && { echo mine >>hello.txt; echo more >new.txt; }; verdict approve";
    let (project, signs) = bench(WORKER, judge, "");
    let_write(project.path(), &project.path().join(".planfile/.koru/worktrees"));
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    let worktree = project.path().join(".planfile/.koru/worktrees/PLF-1");
    assert_eq!(std::fs::read_to_string(worktree.join("hello.txt")).unwrap(), "hello\nworld 1\n");
    assert!(!worktree.join("new.txt").exists());
    let paths = vec!["hello.txt".to_owned(), "new.txt".to_owned()];
    let waiting = review(&console);
    assert_eq!(waiting.stage, Stage::Waiting { why: Wait::ReviewerChangedWork { paths } });
    assert_eq!((ended.state, waiting.rounds[0].verdict.clone()), (RunState::NeedsYou, None));
    let head = waiting.rounds[0].head.clone().unwrap();
    let run = console.done(decide(&head, ReviewChoice::ReviewAgain)).await.unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::Done);
    assert_eq!((count(signs.path(), "worked"), count(signs.path(), "judged")), (1, 2));
    console.handle.shutdown().await;
}

/// The kernel keeps a reviewer out where it can; where it cannot, the test above says what happens.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reviewer_writes_nothing_into_the_work() {
    let judge = "begin j-1; echo mine >>hello.txt; verdict approve";
    let (project, _signs) = bench(WORKER, judge, "");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    let worktree = project.path().join(".planfile/.koru/worktrees/PLF-1");
    assert_eq!(std::fs::read_to_string(worktree.join("hello.txt")).unwrap(), "hello\nworld 1\n");
    let kept_out = review(&console).stage == Stage::Approved;
    assert_eq!(ended.state, if kept_out { RunState::Done } else { RunState::NeedsYou });
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_required_without_a_change_are_a_persons_to_decide_on() {
    let judge = "begin j-1; verdict changes_required";
    let (project, signs) = bench(WORKER, judge, "");
    let mut console = Console::open(project.path());
    let (_, ended) = worked(&mut console).await;
    assert_eq!((ended.state, count(signs.path(), "worked")), (RunState::NeedsYou, 1));
    let waiting = review(&console);
    let Stage::Waiting { why: Wait::Contradiction { sentence } } = &waiting.stage else {
        panic!("{waiting:?}")
    };
    assert!(sentence.contains("required changes and named none"), "{sentence}");
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_said_while_somebody_judges_are_a_round_of_their_own() {
    let judge = "n=$(count judged); begin j-1\nwhile [ $n = 1 ] && [ ! -e \"$SIGNS/go\" ]; do sleep 0.05; done\nverdict approve";
    let (project, signs) = bench(WORKER, judge, "");
    let mut console = Console::open(project.path());
    console.loaded().await;
    let delegate = RunCommand::Delegate { ticket: TicketId::new("PLF-1"), agent: None, note: None };
    let run = console.done(Command::Run(delegate)).await.unwrap();
    let reviewing = |review: &Review| review.stage == Stage::Reviewing && review.rounds[0].reviewer.is_some();
    let id = TicketId::new("PLF-1");
    let seen =
        console.until(|snapshot| snapshot.reviews.get(&id).is_some_and(|review| reviewing(review))).await;
    let head = seen.reviews[&id].rounds[0].head.clone().unwrap();
    let send = ReviewCommand::SendFindings { ticket: id, seen: head, findings: vec![comment("rename it")] };
    console.done(Command::Review(send)).await;
    std::fs::write(signs.path().join("go"), "").unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::Done);
    let over = review(&console);
    assert_eq!((over.rounds.len(), over.rounds[1].fixes[0].reason.as_str()), (2, "rename it"));
    assert!(!project.path().join(".planfile/.koru/loop/PLF-1/queued.json").exists());
    console.handle.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_stopped_while_somebody_judges_goes_on_with_the_review_alone() {
    let judge = "n=$(count judged); begin j-1\nwhile [ $n = 1 ]; do sleep 0.05; done\nverdict approve";
    let (project, signs) = bench(WORKER, judge, "");
    let mut console = Console::open(project.path());
    console.loaded().await;
    let id = TicketId::new("PLF-1");
    let delegate = RunCommand::Delegate { ticket: id.clone(), agent: None, note: None };
    let run = console.done(Command::Run(delegate.clone())).await.unwrap();
    let sign = signs.path().join("judged");
    console.until(|_| sign.exists()).await;
    console.done(Command::Run(RunCommand::Stop { run: run.clone() })).await;
    assert_eq!(console.ended(&run).await.state, RunState::Stopped);
    assert_eq!(review(&console).stage, Stage::Reviewing);
    // Another console, later: it learns of the review from the disk.
    console.handle.shutdown().await;
    let mut console = Console::open(project.path());
    console.loaded().await;
    let run = console.done(Command::Run(delegate)).await.unwrap();
    assert_eq!(console.ended(&run).await.state, RunState::Done);
    assert_eq!((count(signs.path(), "worked"), count(signs.path(), "judged")), (1, 2));
    assert_eq!(review(&console).rounds.len(), 1);
    console.handle.shutdown().await;
}
