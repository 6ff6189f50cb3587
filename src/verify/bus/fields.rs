//! Taking fields out of a JSON object, each with its rule; what is left is kept as it is.
//!
//! loop-kit §6: texts are not empty, an integer is no boolean, a list is a list. Elements are checked too.

use serde_json::{Map, Value};

/// A field that breaks its rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
pub struct Invalid {
    /// Its name, with the element's number: `tests[2].result`.
    pub field: String,
    /// What is wrong with it, as the rest of a sentence.
    pub problem: String,
}

impl Invalid {
    pub(super) fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

/// An object of a list, and the name of its place.
type Placed = (String, Map<String, Value>);

/// An object whose fields are taken one by one.
pub(super) struct Fields {
    map: Map<String, Value>,
    /// What its fields are called by: empty, or `tests[2].`.
    prefix: String,
}

impl Fields {
    /// The fields of a whole file.
    pub(super) fn new(map: Map<String, Value>) -> Self {
        Self { map, prefix: String::new() }
    }

    /// The fields of an element.
    pub(super) fn of(map: Map<String, Value>, name: &str) -> Self {
        Self { map, prefix: format!("{name}.") }
    }

    /// What nobody took.
    pub(super) fn rest(self) -> Map<String, Value> {
        self.map
    }

    /// Takes a value; null counts as absent.
    pub(super) fn value(&mut self, key: &str) -> Option<Value> {
        self.map.shift_remove(key).filter(|value| !value.is_null())
    }

    /// A text that must be there and not be empty.
    pub(super) fn text(&mut self, key: &str) -> Result<String, Invalid> {
        let text = self.optional_text(key)?.ok_or_else(|| self.bad(key, "is missing"))?;
        if text.trim().is_empty() { Err(self.bad(key, "must not be empty")) } else { Ok(text) }
    }

    /// A text that may be absent.
    pub(super) fn optional_text(&mut self, key: &str) -> Result<Option<String>, Invalid> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(self.bad(key, &format!("must be a text, not {}", kind(&other)))),
        }
    }

    /// An integer from 0 that must be there.
    pub(super) fn number(&mut self, key: &str) -> Result<u32, Invalid> {
        self.optional_number(key)?.ok_or_else(|| self.bad(key, "is missing"))
    }

    /// An integer from 0 that may be absent.
    pub(super) fn optional_number(&mut self, key: &str) -> Result<Option<u32>, Invalid> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let number = value.as_u64().and_then(|number| u32::try_from(number).ok());
        let problem = match &value {
            Value::Number(number) if !number.is_f64() => "must be an integer from 0 to 4294967295".to_owned(),
            Value::Number(_) => "must be an integer, not a number with a fraction".to_owned(),
            other => format!("must be an integer, not {}", kind(other)),
        };
        number.map(Some).ok_or_else(|| self.bad(key, &problem))
    }

    /// A list that may be absent.
    pub(super) fn list(&mut self, key: &str) -> Result<Vec<Value>, Invalid> {
        match self.value(key) {
            None => Ok(Vec::new()),
            Some(Value::Array(items)) => Ok(items),
            Some(other) => Err(self.bad(key, &format!("must be a list, not {}", kind(&other)))),
        }
    }

    /// A list of texts that may be absent.
    pub(super) fn texts(&mut self, key: &str) -> Result<Vec<String>, Invalid> {
        let items = self.list(key)?.into_iter().enumerate();
        let text = |(at, item)| match item {
            Value::String(text) => Ok(text),
            other => Err(self.bad(&format!("{key}[{at}]"), &format!("must be a text, not {}", kind(&other)))),
        };
        items.map(text).collect()
    }

    /// A list of objects that may be absent, each with the name of its place.
    pub(super) fn objects(&mut self, key: &str) -> Result<Vec<Placed>, Invalid> {
        let items = self.list(key)?.into_iter().enumerate();
        let object = |(at, item)| {
            let place = format!("{key}[{at}]");
            match item {
                Value::Object(map) => Ok((format!("{}{place}", self.prefix), map)),
                other => Err(self.bad(&place, &format!("must be an object, not {}", kind(&other)))),
            }
        };
        items.map(object).collect()
    }

    /// An object that may be absent.
    pub(super) fn object(&mut self, key: &str) -> Result<Option<Map<String, Value>>, Invalid> {
        match self.value(key) {
            None => Ok(None),
            Some(Value::Object(map)) => Ok(Some(map)),
            Some(other) => Err(self.bad(key, &format!("must be an object, not {}", kind(&other)))),
        }
    }

    /// A complaint about a field.
    pub(super) fn bad(&self, key: &str, problem: &str) -> Invalid {
        Invalid::new(format!("{}{key}", self.prefix), problem)
    }
}

/// What a value is, as the end of a sentence.
pub(super) fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(word) => word.to_string(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// Puts a value into an object unless it says nothing.
pub(super) fn put(map: &mut Map<String, Value>, key: &str, value: impl Into<Value>) {
    let value = value.into();
    if !value.is_null() {
        map.insert(key.to_owned(), value);
    }
}
