//! Servers that are programs: what they say, how they fail, and that nobody of them is left.

use std::time::{Duration, Instant};

use koru_tui::execute::outcome::Ending;
use koru_tui::execute::output::Channel;
use koru_tui::execute::stop::{Stop, stop_pair};
use koru_tui::plan::settings::McpServer;
use serde_json::{Value, json};

use crate::bench::{Bench, program, request};
use crate::support::wait;

fn line(channel: Channel, text: &str) -> (Channel, String) {
    (channel, text.to_owned())
}

#[tokio::test]
async fn a_tool_answers_in_every_version_of_the_protocol() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let Some(server) = program(&["--version", version]) else { return };
        let (outcome, lines) = Bench::of(server).call("echo", json!({"text": "warm\nbread"})).await;
        let want =
            [(Channel::Note, "[calling echo of kitchen]"), (Channel::Out, "warm"), (Channel::Out, "bread")];
        assert_eq!(lines, want.map(|(channel, text)| line(channel, text)), "{version}");
        assert_eq!(
            outcome.result_json(),
            json!({
                "exit_code": 0, "stdout": "warm\nbread", "stderr": "", "mcp_server": "kitchen",
                "mcp_tool": "echo",
            })
        );
        assert_eq!(outcome.label.as_deref(), Some("mcp kitchen/echo"));
    }
}

#[tokio::test]
async fn progress_and_log_messages_are_live_lines_in_their_order() {
    let Some(server) = program(&[]) else { return };
    let (outcome, lines) = Bench::of(server).call("kitchen/count", json!({"to": 3})).await;
    let want = [
        (Channel::Note, "[calling count of kitchen]"),
        (Channel::Status, "warning counter: counting slowly"),
        (Channel::Status, "progress 1/3: at 1"),
        (Channel::Status, "progress 2/3: at 2"),
        (Channel::Status, "progress 3/3: at 3"),
        (Channel::Out, "counted"),
    ];
    assert_eq!(lines, want.map(|(channel, text)| line(channel, text)));
    assert_eq!(outcome.ending, Ending::Succeeded);
}

#[tokio::test]
async fn more_words_than_anybody_can_keep_waiting_are_all_heard() {
    let Some(server) = program(&[]) else { return };
    let (outcome, lines) = Bench::of(server).call("count", json!({"to": 5000})).await;
    let said = lines.iter().filter(|(channel, _)| *channel == Channel::Status).count();
    assert_eq!((outcome.ending, said), (Ending::Succeeded, 5001));
    assert_eq!(lines.last(), Some(&line(Channel::Out, "counted")));
}

#[tokio::test]
async fn what_is_no_text_is_named_and_structured_content_is_kept() {
    let Some(server) = program(&[]) else { return };
    let bench = Bench::of(server);
    let (outcome, lines) = bench.call("media", Value::Null).await;
    let want = [
        (Channel::Note, "[calling media of kitchen]"),
        (Channel::Note, "[the answer has a picture (image/png, 5 bytes)]"),
        (Channel::Note, "[the answer has a link file:///manual.pdf (manual)]"),
        (Channel::Note, "[the answer has a file file:///notes.txt (10 bytes of text)]"),
        (Channel::Out, "see below"),
        (Channel::Out, "turn it on"),
    ];
    assert_eq!(lines, want.map(|(channel, text)| line(channel, text)));
    let attachments = [
        "picture (image/png, 5 bytes)",
        "link file:///manual.pdf (manual)",
        "file file:///notes.txt (10 bytes of text)",
    ];
    assert_eq!(outcome.result_json()["mcp_attachments"], json!(attachments));
    let (outcome, _) = bench.call("structured", Value::Null).await;
    let result = outcome.result_json();
    assert_eq!(result["mcp_structured"], json!({"warm": false, "degrees": 20}));
    assert_eq!(result["stdout"], "{\n  \"warm\": false,\n  \"degrees\": 20\n}");
}

