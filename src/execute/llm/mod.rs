//! The chat executor: one question to a language model behind an OpenAI-shaped endpoint, its answer as output
//! (koru §7).
//!
//! [`request`] is what the ticket asks, [`endpoint`] decides where it goes and with which key, `exchange` asks it with
//! the tries of `retry`, `answer` reads the reply, `schema` holds it to the ticket's schema, [`cache`] keeps it where
//! the operator wants that. Invariant: a key is in one request header and nowhere else, neither in the transcript nor in
//! a result, a log or a dry run.
//!
//! What this cannot know is whether an answer *does* what was asked: "I cannot do that" is a text like any other, and
//! completes the ticket. Only what the ticket promises is held against it: `inputs.response_schema` here, and
//! `inputs.expect_files_changed` by the runtime.

mod answer;
pub mod cache;
pub mod endpoint;
mod exchange;
pub mod request;
mod retry;
mod schema;

use std::path::Path;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use self::answer::Answer;
use self::cache::Cache;
use self::endpoint::Endpoint;
use self::exchange::{Exchange, Reply, Sender};
use self::request::LlmRequest;
use super::environment::Environment;
use super::outcome::{Ending, Outcome, STOPPED};
use super::output::Channel;
use super::recorder::Recorder;
use super::stop::StopWatch;
use crate::base::clock::Clock;
use crate::base::paths::ProjectPaths;
use crate::plan::settings::LlmSettings;

/// What is known of the world when a question is asked.
#[derive(Clone, Debug)]
pub struct Ground<'a> {
    /// Variables of this process: endpoint and keys.
    pub environment: &'a Environment,
    /// The operator's settings.
    pub settings: &'a LlmSettings,
    /// What time it is.
    pub clock: Clock,
}

impl Ground<'_> {
    /// Where a question goes.
    ///
    /// # Errors
    /// See [`endpoint::EndpointError`].
    pub fn endpoint(&self, request: &LlmRequest) -> Result<Endpoint, endpoint::EndpointError> {
        let variable = |name: &str| Some(self.environment.get(name)?.to_str()?.to_owned());
        Endpoint::find(request.endpoint.as_deref(), &self.settings.keys, &variable)
    }

    /// The cache of the project at `root`, if the operator wants one.
    pub fn cache(&self, root: &Path) -> Option<Cache> {
        let hours = self.settings.cache_hours.unwrap_or(cache::HOURS);
        let keep = Duration::try_from_secs_f64(hours * 3600.0).unwrap_or(Duration::MAX);
        let folder = ProjectPaths::new(root).llm_cache();
        self.settings.cache.then(|| Cache { folder, keep, clock: self.clock.clone() })
    }

    /// The request as JSON, for a dry run (koru §4.1 step 5): without its key, but with the name of its variable.
    pub fn preview(&self, request: &LlmRequest) -> Value {
        let mut shown = Map::new();
        shown.insert("method".to_owned(), json!("POST"));
        match self.endpoint(request) {
            Ok(endpoint) => {
                shown.insert("url".to_owned(), json!(endpoint.shown()));
                let authorization = endpoint.key.map(|key| format!("Bearer ${}", key.variable));
                shown.insert(
                    "headers".to_owned(),
                    json!({
                        "content-type": "application/json", "authorization": authorization,
                    }),
                );
            }
            Err(error) => drop(shown.insert("refused".to_owned(), json!(error.to_string()))),
        }
        shown.insert("model".to_owned(), json!(request.model));
        shown.insert("prompt".to_owned(), json!(request.prompt));
        shown.insert("body".to_owned(), request.body());
        shown.insert("timeout_seconds".to_owned(), json!(request.timeout.as_secs_f64()));
        Value::Object(shown)
    }

    fn sender(&self) -> Sender {
        let variable = |name: &str| {
            let text = self.environment.get(name)?.to_str()?.trim().to_owned();
            (!text.is_empty()).then_some(text)
        };
        Sender {
            title: Some(variable("KORU_LLM_X_TITLE").unwrap_or_else(|| "koru".to_owned())),
            referer: variable("KORU_LLM_HTTP_REFERER"),
        }
    }
}

