#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The scripted model itself, asked over a plain socket: its script, its faults and its waiting are what the suites of the
//! agents rest on, so each is shown to happen.

#[path = "support/agents/mod.rs"]
mod agents;
mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use agents::scenario::{self, Break, act, html, refuse, say, silence};
use agents::stub::Stub;
use serde_json::{Value, json};

/// A request of a chat agent that offers a tool, streamed.
fn work() -> Value {
    let edit = json!({"name": "edit", "parameters": {"properties": {"path": {}, "edits": {}}}});
    json!({"model": "m", "stream": true, "messages": [{"content": "the task"}], "tools": [{"function": edit}]})
}

/// Sends a request and keeps the connection open.
fn send(stub: &Stub, path: &str, body: &Value) -> TcpStream {
    let mut socket = TcpStream::connect(stub.url().strip_prefix("http://").unwrap()).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let body = body.to_string();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    socket.write_all(format!("{head}{body}").as_bytes()).unwrap();
    socket
}

/// Sends a request, the last one: the connection ends with the answer.
fn open(stub: &Stub, path: &str, body: &Value) -> TcpStream {
    let socket = send(stub, path, body);
    socket.shutdown(Shutdown::Write).unwrap();
    socket
}

/// The whole answer.
fn ask(stub: &Stub, body: &Value) -> String {
    let mut text = String::new();
    open(stub, "/v1/chat/completions", body).read_to_string(&mut text).unwrap();
    text
}

/// The texts that an answer streams, in order.
fn texts(answer: &str) -> Vec<String> {
    let data = answer.lines().filter_map(|line| line.strip_prefix("data: "));
    data.filter_map(|data| serde_json::from_str::<Value>(data).ok())
        .filter_map(|event| Some(event.pointer("/choices/0/delta/content")?.as_str()?.to_owned()))
        .filter(|text| !text.is_empty())
        .collect()
}

#[test]
fn each_request_takes_the_next_turn_and_all_are_remembered() {
    let stub = Stub::start(vec![say("one").times(2), say("two")]);
    let said: Vec<Vec<String>> = (0..4).map(|_| texts(&ask(&stub, &work()))).collect();
    assert_eq!(said, [vec!["one"], vec!["one"], vec!["two"], vec!["(script over)"]]);
    let seen = stub.seen();
    assert_eq!(
        seen.asked.iter().map(|asked| asked.turn).collect::<Vec<_>>(),
        [Some(0), Some(0), Some(1), None]
    );
    assert!(seen.asked[0].holds("the task") && !seen.asked[0].holds("another task"));
}

#[test]
fn what_is_asked_beside_the_work_takes_no_turn() {
    let stub = Stub::start(vec![say("one")]);
    let title = json!({"stream": true, "messages": []});
    assert_eq!(texts(&ask(&stub, &title)), ["Scripted run"]);
    let mut probe = work();
    probe["max_tokens"] = json!(1);
    assert_eq!(texts(&ask(&stub, &probe)), ["Scripted run"]);
    assert_eq!(texts(&ask(&stub, &work())), ["one"]);
    assert_eq!((stub.seen().main().len(), stub.seen().asked.len()), (1, 3));
}

