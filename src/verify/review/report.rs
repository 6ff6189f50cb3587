//! What a review, or a review with fixes, amounts to: kagura-engineer's fields (§8) and ours beside them.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::looped::ReviewOptions;
use crate::execute::agents::tally::{Cost, Tokens};
use crate::verify::finding::{Finding, Severity};
use crate::verify::verdict::{Contradiction, Decision, Verdict};

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Green, yellow, or nothing to review.
    Ok,
    /// Could not review, or a fix failed.
    Fail,
    /// Red, or a word that nobody knows, or a verdict that contradicts itself.
    Blocked,
}

/// One review.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// What was reviewed: a reference, or a ticket's id.
    pub target: String,
    /// What it was compared with.
    pub base: String,
    /// How it went.
    pub status: Status,
    /// The verdict's word: `green`, `yellow`, `red`, or the reviewer's own (foreign text).
    pub verdict: Option<String>,
    /// `{total, blocking, by_severity, incomplete}`.
    pub summary: Map<String, Value>,
    /// Worst first.
    #[serde(serialize_with = "findings")]
    pub findings: Vec<Finding>,
    /// Sentence.
    pub detail: String,
    /// What to do next.
    pub resume_hint: Option<String>,
    /// The reviewer's own report.
    pub report_path: Option<String>,
    /// Seconds.
    pub duration_s: f64,
    /// Who judged.
    pub reviewer: Option<String>,
    /// Commit that was judged.
    pub head: String,
    /// Commit that it was compared with.
    pub base_commit: String,
    /// The reviewer's summary in words (foreign text).
    pub words: String,
    /// What does not agree in the verdict.
    pub contradiction: Option<Contradiction>,
    /// Checks of the pull request that failed on its host (foreign text). The verdict does not count them.
    pub failed_checks: Vec<String>,
    /// Folder name of the run, which has the transcript.
    pub run: Option<String>,
    /// Tokens that an agent used.
    pub tokens: Tokens,
    /// What it cost.
    pub cost: Option<Cost>,
}

/// kagura's fields of a finding, with ours beside them.
fn findings<S: serde::Serializer>(findings: &[Finding], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(findings.iter().map(|finding| {
        json!({
            "dimension": finding.dimension.as_deref().unwrap_or("general"),
            "severity": finding.severity.word().to_ascii_uppercase(),
            "file": finding.file.as_deref().unwrap_or_default(),
            "line": finding.line,
            "title": finding.reason.lines().next().unwrap_or_default(),
            "end_line": finding.end_line,
            "blocking": finding.blocking,
            "reason": finding.reason,
            "required_change": finding.required_change,
            "confidence": finding.confidence,
            "id": finding.id,
        })
    }))
}

impl Report {
    /// A report that says nothing yet.
    pub(super) fn new(target: &str, base: &str) -> Report {
        Report {
            target: target.to_owned(),
            base: base.to_owned(),
            status: Status::Fail,
            verdict: None,
            summary: Map::new(),
            findings: Vec::new(),
            detail: String::new(),
            resume_hint: None,
            report_path: None,
            duration_s: 0.0,
            reviewer: None,
            head: String::new(),
            base_commit: String::new(),
            words: String::new(),
            contradiction: None,
            failed_checks: Vec::new(),
            run: None,
            tokens: Tokens::default(),
            cost: None,
        }
    }

    /// Nothing could be said, and why.
    pub(super) fn failed(self, why: impl Into<String>) -> Report {
        Report { status: Status::Fail, verdict: None, findings: Vec::new(), detail: why.into(), ..self }
    }

    /// There is nothing to review.
    pub(super) fn nothing(self) -> Report {
        let verdict = Some("green".to_owned());
        Report { status: Status::Ok, verdict, detail: "no changes to review".to_owned(), ..self }
    }

