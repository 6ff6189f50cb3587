//! What an agent's run means for its ticket, as an [`Outcome`]: the facts for `outputs.result`, the sentence, the ending.
//!
//! A run that only a person can judge or help waits for one and costs no attempt; a run that failed by itself fails.

use serde_json::{Map, Value, json};

use super::Plan;
use super::found::Found;
use super::place::Place;
use crate::execute::agents::session::{AgentEnding, AgentReport};
use crate::execute::fence::Breach;
use crate::execute::isolation::ChangedFile;
use crate::execute::outcome::{Ending, Outcome};
use crate::execute::output::{Channel, OutputLine};
use crate::execute::recorder::Recorder;
use crate::execute::tail::tail_chars;
use crate::plan::ticket::Ticket;
use crate::verify::gates::waiver::waiver;
use crate::verify::gates::{Consequence, GateReport};

/// Characters of the agent's answer in a ticket.
const ANSWER_CHARS: usize = 4000;

/// Most changed files that a ticket names.
const FILES: usize = 200;

/// What is known of a run, for its ticket.
pub(super) struct Told<'a> {
    pub(super) plan: &'a Plan,
    pub(super) place: &'a Place,
    pub(super) report: &'a AgentReport,
    pub(super) found: Option<&'a Found>,
    pub(super) checks: Option<&'a GateReport>,
}

impl Told<'_> {
    /// The outcome with its facts.
    fn outcome(&self, ending: Ending, reason: Option<String>) -> Outcome {
        let exit_code = match ending {
            Ending::Succeeded => 0,
            _ if self.report.outcome.exit_code == 0 => 1,
            _ => self.report.outcome.exit_code,
        };
        Outcome {
            ending,
            exit_code,
            reason,
            label: Some(self.label()),
            facts: self.facts(),
            ..self.report.outcome.clone()
        }
    }

    /// `agent claude on koru/PLF-1: 3 files +38 −11, gates passed`.
    fn label(&self) -> String {
        let mut label = format!("agent {} on {}", self.plan.name, self.place.worktree.branch);
        if let Some(found) = self.found {
            label.push_str(": ");
            label.push_str(&stat(&found.changed));
        }
        if let Some(checks) = self.checks {
            label.push_str("; gates: ");
            label.push_str(&checks.summary());
        }
        label
    }

    fn facts(&self) -> Map<String, Value> {
        let (tally, worktree) = (&self.report.tally, &self.place.worktree);
        let mut facts = Map::new();
        let mut put = |key: &str, value: Value| drop(facts.insert(key.to_owned(), value));
        put("agent", json!(self.plan.name));
        put("agent_ending", json!(self.report.ending));
        put("model", json!(tally.model));
        put("conversation", json!(tally.conversation));
        put("turns", json!(tally.turns));
        put("tokens", json!(tally.tokens));
        put("cost", json!(tally.cost));
        put("branch", json!(worktree.branch));
        put("base", json!(worktree.base));
        put("worktree", json!(worktree.path));
        if let Some(answer) = &self.report.answer {
            put("answer", json!(tail_chars(answer, ANSWER_CHARS)));
        }
        if let Some(structured) = &self.report.structured {
            put("structured", structured.clone());
        }
        if let Some(found) = self.found {
            put("commit", json!(found.commit));
            put("changed", json!(found.changed.iter().take(FILES).collect::<Vec<_>>()));
            if !found.breaches.is_empty() {
                put("breaches", json!(found.breaches));
            }
        }
        if let Some(checks) = self.checks {
            put("gates", json!(checks.results));
        }
        facts
    }

    /// Refs and files could not be compared: nothing is vouched for.
    pub(super) fn inspection_failed(&self, sentence: &str) -> Outcome {
        let question = format!("{sentence}; look at {} yourself", self.place.worktree.path.display());
        self.outcome(Ending::Waiting, Some(question))
    }

    /// It broke the policy.
    pub(super) fn violation(&self) -> Outcome {
        let breaches = self.found.map(|found| found.breaches.as_slice()).unwrap_or_default();
        let lines: Vec<String> = breaches.iter().map(breach_line).collect();
        self.outcome(Ending::Violation, Some(format!("the policy was broken: {}", lines.join("; "))))
    }

    /// The agent did not finish, and why.
    pub(super) fn unfinished(&self) -> Outcome {
        let said = self.report.outcome.reason.clone();
        let because = |fallback: &str| Some(said.clone().unwrap_or_else(|| fallback.to_owned()));
        match &self.report.ending {
            AgentEnding::Paused => self.outcome(
                Ending::Waiting,
                Some(format!("{} paused after a turn, as you asked; answer to let it go on", self.plan.name)),
            ),
            AgentEnding::Stopped => self.outcome(Ending::Stopped, because("stopped by the operator")),
            AgentEnding::Limit { which } if which == "time" || which == "silence" => {
                self.outcome(Ending::TimedOut, because("a limit was reached"))
            }
            // Trying again by itself would spend again: only a person can allow more.
            AgentEnding::Limit { .. } | AgentEnding::RateLimited { .. } => {
                self.outcome(Ending::Waiting, because("a limit was reached"))
            }
            AgentEnding::NothingDone => {
                self.outcome(Ending::Failed, because("the agent exited without having done anything"))
            }
            _ => self.outcome(Ending::Failed, because("the agent failed")),
        }
    }

    /// The agent finished, but the ticket's own expectation is not met.
    pub(super) fn failed(&self, sentence: String) -> Outcome {
        self.outcome(Ending::Failed, Some(sentence))
    }

    /// A person has to decide.
    pub(super) fn waiting(&self, question: String) -> Outcome {
        self.outcome(Ending::Waiting, Some(question))
    }

    /// The operator stopped it.
    pub(super) fn stopped(&self) -> Outcome {
        self.outcome(Ending::Stopped, Some("stopped by the operator".to_owned()))
    }

    /// Gates and reviewer have spoken for it.
    pub(super) fn approved(&self) -> Outcome {
        self.outcome(Ending::Succeeded, None)
    }

    /// The agent finished and the gates have spoken. `ticket` is as it was when it was claimed.
    pub(super) fn judged(&self, ticket: &Ticket, stopped: bool) -> Outcome {
        if stopped {
            return self.stopped();
        }
        let Some(checks) = self.checks else { return self.outcome(Ending::Succeeded, None) };
        let waiver = waiver(ticket);
        match checks.consequence(&self.plan.policy, waiver.as_ref()) {
            Consequence::Complete => self.outcome(Ending::Succeeded, None),
            Consequence::Fail { why } => self.outcome(Ending::Failed, Some(why)),
            Consequence::Ask { why } => self.outcome(Ending::Waiting, Some(why)),
        }
    }
}

