#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The chat executor against servers on this machine that are slow, busy, gone, elsewhere or too talkative: stop, time
//! limit, retries, redirects, and that a key is never shown.

#[path = "support/heard.rs"]
mod heard;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use heard::Heard;
use koru_tui::base::clock::Clock;
use koru_tui::base::http;
use koru_tui::execute::environment::Environment;
use koru_tui::execute::llm::request::LlmRequest;
use koru_tui::execute::llm::{self, Ground};
use koru_tui::execute::outcome::{Ending, Outcome};
use koru_tui::execute::output::Channel;
use koru_tui::execute::recorder::Recorder;
use koru_tui::execute::stop::{StopWatch, stop_pair};
use koru_tui::plan::settings::{LlmSettings, Settings};
use proptest::prelude::*;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

const KEY: &str = "sk-or-hunter22-hunter22";

/// Someone who asks the server at `endpoint` with `key`.
struct Asker {
    environment: Environment,
    timeout: Duration,
}

impl Asker {
    fn of(endpoint: &str, key: &str) -> Asker {
        let vars = [("KORU_LLM_ENDPOINT", endpoint), ("KORU_LLM_API_KEY", key)];
        let environment = vars.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        Asker { environment, timeout: Duration::from_secs(30) }
    }

    fn recorder(&self) -> (Recorder, Heard) {
        heard::recorder(self.environment.redactor_of(&Settings::default(), &[]))
    }

    async fn run(&self, stop: StopWatch, recorder: Recorder) -> Outcome {
        let request = LlmRequest {
            endpoint: None,
            model: "some/model".to_owned(),
            system: None,
            prompt: "Why is the oven cold?".to_owned(),
            temperature: 0.0,
            max_tokens: None,
            schema: None,
            timeout: self.timeout,
        };
        let settings = LlmSettings { keys: BTreeMap::new(), ..LlmSettings::default() };
        let ground = Ground { environment: &self.environment, settings: &settings, clock: Clock::System };
        let client = || http::direct_client().map_err(|error| error.to_string());
        let run = llm::run(&request, &ground, None, client, stop, recorder);
        tokio::time::timeout(Duration::from_secs(60), run).await.expect("the run hangs")
    }

    async fn ask(&self) -> (Outcome, Vec<(Channel, String)>) {
        let (recorder, mut heard) = self.recorder();
        let (_stopper, watch) = stop_pair();
        let outcome = self.run(watch, recorder).await;
        (outcome, heard.rest())
    }
}

fn asker(server: &MockServer) -> Asker {
    Asker::of(&server.uri(), KEY)
}

fn good(content: &str) -> ResponseTemplate {
    ResponseTemplate::new(200)
        .set_body_json(json!({"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}))
}

/// A server that takes one request, says `words` and then neither more nor less; tells when it has said them.
async fn stuck(words: &'static str) -> (String, tokio::sync::oneshot::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (said, heard) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut bytes = vec![0; 64 * 1024];
        assert!(stream.read(&mut bytes).await.unwrap() > 0);
        stream.write_all(words.as_bytes()).await.unwrap();
        let _ = said.send(());
        // Until the other side has had enough.
        while stream.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
    });
    (url, heard)
}

#[tokio::test]
async fn a_stop_is_heard_before_within_and_between_answers() {
    for words in ["", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choices\""] {
        let (url, said) = stuck(words).await;
        let asker = Asker::of(&url, KEY);
        let (recorder, _heard) = asker.recorder();
        let (stopper, watch) = stop_pair();
        let stopping = async {
            said.await.unwrap();
            stopper.press();
            Instant::now()
        };
        let (outcome, pressed) = tokio::join!(asker.run(watch, recorder), stopping);
        assert!(pressed.elapsed() < Duration::from_secs(5), "{:?}", pressed.elapsed());
        let told = (outcome.ending, outcome.reason.as_deref());
        assert_eq!(told, (Ending::Stopped, Some("stopped by the operator")));
    }
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "25");
    server.register(Mock::given(method("POST")).respond_with(busy).expect(1)).await;
    let asker = asker(&server);
    let (recorder, mut heard) = asker.recorder();
    let (stopper, watch) = stop_pair();
    let stopping = async {
        heard.wait_for("trying again in 25.0 s").await;
        stopper.press();
    };
    let (outcome, ()) = tokio::join!(asker.run(watch, recorder), stopping);
    assert_eq!(outcome.ending, Ending::Stopped);
}

#[tokio::test]
async fn the_time_limit_holds_wherever_an_answer_gets_stuck() {
    for words in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"choices\""] {
        let (url, _said) = stuck(words).await;
        let asker = Asker { timeout: Duration::from_millis(700), ..Asker::of(&url, KEY) };
        let (outcome, _) = asker.ask().await;
        let told = (outcome.ending, outcome.status_code, outcome.reason.as_deref());
        assert_eq!(told, (Ending::TimedOut, Some(0), Some("timed out after 0.7 s")), "{words:?}");
    }
}

#[tokio::test]
async fn passing_trouble_is_tried_again_and_said() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(429).insert_header("retry-after", "0").set_body_string("slow down");
    server.register(Mock::given(method("POST")).respond_with(busy).up_to_n_times(2).expect(2)).await;
    server.register(Mock::given(method("POST")).respond_with(good("It is off.")).expect(1)).await;
    let (outcome, lines) = asker(&server).ask().await;
    let said: Vec<&str> = lines.iter().skip(1).map(|(_, text)| text.as_str()).collect();
    let want = [
        "[HTTP 429; trying again in 0.0 s (try 2 of 5)]",
        "[HTTP 429; trying again in 0.0 s (try 3 of 5)]",
        "It is off.",
    ];
    assert_eq!(said, want);
    assert_eq!((outcome.ending, &outcome.result_json()["llm_tries"]), (Ending::Succeeded, &json!(3)));
}

