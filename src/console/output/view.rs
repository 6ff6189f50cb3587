//! The state of the pane, what comes in, and what can be said about it.

use std::ops::Range;

use super::hunt::Hunt;
use super::layout::Layout;
use super::rows::Row;
use super::search::{Search, SearchStatus};
use super::shown::{Filter, Shown};
use super::store::{CHUNK, Store};
use super::walk::Position;
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
/// Longest range asked for at once for what is seen: folds may lie between its ends.
const LONGEST_NEED: u64 = 1_000;
/// The part of a pane that unfinished text may take.
const PARTIAL_SHARE: u16 = 3;

/// Lines that the view misses: ask for them with `RunCommand::Fetch` and hand the answer to [`OutputView::supply`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Need {
    /// First line, from 0.
    pub(crate) from: u64,
    /// Number of lines.
    pub(crate) count: u32,
}

/// What preparing a frame left to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prepared {
    /// Lines to fetch.
    pub(crate) need: Option<Need>,
    /// The search goes on: prepare again soon, even when nothing else happens.
    pub(crate) busy: bool,
    /// Something that the operator asked for came to nothing, as a sentence.
    pub(crate) said: Option<String>,
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
    /// What is shown.
    pub(crate) filter: Filter,
    /// Lines are read on the way to an error or for the filter.
    pub(crate) reading: bool,
    /// The search, if there is one.
    pub(crate) search: Option<SearchStatus>,
}

/// The live output of one run.
#[derive(Debug)]
pub(crate) struct OutputView {
    pub(super) store: Store,
    pub(super) layout: Layout,
    pub(super) shown: Shown,
    pub(super) search: Option<Search>,
    /// Where the view was when the search began.
    pub(super) origin: Option<(Position, bool)>,
    pub(super) generation: u64,
    pub(super) top: Position,
    pub(super) follow: bool,
    /// The row that the operator is on; none while the view follows.
    pub(super) cursor: Option<Position>,
    pub(super) hunt: Option<Hunt>,
    /// Said with the next frame.
    pub(super) said: Option<String>,
    /// `total` when the view was frozen.
    pub(super) frozen_at: u64,
    pub(super) left: usize,
    pub(super) wrap: bool,
    pub(super) times: bool,
    /// Columns and rows of the pane at the last frame.
    pub(super) size: (u16, u16),
    pub(super) rows: Vec<Row>,
    /// Text that has no line end yet.
    partial: Option<(Channel, Box<str>)>,
    pub(super) partial_rows: Vec<SafeLine>,
    /// Chunks on screen at the last frame, in order.
    seen: Vec<u64>,
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

    /// An empty view of lines that are no prose: they are cut, and reached by scrolling sideways.
    pub(crate) fn raw() -> Self {
        Self { wrap: false, ..Self::default() }
    }

