//! What follows when an agent that was started ended: its report is looked for, it is started again, or it is given up.
//! And the conversations that a next start goes on with. Pure.

use std::time::Duration;

use super::ledger::{Lack, Ledger, Write};
use crate::verify::bus::{Level, Role, Session, check_session};

/// Longest pause before an agent is started again, seconds.
const LONGEST_PAUSE: u64 = 60;

/// How the start of an agent ended.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum AgentEnd {
    /// With exit code 0; what it was told to write is looked for next.
    Exited {
        /// Its conversation, when it told one.
        session: Option<String>,
    },
    /// The time limit stopped it; it may have written its report before.
    TimedOut {
        /// The limit.
        limit: Duration,
    },
    /// Otherwise.
    Failed {
        /// Why (foreign text).
        why: String,
        /// Trying again is of no use.
        permanent: bool,
        /// It does not know the conversation that it was to go on with.
        session_lost: bool,
    },
}

/// What follows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum After {
    /// Its report is waited for.
    Report(Option<Write>),
    /// It is started once more, which counts as no other try.
    Anew(Write),
    /// It is tried again after the pause.
    Again(Duration, Write),
    /// There will be no report.
    Over(Lack),
}

impl Ledger {
    /// The conversation that a role goes on with in this round.
    pub(super) fn conversation(&self, role: Role) -> Option<&Session> {
        let session = self.state.session(role)?;
        let age = self.state.round.saturating_sub(session.started_round);
        let limit = self.rules.max_session_rounds;
        let fits = session.backend == self.backend(role) && check_session(&session.session_id).is_ok();
        (fits && (limit == 0 || age < limit)).then_some(session)
    }

    /// What follows from the end of try `attempt`, from 1.
    pub(super) fn after(&mut self, role: Role, attempt: u32, end: AgentEnd) -> After {
        let word = role.word();
        match end {
            AgentEnd::Exited { session } => {
                let known = self.state.session(role).cloned();
                self.keep_session(role, session);
                let changed = self.state.session(role) != known.as_ref();
                After::Report(changed.then(|| Write::Save(Box::new(self.state.clone()))))
            }
            AgentEnd::TimedOut { limit } => {
                let limit = limit.as_secs_f64();
                After::Report(Some(Write::Say(
                    Level::Warning,
                    format!(
                        "the {word} worked for {limit} s, which is --dispatch-timeout, and was stopped; what it wrote counts"
                    ),
                )))
            }
            AgentEnd::Failed { why, session_lost: true, .. } if self.state.session(role).is_some() => {
                self.state.set_session(role, None);
                let say =
                    format!("the {word} does not know its conversation any more ({why}); it begins anew");
                After::Anew(Write::Say(Level::Warning, say))
            }
            AgentEnd::Failed { why, permanent, .. } => {
                let tries = self.rules.retries + 1;
                if permanent || attempt >= tries {
                    return After::Over(Lack::Failed(format!("attempt {attempt} of {tries}: {why}")));
                }
                let pause = self.pause(attempt);
                let seconds = pause.as_secs_f64();
                let say = format!(
                    "the {word} failed (attempt {attempt} of {tries}): {why}; trying again in {seconds} s"
                );
                After::Again(pause, Write::Say(Level::Warning, say))
            }
        }
    }

    fn keep_session(&mut self, role: Role, session: Option<String>) {
        let Some(session_id) = session.filter(|id| check_session(id).is_ok()) else { return };
        let started_round = self.conversation(role).map_or(self.state.round, |known| known.started_round);
        let backend = self.backend(role).to_owned();
        let known = Session { session_id, backend, started_round, extra: serde_json::Map::new() };
        self.state.set_session(role, Some(known));
    }

    /// min(60, base × 2^(attempt−1)) seconds.
    fn pause(&self, attempt: u32) -> Duration {
        let factor = 1_u32.checked_shl(attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let longest = Duration::from_secs(LONGEST_PAUSE);
        self.rules.retry_base.checked_mul(factor).map_or(longest, |pause| pause.min(longest))
    }
}
