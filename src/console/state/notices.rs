//! What the console said: the line at the bottom, and the history behind it.
//!
//! Owns at most [`KEPT`] notices. Text is safe when it comes in. A refusal stays until a key is pressed after it was
//! drawn, so that it cannot be missed, also by an event that comes right behind it; anything else goes after [`SHOWN`].

use std::collections::VecDeque;

use jiff::{SignedDuration, Timestamp};

use crate::base::text::safe_text;

const KEPT: usize = 200;
const SHOWN: SignedDuration = SignedDuration::from_secs(6);

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoticeKind {
    /// Being done.
    Info,
    /// Done and durable.
    Done,
    /// Not done.
    Refused,
}

/// One notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) at: Timestamp,
    pub(crate) kind: NoticeKind,
    pub(crate) text: String,
}

/// The notices, newest last.
#[derive(Clone, Debug, Default)]
pub(crate) struct Notices {
    kept: VecDeque<Notice>,
    /// The one on the bottom line.
    shown: Option<Notice>,
    drawn: bool,
}

impl Notices {
    pub(crate) fn push(&mut self, at: Timestamp, kind: NoticeKind, text: String) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        let notice = Notice { at, kind, text: safe_text(&text).to_string() };
        let stays = self.current().is_some_and(|shown| shown.kind == NoticeKind::Refused);
        if !stays || kind == NoticeKind::Refused {
            self.shown = Some(notice.clone());
            self.drawn = false;
        }
        self.kept.push_back(notice);
    }

    /// The one on the bottom line.
    pub(crate) fn current(&self) -> Option<&Notice> {
        self.shown.as_ref()
    }

    pub(crate) fn newest_first(&self) -> impl ExactSizeIterator<Item = &Notice> {
        self.kept.iter().rev()
    }

    pub(crate) fn drawn(&mut self) {
        self.drawn = true;
    }

    /// A key was pressed: a refusal that was seen may go.
    pub(crate) fn key_pressed(&mut self) -> bool {
        let goes = self.drawn && self.current().is_some_and(|notice| notice.kind == NoticeKind::Refused);
        if goes {
            self.shown = None;
        }
        goes
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.current().filter(|notice| notice.kind != NoticeKind::Refused).map(|notice| notice.at + SHOWN)
    }

    /// Takes a notice that is over off the bottom line; true when one went.
    pub(crate) fn expire(&mut self, now: Timestamp) -> bool {
        let goes = self.expires().is_some_and(|at| at <= now);
        if goes {
            self.shown = None;
        }
        goes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_elsewhere_does_not_take_a_refusal_from_the_screen() {
        let at = Timestamp::UNIX_EPOCH;
        let mut notices = Notices::default();
        let shown = |notices: &Notices| notices.current().map(|notice| notice.text.clone());
        notices.push(at, NoticeKind::Refused, "not sent".to_owned());
        notices.push(at, NoticeKind::Done, "PLF-1 is done".to_owned());
        assert_eq!(shown(&notices).as_deref(), Some("not sent"));
        assert_eq!(
            notices.newest_first().map(|notice| &*notice.text).collect::<Vec<_>>(),
            ["PLF-1 is done", "not sent"]
        );
        // A key that was pressed before it was drawn was not meant for it.
        assert!(!notices.key_pressed());
        notices.drawn();
        assert!(notices.key_pressed());
        assert_eq!(shown(&notices), None);
        notices.push(at, NoticeKind::Done, "PLF-2 is done".to_owned());
        assert_eq!(shown(&notices).as_deref(), Some("PLF-2 is done"));
    }
}
