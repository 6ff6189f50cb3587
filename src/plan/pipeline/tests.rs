//! What a pipeline may hold, and what every mistake is called.

use std::path::Path;

use serde_json::{Value, json};

use super::{Pipeline, PipelineError, parse, parse_text};

fn read(text: &str) -> Result<Pipeline, PipelineError> {
    parse_text(Path::new("pipe.yaml"), text)
}

fn problems(text: &str) -> Vec<String> {
    match read(text) {
        Err(PipelineError::Invalid { problems, .. }) => problems.iter().map(ToString::to_string).collect(),
        other => panic!("expected problems, got {other:?}"),
    }
}

fn records(text: &str) -> Vec<Value> {
    read(text).unwrap().tasks.into_iter().map(|task| Value::Object(task.record)).collect()
}

#[test]
fn a_small_pipeline_gets_every_default() {
    let text = "project: shop\ndescription: |\n  Ship it\n  soon\nowner: me\ntasks:\n  - id: A-1\n    title: First\n    phase: one\n  - id: A-2\n    name: Second\n    blocked_by: [A-1]\n    executor: {kind: shell, handler: 'true'}\n    x_own: {deep: [1]}\n    description:\n";
    let pipeline = read(text).unwrap();
    assert_eq!((pipeline.project.as_deref(), pipeline.title.as_str()), (Some("shop"), "Ship it"));
    let execution =
        |state: &str| json!({"queue": "default", "state": state, "attempt": 0, "max_attempts": 1});
    assert_eq!(
        records(text),
        [
            json!({"id": "A-1", "name": "First", "status": "open", "priority": "normal", "execution": execution("ready")}),
            json!({
                "id": "A-2", "name": "Second", "blocked_by": ["A-1"], "x_own": {"deep": [1]}, "status": "open",
                "priority": "normal", "execution": execution("pending"),
                "executor": {"kind": "shell", "handler": "true", "mode": "automatic"},
            }),
        ]
    );
}

#[test]
fn the_title_falls_back_to_the_project_and_then_to_a_fixed_name() {
    assert_eq!(read("project: shop\ntasks: []").unwrap().title, "shop");
    assert_eq!(read("description: ' '\ntasks: []").unwrap().title, "Imported pipeline");
}

#[test]
fn a09_of_koru_every_mistake_in_one_pass() {
    let text = "tasks:\n  - {id: A, name: a}\n  - {id: A, name: b, executor: {kind: martian}}\n  - {id: C, name: c, priority: urgent}\n";
    assert_eq!(
        problems(text),
        [
            "  - A: executor.kind: `martian` is not allowed; use shell, human, llm, api, mcp",
            "  - C: priority: `urgent` is not allowed; use critical, high, normal, low",
            "  - A: id: stands more than once; every id must be unique",
        ]
    );
    let error = read(text).unwrap_err().to_string();
    assert!(error.starts_with("pipe.yaml: validation failed\n  - A: executor.kind: "), "{error}");
}

