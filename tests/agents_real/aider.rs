//! The real aider at a real ticket. It has no tools, no stream and no ids: the model's text carries the edit, and its
//! history file is the conversation. Runs where `KORU_TUI_PEER_AIDER=1` had it installed.

use nix::sys::signal::Signal;

use crate::agents::installed::Agent;
use crate::agents::scenario::{self, say};
use crate::agents::stage::Stage;

/// The edit of the scenarios as aider wants it.
fn edit() -> scenario::Turn {
    let (old, new) = (scenario::GREETING, scenario::CORRECTED);
    let file = scenario::FILE;
    say(&format!(
        "There is a typo in the greeting; fixing it.\n\n{file}\n```\n<<<<<<< SEARCH\n{old}=======\n{new}>>>>>>> REPLACE\n```\n"
    ))
}

#[test]
fn edits() {
    let Some((stage, stub)) = Stage::real(Agent::Aider, vec![edit()]) else { return };
    let played = stage.play();
    played.expect(0, "done", "finished");
    assert_eq!(played.committed().as_deref(), Some(scenario::CORRECTED), "{}", played.told);
    let first = &stub.seen().main()[0].clone();
    assert!(first.holds(scenario::TASK), "the brief does not hold the ticket's name: {}", first.body);
    assert!(played.holds("There is a typo in the greeting; fixing it."), "{}", played.told);
    // It counts by itself, and its price list is a file.
    let tally = &played.record["agent"]["tally"];
    assert_eq!(tally["tokens"]["output"], 40, "{}", played.told);
    assert!(tally["cost"]["usd"].as_f64().unwrap() > 0.0, "{}", played.told);
}

/// It exits with 0 when its key is refused.
#[test]
fn is_not_known() {
    let Some((stage, _stub)) = Stage::real(Agent::Aider, scenario::auth_error()) else { return };
    let played = stage.play();
    played.expect(1, "failed", "not_logged_in");
    assert_eq!(played.committed().as_deref(), Some(scenario::GREETING), "{}", played.told);
}

/// It is stopped while the model is silent, and goes on with its own history.
#[test]
fn is_stopped_and_goes_on() {
    let turns = vec![scenario::hang().remove(0).times(1), edit()];
    let Some((stage, stub)) = Stage::real(Agent::Aider, turns) else { return };
    let running = stage.start();
    stub.wait_silent();
    running.signal(Signal::SIGINT);
    let ran = running.end();
    let stopped = stage.over(ran);
    assert_eq!(stopped.record["state"], "stopped", "{}", stopped.told);
    let ran = stopped.stage.start_with(&["--note", "Mention cats."]).end();
    let played = stopped.stage.over(ran);
    played.expect(0, "done", "finished");
    assert_eq!(played.committed().as_deref(), Some(scenario::CORRECTED), "{}", played.told);
    let seen = stub.seen();
    assert!(seen.main()[1].holds("Mention cats."), "{}", seen.main()[1].body);
}
