//! The block `promotion`: what may land on the base branch, and how (openloop §4, §6).
//!
//! Fails closed: a rule that cannot be understood refuses every landing ([`PromotionSettings::refused`]) instead of
//! letting through what it was to keep out.

use serde::{Deserialize, Serialize};
use serde_yaml::Mapping;

use super::NoteLevel;
use super::reader::Reader;

/// How much a change may hurt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Risk {
    /// It may land by itself, where the configuration says so.
    Low,
    /// A person approves.
    #[default]
    Medium,
    /// A person approves, and types a word for it.
    High,
}

impl Risk {
    /// The word in labels (`risk:high`) and on disk.
    pub fn word(self) -> &'static str {
        match self {
            Risk::Low => "low",
            Risk::Medium => "medium",
            Risk::High => "high",
        }
    }

    /// The risk that a word means; openloop's `low-risk` and the like count too.
    pub fn parse(word: &str) -> Option<Risk> {
        let word = word.trim().to_lowercase();
        [Risk::Low, Risk::Medium, Risk::High]
            .into_iter()
            .find(|risk| word.strip_suffix("-risk").unwrap_or(&word) == risk.word())
    }
}

/// How work comes onto a base that has moved on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Onto {
    /// Its commits are put on top, one by one; a merge commit where they cannot be (they hold merges).
    #[default]
    Rebase,
    /// A merge commit joins both.
    Merge,
    /// It does not: a base that has moved on is refused.
    FastForward,
}

/// What may land, and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PromotionSettings {
    /// Branch that work lands on; the one that it was begun from when `None`.
    pub base: Option<String>,
    /// How, when the base has moved on.
    pub onto: Onto,
    /// Whether low-risk work whose checks all passed may land without a person.
    pub auto_merge: bool,
    /// Risk of a ticket without a label `risk:*`.
    pub default_risk: Risk,
    /// Globs of paths that work may touch; everything when empty.
    pub allow: Vec<String>,
    /// Globs of paths that work may not touch.
    pub deny: Vec<String>,
    /// Globs of paths that make work high-risk.
    pub high_risk: Vec<String>,
    /// Why nothing lands, as a sentence: a rule here cannot be understood.
    #[serde(skip)]
    pub refused: Option<String>,
}

/// Keys of the block.
const KEYS: [&str; 7] = ["base", "onto", "auto_merge", "default_risk", "allow", "deny", "high_risk"];

/// Reads the block.
pub(super) fn read(reader: &mut Reader<'_>, root: &Mapping) -> PromotionSettings {
    let before = reader.notes.len();
    let mut settings = PromotionSettings::default();
    if let Some(block) = reader.block(root, "promotion") {
        reader.strangers(block, "promotion", &KEYS);
        settings.base = reader.text(block, "promotion.base");
        settings.auto_merge = reader.flag(block, "promotion.auto_merge").unwrap_or(false);
        match reader.text(block, "promotion.onto").as_deref() {
            None | Some("rebase") => {}
            Some("merge") => settings.onto = Onto::Merge,
            Some("fast-forward") => settings.onto = Onto::FastForward,
            Some(other) => {
                reader.error("promotion.onto", format!("is `{other}`; use rebase, merge or fast-forward"))
            }
        }
        if let Some(word) = reader.text(block, "promotion.default_risk") {
            match Risk::parse(&word) {
                Some(risk) => settings.default_risk = risk,
                None => {
                    reader.error("promotion.default_risk", format!("is `{word}`; use low, medium or high"))
                }
            }
        }
        for (key, globs) in [
            ("promotion.allow", &mut settings.allow),
            ("promotion.deny", &mut settings.deny),
            ("promotion.high_risk", &mut settings.high_risk),
        ] {
            *globs = reader.texts(block, key);
            for pattern in globs.iter() {
                if let Err(error) = globset::Glob::new(pattern) {
                    reader.error(key, format!("holds `{pattern}`, which is no glob ({})", error.kind()));
                }
            }
        }
    }
    // A misspelt `deny` keeps nothing out, so a key that nobody knows counts as a mistake here.
    let wrong = reader.notes[before..].iter().find(|note| note.level != NoteLevel::WholeFile);
    settings.refused =
        wrong.map(|note| format!("`{}` {}; nothing lands until it is corrected", note.key, note.message));
    settings
}

#[cfg(test)]
mod tests {
    use super::super::load::from_bytes;
    use super::*;

    fn read(text: &str) -> PromotionSettings {
        from_bytes(text.as_bytes()).0.promotion
    }

    #[test]
    fn every_key_is_read() {
        let text = "promotion:\n  base: trunk\n  onto: merge\n  auto_merge: true\n  default_risk: low-risk\n  \
                    allow: [src/**]\n  deny: [infra/**]\n  high_risk: ['*.tf']\n";
        let expected = PromotionSettings {
            base: Some("trunk".to_owned()),
            onto: Onto::Merge,
            auto_merge: true,
            default_risk: Risk::Low,
            allow: vec!["src/**".to_owned()],
            deny: vec!["infra/**".to_owned()],
            high_risk: vec!["*.tf".to_owned()],
            refused: None,
        };
        assert_eq!(read(text), expected);
        assert_eq!(read("roles: {}\n"), PromotionSettings::default());
    }

    #[test]
    fn a_rule_that_is_not_understood_refuses_every_landing() {
        for text in [
            "promotion: {denny: [infra/**]}\n",
            "promotion: {deny: ['a[']}\n",
            "promotion: {deny: {a: b}}\n",
            "promotion: {onto: squash}\n",
            "promotion: {default_risk: some}\n",
            "promotion: [deny]\n",
        ] {
            let refused = read(text).refused.unwrap_or_default();
            assert!(refused.ends_with("nothing lands until it is corrected"), "{text}: {refused}");
        }
        let (unreadable, _) = from_bytes(b"promotion: {deny: [\n");
        assert!(unreadable.promotion.refused.is_some());
    }
}
