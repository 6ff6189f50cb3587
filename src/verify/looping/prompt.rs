//! What the agents of a loop are told: our own words, complete in every round. Role texts of the project (`AGENTS.md`,
//! `docs/roles/*.md`) come before ours; a template of the bus
//! stands in for role and card, as in loop-kit; what it leaves out of rules and card, and what has to be done, follows it in
//! every round.
//!
//! The first line names the role and one line names task and round, as loop-kit's prompts do: scripts that stand in for
//! agents read them there.

use std::fmt::Write as _;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

use super::Driver;
use crate::base::regular::{self, Links};
use crate::verify::bus::{FixList, Handoff, Issue, Level, LoopState, Role};

/// Title of the project's own rules.
const RULES: &str = "Rules of this project";

/// Bytes of a role text or a template that are read.
const TEXT_LIMIT: u64 = 64 * 1024;

impl Driver {
    /// The prompt of a role in a round.
    pub(super) fn prompt(&self, role: Role, round: u32, state: &LoopState) -> String {
        let head =
            format!("Role: {}\nCurrent task_id: {}, round: {round}.\n", role.word(), self.card.task_id);
        let mut text = format!("{head}\n");
        match read(&self.bus.folder().join("templates").join(format!("{}_prompt.txt", role.word()))) {
            Some(template) => {
                let filled = self.filled(&template, role, round);
                // Its own head, when it has one, stands once.
                let filled = filled.trim_start().strip_prefix(&head).unwrap_or(&filled).trim();
                let _ = writeln!(text, "{filled}\n");
                let rules = self.role_texts(role).into_iter().filter(|(title, _)| *title == RULES);
                for (title, part) in rules.filter(|_| !template.contains("{agents_md}")) {
                    section(&mut text, title, &part);
                }
                if !template.contains("{task_card_section}") {
                    self.add_card(&mut text);
                }
            }
            None => {
                for (title, part) in self.role_texts(role) {
                    section(&mut text, title, &part);
                }
                self.add_card(&mut text);
            }
        }
        match role {
            Role::Worker => self.worker(&mut text, round, state),
            Role::Reviewer => self.reviewer(&mut text, round, state),
        }
        text
    }

    /// Rules of the project and of the role, those of the project first.
    fn role_texts(&self, role: Role) -> Vec<(&'static str, String)> {
        let (file, built_in) = match role {
            Role::Worker => ("docs/roles/code-writer.md", WORKER),
            Role::Reviewer => ("docs/roles/reviewer.md", REVIEWER),
        };
        let mut texts = Vec::new();
        texts.extend(read(&self.plan.root.join("AGENTS.md")).map(|text| (RULES, text)));
        let own = read(&self.plan.root.join(file)).unwrap_or_else(|| built_in.to_owned());
        texts.push(("Your role", own));
        texts
    }

