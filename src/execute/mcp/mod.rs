//! The MCP executor: one call of a tool of a configured server, its answer as output (ours; koru has none).
//!
//! [`request`] is what the ticket asks, `program` and `remote` are the two kinds of server, `stdio` is the transport to
//! a program, `notifications` takes out what a server says besides its answers, `session` holds the conversation with
//! it, `arguments` holds the call to the tool's schema, `answer` takes
//! the result apart. A server is started for one call and ended with it. Invariants: what the operator configures for a
//! server (values of variables, headers, the URL beyond its host) is in no output, result or log; a call is made once;
//! nothing that a server does takes more than a bounded amount of memory, or longer than the ticket's time limit.

mod answer;
mod arguments;
mod notifications;
mod program;
mod remote;
pub mod request;
mod session;
mod stdio;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use reqwest::Client;
use rmcp::model::CallToolResult;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use self::answer::Answer;
use self::notifications::{Said, Tap};
use self::program::{Event, Push, Server};
use self::remote::Remote;
use self::request::{McpRequest, Target};
use self::session::{Call, Failure};
use super::environment::{Environment, Recipient, Wanted};
use super::outcome::{Ending, Outcome, STOPPED};
use super::output::{Channel, OutputLine};
use super::recorder::Recorder;
use super::stop::{Stop, StopWatch};
use crate::base::process::PIPE_GRACE;
use crate::plan::settings::Settings;

/// Bytes of structured content that go into a ticket's result; more stays in the output alone.
const STRUCTURED: usize = 16 * 1024;
/// Characters of a tool's own words in the reason of a failure.
const QUOTED: usize = 700;

/// What is known of the world when a tool is called.
#[derive(Clone, Copy, Debug)]
pub struct Ground<'a> {
    /// Variables of this process.
    pub environment: &'a Environment,
    /// Servers, and what may be passed on to them.
    pub settings: &'a Settings,
    /// Working folder of a server: the project's.
    pub folder: &'a Path,
    /// Variables that the ticket asks for.
    pub keys: &'a [String],
    /// Variables that are set in any case.
    pub extra: &'a [(&'a str, &'a str)],
    /// TERM to KILL.
    pub grace: Duration,
}

/// How following a conversation ended.
enum End {
    Told(Box<Result<CallToolResult, Failure>>),
    Stopped(Stop),
}

/// Calls the tool, and waits for the whole answer and for the server's end. `client` must follow no redirects: headers
/// are meant for one host.
pub async fn run(
    request: &McpRequest,
    ground: &Ground<'_>,
    client: impl FnOnce() -> Result<Client, String>,
    mut stop: StopWatch,
    mut recorder: Recorder,
) -> Outcome {
    if let Some(stopped) = Outcome::of_stopped(&stop) {
        return stopped;
    }
    let target = match request.target(&ground.settings.mcp) {
        Ok(target) => target,
        Err(why) => return failed(request, None, why, recorder),
    };
    let (said, hearing) = notifications::pair();
    let call = Call {
        server: target.name.to_owned(),
        tool: target.tool.to_owned(),
        arguments: request.arguments.clone(),
        deadline: Instant::now() + request.timeout,
        said,
    };
    let meeting = Meeting { ground, target, call, hearing, stop: &mut stop, recorder: &mut recorder };
    let held = match &target.server.url {
        Some(url) => meeting.over_http(url, client).await,
        None => meeting.with_program().await,
    };
    let held = match held {
        Ok(held) => held,
        Err(why) => return failed(request, Some(target), why, recorder),
    };
    let verdict = match held.end {
        End::Stopped(_) => Verdict::of(Ending::Stopped, STOPPED.to_owned()),
        End::Told(told) => match *told {
            Ok(result) => Verdict::of_answer(Answer::of(result), &mut recorder),
            Err(failure) => Verdict::of_failure(failure, held.fault, request, &target, held.server.as_ref()),
        },
    };
    verdict.outcome(request, Some(target), recorder)
}

/// A call, and everybody who takes part in it.
struct Meeting<'a> {
    ground: &'a Ground<'a>,
    target: Target<'a>,
    call: Call,
    hearing: mpsc::Receiver<Said>,
    stop: &'a mut StopWatch,
    recorder: &'a mut Recorder,
}

