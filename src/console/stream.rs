//! The lines of one run as the output pane shows them, until `output` takes this role over.
//!
//! Owns at most [`KEPT`] lines. Scroll follows only at the tail (rule I).

use std::collections::VecDeque;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::base::text::safe_line;
use crate::runtime::protocol::{Channel, OutputLine};

use super::theme::{Role, Theme};

const KEPT: usize = 5_000;

/// One run's output.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    lines: VecDeque<OutputLine>,
    /// Number of the line after the last.
    next: u64,
    /// Lines above the tail; 0 follows.
    above: usize,
    query: String,
}

impl Stream {
    /// Takes lines in; what is missing before them comes back as (first, count).
    pub(crate) fn push(&mut self, first: u64, lines: &[OutputLine]) -> Option<(u64, u32)> {
        let missing =
            (first > self.next).then(|| (self.next, u32::try_from(first - self.next).unwrap_or(u32::MAX)));
        let known = usize::try_from(self.next.saturating_sub(first)).unwrap_or(usize::MAX);
        let fresh = lines.get(known..).unwrap_or_default();
        self.next = self.next.max(first + lines.len() as u64);
        self.lines.extend(fresh.iter().cloned());
        let surplus = self.lines.len().saturating_sub(KEPT);
        self.lines.drain(..surplus);
        if self.above > 0 {
            self.above = (self.above + fresh.len()).min(self.lines.len());
        }
        missing
    }

    pub(crate) fn scroll(&mut self, by: isize) {
        self.above = self.above.saturating_add_signed(-by).min(self.lines.len().saturating_sub(1));
    }

    pub(crate) fn to_top(&mut self) {
        self.above = self.lines.len().saturating_sub(1);
    }

    pub(crate) fn follow(&mut self) {
        self.above = 0;
    }

    pub(crate) fn is_following(&self) -> bool {
        self.above == 0
    }

    pub(crate) fn search(&mut self, query: &str) {
        query.clone_into(&mut self.query);
    }

    pub(crate) fn query(&self) -> &str {
        &self.query
    }

    pub(crate) fn search_step(&mut self, forward: bool) {
        let bottom = self.lines.len().saturating_sub(self.above + 1);
        let hit = |index: &usize| self.lines.get(*index).is_some_and(|line| line.text.contains(&self.query));
        let found =
            if forward { (bottom + 1..self.lines.len()).find(hit) } else { (0..bottom).rev().find(hit) };
        if let Some(index) = found {
            self.above = self.lines.len() - 1 - index;
        }
    }

    /// The visible lines as plain text.
    pub(crate) fn visible_text(&self, height: usize) -> String {
        let end = self.lines.len().saturating_sub(self.above);
        let lines = self.lines.range(end.saturating_sub(height)..end);
        lines.map(|line| safe_line(line.text.as_bytes()).plain()).collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn draw(&self, theme: &Theme, area: Rect, buffer: &mut Buffer) {
        let end = self.lines.len().saturating_sub(self.above);
        let start = end.saturating_sub(usize::from(area.height));
        for (y, line) in (area.y..area.bottom()).zip(self.lines.range(start..end)) {
            let role = if line.channel == Channel::Err { Role::Error } else { Role::Text };
            let text = safe_line(line.text.as_bytes()).plain();
            buffer.set_stringn(area.x, y, text, usize::from(area.width), theme.style(role));
        }
    }
}
