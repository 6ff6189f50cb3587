//! Answers of reviewers, good and bad.

use proptest::prelude::*;

use super::*;
use crate::execute::agents::single::NotSingle;
use crate::verify::verdict::Contradiction;

const HEAD: &str = "0123456789abcdef0123456789abcdef01234567";

fn expected() -> Expected {
    Expected {
        ticket: "PLF-7".to_owned(),
        head: HEAD.to_owned(),
        reviewer: "claude".to_owned(),
        earlier: vec!["e1".to_owned()],
        folders: vec![PathBuf::from("/w/t")],
    }
}

fn finding() -> Value {
    json!({
        "earlier_id": null, "severity": "high", "blocking": true, "file": "src/a.rs", "line": 3, "end_line": 5,
        "reason": "it loses data", "required_change": "keep it", "dimension": "correctness",
    })
}

fn answer(decision: &str, findings: Vec<Value>) -> Value {
    json!({"ticket": "PLF-7", "head": HEAD, "decision": decision, "summary": " s ", "findings": findings})
}

fn with(mut value: Value, key: &str, other: Value) -> Value {
    value[key] = other;
    value
}

fn why(value: &Value) -> String {
    verdict(Some(value), None, &expected()).unwrap_err().to_string()
}

#[test]
fn an_answer_becomes_a_verdict() {
    let read = verdict(Some(&answer("changes_required", vec![finding()])), Some("Done."), &expected());
    let by = Source::Reviewer { name: "claude".to_owned() };
    let found = Finding {
        id: Finding::key(Some("src/a.rs"), "it loses data"),
        severity: Severity::High,
        blocking: true,
        file: Some("src/a.rs".to_owned()),
        line: Some(3),
        end_line: Some(5),
        reason: "it loses data".to_owned(),
        required_change: Some("keep it".to_owned()),
        source: by.clone(),
        dimension: Some("correctness".to_owned()),
        confidence: None,
    };
    let wanted = Verdict {
        decision: Decision::ChangesRequired,
        summary: "s".to_owned(),
        findings: vec![found],
        by,
        head: Some(HEAD.to_owned()),
    };
    assert_eq!(read, Ok(wanted));
}

#[test]
fn an_answer_in_text_is_read_when_it_is_one_object() {
    let bare = answer("approve", Vec::new()).to_string();
    let approved = verdict(Some(&answer("approve", Vec::new())), None, &expected());
    assert!(approved.is_ok());
    for text in
        [bare.clone(), format!("```json\r\n{bare}\r\n```\r\n"), format!("Here it is:\n```\n{bare}\n```")]
    {
        assert_eq!(verdict(None, Some(&text), &expected()), approved, "{text}");
    }
    let no = |text: &str| verdict(None, Some(text), &expected()).unwrap_err();
    assert_eq!(no(&format!("I think {bare}")), VerdictError::NoObject(NotSingle::Prose));
    assert_eq!(no(&format!("{bare} Thanks!")), VerdictError::NoObject(NotSingle::Trailing));
    assert_eq!(no(&format!("{bare}{bare}")), VerdictError::NoObject(NotSingle::Several));
    assert_eq!(no("approve"), VerdictError::NoObject(NotSingle::Prose));
    assert_eq!(verdict(None, None, &expected()), Err(VerdictError::NoObject(NotSingle::Silent)));
}

#[test]
fn a_key_that_stands_there_twice_is_seen() {
    let twice =
        answer("approve", Vec::new()).to_string().replacen('{', "{\"decision\": \"changes_required\", ", 1);
    let value: Value = serde_json::from_str(&twice).unwrap();
    for structured in [None, Some(&value)] {
        let error = verdict(structured, Some(&twice), &expected()).unwrap_err().to_string();
        assert!(error.contains("duplicate field `decision`"), "{error}");
    }
}

#[test]
fn whoever_answers_for_something_else_is_refused() {
    let other = with(answer("approve", Vec::new()), "ticket", json!("PLF-8"));
    let error = verdict(Some(&other), None, &expected()).unwrap_err();
    assert_eq!(error, VerdictError::ForeignTicket { wanted: "PLF-7".to_owned(), got: "PLF-8".to_owned() });
    for head in ["", "0123", "f".repeat(40).as_str(), &format!("{HEAD}0")] {
        let other = with(answer("approve", Vec::new()), "head", json!(head));
        let error = verdict(Some(&other), None, &expected()).unwrap_err();
        assert!(matches!(error, VerdictError::ForeignHead { .. }), "{head}: {error}");
    }
    let short = with(answer("approve", Vec::new()), "head", json!("0123456789AB"));
    assert_eq!(verdict(Some(&short), None, &expected()).unwrap().head.as_deref(), Some(HEAD));
}

#[test]
fn wrong_types_say_where() {
    let base = || answer("approve", vec![finding()]);
    let at = |key: &str, value: Value| answer("approve", vec![with(finding(), key, value)]);
    let cases = [
        (json!(["PLF-7", HEAD, "approve", "", []]), "it is no object"),
        (with(base(), "decision", json!("Approve")), "unknown variant `Approve`"),
        (with(base(), "findings", json!("none")), "invalid type: string \"none\""),
        (with(base(), "extra", json!(1)), "unknown field `extra`"),
        (at("line", json!("3")), "findings[0]: invalid type: string \"3\""),
        (at("blocking", json!("yes")), "findings[0]: invalid type"),
        (at("severity", json!(4)), "findings[0]: invalid type"),
        (at("reason", json!("  ")), "findings[0]: reason is empty"),
        (answer("approve", vec![json!([null, "low", false])]), "findings[0] is no object"),
        (answer("approve", vec![finding(); 501]), "501 of them"),
    ];
    for (value, part) in cases {
        let said = why(&value);
        let named = said.starts_with("no verdict: the reviewer's answer does not fit the schema: ");
        assert!(named && said.contains(part), "{said}");
    }
    let mut missing = base();
    missing.as_object_mut().unwrap().shift_remove("findings");
    assert!(why(&missing).contains("missing field `findings`"));
}

