//! What would this shell text do? A pure check that reads a command line the way a shell does (koru §4.5).
//!
//! The parts: [`lexer`] cuts text into simple commands (quotes, operators, substitutions, here-documents), [`words`]
//! turns words into the fields a program would get, [`walk`] goes through commands, wrappers and nested shells, [`git`]
//! and [`destructive`] know what programs do with their arguments.
//!
//! Why our own and not a grammar crate: a check must answer for *every* text, also for text that one shell refuses and
//! another runs, in bounded time and stack. Grammar parsers reject on the first oddity and recurse without a limit
//! (brush-parser 0.4, the best kept one, overflows its stack and aborts the process on 20,000 nested `{`). So this one
//! never fails, and where it has to guess it takes the reading that finds more commands.
//!
//! Limits, on purpose: a value that only the running machine knows (an unset variable, the output of a program, a
//! script file, another language's interpreter) is not guessed. Git hooks and the diff after the run cover those.

mod destructive;
mod git;
mod lexer;
#[cfg(test)]
mod tests;
mod walk;
mod words;
mod wrappers;

use super::{Gate, Policy, Violation};

/// Longer texts are refused unread.
const MAX_TEXT: usize = 256 * 1024;

/// Why `text` may not run under `policy`.
pub(super) fn check(policy: &Policy, text: &str) -> Vec<Violation> {
    let mut findings = Findings::new(policy);
    if findings.all_open() || text.trim().is_empty() {
        return Vec::new();
    }
    if text.len() > MAX_TEXT {
        findings.unreadable();
    } else {
        walk::walk(text, &mut findings);
        extra_patterns(policy, text, &mut findings);
    }
    findings.into_violations()
}

/// The operator's own patterns are matched as text, wherever it stands: what they mean cannot be known.
fn extra_patterns(policy: &Policy, text: &str, findings: &mut Findings<'_>) {
    let extra = || {
        let builtin = |pattern: &&String| super::load::DEFAULT_PATTERNS.contains(&pattern.as_str());
        policy.forbidden_shell_patterns.iter().filter(move |pattern| !builtin(pattern))
    };
    if extra().next().is_none() {
        return;
    }
    let mut candidates = vec![collapse(text)];
    candidates.extend(walk::plain_commands(text));
    for pattern in extra() {
        let pattern = collapse(pattern);
        if candidates.iter().any(|candidate| contains_words(candidate, &pattern)) {
            findings.add(Gate::AllowDestructiveShell, format!("the policy forbids the pattern `{pattern}`"));
        }
    }
}

/// Every run of white space as one space.
fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether `pattern` stands in `text` without cutting through a word at either end.
fn contains_words(text: &str, pattern: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(pattern).any(|(at, found)| {
        let before = text[..at].chars().next_back();
        let after = text[at + found.len()..].chars().next();
        let cut_start = found.chars().next().is_some_and(word) && before.is_some_and(word);
        let cut_end = found.chars().next_back().is_some_and(word) && after.is_some_and(word);
        !cut_start && !cut_end
    })
}

/// What was found, filtered by the gates that are closed.
struct Findings<'a> {
    policy: &'a Policy,
    violations: Vec<Violation>,
}

impl<'a> Findings<'a> {
    fn new(policy: &'a Policy) -> Self {
        Self { policy, violations: Vec::new() }
    }

    fn is_open(&self, gate: Gate) -> bool {
        match gate {
            Gate::AllowCommit => self.policy.allow_commit,
            Gate::AllowPush => self.policy.allow_push,
            Gate::AllowBranchCreate => self.policy.allow_branch_create,
            Gate::AllowBranchSwitch => self.policy.allow_branch_switch,
            Gate::AllowTag => self.policy.allow_tag,
            Gate::AllowDestructiveShell => self.policy.allow_destructive_shell,
        }
    }

    fn all_open(&self) -> bool {
        ALL_GATES.iter().all(|gate| self.is_open(*gate))
    }

    fn add(&mut self, gate: Gate, reason: impl Into<String>) {
        let violation = Violation { gate, reason: reason.into() };
        if !self.is_open(gate) && !self.violations.contains(&violation) {
            self.violations.push(violation);
        }
    }

    /// Text that cannot be judged is refused as long as any gate is closed.
    fn unreadable(&mut self) {
        if let Some(gate) = ALL_GATES.into_iter().find(|gate| !self.is_open(*gate)) {
            self.add(
                gate,
                "the command is too long or too deeply nested to be checked; put it into a script file",
            );
        }
    }

    fn into_violations(mut self) -> Vec<Violation> {
        self.violations.sort_by_key(|violation| violation.gate);
        self.violations
    }
}

/// Every gate, the one that says most about unreadable text first.
const ALL_GATES: [Gate; 6] = [
    Gate::AllowDestructiveShell,
    Gate::AllowCommit,
    Gate::AllowPush,
    Gate::AllowBranchCreate,
    Gate::AllowBranchSwitch,
    Gate::AllowTag,
];
