//! What stands at lines besides the text: findings of reviews and comments of the operator, as rows.
//!
//! A finding stands at its line only where the shown commit is the one that was judged; elsewhere it stands at the head
//! of its file with the line and the round that it was about, since the line may be another one now.

use std::sync::Arc;

use crate::base::text::safe_block;
use crate::console::state::verdict::{said_in, shape};
use crate::console::theme::Role;
use crate::console::view::text::wrap;
use crate::runtime::protocol::Review;
use crate::runtime::protocol::diff::{Comment, DiffRange, Lines, Standing, TextSide};
use crate::runtime::protocol::review::{Finding, Progress, Source};

use super::ReviewScreen;
use super::layout::NoteAt;

/// Rows of one note that are shown.
const ROWS: usize = 12;

/// What a note is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// A finding, by its id.
    Finding(String),
    /// A comment, by its id.
    Comment(String),
}

/// A note of the shown file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Note {
    pub(crate) what: What,
    /// Line from 0.
    pub(crate) at: Option<(TextSide, u32)>,
    pub(crate) rows: Vec<(String, Role)>,
}

impl Note {
    pub(crate) fn place(&self) -> NoteAt {
        NoteAt { at: self.at, height: self.rows.len() }
    }
}

/// A finding as it is listed.
#[derive(Clone, Debug)]
pub(crate) struct Listed<'a> {
    pub(crate) finding: &'a Finding,
    pub(crate) progress: Progress,
    /// The round whose reviewer said it.
    pub(crate) round: u32,
    /// Its line is a line of what is shown.
    pub(crate) exact: bool,
}

/// The findings that belong to what a screen shows: those of the last judged round in its range.
pub(crate) fn findings<'a>(screen: &ReviewScreen, review: Option<&'a Arc<Review>>) -> Vec<Listed<'a>> {
    let Some(review) = review else { return Vec::new() };
    let last = match screen.range {
        DiffRange::Round { number } | DiffRange::Between { to: number, .. } => number,
        DiffRange::Whole | DiffRange::WorkingTree => u32::MAX,
    };
    let judged = review.rounds.iter().rev().find(|round| round.number <= last && round.verdict.is_some());
    let Some(round) = judged else { return Vec::new() };
    let shown = screen.listing.as_ref().and_then(|listing| listing.head.as_ref());
    let mut found: Vec<Listed<'a>> = review
        .progress(round.number)
        .into_iter()
        .map(|(progress, finding)| {
            let said = said_in(review, &finding.id).filter(|_| progress == Progress::Fixed);
            let said = said.unwrap_or(round.number);
            let exact = progress != Progress::Fixed && shown.is_some() && round.head.as_ref() == shown;
            Listed { finding, progress, round: said, exact }
        })
        .collect();
    found.sort_by_key(|listed| {
        (
            listed.progress == Progress::Fixed,
            std::cmp::Reverse(listed.finding.severity),
            listed.finding.file.clone(),
        )
    });
    found
}

/// Where a comment stands in what a screen shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stands {
    /// At its lines.
    Here,
    /// The code moved, or its file is gone.
    Stale,
    /// Its file was not looked into yet.
    Unknown,
    /// Only a part of the work is shown, and its lines are not in that part; nothing says that they moved.
    Elsewhere,
}

/// Where a comment stands in what a screen shows: its file's place, and whether the code is still there.
pub(crate) fn standing(screen: &ReviewScreen, comment: &Comment) -> (Option<usize>, Stands) {
    // A round has other texts on both sides than the whole work: what is missing in it may well be there.
    let moved = match screen.range {
        DiffRange::Whole | DiffRange::WorkingTree => Stands::Stale,
        DiffRange::Round { .. } | DiffRange::Between { .. } => Stands::Elsewhere,
    };
    let Some(file) = screen.file_at(&comment.file) else {
        let known = screen.listing.is_some();
        return (None, if known { moved } else { Stands::Unknown });
    };
    let body = screen.bodies.get(file);
    let text: Option<&Lines> = body.map(|body| match comment.side {
        TextSide::Old => &*body.old,
        TextSide::New => &*body.new,
    });
    let blob = screen.blob_of(file, comment.side);
    // A file of the worktree has no id before it was read.
    let unread = blob.is_none() && comment.side == TextSide::New && screen.stat(file).is_none();
    let standing = if unread { Standing::Unknown } else { comment.standing(blob, text) };
    let stands = match standing {
        Standing::Here => Stands::Here,
        Standing::Unknown => Stands::Unknown,
        Standing::Stale => moved,
    };
    (Some(file), stands)
}

/// The notes of the shown file as rows of `width` columns.
pub(crate) fn of_file(
    screen: &ReviewScreen,
    review: Option<&Arc<Review>>,
    glyphs: &crate::console::glyphs::Glyphs,
    width: usize,
) -> Vec<Note> {
    let Some(entry) = screen.entry() else { return Vec::new() };
    let mut notes = Vec::new();
    for listed in findings(screen, review) {
        if listed.finding.file.as_deref() == Some(entry.path.as_str()) {
            notes.push(finding_note(&listed, glyphs, width));
        }
    }
    for comment in screen.notebook.comments.iter().filter(|comment| comment.file == entry.path) {
        if standing(screen, comment).1 != Stands::Here {
            continue;
        }
        let (role, word) = match comment.sent {
            None => (Role::NeedsYou, "not sent"),
            Some(_) => (Role::Dim, "sent"),
        };
        let head = format!("{} you ({word}): {}", glyphs.operator, comment.text);
        let at = Some((comment.side, comment.last.saturating_sub(1)));
        notes.push(Note { what: What::Comment(comment.id.clone()), at, rows: rows(&head, role, width) });
    }
    notes
}

fn finding_note(listed: &Listed<'_>, glyphs: &crate::console::glyphs::Glyphs, width: usize) -> Note {
    let finding = listed.finding;
    let (glyph, word, role) = shape(listed.progress, finding, glyphs);
    let line = finding.line.filter(|_| listed.exact).map(|line| line.max(1) - 1);
    let place = match (line, finding.line) {
        (None, Some(line)) => format!(", line {line} then"),
        _ => String::new(),
    };
    let change = finding.required_change.as_ref().map(|change| format!("\n{change}")).unwrap_or_default();
    let text = format!(
        "{glyph} {word} {} {}, round {}{place}: {}{change}",
        finding.severity.word(),
        by(&finding.source),
        listed.round,
        finding.reason
    );
    let at = line.map(|line| (TextSide::New, line));
    Note { what: What::Finding(finding.id.clone()), at, rows: rows(&text, role, width) }
}

/// Who found it.
pub(crate) fn by(source: &Source) -> &str {
    match source {
        Source::Reviewer { name } => name,
        Source::Gate { gate } => gate,
        Source::Operator { .. } => "you",
    }
}

fn rows(text: &str, role: Role, width: usize) -> Vec<(String, Role)> {
    let mut all: Vec<(String, Role)> = safe_block(text)
        .iter()
        .flat_map(|line| wrap(line.as_str(), width.max(8)))
        .map(|row| (row, role))
        .collect();
    if all.len() > ROWS {
        let more = all.len() - (ROWS - 1);
        all.truncate(ROWS - 1);
        all.push((format!("and {more} more lines"), Role::Dim));
    }
    all
}
