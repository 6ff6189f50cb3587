//! The api executor: one HTTP request, its answer streamed as output (koru §4.3).

use std::str::FromStr;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, Response};

use super::action::ApiRequest;
use super::outcome::{Ending, Outcome, STOPPED};
use super::output::Channel;
use super::recorder::Recorder;
use super::stop::StopWatch;
use crate::base::http::reason;

/// Bytes of an answer that are read; a longer one is cut, and says so.
pub const BODY_LIMIT: u64 = 1024 * 1024;

/// How an exchange ended before it became an outcome.
enum Exchange {
    Answered(u16),
    NoAnswer(String),
    TimedOut,
    Stopped,
}

/// Makes the request and reads its answer.
pub async fn run(
    request: &ApiRequest,
    client: &Client,
    mut stop: StopWatch,
    mut recorder: Recorder,
) -> Outcome {
    if let Some(stopped) = Outcome::of_stopped(&stop) {
        return stopped;
    }
    recorder.started(None);
    let exchange = tokio::select! {
        done = tokio::time::timeout(request.timeout, exchange(request, client, &mut recorder)) => {
            done.unwrap_or(Exchange::TimedOut)
        }
        _ = stop.changed() => Exchange::Stopped,
    };
    outcome(request, exchange, recorder)
}

async fn exchange(request: &ApiRequest, client: &Client, recorder: &mut Recorder) -> Exchange {
    let built = match build(request, client) {
        Ok(built) => built,
        Err(reason) => return Exchange::NoAnswer(reason),
    };
    let mut response = match client.execute(built).await {
        Ok(response) => response,
        Err(error) => return Exchange::NoAnswer(reason(error)),
    };
    let code = response.status().as_u16();
    match read_body(&mut response, recorder).await {
        Ok(()) => Exchange::Answered(code),
        Err(error) => {
            Exchange::NoAnswer(format!("HTTP {code}, but reading the answer failed: {}", reason(error)))
        }
    }
}

fn build(request: &ApiRequest, client: &Client) -> Result<reqwest::Request, String> {
    let method = Method::from_bytes(request.method.as_bytes())
        .map_err(|_| format!("{:?} is not an HTTP method", request.method))?;
    let mut headers = HeaderMap::new();
    for (name, value) in request.all_headers() {
        let name = HeaderName::from_str(&name).map_err(|_| format!("{name:?} is not a header name"))?;
        let value = HeaderValue::from_str(&value)
            .map_err(|_| format!("the value of header {name} has characters that a header cannot have"))?;
        headers.append(name, value);
    }
    let mut builder = client.request(method, &request.url).headers(headers);
    if let Some(body) = &request.body {
        builder = builder.body(body.to_string());
    }
    builder.build().map_err(|error| format!("the endpoint is not a usable URL: {}", reason(error)))
}

async fn read_body(response: &mut Response, recorder: &mut Recorder) -> Result<(), reqwest::Error> {
    let mut left = BODY_LIMIT;
    while let Some(chunk) = response.chunk().await? {
        let take = chunk.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        recorder.bytes(Channel::Out, &chunk[..take]);
        left -= take as u64;
        if take < chunk.len() {
            recorder.note(&format!("[the answer is longer than {BODY_LIMIT} bytes; the rest was not read]"));
            break;
        }
    }
    Ok(())
}

fn outcome(request: &ApiRequest, exchange: Exchange, mut recorder: Recorder) -> Outcome {
    let (ending, code, reason) = match exchange {
        Exchange::Answered(code) if (200..300).contains(&code) => (Ending::Succeeded, code, None),
        Exchange::Answered(code) => {
            recorder.bytes(Channel::Err, format!("HTTP {code}").as_bytes());
            (Ending::Failed, code, None)
        }
        Exchange::NoAnswer(reason) => (Ending::Failed, 0, Some(reason)),
        Exchange::TimedOut => {
            let seconds = request.timeout.as_secs_f64();
            (Ending::TimedOut, 0, Some(format!("timed out after {seconds} s")))
        }
        Exchange::Stopped => (Ending::Stopped, 0, Some(STOPPED.to_owned())),
    };
    let reason = reason.map(|reason| recorder.clean(&reason));
    if let (Some(reason), Ending::Failed) = (&reason, ending) {
        recorder.bytes(Channel::Err, reason.as_bytes());
    }
    // A transport error stands on standard error already, as koru has it; saying it twice helps nobody.
    let reason = reason.filter(|_| ending != Ending::Failed);
    Outcome { status_code: Some(code), reason, ..Outcome::recorded(recorder, ending) }
}
