//! Texts that come in pieces, whole, or both: written line by line, each once.
//!
//! A text is known by its key. Of the pieces only their length and hash are kept, which is enough to tell whether the
//! whole that follows is the same; of the answer the text itself, up to [`ANSWER_LIMIT`].

use std::collections::VecDeque;
use std::sync::Arc;

use xxhash_rust::xxh3::{Xxh3, xxh3_64};

use super::{Sink, words};
use crate::execute::agents::event::Speech;
use crate::execute::lines::LINE_LIMIT;
use crate::execute::output::Channel;

/// Bytes of the answer that are kept.
pub(super) const ANSWER_LIMIT: usize = 1024 * 1024;

/// Texts that are open at a time; an agent has one or two, with a subagent a few more.
const OPEN: usize = 16;

/// Finished texts that are recognised when they are said again.
const CLOSED: usize = 64;

/// Bytes of a line that are held until it ends, with room for the words that say it was cut.
const HELD: usize = LINE_LIMIT - 64;

/// What was said and is not over.
#[derive(Debug, Default)]
pub(super) struct Speeches {
    open: Vec<Open>,
    closed: VecDeque<Arc<str>>,
    answer: Option<Answer>,
}

struct Open {
    key: Arc<str>,
    channel: Channel,
    block: u32,
    aside: bool,
    /// Bytes that came in pieces, and their hash.
    length: usize,
    hash: Xxh3,
    line: Line,
    /// Nothing of it was written yet.
    fresh: bool,
}

impl std::fmt::Debug for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Open").field("key", &self.key).field("length", &self.length).finish_non_exhaustive()
    }
}

/// The line that is being written.
#[derive(Debug, Default)]
struct Line {
    text: String,
    dropped: usize,
}

#[derive(Debug)]
struct Answer {
    key: Arc<str>,
    text: String,
}

impl Speeches {
    /// Takes a piece or a whole of a text.
    pub(super) fn say(&mut self, channel: Channel, speech: Speech, sink: &mut Sink<'_>) {
        if speech.text.is_empty() {
            return;
        }
        let known =
            self.open.iter().rposition(|open| Arc::ptr_eq(&open.key, &speech.key) || open.key == speech.key);
        if known.is_none() && self.closed.contains(&speech.key) {
            return;
        }
        if channel == Channel::Text && !speech.aside {
            self.remember(&speech);
        }
        let at = known.unwrap_or_else(|| self.begin(channel, &speech, sink));
        if !speech.whole {
            return self.open[at].piece(&speech.text, sink);
        }
        let mut open = self.open.remove(at);
        match open.rest(&speech.text) {
            Some(rest) => open.write(rest, sink),
            None => {
                open.flush(sink);
                sink.line(
                    Channel::Note,
                    "[the text above was taken back; what the agent says it is follows]",
                    0,
                );
                open.write(&speech.text, sink);
            }
        }
        open.flush(sink);
        self.close(open.key);
    }

    fn begin(&mut self, channel: Channel, speech: &Speech, sink: &mut Sink<'_>) -> usize {
        for other in self.open.iter_mut().filter(|other| other.aside == speech.aside) {
            other.flush(sink);
        }
        if self.open.len() == OPEN {
            let mut oldest = self.open.remove(0);
            oldest.flush(sink);
            self.close(oldest.key);
        }
        // A subagent's words are to the main one what a tool's output is.
        let channel = if speech.aside && channel == Channel::Text { Channel::ToolOutput } else { channel };
        let block = if channel == Channel::Text { 0 } else { sink.block() };
        self.open.push(Open {
            key: speech.key.clone(),
            channel,
            block,
            aside: speech.aside,
            length: 0,
            hash: Xxh3::new(),
            line: Line::default(),
            fresh: true,
        });
        self.open.len() - 1
    }

    fn remember(&mut self, speech: &Speech) {
        match &mut self.answer {
            Some(answer) if !speech.whole && answer.key == speech.key => push(&mut answer.text, &speech.text),
            answer => {
                let mut text = String::new();
                push(&mut text, &speech.text);
                *answer = Some(Answer { key: speech.key.clone(), text });
            }
        }
    }

    fn close(&mut self, key: Arc<str>) {
        if self.closed.len() == CLOSED {
            self.closed.pop_front();
        }
        self.closed.push_back(key);
    }

    /// Something else is to be written: what is open in the main text becomes a line as it is.
    pub(super) fn interrupt(&mut self, sink: &mut Sink<'_>) {
        for open in self.open.iter_mut().filter(|open| !open.aside) {
            open.flush(sink);
        }
    }

