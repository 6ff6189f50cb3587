//! Every capture's end, named: the table of `reference/agent-streams.md` §8 as the operator meets it.

use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::session::AgentEnding;

use super::captures::{Run, captures};

/// The word for an ending in the table below.
fn word(ending: &AgentEnding) -> &'static str {
    match ending {
        AgentEnding::Finished => "finished",
        AgentEnding::Failed => "failed",
        AgentEnding::NothingDone => "nothing",
        AgentEnding::Garbage => "garbage",
        AgentEnding::NotLoggedIn => "login",
        AgentEnding::RateLimited { .. } => "limited",
        _ => "other",
    }
}

/// Scenario; claude, codex, pi, opencode, gemini, aider. `-` where there is no capture.
const TABLE: [(&str, [&str; 6]); 29] = [
    ("auth_error", ["login", "login", "login", "login", "login", "login"]),
    ("context_overflow", ["failed"; 6]),
    ("denied_ask", ["-", "-", "-", "failed", "-", "-"]),
    ("denied_default", ["-", "-", "-", "-", "finished", "-"]),
    ("denied_manual", ["finished", "-", "-", "-", "-", "-"]),
    ("denied_readonly", ["-", "finished", "-", "-", "-", "-"]),
    ("disconnect", ["finished", "finished", "finished", "finished", "failed", "finished"]),
    ("edit_success", ["finished"; 6]),
    ("edit_workspace_write", ["-", "finished", "-", "-", "-", "-"]),
    ("hang_sigint", ["failed"; 6]),
    ("hang_sigterm", ["failed"; 6]),
    // Gemini's loop detection stops it before a word, and it calls that a success.
    ("hostile_text", ["finished", "finished", "finished", "finished", "nothing", "finished"]),
    ("long_stream", ["finished"; 6]),
    ("malformed", ["finished", "failed", "failed", "failed", "failed", "failed"]),
    ("malformed_html", ["failed"; 6]),
    ("max_turns", ["failed", "-", "-", "-", "-", "-"]),
    ("parallel_tools", ["finished", "finished", "finished", "finished", "finished", "-"]),
    ("rate_limit_then_success", ["finished"; 6]),
    ("resume_first", ["finished", "finished", "finished", "finished", "finished", "-"]),
    ("resume_second", ["finished", "finished", "finished", "finished", "finished", "-"]),
    ("review_approve", ["finished"; 6]),
    ("review_changes", ["finished"; 6]),
    ("server_error", ["failed"; 6]),
    ("slow", ["finished"; 6]),
    // The tool failed, the agent said so and finished: whether the work is good is for the gates.
    ("tool_failure", ["finished"; 6]),
    ("tool_sigint", ["failed", "failed", "failed", "failed", "failed", "-"]),
    ("tool_sigkill", ["failed", "failed", "failed", "failed", "failed", "-"]),
    ("tool_sigterm", ["failed", "failed", "failed", "failed", "failed", "-"]),
    ("tool_sigterm_group", ["failed", "failed", "failed", "failed", "failed", "-"]),
];

#[test]
fn every_end_has_its_name() {
    let mut found = Vec::new();
    for kind in AgentKind::BUILT_IN {
        for capture in captures(kind) {
            let judged = Run::of(&capture).judged(&capture);
            found.push((capture.scenario.clone(), kind, word(&judged.ending)));
        }
    }
    let mut expected = Vec::new();
    for (at, kind) in AgentKind::BUILT_IN.into_iter().enumerate() {
        let named = TABLE.iter().filter(|(_, words)| words[at] != "-");
        expected.extend(named.map(|(scenario, words)| ((*scenario).to_owned(), kind, words[at])));
    }
    assert_eq!(found, expected);
}
