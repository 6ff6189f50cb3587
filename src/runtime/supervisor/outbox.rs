//! Events on their way to a console that may be slow: nothing here blocks the supervisor or grows without end.
//!
//! Replies and endings are kept until they are taken, in order; their number is bounded by the commands and runs that
//! caused them. Output is not kept: of each run only the newest batch waits, and what it replaces is a gap that the
//! console fetches. Changes collapse into one.

use std::collections::VecDeque;

use crate::runtime::protocol::{Event, RunEvent};

/// Events that wait for room in the channel.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    waiting: VecDeque<Event>,
    changed: Option<u64>,
}

impl Outbox {
    /// Adds an event.
    pub(super) fn push(&mut self, event: Event) {
        if let Event::Run(RunEvent::Output { run, .. }) = &event {
            let older = self.waiting.iter_mut().find(
                |waiting| matches!(waiting, Event::Run(RunEvent::Output { run: other, .. }) if other == run),
            );
            if let Some(older) = older {
                *older = event;
                return;
            }
        }
        self.waiting.push_back(event);
    }

    /// A new snapshot can be read.
    pub(super) fn changed(&mut self, revision: u64) {
        self.changed = Some(revision);
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.changed.is_none()
    }

    /// The next event. The change goes first: whatever a reply or an ending tells can be seen in the snapshot then.
    pub(super) fn pop(&mut self) -> Option<Event> {
        match self.changed.take() {
            Some(revision) => Some(Event::Changed { revision }),
            None => self.waiting.pop_front(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::protocol::{RequestId, RunId, RunState};

    #[test]
    fn output_is_replaced_changes_collapse_and_the_rest_is_kept() {
        let run = || RunId("r".into());
        let output = |first| Event::Run(RunEvent::Output { run: run(), first, lines: [].into() });
        let ended = || Event::Run(RunEvent::Ended { run: run(), state: RunState::Done });
        let outcome = crate::runtime::protocol::Outcome::Done { ticket: None, run: None };
        let reply = || Event::Reply { request: RequestId(1), outcome: outcome.clone() };
        let mut outbox = Outbox::default();
        outbox.push(output(0));
        outbox.changed(1);
        outbox.push(reply());
        outbox.push(output(7));
        outbox.changed(2);
        outbox.push(ended());
        let all: Vec<Event> = std::iter::from_fn(|| outbox.pop()).collect();
        assert_eq!(all, [Event::Changed { revision: 2 }, output(7), reply(), ended()]);
    }
}
