//! What an agent answered, read as a verdict. Every doubt is an error with a name, and a person decides; nothing is
//! guessed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use super::fenced::cut;
use crate::execute::agents::single::{self, NotSingle};
use crate::verify::finding::{Finding, Severity, Source};
use crate::verify::verdict::{Decision, Verdict};

/// Most findings of a verdict.
const FINDINGS: usize = 500;

/// Longest text of a finding and longest summary, in bytes.
const TEXT: usize = 16 * 1024;

/// Shortest beginning of a commit's name that is taken for it.
const SHORTEST_HEAD: usize = 7;

/// Why there is no verdict. All texts in here are foreign.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerdictError {
    /// The answer is not one JSON object: silence, prose, several, cut off, or followed by more text.
    #[error("no verdict: {0}")]
    NoObject(#[from] NotSingle),
    /// Fields that are missing, unknown, or of another type.
    #[error("no verdict: the reviewer's answer does not fit the schema: {why}")]
    WrongShape {
        /// Where, and what.
        why: String,
    },
    /// It judged another ticket.
    #[error("no verdict: the reviewer answered for {got:?}, and was asked about {wanted:?}")]
    ForeignTicket {
        /// Asked about.
        wanted: String,
        /// Answered for.
        got: String,
    },
    /// It judged another commit.
    #[error("no verdict: the reviewer judged the commit {got:?}, and was asked about {wanted}")]
    ForeignHead {
        /// Asked about.
        wanted: String,
        /// Answered for.
        got: String,
    },
}

/// What a verdict must be about to count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The ticket's id, or whatever [`super::ReviewRequest::subject`] was.
    pub ticket: String,
    /// Commit that is judged, 40 hexadecimal digits.
    pub head: String,
    /// The reviewer's name in the configuration.
    pub reviewer: String,
    /// Ids of earlier findings that it may say still stand.
    pub earlier: Vec<String>,
    /// Folders that paths may begin with although they should be relative: the worktree's, with the project in it.
    pub folders: Vec<PathBuf>,
}

/// The JSON schema of the answer. Every property is required and nothing else is allowed, as the strict modes of agents
/// and hosts demand; what may be missing is `null`.
pub fn schema() -> Value {
    let nullable = |kind: &str| json!({"type": [kind, "null"]});
    let severities: Vec<&str> = Severity::WORST_FIRST.iter().map(|severity| severity.word()).collect();
    let mut finding = json!({
        "earlier_id": nullable("string"),
        "severity": {"type": "string", "enum": severities},
        "blocking": {"type": "boolean"},
        "file": nullable("string"),
        "line": nullable("integer"),
        "end_line": nullable("integer"),
        "reason": {"type": "string"},
        "required_change": nullable("string"),
        "dimension": nullable("string"),
    });
    finding["earlier_id"]["description"] =
        json!("id of the earlier finding that this one still is, else null");
    finding["file"]["description"] = json!("path from the top of the project, with /");
    finding["line"]["description"] = json!("line in the file as it is at the judged commit, from 1");
    finding["dimension"]["description"] =
        json!("correctness, security, tests, performance, maintainability, documentation, …");
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["ticket", "head", "decision", "summary", "findings"],
        "properties": {
            "ticket": {"type": "string", "description": "as given in the task"},
            "head": {"type": "string", "description": "the judged commit, as given in the task"},
            "decision": {"type": "string", "enum": [Decision::Approve.word(), Decision::ChangesRequired.word()]},
            "summary": {"type": "string"},
            "findings": {"type": "array", "items": {
                "type": "object",
                "additionalProperties": false,
                "required": finding.as_object().map(|all| all.keys().cloned().collect::<Vec<_>>()),
                "properties": finding,
            }},
        },
    })
}

/// The answer as it is on the wire.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    ticket: String,
    head: String,
    decision: Decision,
    #[serde(default)]
    summary: Option<String>,
    findings: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFinding {
    #[serde(default)]
    earlier_id: Option<String>,
    severity: String,
    blocking: bool,
    #[serde(default)]
    file: Option<String>,
    #[serde(default)]
    line: Option<i64>,
    #[serde(default)]
    end_line: Option<i64>,
    reason: String,
    #[serde(default)]
    required_change: Option<String>,
    #[serde(default)]
    dimension: Option<String>,
}

