//! The rules of a pipeline, one task at a time and then across tasks (koru §1.1).
//!
//! Beyond koru's rules, every field that planfile 0.1.126 types is checked here: a record with a bare string where
//! planfile wants a list would be invisible to it, without a word (`planfile.md` §2).

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{Pipeline, Problem, Task, graph};

/// Words of `status`.
const STATUSES: [&str; 5] = ["open", "in_progress", "review", "done", "blocked"];
/// Words of `priority`.
const PRIORITIES: [&str; 4] = ["critical", "high", "normal", "low"];
/// Words of `executor.kind`.
const KINDS: [&str; 5] = ["shell", "human", "llm", "api", "mcp"];
/// Words of `executor.mode`.
const MODES: [&str; 2] = ["automatic", "interactive"];
/// Words of `execution.state`.
const STATES: [&str; 7] = ["pending", "ready", "running", "waiting_input", "done", "failed", "skipped"];
/// Longest id.
const MAX_ID: usize = 128;

/// What a field must hold.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Texts,
    List,
    Mapping,
    Count,
    Seconds,
    Flag,
}

/// Fields of a record that planfile types.
const FIELDS: [(&str, Shape); 19] = [
    ("name", Shape::Text),
    ("description", Shape::Text),
    ("acceptance_criteria", Shape::Texts),
    ("labels", Shape::Texts),
    ("blocks", Shape::Texts),
    ("children", Shape::Texts),
    ("files", Shape::Texts),
    ("integration", Shape::Texts),
    ("parent", Shape::Text),
    ("group", Shape::Text),
    ("file", Shape::Text),
    ("llm_hints", Shape::Mapping),
    ("sync", Shape::Mapping),
    ("history", Shape::List),
    ("source", Shape::Mapping),
    ("source.tool", Shape::Text),
    ("created_at", Shape::Text),
    ("updated_at", Shape::Text),
    ("contract_version", Shape::Text),
];

/// Fields of the nested blocks.
const NESTED: [(&str, Shape); 32] = [
    ("executor", Shape::Mapping),
    ("executor.kind", Shape::Text),
    ("executor.mode", Shape::Text),
    ("executor.handler", Shape::Text),
    ("execution", Shape::Mapping),
    ("execution.queue", Shape::Text),
    ("execution.state", Shape::Text),
    ("execution.assigned_to", Shape::Text),
    ("execution.attempt", Shape::Count),
    ("execution.max_attempts", Shape::Count),
    ("execution.last_error", Shape::Text),
    ("inputs", Shape::Mapping),
    ("inputs.prompt", Shape::Text),
    ("inputs.env_keys", Shape::Texts),
    ("inputs.script", Shape::Text),
    ("inputs.api_endpoint", Shape::Text),
    ("inputs.api_method", Shape::Text),
    ("inputs.api_headers", Shape::Mapping),
    ("inputs.api_timeout_seconds", Shape::Seconds),
    ("inputs.timeout_seconds", Shape::Seconds),
    ("inputs.expect_files_changed", Shape::Flag),
    ("inputs.mcp_tool", Shape::Text),
    ("inputs.mcp_server", Shape::Text),
    ("inputs.mcp_arguments", Shape::Mapping),
    ("inputs.llm_model", Shape::Text),
    ("inputs.llm_endpoint", Shape::Text),
    ("inputs.llm_max_tokens", Shape::Count),
    ("inputs.llm_timeout_seconds", Shape::Seconds),
    ("inputs.system_prompt", Shape::Text),
    ("inputs.response_schema", Shape::Mapping),
    ("outputs", Shape::Mapping),
    ("blocked_by", Shape::Texts),
];

