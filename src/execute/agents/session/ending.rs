//! How a run of an agent ended, from every sign there is: what stopped it, what it said, its exit code.
//!
//! No sign alone is believed (`reference/agent-streams.md` §10): pi, aider and OpenCode exit with 0 when they failed,
//! Claude Code says `success` for a refused key. A run counts as finished when it said so, its exit code agrees, and no
//! error came after its last word.

use std::process::ExitStatus;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::AgentEnding;
use crate::execute::agents::event::{AgentEvent, Finish};
use crate::execute::agents::kind::AgentKind;

/// Why we stopped it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cause {
    /// The operator wanted it.
    Stopped,
    /// The operator wanted it to end after its turn.
    Paused,
    /// A limit, by its word, with a sentence.
    Limit(&'static str, String),
    /// It said all that it would say, and did not end.
    Lingered,
}

/// What the stream said that tells how the run went.
#[derive(Debug, Default)]
pub(super) struct Signs {
    /// Events that were understood.
    pub(super) understood: u64,
    /// Lines that were not.
    pub(super) unknown: u64,
    /// The last line had no end.
    pub(super) torn: bool,
    /// Something was said or done.
    work: bool,
    /// The last error since the last word or work.
    error: Option<(String, Option<u16>)>,
    /// The last rate limit since the last word or work: seconds to wait, and when it ends.
    rate_limit: Option<(String, Option<u64>, Option<i64>)>,
}

impl Signs {
    /// Takes one event.
    pub(super) fn take(&mut self, event: &AgentEvent) {
        match event {
            AgentEvent::Unknown { .. } => {
                self.unknown += 1;
                return;
            }
            AgentEvent::Text(speech) if !speech.aside && !speech.text.trim().is_empty() => self.worked(),
            AgentEvent::ToolCall { .. } | AgentEvent::ToolResult { .. } | AgentEvent::FileChange { .. } => {
                self.worked();
            }
            AgentEvent::Error { message, status } => self.error = Some((message.clone(), *status)),
            AgentEvent::RateLimit { message, retry_after_seconds, resets_at } => {
                self.rate_limit = Some((message.clone(), *retry_after_seconds, *resets_at));
            }
            _ => {}
        }
        self.understood += 1;
    }

    fn worked(&mut self) {
        self.work = true;
        self.error = None;
        self.rate_limit = None;
    }
}

/// Everything that is known of an ended run.
pub(super) struct Ended<'a> {
    /// Which program.
    pub(super) kind: AgentKind,
    /// Why we stopped it, if we did.
    pub(super) cause: Option<&'a Cause>,
    /// Its exit code, 128 + n after signal n.
    pub(super) exit_code: i32,
    /// The signal that ended it.
    pub(super) signal: Option<i32>,
    /// Its last word.
    pub(super) finish: Option<&'a Finish>,
    /// Its final answer.
    pub(super) answer: Option<&'a str>,
    /// What the stream said.
    pub(super) signs: &'a Signs,
    /// The end of its standard error.
    pub(super) stderr: &'a str,
    /// Now.
    pub(super) now: Timestamp,
}

