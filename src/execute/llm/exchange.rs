//! One question over HTTP: tries, waits between them, and the whole answer within bounds.

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Client, Response};
use tokio::time::{Instant, sleep_until, timeout_at};

use super::endpoint::Endpoint;
use super::retry;
use crate::base::clock::Clock;
use crate::base::http::reason;
use crate::execute::recorder::Recorder;

/// Bytes of an answer that are read; a longer one is a failure.
pub(super) const BODY_LIMIT: usize = 8 * 1024 * 1024;
/// Characters of a body that stand in an error (koru §7).
const ERROR_CHARS: usize = 500;

/// Who asks, for OpenRouter's statistics (koru §7).
#[derive(Clone, Debug, Default)]
pub(super) struct Sender {
    pub(super) title: Option<String>,
    pub(super) referer: Option<String>,
}

/// How asking ended.
#[derive(Debug, PartialEq)]
pub(super) enum Reply {
    /// Status 2xx, with the body.
    Good { status: u16, body: Vec<u8> },
    /// Another status, as the ticket's error text has it.
    Refused { status: u16, error: String },
    /// No answer at all.
    NoAnswer { why: String },
    /// The time limit came first.
    TimedOut,
}

/// One try.
struct Try {
    reply: Reply,
    /// Whether another may go better, and when the server wants it.
    again: Option<Option<std::time::Duration>>,
}

/// A question that is asked until it is answered, refused for good or out of time.
pub(super) struct Exchange<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) sender: &'a Sender,
    pub(super) client: &'a Client,
    pub(super) body: String,
    pub(super) deadline: Instant,
    pub(super) clock: &'a Clock,
}

impl Exchange<'_> {
    /// The reply, and how many tries it took.
    pub(super) async fn ask(&self, recorder: &mut Recorder) -> (Reply, u32) {
        let headers = match self.headers() {
            Ok(headers) => headers,
            Err(why) => return (Reply::NoAnswer { why }, 0),
        };
        let mut tries = 0;
        loop {
            tries += 1;
            let Ok(one) = timeout_at(self.deadline, self.once(&headers, recorder)).await else {
                return (Reply::TimedOut, tries);
            };
            let Some(asked) = one.again else { return (one.reply, tries) };
            let wait = retry::wait(tries, asked);
            let what = match &one.reply {
                Reply::Refused { status, .. } => format!("HTTP {status}"),
                Reply::NoAnswer { why } => why.clone(),
                Reply::Good { .. } | Reply::TimedOut => String::new(),
            };
            let seconds = wait.as_secs_f64();
            if tries >= retry::TRIES {
                recorder.note(&format!("[{what}; given up after {tries} tries]"));
                return (one.reply, tries);
            }
            let until = Instant::now().checked_add(wait).filter(|until| *until < self.deadline);
            let Some(until) = until else {
                let note = "another try would come after the time limit (inputs.llm_timeout_seconds)";
                recorder.note(&format!("[{what}; the next try is due in {seconds:.1} s, but {note}]"));
                return (one.reply, tries);
            };
            recorder.note(&format!(
                "[{what}; trying again in {seconds:.1} s (try {} of {})]",
                tries + 1,
                retry::TRIES
            ));
            sleep_until(until).await;
        }
    }

    async fn once(&self, headers: &HeaderMap, recorder: &mut Recorder) -> Try {
        let request =
            self.client.post(self.endpoint.url.clone()).headers(headers.clone()).body(self.body.clone());
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) => {
                // What was not even connected was not read either: it may be sent again.
                let again = error.is_connect().then_some(None);
                return Try { reply: Reply::NoAnswer { why: reason(error) }, again };
            }
        };
        let status = response.status().as_u16();
        let asked = retry::asked(response.headers(), self.clock.now());
        let target =
            response.headers().get(LOCATION).and_then(|target| target.to_str().ok()).map(str::to_owned);
        let body = match read(&mut response).await {
            Ok(body) => body,
            Err(why) => {
                let why = format!("HTTP {status}, but {why}");
                return Try { reply: Reply::NoAnswer { why }, again: None };
            }
        };
        if (200..300).contains(&status) {
            return Try { reply: Reply::Good { status, body }, again: None };
        }
        let mut error = match target.filter(|_| (300..400).contains(&status)) {
            // A key is not carried on to wherever a server points.
            Some(target) => format!("HTTP {status}: it points to {target}, which is not followed"),
            None => format!("HTTP {status}: {}", String::from_utf8_lossy(&body)),
        };
        // Cleaned before it is cut, so that no half of a secret is left.
        error = recorder.clean(error.trim_end_matches([':', ' '])).chars().take(ERROR_CHARS + 10).collect();
        Try { reply: Reply::Refused { status, error }, again: retry::is_worth_it(status).then_some(asked) }
    }

    fn headers(&self) -> Result<HeaderMap, String> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(key) = &self.endpoint.key {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.value()))
                .map_err(|_| format!("{} has characters that a header cannot have", key.variable))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        if self.endpoint.openrouter {
            let told = [("x-title", &self.sender.title), ("http-referer", &self.sender.referer)];
            for (name, text) in told {
                let value = text.as_deref().and_then(|text| HeaderValue::from_str(text).ok());
                headers.extend(value.map(|value| (HeaderName::from_static(name), value)));
            }
        }
        Ok(headers)
    }
}

async fn read(response: &mut Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() > BODY_LIMIT => {
                return Err(format!("the answer is longer than {BODY_LIMIT} bytes"));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Ok(None) => return Ok(body),
            Err(error) => return Err(format!("reading the answer failed: {}", reason(error))),
        }
    }
}
