//! The executors on real children and a real HTTP server: streams, limits, the stop ladder, what is left behind.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/heard.rs"]
mod heard;

use std::time::{Duration, Instant};

use heard::{recorder, recorder_with};
use koru_tui::base::redact::Redactor;
use koru_tui::execute::action::ApiRequest;
use koru_tui::execute::fence::Fence;
use koru_tui::execute::outcome::{Ending, Outcome};
use koru_tui::execute::output::Channel;
use koru_tui::execute::shell::ShellJob;
use koru_tui::execute::stop::{Stop, stop_pair};
use koru_tui::execute::transcript::{TranscriptReader, TranscriptWriter};
use koru_tui::execute::{api, shell};
use serde_json::json;
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

fn job(command: &str) -> ShellJob {
    ShellJob {
        command: command.to_owned(),
        folder: std::env::temp_dir(),
        env: vec![("PATH".into(), std::env::var_os("PATH").unwrap())],
        fence: Fence::default(),
        timeout: Duration::from_secs(60),
        grace: Duration::from_secs(30),
    }
}

async fn sh(command: &str) -> (Outcome, Vec<(Channel, String)>) {
    let (recorder, mut heard) = recorder(Redactor::default());
    let (_stopper, watch) = stop_pair();
    let outcome = shell::run(&job(command), watch, recorder).await;
    (outcome, heard.rest())
}

fn is_alive(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
        .is_ok_and(|stat| !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.trim_start().starts_with('Z')))
}

#[tokio::test]
async fn output_exit_code_and_result() {
    let (outcome, lines) = sh("echo out; echo err >&2; printf tail; exit 3").await;
    assert_eq!((outcome.ending, outcome.exit_code, outcome.signal), (Ending::Failed, 3, None));
    assert_eq!(outcome.result_json(), json!({"exit_code": 3, "stdout": "out\ntail", "stderr": "err\n"}));
    assert_eq!(outcome.error_text(), "err");
    let of = |wanted| {
        let on = lines.iter().filter(|(channel, _)| *channel == wanted);
        on.map(|(_, text)| text.as_str()).collect::<Vec<_>>()
    };
    assert_eq!((of(Channel::Out), of(Channel::Err)), (vec!["out", "tail"], vec!["err"]));
}

#[tokio::test]
async fn the_environment_is_what_was_given_and_input_is_closed() {
    let (outcome, _) = sh("env | cut -d= -f1 | grep -v -e '^_$' -e PWD -e OLDPWD -e SHLVL | sort; cat").await;
    assert_eq!(outcome.stdout.last(200), "KORU_TUI_SPAWN\nPATH\n");
    assert!(outcome.succeeded());
}