    /// What a verdict amounts to. `word` is the reviewer's own, or ours for the decision.
    pub(super) fn judged(
        self,
        verdict: Verdict,
        word: Option<String>,
        summary: Option<Map<String, Value>>,
    ) -> Report {
        let contradiction = verdict.contradiction();
        let word = word.unwrap_or_else(|| word_of(&verdict).to_owned());
        let summary = summary.unwrap_or_else(|| counted(&verdict));
        let incomplete = summary.get("incomplete") == Some(&Value::Bool(true));
        let passes = verdict.decision == Decision::Approve && contradiction.is_none();
        let count = verdict.findings.len();
        let mut detail = match passes {
            true => format!("{word}: {count} finding(s)"),
            false => format!("blocking verdict ({word}): {count} finding(s)"),
        };
        if incomplete {
            detail.push_str(" (incomplete)");
        }
        if let Some(contradiction) = contradiction {
            detail.push_str(&format!("; {contradiction}"));
        }
        let again = format!("koru-tui review {}", self.target);
        Report {
            status: if passes { Status::Ok } else { Status::Blocked },
            verdict: Some(word),
            resume_hint: match (passes, incomplete) {
                (true, _) => None,
                (false, true) => Some(format!("the review was not complete: run `{again}` again")),
                (false, false) => Some(format!("address the findings, then run `{again}` again")),
            },
            summary,
            detail,
            contradiction,
            words: verdict.summary,
            findings: verdict.findings,
            ..self
        }
    }

    /// Whether the reviewer says that it could not look at everything: its findings are about the review.
    pub(super) fn is_incomplete(&self) -> bool {
        self.summary.get("incomplete") == Some(&Value::Bool(true))
    }
}

fn word_of(verdict: &Verdict) -> &'static str {
    match verdict.decision {
        // Whoever approves what must be mended first has not approved it.
        _ if verdict.contradiction().is_some() => "red",
        Decision::ChangesRequired => "red",
        Decision::Approve if verdict.findings.is_empty() => "green",
        Decision::Approve => "yellow",
    }
}

fn counted(verdict: &Verdict) -> Map<String, Value> {
    let mut by_severity = Map::new();
    for severity in Severity::WORST_FIRST {
        let count = verdict.findings.iter().filter(|finding| finding.severity == severity).count();
        if count > 0 {
            by_severity.insert(severity.word().to_ascii_uppercase(), json!(count));
        }
    }
    let value = json!({
        "total": verdict.findings.len(),
        "blocking": verdict.blockers().count(),
        "by_severity": by_severity,
        "incomplete": false,
    });
    value.as_object().cloned().unwrap_or_default()
}

/// A review with fixes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FixReport {
    /// What was reviewed.
    pub target: String,
    /// What it was compared with.
    pub base: String,
    /// How it ended.
    pub status: Status,
    /// How often an agent mended.
    pub fixes_attempted: u32,
    /// Sentence.
    pub detail: String,
    /// What to do next.
    pub resume_hint: Option<String>,
    /// Seconds.
    pub duration_s: f64,
    /// The branch that has the fixes, if there are any.
    pub branch: Option<String>,
    /// Where work is that is not where one would look for it, in sentences (foreign text).
    pub notes: Vec<String>,
    /// Every review, oldest first.
    pub iterations: Vec<Report>,
    /// What each fix did, oldest first.
    pub fixes: Vec<Fix>,
}

/// What one fix did.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fix {
    /// Who mended.
    pub agent: String,
    /// How many findings it was given.
    pub given: usize,
    /// The commit with its work; `None` when it changed nothing.
    pub commit: Option<String>,
    /// Folder name of its run.
    pub run: String,
    /// Blocking findings before, and in the review after it.
    pub before: usize,
    /// `None` until there was one.
    pub after: Option<usize>,
}

/// Either.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Reviewed {
    /// One review.
    Once(Box<Report>),
    /// A loop of reviews and fixes.
    Fixed(Box<FixReport>),
}

impl Reviewed {
    /// What was asked for could not even begin, and why.
    pub fn not_begun(asked: &ReviewOptions, why: String) -> Reviewed {
        let target = asked.target.as_deref().unwrap_or("HEAD").to_owned();
        let base = asked.base.clone().unwrap_or_default();
        if !asked.fix {
            return Reviewed::Once(Box::new(Report::new(&target, &base).failed(why)));
        }
        Reviewed::Fixed(Box::new(FixReport {
            target,
            base,
            status: Status::Fail,
            fixes_attempted: 0,
            detail: why,
            resume_hint: None,
            duration_s: 0.0,
            branch: None,
            notes: Vec::new(),
            iterations: Vec::new(),
            fixes: Vec::new(),
        }))
    }

    /// How it went.
    pub fn status(&self) -> Status {
        match self {
            Reviewed::Once(report) => report.status,
            Reviewed::Fixed(report) => report.status,
        }
    }
}
