//! Which failures are worth another try, and how long to wait before it (koru §7 [OURS]).

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// Tries altogether.
pub(super) const TRIES: u32 = 5;
/// Wait before the second try when the server says nothing; doubled each time.
const FIRST: Duration = Duration::from_secs(1);
/// Longest wait that the server did not ask for.
const LONGEST: Duration = Duration::from_secs(20);

/// Whether the server may answer otherwise when it is asked again: too many requests, or its own trouble.
pub(super) fn is_worth_it(status: u16) -> bool {
    matches!(status, 408 | 429 | 500 | 502..=504 | 506..=599)
}

/// The wait after so many tries (1 and more).
pub(super) fn wait(tries: u32, asked: Option<Duration>) -> Duration {
    asked.unwrap_or_else(|| FIRST.saturating_mul(1 << tries.saturating_sub(1).min(16)).min(LONGEST))
}

/// What the server asks for: seconds or a date.
pub(super) fn asked(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    // A date in the past means: now.
    Some(Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_passing_trouble_is_tried_again() {
        let worth: Vec<u16> = (100..600).filter(|status| is_worth_it(*status)).collect();
        assert_eq!(&worth[..6], [408, 429, 500, 502, 503, 504]);
        assert!(!is_worth_it(501) && !is_worth_it(505) && is_worth_it(529));
        assert!([200, 301, 400, 401, 403, 404, 422].iter().all(|status| !is_worth_it(*status)));
    }

    #[test]
    fn waits_double_up_to_a_limit_and_the_servers_wish_counts() {
        let waits: Vec<u64> = (1..8).map(|tries| wait(tries, None).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 20, 20]);
        assert_eq!(wait(3, Some(Duration::ZERO)), Duration::ZERO);
        assert_eq!(wait(1, Some(Duration::from_secs(90))), Duration::from_secs(90));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-11-21T11:00:00Z".parse().unwrap();
        let read = |text: &str| {
            let headers = HeaderMap::from_iter([(RETRY_AFTER, text.parse().unwrap())]);
            asked(&headers, now)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(read("0.25"), Some(Duration::from_millis(250)));
        assert_eq!(read("Sat, 21 Nov 2026 11:00:30 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(read("Sat, 21 Nov 2026 10:00:30 GMT"), Some(Duration::ZERO));
        assert_eq!([read("-1"), read("soon"), read("NaN"), read("1e300")], [None; 4]);
        assert_eq!(asked(&HeaderMap::new(), now), None);
    }
}
