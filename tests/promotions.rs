#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! `promotion …` through the real binary on real git: openloop's acceptance cases of landing (`openloop.md` §11: 6, 10,
//! 13, 17 to 20, 25), undo, and a kill at every durable step of both.

#[path = "support/agents/mod.rs"]
mod agents;
mod support;

use std::fs;
use std::path::PathBuf;

use agents::bench::{Bench, Ran};
use agents::stage::ID;
use serde_json::{Value, json};
use support::project::Ticket;

/// Writes the greeting, and something more when it is asked a second time; notes what it was told.
const WORKER: &str = r#"#!/bin/sh
printf '{"type":"system","subtype":"init","session_id":"w","model":"m","tools":[]}\n'
echo 'Hello, world!' >hello.txt
echo 'more' >added.txt
[ -e "$SIGNS/told" ] && echo 'and more' >>added.txt
printf '%s' "$1" >"$SIGNS/told"
printf '{"type":"result","subtype":"success","is_error":false,"result":"Done.","session_id":"w","num_turns":1,"total_cost_usd":0.25}\n'
"#;

/// A project whose one ticket was finished by an agent.
fn finished() -> Bench {
    of(&[Ticket::new(ID, "Greet", "llm").file("hello.txt").file("added.txt")])
}

/// A project with these tickets, the first of which was finished by an agent.
fn of(tickets: &[Ticket]) -> Bench {
    let mut bench = Bench::new(tickets);
    let program = bench.around("notes").join("worker");
    fs::write(&program, WORKER).unwrap();
    let settings = json!({
        "kind": "custom", "stream": "claude", "args": ["/bin/sh", program, "{prompt}"],
        "env": {"SIGNS": bench.around("notes")}, "writable": [bench.around("notes")],
    });
    bench.agent("fake", settings);
    bench.configure("roles", json!({"worker": "fake"}));
    let ran = bench.koru(&["ticket", "run", ID, "--agent=fake"]);
    ran.expect(0);
    assert_eq!(bench.project.record(ID)["status"], "done", "{}", ran.all());
    bench
}

fn list(bench: &Bench) -> Value {
    let ran = bench.koru(&["promotion", "list", "--all", "--format", "json"]);
    serde_json::from_str(&ran.expect(0).out).unwrap()
}

