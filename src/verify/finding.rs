//! One thing that somebody found wrong with a piece of work: one type for what a reviewing agent, the
//! `kagura-code-reviewer` program, a quality gate or the operator says.
//!
//! Owned by whoever judged; plain data afterwards. Invariant: [`Finding::id`] is the same for the same complaint about
//! the same file in two rounds, wherever its line has moved to, so that rounds can be compared.

use serde::{Deserialize, Serialize};

/// How bad a finding is, mildest first. The words are those of `kagura-code-reviewer`, in lower case.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// A detail.
    Low,
    /// Should be mended. Also what a severity is read as that nobody knows (kagura-engineer §8).
    #[default]
    Medium,
    /// Must be mended.
    High,
    /// Must be mended before anything else.
    Critical,
}

impl Severity {
    /// Every severity, worst first: the order of lists.
    pub const WORST_FIRST: [Severity; 5] =
        [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Info];

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    /// Reads a foreign word, in any case; words of neighbouring vocabularies (`blocker`, `major`, `minor`, `nit`, …) are
    /// understood, and what nobody knows is [`Severity::Medium`].
    pub fn parse(word: &str) -> Severity {
        match word.trim().to_ascii_lowercase().as_str() {
            "critical" | "blocker" | "blocking" | "fatal" => Severity::Critical,
            "high" | "major" | "error" => Severity::High,
            "low" | "minor" | "trivial" => Severity::Low,
            "info" | "nit" | "note" | "suggestion" | "style" => Severity::Info,
            _ => Severity::Medium,
        }
    }
}

/// Who found it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum Source {
    /// A reviewing agent, or a reviewing program.
    Reviewer {
        /// Its name in the configuration.
        name: String,
    },
    /// A quality gate.
    Gate {
        /// Its name.
        gate: String,
    },
    /// The operator, typed or as a comment on lines of a diff.
    Operator {
        /// The actor.
        actor: String,
    },
}

/// A finding. All texts are foreign and possibly long; whoever shows them makes them safe.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What it is known by ([`Finding::key`]), unless its author gave it an id of its own.
    pub id: String,
    /// How bad.
    pub severity: Severity,
    /// Whether the work may not pass while it stands.
    pub blocking: bool,
    /// Path from the project's folder, when it is about a file.
    #[serde(default)]
    pub file: Option<String>,
    /// Line in the work as it was judged, from 1.
    #[serde(default)]
    pub line: Option<u32>,
    /// Last line of a range; `None` for one line.
    #[serde(default)]
    pub end_line: Option<u32>,
    /// What is wrong.
    pub reason: String,
    /// What is to be done about it.
    #[serde(default)]
    pub required_change: Option<String>,
    /// Who found it.
    pub source: Source,
    /// What it is about, in the reviewer's words (`correctness`, `security`, …).
    #[serde(default)]
    pub dimension: Option<String>,
    /// How sure the reviewer is, 0 to 1.
    #[serde(default)]
    pub confidence: Option<f64>,
}

impl Finding {
    /// A complaint that the work may not pass with, about no file: what most complaints begin as.
    pub fn blocking(reason: impl Into<String>, source: Source) -> Finding {
        let reason = reason.into();
        Finding {
            id: Finding::key(None, &reason),
            severity: Severity::High,
            blocking: true,
            file: None,
            line: None,
            end_line: None,
            reason,
            required_change: None,
            source,
            dimension: None,
            confidence: None,
        }
    }

    /// What a person wants to have mended, in their own words.
    pub fn of_operator(words: &str, actor: &str) -> Finding {
        Finding::blocking(words.trim(), Source::Operator { actor: actor.to_owned() })
    }

    /// The id of a complaint: 12 hexadecimal digits of a hash over the file and the words of the reason, without regard
    /// to case, spacing, punctuation and numbers (a line number in the text does not make it another complaint).
    pub fn key(file: Option<&str>, reason: &str) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        hash.update(file.unwrap_or_default().as_bytes());
        hash.update([0]);
        for word in reason.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()) {
            hash.update(word.to_lowercase().as_bytes());
            hash.update([b' ']);
        }
        hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// `src/parser.rs:118`, `src/parser.rs`, or nothing.
    pub fn place(&self) -> Option<String> {
        let file = self.file.as_deref()?;
        Some(match (self.line, self.end_line) {
            (Some(line), Some(end)) if end > line => format!("{file}:{line}-{end}"),
            (Some(line), _) => format!("{file}:{line}"),
            (None, _) => file.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_complaint_has_the_same_id_wherever_its_line_went() {
        let key = |reason| Finding::key(Some("a.rs"), reason);
        assert_eq!(key("CR alone ends a line (line 12)."), key("CR alone  ends a line, (line 40)"));
        assert_ne!(key("CR alone"), key("LF alone"));
        assert_ne!(key("CR alone"), Finding::key(Some("b.rs"), "CR alone"));
    }

    #[test]
    fn what_a_person_says_must_be_mended_and_is_known_by_its_words() {
        let said = Finding::of_operator(" split it\n", "ann");
        assert_eq!((said.reason.as_str(), said.severity, said.blocking), ("split it", Severity::High, true));
        assert_eq!((&*said.id, said.place()), (&*Finding::key(None, "split it"), None));
        assert_eq!(said.source, Source::Operator { actor: "ann".to_owned() });
    }

    #[test]
    fn foreign_words_of_severity_are_understood() {
        let read = ["HIGH", "blocker", "nit", "minor", "purple", " Info "].map(Severity::parse);
        use Severity::{Critical, High, Info, Low, Medium};
        assert_eq!(read, [High, Critical, Info, Low, Medium, Info]);
    }
}