#[tokio::test]
async fn trying_again_has_an_end() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "0").set_body_string("later");
    server.register(Mock::given(method("POST")).respond_with(busy).expect(5)).await;
    let (outcome, lines) = asker(&server).ask().await;
    assert!(lines.contains(&(Channel::Note, "[HTTP 503; given up after 5 tries]".to_owned())), "{lines:?}");
    let told = (outcome.ending, outcome.status_code, outcome.error_text());
    assert_eq!(told, (Ending::Failed, Some(503), "HTTP 503: later".to_owned()));
}

#[tokio::test]
async fn what_will_not_get_better_is_asked_once() {
    for (status, after, want) in [
        (400, "0", "HTTP 400: no"),
        (422, "0", "HTTP 422: no"),
        // The next try would come after the time limit.
        (429, "3600", "HTTP 429: no"),
    ] {
        let server = MockServer::start().await;
        let refusal = ResponseTemplate::new(status).insert_header("retry-after", after).set_body_string("no");
        server.register(Mock::given(method("POST")).respond_with(refusal).expect(1)).await;
        let (outcome, _) = asker(&server).ask().await;
        assert_eq!((outcome.ending, outcome.error_text()), (Ending::Failed, want.to_owned()));
    }
}

#[tokio::test]
async fn an_answer_without_end_or_sense_is_a_failure() {
    let server = MockServer::start().await;
    let giant = ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 9 * 1024 * 1024]);
    server.register(Mock::given(method("POST")).respond_with(giant)).await;
    let (outcome, _) = asker(&server).ask().await;
    let want = "HTTP 200, but the answer is longer than 8388608 bytes";
    assert_eq!((outcome.ending, outcome.error_text().as_str()), (Ending::Failed, want));
    for body in ["", "<html>", "{}", "{\"choices\": []}", "[1]"] {
        let server = MockServer::start().await;
        server
            .register(
                Mock::given(method("POST")).respond_with(ResponseTemplate::new(200).set_body_string(body)),
            )
            .await;
        let (outcome, _) = asker(&server).ask().await;
        assert_eq!((outcome.ending, outcome.error_text().is_empty()), (Ending::Failed, false), "{body}");
    }
}

#[tokio::test]
async fn a_key_follows_no_redirect() {
    let other = MockServer::start().await;
    for status in [301, 302, 303, 307, 308] {
        let server = MockServer::start().await;
        let moved = ResponseTemplate::new(status).insert_header("location", format!("{}/v1", other.uri()));
        server.register(Mock::given(method("POST")).respond_with(moved).expect(1)).await;
        let (outcome, _) = asker(&server).ask().await;
        let want = format!("HTTP {status}: it points to {}/v1, which is not followed", other.uri());
        assert_eq!((outcome.ending, outcome.error_text()), (Ending::Failed, want));
    }
    assert_eq!(other.received_requests().await.unwrap().len(), 0);
}

/// A server's answer that says the key wherever an answer can say something.
fn indiscreet(request: &Request, status: u16, place: usize) -> ResponseTemplate {
    let bearer = request.headers.get("authorization").unwrap().to_str().unwrap();
    let key = bearer.strip_prefix("Bearer ").unwrap().to_owned();
    let answer = json!({
        "model": key, "choices": [{"message": {"content": format!("ok {key} ok\n{bearer}")}, "finish_reason": "length"}],
        "usage": {"prompt_tokens": 1, (key.clone()): key, "cost": 0.5}, "error": {"message": key},
    });
    let template = ResponseTemplate::new(status).insert_header("retry-after", "0");
    let template = match status {
        300..400 => template.insert_header("location", format!("http://127.0.0.1/?key={key}")),
        _ => template,
    };
    match place {
        0 => template.set_body_json(answer),
        1 => template.set_body_string(format!("{}{key}", "x".repeat(495))),
        2 => template.set_body_string(format!("no key {key}, {bearer}, \"{key}\"")),
        _ => template.set_body_json(json!({"error": answer})),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_key_is_shown_nowhere(
        key in "[!-~]{8,60}",
        status in prop_oneof![Just(200_u16), Just(307), Just(400), Just(401), Just(429), Just(500)],
        place in 0_usize..4,
    ) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let (outcome, lines) = runtime.block_on(async {
            let server = MockServer::start().await;
            let answer = move |request: &Request| indiscreet(request, status, place);
            server.register(Mock::given(method("POST")).respond_with(answer).expect(1..)).await;
            Asker::of(&server.uri(), &key).ask().await
        });
        let quoted = Value::String(key.clone()).to_string();
        let quoted = quoted.trim_matches('"');
        let shown = format!("{}\n{}\n{:?}", outcome.result_json(), outcome.error_text(), outcome.label);
        let said: String = lines.iter().map(|(_, text)| format!("{text}\n")).collect();
        for text in [&shown, &said] {
            prop_assert!(!text.contains(&key) && !text.contains(quoted), "{key} stands in {text}");
        }
        // Nor its first half, which a cut in the middle would leave.
        prop_assert!(!said.contains(&format!("x{}", &key[..key.len() / 2])), "{key} is cut in {said}");
    }
}
