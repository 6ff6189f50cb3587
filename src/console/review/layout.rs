//! Which rows a file's diff has on screen: blocks, the lines around them, folds and notes, as segments.
//!
//! Invariant: a layout holds a segment for each run of lines of one kind and never one for each line, so a file with a
//! hundred thousand changed lines is laid out in milliseconds and any row of it is found by halving.

use std::collections::BTreeMap;

use crate::runtime::protocol::diff::{Block, TextSide};

/// Unchanged lines shown around a block.
pub(crate) const CONTEXT: u32 = 3;

/// How a file is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Old and new text beside each other.
    pub(crate) split: bool,
    /// Nothing is folded.
    pub(crate) whole: bool,
    /// Lines shown besides [`CONTEXT`], by the number of the gap (that before block `n` is gap `n`).
    pub(crate) opened: BTreeMap<usize, u32>,
}

/// A note's place: after this line (from 0), or at the head of the file; and its rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoteAt {
    pub(crate) at: Option<(TextSide, u32)>,
    pub(crate) height: usize,
}

/// What stands on one row; line numbers from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Same { old: u32, new: u32 },
    Old(u32),
    New(u32),
    Pair { old: Option<u32>, new: Option<u32> },
    Fold { gap: usize, lines: u32 },
    Note { note: usize, line: usize },
}

impl Row {
    /// The line of one side on this row.
    pub(crate) fn line(self, side: TextSide) -> Option<u32> {
        match (self, side) {
            (Row::Same { old, .. }, TextSide::Old) => Some(old),
            (Row::Same { new, .. }, TextSide::New) => Some(new),
            (Row::Old(old), TextSide::Old) => Some(old),
            (Row::New(new), TextSide::New) => Some(new),
            (Row::Pair { old, .. }, TextSide::Old) => old,
            (Row::Pair { new, .. }, TextSide::New) => new,
            _ => None,
        }
    }

    /// Whether the row shows a change.
    pub(crate) fn is_change(self) -> bool {
        matches!(self, Row::Old(_) | Row::New(_) | Row::Pair { .. })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Segment {
    Same { old: u32, new: u32, len: u32 },
    Changed { old: u32, old_len: u32, new: u32, new_len: u32 },
    Fold { gap: usize, lines: u32 },
    Note { note: usize, height: usize },
}

/// The rows of a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    split: bool,
    /// First row of each segment, and the segment.
    segments: Vec<(usize, Segment)>,
    /// Rows.
    pub(crate) len: usize,
    /// First row of each block.
    pub(crate) hunks: Vec<usize>,
}

impl Layout {
    /// Lays out a file of so many old and new lines.
    pub(crate) fn new(blocks: &[Block], lines: (u32, u32), options: &Options, notes: &[NoteAt]) -> Layout {
        let mut layout = Layout { split: options.split, ..Layout::default() };
        let mut order: Vec<usize> = (0..notes.len()).collect();
        order.sort_by_key(|note| notes[*note].at.map(|(side, line)| (line, side == TextSide::New)));
        for note in order.iter().filter(|note| notes[**note].at.is_none()) {
            layout.push(Segment::Note { note: *note, height: notes[*note].height });
        }
        let placed = |side: TextSide| -> Vec<(u32, usize)> {
            let of = |note: &usize| notes[*note].at.filter(|at| at.0 == side).map(|at| (at.1, *note));
            order.iter().filter_map(of).collect()
        };
        let mut builder = Builder { layout, notes, old: placed(TextSide::Old), new: placed(TextSide::New) };
        let mut at = (0, 0);
        for (number, block) in blocks.iter().enumerate() {
            builder.gap(number, at, block.new.saturating_sub(at.1), (number > 0, true), options);
            builder.block(*block);
            at = (block.old + block.old_len, block.new + block.new_len);
        }
        let rest = lines.1.saturating_sub(at.1);
        builder.gap(blocks.len(), at, rest, (!blocks.is_empty(), false), options);
        builder.layout
    }