#[tokio::test]
async fn lines_that_are_no_messages_are_shown_and_passed_over() {
    let Some(server) = program(&[]) else { return };
    let (outcome, lines) = Bench::of(server).call("noise", Value::Null).await;
    let want = [
        (Channel::Note, "[calling noise of kitchen]"),
        (Channel::Unknown, "Listening on standard input"),
        (Channel::Unknown, "\u{1b}[31mred\u{1b}[0m"),
        (Channel::Unknown, "{}"),
        (Channel::Out, "still here"),
    ];
    assert_eq!(lines, want.map(|(channel, text)| line(channel, text)));
    assert_eq!(outcome.ending, Ending::Succeeded);
}

#[tokio::test]
async fn each_way_to_fail_has_its_sentence() {
    let known = "echo, count, fail, refuse, media, structured, never, die, half, giant, noise, tell, leave";
    for (flags, tool, want) in [
        (&[][..], "fail", "the tool says that it failed: no such page: oven".to_owned()),
        (&[], "refuse", "the MCP server kitchen refused refuse: the kitchen is closed".to_owned()),
        (&[], "bake", format!("the MCP server kitchen has no tool \"bake\"; it has {known}")),
        (
            &[],
            "echo",
            "inputs.mcp_arguments do not fit what kitchen/echo takes: the whole: \"text\" is a required property"
                .to_owned(),
        ),
        (&[], "die", "the MCP server kitchen was gone (exit code 3) before it answered the call".to_owned()),
        (&[], "half", "the MCP server kitchen was gone (exit code 0) before it answered the call".to_owned()),
        (
            &[],
            "giant",
            "giving up on the MCP server kitchen: it sent a message of more than 8388608 bytes, which is not read"
                .to_owned(),
        ),
        (
            &["--quit"],
            "echo",
            "the MCP server kitchen was gone (exit code 7) before it introduced itself".to_owned(),
        ),
        (
            &["--chatter"],
            "echo",
            "giving up on the MCP server kitchen: it printed 200 lines that are no MCP messages; is it an MCP server?"
                .to_owned(),
        ),
    ] {
        let Some(server) = program(flags) else { return };
        let outcome = Bench::of(server).failure(tool, 30.0).await;
        let told = (outcome.ending, outcome.exit_code, outcome.reason.as_deref());
        assert_eq!(told, (Ending::Failed, 1, Some(&*want)), "{tool} {flags:?}");
    }
}

#[tokio::test]
async fn what_a_server_says_on_standard_error_stands_below_the_reason() {
    let Some(server) = program(&[]) else { return };
    let outcome = Bench::of(server).failure("die", 30.0).await;
    let want = "the MCP server kitchen was gone (exit code 3) before it answered the call\nout of flour";
    assert_eq!(outcome.error_text(), want);
}

