//! Answers to human tickets from standard input (koru §4.4): lines until the end of input submit, Ctrl-C cancels.
//!
//! Piped input answers one question with everything up to its end; later questions then stay open. What becomes of an
//! answer (a copy under `.koru/prompts/`, note and result of the ticket) is the drain's part.

use std::io::{self, BufRead, IsTerminal, Read};

use tokio::sync::mpsc::{Receiver, channel};

use super::signals::Signals;

/// Longest answer in bytes; a longer one is not taken at all rather than cut in silence.
const LONGEST: usize = 1024 * 1024;
/// Bytes that are handed over at once: a line, or a part of a very long one.
const PIECE: u64 = 16 * 1024;
/// Pieces that may wait for the question they belong to.
const PIECES_WAITING: usize = 16;

/// What was read for one question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// The trimmed answer.
    Answer(String),
    /// Cancelled, empty, or no more input.
    Nothing,
    /// Longer than [`LONGEST`].
    TooLong,
}

/// Reads answers.
pub(super) struct Answers {
    signals: Signals,
    input: Option<Input>,
}

/// The thread that reads standard input, once it was needed.
struct Input {
    /// Pieces of input; `None` marks its end.
    pieces: Receiver<Option<Vec<u8>>>,
    /// Asks the thread to read up to the next end of input.
    go: std::sync::mpsc::Sender<()>,
    /// Whether the thread is still reading for a question that was cancelled.
    reading: bool,
}

impl Answers {
    /// Answers that the signals can cancel.
    pub(super) fn new(signals: Signals) -> Self {
        Self { signals, input: None }
    }

    /// Reads the answer to one question.
    pub(super) async fn read(&mut self) -> Reading {
        let input = self.input.get_or_insert_with(open);
        if !input.reading {
            if input.go.send(()).is_err() {
                // The thread is gone: standard input has ended for good.
                return Reading::Nothing;
            }
            input.reading = true;
        }
        let signals = self.signals.clone();
        let (answer, length) = signals.or_cancelled(collect(input)).await.unwrap_or_default();
        let answer = String::from_utf8_lossy(&answer);
        match answer.trim() {
            _ if length > LONGEST => Reading::TooLong,
            "" => Reading::Nothing,
            answer => Reading::Answer(answer.to_owned()),
        }
    }
}

/// Everything up to the end of input, and how long it was; more than [`LONGEST`] bytes are counted, not kept.
async fn collect(input: &mut Input) -> (Vec<u8>, usize) {
    let (mut answer, mut length) = (Vec::new(), 0_usize);
    while let Some(Some(piece)) = input.pieces.recv().await {
        length = length.saturating_add(piece.len());
        if length <= LONGEST {
            answer.extend_from_slice(&piece);
        }
    }
    input.reading = false;
    (answer, length)
}

fn open() -> Input {
    let (say, pieces) = channel(PIECES_WAITING);
    let (go, asked) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        while asked.recv().is_ok() {
            let mut piece = Vec::new();
            while matches!((&mut stdin).take(PIECE).read_until(b'\n', &mut piece), Ok(read) if read > 0) {
                // The receiver only goes away with the drain.
                if say.blocking_send(Some(std::mem::take(&mut piece))).is_err() {
                    return;
                }
            }
            let _ = say.blocking_send(None);
            if !io::stdin().is_terminal() {
                return;
            }
        }
    });
    Input { pieces, go, reading: false }
}

#[cfg(test)]
mod tests {
    use super::{Input, LONGEST, channel, collect};

    async fn collected(pieces: &[&[u8]]) -> (usize, usize) {
        let (say, heard) = channel(pieces.len() + 1);
        for piece in pieces {
            say.try_send(Some(piece.to_vec())).unwrap();
        }
        say.try_send(None).unwrap();
        let mut input = Input { pieces: heard, go: std::sync::mpsc::channel().0, reading: true };
        let (answer, length) = collect(&mut input).await;
        assert!(!input.reading);
        (answer.len(), length)
    }

    #[tokio::test]
    async fn input_beyond_the_limit_is_counted_and_not_kept() {
        assert_eq!(collected(&[b"a\n", b"bc"]).await, (4, 4));
        let half = vec![b'x'; LONGEST / 2 + 1];
        assert_eq!(collected(&[&half, &half, &half]).await, (half.len(), half.len() * 3));
    }
}