/// Validates the whole file; every mistake is added to `problems`. The pipeline counts only when there is none.
pub(super) fn pipeline(root: Value, problems: &mut Vec<Problem>) -> Pipeline {
    let mut of_file = |field: &str, message: &str| {
        problems.push(Problem {
            id: "<pipeline>".to_owned(),
            field: field.to_owned(),
            message: message.to_owned(),
        });
    };
    let Value::Object(mut root) = root else {
        of_file("root", "must be a mapping with a list `tasks`");
        return Pipeline { project: None, title: String::new(), tasks: Vec::new() };
    };
    let tasks = match root.remove("tasks") {
        Some(Value::Array(tasks)) => tasks,
        Some(_) => {
            of_file("tasks", "must be a list");
            Vec::new()
        }
        None => {
            of_file("tasks", "is required: a list of tasks");
            Vec::new()
        }
    };
    let tasks: Vec<Task> = tasks.into_iter().map(|task| self::task(task, problems)).collect();
    across(&tasks, problems);
    let header =
        |key: &str| root.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let title = header("description").and_then(|text| text.lines().next()).or(header("project"));
    Pipeline {
        project: header("project").map(str::to_owned),
        title: title.unwrap_or("Imported pipeline").to_owned(),
        tasks,
    }
}

fn task(value: Value, problems: &mut Vec<Problem>) -> Task {
    let Value::Object(mut record) = value else {
        problems.push(Problem {
            id: MISSING_ID.to_owned(),
            field: "task".to_owned(),
            message: "must be a mapping with `id` and `name`".to_owned(),
        });
        return Task { id: String::new(), record: Map::new() };
    };
    // An explicit nothing is the same as a missing key; planfile refuses some of them.
    record.retain(|_, value| !value.is_null());
    let id = match record.get("id") {
        Some(Value::String(id)) => id.trim().to_owned(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    };
    let mut check = Check { id: if id.is_empty() { MISSING_ID } else { &id }, problems };
    check.id_of(&record, &id);
    if let Some(title) = record.remove("title") {
        record.entry("name").or_insert(title);
    }
    record.remove("phase");
    check.shapes(&record);
    check.words(&record);
    if !record.contains_key("name") {
        check.problem("name", "is required (`name` or `title`)".to_owned());
    }
    defaults(&mut record, &id);
    Task { id, record }
}

/// What stands for the id of a task that has none.
const MISSING_ID: &str = "<missing-id>";

struct Check<'a> {
    id: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    fn problem(&mut self, field: &str, message: String) {
        self.problems.push(Problem { id: self.id.to_owned(), field: field.to_owned(), message });
    }

    fn id_of(&mut self, record: &Map<String, Value>, id: &str) {
        let legal = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if id.is_empty() {
            let message = if record.contains_key("id") { "must be text" } else { "is required" };
            self.problem("id", message.to_owned());
        } else if id.len() > MAX_ID
            || !id.chars().all(legal)
            || !id.starts_with(|c: char| c.is_ascii_alphanumeric())
        {
            // Ids name folders of runs, so they must be plain.
            self.problem(
                "id",
                format!(
                    "must be 1 to {MAX_ID} letters, digits, `.`, `_` or `-`, starting with a letter or digit"
                ),
            );
        }
    }

    fn shapes(&mut self, record: &Map<String, Value>) {
        for (field, shape) in FIELDS.iter().chain(&NESTED) {
            let Some(value) = lookup(record, field).filter(|value| !value.is_null()) else { continue };
            let fits = match shape {
                Shape::Text => value.is_string(),
                Shape::Texts => value.as_array().is_some_and(|items| items.iter().all(Value::is_string)),
                Shape::List => value.is_array(),
                Shape::Mapping => value.is_object(),
                Shape::Count => value.as_u64().is_some(),
                Shape::Seconds => value.as_f64().is_some_and(|seconds| seconds > 0.0),
                Shape::Flag => value.is_boolean(),
            };
            if !fits {
                let wanted = match shape {
                    Shape::Text => "must be text",
                    Shape::Texts => "must be a list of texts",
                    Shape::List => "must be a list",
                    Shape::Mapping => "must be a mapping",
                    Shape::Count => "must be a whole number, 0 or more",
                    Shape::Seconds => "must be a number of seconds above 0",
                    Shape::Flag => "must be true or false",
                };
                self.problem(field, wanted.to_owned());
            }
        }
        if record.get("name").and_then(Value::as_str).is_some_and(|name| name.trim().is_empty()) {
            self.problem("name", "must not be blank".to_owned());
        }
        if record.get("source").is_some_and(Value::is_object) && lookup(record, "source.tool").is_none() {
            self.problem("source.tool", "is required when there is a `source`".to_owned());
        }
        for field in ["created_at", "updated_at"] {
            let text = record.get(field).and_then(Value::as_str);
            if text.is_some_and(|text| text.parse::<jiff::Timestamp>().is_err()) {
                self.problem(field, "must be a time such as 2026-01-31T12:00:00Z".to_owned());
            }
        }
    }

    fn words(&mut self, record: &Map<String, Value>) {
        let words: [(&str, &[&str]); 5] = [
            ("status", &STATUSES),
            ("priority", &PRIORITIES),
            ("executor.kind", &KINDS),
            ("executor.mode", &MODES),
            ("execution.state", &STATES),
        ];
        for (field, allowed) in words {
            let Some(value) = lookup(record, field).filter(|value| !value.is_null()) else { continue };
            let word = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !allowed.contains(&word.as_str()) {
                let hint = if word == "medium" { " (planfile calls it `normal`)" } else { "" };
                self.problem(field, format!("`{word}` is not allowed{hint}; use {}", allowed.join(", ")));
            }
        }
        if record.get("executor").is_some_and(Value::is_object) && lookup(record, "executor.kind").is_none() {
            self.problem("executor.kind", format!("is required; use {}", KINDS.join(", ")));
        }
    }
}

