//! One line of a transcript as bytes, written by hand: as much text as an agent says passes here, nearly all of it stands
//! for itself, and the fields before it are those of the line before. What is written is byte for byte what `serde_json`
//! makes of the row.

use std::io::{self, Write};

use crate::execute::output::{Channel, OutputLine};

/// The fields before a text, and those lines that have them.
#[derive(Debug, Default)]
pub(super) struct Rows {
    of: Option<(u64, Channel, u32)>,
    head: Vec<u8>,
}

impl Rows {
    /// Appends one line with its line end.
    ///
    /// # Errors
    /// Those of encoding a number or a word, of which there are none.
    pub(super) fn append(&mut self, line: &OutputLine, out: &mut Vec<u8>) -> io::Result<()> {
        let fields = (line.at_ms, line.channel, line.block);
        if self.of != Some(fields) {
            self.head.clear();
            write!(self.head, "{{\"t\":{},\"c\":", line.at_ms)?;
            serde_json::to_writer(&mut self.head, &line.channel)?;
            if line.block > 0 {
                write!(self.head, ",\"b\":{}", line.block)?;
            }
            self.head.extend_from_slice(b",\"s\":\"");
            self.of = Some(fields);
        }
        out.extend_from_slice(&self.head);
        escaped(line.text.as_bytes(), out);
        out.extend_from_slice(b"\"}\n");
        Ok(())
    }
}

/// Appends what stands between the quotes of a JSON string.
fn escaped(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let length = plain(rest);
        out.extend_from_slice(&rest[..length]);
        let Some(byte) = rest.get(length) else { return };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            control => {
                const HEX: &[u8; 16] = b"0123456789abcdef";
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 15)]);
            }
        }
        rest = &rest[length + 1..];
    }
}

/// Length of what stands for itself, eight bytes at a time.
fn plain(text: &[u8]) -> usize {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let (words, rest) = text.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*word);
        // The high bit of each byte that is less than a number, and perhaps of ones after such a byte.
        let less = |word: u64, than: u64| word.wrapping_sub(ONES * than) & !word & HIGHS;
        let quote = less(word ^ (ONES * u64::from(b'"')), 1);
        let slash = less(word ^ (ONES * u64::from(b'\\')), 1);
        let found = less(word, 0x20) | quote | slash;
        if found != 0 {
            return number * 8 + (found.trailing_zeros() / 8) as usize;
        }
    }
    let special = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    words.len() * 8 + special.unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Row;
    use super::*;

    const CHANNELS: [Channel; 4] = [Channel::Out, Channel::Text, Channel::ToolInput, Channel::Diff];

    proptest! {
        #[test]
        fn rows_are_what_the_encoder_makes_of_them(
            texts in proptest::collection::vec(("\\PC{0,40}|[\u{0}-\u{7f}\u{80}-\u{ff}]{0,40}", 0..3_u64, 0..4_usize, 0..2_u32), 0..6)
        ) {
            let (mut rows, mut written, mut wanted) = (Rows::default(), Vec::new(), Vec::new());
            for (text, at_ms, channel, block) in texts {
                let channel = CHANNELS[channel];
                let line = OutputLine { at_ms, channel, text: text.as_str().into(), block };
                rows.append(&line, &mut written).unwrap();
                let row = Row { t: at_ms, c: channel, b: block, s: text.into() };
                serde_json::to_writer(&mut wanted, &row).unwrap();
                wanted.push(b'\n');
            }
            prop_assert_eq!(String::from_utf8(written), String::from_utf8(wanted));
        }
    }
}
