//! Which lines are shown: what the filter lets through and no fold hides.
//!
//! Owns the filter and what the operator folded and unfolded, by the number of a block's head. A call and the result
//! right below it are one row while both are folded: the result's head stands at the right of the call's.

use std::collections::HashMap;

use super::index::{Index, Mask, Near};
use crate::runtime::protocol::Channel;

/// A diff of at most so many lines, its head not counted, is open unless the operator folds it.
const SMALL_DIFF: u64 = 12;

const CALL: Mask = Mask::of(&[Channel::Tool]);
const FOLDED: Mask = Mask::of(&[Channel::Thinking, Channel::Tool, Channel::ToolOutput, Channel::ToolError]);
const FILE: Mask = Mask::of(&[Channel::File]);
const RESULT: Mask = Mask::of(&[Channel::ToolOutput, Channel::ToolError]);
/// What [`Filter::Errors`] shows and what is jumped to.
pub(super) const ERRORS: Mask = Mask::of(&[Channel::Error, Channel::ToolError, Channel::Retry, Channel::Err]);

/// What is shown of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Filter {
    /// Everything.
    #[default]
    All,
    /// Answers, the operator's words and what commands print.
    Text,
    /// Tool calls and their results.
    Tools,
    /// File changes.
    Edits,
    /// Errors, retries and rate limits.
    Errors,
    /// Everything but reasoning.
    NoThinking,
}

impl Filter {
    /// In the order of the menu.
    pub(crate) const EVERY: [Filter; 6] =
        [Filter::All, Filter::Text, Filter::Tools, Filter::Edits, Filter::Errors, Filter::NoThinking];

    /// The word on the screen.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Filter::All => "everything",
            Filter::Text => "text",
            Filter::Tools => "tools",
            Filter::Edits => "edits",
            Filter::Errors => "errors",
            Filter::NoThinking => "no thinking",
        }
    }

    fn mask(self) -> Mask {
        match self {
            Filter::All => Mask::ALL,
            Filter::Text => Mask::of(&[Channel::Text, Channel::Operator, Channel::Out, Channel::Note]),
            Filter::Tools => {
                Mask::of(&[Channel::Tool, Channel::ToolInput, Channel::ToolOutput, Channel::ToolError])
            }
            Filter::Edits => Mask::of(&[Channel::File, Channel::Diff]),
            Filter::Errors => ERRORS,
            Filter::NoThinking => Mask::ALL.without(Mask::of(&[Channel::Thinking])),
        }
    }
}

/// What is folded where the operator did not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Usual {
    /// By what it is.
    #[default]
    Kind,
    /// Everything is open.
    Open,
    /// Everything is folded.
    Folded,
}

/// Which lines are shown.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) index: Index,
    pub(super) filter: Filter,
    usual: Usual,
    /// Heads that the operator folded (true) or opened.
    chosen: HashMap<u64, bool>,
}

impl Shown {
    /// Folds or opens all blocks, whatever was chosen for single ones.
    pub(super) fn set_all(&mut self, usual: Usual) {
        self.usual = usual;
        self.chosen.clear();
    }

    /// Whether every block was opened at once.
    pub(super) fn is_all_open(&self) -> bool {
        self.usual == Usual::Open
    }

    /// Whether the block with this head is shut, if there is anything to shut.
    fn is_shut(&self, head: u64) -> bool {
        if let Some(shut) = self.chosen.get(&head) {
            return *shut;
        }
        match self.usual {
            Usual::Open => false,
            Usual::Folded => true,
            Usual::Kind if self.index.is(head, FILE) => self.index.length(head) > SMALL_DIFF + 1,
            // What a tool prints while it runs is read as it comes.
            Usual::Kind if self.index.is(head, RESULT) && !self.index.answers(head) => {
                self.index.nearest(head + self.index.length(head) - 1, true, Mask::ALL) != Near::End
            }
            Usual::Kind if self.index.is(head, CALL) => {
                let last = head + self.index.length(head) - 1;
                !self.index.is(last, RESULT) || self.index.nearest(last, true, Mask::ALL) != Near::End
            }
            Usual::Kind => self.index.is(head, FOLDED),
        }
    }

