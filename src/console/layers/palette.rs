//! Search over every named action, best match first; what does not work now stands last, with the reason.
//!
//! Owns the query and its matches, computed when the query changes.

use nucleo_matcher::pattern::{CaseMatching, Normalization, Pattern};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::console::actions::{Action, SPECS};
use crate::console::list::List;

use super::field::TextField;

/// One line of the palette.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) action: Action,
    /// Why it does not work now, safe text.
    pub(crate) disabled: Option<String>,
}

/// The palette.
#[derive(Debug)]
pub(crate) struct Palette {
    pub(crate) query: TextField,
    pub(crate) found: List<Found>,
    /// Every action with the reason why it does not work, as of opening.
    all: Vec<Found>,
}

impl Palette {
    pub(crate) fn new(all: Vec<Found>) -> Palette {
        let mut palette = Palette { query: TextField::new("", true), found: List::default(), all };
        palette.search();
        palette
    }

    /// Matches again; the selection goes to the best.
    pub(crate) fn search(&mut self) {
        let pattern = Pattern::parse(&self.query.text(), CaseMatching::Ignore, Normalization::Smart);
        let query = self.query.text().to_lowercase();
        let mut matcher = Matcher::new(Config::DEFAULT);
        let mut buffer = Vec::new();
        let mut scored: Vec<(bool, u32, usize, &Found)> = Vec::new();
        for (index, found) in self.all.iter().enumerate() {
            let spec = found.action.spec();
            // The title weighs more than the name; the explanation counts only where it holds the words as they are.
            let fuzzy = [(spec.title, 4), (spec.name, 3)]
                .into_iter()
                .filter_map(|(text, weight)| {
                    Some(pattern.score(Utf32Str::new(text, &mut buffer), &mut matcher)? * weight)
                })
                .max();
            let score = fuzzy.or_else(|| spec.explain.to_lowercase().contains(&query).then_some(1));
            if let Some(score) = score {
                scored.push((found.disabled.is_some(), u32::MAX - score, index, found));
            }
        }
        scored.sort_by_key(|(disabled, score, index, _)| (*disabled, *score, *index));
        self.found = List::new(scored.into_iter().map(|(.., found)| found.clone()).collect());
    }

    /// Every action, for a palette.
    pub(crate) fn listed(disabled: impl Fn(Action) -> Option<String>) -> Vec<Found> {
        SPECS
            .iter()
            .filter(|spec| {
                !spec.scopes.iter().all(|scope| matches!(scope, crate::console::actions::Scope::Form))
            })
            .map(|spec| Found { action: spec.action, disabled: disabled(spec.action) })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_match_comes_first_and_disabled_ones_last() {
        let all = Palette::listed(|action| (action == Action::Retry).then(|| "nothing failed".to_owned()));
        let mut palette = Palette::new(all);
        assert_eq!(palette.found.rows().last().map(|found| found.action), Some(Action::Retry));
        palette.query.set("retr");
        palette.search();
        assert!(
            palette
                .found
                .rows()
                .iter()
                .any(|found| found.action == Action::Retry && found.disabled.is_some())
        );
        palette.query.set("filter");
        palette.search();
        assert_eq!(palette.found.chosen().map(|found| found.action), Some(Action::Filter));
        palette.query.set("zzzz");
        palette.search();
        assert_eq!(palette.found.chosen(), None);
    }
}
