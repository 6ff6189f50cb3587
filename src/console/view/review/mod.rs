//! The review: a title, the files with findings and comments below them, and the text of one file.
//!
//! Prepares what drawing must not do: lays the file out, asks for texts and colours that are missing.

mod files;
mod text;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::actions::Action;
use super::super::message::Effect;
use super::super::review::layout::Row;
use super::super::review::notes::{self, Stands};
use super::super::review::paint::{PART, PartJob, PartKey};
use super::super::review::{Part, ReviewScreen};
use super::super::state::{Console, Pending};
use super::super::theme::Role;
use super::super::update::available;
use super::super::words;
use super::Areas;
use super::text::{Pen, fit};
use crate::runtime::protocol::Command;
use crate::runtime::protocol::diff::{DiffCommand, DiffRange, TextSide};

/// From this width on the files stand beside the text.
const BESIDE: u16 = 100;

/// Texts that are fetched at once to see whether comments still stand.
const CHECKED: usize = 8;

/// Where the parts of the screen stand.
struct Places {
    title: Rect,
    files: Rect,
    head: Rect,
    text: Rect,
}

fn places(screen: &ReviewScreen, body: Rect) -> Places {
    let row =
        |y: u16, rows: u16, area: Rect| Rect { y, height: rows.min(area.bottom().saturating_sub(y)), ..area };
    let rest = row(body.y + 1, body.height.saturating_sub(1), body);
    let beside = body.width >= BESIDE;
    let columns = match (beside, screen.files_shown) {
        (true, false) => (body.width / 4).clamp(26, 44),
        (false, true) => body.width,
        (true, true) | (false, false) => 0,
    };
    let files = Rect { width: columns, ..rest };
    let gap = u16::from(columns > 0 && columns < body.width);
    let right = Rect { x: rest.x + columns + gap, width: rest.width.saturating_sub(columns + gap), ..rest };
    Places {
        title: row(body.y, 1, body),
        files,
        head: row(right.y, 1, right),
        text: row(right.y + 1, right.height.saturating_sub(1), right),
    }
}

/// Does what drawing must not.
pub(super) fn prepare(console: &mut Console, screen: &mut ReviewScreen, body: Rect) {
    let places = places(screen, body);
    screen.drawn = screen.listing.as_ref().and_then(|listing| listing.head.clone());
    let review = console.snapshot.reviews.get(&screen.ticket).cloned();
    let version = review.as_ref().map_or(0, |review| Arc::as_ptr(review) as u64);
    let width = usize::from(places.text.width).saturating_sub(4);
    let glyphs = console.glyphs;
    ask_for_texts(console, screen);
    screen.lay_out(width, version, |screen| notes::of_file(screen, review.as_ref(), glyphs, width));
    // A jump into a fold opened it: the second look finds the line.
    screen.lay_out(width, version, |screen| notes::of_file(screen, review.as_ref(), glyphs, width));
    // A search went on to another file.
    ask_for_texts(console, screen);
    screen.reveal(usize::from(places.text.height));
    ask_for_colours(console, screen);
}

fn ask_for_texts(console: &mut Console, screen: &mut ReviewScreen) {
    if screen.listing.is_none() {
        return;
    }
    let unsure = screen.notebook.comments.iter().filter(|comment| comment.sent.is_none());
    let unsure: Vec<usize> = unsure
        .filter_map(|comment| match notes::standing(screen, comment) {
            (Some(file), Stands::Unknown) => Some(file),
            _ => None,
        })
        .take(CHECKED)
        .collect();
    let shown = (!screen.files().is_empty()).then_some(screen.file);
    for file in shown.into_iter().chain(unsure) {
        if screen.bodies.ask(file) {
            let place = u32::try_from(file).unwrap_or(u32::MAX);
            let command = DiffCommand::Body { id: screen.id, file: place };
            console.send(Command::Diff(command), Pending::quiet());
        }
    }
}

