//! YAML values as JSON values: keys become text, tags are taken off, what JSON cannot hold is refused.

use serde_json::{Map, Number, Value};
use serde_yaml::Value as Yaml;

/// `value` as JSON.
///
/// # Errors
/// A sentence about what cannot be converted.
pub(super) fn json(value: &Yaml) -> Result<Value, String> {
    Ok(match value {
        Yaml::Null => Value::Null,
        Yaml::Bool(flag) => Value::Bool(*flag),
        Yaml::Number(number) => Value::Number(self::number(number)?),
        Yaml::String(text) => Value::String(text.clone()),
        Yaml::Sequence(items) => Value::Array(items.iter().map(json).collect::<Result<_, _>>()?),
        Yaml::Mapping(entries) => {
            let mut map = Map::new();
            for (key, value) in entries {
                map.insert(self::key(key)?, json(value)?);
            }
            Value::Object(map)
        }
        Yaml::Tagged(tagged) => json(&tagged.value)?,
    })
}

fn number(number: &serde_yaml::Number) -> Result<Number, String> {
    let whole = number.as_i64().map(Number::from).or_else(|| number.as_u64().map(Number::from));
    whole
        .or_else(|| number.as_f64().and_then(Number::from_f64))
        .ok_or_else(|| format!("the number {number} cannot be stored in a ticket"))
}

fn key(key: &Yaml) -> Result<String, String> {
    match key {
        Yaml::String(text) => Ok(text.clone()),
        Yaml::Bool(flag) => Ok(flag.to_string()),
        Yaml::Number(number) => Ok(number.to_string()),
        _ => Err("a key that is not text cannot be stored in a ticket".to_owned()),
    }
}