    /// The call on whose row a result's head stands.
    fn joined_to(&self, line: u64) -> Option<u64> {
        if !self.index.answers(line) || !self.filter.mask().has(Channel::Tool) || !self.is_shut(line) {
            return None;
        }
        let call = self.index.head(line.checked_sub(1)?);
        (self.index.is(call, CALL) && self.is_shut(call)).then_some(call)
    }

    /// The result whose head stands on the row of this call.
    pub(super) fn joined(&self, call: u64) -> Option<u64> {
        if !self.index.is(call, CALL) {
            return None;
        }
        let after = call + self.index.length(call);
        (self.joined_to(after) == Some(call)).then_some(after)
    }

    /// Whether this line is the head of a block that hides something now (true), or could (false); `None` for others.
    pub(super) fn fold(&self, line: u64) -> Option<bool> {
        if !self.index.is_known(line) || self.index.goes_on(line) {
            return None;
        }
        let shut = self.is_shut(line);
        let hides = self.index.length(line) > 1 || self.joined(line).is_some();
        let could = hides || (self.index.is(line, CALL) && self.index.answers(line + 1));
        could.then_some(shut && hides)
    }

    /// Lines of a block besides its head.
    pub(super) fn inside(&self, head: u64) -> u64 {
        self.index.length(head) - 1
    }

    /// Folds or opens the block of a line; gives its head, which is where the line is to be found then.
    pub(super) fn toggle(&mut self, line: u64) -> Option<u64> {
        let head = self.index.head(line);
        let shut = self.fold(head)?;
        if let Some(result) = self.joined(head) {
            self.chosen.insert(result, false);
        } else if !shut && self.index.is(head, CALL) {
            // Shutting the call alone would leave its result standing open below.
            let result = head + self.index.length(head);
            if self.index.answers(result) {
                self.chosen.insert(result, true);
            }
        }
        self.chosen.insert(head, !shut);
        Some(head)
    }

    /// Makes a line visible: opens what hides it, and lets everything through if the filter does not let it.
    pub(super) fn reveal(&mut self, line: u64) {
        if !self.index.is(line, self.filter.mask()) {
            self.filter = Filter::All;
        }
        let head = self.index.head(line);
        if let Some(call) = self.joined_to(head) {
            self.chosen.insert(call, false);
        }
        if head != line {
            self.chosen.insert(head, false);
        }
    }

    /// Whether a line has a row of its own. A line of which nothing is known has one: it says so.
    pub(super) fn is_visible(&self, line: u64) -> bool {
        if !self.index.is_known(line) {
            return true;
        }
        self.index.is(line, self.filter.mask())
            && !(self.index.goes_on(line) && self.is_shut(self.index.head(line)))
            && self.joined_to(line).is_none()
    }

    /// The nearest line beyond `from` that has a row. Under a filter, of lines that were never read only the first has.
    pub(super) fn next(&self, from: u64, forward: bool) -> Near {
        if self.filter != Filter::All && from < self.index.end() && !self.index.is_known(from) {
            let beside = if forward { from.checked_add(1) } else { from.checked_sub(1) };
            if beside.is_none_or(|beside| !self.index.is_known(beside)) {
                return Near::End;
            }
        }
        let mut at = from;
        loop {
            match self.index.nearest(at, forward, self.filter.mask()) {
                Near::Line(line) => {
                    if self.index.goes_on(line) {
                        let head = self.index.head(line);
                        if self.is_shut(head) {
                            // Going back its head comes next; going forward what is behind the block.
                            at = if forward { head + self.index.length(head) - 1 } else { head + 1 };
                            continue;
                        }
                    } else if self.joined_to(line).is_some() {
                        at = line;
                        continue;
                    }
                    return Near::Line(line);
                }
                other => return other,
            }
        }
    }
}
