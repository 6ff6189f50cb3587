//! Texts of files that were shown, the last ones kept.
//!
//! Bounded by bytes: the shown file is always there, however large, others only as long as there is room.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use crate::runtime::protocol::diff::Body;

/// Bytes of texts that are kept besides the newest.
const BYTES: usize = 48 * 1024 * 1024;

/// The texts, oldest first, and what was asked for.
#[derive(Debug, Default)]
pub(crate) struct Bodies {
    held: VecDeque<(usize, Arc<Body>)>,
    asked: HashSet<usize>,
}

impl Bodies {
    pub(crate) fn get(&self, file: usize) -> Option<&Arc<Body>> {
        self.held.iter().find(|(held, _)| *held == file).map(|(_, body)| body)
    }

    /// Whether the texts of this file have to be asked for; true once.
    pub(crate) fn ask(&mut self, file: usize) -> bool {
        self.get(file).is_none() && self.asked.insert(file)
    }

    pub(crate) fn came(&mut self, file: usize, body: Arc<Body>) {
        self.asked.remove(&file);
        self.held.retain(|(held, _)| *held != file);
        self.held.push_back((file, body));
        let size = |body: &Body| body.old.text().len() + body.new.text().len() + body.blocks.len() * 16;
        while self.held.len() > 1 && self.held.iter().map(|(_, body)| size(body)).sum::<usize>() > BYTES {
            self.held.pop_front();
        }
    }
}
