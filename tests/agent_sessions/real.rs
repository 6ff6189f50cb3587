//! The real agents in a session, against the scripted model: started with our own command lines, understood to the end,
//! steered, paused, resumed, stopped in the middle of a tool.

use koru_tui::execute::agents::backend;
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::session::{AgentEnding, AgentReport, Steer};
use koru_tui::execute::output::Channel;
use serde_json::json;

use super::agents::installed::{Agent, Seat};
use super::agents::scenario::{self, Turn, act, refuse, say};
use super::agents::stub::Stub;
use super::bench::{Bench, Session, start};
use super::support::wait;

/// An agent at work in a folder of its own.
struct Stage {
    bench: Bench,
    stub: Stub,
    seat: Seat,
    kind: AgentKind,
    /// Within the kernel's write fence.
    fenced: bool,
    runtime: tokio::runtime::Runtime,
}

/// `None` when the agent is not installed.
fn stage(agent: Agent, turns: Vec<Turn>) -> Option<Stage> {
    let installed = agent.installed()?;
    let bench = Bench::new();
    std::fs::write(bench.path("worktree/hello.txt"), scenario::GREETING).unwrap();
    let git = |arguments: &[&str]| super::agents::bench::git(&bench.path("worktree"), arguments);
    git(&["init", "-q"]);
    let stub = Stub::start(turns);
    let seat = installed.seat(&bench.path("state"), &stub);
    let kind = AgentKind::parse(agent.name()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    Some(Stage { bench, stub, seat, kind, fenced: false, runtime })
}

impl Stage {
    fn run(&self, resume: Option<String>, schema: bool, act: impl AsyncFnOnce(&mut Session)) -> AgentReport {
        let mut job = self.bench.conversing(self.kind, "");
        job.settings = koru_tui::plan::settings::AgentSettings::default();
        let program = self.seat.installed.program.to_str().unwrap().to_owned();
        job.settings.program = Some(program);
        job.settings.model = match self.seat.installed.agent {
            Agent::Claude => Some("claude-sonnet-4-5".to_owned()),
            Agent::Codex => None,
            Agent::Pi | Agent::Opencode => Some("stub/stub-model".to_owned()),
            Agent::Gemini => Some("gemini-2.5-flash".to_owned()),
            Agent::Aider => Some("openai/stub-model".to_owned()),
        };
        job.env = self.seat.env.iter().map(|(name, value)| (name.into(), value.into())).collect();
        job.prompt = scenario::TASK.to_owned();
        job.resume = resume;
        job.schema = schema.then(|| json!({"type": "object", "properties": {"verdict": {"type": "string"}}, "required": ["verdict"], "additionalProperties": false}));
        job.limits.timeout = std::time::Duration::from_secs(120);
        job.limits.grace = std::time::Duration::from_secs(3);
        if self.fenced {
            // Its usual places, as on a machine where nothing moves them.
            job.env.retain(|(name, _)| name != "CLAUDE_CONFIG_DIR");
            let state = backend::writable(self.kind, &job.settings, &job.env);
            for folder in state.iter().filter(|path| path.extension().is_none()) {
                std::fs::create_dir_all(folder).unwrap();
            }
            let others = ["worktree", "scratch", "state/tmp"].map(|name| self.bench.path(name));
            job.fence.writable = others.into_iter().chain(state).chain(["/dev/null".into()]).collect();
            job.fence.writable.retain(|path| path.exists());
        }
        self.runtime.block_on(async {
            let mut session = start(job);
            act(&mut session).await;
            let (report, lines) = session.end(&ALL).await;
            println!("{lines:#?}\n{report:#?}");
            report
        })
    }
}

const ALL: [Channel; 12] = [
    Channel::Err,
    Channel::Note,
    Channel::Operator,
    Channel::Text,
    Channel::Tool,
    Channel::ToolError,
    Channel::File,
    Channel::Status,
    Channel::Retry,
    Channel::Error,
    Channel::Unknown,
    Channel::ToolOutput,
];

const EVERY: [Agent; 5] = [Agent::Claude, Agent::Codex, Agent::Pi, Agent::Opencode, Agent::Gemini];

fn each(agents: &[Agent], turns: impl Fn() -> Vec<Turn>, check: impl Fn(&mut Stage)) {
    for agent in agents {
        if let Some(mut stage) = stage(*agent, turns()) {
            println!("=== {agent:?}");
            check(&mut stage);
            assert_eq!(stage.bench.left(), vec![], "{agent:?}");
        }
    }
}

impl Stage {
    /// Waits until the scripted command runs. Some agents take many seconds to their first question.
    fn tool_runs(&self) {
        self.stub.wait("the first question", |seen| !seen.main().is_empty());
        wait::text_in(&self.bench.path("worktree/started"));
    }
}

async fn nothing(_: &mut Session) {}

#[test]
fn an_edit() {
    each(&EVERY, scenario::edit_success, |stage| {
        let report = stage.run(None, false, nothing);
        let agent = stage.seat.installed.agent;
        assert_eq!(
            (report.ending, report.answer.as_deref()),
            (AgentEnding::Finished, Some(scenario::DONE)),
            "{agent:?}"
        );
        let file = std::fs::read_to_string(stage.bench.path("worktree/hello.txt")).unwrap();
        assert_eq!(file, scenario::CORRECTED, "{agent:?}");
        assert!(report.tally.conversation.is_some() && report.tally.tokens.total() > 0, "{agent:?}");
    });
}

#[test]
fn an_edit_within_the_write_fence() {
    each(&EVERY, scenario::edit_success, |stage| {
        stage.fenced = true;
        let report = stage.run(None, false, nothing);
        let agent = stage.seat.installed.agent;
        assert_eq!(
            (report.ending, report.answer.as_deref()),
            (AgentEnding::Finished, Some(scenario::DONE)),
            "{agent:?}"
        );
        let file = std::fs::read_to_string(stage.bench.path("worktree/hello.txt")).unwrap();
        assert_eq!(file, scenario::CORRECTED, "{agent:?}");
    });
}

#[test]
fn a_resumed_conversation() {
    each(
        &EVERY,
        || vec![say("First."), say("Second.")],
        |stage| {
            let first = stage.run(None, false, nothing);
            assert_eq!(first.ending, AgentEnding::Finished);
            let second = stage.run(first.tally.conversation.clone(), false, nothing);
            let agent = stage.seat.installed.agent;
            assert_eq!(
                (second.ending, second.answer.as_deref()),
                (AgentEnding::Finished, Some("Second.")),
                "{agent:?}"
            );
            assert_eq!(second.tally.conversation, first.tally.conversation, "{agent:?}");
            assert!(stage.stub.seen().main()[1].holds("First."), "{agent:?}");
        },
    );
}

#[test]
fn a_structured_answer() {
    let verdict = json!({"verdict": "approve"});
    each(
        &EVERY,
        || vec![act().structured(verdict.clone()), say("Over.")],
        |stage| {
            let report = stage.run(None, true, nothing);
            assert_eq!((report.ending, report.structured), (AgentEnding::Finished, Some(verdict.clone())));
        },
    );
}

#[test]
fn a_message_while_a_tool_runs() {
    let waits = "echo yes > started; n=0; until [ -e go ]; do n=$((n+1)); [ -e hello.txt ] && [ $n -lt 2000 ] || exit 75; sleep 0.02; done";
    each(
        &[Agent::Claude, Agent::Pi],
        || vec![act().bash(waits), say("Cats, then.")],
        |stage| {
            let worktree = stage.bench.path("worktree");
            let report = stage.run(None, false, async |session| {
                session.hears(Channel::Tool, "").await;
                stage.tool_runs();
                session.say("Mention cats, please.");
                session.hears(Channel::Operator, "cats").await;
                std::fs::write(worktree.join("go"), "").unwrap();
            });
            assert_eq!(
                (report.ending, report.answer.as_deref()),
                (AgentEnding::Finished, Some("Cats, then."))
            );
            assert_eq!(report.unheard, [""; 0]);
            assert!(stage.stub.seen().main()[1].holds("Mention cats, please."));
        },
    );
}

#[test]
fn a_pause_after_the_turn_and_a_resume() {
    // The next reply takes its time, so that one which is ended before it cannot have it all by then.
    let slow = || say("Resumed.").chunk(1).every(std::time::Duration::from_millis(300));
    let turns = || vec![say("One.").bash("echo yes > started; sleep 0.5"), slow(), slow()];
    each(&EVERY, turns, |stage| {
        let report = stage.run(None, false, async |session| {
            stage.tool_runs();
            session.steer.send(Steer::PauseAfterTurn(true)).unwrap();
        });
        let agent = stage.seat.installed.agent;
        assert_eq!(report.ending, AgentEnding::Paused, "{agent:?}");
        let again = stage.run(report.tally.conversation, false, nothing);
        assert_eq!(
            (again.ending, again.answer.as_deref()),
            (AgentEnding::Finished, Some("Resumed.")),
            "{agent:?}"
        );
    });
}

#[test]
fn a_stop_in_the_middle_of_a_tool() {
    each(&EVERY, scenario::hang_in_tool, |stage| {
        let report = stage.run(None, false, async |session| {
            stage.tool_runs();
            session.stopper.press();
        });
        assert_eq!(report.ending, AgentEnding::Stopped);
    });
}

#[test]
fn a_refused_key() {
    each(&EVERY, scenario::auth_error, |stage| {
        let report = stage.run(None, false, nothing);
        assert_eq!(report.ending, AgentEnding::NotLoggedIn, "{:?}", stage.seat.installed.agent);
    });
}

#[test]
fn a_rate_limit_that_does_not_end() {
    let refusals = || vec![refuse(429, "scripted rate limit").retry_after(1).for_ever()];
    each(&[Agent::Claude, Agent::Codex, Agent::Pi, Agent::Gemini], refusals, |stage| {
        let report = stage.run(None, false, nothing);
        let agent = stage.seat.installed.agent;
        assert!(matches!(report.ending, AgentEnding::RateLimited { .. }), "{agent:?}: {:?}", report.ending);
    });
}

#[test]
fn an_agent_that_would_never_end() {
    each(&[Agent::Opencode], scenario::context_overflow, |stage| {
        let report = stage.run(None, false, nothing);
        assert_eq!(report.ending, AgentEnding::Limit { which: "repeats".to_owned() });
    });
}
