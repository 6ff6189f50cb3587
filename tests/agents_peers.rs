#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The real agents against the scripted model, without us in between: proves the installs, the script's four protocols,
//! the seats and the scenarios, so that a failure of `agents_real` is ours. What each agent makes of a scenario is noted
//! as it was measured with the pinned versions; a new version that behaves otherwise is to be noticed here.

#[path = "support/agents/mod.rs"]
mod agents;
#[path = "agents_peers/steering.rs"]
mod steering;
mod support;

use agents::installed::{Agent, Ran};
use agents::scenario::{self, Turn};
use agents::stub::{Seen, Stub};
use support::project::Project;

/// What one agent made of one scenario.
struct Made {
    ran: Ran,
    seen: Seen,
    turns_used: usize,
    file: String,
    told: String,
}

/// Runs an agent through a scenario, in a repository of its own. `None` when the agent is not installed.
fn run(agent: Agent, turns: Vec<Turn>) -> Option<Made> {
    let installed = agent.installed()?;
    let project = Project::bare();
    project.write(scenario::FILE, scenario::GREETING);
    let stub = Stub::start(turns);
    let seat = installed.seat(&project.around().join("state"), &stub);
    let ran = seat.run(project.path(), scenario::TASK);
    let told = format!("{:?}\n--- stdout\n{}\n--- stderr\n{}", ran.status, ran.out, ran.err);
    let file = project.read(scenario::FILE);
    Some(Made { ran, seen: stub.seen(), turns_used: stub.turns_used(), file, told })
}

/// Exit code, and how many requests the script answered.
fn facts(made: &Made) -> (Option<i32>, usize) {
    (made.ran.status.code(), made.seen.main().len())
}

fn edits(agent: Agent) {
    let Some(made) = run(agent, scenario::edit_success()) else { return };
    let Made { ran, seen, turns_used, file, told } = &made;
    assert_eq!((facts(&made), *turns_used), ((Some(0), 4), 4), "{told}");
    assert_eq!(file, scenario::CORRECTED, "{told}");
    assert!(seen.main()[0].holds(scenario::TASK), "the prompt did not arrive: {}", seen.main()[0].body);
    assert!(
        seen.main()[3].holds("Second line."),
        "the command's output did not arrive: {}",
        seen.main()[3].body
    );
    assert!(ran.out.contains("Done: hello.txt now says"), "{told}");
}

/// Runs a scenario that needs no retry of the model's last words; checks exit code, requests and the file.
fn makes(agent: Agent, turns: Vec<Turn>, expected: (i32, usize), file: &str) {
    let Some(made) = run(agent, turns) else { return };
    assert_eq!(facts(&made), (Some(expected.0), expected.1), "{}", made.told);
    assert_eq!(made.file, file, "{}", made.told);
}

/// The suite of one agent: exit code and requests of the scenarios in which agents differ.
macro_rules! agent {
    ($name:ident, $agent:expr, disconnect: $disconnect:expr, malformed: $malformed:expr) => {
        mod $name {
            use super::*;

            #[test]
            fn edits() {
                super::edits($agent);
            }

            #[test]
            fn tools_fail() {
                makes($agent, scenario::tool_failure(), (0, 5), scenario::GREETING);
            }

            #[test]
            fn is_told_to_wait_and_edits() {
                makes($agent, scenario::rate_limit_then_success(), (0, 6), scenario::CORRECTED);
            }

            #[test]
            fn is_cut_off() {
                let expected: (i32, usize) = $disconnect;
                let file = if expected.0 == 0 { scenario::CORRECTED } else { scenario::GREETING };
                makes($agent, scenario::disconnect(), expected, file);
            }

            #[test]
            fn hears_garbage() {
                makes($agent, scenario::malformed(), $malformed, scenario::GREETING);
            }

            #[test]
            fn hears_what_acts_on_a_terminal() {
                makes($agent, scenario::hostile_text(), (0, 1), scenario::GREETING);
            }
        }
    };
}

agent!(claude, Agent::Claude, disconnect: (0, 5), malformed: (0, 2));
agent!(codex, Agent::Codex, disconnect: (0, 5), malformed: (1, 3));
agent!(pi, Agent::Pi, disconnect: (0, 5), malformed: (0, 1));
agent!(opencode, Agent::Opencode, disconnect: (0, 5), malformed: (1, 1));
agent!(gemini, Agent::Gemini, disconnect: (1, 1), malformed: (1, 1));
