//! Whether an answer is what `inputs.response_schema` asks for.

use jsonschema::Validator;
use serde_json::Value;

use crate::execute::schema;

/// A schema that can be checked against.
///
/// # Errors
/// A sentence for the ticket.
pub(super) fn compile(schema: &Value) -> Result<Validator, String> {
    if !schema.is_object() {
        return Err(
            "inputs.response_schema is not a mapping; write a JSON schema such as {type: object}".to_owned()
        );
    }
    schema::compile(schema)
        .map_err(|error| format!("inputs.response_schema is no usable JSON schema: {error}"))
}

/// Checks the text of an answer. A code fence around the JSON is looked through: some models cannot leave it out.
///
/// # Errors
/// What is wrong, as a sentence for the ticket.
pub(super) fn check(validator: &Validator, text: &str) -> Result<(), String> {
    let answer: Value = serde_json::from_str(unfenced(text))
        .map_err(|error| format!("the answer is not JSON as inputs.response_schema asks: {error}"))?;
    match schema::mistakes(validator, &answer) {
        None => Ok(()),
        Some(mistakes) => Err(format!("the answer does not fit inputs.response_schema: {mistakes}")),
    }
}

fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```").and_then(|rest| rest.strip_suffix("```"));
    let body = inner.and_then(|inner| inner.split_once('\n')).map(|(_language, body)| body);
    body.unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_fits_or_is_told_where_it_does_not() {
        let schema = json!({
            "type": "object", "required": ["ok", "why"],
            "properties": {"ok": {"type": "boolean"}, "why": {"type": "string"}},
        });
        let validator = compile(&schema).unwrap();
        assert_eq!(check(&validator, r#" {"ok": true, "why": "x"} "#), Ok(()));
        assert_eq!(check(&validator, "```json\n{\"ok\": true, \"why\": \"x\"}\n```"), Ok(()));
        let wrong = check(&validator, r#"{"ok": "yes"}"#).unwrap_err();
        assert!(wrong.contains("/ok: ") && wrong.contains("the whole: \"why\" is a required"), "{wrong}");
        let prose = check(&validator, "I cannot do that.").unwrap_err();
        assert!(prose.starts_with("the answer is not JSON"), "{prose}");
    }

    #[test]
    fn a_schema_that_cannot_be_used_is_a_sentence_and_fetches_nothing() {
        for bad in [json!("object"), json!({"type": 7}), json!({"pattern": "("})] {
            let error = compile(&bad).unwrap_err();
            assert!(error.starts_with("inputs.response_schema is no"), "{error}");
        }
        let error = compile(&json!({"$ref": "http://127.0.0.1:9/schema.json"})).unwrap_err();
        assert!(error.starts_with("inputs.response_schema is no usable"), "{error}");
    }
}
