//! The review report: what the reviewer decided (loop-kit §6), and the verdict that it is.

use serde_json::{Map, Value};

use super::fields::{Fields, Invalid, kind, put};
use super::issue::Issue;
use crate::verify::finding::Source;
use crate::verify::verdict::{Decision, Verdict};

/// A review report. Texts are foreign.
#[derive(Clone, Debug, PartialEq)]
pub struct ReviewReport {
    /// Of which task.
    pub task_id: String,
    /// Of which round, from 1.
    pub round: u32,
    /// The decision; only its two exact words count.
    pub decision: Decision,
    /// What must be mended.
    pub blocking_issues: Vec<Issue>,
    /// What could be better: texts or objects, as they were written.
    pub non_blocking_suggestions: Vec<Value>,
    /// Keys that are not ours.
    pub extra: Map<String, Value>,
}

impl ReviewReport {
    pub(super) fn parse(map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::new(map);
        let task_id = fields.text("task_id")?;
        let round = fields.number("round")?;
        let decision = match fields.text("decision")?.as_str() {
            "approve" => Decision::Approve,
            "changes_required" => Decision::ChangesRequired,
            other => {
                let other: String = other.chars().take(60).collect();
                let problem = format!("must be exactly \"approve\" or \"changes_required\", not {other:?}");
                return Err(Invalid::new("decision", problem));
            }
        };
        let blocking = fields.objects("blocking_issues")?.into_iter();
        let blocking_issues =
            blocking.map(|(place, map)| Issue::parse(&place, map)).collect::<Result<_, _>>()?;
        let non_blocking_suggestions = fields.list("non_blocking_suggestions")?;
        for (at, suggestion) in non_blocking_suggestions.iter().enumerate() {
            if !matches!(suggestion, Value::String(_) | Value::Object(_)) {
                let place = format!("non_blocking_suggestions[{at}]");
                return Err(Invalid::new(
                    place,
                    format!("must be a text or an object, not {}", kind(suggestion)),
                ));
            }
        }
        let extra = fields.rest();
        Ok(Self { task_id, round, decision, blocking_issues, non_blocking_suggestions, extra })
    }

    /// As it is written.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "task_id", self.task_id.as_str());
        put(&mut map, "round", self.round);
        put(&mut map, "decision", self.decision.word());
        put(
            &mut map,
            "blocking_issues",
            self.blocking_issues.iter().map(Issue::to_value).collect::<Vec<_>>(),
        );
        put(&mut map, "non_blocking_suggestions", self.non_blocking_suggestions.clone());
        map.extend(self.extra.clone());
        Value::Object(map)
    }

    /// Whether it is of that task and round.
    pub fn belongs(&self, task_id: &str, round: u32) -> bool {
        self.task_id == task_id && self.round == round
    }

    /// The report of a verdict.
    pub fn of_verdict(task_id: &str, round: u32, verdict: &Verdict) -> Self {
        let mut extra = Map::new();
        put(&mut extra, "summary", Some(verdict.summary.as_str()).filter(|summary| !summary.is_empty()));
        let suggestions = verdict.findings.iter().filter(|finding| !finding.blocking);
        Self {
            task_id: task_id.to_owned(),
            round,
            decision: verdict.decision,
            blocking_issues: verdict.blockers().map(Issue::of_finding).collect(),
            non_blocking_suggestions: suggestions.map(|one| Issue::of_finding(one).to_value()).collect(),
            extra,
        }
    }

    /// The verdict that it is, by `source`, on the commit `head`. Worst findings first.
    pub fn verdict(&self, source: &Source, head: Option<&str>) -> Verdict {
        let blocking = self.blocking_issues.iter().map(|issue| issue.finding(true, source.clone()));
        let suggestions = self.non_blocking_suggestions.iter().filter_map(|suggestion| {
            let issue = match suggestion {
                Value::String(text) => Issue::of_text(text.clone()),
                Value::Object(map) => Issue::parse("non_blocking_suggestions", map.clone()).ok()?,
                _ => return None,
            };
            Some(issue.finding(false, source.clone()))
        });
        let mut findings: Vec<_> = blocking.chain(suggestions).collect();
        findings.sort_by_key(|finding| (!finding.blocking, std::cmp::Reverse(finding.severity)));
        Verdict {
            decision: self.decision,
            summary: self.extra.get("summary").and_then(Value::as_str).unwrap_or_default().to_owned(),
            findings,
            by: source.clone(),
            head: head.map(str::to_owned),
        }
    }

    /// Why it cannot be taken by its word, as a sentence.
    pub fn contradiction(&self) -> Option<String> {
        let verdict = self.verdict(&Source::Reviewer { name: String::new() }, None);
        verdict.contradiction().map(|contradiction| contradiction.to_string())
    }
}
