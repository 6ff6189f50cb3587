//! What a server answered: the text, or a sentence why there is none. Everything in here is foreign.

use serde_json::{Map, Value, json};

use crate::execute::agents::tally::{Cost, Tally, Tokens};

/// Token counts that are kept, as the server sent them (koru §7).
const COUNTS: [&str; 3] = ["prompt_tokens", "completion_tokens", "total_tokens"];

/// A body that was read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Answer {
    /// The answer's text, or why there is none.
    pub(super) text: Result<String, String>,
    /// Model that answered, if it says.
    pub(super) model: Option<String>,
    /// Counts of tokens.
    pub(super) usage: Option<Map<String, Value>>,
    /// US dollars, if the server reports them.
    pub(super) usd: Option<f64>,
    /// Why the model stopped.
    pub(super) finish: Option<String>,
}

impl Answer {
    /// Reads the body of an answer with status 2xx.
    pub(super) fn read(body: &[u8]) -> Answer {
        let value: Value = match serde_json::from_slice(body) {
            Ok(value) => value,
            Err(error) => {
                let start: String = String::from_utf8_lossy(body).chars().take(200).collect();
                let why = format!("the server's answer is not JSON ({error}); it begins with {start:?}");
                return Answer { text: Err(why), model: None, usage: None, usd: None, finish: None };
            }
        };
        let usage = value.get("usage").and_then(Value::as_object);
        let kept = usage.map(|usage| {
            let kept = COUNTS.iter().filter_map(|name| Some(((*name).to_owned(), usage.get(*name)?.clone())));
            kept.collect::<Map<_, _>>()
        });
        let usd = usage.and_then(|usage| usage.get("cost").or_else(|| usage.get("total_cost")));
        let choice = value.pointer("/choices/0");
        let text_at = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        Answer {
            text: text(&value, choice),
            model: text_at(value.get("model")).filter(|model| !model.trim().is_empty()),
            usage: kept.filter(|kept| !kept.is_empty()),
            usd: usd.and_then(Value::as_f64).filter(|usd| usd.is_finite() && *usd >= 0.0),
            finish: text_at(choice.and_then(|choice| choice.get("finish_reason"))),
        }
    }

    /// What it amounts to.
    pub(super) fn tally(&self, model: &str) -> Tally {
        let count = |name: &str| {
            self.usage.as_ref().and_then(|usage| usage.get(name)).and_then(Value::as_u64).unwrap_or(0)
        };
        Tally {
            model: Some(self.model.clone().unwrap_or_else(|| model.to_owned())),
            turns: 1,
            tokens: Tokens {
                input: count("prompt_tokens"),
                output: count("completion_tokens"),
                ..Tokens::default()
            },
            cost: self.usd.map(|usd| Cost { usd, estimated: false }),
            ..Tally::default()
        }
    }
}

/// `choices[0].message.content`, as a text or as a list of parts.
fn text(value: &Value, choice: Option<&Value>) -> Result<String, String> {
    if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
        let message = error.get("message").and_then(Value::as_str);
        let shown: String =
            message.map_or_else(|| error.to_string(), str::to_owned).chars().take(500).collect();
        return Err(format!("the server answered with an error: {shown}"));
    }
    let Some(message) = choice.and_then(|choice| choice.get("message")) else {
        return Err("the server's answer has no choices[0].message; is this a chat endpoint?".to_owned());
    };
    let content = match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => parts.iter().filter_map(part).collect(),
        _ => String::new(),
    };
    if !content.trim().is_empty() {
        return Ok(content);
    }
    let refusal = message.get("refusal").and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    if let Some(refusal) = refusal {
        return Err(format!("the model refused: {}", refusal.chars().take(500).collect::<String>()));
    }
    let finish = choice.and_then(|choice| choice.get("finish_reason")).and_then(Value::as_str);
    let calls = message.get("tool_calls").and_then(Value::as_array).is_some_and(|calls| !calls.is_empty());
    let why = match finish {
        _ if calls => "; it asks for tools, which a chat has none of",
        Some("length") => "; it was cut off before its first word: raise inputs.llm_max_tokens",
        Some("content_filter") => "; the server's filter took it out",
        _ => "",
    };
    Err(format!("LLM returned empty content{why}"))
}

/// The text of one part; pictures and sounds have none.
fn part(part: &Value) -> Option<&str> {
    match part {
        Value::String(text) => Some(text),
        part => part.get("text").and_then(Value::as_str),
    }
}

/// The usage of an answer from the cache.
pub(super) fn nothing_used() -> Value {
    json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(body: &Value) -> Result<String, String> {
        Answer::read(body.to_string().as_bytes()).text
    }

    #[test]
    fn a_whole_answer_is_read_and_counts_stay_as_sent() {
        let body = json!({
            "model": "m-1", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": "two", "cost": 0.5, "other": 1},
        });
        let answer = Answer::read(body.to_string().as_bytes());
        let want = Answer {
            text: Ok("hi".to_owned()),
            model: Some("m-1".to_owned()),
            usage: json!({"prompt_tokens": 3, "completion_tokens": "two"}).as_object().cloned(),
            usd: Some(0.5),
            finish: Some("stop".to_owned()),
        };
        assert_eq!(answer, want);
        let tally = answer.tally("asked");
        let tokens = Tokens { input: 3, ..Tokens::default() };
        assert_eq!((tally.tokens, tally.model.as_deref()), (tokens, Some("m-1")));
    }

    #[test]
    fn content_in_parts_is_joined_and_what_is_no_text_left_out() {
        let parts = json!([{"type": "text", "text": "a"}, {"type": "image_url"}, "b", 7, {"text": "c"}]);
        assert_eq!(text_of(&json!({"choices": [{"message": {"content": parts}}]})), Ok("abc".to_owned()));
    }

    #[test]
    fn no_text_is_a_sentence() {
        let message = |message: Value, finish: Value| {
            text_of(&json!({"choices": [{"message": message, "finish_reason": finish}]})).unwrap_err()
        };
        assert_eq!(message(json!({"content": " \n"}), Value::Null), "LLM returned empty content");
        assert!(message(json!({"content": null}), json!("length")).ends_with("raise inputs.llm_max_tokens"));
        assert!(message(json!({"content": null, "tool_calls": [1]}), Value::Null).contains("asks for tools"));
        assert_eq!(message(json!({"content": null, "refusal": "no"}), Value::Null), "the model refused: no");
        assert!(text_of(&json!({"choices": []})).unwrap_err().contains("choices[0].message"));
        assert!(text_of(&json!([1])).unwrap_err().contains("choices[0].message"));
        let error = text_of(&json!({"error": {"message": "out of credits"}})).unwrap_err();
        assert_eq!(error, "the server answered with an error: out of credits");
        let error = Answer::read(b"<html>\xff").text.unwrap_err();
        assert!(error.starts_with("the server's answer is not JSON ("), "{error}");
    }
}
