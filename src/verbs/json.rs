//! JSON that is exact for a program and harmless on a terminal: besides JSON's own escapes, DEL, the C1 controls, bidi
//! controls, line and paragraph separators, zero-width characters and tags are written as `\u` escapes.

use std::io::{self, Write};

use serde_json::ser::{Formatter, PrettyFormatter};

/// Indented by 2.
#[derive(Default)]
pub(super) struct Pretty {
    inner: PrettyFormatter<'static>,
}

/// Whether a character could act on a terminal or hide in one.
fn acts(c: char) -> bool {
    matches!(c,
        '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Bytes that are looked at together: text is mostly ASCII, and ASCII needs no look at each character.
const WINDOW: usize = 64 * 1024;

/// Writes text of a JSON document; only inside of strings do such characters occur in valid JSON.
pub(super) fn fragment<W: ?Sized + Write>(writer: &mut W, text: &str) -> io::Result<()> {
    let mut rest = text;
    while !rest.is_empty() {
        let mut end = WINDOW.min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (window, after) = rest.split_at(end);
        if window.is_ascii() && memchr::memchr(0x7f, window.as_bytes()).is_none() {
            writer.write_all(window.as_bytes())?;
        } else {
            escape(writer, window)?;
        }
        rest = after;
    }
    Ok(())
}

fn escape<W: ?Sized + Write>(writer: &mut W, text: &str) -> io::Result<()> {
    let mut from = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| acts(*c)) {
        writer.write_all(&text.as_bytes()[from..at])?;
        let mut units = [0; 2];
        for unit in c.encode_utf16(&mut units) {
            write!(writer, "\\u{unit:04x}")?;
        }
        from = at + c.len_utf8();
    }
    writer.write_all(&text.as_bytes()[from..])
}

impl Formatter for Pretty {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, text: &str) -> io::Result<()> {
        fragment(writer, text)
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.inner.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.inner.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;
    use serde_json::{Serializer, Value, json};

    use super::{Pretty, fragment};

    #[test]
    fn what_acts_on_a_terminal_is_escaped_and_reads_back_exactly() {
        let value =
            json!({"a\u{9b}": ["\u{1b}[31m\u{7f}\u{85}\u{202e}x\u{200b}\u{feff}\u{e0041}ż", 1, {}], "b": []});
        let mut pretty = Vec::new();
        value.serialize(&mut Serializer::with_formatter(&mut pretty, Pretty::default())).unwrap();
        let mut compact = Vec::new();
        fragment(&mut compact, &value.to_string()).unwrap();
        let [pretty, compact] = [pretty, compact].map(|bytes| String::from_utf8(bytes).unwrap());
        assert_eq!(
            compact,
            "{\"a\\u009b\":[\"\\u001b[31m\\u007f\\u0085\\u202ex\\u200b\\ufeff\\udb40\\udc41ż\",1,{}],\"b\":[]}"
        );
        for text in [compact, pretty] {
            assert!(!text.chars().any(|c| super::acts(c) || (c.is_control() && c != '\n')), "{text:?}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn windows_never_split_a_character() {
        let text = format!("{}ż\u{9b}{}\u{202e}ż", "x".repeat(super::WINDOW - 1), "ż".repeat(super::WINDOW));
        let mut written = Vec::new();
        fragment(&mut written, &text).unwrap();
        let wanted = text.replace('\u{9b}', "\\u009b").replace('\u{202e}', "\\u202e");
        assert_eq!(String::from_utf8(written).unwrap(), wanted);
    }
}
