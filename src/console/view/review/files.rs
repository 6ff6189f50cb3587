//! The files with their counts and viewed marks; below them findings and comments.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::super::review::ReviewScreen;
use super::super::super::review::notes::{self, Stands};
use super::super::super::review::tree::{self, TreeRow};
use super::super::super::state::Console;
use super::super::super::state::verdict::shape;
use super::super::super::theme::Role;
use super::super::text::{Pen, fit, fit_path, width};
use crate::base::text::safe_text;
use crate::runtime::protocol::diff::{Comment, FileChange, FileEntry, Stat};
use crate::runtime::protocol::review::Progress;

/// Rows that findings and comments may take.
const BELOW: usize = 12;

pub(super) fn draw(console: &Console, screen: &ReviewScreen, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width.saturating_sub(1));
    let below = below(console, screen, columns);
    let rows = usize::from(area.height);
    let under = below.len().min(BELOW).min(rows / 2);
    let above = rows - under;
    let title = if super::files_focused(console, screen) { Role::TitleFocus } else { Role::Title };
    Pen::new(buffer, area.x + 1, area.y, area.right()).write("FILES", console.theme.style(title));
    let listed = above.saturating_sub(1);
    let chosen = tree::row_of(&screen.tree, screen.file);
    let first = chosen.saturating_sub(listed / 2).min(screen.tree.len().saturating_sub(listed));
    for (row, y) in screen.tree.iter().skip(first).take(listed).zip(area.y + 1..) {
        let line = Rect { y, height: 1, ..area };
        match row {
            TreeRow::Folder { depth, name, files } => {
                draw_folder(console, screen, (*depth, name, files.clone()), line, buffer);
            }
            TreeRow::File { depth, file, name } => {
                draw_file(console, screen, (*depth, *file, *name), line, buffer);
            }
        }
    }
    let from = area.bottom() - u16::try_from(under).unwrap_or(0);
    for ((text, role), y) in below.into_iter().take(under).zip(from..) {
        let text = fit(&text, columns, console.glyphs.ellipsis);
        Pen::new(buffer, area.x + 1, y, area.right()).write(&text, console.theme.style(role));
    }
}

fn draw_folder(
    console: &Console,
    screen: &ReviewScreen,
    (depth, name, files): (usize, &str, Range<usize>),
    row: Rect,
    buffer: &mut Buffer,
) {
    let dim = console.theme.style(Role::Dim);
    let mut pen = Pen::new(buffer, row.x, row.y, row.right());
    pen.skip(2 + depth);
    let (added, removed, _) = screen.totals_of(files);
    let counts: Vec<String> = [("+", added), ("−", removed)]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(sign, count)| format!("{sign}{count}"))
        .collect();
    pen.write_right(&counts.join(" "), dim).write_right(" ", dim);
    let room = pen.room();
    pen.write(&fit_path(safe_text(name).as_str(), room, console.glyphs.ellipsis), dim);
}

fn draw_file(
    console: &Console,
    screen: &ReviewScreen,
    (depth, file, name): (usize, usize, usize),
    row: Rect,
    buffer: &mut Buffer,
) {
    let Some(entry) = screen.files().get(file) else { return };
    let chosen = file == screen.file;
    if chosen {
        let role = if super::files_focused(console, screen) { Role::Selected } else { Role::SelectedFaint };
        buffer.set_style(row.intersection(buffer.area), console.theme.style(role));
    }
    // Colours keep the ground that they stand on.
    let ground = buffer.cell((row.x, row.y)).map(ratatui::buffer::Cell::style).unwrap_or_default();
    let on = |role: Role| console.theme.over(role, ground);
    let plain = on(Role::Text);
    let mut pen = Pen::new(buffer, row.x, row.y, row.right());
    let (mark, role) =
        if screen.is_viewed(file) { (console.glyphs.done, Role::Done) } else { (" ", Role::Dim) };
    pen.write(mark, on(role));
    let letter = match entry.change {
        FileChange::Added | FileChange::Renamed => Role::DiffAdd,
        FileChange::Deleted => Role::DiffRemove,
        FileChange::Conflicted | FileChange::Retyped => Role::Warning,
        FileChange::Modified => Role::Dim,
    };
    pen.skip(depth).write(&entry.change.letter().to_string(), on(letter)).write(" ", plain);
    for (text, role) in stat_words(entry, screen.stat(file)).into_iter().rev() {
        pen.write_right(&text, on(role));
        pen.write_right(" ", plain);
    }
    // Its end tells a file from its neighbours.
    let shown = safe_text(entry.path.get(name..).unwrap_or_default()).truncate_middle(pen.room());
    pen.write(shown.as_str(), plain);
}

