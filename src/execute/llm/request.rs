//! What a ticket asks of a language model, as plain data, and the JSON that is sent for it (koru §7).

use std::time::Duration;

use serde_json::{Map, Value, json};

/// Model of a ticket that names none (koru §7).
pub(crate) const MODEL: &str = "openai/gpt-4o-mini";

/// One question to a language model, as the ticket describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct LlmRequest {
    /// Endpoint as the ticket writes it; the operator's or the usual one when `None`.
    pub endpoint: Option<String>,
    /// Model.
    pub model: String,
    /// System prompt.
    pub system: Option<String>,
    /// What is asked.
    pub prompt: String,
    /// Sampling temperature.
    pub temperature: f64,
    /// Most tokens of the answer.
    pub max_tokens: Option<u64>,
    /// JSON schema that the answer must fit.
    pub schema: Option<Value>,
    /// Limit of the whole exchange, tries and waits between them included.
    pub timeout: Duration,
}

impl LlmRequest {
    /// The body that is sent, exactly koru's.
    pub fn body(&self) -> Value {
        let mut messages = Vec::new();
        if let Some(system) = &self.system {
            messages.push(json!({"role": "system", "content": system}));
        }
        messages.push(json!({"role": "user", "content": self.prompt}));
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(self.model));
        body.insert("messages".to_owned(), Value::Array(messages));
        body.insert("temperature".to_owned(), json!(self.temperature));
        if let Some(most) = self.max_tokens {
            body.insert("max_tokens".to_owned(), json!(most));
        }
        if let Some(schema) = &self.schema {
            let named = json!({"name": "koru_response", "schema": schema, "strict": true});
            body.insert("response_format".to_owned(), json!({"type": "json_schema", "json_schema": named}));
        }
        Value::Object(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_body_is_korus_and_leaves_out_what_is_not_set() {
        let mut request = LlmRequest {
            endpoint: None,
            model: MODEL.to_owned(),
            system: None,
            prompt: "Why?".to_owned(),
            temperature: 0.0,
            max_tokens: None,
            schema: None,
            timeout: Duration::from_secs(60),
        };
        let plain = r#"{"model":"openai/gpt-4o-mini","messages":[{"role":"user","content":"Why?"}],"temperature":0.0}"#;
        assert_eq!(request.body().to_string(), plain);
        request.system = Some("Be short".to_owned());
        request.max_tokens = Some(9);
        request.schema = Some(json!({"type": "object"}));
        assert_eq!(
            request.body(),
            json!({
                "model": MODEL,
                "messages": [{"role": "system", "content": "Be short"}, {"role": "user", "content": "Why?"}],
                "temperature": 0.0,
                "max_tokens": 9,
                "response_format": {"type": "json_schema", "json_schema":
                    {"name": "koru_response", "schema": {"type": "object"}, "strict": true}},
            })
        );
    }
}
