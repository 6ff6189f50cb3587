//! Lists that grow: old items keep their bytes.

use serde_json::Value;

use super::super::emit::flow;
use super::super::tape::Kind;
use super::Editor;

/// Most old items that a growing list may drop at its head (planfile caps `history` at 200 entries).
const MAX_DROPPED: usize = 32;

impl Editor<'_, '_> {
    /// Turns the list at `list` from `before` into `after` by appending, and by dropping items at the head of a block
    /// list. False when it does not grow that way; nothing is planned then.
    pub(super) fn grow_list(&mut self, list: usize, block: bool, before: &[Value], after: &[Value]) -> bool {
        if before.is_empty() || !self.tape.nodes[list].kind.is_seq() {
            return false;
        }
        let dropped =
            (0..before.len().min(MAX_DROPPED + 1)).find(|count| after.starts_with(&before[*count..]));
        let Some(dropped) = dropped else { return false };
        let fresh = &after[before.len() - dropped..];
        match self.tape.nodes[list].kind {
            Kind::BlockSeq if block => {
                if dropped > 0 && !self.drop_items(list, dropped) {
                    return false;
                }
                self.append_block(list, fresh);
                true
            }
            Kind::FlowSeq if dropped == 0 => {
                self.append_flow(list, fresh);
                true
            }
            _ => false,
        }
    }

    /// Removes the first items of a block list whose dashes begin their lines.
    fn drop_items(&mut self, list: usize, count: usize) -> bool {
        let items: Vec<usize> = self.tape.items(list).collect();
        let start = self.tape.nodes[list].start as usize;
        let Some(first_kept) = items.get(count) else { return false };
        let Some(dash) = self.dash_of(*first_kept) else { return false };
        if !self.first_on_line(start) || self.tape.props(list).is_some() {
            return false;
        }
        let range = self.line_start(start)..self.line_start(dash);
        self.replace(range, "");
        true
    }

    /// The dash of an item that stands behind its dash on the same line.
    fn dash_of(&self, item: usize) -> Option<usize> {
        let start = self.tape.outer_start(item);
        let line = self.line_start(start);
        let dash = line + self.text[line..start].find('-')?;
        self.text[line..dash].bytes().all(|byte| byte == b' ').then_some(dash)
    }

    fn append_block(&mut self, list: usize, fresh: &[Value]) {
        if fresh.is_empty() {
            return;
        }
        let node = &self.tape.nodes[list];
        let indent = self.column(node.start as usize);
        let mut text = " ".repeat(indent);
        self.style.block_seq(fresh, indent, &mut text);
        self.insert_lines(node.end as usize, &text);
    }

    fn append_flow(&mut self, list: usize, fresh: &[Value]) {
        let Some(last) = self.tape.items(list).last() else { return };
        let mut text = String::new();
        for item in fresh {
            text.push_str(", ");
            flow(item, &mut text);
        }
        let at = self.tape.nodes[last].end as usize;
        self.replace(at..at, text);
    }
}
