//! Words for an agent: a message to one that works, a note with a retry, a note with a delegation.
//!
//! Owns the words until they are sent; kept as a draft like an answer. Invariants: nothing but the operator changes them
//! (a draft that arrives late is put before what was typed, never over it); what they are for is fixed when it opens.

use jiff::Timestamp;

use crate::plan::ticket::TicketId;
use crate::runtime::protocol::RunId;
use crate::runtime::protocol::diff::{Anchor, Comment, TextSide};
use crate::runtime::protocol::promotion::After;
use crate::runtime::protocol::review::Finding;

use super::Unsaved;
use super::field::TextField;
use crate::console::promotions::Seen;

/// What the words are for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Purpose {
    /// Said to the agent of this run.
    Say(RunId),
    /// Said after the brief of a retry; `seen` is the ticket as it stood on the screen.
    Retry { seen: Option<Timestamp> },
    /// Kept with lines of a diff, and sent with the others.
    Comment(Box<CommentPlace>),
    /// Said after the brief to the agent that a ticket is given to; the usual one when none is named.
    Delegate { agent: Option<String> },
    /// Why the work at the commit that was seen is rejected.
    Reject { seen: String },
    /// What the next round mends, as text; made of these findings, on the commit that was seen.
    Fixes { seen: String, known: Vec<Finding> },
    /// Why finished work does not land.
    RejectPromotion { seen: Seen, after: After },
}

/// The lines that a comment is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommentPlace {
    /// Of a comment that is changed.
    pub(crate) id: Option<String>,
    pub(crate) file: String,
    pub(crate) side: TextSide,
    /// From 1.
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) anchor: Anchor,
    pub(crate) near: Option<u32>,
}

impl CommentPlace {
    /// Where a comment stands.
    pub(crate) fn of(comment: &Comment) -> CommentPlace {
        CommentPlace {
            id: Some(comment.id.clone()),
            file: comment.file.clone(),
            side: comment.side,
            first: comment.first,
            last: comment.last,
            anchor: comment.anchor.clone(),
            near: comment.near,
        }
    }

    /// The name of its draft.
    fn key(&self) -> String {
        let side = if self.side == TextSide::Old { "old" } else { "new" };
        format!("{}:{side}:{}-{}", self.file, self.first, self.last)
    }
}

/// The form.
#[derive(Debug)]
pub(crate) struct MessageForm {
    pub(crate) ticket: TicketId,
    pub(crate) purpose: Purpose,
    pub(crate) text: TextField,
    /// The button has the keys.
    pub(crate) on_button: bool,
    pub(crate) unsaved: Unsaved,
    pub(crate) saved_at: Option<Timestamp>,
    /// Why it was not sent.
    pub(crate) error: Option<String>,
    /// Whether the stored draft was asked for and has not come yet.
    pub(crate) awaits_draft: bool,
    /// What stood there when it opened, to be changed.
    preset: Option<String>,
}

impl MessageForm {
    pub(crate) fn new(ticket: TicketId, purpose: Purpose) -> MessageForm {
        MessageForm {
            ticket,
            purpose,
            text: TextField::new("", false),
            on_button: false,
            unsaved: Unsaved::default(),
            saved_at: None,
            error: None,
            awaits_draft: true,
            preset: None,
        }
    }

    /// Begins with a text that is to be changed, unless a draft of it stands there already.
    pub(crate) fn begin_with(&mut self, text: String) {
        if self.text.is_blank() {
            self.text.set(&text);
        }
        self.preset = Some(text);
    }

    /// The draft under which its words are kept.
    pub(crate) fn key(&self) -> String {
        let what = match &self.purpose {
            Purpose::Comment(place) => return format!("comment-{}-{}", self.ticket, place.key()),
            // A list of another state of the work is another list.
            Purpose::Fixes { seen, .. } => {
                return format!("fixes-{}-{}", seen.get(..8).unwrap_or(seen), self.ticket);
            }
            Purpose::Reject { .. } => "reject",
            Purpose::RejectPromotion { .. } => "land-reject",
            Purpose::Say(_) => "say",
            Purpose::Retry { .. } => "retry",
            Purpose::Delegate { .. } => "delegate",
        };
        format!("{what}-{}", self.ticket)
    }

    /// Whether a draft is one of these forms', so that the console drops it when it was sent.
    pub(crate) fn is_key(key: &str) -> bool {
        ["say-", "retry-", "delegate-", "comment-", "reject-", "land-reject-", "fixes-"]
            .iter()
            .any(|start| key.starts_with(start))
    }

    /// Puts a stored draft in. What was typed meanwhile stays and stands after it.
    pub(crate) fn restore(&mut self, draft: &str) {
        self.awaits_draft = false;
        if let Some(preset) = &self.preset {
            // A draft was made of that text, so it takes its place and is not put before it; what was typed stays.
            let untouched = self.text.is_blank() || self.text.text() == *preset;
            if !draft.is_empty() && untouched {
                self.text.set(draft);
            }
            return;
        }
        if !draft.is_empty() && self.text.text() != draft {
            let typed = self.text.text();
            self.text.set(&format!("{draft}{typed}"));
        }
    }
}
