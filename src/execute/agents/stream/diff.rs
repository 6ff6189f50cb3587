//! File changes as the agents describe them, made into unified hunks without file headers.

use serde_json::Value;

use super::json;
use crate::execute::agents::event::{AgentEvent, ChangeKind};

/// Bytes of a diff that are kept: whoever wants more asks git.
const DIFF_LIMIT: usize = 64 * 1024;

/// A diff that stops growing at [`DIFF_LIMIT`].
#[derive(Default)]
pub(super) struct Diff(String);

impl Diff {
    /// Appends one line.
    pub(super) fn line(&mut self, sign: &str, text: &str) {
        if self.0.len() + sign.len() + text.len() < DIFF_LIMIT {
            self.0.push_str(sign);
            self.0.push_str(text);
            self.0.push('\n');
        } else if !self.0.ends_with("…\n") {
            self.0.push_str("…\n");
        }
    }

    /// Appends every line of `text` with that sign.
    pub(super) fn lines(&mut self, sign: &str, text: &str) {
        for line in text.lines() {
            self.line(sign, line);
        }
    }

    /// The diff, if there is anything in it.
    pub(super) fn finish(self) -> Option<String> {
        Some(self.0).filter(|diff| !diff.is_empty())
    }
}

/// The hunks of a patch, without the headers before them.
pub(super) fn hunks(patch: &str) -> Option<String> {
    let mut diff = Diff::default();
    for line in patch.lines().skip_while(|line| !line.starts_with("@@")) {
        diff.line("", line);
    }
    diff.finish()
}

/// Claude Code's `tool_use_result` of a tool that changed a file: `structuredPatch` and `filePath`.
pub(super) fn of_claude(result: &Value) -> Option<AgentEvent> {
    let path = json::word(result, "filePath")?;
    let patch = result.get("structuredPatch")?.as_array()?;
    let added = json::text(result, "type") == "create";
    let mut diff = Diff::default();
    if added && patch.is_empty() {
        let content = json::text(result, "content");
        diff.line("@@ ", &format!("-0,0 +1,{} @@", content.lines().count()));
        diff.lines("+", content);
    }
    for hunk in patch {
        let number = |key| json::count(hunk, key);
        let (old, old_lines) = (number("oldStart"), number("oldLines"));
        let (new, new_lines) = (number("newStart"), number("newLines"));
        diff.line("@@ ", &format!("-{old},{old_lines} +{new},{new_lines} @@"));
        for line in hunk.get("lines").and_then(Value::as_array).into_iter().flatten() {
            diff.line("", line.as_str().unwrap_or_default());
        }
    }
    let kind = if added { ChangeKind::Added } else { ChangeKind::Modified };
    Some(AgentEvent::FileChange { path, kind, diff: diff.finish() })
}
