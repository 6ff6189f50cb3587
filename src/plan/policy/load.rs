//! Reading the policy file, failing closed (koru §2.4).
//!
//! Every value is judged alone: one bad key does not undo a good one, and a file that is no policy at all leaves every
//! default in force. Extra paths and patterns are added to the defaults (koru's stub says so, its loader replaced them).

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_yaml::{Mapping, Value};

use super::Policy;
use crate::base::paths::ProjectPaths;

/// Paths no run may change.
pub(super) const DEFAULT_PATHS: [&str; 10] = [
    ".git/",
    ".github/",
    ".planfile/",
    ".env",
    "secrets/",
    "*.pem",
    "*.key",
    "id_rsa",
    "id_ed25519",
    "node_modules/",
];

/// Shell patterns no run may use. They are checked by meaning, not by spelling; the strings are what people read.
pub(super) const DEFAULT_PATTERNS: [&str; 12] = [
    "rm -rf /",
    "rm -rf ~",
    "rm -rf $HOME",
    ":(){ :|:& };:",
    "dd if=",
    "mkfs",
    "> /dev/sda",
    "shutdown",
    "reboot",
    "git push --force",
    "git push -f",
    "git reset --hard HEAD~",
];

/// Seconds of `ci.timeout_seconds` when the file does not say.
const DEFAULT_CI_TIMEOUT: u64 = 300;

/// A policy file larger than this is not read.
const MAX_BYTES: u64 = 1024 * 1024;

/// How much of the file a note puts out of force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// The whole file, or the whole `llm` block: every default is in force.
    WholeFile,
    /// One value.
    Value,
}

/// Something in the policy file that did not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyNote {
    /// How much is out of force.
    pub kind: NoteKind,
    /// Dotted key, empty for the whole file.
    pub key: String,
    /// What is wrong and what is in force instead.
    pub message: String,
}

impl Default for Policy {
    /// Every gate closed.
    fn default() -> Self {
        Policy {
            allow_branch_create: false,
            allow_branch_switch: false,
            allow_commit: false,
            allow_destructive_shell: false,
            allow_push: false,
            allow_tag: false,
            ci_command: String::new(),
            ci_timeout_seconds: DEFAULT_CI_TIMEOUT,
            forbidden_paths: DEFAULT_PATHS.map(str::to_owned).to_vec(),
            forbidden_shell_patterns: DEFAULT_PATTERNS.map(str::to_owned).to_vec(),
            notes: Vec::new(),
            require_ci_pass_before_complete: true,
            require_planfile_lifecycle: true,
        }
    }
}

/// Loads the policy of the project at `root`.
pub(super) fn load(root: &Path) -> (Policy, Vec<PolicyNote>) {
    let path = ProjectPaths::new(root).policy();
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return (Policy::default(), Vec::new()),
        Err(error) => return strictest(format!("it cannot be read ({error})")),
    };
    if !metadata.is_file() {
        return strictest("it is not a regular file".to_owned());
    }
    if metadata.len() > MAX_BYTES {
        return strictest(format!("it is larger than {MAX_BYTES} bytes"));
    }
    match std::fs::read(&path) {
        Ok(bytes) => from_bytes(&bytes),
        Err(error) => strictest(format!("it cannot be read ({error})")),
    }
}

/// The policy that `bytes` describe.
pub(super) fn from_bytes(bytes: &[u8]) -> (Policy, Vec<PolicyNote>) {
    let root: Value = match serde_yaml::from_slice(bytes) {
        Ok(root) => root,
        Err(error) => return strictest(format!("it is not readable YAML ({error})")),
    };
    let root = match root {
        Value::Mapping(root) => root,
        // A file of nothing but comments says nothing, which is no mistake.
        Value::Null => return (Policy::default(), Vec::new()),
        other => return strictest(format!("its top level is {}, not a mapping", kind(&other))),
    };
    let mut reader = Reader { policy: Policy::default(), notes: Vec::new() };
    match root.get("llm") {
        None | Some(Value::Null) => {}
        Some(Value::Mapping(llm)) => reader.llm(llm),
        Some(other) => {
            return strictest(format!("its `llm` key is {}, not a mapping", kind(other)));
        }
    }
    match root.get("ci") {
        None | Some(Value::Null) => {}
        Some(Value::Mapping(ci)) => reader.ci(ci),
        Some(other) => reader.note("ci", format!("is {}, not a mapping; no CI command is set", kind(other))),
    }
    if let Some(value) = root.get("notes") {
        reader.policy.notes = reader.strings("notes", value);
    }
    (reader.policy, reader.notes)
}

