//! SEARCH/REPLACE blocks in a reply of aider, kept until it says that they were applied.

use super::super::diff::Diff;
use crate::execute::agents::event::{AgentEvent, ChangeKind};

/// Blocks that are remembered; the oldest is forgotten first.
const BLOCKS: usize = 32;

/// The blocks of one reply.
#[derive(Default)]
pub(super) struct Edits {
    /// The last line that was neither empty nor a fence: a block's file name.
    name: String,
    part: Part,
    searched: bool,
    diff: Diff,
    done: Vec<Edit>,
}

struct Edit {
    path: String,
    new: bool,
    diff: String,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Part {
    #[default]
    Outside,
    Search,
    Replace,
}

impl Edits {
    /// Takes a line of a reply.
    pub(super) fn line(&mut self, line: &str) {
        let line = line.trim_end();
        match (self.part, line) {
            (_, "<<<<<<< SEARCH") => {
                self.part = Part::Search;
                self.searched = false;
                self.diff = Diff::default();
                self.diff.line("@@", "");
            }
            (Part::Search, "=======") => self.part = Part::Replace,
            (Part::Replace, ">>>>>>> REPLACE") => self.end_block(),
            (Part::Search, line) => {
                self.searched = true;
                self.diff.line("-", line);
            }
            (Part::Replace, line) => self.diff.line("+", line),
            (Part::Outside, line) if line.is_empty() || line.starts_with("```") => {}
            (Part::Outside, line) if line.len() < 1024 => line.clone_into(&mut self.name),
            (Part::Outside, _) => self.name.clear(),
        }
    }

    fn end_block(&mut self) {
        self.part = Part::Outside;
        if self.done.len() == BLOCKS {
            self.done.remove(0);
        }
        let diff = std::mem::take(&mut self.diff).finish().unwrap_or_default();
        self.done.push(Edit { path: self.name.clone(), new: !self.searched, diff });
    }

    /// The edits of that file were applied.
    pub(super) fn applied(&mut self, path: &str) -> AgentEvent {
        let (of_file, others): (Vec<_>, Vec<_>) = self.done.drain(..).partition(|edit| edit.path == path);
        self.done = others;
        let new = !of_file.is_empty() && of_file.iter().all(|edit| edit.new);
        let kind = if new { ChangeKind::Added } else { ChangeKind::Modified };
        let diff: String = of_file.into_iter().map(|edit| edit.diff).collect();
        AgentEvent::FileChange {
            path: path.to_owned(),
            kind,
            diff: Some(diff).filter(|diff| !diff.is_empty()),
        }
    }
}
