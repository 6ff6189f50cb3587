//! The state of the pane, and what a frame needs of it.

use std::ops::Range;

use super::layout::{Layout, columns};
use super::scroll::Position;
use super::search::{Match, Search, SearchStatus};
use super::store::Store;
use crate::base::redact::Redactor;
use crate::base::text::SafeLine;
use crate::runtime::protocol::{Channel, OutputLine};

/// Bytes of output held for one run.
pub(super) const BYTES: usize = 4 << 20;
/// Columns before the text: the mark of the channel and a blank.
pub(super) const GUTTER: u16 = 2;
/// Columns of the time and a blank: `1:02:03 `.
pub(super) const TIME: u16 = 9;
/// Narrowest pane that still has a gutter; below, all columns are for text.
const NARROW: u16 = 12;
/// Lines asked for beyond what is seen, so that the next page is there when it is turned to.
const MARGIN: u64 = 200;

/// Lines that the view misses: ask for them with `RunCommand::Fetch` and hand the answer to [`OutputView::supply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// First line, from 0.
    pub(crate) from: u64,
    /// Number of lines.
    pub(crate) count: u32,
}

/// What preparing a frame left to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prepared {
    /// Lines to fetch.
    pub(crate) need: Option<Need>,
    /// The search goes on: prepare again soon, even when nothing else happens.
    pub(crate) busy: bool,
}

/// What can be said about the view, for a title or a footer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Status {
    /// Whether the view stays at the tail.
    pub(crate) following: bool,
    /// Lines that came since the view was frozen.
    pub(crate) new_lines: u64,
    /// Lines of the run.
    pub(crate) total: u64,
    /// Number of the first line on screen, from 0.
    pub(crate) first: u64,
    /// Whether long lines are wrapped.
    pub(crate) wrap: bool,
    /// Columns scrolled to the right.
    pub(crate) left: usize,
    /// The search, if there is one.
    pub(crate) search: Option<SearchStatus>,
}

/// One row, as it will be drawn.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) content: Content,
    /// Whether it is the first row of its line.
    pub(super) first: bool,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Text {
        at_ms: u64,
        channel: Channel,
        line: SafeLine,
        /// Columns that match the search, and whether it is the current match.
        matches: Vec<(Range<usize>, bool)>,
    },
    /// Not held: on its way, or (`true`) not to be had.
    Missing(bool),
}

/// The live output of one run.
#[derive(Debug)]
pub(crate) struct OutputView {
    pub(super) store: Store,
    pub(super) layout: Layout,
    pub(super) search: Option<Search>,
    /// Where the view was when the search began.
    pub(super) origin: Option<(Position, bool)>,
    pub(super) generation: u64,
    pub(super) top: Position,
    pub(super) follow: bool,
    /// `total` when the view was frozen.
    pub(super) frozen_at: u64,
    pub(super) left: usize,
    pub(super) wrap: bool,
    pub(super) times: bool,
    /// Columns and rows of the pane at the last frame.
    pub(super) size: (u16, u16),
    pub(super) rows: Vec<Row>,
    /// Lines on screen at the last frame.
    seen: Range<u64>,
    asked: Option<Range<u64>>,
    refused: Option<Range<u64>>,
}

impl Default for OutputView {
    fn default() -> Self {
        Self::with_limit(BYTES)
    }
}

