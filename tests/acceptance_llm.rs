#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! koru's acceptance cases A35 and A36 (`koru.md` §8) and what is ours beyond them: questions to a language model,
//! through the real binary and a real server on this machine.

#[path = "support/cli.rs"]
mod cli;
mod support;

use cli::{Place, Ran};
use serde_json::{Value, json};
use support::project::{Project, Ticket};
use wiremock::matchers::{body_json, header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

const KEY: &str = "sk-or-hunter22-hunter22";

fn chat(id: &str) -> Ticket {
    Ticket::new(id, "Ask", "llm").input("prompt: Why is the oven cold?")
}

/// Runs the binary with these variables of its own, off the test's runtime, which serves the answers meanwhile.
async fn run(
    place: Project,
    vars: &[(&'static str, String)],
    args: &'static [&'static str],
) -> (Project, Ran) {
    let vars = vars.to_vec();
    tokio::task::spawn_blocking(move || {
        let mut command = place.command(args);
        for name in ["OPENROUTER_API_KEY", "OPENAI_API_KEY", "KORU_LLM_ENDPOINT", "KORU_LLM_API_KEY"] {
            command.env_remove(name);
        }
        let output = command.envs(vars).output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let ran =
            Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) };
        (place, ran)
    })
    .await
    .unwrap()
}

/// Everything below the project's folder as one text.
fn all_files(place: &Project) -> String {
    let mut text = String::new();
    let mut folders = vec![place.root().join(".planfile")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                text.push_str(&String::from_utf8_lossy(&std::fs::read(path).unwrap()));
            }
        }
    }
    text
}

fn answer(content: &str) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({
        "model": "some/model-2", "choices": [{"message": {"content": content}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7, "cost": 0.25},
    }))
}