    /// The reply is over: nothing that was said in it is taken back any more.
    pub(super) fn settle(&mut self, sink: &mut Sink<'_>) {
        self.interrupt(sink);
        let (over, kept): (Vec<_>, Vec<_>) = self.open.drain(..).partition(|open| !open.aside);
        self.open = kept;
        for open in over {
            self.close(open.key);
        }
    }

    /// What is open in the main text was cut off and counts for nothing. Says so; `false` if nothing was open.
    pub(super) fn void(&mut self, sink: &mut Sink<'_>) -> bool {
        self.interrupt(sink);
        let (void, kept): (Vec<_>, Vec<_>) = self.open.drain(..).partition(|open| !open.aside);
        self.open = kept;
        if self.answer.as_ref().is_some_and(|answer| void.iter().any(|open| open.key == answer.key)) {
            self.answer = None;
        }
        let any = !void.is_empty();
        for open in void {
            self.close(open.key);
        }
        if any {
            sink.line(Channel::Note, "[the reply above was cut off and does not count]", 0);
        }
        any
    }

    /// The stream is over.
    pub(super) fn end(&mut self, sink: &mut Sink<'_>) {
        for mut open in self.open.drain(..) {
            open.flush(sink);
        }
    }

    pub(super) fn partial(&self) -> Option<(Channel, &str)> {
        let mut writing = self.open.iter().rev().filter(|open| !open.line.text.is_empty());
        let first = writing.next()?;
        let open = if first.aside { writing.find(|open| !open.aside).unwrap_or(first) } else { first };
        Some((open.channel, &open.line.text))
    }

    #[cfg(test)]
    pub(super) fn open_texts(&self) -> usize {
        self.open.len()
    }

    pub(super) fn answer(&self) -> Option<&str> {
        self.answer.as_ref().map(|answer| answer.text.as_str())
    }
}

impl Open {
    fn piece(&mut self, text: &str, sink: &mut Sink<'_>) {
        self.length += text.len();
        self.hash.update(text.as_bytes());
        self.write(text, sink);
    }

    /// What of the whole was not said in pieces; `None` if the pieces were something else.
    fn rest<'a>(&self, whole: &'a str) -> Option<&'a str> {
        let (said, rest) = (whole.get(..self.length)?, whole.get(self.length..)?);
        (xxh3_64(said.as_bytes()) == self.hash.digest()).then_some(rest)
    }

    fn write(&mut self, text: &str, sink: &mut Sink<'_>) {
        let mut rest = text;
        while let Some(end) = memchr::memchr(b'\n', rest.as_bytes()) {
            // A line that came in one piece is not copied together first.
            if self.line.text.is_empty() && end <= HELD {
                self.emit(&rest[..end], sink);
            } else {
                self.hold(&rest[..end]);
                self.end_line(sink);
            }
            rest = &rest[end + 1..];
        }
        self.hold(rest);
    }

    fn hold(&mut self, text: &str) {
        let room = HELD.saturating_sub(self.line.text.len());
        let fits = if self.line.dropped > 0 { "" } else { words::prefix(text, room) };
        self.line.text.push_str(fits);
        self.line.dropped += text.len() - fits.len();
    }

    /// Writes the line as it is, if there is anything in it.
    fn flush(&mut self, sink: &mut Sink<'_>) {
        if !self.line.text.is_empty() {
            self.end_line(sink);
        }
    }

    fn end_line(&mut self, sink: &mut Sink<'_>) {
        let mut text = std::mem::take(&mut self.line.text);
        let dropped = std::mem::take(&mut self.line.dropped);
        if dropped > 0 {
            text.push_str(&format!(" … [line cut: {dropped} more bytes]"));
        }
        self.emit(&text, sink);
        // The room is used again: a line has to be copied to its final size anyway.
        text.clear();
        self.line.text = text;
    }

    fn emit(&mut self, text: &str, sink: &mut Sink<'_>) {
        let text = text.strip_suffix('\r').unwrap_or(text);
        if std::mem::take(&mut self.fresh) && self.channel == Channel::ToolOutput {
            sink.line(self.channel, format!("subagent: {text}"), self.block);
        } else {
            sink.line(self.channel, text, self.block);
        }
    }
}

fn push(text: &mut String, more: &str) {
    let room = ANSWER_LIMIT.saturating_sub(text.len());
    text.push_str(words::prefix(more, room));
}
