//! Reading the policy file, failing closed (koru §2.4).
//!
//! Every value is judged alone: one bad key does not undo a good one, and a file that is no policy at all leaves every
//! default in force. Extra paths and patterns are added to the defaults (koru's stub says so, its loader replaced them).

use std::io::ErrorKind;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_yaml::{Mapping, Value};

use super::Policy;
use crate::base::paths::ProjectPaths;
use crate::base::regular::{self, Links};
use crate::base::yaml;
use crate::plan::kind::kind;

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
    match regular::read(&path, Links::Followed, MAX_BYTES) {
        Ok(bytes) => from_bytes(&bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => (Policy::default(), Vec::new()),
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::FileTooLarge) => {
            strictest(error.to_string())
        }
        Err(error) => strictest(format!("it cannot be read ({error})")),
    }
}

/// The policy that `bytes` describe.
pub(super) fn from_bytes(bytes: &[u8]) -> (Policy, Vec<PolicyNote>) {
    let root: Value = match yaml::from_slice(bytes) {
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

/// Reaches one gate of a policy.
type Field = fn(&mut Policy) -> &mut bool;

struct Reader {
    policy: Policy,
    notes: Vec<PolicyNote>,
}

impl Reader {
    fn note(&mut self, key: &str, message: String) {
        self.notes.push(PolicyNote { kind: NoteKind::Value, key: key.to_owned(), message });
    }

    fn llm(&mut self, llm: &Mapping) {
        let gates: [(&str, Field); 8] = [
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Policy {
        from_bytes(text.as_bytes()).0
    }

    fn notes(text: &str) -> Vec<(NoteKind, String)> {
        from_bytes(text.as_bytes()).1.into_iter().map(|note| (note.kind, note.key)).collect()
    }

    #[test]
    fn what_is_no_policy_leaves_every_gate_closed_and_says_so() {
        for text in
            ["llm: [", "- a\n- b\n", "just text", "llm: [allow_commit]\n", "a: 1\na: 2\n", "\0", "llm: {{{{"]
        {
            let (policy, notes) = from_bytes(text.as_bytes());
            assert_eq!(policy, Policy::default(), "{text:?}");
            assert_eq!(notes.len(), 1, "{text:?}");
            assert_eq!(notes[0].kind, NoteKind::WholeFile, "{text:?}");
        }
        assert_eq!(from_bytes(b"\xff\xfe\x00"), from_bytes(b"\xff\xfe\x00"));
        assert_eq!(from_bytes(b"\xff\xfe").0, Policy::default());
        for text in ["", "# only a comment\n", "llm:\n", "other: true\n"] {
            assert_eq!(from_bytes(text.as_bytes()), (Policy::default(), Vec::new()), "{text:?}");
        }
    }

    #[test]
    fn a_missing_file_is_no_mistake_and_a_folder_in_its_place_is() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Policy::load(dir.path()), (Policy::default(), Vec::new()));
        std::fs::create_dir_all(ProjectPaths::new(dir.path()).policy()).unwrap();
        let (policy, notes) = Policy::load(dir.path());
        assert_eq!((policy, notes.len()), (Policy::default(), 1));
    }

    #[test]
    fn only_a_real_boolean_moves_a_gate() {
        for value in ["\"true\"", "yes", "1", "[true]", "~", "!!str true", "TRUE!"] {
            let text = format!("llm:\n  allow_commit: {value}\n");
            assert_eq!(read(&text), Policy::default(), "{value}");
            assert_eq!(notes(&text), [(NoteKind::Value, "llm.allow_commit".to_owned())], "{value}");
        }
        let expected = Policy { allow_branch_create: true, ..Policy::default() };
        assert_eq!(read("llm:\n  allow_branch_create: true\n"), expected);
        let expected = Policy { allow_push: true, ..Policy::default() };
        assert_eq!(read("llm:\n  allow_commit: 'true'\n  allow_push: true\n"), expected);
        let expected = Policy { require_ci_pass_before_complete: false, ..Policy::default() };
        assert_eq!(read("llm:\n  require_ci_pass_before_complete: false\n"), expected);
    }

    #[test]
    fn paths_and_patterns_add_to_the_defaults() {
        let text =
            "llm:\n  forbidden_paths: [.env, 7, infra/]\n  forbidden_shell_patterns: [terraform destroy]\n";
        let mut expected = Policy::default();
        expected.forbidden_paths.push("infra/".to_owned());
        expected.forbidden_shell_patterns.push("terraform destroy".to_owned());
        assert_eq!(read(text), expected);
        assert_eq!(notes(text), [(NoteKind::Value, "llm.forbidden_paths".to_owned())]);
        assert_eq!(read("llm:\n  forbidden_paths: infra/\n"), Policy::default());
        assert_eq!(read("llm:\n  forbidden_paths: []\n"), Policy::default());
    }

    #[test]
    fn ci_and_notes() {
        let text = "ci:\n  command: pytest -q\n  timeout_seconds: 60\nnotes:\n  - one\n  - two\n";
        let expected = Policy {
            ci_command: "pytest -q".to_owned(),
            ci_timeout_seconds: 60,
            notes: vec!["one".to_owned(), "two".to_owned()],
            ..Policy::default()
        };
        assert_eq!(from_bytes(text.as_bytes()), (expected, Vec::new()));
        for value in ["-5", "0", "1.5", "\"60\"", "true", "[]"] {
            let text = format!("ci:\n  timeout_seconds: {value}\n");
            assert_eq!(read(&text), Policy::default(), "{value}");
            assert_eq!(notes(&text), [(NoteKind::Value, "ci.timeout_seconds".to_owned())], "{value}");
        }
        assert_eq!(read("ci: [x]\n"), Policy::default());
        assert_eq!(read("ci:\n  command: [rm]\n"), Policy::default());
    }

    /// No gate that the defaults close is open, nothing forbidden by default is allowed.
    fn is_no_looser(policy: &Policy) -> bool {
        let strict = Policy::default();
        !policy.allow_branch_create
            && !policy.allow_branch_switch
            && !policy.allow_commit
            && !policy.allow_destructive_shell
            && !policy.allow_push
            && !policy.allow_tag
            && policy.require_ci_pass_before_complete
            && policy.require_planfile_lifecycle
            && strict.forbidden_paths.iter().all(|path| policy.forbidden_paths.contains(path))
            && strict
                .forbidden_shell_patterns
                .iter()
                .all(|text| policy.forbidden_shell_patterns.contains(text))
    }

    proptest! {
        #[test]
        fn bytes_without_a_gate_key_are_never_looser(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let (policy, _) = from_bytes(&bytes);
            prop_assert!(is_no_looser(&policy));
        }

        /// A well-formed policy that opens every gate, damaged at one place: what still counts is a real boolean.
        #[test]
        fn a_damaged_policy_opens_only_what_reads_as_true(at in 0_usize..160, byte in any::<u8>()) {
            let mut bytes = b"llm:\n  allow_commit: true\n  allow_push: true\n  forbidden_paths: [a]\n\
                require_ci_pass_before_complete: false\n".to_vec();
            let at = at % bytes.len();
            bytes[at] = byte;
            let (policy, _) = from_bytes(&bytes);
            let text = String::from_utf8_lossy(&bytes).into_owned();
            prop_assert!(!policy.allow_commit || text.contains("allow_commit"));
            prop_assert!(!policy.allow_tag && !policy.allow_destructive_shell);
            prop_assert!(Policy::default().forbidden_paths.iter().all(|path| policy.forbidden_paths.contains(path)));
        }
    }
}
