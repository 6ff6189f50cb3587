//! Whether the signs of a run agree, and what its end is called.
//!
//! Pure: the stream's signs, the exit and the tail of standard error in, a name out. Success needs three signs
//! (`reference/agent-streams.md` §10.2): a finish without error, exit code 0, and no error after the last text. Standard
//! error never makes a run good; it only names a failure of which the stream says nothing.

use jiff::{SignedDuration, Timestamp};

use super::assemble::Signs;
use super::session::AgentEnding;

/// How the process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    /// Exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// What a run's end is called, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// The name: of [`AgentEnding`] those that the process itself decides (`Finished`, `Failed`, `NothingDone`,
    /// `Garbage`, `NotLoggedIn`, `WrongVersion`, `RateLimited`).
    pub ending: AgentEnding,
    /// Why, when it did not go well (foreign text).
    pub reason: Option<String>,
}

/// Words of a refused or missing login, in lower case.
const LOGIN: [&str; 10] = [
    "401 unauthorized",
    "invalid api key",
    "invalid x-api-key",
    "incorrect api key",
    "authenticat",
    "not logged in",
    "/login",
    "please log in",
    "please login",
    "no api key",
];

/// Words of a command line that was not understood, in lower case.
const USAGE: [&str; 8] = [
    "unknown option",
    "unknown argument",
    "unknown arguments",
    "unexpected argument",
    "unrecognized option",
    "unrecognized arguments",
    "invalid option",
    "unrecognized subcommand",
];

/// Names a run's end. `stderr` is the tail of standard error; `now` is when the run ended.
pub fn judge(signs: &Signs<'_>, exit: Exit, stderr: &str, now: Timestamp) -> Judgement {
    let ending = if fails(signs, exit) { failure(signs, exit, stderr, now) } else { success(signs) };
    let reason = match ending {
        AgentEnding::Finished => None,
        _ => Some(reason(signs, exit, stderr)),
    };
    Judgement { ending, reason }
}

/// Whether any of the three signs is missing.
fn fails(signs: &Signs<'_>, exit: Exit) -> bool {
    !signs.finish.is_some_and(|finish| finish.ok) || exit.code != Some(0) || signs.trouble.is_some()
}

fn success(signs: &Signs<'_>) -> AgentEnding {
    // An answer may come with the end only.
    let answered = signs.finish.is_some_and(|finish| {
        finish.structured.is_some() || finish.text.as_deref().is_some_and(|text| !text.trim().is_empty())
    });
    if signs.said || signs.worked || answered { AgentEnding::Finished } else { AgentEnding::NothingDone }
}

fn failure(signs: &Signs<'_>, exit: Exit, stderr: &str, now: Timestamp) -> AgentEnding {
    let told = [
        signs.trouble.map(|trouble| trouble.message.as_str()),
        signs.finish.and_then(|finish| finish.reason.as_deref()),
    ];
    let status = signs.trouble.and_then(|trouble| trouble.status);
    let said = |words: &[&str]| told.iter().flatten().any(|text| has(text, words));
    // A signal is somebody's doing: the errors before it did not end the run.
    if exit.signal.is_none() {
        if status == Some(429) || (signs.limit.is_some() && status.is_none()) {
            return AgentEnding::RateLimited { until: until(signs, now) };
        }
        if status == Some(401) || (status.is_none() && said(&LOGIN)) {
            return AgentEnding::NotLoggedIn;
        }
        // Without one line that was understood, standard error is all there is.
        if signs.known == 0 && exit.code != Some(0) {
            if has(stderr, &USAGE) {
                return AgentEnding::WrongVersion;
            }
            if has(stderr, &LOGIN) {
                return AgentEnding::NotLoggedIn;
            }
        }
    }
    if signs.known == 0 && signs.unknown > 0 {
        return AgentEnding::Garbage;
    }
    if signs.known == 0 && exit.code == Some(0) {
        return AgentEnding::NothingDone;
    }
    AgentEnding::Failed
}

/// When a rate limit is over.
fn until(signs: &Signs<'_>, now: Timestamp) -> Option<Timestamp> {
    let limit = signs.limit?;
    if let Some(at) = limit.resets_at.and_then(|at| Timestamp::from_second(at).ok()) {
        return Some(at);
    }
    let wait = SignedDuration::from_secs(i64::try_from(limit.retry_after_seconds?).ok()?);
    now.checked_add(wait).ok()
}

fn reason(signs: &Signs<'_>, exit: Exit, stderr: &str) -> String {
    let finish = signs.finish;
    if let (Some(signal), false) = (exit.signal, finish.is_some_and(|finish| finish.ok)) {
        let before = signs.trouble.map(|trouble| format!(" after: {}", trouble.message));
        return format!("signal {signal} ended it{}", before.unwrap_or_default());
    }
    if let Some(reason) = finish.and_then(|finish| finish.reason.as_deref()) {
        return reason.to_owned();
    }
    if let Some(trouble) = signs.trouble {
        return trouble.message.clone();
    }
    let end = match (exit.signal, exit.code) {
        (Some(signal), _) => format!("signal {signal} ended it"),
        (None, Some(0)) => String::new(),
        (None, Some(code)) => format!("it ended with exit code {code}"),
        (None, None) => "its exit code is not known".to_owned(),
    };
    match finish {
        Some(finish) if finish.ok && end.is_empty() => "it said and did nothing".to_owned(),
        Some(finish) if finish.ok => format!("it said that it finished, but {end}"),
        _ if signs.known == 0 && signs.unknown > 0 => {
            format!("none of its {} lines was understood", signs.unknown)
        }
        _ if signs.known == 0 => last_line(stderr).map_or_else(
            || if end.is_empty() { "it ended without a word".to_owned() } else { end.clone() },
            |line| if end.is_empty() { line.to_owned() } else { format!("{end}: {line}") },
        ),
        _ if end.is_empty() => "its stream ended without an end".to_owned(),
        _ => end,
    }
}

