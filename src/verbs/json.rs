//! JSON that is exact for a program and harmless on a terminal: besides JSON's own escapes, whatever [`text::is_hidden`]
//! names (DEL, the C1 controls, bidi controls, zero-width characters, tags, variation selectors) is written as `\u`
//! escapes, and so are combining marks beyond those that a cell is shown with.

use std::io::{self, Write};

use serde_json::ser::{Formatter, PrettyFormatter};

use crate::base::text;

/// Indented by 2.
#[derive(Default)]
pub(super) struct Pretty {
    inner: PrettyFormatter<'static>,
}

/// Bytes that are looked at together: text is mostly ASCII, and ASCII needs no look at each character.
const WINDOW: usize = 64 * 1024;

/// Writes text of a JSON document; only inside of strings do such characters occur in valid JSON.
pub(super) fn fragment<W: ?Sized + Write>(writer: &mut W, text: &str) -> io::Result<()> {
    let mut rest = text;
    let mut marks = 0;
    while !rest.is_empty() {
        let mut end = WINDOW.min(rest.len());
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (window, after) = rest.split_at(end);
        if window.is_ascii() && memchr::memchr(0x7f, window.as_bytes()).is_none() {
            writer.write_all(window.as_bytes())?;
            marks = 0;
        } else {
            escape(writer, window, &mut marks)?;
        }
        rest = after;
    }
    Ok(())
}

/// `marks` counts the combining marks that stand in a row before `text`.
fn escape<W: ?Sized + Write>(writer: &mut W, text: &str, marks: &mut u8) -> io::Result<()> {
    let mut from = 0;
    let mut acts = |c: char| {
        *marks = if text::is_mark(c) { marks.saturating_add(1) } else { 0 };
        // C0 controls stand as escapes already where they are text; what is left of them is the layout.
        (c >= ' ' && text::is_hidden(c)) || *marks > text::MARKS
    };
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
    use crate::base::text::is_hidden;

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
            assert!(!text.chars().any(|c| is_hidden(c) && c != '\n'), "{text:?}");
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        }
    }

    #[test]
    fn marks_beyond_those_of_a_cell_are_escaped() {
        let text = format!("\"e{}x\u{301}\"", "\u{301}".repeat(6));
        let mut written = Vec::new();
        fragment(&mut written, &text).unwrap();
        let wanted = format!("\"e{}\\u0301\\u0301x\u{301}\"", "\u{301}".repeat(4));
        assert_eq!(String::from_utf8(written).unwrap(), wanted);
    }

    #[test]
    fn the_layout_of_a_document_stays() {
        let mut written = Vec::new();
        fragment(&mut written, "{\n\t\"ż\": 1\n}\n").unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), "{\n\t\"ż\": 1\n}\n");
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
