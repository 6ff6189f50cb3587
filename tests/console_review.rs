//! The review of a ticket's work: whole screens at three sizes, and what its keys send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;

use std::sync::Arc;

use console_support::{Bench, busy, id, noon};
use koru_tui::console::{Effect, Message, RuntimeMessage, SystemMessage};
use koru_tui::runtime::protocol::diff::{
    Body, Comment, Counted, DiffCommand, DiffEvent, DiffId, DiffRange, FileChange, FileEntry, Lines, Listing,
    Notebook, NotebookChange, Stat,
};
use koru_tui::runtime::protocol::review::{
    Decision, Finding, Review, ReviewChoice, Round, Severity, Source, Stage, Verdict, Wait,
};
use koru_tui::runtime::protocol::{Command, Outcome, RequestId, ReviewCommand, Snapshot};
use koru_tui::verify::diff::blocks;

const HEAD: &str = "a81b7d0000000000000000000000000000000000";
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

fn body(old: &str, new: &str) -> Body {
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

fn bodies() -> [Body; 3] {
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

fn listing() -> Listing {
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
        end_line: None,
        reason: reason.to_owned(),
        required_change: None,
        source: Source::Reviewer { name: "codex".to_owned() },
        dimension: None,
        confidence: None,
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
fn reviewed() -> Snapshot {
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
    };
    snapshot.reviews.insert(id("PLF-074"), Arc::new(review));
    // Its last round is over.
    snapshot.runs.retain(|run| run.ticket != id("PLF-074"));
    snapshot
}

/// What a runtime would say: to each command its answer. Keeps the notebook.
#[derive(Default)]
struct Answers {
    notebook: Notebook,
    seen: Vec<Command>,
}

impl Answers {
    fn serve(&mut self, bench: &mut Bench) {
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

    fn answer(&mut self, bench: &mut Bench, request: RequestId, command: &Command) {
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

/// The review of PLF-074, opened by its key.
fn opened(width: u16, height: u16) -> (Bench, Answers) {
    let mut bench = Bench::new(reviewed(), width, height);
    let mut answers = Answers::default();
    select(&mut bench);
    bench.keys("d");
    answers.serve(&mut bench);
    (bench, answers)
}

/// A ticket that nobody worked on has nothing to show: the reason is said where the operator is, and the board stays.
#[test]
fn a_diff_that_cannot_be_opened_says_why_on_the_board() {
    let mut bench = Bench::new(reviewed(), 120, 40);
    select(&mut bench);
    bench.keys("d");
    let (request, _) = bench
        .requests()
        .into_iter()
        .find(|(_, command)| matches!(command, Command::Diff(DiffCommand::Open { .. })))
        .unwrap();
    bench.reply(request, Outcome::Refused { message: "no agent has worked on it".to_owned() });
    let screen = bench.screen();
    assert!(screen.contains("no agent has worked on it") && screen.contains("QUEUE"), "{screen}");
    bench.keys("d");
    assert!(!bench.screen().contains("QUEUE"));
}

/// Selects PLF-074 by filtering for it.
fn select(bench: &mut Bench) {
    bench.keys(r#"/ "PLF-074" enter"#);
}

fn keys(bench: &mut Bench, answers: &mut Answers, script: &str) {
    bench.keys(script);
    answers.serve(bench);
}

fn comments(answers: &Answers) -> Vec<(String, u32, u32, String)> {
    let told = |comment: &Comment| (comment.file.clone(), comment.first, comment.last, comment.text.clone());
    answers.notebook.comments.iter().map(told).collect()
}

#[test]
fn the_review_at_three_sizes() {
    for (width, height) in [(80, 24), (120, 40), (200, 60)] {
        let (mut bench, mut answers) = opened(width, height);
        keys(&mut bench, &mut answers, "N");
        insta::assert_snapshot!(format!("review_{width}x{height}"), bench.screen());
        keys(&mut bench, &mut answers, "s");
        insta::assert_snapshot!(format!("review_split_{width}x{height}"), bench.screen());
    }
}

#[test]
fn the_stat_stands_there_before_any_text() {
    let mut bench = Bench::new(reviewed(), 120, 40);
    select(&mut bench);
    bench.keys("d");
    let waiting = bench.screen();
    assert!(waiting.contains("comparing…"), "{waiting}");
    let id = DiffId(1);
    bench.hear(RuntimeMessage::Diff(DiffEvent::Listed { id, listing: Arc::new(listing()) }));
    let listed = bench.screen();
    assert!(listed.contains("src/parser.rs") && listed.contains("3 files"), "{listed}");
    let counted = Counted { file: 1, stat: Stat::Text { added: 7, removed: 5 }, new_blob: None };
    bench.hear(RuntimeMessage::Diff(DiffEvent::Counted { id, counted: vec![counted], hash: None }));
    let counted = bench.screen();
    assert!(counted.contains("+7 −5") && counted.contains("counting…"), "{counted}");
    // An answer for a view that is closed changes nothing.
    bench.hear(RuntimeMessage::Diff(DiffEvent::Listed {
        id: DiffId(9),
        listing: Arc::new(Listing { files: [].into(), ..listing() }),
    }));
    assert!(bench.screen().contains("src/parser.rs"));
}

#[test]
fn comments_on_two_files_are_kept_at_once_and_sent_once() {
    let (mut bench, mut answers) = opened(120, 40);
    keys(&mut bench, &mut answers, r#"c "say which release" ctrl-s"#);
    keys(&mut bench, &mut answers, r#"N"#);
    keys(&mut bench, &mut answers, r#"j v j c "why one byte more?" ctrl-s"#);
    let text = |text: &str| text.to_owned();
    let both = [
        (text("CHANGELOG.md"), 1, 1, text("say which release")),
        (text("src/parser.rs"), 22, 23, text("why one byte more?")),
    ];
    assert_eq!(comments(&answers), both);
    let shown = bench.screen();
    assert!(shown.contains("you (not sent): why one byte more?"), "{shown}");
    answers.seen.clear();
    keys(&mut bench, &mut answers, "S");
    let sent: Vec<&Command> =
        answers.seen.iter().filter(|command| matches!(command, Command::Review(_))).collect();
    let [Command::Review(ReviewCommand::SendFindings { ticket, seen, findings })] = sent[..] else {
        panic!("{sent:?}")
    };
    assert_eq!((ticket, seen.as_str()), (&id("PLF-074"), HEAD));
    let places: Vec<_> = findings.iter().map(|finding| finding.place().unwrap()).collect();
    assert_eq!(places, ["CHANGELOG.md:1", "src/parser.rs:22-23"]);
    assert!(
        findings.iter().all(|finding| finding.blocking && matches!(finding.source, Source::Operator { .. }))
    );
    assert!(answers.notebook.comments.iter().all(|comment| comment.sent == Some(noon())));
    answers.seen.clear();
    keys(&mut bench, &mut answers, "S");
    assert_eq!(answers.seen, [], "nothing is sent twice");
}

#[test]
fn a_comment_whose_code_moved_is_stale_and_is_put_elsewhere_by_hand_only() {
    let (mut bench, mut answers) = opened(120, 40);
    keys(&mut bench, &mut answers, "N");
    keys(&mut bench, &mut answers, r#"j c "why?" ctrl-s"#);
    let comment = &mut answers.notebook.comments[0];
    comment.anchor.blob = "9".repeat(40);
    comment.anchor.lines[0] = "something else stood here".to_owned();
    keys(&mut bench, &mut answers, "esc d");
    let shown = bench.screen();
    assert!(shown.contains("stale src/parser.rs:22") && !shown.contains("you (not sent)"), "{shown}");
    answers.seen.clear();
    keys(&mut bench, &mut answers, "S");
    assert!(!answers.seen.iter().any(|command| matches!(command, Command::Review(_))));
    assert!(bench.screen().contains("moved"), "{}", bench.screen());
    keys(&mut bench, &mut answers, "m enter");
    assert_eq!(comments(&answers), [("CHANGELOG.md".to_owned(), 1, 1, "why?".to_owned())]);
    assert!(bench.screen().contains("you (not sent): why?"));
    keys(&mut bench, &mut answers, "x y");
    assert_eq!(comments(&answers), []);
}

#[test]
fn decisions_take_two_keys_and_name_the_commit_that_was_shown() {
    let decided = |script: &str| -> Vec<Command> {
        let (mut bench, mut answers) = opened(120, 40);
        answers.seen.clear();
        keys(&mut bench, &mut answers, script);
        answers.seen.into_iter().filter(|command| matches!(command, Command::Review(_))).collect()
    };
    let decide = |choice: ReviewChoice| {
        Command::Review(ReviewCommand::Decide { ticket: id("PLF-074"), seen: HEAD.to_owned(), choice })
    };
    assert_eq!(decided("A"), []);
    assert_eq!(decided("A A"), []);
    assert_eq!(decided("A y"), [decide(ReviewChoice::Accept)]);
    assert_eq!(decided("R ctrl-s"), []);
    let reason = "it is slow".to_owned();
    assert_eq!(decided(r#"R "it is slow" ctrl-s"#), [decide(ReviewChoice::Reject { reason })]);
    // What is shown is not what would be decided on.
    assert_eq!(decided("] A y"), []);
}

#[test]
fn findings_rounds_and_files_are_walked_through() {
    let (mut bench, mut answers) = opened(120, 40);
    keys(&mut bench, &mut answers, "f");
    let shown = bench.screen();
    assert!(shown.contains("file 2/3") && shown.contains("name this `crlf`"), "{shown}");
    keys(&mut bench, &mut answers, "f");
    assert!(bench.screen().contains("file 3/3"), "{}", bench.screen());
    keys(&mut bench, &mut answers, "P p");
    assert!(bench.screen().contains("file 1/3"), "{}", bench.screen());
    answers.seen.clear();
    keys(&mut bench, &mut answers, "] w");
    let opened: Vec<_> = answers
        .seen
        .iter()
        .filter_map(|command| match command {
            Command::Diff(DiffCommand::Open { range, whitespace, .. }) => Some((range.clone(), *whitespace)),
            _ => None,
        })
        .collect();
    let first = DiffRange::Round { number: 1 };
    assert_eq!(opened, [(first.clone(), true), (first, false)]);
    keys(&mut bench, &mut answers, "space");
    let viewed = NotebookChange::Viewed { file: "CHANGELOG.md".to_owned(), blob: Some("1".repeat(40)) };
    assert!(answers.seen.iter().any(|command| matches!(
        command,
        Command::Diff(DiffCommand::Note { change, .. }) if *change == viewed
    )));
    assert!(bench.screen().contains("viewed 1/3"));
}

#[test]
fn searching_goes_to_hits_and_opens_what_is_folded() {
    let (mut bench, mut answers) = opened(120, 40);
    keys(&mut bench, &mut answers, r#"N / "line 3 of" enter"#);
    let shown = bench.screen();
    assert!(shown.contains("// line 3 of the parser"), "{shown}");
    // Beyond the last hit it goes on in the other files, and round.
    keys(&mut bench, &mut answers, r#"esc / "c" enter"#);
    for (key, at) in [(".", "file 3/3"), (".", "file 2/3"), (",", "file 3/3")] {
        keys(&mut bench, &mut answers, key);
        assert!(bench.screen().contains(at), "{key}:\n{}", bench.screen());
    }
    keys(&mut bench, &mut answers, r#"esc / "nowhere at all" enter ."#);
    assert!(bench.screen().contains("no hit in this file"), "{}", bench.screen());
    keys(&mut bench, &mut answers, "esc N P e");
    assert!(!bench.screen().contains("lines\n"), "{}", bench.screen());
}

#[test]
fn colours_come_later_and_change_no_character() {
    let mut bench = Bench::new(reviewed(), 120, 40);
    select(&mut bench);
    bench.keys("d");
    let mut answers = Answers::default();
    let mut jobs = Vec::new();
    for _ in 0..4 {
        let effects = std::mem::take(&mut bench.effects);
        for effect in effects {
            match effect {
                Effect::Send { request, command } => answers.answer(&mut bench, request, &command),
                Effect::PaintPart(job) => jobs.push(job),
                _ => {}
            }
        }
        bench.keys("N");
    }
    let before = bench.screen();
    assert!(!jobs.is_empty());
    for job in jobs {
        let painted = job.paint();
        bench.tell(Message::System(SystemMessage::PaintedPart(painted)));
    }
    assert_eq!(bench.screen(), before);
    assert!(!before.contains('\u{1b}') && !before.contains('\u{202e}'));
}
