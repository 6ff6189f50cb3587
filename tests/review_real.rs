#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The real agents as reviewers: their own programs, a scripted model on the loopback interface, and the verdict as the
//! structured answer where the agent has one, else as its whole last message.

#[path = "support/agents/mod.rs"]
mod agents;
mod support;

use agents::bench::{Bench, Ran};
use agents::installed::Agent;
use agents::scenario::{self, Turn};
use agents::stub::Stub;
use serde_json::{Value, json};

/// A verdict on `head` for `ticket`.
fn verdict(decision: &str, ticket: &str, head: &str) -> Value {
    let finding = json!({
        "earlier_id": null, "severity": "high", "blocking": true, "file": "hello.txt", "line": 1, "end_line": null,
        "reason": "'wrld' should be 'world'", "required_change": "spell it out", "dimension": "correctness",
    });
    let findings = if decision == "approve" { json!([]) } else { json!([finding]) };
    json!({"ticket": ticket, "head": head, "decision": decision, "summary": "Looked at.", "findings": findings})
}

/// Lets the agent review the newest commit, which `turns` is given; `None` when it is not installed.
fn reviewed(agent: Agent, turns: impl FnOnce(&str) -> Vec<Turn>) -> Option<(Bench, Stub, Ran)> {
    let installed = agent.installed()?;
    let mut bench = Bench::new(&[agents::stage::ticket()]);
    let head = bench.git(&["rev-parse", "main"]).trim().to_owned();
    let stub = Stub::start(turns(&head));
    let seat = installed.seat(&bench.around("state"), &stub);
    bench.seat(&seat);
    bench.configure("roles", json!({"reviewer": agent.name()}));
    let before = bench.checkout();
    let ran = bench.koru(&["review", "main", "--base", "main~1", "--json"]);
    assert_eq!(bench.checkout(), before, "the operator's checkout was touched\n{}", ran.err);
    assert_eq!(bench.left(), vec![], "left behind\n{}", ran.err);
    Some((bench, stub, ran))
}

fn report(ran: &Ran, code: i32) -> Value {
    assert_eq!(ran.code, Some(code), "{}\n{}", ran.out, ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// Sends the work back, approves it, and answers for another ticket first.
fn judges(agent: Agent) {
    if rejects(agent) {
        approves(agent);
    }
}

/// False when the agent is not installed.
fn rejects(agent: Agent) -> bool {
    let red = |head: &str| scenario::review(verdict("changes_required", "main", head));
    let Some((_bench, stub, ran)) = reviewed(agent, red) else { return false };
    let red = report(&ran, 2);
    assert_eq!((&red["verdict"], &red["reviewer"]), (&json!("red"), &json!(agent.name())), "{red}");
    let finding = &red["findings"][0];
    let wanted = ("HIGH", "hello.txt", 1, "'wrld' should be 'world'");
    let found = (
        finding["severity"].as_str().unwrap(),
        finding["file"].as_str().unwrap(),
        finding["line"].as_u64().unwrap(),
        finding["title"].as_str().unwrap(),
    );
    assert_eq!(found, wanted);
    assert!(red["tokens"]["output"].as_u64().unwrap() > 0, "{red}");
    let seen = stub.seen();
    let asked = seen.main()[0];
    assert!(asked.holds("Judge the work on `main`"), "the prompt did not arrive");
    let format = &asked.body["text"]["format"];
    let tools = asked.body["tools"].as_array().cloned().unwrap_or_default();
    let by_schema = match agent {
        Agent::Claude => {
            let own = tools.iter().find(|tool| tool["name"] == "StructuredOutput");
            own.is_some_and(|tool| tool["input_schema"]["properties"]["decision"].is_object())
        }
        Agent::Codex => {
            format["type"] == "json_schema" && format["schema"]["properties"]["decision"].is_object()
        }
        Agent::Pi | Agent::Opencode | Agent::Gemini | Agent::Aider => asked.holds("against this JSON schema"),
    };
    assert!(by_schema, "{} was not asked by schema: {:#}", agent.name(), asked.body);
    true
}

fn approves(agent: Agent) {
    let green = |head: &str| scenario::review(verdict("approve", "main", head));
    let Some((_bench, stub, ran)) = reviewed(agent, green) else { return };
    assert_eq!(report(&ran, 0)["verdict"], "green");
    // One that answers for another ticket is asked once more, in the same conversation.
    let used = stub.turns_used();
    let astray = |head: &str| {
        let mut turns = scenario::review(verdict("approve", "another", head));
        turns.truncate(used);
        turns.extend(scenario::review(verdict("approve", "main", head)).into_iter().skip(1));
        turns
    };
    let Some((_bench, stub, ran)) = reviewed(agent, astray) else { return };
    assert_eq!(report(&ran, 0)["verdict"], "green");
    assert!(ran.err.contains("answered for \"another\""), "{}", ran.err);
    let seen = stub.seen();
    let again = seen.main()[used];
    assert!(again.holds("Answer once more") && again.holds("Judge the work on `main`"), "{:#}", again.body);
}

#[test]
fn claude_judges_by_its_structured_answer() {
    judges(Agent::Claude);
}

#[test]
fn codex_judges_by_its_last_message_which_its_output_schema_forms() {
    judges(Agent::Codex);
}

#[test]
fn pi_judges_by_its_last_message() {
    judges(Agent::Pi);
}

#[test]
fn opencode_judges_by_its_last_message() {
    // Each start of it takes many seconds, and what follows is the same for all that answer in words.
    rejects(Agent::Opencode);
}

#[test]
fn gemini_judges_by_its_last_message() {
    judges(Agent::Gemini);
}
