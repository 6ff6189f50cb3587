//! Cross-module tests of the YAML floor.

use super::SprintDoc;

pub(super) mod generated;

fn malformed(case: &str) -> Vec<u8> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/planfile/malformed");
    std::fs::read(std::path::Path::new(root).join(case).join("current.yaml")).unwrap()
}

#[test]
fn the_control_case_reads_chunk_by_chunk() {
    let doc = SprintDoc::parse("current", malformed("00-control"), None).unwrap();
    let ids: Vec<&str> = doc.tickets().map(|ticket| ticket.id.as_str()).collect();
    assert_eq!(ids, ["PLF-001", "PLF-002"]);
    assert!(doc.layout().is_some());
}

/// Parses `text` both ways; `None` when the line parser leaves it to the other.
fn both(text: &str) -> Option<()> {
    let mut quick = super::tape::Tape::default();
    super::fast::parse(text, 0, &mut quick)?;
    let mut slow = super::tape::Tape::default();
    assert_eq!(super::full::parse(text, 0, &mut slow), Ok(true), "{text}");
    assert_eq!(quick, slow, "{text}");
    Some(())
}

fn sprint_texts() -> Vec<String> {
    fn walk(folder: &std::path::Path, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() && !path.ends_with("malformed") {
                walk(&path, found);
            } else if path.extension().is_some_and(|ext| ext == "yaml") {
                found.extend(std::fs::read_to_string(&path));
            }
        }
    }
    let mut found = Vec::new();
    walk(std::path::Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/planfile")), &mut found);
    found
}

#[test]
fn the_line_parser_takes_what_planfile_writes_and_agrees() {
    let (mut mine, mut chunks) = (0, 0);
    for text in sprint_texts() {
        let _ = both(&text);
        let Some(layout) = super::layout::find(&text, 0) else { continue };
        for span in layout.chunks() {
            chunks += 1;
            mine += usize::from(both(&text[span]).is_some());
        }
    }
    assert!(chunks > 80, "{chunks}");
    assert!(mine * 100 > chunks * 95, "{mine} of {chunks}");
}

#[test]
fn a_comment_ends_at_a_carriage_return_for_both_parsers() {
    // What stands behind the CR is text on a line of its own. Found by `any_lines_agree`.
    for text in ["  key:\n #\r''\n", "key: v\n# a\r# b\n", "key: v\n\r\n"] {
        assert_eq!(both(text), None, "{text:?}");
    }
    let parse = |text: &str| super::full::parse(text, 0, &mut super::tape::Tape::default());
    assert!(parse("  key:\n #\r''\n").is_err());
    assert_eq!(parse("key: v\n# a\r# b\n"), Ok(true));
}

#[test]
fn hostile_shapes_end_quickly_in_a_fault_or_a_reading() {
    let head = "sprint:\n  tickets:\n    A-1:\n      id: A-1\n      name: n\n";
    let chain: String = (1..3000).map(|n| format!("      a{n}: &a{n} [*a{}]\n", n - 1)).collect();
    let bomb: String =
        (1..12).map(|n| format!("      a{n}: &a{n} [{}]\n", format!("*a{},", n - 1).repeat(10))).collect();
    let merges: String = (1..12)
        .map(|n| format!("      a{n}: &a{n} {{<<: [{}]}}\n", format!("*a{},", n - 1).repeat(10)))
        .collect();
    let wide: String = (0..20_000).map(|n| format!("          {n}: {n}\n")).collect();
    let faults = [
        (format!("{head}      a0: &a0 [x]\n{chain}"), "levels deep"),
        (format!("{head}      a0: &a0 [x]\n{bomb}"), "aliases multiply"),
        (format!("{head}      a0: &a0 {{x: y}}\n{merges}"), "aliases multiply"),
        (format!("{head}      v: {}\n", "[".repeat(5000)), "levels deep"),
        (format!("{head}      v: {}\n", "- ".repeat(5000)), "may not stand here"),
        (format!("{head}      v:\n      {}\n", "- ".repeat(5000)), "levels deep"),
        (format!("{head}      v:\n        {}\n", "? ".repeat(5000)), "levels deep"),
        (format!("{head}      v: {}\n", "{a: ".repeat(5000)), "levels deep"),
        (format!("{head}      v: \"{}\n", "a\n".repeat(5000)), "never closed"),
    ];
    for (text, words) in faults {
        let fault = SprintDoc::parse("current", text.into_bytes(), None).unwrap_err();
        assert!(fault.message.contains(words), "{fault}");
    }
    let text = format!("{head}      sync:\n        many:\n{wide}      inputs:\n        api_headers:\n{wide}");
    let doc = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
    assert_eq!(doc.record("A-1").unwrap()["sync"]["many"].as_object().unwrap().len(), 20_000);
    assert_eq!(doc.ticket("A-1").unwrap().inputs.api_headers.len(), 20_000);
}

