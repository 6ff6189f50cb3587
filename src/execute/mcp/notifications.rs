//! What a server says besides its answers: progress and log messages, and lines that are no messages at all.
//!
//! They are taken out of the stream of messages before the SDK sees them, in their order and as fast as they are
//! written down and no faster: a server that says more than anybody can keep up with is made to wait.

use rmcp::RoleClient;
use rmcp::model::{JsonRpcMessage, ServerJsonRpcMessage, ServerNotification};
use rmcp::service::TxJsonRpcMessage;
use rmcp::transport::Transport;
use serde_json::Value;
use tokio::sync::mpsc;

use crate::execute::output::Channel;

/// Words that wait to be written down.
const WAITING: usize = 64;
/// Characters of one message.
const CHARS: usize = 2000;

/// Something that was said.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// A line for the run's output.
    Line(Channel, String),
    /// Why nothing more is heard of it.
    Fault(String),
}

/// Both ends of what a server says.
pub(super) fn pair() -> (mpsc::Sender<Said>, mpsc::Receiver<Said>) {
    mpsc::channel(WAITING)
}

/// A transport, listened to.
#[derive(Debug)]
pub(super) struct Tap<T> {
    inner: T,
    said: mpsc::Sender<Said>,
}

impl<T> Tap<T> {
    /// Listens to `inner`.
    pub(super) fn new(inner: T, said: mpsc::Sender<Said>) -> Self {
        Self { inner, said }
    }
}

impl<T: Transport<RoleClient>> Transport<RoleClient> for Tap<T> {
    type Error = T::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        self.inner.send(item)
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            // The place comes first: a message that was taken is never lost to a cancelled wait.
            let place = self.said.reserve().await.ok()?;
            let message = self.inner.receive().await?;
            match heard(&message) {
                Some(said) => place.send(said),
                None => return Some(message),
            }
        }
    }

    fn close(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send {
        self.inner.close()
    }
}

/// A line of foreign text: one line, and not a long one.
pub(super) fn brief(text: &str) -> String {
    let mut words = String::new();
    for word in text.split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
        if words.len() > 4 * CHARS {
            break;
        }
    }
    words.chars().take(CHARS).collect()
}

#[expect(deprecated, reason = "servers of today send log messages; the next protocol drops them")]
fn heard(message: &ServerJsonRpcMessage) -> Option<Said> {
    use rmcp::model::LoggingLevel;
    let notification = match message {
        JsonRpcMessage::Notification(notification) => &notification.notification,
        // Nobody asked what this is the answer to; the SDK would drop it without a word.
        JsonRpcMessage::Error(error) if error.id.is_none() => {
            return Some(Said::Line(Channel::Error, brief(&error.error.message)));
        }
        _ => return None,
    };
    match notification {
        ServerNotification::ProgressNotification(told) => {
            let total = told.params.total.map(|total| format!("/{total}")).unwrap_or_default();
            let message = told.params.message.as_deref().unwrap_or_default();
            let colon = if message.is_empty() { "" } else { ": " };
            let text = format!("progress {}{total}{colon}{message}", told.params.progress);
            Some(Said::Line(Channel::Status, brief(&text)))
        }
        ServerNotification::LoggingMessageNotification(told) => {
            let channel = match told.params.level {
                LoggingLevel::Error
                | LoggingLevel::Critical
                | LoggingLevel::Alert
                | LoggingLevel::Emergency => Channel::Error,
                _ => Channel::Status,
            };
            let level = format!("{:?}", told.params.level).to_lowercase();
            let logger = told.params.logger.as_deref().map(|logger| format!(" {logger}")).unwrap_or_default();
            let text = match &told.params.data {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            Some(Said::Line(channel, brief(&format!("{level}{logger}: {text}"))))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(message: Value) -> Option<Said> {
        heard(&serde_json::from_value(message).unwrap())
    }

    fn line(channel: Channel, text: &str) -> Option<Said> {
        Some(Said::Line(channel, text.to_owned()))
    }

    #[test]
    fn progress_and_logs_are_lines_and_the_rest_is_not() {
        let progress = |params: Value| {
            said(json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": params}))
        };
        assert_eq!(
            progress(json!({"progressToken": 1, "progress": 3, "total": 10, "message": "half\nway"})),
            line(Channel::Status, "progress 3/10: half way")
        );
        assert_eq!(
            progress(json!({"progressToken": 1, "progress": 0.5})),
            line(Channel::Status, "progress 0.5")
        );
        let log = |params: Value| {
            said(json!({"jsonrpc": "2.0", "method": "notifications/message", "params": params}))
        };
        assert_eq!(
            log(json!({"level": "info", "logger": "db", "data": "up"})),
            line(Channel::Status, "info db: up")
        );
        assert_eq!(
            log(json!({"level": "critical", "data": {"n": 1}})),
            line(Channel::Error, "critical: {\"n\":1}")
        );
        let stray =
            json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32700, "message": "Parse error"}});
        assert_eq!(said(stray), line(Channel::Error, "Parse error"));
        for other in [
            json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}),
            json!({"jsonrpc": "2.0", "id": 1, "result": {}}),
            json!({"jsonrpc": "2.0", "id": 1, "method": "ping"}),
        ] {
            assert_eq!(said(other.clone()), None, "{other}");
        }
    }

    #[test]
    fn long_words_are_cut() {
        assert_eq!(brief(&"x y ".repeat(CHARS)).chars().count(), CHARS);
        assert_eq!(brief(" a\tb\r\n"), "a b");
    }
}
