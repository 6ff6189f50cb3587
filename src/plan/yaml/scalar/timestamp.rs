//! Time stamps of YAML 1.1.

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

use super::{Scalar, run};

/// Whether a plain scalar is typed as a time stamp. A date alone must have two digits for month and day.
pub(super) fn is_timestamp(bytes: &[u8]) -> bool {
    split_timestamp(bytes).is_some_and(|parts| parts.time.is_some() || bytes.len() == "2026-05-11".len())
}

/// The parts of a time stamp as PyYAML's pattern captures them.
struct Parts<'t> {
    year: &'t [u8],
    month: &'t [u8],
    day: &'t [u8],
    /// Hour, minute, second, fraction.
    time: Option<[&'t [u8]; 4]>,
    zone: Option<Zone<'t>>,
}

enum Zone<'t> {
    Utc,
    Offset { negative: bool, hours: &'t [u8], minutes: &'t [u8] },
}

fn digits(bytes: &[u8], least: usize, most: usize) -> Option<(&[u8], &[u8])> {
    let len = bytes.iter().take(most).take_while(|byte| byte.is_ascii_digit()).count();
    (len >= least).then(|| bytes.split_at(len))
}

fn expect(bytes: &[u8], byte: u8) -> Option<&[u8]> {
    bytes.strip_prefix(&[byte])
}

fn split_timestamp(bytes: &[u8]) -> Option<Parts<'_>> {
    let (year, rest) = digits(bytes, 4, 4)?;
    let (month, rest) = digits(expect(rest, b'-')?, 1, 2)?;
    let (day, rest) = digits(expect(rest, b'-')?, 1, 2)?;
    if rest.is_empty() {
        return Some(Parts { year, month, day, time: None, zone: None });
    }
    let rest = match rest {
        [b'T' | b't', rest @ ..] => rest,
        [b' ' | b'\t', ..] => run(rest, |byte| matches!(byte, b' ' | b'\t')).1,
        _ => return None,
    };
    let (hour, rest) = digits(rest, 1, 2)?;
    let (minute, rest) = digits(expect(rest, b':')?, 2, 2)?;
    let (second, rest) = digits(expect(rest, b':')?, 2, 2)?;
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] => run(rest, |byte| byte.is_ascii_digit()),
        _ => (&rest[..0], rest),
    };
    let time = Some([hour, minute, second, fraction]);
    if rest.is_empty() {
        return Some(Parts { year, month, day, time, zone: None });
    }
    let zone = match run(rest, |byte| matches!(byte, b' ' | b'\t')).1 {
        [b'Z'] => Zone::Utc,
        [sign @ (b'-' | b'+'), rest @ ..] => {
            let (hours, rest) = digits(rest, 1, 2)?;
            let minutes = if rest.is_empty() { rest } else { expect(rest, b':')? };
            let two_digits = minutes.len() == 2 && minutes.iter().all(u8::is_ascii_digit);
            if !rest.is_empty() && !two_digits {
                return None;
            }
            Zone::Offset { negative: *sign == b'-', hours, minutes }
        }
        _ => return None,
    };
    Some(Parts { year, month, day, time, zone: Some(zone) })
}

fn int_of(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() { Some(0) } else { std::str::from_utf8(bytes).ok()?.parse().ok() }
}

/// PyYAML's `construct_yaml_timestamp`.
pub(super) fn timestamp(text: &str) -> Option<Scalar<'static>> {
    // The `$` of its pattern passes over one line end.
    let parts = split_timestamp(text.strip_suffix('\n').unwrap_or(text).as_bytes())?;
    let year = i16::try_from(int_of(parts.year)?).ok().filter(|year| *year > 0)?;
    let date = Date::new(year, int_of(parts.month)? as i8, int_of(parts.day)? as i8).ok()?;
    let Some([hour, minute, second, fraction]) = parts.time else { return Some(Scalar::Date(date)) };
    let mut micros = 0i32;
    for index in 0..6 {
        micros = micros * 10 + fraction.get(index).map_or(0, |digit| i32::from(digit - b'0'));
    }
    let second = int_of(second)? as i8;
    if second > 59 {
        return None;
    }
    let time =
        jiff::civil::Time::new(int_of(hour)? as i8, int_of(minute)? as i8, second, micros * 1000).ok()?;
    let offset = match parts.zone {
        None => None,
        Some(Zone::Utc) => Some(Offset::UTC),
        Some(Zone::Offset { negative, hours, minutes }) => {
            let seconds = int_of(hours)? * 3600 + int_of(minutes)? * 60;
            if seconds >= 86_400 {
                return None;
            }
            let seconds = i32::try_from(seconds).ok()?;
            Some(Offset::from_seconds(if negative { -seconds } else { seconds }).ok()?)
        }
    };
    Some(Scalar::Time(date.to_datetime(time), offset))
}

/// Python's `isoformat` of a time stamp, as planfile's JSON boundary writes it.
pub(in super::super) fn iso_format(at: DateTime, offset: Option<Offset>) -> String {
    let mut out = format!(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}",
        at.year(),
        at.month(),
        at.day(),
        at.hour(),
        at.minute(),
        at.second()
    );
    let micros = at.subsec_nanosecond() / 1000;
    if micros != 0 {
        out.push_str(&format!(".{micros:06}"));
    }
    if let Some(offset) = offset {
        let seconds = offset.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let minutes = seconds.abs() / 60;
        out.push_str(&format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60));
    }
    out
}