    /// A template with loop-kit's names (§12) filled in; a name that nobody knows, or a stray brace, stays as it is. One
    /// pass: what is filled in is not looked at again.
    fn filled(&self, template: &str, role: Role, round: u32) -> String {
        let mut card = String::new();
        self.add_card(&mut card);
        let mut filled = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let value = after.split_once('}').and_then(|(name, rest)| {
                let value = match name {
                    "task_id" => self.card.task_id.clone(),
                    "round_num" => round.to_string(),
                    "task_card_section" => card.clone(),
                    "work_report_path" => self.told(&self.bus.path(Role::Worker.report())),
                    "review_report_path" => self.told(&self.bus.path(Role::Reviewer.report())),
                    "agents_md" => read(&self.plan.root.join("AGENTS.md")).unwrap_or_default(),
                    "role_md" => self.role_texts(role).pop().map(|(_, text)| text).unwrap_or_default(),
                    "orchestrator_path" | "function_index" | "prior_context_section" => String::new(),
                    _ => return None,
                };
                Some((value, rest))
            });
            match value {
                Some((value, after)) => {
                    filled.push_str(&value);
                    rest = after;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    fn add_card(&self, text: &mut String) {
        let card = &self.card;
        let _ = writeln!(text, "## The task\n\n{}\n", card.goal.trim());
        let lists = [
            ("In scope", &card.in_scope),
            ("Out of scope", &card.out_of_scope),
            ("Done when", &card.acceptance_criteria),
            ("To be kept", &card.constraints),
        ];
        for (title, items) in lists {
            if !items.is_empty() {
                let _ = writeln!(text, "{title}:\n{}", bullets(items.iter().map(String::as_str)));
            }
        }
    }

    fn worker(&self, text: &mut String, round: u32, state: &LoopState) {
        if let Some(list) = self.required(round) {
            fixes(text, &list);
        }
        if let Some(handoff) =
            round.checked_sub(1).and_then(|n| self.bus.handoff(&self.card.task_id, Role::Reviewer, n))
        {
            handed_over(text, &handoff);
        }
        let base = state.base_sha.as_deref().unwrap_or("HEAD");
        let path = self.told(&self.bus.path(Role::Worker.report()));
        let id = Value::from(self.card.task_id.as_str());
        let _ = writeln!(
            text,
            "## What to do\n\nWork in the current folder. The task began at commit {base}. Commit your work, run the \
             tests, then write {}:\n\n{{\"task_id\": {id}, \"round\": {round}, \"head_sha\": \"<full hash of your last \
             commit>\", \"files_changed\": [\"path\"], \"tests\": [{{\"name\": \"test\", \"result\": \"pass or \
             fail\"}}], \"notes\": \"what you did, and what you did not\"}}\n\nIt must be one JSON object and nothing \
             else. A round without a new commit does not count. Stop once the file is written.",
            path
        );
    }

    /// What the reviewer of the round before required. A list that is lost or broken is made again from the archive.
    fn required(&self, round: u32) -> Option<FixList> {
        let before = round.checked_sub(1).filter(|before| *before > 0)?;
        let why = match self.bus.fix_list() {
            Ok(list) if list.task_id == self.card.task_id && list.round == round => return Some(list),
            Ok(list) => format!("fix_list.json is of task {:?}, round {}", list.task_id, list.round),
            Err(error) => error.to_string(),
        };
        let Ok(review) = self.bus.archived_review(&self.card.task_id, before) else {
            let say = format!("{why}; the worker is not told what the reviewer of round {before} required");
            self.say(Level::Warning, &say);
            return None;
        };
        self.say(Level::Warning, &format!("{why}; what round {before} requires is taken from the archive"));
        Some(FixList {
            task_id: self.card.task_id.clone(),
            round,
            fixes: review.blocking_issues,
            prior_review_non_blocking: review.non_blocking_suggestions,
            ..FixList::default()
        })
    }

    /// A path as an agent is told it: relative to its folder when it cannot be said otherwise.
    fn told(&self, path: &Path) -> String {
        match path.to_str() {
            Some(path) => path.to_owned(),
            None => path.strip_prefix(&self.plan.root).unwrap_or(path).display().to_string(),
        }
    }

    fn reviewer(&self, text: &mut String, round: u32, state: &LoopState) {
        let head = state.head_sha.as_deref().unwrap_or("HEAD");
        let base = state.base_sha.as_deref().unwrap_or("HEAD");
        let path = self.told(&self.bus.path(Role::Reviewer.report()));
        let request = self.told(&self.bus.path(crate::verify::bus::File::ReviewRequest));
        let id = Value::from(self.card.task_id.as_str());
        let _ = writeln!(
            text,
            "## What to do\n\nJudge commit {head} against its base {base}. The difference, the commits and what the \
             worker says stand in {}. Change nothing in the tree: a review that changed something does not count. Then \
             write {}:\n\n{{\"task_id\": {id}, \"round\": {round}, \"decision\": \"approve or changes_required\", \
             \"blocking_issues\": [{{\"severity\": \"high\", \"file\": \"path\", \"line\": 1, \"reason\": \"what is \
             wrong\", \"required_change\": \"what to do\"}}], \"non_blocking_suggestions\": [\"text\"]}}\n\nApprove only \
             without blocking issues; with changes_required name at least one. It must be one JSON object and nothing \
             else. Stop once the file is written.",
            request, path
        );
    }
}

fn section(text: &mut String, title: &str, part: &str) {
    let _ = writeln!(text, "## {title}\n\n{}\n", part.trim());
}

/// What to mend, `required_change` included.
fn fixes(text: &mut String, list: &FixList) {
    let _ = writeln!(text, "## What the reviewer requires\n");
    for issue in &list.fixes {
        let _ = writeln!(text, "- {}", one(issue));
    }
    let suggestions: Vec<&str> = list.prior_review_non_blocking.iter().filter_map(Value::as_str).collect();
    if !suggestions.is_empty() {
        let _ = writeln!(text, "\nSuggestions, not required:\n{}", bullets(suggestions.into_iter()));
    }
    if let Some(notes) = list.prior_round_notes.as_deref().filter(|notes| !notes.trim().is_empty()) {
        let _ = writeln!(text, "\nWhat you noted in the round before:\n{}", notes.trim());
    }
    text.push('\n');
}

fn one(issue: &Issue) -> String {
    let text = |key| issue.text(key).unwrap_or_default();
    let severity = issue.text("severity").unwrap_or("medium");
    let place = issue.text("file").map(|file| format!(" {file}")).unwrap_or_default();
    let change =
        issue.text("required_change").map(|change| format!("\n  Required: {change}")).unwrap_or_default();
    format!("[{severity}]{place}: {}{change}", text("reason"))
}

fn handed_over(text: &mut String, handoff: &Handoff) {
    let lists = [
        ("Open questions", &handoff.open_questions),
        ("Next", &handoff.next_actions),
        ("Read first", &handoff.must_read_files),
    ];
    for (title, items) in lists {
        if !items.is_empty() {
            let _ = writeln!(text, "{title}:\n{}", bullets(items.iter().map(String::as_str)));
        }
    }
}

fn bullets<'a>(items: impl Iterator<Item = &'a str>) -> String {
    items.map(|item| format!("- {item}\n")).collect()
}

/// A text that is there and not empty; its beginning when it is long.
fn read(path: &Path) -> Option<String> {
    let (file, _) = regular::open(path, Links::Followed).ok()?;
    let mut bytes = Vec::new();
    file.take(TEXT_LIMIT).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (!text.trim().is_empty()).then_some(text)
}

/// Role of the worker.
const WORKER: &str = "You change the code so that the task is done, no more and no less. Stay within the scope. Prefer \
                      the smallest change that is right. Add or mend tests for what you change and run them. Say \
                      honestly what does not work.";

/// Role of the reviewer.
const REVIEWER: &str = "You judge somebody else's change. Read the difference and the code around it, hold it against \
                        every point under `Done when` and `To be kept`, and look for what breaks. Blocking is what \
                        makes the work wrong, unsafe or incomplete; everything else is a suggestion. Name file, line, \
                        reason and the change that you require.";
