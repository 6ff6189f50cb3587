//! The human executor: an answer becomes a note and a result, and is kept under `.koru/prompts/` (koru §4.4).

use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::folder::safe_name;
use crate::base::atomic;
use crate::plan::ticket::TicketId;

/// One answered question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HumanAnswer {
    /// Ticket.
    pub ticket: TicketId,
    /// Who answered.
    pub actor: String,
    /// What was asked.
    pub prompt: String,
    /// The answer, verbatim.
    pub answer: String,
}

impl HumanAnswer {
    /// The note appended to the ticket: actor, prompt and answer, as koru documents it.
    pub fn note(&self) -> String {
        format!("Answered by {}.\nPrompt: {}\nAnswer: {}", self.actor, self.prompt, self.answer)
    }

    /// `outputs.result` of the ticket.
    pub fn result(&self) -> Value {
        json!({ "actor": self.actor, "prompt": self.prompt, "answer": self.answer })
    }

    /// Keeps the answer durably in `prompts/<ticket>-<UTC stamp>.json`, before the ticket is written: an answer is
    /// never lost, whatever becomes of the write after it.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn capture(&self, prompts: &Path, at: Timestamp) -> io::Result<PathBuf> {
        atomic::make_own_dir(prompts)?;
        let stamp = at.strftime("%Y%m%dT%H%M%S%.6fZ");
        let path = prompts.join(format!("{}-{stamp}.json", safe_name(self.ticket.as_str())));
        let record = json!({
            "format": 1, "ticket": self.ticket, "actor": self.actor, "answered_at": at.to_string(),
            "prompt": self.prompt, "answer": self.answer,
        });
        atomic::replace(&path, &[record.to_string().as_bytes(), b"\n"])?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn note_and_result_carry_actor_prompt_and_answer() {
        let answer = HumanAnswer {
            ticket: TicketId::new("PLF-1"),
            actor: "ann".to_owned(),
            prompt: "Which?".to_owned(),
            answer: "The left\none".to_owned(),
        };
        assert_eq!(answer.note(), "Answered by ann.\nPrompt: Which?\nAnswer: The left\none");
        assert_eq!(answer.result(), json!({"actor": "ann", "prompt": "Which?", "answer": "The left\none"}));
    }
}
