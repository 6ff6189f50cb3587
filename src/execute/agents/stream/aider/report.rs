//! The lines of aider that have numbers or errors in them.

use crate::execute::agents::tally::Tokens;

/// What a `Tokens:` line says of one reply; both are rounded.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    pub(super) tokens: Tokens,
    pub(super) usd: Option<f64>,
}

/// Reads `Tokens: 1.9k sent, 1.2k cache hit, 41 received. Cost: $0.0063 message, $0.01 session.`
pub(super) fn read(line: &str) -> Option<Report> {
    let rest = line.strip_prefix("Tokens: ")?;
    let (counts, cost) = rest.split_once(". Cost: ").unwrap_or((rest.trim_end().trim_end_matches('.'), ""));
    let (mut sent, mut tokens) = (None, Tokens::default());
    for part in counts.split(", ") {
        let (number, what) = part.trim().split_once(' ')?;
        let count = count(number)?;
        match what {
            "sent" => sent = Some(count),
            "received" => tokens.output = count,
            "cache write" => tokens.cache_write = count,
            "cache hit" => tokens.cache_read = count,
            _ => return None,
        }
    }
    // What is sent includes what the cache has.
    tokens.input = sent?.saturating_sub(tokens.cache_read).saturating_sub(tokens.cache_write);
    let usd = cost
        .strip_prefix('$')
        .and_then(|cost| cost.split_once(" message"))
        .and_then(|(usd, _)| usd.parse().ok());
    Some(Report { tokens, usd: usd.filter(|usd: &f64| usd.is_finite() && *usd >= 0.0) })
}

/// Reads `41`, `1.9k`, `2.0M`.
fn count(text: &str) -> Option<u64> {
    let (number, factor) = match text.strip_suffix(['k', 'K']) {
        Some(number) => (number, 1e3),
        None => text.strip_suffix('M').map_or((text, 1.0), |number| (number, 1e6)),
    };
    let number: f64 = number.replace(',', "").parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked, and saturating")]
    (number.is_finite() && number >= 0.0).then_some((number * factor).round() as u64)
}

/// Milliseconds of `Retrying in 0.2 seconds...`.
pub(super) fn retrying(line: &str) -> Option<u64> {
    let seconds: f64 =
        line.trim_end().strip_prefix("Retrying in ")?.strip_suffix(" seconds...")?.parse().ok()?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked, and saturating")]
    (seconds.is_finite() && seconds >= 0.0).then_some((seconds * 1000.0).round() as u64)
}

/// Where in a line an error of the client library begins: `litellm.XError: `.
pub(super) fn error_in(line: &str) -> Option<usize> {
    line.match_indices("litellm.").map(|(at, _)| at).find(|at| class_of(&line[*at..]).is_some())
}

/// The class of an error text.
fn class_of(error: &str) -> Option<&str> {
    let (class, _) = error.strip_prefix("litellm.")?.split_once(": ")?;
    let named = ["Error", "Exception", "Timeout"].iter().any(|end| class.ends_with(end));
    (named && class.chars().all(char::is_alphanumeric)).then_some(class)
}

/// The HTTP status that the class of an error stands for.
pub(super) fn status_of(error: &str) -> Option<u16> {
    Some(match class_of(error)? {
        "BadRequestError" | "ContextWindowExceededError" | "ContentPolicyViolationError" => 400,
        "AuthenticationError" => 401,
        "PermissionDeniedError" => 403,
        "NotFoundError" => 404,
        "Timeout" => 408,
        "UnprocessableEntityError" => 422,
        "RateLimitError" => 429,
        "InternalServerError" => 500,
        "BadGatewayError" => 502,
        "ServiceUnavailableError" => 503,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounded_numbers_are_read() {
        let report = |input, cache_read, output, usd| {
            Some(Report { tokens: Tokens { input, cache_read, cache_write: 0, output }, usd })
        };
        let line = "Tokens: 1.9k sent, 41 received. Cost: $0.0063 message, $0.01 session.";
        assert_eq!(read(line), report(1900, 0, 41, Some(0.0063)));
        assert_eq!(
            read("Tokens: 2.5M sent, 1.5M cache hit, 1,041 received."),
            report(1_000_000, 1_500_000, 1041, None)
        );
        assert_eq!(read("Tokens: many of them, I think"), None);
        assert_eq!(read("Tokens: -4 sent, 1 received."), None);
        assert_eq!(
            (retrying("Retrying in 0.2 seconds..."), retrying("Retrying in a while")),
            (Some(200), None)
        );
    }

    #[test]
    fn an_error_is_found_after_the_text_that_it_cut_off() {
        assert_eq!(error_in("cut belitellm.APIConnectionError: x"), Some(6));
        assert_eq!(error_in("see litellm.completion: it"), None);
        assert_eq!(status_of("litellm.AuthenticationError: AuthenticationError: no"), Some(401));
        assert_eq!(status_of("litellm.APIConnectionError: no"), None);
    }
}