#[tokio::test]
async fn a_signal_is_reported() {
    let (outcome, _) = sh("kill -9 $$").await;
    assert_eq!((outcome.ending, outcome.exit_code, outcome.signal), (Ending::Failed, 137, Some(9)));
    assert_eq!(outcome.error_text(), "Command was ended by signal 9");
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_a_clear_failure() {
    let (recorder, _heard) = recorder(Redactor::default());
    let (_stopper, watch) = stop_pair();
    let job = ShellJob { folder: "/nonexistent/folder".into(), ..job("true") };
    let outcome = shell::run(&job, watch, recorder).await;
    assert_eq!((outcome.ending, outcome.exit_code), (Ending::Failed, 1));
    assert!(outcome.error_text().contains("/nonexistent/folder"), "{}", outcome.error_text());
}

#[tokio::test]
async fn the_time_limit_stops_the_run() {
    let (recorder, _heard) = recorder(Redactor::default());
    let (_stopper, watch) = stop_pair();
    let job = ShellJob { timeout: Duration::from_millis(200), ..job("echo before; sleep 60") };
    let outcome = shell::run(&job, watch, recorder).await;
    assert_eq!((outcome.ending, outcome.exit_code, outcome.signal), (Ending::TimedOut, 143, Some(15)));
    let result = outcome.result_json();
    assert_eq!((&result["timed_out"], &result["stdout"]), (&json!(true), &json!("before\n")));
    assert_eq!(outcome.error_text(), "timed out after 0.2 s");
}

#[tokio::test]
async fn stopping_reaches_grandchildren_and_the_second_press_skips_the_grace() {
    let (recorder, mut heard) = recorder(Redactor::default());
    let (stopper, watch) = stop_pair();
    let script = "trap 'echo asked' TERM; sh -c 'trap \"\" TERM; echo $$ grandchild; for i in 1 2 3; do sleep 20; done' & \
                  wait; echo waiting; for i in 1 2 3; do sleep 20; done";
    let run = tokio::spawn(async move { shell::run(&job(script), watch, recorder).await });
    heard.wait_for("grandchild").await;
    assert_eq!(stopper.press(), Stop::Polite);
    heard.wait_for("asked").await;
    let child = heard.child.lock().unwrap().clone().unwrap();
    assert!(child.is_alive(), "it ignores TERM and the grace is long");
    let pressed = Instant::now();
    assert_eq!(stopper.press(), Stop::Now);
    let outcome = run.await.unwrap();
    assert!(pressed.elapsed() < Duration::from_secs(20), "the grace of 30 s was skipped");
    assert_eq!((outcome.ending, outcome.signal), (Ending::Stopped, Some(9)));
    assert!(!child.is_alive());
    let grandchild = outcome.stdout.last(999).split_whitespace().next().unwrap().to_owned();
    assert!(!is_alive(&grandchild), "{grandchild}");
}

#[tokio::test]
async fn a_grandchild_that_keeps_the_pipe_is_stopped_and_the_exit_code_stands() {
    let started = Instant::now();
    let (outcome, lines) = sh("sleep 60 & echo $!; exit 4").await;
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!((outcome.ending, outcome.exit_code), (Ending::Failed, 4));
    assert!(!is_alive(outcome.stdout.last(99)));
    assert!(lines.iter().any(|(channel, text)| *channel == Channel::Note && text.contains("left processes")));
}

#[tokio::test]
async fn a_grandchild_with_its_own_output_in_another_group_is_stopped_too() {
    let (outcome, _) = sh("timeout 60 sleep 60 >/dev/null 2>&1 & echo $!; exit 0").await;
    assert!(outcome.succeeded());
    assert!(!is_alive(outcome.stdout.last(99)));
}

#[tokio::test]
async fn a_daemon_that_left_on_purpose_is_not_waited_for() {
    let started = Instant::now();
    let (outcome, lines) = sh("setsid sleep 25 & sleep 0.1; echo done").await;
    assert!(started.elapsed() < Duration::from_secs(20));
    assert_eq!((outcome.ending, outcome.stdout.last(99)), (Ending::Succeeded, "done\n"));
    assert!(lines.iter().any(|(_, text)| text.contains("outside of the run's group")), "{lines:?}");
}

#[tokio::test]
async fn dropping_a_run_kills_its_group() {
    let (recorder, mut heard) = recorder(Redactor::default());
    let (_stopper, watch) = stop_pair();
    let run = tokio::spawn(async move { shell::run(&job("echo ready; sleep 60"), watch, recorder).await });
    heard.wait_for("ready").await;
    let child = heard.child.lock().unwrap().clone().unwrap();
    run.abort();
    assert!(run.await.unwrap_err().is_cancelled());
    let gone = async {
        while child.is_alive() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), gone).await.unwrap();
}

#[tokio::test]
async fn a_flood_without_line_end_is_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let transcript = folder.path().join("transcript.jsonl");
    let writer = TranscriptWriter::new(transcript.clone(), "r");
    let (recorder, _heard) = recorder_with(Redactor::default(), Some(writer));
    let (_stopper, watch) = stop_pair();
    let before = resident_kib();
    let outcome =
        shell::run(&job("head -c 67108864 /dev/zero | tr '\\0' x; echo; echo end"), watch, recorder).await;
    let grown = resident_kib().saturating_sub(before);
    assert!(outcome.succeeded());
    assert!(outcome.stdout.last(4000).ends_with("end\n"));
    let (lines, total) = TranscriptReader::new(&transcript).try_read(0, 10).unwrap().unwrap();
    assert_eq!(total, 3);
    assert_eq!(lines[1].text.as_ref(), "[67092480 more bytes of the line above were not kept]");
    assert!(std::fs::metadata(&transcript).unwrap().len() < 64 * 1024);
    assert!(grown < 24 * 1024, "grew by {grown} KiB");
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[tokio::test]
async fn secrets_are_taken_out_of_lines_and_results() {
    let (recorder, mut heard) = recorder(Redactor::with_values(["hunter2-very-secret".to_owned()]));
    let (_stopper, watch) = stop_pair();
    let outcome = shell::run(&job("echo key hunter2-very-secret; exit 1"), watch, recorder).await;
    let everything = format!("{:?} {}", heard.rest(), outcome.result_json());
    assert!(!everything.contains("hunter2"), "{everything}");
    assert!(everything.contains("key [redacted]"), "{everything}");
}

