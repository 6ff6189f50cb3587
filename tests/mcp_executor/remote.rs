//! Servers behind a URL.

use std::time::{Duration, Instant};

use koru_tui::execute::outcome::Ending;
use koru_tui::execute::output::Channel;
use koru_tui::execute::stop::stop_pair;
use koru_tui::plan::settings::McpServer;
use serde_json::{Value, json};

use crate::bench::{Bench, Web, request};

#[tokio::test]
async fn a_tool_answers_in_json_and_in_streams() {
    for (flags, progress) in [(&[][..], 0), (&["--sse"], 4)] {
        let Some(web) = Web::start(flags) else { return };
        let (outcome, lines) = Bench::of(web.server()).call("count", json!({"to": 3})).await;
        let host = web.url.strip_suffix("/mcp").unwrap();
        assert_eq!(lines[0], (Channel::Note, format!("[calling count of kitchen at {host}]")));
        let said = lines.iter().filter(|(channel, _)| *channel == Channel::Status).count();
        // An answer that is one JSON text has no room for anything else.
        assert_eq!((said, lines.last()), (progress, Some(&(Channel::Out, "counted".to_owned()))));
        let want = json!({
            "exit_code": 0, "stdout": "counted", "stderr": "", "mcp_server": "kitchen", "mcp_tool": "count",
        });
        assert_eq!(outcome.result_json(), want);
    }
}

#[tokio::test]
async fn headers_are_sent_and_never_shown() {
    let Some(web) = Web::start(&["--key", "sesame-bread-1"]) else { return };
    let key =
        |value: &str| McpServer { headers: [("x-key".to_owned(), value.to_owned())].into(), ..web.server() };
    let (outcome, _) =
        Bench::of(key("sesame-bread-1")).call("echo", json!({"text": "sesame-bread-1 it is"})).await;
    assert_eq!(outcome.stdout.last(99), "[redacted] it is");
    let mut bench = Bench::of(key("${OVEN}"));
    bench.environment = [("OVEN".into(), "sesame-bread-1".into())].into_iter().collect();
    let (outcome, _) = bench.call("echo", json!({"text": "sesame-bread-1 it is"})).await;
    assert_eq!((outcome.ending, outcome.stdout.last(99)), (Ending::Succeeded, "[redacted] it is"));
    let (outcome, _) = Bench::of(key("another-key-2")).call("echo", json!({"text": "x"})).await;
    let want = "talking to the MCP server kitchen failed: HTTP 401: it wants to know who asks; set mcp.kitchen.headers";
    assert_eq!((outcome.ending, outcome.reason.as_deref()), (Ending::Failed, Some(want)));
}

#[tokio::test]
async fn each_way_to_fail_has_its_sentence() {
    let front = "talking to the MCP server kitchen failed: ";
    for (flags, tool, want) in [
        (&["--status", "503"][..], "echo", format!("{front}HTTP 503")),
        (
            &["--status", "400"],
            "echo",
            format!("{front}unexpected server response: HTTP 400 Bad Request: sorry, [redacted]"),
        ),
        (&[], "fail", "the tool says that it failed: no such page: oven".to_owned()),
        (&["--sse"], "refuse", "the MCP server kitchen refused refuse: the kitchen is closed".to_owned()),
        (&[], "giant", format!("{front}HTTP response body exceeded the maximum size of 16777216 bytes")),
    ] {
        let Some(web) = Web::start(flags) else { return };
        let headers = [("x-key".to_owned(), "sesame-bread-1".to_owned())].into();
        let outcome = Bench::of(McpServer { headers, ..web.server() }).failure(tool, 30.0).await;
        let told = (outcome.ending, outcome.exit_code, outcome.reason.as_deref());
        assert_eq!(told, (Ending::Failed, 1, Some(&*want)), "{tool} {flags:?}");
    }
}

#[tokio::test]
async fn a_key_is_carried_to_no_other_place() {
    let Some(other) = Web::start(&[]) else { return };
    let Some(web) = Web::start(&["--moved", &other.url]) else { return };
    let headers = [("x-key".to_owned(), "sesame-bread-1".to_owned())].into();
    let outcome = Bench::of(McpServer { headers, ..web.server() }).failure("echo", 30.0).await;
    let reason = outcome.reason.unwrap();
    assert!(reason.contains("HTTP 307"), "{reason}");
    let far = McpServer {
        url: Some("http://kitchen.invalid/mcp".to_owned()),
        headers: [("x-key".to_owned(), "sesame-bread-1".to_owned())].into(),
        ..McpServer::default()
    };
    let reason = Bench::of(far).failure("echo", 30.0).await.reason.unwrap();
    assert!(reason.contains("in plain text; refusing to"), "{reason}");
}

#[tokio::test]
async fn nobody_there_and_nobody_answering_are_told_apart() {
    // The port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let url = Some(format!("http://127.0.0.1:{port}/secret-path?key=sesame-bread-1"));
    let outcome = Bench::of(McpServer { url, ..McpServer::default() }).failure("echo", 30.0).await;
    let reason = outcome.reason.unwrap();
    assert!(
        reason.starts_with("talking to the MCP server kitchen failed: ") && reason.contains("onnect"),
        "{reason}"
    );
    assert!(!reason.contains("secret-path") && !reason.contains("sesame"), "{reason}");
    let Some(web) = Web::start(&[]) else { return };
    let outcome = Bench::of(web.server()).failure("never", 1.0).await;
    let want = "timed out after 1 s, before the MCP server kitchen answered the call";
    assert_eq!((outcome.ending, outcome.reason.as_deref()), (Ending::TimedOut, Some(want)));
}

#[tokio::test]
async fn stopping_is_heard_at_once() {
    let Some(web) = Web::start(&[]) else { return };
    let bench = Bench::of(web.server());
    let (recorder, mut heard) = bench.recorder();
    let (stopper, watch) = stop_pair();
    let never = request("never", Value::Null, 60.0);
    let run = bench.run(&never, watch, recorder);
    let stopping = async {
        heard.wait_for("calling never").await;
        stopper.press();
        Instant::now()
    };
    let (outcome, pressed) = tokio::join!(run, stopping);
    assert!(pressed.elapsed() < Duration::from_secs(5), "{:?}", pressed.elapsed());
    assert_eq!(outcome.ending, Ending::Stopped);
}