/// How a question ended, before it became an outcome.
#[derive(Debug)]
struct End {
    ending: Ending,
    status: Option<u16>,
    /// Put on standard error.
    error: Option<String>,
    /// In our words, where the streams do not say it.
    reason: Option<String>,
    facts: Map<String, Value>,
}

impl End {
    fn failed(status: u16, error: String) -> End {
        End { status: Some(status), error: Some(error), ..End::of(Ending::Failed) }
    }

    fn of(ending: Ending) -> End {
        End { ending, status: None, error: None, reason: None, facts: Map::new() }
    }
}

/// Asks, and waits for the whole answer. `client` must follow no redirects: a key is not carried on.
pub async fn run(
    request: &LlmRequest,
    ground: &Ground<'_>,
    cache: Option<&Cache>,
    client: impl FnOnce() -> Result<Client, String>,
    mut stop: StopWatch,
    mut recorder: Recorder,
) -> Outcome {
    if let Some(stopped) = Outcome::of_stopped(&stop) {
        return stopped;
    }
    recorder.started(None);
    let end = tokio::select! {
        end = ask(request, ground, cache, client, &mut recorder) => end,
        _ = stop.changed() => {
            End { reason: Some(STOPPED.to_owned()), ..End::of(Ending::Stopped) }
        }
    };
    outcome(end, recorder)
}

async fn ask(
    request: &LlmRequest,
    ground: &Ground<'_>,
    cache: Option<&Cache>,
    client: impl FnOnce() -> Result<Client, String>,
    recorder: &mut Recorder,
) -> End {
    let deadline = Instant::now() + request.timeout;
    let validator = match request.schema.as_ref().map(schema::compile).transpose() {
        Ok(validator) => validator,
        Err(why) => return End::failed(0, why),
    };
    let endpoint = match ground.endpoint(request) {
        Ok(endpoint) => endpoint,
        Err(error) => return End::failed(0, error.to_string()),
    };
    let body = request.body();
    let name = cache::name(endpoint.url.as_str(), &body);
    if let Some(end) = from_cache(cache, &name, recorder).await {
        return end;
    }
    let client = match client() {
        Ok(client) => client,
        Err(error) => return End::failed(0, error),
    };
    recorder.note(&format!("[asking {} at {}]", request.model, endpoint.shown()));
    let (sender, body) = (ground.sender(), body.to_string());
    let exchange = Exchange {
        endpoint: &endpoint,
        sender: &sender,
        client: &client,
        body,
        deadline,
        clock: &ground.clock,
    };
    let (reply, tries) = exchange.ask(recorder).await;
    let mut end = match reply {
        Reply::Good { status, body } => {
            let kept = cache.map(|cache| (cache, name));
            good(request, status, &body, validator, kept, recorder).await
        }
        Reply::Refused { status, error } => End::failed(status, error),
        Reply::NoAnswer { why } => End::failed(0, why),
        Reply::TimedOut => {
            let reason = format!("timed out after {} s", request.timeout.as_secs_f64());
            End { status: Some(0), reason: Some(reason), ..End::of(Ending::TimedOut) }
        }
    };
    if tries > 1 {
        end.facts.insert("llm_tries".to_owned(), json!(tries));
    }
    end
}