fn ask_for_colours(console: &mut Console, screen: &mut ReviewScreen) {
    let (Some(body), Some(entry)) = (screen.body().cloned(), screen.entry()) else { return };
    let path = entry.path.clone();
    let Ok(file) = u32::try_from(screen.file) else { return };
    let mut keys: Vec<PartKey> = Vec::new();
    for row in screen.top..(screen.top + screen.height).min(screen.layout.len) {
        let Some(row) = screen.layout.row(row) else { break };
        for side in [TextSide::Old, TextSide::New] {
            // Of an unchanged line the new text is shown, but on the left side.
            let seen = !matches!(row, Row::Same { .. }) || side == TextSide::New || screen.is_split();
            if let Some(line) = row.line(side).filter(|_| seen) {
                let key = PartKey { diff: screen.id, file, side, part: line / PART };
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
    }
    for key in keys {
        if screen.ask_part(key) {
            let job = PartJob { key, path: path.clone(), body: Arc::clone(&body) };
            console.effects.push(Effect::PaintPart(job));
        }
    }
}

pub(super) fn draw(console: &Console, screen: &ReviewScreen, areas: &Areas, buffer: &mut Buffer) {
    let body = areas.body.intersection(buffer.area);
    if body.is_empty() {
        return;
    }
    super::fill(buffer, body, console.theme.style(Role::Text));
    let places = places(screen, body);
    draw_title(console, screen, places.title, buffer);
    if let Some(reason) = &screen.refused {
        return text::say(console, reason, Role::Error, places.text, buffer);
    }
    if !places.files.is_empty() {
        files::draw(console, screen, places.files, buffer);
        if places.files.width < body.width {
            for y in places.files.y..places.files.bottom() {
                buffer.set_string(
                    places.files.right(),
                    y,
                    console.glyphs.vertical,
                    console.theme.style(Role::Rule),
                );
            }
        }
    }
    if !places.text.is_empty() {
        text::draw_head(console, screen, places.head, buffer);
        text::draw(console, screen, places.text, buffer);
    }
}

fn draw_title(console: &Console, screen: &ReviewScreen, area: Rect, buffer: &mut Buffer) {
    let (dim, plain) = (console.theme.style(Role::Dim), console.theme.style(Role::Text));
    let mut pen = Pen::new(buffer, area.x + 1, area.y, area.right().saturating_sub(1));
    pen.write(&words::safe(&screen.ticket), console.theme.style(Role::Accent)).write("  ", dim);
    pen.write(&range_words(console, screen), console.theme.style(Role::TitleFocus)).write("  ", dim);
    if let Some(listing) = &screen.listing {
        let short = |id: &str| id.chars().take(7).collect::<String>();
        let head = listing.head.as_deref().map_or("files now".to_owned(), short);
        if area.width >= 100 {
            pen.write(&format!("{} → {head}  ", short(&listing.base)), dim);
        }
        let (added, removed, all) = screen.totals();
        pen.write(&words::count(listing.files.len(), "file", "files"), plain);
        if listing.left_out > 0 {
            // Nothing here shows them, and a decision is about them too.
            let say = format!(" and {} more that are not listed", listing.left_out);
            pen.write(&say, console.theme.style(Role::Warning));
        }
        pen.write(&format!("  +{added}"), console.theme.style(Role::DiffAdd));
        pen.write(&format!(" −{removed}"), console.theme.style(Role::DiffRemove));
        if !all {
            pen.write(" counting…", dim);
        }
    }
    if console.moved_on(screen) {
        let key = console.key_of(Action::Reload);
        let say = format!("  {} work went on, {key} shows it", console.glyphs.stalled);
        pen.write(&say, console.theme.style(Role::Warning));
        return;
    }
    let mut right = vec![if screen.is_split() { "side by side" } else { "unified" }.to_owned()];
    if !screen.whitespace {
        right.push("white space off".to_owned());
    }
    let decides = available(console, Action::ReviewReject).is_ok();
    // The commit that a decision is about, where no room was for it at the left.
    if let Some(head) = screen.drawn.as_ref().filter(|_| decides && area.width < 100) {
        right.push(format!("at {}", head.chars().take(7).collect::<String>()));
    }
    let right = right.join("   ");
    if pen.room() > right.len() + 2 {
        pen.write_right(&fit(&right, 60, console.glyphs.ellipsis), dim);
    }
}

/// What is compared, in words.
pub(crate) fn range_words(console: &Console, screen: &ReviewScreen) -> String {
    let review = console.snapshot.reviews.get(&screen.ticket);
    let of = review.map(|review| format!(" of {}", review.rounds.len())).unwrap_or_default();
    match screen.range {
        DiffRange::Whole => "whole ticket".to_owned(),
        DiffRange::Round { number } => format!("round {number}{of}"),
        DiffRange::Between { from: 0, to } => format!("base to round {to}"),
        DiffRange::Between { from, to } => format!("round {from} to round {to}"),
        DiffRange::WorkingTree => "working tree".to_owned(),
    }
}

/// Whether the files have the keys.
fn files_focused(console: &Console, screen: &ReviewScreen) -> bool {
    screen.part == Part::Files && matches!(console.layers.last(), Some(super::Layer::Review(_)))
}