fn lookup<'a>(record: &'a Map<String, Value>, field: &str) -> Option<&'a Value> {
    match field.split_once('.') {
        Some((block, key)) => record.get(block)?.as_object()?.get(key),
        None => record.get(field),
    }
}

/// Fills in what koru fills in on import.
fn defaults(record: &mut Map<String, Value>, id: &str) {
    record.insert("id".to_owned(), json!(id));
    record.entry("status").or_insert_with(|| json!("open"));
    record.entry("priority").or_insert_with(|| json!("normal"));
    let blocked = record.get("blocked_by").and_then(Value::as_array).is_some_and(|ids| !ids.is_empty());
    let state = match record.get("status").and_then(Value::as_str) {
        Some("done") => "done",
        _ if blocked => "pending",
        _ => "ready",
    };
    if let Some(executor) = record.get_mut("executor").and_then(Value::as_object_mut) {
        executor.entry("mode").or_insert_with(|| json!("automatic"));
    }
    let execution = record.entry("execution").or_insert_with(|| json!({}));
    if let Some(execution) = execution.as_object_mut() {
        execution.retain(|_, value| !value.is_null());
        execution.entry("queue").or_insert_with(|| json!("default"));
        execution.entry("state").or_insert_with(|| json!(state));
        execution.entry("attempt").or_insert_with(|| json!(0));
        execution.entry("max_attempts").or_insert_with(|| json!(1));
    }
}

/// Rules between tasks: unique ids, existing blockers, no rings.
fn across(tasks: &[Task], problems: &mut Vec<Problem>) {
    let ids: Vec<&str> = tasks.iter().map(|task| task.id.as_str()).collect();
    let positions = graph::positions(&ids);
    let mut told = HashSet::new();
    let mut edges = vec![Vec::new(); tasks.len()];
    for (index, task) in tasks.iter().enumerate() {
        let mut problem = |field: &str, message: String| {
            let id = if task.id.is_empty() { MISSING_ID.to_owned() } else { task.id.clone() };
            problems.push(Problem { id, field: field.to_owned(), message });
        };
        if !task.id.is_empty() && positions.get(task.id.as_str()) != Some(&index) && told.insert(&task.id) {
            problem("id", "stands more than once; every id must be unique".to_owned());
        }
        let blockers = task.record.get("blocked_by").and_then(Value::as_array);
        for blocker in blockers.into_iter().flatten().filter_map(Value::as_str) {
            match positions.get(blocker) {
                Some(position) => edges[index].push(*position),
                None => problem("blocked_by", format!("`{blocker}` is no task of this file")),
            }
        }
    }
    for ring in graph::rings(&ids, &edges) {
        problems.push(Problem {
            id: ring.first().map_or(MISSING_ID, |id| id).to_owned(),
            field: "blocked_by".to_owned(),
            message: format!("cycle detected: {}", ring.join(" → ")),
        });
    }
}