/// A call that was made.
struct Held {
    end: End,
    /// Why nothing more was heard of the server, where something says so.
    fault: Option<String>,
    /// The program, which has ended.
    server: Option<Server>,
}

impl Meeting<'_> {
    async fn over_http(
        self,
        url: &str,
        client: impl FnOnce() -> Result<Client, String>,
    ) -> Result<Held, String> {
        let Meeting { ground, target, call, hearing, stop, recorder } = self;
        let remote = Remote::of(target.name, url, target.server, ground.environment)?;
        let client = client()?;
        recorder.started(None);
        recorder.note(&format!("[calling {} of {} at {}]", target.tool, target.name, remote.shown()));
        let said = call.said.clone();
        let talk = call.hold(Tap::new(remote.transport(client), said));
        let (end, fault) = follow(talk, hearing, None, stop, recorder).await;
        Ok(Held { end, fault, server: None })
    }

    async fn with_program(self) -> Result<Held, String> {
        let Meeting { ground, target, call, hearing, stop, recorder } = self;
        let env = environment(ground, &target)?;
        let (command, said) = (&target.server.command, call.said.clone());
        let started = Server::start(command, env, ground.folder, ground.grace, said.clone()).await;
        let (mut server, wire) =
            started.map_err(|why| format!("the MCP server {} cannot be started: {why}", target.name))?;
        server.started(recorder);
        recorder.note(&format!("[calling {} of {}]", target.tool, target.name));
        let talk = call.hold(Tap::new(wire, said));
        let (end, fault) = follow(talk, hearing, Some(&mut server), stop, recorder).await;
        let (push, shown) = match &end {
            End::Stopped(Stop::Now) => (Push::Kill, true),
            End::Stopped(_) => (Push::Ask, true),
            End::Told(told) if matches!(**told, Err(Failure::TimedOut(_))) => (Push::Ask, true),
            End::Told(_) => (Push::Leave, false),
        };
        server.end(push, shown, stop, recorder).await;
        Ok(Held { end, fault, server: Some(server) })
    }
}

/// A server's whole environment.
fn environment(ground: &Ground<'_>, target: &Target<'_>) -> Result<Vec<(OsString, OsString)>, String> {
    let missing = ground.environment.missing(&target.server.env_keys);
    if !missing.is_empty() {
        return Err(format!(
            "environment variables that the MCP server {} needs (mcp.{}.env_keys) are not set: {}",
            target.name,
            target.name,
            missing.join(", ")
        ));
    }
    let keys = [ground.keys, &target.server.env_keys].concat();
    let given = ground.environment.for_child(&Wanted {
        recipient: Recipient::Guest,
        allowed: &ground.settings.environment,
        keys: &keys,
        own: &[],
        extra: ground.extra,
    });
    let own = target.server.env.iter().map(|(name, value)| (name.into(), value.into()));
    // A later variable of the same name wins.
    Ok(given.vars.into_iter().chain(own).collect())
}

