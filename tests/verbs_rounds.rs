#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! `ticket review` and `ticket decide`: what the console's verdict pane shows and does, on the command line.

#[path = "support/agents/mod.rs"]
mod agents;
mod support;

use agents::bench::{Bench, Ran};
use agents::stage::ID;
use serde_json::{Value, json};
use support::project::Ticket;

const WORKER: &str = r#"#!/bin/sh
printf '{"type":"system","subtype":"init","session_id":"w","model":"m","tools":[]}\n'
echo x >>"$SIGNS/worked"; printf '%s' "$1" >"$SIGNS/told"
echo "Hello, world! $(wc -l <"$SIGNS/worked" | tr -d ' ')" >hello.txt
printf '{"type":"result","subtype":"success","is_error":false,"result":"Done.","session_id":"w","num_turns":1,"total_cost_usd":0.01}\n'
"#;

/// Approves, and names a blocker all the same.
const JUDGE: &str = r#"#!/bin/sh
printf '{"type":"system","subtype":"init","session_id":"j","model":"m","tools":[]}\n'
echo x >>"$SIGNS/judged"
finding='{"earlier_id":null,"severity":"high","blocking":true,"file":"hello.txt","line":1,"end_line":null,"reason":"says too little","required_change":null,"dimension":null}'
printf '{"type":"result","subtype":"success","is_error":false,"result":"judged","structured_output":{"ticket":"PLF-001","head":"%s","decision":"approve","summary":"s","findings":[%s]},"session_id":"j","num_turns":1,"total_cost_usd":0.01}\n' "$(git rev-parse HEAD)" "$finding"
"#;

/// A ticket whose first round waits for a person, and the commit of that round.
fn waiting() -> (Bench, String) {
    let mut bench = Bench::new(&[Ticket::new(ID, "Greet", "llm").file("hello.txt")]);
    let signs = bench.around("notes");
    for (name, script) in [("fake", WORKER), ("judge", JUDGE)] {
        let program = signs.join(name);
        std::fs::write(&program, script).unwrap();
        let settings = json!({
            "kind": "custom", "stream": "claude", "args": ["/bin/sh", program, "{prompt}"], "env": {"SIGNS": signs},
            "writable": [signs],
        });
        bench.agent(name, settings);
    }
    bench.configure("roles", json!({"worker": "fake", "reviewer": "judge"}));
    let policy = json!({"llm": {}, "ci": {"command": "grep -q world hello.txt"}});
    bench.project.write(".planfile/.koru/policy.yaml", &format!("{policy:#}\n"));
    let ran = bench.koru(&["ticket", "run", ID, "--agent=fake"]);
    assert!(ran.expect(0).out.contains("waiting_input"), "{}", ran.out);
    let head = review(&bench)["rounds"][0]["head"].as_str().unwrap().to_owned();
    (bench, head)
}

fn review(bench: &Bench) -> Value {
    let ran = bench.koru(&["ticket", "review", ID, "--format", "json"]);
    serde_json::from_str(&ran.expect(0).out).unwrap()
}

fn decide(bench: &Bench, words: &[&str]) -> Ran {
    bench.koru(&[&["ticket", "decide", ID], words].concat())
}

fn turns(bench: &Bench, name: &str) -> usize {
    bench.noted(name).lines().count()
}

#[test]
fn the_rounds_are_told_with_what_can_be_decided() {
    let (bench, head) = waiting();
    assert_eq!(review(&bench)["stage"]["why"]["wait"], "contradiction");
    let told = bench.koru(&["ticket", "review", ID]);
    for text in [
        "round 1 ",
        "ci passed",
        "waits for you: the reviewer approved and named findings",
        "new   high     hello.txt:1 says too little",
        &format!("ticket decide {ID} approve|reject|another|review-again --seen {head}"),
    ] {
        assert!(told.expect(0).out.contains(text), "no {text:?} in\n{}", told.out);
    }
    assert_eq!(bench.koru(&["ticket", "review", "PLF-404"]).code, Some(2));
}

#[test]
fn a_decision_is_about_what_was_seen() {
    let (bench, head) = waiting();
    for (words, code, why) in [
        (&["reject", "--seen", &head][..], 2, "--reason"),
        (&["approve", "--seen", &head, "--reason", "fine"], 2, "--reason does not go with approve"),
        (&["approve", "--seen", "0123456789"], 1, "as you saw it"),
        (&["approve", "--seen", "abc"], 1, "as you saw it"),
    ] {
        let ran = decide(&bench, words);
        assert_eq!(ran.code, Some(code), "{words:?}\n{}", ran.err);
        assert!(ran.err.contains(why), "{words:?}: {}", ran.err);
    }
    let file = bench.worktree(ID).join("hello.txt");
    let kept = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, "smuggled\n").unwrap();
    let ran = decide(&bench, &["approve", "--seen", &head]);
    assert!(ran.code == Some(1) && ran.err.contains("differ from what was reviewed"), "{}", ran.err);
    std::fs::write(&file, kept).unwrap();
    assert_eq!(review(&bench)["stage"]["stage"], "waiting");
    decide(&bench, &["approve", "--seen", &head[..8]]).expect(0);
    assert_eq!(bench.project.record(ID)["status"], "done");
    assert_eq!(review(&bench)["stage"]["stage"], "approved");
}

#[test]
fn a_rejection_keeps_its_reason_and_the_branch() {
    let (bench, head) = waiting();
    decide(&bench, &["reject", "--seen", &head, "--reason", "wrong idea"]).expect(0);
    let record = bench.project.record(ID);
    assert_eq!(record["status"], "failed");
    assert!(record["execution"]["last_error"].as_str().unwrap().contains("wrong idea"));
    assert_eq!(bench.git(&["rev-parse", &format!("koru/{ID}")]).trim(), head);
}

#[test]
fn another_round_mends_what_the_operator_wrote() {
    let (bench, head) = waiting();
    let fixes = bench.around("notes").join("fixes.txt");
    std::fs::write(&fixes, "[low] hello.txt:1\nend with a full stop\n").unwrap();
    decide(&bench, &["another", "--seen", &head, "--fixes", fixes.to_str().unwrap()]).expect(0);
    let told = bench.noted("told");
    assert!(told.contains("end with a full stop") && !told.contains("says too little"), "{told}");
    let now = review(&bench);
    let numbers: Vec<_> = now["rounds"].as_array().unwrap().iter().map(|round| &round["number"]).collect();
    assert_eq!((numbers, turns(&bench, "worked")), (vec![&json!(1), &json!(2)], 2));
    // Judged again, the worker is not paid again.
    let head = now["rounds"][1]["head"].as_str().unwrap();
    decide(&bench, &["review-again", "--seen", head]).expect(0);
    assert_eq!((turns(&bench, "worked"), turns(&bench, "judged")), (2, 3));
}
