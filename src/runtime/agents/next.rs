//! What follows a session of an agent: a plain function of how it ended, so that it can be tested without an agent.

use jiff::Timestamp;

use crate::execute::agents::session::AgentEnding;

/// What is known when a session ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct After<'a> {
    pub(super) ending: &'a AgentEnding,
    /// The operator stopped the run.
    pub(super) stopped: bool,
    /// The session went on with an earlier conversation.
    pub(super) resumed: bool,
    /// Turns of this run so far.
    pub(super) turns: u32,
    /// The conversation that a further session could go on with.
    pub(super) conversation: Option<&'a str>,
    /// Said by the operator and not heard by the agent.
    pub(super) unheard: &'a [String],
    /// Whether it may sleep over one more rate limit.
    pub(super) may_sleep: bool,
}

/// What is done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// The work is over, one way or another.
    Over,
    /// A rate limit is slept over; with `resume` the conversation goes on after it, else the same words are said again.
    Sleep { until: Option<Timestamp>, resume: Option<String> },
    /// The earlier conversation is not there any more: the work begins anew.
    Anew,
    /// These words are the next round of the conversation, or of a new one.
    Tell { words: String, resume: Option<String> },
}

impl Next {
    /// What of `unheard` is said besides whatever it begins with next.
    pub(super) fn says_besides(&self, unheard: &mut Vec<String>) -> Vec<String> {
        match self {
            Next::Sleep { .. } | Next::Anew => std::mem::take(unheard),
            Next::Over | Next::Tell { .. } => Vec::new(),
        }
    }
}

/// Decides.
pub(super) fn next(after: &After<'_>) -> Next {
    let conversation = after.conversation.map(str::to_owned);
    match after.ending {
        _ if after.stopped => Next::Over,
        AgentEnding::RateLimited { until } if after.may_sleep => {
            Next::Sleep { until: *until, resume: conversation.filter(|_| after.turns > 0) }
        }
        // Once: what begins anew resumes nothing.
        AgentEnding::Failed if after.resumed && after.turns == 0 => Next::Anew,
        AgentEnding::Finished if !after.unheard.is_empty() => {
            Next::Tell { words: after.unheard.join("\n\n"), resume: conversation }
        }
        _ => Next::Over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(ending: &AgentEnding) -> After<'_> {
        After {
            ending,
            stopped: false,
            resumed: false,
            turns: 1,
            conversation: Some("c-1"),
            unheard: &[],
            may_sleep: true,
        }
    }

    #[test]
    fn a_rate_limit_is_slept_over_as_often_as_allowed() {
        let until = Some(Timestamp::UNIX_EPOCH);
        let ending = AgentEnding::RateLimited { until };
        let limited = after(&ending);
        assert_eq!(next(&limited), Next::Sleep { until, resume: Some("c-1".to_owned()) });
        assert_eq!(next(&After { turns: 0, ..limited }), Next::Sleep { until, resume: None });
        assert_eq!(next(&After { conversation: None, ..limited }), Next::Sleep { until, resume: None });
        assert_eq!(next(&After { may_sleep: false, ..limited }), Next::Over);
    }

    #[test]
    fn a_conversation_that_is_gone_begins_anew_and_any_other_failure_is_one() {
        let ending = AgentEnding::Failed;
        let failed = After { resumed: true, turns: 0, ..after(&ending) };
        assert_eq!(next(&failed), Next::Anew);
        assert_eq!(next(&After { turns: 1, ..failed }), Next::Over);
        assert_eq!(next(&After { resumed: false, ..failed }), Next::Over);
    }

    #[test]
    fn words_that_were_not_heard_are_the_next_round_of_what_finished() {
        let words = ["use tabs".to_owned(), "and a test".to_owned()];
        let ending = AgentEnding::Finished;
        let finished = After { unheard: &words, ..after(&ending) };
        let told = "use tabs\n\nand a test".to_owned();
        assert_eq!(next(&finished), Next::Tell { words: told.clone(), resume: Some("c-1".to_owned()) });
        assert_eq!(next(&After { conversation: None, ..finished }), Next::Tell { words: told, resume: None });
        assert_eq!(next(&After { unheard: &[], ..finished }), Next::Over);
        assert_eq!(next(&After { ending: &AgentEnding::Paused, ..finished }), Next::Over);
    }

    #[test]
    fn nothing_follows_when_the_operator_stopped_it() {
        let words = ["more".to_owned()];
        for ending in [AgentEnding::Finished, AgentEnding::Failed, AgentEnding::RateLimited { until: None }] {
            let stopped = After { stopped: true, resumed: true, turns: 0, unheard: &words, ..after(&ending) };
            assert_eq!(next(&stopped), Next::Over, "{ending:?}");
        }
    }
}