#[test]
fn places_are_of_the_project_or_stay_in_the_words() {
    let places = |file: &str, line: i64| {
        let value = with(with(finding(), "file", json!(file)), "line", json!(line));
        let mut read = verdict(Some(&answer("changes_required", vec![value])), None, &expected()).unwrap();
        let found = read.findings.remove(0);
        (found.place(), found.reason)
    };
    let plain = "it loses data".to_owned();
    assert_eq!(places("./src//a.rs", 3), (Some("src/a.rs:3-5".to_owned()), plain.clone()));
    assert_eq!(places("/w/t/a.rs", 9), (Some("a.rs:9".to_owned()), plain.clone()));
    assert_eq!(places("a.rs", 0), (Some("a.rs".to_owned()), plain.clone()));
    assert_eq!(places("a.rs", -3), (Some("a.rs".to_owned()), plain.clone()));
    assert_eq!(places("a.rs", i64::MAX), (Some("a.rs".to_owned()), plain.clone()));
    assert_eq!(places("", 3), (None, plain));
    assert_eq!(places("/etc/passwd", 1), (None, "it loses data (/etc/passwd)".to_owned()));
    assert_eq!(places("../x", 1), (None, "it loses data (../x)".to_owned()));
}

#[test]
fn ids_go_on_over_rounds_and_are_never_twice_there() {
    let same = with(finding(), "earlier_id", json!("e1"));
    let invented = with(finding(), "earlier_id", json!("e2"));
    let low = with(finding(), "severity", json!("low"));
    let read =
        verdict(Some(&answer("changes_required", vec![low, invented, same])), None, &expected()).unwrap();
    let ids: Vec<&str> = read.findings.iter().map(|finding| &*finding.id).collect();
    let key = Finding::key(Some("src/a.rs"), "it loses data");
    assert_eq!(ids, [key.as_str(), "e1", &format!("{key}-2")]);
}

#[test]
fn contradictions_are_seen() {
    let unflagged = with(finding(), "blocking", json!(false));
    let advice = with(unflagged.clone(), "severity", json!("medium"));
    let says = |decision: &str, findings| {
        verdict(Some(&answer(decision, findings)), None, &expected()).unwrap().contradiction()
    };
    assert_eq!(says("approve", vec![finding()]), Some(Contradiction::ApprovedWithBlockers));
    assert_eq!(says("approve", vec![unflagged.clone()]), Some(Contradiction::ApprovedWithBlockers));
    assert_eq!(says("changes_required", vec![unflagged]), None);
    assert_eq!(says("changes_required", vec![advice.clone()]), Some(Contradiction::RejectedWithoutReason));
    assert_eq!(says("approve", vec![advice]), None);
    assert_eq!(says("changes_required", vec![finding()]), None);
}

#[test]
fn the_schema_takes_what_is_asked_for_and_nothing_else() {
    let validator = jsonschema::validator_for(&schema()).unwrap();
    assert!(validator.is_valid(&answer("changes_required", vec![finding()])));
    assert!(!validator.is_valid(&with(answer("approve", Vec::new()), "more", json!(1))));
    let mut lacking = finding();
    lacking.as_object_mut().unwrap().shift_remove("reason");
    assert!(!validator.is_valid(&answer("approve", vec![lacking])));
}

proptest! {
    /// No text of an agent makes a panic, and a text that is no object is no verdict.
    #[test]
    fn no_text_is_a_verdict_by_chance(text in "(?s).{0,400}") {
        let read = verdict(None, Some(&text), &expected());
        prop_assert!(read.is_err(), "{read:?}");
    }

    /// Whatever stands around the object, the verdict is the one in it or there is none.
    #[test]
    fn what_stands_around_never_changes_the_verdict(
        before in "[ -~\\n`{}\"]{0,60}", after in "[ -~\\n`{}\"]{0,60}", fenced: bool, approve: bool,
    ) {
        let decision = if approve { "approve" } else { "changes_required" };
        let findings = if approve { Vec::new() } else { vec![finding()] };
        let object = answer(decision, findings).to_string();
        let middle = if fenced { format!("\n```json\n{object}\n```\n") } else { object };
        if let Ok(read) = verdict(None, Some(&format!("{before}{middle}{after}")), &expected()) {
            prop_assert_eq!(read.decision.word(), decision);
            prop_assert!(after.trim().is_empty() || after.trim().starts_with("```") || after.trim().starts_with("~~~"));
        }
    }

    /// A message that is cut anywhere is no verdict.
    #[test]
    fn a_cut_answer_is_no_verdict(at in 0_usize..1000) {
        let object = answer("changes_required", vec![finding()]).to_string();
        let cut = at % object.len();
        prop_assert!(verdict(None, Some(&object[..cut]), &expected()).is_err());
    }
}