/// `3 files +38 −11`.
fn stat(changed: &[ChangedFile]) -> String {
    let added: u64 = changed.iter().map(|file| u64::from(file.added)).sum();
    let removed: u64 = changed.iter().map(|file| u64::from(file.removed)).sum();
    match changed.len() {
        0 => "no file changed".to_owned(),
        1 => format!("1 file +{added} −{removed}"),
        n => format!("{n} files +{added} −{removed}"),
    }
}

fn breach_line(breach: &Breach) -> String {
    let undone = if breach.undone { ", undone" } else { "" };
    format!("{} ({}{undone})", breach.what, breach.rule)
}

/// Facts that other programs act on: names of branches, commits, folders and conversations stay as they are.
const EXACT: [&str; 5] = ["base", "branch", "commit", "conversation", "worktree"];

/// The outcome without secrets.
pub(super) fn cleaned(mut outcome: Outcome, recorder: &Recorder) -> Outcome {
    let clean = |text: String| recorder.clean(&text);
    outcome.reason = outcome.reason.map(clean);
    outcome.label = outcome.label.map(clean);
    for (_, value) in outcome.facts.iter_mut().filter(|(key, _)| !EXACT.contains(&key.as_str())) {
        clean_texts(value, recorder);
    }
    outcome
}

fn clean_texts(value: &mut Value, recorder: &Recorder) {
    match value {
        Value::String(text) => *text = recorder.clean(text),
        Value::Array(items) => items.iter_mut().for_each(|item| clean_texts(item, recorder)),
        Value::Object(fields) => fields.values_mut().for_each(|item| clean_texts(item, recorder)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Puts the breaches, and what else is worth knowing, into the transcript.
pub(super) fn say_breaches(recorder: &mut Recorder, found: &Found) {
    let at_ms = millis(recorder);
    let mut lines = Vec::new();
    for breach in &found.breaches {
        let text = format!("policy broken: {}", breach_line(breach));
        lines.push(OutputLine::new(at_ms, Channel::Error, text));
        lines.push(OutputLine::new(at_ms, Channel::Note, format!("  evidence: {}", breach.evidence)));
    }
    let notes = found.notes.iter().map(|note| OutputLine::new(at_ms, Channel::Note, format!("[{note}]")));
    lines.extend(notes);
    recorder.lines(lines);
}

/// Puts what became of the files into the transcript.
pub(super) fn say_what_changed(recorder: &mut Recorder, found: &Found) {
    let commit = match &found.commit {
        Some(commit) => format!("; committed as {}", commit.chars().take(12).collect::<String>()),
        None => String::new(),
    };
    let text = format!("[{}{commit}]", stat(&found.changed));
    recorder.lines(vec![OutputLine::new(millis(recorder), Channel::Status, text)]);
}

fn millis(recorder: &Recorder) -> u64 {
    u64::try_from(recorder.elapsed().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stat_counts_files_and_lines() {
        let file = |added, removed| ChangedFile { path: "a".to_owned(), added, removed };
        assert_eq!(stat(&[]), "no file changed");
        assert_eq!(stat(&[file(3, 1)]), "1 file +3 −1");
        assert_eq!(stat(&[file(3, 1), file(35, 10)]), "2 files +38 −11");
    }
}
