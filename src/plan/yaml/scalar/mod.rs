//! What PyYAML's safe loader (6.0, YAML 1.1) makes of a plain scalar, and of a scalar under a tag.
//!
//! The rules are its implicit resolvers, tried in its order: bool, float, int, merge, null, timestamp, value. A string
//! that merely looks like something to a YAML 1.2 reader (`1e3`, `0o17`) stays a string. Values that the resolver takes
//! and the constructor then refuses (`2026-13-45`) make planfile read the whole file as empty, so they are errors here.

mod timestamp;

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

use super::tape::{Kind, Tag};
pub(super) use timestamp::iso_format;
use timestamp::{is_timestamp, timestamp};

/// A scalar's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'t> {
    /// Null.
    Null,
    /// Boolean.
    Bool(bool),
    /// Integer; the flag-free `i128` holds all that a planfile needs, larger ones are `Float`.
    Int(i128),
    /// Float.
    Float(f64),
    /// A date without time.
    Date(Date),
    /// A time stamp with its UTC offset, `None` when it names none.
    Time(DateTime, Option<Offset>),
    /// `!!binary`, as written.
    Binary(&'t str),
    /// A string.
    Str(&'t str),
    /// `<<`.
    Merge,
    /// `=`.
    Default,
}

/// What implicit typing finds, before construction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Implicit {
    Bool,
    Float,
    Int,
    Merge,
    Null,
    Timestamp,
    Default,
    Str,
}

/// The value of a scalar node.
///
/// # Errors
/// When the constructor of its type refuses the text.
pub(super) fn resolve(kind: Kind, tag: Option<Tag>, text: &str) -> Result<Scalar<'_>, &'static str> {
    let implicit = match tag {
        None if kind == Kind::Plain => implicit(text),
        // libyaml marks a scalar under a bare `!` as implicitly typed, quotes or not.
        Some(Tag::NonSpecific) if !(kind == Kind::Plain && text.is_empty()) => implicit(text),
        None | Some(Tag::NonSpecific | Tag::Str) => Implicit::Str,
        Some(Tag::Int) => Implicit::Int,
        Some(Tag::Float) => Implicit::Float,
        Some(Tag::Bool) => Implicit::Bool,
        Some(Tag::Null) => Implicit::Null,
        Some(Tag::Timestamp) => Implicit::Timestamp,
        Some(Tag::Binary) => return Ok(Scalar::Binary(text)),
        Some(Tag::Seq | Tag::Map | Tag::Set | Tag::Omap | Tag::Pairs) => {
            return Err("a scalar cannot carry a collection tag");
        }
    };
    match implicit {
        Implicit::Str => Ok(Scalar::Str(text)),
        Implicit::Null => Ok(Scalar::Null),
        Implicit::Merge => Ok(Scalar::Merge),
        Implicit::Default => Ok(Scalar::Default),
        Implicit::Bool => boolean(text).map(Scalar::Bool).ok_or("this is not a boolean"),
        Implicit::Int => integer(text).ok_or("this is not an integer that planfile can read"),
        Implicit::Float => float(text).map(Scalar::Float).ok_or("this is not a float"),
        Implicit::Timestamp => {
            timestamp(text).ok_or("this looks like a date but is none; correct it or quote it")
        }
    }
}

/// The implicit type of a plain scalar.
pub(super) fn implicit(text: &str) -> Implicit {
    let bytes = text.as_bytes();
    match bytes.first() {
        None => Implicit::Null,
        Some(b'y' | b'Y' | b't' | b'T' | b'f' | b'F' | b'o' | b'O') => {
            if boolean_word(text) {
                Implicit::Bool
            } else {
                Implicit::Str
            }
        }
        Some(b'n' | b'N') => {
            if boolean_word(text) {
                Implicit::Bool
            } else if matches!(text, "null" | "Null" | "NULL") {
                Implicit::Null
            } else {
                Implicit::Str
            }
        }
        Some(b'~') if text == "~" => Implicit::Null,
        Some(b'<') if text == "<<" => Implicit::Merge,
        Some(b'=') if text == "=" => Implicit::Default,
        Some(b'-' | b'+' | b'.' | b'0'..=b'9') => number(bytes),
        Some(_) => Implicit::Str,
    }
}

fn boolean_word(text: &str) -> bool {
    matches!(
        text,
        "yes"
            | "Yes"
            | "YES"
            | "no"
            | "No"
            | "NO"
            | "true"
            | "True"
            | "TRUE"
            | "false"
            | "False"
            | "FALSE"
            | "on"
            | "On"
            | "ON"
            | "off"
            | "Off"
            | "OFF"
    )
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "on" => Some(true),
        "no" | "false" | "off" => Some(false),
        _ => None,
    }
}

fn number(bytes: &[u8]) -> Implicit {
    if is_float(bytes) {
        Implicit::Float
    } else if is_int(bytes) {
        Implicit::Int
    } else if bytes.first().is_some_and(u8::is_ascii_digit) && is_timestamp(bytes) {
        Implicit::Timestamp
    } else {
        Implicit::Str
    }
}