/// The verdict in an agent's answer. `structured` is what the agent's program itself took for the answer to
/// [`schema`]; `answer` is its last message. When there is a message that is one object by itself, its text is what is
/// read, so that a key that stands in it twice is seen.
///
/// The verdict may still contradict itself: see [`Verdict::contradiction`].
///
/// # Errors
/// See [`VerdictError`].
pub fn verdict(
    structured: Option<&Value>,
    answer: Option<&str>,
    expected: &Expected,
) -> Result<Verdict, VerdictError> {
    let shape = |error: serde_json::Error| VerdictError::WrongShape { why: cut(&error.to_string(), 300) };
    let said = single::object(answer.unwrap_or_default());
    let raw: Raw = match (&said, structured) {
        (Ok(text), None) => serde_json::from_str(text).map_err(shape)?,
        (Ok(text), Some(value)) if serde_json::from_str::<Value>(text).is_ok_and(|said| said == *value) => {
            serde_json::from_str(text).map_err(shape)?
        }
        // A list would pass for the fields in their order.
        (_, Some(value)) if !value.is_object() => {
            return Err(VerdictError::WrongShape { why: "it is no object".to_owned() });
        }
        (_, Some(value)) => Raw::deserialize(value).map_err(shape)?,
        (Err(why), None) => return Err(why.clone().into()),
    };
    if raw.ticket.trim() != expected.ticket {
        let got = cut(&raw.ticket, 100);
        return Err(VerdictError::ForeignTicket { wanted: expected.ticket.clone(), got });
    }
    let head = raw.head.trim().to_ascii_lowercase();
    if head.len() < SHORTEST_HEAD || !expected.head.starts_with(&head) {
        let got = cut(&raw.head, 100);
        return Err(VerdictError::ForeignHead { wanted: expected.head.clone(), got });
    }
    if raw.findings.len() > FINDINGS {
        let why = format!("findings: {} of them; at most {FINDINGS} are taken", raw.findings.len());
        return Err(VerdictError::WrongShape { why });
    }
    let mut findings = Vec::with_capacity(raw.findings.len());
    for (at, value) in raw.findings.into_iter().enumerate() {
        if !value.is_object() {
            return Err(VerdictError::WrongShape { why: format!("findings[{at}] is no object") });
        }
        let found: RawFinding = serde_json::from_value(value).map_err(|error| VerdictError::WrongShape {
            why: format!("findings[{at}]: {}", cut(&error.to_string(), 300)),
        })?;
        if found.reason.trim().is_empty() {
            return Err(VerdictError::WrongShape { why: format!("findings[{at}]: reason is empty") });
        }
        findings.push(found.finding(expected));
    }
    Ok(Verdict {
        decision: raw.decision,
        summary: cut(raw.summary.unwrap_or_default().trim(), TEXT),
        findings: sorted(findings),
        by: Source::Reviewer { name: expected.reviewer.clone() },
        head: Some(expected.head.clone()),
    })
}

impl RawFinding {
    fn finding(self, expected: &Expected) -> Finding {
        let text = |text: String| Some(cut(text.trim(), TEXT)).filter(|text| !text.is_empty());
        let mut reason = cut(self.reason.trim(), TEXT);
        let named = self.file.as_deref().map(str::trim).filter(|file| !file.is_empty());
        let file = named.and_then(|file| in_project(file, &expected.folders));
        // Where it is stays known also when it is no file of the project.
        if let (Some(named), None) = (named, &file) {
            reason = format!("{reason} ({})", cut(named, 1000));
        }
        let line =
            |line: Option<i64>| line.and_then(|line| u32::try_from(line).ok()).filter(|line| *line > 0);
        let first = line(self.line).filter(|_| file.is_some());
        let severity = Severity::parse(&self.severity);
        let earlier = self.earlier_id.filter(|id| expected.earlier.contains(id));
        Finding {
            id: earlier.unwrap_or_else(|| Finding::key(file.as_deref(), &reason)),
            severity,
            // What must be mended blocks, whatever stands beside it: nothing red passes under a green flag.
            blocking: self.blocking || severity >= Severity::High,
            end_line: line(self.end_line).filter(|end| first.is_some_and(|first| *end > first)),
            line: first,
            file,
            reason,
            required_change: self.required_change.and_then(text),
            source: Source::Reviewer { name: expected.reviewer.clone() },
            dimension: self.dimension.and_then(text),
            confidence: None,
        }
    }
}

/// `file` as a path from the project's folder; `None` when it is none.
pub(super) fn in_project(file: &str, folders: &[PathBuf]) -> Option<String> {
    let path = Path::new(file);
    let inner = match path.is_absolute() {
        true => folders.iter().find_map(|folder| path.strip_prefix(folder).ok())?,
        false => path,
    };
    let mut parts = Vec::new();
    for part in inner.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::Normal(name) => parts.push(name.to_str()?),
            _ => return None,
        }
    }
    (!parts.is_empty() && !file.contains('\0')).then(|| parts.join("/"))
}

/// Worst first, those that block before those that do not, and no id twice: the second of two equal complaints about
/// one file is its `-2`.
pub(super) fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), !finding.blocking));
    let mut seen: HashMap<String, u32> = HashMap::new();
    for finding in &mut findings {
        let times = seen.entry(finding.id.clone()).or_default();
        *times += 1;
        if *times > 1 {
            finding.id = format!("{}-{times}", finding.id);
        }
    }
    findings
}

#[cfg(test)]
mod tests;
