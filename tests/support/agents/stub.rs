//! The scripted model server: one thread, 127.0.0.1 and a port of its own, gone with its value. It owns the script's
//! position and the record of every request.
//!
//! Each main request takes the next turn, a retry too; what is asked beside the work (titles, probes) gets a canned
//! answer and takes none. After the last turn the model says `(script over)`.

use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::Instant;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::{Semaphore, watch};

use super::http::{Connection, Request};
use super::play;
use super::scenario::{Answer, Turn, say};
use crate::support::pty::patience;

/// The server.
pub struct Stub {
    port: u16,
    shared: Arc<Shared>,
    /// Taken when the value goes.
    runtime: Option<Runtime>,
}

/// One request as it came.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Without its query.
    pub path: String,
    /// The turn that answered it; `None` for a side request, for one after the end of the script, and for what asks
    /// nothing of the model.
    pub turn: Option<usize>,
    /// Whether it asked for something beside the work.
    pub is_side: bool,
    /// `null` when there was none.
    pub body: Value,
}

impl Asked {
    /// Whether a string anywhere in the body holds `text`.
    pub fn holds(&self, text: &str) -> bool {
        fn any(value: &Value, text: &str) -> bool {
            match value {
                Value::String(string) => string.contains(text),
                Value::Array(items) => items.iter().any(|item| any(item, text)),
                Value::Object(fields) => fields.values().any(|field| any(field, text)),
                _ => false,
            }
        }
        any(&self.body, text)
    }
}

/// What a test can wait for.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Requests so far.
    pub asked: Vec<Asked>,
    /// Requests that are kept waiting now.
    pub silent: usize,
    /// Deltas sent so far.
    pub deltas: usize,
}

impl Seen {
    /// The requests that the script answered.
    pub fn main(&self) -> Vec<&Asked> {
        self.asked.iter().filter(|asked| asked.turn.is_some()).collect()
    }
}

struct State {
    turns: Vec<Turn>,
    /// The turn that is next, and how often it was taken.
    at: usize,
    used: usize,
    seen: Seen,
}

/// What the connections share.
pub struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    steps: Semaphore,
    is_released: watch::Sender<bool>,
}

