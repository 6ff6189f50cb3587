//! What the console said: the line at the bottom, and the history behind it.
//!
//! Owns at most [`KEPT`] notices. Text is safe when it comes in. A refusal stays until a key is pressed after it was
//! drawn, so that it cannot be missed; anything else goes after [`SHOWN`].

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
    visible: bool,
    drawn: bool,
}

impl Notices {
    pub(crate) fn push(&mut self, at: Timestamp, kind: NoticeKind, text: String) {
        if self.kept.len() == KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(Notice { at, kind, text: safe_text(&text).to_string() });
        self.visible = true;
        self.drawn = false;
    }

    /// The one on the bottom line.
    pub(crate) fn current(&self) -> Option<&Notice> {
        self.kept.back().filter(|_| self.visible)
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
        self.visible &= !goes;
        goes
    }

    pub(crate) fn expires(&self) -> Option<Timestamp> {
        self.current().filter(|notice| notice.kind != NoticeKind::Refused).map(|notice| notice.at + SHOWN)
    }

    /// Takes a notice that is over off the bottom line; true when one went.
    pub(crate) fn expire(&mut self, now: Timestamp) -> bool {
        let goes = self.expires().is_some_and(|at| at <= now);
        self.visible &= !goes;
        goes
    }
}
