//! Reading error texts: the sentence in wrapped JSON, the HTTP status, how long to wait.
//!
//! Agents hand the text of a model's host on in their own wrapping (`429: {json}`, `[API Error: {json}]`, `unexpected
//! status 401 Unauthorized: …`). What is found here names the trouble; whether a run failed is decided elsewhere.

use serde_json::Value;

use super::{json, prefix};
use crate::execute::agents::event::AgentEvent;

/// Bytes of a sentence.
const SENTENCE: usize = 4096;

/// An error as far as its text tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Trouble {
    /// A sentence.
    pub(super) message: String,
    /// HTTP status.
    pub(super) status: Option<u16>,
    /// Seconds to wait.
    pub(super) retry_after_seconds: Option<u64>,
}

impl Trouble {
    /// Reads an error text.
    pub(super) fn read(text: &str) -> Trouble {
        let inner = embedded(text);
        let message = inner.as_ref().and_then(sentence).map_or_else(
            || prefix(text.trim(), SENTENCE).to_owned(),
            |sentence| match text.find('{').map(|at| text[..at].trim_matches([' ', ':', '['])) {
                Some(lead) if !lead.is_empty() => format!("{lead}: {sentence}"),
                _ => sentence,
            },
        );
        let status = inner.as_ref().and_then(coded).or_else(|| status_in(text));
        Trouble { message, status, retry_after_seconds: wait_in(text) }
    }

    /// Whether the model's host refuses because of too many requests or a used-up limit.
    pub(super) fn is_rate_limit(&self) -> bool {
        let lower = self.message.to_ascii_lowercase();
        self.status == Some(429)
            || ["rate limit", "rate_limit", "ratelimit", "usage limit", "too many requests", "quota"]
                .iter()
                .any(|word| lower.contains(word))
    }

    /// The rate limit as an event, if it is one.
    pub(super) fn rate_limit(&self) -> Option<AgentEvent> {
        self.is_rate_limit().then(|| AgentEvent::RateLimit {
            message: self.message.clone(),
            retry_after_seconds: self.retry_after_seconds,
            resets_at: None,
        })
    }
}

/// The JSON object that a text contains.
fn embedded(text: &str) -> Option<Value> {
    let from = text.find('{')?;
    let to = text.rfind('}')?;
    serde_json::from_str(text.get(from..=to)?).ok()
}

/// The sentence in an error object of a model's host.
fn sentence(value: &Value) -> Option<String> {
    let error = value.get("error").filter(|error| error.is_object()).unwrap_or(value);
    json::word(error, "message").or_else(|| json::word(value, "error"))
}

fn coded(value: &Value) -> Option<u16> {
    let error = value.get("error").filter(|error| error.is_object()).unwrap_or(value);
    ["code", "status", "statusCode"].iter().find_map(|key| json::status(error, key))
}

/// A status at the start (`429: …`), or the number after `status` or `Error`.
fn status_in(text: &str) -> Option<u16> {
    let mut before = "";
    for (index, word) in text.split_whitespace().take(64).enumerate() {
        let digits = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let led = index == 0
            || before.trim_end_matches(':').eq_ignore_ascii_case("status")
            || before.trim_end_matches(':').eq_ignore_ascii_case("error");
        let status = digits.parse().ok().filter(|status| led && (400..600).contains(status));
        if status.is_some() {
            return status;
        }
        before = word;
    }
    None
}

/// Seconds to wait, from `try again in 11.054s`, `retry after 30 seconds`, `retry-after: 5`, `in 1 hour 5 minutes`.
fn wait_in(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let at = ["again in ", "retry in ", "retry after ", "retry-after: ", "retry_after\":", "retrydelay\":"]
        .iter()
        .filter_map(|lead| lower.find(lead).map(|at| at + lead.len()))
        .min()?;
    let mut rest = lower[at..].trim_start_matches([' ', '"']);
    let mut seconds = None::<f64>;
    // At most days, hours, minutes, seconds and a joining word or two.
    for _ in 0..8 {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let Ok(number) = rest[..digits].trim_end_matches('.').parse::<f64>() else { break };
        rest = rest[digits..].trim_start();
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let factor = match &rest[..letters] {
            "ms" | "milliseconds" | "millisecond" => 0.001,
            "m" | "min" | "mins" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            "d" | "day" | "days" => 86400.0,
            _ => 1.0,
        };
        seconds = Some(seconds.unwrap_or_default() + number * factor);
        rest = rest[letters..].trim_start_matches([' ', ',']).trim_start_matches("and ");
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded to ten years")]
    seconds.map(|seconds| seconds.ceil().clamp(0.0, 315_360_000.0) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn reads(text: &str, message: &str, status: Option<u16>, wait: Option<u64>) {
        let expected = Trouble { message: message.to_owned(), status, retry_after_seconds: wait };
        assert_eq!(Trouble::read(text), expected);
    }

    #[test]
    fn every_wrapping_is_taken_off() {
        reads(
            r#"429: {"message":"scripted rate limit","type":"rate_limit_error","param":null,"code":"rate_limit_error"}"#,
            "429: scripted rate limit",
            Some(429),
            None,
        );
        reads(
            r#"[API Error: {"error":{"code":401,"message":"scripted: invalid api key","status":"UNAUTHENTICATED"}}]"#,
            "API Error: scripted: invalid api key",
            Some(401),
            None,
        );
        reads(
            "unexpected status 401 Unauthorized: scripted: invalid api key, url: http://h:1/v1",
            "unexpected status 401 Unauthorized: scripted: invalid api key, url: http://h:1/v1",
            Some(401),
            None,
        );
        reads(
            "exceeded retry limit, last status: 429 Too Many Requests",
            "exceeded retry limit, last status: 429 Too Many Requests",
            Some(429),
            None,
        );
        reads("terminated", "terminated", None, None);
    }

    #[test]
    fn a_number_that_is_no_status_is_left_alone() {
        reads(
            "Expecting value: line 1 column 10 (char 500)",
            "Expecting value: line 1 column 10 (char 500)",
            None,
            None,
        );
        reads(
            "request is ~250000 tokens (limit 200000)",
            "request is ~250000 tokens (limit 200000)",
            None,
            None,
        );
    }

    #[test]
    fn waits_are_read_in_every_unit() {
        for (text, wait) in [
            ("Please try again in 11.054s. Visit", Some(12)),
            ("try again in 20ms", Some(1)),
            ("You've hit your usage limit. Try again in 3 days 1 hour 5 minutes.", Some(263_100)),
            ("Retry-After: 30", Some(30)),
            ("Please retry in 12.5s", Some(13)),
            ("retry after 2 minutes and 1 second", Some(121)),
            ("try again in a while", None),
            ("try again in 99999999999999999999 days", Some(315_360_000)),
        ] {
            assert_eq!(Trouble::read(text).retry_after_seconds, wait, "{text}");
        }
    }

    #[test]
    fn rate_limits_are_told_by_status_or_words() {
        assert!(Trouble::read("429: nope").is_rate_limit());
        assert!(Trouble::read("You've hit your usage limit.").is_rate_limit());
        assert!(!Trouble::read("500: scripted internal error").is_rate_limit());
    }
}
