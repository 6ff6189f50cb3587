//! Writing to an agent's standard input without ever waiting for it: an agent that does not read must not hold up the
//! reading of what it says.

use tokio::io::AsyncWriteExt;
use tokio::process::ChildStdin;
use tokio::sync::mpsc;

/// The writing end. Dropping it is end of file, once everything is written.
#[derive(Default)]
pub(super) struct AgentInput(Option<mpsc::UnboundedSender<Vec<u8>>>);

impl AgentInput {
    /// An input that is written by a task of its own, which ends with the agent.
    pub(super) fn open(mut pipe: ChildStdin) -> Self {
        let (sender, mut pieces) = mpsc::unbounded_channel::<Vec<u8>>();
        tokio::spawn(async move {
            while let Some(piece) = pieces.recv().await {
                // A broken pipe means that the agent is gone, or no longer listens.
                if pipe.write_all(&piece).await.is_err() || pipe.flush().await.is_err() {
                    return;
                }
            }
        });
        Self(Some(sender))
    }

    /// Writes, if it is still open. Whether it was.
    pub(super) fn write(&self, bytes: Vec<u8>) -> bool {
        bytes.is_empty() || self.0.as_ref().is_some_and(|sender| sender.send(bytes).is_ok())
    }

    /// Whether something can be written.
    pub(super) fn is_open(&self) -> bool {
        self.0.as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// End of file.
    pub(super) fn close(&mut self) {
        self.0 = None;
    }
}
