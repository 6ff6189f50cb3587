#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The bodies of the fuzz targets under a stable toolchain: made-up bytes, the seeds, and every counterexample that a
//! fuzzer has ever found (`tests/fuzz/seeds/<target>/`).

#[path = "support/properties.rs"]
mod properties;

use std::fs;
use std::path::Path;

use proptest::prelude::*;

/// The seeds of one target, by name.
fn seeds(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    let mut seeds: Vec<_> = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap()))
        .collect();
    seeds.sort();
    assert!(!seeds.is_empty(), "no seeds for {target}");
    seeds
}

/// Bytes that a failing test shows as text, and not in full.
#[derive(Clone)]
struct Input(Vec<u8>);

impl std::fmt::Debug for Input {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = &self.0[..self.0.len().min(2_000)];
        write!(f, "{} bytes: b\"{}\"", self.0.len(), shown.escape_ascii())
    }
}

/// Bytes that look like terminal output: text, controls, escape sequences, wide and combining characters.
fn terminal_bytes() -> impl Strategy<Value = Input> {
    let piece = prop_oneof![
        "[ -~]{0,8}".prop_map(String::into_bytes),
        proptest::collection::vec(any::<u8>(), 0..6),
        Just(b"\x1b[31m".to_vec()),
        Just(b"\x1b]52;c;aGk=\x07".to_vec()),
        Just(b"\x1b]8;;http://x\x1b\\".to_vec()),
        Just(b"\x1bP1$r".to_vec()),
        Just(b"\x1b[".to_vec()),
        Just(b"\x9b2J".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\t\x08\x08".to_vec()),
        Just("\u{202e}\u{200d}e\u{301}\u{301}\u{301}\u{1f468}\u{200d}\u{1f469}漢".as_bytes().to_vec()),
    ];
    proptest::collection::vec(piece, 0..24).prop_map(|pieces| Input(pieces.concat()))
}

/// A seed with some bytes changed, taken out or doubled.
fn bent(target: &'static str) -> impl Strategy<Value = Input> {
    let seeds: Vec<Vec<u8>> = seeds(target).into_iter().map(|(_, bytes)| bytes).collect();
    let bends = proptest::collection::vec((any::<prop::sample::Index>(), 0u8..4, any::<u8>()), 0..6);
    (prop::sample::select(seeds), bends).prop_map(|(mut bytes, bends)| {
        for (index, how, byte) in bends {
            if bytes.is_empty() {
                break;
            }
            let at = index.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.remove(at)),
                2 => bytes.insert(at, byte),
                _ => {
                    let piece = bytes[at..(at + usize::from(byte)).min(bytes.len())].to_vec();
                    bytes.splice(at..at, piece);
                }
            }
        }
        Input(bytes)
    })
}

#[test]
fn seeds_of_the_sanitiser_hold() {
    for (name, bytes) in seeds("sanitiser") {
        println!("{name}");
        properties::sanitiser(&bytes);
    }
}

#[test]
fn seeds_of_the_store_hold() {
    for (name, bytes) in seeds("store") {
        println!("{name}");
        properties::store(&bytes);
    }
}

#[test]
fn seeds_of_the_policy_hold() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in seeds("policy") {
        println!("{name}");
        properties::policy(folder.path(), &bytes);
    }
}

#[test]
fn seeds_of_the_run_log_hold() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in seeds("run_log") {
        println!("{name}");
        properties::run_log(folder.path(), &bytes);
    }
}

#[test]
fn seeds_of_the_agent_stream_hold() {
    for (name, bytes) in seeds("agent_stream") {
        println!("{name}");
        properties::agent_stream(&bytes);
    }
}

/// Every seed of the target is given to the body.
fn hold(target: &str, body: impl Fn(&[u8])) {
    for (_, bytes) in seeds(target) {
        body(&bytes);
    }
}

#[test]
fn seeds_of_diff_verdict_and_keys_hold() {
    hold("diff", properties::diff);
    hold("verdict", properties::verdict_answer);
    hold("keys", properties::keys);
}

#[test]
fn seeds_of_comments_and_settings_hold() {
    let folder = tempfile::tempdir().unwrap();
    hold("comments", |bytes| properties::comments(folder.path(), bytes));
    hold("settings", |bytes| properties::settings(folder.path(), bytes));
}

/// Two texts that share most of their lines.
fn two_texts() -> impl Strategy<Value = Input> {
    let line = prop_oneof![
        Just("a"),
        Just("b"),
        Just(""),
        Just("\r"),
        Just("c\rd"),
        Just("\u{1b}[2J"),
        Just("long line")
    ];
    let lines = proptest::collection::vec(line, 0..30);
    (lines, proptest::collection::vec((any::<prop::sample::Index>(), 0u8..3), 0..6), any::<[bool; 2]>())
        .prop_map(|(lines, edits, ends)| {
            let mut other = lines.clone();
            for (index, how) in edits {
                if other.is_empty() {
                    other.push("new");
                }
                let at = index.index(other.len());
                match how {
                    0 => other[at] = "changed",
                    1 => drop(other.remove(at)),
                    _ => other.insert(at, "new"),
                }
            }
            let text = |lines: &[&str], ended: bool| lines.join("\n") + if ended { "\n" } else { "" };
            Input(format!("{}\0{}", text(&lines, ends[0]), text(&other, ends[1])).into_bytes())
        })
}