#[tokio::test]
async fn a_server_that_never_answers_is_ended_by_the_time_limit() {
    for (flags, tool, before) in
        [(&["--mute"][..], "echo", "introduced itself"), (&["--stay"], "never", "answered the call")]
    {
        let Some(server) = program(flags) else { return };
        let outcome = Bench::of(server).failure(tool, 1.5).await;
        let want = format!("timed out after 1.5 s, before the MCP server kitchen {before}");
        assert_eq!((outcome.ending, outcome.reason), (Ending::TimedOut, Some(want)));
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_started_says_so() {
    let missing = McpServer { command: vec!["no-such-server-of-ours".to_owned()], ..McpServer::default() };
    let outcome = Bench::of(missing).failure("echo", 30.0).await;
    let want = "the MCP server kitchen cannot be started: starting no-such-server-of-ours failed: it was not found; \
                install it or correct the path";
    assert_eq!((outcome.ending, outcome.reason.as_deref()), (Ending::Failed, Some(want)));
    let keys = vec!["KITCHEN_KEY".to_owned()];
    let unset = McpServer { command: vec!["true".to_owned()], env_keys: keys, ..McpServer::default() };
    let outcome = Bench::of(unset).failure("echo", 30.0).await;
    let want = "environment variables that the MCP server kitchen needs (mcp.kitchen.env_keys) are not set: KITCHEN_KEY";
    assert_eq!(outcome.reason.as_deref(), Some(want));
}

#[tokio::test]
async fn stopping_is_heard_at_once_and_ends_a_server_that_does_not_hear_term() {
    for (flags, presses) in [(&[][..], 1), (&["--stay"], 1), (&["--stay"], 2)] {
        let Some(server) = program(flags) else { return };
        let bench = Bench {
            grace: Duration::from_millis(if presses == 2 { 60_000 } else { 300 }),
            ..Bench::of(server)
        };
        let (recorder, mut heard) = bench.recorder();
        let (stopper, watch) = stop_pair();
        let never = request("never", Value::Null, 60.0);
        let run = bench.run(&never, watch, recorder);
        let stopping = async {
            heard.wait_for("thinking").await;
            let began = Instant::now();
            for _ in 0..presses {
                stopper.press();
                tokio::task::yield_now().await;
            }
            began
        };
        let (outcome, began) = tokio::join!(run, stopping);
        assert!(began.elapsed() < Duration::from_secs(20), "{flags:?} took {:?}", began.elapsed());
        let told = (outcome.ending, outcome.reason.as_deref());
        assert_eq!(told, (Ending::Stopped, Some("stopped by the operator")), "{flags:?}");
        assert!(!heard.lives(), "{flags:?}");
    }
    let Some(server) = program(&[]) else { return };
    let bench = Bench::of(server);
    let (recorder, heard) = bench.recorder();
    let (stopper, watch) = stop_pair();
    stopper.at_least(Stop::Polite);
    let outcome = bench.run(&request("echo", Value::Null, 60.0), watch, recorder).await;
    assert_eq!((outcome.ending, heard.child.lock().unwrap().is_none()), (Ending::Stopped, true));
}

#[tokio::test]
async fn whom_a_server_leaves_behind_is_ended_with_it() {
    let Some(server) = program(&[]) else { return };
    let (outcome, _) = Bench::of(server).call("leave", Value::Null).await;
    assert_eq!(outcome.ending, Ending::Succeeded);
    let said = outcome.stdout.last(99).to_owned();
    assert!(!wait::is_alive(said.strip_prefix("left ").unwrap()), "{said}");
}

#[tokio::test]
async fn a_server_gets_its_own_variables_and_no_secrets_of_others() {
    let Some(mut server) = program(&[]) else { return };
    server.env = [("OVEN_TOKEN".to_owned(), "sesame-bread-1".to_owned())].into();
    server.env_keys = vec!["FLOUR_KEY".to_owned()];
    let mut bench = Bench::of(server);
    bench.environment = [
        ("PATH", std::env::var("PATH").unwrap()),
        ("LANG", "C.UTF-8".to_owned()),
        ("FLOUR_KEY", "rye-and-wheat-2".to_owned()),
        ("CLOUD_SECRET", "somebody-elses-3".to_owned()),
    ]
    .into_iter()
    .map(|(name, value)| (name.into(), value.into()))
    .collect();
    let variables = ["LANG", "KORU_TICKET", "OVEN_TOKEN", "FLOUR_KEY", "CLOUD_SECRET"];
    let (outcome, lines) = bench.call("tell", json!({"variables": variables})).await;
    // Both secrets of the server came through, and are taken out of everything that is shown and kept.
    let want = "LANG=C.UTF-8 KORU_TICKET=PLF-1 OVEN_TOKEN=[redacted] FLOUR_KEY=[redacted] CLOUD_SECRET=-";
    assert_eq!(outcome.stdout.last(999), want);
    assert_eq!(lines.last(), Some(&line(Channel::Out, want)));
}
