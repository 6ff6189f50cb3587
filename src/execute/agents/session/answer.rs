//! The structured final answer: what the program checked itself, else the JSON in the last text.

use serde_json::Value;

use crate::execute::agents::assemble::Assembler;

/// The structured answer of a run.
pub(super) fn structured(assembler: &Assembler) -> Option<Value> {
    let checked = assembler.finish_said().and_then(|finish| finish.structured.clone());
    checked.or_else(|| in_text(assembler.answer()?))
}

/// The JSON object that a text is, or ends with: alone, in a fence, or after prose.
fn in_text(text: &str) -> Option<Value> {
    let text = text.trim().trim_end_matches("```").trim_end();
    if !text.ends_with('}') {
        return None;
    }
    // From the front: the first brace from which everything to the end is one object is the outermost one.
    let mut starts = text.char_indices().filter(|(_, c)| *c == '{').map(|(at, _)| at).take(1000);
    starts.find_map(|at| serde_json::from_str(&text[at..]).ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_found_alone_fenced_and_after_prose() {
        let want = json!({"verdict": "approve", "findings": [{"line": 3}]});
        let bare = want.to_string();
        for text in [
            bare.clone(),
            format!("```json\n{bare}\n```\n"),
            format!("I looked at `fn x() {{}}` and find:\n\n{bare}"),
        ] {
            assert_eq!(in_text(&text), Some(want.clone()), "{text}");
        }
        for text in ["", "{", "fine}", "no object", "{\"a\": 1} and more"] {
            assert_eq!(in_text(text), None, "{text}");
        }
    }
}