impl Stub {
    /// Starts a server that plays `turns`.
    pub fn start(turns: Vec<Turn>) -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            state: Mutex::new(State { turns, at: 0, used: 0, seen: Seen::default() }),
            changed: Condvar::new(),
            steps: Semaphore::new(0),
            is_released: watch::Sender::new(false),
        });
        let ours = Arc::clone(&shared);
        runtime.spawn(async move {
            let listener = TcpListener::from_std(listener).unwrap();
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(converse(Connection::new(socket), Arc::clone(&ours)));
            }
        });
        Self { port, shared, runtime: Some(runtime) }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// What has happened so far.
    pub fn seen(&self) -> Seen {
        self.shared.lock().seen.clone()
    }

    /// How many turns of the script were used up.
    pub fn turns_used(&self) -> usize {
        self.shared.lock().at
    }

    /// Waits until `is_so` holds. Agents take seconds to start, so this waits six times as long as the screen's tests;
    /// then it panics.
    #[track_caller]
    pub fn wait(&self, what: &str, mut is_so: impl FnMut(&Seen) -> bool) -> Seen {
        let deadline = Instant::now() + patience() * 6;
        let mut state = self.shared.lock();
        while !is_so(&state.seen) {
            let left = deadline.saturating_duration_since(Instant::now());
            let paths: Vec<&str> = state.seen.asked.iter().map(|asked| asked.path.as_str()).collect();
            assert!(!left.is_zero(), "the model waited in vain for {what}; it was asked {paths:?}");
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
        state.seen.clone()
    }

    /// Waits until a request is kept waiting.
    #[track_caller]
    pub fn wait_silent(&self) {
        self.wait("a request that it keeps waiting", |seen| seen.silent > 0);
    }

    /// Lets so many deltas of stepped turns go.
    pub fn step(&self, deltas: usize) {
        self.shared.steps.add_permits(deltas);
    }

    /// Nobody is kept waiting from now on: what was silent goes on.
    pub fn release(&self) {
        self.shared.is_released.send_replace(true);
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // In a test that is itself asynchronous nobody may wait here.
            runtime.shutdown_background();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.lock().seen);
        self.changed.notify_all();
    }

    /// Keeps the agent waiting until the test releases it: `true`, or until it hangs up: `false`.
    pub async fn be_silent(&self, connection: &mut Connection) -> bool {
        let mut released = self.is_released.subscribe();
        self.change(|seen| seen.silent += 1);
        let goes_on = tokio::select! {
            _ = released.wait_for(|is_released| *is_released) => true,
            () = connection.hung_up() => false,
        };
        self.change(|seen| seen.silent -= 1);
        goes_on
    }

    /// Waits for the test's leave to send a delta.
    pub async fn step(&self) {
        self.steps.acquire().await.unwrap().forget();
    }

    /// Counts a delta that was sent.
    pub fn sent_delta(&self) {
        self.change(|seen| seen.deltas += 1);
    }

    /// Records a request and gives its number and its answer.
    fn take(&self, path: &str, body: &Value) -> (usize, Answer) {
        let mut state = self.lock();
        let asks_model = play::Protocol::of(path).is_some();
        let is_side = asks_model && play::is_side(body);
        let number = state.seen.asked.len();
        let mut turn = None;
        let mut answer = Answer::Reply(play::aside(body));
        if asks_model && !is_side {
            let at = state.at;
            match state.turns.get(at).cloned() {
                Some(Turn { answer: next, times }) => {
                    (turn, answer) = (Some(at), next);
                    state.used += 1;
                    if times.is_some_and(|times| state.used >= times) {
                        (state.at, state.used) = (at + 1, 0);
                    }
                }
                None => answer = say("(script over)").answer,
            }
        }
        state.seen.asked.push(Asked { path: path.to_owned(), turn, is_side, body: body.clone() });
        drop(state);
        self.changed.notify_all();
        (number, answer)
    }
}

async fn converse(mut connection: Connection, shared: Arc<Shared>) {
    // An agent that goes away in mid-answer is no error here: the test looks at the agent.
    while let Ok(Some(request)) = connection.request().await {
        match serve(connection, &request, &shared).await {
            Ok(Some(again)) => connection = again,
            _ => break,
        }
    }
}

async fn serve(
    mut connection: Connection,
    request: &Request,
    shared: &Shared,
) -> io::Result<Option<Connection>> {
    let path = request.path.split('?').next().unwrap_or_default().trim_end_matches('/');
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let (number, answer) = shared.take(path, &body);
    let estimate = (request.body.len() / 4).max(1);
    let plain = match request.method.as_str() {
        "GET" if path.contains("/models") => Some(models(path)),
        "HEAD" => Some(Value::Null),
        "POST" if path.ends_with("/count_tokens") => Some(json!({"input_tokens": estimate})),
        "POST" if path.ends_with(":countTokens") => Some(json!({"totalTokens": estimate})),
        _ => None,
    };
    match plain {
        Some(Value::Null) => connection.answer(200, "application/json", &[], "").await?,
        Some(value) => connection.answer(200, "application/json", &[], &value.to_string()).await?,
        None => return play::answer(connection, request, &body, number, answer, shared).await,
    }
    Ok(Some(connection))
}

/// A list of models, or one of them, in a shape that holds what each protocol asks for.
fn models(path: &str) -> Value {
    let id = path.split("/models/").nth(1).unwrap_or("stub-model");
    let one = json!({
        "id": id, "name": format!("models/{id}"), "object": "model", "type": "model", "created": 0,
        "owned_by": "stub", "display_name": "Stub", "inputTokenLimit": 1_000_000, "outputTokenLimit": 65_536,
        "supportedGenerationMethods": ["generateContent"],
    });
    if path.contains("/models/") {
        return one;
    }
    json!({"object": "list", "data": [one], "models": [one], "has_more": false})
}
