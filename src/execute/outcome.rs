//! How a run ended, and what of it goes into the ticket.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::recorder::Recorder;
use super::stop::{Stop, StopWatch};
use super::tail::{RESULT_CHARS, Tail, tail_chars};

/// Characters of an error text in a ticket (koru §4.1 step 7).
const ERROR_CHARS: usize = 1000;

/// The way a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ending {
    /// Exit code 0, or a 2xx answer.
    Succeeded,
    /// Anything else that the run did by itself.
    Failed,
    /// Stopped by its time limit.
    TimedOut,
    /// Stopped by the operator.
    Stopped,
    /// What could be done is done, and a person must decide what becomes of it ([`Outcome::reason`] says what is asked).
    Waiting,
    /// It broke the policy and was stopped ([`Outcome::reason`] has the evidence); a person must decide.
    Violation,
}

/// How a run ended. Texts are redacted and otherwise foreign.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The way.
    pub ending: Ending,
    /// Exit code; 128 + n after signal n; 0 or 1 for api; 1 when nothing could be started.
    pub exit_code: i32,
    /// The signal that ended the process.
    pub signal: Option<i32>,
    /// HTTP status; 0 when there was no answer; `None` for a process.
    pub status_code: Option<u16>,
    /// Standard output, or the answer's body.
    pub stdout: Tail,
    /// Standard error, or `HTTP <code>`.
    pub stderr: Tail,
    /// Why, in our words, when the streams do not say it.
    pub reason: Option<String>,
    /// Wall time.
    pub duration: Duration,
    /// What was executed, in one line, when that is only known at the end.
    pub label: Option<String>,
    /// More keys for `outputs.result`, of executors that know more than streams (model, usage, branch, checks).
    pub facts: Map<String, Value>,
}

/// Said of every run that the operator stopped.
pub(crate) const STOPPED: &str = "stopped by the operator";

impl Outcome {
    /// Where a run was stopped before it began, what came of it: the first thing that every executor asks.
    pub(super) fn of_stopped(stop: &StopWatch) -> Option<Outcome> {
        let stopped =
            || Outcome { ending: Ending::Stopped, ..Outcome::not_started("stopped before it was started") };
        (stop.current() > Stop::No).then(stopped)
    }

    /// What came of a run that is no process: the end of its recording, and how it ended. The executor adds what it
    /// knows beyond that.
    pub(super) fn recorded(recorder: Recorder, ending: Ending) -> Outcome {
        let duration = recorder.elapsed();
        let (stdout, stderr) = recorder.finish();
        Outcome {
            ending,
            exit_code: i32::from(ending != Ending::Succeeded),
            signal: None,
            status_code: None,
            stdout,
            stderr,
            reason: None,
            duration,
            label: None,
            facts: Map::new(),
        }
    }

    /// Nothing was started, and why.
    pub fn not_started(reason: impl Into<String>) -> Self {
        Outcome {
            ending: Ending::Failed,
            exit_code: 1,
            signal: None,
            status_code: None,
            stdout: Tail::default(),
            stderr: Tail::default(),
            reason: Some(reason.into()),
            duration: Duration::ZERO,
            label: None,
            facts: Map::new(),
        }
    }

    /// Whether the ticket is complete.
    pub fn succeeded(&self) -> bool {
        self.ending == Ending::Succeeded
    }

    /// `outputs.result` (koru §4.3, keys beyond koru's only where they say something).
    pub fn result_json(&self) -> Value {
        let mut result = Map::new();
        result.insert("exit_code".to_owned(), json!(self.exit_code));
        result.insert("stdout".to_owned(), json!(self.stdout.last(RESULT_CHARS)));
        result.insert("stderr".to_owned(), json!(self.stderr.last(RESULT_CHARS)));
        if let Some(code) = self.status_code {
            result.insert("status_code".to_owned(), json!(code));
        }
        if let Some(signal) = self.signal {
            result.insert("signal".to_owned(), json!(signal));
        }
        for (name, tail) in [("stdout_bytes", &self.stdout), ("stderr_bytes", &self.stderr)] {
            if tail.is_cut() {
                result.insert(name.to_owned(), json!(tail.bytes()));
            }
        }
        match self.ending {
            Ending::TimedOut => {
                result.insert("timed_out".to_owned(), json!(true));
            }
            Ending::Stopped => {
                result.insert("stopped".to_owned(), json!(true));
            }
            Ending::Violation => {
                result.insert("policy_violation".to_owned(), json!(true));
            }
            Ending::Succeeded | Ending::Failed | Ending::Waiting => {}
        }
        if let Some(reason) = &self.reason {
            result.insert("reason".to_owned(), json!(reason));
        }
        result.extend(self.facts.clone());
        Value::Object(result)
    }

    /// The error text for the ticket: our reason first, then the last 1000 characters of standard error, else what the
    /// process ended with (koru §4.1 step 7).
    pub fn error_text(&self) -> String {
        let stderr = self.stderr.last(ERROR_CHARS).trim();
        let text = match (&self.reason, stderr) {
            (Some(reason), "") => reason.clone(),
            (Some(reason), stderr) => format!("{reason}\n{stderr}"),
            (None, "") => match self.signal {
                Some(signal) => format!("Command was ended by signal {signal}"),
                None => format!("Command exited with {}", self.exit_code),
            },
            (None, stderr) => stderr.to_owned(),
        };
        // The reason stands first; when the whole is too long, the end of standard error is what counts.
        match &self.reason {
            Some(reason) if text.chars().count() > ERROR_CHARS => {
                let room = ERROR_CHARS.saturating_sub(reason.chars().count() + 1);
                format!("{reason}\n{}", tail_chars(stderr, room))
            }
            _ => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(stderr: &str) -> Outcome {
        Outcome {
            ending: Ending::Failed,
            exit_code: 2,
            signal: None,
            status_code: None,
            stdout: "out\n".into(),
            stderr: stderr.into(),
            reason: None,
            duration: Duration::from_millis(5),
            label: None,
            facts: Map::new(),
        }
    }

    #[test]
    fn result_has_koru_keys_and_nothing_needless() {
        let want = json!({"exit_code": 2, "stdout": "out\n", "stderr": "boom\n"});
        assert_eq!(outcome("boom\n").result_json(), want);
    }

    #[test]
    fn result_says_what_was_special() {
        let mut ended = outcome(&"y".repeat(5000));
        ended.ending = Ending::TimedOut;
        ended.signal = Some(15);
        ended.reason = Some("timed out after 1 s".to_owned());
        let want = json!({
            "exit_code": 2, "stdout": "out\n", "stderr": "y".repeat(4000), "signal": 15,
            "stderr_bytes": 5000, "timed_out": true, "reason": "timed out after 1 s",
        });
        assert_eq!(ended.result_json(), want);
    }

    #[test]
    fn error_prefers_stderr_then_the_exit() {
        assert_eq!(outcome("boom\n").error_text(), "boom");
        assert_eq!(outcome(" \n").error_text(), "Command exited with 2");
        let long = outcome(&"z".repeat(3000)).error_text();
        assert_eq!(long, "z".repeat(1000));
        let mut killed = outcome("");
        killed.signal = Some(9);
        assert_eq!(killed.error_text(), "Command was ended by signal 9");
    }

    #[test]
    fn a_reason_stands_first_and_the_whole_stays_short() {
        let mut ended = outcome(&"z".repeat(3000));
        ended.reason = Some("timed out after 1 s".to_owned());
        let text = ended.error_text();
        assert!(text.starts_with("timed out after 1 s\nzzz"));
        assert_eq!(text.chars().count(), 1000);
    }
}
