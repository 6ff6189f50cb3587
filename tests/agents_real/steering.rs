//! The operator talks to a real agent at work, through the runtime as the console does: who hears at once gets the message
//! into its next request, who does not gets it in a round of its own, and both are told apart beforehand.

use std::time::Duration;

use koru_tui::plan::ticket::TicketId;
use koru_tui::runtime::Options;
use koru_tui::runtime::protocol::{
    AgentView, Command, Event, Hearing, RunCommand, RunEvent, RunId, RunState, Snapshot,
};

use super::agents::installed::Agent;
use super::agents::scenario::{self, Turn, act, say};
use super::agents::stage::{ID, Stage};
use super::agents::stub::Stub;
use super::console::{Console, view};
use super::support::wait;

const MESSAGE: &str = "Mention cats, please.";

/// Waits, in the worktree, until the test lets it go, but not for ever; then does the work. Gemini CLI refuses a command
/// with a substitution in it.
const WAITS: &str = "echo yes > .started; timeout 60 sh -c 'until [ -e .go ]; do sleep 0.02; done'; \
                     rm .started .go; sed -i s/wrld/world/ hello.txt";

fn agent_view<'a>(snapshot: &'a Snapshot, run: &RunId) -> Option<&'a AgentView> {
    view(snapshot, run)?.agent.as_deref()
}

/// An agent in the middle of a tool call.
struct AtWork {
    stage: Stage,
    stub: Stub,
    console: Console,
    run: RunId,
}

impl AtWork {
    /// `None` when the agent is not installed.
    async fn begin(agent: Agent, after: Vec<Turn>) -> Option<Self> {
        Self::begin_with(agent, WAITS, after).await
    }

    async fn begin_with(agent: Agent, command: &str, after: Vec<Turn>) -> Option<Self> {
        let (stage, stub) = Stage::real(agent, [vec![act().bash(command)], after].concat())?;
        let grace = Duration::from_secs(5);
        let root = stage.bench.project.path().to_owned();
        let mut console = Console::with(Options { grace, ..Options::new(root) });
        console.loaded().await;
        let delegate = RunCommand::Delegate {
            ticket: TicketId::new(ID),
            agent: Some(agent.name().to_owned()),
            note: None,
        };
        let run = console.done(Command::Run(delegate)).await.unwrap();
        let started = stage.bench.worktree(ID).join(".started");
        stub.wait("the tool call", |seen| !seen.main().is_empty());
        tokio::task::spawn_blocking(move || wait::text_in(&started)).await.unwrap();
        Some(Self { stage, stub, console, run })
    }

    /// Lets the tool end.
    fn go(&self) {
        std::fs::write(self.stage.bench.worktree(ID).join(".go"), "").unwrap();
    }

    async fn say(&mut self) {
        let say = RunCommand::Say { run: self.run.clone(), text: MESSAGE.to_owned() };
        self.console.done(Command::Run(say)).await;
    }

    fn agent(&self) -> AgentView {
        agent_view(&self.console.handle.snapshot(), &self.run).unwrap().clone()
    }

    async fn end(&mut self) -> RunState {
        self.console.ended(&self.run).await.state
    }

    async fn close(self) {
        self.console.handle.shutdown().await;
        assert_eq!(self.stage.bench.left(), vec![]);
    }
}

/// The message is in the second request, and the turn ends once.
async fn hears_at_once(agent: Agent) {
    let Some(mut work) = AtWork::begin(agent, vec![say("Done, and cats.")]).await else { return };
    assert_eq!(work.agent().hearing, Hearing::Live);
    work.say().await;
    work.go();
    let state = work.end().await;
    let told = work.console.transcript(&work.run).await;
    assert_eq!(state, RunState::Done, "{told:#?}");
    let seen = work.stub.seen();
    let main = seen.main();
    assert_eq!((main.len(), main[0].holds(MESSAGE), main[1].holds(MESSAGE)), (2, false, true), "{told:#?}");
    assert!(told.iter().any(|line| line.contains(MESSAGE)), "the transcript keeps the message: {told:#?}");
    work.close().await;
}

