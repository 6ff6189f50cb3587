//! Takes a run's raw output on its way: split into lines, redacted, kept in the transcript and the tails, passed on.
//!
//! One recorder belongs to one run. Lines are numbered from 0 in the order they are kept; whoever listens gets exactly
//! the lines that a reader of the transcript will find under the same numbers.

use std::borrow::Cow;
use std::time::Duration;

use tokio::time::Instant;

use super::agents::tally::Tally;
use super::lines::{LINE_LIMIT, LineSplitter, Piece};
use super::output::{Channel, OutputLine};
use super::tail::Tail;
use super::transcript::TranscriptWriter;
use crate::base::process::ProcessIdentity;
use crate::base::redact::Redactor;

/// Bytes of a line that is being written that are shown.
const PARTIAL_LIMIT: usize = 4 * 1024;

/// Bytes of lines that are looked at together for secrets.
const TOGETHER: usize = 16 * 1024;

/// Listens to a run while it works. Called on the run's task; must not block.
pub trait Listener: Send {
    /// New lines were kept, the first of them under number `first`.
    fn lines(&mut self, first: u64, lines: Vec<OutputLine>);

    /// The run gave a sign of life that made no line.
    fn alive(&mut self) {}

    /// The line that is being written, as far as it has come (its end, when it is long); `None` when there is none
    /// any more. It gets no number and is in no transcript: the whole line follows through [`Listener::lines`].
    fn partial(&mut self, partial: Option<(Channel, String)>) {
        let _ = partial;
    }

    /// What an agent's run amounts to so far.
    fn tally(&mut self, tally: &Tally) {
        let _ = tally;
    }

    /// An agent's stream as it came has so many lines on disk now.
    fn raw(&mut self, lines: u64) {
        let _ = lines;
    }

    /// The work began; for a process, the identity of its group's leader.
    fn started(&mut self, leader: Option<ProcessIdentity>) {
        let _ = leader;
    }

    /// The run is being stopped; it is killed after `kill_in`.
    fn stopping(&mut self, kill_in: Duration) {
        let _ = kill_in;
    }
}

/// Takes one run's output.
pub struct Recorder {
    started: Instant,
    redactor: Redactor,
    transcript: Option<TranscriptWriter>,
    listener: Box<dyn Listener>,
    splitters: [LineSplitter; 2],
    tails: [Tail; 2],
    kept: u64,
    full: bool,
    partial: Option<(Channel, String)>,
    /// As it was said last, not cleaned.
    tally: Option<Tally>,
    /// Room in which the texts of many lines are looked at together.
    together: String,
    /// Highest block of the sessions before.
    block_base: u32,
    /// Highest block so far.
    block_last: u32,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl Recorder {
    /// A recorder that starts now. Without a transcript, lines are only passed on.
    pub fn new(
        redactor: Redactor,
        transcript: Option<TranscriptWriter>,
        listener: Box<dyn Listener>,
    ) -> Self {
        Self {
            started: Instant::now(),
            redactor,
            transcript,
            listener,
            splitters: Default::default(),
            tails: Default::default(),
            kept: 0,
            full: false,
            partial: None,
            tally: None,
            together: String::new(),
            block_base: 0,
            block_last: 0,
        }
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The text without secrets.
    pub fn clean(&self, text: &str) -> String {
        self.redactor.clean(text).into_owned()
    }
    /// What takes the secrets out, for whoever shows something while the recorder is lent out.
    pub fn redactor(&self) -> Redactor {
        self.redactor.clone()
    }

    /// Takes bytes of standard output or error.
    pub fn bytes(&mut self, channel: Channel, bytes: &[u8]) {
        let mut pieces = Vec::new();
        let at_ms = self.now_ms();
        self.splitters[stream(channel)].push(bytes, at_ms, &mut pieces);
        self.take(channel, pieces, at_ms);
    }

    /// Says something about the run, in our own words.
    pub fn note(&mut self, text: &str) {
        self.own(Channel::Note, text);
    }

    /// Says something about the run that is good to have on record and asks for no attention.
    pub fn status(&mut self, text: &str) {
        self.own(Channel::Status, text);
    }

    fn own(&mut self, channel: Channel, text: &str) {
        let at_ms = self.now_ms();
        let text = self.redactor.clean(text).into_owned();
        self.keep(vec![OutputLine::new(at_ms, channel, text)]);
    }

    /// What comes now counts its blocks from 1 again: a run may be several sessions of an agent.
    pub(super) fn new_blocks(&mut self) {
        self.block_base = self.block_last;
    }

    /// Takes lines that are made already, as an agent's are. Their texts are cleaned here, and long ones are cut.
    pub fn lines(&mut self, mut lines: Vec<OutputLine>) {
        if lines.is_empty() {
            return;
        }
        for line in &mut lines {
            cut_long(&mut line.text);
            if line.block > 0 {
                line.block += self.block_base;
                self.block_last = self.block_last.max(line.block);
            }
        }
        let mut rest = lines.as_mut_slice();
        while !rest.is_empty() {
            rest = self.clean_some(rest);
        }
        self.together.shrink_to(TOGETHER);
        self.keep(lines);
    }

    /// Takes the secrets out of the first lines, as many as are looked at together; gives the others. Nearly always there
    /// is none, which is told faster of many short texts at once than of each.
    fn clean_some<'a>(&mut self, lines: &'a mut [OutputLine]) -> &'a mut [OutputLine] {
        self.together.clear();
        let mut count = 0;
        for line in lines.iter() {
            if count > 0 && self.together.len() + line.text.len() > TOGETHER {
                break;
            }
            self.together.push_str(&line.text);
            self.together.push('\n');
            count += 1;
        }
        let (some, rest) = lines.split_at_mut(count);
        if !self.redactor.is_clean(&self.together) {
            for line in some {
                if let Cow::Owned(clean) = self.redactor.clean(&line.text) {
                    line.text = clean.into();
                }
            }
        }
        rest
    }