    pub(super) fn with_limit(bytes: usize) -> Self {
        Self {
            store: Store::new(bytes),
            layout: Layout::default(),
            shown: Shown::default(),
            search: None,
            origin: None,
            generation: 0,
            top: Position::default(),
            follow: true,
            cursor: None,
            hunt: None,
            said: None,
            frozen_at: 0,
            left: 0,
            wrap: true,
            times: false,
            size: (0, 0),
            rows: Vec::new(),
            partial: None,
            partial_rows: Vec::new(),
            seen: Vec::new(),
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
        self.learn(first, lines);
        self.store.insert(first, lines, &self.seen);
    }

    /// What the lines are, and where their blocks begin.
    fn learn(&mut self, first: u64, lines: &[OutputLine]) {
        let index = &mut self.shown.index;
        let after = first.saturating_add(lines.len() as u64);
        index.grow(after);
        let mut above = first.checked_sub(1).and_then(|line| self.store.line(line)).map(|line| line.block);
        for (number, line) in (first..).zip(lines) {
            let goes_on = match above {
                Some(block) => block != 0 && block == line.block,
                None => index.goes_on(number),
            };
            let result = matches!(line.channel, Channel::ToolOutput | Channel::ToolError);
            // The result right below its call has no name before how it went.
            let answers =
                result && !goes_on && (line.text.starts_with("ok") || line.text.starts_with("failed"));
            index.learn(number, line.channel, goes_on, answers);
            above = Some(line.block);
        }
        if let (Some(below), Some(above)) = (self.store.line(after), above) {
            index.joins(after, below.block != 0 && below.block == above);
        }
    }

    /// The answer to a [`Need`]. What it leaves out is asked for again, unless it brought nothing of it.
    pub(crate) fn supply(&mut self, first: u64, lines: &[OutputLine]) {
        self.push(first, lines);
        if let Some(asked) = self.asked.take() {
            let end = first.saturating_add(lines.len() as u64);
            self.refused = None;
            if end <= asked.start || asked.end <= first || lines.is_empty() {
                self.give_up(asked);
            }
        }
    }

    fn give_up(&mut self, lines: Range<u64>) {
        self.shown.index.give_up(lines.clone());
        self.refused = Some(lines);
    }

    /// Text at the tail that has no line end yet; an empty one takes it away.
    pub(crate) fn set_partial(&mut self, channel: Channel, text: &str) {
        self.partial = (!text.is_empty()).then(|| (channel, text.into()));
    }

    /// What the unfinished text is.
    pub(super) fn partial_channel(&self) -> Option<Channel> {
        self.partial.as_ref().map(|(channel, _)| *channel)
    }

    /// The run has printed at least `total` lines: a view that is opened late learns so that there is something to
    /// fetch.
    pub(crate) fn set_total(&mut self, total: u64) {
        self.store.raise_total(total);
        self.shown.index.grow(total);
    }

    /// The request for lines was refused: they are shown as not to be had, and not asked for again while they stay in
    /// sight.
    pub(crate) fn forget_request(&mut self) {
        if let Some(asked) = self.asked.take() {
            self.give_up(asked);
        }
    }

    pub(super) fn is_refused(&self, line: u64) -> bool {
        self.shown.index.is_gone(line) || self.refused.as_ref().is_some_and(|refused| refused.contains(&line))
    }

    /// Makes ready what [`OutputView::draw`] will show in a pane of this size. Bounded work, whatever is held.
    pub(crate) fn prepare(&mut self, width: u16, height: u16) -> Prepared {
        self.size = (width, height);
        self.layout.set(usize::from(self.text_width()).max(1), self.wrap);
        self.prepare_partial();
        let jumped = match &mut self.search {
            Some(search) => search.step(&mut self.store, &self.layout),
            None => false,
        };
        if jumped {
            self.reveal_current();
        }
        let hunted = self.step_hunt();
        self.settle();
        self.build_rows();
        self.clamp_cursor();
        let mut seen: Vec<u64> = self.rows.iter().map(|row| row.at.line / CHUNK).collect();
        seen.dedup();
        self.seen = seen;
        let need = if self.asked.is_some() { None } else { hunted.or_else(|| self.wanted()) };
        let need = need.filter(|range| !range.is_empty()).map(|range| self.ask(range));
        let busy = self.search.as_ref().is_some_and(|search| search.is_busy(&self.store));
        Prepared { need, busy, said: self.said.take() }
    }

    fn prepare_partial(&mut self) {
        let most = usize::from((self.size.1 / PARTIAL_SHARE).max(1));
        let shows = self.shown.filter == Filter::All && self.size.1 > 1;
        self.partial_rows = match &self.partial {
            Some((_, text)) if shows => self.layout.unfinished(text, most),
            _ => Vec::new(),
        };
    }

    fn ask(&mut self, range: Range<u64>) -> Need {
        self.asked = Some(range.clone());
        Need { from: range.start, count: u32::try_from(range.end - range.start).unwrap_or(u32::MAX) }
    }

    /// Lines to ask for: those of the rows that are not held and a margin around them, or what the filter has to read.
    fn wanted(&self) -> Option<Range<u64>> {
        if self.shown.filter != Filter::All
            && let Some(range) = self.step_filter()
        {
            return Some(range);
        }
        let missing =
            || self.rows.iter().filter_map(|row| row.missing()).filter(|line| !self.is_refused(*line));
        let (first, last) = (missing().min()?, missing().max()?);
        let end = last.min(first + LONGEST_NEED) + 1;
        let from = first.saturating_sub(MARGIN);
        self.store.missing(from..(end + MARGIN).min(self.store.total()))
    }

    /// What can be said now.
    pub(crate) fn status(&self) -> Status {
        let filters = self.shown.filter != Filter::All && self.asked.is_some();
        Status {
            following: self.follow,
            new_lines: if self.follow { 0 } else { self.store.total().saturating_sub(self.frozen_at) },
            total: self.store.total(),
            first: self.top.line,
            wrap: self.wrap,
            left: self.left,
            filter: self.shown.filter,
            reading: self.hunt.is_some() || filters,
            search: self.search.as_ref().map(|search| search.status(&self.store)),
        }
    }

    /// Numbers of the lines on screen.
    #[cfg(test)]
    pub(super) fn seen_lines(&self) -> Vec<u64> {
        self.rows.iter().map(|row| row.at.line).collect()
    }

    /// The text on screen as it is shown, a line each, for copying: safe and without secrets.
    pub(crate) fn visible_text(&mut self) -> String {
        let mut lines: Vec<u64> = self.rows.iter().map(|row| row.at.line).collect();
        lines.dedup();
        let mut text = String::new();
        for number in lines {
            let indent = self.indent(number);
            if let Some(ready) = self.layout.ready(number, indent, &self.store) {
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
}
