#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The real agents as reviewers: their own programs, a scripted model on the loopback interface, and the verdict as the
//! structured answer where the agent has one, else as its whole last message.

#[path = "support/agents/mod.rs"]
mod agents;
mod support;

use agents::bench::{Bench, Ran};
use agents::installed::Agent;
use agents::scenario;
use agents::stub::Stub;
use serde_json::{Value, json};

/// Lets the agent review the newest commit with this decision; `None` when it is not installed.
fn reviewed(agent: Agent, decision: &str, ticket: &str) -> Option<(Bench, Stub, Ran)> {
    let installed = agent.installed()?;
    let mut bench = Bench::new(&[agents::stage::ticket()]);
    let head = bench.git(&["rev-parse", "main"]).trim().to_owned();
    let finding = json!({
        "earlier_id": null, "severity": "high", "blocking": true, "file": "hello.txt", "line": 1, "end_line": null,
        "reason": "'wrld' should be 'world'", "required_change": "spell it out", "dimension": "correctness",
    });
    let findings = if decision == "approve" { json!([]) } else { json!([finding]) };
    let verdict = json!({
        "ticket": ticket, "head": head, "decision": decision, "summary": "Looked at.", "findings": findings,
    });
    let stub = Stub::start(scenario::review(verdict));
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

fn judges(agent: Agent) {
    let Some((_bench, stub, ran)) = reviewed(agent, "changes_required", "main") else { return };
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
    assert!(stub.seen().main()[0].holds("Judge the work on `main`"), "the prompt did not arrive");
    let Some((_bench, _stub, ran)) = reviewed(agent, "approve", "main") else { return };
    assert_eq!(report(&ran, 0)["verdict"], "green");
    let Some((_bench, _stub, ran)) = reviewed(agent, "approve", "another") else { return };
    let refused = report(&ran, 1);
    assert!(refused["detail"].as_str().unwrap().contains("answered for \"another\""), "{refused}");
}

#[test]
fn claude_judges_by_its_structured_answer() {
    judges(Agent::Claude);
}

#[test]
fn codex_judges_by_its_last_message() {
    judges(Agent::Codex);
}

#[test]
fn pi_judges_by_its_last_message() {
    judges(Agent::Pi);
}
