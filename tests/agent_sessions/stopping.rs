//! Stopping: nobody of the tree lives afterwards, whatever it does to stay.

use std::time::{Duration, Instant};

use koru_tui::execute::agents::session::AgentEnding;
use koru_tui::execute::outcome::Ending;
use koru_tui::execute::output::Channel;

use super::bench::{Bench, LONG, start};
use super::support::{leftover, wait};

/// Runs `behaviour` until it works, asks it to stop, and wants nobody left by the time the session reports.
async fn stopped(behaviour: &str) {
    let bench = Bench::new();
    let job = bench.misbehaving(behaviour);
    let grace = job.limits.grace;
    let mut session = start(job);
    session.hears(Channel::Text, "Working.").await;
    assert!(!bench.left().is_empty(), "it runs");
    let asked = Instant::now();
    session.stopper.press();
    let (report, _) = session.end(&[]).await;
    assert_eq!(
        (report.ending, report.outcome.ending),
        (AgentEnding::Stopped, Ending::Stopped),
        "{behaviour}"
    );
    assert_eq!(bench.left(), vec![], "{behaviour}");
    assert!(asked.elapsed() < grace + Duration::from_secs(4), "{behaviour} took {:?}", asked.elapsed());
}

#[tokio::test]
async fn one_that_ignores_term() {
    stopped("ignores-term").await;
}

#[tokio::test]
async fn one_with_a_child_that_left_its_session_and_ignores_term() {
    stopped("double-forks").await;
}

#[tokio::test]
async fn one_with_a_child_that_forgot_the_environment() {
    // It is in another folder with nothing of ours: only parentage shows whose it is.
    let bench = Bench::new();
    let mut session = start(bench.misbehaving("forgets-environment"));
    session.hears(Channel::Text, "Working.").await;
    let child = wait::text_in(&bench.path("notes/child.pid"));
    assert!(wait::is_alive(&child));
    session.stopper.press();
    let (report, _) = session.end(&[]).await;
    assert_eq!(report.ending, AgentEnding::Stopped);
    assert!(!wait::is_alive(&child));
}

#[tokio::test]
async fn who_is_left_behind_by_an_agent_that_ended_is_stopped_too() {
    for behaviour in ["double-forks-and-ends", "holds-pipes"] {
        let bench = Bench::new();
        let (report, notes) = start(bench.misbehaving(behaviour)).end(&[Channel::Note]).await;
        assert_eq!(report.ending, AgentEnding::Finished, "{behaviour}");
        assert_eq!(bench.left(), vec![], "{behaviour}");
        assert_eq!(notes.len(), 1, "{notes:?}");
        let said = notes[0].starts_with("[the agent ended and left processes behind (");
        assert!(said, "{notes:?}");
    }
}

#[tokio::test]
async fn a_second_request_skips_the_grace() {
    let bench = Bench::new();
    let mut job = bench.misbehaving("ignores-term");
    job.limits.grace = LONG;
    let mut session = start(job);
    session.hears(Channel::Text, "Working.").await;
    session.stopper.press();
    session.stopper.press();
    assert_eq!(session.end(&[]).await.0.ending, AgentEnding::Stopped);
    assert_eq!(bench.left(), vec![]);
}

#[tokio::test]
async fn a_session_that_is_dropped_leaves_nobody() {
    let bench = Bench::new();
    let mut session = start(bench.misbehaving("double-forks"));
    session.hears(Channel::Text, "Working.").await;
    session.abort().await;
    assert_eq!(leftover::wait_none(Duration::from_secs(5), || bench.left()), vec![]);
}

#[tokio::test]
async fn one_that_was_stopped_before_it_began_is_not_started() {
    let bench = Bench::new();
    let session = start(bench.misbehaving("works"));
    // Nothing ran yet: the test's thread is the runtime's only one.
    session.stopper.press();
    let (report, _) = session.end(&[]).await;
    assert_eq!((report.ending, report.outcome.exit_code), (AgentEnding::Stopped, 1));
    assert_eq!(std::fs::read_to_string(bench.path("worktree/hello.txt")).unwrap(), "Hello, wrld!\n");
}