fn last_line(text: &str) -> Option<&str> {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty())
}

fn has(text: &str, words: &[&str]) -> bool {
    let text = text.to_lowercase();
    words.iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::agents::assemble::{LimitSign, TroubleSign};
    use crate::execute::agents::event::Finish;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn code(code: i32) -> Exit {
        Exit { code: Some(code), signal: None }
    }

    fn finish(ok: bool, reason: Option<&str>) -> Finish {
        Finish { ok, reason: reason.map(str::to_owned), ..Finish::default() }
    }

    fn trouble(message: &str, status: Option<u16>) -> TroubleSign {
        TroubleSign { message: message.to_owned(), status }
    }

    #[track_caller]
    fn judged(signs: &Signs<'_>, exit: Exit, stderr: &str, ending: AgentEnding, reason: Option<&str>) {
        let expected = Judgement { ending, reason: reason.map(str::to_owned) };
        assert_eq!(judge(signs, exit, stderr, NOW), expected);
    }

    #[test]
    fn success_needs_three_agreeing_signs() {
        let (good, bad) = (finish(true, None), finish(false, Some("max_turns")));
        let error = trouble("it broke", None);
        let signs = Signs { finish: Some(&good), said: true, known: 9, ..Signs::default() };
        judged(&signs, code(0), "noise", AgentEnding::Finished, None);
        let said = "it said that it finished, but it ended with exit code 2";
        judged(&signs, code(2), "", AgentEnding::Failed, Some(said));
        let killed = Exit { code: None, signal: Some(9) };
        let said = "it said that it finished, but signal 9 ended it";
        judged(&signs, killed, "", AgentEnding::Failed, Some(said));
        let after = Signs { trouble: Some(&error), ..signs.clone() };
        judged(&after, code(0), "", AgentEnding::Failed, Some("it broke"));
        let failed = Signs { finish: Some(&bad), ..signs.clone() };
        judged(&failed, code(0), "", AgentEnding::Failed, Some("max_turns"));
        let open = Signs { finish: None, ..signs };
        judged(&open, code(0), "", AgentEnding::Failed, Some("its stream ended without an end"));
    }

    #[test]
    fn a_finish_with_nothing_before_it_is_no_work() {
        let good = finish(true, None);
        let signs = Signs { finish: Some(&good), known: 2, ..Signs::default() };
        judged(&signs, code(0), "", AgentEnding::NothingDone, Some("it said and did nothing"));
        judged(&Signs::default(), code(0), "", AgentEnding::NothingDone, Some("it ended without a word"));
        let structured = Finish { structured: Some(true.into()), ..finish(true, None) };
        let signs = Signs { finish: Some(&structured), ..signs };
        judged(&signs, code(0), "", AgentEnding::Finished, None);
    }

    #[test]
    fn a_rate_limit_tells_until_when() {
        let (bad, error) = (finish(false, Some("429: slow down")), trouble("429: slow down", Some(429)));
        let mut limit = LimitSign { retry_after_seconds: Some(30), ..LimitSign::default() };
        let check = |limit: &LimitSign, until: Option<i64>| {
            let signs = Signs {
                finish: Some(&bad),
                trouble: Some(&error),
                limit: Some(limit),
                known: 3,
                ..Signs::default()
            };
            let until = until.and_then(|at| Timestamp::from_second(at).ok());
            judged(&signs, code(0), "", AgentEnding::RateLimited { until }, Some("429: slow down"));
        };
        check(&limit, Some(30));
        limit.resets_at = Some(7200);
        check(&limit, Some(7200));
        check(&LimitSign::default(), None);
        check(&LimitSign { retry_after_seconds: Some(u64::MAX), ..LimitSign::default() }, None);
    }

    #[test]
    fn a_missing_login_is_named_from_the_stream_or_from_standard_error() {
        let bad = finish(false, Some("Invalid API key · Please run /login"));
        let signs = Signs { finish: Some(&bad), known: 2, ..Signs::default() };
        let reason = "Invalid API key · Please run /login";
        judged(&signs, code(1), "", AgentEnding::NotLoggedIn, Some(reason));
        let reason = "it ended with exit code 1: Not logged in. Run codex login";
        judged(
            &Signs::default(),
            code(1),
            "x\nNot logged in. Run codex login\n",
            AgentEnding::NotLoggedIn,
            Some(reason),
        );
    }

    #[test]
    fn what_was_not_understood_is_garbage_or_another_version() {
        let garbage = Signs { unknown: 3, ..Signs::default() };
        let reason = "none of its 3 lines was understood";
        judged(&garbage, code(0), "", AgentEnding::Garbage, Some(reason));
        let stderr = "error: unexpected argument '--json' found\n";
        let reason = "it ended with exit code 2: error: unexpected argument '--json' found";
        judged(&Signs::default(), code(2), stderr, AgentEnding::WrongVersion, Some(reason));
    }
}
