//! The worktrees of agents: how much room they take, and which hold work that is nowhere else.
//!
//! Owns the list as it was measured when it came; measuring takes a while, so it is asked for and awaited.

use crate::console::list::List;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::WorktreeInfo;

/// The list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Worktrees {
    /// `None` while they are measured.
    pub(crate) list: Option<List<WorktreeInfo>>,
}

impl Worktrees {
    pub(crate) fn chosen(&self) -> Option<&WorktreeInfo> {
        self.list.as_ref()?.chosen()
    }

    /// Puts a new measure in; the selection stays on its ticket, or on its place.
    pub(crate) fn measured(&mut self, list: Vec<WorktreeInfo>) {
        let same =
            |before: &WorktreeInfo, info: &WorktreeInfo| before.worktree.ticket == info.worktree.ticket;
        self.list.get_or_insert_default().replace(list, same);
    }

    /// Those that may go.
    pub(crate) fn prunable(&self) -> Vec<TicketId> {
        let all = self.list.iter().flat_map(List::rows).filter(|info| keeps(info).is_none());
        all.map(|info| info.worktree.ticket.clone()).collect()
    }
}

/// Why a worktree stays, if it does; safe text.
pub(crate) fn keeps(info: &WorktreeInfo) -> Option<String> {
    use crate::console::words::count;
    if info.in_use {
        return Some("a run uses it".to_owned());
    }
    if let Some(trouble) = &info.trouble {
        return Some(crate::base::text::safe_text(trouble).to_string());
    }
    let mut reasons = Vec::new();
    if info.dirty > 0 {
        reasons.push(format!("{} uncommitted", count(info.dirty as usize, "file", "files")));
    }
    if info.unmerged > 0 {
        reasons.push(format!("{} unmerged", count(info.unmerged as usize, "commit", "commits")));
    }
    (!reasons.is_empty()).then(|| reasons.join(", "))
}