#[test]
fn text_comes_in_pieces_and_tools_are_those_that_are_offered() {
    let stub = Stub::start(vec![say("zażółć gęślą").chunk(7), act().edit("a.txt", "x", "y").chunk(1000)]);
    assert_eq!(texts(&ask(&stub, &work())), ["zażółć ", "gęślą"]);
    let answer = ask(&stub, &work());
    let edits = json!({"path": "a.txt", "edits": [{"oldText": "x", "newText": "y"}]}).to_string();
    assert!(answer.contains(r#""name":"edit""#), "{answer}");
    assert!(answer.contains(&json!({ "arguments": edits }).to_string()), "{answer}");
    assert!(answer.ends_with("data: [DONE]\n\n\r\n0\r\n\r\n"), "{answer}");
}

#[test]
fn an_answer_in_one_piece_is_given_to_whoever_does_not_stream() {
    let stub = Stub::start(vec![say("hello").usage(11, 7, 3, 2)]);
    let mut request = work();
    request["stream"] = json!(false);
    let answer = ask(&stub, &request);
    let body: Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(body["choices"][0]["message"]["content"], "hello");
    assert_eq!(body["usage"]["prompt_tokens"], 11);
}

#[test]
fn refusals_and_pages_come_as_they_were_scripted() {
    let stub = Stub::start(vec![refuse(429, "slow down").retry_after(7), html(), refuse(400, "too long")]);
    let refused = ask(&stub, &work());
    assert!(refused.starts_with("HTTP/1.1 429 ") && refused.contains("\r\nretry-after: 7\r\n"), "{refused}");
    assert!(refused.contains(r#""message":"slow down","type":"rate_limit_error""#), "{refused}");
    let page = ask(&stub, &work());
    assert!(page.starts_with("HTTP/1.1 200 ") && page.ends_with("</html>"), "{page}");
    assert!(ask(&stub, &work()).contains("context_length_exceeded"));
}

#[test]
fn a_stream_breaks_off_where_it_should() {
    let ends = |how| vec![say("abcdef").chunk(2).breaks(2, how)];

    let stub = Stub::start(ends(Break::Garbage));
    let answer = ask(&stub, &work());
    assert_eq!(texts(&answer), ["ab", "cd"]);
    assert!(answer.contains("data: {\"oops\": not json\n\n"), "{answer}");

    let stub = Stub::start(ends(Break::Reset));
    let mut socket = open(&stub, "/v1/chat/completions", &work());
    let mut text = Vec::new();
    let error = socket.read_to_end(&mut text).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
}

#[test]
fn an_agent_is_kept_waiting_until_the_test_lets_it_go() {
    let stub = Stub::start(vec![say("abcd").chunk(2).breaks(1, Break::Silence), silence()]);
    let _socket = send(&stub, "/v1/chat/completions", &work());
    stub.wait_silent();
    assert_eq!(stub.seen().deltas, 1);
    stub.release();
    stub.wait("the rest", |seen| seen.deltas == 2 && seen.silent == 0);
}

#[test]
fn an_agent_that_hangs_up_is_noticed() {
    let stub = Stub::start(vec![silence()]);
    let socket = send(&stub, "/v1/responses", &work());
    stub.wait_silent();
    drop(socket);
    stub.wait("the end of the connection", |seen| seen.silent == 0);
}

#[test]
fn deltas_wait_for_their_steps() {
    let stub = Stub::start(vec![say("abcdef").chunk(2).stepped()]);
    let mut socket = open(&stub, "/v1/chat/completions", &work());
    stub.wait("the request", |seen| seen.asked.len() == 1);
    assert_eq!(stub.seen().deltas, 0);
    stub.step(1);
    stub.wait("the first delta", |seen| seen.deltas == 1);
    stub.step(2);
    let mut text = String::new();
    socket.read_to_string(&mut text).unwrap();
    assert_eq!(texts(&text), ["ab", "cd", "ef"]);
}

#[test]
fn all_four_protocols_say_the_same() {
    let tools = json!([
        {"name": "Read", "input_schema": {"properties": {"file_path": {}}}},
    ]);
    let function = json!([{"functionDeclarations": [{"name": "read_file", "parameters": {}}]}]);
    let paths = [
        ("/v1/messages", tools.clone()),
        ("/v1/chat/completions", tools.clone()),
        ("/v1/responses", tools),
        ("/v1beta/models/m:streamGenerateContent?alt=sse", function),
    ];
    for (path, tools) in paths {
        let stub = Stub::start(vec![say("the answer").read(scenario::FILE).usage(100, 20, 30, 0)]);
        let mut answer = String::new();
        let request = json!({"stream": true, "tools": tools});
        open(&stub, path, &request).read_to_string(&mut answer).unwrap();
        for part in ["the answer", scenario::FILE, "100", "20", "30"] {
            // Anthropic counts what comes from the cache apart.
            let part = if part == "100" && path == "/v1/messages" { "70" } else { part };
            assert!(answer.contains(part), "{path}: no {part} in {answer}");
        }
    }
}

#[test]
fn nobody_listens_any_more_once_the_value_is_gone() {
    let stub = Stub::start(vec![silence()]);
    let address = stub.url().strip_prefix("http://").unwrap().to_owned();
    let mut kept = send(&stub, "/v1/messages", &work());
    stub.wait_silent();
    drop(stub);
    let mut rest = Vec::new();
    let _ = kept.read_to_end(&mut rest);
    assert_eq!(rest, b"");
    support::wait::until("the port to close", || TcpStream::connect(&address).is_err().then_some(()));
}
