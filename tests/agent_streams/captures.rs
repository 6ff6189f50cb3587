//! The captured streams, and one of them run through parser and assembler.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use koru_tui::execute::agents::assemble::Assembler;
use koru_tui::execute::agents::event::{AgentEvent, Finish};
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::stream::parser;
use koru_tui::execute::agents::tally::Tally;
use koru_tui::execute::agents::verdict::{Exit, Judgement, judge};
use koru_tui::execute::output::OutputLine;

/// One captured run.
pub(crate) struct Capture {
    pub(crate) kind: AgentKind,
    pub(crate) scenario: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) exit: Exit,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/agent-streams")
}

fn exits() -> serde_json::Value {
    serde_json::from_slice(&std::fs::read(folder().join("exits.json")).unwrap()).unwrap()
}

/// All captures of that agent, in order of their names.
pub(crate) fn captures(kind: AgentKind) -> Vec<Capture> {
    let exits = exits();
    let scenarios = exits[kind.word()].as_object().unwrap().keys();
    scenarios.map(|scenario| Capture::read(kind, scenario)).collect()
}

impl Capture {
    pub(crate) fn read(kind: AgentKind, scenario: &str) -> Self {
        let folder = folder().join(kind.word());
        let end = if kind == AgentKind::Aider { "txt" } else { "jsonl" };
        let plain = folder.join(format!("{scenario}.{end}"));
        let bytes = std::fs::read(&plain).unwrap_or_else(|_| {
            let packed = std::fs::File::open(plain.with_extension(format!("{end}.gz"))).unwrap();
            let mut bytes = Vec::new();
            flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
            bytes
        });
        let exit = &exits()[kind.word()][scenario];
        let number = |key: &str| exit[key].as_i64().map(|n| i32::try_from(n).unwrap());
        Self {
            kind,
            scenario: scenario.to_owned(),
            bytes,
            exit: Exit { code: number("code"), signal: number("signal") },
        }
    }
}

/// What came of a stream.
pub(crate) struct Run {
    pub(crate) lines: Vec<OutputLine>,
    pub(crate) tally: Tally,
    pub(crate) answer: Option<String>,
    pub(crate) finish: Option<Finish>,
    assembler: Assembler,
}

impl Run {
    pub(crate) fn of(capture: &Capture) -> Self {
        Self::after(capture, None)
    }

    /// A run that goes on with a conversation.
    pub(crate) fn after(capture: &Capture, before: Option<&Tally>) -> Self {
        let mut parser = parser(capture.kind);
        let mut assembler = Assembler::new(before, None);
        let mut events = Vec::new();
        let mut lines = Vec::new();
        let bytes = capture.bytes.strip_suffix(b"\n").unwrap_or(&capture.bytes);
        for line in bytes.split(|byte| *byte == b'\n') {
            parser.line(line, &mut events);
            take(&mut assembler, &mut events, &mut lines);
        }
        parser.end(&mut events);
        take(&mut assembler, &mut events, &mut lines);
        assembler.finish(0, &mut lines);
        Self {
            lines,
            tally: assembler.tally().clone(),
            answer: assembler.answer().map(str::to_owned),
            finish: assembler.finish_said().cloned(),
            assembler,
        }
    }

    /// The verdict, with the capture's exit, at the beginning of time.
    pub(crate) fn judged(&self, capture: &Capture) -> Judgement {
        judge(&self.assembler.signs(), capture.exit, "", jiff::Timestamp::UNIX_EPOCH)
    }
}

fn take(assembler: &mut Assembler, events: &mut Vec<AgentEvent>, lines: &mut Vec<OutputLine>) {
    for event in events.drain(..) {
        assembler.take(0, event, lines);
    }
}