/// A body that came with status 2xx: held to the schema, and kept where it fits.
async fn good(
    request: &LlmRequest,
    status: u16,
    body: &[u8],
    validator: Option<jsonschema::Validator>,
    cache: Option<(&Cache, String)>,
    recorder: &mut Recorder,
) -> End {
    let answer = Answer::read(body);
    let fits = match (&answer.text, validator) {
        (Ok(text), Some(validator)) => {
            let text = text.clone();
            // A pattern of the schema may take its time.
            let checked = tokio::task::spawn_blocking(move || schema::check(&validator, &text)).await;
            checked.unwrap_or_else(|error| Err(error.to_string()))
        }
        (Ok(_), None) => Ok(()),
        (Err(why), _) => Err(why.clone()),
    };
    let end = answered(request, status, &answer, fits, recorder);
    if let (Ending::Succeeded, Some((cache, name)), Ok(text)) = (end.ending, cache, &answer.text) {
        keep(cache, name, &answer, request, recorder.clean(text)).await;
    }
    end
}

/// What becomes of a body that came with status 2xx, once it is known whether it fits.
fn answered(
    request: &LlmRequest,
    status: u16,
    answer: &Answer,
    fits: Result<(), String>,
    recorder: &mut Recorder,
) -> End {
    let mut end = End { status: Some(status), ..End::of(Ending::Succeeded) };
    let model = recorder.clean(answer.model.as_deref().unwrap_or(&request.model));
    let tally = answer.tally(&request.model);
    let mut used = vec![format!("{} tokens sent, {} received", tally.tokens.input, tally.tokens.output)];
    used.retain(|_| answer.usage.is_some());
    used.extend(answer.usd.map(|usd| format!("${usd:.6}")));
    if !used.is_empty() {
        recorder.note(&format!("[{model}: {}]", used.join(", ")));
    }
    recorder.tally(&tally);
    if let Ok(text) = &answer.text {
        if answer.finish.as_deref() == Some("length") {
            recorder.note("[the answer was cut off at its limit of tokens (inputs.llm_max_tokens)]");
        }
        // Last, since its end need not be the end of a line.
        recorder.bytes(Channel::Out, text.as_bytes());
    }
    if let Err(why) = fits {
        end = End { error: Some(why), ending: Ending::Failed, ..end };
    }
    end.facts.insert("llm_model".to_owned(), json!(model));
    if let Some(usage) = &answer.usage {
        // Counts are foreign too, and may be anything.
        let clean = serde_json::from_str(&recorder.clean(&Value::Object(usage.clone()).to_string()));
        end.facts.extend(clean.ok().map(|usage: Value| ("llm_usage".to_owned(), usage)));
    }
    end.facts.extend(answer.usd.map(|usd| ("llm_cost_usd".to_owned(), json!(usd))));
    end
}

async fn from_cache(cache: Option<&Cache>, name: &str, recorder: &mut Recorder) -> Option<End> {
    let (cache, name) = (cache?.clone(), name.to_owned());
    let kept = tokio::task::spawn_blocking(move || cache.get(&name)).await.ok()??;
    recorder.note(&format!("[answered from the cache; {} said so at {}]", kept.model, kept.at));
    recorder.bytes(Channel::Out, kept.text.as_bytes());
    let mut end = End::of(Ending::Succeeded);
    end.facts.insert("llm_model".to_owned(), json!(recorder.clean(&kept.model)));
    end.facts.insert("llm_usage".to_owned(), answer::nothing_used());
    end.facts.insert("llm_cached".to_owned(), json!(true));
    Some(end)
}

async fn keep(cache: &Cache, name: String, answer: &Answer, request: &LlmRequest, text: String) {
    let (cache, model) = (cache.clone(), answer.model.clone().unwrap_or_else(|| request.model.clone()));
    // That it is kept is a courtesy to the next run; this one is over.
    let _ = tokio::task::spawn_blocking(move || cache.put(&name, model, text)).await;
}

fn outcome(end: End, mut recorder: Recorder) -> Outcome {
    if let Some(error) = &end.error {
        recorder.bytes(Channel::Err, error.as_bytes());
    }
    let recorded = Outcome::recorded(recorder, end.ending);
    Outcome { status_code: end.status, reason: end.reason, facts: end.facts, ..recorded }
}
