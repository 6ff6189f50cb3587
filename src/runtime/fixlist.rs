//! A fix list as text that a person edits: one paragraph a finding, with severity and place in its first line.
//!
//! ```text
//! [high] src/parser.rs:118
//! CR alone ends a line too
//! Required: handle it in next_line
//! ```
//!
//! What was not touched comes back as the finding that it was; what was changed or added is the operator's.

use super::protocol::review::{Finding, Severity};

const REQUIRED: &str = "Required: ";

/// The list as text.
pub(crate) fn write(findings: &[Finding]) -> String {
    findings.iter().map(paragraph).collect::<Vec<_>>().join("\n")
}

fn paragraph(finding: &Finding) -> String {
    let place = finding.place().map(|place| format!(" {place}")).unwrap_or_default();
    let mut text = format!("[{}]{place}\n", finding.severity.word());
    let mut push = |lead: &str, words: &str| {
        for (at, line) in words.lines().filter(|line| !line.trim().is_empty()).enumerate() {
            text.push_str(if at == 0 { lead } else { "" });
            text.push_str(line);
            text.push('\n');
        }
    };
    push("", &finding.reason);
    push(REQUIRED, finding.required_change.as_deref().unwrap_or_default());
    text
}

/// The findings of a text; `known` are those that it was made of, `actor` whoever edited it.
pub(crate) fn read(text: &str, known: &[Finding], actor: &str) -> Vec<Finding> {
    let text = text.replace("\r\n", "\n");
    let paragraphs = text.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty());
    paragraphs
        .filter_map(|words| {
            let same = known.iter().find(|finding| paragraph(finding).trim() == words);
            same.cloned().or_else(|| parse(words, actor))
        })
        .collect()
}

fn parse(words: &str, actor: &str) -> Option<Finding> {
    let (first, rest) = words.split_once('\n').unwrap_or((words, ""));
    let head = first.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let (severity, (file, line), body) = match head {
        Some((severity, place)) => (Severity::parse(severity), placed(place.trim()), rest),
        None => (Severity::High, (None, None), words),
    };
    let (reason, required) = match body.split_once(REQUIRED) {
        Some((reason, required)) => (reason.trim(), Some(required.trim().to_owned())),
        None => (body.trim(), None),
    };
    // Only a change that is wanted, or only a place with it, says enough.
    let reason = if reason.is_empty() { required.clone()? } else { reason.to_owned() };
    Some(Finding {
        id: Finding::key(file.as_deref(), &reason),
        severity,
        file,
        line,
        required_change: required.filter(|required| !required.is_empty()),
        ..Finding::of_operator(&reason, actor)
    })
}

/// `src/a.rs:12`, `src/a.rs:12-14`, `src/a.rs`, or nothing.
fn placed(place: &str) -> (Option<String>, Option<u32>) {
    if place.is_empty() {
        return (None, None);
    }
    let line = place.rsplit_once(':').and_then(|(file, lines)| {
        let first = lines.split('-').next()?.parse().ok()?;
        Some((file.to_owned(), first))
    });
    match line {
        Some((file, line)) => (Some(file), Some(line)),
        None => (Some(place.to_owned()), None),
    }
}

#[cfg(test)]
mod tests {
    use super::super::protocol::review::Source;
    use super::*;

    fn finding(reason: &str, required: Option<&str>) -> Finding {
        Finding {
            id: "given".to_owned(),
            file: Some("src/a.rs".to_owned()),
            line: Some(12),
            end_line: Some(14),
            required_change: required.map(str::to_owned),
            dimension: Some("correctness".to_owned()),
            ..Finding::blocking(reason, Source::Reviewer { name: "judge".to_owned() })
        }
    }

    #[test]
    fn what_was_not_touched_comes_back_whole() {
        let known = [finding("one\n\ntwo", Some("mend it")), finding("other", None)];
        let text = write(&known);
        assert_eq!(
            text,
            "[high] src/a.rs:12-14\none\ntwo\nRequired: mend it\n\n[high] src/a.rs:12-14\nother\n"
        );
        assert_eq!(read(&text, &known, "ann"), known);
        assert_eq!(read(&text.replace('\n', "\r\n"), &known, "ann"), known);
    }

    #[test]
    fn what_was_changed_or_added_is_the_operators() {
        let known = [finding("other", None)];
        let read = read("[low] src/b.rs:3\nname it\n\njust do it\n\n[high]\n", &known, "ann");
        let by = Source::Operator { actor: "ann".to_owned() };
        let told: Vec<_> = read
            .iter()
            .map(|one| (one.severity, one.place(), one.reason.as_str(), one.source == by))
            .collect();
        assert_eq!(
            told,
            [
                (Severity::Low, Some("src/b.rs:3".to_owned()), "name it", true),
                (Severity::High, None, "just do it", true)
            ]
        );
    }
}