fn words(list: &'static str) -> Vec<&'static str> {
    list.split_whitespace().collect()
}

/// Lines that look like an agent's, of any agent, with values of the wrong kind in them.
fn agent_lines() -> impl Strategy<Value = Input> {
    let value = || {
        prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("-1".to_owned()),
            Just("18446744073709551615".to_owned()),
            Just("1e308".to_owned()),
            Just("[]".to_owned()),
            Just("{}".to_owned()),
            Just("\"429: {\\\"message\\\": \\\"try again in 3s\\\"}\"".to_owned()),
            Just("\"litellm.RateLimitError: x\"".to_owned()),
            Just("\"text\\nmore\\r\\n\\u0007\"".to_owned()),
            Just("[{\"type\":\"text\",\"text\":\"a\\nb\"},{\"type\":\"tool_result\"},7]".to_owned()),
        ]
    };
    let kinds = "\
          system assistant user result stream_event rate_limit_event thread.started error item.started \
          item.completed turn.completed turn.failed session message_start message_end message_update \
          tool_execution_start tool_execution_update tool_execution_end turn_end agent_end agent_settled \
          auto_retry_start auto_retry_end step_start text reasoning tool_use step_finish init message \
          tool_result";
    let keys = "\
          message event part item delta content role usage error result sessionID tool_id toolCallId \
          isError state stats subtype errorMessage assistantMessageEvent partialResult \
          model_usage_since_last_result total_cost_usd stopReason rate_limit_info";
    let field =
        (prop::sample::select(words(keys)), value()).prop_map(|(key, value)| format!(",\"{key}\":{value}"));
    let nested = (
        prop::sample::select(words(keys)),
        prop::sample::select(words(kinds)),
        prop::sample::select(words(keys)),
        value(),
    )
        .prop_map(|(key, kind, inner, value)| {
            format!(",\"{key}\":{{\"type\":\"{kind}\",\"{inner}\":{value}}}")
        });
    let line =
        (prop::sample::select(words(kinds)), proptest::collection::vec(prop_oneof![field, nested], 0..5))
            .prop_map(|(kind, fields)| format!("{{\"type\":\"{kind}\"{}}}\n", fields.concat()));
    ("[0-6]", proptest::collection::vec(line, 0..30))
        .prop_map(|(agent, lines)| Input([agent, lines.concat()].concat().into_bytes()))
}

/// Ways to write a value under a gate's key; only the first two are YAML's true.
const VALUES: [&str; 12] = [
    "true",
    "True",
    "'true'",
    "\"true\"",
    "yes",
    "on",
    "1",
    "[true]",
    "{true: true}",
    "null",
    "!!str true",
    "false",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_agents_stream_of_any_bytes_is_read(
        input in prop_oneof![bent("agent_stream"), agent_lines(), terminal_bytes()],
    ) {
        properties::agent_stream(&input.0);
    }

    #[test]
    fn nothing_a_terminal_obeys_passes_the_sanitiser(bytes in terminal_bytes()) {
        properties::sanitiser(&bytes.0);
    }

    #[test]
    fn a_policy_file_opens_only_what_it_says(picks in proptest::array::uniform6(0..VALUES.len())) {
        let folder = tempfile::tempdir().unwrap();
        let strict = koru_tui::plan::policy::Policy::default();
        let lines: String = properties::gates(&strict)
            .iter()
            .zip(picks)
            .map(|((gate, _), pick)| format!("  {}: {}\n", gate.key(), VALUES[pick]))
            .collect();
        let text = format!("llm:\n{lines}");
        properties::policy(folder.path(), text.as_bytes());
        let (read, _) = koru_tui::plan::policy::Policy::load(folder.path());
        for ((gate, open), pick) in properties::gates(&read).into_iter().zip(picks) {
            prop_assert_eq!(open, pick < 2, "{} written as {}", gate.key(), VALUES[pick]);
        }
    }

    #[test]
    fn blocks_lead_from_the_old_text_to_the_new(input in prop_oneof![two_texts(), bent("diff"), terminal_bytes()]) {
        properties::diff(&input.0);
    }

    #[test]
    fn a_bent_verdict_counts_for_nobody_else(input in prop_oneof![bent("verdict"), terminal_bytes()]) {
        properties::verdict_answer(&input.0);
    }

    #[test]
    fn bent_comments_are_read_or_left_alone(input in bent("comments")) {
        let folder = tempfile::tempdir().unwrap();
        properties::comments(folder.path(), &input.0);
    }

    #[test]
    fn a_bent_configuration_is_read_within_bounds(input in prop_oneof![bent("settings"), terminal_bytes()]) {
        let folder = tempfile::tempdir().unwrap();
        properties::settings(folder.path(), &input.0);
    }

    #[test]
    fn any_key_reads_back(input in prop_oneof![bent("keys"), terminal_bytes()]) {
        properties::keys(&input.0);
    }

    #[test]
    fn a_bent_policy_is_never_looser(bytes in bent("policy")) {
        let folder = tempfile::tempdir().unwrap();
        properties::policy(folder.path(), &bytes.0);
    }

    #[test]
    fn a_bent_run_log_is_counted_and_windowed_alike(bytes in bent("run_log")) {
        let folder = tempfile::tempdir().unwrap();
        properties::run_log(folder.path(), &bytes.0);
    }

    #[test]
    fn a_bent_sprint_is_refused_or_edited_faithfully(bytes in bent("store")) {
        properties::store(&bytes.0);
    }
}