fn request(url: String) -> ApiRequest {
    ApiRequest {
        method: "GET".to_owned(),
        url,
        headers: Vec::new(),
        body: None,
        timeout: Duration::from_secs(20),
    }
}

async fn call(request: &ApiRequest) -> Outcome {
    let (recorder, _heard) = recorder(Redactor::default());
    let (_stopper, watch) = stop_pair();
    api::run(request, &koru_tui::base::http::client().unwrap(), watch, recorder).await
}

#[tokio::test]
async fn a_good_answer_completes_with_its_body() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/x"))
        .and(header("content-type", "application/json"))
        .and(header("x-a", "1"))
        .and(body_json(json!({"a": 1})))
        .respond_with(ResponseTemplate::new(201).set_body_string("made"))
        .expect(1)
        .mount(&server)
        .await;
    let request = ApiRequest {
        method: "POST".to_owned(),
        headers: vec![("X-A".to_owned(), "1".to_owned())],
        body: Some(json!({"a": 1})),
        ..request(format!("{}/x", server.uri()))
    };
    let outcome = call(&request).await;
    let want = json!({"exit_code": 0, "stdout": "made", "stderr": "", "status_code": 201});
    assert_eq!((outcome.ending, outcome.result_json()), (Ending::Succeeded, want));
}

#[tokio::test]
async fn an_error_answer_fails_and_keeps_its_body() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(500).set_body_string("broken");
    Mock::given(method("GET")).respond_with(answer).mount(&server).await;
    let outcome = call(&request(server.uri())).await;
    let want = json!({"exit_code": 1, "stdout": "broken", "stderr": "HTTP 500", "status_code": 500});
    assert_eq!((outcome.ending, outcome.result_json()), (Ending::Failed, want));
    assert_eq!(outcome.error_text(), "HTTP 500");
}

#[tokio::test]
async fn transport_errors_have_status_zero_a_reason_and_no_url() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let outcome = call(&request(format!("http://user:pa55word@127.0.0.1:{port}/"))).await;
    assert_eq!((outcome.ending, outcome.status_code), (Ending::Failed, Some(0)));
    assert!(outcome.error_text().to_lowercase().contains("refused"), "{}", outcome.error_text());
    assert!(!outcome.error_text().contains("pa55word"));

    let outcome = call(&request("not a url".to_owned())).await;
    assert_eq!((outcome.ending, outcome.status_code), (Ending::Failed, Some(0)));
    assert!(outcome.error_text().contains("not a usable URL"), "{}", outcome.error_text());
}

#[tokio::test]
async fn a_slow_answer_times_out_and_can_be_stopped() {
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(60));
    Mock::given(method("GET")).respond_with(slow).mount(&server).await;
    let short = ApiRequest { timeout: Duration::from_millis(200), ..request(server.uri()) };
    let outcome = call(&short).await;
    assert_eq!((outcome.ending, outcome.status_code), (Ending::TimedOut, Some(0)));
    assert_eq!(outcome.error_text(), "timed out after 0.2 s");

    let (recorder, _heard) = recorder(Redactor::default());
    let (stopper, watch) = stop_pair();
    let long = request(server.uri());
    let client = koru_tui::base::http::client().unwrap();
    let run = tokio::spawn(async move { api::run(&long, &client, watch, recorder).await });
    stopper.press();
    assert_eq!(run.await.unwrap().ending, Ending::Stopped);
}

#[tokio::test]
async fn a_long_answer_is_cut() {
    let server = MockServer::start().await;
    let body = "x".repeat(99).repeat(30_000);
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_string(body))
        .mount(&server)
        .await;
    let outcome = call(&request(server.uri())).await;
    assert!(outcome.succeeded());
    assert!(outcome.stdout.bytes() <= api::BODY_LIMIT);
}
