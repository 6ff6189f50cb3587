#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! `loop run` with the real agents as worker and reviewer and a scripted model for each: two rounds, changes required and
//! then an approval. loop-kit's three agents are called as it calls them, the others as the project's configuration says.

#[path = "support/agents/mod.rs"]
mod agents;
#[path = "loop_support/mod.rs"]
mod loop_support;
mod support;

use std::collections::BTreeMap;
use std::path::Path;

use agents::installed::Agent;
use agents::scenario::{Turn, act, say};
use agents::stub::Stub;
use loop_support::{Ran, Scratch};
use serde_json::{Value, json};

/// The worker of a round: it reads, edits, commits, writes its report.
fn works(round: u32, old: &str, new: &str) -> Vec<Turn> {
    let report = json!({"task_id": "T-001", "round": round, "head_sha": "HEAD", "notes": format!("round {round}"),
        "tests": [{"name": "add", "result": "pass"}]});
    vec![
        act().read("src/app.py"),
        say("Changing what add returns.").edit("src/app.py", old, new),
        act().bash(&format!(
            "git commit -q -a -m \"work of round {round}\" && printf '%s' '{report}' > .loop/work_report.json"
        )),
        say(&format!("The work of round {round} is done.")),
    ]
}

/// The reviewer of a round: it reads the request and writes its verdict.
fn judges(round: u32, decision: &str, blocking: Value) -> Vec<Turn> {
    let report =
        json!({"task_id": "T-001", "round": round, "decision": decision, "blocking_issues": blocking});
    vec![
        act().bash("cat .loop/review_request.json"),
        act().bash(&format!("printf '%s' '{report}' > .loop/review_report.json")),
        say(&format!("Round {round} is judged.")),
    ]
}

fn two_rounds(worker: Agent, reviewer: Agent) {
    let (Some(first), Some(second)) = (worker.installed(), reviewer.installed()) else { return };
    let scratch = Scratch::new();
    let issue = json!([{"severity": "high", "file": "src/app.py", "line": 2, "reason": "add subtracts",
        "required_change": "return the sum"}]);
    let work = [works(1, "    pass", "    return a - b"), works(2, "a - b", "a + b")].concat();
    let reviews = [judges(1, "changes_required", issue), judges(2, "approve", json!([]))].concat();
    let (works, judges) = (Stub::start(work), Stub::start(reviews));
    let state = scratch.outside().join("state");
    let seats = [first.seat(&state, &works), second.seat(&state, &judges)];
    let mut env: BTreeMap<String, String> = seats.iter().flat_map(|seat| seat.env.clone()).collect();
    let programs = seats.iter().map(|seat| seat.installed.program.parent().unwrap().to_str().unwrap());
    let path = programs.chain([env["PATH"].as_str()]).collect::<Vec<_>>().join(":");
    env.insert("PATH".to_owned(), path);
    // Claude Code skips its permissions as root only where it is told that it is alone.
    env.insert("IS_SANDBOX".to_owned(), "1".to_owned());
    configure(&scratch, &seats.map(|seat| (seat.installed.agent, seat.installed.program)));

    let args = [
        "run",
        "--loop-dir",
        ".loop",
        "--auto-dispatch",
        "--dispatch-retries",
        "0",
        "--artifact-timeout",
        "5",
    ];
    let both = ["--worker-backend", worker.name(), "--reviewer-backend", reviewer.name()];
    let ran =
        Ran::of(scratch.command(&[&args[..], &both].concat(), &[]).envs(&env).output().unwrap()).expect(0);

    let told = format!("{}\n{:#}", ran.all(), scratch.state());
    let loop_state = scratch.state();
    let details = loop_state["round_details"].as_array().unwrap().iter();
    let decisions: Vec<&Value> = details.map(|detail| &detail["review_decision"]).collect();
    assert_eq!(decisions, [&json!("changes_required"), &json!("approve")], "{told}");
    assert_eq!((&loop_state["outcome"], &loop_state["round"]), (&json!("approved"), &json!(2)), "{told}");
    assert_eq!(scratch.git(&["show", "HEAD:src/app.py"]), "def add(a, b):\n    return a + b");
    assert_eq!(scratch.git(&["rev-list", "--count", "HEAD"]), "3");
    assert_eq!(scratch.read("summary.json")["files_changed"], json!(["src/app.py"]));
    for role in ["worker", "reviewer"] {
        assert!(ran.out.contains(&format!("[{role}] ")), "{told}");
        let session = &loop_state["sessions"][role];
        assert!(session["session_id"].is_string() && session["started_round"] == 1, "{told}");
    }
    let (asked, judged) = (works.seen(), judges.seen());
    let again = asked.main()[4];
    assert!(again.holds("Required: return the sum"), "the finding reaches the worker: {}", again.body);
    assert!(again.holds("The work of round 1 is done."), "its conversation goes on: {}", again.body);
    assert!(judged.main()[1].holds("return a - b"), "{}", judged.main()[1].body);
    assert!(judged.main()[3].holds("Round 1 is judged."), "{}", judged.main()[3].body);
}

/// The agents of the configuration: only those that loop-kit does not know are looked for there.
fn configure(scratch: &Scratch, agents: &[(Agent, std::path::PathBuf)]) {
    let model = |agent| match agent {
        Agent::Gemini => "gemini-2.5-flash",
        _ => "stub/stub-model",
    };
    let agents: BTreeMap<&str, Value> = agents
        .iter()
        .map(|(agent, program): &(Agent, std::path::PathBuf)| {
            let program: &Path = program;
            (agent.name(), json!({"program": program, "model": model(*agent)}))
        })
        .collect();
    scratch.put(".planfile/.koru/config.yaml", &json!({"agents": agents}).to_string());
}

#[test]
fn claude_works_and_codex_judges() {
    two_rounds(Agent::Claude, Agent::Codex);
}

#[test]
fn opencode_works_and_claude_judges() {
    two_rounds(Agent::Opencode, Agent::Claude);
}

#[test]
fn pi_works_and_gemini_judges() {
    two_rounds(Agent::Pi, Agent::Gemini);
}
