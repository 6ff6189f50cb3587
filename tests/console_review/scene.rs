//! A ticket that went through two rounds, its diff of three files, and what a runtime would answer about it.

use std::sync::Arc;

use koru_tui::console::RuntimeMessage;
use koru_tui::runtime::protocol::diff::{
    Body, Counted, DiffCommand, DiffEvent, FileChange, FileEntry, Lines, Listing, Notebook, NotebookChange,
    Stat,
};
use koru_tui::runtime::protocol::review::{
    Decision, Finding, Review, Round, Severity, Source, Stage, Verdict, Wait,
};
use koru_tui::runtime::protocol::{Command, Outcome, RequestId, Snapshot};
use koru_tui::verify::diff::blocks;

use crate::console_support::{Bench, busy, id};

pub(crate) const HEAD: &str = "a81b7d0000000000000000000000000000000000";
const BASE: &str = "3f9c2e1000000000000000000000000000000000";

fn old_parser() -> String {
    let above: String = (1..=20).map(|line| format!("// line {line} of the parser\n")).collect();
    above
        + "fn next_line(&mut self) -> Option<&'a [u8]> {\n    let end = self.buf.find('\\n')?;\n    Some(end)\n}\n"
}

fn new_parser() -> String {
    old_parser().replace(
        "    let end = self.buf.find('\\n')?;\n",
        "    let end = memchr2(b'\\r', b'\\n', self.buf)?;\n    let skip = usize::from(self.buf[end..].starts_with(b\"\\r\\n\"));\n",
    )
}

pub(crate) fn body(old: &str, new: &str) -> Body {
    let blocks = blocks(old.as_bytes(), new.as_bytes(), true).unwrap();
    let added = blocks.iter().map(|block| block.new_len).sum();
    let removed = blocks.iter().map(|block| block.old_len).sum();
    Body {
        stat: Stat::Text { added, removed },
        new_blob: None,
        old: Arc::new(Lines::of(old.to_owned())),
        new: Arc::new(Lines::of(new.to_owned())),
        blocks: blocks.into(),
    }
}

pub(crate) fn bodies() -> [Body; 3] {
    [body("", "one\ntwo \u{1b}[2J\u{202e}\n"), body(&old_parser(), &new_parser()), body("a\nb\n", "a\nc\n")]
}

fn entry(path: &str, change: FileChange, digit: char) -> FileEntry {
    let blob = |digit: char| Some(digit.to_string().repeat(40));
    let added = change == FileChange::Added;
    FileEntry {
        path: path.to_owned(),
        old_path: None,
        change,
        old_mode: (!added).then_some(0o100_644),
        new_mode: Some(0o100_644),
        old_blob: if added { None } else { blob('0') },
        new_blob: blob(digit),
    }
}

pub(crate) fn listing() -> Listing {
    Listing {
        base: BASE.to_owned(),
        head: Some(HEAD.to_owned()),
        files: [
            entry("CHANGELOG.md", FileChange::Added, '1'),
            entry("src/parser.rs", FileChange::Modified, '2'),
            entry("tests/parser.rs", FileChange::Modified, '3'),
        ]
        .into(),
        left_out: 0,
    }
}

fn finding(file: &str, line: u32, severity: Severity, reason: &str) -> Finding {
    Finding {
        id: Finding::key(Some(file), reason),
        severity,
        blocking: severity >= Severity::High,
        file: Some(file.to_owned()),
        line: Some(line),
        ..Finding::blocking(reason, Source::Reviewer { name: "codex".to_owned() })
    }
}

fn round(number: u32, head: &str, findings: Vec<Finding>) -> Round {
    let verdict = Verdict {
        decision: Decision::ChangesRequired,
        summary: String::new(),
        findings,
        by: Source::Reviewer { name: "codex".to_owned() },
        head: Some(head.to_owned()),
    };
    Round {
        number,
        from: BASE.to_owned(),
        head: Some(head.to_owned()),
        fixes: Vec::new(),
        worker: None,
        gates: Vec::new(),
        reviewer: None,
        verdict: Some(verdict),
    }
}

/// The busy board with a ticket that went through two rounds.
pub(crate) fn reviewed() -> Snapshot {
    let mut snapshot = busy();
    let gone = finding("src/parser.rs", 22, Severity::High, "CR alone ends a line too");
    let left = finding("src/parser.rs", 23, Severity::High, "name this `crlf` and say why one byte more");
    let other = finding("tests/parser.rs", 2, Severity::Low, "the name says nothing");
    let review = Review {
        ticket: id("PLF-074"),
        max_rounds: 3,
        base: BASE.to_owned(),
        rounds: vec![round(1, &"1".repeat(40), vec![gone]), round(2, HEAD, vec![left, other])],
        stage: Stage::Waiting { why: Wait::MaxRounds },
        reviewer: None,
        gated: None,
    };
    snapshot.reviews.insert(id("PLF-074"), Arc::new(review));
    // Its last round is over.
    snapshot.runs.retain(|run| run.ticket != id("PLF-074"));
    snapshot
}

/// What a runtime would say: to each command its answer. Keeps the notebook.
#[derive(Default)]
pub(crate) struct Answers {
    pub(crate) notebook: Notebook,
    pub(crate) seen: Vec<Command>,
    /// The notebook cannot be told that comments were sent.
    pub(crate) full: bool,
}

impl Answers {
    pub(crate) fn serve(&mut self, bench: &mut Bench) {
        loop {
            let asked = bench.requests();
            if asked.is_empty() {
                return;
            }
            for (request, command) in asked {
                self.answer(bench, request, &command);
                self.seen.push(command);
            }
            bench.screen();
        }
    }

    pub(crate) fn answer(&mut self, bench: &mut Bench, request: RequestId, command: &Command) {
        let say = |bench: &mut Bench, event| bench.hear(RuntimeMessage::Diff(event));
        if let Command::Diff(command) = command {
            match command {
                DiffCommand::Open { id, .. } => {
                    say(bench, DiffEvent::Listed { id: *id, listing: Arc::new(listing()) });
                    let counted = bodies().into_iter().zip(0..).map(|(body, file)| Counted {
                        file,
                        stat: body.stat,
                        new_blob: None,
                    });
                    let hash = Some("f".repeat(64));
                    say(bench, DiffEvent::Counted { id: *id, counted: counted.collect(), hash });
                }
                DiffCommand::Body { id, file } => {
                    let body = Arc::new(bodies()[*file as usize].clone());
                    say(bench, DiffEvent::Body { id: *id, file: *file, body });
                }
                DiffCommand::Note { change: NotebookChange::Sent { .. }, .. } if self.full => {
                    let message = "no room".to_owned();
                    return bench.reply(request, Outcome::Refused { message });
                }
                DiffCommand::Note { ticket, change } => {
                    self.notebook.apply(change.clone());
                    let notes = Arc::new(self.notebook.clone());
                    say(bench, DiffEvent::Notes { ticket: ticket.clone(), notes });
                }
                DiffCommand::Close { .. } => {}
            }
        }
        bench.reply(request, Outcome::Done { ticket: None, run: None });
    }
}
