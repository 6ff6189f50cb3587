//! The MCP project's own reference server, which the official TypeScript SDK is made of, over both transports.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use koru_tui::execute::outcome::Ending;
use koru_tui::execute::output::Channel;
use koru_tui::plan::settings::McpServer;
use serde_json::json;

use crate::bench::Bench;
use crate::support::peer;

/// Node and the server's script; `None`, noted as skipped, when it is not installed.
fn installed() -> Option<Vec<String>> {
    let peers = Path::new(env!("CARGO_MANIFEST_DIR")).join(".peers");
    let script = peers.join("everything/node_modules/@modelcontextprotocol/server-everything/dist/index.js");
    if !script.is_file() {
        peer::skipped("MCP server-everything");
        return None;
    }
    let own = peers.join("agents/node/node_modules/.bin/node");
    let node = if own.exists() { own } else { peer::program("node")? };
    Some([node, script].map(|path| path.to_str().unwrap().to_owned()).to_vec())
}

/// Ended with the value.
struct Listening(Child);

impl Drop for Listening {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Four steps of work, a picture and structured content.
async fn works(server: &McpServer) {
    let bench = Bench::of(server.clone());
    let work = json!({"duration": 0.4, "steps": 4});
    let (outcome, lines) = bench.call("trigger-long-running-operation", work).await;
    let steps: Vec<&str> = lines
        .iter()
        .filter(|(channel, text)| *channel == Channel::Status && text.starts_with("progress"))
        .map(|(_, text)| text.as_str())
        .collect();
    let want = ["progress 1/4", "progress 2/4", "progress 3/4", "progress 4/4"];
    assert_eq!((outcome.ending, steps), (Ending::Succeeded, want.to_vec()), "{lines:#?}");
    let (outcome, _) = bench.call("get-tiny-image", json!({})).await;
    let picture = &outcome.result_json()["mcp_attachments"];
    assert!(picture[0].as_str().is_some_and(|text| text.starts_with("picture (image/png, ")), "{outcome:#?}");
    let (outcome, _) = bench.call("get-structured-content", json!({"location": "Chicago"})).await;
    assert!(outcome.result_json()["mcp_structured"]["humidity"].is_number(), "{outcome:#?}");
    let (outcome, _) = bench.call("get-sum", json!({"a": "one", "b": 2})).await;
    let reason = outcome.reason.unwrap();
    assert!(reason.ends_with("kitchen/get-sum takes: /a: \"one\" is not of type \"number\""), "{reason}");
}

#[tokio::test]
async fn it_is_understood_as_a_program() {
    let Some(mut command) = installed() else { return };
    command.push("stdio".to_owned());
    works(&McpServer { command, ..McpServer::default() }).await;
}

#[tokio::test]
async fn it_is_understood_over_http() {
    let Some(command) = installed() else { return };
    // The port was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut listening = Listening(
        Command::new(&command[0])
            .args([&command[1], "streamableHttp"])
            .env("PORT", port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let words = BufReader::new(listening.0.stderr.take().unwrap());
    let mut words = words.lines();
    assert!(words.by_ref().any(|line| line.unwrap().contains("listening on port")), "it does not start");
    // It must not be held up by what nobody reads.
    std::thread::spawn(move || words.for_each(drop));
    let url = Some(format!("http://127.0.0.1:{port}/mcp"));
    works(&McpServer { url, ..McpServer::default() }).await;
}
