//! What PyYAML's safe loader (6.0, YAML 1.1) makes of a plain scalar, and of a scalar under a tag.
//!
//! The rules are its implicit resolvers, tried in its order: bool, float, int, merge, null, timestamp, value. A string
//! that merely looks like something to a YAML 1.2 reader (`1e3`, `0o17`) stays a string. Values that the resolver takes
//! and the constructor then refuses (`2026-13-45`) make planfile read the whole file as empty, so they are errors here.

mod binary;
mod number;
mod timestamp;

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;

use super::tape::{Kind, Tag};
use number::{float, integer};
pub(super) use timestamp::iso_format;
use timestamp::{is_timestamp, timestamp};

/// A scalar's value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Scalar<'t> {
    /// Null.
    Null,
    /// Boolean.
    Bool(bool),
    /// Integer; what does not fit is a `Float`.
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
    /// `=`, or another text under its tag.
    Default(&'t str),
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
        Some(Tag::NonSpecific) if !(kind == Kind::Plain && text.is_empty()) => {
            // A quoted text may end in a line end, which the `$` of PyYAML's patterns passes over.
            implicit(text.strip_suffix('\n').filter(|line| !line.is_empty()).unwrap_or(text))
        }
        None | Some(Tag::NonSpecific | Tag::Str) => Implicit::Str,
        Some(Tag::Int) => Implicit::Int,
        Some(Tag::Float) => Implicit::Float,
        Some(Tag::Bool) => Implicit::Bool,
        Some(Tag::Null) => Implicit::Null,
        Some(Tag::Timestamp) => Implicit::Timestamp,
        Some(Tag::Binary) if binary::is_base64(text) => return Ok(Scalar::Binary(text)),
        Some(Tag::Binary) => return Err("this is not base64; correct it or remove the tag"),
        Some(Tag::Merge) => Implicit::Merge,
        Some(Tag::Value) => Implicit::Default,
        Some(Tag::Seq | Tag::Map | Tag::Set | Tag::Omap | Tag::Pairs) => {
            return Err("a scalar cannot carry a collection tag");
        }
        Some(Tag::Unknown) => {
            return Err("planfile does not know this tag and reads such a file as empty; remove it");
        }
    };
    match implicit {
        Implicit::Str => Ok(Scalar::Str(text)),
        Implicit::Null => Ok(Scalar::Null),
        Implicit::Merge => Ok(Scalar::Merge),
        Implicit::Default => Ok(Scalar::Default(text)),
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
