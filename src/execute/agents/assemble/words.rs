//! The wording of lines that sum something up.

pub(super) use super::super::stream::prefix;
use super::super::tally::Tally;
use super::body;

/// Characters of a sentence in one line.
const SENTENCE: usize = 500;

/// Bytes of a line that was not understood.
const RAW: usize = 2048;

/// A text as one bounded line: line breaks become blanks.
pub(super) fn one_line(text: &str) -> String {
    bounded_line(text, SENTENCE)
}

/// A text as one line of at most so many characters.
pub(super) fn bounded_line(text: &str, characters: usize) -> String {
    let mut line = String::new();
    let mut left = characters;
    for word in text.split(['\n', '\r']).map(str::trim).filter(|part| !part.is_empty()) {
        if !line.is_empty() {
            line.push(' ');
        }
        for character in word.chars() {
            if left == 0 {
                line.push('…');
                return line;
            }
            line.push(character);
            left -= 1;
        }
    }
    line
}

/// The first line with something in it.
pub(super) fn first_line(text: &str) -> &str {
    text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default()
}

/// A line as it came, cut.
pub(super) fn raw(line: &str) -> String {
    let mut text = prefix(line, RAW).replace('\n', " ");
    if text.len() < line.len() {
        text.push('…');
    }
    text
}

/// What is known of a conversation, as far as given.
pub(super) fn session(id: Option<&str>, model: Option<&str>, version: Option<&str>) -> String {
    let parts = [("session", id), ("model", model), ("version", version)];
    let said = parts.iter().filter_map(|(label, value)| Some(format!("{label} {}", one_line((*value)?))));
    said.collect::<Vec<_>>().join(", ")
}

pub(super) fn rate_limit(message: &str, after: Option<u64>, resets_at: Option<i64>) -> String {
    let mut text = match one_line(message) {
        message if message.is_empty() => "rate limit".to_owned(),
        message if message.starts_with("rate limit") => message,
        message => format!("rate limit: {message}"),
    };
    if let Some(seconds) = after {
        text.push_str(&format!(" (again in {})", duration(seconds.saturating_mul(1000))));
    }
    if let Some(time) = resets_at.and_then(|at| jiff::Timestamp::from_second(at).ok()) {
        text.push_str(&format!(" (resets at {time})"));
    }
    text
}

pub(super) fn retry(attempt: u32, max: Option<u32>, delay_ms: Option<u64>, reason: &str) -> String {
    let mut text = match (attempt, max) {
        (0, _) => "trying again".to_owned(),
        (attempt, Some(max)) => format!("trying again ({attempt} of {max})"),
        (attempt, None) => format!("trying again ({attempt})"),
    };
    if let Some(delay) = delay_ms {
        text.push_str(&format!(" in {}", duration(delay)));
    }
    if !reason.is_empty() {
        text.push_str(&format!(": {}", one_line(reason)));
    }
    text
}

pub(super) fn denied(tools: &[String]) -> String {
    format!("not allowed: {}", one_line(&tools.join(", ")))
}

/// `done: 4 replies, 3 tools (1 failed), 2 changes, 1,780 tokens in + 3,850 cached, 164 out, $0.0090`.
pub(super) fn summary(lead: &str, tally: &Tally) -> String {
    let mut parts = vec![counted(tally.turns, "reply", "replies")];
    if tally.tools > 0 {
        let failed =
            if tally.failed_tools > 0 { format!(" ({} failed)", tally.failed_tools) } else { String::new() };
        parts.push(counted(tally.tools, "tool", "tools") + &failed);
    }
    if tally.changes > 0 {
        parts.push(counted(tally.changes, "file change", "file changes"));
    }
    let tokens = tally.tokens;
    if tokens.total() > 0 {
        let cached = tokens.cache_read.saturating_add(tokens.cache_write);
        let cached = if cached > 0 { format!(" + {} cached", grouped(cached)) } else { String::new() };
        parts.push(format!("{} tokens in{cached}, {} out", grouped(tokens.input), grouped(tokens.output)));
    }
    if let Some(cost) = tally.cost {
        let estimated = if cost.estimated { " (estimated)" } else { "" };
        parts.push(format!("${:.4}{estimated}", cost.usd));
    }
    format!("{lead}: {}", parts.join(", "))
}

/// How a tool's output is summed up: `ok, 214 lines`, `failed, exit 3: <first line>`.
pub(super) fn outcome(ok: bool, exit_code: Option<i32>, output: &str) -> String {
    if ok {
        let count = output.lines().count();
        return if output.trim().is_empty() {
            "ok, no output".to_owned()
        } else {
            format!("ok, {}", body::lines_word(count))
        };
    }
    let exit = exit_code.map(|code| format!(", exit {code}")).unwrap_or_default();
    match first_line(output) {
        "" => format!("failed{exit}"),
        first => format!("failed{exit}: {}", bounded_line(first, 200)),
    }
}

fn counted(count: u32, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Thousands set apart by commas.
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (at, digit) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `0.6 s`, `12 s`, `5 min`, `3 h 20 min`.
fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..10 => format!("{}.{} s", seconds, ms % 1000 / 100),
        10..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::agents::tally::{Cost, Tokens};

    #[test]
    fn a_run_is_summed_up_in_one_line() {
        let tally = Tally {
            turns: 1,
            tools: 3,
            failed_tools: 1,
            changes: 2,
            tokens: Tokens { input: 1_234_567, cache_read: 3850, cache_write: 0, output: 164 },
            cost: Some(Cost { usd: 0.008_955, estimated: true }),
            ..Tally::default()
        };
        let expected = "done: 1 reply, 3 tools (1 failed), 2 file changes, 1,234,567 tokens in + 3,850 cached, 164 out, \
             $0.0090 (estimated)";
        assert_eq!(summary("done", &tally), expected);
        assert_eq!(summary("ended", &Tally::default()), "ended: 0 replies");
    }

    #[test]
    fn waits_are_said_in_the_unit_that_fits() {
        assert_eq!(retry(1, Some(2), Some(593), "x\ny"), "trying again (1 of 2) in 0.5 s: x y");
        assert_eq!(retry(0, None, Some(45_000), ""), "trying again in 45 s");
        assert_eq!(rate_limit("used up", Some(12_000), None), "rate limit: used up (again in 3 h 20 min)");
        assert_eq!(
            rate_limit("used up", None, Some(0)),
            "rate limit: used up (resets at 1970-01-01T00:00:00Z)"
        );
    }

    #[test]
    fn sentences_are_bounded() {
        assert_eq!(bounded_line("one\n\ntwo three", 7), "one two …");
        assert_eq!(bounded_line("one", 3), "one");
    }
}