/// The one promotion.
fn promotion(bench: &Bench) -> Value {
    let all = list(bench);
    let all = all["promotions"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{all:#?}");
    all[0].clone()
}

fn state(bench: &Bench) -> String {
    promotion(bench)["state"]["state"].as_str().unwrap().to_owned()
}

fn head(bench: &Bench) -> String {
    bench.git(&["rev-parse", &format!("koru/{ID}")]).trim().to_owned()
}

fn main(bench: &Bench) -> String {
    bench.git(&["rev-parse", "main"]).trim().to_owned()
}

fn apply(bench: &Bench) -> Ran {
    bench.koru(&["promotion", "apply", ID, "--seen", &head(bench)])
}

fn undo(bench: &Bench) -> Ran {
    bench.koru(&["promotion", "undo", ID])
}

fn notes(bench: &Bench) -> String {
    serde_yaml::to_string(&bench.project.record(ID)["outputs"]["notes"]).unwrap()
}

fn audit(bench: &Bench) -> Vec<Value> {
    let folder = bench.project.path().join(".planfile/.koru/audit");
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let texts = files.iter().map(|file| fs::read_to_string(file).unwrap());
    texts
        .flat_map(|text| text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<_>>())
        .collect()
}

trait All {
    fn all(&self) -> String;
}

impl All for Ran {
    fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

#[test]
fn finished_work_waits_with_all_that_is_known_of_it() {
    let bench = finished();
    let promotion = promotion(&bench);
    let head = head(&bench);
    for (at, wanted) in [
        ("/id", json!(format!("{ID}.{}", &head[..12]))),
        ("/state/state", json!("pending")),
        ("/head", json!(head)),
        ("/base_branch", json!("main")),
        ("/diff/paths", json!(["added.txt", "hello.txt"])),
        ("/checks/0/gate", json!("ci")),
        ("/checks/0/state/state", json!("passed")),
        ("/risk", json!("medium")),
        ("/cost/usd", json!(0.25)),
        ("/blocked", Value::Null),
    ] {
        assert_eq!(promotion.pointer(at), Some(&wanted), "{at}\n{promotion:#}");
    }
    let shown = bench.koru(&["promotion", "show", ID]);
    for text in ["pending", "medium", "ci passed", "2 files +", "koru/PLF-001 → main", "hello.txt", "$0.2500"]
    {
        assert!(shown.expect(0).out.contains(text), "no {text:?} in\n{}", shown.out);
    }
}

#[test]
fn an_approved_promotion_lands_beside_the_operators_own_changes() {
    let bench = finished();
    let (before, head) = (bench.checkout(), head(&bench));
    apply(&bench).expect(0);
    let after = bench.checkout();
    assert_eq!((main(&bench), &before.index, &before.config), (head.clone(), &after.index, &after.config));
    let mut files = before.files.clone();
    files.insert("hello.txt".into(), b"Hello, world!\n".to_vec());
    files.insert("added.txt".into(), b"more\n".to_vec());
    assert_eq!(after.files, files);
    assert_eq!(bench.git(&["symbolic-ref", "HEAD"]).trim(), "refs/heads/main");
    assert!(notes(&bench).contains(&format!("Landed on main as {}", &head[..12])), "{}", notes(&bench));
    let row = audit(&bench).pop().unwrap();
    let wanted = json!(["promotion.apply", "koru-shell", head, "main"]);
    assert_eq!(json!([row["kind"], row["who"], row["to"], row["branch"]]), wanted);
    // Twice is once.
    apply(&bench).expect(0);
    assert_eq!(audit(&bench).len(), 1);
}

#[test]
fn what_was_not_seen_and_what_is_in_the_way_is_refused_by_name() {
    let bench = finished();
    let before = bench.checkout();
    let stale = bench.koru(&["promotion", "apply", ID, "--seen", &"0".repeat(40)]);
    assert!(stale.expect(1).err.contains("is not what you saw"), "{}", stale.err);
    bench.project.write("added.txt", "the operator's\n");
    let refused = apply(&bench);
    assert!(refused.expect(1).err.contains("would write: added.txt; commit or stash"), "{}", refused.err);
    fs::remove_file(bench.project.path().join("added.txt")).unwrap();
    assert_eq!((bench.checkout(), state(&bench).as_str()), (before, "pending"));
    assert_eq!(bench.koru(&["promotion", "apply", "PLF-404", "--seen", "0123456"]).code, Some(1));
    assert_eq!(bench.koru(&["promotion", "apply", ID]).code, Some(2));
}

#[test]
fn a_base_that_moved_on_is_checked_again_with_the_work_on_top() {
    let bench = finished();
    bench.git(&["commit", "-q", "-m", "Note", "notes.txt"]);
    let theirs = main(&bench);
    apply(&bench).expect(0);
    assert_eq!(bench.git(&["rev-parse", "main~1"]).trim(), theirs);
    assert_eq!(bench.git(&["show", "main:hello.txt"]), "Hello, world!\n");
    let checks = bench.runs().into_keys().filter(|name| name.starts_with("landing-")).count();
    let worktrees = bench.git(&["worktree", "list"]).lines().count();
    assert_eq!((checks, worktrees), (1, 2), "one run of checks, its worktree gone again");

    // Where only a fast-forward is allowed it is refused; so is a result whose checks fail.
    let mut bench = finished();
    bench.git(&["commit", "-q", "-m", "Note", "notes.txt"]);
    let (theirs, head) = (main(&bench), head(&bench));
    bench.configure("promotion", json!({"onto": "fast-forward"}));
    let refused = apply(&bench);
    assert!(refused.expect(1).err.contains("has moved on"), "{}", refused.err);
    bench.configure("promotion", json!({}));
    bench.project.write(".planfile/.koru/policy.yaml", "llm: {}\nci:\n  command: test ! -e hello.txt\n");
    let refused = apply(&bench);
    assert!(
        refused.expect(1).err.contains("on the base as it is now, the check ci failed"),
        "{}",
        refused.err
    );
    assert_eq!((main(&bench), state(&bench).as_str()), (theirs, "pending"));
    assert_eq!(bench.git(&["rev-parse", &format!("koru/{ID}")]).trim(), head);
}

/// What the rules say of work that waits is what they say now; work that somebody landed by hand waits no more.
#[test]
fn what_waits_is_judged_by_the_rules_of_now_and_expires_when_nothing_is_left() {
    let mut bench = finished();
    assert_eq!(promotion(&bench)["risk"], "medium");
    bench.configure("promotion", json!({"high_risk": ["hello.txt"], "deny": ["added*"]}));
    let judged = promotion(&bench);
    assert_eq!(judged["blocked"].as_str().map(|why| why.contains("`added*`")), Some(true), "{judged:#}");
    bench.configure("promotion", json!({"high_risk": ["hello.txt"]}));
    let judged = promotion(&bench);
    assert_eq!((&judged["risk"], &judged["blocked"]), (&json!("high"), &Value::Null));
    bench.git(&["update-ref", "refs/heads/main", &head(&bench)]);
    let left = promotion(&bench);
    assert_eq!(left["state"]["state"], "expired");
    assert!(left["state"]["why"].as_str().unwrap().contains("nothing of PLF-001 is left"), "{left:#}");
}

#[test]
fn a_conflict_names_its_files_and_nothing_moves() {
    let bench = finished();
    bench.project.write("hello.txt", "Something else\n");
    bench.git(&["commit", "-q", "-m", "Other", "hello.txt"]);
    let before = bench.checkout();
    let refused = apply(&bench);
    assert!(refused.expect(1).err.contains("changed the same places: hello.txt"), "{}", refused.err);
    assert_eq!((bench.checkout(), state(&bench).as_str()), (before, "pending"));
}

#[test]
fn rules_keep_work_out_and_high_risk_asks_for_the_word() {
    let mut bench = finished();
    bench.configure("promotion", json!({"deny": ["added*"]}));
    let refused = apply(&bench);
    assert!(refused.expect(1).err.contains("`added.txt` is denied by `added*`"), "{}", refused.err);
    bench.configure("promotion", json!({"denny": ["added*"]}));
    assert!(apply(&bench).expect(1).err.contains("nothing lands until it is corrected"));
    bench.configure("promotion", json!({"high_risk": ["hello.txt"]}));
    let refused = apply(&bench);
    assert!(refused.expect(1).err.contains(&format!("high-risk; type {ID}")), "{}", refused.err);
    bench.koru(&["promotion", "apply", ID, "--seen", &head(&bench)[..12], "--high-risk", ID]).expect(0);
    assert_eq!(main(&bench), head(&bench));
}

#[test]
fn a_rejection_goes_back_with_its_reason_and_is_final() {
    let bench = finished();
    let before = main(&bench);
    bench.koru(&["promotion", "reject", ID, "--reason", "in Polish, please"]).expect(0);
    assert_eq!((main(&bench), state(&bench).as_str()), (before, "rejected"));
    assert_eq!(bench.project.record(ID)["status"], "open");
    assert!(notes(&bench).contains("in Polish, please"), "{}", notes(&bench));
    let again = bench.koru(&["promotion", "reject", ID, "--reason", "again"]);
    assert!(again.expect(1).err.contains("is rejected already, by koru-shell"), "{}", again.err);
    assert_eq!(bench.koru(&["promotion", "reject", ID]).code, Some(2));
    // Whoever works it next is told why, and what comes of that is another promotion.
    bench.koru(&["ticket", "run", ID, "--agent=fake"]).expect(0);
    assert!(bench.noted("told").contains("in Polish, please"), "{}", bench.noted("told"));
    let all = list(&bench);
    let states = all["promotions"].as_array().unwrap().iter().map(|one| one["state"]["state"].clone());
    assert_eq!(states.collect::<Vec<_>>(), ["pending", "rejected"]);

    let bench = finished();
    bench.koru(&["promotion", "reject", ID, "--reason", "never", "--close", "--actor", "ann"]).expect(0);
    assert_eq!(bench.project.record(ID)["status"], "failed");
    assert_eq!(audit(&bench).pop().unwrap()["who"], "ann");
}

#[test]
fn undo_returns_the_base_and_what_others_have_is_taken_out_by_a_commit() {
    let bench = finished();
    let before = bench.checkout();
    let was = main(&bench);
    apply(&bench).expect(0);
    undo(&bench).expect(0);
    assert_eq!((main(&bench), state(&bench).as_str()), (was.clone(), "undone"));
    let after = bench.checkout();
    assert_eq!((after.files, after.index), (before.files, before.index));
    assert!(undo(&bench).expect(1).err.contains("nothing to take back"));
    // It may land once more.
    apply(&bench).expect(0);
    bench.git(&["update-ref", "refs/remotes/origin/main", "main"]);
    let landed = main(&bench);
    undo(&bench).expect(0);
    assert_eq!(bench.git(&["rev-parse", "main~1"]).trim(), landed);
    assert_eq!(bench.git(&["diff", &was, "main"]), "");
}

#[test]
fn a_broken_file_is_named_and_everything_else_works() {
    let bench = finished();
    let id = promotion(&bench)["id"].as_str().unwrap().to_owned();
    let path = ".planfile/.koru/promotions/torn.json";
    bench.project.write(path, "{\"format\": 1, \"id\": \"to");
    let all = list(&bench);
    assert_eq!(
        (all["promotions"][0]["id"].as_str(), all["unreadable"].as_array().map(Vec::len)),
        (Some(id.as_str()), Some(1))
    );
    let told = bench.koru(&["promotion", "list"]);
    assert!(told.expect(0).err.contains("torn.json is no promotion"), "{}", told.err);
    apply(&bench).expect(0);
    assert_eq!(bench.project.read(path), "{\"format\": 1, \"id\": \"to");
}

#[test]
fn work_that_builds_on_work_that_has_not_landed_has_it_and_waits_for_it() {
    const NEXT: &str = "PLF-002";
    let bench = of(&[
        Ticket::new(ID, "Greet", "llm").file("hello.txt").file("added.txt"),
        Ticket::new(NEXT, "Greet more", "llm").file("hello.txt").file("added.txt").blocked_by(ID),
    ]);
    bench.koru(&["ticket", "run", NEXT, "--agent=fake"]).expect(0);
    assert_eq!(bench.committed(NEXT, "added.txt").as_deref(), Some("more\nand more\n"));
    let seen = |ticket: &str| bench.git(&["rev-parse", &format!("koru/{ticket}")]).trim().to_owned();
    let land = |ticket: &str| bench.koru(&["promotion", "apply", ticket, "--seen", &seen(ticket)]);
    let refused = land(NEXT);
    let why = format!("it is built on {ID}, which has not landed yet");
    assert!(refused.expect(1).err.contains(&why), "{}", refused.err);
    land(ID).expect(0);
    land(NEXT).expect(0);
    assert_eq!(main(&bench), seen(NEXT));
    assert_eq!(bench.project.read("added.txt"), "more\nand more\n");
}

/// Kills `words` at every durable step in turn; after each, what a new process finds must be all of it or nothing.
fn killed_everywhere(
    bench: &Bench,
    words: &dyn Fn() -> Vec<String>,
    from: &[&str],
    to: &str,
    reset: &dyn Fn(),
) -> u64 {
    for step in 1..200 {
        let fault = format!("kill@{step}");
        let words = words();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ran = bench.start_in(&words, &[("KORU_TUI_FAULT", &fault)]).end();
        if ran.code.is_some() {
            ran.expect(0);
            return step;
        }
        let now = state(bench);
        assert!(from.contains(&now.as_str()) || now == to, "step {step}: {now}");
        let on_base = bench.git(&["merge-base", "main", &head(bench)]).trim() == head(bench);
        let in_checkout = bench.project.path().join("added.txt").exists();
        let applied = now == "applied";
        assert_eq!((on_base, in_checkout), (applied, applied), "step {step}: {now}");
        assert_eq!(bench.git(&["diff", "--cached", "--name-only"]), "staged.txt\n", "step {step}: {now}");
        if now == to {
            reset();
        }
    }
    panic!("a decision of two hundred steps");
}

#[test]
fn a_kill_at_any_step_of_landing_and_undoing_leaves_all_of_it_or_nothing() {
    let bench = finished();
    promotion(&bench);
    let landing = || vec!["promotion".into(), "apply".into(), ID.into(), "--seen".into(), head(&bench)];
    let undoing = || vec!["promotion".into(), "undo".into(), ID.into()];
    let steps = killed_everywhere(&bench, &landing, &["pending", "undone"], "applied", &|| {
        undo(&bench).expect(0);
    });
    assert!(steps > 10, "{steps}");
    let steps = killed_everywhere(&bench, &undoing, &["applied"], "undone", &|| {
        apply(&bench).expect(0);
    });
    assert!(steps > 10, "{steps}");
    let rows = audit(&bench);
    assert!(rows.iter().any(|row| row["kind"] == "promotion.undo") && rows.len() > 20, "{}", rows.len());
}
