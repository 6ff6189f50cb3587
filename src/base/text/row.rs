//! One row of a terminal that has no width: what a line of output leaves behind.
//!
//! Text is appended as it comes as long as nothing is written over. Only when the cursor was moved back and something
//! is printed there, the row is taken apart into cells; most lines never need that.

use vte::{Params, Parser, Perform};

use super::glyph::{self, Shape, Shaper};
use super::line::{SafeLine, SafeSpan};
use super::measure;
use super::{LINE_BYTES, NOTE_BYTES, TAB, TextStyle, cut_note, sgr};

/// Columns that exist. A line of [`LINE_BYTES`] has at most as many.
const COLUMNS: usize = LINE_BYTES;

/// Parses one line; `unseen` bytes follow that nobody looked at.
pub(super) fn parse(text: &str, unseen: usize) -> SafeLine {
    let text_room = String::with_capacity(text.len().min(LINE_BYTES));
    let mut row = Row { text: text_room, runs: Vec::with_capacity(8), ..Row::default() };
    Parser::new().advance(&mut row, text.as_bytes());
    row.finish(unseen)
}

#[derive(Clone, Debug, Default)]
struct Cell {
    /// The character with its marks; empty in the second half of a wide one.
    text: String,
    style: TextStyle,
}

#[derive(Debug, Default)]
struct Row {
    text: String,
    /// Where each run of one style starts in `text`.
    runs: Vec<(usize, TextStyle)>,
    /// Columns of `text`, or the number of cells.
    width: usize,
    cursor: usize,
    style: TextStyle,
    /// Whether the last run has the style of now, so that text can be added to it without comparing.
    run_open: bool,
    shaper: Shaper,
    cells: Option<Vec<Cell>>,
    /// Bytes that found no room.
    skipped: usize,
    /// The last character found no room, so its marks find none either.
    full: bool,
}

impl Row {
    fn show(&mut self, c: char) {
        match self.shaper.shape(c) {
            Shape::Cell(width) => self.put(c, width),
            Shape::Mark => self.mark(c),
            Shape::Drop => {}
            Shape::Escape => {
                let mut escape = String::new();
                glyph::escape(c, &mut escape);
                escape.chars().for_each(|c| self.put(c, 1));
            }
        }
    }

    fn put(&mut self, c: char, width: usize) {
        if self.cursor + width > COLUMNS || (self.cells.is_none() && self.text.len() > LINE_BYTES) {
            self.skipped += c.len_utf8();
            self.full = true;
            return;
        }
        self.full = false;
        if self.cells.is_none() {
            if self.cursor == self.width {
                self.append(c, width);
                return;
            }
            if self.cursor > self.width {
                self.pad_to_cursor();
                self.append(c, width);
                return;
            }
            self.take_apart();
        }
        self.overwrite(c, width);
    }

    fn append(&mut self, c: char, width: usize) {
        if !self.run_open {
            if self.runs.last().is_none_or(|(_, style)| *style != self.style) {
                self.runs.push((self.text.len(), self.style));
            }
            self.run_open = true;
        }
        self.text.push(c);
        self.width += width;
        self.cursor = self.width;
    }

    fn mark(&mut self, c: char) {
        match &mut self.cells {
            _ if self.full => self.skipped += c.len_utf8(),
            None if self.text.len() <= LINE_BYTES => self.text.push(c),
            None => self.skipped += c.len_utf8(),
            Some(cells) => {
                let end = self.cursor.min(cells.len());
                if let Some(cell) = cells[..end].iter_mut().rev().find(|cell| !cell.text.is_empty()) {
                    cell.text.push(c);
                }
            }
        }
    }

    /// Fills with unstyled blanks up to the cursor, which was moved beyond the end.
    fn pad_to_cursor(&mut self) {
        let style = std::mem::take(&mut self.style);
        self.run_open = false;
        let cursor = self.cursor;
        self.cursor = self.width;
        while self.cursor < cursor && self.text.len() <= LINE_BYTES {
            self.append(' ', 1);
        }
        self.style = style;
        self.run_open = false;
    }

    fn take_apart(&mut self) {
        let mut cells: Vec<Cell> = Vec::with_capacity(self.width + 16);
        let mut runs = self.runs.iter().peekable();
        let mut style = TextStyle::default();
        for (at, c) in self.text.char_indices() {
            while let Some((_, next)) = runs.next_if(|(start, _)| *start <= at) {
                style = *next;
            }
            match measure::columns(c) {
                0 => {
                    if let Some(cell) = cells.iter_mut().rev().find(|cell| !cell.text.is_empty()) {
                        cell.text.push(c);
                    }
                }
                width => {
                    cells.push(Cell { text: c.to_string(), style });
                    cells.extend((1..width).map(|_| Cell { text: String::new(), style }));
                }
            }
        }
        self.cells = Some(cells);
    }

