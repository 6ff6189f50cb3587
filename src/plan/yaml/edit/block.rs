//! Splices in block mappings.

use std::ops::Range;

use serde_json::Value;

use super::super::emit::flow;
use super::super::value::key_text;
use super::Editor;

impl Editor<'_, '_> {
    fn bytes(&self) -> &[u8] {
        self.text.as_bytes()
    }

    /// Start of the line that holds `at`.
    pub(super) fn line_start(&self, at: usize) -> usize {
        let start = self.bytes()[..at]
            .iter()
            .rposition(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(0, |newline| newline + 1);
        if self.text[start..at].starts_with('\u{feff}') { start + 3 } else { start }
    }

    /// End of the line that holds `at`, before its line end.
    pub(super) fn line_end(&self, at: usize) -> usize {
        self.bytes()[at..]
            .iter()
            .position(|byte| matches!(byte, b'\n' | b'\r'))
            .map_or(self.text.len(), |len| at + len)
    }

    /// Start of the line after the one that holds `at`.
    fn next_line(&self, at: usize) -> usize {
        let end = self.line_end(at);
        match self.bytes().get(end) {
            Some(b'\r') if self.bytes().get(end + 1) == Some(&b'\n') => end + 2,
            Some(_) => end + 1,
            None => end,
        }
    }

    /// Column of `at` in bytes.
    pub(super) fn column(&self, at: usize) -> usize {
        at - self.line_start(at)
    }

    /// Whether only spaces stand before `at` on its line.
    pub(super) fn first_on_line(&self, at: usize) -> bool {
        self.bytes()[self.line_start(at)..at].iter().all(|byte| *byte == b' ')
    }

    /// One past the `:` after a key; `None` for a key in `? ` form.
    pub(super) fn colon_end(&self, key: usize) -> Option<usize> {
        let end = self.tape.nodes[key].end as usize;
        let blanks = self.bytes()[end..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        (self.bytes().get(end + blanks) == Some(&b':')).then_some(end + blanks + 1)
    }

    /// Gives the pair of a block mapping another value.
    pub(super) fn replace_block(
        &mut self,
        map: usize,
        key: usize,
        value: usize,
        new: &Value,
    ) -> Result<(), String> {
        let colon = self
            .colon_end(key)
            .ok_or_else(|| format!("`{}` is written with `? `", key_text(self.tape, key)))?;
        let indent = self.column(self.tape.nodes[map].start as usize);
        let start = self.tape.outer_start(value);
        let end = self.tape.nodes[value].end as usize;
        let nested = match new {
            Value::Array(items) => !items.is_empty(),
            Value::Object(map) => !map.is_empty(),
            _ => false,
        };
        let same_line = self.line_start(start) == self.line_start(colon);
        if !nested {
            let mut text = String::new();
            flow(new, &mut text);
            if same_line && start > colon {
                self.replace(start..end, text);
            } else {
                // An absent value, or one on lines of its own: the new one goes behind the colon.
                self.replace(colon..colon, format!(" {text}"));
                if !same_line {
                    self.remove_lines(start, end);
                }
            }
            return Ok(());
        }
        let mut text = String::new();
        self.style.after_colon(new, indent, &mut text);
        if same_line {
            self.replace(colon..end, "");
            let line = self.line_end(end);
            self.replace(line..line, text);
        } else {
            let line = self.line_end(colon);
            self.replace(line..line, text);
            self.remove_lines(start, end);
        }
        Ok(())
    }

    /// Removes the whole lines from the one that holds `start` to the one that holds `end`.
    fn remove_lines(&mut self, start: usize, end: usize) {
        let range = self.whole_lines(start, end);
        self.replace(range, "");
    }

    /// The whole lines; at the end of a file without final line end, the line end before them instead of after.
    fn whole_lines(&self, start: usize, end: usize) -> Range<usize> {
        let from = self.line_start(start);
        let to = self.next_line(end);
        if to == self.line_end(end) && from > 0 {
            let before = &self.text[..from];
            let cut = if before.ends_with("\r\n") { 2 } else { 1 };
            return from - cut..to;
        }
        from..to
    }

    /// Removes pairs of a block mapping.
    pub(super) fn remove_block(&mut self, map: usize, gone: &[usize]) -> Result<(), String> {
        if gone.is_empty() {
            return Ok(());
        }
        let pairs: Vec<(usize, usize)> = self.tape.pairs(map).collect();
        if gone.len() == pairs.len() {
            let start = self.tape.outer_start(pairs[0].0);
            let end = self.tape.nodes[map].end as usize;
            self.replace(start..end.max(start), "{}");
            return Ok(());
        }
        for (index, (key, value)) in pairs.iter().enumerate() {
            if !gone.contains(key) {
                continue;
            }
            let start = self.tape.outer_start(*key);
            let end = self.tape.nodes[*value].end.max(self.tape.nodes[*key].end) as usize;
            if self.first_on_line(start) {
                self.remove_lines(start, end);
            } else {
                // The first pair of a list item: the next one takes its place behind the dash.
                let next = pairs.get(index + 1).map(|(key, _)| self.tape.outer_start(*key));
                let kept = pairs.get(index + 1).is_some_and(|(key, _)| !gone.contains(key));
                match next.filter(|_| kept) {
                    Some(next) => self.replace(start..next, ""),
                    None => return Err("the first keys of a list item cannot be removed in place".to_owned()),
                }
            }
        }
        Ok(())
    }

    /// Adds pairs to a block mapping, `gone` being the keys that are removed from it in the same edit.
    pub(super) fn insert_block(
        &mut self,
        map: usize,
        gone: &[usize],
        fresh: Vec<(&str, Value)>,
    ) -> Result<(), String> {
        if fresh.is_empty() {
            return Ok(());
        }
        let kept: Vec<(usize, usize)> = self.tape.pairs(map).filter(|(key, _)| !gone.contains(key)).collect();
        if kept.is_empty() {
            return Err("every key of a mapping would be replaced".to_owned());
        }
        let indent = self.column(self.tape.nodes[map].start as usize);
        for (place, group) in self.places(&kept, fresh) {
            let mut text = String::new();
            match place.checked_sub(1).map(|before| kept[before]) {
                Some((key, value)) => {
                    for (index, (name, value)) in group.iter().enumerate() {
                        if index > 0 {
                            text.push_str(self.style.newline);
                        }
                        text.extend(std::iter::repeat_n(' ', indent));
                        self.style.pair(name, value, indent, &mut text);
                    }
                    let end = self.tape.nodes[value].end.max(self.tape.nodes[key].end) as usize;
                    self.insert_lines(end, &text);
                }
                None => {
                    for (name, value) in &group {
                        self.style.pair(name, value, indent, &mut text);
                        self.style.line(indent, &mut text);
                    }
                    let at = self.tape.outer_start(kept[0].0);
                    self.replace(at..at, text);
                }
            }
        }
        Ok(())
    }

    /// Inserts whole lines after the one that holds `end`; a file without final line end stays without.
    pub(super) fn insert_lines(&mut self, end: usize, lines: &str) {
        let at = self.next_line(end);
        let newline = self.style.newline;
        let text =
            if at == self.line_end(end) { format!("{newline}{lines}") } else { format!("{lines}{newline}") };
        self.replace(at..at, text);
    }

    /// Groups new pairs by the number of old pairs before them: sorted where the mapping is sorted, else at the end.
    pub(super) fn places<'n>(
        &self,
        kept: &[(usize, usize)],
        mut fresh: Vec<(&'n str, Value)>,
    ) -> Vec<(usize, Vec<(&'n str, Value)>)> {
        let keys: Vec<_> = kept.iter().map(|(key, _)| key_text(self.tape, *key)).collect();
        let sorted = keys.is_sorted();
        if sorted {
            fresh.sort_by_key(|(name, _)| *name);
        }
        let mut groups: Vec<(usize, Vec<(&str, Value)>)> = Vec::new();
        for (name, value) in fresh {
            let place = if sorted { keys.partition_point(|key| key.as_ref() < name) } else { keys.len() };
            match groups.last_mut() {
                Some((last, group)) if *last == place => group.push((name, value)),
                _ => groups.push((place, vec![(name, value)])),
            }
        }
        groups
    }
}
