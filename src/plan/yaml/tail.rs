//! Where a ticket ends whose last value is a block text (`|`, `>`): the line ends after it belong to what it says.
//!
//! A node of the tape ends before its line end, so that lines can be put in behind it. A ticket that is taken out of its
//! file must have the line end all the same, and with `|+` the blank lines as well: without them the text reads
//! otherwise.

use super::scan::break_len;
use super::tape::{Kind, Tape};

/// The byte after the line ends that belong to the block text which ends a pair; `None` when it ends in another way.
pub(super) fn of_block_text(text: &str, tape: &Tape<'_>, (key, value): (usize, usize)) -> Option<usize> {
    let nodes = &tape.nodes[key..tape.nodes[value].next as usize];
    // An absent value stands behind its key, which may be a block text itself.
    let last = nodes.iter().rev().find(|node| node.kind != Kind::Plain || node.end > node.start)?;
    // A dash, a key mark or a tag may stand behind it with nothing after.
    let end = tape.nodes[value].end.max(tape.nodes[key].end);
    if !matches!(last.kind, Kind::Literal | Kind::Folded) || last.end < end {
        return None;
    }
    let bytes = text.as_bytes();
    let header = bytes[last.start as usize..last.end as usize].iter().skip(1).take(2);
    let keeps = header.take_while(|byte| matches!(byte, b'+' | b'-' | b'0'..=b'9')).any(|byte| *byte == b'+');
    let mut at = last.end as usize;
    at += break_len(bytes, at);
    if !keeps {
        return Some(at);
    }
    loop {
        let spaces = bytes[at..].iter().take_while(|byte| **byte == b' ').count();
        match break_len(bytes, at + spaces) {
            0 => return Some(at),
            len => at += spaces + len,
        }
    }
}
