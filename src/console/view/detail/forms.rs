//! The forms that facts of a ticket take: a label beside a text, a body under its label, a list, paths.
//!
//! Owns no data. Everything is wrapped to the width of the page, and foreign text is made safe here.

use super::super::text::{fit_path, width, wrap};
use super::{LABEL, Text};
use crate::base::text::{safe_block, safe_text};
use crate::console::theme::Role;

impl Text<'_> {
    /// Paths, as many on a line as fit whole.
    pub(super) fn paths(&mut self, label: &str, paths: &[String]) {
        let room = self.width.saturating_sub(LABEL);
        let ellipsis = self.console.glyphs.ellipsis;
        let mut rows: Vec<String> = Vec::new();
        for path in paths {
            let path = fit_path(safe_text(path).as_str(), room, ellipsis);
            match rows.last_mut() {
                Some(row) if width(row) + 2 + width(&path) <= room => *row = format!("{row}  {path}"),
                _ => rows.push(path),
            }
        }
        for (at, row) in rows.iter().enumerate() {
            self.labelled(if at == 0 { label } else { "" }, row, Role::Text);
        }
    }

    /// A body of text under an empty line; its first line carries the label, if there is one.
    pub(super) fn body(&mut self, label: &str, text: &str) {
        if text.trim().is_empty() {
            return;
        }
        self.blank();
        if !label.is_empty() {
            self.lines.push(vec![(label.to_owned(), Role::Dim)]);
        }
        let indent = if label.is_empty() { "" } else { "  " };
        for line in safe_block(text.trim_end()) {
            for piece in wrap(line.as_str(), self.width.saturating_sub(indent.len())) {
                self.lines.push(vec![(format!("{indent}{piece}"), Role::Text)]);
            }
        }
    }

    pub(super) fn list(&mut self, label: &str, items: &[String]) {
        if items.is_empty() {
            return;
        }
        self.blank();
        self.lines.push(vec![(label.to_owned(), Role::Dim)]);
        for item in items {
            for (index, piece) in
                wrap(safe_text(item).as_str(), self.width.saturating_sub(4)).into_iter().enumerate()
            {
                let lead = if index == 0 { "  - " } else { "    " };
                self.lines.push(vec![(format!("{lead}{piece}"), Role::Text)]);
            }
        }
    }

    /// A label and a text that wraps under itself.
    pub(super) fn labelled(&mut self, label: &str, text: &str, role: Role) {
        for (index, piece) in wrap(text, self.width.saturating_sub(LABEL)).into_iter().enumerate() {
            let lead = if index == 0 { label } else { "" };
            self.lines.push(vec![(format!("{lead:<LABEL$}"), Role::Dim), (piece, role)]);
        }
    }

    pub(super) fn blank(&mut self) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Vec::new());
        }
    }
}