impl Ended<'_> {
    /// The ending, and why in a sentence unless all went well.
    pub(super) fn name(&self) -> (AgentEnding, Option<String>) {
        if let Some(forced) = self.forced() {
            return forced;
        }
        let lingered = self.cause == Some(&Cause::Lingered);
        if self.finish.is_some_and(|finish| finish.ok) && (self.exit_code == 0 || lingered) {
            if let Some(error) = self.signs.error.as_ref().filter(|_| !self.has_mark_of_end()) {
                return self.troubled(Some(&error.0));
            }
            return match self.signs.work || self.answer.is_some_and(|answer| !answer.trim().is_empty()) {
                true => (AgentEnding::Finished, None),
                false => self.nothing(),
            };
        }
        if self.signs.understood == 0 {
            return self.never_spoke();
        }
        let reason = self.finish.filter(|finish| !finish.ok).and_then(|finish| finish.reason.clone());
        let reason = reason.or_else(|| self.signs.error.as_ref().map(|(message, _)| message.clone()));
        if reason.is_none() && self.exit_code == 0 && !self.signs.work {
            return self.nothing();
        }
        self.troubled(reason.as_deref())
    }

    /// We stopped it, and it had not finished before that.
    fn forced(&self) -> Option<(AgentEnding, Option<String>)> {
        Some(match self.cause? {
            Cause::Stopped => (AgentEnding::Stopped, Some("stopped by the operator".to_owned())),
            Cause::Paused if self.finish.is_some_and(|finish| finish.ok) => return None,
            Cause::Paused => (AgentEnding::Paused, Some("paused after its turn, as asked".to_owned())),
            Cause::Limit(which, sentence) => {
                (AgentEnding::Limit { which: (*which).to_owned() }, Some(sentence.clone()))
            }
            Cause::Lingered if self.finish.is_some() => return None,
            Cause::Lingered => {
                let why = "it closed its output without a last word and did not end";
                (AgentEnding::Failed, Some(why.to_owned()))
            }
        })
    }

    /// The agents whose streams say when they are finished: what came before that was overcome.
    fn has_mark_of_end(&self) -> bool {
        !matches!(self.kind, AgentKind::OpenCode | AgentKind::Aider | AgentKind::Custom)
    }

    fn nothing(&self) -> (AgentEnding, Option<String>) {
        let why = "it ended well, but did nothing: no answer and no tool was used";
        (AgentEnding::NothingDone, Some(why.to_owned()))
    }

    /// Not one line of its stream was understood.
    fn never_spoke(&self) -> (AgentEnding, Option<String>) {
        let stderr = self.stderr.to_ascii_lowercase();
        let said = |words: &[&str]| words.iter().any(|word| stderr.contains(word));
        if matches!(self.exit_code, 126 | 127) && self.signal.is_none() {
            return (AgentEnding::Missing, Some(format!("it could not be started: {}", self.last_words())));
        }
        if self.exit_code != 0
            && said(&["unknown option", "unexpected argument", "unknown argument", "unrecognized argument"])
        {
            let why = format!("it does not know the options that it was given: {}", self.last_words());
            return (AgentEnding::WrongVersion, Some(why));
        }
        if self.signs.unknown > 0 {
            let why = format!("nothing that it said was understood ({} lines)", self.signs.unknown);
            return (AgentEnding::Garbage, Some(why));
        }
        if self.exit_code == 0 {
            return self.nothing();
        }
        self.troubled(None)
    }

    /// It failed: by what it said last.
    fn troubled(&self, reason: Option<&str>) -> (AgentEnding, Option<String>) {
        let status = self.signs.error.as_ref().and_then(|(_, status)| *status);
        // Gemini CLI exits with the HTTP status modulo 256, and says nothing more of it on its stream.
        let exit = |code: i32| self.kind == AgentKind::Gemini && self.exit_code == code;
        let why = match (reason, self.signal) {
            (Some(reason), _) => reason.to_owned(),
            (None, Some(signal)) if self.signs.torn => {
                format!("signal {signal} ended it in the middle of a line")
            }
            (None, Some(signal)) => format!("signal {signal} ended it"),
            (None, None) if self.stderr.trim().is_empty() => format!("it exited with {}", self.exit_code),
            (None, None) => format!("it exited with {}: {}", self.exit_code, self.last_words()),
        };
        if status == Some(401) || status == Some(403) || exit(145) || exit(147) || exit(41) || is_login(&why)
        {
            return (AgentEnding::NotLoggedIn, Some(why));
        }
        if self.signs.rate_limit.is_some() || status == Some(429) || exit(173) {
            let until = self.until();
            return (AgentEnding::RateLimited { until }, Some(why));
        }
        (AgentEnding::Failed, Some(why))
    }

    fn until(&self) -> Option<Timestamp> {
        let (_, seconds, resets_at) = self.signs.rate_limit.as_ref()?;
        let resets = resets_at.and_then(|at| Timestamp::from_second(at).ok());
        let wait = seconds.and_then(|seconds| {
            self.now.checked_add(SignedDuration::try_from(Duration::from_secs(seconds)).ok()?).ok()
        });
        resets.or(wait)
    }

    /// The last line of standard error that says something.
    fn last_words(&self) -> &str {
        let lines = self.stderr.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut telling = lines.clone().filter(|line| {
            let line = line.to_ascii_lowercase();
            line.starts_with("error") || line.contains("unknown") || line.contains("unexpected")
        });
        telling.next().or_else(|| lines.last()).unwrap_or("no word on standard error")
    }
}

/// Words of programs that want a login, in what they gave as the reason.
fn is_login(reason: &str) -> bool {
    let reason = reason.to_ascii_lowercase();
    [
        "not logged in",
        "please run /login",
        "invalid api key",
        "invalid x-api-key",
        "no api key",
        "api key not found",
        "authentication_error",
        "authentication failed",
        "unauthorized",
        "invalid auth method",
        "set an auth method",
    ]
    .iter()
    .any(|words| reason.contains(words))
}

/// Exit code and signal of a leader; one that was never reaped counts as killed.
pub(super) fn exit(leader: Option<ExitStatus>) -> (i32, Option<i32>) {
    use std::os::unix::process::ExitStatusExt;
    let signal = leader.and_then(|status| status.signal());
    let code = match (leader, signal) {
        (_, Some(signal)) => 128 + signal,
        (Some(status), None) => status.code().unwrap_or(1),
        (None, None) => 128 + nix::libc::SIGKILL,
    };
    (code, signal)
}
