//! The one JSON object that a last message is, or holds in its only code fence with an object in it. Nothing is picked
//! out of prose: an agent that quotes an answer out of its material, or goes on talking after its own, has given none.

use serde_json::Value;

/// Longest message that is read, in bytes.
const LIMIT: usize = 1024 * 1024;

/// Why a message is not one JSON object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSingle {
    /// It says nothing.
    #[error("there is no answer")]
    Silent,
    /// It talks, and there is no object.
    #[error("the last message is prose, not the JSON object that was asked for")]
    Prose,
    /// It goes on after the object.
    #[error("there is more text after the JSON object, so it is not the last word")]
    Trailing,
    /// More than one object.
    #[error("the last message holds several JSON objects; which one counts is not known")]
    Several,
    /// Not JSON, or cut off.
    #[error("the answer is not valid JSON ({why})")]
    NotJson {
        /// The parser's words.
        why: String,
    },
    /// Longer than any answer.
    #[error("the answer is {bytes} bytes long; at most {LIMIT} are read")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
}

/// The text of that object.
///
/// # Errors
/// Why the message is none.
pub fn object(message: &str) -> Result<&str, NotSingle> {
    let text = message.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.is_empty() {
        return Err(NotSingle::Silent);
    }
    if text.len() > LIMIT {
        return Err(NotSingle::TooLarge { bytes: text.len() });
    }
    if text.starts_with('{') {
        return whole(text);
    }
    let mut objects = Block::all(text).into_iter().filter(|block| block.body.starts_with('{'));
    let Some(block) = objects.next() else { return Err(NotSingle::Prose) };
    if objects.next().is_some() {
        return Err(NotSingle::Several);
    }
    if !block.after.is_empty() {
        return Err(NotSingle::Trailing);
    }
    whole(block.body)
}

/// `text` when it is one object from its first to its last byte.
fn whole(text: &str) -> Result<&str, NotSingle> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    match values.next() {
        Some(Ok(_)) => {}
        Some(Err(error)) => return Err(NotSingle::NotJson { why: error.to_string() }),
        None => return Err(NotSingle::Silent),
    }
    let rest = text[values.byte_offset()..].trim();
    match rest.chars().next() {
        None => Ok(text),
        Some('{') => Err(NotSingle::Several),
        Some(_) => Err(NotSingle::Trailing),
    }
}

/// A block between code fences.
struct Block<'t> {
    body: &'t str,
    /// What stands after its closing fence.
    after: &'t str,
}

impl<'t> Block<'t> {
    /// The blocks of `text`. A line of JSON never begins with a fence: line ends within its strings are escaped.
    fn all(text: &'t str) -> Vec<Block<'t>> {
        let mut blocks = Vec::new();
        let (mut at, mut open) = (0, None);
        for line in text.split_inclusive('\n') {
            let (start, end) = (at, at + line.len());
            at = end;
            let trimmed = line.trim();
            if !trimmed.starts_with("```") && !trimmed.starts_with("~~~") {
                continue;
            }
            match open {
                None => open = Some(end),
                Some(body) => {
                    blocks.push(Block { body: text[body..start].trim(), after: text[end..].trim() });
                    open = None;
                }
            }
        }
        // One that is not closed was cut off; what is in it is judged as it is.
        if let Some(body) = open {
            blocks.push(Block { body: text[body..].trim(), after: "" });
        }
        blocks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = "{\"a\": \"} { ``` \\n```\"}";

    #[test]
    fn one_object_alone_or_in_one_fence_is_taken() {
        let messages = [
            OBJECT.to_owned(),
            format!("\u{feff}  {OBJECT}\r\n"),
            format!("```json\n{OBJECT}\n```"),
            format!("```JSON\r\n{OBJECT}\r\n```\r\n"),
            format!("I looked at it:\n\n```rust\nfn x() {{}}\n```\n\n~~~\n{OBJECT}\n~~~\n"),
            format!("```json\n{OBJECT}"),
        ];
        for message in messages {
            assert_eq!(object(&message), Ok(OBJECT), "{message}");
        }
    }

    #[test]
    fn whatever_else_there_is_has_a_name() {
        use NotSingle::{Prose, Several, Silent, Trailing};
        let cases = [
            (String::new(), Silent),
            ("  \u{feff} \r\n".to_owned(), Silent),
            ("Looks good to me, approve!".to_owned(), Prose),
            ("[1]".to_owned(), Prose),
            (format!("My verdict: {OBJECT}"), Prose),
            (format!("{OBJECT}\nThat is all."), Trailing),
            (format!("```json\n{OBJECT}\n```\nBut wait."), Trailing),
            (format!("```json\n{OBJECT} x\n```"), Trailing),
            (format!("{OBJECT}\n{OBJECT}"), Several),
            (format!("```\n{OBJECT}\n{OBJECT}\n```"), Several),
            (format!("It said:\n```\n{OBJECT}\n```\nI say:\n```\n{OBJECT}\n```"), Several),
        ];
        for (message, error) in cases {
            assert_eq!(object(&message), Err(error), "{message}");
        }
        let cut = object("```json\n{\"a\": [1, 2");
        assert!(matches!(cut, Err(NotSingle::NotJson { .. })), "{cut:?}");
        let huge = format!("{{\"a\": \"{}\"}}", "x".repeat(LIMIT));
        assert_eq!(object(&huge), Err(NotSingle::TooLarge { bytes: huge.len() }));
        // Deeper than any verdict: an error, not a stack that is used up.
        assert!(matches!(object(&"{\"a\":".repeat(100_000)), Err(NotSingle::NotJson { .. })));
    }
}
