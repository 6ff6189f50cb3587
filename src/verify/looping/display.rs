//! What is shown of an agent's stream while it works: a line an action, short and without repetition, as loop-kit has it
//! (§10; 0.3.1 for Claude Code).

use serde_json::Value;

use crate::execute::output::{Channel, OutputLine};

/// Longest line.
const LONGEST: usize = 120;

/// Files that one line names.
const NAMED: usize = 3;

/// Shows one agent's stream.
#[derive(Debug)]
pub struct Display {
    stream: Stream,
    verbose: bool,
    session: Option<String>,
    last: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stream {
    Codex,
    Claude,
    OpenCode,
    Other,
}

impl Display {
    /// For an agent that speaks so; `verbose` shows every line as it came.
    pub fn new(stream: &str, verbose: bool) -> Self {
        let stream = match stream {
            "codex" => Stream::Codex,
            "claude" => Stream::Claude,
            "opencode" => Stream::OpenCode,
            _ => Stream::Other,
        };
        Self { stream, verbose, session: None, last: None }
    }

    /// What is shown of this line (foreign text).
    pub fn line(&mut self, line: &str) -> Vec<String> {
        if self.verbose {
            return vec![line.to_owned()];
        }
        let value: Value = serde_json::from_str(line.trim()).unwrap_or(Value::Null);
        let mut shown = Vec::new();
        match self.stream {
            Stream::Codex => shown.extend(codex(&value)),
            Stream::Claude => shown.extend(claude(&value)),
            Stream::OpenCode => shown.extend(opencode(&value)),
            Stream::Other => {}
        }
        if shown.is_empty() {
            // A line that is not shown ends a row of equal ones.
            self.last = None;
        }
        shown.retain(|line| self.is_new(line));
        shown
    }

    /// What is shown of a line of the house's own transcript, for agents that loop-kit does not know (foreign text).
    pub(super) fn transcript(&mut self, line: &OutputLine) -> Option<String> {
        if self.verbose || self.stream != Stream::Other {
            return None;
        }
        let word = match line.channel {
            Channel::Text => "Message",
            Channel::Tool => "Tool",
            Channel::File => "Editing",
            Channel::Err => "Error",
            _ => return None,
        };
        let text = flat(&line.text);
        if text.is_empty() {
            return None;
        }
        let shown = cut(&format!("{word}: {text}"));
        let again = self.last.as_deref() == Some(shown.as_str());
        self.last = Some(shown.clone());
        (!again).then_some(shown)
    }