    fn push(&mut self, segment: Segment) {
        let rows = match segment {
            Segment::Same { len, .. } => len as usize,
            Segment::Changed { old_len, new_len, .. } if self.split => old_len.max(new_len) as usize,
            Segment::Changed { old_len, new_len, .. } => (old_len + new_len) as usize,
            Segment::Fold { .. } => 1,
            Segment::Note { height, .. } => height,
        };
        if rows > 0 {
            self.segments.push((self.len, segment));
            self.len += rows;
        }
    }

    /// What stands on a row.
    pub(crate) fn row(&self, row: usize) -> Option<Row> {
        if row >= self.len {
            return None;
        }
        let at = self.segments.partition_point(|(first, _)| *first <= row).checked_sub(1)?;
        let (first, segment) = self.segments[at];
        let offset = row - first;
        let line = u32::try_from(offset).ok()?;
        Some(match segment {
            Segment::Same { old, new, .. } => Row::Same { old: old + line, new: new + line },
            Segment::Changed { old, old_len, new, new_len } if self.split => Row::Pair {
                old: (line < old_len).then(|| old + line),
                new: (line < new_len).then(|| new + line),
            },
            Segment::Changed { old, old_len, .. } if line < old_len => Row::Old(old + line),
            Segment::Changed { old_len, new, .. } => Row::New(new + line - old_len),
            Segment::Fold { gap, lines } => Row::Fold { gap, lines },
            Segment::Note { note, .. } => Row::Note { note, line: offset },
        })
    }

    /// The row of a line; for one that is folded away the row of its fold.
    pub(crate) fn find(&self, side: TextSide, line: u32) -> Option<usize> {
        let within = |from: u32, len: u32| (from..from + len).contains(&line).then(|| (line - from) as usize);
        let mut fold = None;
        for (first, segment) in &self.segments {
            let (offset, begins) = match *segment {
                Segment::Same { old, new, len } => {
                    let from = if side == TextSide::Old { old } else { new };
                    (within(from, len), Some(from))
                }
                Segment::Changed { old, old_len, new, new_len } => match side {
                    TextSide::Old => (within(old, old_len), Some(old)),
                    TextSide::New if self.split => (within(new, new_len), Some(new)),
                    TextSide::New => (within(new, new_len).map(|row| row + old_len as usize), Some(new)),
                },
                Segment::Fold { .. } => {
                    fold = Some(*first);
                    continue;
                }
                Segment::Note { .. } => (None, None),
            };
            if let Some(offset) = offset {
                return Some(first + offset);
            }
            if begins.is_some_and(|begins| begins > line) {
                return fold.or(Some(*first));
            }
        }
        fold.or_else(|| self.len.checked_sub(1))
    }
}

struct Builder<'a> {
    layout: Layout,
    notes: &'a [NoteAt],
    /// Notes by line, in order.
    old: Vec<(u32, usize)>,
    new: Vec<(u32, usize)>,
}

