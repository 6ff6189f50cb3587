//! The review of a ticket's work: whole screens at three sizes, and what its keys send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;
#[path = "console_review/scene.rs"]
mod scene;

use std::sync::Arc;

use console_support::{Bench, id, noon};
use koru_tui::console::{Effect, Message, RuntimeMessage, SystemMessage};
use koru_tui::plan::store::Plan;
use koru_tui::plan::ticket::Status;
use koru_tui::runtime::protocol::diff::{
    Body, Comment, Counted, DiffCommand, DiffEvent, DiffId, DiffRange, Listing, NotebookChange, Stat,
};
use koru_tui::runtime::protocol::review::{ReviewChoice, Source, Stage};
use koru_tui::runtime::protocol::{Command, Outcome, ProjectEvent, ReviewCommand};
use scene::{Answers, HEAD, bodies, listing, reviewed};

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
fn comments_that_cannot_be_marked_are_not_sent_twice_either() {
    let (mut bench, mut answers) = opened(120, 40);
    keys(&mut bench, &mut answers, r#"c "say which release" ctrl-s"#);
    answers.full = true;
    keys(&mut bench, &mut answers, "S");
    let shown = bench.screen();
    assert!(shown.contains("the comments were sent, but after a restart"), "{shown}");
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

/// A round is a part of the work: a comment on another part of it has not moved, and is sent from where it is seen.
#[test]
fn a_comment_that_a_round_does_not_show_is_not_stale() {
    let (mut bench, mut answers) = opened(120, 40);
    keys(&mut bench, &mut answers, r#"c "say which release" ctrl-s"#);
    bench.keys("]");
    let files: Vec<_> = listing().files.iter().skip(1).cloned().collect();
    let part = Arc::new(Listing { files: files.into(), ..listing() });
    bench.hear(RuntimeMessage::Diff(DiffEvent::Listed { id: DiffId(2), listing: part }));
    let shown = bench.screen();
    assert!(shown.contains("not here CHANGELOG.md:1") && !shown.contains("stale"), "{shown}");
    bench.requests();
    bench.keys("S");
    assert!(!bench.requests().iter().any(|(_, command)| matches!(command, Command::Review(_))));
    assert!(bench.screen().contains("look at the whole ticket to send"), "{}", bench.screen());
    bench.keys("m");
    assert!(!bench.screen().contains("which comment belongs to"), "{}", bench.screen());
}

/// The draft was made of the comment, so it takes its place; the two are not joined.
#[test]
fn a_stored_draft_of_a_kept_comment_takes_its_place() {
    let (mut bench, mut answers) = opened(120, 40);
    keys(&mut bench, &mut answers, r#"c "say which release" ctrl-s"#);
    bench.keys("c");
    let key = "comment-PLF-074-CHANGELOG.md:new:1-1".to_owned();
    let text = "say which release, and when".to_owned();
    bench.hear(RuntimeMessage::Project(ProjectEvent::Draft { key, text: text.clone() }));
    keys(&mut bench, &mut answers, "ctrl-s");
    assert_eq!(comments(&answers), [("CHANGELOG.md".to_owned(), 1, 1, text)]);
}

/// A file of the worktree may be counted in one state and read in the next: a comment is about what was read.
#[test]
fn a_comment_names_the_content_that_was_shown() {
    let (mut bench, mut answers) = opened(120, 40);
    let read = "7".repeat(40);
    let body = Body { new_blob: Some(read.clone()), ..bodies()[0].clone() };
    bench.hear(RuntimeMessage::Diff(DiffEvent::Body { id: DiffId(1), file: 0, body: Arc::new(body) }));
    keys(&mut bench, &mut answers, r#"c "say which release" ctrl-s"#);
    assert_eq!(answers.notebook.comments[0].anchor.blob, read);
    assert!(bench.screen().contains("you (not sent): say which release"), "{}", bench.screen());
}

/// A list of files that has an end says so, also where one decides on all of them.
#[test]
fn files_that_are_not_listed_are_told() {
    let (mut bench, _) = opened(120, 40);
    let cut = Arc::new(Listing { left_out: 7, ..listing() });
    bench.hear(RuntimeMessage::Diff(DiffEvent::Listed { id: DiffId(1), listing: cut }));
    assert!(bench.screen().contains("3 files and 7 more that are not listed"), "{}", bench.screen());
    bench.keys("A");
    assert!(bench.screen().contains("7 changed files are not listed here"), "{}", bench.screen());
}

/// What was mended had its line in the round before, where now something else may stand: that round is what is shown.
#[test]
fn a_finding_that_is_fixed_opens_at_its_line_in_the_round_that_it_was_found_in() {
    let mut bench = Bench::new(reviewed(), 120, 40);
    let mut answers = Answers::default();
    select(&mut bench);
    keys(&mut bench, &mut answers, "V j j enter");
    let opened: Vec<&DiffRange> = answers
        .seen
        .iter()
        .filter_map(|command| match command {
            Command::Diff(DiffCommand::Open { range, .. }) => Some(range),
            _ => None,
        })
        .collect();
    assert_eq!(opened, [&DiffRange::Between { from: 0, to: 1 }]);
    let shown = bench.screen();
    assert!(shown.contains("file 2/3") && shown.contains("base to round 1"), "{shown}");
    // The one that stands is gone to by its line.
    let mut bench = Bench::new(reviewed(), 120, 40);
    select(&mut bench);
    keys(&mut bench, &mut answers, "V enter");
    keys(&mut bench, &mut answers, r#"c "why?" ctrl-s"#);
    assert_eq!(comments(&answers), [("src/parser.rs".to_owned(), 23, 23, "why?".to_owned())]);
}

#[test]
fn a_finding_in_a_file_that_is_not_shown_is_said() {
    let mut bench = Bench::new(reviewed(), 120, 40);
    select(&mut bench);
    bench.keys("V enter");
    let others: Vec<_> =
        listing().files.iter().filter(|file| file.path != "src/parser.rs").cloned().collect();
    let without = Arc::new(Listing { files: others.into(), ..listing() });
    bench.hear(RuntimeMessage::Diff(DiffEvent::Listed { id: DiffId(1), listing: without }));
    assert!(bench.screen().contains("src/parser.rs is not part of this diff"), "{}", bench.screen());
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

/// What is decided is not asked for again, and the footer does not offer it.
#[test]
fn approved_and_finished_work_is_not_approved_once_more() {
    let (mut bench, mut answers) = opened(120, 40);
    let mut later = reviewed();
    later.revision = 2;
    let mut plan = Plan::clone(&later.plan);
    let over = plan.tickets.iter_mut().find(|ticket| ticket.id == id("PLF-074")).unwrap();
    Arc::make_mut(over).status = Status::Done;
    later.plan = Arc::new(plan);
    let review = later.reviews.get_mut(&id("PLF-074")).unwrap();
    Arc::make_mut(review).stage = Stage::Approved;
    bench.hear(RuntimeMessage::Snapshot(Arc::new(later)));
    let footer = bench.screen().lines().last().unwrap().to_owned();
    assert!(!footer.contains("A approve"), "{footer}");
    answers.seen.clear();
    keys(&mut bench, &mut answers, "A");
    assert!(bench.screen().contains("it is approved"), "{}", bench.screen());
    assert!(!answers.seen.iter().any(|command| matches!(command, Command::Review(_))));
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

/// Texts that are there need no event, so the search itself asks for the frames in which it goes on, and for no more.
#[test]
fn a_search_over_texts_that_are_there_goes_on_by_itself() {
    let (mut bench, mut answers) = opened(120, 40);
    keys(&mut bench, &mut answers, r#"N"#);
    keys(&mut bench, &mut answers, r#"N"#);
    keys(&mut bench, &mut answers, r#"P P / "nowhere at all" enter"#);
    bench.screen();
    assert!(!bench.console.is_dirty());
    bench.keys(".");
    assert!(bench.console.is_dirty(), "it is between two files");
    let shown = bench.screen();
    assert!(!bench.console.is_dirty() && shown.contains("no hit in this file"), "{shown}");
    assert!(shown.contains("file 1/3") && shown.contains("one"), "{shown}");
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
