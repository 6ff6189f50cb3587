//! The envelope of `kagura-code-reviewer`, schema 1 (kagura-engineer §8), read with that reader's defaults.

use serde_json::{Map, Value};

use super::answer::{in_project, sorted};
use super::fenced::cut;
use crate::verify::finding::{Finding, Severity, Source};
use crate::verify::verdict::{Decision, Verdict};

/// Most findings that are kept.
const FINDINGS: usize = 1000;

/// Longest text, in bytes.
const TEXT: usize = 16 * 1024;

/// An envelope that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Envelope {
    /// The verdict's word as given (foreign text).
    pub(super) word: String,
    /// `summary` as given.
    pub(super) summary: Map<String, Value>,
    /// As our own.
    pub(super) verdict: Verdict,
}

impl Envelope {
    /// Reads one; `None` when it is not JSON, no object, or its verdict is missing or no text.
    pub(super) fn read(bytes: &[u8], reviewer: &str, head: &str) -> Option<Envelope> {
        let value: Value =
            serde_json::from_slice(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)).ok()?;
        let fields = value.as_object()?;
        let word = fields.get("verdict")?.as_str()?.to_owned();
        let findings =
            fields.get("findings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let by = Source::Reviewer { name: reviewer.to_owned() };
        // Cut once the worst stand first: what blocks is not hidden behind what does not.
        let findings = findings.iter().filter_map(|value| finding(value.as_object()?, &by));
        let mut findings = sorted(findings.collect());
        findings.truncate(FINDINGS);
        let verdict = Verdict {
            decision: match word.as_str() {
                "green" | "yellow" => Decision::Approve,
                _ => Decision::ChangesRequired,
            },
            summary: String::new(),
            findings,
            by,
            head: Some(head.to_owned()),
        };
        let summary = fields.get("summary").and_then(Value::as_object).cloned().unwrap_or_default();
        Some(Envelope { word: cut(&word, 100), summary, verdict })
    }

    /// Whether the reviewer says that it could not look at everything.
    pub(super) fn is_incomplete(&self) -> bool {
        self.summary.get("incomplete").and_then(Value::as_bool).unwrap_or(false)
    }
}

fn finding(fields: &Map<String, Value>, by: &Source) -> Option<Finding> {
    let text = |key: &str| {
        let text = fields.get(key).and_then(Value::as_str).unwrap_or_default().trim();
        Some(cut(text, TEXT)).filter(|text| !text.is_empty())
    };
    let (title, rationale) = (text("title"), text("rationale"));
    let file = text("file").and_then(|file| in_project(&file, &[]));
    let severity = match fields.get("severity") {
        None | Some(Value::Null) => Severity::Info,
        Some(word) => Severity::parse(word.as_str().unwrap_or_default()),
    };
    let line = fields.get("line").and_then(Value::as_u64).and_then(|line| u32::try_from(line).ok());
    let name = title.as_deref().or(rationale.as_deref()).unwrap_or_default();
    Some(Finding {
        id: Finding::key(file.as_deref(), name),
        severity,
        blocking: severity >= Severity::High,
        line: line.filter(|line| *line > 0 && file.is_some()),
        end_line: None,
        file,
        reason: [title, rationale].into_iter().flatten().collect::<Vec<_>>().join("\n"),
        required_change: text("suggestion"),
        source: by.clone(),
        dimension: Some(text("dimension").unwrap_or_else(|| "general".to_owned())),
        confidence: fields
            .get("confidence")
            .and_then(Value::as_f64)
            .filter(|sure| (0.0..=1.0).contains(sure)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::verdict::Contradiction;

    fn read(text: &str) -> Option<Envelope> {
        Envelope::read(text.as_bytes(), "kagura", "head")
    }

    fn fixture(name: &str) -> Option<Envelope> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/kagura/envelopes/");
        read(&std::fs::read_to_string(format!("{folder}{name}")).unwrap())
    }

    #[test]
    fn every_recorded_envelope_is_read() {
        let of = |name: &str| {
            let read = fixture(name).unwrap();
            let counts = (read.verdict.findings.len(), read.verdict.blockers().count());
            (read.word.clone(), read.verdict.decision, counts, read.is_incomplete())
        };
        use Decision::{Approve, ChangesRequired};
        assert_eq!(of("green.json"), ("green".to_owned(), Approve, (0, 0), false));
        assert_eq!(of("yellow.json"), ("yellow".to_owned(), Approve, (2, 0), false));
        assert_eq!(of("red.json"), ("red".to_owned(), ChangesRequired, (3, 2), false));
        assert_eq!(of("red-incomplete.json"), ("red".to_owned(), ChangesRequired, (1, 1), true));
        assert_eq!(of("unknown-verdict.json"), ("purple".to_owned(), ChangesRequired, (0, 0), false));
        assert_eq!(fixture("garbage.txt"), None);
    }

    #[test]
    fn a_finding_keeps_all_that_was_said() {
        let read = fixture("red.json").unwrap();
        let wanted = Finding {
            id: Finding::key(Some("src/auth.py"), "Token compared with =="),
            severity: Severity::Critical,
            blocking: true,
            file: Some("src/auth.py".to_owned()),
            line: Some(41),
            end_line: None,
            reason: "Token compared with ==\nTiming-observable comparison.".to_owned(),
            required_change: Some("Use a constant-time compare.".to_owned()),
            source: Source::Reviewer { name: "kagura".to_owned() },
            dimension: Some("security".to_owned()),
            confidence: Some(0.75),
        };
        assert_eq!(read.verdict.findings[0], wanted);
    }

    #[test]
    fn the_readers_defaults_hold() {
        let read = read(
            r#"{"verdict": "green", "findings": [{}, 7, {"line": "3", "severity": "odd", "file": "a"}]}"#,
        );
        let read = read.unwrap();
        let said: Vec<_> =
            read.verdict.findings.iter().map(|f| (f.severity, f.line, f.dimension.clone())).collect();
        let general = Some("general".to_owned());
        assert_eq!(said, [(Severity::Medium, None, general.clone()), (Severity::Info, None, general)]);
        for bad in ["", "[]", "{}", r#"{"verdict": 1}"#, r#"{"verdict": null}"#, "{\"verdict\": \"gre"] {
            assert_eq!(super::tests::read(bad), None, "{bad}");
        }
    }

    #[test]
    fn red_hidden_under_green_is_a_contradiction() {
        let read = read(r#"{"verdict": "green", "findings": [{"severity": "HIGH", "title": "t"}]}"#).unwrap();
        assert_eq!(read.verdict.contradiction(), Some(Contradiction::ApprovedWithBlockers));
    }

    #[test]
    fn what_blocks_is_not_hidden_behind_a_thousand_details() {
        let mut findings = vec![serde_json::json!({"severity": "INFO", "title": "detail"}); 1500];
        findings.push(serde_json::json!({"severity": "CRITICAL", "title": "the one"}));
        let read = read(&serde_json::json!({"verdict": "green", "findings": findings}).to_string()).unwrap();
        assert_eq!((read.verdict.findings.len(), &*read.verdict.findings[0].reason), (FINDINGS, "the one"));
        assert_eq!(read.verdict.contradiction(), Some(Contradiction::ApprovedWithBlockers));
    }
}