impl Builder<'_> {
    /// Notes of one side on the lines `from..to`.
    fn notes_in(&self, side: TextSide, from: u32, to: u32) -> &[(u32, usize)] {
        let all = if side == TextSide::Old { &self.old } else { &self.new };
        let begin = all.partition_point(|(line, _)| *line < from);
        &all[begin..begin + all[begin..].partition_point(|(line, _)| *line < to)]
    }

    fn note(&mut self, note: usize) {
        self.layout.push(Segment::Note { note, height: self.notes[note].height });
    }

    /// Unchanged lines, folded but for those near the blocks (`near`: before it, after it) and under notes.
    fn gap(&mut self, gap: usize, at: (u32, u32), len: u32, near: (bool, bool), options: &Options) {
        let shown = CONTEXT + options.opened.get(&gap).copied().unwrap_or(0);
        let mut open: Vec<(u32, u32)> = Vec::new();
        if options.whole {
            open.push((0, len));
        } else {
            if near.0 {
                open.push((0, shown.min(len)));
            }
            for offset in self.note_offsets(at, len) {
                open.push((offset.saturating_sub(1), (offset + 2).min(len)));
            }
            if near.1 {
                open.push((len.saturating_sub(shown), len));
            }
            // A file without changes opens from its top.
            if near == (false, false) {
                open.push((0, (shown - CONTEXT).min(len)));
            }
            // What is opened from below may reach above a note.
            open.sort_unstable();
        }
        let mut done = 0;
        for (from, to) in open {
            // A fold of one line would take the room of the line.
            let from = if from <= done + 1 { done } else { from };
            if to <= done {
                continue;
            }
            self.fold(gap, from - done);
            self.same((at.0 + from, at.1 + from), to - from);
            done = to;
        }
        match len - done {
            1 => self.same((at.0 + done, at.1 + done), 1),
            rest => self.fold(gap, rest),
        }
    }

    fn note_offsets(&self, at: (u32, u32), len: u32) -> Vec<u32> {
        let old = self.notes_in(TextSide::Old, at.0, at.0 + len).iter().map(|(line, _)| line - at.0);
        let new = self.notes_in(TextSide::New, at.1, at.1 + len).iter().map(|(line, _)| line - at.1);
        let mut all: Vec<u32> = old.chain(new).collect();
        all.sort_unstable();
        all
    }

    fn fold(&mut self, gap: usize, lines: u32) {
        if lines > 0 {
            self.layout.push(Segment::Fold { gap, lines });
        }
    }

    fn same(&mut self, at: (u32, u32), len: u32) {
        let old =
            self.notes_in(TextSide::Old, at.0, at.0 + len).iter().map(|(line, note)| (line - at.0, *note));
        let new =
            self.notes_in(TextSide::New, at.1, at.1 + len).iter().map(|(line, note)| (line - at.1, *note));
        let mut cuts: Vec<(u32, usize)> = old.chain(new).collect();
        cuts.sort_unstable();
        let mut done = 0;
        for (offset, note) in cuts {
            let to = offset + 1;
            if to > done {
                self.layout.push(Segment::Same { old: at.0 + done, new: at.1 + done, len: to - done });
                done = to;
            }
            self.note(note);
        }
        self.layout.push(Segment::Same { old: at.0 + done, new: at.1 + done, len: len - done });
    }

    fn block(&mut self, block: Block) {
        self.layout.hunks.push(self.layout.len);
        let end = (block.old + block.old_len, block.new + block.new_len);
        let old = self
            .notes_in(TextSide::Old, block.old, end.0)
            .iter()
            .map(|(line, note)| (line - block.old, *note));
        let new = self
            .notes_in(TextSide::New, block.new, end.1)
            .iter()
            .map(|(line, note)| (line - block.new, *note));
        let (mut old, new): (Vec<_>, Vec<_>) = (old.collect(), new.collect());
        if self.layout.split {
            old.extend(new);
            old.sort_unstable();
            return self.pieces(block, &old, |done, to| {
                let of = |len: u32| (done.min(len), to.min(len).saturating_sub(done.min(len)));
                (of(block.old_len), of(block.new_len))
            });
        }
        let removed = Block { new_len: 0, ..block };
        self.pieces(removed, &old, |done, to| ((done, to - done), (0, 0)));
        let added = Block { old: end.0, old_len: 0, ..block };
        self.pieces(added, &new, |done, to| ((0, 0), (done, to - done)));
    }

    /// A block cut where notes stand; `part` says which lines (offset, count) of both sides a piece of rows holds.
    fn pieces(
        &mut self,
        block: Block,
        cuts: &[(u32, usize)],
        part: impl Fn(u32, u32) -> ((u32, u32), (u32, u32)),
    ) {
        let rows = block.old_len.max(block.new_len);
        let mut done = 0;
        let piece = |builder: &mut Self, done: u32, to: u32| {
            let ((old, old_len), (new, new_len)) = part(done, to);
            let (old, new) = (block.old + old, block.new + new);
            builder.layout.push(Segment::Changed { old, old_len, new, new_len });
        };
        for (offset, note) in cuts {
            let to = (offset + 1).min(rows);
            if to > done {
                piece(self, done, to);
                done = to;
            }
            self.note(*note);
        }
        piece(self, done, rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as short words: `=2` same line 2 of the new text, `-`/`+`, `~5` a fold of five lines, `#0` a note.
    fn told(layout: &Layout) -> String {
        let rows: Vec<String> = (0..layout.len)
            .map(|row| match layout.row(row).unwrap() {
                Row::Same { new, .. } => format!("={new}"),
                Row::Old(old) => format!("-{old}"),
                Row::New(new) => format!("+{new}"),
                Row::Pair { old, new } => {
                    let word = |line: Option<u32>| line.map_or("_".to_owned(), |line| line.to_string());
                    format!("{}|{}", word(old), word(new))
                }
                Row::Fold { lines, .. } => format!("~{lines}"),
                Row::Note { note, line } => format!("#{note}.{line}"),
            })
            .collect();
        rows.join(" ")
    }

    const BLOCK: Block = Block { old: 10, old_len: 2, new: 10, new_len: 3 };

    #[test]
    fn lines_far_from_changes_are_folded_and_opened() {
        let mut options = Options::default();
        let layout = |options: &Options| told(&Layout::new(&[BLOCK], (30, 31), options, &[]));
        assert_eq!(layout(&options), "~7 =7 =8 =9 -10 -11 +10 +11 +12 =13 =14 =15 ~15");
        options.opened.insert(0, 5);
        assert_eq!(layout(&options), "~2 =2 =3 =4 =5 =6 =7 =8 =9 -10 -11 +10 +11 +12 =13 =14 =15 ~15");
        options.opened.insert(0, 6);
        assert!(layout(&options).starts_with("=0 =1 =2"), "a fold of one line is none");
        options.split = true;
        options.opened.clear();
        assert_eq!(layout(&options), "~7 =7 =8 =9 10|10 11|11 _|12 =13 =14 =15 ~15");
        options.whole = true;
        assert!(!layout(&options).contains('~'));
    }

    #[test]
    fn notes_stand_after_their_lines_and_open_folds() {
        let note = |side, line| NoteAt { at: Some((side, line)), height: 1 };
        let notes = [
            note(TextSide::New, 11),
            note(TextSide::Old, 10),
            note(TextSide::New, 20),
            NoteAt { at: None, height: 2 },
        ];
        let mut options = Options::default();
        let layout = Layout::new(&[BLOCK], (30, 31), &options, &notes);
        assert_eq!(
            told(&layout),
            "#3.0 #3.1 ~7 =7 =8 =9 -10 #1.0 -11 +10 +11 #0.0 +12 =13 =14 =15 ~3 =19 =20 #2.0 =21 ~9"
        );
        assert_eq!(layout.hunks, [6]);
        options.split = true;
        let split = Layout::new(&[BLOCK], (30, 31), &options, &notes[..2]);
        assert_eq!(told(&split), "~7 =7 =8 =9 10|10 #1.0 11|11 #0.0 _|12 =13 =14 =15 ~15");
    }

    #[test]
    fn every_line_is_found_again() {
        for split in [false, true] {
            let options = Options { split, ..Options::default() };
            let layout = Layout::new(&[BLOCK], (30, 31), &options, &[]);
            for row in 0..layout.len {
                let what = layout.row(row).unwrap();
                for side in [TextSide::Old, TextSide::New] {
                    if let Some(line) = what.line(side) {
                        assert_eq!(layout.find(side, line), Some(row), "{what:?}");
                    }
                }
            }
            assert_eq!(layout.find(TextSide::New, 2), Some(0), "a folded line is at its fold");
            assert_eq!(layout.find(TextSide::New, 30), Some(layout.len - 1));
        }
    }
}