/// Git says no more than "Permission denied" behind the kernel's fence: the gate is named to the operator while the agent
/// works, and to the agent with its next request; that is no reason for another round.
async fn is_told_what_was_refused(agent: Agent) {
    let command = format!("git tag no; {WAITS}");
    let Some(mut work) = AtWork::begin_with(agent, &command, vec![say("Done.")]).await else { return };
    let refused = "refused by policy.allow_tag=false: git tag no (to allow it: `allow_tag: true` under `llm`";
    loop {
        if let Event::Run(RunEvent::Output { lines, .. }) = work.console.next().await
            && lines.iter().any(|line| line.text.contains(refused))
        {
            break;
        }
    }
    work.go();
    let state = work.end().await;
    let told = work.console.transcript(&work.run).await;
    assert_eq!(state, RunState::Done, "{told:#?}");
    let seen = work.stub.seen();
    let main = seen.main();
    assert_eq!(main.len(), 2, "{told:#?}");
    let hint =
        "koru-tui: `git tag no` was refused (policy.allow_tag=false; only the operator can change that)";
    assert_eq!((main[0].holds(hint), main[1].holds(hint)), (false, true), "{told:#?}");
    assert!(main[1].holds("Permission denied"), "{told:#?}");
    work.close().await;
}

/// The message waits, is shown as waiting, and is told in a round of its own that goes on with the conversation.
async fn hears_in_the_next_round(agent: Agent) {
    let after = vec![say("Done."), say("Cats, then.")];
    let Some(mut work) = AtWork::begin(agent, after).await else { return };
    assert_eq!(work.agent().hearing, Hearing::NextRound);
    work.say().await;
    let run = work.run.clone();
    work.console
        .until(|snapshot| agent_view(snapshot, &run).is_some_and(|agent| agent.queued == [MESSAGE]))
        .await;
    work.go();
    let state = work.end().await;
    let told = work.console.transcript(&work.run).await;
    assert_eq!(state, RunState::Done, "{told:#?}");
    let seen = work.stub.seen();
    let heard: Vec<bool> = seen.main().iter().map(|asked| asked.holds(MESSAGE)).collect();
    assert_eq!(heard, [false, false, true], "{told:#?}");
    assert!(seen.main()[2].holds(scenario::TASK), "it goes on with the conversation: {told:#?}");
    assert_eq!(work.agent().queued, Vec::<String>::new());
    work.close().await;
}

/// It ends after its turn, and waits for the operator.
async fn pauses(agent: Agent) {
    let Some(mut work) = AtWork::begin(agent, vec![say("Done."), say("Never said.")]).await else { return };
    let pause = RunCommand::PauseAfterTurn { run: work.run.clone(), on: true };
    work.console.done(Command::Run(pause)).await;
    let run = work.run.clone();
    work.console.until(|snapshot| agent_view(snapshot, &run).is_some_and(|agent| agent.pausing)).await;
    work.go();
    let snapshot = work
        .console
        .until(|snapshot| view(snapshot, &run).is_some_and(|run| run.state != RunState::Running))
        .await;
    let told = work.console.transcript(&work.run).await;
    assert_eq!(view(&snapshot, &run).unwrap().state, RunState::NeedsYou, "{told:#?}");
    assert!(work.console.ticket(ID).question().contains("paused"), "{told:#?}");
    work.close().await;
}

macro_rules! tests {
    ($($name:ident: $test:ident($agent:expr);)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                $test($agent).await;
            }
        )*
    };
}

tests! {
    claude_hears: hears_at_once(Agent::Claude);
    pi_hears: hears_at_once(Agent::Pi);
    codex_hears: hears_at_once(Agent::Codex);
    opencode_hears_later: hears_in_the_next_round(Agent::Opencode);
    gemini_hears_later: hears_in_the_next_round(Agent::Gemini);
    claude_is_told: is_told_what_was_refused(Agent::Claude);
    pi_is_told: is_told_what_was_refused(Agent::Pi);
    codex_is_told: is_told_what_was_refused(Agent::Codex);
    claude_pauses: pauses(Agent::Claude);
    codex_pauses: pauses(Agent::Codex);
    pi_pauses: pauses(Agent::Pi);
}