    fn is_new(&mut self, line: &str) -> bool {
        if let Some(id) = line.strip_prefix("Session: ") {
            let new = self.session.as_deref() != Some(id);
            self.session = Some(id.to_owned());
            return new;
        }
        let rows = ["Running", "Editing", "Reading"].iter().any(|word| line.starts_with(word));
        let again = rows && self.last.as_deref() == Some(line);
        self.last = Some(line.to_owned());
        !again
    }
}

fn codex(event: &Value) -> Option<String> {
    match event["type"].as_str()? {
        "thread.started" => Some(format!("Session: {}", event["thread_id"].as_str()?)),
        "file_change" => edited(event),
        "item.completed" => {
            let item = &event["item"];
            match item["type"].as_str()? {
                "command_execution" => Some(ran(&item["command"])),
                "agent_message" => message(item),
                "file_change" => edited(item),
                _ => None,
            }
        }
        _ => None,
    }
}

fn claude(event: &Value) -> Vec<String> {
    match event["type"].as_str() {
        Some("system") if event["subtype"] == "init" => {
            event["session_id"].as_str().map(|id| format!("Session: {id}")).into_iter().collect()
        }
        Some("result") => vec!["Session completed".to_owned()],
        Some("assistant") => {
            let blocks = event["message"]["content"].as_array();
            blocks.into_iter().flatten().filter_map(claude_block).collect()
        }
        _ => Vec::new(),
    }
}

fn claude_block(block: &Value) -> Option<String> {
    let input = &block["input"];
    let text = |key: &str| input[key].as_str().unwrap_or_default();
    match block["type"].as_str()? {
        "text" => said(block["text"].as_str()?),
        "tool_use" => Some(match block["name"].as_str()? {
            "Read" => format!("Reading: {}", name(text("file_path"))),
            "Edit" | "MultiEdit" | "NotebookEdit" => format!("Editing: {}", name(text("file_path"))),
            "Write" => format!("Writing: {}", name(text("file_path"))),
            "Bash" => ran(&input["command"]),
            "Grep" | "Glob" => cut(&format!("Searching: {}", flat(text("pattern")))),
            "WebFetch" => cut(&format!("Fetching: {}", flat(text("url")))),
            other => cut(&format!("Tool: {}", flat(other))),
        }),
        _ => None,
    }
}

fn opencode(event: &Value) -> Option<String> {
    let part = &event["part"];
    match event["type"].as_str()? {
        "step_start" => Some(format!("Session: {}", part["sessionID"].as_str()?)),
        "text" => said(part["text"].as_str()?),
        "tool_use" => {
            let state = &part["state"];
            if state["status"] == "error" {
                return None;
            }
            let file = || name(state["input"]["filePath"].as_str().unwrap_or_default());
            Some(match part["tool"].as_str()? {
                "read" => format!("Reading: {}", file()),
                "write" | "edit" | "patch" => format!("Editing: {}", file()),
                "bash" => ran(&state["input"]["command"]),
                other => cut(&format!("Tool: {}", flat(other))),
            })
        }
        _ => None,
    }
}

/// A command: `Running: …`, or `Reading: <name>` for one that only shows a file.
fn ran(command: &Value) -> String {
    let text = match command {
        Value::String(text) => text.clone(),
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
        _ => String::new(),
    };
    let text = flat(unwrapped(&text));
    if text.is_empty() {
        return "Running command".to_owned();
    }
    match read_file(&text) {
        Some(file) => format!("Reading: {}", name(&file)),
        None => cut(&format!("Running: {text}")),
    }
}

/// Without PowerShell around it.
fn unwrapped(command: &str) -> &str {
    let first = command.split_whitespace().next().map(name).unwrap_or_default().to_lowercase();
    if !matches!(first.trim_end_matches(".exe"), "pwsh" | "powershell") {
        return command;
    }
    let Some((_, inner)) = command.split_once("-Command ") else { return command };
    let inner = inner.trim();
    ['\'', '"'].into_iter().find_map(|quote| inner.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(inner)
}

/// The file that a command shows.
fn read_file(command: &str) -> Option<String> {
    let words = shlex::split(command)?;
    let (program, arguments) = words.split_first()?;
    match program.as_str() {
        "cat" => arguments.iter().find(|word| !word.starts_with('-')).cloned(),
        word if word.eq_ignore_ascii_case("Get-Content") => {
            let at = arguments.iter().position(|word| word.eq_ignore_ascii_case("-Path"));
            let named = at.and_then(|at| arguments.get(at + 1));
            named.or_else(|| arguments.iter().find(|word| !word.starts_with('-'))).cloned()
        }
        _ => None,
    }
}

/// What an agent says, as far as it is text.
fn message(item: &Value) -> Option<String> {
    if let Some(text) = item["text"].as_str() {
        return said(text);
    }
    let parts = item["content"].as_array()?.iter().filter_map(|part| part["text"].as_str());
    said(&parts.collect::<Vec<_>>().join(" "))
}

fn said(text: &str) -> Option<String> {
    let text = flat(text);
    (!text.is_empty()).then(|| format!("Message: {}", cut(&text)))
}

/// Files that were changed, by name; where names are the same, with their folders.
fn edited(change: &Value) -> Option<String> {
    let listed = change["changes"].as_array().into_iter().flatten().filter_map(|one| one["path"].as_str());
    let mut paths: Vec<&str> = listed.chain(change["path"].as_str()).collect();
    paths.dedup();
    if paths.is_empty() {
        return None;
    }
    let names: Vec<String> = paths
        .iter()
        .map(|path| {
            let same = paths.iter().filter(|other| name(other) == name(path)).count() > 1;
            let folder = path.trim_end_matches(&name(path)).trim_end_matches('/');
            match same && !folder.is_empty() {
                true => format!("{}/{}", name(folder), name(path)),
                false => name(path),
            }
        })
        .collect();
    let more = names.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" (+{more} more)") } else { String::new() };
    Some(format!("Editing: {}{more}", names[..names.len().min(NAMED)].join(", ")))
}

fn name(path: &str) -> String {
    path.rsplit(['/', '\\']).find(|part| !part.is_empty()).unwrap_or_default().to_owned()
}

fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn cut(text: &str) -> String {
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    text.chars().take(LONGEST - 3).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(stream: &str, lines: &str) -> String {
        let mut display = Display::new(stream, false);
        let shown = lines.lines().flat_map(|line| display.line(line));
        shown.map(|line| format!("[worker] {line}\n")).collect()
    }

    #[test]
    fn streams_are_shown_as_loop_kit_shows_them() {
        // L23, and its 0.3.1 for Claude Code.
        macro_rules! golden {
            ($stream:literal, $expected:literal) => {
                assert_eq!(
                    shown(
                        $stream,
                        include_str!(concat!("../../../tests/fixtures/loop-kit/stream/", $stream, ".jsonl"))
                    )
                    .trim_end(),
                    include_str!(concat!("../../../tests/fixtures/loop-kit/stream/", $stream, $expected))
                        .trim_end()
                );
            };
        }
        golden!("codex", ".v030.expected.txt");
        golden!("claude", ".v031.expected.txt");
        golden!("opencode", ".v030.expected.txt");
    }

    #[test]
    fn other_agents_are_shown_by_their_transcript() {
        let lines = [
            (Channel::Thinking, "hm"),
            (Channel::Text, "On it.\tNow."),
            (Channel::Text, " "),
            (Channel::Tool, "bash: make"),
            (Channel::Tool, "bash: make"),
            (Channel::ToolOutput, "ok"),
            (Channel::File, "src/app.py +1 -1"),
        ];
        let shown = |stream| {
            let mut display = Display::new(stream, false);
            let lines = lines.iter().map(|(channel, text)| OutputLine::new(0, *channel, *text));
            lines.filter_map(|line| display.transcript(&line)).collect::<Vec<_>>()
        };
        let golden = ["Message: On it. Now.", "Tool: bash: make", "Editing: src/app.py +1 -1"];
        assert_eq!(shown("pi"), golden);
        assert_eq!(shown("codex"), Vec::<String>::new());
    }
}
