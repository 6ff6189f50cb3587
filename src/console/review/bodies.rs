//! Texts of files that were shown, the last ones kept.
//!
//! Bounded by bytes: the shown file is always there, however large, others only as long as there is room.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use crate::runtime::protocol::diff::Body;

/// Bytes of texts that are kept besides the newest.
const BYTES: usize = 48 * 1024 * 1024;

/// The texts, in which order they came (oldest first), and what was asked for.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    held: HashMap<usize, Arc<Body>>,
    order: VecDeque<usize>,
    bytes: usize,
    asked: HashSet<usize>,
}

impl Bodies {
    pub(crate) fn get(&self, file: usize) -> Option<&Arc<Body>> {
        self.held.get(&file)
    }

    /// Whether the texts of this file have to be asked for; true once.
    pub(crate) fn ask(&mut self, file: usize) -> bool {
        self.get(file).is_none() && self.asked.insert(file)
    }

    pub(crate) fn came(&mut self, file: usize, body: Arc<Body>) {
        self.asked.remove(&file);
        self.drop_of(file);
        self.order.retain(|held| *held != file);
        self.order.push_back(file);
        self.bytes += size(&body);
        self.held.insert(file, body);
        while self.bytes > BYTES && self.order.len() > 1 {
            let Some(oldest) = self.order.pop_front() else { return };
            self.drop_of(oldest);
        }
    }

    fn drop_of(&mut self, file: usize) {
        if let Some(body) = self.held.remove(&file) {
            self.bytes -= size(&body);
        }
    }
}

/// Bytes that a body takes.
fn size(body: &Body) -> usize {
    body.old.text().len() + body.new.text().len() + body.blocks.len() * 16
}
