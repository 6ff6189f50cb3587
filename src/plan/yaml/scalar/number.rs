//! Numbers, once a text is known to be one by its look or by its tag.
//!
//! Under a tag the text can be anything, and Python's `int` and `float` take more than PyYAML's patterns do: blanks
//! around it, a second sign, a prefix of the base.

use super::Scalar;

/// Most decimal digits that Python turns into an integer (3.11 and later); more is an error there.
const MAX_DIGITS: usize = 4300;

/// The text without `_`, and whether a minus was taken off it. `None` when nothing is left.
fn unsigned(text: &str) -> Option<(bool, String)> {
    let mut body: String = text.chars().filter(|character| *character != '_').collect();
    let first = *body.as_bytes().first()?;
    if matches!(first, b'-' | b'+') {
        body.remove(0);
    }
    (!body.is_empty()).then_some((first == b'-', body))
}

/// Removes what Python calls blanks on both sides.
fn trim(text: &str) -> &str {
    text.trim_matches(|character: char| character.is_whitespace() || ('\x1c'..='\x1f').contains(&character))
}

/// PyYAML's `construct_yaml_int`.
pub(super) fn integer(text: &str) -> Option<Scalar<'static>> {
    let (negative, body) = unsigned(text)?;
    let value = if let Some(digits) = body.strip_prefix("0b") {
        python_int(digits, 2)?
    } else if let Some(digits) = body.strip_prefix("0x") {
        python_int(digits, 16)?
    } else if body.starts_with('0') {
        python_int(&body, 8)?
    } else if body.contains(':') {
        sexagesimal(&body)?
    } else {
        python_int(&body, 10)?
    };
    Some(if negative { minus(value) } else { value })
}

/// Python's `int(text, radix)`; an integer that does not fit is a float.
fn python_int(text: &str, radix: u32) -> Option<Scalar<'static>> {
    let text = trim(text);
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let prefixes = match radix {
        2 => ["0b", "0B"],
        8 => ["0o", "0O"],
        _ => ["0x", "0X"],
    };
    let digits = prefixes.iter().find_map(|prefix| text.strip_prefix(prefix).filter(|_| radix != 10));
    let digits = digits.unwrap_or(text);
    let fine = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    if !fine || (radix == 10 && digits.len() > MAX_DIGITS) {
        return None;
    }
    let value = i128::from_str_radix(digits, radix).map_or_else(
        |_| {
            let digits = digits.chars().filter_map(|digit| digit.to_digit(radix));
            Scalar::Float(digits.fold(0.0, |sum, digit| sum * f64::from(radix) + f64::from(digit)))
        },
        Scalar::Int,
    );
    Some(if negative { minus(value) } else { value })
}

fn minus(value: Scalar<'static>) -> Scalar<'static> {
    match value {
        Scalar::Int(value) => Scalar::Int(-value),
        Scalar::Float(value) => Scalar::Float(-value),
        other => other,
    }
}

/// `1:30`: digits of base 60.
fn sexagesimal(text: &str) -> Option<Scalar<'static>> {
    let mut sum = Scalar::Int(0);
    for part in text.split(':') {
        sum = match (sum, python_int(part, 10)?) {
            (Scalar::Int(sum), Scalar::Int(part)) => sum
                .checked_mul(60)
                .and_then(|sum| sum.checked_add(part))
                .map_or(Scalar::Float(sum as f64 * 60.0 + part as f64), Scalar::Int),
            (sum, part) => Scalar::Float(float_of(sum) * 60.0 + float_of(part)),
        };
    }
    Some(sum)
}

fn float_of(value: Scalar<'_>) -> f64 {
    match value {
        Scalar::Int(value) => value as f64,
        Scalar::Float(value) => value,
        _ => f64::NAN,
    }
}

/// PyYAML's `construct_yaml_float`.
pub(super) fn float(text: &str) -> Option<f64> {
    let (negative, body) = unsigned(text)?;
    let body = body.to_lowercase();
    let value = match body.as_str() {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        // From the last part to the first, as PyYAML adds them: the order decides how the sum is rounded.
        _ if body.contains(':') => {
            let parts = body.rsplit(':').map(|part| trim(part).parse::<f64>().ok());
            let mut base = 1.0;
            let mut sum = 0.0;
            for part in parts {
                sum += part? * base;
                base *= 60.0;
            }
            sum
        }
        _ => trim(&body).parse().ok()?,
    };
    Some(if negative { -value } else { value })
}
