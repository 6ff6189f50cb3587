//! What a tool call is about, in one line, and its arguments as lines.

use serde_json::Value;

use super::words;

/// Characters of a title's argument.
const ARGUMENT: usize = 160;

/// Characters of a name.
const NAME: usize = 60;

/// Arguments that say what a call is about, whatever the tool: the first that is there is taken.
const TELLING: [&str; 10] = [
    "command",
    "file_path",
    "filePath",
    "path",
    "notebook_path",
    "pattern",
    "query",
    "url",
    "description",
    "skill",
];

/// The name, two blanks and the one argument that matters: `Bash  cargo test parser`.
pub(super) fn of(name: &str, input: &Value) -> String {
    let name = words::bounded_line(name, NAME);
    let argument = argument(input);
    if argument.is_empty() { name } else { format!("{name}  {argument}") }
}

fn argument(input: &Value) -> String {
    if let Some(telling) = telling(input).and_then(|key| input.get(key)).and_then(Value::as_str) {
        let told = script(telling);
        let more = if told.trim_end().contains('\n') { " …" } else { "" };
        return words::bounded_line(words::first_line(&told), ARGUMENT) + more;
    }
    if let Some(paths) = changed_paths(input) {
        return words::bounded_line(&paths, ARGUMENT);
    }
    match input {
        Value::Null => String::new(),
        Value::Object(map) if map.is_empty() => String::new(),
        other => words::bounded_line(&other.to_string(), ARGUMENT),
    }
}

fn telling(input: &Value) -> Option<&'static str> {
    TELLING
        .into_iter()
        .find(|key| input.get(key).and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty()))
}

/// Paths of a patch: `{changes: [{path, kind}]}`.
fn changed_paths(input: &Value) -> Option<String> {
    let paths: Vec<&str> =
        input.get("changes")?.as_array()?.iter().filter_map(|change| change.get("path")?.as_str()).collect();
    Some(paths.join(", ")).filter(|paths| !paths.is_empty())
}

/// The script of `/bin/bash -lc '…'`, which is what the command really is.
fn script(command: &str) -> String {
    let Some(rest) = ["/bin/bash ", "bash ", "/bin/sh ", "sh ", "/bin/zsh ", "zsh ", "/usr/bin/bash "]
        .iter()
        .find_map(|shell| command.strip_prefix(shell))
    else {
        return command.to_owned();
    };
    match shlex::split(rest) {
        Some(words) if words.len() == 2 && matches!(&*words[0], "-lc" | "-c") => words[1].clone(),
        _ => command.to_owned(),
    }
}

/// The arguments that the title does not show in full, one `name: value` a line, longer texts indented below their name.
pub(super) fn arguments(input: &Value) -> Vec<String> {
    let Value::Object(map) = input else {
        return if input.is_null() { Vec::new() } else { pretty(input).lines().map(str::to_owned).collect() };
    };
    let told = telling(input);
    let mut lines = Vec::new();
    for (name, value) in map {
        match value {
            Value::String(text) => {
                let is_told = told == Some(name.as_str());
                let text = if is_told { script(text) } else { text.clone() };
                let text = text.trim_end_matches(['\n', '\r']);
                let name = words::bounded_line(name, NAME);
                if text.contains('\n') {
                    lines.push(format!("{name}:"));
                    lines.extend(text.lines().map(|line| format!("  {line}")));
                } else if !is_told || text.chars().count() > ARGUMENT {
                    lines.push(format!("{name}: {text}"));
                }
            }
            Value::Object(_) | Value::Array(_) if value.to_string().len() > ARGUMENT => {
                lines.push(format!("{}:", words::bounded_line(name, NAME)));
                lines.extend(pretty(value).lines().map(|line| format!("  {line}")));
            }
            other => lines.push(format!("{}: {other}", words::bounded_line(name, NAME))),
        }
    }
    lines
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_title_has_the_argument_that_matters() {
        for (name, input, title) in [
            (
                "Bash",
                json!({"command": "cargo test parser", "description": "run"}),
                "Bash  cargo test parser",
            ),
            ("Edit", json!({"replace_all": false, "file_path": "src/p.rs"}), "Edit  src/p.rs"),
            ("shell", json!({"command": "/bin/bash -lc 'cat a b'"}), "shell  cat a b"),
            (
                "shell",
                json!({"command": "/bin/bash -lc \"python3 - <<'X'\nprint()\nX\""}),
                "shell  python3 - <<'X' …",
            ),
            (
                "apply_patch",
                json!({"changes": [{"path": "/r/a"}, {"path": "/r/b"}]}),
                "apply_patch  /r/a, /r/b",
            ),
            ("mcp.thing", json!({"n": 1}), "mcp.thing  {\"n\":1}"),
            ("stop", json!({}), "stop"),
            ("stop", Value::Null, "stop"),
        ] {
            assert_eq!(of(name, &input), title);
        }
    }

    #[test]
    fn arguments_are_shown_once() {
        assert_eq!(arguments(&json!({"command": "ls"})), Vec::<String>::new());
        let edit = json!({"file_path": "a", "old": "x\ny\n", "all": false, "list": [1, 2]});
        assert_eq!(arguments(&edit), ["old:", "  x", "  y", "all: false", "list: [1,2]"]);
        assert_eq!(arguments(&json!(["a"])), ["[", "  \"a\"", "]"]);
    }
}