fn own(server: &MockServer) -> Vec<(&'static str, String)> {
    vec![("KORU_LLM_ENDPOINT", format!("{}/v1", server.uri())), ("KORU_LLM_API_KEY", KEY.to_owned())]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a35_without_a_key_nothing_is_called_and_the_variable_is_named() {
    // A proxy that would see any attempt to reach the usual endpoint.
    let proxy = MockServer::start().await;
    let vars = [("HTTPS_PROXY", proxy.uri()), ("ALL_PROXY", proxy.uri()), ("OPENAI_API_KEY", KEY.to_owned())];
    let (place, ran) = run(Project::with(&[chat("PLF-001")]), &vars, &["queue", "run"]).await;
    let ran = ran.expect(1);
    assert!(ran.out.contains("status=failed ticket=PLF-001 executor=llm"), "{}", ran.out);
    let result = place.on_disk("PLF-001")["outputs"]["result"].clone();
    let said = "OPENROUTER_API_KEY is not set; refusing to call https://openrouter.ai/api/v1/chat/completions without \
                a key";
    assert_eq!((&result["status_code"], &result["stderr"]), (&json!(0), &json!(said)));
    assert_eq!(proxy.received_requests().await.unwrap().len(), 0);
    assert!(!all_files(&place).contains(KEY) && !ran.all().contains(KEY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a36_a_refused_key_fails_with_the_status_and_is_nowhere_to_be_read() {
    let server = MockServer::start().await;
    let refusal = ResponseTemplate::new(401).set_body_string(format!("no such key: {KEY}"));
    let mock = Mock::given(method("POST")).and(path("/v1/chat/completions"));
    let bearer = format!("Bearer {KEY}");
    server.register(mock.and(header("authorization", &*bearer)).respond_with(refusal).expect(1)).await;
    let (place, ran) = run(Project::with(&[chat("PLF-001")]), &own(&server), &["queue", "run"]).await;
    let ran = ran.expect(1);
    assert!(ran.out.contains("status=failed") && ran.out.contains("HTTP 401"), "{}", ran.out);
    let record = place.on_disk("PLF-001");
    assert_eq!(record["outputs"]["result"]["status_code"], 401);
    assert_eq!(record["outputs"]["result"]["stderr"], "HTTP 401: no such key: [redacted]");
    assert!(!all_files(&place).contains(KEY) && !ran.all().contains(KEY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a36_a_dry_run_prints_the_request_and_calls_nobody() {
    let server = MockServer::start().await;
    let (place, ran) = run(
        Project::with(&[chat("PLF-001")]),
        &own(&server),
        &["queue", "run", "--dry-run", "--format", "json"],
    )
    .await;
    let report = ran.expect(0).json();
    let request: Value = serde_json::from_str(report["ticks"][0]["message"].as_str().unwrap()).unwrap();
    assert_eq!(request["model"], "openai/gpt-4o-mini");
    assert_eq!(request["prompt"], "Why is the oven cold?");
    assert_eq!(request["url"], format!("{}/v1/chat/completions", server.uri()));
    assert_eq!(request["headers"]["authorization"], "Bearer $KORU_LLM_API_KEY");
    assert!(!report.to_string().contains(KEY));
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
    assert_eq!(place.on_disk("PLF-001")["status"], "open");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_completes_the_ticket_with_its_usage_and_cost() {
    let server = MockServer::start().await;
    let want = json!({
        "model": "some/model",
        "messages": [{"role": "system", "content": "Be short"}, {"role": "user", "content": "Why is the oven cold?"}],
        "temperature": 0.0, "max_tokens": 9,
    });
    // No key is there, and a server on this machine needs none.
    let good = Mock::given(body_json(&want)).respond_with(answer("It is off.")).expect(1);
    server.register(good).await;
    let ticket = chat("PLF-001")
        .input(&format!("llm_endpoint: {}", server.uri()))
        .input("llm_model: some/model")
        .input("system_prompt: Be short")
        .input("llm_temperature: null")
        .input("llm_max_tokens: 9");
    let (place, ran) = run(Project::with(&[ticket]), &[], &["queue", "run"]).await;
    let ran = ran.expect(0);
    assert!(ran.out.contains("status=completed ticket=PLF-001 executor=llm"), "{}", ran.out);
    let record = place.on_disk("PLF-001");
    assert_eq!(
        record["outputs"]["result"],
        json!({
            "exit_code": 0, "stdout": "It is off.", "stderr": "", "status_code": 200,
            "llm_model": "some/model-2", "llm_cost_usd": 0.25,
            "llm_usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
        })
    );
    assert_eq!(record["outputs"]["notes"], json!(["Executed by koru-shell: llm some/model"]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kept_answer_is_given_again_without_a_call_and_without_the_key() {
    let server = MockServer::start().await;
    let said = format!("Your key is {KEY}.");
    server.register(Mock::given(method("POST")).respond_with(answer(&said)).expect(1)).await;
    let place = Project::with(&[chat("PLF-001"), chat("PLF-002")]);
    place.put(".planfile/.koru/config.yaml", "llm: {cache: true}\n");
    let (place, ran) = run(place, &own(&server), &["queue", "run", "--loop", "--jobs", "1"]).await;
    ran.expect(0);
    let result = |id: &str| place.on_disk(id)["outputs"]["result"].clone();
    assert_eq!(result("PLF-001")["stdout"], "Your key is [redacted].");
    assert_eq!(
        result("PLF-002"),
        json!({
            "exit_code": 0, "stdout": "Your key is [redacted].", "stderr": "", "llm_model": "some/model-2",
            "llm_usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, "llm_cached": true,
        })
    );
    assert_eq!(std::fs::read_dir(place.root().join(".planfile/.koru/llm-cache")).unwrap().count(), 1);
    assert!(!all_files(&place).contains(KEY));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_held_to_what_the_ticket_promises() {
    let server = MockServer::start().await;
    server.register(Mock::given(method("POST")).respond_with(answer("I cannot do that."))).await;
    let tickets = [
        chat("PLF-001").input("response_schema: {type: object, required: [why]}"),
        chat("PLF-002").input("expect_files_changed: true"),
    ];
    let args: &[&str] = &["queue", "run", "--loop", "--jobs", "1"];
    let (place, ran) = run(Project::with(&tickets), &own(&server), args).await;
    ran.expect(1);
    let error = |id: &str| place.on_disk(id)["execution"]["last_error"].as_str().unwrap().to_owned();
    assert!(error("PLF-001").starts_with("the answer is not JSON as inputs.response_schema asks"));
    assert!(error("PLF-002").starts_with("the ticket expects changed files"), "{}", error("PLF-002"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_that_is_used_up_refuses_the_next_question() {
    for (budgets, sentence) in [
        ("day_tokens: 7", "today's budget of 7 tokens is used up (7 used)"),
        ("day_usd: 0.25", "today's budget of $0.25 is used up ($0.25 used)"),
    ] {
        let server = MockServer::start().await;
        // Only the first question is asked.
        server.register(Mock::given(method("POST")).respond_with(answer("It is off.")).expect(1)).await;
        let place = Project::with(&[chat("PLF-001"), chat("PLF-002")]);
        place.put(".planfile/.koru/config.yaml", &format!("budgets:\n  {budgets}\n"));
        let (place, ran) = run(place, &own(&server), &["ticket", "run", "PLF-001"]).await;
        ran.expect(0);
        let (place, ran) = run(place, &own(&server), &["ticket", "run", "PLF-002"]).await;
        let ran = ran.expect(0);
        assert!(ran.all().contains(sentence), "{}", ran.all());
        let record = place.on_disk("PLF-002");
        assert_eq!(
            (&record["status"], &record["execution"]["state"]),
            (&json!("open"), &json!("waiting_input"))
        );
        assert_eq!(record["execution"]["attempt"].as_i64().unwrap_or(0), 0);
    }
}