    fn overwrite(&mut self, c: char, width: usize) {
        let (start, end) = (self.cursor, self.cursor + width);
        let Some(cells) = &mut self.cells else { return };
        if cells.len() < end {
            cells.resize(end, Cell { text: " ".to_owned(), style: TextStyle::default() });
        }
        blank_half(cells, start);
        blank_half(cells, end);
        cells[start] = Cell { text: c.to_string(), style: self.style };
        for cell in &mut cells[start + 1..end] {
            *cell = Cell { text: String::new(), style: self.style };
        }
        self.cursor = end;
        self.width = cells.len();
    }

    /// Moves the cursor; what comes next does not belong to the cell before.
    fn go(&mut self, column: usize) {
        self.cursor = column.min(COLUMNS);
        self.shaper.reset();
    }

    fn tab(&mut self) {
        let stop = (self.cursor / TAB + 1) * TAB;
        if self.cells.is_none() && self.cursor >= self.width {
            while self.cursor < stop && self.cursor < COLUMNS {
                self.put(' ', 1);
                if self.text.len() > LINE_BYTES {
                    break;
                }
            }
            self.shaper.reset();
            // A blank cell was printed; a mark may sit on it, as it may when the result is read again.
            self.shaper.shape(' ');
        } else {
            self.go(stop);
        }
    }

    /// Erases in line: 0 from the cursor on, 1 up to and with the cursor, 2 everything.
    fn erase(&mut self, mode: u16) {
        let (from, to) = match mode {
            0 => (self.cursor, self.width),
            1 => (0, (self.cursor + 1).min(self.width)),
            2 => (0, self.width),
            _ => return,
        };
        if from >= to {
            return;
        }
        if from == 0 && to == self.width {
            self.text.clear();
            self.runs.clear();
            self.run_open = false;
            self.cells = None;
            self.width = 0;
            self.shaper.reset();
            return;
        }
        if self.cells.is_none() {
            self.take_apart();
        }
        let Some(cells) = &mut self.cells else { return };
        blank_half(cells, from);
        blank_half(cells, to);
        if to == cells.len() {
            cells.truncate(from);
            self.width = from;
        } else {
            for cell in &mut cells[from..to] {
                *cell = Cell { text: " ".to_owned(), style: TextStyle::default() };
            }
        }
        self.shaper.reset();
    }

    fn finish(mut self, unseen: usize) -> SafeLine {
        if let Some(cells) = self.cells.take() {
            self.text.clear();
            self.runs.clear();
            for cell in cells {
                if self.runs.last().is_none_or(|(_, style)| *style != cell.style) {
                    self.runs.push((self.text.len(), cell.style));
                }
                self.text.push_str(&cell.text);
            }
        }
        let mut lost = self.skipped + unseen;
        if lost > 0 || self.text.len() > LINE_BYTES {
            let keep = measure::floor_boundary(&self.text, LINE_BYTES - NOTE_BYTES);
            lost += self.text.len() - keep;
            self.text.truncate(keep);
            self.runs.retain(|(start, _)| *start < keep);
            self.runs.push((keep, TextStyle::default()));
            self.text.push_str(&cut_note(lost));
            self.width = measure::width(&self.text);
        }
        let ends = self.runs.iter().skip(1).map(|(start, _)| *start).chain([self.text.len()]);
        let spans = self
            .runs
            .iter()
            .zip(ends)
            .filter(|((start, _), end)| start < end)
            .map(|((start, style), end)| SafeSpan { text: self.text[*start..end].to_owned(), style: *style })
            .collect();
        SafeLine::new(spans, self.width)
    }
}

/// Where `column` is the second half of a wide character that is about to be cut, both halves become blanks.
fn blank_half(cells: &mut [Cell], column: usize) {
    if column == 0 || cells.get(column).is_none_or(|cell| !cell.text.is_empty()) {
        return;
    }
    for cell in &mut cells[column - 1..=column] {
        " ".clone_into(&mut cell.text);
    }
}

impl Perform for Row {
    fn print(&mut self, c: char) {
        // By far the most common case, without its detours: a printable ASCII character at the end of the row.
        let at_end = self.cells.is_none() && self.cursor == self.width && self.text.len() < LINE_BYTES;
        if at_end && matches!(c, ' '..='~') {
            self.shaper.after_ascii(c);
            self.append(c, 1);
        } else {
            self.show(c);
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\r' => self.go(0),
            0x08 => self.go(self.cursor.saturating_sub(1)),
            b'\t' => self.tab(),
            b'\n' => self.show('⏎'),
            _ => self.show(char::from(byte)),
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _ignore: bool, action: char) {
        if !intermediates.is_empty() {
            return;
        }
        let first = params.iter().next().and_then(|param| param.first()).copied().unwrap_or(0);
        let count = usize::from(first.max(1));
        match action {
            'm' => {
                self.run_open = false;
                sgr::apply(&mut self.style, params);
                if self.style.fg.is_some() && self.style.fg == self.style.bg {
                    self.style.bg = None;
                }
            }
            'K' => self.erase(first),
            'G' => self.go(count - 1),
            'C' => self.go(self.cursor + count),
            'D' => self.go(self.cursor.saturating_sub(count)),
            _ => {}
        }
    }
}
