//! Splices in flow mappings.

use serde_json::Value;

use super::super::emit::{flow, flow_pair};
use super::Editor;

impl Editor<'_, '_> {
    /// Gives the pair of a flow mapping another value.
    pub(super) fn replace_flow(&mut self, key: usize, value: usize, new: &Value) -> Result<(), String> {
        let start = self.tape.outer_start(value);
        let end = self.tape.nodes[value].end as usize;
        let mut text = String::new();
        flow(new, &mut text);
        if end > start {
            self.replace(start..end, text);
        } else if let Some(colon) = self.colon_end(key) {
            self.replace(colon..colon, format!(" {text}"));
        } else {
            let end = self.tape.nodes[key].end as usize;
            self.replace(end..end, format!(": {text}"));
        }
        Ok(())
    }

    /// Removes pairs of a flow mapping.
    pub(super) fn remove_flow(&mut self, map: usize, gone: &[usize]) {
        if gone.is_empty() {
            return;
        }
        let pairs: Vec<(usize, usize)> = self.tape.pairs(map).collect();
        if gone.len() == pairs.len() {
            let node = &self.tape.nodes[map];
            self.replace(node.start as usize + 1..node.end as usize - 1, "");
            return;
        }
        let end_of = |index: usize| {
            let (key, value) = pairs[index];
            self.tape.nodes[value].end.max(self.tape.nodes[key].end) as usize
        };
        let mut cuts = Vec::new();
        let mut kept = None;
        for (index, (key, _)) in pairs.iter().enumerate() {
            if !gone.contains(key) {
                kept = Some(index);
                continue;
            }
            match (kept, pairs.get(index + 1)) {
                // Behind a pair that stays: with the comma before it.
                (Some(_), _) => cuts.push(end_of(index - 1)..end_of(index)),
                (None, Some((next, _))) => {
                    cuts.push(self.tape.outer_start(*key)..self.tape.outer_start(*next))
                }
                (None, None) => {}
            }
        }
        for cut in cuts {
            self.replace(cut, "");
        }
    }

    /// Adds pairs to a flow mapping, `gone` being the keys that are removed from it in the same edit.
    pub(super) fn insert_flow(&mut self, map: usize, gone: &[usize], fresh: Vec<(&str, Value)>) {
        if fresh.is_empty() {
            return;
        }
        let pairs: Vec<(usize, usize)> =
            self.tape.pairs(map).filter(|(key, _)| !gone.contains(key)).collect();
        let open = self.tape.nodes[map].start as usize + 1;
        if pairs.is_empty() {
            let mut text = String::new();
            for (name, value) in &fresh {
                if !text.is_empty() {
                    text.push_str(", ");
                }
                flow_pair(name, value, &mut text);
            }
            self.replace(open..open, text);
            return;
        }
        for (place, group) in self.places(&pairs, fresh) {
            let mut text = String::new();
            match place.checked_sub(1).map(|before| pairs[before]) {
                Some((key, value)) => {
                    for (name, value) in &group {
                        text.push_str(", ");
                        flow_pair(name, value, &mut text);
                    }
                    let at = self.tape.nodes[value].end.max(self.tape.nodes[key].end) as usize;
                    self.replace(at..at, text);
                }
                None => {
                    for (name, value) in &group {
                        flow_pair(name, value, &mut text);
                        text.push_str(", ");
                    }
                    let at = self.tape.outer_start(pairs[0].0);
                    self.replace(at..at, text);
                }
            }
        }
    }
}
