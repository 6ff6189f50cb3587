//! Limits that stop, each with its word and its sentence.

use std::time::Duration;

use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::session::{AgentEnding, AgentJob};
use koru_tui::execute::outcome::Ending;

use super::bench::{Bench, start};

async fn limited(bench: &Bench, job: AgentJob) -> (String, Ending, String) {
    let (report, _) = start(job).end(&[]).await;
    let AgentEnding::Limit { which } = report.ending else { panic!("{report:#?}") };
    assert_eq!(bench.left(), vec![]);
    (which, report.outcome.ending, report.outcome.reason.unwrap())
}

fn want(which: &str, ending: Ending, why: &str) -> (String, Ending, String) {
    (which.to_owned(), ending, why.to_owned())
}

#[tokio::test]
async fn time() {
    let bench = Bench::new();
    let mut job = bench.misbehaving("ignores-term");
    job.limits.timeout = Duration::from_millis(500);
    let why = "the agent worked for 0.5 s, which is its time limit";
    assert_eq!(limited(&bench, job).await, want("time", Ending::TimedOut, why));
}

#[tokio::test]
async fn silence() {
    let bench = Bench::new();
    let mut job = bench.misbehaving("silent");
    job.limits.silence = Some(Duration::from_millis(500));
    let why = "the agent said nothing for 0.5 s";
    assert_eq!(limited(&bench, job).await, want("silence", Ending::Failed, why));
}

#[tokio::test]
async fn tokens() {
    let bench = Bench::new();
    let mut job = bench.conversing(AgentKind::Claude, "spends");
    job.limits.tokens = Some(1000);
    let why = "the agent used 1200 tokens; 1000 are allowed";
    assert_eq!(limited(&bench, job).await, want("tokens", Ending::Failed, why));
}

#[tokio::test]
async fn cost() {
    let bench = Bench::new();
    let mut job = bench.conversing(AgentKind::Claude, "pays");
    job.limits.usd = Some(0.005);
    let why = "the agent cost 0.0100 US dollars; 0.005 are allowed";
    assert_eq!(limited(&bench, job).await, want("cost", Ending::Failed, why));
}

#[tokio::test]
async fn circles() {
    let bench = Bench::new();
    let job = bench.conversing(AgentKind::Claude, "circles");
    let why = "the agent turned in circles: it called Bash with the same arguments 50 times in a row";
    assert_eq!(limited(&bench, job).await, want("repeats", Ending::Failed, why));
}
