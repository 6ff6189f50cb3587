//! A text field of a form over tui-textarea.
//!
//! Owns what is typed. Invariants: text that came from outside is shown as it is only when `base::text` finds nothing
//! to change in it; otherwise the field is locked, shows the safe form, and gives the original back untouched.

use ratatui::style::Style;
use tui_textarea::{CursorMove, TextArea, WrapMode};

use crate::base::text::safe_block;
use crate::console::keys::Key;

/// A text field.
#[derive(Debug)]
pub(crate) struct TextField {
    area: TextArea<'static>,
    single: bool,
    /// The original of a locked field.
    locked: Option<String>,
}

impl TextField {
    /// A field of one line, or of many.
    pub(crate) fn new(text: &str, single: bool) -> TextField {
        let mut field = TextField { area: TextArea::default(), single, locked: None };
        field.set(text);
        field
    }

    /// Replaces the text; the cursor goes to its end.
    pub(crate) fn set(&mut self, text: &str) {
        let lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        let safe: Vec<String> = safe_block(text).iter().map(ToString::to_string).collect();
        let as_is = safe == lines || (text.is_empty() && safe.is_empty());
        let oversized = self.single && lines.len() > 1;
        self.locked = (!as_is || oversized).then(|| text.to_owned());
        self.area = TextArea::new(if as_is { lines } else { safe });
        self.area.set_cursor_line_style(Style::new());
        self.area.set_wrap_mode(if self.single { WrapMode::None } else { WrapMode::WordOrGlyph });
        self.area.move_cursor(CursorMove::Bottom);
        self.area.move_cursor(CursorMove::End);
    }

    pub(crate) fn is_locked(&self) -> bool {
        self.locked.is_some()
    }

    pub(crate) fn text(&self) -> String {
        self.locked.clone().unwrap_or_else(|| self.area.lines().join("\n"))
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.locked.is_none() && self.area.lines().iter().all(|line| line.trim().is_empty())
    }

    /// Whether the cursor stands on the first or on the last line, where up and down leave the field.
    pub(crate) fn at_edge(&self, up: bool) -> bool {
        let row = self.area.cursor().0;
        if up { row == 0 } else { row + 1 == self.area.lines().len() }
    }

    /// Lines of text.
    pub(crate) fn lines(&self) -> usize {
        self.area.lines().len()
    }

    /// Types a key; true when the text changed.
    pub(crate) fn key(&mut self, key: Key) -> bool {
        !self.is_locked() && self.area.input(key.event())
    }

    /// Puts pasted text in, as it is but for controls; true when the text changed.
    pub(crate) fn paste(&mut self, text: &str) -> bool {
        if self.is_locked() {
            return false;
        }
        // Terminals send line ends of a paste as CR.
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let single = self.single;
        let clean: String = text
            .chars()
            .map(|c| if c == '\n' && single { ' ' } else { c })
            .filter(|c| !c.is_control() || *c == '\n' || *c == '\t')
            .collect();
        self.area.insert_str(clean)
    }

    /// Sets what it looks like; called before drawing.
    pub(crate) fn dress(&mut self, text: Style, cursor: Style, focused: bool) {
        self.area.set_style(text);
        self.area.set_cursor_style(if focused && !self.is_locked() { cursor } else { text });
    }

    pub(crate) fn widget(&self) -> &TextArea<'static> {
        &self.area
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_text_is_shown_safe_locked_and_given_back_untouched() {
        let mut field = TextField::new("a\u{202e}b\x1b[2Jc", false);
        assert!(field.is_locked());
        assert!(!field.widget().lines().concat().contains(['\u{202e}', '\x1b']));
        assert!(!field.key(Key::parse("x").unwrap()) && !field.paste("x"));
        assert_eq!(field.text(), "a\u{202e}b\x1b[2Jc");
    }

    #[test]
    fn a_paste_keeps_lines_and_loses_controls() {
        let mut many = TextField::new("", false);
        assert!(many.paste("a\x1b[31m\r\nb\rc\td"));
        assert_eq!(many.text(), "a[31m\nb\nc\td");
        let mut one = TextField::new("", true);
        assert!(one.paste("a\nb"));
        assert_eq!(one.text(), "a b");
    }
}
