//! An agent's stream through parser and assembler, against a bare loop that does the same parse.
//!
//! The streams are the captured 50,000-token replies, repeated in memory to at least [`BYTES`]. The bare loop decodes
//! every line with `serde_json` into one typed structure with the texts that the program needs (pieces, wholes, the
//! result), and hands on the text's lines, once: no tally, no keys, no limits, no recovery.

use std::borrow::Cow;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

use koru_tui::execute::agents::assemble::Assembler;
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::stream::parser;
use serde::Deserialize;

use crate::Options;
use crate::measure::{Report, interleave};

/// Bytes of one pass.
const BYTES: usize = 8 << 20;

/// Passes that count.
const ROUNDS: usize = 15;

/// The fields of a line that carry text, whichever agent wrote it.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow, rename = "type")]
    kind: Cow<'a, str>,
    content: Option<String>,
    event: Option<Event>,
    #[serde(rename = "assistantMessageEvent")]
    update: Option<Update>,
    item: Option<Item>,
    message: Option<Message>,
    result: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    delta: Option<Item>,
}

#[derive(Deserialize)]
struct Update {
    delta: Option<String>,
    content: Option<String>,
}

#[derive(Deserialize)]
struct Message {
    content: Option<Vec<Item>>,
}

#[derive(Deserialize)]
struct Item {
    text: Option<String>,
}

/// Parse and assemble at no less than 0.8 of the bare loop's rate.
pub fn streams(_: &Options, report: &mut Report) {
    for kind in [AgentKind::Claude, AgentKind::Pi, AgentKind::Gemini, AgentKind::Codex] {
        let stream = capture(kind);
        let (ours, bare) = interleave(ROUNDS, || assembled(kind, &stream), || decoded(&stream));
        let what = format!("{} of a {} stream: parse and assemble", megabytes(stream.len()), kind.word());
        report.rate(&what, &ours, "bare loop", &bare, stream.len(), 0.8);
    }
}

/// A size for people.
pub fn megabytes(bytes: usize) -> String {
    format!("{} MB", bytes / 1_000_000)
}

/// The captured reply of an agent, repeated.
pub fn capture(kind: AgentKind) -> Vec<u8> {
    let path = format!("tests/fixtures/agent-streams/{}/long_stream.jsonl.gz", kind.word());
    let packed = std::fs::File::open(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    bytes.repeat(BYTES.div_ceil(bytes.len()))
}

fn assembled(kind: AgentKind, stream: &[u8]) -> Duration {
    let started = Instant::now();
    let mut parser = parser(kind);
    let mut assembler = Assembler::default();
    let (mut events, mut lines, mut bytes) = (Vec::new(), Vec::new(), 0);
    for line in stream.split(|byte| *byte == b'\n') {
        parser.line(line, &mut events);
        for event in events.drain(..) {
            assembler.take(0, event, &mut lines);
        }
        // A session hands its lines on after each read.
        if lines.len() >= 64 {
            bytes += lines.drain(..).map(|line| line.text.len()).sum::<usize>();
        }
    }
    parser.end(&mut events);
    bytes += lines.iter().map(|line| line.text.len()).sum::<usize>();
    let took = started.elapsed();
    assert!(bytes > 0, "nothing was said");
    took
}

fn decoded(stream: &[u8]) -> Duration {
    let started = Instant::now();
    let mut bare = Bare::default();
    for line in stream.split(|byte| *byte == b'\n') {
        bare.line(line);
    }
    let took = started.elapsed();
    assert!(bare.bytes > 0, "nothing was read");
    took
}

/// The bare loop's work: decodes lines, and splits their texts into lines of their own.
#[derive(Default)]
struct Bare {
    /// Bytes of text.
    bytes: usize,
    open: String,
    lines: Vec<Box<str>>,
}

impl Bare {
    /// One line of a stream.
    fn line(&mut self, line: &[u8]) {
        let Ok(line) = serde_json::from_slice::<Line<'_>>(line) else { return };
        self.bytes += line.kind.len();
        // Wholes and results repeat what was said in pieces.
        let whole = line.update.as_ref().and_then(|update| update.content.as_ref());
        self.bytes += [line.result.as_ref(), whole].into_iter().flatten().map(String::len).sum::<usize>();
        let blocks = line.message.and_then(|message| message.content).unwrap_or_default();
        self.bytes += blocks.iter().filter_map(|block| block.text.as_ref()).map(String::len).sum::<usize>();
        let pieces = [
            line.content,
            line.event.and_then(|event| event.delta).and_then(|delta| delta.text),
            line.update.and_then(|update| update.delta),
            line.item.and_then(|item| item.text),
        ];
        for piece in pieces.into_iter().flatten() {
            let mut rest = piece.as_str();
            while let Some((head, tail)) = rest.split_once('\n') {
                self.open.push_str(head);
                self.lines.push(self.open.as_str().into());
                self.open.clear();
                rest = tail;
            }
            self.open.push_str(rest);
        }
        if self.lines.len() >= 64 {
            self.bytes += self.lines.drain(..).map(|line| line.len()).sum::<usize>();
        }
    }
}
