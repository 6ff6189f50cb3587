//! Arguments of a call, held to the tool's input schema before the tool sees them.
//!
//! A server would refuse wrong arguments too, but each in its own words, and some only after half of the work.

use serde_json::{Map, Value};

use crate::execute::schema;

/// What came of the look.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Checked {
    /// They fit.
    Fit,
    /// They do not, and where.
    Wrong(String),
    /// The server's schema is of no use, and why: the call is made all the same.
    Unchecked(String),
}

/// Looks. Blocking: a pattern of the schema may take its time.
pub(super) fn check(input_schema: &Map<String, Value>, arguments: &Map<String, Value>) -> Checked {
    let validator = match schema::compile(&Value::Object(input_schema.clone())) {
        Ok(validator) => validator,
        Err(why) => return Checked::Unchecked(why.chars().take(200).collect()),
    };
    match schema::mistakes(&validator, &Value::Object(arguments.clone())) {
        Some(mistakes) => Checked::Wrong(mistakes),
        None => Checked::Fit,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn checked(schema: Value, arguments: Value) -> Checked {
        match (schema, arguments) {
            (Value::Object(schema), Value::Object(arguments)) => check(&schema, &arguments),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_does_not_fit_is_named_by_its_field() {
        let schema = json!({
            "type": "object", "required": ["query"], "additionalProperties": false,
            "properties": {"query": {"type": "string"}, "limits": {"type": "array", "items": {"type": "integer"}}},
        });
        assert_eq!(checked(schema.clone(), json!({"query": "x", "limits": [1]})), Checked::Fit);
        let Checked::Wrong(what) = checked(schema.clone(), json!({"query": 5, "limits": [1, "two"]})) else {
            panic!()
        };
        assert!(what.contains("/query: 5 is not of type \"string\""), "{what}");
        assert!(what.contains("/limits/1: \"two\" is not of type \"integer\""), "{what}");
        let Checked::Wrong(what) = checked(schema, json!({"querry": "x"})) else { panic!() };
        assert!(what.contains("\"query\" is a required property") && what.contains("'querry'"), "{what}");
    }

    #[test]
    fn a_schema_that_cannot_be_used_keeps_nobody_from_calling() {
        let Checked::Unchecked(why) = checked(json!({"type": 7}), json!({})) else { panic!() };
        assert!(!why.is_empty());
        let remote = json!({"$ref": "http://127.0.0.1:9/schema.json"});
        assert!(matches!(checked(remote, json!({})), Checked::Unchecked(_)));
        assert_eq!(checked(json!({}), json!({"anything": 1})), Checked::Fit);
    }
}
