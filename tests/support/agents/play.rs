//! Plays one turn to one request: picks the protocol by the path, and paces, breaks off or refuses as the turn says.

use std::io;

use serde_json::{Value, json};

use super::http::{Connection, Request};
use super::scenario::{Answer, Break, Pace, Reply};
use super::stub::Shared;
use super::tools;
use super::wire::{Frame, Message, Wire, openai_error};
use super::{anthropic, chat, gemini, responses};

/// The protocols, told apart by the end of the path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Anthropic,
    Chat,
    Responses,
    Gemini,
}

impl Protocol {
    /// The protocol of a path; `None` when it asks for no answer of the model.
    pub fn of(path: &str) -> Option<Self> {
        let ends = [
            ("/chat/completions", Self::Chat),
            ("/responses", Self::Responses),
            ("/messages", Self::Anthropic),
            (":streamGenerateContent", Self::Gemini),
            (":generateContent", Self::Gemini),
        ];
        ends.into_iter().find(|(end, _)| path.ends_with(end)).map(|(_, protocol)| protocol)
    }

    fn wire(self, message: &Message, request: &Value) -> Wire {
        match self {
            Self::Anthropic => anthropic::wire(message, request),
            Self::Chat => chat::wire(message),
            Self::Responses => responses::wire(message),
            Self::Gemini => gemini::wire(message),
        }
    }

    fn error(self, status: u16, message: &str, retry_after: Option<u64>) -> Value {
        match self {
            Self::Anthropic => anthropic::error(status, message),
            Self::Chat | Self::Responses => openai_error(status, message),
            Self::Gemini => gemini::error(status, message, retry_after),
        }
    }
}

/// Whether the agent asks for something beside the work: a title, a probe. Such requests offer no tools.
pub fn is_side(request: &Value) -> bool {
    let is_probe = ["max_tokens", "max_output_tokens"].iter().any(|key| request[key].as_u64() == Some(1));
    // aider has no tools: it asks for edits in the text.
    let edits_by_text = || request["messages"].to_string().contains("SEARCH/REPLACE");
    is_probe || (tools::offered(request).is_empty() && !edits_by_text())
}

/// The answer to a side request.
pub fn aside(request: &Value) -> Reply {
    let wants_json = request.pointer("/generationConfig/responseMimeType")
        == Some(&json!("application/json"))
        || request["response_format"].is_object()
        || request.pointer("/text/format").is_some()
        || request["output_config"].is_object();
    let said =
        json!({"title": "Scripted run", "isNewTopic": false, "next_speaker": "user", "reasoning": "none"});
    Reply { text: if wants_json { said.to_string() } else { "Scripted run".to_owned() }, ..Reply::default() }
}

/// Answers `request`, the one with this number. Gives the connection back while it can be used.
pub async fn answer(
    mut connection: Connection,
    request: &Request,
    body: &Value,
    number: usize,
    answer: Answer,
    shared: &Shared,
) -> io::Result<Option<Connection>> {
    let path = request.path.split('?').next().unwrap_or_default();
    let Some(protocol) = Protocol::of(path) else {
        connection
            .answer(404, "application/json", &[], &openai_error(404, "no such path").to_string())
            .await?;
        return Ok(Some(connection));
    };
    match answer {
        Answer::Refuse { status, message, retry_after } => {
            let more: Vec<_> = retry_after.iter().map(|after| ("retry-after", after.to_string())).collect();
            let error = protocol.error(status, &message, retry_after).to_string();
            connection.answer(status, "application/json", &more, &error).await?;
        }
        Answer::Nonsense { content_type, body } => connection.answer(200, content_type, &[], &body).await?,
        Answer::Silence => {
            shared.be_silent(&mut connection).await;
            return Ok(None);
        }
        Answer::Reply(reply) => {
            let offered = tools::offered(body);
            let message = Message::new(&reply, number, body, &offered);
            let wire = protocol.wire(&message, body);
            let is_stream = body["stream"] == true || path.ends_with(":streamGenerateContent");
            if !is_stream {
                connection.answer(200, "application/json", &[], &wire.whole.to_string()).await?;
            } else {
                return stream(connection, &reply, &wire.frames, shared).await;
            }
        }
    }
    Ok(Some(connection))
}

async fn stream(
    mut connection: Connection,
    reply: &Reply,
    frames: &[Frame],
    shared: &Shared,
) -> io::Result<Option<Connection>> {
    connection.open_stream().await?;
    let mut deltas = 0;
    for frame in frames {
        if frame.is_delta {
            if let Some((at, how)) = reply.break_at
                && at == deltas
            {
                match how {
                    Break::Reset => {
                        connection.reset()?;
                        return Ok(None);
                    }
                    Break::Garbage => {
                        connection.event(frame.event.as_deref(), "{\"oops\": not json").await?;
                        connection.close_stream().await?;
                        return Ok(Some(connection));
                    }
                    Break::Silence if shared.be_silent(&mut connection).await => {}
                    Break::Silence => return Ok(None),
                }
            }
            match reply.pace {
                Pace::Free => {}
                Pace::Stepped => shared.step().await,
                Pace::Every(pause) => tokio::time::sleep(pause).await,
            }
            deltas += 1;
        }
        connection.event(frame.event.as_deref(), &frame.data).await?;
        if frame.is_delta {
            shared.sent_delta();
        }
    }
    connection.close_stream().await?;
    Ok(Some(connection))
}
