//! The policy file `.planfile/.koru/policy.yaml` (koru §2.4, §4.5): missing or malformed means strictest.
//!
//! The file belongs to the operator; nothing here writes it. [`Policy::load`] never fails: whatever cannot be
//! understood leaves the strict default in force and is reported as a [`PolicyNote`]. Invariant: no content of the file
//! gives a policy looser than the defaults except through a real boolean under its own key.
//!
//! [`Policy::check_command`] answers from text alone what a shell command line would do (koru §4.5). It is the first of
//! several layers: what text cannot show is refused by git hooks and seen in the diff after the run.

mod load;
mod paths;
mod shell;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use load::{NoteKind, PolicyNote};

/// The gates of a project, flat as the brief shows them (koru §2.1). Fields are in the order of their names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// An agent may make branches.
    pub allow_branch_create: bool,
    /// An agent may switch branches.
    pub allow_branch_switch: bool,
    /// An agent may commit.
    pub allow_commit: bool,
    /// Destructive shell commands are let through.
    pub allow_destructive_shell: bool,
    /// An agent may push.
    pub allow_push: bool,
    /// An agent may make or remove tags.
    pub allow_tag: bool,
    /// The command that must exit 0 before a ticket is complete; empty when none is set.
    pub ci_command: String,
    /// Seconds that command may take.
    pub ci_timeout_seconds: u64,
    /// Paths no run may change: the defaults, then the operator's additions.
    pub forbidden_paths: Vec<String>,
    /// Shell patterns no run may use: the defaults, then the operator's additions.
    pub forbidden_shell_patterns: Vec<String>,
    /// The operator's own rules, shown to agents word for word.
    pub notes: Vec<String>,
    /// CI must pass before a ticket is complete.
    pub require_ci_pass_before_complete: bool,
    /// Ticket state changes only through ticket verbs.
    pub require_planfile_lifecycle: bool,
}

/// A gate that a command line can run into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gate {
    /// `allow_commit`.
    AllowCommit,
    /// `allow_push`.
    AllowPush,
    /// `allow_branch_create`.
    AllowBranchCreate,
    /// `allow_branch_switch`.
    AllowBranchSwitch,
    /// `allow_tag`.
    AllowTag,
    /// `allow_destructive_shell`.
    AllowDestructiveShell,
}

impl Gate {
    /// The key in the policy file.
    pub fn key(self) -> &'static str {
        match self {
            Gate::AllowCommit => "allow_commit",
            Gate::AllowPush => "allow_push",
            Gate::AllowBranchCreate => "allow_branch_create",
            Gate::AllowBranchSwitch => "allow_branch_switch",
            Gate::AllowTag => "allow_tag",
            Gate::AllowDestructiveShell => "allow_destructive_shell",
        }
    }
}

/// One reason why a command line may not run. Displays as `policy.<gate>=false: <reason>` (koru §4.5). The reason
/// quotes the command: foreign text, to be made safe where it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("policy.{}=false: {reason}", .gate.key())]
pub struct Violation {
    /// The closed gate.
    pub gate: Gate,
    /// What the command would do.
    pub reason: String,
}

impl Policy {
    /// The policy of the project at `root`, and everything in the file that did not count.
    pub fn load(root: &Path) -> (Policy, Vec<PolicyNote>) {
        load::load(root)
    }

    /// Why `command` may not run under this policy; empty when nothing speaks against it. Pure: nothing is run, read
    /// or resolved. Each kind of violation is reported once.
    pub fn check_command(&self, command: &str) -> Vec<Violation> {
        shell::check(self, command)
    }

    /// The forbidden-path pattern that covers `path` (relative to the project, with `/`), if one does.
    pub fn forbidden_path(&self, path: &str) -> Option<&str> {
        paths::covering(&self.forbidden_paths, path)
    }
}