fn unsigned(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"-").or_else(|| bytes.strip_prefix(b"+")).unwrap_or(bytes)
}

/// Splits off the longest prefix of bytes that `keep` likes.
fn run(bytes: &[u8], keep: impl Fn(u8) -> bool) -> (&[u8], &[u8]) {
    let len = bytes.iter().position(|byte| !keep(*byte)).unwrap_or(bytes.len());
    bytes.split_at(len)
}

fn digit_or_bar(byte: u8) -> bool {
    byte.is_ascii_digit() || byte == b'_'
}

/// An optional exponent, whose sign YAML 1.1 demands.
fn is_exponent(bytes: &[u8]) -> bool {
    match bytes {
        [] => true,
        [b'e' | b'E', b'-' | b'+', digits @ ..] => {
            !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
        }
        _ => false,
    }
}

fn is_float(bytes: &[u8]) -> bool {
    let body = unsigned(bytes);
    if matches!(body, b".inf" | b".Inf" | b".INF") || matches!(bytes, b".nan" | b".NaN" | b".NAN") {
        return true;
    }
    match body {
        [b'0'..=b'9', ..] => {
            let (_, rest) = run(body, digit_or_bar);
            match rest {
                [b'.', rest @ ..] => is_exponent(run(rest, digit_or_bar).1),
                [b':', ..] => match sexagesimal(rest) {
                    Some([b'.', rest @ ..]) => run(rest, digit_or_bar).1.is_empty(),
                    _ => false,
                },
                _ => false,
            }
        }
        // Without integer digits PyYAML's pattern takes no sign.
        [b'.', b'0'..=b'9', rest @ ..] if body.len() == bytes.len() => is_exponent(run(rest, digit_or_bar).1),
        _ => false,
    }
}

/// Skips one or more `:5` / `:59` groups; `None` when there is none.
fn sexagesimal(mut bytes: &[u8]) -> Option<&[u8]> {
    let mut any = false;
    loop {
        bytes = match bytes {
            [b':', b'0'..=b'5', b'0'..=b'9', rest @ ..] => rest,
            [b':', b'0'..=b'9', rest @ ..] => rest,
            _ => return any.then_some(bytes),
        };
        any = true;
    }
}

fn is_int(bytes: &[u8]) -> bool {
    let body = unsigned(bytes);
    match body {
        [b'0'] => true,
        [b'0', b'b', rest @ ..] => {
            !rest.is_empty() && rest.iter().all(|byte| matches!(byte, b'0' | b'1' | b'_'))
        }
        [b'0', b'x', rest @ ..] => {
            !rest.is_empty() && rest.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'_')
        }
        [b'0', rest @ ..] => rest.iter().all(|byte| matches!(byte, b'0'..=b'7' | b'_')),
        [b'1'..=b'9', ..] => {
            let (_, rest) = run(body, digit_or_bar);
            rest.is_empty() || sexagesimal(rest).is_some_and(<[u8]>::is_empty)
        }
        _ => false,
    }
}

/// PyYAML's `construct_yaml_int`.
fn integer(text: &str) -> Option<Scalar<'static>> {
    let clean: String = text.chars().filter(|character| *character != '_').collect();
    let (negative, body) = match clean.as_bytes().first()? {
        b'-' => (true, &clean[1..]),
        b'+' => (false, &clean[1..]),
        _ => (false, &clean[..]),
    };
    let sign = if negative { -1 } else { 1 };
    let radix = |digits: &str, radix| {
        i128::from_str_radix(digits, radix).ok().filter(|_| !digits.starts_with(['+', '-']))
    };
    if body == "0" {
        return Some(Scalar::Int(0));
    }
    let value = if let Some(digits) = body.strip_prefix("0b") {
        radix(digits, 2)
    } else if let Some(digits) = body.strip_prefix("0x") {
        radix(digits, 16)
    } else if body.starts_with('0') && body.len() > 1 {
        radix(body, 8)
    } else if body.contains(':') {
        body.split(':').try_fold(0i128, |sum, part| sum.checked_mul(60)?.checked_add(radix(part, 10)?))
    } else {
        radix(body, 10)
    };
    match value {
        Some(value) => Some(Scalar::Int(sign * value)),
        None if body.len() > 30 && body.bytes().all(|byte| byte.is_ascii_digit()) => {
            body.parse::<f64>().ok().map(|value| Scalar::Float(value * sign as f64))
        }
        None => None,
    }
}

/// PyYAML's `construct_yaml_float`.
fn float(text: &str) -> Option<f64> {
    let clean = text.replace('_', "").to_ascii_lowercase();
    let (negative, body) = match clean.as_bytes().first()? {
        b'-' => (true, &clean[1..]),
        b'+' => (false, &clean[1..]),
        _ => (false, &clean[..]),
    };
    let value = match body {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ if body.contains(':') => {
            body.split(':').try_fold(0.0, |sum: f64, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?
        }
        _ => body.parse().ok()?,
    };
    Some(if negative { -value } else { value })
}
