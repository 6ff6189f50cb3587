//! Instants in the two spellings that planfile 0.1.126 writes. Both are UTC with six fractional digits, or none when
//! they are zero; readers must compare instants, never text.

use jiff::Timestamp;

/// `2026-11-21T05:03:14.176970Z`, the spelling of `created_at`, `started_at` and `lease_expires_at`.
pub(crate) fn with_z(at: Timestamp) -> String {
    format!("{}Z", digits(at))
}

/// `2026-11-21T05:03:14.176970+00:00`, the spelling of `updated_at`, `finished_at` and history entries.
pub(crate) fn with_offset(at: Timestamp) -> String {
    format!("{}+00:00", digits(at))
}

fn digits(at: Timestamp) -> String {
    let micros = at.as_microsecond().rem_euclid(1_000_000);
    let seconds = at.strftime("%Y-%m-%dT%H:%M:%S");
    if micros == 0 { seconds.to_string() } else { format!("{seconds}.{micros:06}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_have_six_digits_or_none() {
        let cases = [
            ("2026-11-21T05:03:14.17697Z", "2026-11-21T05:03:14.176970Z"),
            ("2026-11-21T05:03:14Z", "2026-11-21T05:03:14Z"),
            ("2026-11-21T05:03:14.0000009Z", "2026-11-21T05:03:14Z"),
            ("2026-11-21T06:03:14.000001+01:00", "2026-11-21T05:03:14.000001Z"),
        ];
        for (given, wanted) in cases {
            let at: Timestamp = given.parse().unwrap();
            assert_eq!(with_z(at), wanted);
            assert_eq!(with_offset(at), wanted.replace('Z', "+00:00"));
        }
    }
}
