//! How a run ended: by our doing, else by what its signs say ([`verdict`](crate::execute::agents::verdict)).

use std::process::ExitStatus;

use jiff::Timestamp;

use super::AgentEnding;
use crate::execute::agents::assemble::Signs;
use crate::execute::agents::kind::AgentKind;
use crate::execute::agents::verdict::{Exit, Judgement, judge};

/// Why we stopped it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cause {
    /// The operator wanted it.
    Stopped,
    /// The operator wanted it to end after its turn.
    Paused,
    /// A limit, by its word, with a sentence.
    Limit(&'static str, String),
    /// It broke the policy, with a sentence.
    Broke(String),
    /// It said all that it would say, and did not end.
    Lingered,
}

/// What is known of an ended run besides what its stream said.
pub(super) struct Ended<'a> {
    /// Which program.
    pub(super) kind: AgentKind,
    /// Why we stopped it, if we did.
    pub(super) cause: Option<&'a Cause>,
    /// How its process ended.
    pub(super) exit: Exit,
    /// The last line of its stream had no end.
    pub(super) torn: bool,
    /// The end of its standard error.
    pub(super) stderr: &'a str,
    /// Now.
    pub(super) now: Timestamp,
}

impl Ended<'_> {
    /// The ending, and why in a sentence unless all went well.
    pub(super) fn name(&self, signs: &Signs<'_>) -> Judgement {
        let well = signs.finish.is_some_and(|finish| finish.ok);
        let of_ours = |ending, why: &str| Judgement { ending, reason: Some(why.to_owned()) };
        match self.cause {
            Some(Cause::Stopped) => return of_ours(AgentEnding::Stopped, "stopped by the operator"),
            Some(Cause::Broke(how)) => return of_ours(AgentEnding::Violation, how),
            Some(Cause::Limit(which, why)) => {
                return of_ours(AgentEnding::Limit { which: (*which).to_owned() }, why);
            }
            // One that finished before it could be paused has finished.
            Some(Cause::Paused) if !well => {
                return of_ours(AgentEnding::Paused, "paused after its turn, as asked");
            }
            Some(Cause::Lingered) if signs.finish.is_none() => {
                let why = "it closed its output without a last word and did not end";
                return of_ours(AgentEnding::Failed, why);
            }
            _ => {}
        }
        // How it ended after its last word was our doing: the word counts.
        let by_us = self.cause.is_some();
        let exit = if by_us { Exit { code: Some(0), signal: None } } else { self.exit };
        let judged = judge(signs, exit, self.stderr, self.now);
        self.seen_outside(signs, judged)
    }

    /// What the process tells of which the stream says nothing.
    fn seen_outside(&self, signs: &Signs<'_>, judged: Judgement) -> Judgement {
        if judged.ending != AgentEnding::Failed {
            return judged;
        }
        let code = self.exit.code;
        // What shells and `env` say of a program, or its interpreter, that cannot be started.
        if signs.known == 0 && signs.unknown == 0 && matches!(code, Some(126 | 127)) {
            return Judgement { ending: AgentEnding::Missing, ..judged };
        }
        // Gemini CLI exits with the HTTP status modulo 256, or with 41 without a way to log in.
        if self.kind == AgentKind::Gemini && matches!(code, Some(41 | 145 | 147)) {
            return Judgement { ending: AgentEnding::NotLoggedIn, ..judged };
        }
        if self.kind == AgentKind::Gemini && code == Some(173) {
            return Judgement { ending: AgentEnding::RateLimited { until: None }, ..judged };
        }
        if self.torn && self.exit.signal.is_some() {
            let reason = judged.reason.map(|reason| format!("{reason}, in the middle of a line"));
            return Judgement { reason, ..judged };
        }
        judged
    }
}

/// How a process ended; one that was never reaped counts as killed.
pub(super) fn exit(leader: Option<ExitStatus>) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    match leader {
        Some(status) => Exit { code: status.code(), signal: status.signal() },
        None => Exit { code: None, signal: Some(nix::libc::SIGKILL) },
    }
}

/// As a shell has it: the code, or 128 + n after signal n.
pub(super) fn shell_code(exit: Exit) -> i32 {
    match (exit.code, exit.signal) {
        (_, Some(signal)) => 128 + signal,
        (code, None) => code.unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::agents::event::Finish;

    fn ended<'a>(cause: Option<&'a Cause>, exit: Exit) -> Ended<'a> {
        Ended { kind: AgentKind::Gemini, cause, exit, torn: false, stderr: "", now: Timestamp::UNIX_EPOCH }
    }

    fn code(code: i32) -> Exit {
        Exit { code: Some(code), signal: None }
    }

    const KILLED: Exit = Exit { code: None, signal: Some(15) };

    #[test]
    fn what_we_did_comes_first_unless_it_had_finished() {
        let finish = Finish { ok: true, ..Finish::default() };
        let done = Signs { finish: Some(&finish), said: true, known: 3, ..Signs::default() };
        let open = Signs { finish: None, ..done.clone() };
        let limit = Cause::Limit("cost", "the agent cost too much".to_owned());
        let of = |cause: &Cause, signs: &Signs<'_>| ended(Some(cause), KILLED).name(signs);
        let want = |ending, why: &str| Judgement { ending, reason: Some(why.to_owned()) };
        let finished = Judgement { ending: AgentEnding::Finished, reason: None };

        assert_eq!(of(&Cause::Stopped, &done), want(AgentEnding::Stopped, "stopped by the operator"));
        let broke = Cause::Broke("it tagged".to_owned());
        assert_eq!(of(&broke, &done), want(AgentEnding::Violation, "it tagged"));
        let over = AgentEnding::Limit { which: "cost".to_owned() };
        assert_eq!(of(&limit, &done), want(over, "the agent cost too much"));
        assert_eq!(of(&Cause::Paused, &open), want(AgentEnding::Paused, "paused after its turn, as asked"));
        assert_eq!(of(&Cause::Paused, &done), finished);
        let why = "it closed its output without a last word and did not end";
        assert_eq!(of(&Cause::Lingered, &open), want(AgentEnding::Failed, why));
        assert_eq!(of(&Cause::Lingered, &done), finished);
    }

    #[test]
    fn exit_codes_of_gemini_and_of_shells_name_what_the_stream_does_not() {
        let nothing = Signs::default();
        let some = Signs { known: 2, ..Signs::default() };
        let of = |exit, signs: &Signs<'_>| ended(None, exit).name(signs).ending;
        assert_eq!(of(code(145), &some), AgentEnding::NotLoggedIn);
        assert_eq!(of(code(41), &nothing), AgentEnding::NotLoggedIn);
        assert_eq!(of(code(173), &some), AgentEnding::RateLimited { until: None });
        assert_eq!(of(code(244), &some), AgentEnding::Failed);
        assert_eq!(of(code(127), &nothing), AgentEnding::Missing);
        assert_eq!(of(code(127), &some), AgentEnding::Failed);
    }

    #[test]
    fn a_torn_last_line_is_said() {
        let torn = Ended { torn: true, ..ended(None, KILLED) };
        let some = Signs { known: 2, ..Signs::default() };
        assert_eq!(torn.name(&some).reason.as_deref(), Some("signal 15 ended it, in the middle of a line"));
    }
}
