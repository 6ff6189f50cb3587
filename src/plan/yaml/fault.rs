//! Where a text stops being a planfile: positions, decoding, forbidden characters.
//!
//! Every refusal carries a byte offset until the last moment, when it becomes line, column and excerpt of the file.

use std::borrow::Cow;

use super::sprint::SprintFault;

/// A refusal at a byte offset of the text at hand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Bad {
    /// Byte offset.
    pub(super) at: usize,
    /// What is wrong and what to do.
    pub(super) message: Cow<'static, str>,
}

impl Bad {
    /// A refusal.
    pub(super) fn new(at: usize, message: impl Into<Cow<'static, str>>) -> Bad {
        Bad { at, message: message.into() }
    }

    /// The refusal in the coordinates of the file `text`. Conflict markers are named as such, wherever the parser
    /// first stumbled over them.
    pub(super) fn in_file(self, text: &str) -> SprintFault {
        match conflict_marker(text) {
            Some(at) => locate(
                text.as_bytes(),
                at,
                "git conflict markers stand in the file; resolve the conflict and remove the marker lines"
                    .to_owned(),
            ),
            None => locate(text.as_bytes(), self.at, self.message.into_owned()),
        }
    }
}

/// Byte offset of the first conflict marker line.
fn conflict_marker(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let marker = ["<<<<<<< ", ">>>>>>> ", "||||||| "].iter().any(|marker| line.starts_with(marker));
        if marker || line.trim_end() == "=======" {
            return Some(at);
        }
        at += line.len();
    }
    None
}

/// Line and column (1-based, column in characters) of a byte offset; lines end at LF, CRLF or CR.
pub(super) fn position(bytes: &[u8], at: usize) -> (usize, usize, std::ops::Range<usize>) {
    let at = at.min(bytes.len());
    let mut line = 1;
    let mut start = 0;
    for (index, byte) in bytes[..at].iter().enumerate() {
        let ends = *byte == b'\n' || (*byte == b'\r' && bytes.get(index + 1) != Some(&b'\n'));
        if ends {
            line += 1;
            start = index + 1;
        }
    }
    let len =
        bytes[start..].iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(bytes.len() - start);
    let column = 1 + String::from_utf8_lossy(&bytes[start..at]).chars().count();
    (line, column, start..start + len)
}

/// Longest excerpt in bytes; a line of a planfile can hold a megabyte.
const MAX_EXCERPT: usize = 400;

/// A fault at a byte offset of a file.
pub(super) fn locate(bytes: &[u8], at: usize, message: String) -> SprintFault {
    let (line, column, span) = position(bytes, at);
    let span = span.start..span.end.min(span.start + MAX_EXCERPT);
    let excerpt = (!span.is_empty()).then(|| String::from_utf8_lossy(&bytes[span]).into_owned());
    SprintFault { line, column, message, excerpt }
}

/// The text of a file.
///
/// # Errors
/// When it is not UTF-8, or holds characters that YAML forbids: planfile would read such a file as empty.
pub(super) fn decode(bytes: Vec<u8>) -> Result<String, SprintFault> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let message = "the file is UTF-16, which planfile reads as an empty sprint; save it as UTF-8";
        return Err(SprintFault { line: 1, column: 1, message: message.to_owned(), excerpt: None });
    }
    if u32::try_from(bytes.len()).is_err() {
        let message = "the file is larger than 4 GiB; split the sprint";
        return Err(SprintFault { line: 1, column: 1, message: message.to_owned(), excerpt: None });
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let byte = error.as_bytes().get(at).copied().unwrap_or_default();
        let message = format!("byte 0x{byte:02X} is not UTF-8 (Latin-1?), which planfile reads as an empty sprint; save the file as UTF-8");
        locate(error.as_bytes(), at, message)
    })?;
    check_characters(&text).map_err(|bad| bad.in_file(&text))?;
    Ok(text)
}

/// Refuses characters that libyaml's reader refuses.
pub(super) fn check_characters(text: &str) -> Result<(), Bad> {
    let bytes = text.as_bytes();
    const BLOCK: usize = 256;
    for (number, block) in bytes.chunks(BLOCK).enumerate() {
        // Without a branch in the fold the compiler checks 16 bytes at a time.
        let odd = block.iter().fold(false, |odd, &byte| {
            odd | (byte < b' ' && byte != b'\n' && byte != b'\t' && byte != b'\r')
                | (byte == 0x7F)
                | (byte == 0xC2)
                | (byte == 0xEF)
        });
        if odd {
            check_block(bytes, number * BLOCK, block.len())?;
        }
    }
    Ok(())
}

fn check_block(bytes: &[u8], start: usize, len: usize) -> Result<(), Bad> {
    for at in start..start + len {
        let rest = &bytes[at..];
        let code = match rest {
            [b'\n' | b'\t' | b'\r', ..] => continue,
            [byte, ..] if *byte < b' ' || *byte == 0x7F => u32::from(*byte),
            [0xC2, second, ..] if (0x80..0xA0).contains(second) && *second != 0x85 => u32::from(*second),
            [0xEF, 0xBF, last @ (0xBE | 0xBF), ..] => 0xFF40 + u32::from(*last),
            _ => continue,
        };
        let message = if code == 0 {
            "a NUL byte stands in the file, which planfile reads as an empty sprint; remove it".to_owned()
        } else {
            format!(
                "control character U+{code:04X} stands in the file, which planfile reads as an empty sprint; remove it or write it as an escape in double quotes"
            )
        };
        return Err(Bad::new(at, message));
    }
    Ok(())
}
