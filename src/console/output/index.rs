//! One byte for each line of a run: what it is, and whether it goes on from the line above.
//!
//! Kept for every line that was ever heard or fetched, also when its text was let go, so that filtering, folding and
//! jumping need no text: ten million lines are ten megabytes. [`PAGE`] lines at a time remember which channels they
//! hold, so that a search for a rare one passes over millions of others in no time.

use crate::runtime::protocol::Channel;

/// Lines whose channels are summed up together.
const PAGE: u64 = 4_096;
/// Low bits: 0 for a line that was never read, else the channel's number and one.
const CHANNEL: u8 = 0b0001_1111;
/// What stands for the channel of a line that cannot be had.
const GONE: u8 = CHANNEL;
/// The line belongs to the same block as the line above.
const GOES_ON: u8 = 0b0010_0000;
/// The line is a result's head that needs no name: it belongs to the call right above.
const ANSWERS: u8 = 0b0100_0000;

/// A set of channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mask(u32);

impl Mask {
    /// All of them.
    pub(super) const ALL: Mask = Mask(u32::MAX);

    /// These.
    pub(super) const fn of(channels: &[Channel]) -> Mask {
        let (mut bits, mut at) = (0, 0);
        while at < channels.len() {
            bits |= 1 << channels[at] as u32;
            at += 1;
        }
        Mask(bits)
    }

    /// All but these.
    pub(super) const fn without(self, other: Mask) -> Mask {
        Mask(self.0 & !other.0)
    }

    pub(super) fn has(self, channel: Channel) -> bool {
        self.0 & (1 << channel as u32) != 0
    }

