//! `index/history-locations.yaml`: which history file an archived ticket stands in. planfile finds archived blockers
//! and shown tickets through it, so every move keeps it right.

use std::collections::BTreeMap;

use serde_yaml::Value;

use crate::base::yaml;

const SCHEMA: &str = "planfile.history-locations/v1";

/// The locator's content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Locator {
    /// Ticket id to history stem.
    pub(super) tickets: BTreeMap<String, String>,
}

impl Locator {
    /// Reads the file's text; `None` when it is not a locator (then it must not be overwritten).
    pub(super) fn parse(text: &str) -> Option<Locator> {
        if text.trim().is_empty() {
            return Some(Locator::default());
        }
        if let Some(plain) = plain(text) {
            return Some(plain);
        }
        let root: Value = yaml::from_str(text).ok()?;
        let known = |key: &Value| matches!(key.as_str(), Some("schema" | "tickets"));
        if !root.as_mapping()?.keys().all(known) {
            return None;
        }
        let mut tickets = BTreeMap::new();
        match root.get("tickets") {
            None | Some(Value::Null) => {}
            Some(Value::Mapping(map)) => {
                for (id, stem) in map {
                    tickets.insert(id.as_str()?.to_owned(), stem.as_str()?.to_owned());
                }
            }
            Some(_) => return None,
        }
        Some(Locator { tickets })
    }

    /// The file's text as planfile lays it out.
    pub(super) fn text(&self) -> String {
        let mut text = format!("schema: {SCHEMA}\n");
        if self.tickets.is_empty() {
            text.push_str("tickets: {}\n");
            return text;
        }
        text.push_str("tickets:\n");
        for (id, stem) in &self.tickets {
            text.push_str(&format!("  {}: {}\n", scalar(id), scalar(stem)));
        }
        text
    }
}

/// A locator as planfile and we write it, ids and stems plain; `None` says nothing. A hundred times as fast as YAML.
fn plain(text: &str) -> Option<Locator> {
    let lines = text.strip_prefix("schema: planfile.history-locations/v1\ntickets:\n")?.strip_suffix('\n')?;
    let mut tickets = BTreeMap::new();
    for line in lines.split('\n') {
        let (id, stem) = line.strip_prefix("  ")?.split_once(": ")?;
        let twice = tickets.insert(id.to_owned(), stem.to_owned()).is_some();
        (!twice && is_plain(id) && is_plain(stem)).then_some(())?;
    }
    Some(Locator { tickets })
}

/// Plain where every YAML reader sees a text (a letter first, a dash inside, nothing special), else as a JSON string.
fn scalar(text: &str) -> String {
    if is_plain(text) { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

fn is_plain(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text.contains('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_planfile_writes_it() {
        let text = "schema: planfile.history-locations/v1\ntickets:\n  PLF-004: history-2026-11-21\n  PLF-005: history-2026-11-20\n";
        let locator = Locator::parse(text).unwrap();
        assert_eq!(locator.tickets["PLF-005"], "history-2026-11-20");
        assert_eq!(locator.text(), text);
        assert_eq!(plain(text), Some(locator));
    }

    #[test]
    fn the_plain_reading_is_the_yaml_reading_or_none() {
        let head = "schema: planfile.history-locations/v1\ntickets:\n";
        for odd in [
            "  A-1: b-1\n  A-1: b-2\n",
            "  A-1: b-1 # x\n",
            "  'A-1': b-1\n",
            "  A-1: yes\n",
            "  A-1: b-1",
            " A-1: b-1\n",
        ] {
            assert_eq!(plain(&format!("{head}{odd}")), None, "{odd}");
        }
    }

    #[test]
    fn odd_ids_survive() {
        let ids = ["a/b c-003", "yes", "1e3", "x: y", "\"", "é-1"];
        let tickets = ids.iter().map(|id| ((*id).to_owned(), "history-2026-11-21".to_owned())).collect();
        let locator = Locator { tickets };
        assert_eq!(Locator::parse(&locator.text()), Some(locator));
    }

    #[test]
    fn something_else_is_not_taken_for_a_locator() {
        for text in ["- 1\n", "tickets: [1]\n", "tickets:\n  A: 1\n", "other: 1\n", "tickets: {a\n"] {
            assert_eq!(Locator::parse(text), None, "{text}");
        }
        assert_eq!(Locator::parse(""), Some(Locator::default()));
    }
}