/// Listens to everybody until the talk is over, the run is stopped or the server is gone; and why nothing more was
/// heard of it, where something says so.
async fn follow(
    talk: impl Future<Output = Result<CallToolResult, Failure>>,
    mut hearing: mpsc::Receiver<Said>,
    mut server: Option<&mut Server>,
    stop: &mut StopWatch,
    recorder: &mut Recorder,
) -> (End, Option<String>) {
    let mut talk = std::pin::pin!(talk);
    let mut fault = None;
    let mut gone_at = None;
    let end = loop {
        let event = async {
            match &mut server {
                Some(server) => server.event().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            told = &mut talk => break End::Told(Box::new(told)),
            Some(said) = hearing.recv() => take(said, &mut fault, recorder),
            event = event => {
                if let Some(server) = &server {
                    server.note(&event, recorder);
                }
                if matches!(event, Event::Ended) {
                    gone_at = Some(Instant::now() + PIPE_GRACE);
                }
            }
            asked = stop.changed() => if asked > Stop::No { break End::Stopped(asked) },
            // Somebody whom it started holds its output open; there is nobody left to answer.
            () = sleep_until(gone_at.unwrap_or_else(Instant::now)), if gone_at.is_some() => {
                break End::Told(Box::new(Err(Failure::Gone("answered the call"))));
            }
        }
    };
    while let Ok(said) = hearing.try_recv() {
        take(said, &mut fault, recorder);
    }
    (end, fault)
}

fn take(said: Said, fault: &mut Option<String>, recorder: &mut Recorder) {
    match said {
        Said::Line(channel, text) => {
            let line = OutputLine::new(recorder.now_ms(), channel, text);
            recorder.lines(vec![line]);
        }
        Said::Fault(why) => *fault = Some(why),
    }
}

/// How a call ended, before it became an outcome.
struct Verdict {
    ending: Ending,
    reason: Option<String>,
    facts: Map<String, Value>,
}

impl Verdict {
    fn of(ending: Ending, reason: String) -> Verdict {
        Verdict { ending, reason: Some(reason), facts: Map::new() }
    }

    fn of_failure(
        failure: Failure,
        fault: Option<String>,
        request: &McpRequest,
        target: &Target<'_>,
        server: Option<&Server>,
    ) -> Verdict {
        let name = target.name;
        match (failure, fault) {
            (Failure::Told(why), _) => Verdict::of(Ending::Failed, why),
            (Failure::TimedOut(what), _) => {
                let seconds = request.timeout.as_secs_f64();
                let why = format!("timed out after {seconds} s, before the MCP server {name} {what}");
                Verdict::of(Ending::TimedOut, why)
            }
            (Failure::Gone(_), Some(fault)) => {
                Verdict::of(Ending::Failed, format!("giving up on the MCP server {name}: {fault}"))
            }
            (Failure::Gone(what), None) => {
                let how =
                    server.and_then(Server::farewell).map(|how| format!(" ({how})")).unwrap_or_default();
                Verdict::of(Ending::Failed, format!("the MCP server {name} was gone{how} before it {what}"))
            }
        }
    }

    /// The answer as output and facts.
    fn of_answer(answer: Answer, recorder: &mut Recorder) -> Verdict {
        let mut facts = Map::new();
        for attachment in &answer.attachments {
            recorder.note(&format!("[the answer has a {attachment}]"));
        }
        if let Some(structured) = &answer.structured {
            let text = recorder.clean(&structured.to_string());
            let clean: Option<Value> = serde_json::from_str(&text).ok().filter(|_| text.len() <= STRUCTURED);
            facts.extend(clean.map(|structured| ("mcp_structured".to_owned(), structured)));
        }
        if !answer.attachments.is_empty() {
            let clean: Vec<String> = answer.attachments.iter().map(|text| recorder.clean(text)).collect();
            facts.insert("mcp_attachments".to_owned(), json!(clean));
        }
        // Last, since its end need not be the end of a line.
        recorder.bytes(Channel::Out, answer.text.as_bytes());
        if !answer.failed {
            return Verdict { ending: Ending::Succeeded, reason: None, facts };
        }
        // What is said next stands below it.
        recorder.bytes(Channel::Out, if answer.text.is_empty() { b"" } else { b"\n" });
        let words = recorder.clean(answer.text.trim());
        let words: String = words.chars().take(QUOTED).collect();
        let reason = match words.as_str() {
            "" => "the tool says that it failed, and not why".to_owned(),
            words => format!("the tool says that it failed: {words}"),
        };
        Verdict { ending: Ending::Failed, reason: Some(reason), facts }
    }

    fn outcome(self, request: &McpRequest, target: Option<Target<'_>>, mut recorder: Recorder) -> Outcome {
        let reason = self.reason.map(|reason| recorder.clean(&reason));
        let mut facts = self.facts;
        let label = match target {
            Some(target) => {
                facts.insert("mcp_server".to_owned(), json!(recorder.clean(target.name)));
                facts.insert("mcp_tool".to_owned(), json!(recorder.clean(target.tool)));
                format!("mcp {}/{}", target.name, target.tool)
            }
            None => format!("mcp {}", request.name()),
        };
        if let (Some(reason), Ending::Failed | Ending::TimedOut) = (&reason, self.ending) {
            recorder.note(&format!("[{reason}]"));
        }
        let label = Some(recorder.clean(&label));
        Outcome { reason, label, facts, ..Outcome::recorded(recorder, self.ending) }
    }
}

/// Nothing was called, and why.
fn failed(request: &McpRequest, target: Option<Target<'_>>, why: String, mut recorder: Recorder) -> Outcome {
    recorder.started(None);
    Verdict::of(Ending::Failed, why).outcome(request, target, recorder)
}