    fn has_code(self, code: u8) -> bool {
        code > 0 && self.0 & (1 << (code - 1)) != 0
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Page {
    channels: u32,
    known: u16,
}

/// The bytes.
#[derive(Debug, Default)]
pub(super) struct Index {
    lines: Vec<u8>,
    pages: Vec<Page>,
}

/// What lies beyond a line in one direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Near {
    /// This line.
    Line(u64),
    /// This line, of which nothing is known: it has to be read first.
    Unread(u64),
    /// Nothing.
    End,
}

impl Near {
    /// The line, read or not.
    pub(super) fn line(self) -> Option<u64> {
        match self {
            Near::Line(line) | Near::Unread(line) => Some(line),
            Near::End => None,
        }
    }
}

fn place(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl Index {
    /// There are at least so many lines.
    pub(super) fn grow(&mut self, total: u64) {
        if place(total) > self.lines.len() {
            self.lines.resize(place(total), 0);
            self.pages.resize(place(total.div_ceil(PAGE)), Page::default());
        }
    }

    /// Number of lines.
    pub(super) fn end(&self) -> u64 {
        self.lines.len() as u64
    }

    fn byte(&self, line: u64) -> u8 {
        self.lines.get(place(line)).copied().unwrap_or(0)
    }

    /// Learns what a line is.
    pub(super) fn learn(&mut self, line: u64, channel: Channel, goes_on: bool, answers: bool) {
        self.grow(line + 1);
        let (Some(byte), Some(page)) =
            (self.lines.get_mut(place(line)), self.pages.get_mut(place(line / PAGE)))
        else {
            return;
        };
        page.known += u16::from(*byte & CHANNEL == 0);
        page.channels |= 1 << channel as u32;
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        *byte = (channel as u8 + 1) | flag(goes_on, GOES_ON) | flag(answers, ANSWERS);
    }

    /// Learns whether a known line goes on from the one above.
    pub(super) fn joins(&mut self, line: u64, goes_on: bool) {
        if let Some(byte) = self.lines.get_mut(place(line)).filter(|byte| **byte != 0) {
            *byte = (*byte & !GOES_ON) | if goes_on { GOES_ON } else { 0 };
        }
    }

    /// Lines of which nothing is known cannot be had: nobody waits for them any more.
    pub(super) fn give_up(&mut self, lines: std::ops::Range<u64>) {
        for line in lines.start..lines.end.min(self.end()) {
            if let (Some(byte @ 0), Some(page)) =
                (self.lines.get_mut(place(line)), self.pages.get_mut(place(line / PAGE)))
            {
                *byte = GONE;
                page.known += 1;
                page.channels |= 1 << (GONE - 1);
            }
        }
    }

    pub(super) fn is_known(&self, line: u64) -> bool {
        self.byte(line) != 0
    }

    pub(super) fn is_gone(&self, line: u64) -> bool {
        self.byte(line) & CHANNEL == GONE
    }

    pub(super) fn goes_on(&self, line: u64) -> bool {
        self.byte(line) & GOES_ON != 0
    }

    pub(super) fn answers(&self, line: u64) -> bool {
        self.byte(line) & ANSWERS != 0
    }

    /// Whether it is known and of one of these channels.
    pub(super) fn is(&self, line: u64, mask: Mask) -> bool {
        mask.has_code(self.byte(line) & CHANNEL)
    }

    /// First line of the block that a line belongs to.
    pub(super) fn head(&self, line: u64) -> u64 {
        (0..=line).rev().find(|at| !self.goes_on(*at)).unwrap_or(0)
    }

    /// Lines of the block with this head.
    pub(super) fn length(&self, head: u64) -> u64 {
        (head + 1..self.end()).take_while(|at| self.goes_on(*at)).count() as u64 + 1
    }

    /// The nearest line beyond `from` in one direction that is of these channels or was never read.
    pub(super) fn nearest(&self, from: u64, forward: bool, mask: Mask) -> Near {
        let mut at = from;
        loop {
            if forward && at.saturating_add(1) >= self.end() || !forward && at == 0 {
                return Near::End;
            }
            at = if forward { at + 1 } else { at - 1 };
            let page = self.pages.get(place(at / PAGE)).copied().unwrap_or_default();
            if u64::from(page.known) == PAGE && page.channels & mask.0 == 0 {
                // Nothing in all of the page: on from its other end.
                let start = at / PAGE * PAGE;
                at = if forward { start + PAGE - 1 } else { start };
                continue;
            }
            match self.byte(at) & CHANNEL {
                0 => return Near::Unread(at),
                code if mask.has_code(code) => return Near::Line(at),
                _ => {}
            }
        }
    }

    /// The lines of which nothing is known, from an unread one on in one direction, at most `count`.
    pub(super) fn unread(&self, from: u64, forward: bool, count: u64) -> std::ops::Range<u64> {
        let unread = |at: &u64| !self.is_known(*at);
        if forward {
            let end = from.saturating_add(count).min(self.end());
            from..from + (from..end).take_while(unread).count() as u64
        } else {
            let start = (from + 1).saturating_sub(count);
            from + 1 - (start..=from).rev().take_while(unread).count() as u64..from + 1
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rare_line_is_found_over_pages_of_others() {
        let mut index = Index::default();
        for line in 0..20_000 {
            index.learn(line, Channel::Text, false, false);
        }
        index.learn(15_000, Channel::Error, false, false);
        let errors = Mask::of(&[Channel::Error]);
        assert_eq!(index.nearest(0, true, errors), Near::Line(15_000));
        assert_eq!(index.nearest(15_000, true, errors), Near::End);
        assert_eq!(index.nearest(20_000, false, errors), Near::Line(15_000));
        assert_eq!(index.nearest(15_000, false, errors), Near::End);
        assert_eq!(index.nearest(9, false, Mask::ALL), Near::Line(8));
    }

    #[test]
    fn what_was_never_read_stops_and_is_told_in_one_piece() {
        let mut index = Index::default();
        index.grow(10_000);
        for line in 9_000..10_000 {
            index.learn(line, Channel::Text, false, false);
        }
        let errors = Mask::of(&[Channel::Error]);
        assert_eq!(index.nearest(10_000, false, errors), Near::Unread(8_999));
        assert_eq!(index.unread(8_999, false, 2_000), 7_000..9_000);
        assert_eq!(index.unread(0, true, 2_000), 0..2_000);
        assert_eq!(index.unread(8_000, true, 2_000), 8_000..9_000);
    }

    #[test]
    fn blocks_have_a_head_and_a_length() {
        let mut index = Index::default();
        for (line, goes_on) in [false, true, true, false, false, true].into_iter().enumerate() {
            index.learn(line as u64, Channel::Tool, goes_on, false);
        }
        assert_eq!((index.head(2), index.length(0), index.length(3), index.length(4)), (0, 3, 1, 2));
        index.joins(3, true);
        assert_eq!((index.head(3), index.length(0)), (0, 4));
    }
}
