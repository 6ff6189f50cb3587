//! The list of worktrees: asked for, walked through, pruned after a question.

use super::super::actions::Action;
use super::super::layers::confirm::Confirmed;
use super::super::layers::worktrees::keeps;
use super::super::layers::{Confirm, Layer, Worktrees};
use super::super::list::Motion;
use super::super::message::Effect;
use super::super::state::{Console, NoticeKind, Pending};
use super::super::words;
use crate::base::text::safe_text;
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::{Command, PruneReport, WorktreeCommand, WorktreeInfo};

impl Console {
    pub(super) fn open_worktrees(&mut self) {
        self.layers.push(Layer::Worktrees(Worktrees::default()));
        self.measure_worktrees();
    }

    fn measure_worktrees(&mut self) {
        self.send(Command::Worktree(WorktreeCommand::List), Pending::quiet());
    }

    pub(super) fn worktrees_key(&mut self, mut list: Worktrees, action: Option<Action>) {
        match action {
            Some(Action::Back | Action::Close) => return,
            Some(Action::Attach) => {
                if let Some(info) = list.chosen() {
                    self.effects.push(Effect::Attach { folder: info.worktree.work_folder() });
                }
            }
            Some(Action::Prune) => {
                let chosen = list.chosen().cloned();
                self.layers.push(Layer::Worktrees(list));
                return self.ask_prune(chosen.as_ref());
            }
            Some(Action::PruneAll) => {
                let may_go = list.prunable().len();
                self.layers.push(Layer::Worktrees(list));
                return self.ask_prune_all(may_go);
            }
            _ => {
                if let (Some(rows), Some(motion)) = (&mut list.list, action.and_then(Motion::of)) {
                    rows.go(motion);
                }
            }
        }
        self.layers.push(Layer::Worktrees(list));
    }

    fn ask_prune(&mut self, chosen: Option<&WorktreeInfo>) {
        let Some(info) = chosen else { return };
        let id = words::safe(&info.worktree.ticket);
        if let Some(reason) = keeps(info) {
            return self.say(NoticeKind::Refused, format!("the worktree of {id} stays: {reason}"));
        }
        self.layers.push(Layer::Confirm(Confirm {
            question: format!("remove the worktree of {id}?"),
            detail: format!(
                "It holds nothing that is not elsewhere; {} are freed.",
                words::bytes(info.bytes)
            ),
            yes: "remove",
            then: Confirmed::Prune(vec![info.worktree.ticket.clone()]),
        }));
    }

    fn ask_prune_all(&mut self, may_go: usize) {
        if may_go == 0 {
            return self.say(NoticeKind::Refused, "every worktree is used or holds work of its own");
        }
        self.layers.push(Layer::Confirm(Confirm {
            question: format!("remove {}?", words::count(may_go, "worktree", "worktrees")),
            detail: "Those that hold nothing of their own; the others stay.".to_owned(),
            yes: "remove",
            then: Confirmed::Prune(Vec::new()),
        }));
    }

    /// The operator said yes. The list is measured again when it is done.
    pub(super) fn prune(&mut self, tickets: Vec<TicketId>) {
        self.say(NoticeKind::Info, "removing worktrees…");
        self.send(Command::Worktree(WorktreeCommand::Prune { tickets }), Pending::quiet());
    }

    pub(super) fn worktrees_came(&mut self, list: Vec<WorktreeInfo>) {
        if let Some(Layer::Worktrees(layer)) =
            self.layers.iter_mut().rfind(|layer| matches!(layer, Layer::Worktrees(_)))
        {
            layer.measured(list);
            self.dirty = true;
        }
    }

    pub(super) fn pruned(&mut self, report: &PruneReport) {
        let removed = words::count(report.removed.len(), "worktree is", "worktrees are");
        let text = format!("{removed} removed, {} freed", words::bytes(report.freed));
        match report.kept.as_slice() {
            [] => self.say(NoticeKind::Done, text),
            [kept] if report.removed.is_empty() => {
                let why = safe_text(&kept.why);
                self.say(NoticeKind::Refused, format!("{} stays: {why}", words::safe(&kept.ticket)));
            }
            kept => self.say(NoticeKind::Done, format!("{text}; {} stay", kept.len())),
        }
        if self.layers.iter().any(|layer| matches!(layer, Layer::Worktrees(_))) {
            self.measure_worktrees();
        }
    }
}