#[test]
fn unchanged_tickets_are_taken_over() {
    let text = "sprint:\n  tickets:\n    A-1:\n      id: A-1\n      name: a\n    B-1:\n      id: B-1\n      name: b\n";
    let before = SprintDoc::parse("current", text.as_bytes().to_vec(), None).unwrap();
    let moved = format!("# a line above\n{}", text.replace("name: a", "name: changed"));
    let after = SprintDoc::parse("current", moved.clone().into_bytes(), Some(&before)).unwrap();
    let same = |id: &str| std::sync::Arc::ptr_eq(before.ticket(id).unwrap(), after.ticket(id).unwrap());
    assert_eq!((same("A-1"), same("B-1")), (false, true));
    assert_eq!(after.ticket("A-1").unwrap().name, "changed");
    // Under another stem the tickets say another sprint.
    let other = SprintDoc::parse("backlog", moved.into_bytes(), Some(&after)).unwrap();
    assert_eq!(other.ticket("B-1").unwrap().sprint, "backlog");
}

#[test]
fn lines_that_end_otherwise_are_not_cut_into_chunks() {
    // A LS ends a line for libyaml, so that the ticket's key stands where no line feed begins a line.
    for end in ["\u{2028}", "\u{2029}", "\u{85}", "\r"] {
        let text = format!(
            "sprint:\n  tickets:{end}    A-1:\n      id: A-1\n      name: a\n    B-1:\n      id: B-1\n      name: b\n"
        );
        let doc = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
        assert!(doc.layout().is_none());
        assert_eq!(doc.keyed().map(|(key, _)| key).collect::<Vec<_>>(), ["A-1", "B-1"]);
    }
}

#[test]
fn a_promise_of_changes_is_a_bare_boolean_and_never_hides_a_ticket() {
    let read = |value: &str| {
        let text = format!(
            "sprint:\n  tickets:\n    A:\n      id: A\n      name: a\n      inputs:\n        expect_files_changed: {value}\n"
        );
        let doc = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
        let ticket = doc.tickets().next().unwrap();
        assert_eq!(ticket.invalid, None, "{value}");
        ticket.inputs.expect_files_changed
    };
    assert_eq!([read("true"), read("false"), read("on")], [Some(true), Some(false), Some(true)]);
    assert_eq!([read("'true'"), read("1"), read("[]"), read("")], [None; 4]);
}

#[test]
fn what_a_chat_and_a_tool_need_is_read_and_never_hides_a_ticket() {
    use crate::plan::ticket::{LlmInputs, McpInputs};
    let read = |inputs: &str| {
        let text =
            format!("sprint:\n  tickets:\n    A:\n      id: A\n      name: a\n      inputs: {inputs}\n");
        let doc = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
        let ticket = doc.tickets().next().unwrap();
        assert_eq!(ticket.invalid, None, "{inputs}");
        (ticket.inputs.llm.as_deref().cloned(), ticket.inputs.mcp.as_deref().cloned())
    };
    let all = "{llm_endpoint: 'http://x', system_prompt: s, llm_temperature: 1, llm_max_tokens: 9, \
               llm_timeout_seconds: 2.5, response_schema: {type: object}, mcp_server: docs, mcp_arguments: {a: [1]}}";
    let llm = LlmInputs {
        endpoint: Some("http://x".to_owned()),
        system: Some("s".to_owned()),
        temperature: Some(1.0),
        max_tokens: Some(9),
        timeout_seconds: Some(2.5),
        response_schema: Some(serde_json::json!({"type": "object"})),
    };
    let arguments = Some(serde_json::json!({"a": [1]}));
    assert_eq!(read(all), (Some(llm), Some(McpInputs { server: Some("docs".to_owned()), arguments })));
    let odd = "{llm_endpoint: [1], system_prompt: {}, llm_temperature: null, llm_max_tokens: -1, \
               llm_timeout_seconds: x, response_schema: null, mcp_server: [], mcp_arguments: ~}";
    assert_eq!(read(odd), (Some(LlmInputs::default()), Some(McpInputs::default())));
    assert_eq!(read("{prompt: p}"), (None, None));
}