impl OutputView {
    /// An empty view that follows.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(super) fn with_limit(bytes: usize) -> Self {
        Self {
            store: Store::new(bytes),
            layout: Layout::default(),
            search: None,
            origin: None,
            generation: 0,
            top: Position::default(),
            follow: true,
            frozen_at: 0,
            left: 0,
            wrap: true,
            times: false,
            size: (0, 0),
            rows: Vec::new(),
            seen: 0..0,
            asked: None,
            refused: None,
        }
    }

    /// Takes secrets out of everything shown from now on.
    pub(crate) fn set_redactor(&mut self, redactor: Redactor) {
        self.layout.set_redactor(redactor);
        self.search_again();
    }

    /// New lines of the run, `first` being the number of the first one. Batches may overlap, come twice or out of
    /// order.
    pub(crate) fn push(&mut self, first: u64, lines: &[OutputLine]) {
        self.store.insert(first, lines, &self.seen);
    }

    /// The answer to a [`Need`]. What it leaves out is asked for again, unless it brought nothing at all.
    pub(crate) fn supply(&mut self, first: u64, lines: &[OutputLine]) {
        let before = self.asked.clone().and_then(|asked| self.store.missing(asked));
        self.push(first, lines);
        if let Some(asked) = self.asked.take() {
            self.refused = self.store.missing(asked).filter(|after| before.as_ref() == Some(after));
        }
    }

    /// The run has printed at least `total` lines: a view that is opened late learns so that there is something to
    /// fetch.
    pub(crate) fn set_total(&mut self, total: u64) {
        self.store.raise_total(total);
    }

    /// The request for lines was refused: they are shown as not to be had, and not asked for again while they stay in
    /// sight.
    pub(crate) fn forget_request(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.refused = self.store.missing(asked);
        }
    }

    /// Makes ready what [`OutputView::draw`] will show in a pane of this size. Bounded work, whatever is held.
    pub(crate) fn prepare(&mut self, width: u16, height: u16) -> Prepared {
        self.size = (width, height);
        self.layout.set(usize::from(self.text_width()).max(1), self.wrap);
        let jumped = match &mut self.search {
            Some(search) => search.step(&mut self.store, &self.layout),
            None => false,
        };
        if jumped {
            self.reveal_current();
        }
        self.settle();
        self.build_rows();
        let need = self.need();
        let busy = self.search.as_ref().is_some_and(|search| search.is_busy(&self.store));
        Prepared { need, busy }
    }

    /// What can be said now.
    pub(crate) fn status(&self) -> Status {
        Status {
            following: self.follow,
            new_lines: if self.follow { 0 } else { self.store.total().saturating_sub(self.frozen_at) },
            total: self.store.total(),
            first: self.top.line,
            wrap: self.wrap,
            left: self.left,
            search: self.search.as_ref().map(|search| search.status(&self.store)),
        }
    }

    /// Numbers of the lines on screen.
    #[cfg(test)]
    pub(super) fn seen_lines(&self) -> Range<u64> {
        self.seen.clone()
    }

    /// The text on screen as it is shown, a line each, for copying: safe and without secrets.
    pub(crate) fn visible_text(&mut self) -> String {
        let mut text = String::new();
        for number in self.seen.clone() {
            if let Some(ready) = self.layout.ready(number, &self.store) {
                text.push_str(&ready.line.plain());
                text.push('\n');
            }
        }
        text
    }

    /// Whether the time of each line is shown.
    pub(crate) fn toggle_times(&mut self) {
        self.times = !self.times;
    }

    /// Whether long lines are wrapped, or reached by scrolling sideways.
    pub(crate) fn toggle_wrap(&mut self) {
        self.wrap = !self.wrap;
        self.left = 0;
        self.top.row = 0;
    }

    /// Columns before the text.
    pub(super) fn margin(&self) -> u16 {
        match self.size.0 {
            ..NARROW => 0,
            width if self.times && width >= NARROW + TIME => GUTTER + TIME,
            _ => GUTTER,
        }
    }

    pub(super) fn text_width(&self) -> u16 {
        self.size.0 - self.margin()
    }

    fn build_rows(&mut self) {
        self.rows.clear();
        let (height, total) = (usize::from(self.size.1), self.store.total());
        let mut at = self.top;
        while self.rows.len() < height && at.line < total {
            let rows = self.layout.rows(at.line, &self.store);
            for row in at.row..rows.min(at.row + height - self.rows.len()) {
                let content = self.content(at.line, row);
                self.rows.push(Row { content, first: row == 0 });
            }
            at = Position { line: at.line + 1, row: 0 };
        }
        self.seen = self.top.line..at.line.max(self.top.line);
    }

    fn content(&mut self, number: u64, row: usize) -> Content {
        let (width, left) = (self.layout.width(), self.left);
        let (Some(held), Some(ready)) = (self.store.line(number), self.layout.ready(number, &self.store))
        else {
            return Content::Missing(self.refused.as_ref().is_some_and(|refused| refused.contains(&number)));
        };
        let (before, line) = ready.row(row).map(|(before, line)| (before, line.clone())).unwrap_or_default();
        let mut matches = Vec::new();
        if let Some((search, pattern)) =
            self.search.as_ref().and_then(|search| Some((search, search.pattern()?)))
        {
            let text = ready.line.plain();
            for (nth, range) in (0..).zip(pattern.find(&text)) {
                let found = columns(&text, &range);
                // In columns of this row, then of what is on screen of it.
                let (start, end) = (found.start.max(before), found.end.min(before + line.width()));
                if start < end && end > before + left {
                    let current = search.current == Some(Match { line: number, nth });
                    matches.push((start.saturating_sub(before + left)..end - before - left, current));
                }
            }
        }
        let line = if self.wrap { line } else { line.slice(left, width) };
        Content::Text { at_ms: held.at_ms, channel: held.channel, line, matches }
    }

    fn need(&mut self) -> Option<Need> {
        if self.seen.is_empty() || self.asked.is_some() {
            return None;
        }
        let missing = self.store.missing(self.seen.clone())?;
        let refused = |range: &Range<u64>| {
            self.refused
                .as_ref()
                .is_some_and(|refused| refused.start <= range.start && range.end <= refused.end)
        };
        if refused(&missing) {
            return None;
        }
        let from = missing.start.saturating_sub(MARGIN);
        let wanted = self.store.missing(from..(missing.end + MARGIN).min(self.store.total()))?;
        self.asked = Some(wanted.clone());
        Some(Need { from: wanted.start, count: u32::try_from(wanted.end - wanted.start).unwrap_or(u32::MAX) })
    }
}
