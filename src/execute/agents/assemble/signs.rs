//! What of a stream tells how the run went: kept while it passes, read by the verdict.

use super::super::event::{AgentEvent, Finish};

/// What a run looks like to whoever judges it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signs<'a> {
    /// What the agent said of its end, if it did.
    pub finish: Option<&'a Finish>,
    /// The last error that no later text or tool made good.
    pub trouble: Option<&'a TroubleSign>,
    /// The last rate limit that no later text or tool made good.
    pub limit: Option<&'a LimitSign>,
    /// There was answer text of the main conversation.
    pub said: bool,
    /// A tool was called.
    pub worked: bool,
    /// Events that were understood.
    pub known: u64,
    /// Lines that were not.
    pub unknown: u64,
}

/// An error that an agent reported.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TroubleSign {
    /// Sentence (foreign).
    pub message: String,
    /// HTTP status of the model's host.
    pub status: Option<u16>,
}

/// A refusal for now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LimitSign {
    /// Sentence (foreign).
    pub message: String,
    /// Seconds to wait, counted from the event.
    pub retry_after_seconds: Option<u64>,
    /// Seconds since 1970 when it may be asked again.
    pub resets_at: Option<i64>,
}

/// Watches the events of one run.
#[derive(Debug, Default)]
pub(super) struct Watch {
    trouble: Option<TroubleSign>,
    limit: Option<LimitSign>,
    said: bool,
    worked: bool,
    resting: bool,
    known: u64,
    unknown: u64,
}

impl Watch {
    pub(super) fn see(&mut self, event: &AgentEvent) {
        self.known += u64::from(!matches!(event, AgentEvent::Unknown { .. }));
        match event {
            AgentEvent::Text(speech) if !speech.aside && !speech.text.trim().is_empty() => {
                self.said = true;
                self.good();
            }
            AgentEvent::Text(speech) | AgentEvent::Thinking(speech) => self.resting &= speech.aside,
            AgentEvent::ToolCall { .. } => {
                self.worked = true;
                self.good();
            }
            AgentEvent::ToolResult { .. } | AgentEvent::Reply | AgentEvent::TurnEnd => self.resting = true,
            AgentEvent::Error { message, status } => {
                self.trouble = Some(TroubleSign { message: message.clone(), status: *status });
            }
            AgentEvent::RateLimit { message, retry_after_seconds, resets_at } => {
                let mut limit = LimitSign {
                    message: message.clone(),
                    retry_after_seconds: *retry_after_seconds,
                    resets_at: *resets_at,
                };
                // The host's refusal often follows on the word of when it ends, and does not repeat it.
                if let (None, None, Some(before)) = (retry_after_seconds, resets_at, &self.limit) {
                    (limit.retry_after_seconds, limit.resets_at) =
                        (before.retry_after_seconds, before.resets_at);
                }
                self.limit = Some(limit);
            }
            AgentEvent::Unknown { .. } => self.unknown += 1,
            _ => {}
        }
    }

    fn good(&mut self) {
        self.resting = false;
        self.trouble = None;
        self.limit = None;
    }

    pub(super) fn at_rest(&self) -> bool {
        self.resting
    }

    pub(super) fn signs<'a>(&'a self, finish: Option<&'a Finish>) -> Signs<'a> {
        Signs {
            finish,
            trouble: self.trouble.as_ref(),
            limit: self.limit.as_ref(),
            said: self.said,
            worked: self.worked,
            known: self.known,
            unknown: self.unknown,
        }
    }
}