    /// Shows the line that is being written; see [`Listener::partial`]. The same text again is not passed on.
    pub fn partial(&mut self, partial: Option<(Channel, &str)>) {
        let partial = partial
            .map(|(channel, text)| (channel, self.redactor.clean_unfinished(end_of(text)).into_owned()));
        if partial != self.partial {
            self.partial.clone_from(&partial);
            self.listener.partial(partial);
        }
    }

    /// Passes on what the run amounts to so far, when it changed. Its texts are cleaned here.
    pub fn tally(&mut self, tally: &Tally) {
        // Nearly always: this is asked after every read.
        if self.tally.as_ref() == Some(tally) {
            return;
        }
        let clean = |text: &Option<String>| text.as_deref().map(|text| self.clean(text));
        let (doing, last_error) = (clean(&tally.doing), clean(&tally.last_error));
        self.listener.tally(&Tally { doing, last_error, ..tally.clone() });
        self.tally = Some(tally.clone());
    }

    /// The run gave a sign of life that made no line.
    pub(super) fn alive(&mut self) {
        self.listener.alive();
    }

    /// The agent's stream as it came has so many lines on disk now.
    pub(super) fn raw(&mut self, lines: u64) {
        self.listener.raw(lines);
    }

    pub(super) fn started(&mut self, leader: Option<ProcessIdentity>) {
        self.listener.started(leader);
    }

    pub(super) fn stopping(&mut self, kill_in: Duration) {
        self.listener.stopping(kill_in);
    }

    /// Both streams are over; hands over what they ended with.
    pub fn finish(mut self) -> (Tail, Tail) {
        self.take_tails()
    }

    /// The streams of one child are over, another may follow; hands over what they ended with.
    pub fn take_tails(&mut self) -> (Tail, Tail) {
        let at_ms = self.now_ms();
        for channel in [Channel::Out, Channel::Err] {
            let mut pieces = Vec::new();
            self.splitters[stream(channel)].finish(at_ms, &mut pieces);
            self.take(channel, pieces, at_ms);
        }
        let [out, err] = std::mem::take(&mut self.tails);
        (out, err)
    }

    /// Milliseconds since the start.
    pub(super) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn take(&mut self, channel: Channel, pieces: Vec<Piece>, at_ms: u64) {
        if pieces.is_empty() {
            self.listener.alive();
            return;
        }
        let mut lines = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Piece::Line { text, ended } => {
                    let text: Box<str> = self.redactor.clean(&text).into();
                    let tail = &mut self.tails[stream(channel)];
                    tail.push(&text);
                    if ended {
                        tail.push("\n");
                    }
                    lines.push(OutputLine::new(at_ms, channel, text));
                }
                Piece::Dropped(bytes) => {
                    let text = format!("[{bytes} more bytes of the line above were not kept]");
                    lines.push(OutputLine::new(at_ms, Channel::Note, text));
                }
            }
        }
        self.keep(lines);
    }

    /// Keeps lines and passes them on; when they cannot be kept any more, says so once and goes on without.
    fn keep(&mut self, mut lines: Vec<OutputLine>) {
        if self.full {
            self.listener.alive();
            return;
        }
        if let Some(transcript) = &mut self.transcript {
            if transcript.is_full() {
                self.full = true;
                let text = "[the transcript is full; further output is not kept]";
                lines = vec![OutputLine::new(0, Channel::Note, text)];
            }
            if let Err(error) = transcript.append(&lines) {
                self.full = true;
                tracing::warn!(%error, "a transcript cannot be written; the run goes on without");
                let text = format!("[the transcript cannot be written: {error}; further output is not kept]");
                lines = vec![OutputLine::new(0, Channel::Note, text)];
            }
        }
        let first = self.kept;
        self.kept += lines.len() as u64;
        self.listener.lines(first, lines);
    }
}

/// Cuts a text as the splitter of raw output cuts its lines.
fn cut_long(text: &mut Box<str>) {
    if text.len() > LINE_LIMIT {
        let whole = boundary(text, LINE_LIMIT);
        let cut = format!("{} … [line cut: {} more bytes]", &text[..whole], text.len() - whole);
        *text = cut.into();
    }
}

/// What of a line that is being written is shown: its last bytes, from a blank on, so that no secret is cut in two and
/// its rest shown.
fn end_of(text: &str) -> &str {
    let Some(over) = text.len().checked_sub(PARTIAL_LIMIT) else { return text };
    let end = &text[boundary(text, over)..];
    end.find(char::is_whitespace).map_or("", |at| &end[at..])
}

/// The last place at or before `at` between two characters.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn stream(channel: Channel) -> usize {
    match channel {
        Channel::Err => 1,
        _ => 0,
    }
}

#[cfg(test)]
pub(super) mod tests;
