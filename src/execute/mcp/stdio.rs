//! Messages of a server that speaks on its standard streams: one JSON text a line.
//!
//! Memory is bounded by [`LINE_LIMIT`] whatever the server does: a longer line ends the conversation, since it was the
//! answer most likely. Lines that are no messages (a greeting, a stray debug print) are shown and passed over, but not
//! for ever.

use std::io;
use std::sync::Arc;

use rmcp::RoleClient;
use rmcp::model::ServerJsonRpcMessage;
use rmcp::service::TxJsonRpcMessage;
use rmcp::transport::Transport;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::{Mutex, mpsc};

use super::notifications::{Said, brief};
use crate::execute::output::Channel;

/// Longest line that is read.
pub(super) const LINE_LIMIT: usize = 8 * 1024 * 1024;
/// Lines that are no messages, before the program is no MCP server to us.
const STRANGE_LINES: u32 = 200;
/// Bytes of such a line that are looked at.
const STRANGE_BYTES: usize = 8 * 1024;

/// The two pipes of a server.
pub(super) struct StdioTransport<R, W> {
    output: BufReader<R>,
    /// What came of the line that has no end yet.
    line: Vec<u8>,
    /// Closed by taking it out.
    input: Arc<Mutex<Option<W>>>,
    said: mpsc::Sender<Said>,
    strange: u32,
}

/// What reading a line came to.
#[derive(Debug, PartialEq)]
enum Read {
    Line,
    End,
    TooLong,
}

impl<R: AsyncRead + Unpin + Send, W: AsyncWrite + Unpin + Send + 'static> StdioTransport<R, W> {
    /// Over these pipes; what is no message goes to `said`.
    pub(super) fn new(output: R, input: W, said: mpsc::Sender<Said>) -> Self {
        let (output, input) =
            (BufReader::with_capacity(64 * 1024, output), Arc::new(Mutex::new(Some(input))));
        Self { output, line: Vec::new(), input, said, strange: 0 }
    }

    /// Reads on in the current line. Cancel-safe: between the wait and the keeping nothing can be lost.
    async fn read(&mut self) -> Read {
        loop {
            // A pipe that cannot be read any more has ended.
            let Ok(bytes) = self.output.fill_buf().await else { return Read::End };
            if bytes.is_empty() {
                return Read::End;
            }
            let end = memchr::memchr(b'\n', bytes);
            let take = end.map_or(bytes.len(), |end| end + 1);
            if self.line.len() + take > LINE_LIMIT {
                return Read::TooLong;
            }
            self.line.extend_from_slice(&bytes[..take]);
            self.output.consume(take);
            if end.is_some() {
                return Read::Line;
            }
        }
    }

    /// The message that the line is, or what there is to say about it.
    fn message(&mut self) -> Result<Option<ServerJsonRpcMessage>, Said> {
        let line = std::mem::take(&mut self.line);
        let text = line.trim_ascii();
        if text.is_empty() {
            return Ok(None);
        }
        if let Ok(message) = serde_json::from_slice(text) {
            return Ok(Some(message));
        }
        self.strange += 1;
        if self.strange > STRANGE_LINES {
            let why =
                format!("it printed {STRANGE_LINES} lines that are no MCP messages; is it an MCP server?");
            return Err(Said::Fault(why));
        }
        let shown = String::from_utf8_lossy(&text[..text.len().min(STRANGE_BYTES)]);
        Err(Said::Line(Channel::Unknown, brief(&shown)))
    }
}

impl<R: AsyncRead + Unpin + Send, W: AsyncWrite + Unpin + Send + 'static> Transport<RoleClient>
    for StdioTransport<R, W>
{
    type Error = io::Error;

    fn send(
        &mut self,
        item: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let input = Arc::clone(&self.input);
        async move {
            let mut line = serde_json::to_vec(&item)?;
            line.push(b'\n');
            let mut input = input.lock().await;
            let Some(input) = input.as_mut() else { return Err(io::ErrorKind::BrokenPipe.into()) };
            input.write_all(&line).await?;
            input.flush().await
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            let said = self.said.clone();
            let place = said.reserve().await.ok()?;
            match self.read().await {
                Read::Line => match self.message() {
                    Ok(Some(message)) => return Some(message),
                    Ok(None) => {}
                    Err(said) => {
                        let over = matches!(said, Said::Fault(_));
                        place.send(said);
                        if over {
                            return None;
                        }
                    }
                },
                Read::End => {
                    if let Err(said) = self.message() {
                        place.send(said);
                    }
                    return None;
                }
                Read::TooLong => {
                    let why = format!("it sent a message of more than {LINE_LIMIT} bytes, which is not read");
                    place.send(Said::Fault(why));
                    return None;
                }
            }
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        // A write that is stuck holds it, and is given up with the server.
        if let Ok(mut input) = self.input.try_lock() {
            *input = None;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::mcp::notifications;
    use rmcp::model::JsonRpcMessage;

    /// What comes of these bytes: ids of responses, and what was said.
    async fn heard(bytes: &[u8], capacity: usize) -> (Vec<String>, Vec<Said>) {
        let (mut there, here) = tokio::io::duplex(capacity);
        let (sender, mut said) = notifications::pair();
        let mut wire = StdioTransport::new(here, tokio::io::sink(), sender);
        let writing = async {
            // The reader may have had enough.
            let _ = there.write_all(bytes).await;
            drop(there);
        };
        let reading = async {
            let mut ids = Vec::new();
            while let Some(message) = wire.receive().await {
                let JsonRpcMessage::Response(response) = message else { panic!("{message:?}") };
                ids.push(response.id.to_string());
            }
            drop(wire);
            ids
        };
        let listening = async {
            let mut all = Vec::new();
            while let Some(said) = said.recv().await {
                all.push(said);
            }
            all
        };
        let (ids, all, ()) = tokio::join!(reading, listening, writing);
        (ids, all)
    }

    fn unknown(text: &str) -> Said {
        Said::Line(Channel::Unknown, text.to_owned())
    }

    #[tokio::test]
    async fn messages_are_found_between_other_lines_however_they_are_cut() {
        let bytes = b"hello\r\n\n{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{}}\r\n\xff\n[1]\n{\"jsonrpc\":\"2.0\",\"id\":8,\"res";
        let want = (
            vec!["7".to_owned()],
            ["hello", "\u{fffd}", "[1]", "{\"jsonrpc\":\"2.0\",\"id\":8,\"res"].map(unknown).to_vec(),
        );
        for capacity in [1, 7, 4096] {
            assert_eq!(heard(bytes, capacity).await, want, "{capacity}");
        }
    }

    #[tokio::test]
    async fn endless_lines_and_endless_chatter_end_the_conversation() {
        let giant = vec![b'x'; LINE_LIMIT + 1];
        let why = format!("it sent a message of more than {LINE_LIMIT} bytes, which is not read");
        assert_eq!(heard(&giant, 1024 * 1024).await, (Vec::new(), vec![Said::Fault(why)]));
        let (ids, said) = heard("y\n".repeat(100_000).as_bytes(), 4096).await;
        assert_eq!((ids.len(), said.len()), (0, STRANGE_LINES as usize + 1));
        let why = format!("it printed {STRANGE_LINES} lines that are no MCP messages; is it an MCP server?");
        assert_eq!(said.last(), Some(&Said::Fault(why)));
    }
}
