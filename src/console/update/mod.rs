//! What each message does to the state: one function per area, effects out as data.
//!
//! Nothing in here waits, reads a file or asks the clock. Matches are exhaustive, so that a new message or action
//! cannot be forgotten.

mod actions;
mod availability;
mod calling;
mod decide;
mod earlier;
mod forms;
mod input;
mod layers;
mod lists;
mod moving;
mod promotions;
mod review;
mod runtime;
mod steer;
mod undo;
mod verdict;
mod way;
mod worktrees;

use jiff::Timestamp;

use super::message::{Effect, ExitReason, Message, SystemMessage};
use super::state::{Console, Leaving, NoticeKind};

pub(crate) use availability::available;
pub(crate) use way::Way;

impl Console {
    /// Takes one message in at `now`; what is to be done outside comes back.
    pub fn update(&mut self, now: Timestamp, message: Message) -> Vec<Effect> {
        self.now = now;
        match message {
            Message::Input(message) => self.on_input(message),
            Message::Runtime(message) => self.on_runtime(message),
            Message::System(message) => self.on_system(message),
        }
        std::mem::take(&mut self.effects)
    }

    fn on_system(&mut self, message: SystemMessage) {
        match message {
            SystemMessage::Tick => self.tick(),
            SystemMessage::Terminate => {
                self.save_drafts();
                self.effects.push(Effect::Exit(ExitReason::Terminated));
            }
            SystemMessage::Edited { key, result } => self.edited(&key, result),
            SystemMessage::Attached { result: Ok(()) } => self.dirty = true,
            SystemMessage::Attached { result: Err(reason) } => self.say(NoticeKind::Refused, reason),
            SystemMessage::PaintedPart(part) => {
                let came = self.review_mut().is_some_and(|screen| screen.part_came(part.key, part.lines));
                self.dirty |= came;
            }
            SystemMessage::Painted(painted) => self.dirty |= self.sources.came(painted),
            SystemMessage::Trouble(text) => self.say(NoticeKind::Refused, text),
        }
    }

    /// Time passed. Marks the screen as changed only where something visible moved.
    fn tick(&mut self) {
        self.save_due_drafts();
        // The search advances when a frame is prepared.
        if self.notices.expire(self.now) || self.runs.busy {
            self.dirty = true;
        }
        if self.has_active_runs() && self.now.duration_since(self.moved) >= super::state::SPIN {
            self.moved = self.now;
            self.dirty = true;
        }
    }

    /// Leaves for good: drafts first, so that nothing typed is lost.
    pub(crate) fn leave(&mut self) {
        self.save_drafts();
        self.effects.push(Effect::Exit(ExitReason::Quit));
    }

    /// Goes when the last run ended, if the operator chose so.
    pub(crate) fn leave_when_quiet(&mut self) {
        let quiet = !self.has_active_runs();
        match self.leaving {
            Some(Leaving::Stopping | Leaving::Waiting) if quiet => self.leave(),
            Some(_) | None => {}
        }
    }
}