/// How much a file changed, in pieces.
pub(super) fn stat_words(entry: &FileEntry, stat: Option<&Stat>) -> Vec<(String, Role)> {
    match stat {
        None => vec![("…".to_owned(), Role::Dim)],
        Some(Stat::Text { added: 0, removed: 0 }) => {
            let mode =
                entry.old_mode.is_some() && entry.new_mode.is_some() && entry.old_mode != entry.new_mode;
            let word = match entry.change {
                _ if mode => "mode",
                FileChange::Added | FileChange::Deleted => "empty",
                FileChange::Renamed => "moved",
                _ => "same",
            };
            vec![(word.to_owned(), Role::Dim)]
        }
        Some(Stat::Text { added, removed }) => {
            let mut words = Vec::new();
            if *added > 0 {
                words.push((format!("+{added}"), Role::DiffAdd));
            }
            if *removed > 0 {
                words.push((format!("−{removed}"), Role::DiffRemove));
            }
            words
        }
        Some(Stat::Binary { .. }) => vec![("binary".to_owned(), Role::Dim)],
        Some(Stat::Large { .. }) => vec![("too large".to_owned(), Role::Warning)],
        Some(Stat::Module { .. }) => vec![("module".to_owned(), Role::Dim)],
        Some(Stat::Unreadable { .. }) => vec![("unreadable".to_owned(), Role::Error)],
    }
}

/// Findings and comments as lines.
fn below(console: &Console, screen: &ReviewScreen, columns: usize) -> Vec<(String, Role)> {
    let mut lines = Vec::new();
    let found = notes::findings(screen, console.snapshot.reviews.get(&screen.ticket));
    if !found.is_empty() {
        let open = found.iter().filter(|listed| listed.progress != Progress::Fixed).count();
        lines.push((format!("FINDINGS  {open} open of {}", found.len()), Role::Title));
    }
    let longest = found.iter().map(|listed| listed.finding.severity.word().len()).max().unwrap_or_default();
    for listed in found {
        let (glyph, _, role) = shape(listed.progress, listed.finding, console.glyphs);
        let lead = format!("{glyph} {:<longest$}  ", listed.finding.severity.word());
        let room = columns.saturating_sub(width(&lead));
        let place = match listed.finding.place() {
            // Line and name say more than the folder.
            Some(place) => fit_path(safe_text(&place).as_str(), room, console.glyphs.ellipsis),
            None => fit(safe_text(&listed.finding.reason).as_str(), room, console.glyphs.ellipsis),
        };
        lines.push((lead + &place, role));
    }
    let comments = &screen.notebook.comments;
    if !comments.is_empty() {
        let waiting = comments.iter().filter(|comment| comment.sent.is_none()).count();
        lines.push((format!("COMMENTS  {waiting} not sent"), Role::Title));
    }
    // What was not sent comes first, and of it what needs a hand. Where the others stood is of no use any more.
    let stands = |comment: &Comment| comment.sent.is_none().then(|| notes::standing(screen, comment).1);
    let mut ordered: Vec<_> = comments.iter().map(|comment| (comment, stands(comment))).collect();
    ordered.sort_by_key(|(_, stands)| (stands.is_none(), *stands != Some(Stands::Stale)));
    for (comment, stands) in ordered {
        let (glyph, word, role) = match stands {
            None => (console.glyphs.done, "sent ", Role::Dim),
            Some(Stands::Stale) => (console.glyphs.stalled, "stale ", Role::Warning),
            Some(Stands::Elsewhere) => (console.glyphs.operator, "not here ", Role::Dim),
            Some(Stands::Here | Stands::Unknown) => (console.glyphs.operator, "", Role::NeedsYou),
        };
        let place = format!("{}:{}", safe_text(&comment.file), comment.first);
        lines.push((format!("{glyph} {word}{place}  {}", safe_text(&comment.text)), role));
    }
    lines
}
