#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]
//! The far end of a pseudo-terminal: keeps what the program writes and answers what it asks.

use std::io::{Read, Write};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Instant;

/// What was read so far.
pub(super) struct State {
    /// The screen.
    pub(super) emulator: vt100::Parser,
    /// Every byte.
    pub(super) raw: Vec<u8>,
    /// Bytes of a frame that is under way (synchronised output, mode 2026): a terminal shows whole frames, so do we.
    pub(super) held: Vec<u8>,
    /// When each chunk arrived, with the length of `raw` after it.
    pub(super) arrivals: Vec<(Instant, usize)>,
    /// The reader is to let go of the terminal with the next bytes.
    pub(super) closing: bool,
    /// The terminal is gone.
    pub(super) ended: bool,
}

/// The state, and the bell that rings when it changes.
pub(super) type Shared = Arc<(Mutex<State>, Condvar)>;

/// Feeds the emulator until the terminal is gone, and answers the questions a terminal is asked.
pub(super) fn read_all(
    mut source: Box<dyn Read + Send>,
    shared: &Shared,
    writer: &Mutex<Option<Box<dyn Write + Send>>>,
) {
    let mut buffer = [0u8; 65536];
    loop {
        let count = source.read(&mut buffer).unwrap_or(0);
        let (state, changed) = &**shared;
        let mut state = state.lock().unwrap();
        if count == 0 || state.closing {
            // Whoever waits for the end must find the terminal closed.
            drop(source);
            state.ended = true;
            changed.notify_all();
            return;
        }
        let answers = answers_to(&state.raw, &buffer[..count]);
        state.raw.extend_from_slice(&buffer[..count]);
        let length = state.raw.len();
        state.arrivals.push((Instant::now(), length));
        state.show(&buffer[..count]);
        changed.notify_all();
        drop(state);
        if let Some(writer) = writer.lock().unwrap().as_mut() {
            for answer in answers {
                let _ = writer.write_all(answer).and_then(|()| writer.flush());
            }
        }
    }
}

impl State {
    /// Gives the emulator everything up to the frame that is not finished yet.
    fn show(&mut self, fresh: &[u8]) {
        const BEGIN: &[u8] = b"\x1b[?2026h";
        const END: &[u8] = b"\x1b[?2026l";
        self.held.extend_from_slice(fresh);
        let last = |mark: &[u8]| self.held.windows(mark.len()).rposition(|window| window == mark);
        let whole = match (last(BEGIN), last(END)) {
            (Some(begin), Some(end)) if end > begin => self.held.len(),
            (Some(begin), _) => begin,
            // The mark itself may be cut in two.
            (None, _) => {
                let cut =
                    (1..BEGIN.len()).rev().find(|length| self.held.ends_with(&BEGIN[..*length])).unwrap_or(0);
                self.held.len() - cut
            }
        };
        let rest = self.held.split_off(whole);
        self.emulator.process(&self.held);
        self.held = rest;
    }
}

/// Replies to queries in `fresh`, also to one that began at the end of `seen`.
fn answers_to(seen: &[u8], fresh: &[u8]) -> Vec<&'static [u8]> {
    const QUERIES: [(&[u8], &[u8]); 3] =
        [(b"\x1b[6n", b"\x1b[1;1R"), (b"\x1b[c", b"\x1b[?62;22c"), (b"\x1b[?2026$p", b"\x1b[?2026;0$y")];
    QUERIES
        .iter()
        .flat_map(|(query, answer)| {
            let tail = &seen[seen.len().saturating_sub(query.len() - 1)..];
            let joined = [tail, fresh].concat();
            let count = joined.windows(query.len()).filter(|window| window == query).count();
            std::iter::repeat_n(*answer, count)
        })
        .collect()
}
