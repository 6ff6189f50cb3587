//! The inline form for a human ticket: the question, its choices, and the operator's words.
//!
//! Owns the words until they are submitted. Invariants: nothing but the operator changes them (a draft that arrives
//! late is put before what was typed, never over it); `seen` is the ticket as it stood on the screen.

use jiff::Timestamp;

use crate::base::text::{safe_block, safe_text};
use crate::plan::ticket::{Ticket, TicketId};

use super::Unsaved;
use super::field::TextField;

/// What has the keys within the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The choices: a digit takes one.
    Choices,
    /// The text.
    Text,
    /// The button.
    Submit,
}

/// The form.
#[derive(Debug)]
pub(crate) struct AnswerForm {
    pub(crate) ticket: TicketId,
    pub(crate) title: String,
    pub(crate) seen: Option<Timestamp>,
    pub(crate) question: Vec<String>,
    pub(crate) choices: Vec<String>,
    pub(crate) text: TextField,
    pub(crate) part: Part,
    pub(crate) unsaved: Unsaved,
    pub(crate) saved_at: Option<Timestamp>,
    /// Why it was not sent.
    pub(crate) error: Option<String>,
    /// Whether the stored draft was asked for and has not come yet.
    pub(crate) awaits_draft: bool,
    /// First visible line of the question.
    pub(crate) scroll: usize,
}

impl AnswerForm {
    pub(crate) fn new(ticket: &Ticket, seen: Option<Timestamp>) -> AnswerForm {
        let choices: Vec<String> = ticket.inputs.choices.iter().take(9).cloned().collect();
        AnswerForm {
            ticket: ticket.id.clone(),
            title: safe_text(&ticket.name).to_string(),
            seen,
            question: safe_block(ticket.question()).iter().map(ToString::to_string).collect(),
            part: if choices.is_empty() { Part::Text } else { Part::Choices },
            choices,
            text: TextField::new("", false),
            unsaved: Unsaved::default(),
            saved_at: None,
            error: None,
            awaits_draft: true,
            scroll: 0,
        }
    }

    /// The draft under which its words are kept.
    pub(crate) fn key(&self) -> &str {
        self.ticket.as_str()
    }

    /// Puts a stored draft in. What was typed meanwhile stays and stands after it.
    pub(crate) fn restore(&mut self, draft: &str) {
        self.awaits_draft = false;
        if draft.is_empty() || self.text.text() == draft {
            return;
        }
        let typed = self.text.text();
        self.text.set(&format!("{draft}{typed}"));
        if !self.choices.is_empty() && self.part == Part::Choices {
            self.part = Part::Text;
        }
    }

    /// Takes the choice with this number, from 1; false when there is none.
    pub(crate) fn choose(&mut self, number: usize) -> bool {
        let Some(choice) = number.checked_sub(1).and_then(|index| self.choices.get(index)) else {
            return false;
        };
        self.text.set(&choice.clone());
        self.part = Part::Text;
        true
    }

    /// To the next part, or to the previous one.
    pub(crate) fn step(&mut self, forward: bool) {
        let parts: &[Part] = if self.choices.is_empty() {
            &[Part::Text, Part::Submit]
        } else {
            &[Part::Choices, Part::Text, Part::Submit]
        };
        let at = parts.iter().position(|part| *part == self.part).unwrap_or(0);
        let by = if forward { 1 } else { parts.len() - 1 };
        self.part = parts[(at + by) % parts.len()];
    }
}
