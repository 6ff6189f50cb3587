//! How a loop ends otherwise than well.

use super::{AgentEnd, Effect, End, Machine, Step};
use crate::verify::bus::{File, Level, OutcomeWord, Phase, Role};

/// Key of the state in which we keep whose turn it was when somebody stopped the loop; loop-kit keeps it without looking.
pub(super) const STOPPED_IN: &str = "stopped_in";

/// Key of the state in which we keep that an agent is judging: a report that it wrote before the loop was cut off was never
/// held against the tree, so that it does not count.
pub(super) const JUDGING: &str = "agent_judging";

/// Longest pause before an agent is started again, seconds.
const LONGEST_PAUSE: u64 = 60;

impl Machine {
    /// Records a failure and ends.
    pub(super) fn fail(&mut self, outcome: &str, why: String, end: End, now: &str) -> Vec<Effect> {
        let round = self.state.round;
        self.state.phase = Phase::Done;
        self.state.outcome = Some(outcome.to_owned());
        self.state.failed_at = Some(now.to_owned());
        self.state.error = Some(why.clone());
        if outcome != OutcomeWord::INTERRUPTED {
            self.state.extra.shift_remove(JUDGING);
        }
        self.step = Step::Over;
        let kept = match OutcomeWord::lacks_verdict(outcome) {
            true => "; the work is kept, and --resume asks the reviewer again",
            false => "",
        };
        vec![
            Effect::Save(Box::new(self.state.clone())),
            Effect::ArchiveRound(round),
            Effect::Say(Level::Error, format!("{outcome}: {why}{kept}")),
            Effect::End(end),
        ]
    }

    /// Records a failure of the reviewer whose report must not count: the archive has it from now on, and whoever resumes
    /// asks anew. It goes before the state is saved, so that no crash leaves it to be taken for a verdict.
    pub(super) fn distrust(&mut self, outcome: &str, why: String, now: &str) -> Vec<Effect> {
        let mut effects = vec![Effect::Retire(self.state.round, File::ReviewReport)];
        effects.extend(self.fail(outcome, why, End::Invalid, now));
        effects
    }

    /// Ends without a change of the state, which is another task's or somebody's result.
    pub(super) fn refuse(&mut self, why: String, end: End) -> Vec<Effect> {
        self.step = Step::Over;
        let level = if end == End::Ok { Level::Info } else { Level::Error };
        vec![Effect::Say(level, why), Effect::End(end)]
    }

    pub(super) fn interrupted(&mut self, now: &str) -> Vec<Effect> {
        if !matches!(self.state.phase, Phase::AwaitingWork | Phase::AwaitingReview) {
            return self.refuse("stopped before anything began".to_owned(), End::Interrupted);
        }
        let word = self.state.phase.word();
        self.state.extra.insert(STOPPED_IN.to_owned(), word.into());
        let why = "stopped by the operator; `--resume` goes on in this round".to_owned();
        self.fail(OutcomeWord::INTERRUPTED, why, End::Interrupted, now)
    }

    /// No report came.
    pub(super) fn absent(&mut self, role: Role, why: String, now: &str) -> Vec<Effect> {
        let (words, end) = match self.rules.auto {
            true => (["worker_dispatch_failed", OutcomeWord::REVIEWER_FAILED], End::Invalid),
            false => (["worker_timeout", OutcomeWord::REVIEWER_LATE], End::TimedOut),
        };
        let word = if role == Role::Worker { words[0] } else { words[1] };
        self.fail(word, why, end, now)
    }

    pub(super) fn ended(&mut self, role: Role, end: AgentEnd, now: &str) -> Vec<Effect> {
        let wait = Effect::Await { role, person: false };
        match end {
            AgentEnd::Exited { session } => {
                let known = self.state.session(role).cloned();
                self.keep_session(role, session);
                if self.state.session(role) == known.as_ref() {
                    return vec![wait];
                }
                vec![Effect::Save(Box::new(self.state.clone())), wait]
            }
            AgentEnd::TimedOut { limit } => {
                let why = format!(
                    "the {} worked for {} s, which is --dispatch-timeout, and was stopped; what it wrote counts",
                    role.word(),
                    limit.as_secs_f64()
                );
                vec![Effect::Say(Level::Warning, why), wait]
            }
            AgentEnd::Failed { why, session_lost: true, .. } if self.state.session(role).is_some() => {
                self.state.set_session(role, None);
                self.attempt -= 1;
                let say = format!(
                    "the {} does not know its conversation any more ({why}); it begins anew",
                    role.word()
                );
                let mut effects = vec![Effect::Say(Level::Warning, say)];
                effects.extend(self.dispatch(role));
                effects
            }
            AgentEnd::Failed { why, permanent, .. } => {
                let tries = self.rules.retries + 1;
                if permanent || self.attempt >= tries {
                    let why = format!("attempt {} of {tries}: {why}", self.attempt);
                    return match role {
                        Role::Worker => self.fail("worker_dispatch_failed", why, End::Invalid, now),
                        Role::Reviewer => self.distrust(OutcomeWord::REVIEWER_FAILED, why, now),
                    };
                }
                let pause = self.pause();
                let say = format!(
                    "the {} failed (attempt {} of {tries}): {why}; trying again in {} s",
                    role.word(),
                    self.attempt,
                    pause.as_secs_f64()
                );
                vec![Effect::Say(Level::Warning, say), Effect::BackOff(pause)]
            }
        }
    }

    /// min(60, base × 2^(attempt−1)) seconds.
    fn pause(&self) -> std::time::Duration {
        let factor = 1_u32.checked_shl(self.attempt.saturating_sub(1)).unwrap_or(u32::MAX);
        let longest = std::time::Duration::from_secs(LONGEST_PAUSE);
        self.rules.retry_base.checked_mul(factor).map_or(longest, |pause| pause.min(longest))
    }
}