fn strictest(why: String) -> (Policy, Vec<PolicyNote>) {
    let message = format!("the policy file does not count because {why}; every gate is closed");
    (Policy::default(), vec![PolicyNote { kind: NoteKind::WholeFile, key: String::new(), message }])
}

struct Reader {
    policy: Policy,
    notes: Vec<PolicyNote>,
}

impl Reader {
    fn note(&mut self, key: &str, message: String) {
        self.notes.push(PolicyNote { kind: NoteKind::Value, key: key.to_owned(), message });
    }

    fn llm(&mut self, llm: &Mapping) {
        let gates: [(&str, fn(&mut Policy) -> &mut bool); 8] = [
            ("allow_branch_create", |policy| &mut policy.allow_branch_create),
            ("allow_branch_switch", |policy| &mut policy.allow_branch_switch),
            ("allow_commit", |policy| &mut policy.allow_commit),
            ("allow_destructive_shell", |policy| &mut policy.allow_destructive_shell),
            ("allow_push", |policy| &mut policy.allow_push),
            ("allow_tag", |policy| &mut policy.allow_tag),
            ("require_ci_pass_before_complete", |policy| &mut policy.require_ci_pass_before_complete),
            ("require_planfile_lifecycle", |policy| &mut policy.require_planfile_lifecycle),
        ];
        for (key, field) in gates {
            match llm.get(key) {
                None => {}
                Some(Value::Bool(value)) => *field(&mut self.policy) = *value,
                Some(other) => {
                    let strict = *field(&mut self.policy);
                    let message = format!(
                        "is {}, not true or false; {strict} stays in force (write it bare, without quotes)",
                        kind(other)
                    );
                    self.note(&format!("llm.{key}"), message);
                }
            }
        }
        if let Some(value) = llm.get("forbidden_paths") {
            let extra = self.strings("llm.forbidden_paths", value);
            add(&mut self.policy.forbidden_paths, extra);
        }
        if let Some(value) = llm.get("forbidden_shell_patterns") {
            let extra = self.strings("llm.forbidden_shell_patterns", value);
            add(&mut self.policy.forbidden_shell_patterns, extra);
        }
    }

    fn ci(&mut self, ci: &Mapping) {
        match ci.get("command") {
            None | Some(Value::Null) => {}
            Some(Value::String(command)) => self.policy.ci_command = command.trim().to_owned(),
            Some(other) => self.note("ci.command", format!("is {}, not text; none is set", kind(other))),
        }
        match ci.get("timeout_seconds") {
            None => {}
            Some(value) => match value.as_u64().filter(|seconds| *seconds > 0) {
                Some(seconds) => self.policy.ci_timeout_seconds = seconds,
                None => self.note(
                    "ci.timeout_seconds",
                    format!("is not a positive whole number; {DEFAULT_CI_TIMEOUT} stays in force"),
                ),
            },
        }
    }

    fn strings(&mut self, key: &str, value: &Value) -> Vec<String> {
        let Value::Sequence(items) = value else {
            if !value.is_null() {
                self.note(key, format!("is {}, not a list; the defaults stay in force", kind(value)));
            }
            return Vec::new();
        };
        let mut texts = Vec::new();
        for item in items {
            match item {
                Value::String(text) if text.trim().is_empty() => {}
                Value::String(text) => texts.push(text.clone()),
                other => {
                    self.note(key, format!("holds {}, which is not text and does not count", kind(other)))
                }
            }
        }
        texts
    }
}

fn add(list: &mut Vec<String>, extra: Vec<String>) {
    for item in extra {
        if !list.contains(&item) {
            list.push(item);
        }
    }
}

/// The YAML kind of a value, with its article.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "text",
        Value::Sequence(_) => "a list",
        Value::Mapping(_) => "a mapping",
        Value::Tagged(_) => "a tagged value",
    }
}
