//! Answers to human tickets from standard input (koru §4.4): lines until the end of input submit, Ctrl-C cancels.
//!
//! An answer is kept under `.koru/prompts/` before it is handed on, so that it survives whatever happens after. Piped
//! input answers one question with everything up to its end; later questions then stay open.

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use serde_json::json;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::signals::Signals;
use crate::base::atomic;
use crate::base::clock::Clock;
use crate::base::paths::ProjectPaths;
use crate::plan::ticket::Ticket;

/// Longest answer in bytes; what comes after is not read into memory.
const LONGEST: usize = 1024 * 1024;

/// Reads answers.
pub(super) struct Answers {
    folder: PathBuf,
    actor: String,
    clock: Clock,
    signals: Signals,
    input: Option<Input>,
}

/// The thread that reads standard input, once it was needed.
struct Input {
    lines: UnboundedReceiver<Option<String>>,
    /// Asks the thread to read up to the next end of input.
    go: std::sync::mpsc::Sender<()>,
    /// Whether the thread is still reading for a question that was cancelled.
    reading: bool,
}

impl Answers {
    /// Answers recorded as given by `actor` in the project at `root`.
    pub(super) fn new(root: &Path, actor: &str, clock: Clock, signals: Signals) -> Self {
        Self {
            folder: ProjectPaths::new(root).prompts(),
            actor: actor.to_owned(),
            clock,
            signals,
            input: None,
        }
    }

    /// The trimmed answer to the ticket's question; `None` when it is cancelled, empty, or there is no more input.
    pub(super) async fn read(&mut self) -> Option<String> {
        let input = self.input.get_or_insert_with(open);
        if !input.reading {
            // A closed channel means that standard input has ended for good.
            input.go.send(()).ok()?;
            input.reading = true;
        }
        let mut answer = String::new();
        let signals = self.signals.clone();
        signals
            .or_cancelled(async {
                while let Some(Some(line)) = input.lines.recv().await {
                    if answer.len() + line.len() <= LONGEST {
                        answer.push_str(&line);
                    }
                }
                input.reading = false;
            })
            .await?;
        let answer = answer.trim();
        (!answer.is_empty()).then(|| answer.to_owned())
    }

    /// Keeps the answer under `.koru/prompts/`.
    ///
    /// # Errors
    /// Any I/O error.
    pub(super) fn keep(&self, ticket: &Ticket, answer: &str) -> io::Result<()> {
        let now = self.clock.now();
        let stamp = now.strftime("%Y%m%dT%H%M%S%.6fZ").to_string();
        let record = json!({
            "actor": self.actor,
            "answer": answer,
            "at": format!("{now:.0}"),
            "prompt": ticket.question(),
            "ticket": ticket.id,
        });
        atomic::make_private_dir(&self.folder)?;
        let file = self.folder.join(format!("answer-{}-{stamp}.json", file_name(ticket.id.as_str())));
        atomic::replace(&file, &[format!("{record:#}\n").as_bytes()])?;
        Ok(())
    }
}

/// The id as a part of a file name: foreign ids may hold anything.
fn file_name(id: &str) -> String {
    let safe = |c: char| if c.is_ascii_alphanumeric() || "-_".contains(c) { c } else { '_' };
    id.chars().take(80).map(safe).collect()
}

fn open() -> Input {
    let (say, lines) = unbounded_channel();
    let (go, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        while asked.recv().is_ok() {
            let mut line = Vec::new();
            while matches!(stdin.read_until(b'\n', &mut line), Ok(read) if read > 0) {
                // A receiver that is gone is noticed at the next question.
                let _ = say.send(Some(String::from_utf8_lossy(&line).into_owned()));
                line.clear();
            }
            let _ = say.send(None);
            if !io::stdin().is_terminal() {
                return;
            }
        }
    });
    Input { lines, go, reading: false }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn a_foreign_id_never_leaves_the_folder() {
        assert_eq!(file_name("../../etc/x\u{1b}"), "______etc_x_");
    }
}
