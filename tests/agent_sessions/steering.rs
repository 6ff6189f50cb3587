//! Messages to a working agent, and pauses.

use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::session::{AgentEnding, Steer};
use koru_tui::execute::outcome::Ending;
use koru_tui::execute::output::Channel;

use super::bench::{Bench, start};

#[tokio::test]
async fn claude_hears_a_message_while_a_tool_runs() {
    let bench = Bench::new();
    let mut session = start(bench.conversing(AgentKind::Claude, "hears"));
    session.hears(Channel::Tool, "Bash").await;
    session.say("mention cats");
    let (report, operator) = session.end(&[Channel::Operator, Channel::Note]).await;
    assert_eq!((report.ending, report.unheard), (AgentEnding::Finished, vec![]));
    assert_eq!(report.answer.as_deref(), Some("Heard: mention cats"));
    assert_eq!(operator, ["mention cats"]);
    assert_eq!(report.tally.conversation.as_deref(), Some("s-1"));
}

#[tokio::test]
async fn a_message_that_crosses_the_end_of_the_turn_begins_another() {
    let bench = Bench::new();
    let mut session = start(bench.conversing(AgentKind::Claude, "hears-late"));
    session.hears(Channel::Text, "Working.").await;
    session.say("one more");
    let (report, _) = session.end(&[]).await;
    assert_eq!((report.ending, report.unheard), (AgentEnding::Finished, vec![]));
    assert_eq!(report.answer.as_deref(), Some("Late: one more"));
}

#[tokio::test]
async fn pi_hears_a_message_while_a_tool_runs() {
    let bench = Bench::new();
    let mut session = start(bench.conversing(AgentKind::Pi, "pi-hears"));
    session.hears(Channel::Tool, "bash").await;
    session.say("mention cats");
    let (report, _) = session.end(&[]).await;
    assert_eq!((report.ending, report.unheard), (AgentEnding::Finished, vec![]));
    assert_eq!(report.answer.as_deref(), Some("Heard: mention cats"));
    assert_eq!(report.tally.conversation.as_deref(), Some("p-1"));
}

#[tokio::test]
async fn an_agent_that_does_not_hear_is_told_in_the_next_round() {
    let bench = Bench::new();
    let mut session = start(bench.misbehaving("ignores-term"));
    session.hears(Channel::Text, "Working.").await;
    session.say("line one\nline two");
    session.hears(Channel::Note, "it is told in its next round").await;
    session.stopper.press();
    let (report, operator) = session.end(&[Channel::Operator]).await;
    assert_eq!(
        (report.ending, report.unheard),
        (AgentEnding::Stopped, vec!["line one\nline two".to_owned()])
    );
    assert_eq!(operator, ["line one", "line two"]);
}

#[tokio::test]
async fn half_a_line_is_shown_before_more_comes() {
    let bench = Bench::new();
    let mut session = start(bench.conversing(AgentKind::Claude, "streams"));
    let half = tokio::time::timeout(super::bench::LONG, session.partial.recv()).await.unwrap();
    assert_eq!(half.as_deref(), Some("half a"));
    session.say("go on");
    let (report, lines) = session.end(&[Channel::Text]).await;
    assert_eq!((report.ending, lines), (AgentEnding::Finished, vec!["half a line".to_owned()]));
}

#[tokio::test]
async fn a_message_that_is_never_taken_waits_for_the_next_round() {
    let bench = Bench::new();
    let mut session = start(bench.conversing(AgentKind::Claude, "deaf"));
    session.hears(Channel::Text, "Working.").await;
    session.say("hello?");
    let (report, _) = session.end(&[]).await;
    assert_eq!((report.ending, report.unheard), (AgentEnding::Finished, vec!["hello?".to_owned()]));
}

#[tokio::test]
async fn a_pause_interrupts_between_two_replies() {
    let bench = Bench::new();
    let mut session = start(bench.conversing(AgentKind::Claude, "pauses"));
    session.hears(Channel::Tool, "Bash").await;
    session.steer.send(Steer::PauseAfterTurn(true)).unwrap();
    session.hears(Channel::Note, "pausing after this turn").await;
    // The tool ends when it hears something; only then the turn is over.
    session.say("go on");
    let (report, _) = session.end(&[]).await;
    assert_eq!((report.ending, report.outcome.ending), (AgentEnding::Paused, Ending::Stopped));
    assert_eq!(report.outcome.reason.as_deref(), Some("paused after its turn, as asked"));
}

#[tokio::test]
async fn a_pause_that_is_taken_back_pauses_nothing() {
    let bench = Bench::new();
    let mut session = start(bench.conversing(AgentKind::Claude, "hears"));
    session.hears(Channel::Tool, "Bash").await;
    session.steer.send(Steer::PauseAfterTurn(true)).unwrap();
    session.steer.send(Steer::PauseAfterTurn(false)).unwrap();
    session.hears(Channel::Note, "not pausing").await;
    session.say("x");
    assert_eq!(session.end(&[]).await.0.ending, AgentEnding::Finished);
}

#[tokio::test]
async fn a_prompt_of_any_length_reaches_the_agent() {
    let bench = Bench::new();
    let mut job = bench.conversing(AgentKind::Claude, "huge-prompt");
    job.prompt = "x".repeat(400 * 1024);
    let frame = r#"{"type":"user","message":{"role":"user","content":[{"type":"text","text":""}]}}"#;
    let (report, _) = start(job).end(&[]).await;
    assert_eq!(report.answer, Some((400 * 1024 + frame.len()).to_string()));
}