/// A pipeline with one mistake, and what is said about it.
const MISTAKES: &[(&str, &str)] = &[
    ("[]", "  - <pipeline>: root: must be a mapping with a list `tasks`"),
    ("{}", "  - <pipeline>: tasks: is required: a list of tasks"),
    ("tasks: x", "  - <pipeline>: tasks: must be a list"),
    ("tasks: [x]", "  - <missing-id>: task: must be a mapping with `id` and `name`"),
    ("tasks: [{name: a}]", "  - <missing-id>: id: is required"),
    ("tasks: [{id: [1], name: a}]", "  - <missing-id>: id: must be text"),
    (
        "tasks: [{id: ../x, name: a}]",
        "  - ../x: id: must be 1 to 128 letters, digits, `.`, `_` or `-`, starting with a letter or digit",
    ),
    ("tasks: [{id: A}]", "  - A: name: is required (`name` or `title`)"),
    ("tasks: [{id: A, name: ' '}]", "  - A: name: must not be blank"),
    ("tasks: [{id: A, name: 7}]", "  - A: name: must be text"),
    (
        "tasks: [{id: A, name: a, status: failed}]",
        "  - A: status: `failed` is not allowed; use open, in_progress, review, done, blocked",
    ),
    (
        "tasks: [{id: A, name: a, priority: medium}]",
        "  - A: priority: `medium` is not allowed (planfile calls it `normal`); use critical, high, normal, low",
    ),
    ("tasks: [{id: A, name: a, executor: shell}]", "  - A: executor: must be a mapping"),
    (
        "tasks: [{id: A, name: a, executor: {}}]",
        "  - A: executor.kind: is required; use shell, human, llm, api, mcp",
    ),
    (
        "tasks: [{id: A, name: a, executor: {kind: shell, mode: x}}]",
        "  - A: executor.mode: `x` is not allowed; use automatic, interactive",
    ),
    (
        "tasks: [{id: A, name: a, execution: {state: x}}]",
        "  - A: execution.state: `x` is not allowed; use pending, ready, running, waiting_input, done, failed, skipped",
    ),
    ("tasks: [{id: A, name: a, labels: bug}]", "  - A: labels: must be a list of texts"),
    ("tasks: [{id: A, name: a, files: [1]}]", "  - A: files: must be a list of texts"),
    ("tasks: [{id: A, name: a, blocked_by: B}]", "  - A: blocked_by: must be a list of texts"),
    ("tasks: [{id: A, name: a, blocked_by: [B]}]", "  - A: blocked_by: `B` is no task of this file"),
    ("tasks: [{id: A, name: a, blocked_by: [A]}]", "  - A: blocked_by: cycle detected: A → A"),
    (
        "tasks: [{id: A, name: a, blocked_by: [B]}, {id: B, name: b, blocked_by: [C]}, {id: C, name: c, blocked_by: [B]}]",
        "  - B: blocked_by: cycle detected: B → C → B",
    ),
    (
        "tasks: [{id: A, name: a, created_at: soon}]",
        "  - A: created_at: must be a time such as 2026-01-31T12:00:00Z",
    ),
    ("tasks: [{id: A, name: a, source: {}}]", "  - A: source.tool: is required when there is a `source`"),
    (
        "tasks: [{id: A, name: a, inputs: {timeout_seconds: -1}}]",
        "  - A: inputs.timeout_seconds: must be a number of seconds above 0",
    ),
    (
        "tasks: [{id: A, name: a, inputs: {expect_files_changed: 'yes'}}]",
        "  - A: inputs.expect_files_changed: must be true or false",
    ),
    (
        "tasks: [{id: A, name: a, execution: {attempt: x}}]",
        "  - A: execution.attempt: must be a whole number, 0 or more",
    ),
];

#[test]
fn every_rule_has_its_message() {
    for (text, message) in MISTAKES {
        assert_eq!(problems(text), [*message], "{text}");
    }
}

#[test]
fn a_file_that_is_missing_or_no_yaml_says_which_and_where() {
    let missing = parse(Path::new("/nonexistent/pipe.yaml")).unwrap_err().to_string();
    assert!(missing.starts_with("reading the pipeline /nonexistent/pipe.yaml failed: "), "{missing}");
    let broken = read("tasks:\n  - id: [\n").unwrap_err().to_string();
    assert!(broken.starts_with("pipe.yaml: ") && broken.contains("line"), "{broken}");
    assert!(matches!(read("tasks: [{id: A, name: a, x: .nan}]"), Err(PipelineError::Syntax { .. })));
}

#[test]
fn ten_thousand_tasks_in_one_chain_are_checked_without_recursion() {
    let mut text = "tasks:\n".to_owned();
    for number in 0..10_000 {
        let blocker = if number == 0 { String::new() } else { format!(", blocked_by: [T-{}]", number - 1) };
        text.push_str(&format!("  - {{id: T-{number}, name: n{blocker}}}\n"));
    }
    assert_eq!(read(&text).unwrap().tasks.len(), 10_000);
}
