//! Every way an agent can end, by its name.

use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::session::{AgentEnding, AgentReport};
use koru_tui::execute::outcome::Ending;
use koru_tui::execute::output::Channel;

use super::bench::{Bench, start};

async fn ended(behaviour: &str) -> (AgentReport, Bench) {
    let bench = Bench::new();
    let (report, _) = start(bench.misbehaving(behaviour)).end(&[]).await;
    assert_eq!(bench.left(), vec![], "{behaviour}");
    (report, bench)
}

/// The ending and its reason.
async fn named(behaviour: &str) -> (AgentEnding, Ending, Option<String>) {
    let (report, _) = ended(behaviour).await;
    (report.ending, report.outcome.ending, report.outcome.reason)
}

fn why(text: &str) -> Option<String> {
    Some(text.to_owned())
}

#[tokio::test]
async fn an_agent_that_works_is_recorded_whole() {
    let (report, bench) = ended("works").await;
    assert_eq!(report.ending, AgentEnding::Finished);
    assert_eq!((report.outcome.ending, report.outcome.exit_code), (Ending::Succeeded, 0));
    assert_eq!((report.answer.as_deref(), report.outcome.stdout.last(99)), (Some("Done."), "Done."));
    let tally = &report.tally;
    assert_eq!((tally.conversation.as_deref(), tally.model.as_deref()), (Some("s-1"), Some("m")));
    assert_eq!((tally.tokens.total(), tally.cost.unwrap().usd), (15, 0.01));
    let raw = std::fs::read_to_string(bench.path("scratch/stream.jsonl")).unwrap();
    assert_eq!(raw.lines().count(), 3);
    assert!(
        raw.starts_with(r#"{"type":"system","subtype":"init","session_id":"s-1","model":"m","cwd":"#),
        "{raw}"
    );
    assert_eq!(std::fs::read_to_string(bench.path("worktree/hello.txt")).unwrap(), "Hello, world!\n");
}

#[tokio::test]
async fn a_program_that_is_not_there() {
    let bench = Bench::new();
    let mut job = bench.misbehaving("works");
    job.kind = AgentKind::Claude;
    job.settings.program = Some("no-such-agent".to_owned());
    let (report, _) = start(job).end(&[]).await;
    let reason = "starting the agent failed: `no-such-agent` was not found on the PATH; install it, or name it in \
                  .planfile/.koru/config.yaml under agents.claude.program";
    assert_eq!((report.ending, report.outcome.reason), (AgentEnding::Missing, why(reason)));
}

#[tokio::test]
async fn one_whose_interpreter_is_not_there() {
    let bench = Bench::new();
    let mut job = bench.misbehaving("works");
    let script = bench.path("outside/agent");
    std::fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    job.settings.args[0] = script.to_str().unwrap().to_owned();
    let (report, _) = start(job).end(&[]).await;
    assert_eq!(report.ending, AgentEnding::Missing);
}

#[tokio::test]
async fn nothing_done() {
    let (ending, outcome, _) = named("nothing").await;
    assert_eq!((ending, outcome), (AgentEnding::NothingDone, Ending::Failed));
}

#[tokio::test]
async fn garbage() {
    let (ending, outcome, _) = named("garbage").await;
    assert_eq!((ending, outcome), (AgentEnding::Garbage, Ending::Failed));
}

#[tokio::test]
async fn failed_by_its_own_word() {
    let (ending, _, reason) = named("fails").await;
    assert_eq!((ending, reason), (AgentEnding::Failed, why("scripted failure")));
}

#[tokio::test]
async fn failed_by_its_exit_code_whatever_it_says() {
    let (ending, _, reason) = named("lies").await;
    assert_eq!(ending, AgentEnding::Failed);
    assert!(reason.as_deref().is_some_and(|reason| reason.contains("exit code 3")), "{reason:?}");
}

#[tokio::test]
async fn died_in_the_middle_of_a_line() {
    let (report, bench) = ended("dies-mid-json").await;
    assert_eq!((report.ending, report.outcome.exit_code), (AgentEnding::Failed, 137));
    assert_eq!(report.outcome.reason, why("signal 9 ended it, in the middle of a line"));
    let raw = std::fs::read_to_string(bench.path("scratch/stream.jsonl")).unwrap();
    assert_eq!(
        raw.lines().last(),
        Some(r#"{"type":"assistant","message":{"id":"m1","content":[{"type":"te"#)
    );
}

#[tokio::test]
async fn ten_megabytes_in_one_line_are_read_and_kept() {
    let (report, bench) = ended("huge-line").await;
    assert_eq!((report.ending, report.answer.as_deref()), (AgentEnding::Finished, Some("Done.")));
    assert!(bench.path("scratch/stream.jsonl").metadata().unwrap().len() > 10 << 20);
    let (report, _) = ended("huge-noise").await;
    assert_eq!(report.ending, AgentEnding::Finished);
}

#[tokio::test]
async fn invalid_utf8_ends_nothing() {
    let (report, bench) = ended("invalid-utf8").await;
    assert_eq!(report.ending, AgentEnding::Finished);
    let raw = std::fs::read_to_string(bench.path("scratch/stream.jsonl")).unwrap();
    assert!(raw.contains("\u{fffd}\u{fffd}\u{fffd} bare bytes"), "{raw}");
}

#[tokio::test]
async fn one_that_closes_its_output_and_lives_on_is_ended() {
    let (report, _) = ended("closes-stdout").await;
    assert_eq!(report.ending, AgentEnding::Finished, "it said that it was finished");
}

#[tokio::test]
async fn a_command_that_speaks_plain_text_is_understood_as_text() {
    let bench = Bench::new();
    let mut job = bench.misbehaving("works");
    let script = "read -r task; echo hunter22 is a secret; echo you said: $task; printf 'no end'";
    job.settings.args = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    job.settings.stream = None;
    let (report, lines) = start(job).end(&[Channel::Text]).await;
    assert_eq!(report.ending, AgentEnding::Finished);
    assert_eq!(lines, ["[redacted] is a secret", "you said: Fix the greeting.", "no end"]);
    let raw = std::fs::read_to_string(bench.path("scratch/stream.jsonl")).unwrap();
    assert_eq!(raw, "[redacted] is a secret\nyou said: Fix the greeting.\nno end\n");
}

#[tokio::test]
async fn options_that_it_does_not_know() {
    let bench = Bench::new();
    let mut job = bench.misbehaving("works");
    let script = "echo \"error: unknown option '--frobnicate'\" >&2; exit 1";
    job.settings.args = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let (report, _) = start(job).end(&[]).await;
    assert_eq!(report.ending, AgentEnding::WrongVersion);
    assert_eq!(report.outcome.stderr.last(99), "error: unknown option '--frobnicate'\n");
}

#[tokio::test]
async fn a_prompt_that_pi_refuses() {
    let bench = Bench::new();
    let (report, _) = start(bench.conversing(AgentKind::Pi, "pi-refuses")).end(&[]).await;
    assert_eq!((report.ending, report.outcome.reason), (AgentEnding::NotLoggedIn, why("No API key found")));
}
