//! The tool that an agent offers for what a scenario wants done, found in the agent's own request. Pure.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::scenario::Tool;

/// The tools of one request: name and schema of the input; no schema for one that takes free text.
pub type Offered = BTreeMap<String, Option<Value>>;

/// A call as it goes over the wire.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub name: String,
    pub input: Input,
}

/// The input of a call.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    Json(Value),
    /// For a tool without a schema.
    Free(String),
}

impl Input {
    /// As text: JSON, or the text itself.
    pub fn text(&self) -> String {
        match self {
            Self::Json(value) => value.to_string(),
            Self::Free(text) => text.clone(),
        }
    }
}

/// The tools that a request offers, in any of the four protocols.
pub fn offered(request: &Value) -> Offered {
    let mut found = Offered::new();
    for tool in request["tools"].as_array().into_iter().flatten() {
        let name = |value: &Value| value["name"].as_str().unwrap_or_default().to_owned();
        if let Some(declared) = tool["functionDeclarations"].as_array() {
            for function in declared {
                let schema = function.get("parametersJsonSchema").or_else(|| function.get("parameters"));
                found.insert(name(function), Some(schema.cloned().unwrap_or_default()));
            }
        } else if tool["function"].is_object() {
            found.insert(name(&tool["function"]), Some(tool["function"]["parameters"].clone()));
        } else if tool["type"] == "custom" && tool.get("input_schema").is_none() {
            found.insert(name(tool), None);
        } else if tool["name"].is_string() {
            let schema = tool.get("input_schema").or_else(|| tool.get("parameters"));
            found.insert(name(tool), Some(schema.cloned().unwrap_or_default()));
        }
    }
    found
}

/// The call that does what `tool` wants, with what is offered.
pub fn call(tool: &Tool, offered: &Offered) -> Call {
    match tool {
        Tool::Raw { name, input } => Call { name: name.clone(), input: Input::Json(input.clone()) },
        Tool::Bash { command } => shell(command, offered),
        Tool::Read { path } => match first(offered, &["Read", "read_file", "read"]) {
            Some((name, schema)) => json_call(name, json!({ path_key(schema): path })),
            None => shell(&format!("cat {path}"), offered),
        },
        Tool::Write { path, content } => match first(offered, &["Write", "write_file", "write"]) {
            Some((name, schema)) => json_call(name, json!({ path_key(schema): path, "content": content })),
            None => patch(&added(path, content), offered),
        },
        Tool::Edit { path, old, new } => match first(offered, &["Edit", "replace", "edit"]) {
            Some((name, schema)) => json_call(name, edit_input(schema, path, old, new)),
            None => patch(&updated(path, old, new), offered),
        },
    }
}

fn json_call(name: &str, input: Value) -> Call {
    Call { name: name.to_owned(), input: Input::Json(input) }
}

/// The first of `names` that is offered with a schema.
fn first<'a>(offered: &'a Offered, names: &[&'a str]) -> Option<(&'a str, &'a Value)> {
    names.iter().find_map(|name| Some((*name, offered.get(*name)?.as_ref()?)))
}

fn knows(schema: &Value, property: &str) -> bool {
    schema["properties"].get(property).is_some()
}

fn path_key(schema: &Value) -> &'static str {
    ["file_path", "filePath", "absolute_path"].into_iter().find(|key| knows(schema, key)).unwrap_or("path")
}

fn edit_input(schema: &Value, path: &str, old: &str, new: &str) -> Value {
    let mut input = json!({ path_key(schema): path });
    if knows(schema, "edits") {
        input["edits"] = json!([{"oldText": old, "newText": new}]);
    } else {
        let keys = [("oldText", "newText"), ("oldString", "newString"), ("old_string", "new_string")];
        let known = keys.into_iter().find(|(before, _)| knows(schema, before));
        let (before, after) = known.unwrap_or(("old_string", "new_string"));
        input[before] = json!(old);
        input[after] = json!(new);
    }
    if knows(schema, "instruction") {
        input["instruction"] = json!("scripted edit");
    }
    input
}

fn shell(command: &str, offered: &Offered) -> Call {
    let names = ["Bash", "exec_command", "shell_command", "shell", "run_shell_command", "bash"];
    let Some((name, schema)) = first(offered, &names) else {
        return json_call("bash", json!({"command": command}));
    };
    let input = match name {
        "exec_command" => json!({"cmd": command}),
        "shell" => json!({"command": ["bash", "-lc", command]}),
        _ if knows(schema, "description") => json!({"command": command, "description": "scripted command"}),
        _ => json!({"command": command}),
    };
    json_call(name, input)
}

/// By the agent's patch tool, else by a command of that name, which Codex takes for the tool.
fn patch(text: &str, offered: &Offered) -> Call {
    match offered.get("apply_patch") {
        Some(None) => Call { name: "apply_patch".to_owned(), input: Input::Free(text.to_owned()) },
        Some(Some(schema)) => {
            let keys = ["patchText", "input", "patch"];
            let key = keys.into_iter().find(|key| knows(schema, key)).unwrap_or("input");
            json_call("apply_patch", json!({ key: text }))
        }
        None => shell(&format!("apply_patch <<'END'\n{text}\nEND\n"), offered),
    }
}

fn marked(mark: char, text: &str) -> String {
    text.lines().map(|line| format!("{mark}{line}\n")).collect()
}

fn added(path: &str, content: &str) -> String {
    format!("*** Begin Patch\n*** Add File: {path}\n{}*** End Patch", marked('+', content))
}

fn updated(path: &str, old: &str, new: &str) -> String {
    format!(
        "*** Begin Patch\n*** Update File: {path}\n@@\n{}{}*** End Patch",
        marked('-', old),
        marked('+', new)
    )
}
