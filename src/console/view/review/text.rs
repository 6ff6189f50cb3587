//! The text of one file: line numbers, signs, colours, changed words, folds and notes.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::super::super::review::layout::Row;
use super::super::super::review::paint::shown;
use super::super::super::review::{Part, ReviewScreen, search};
use super::super::super::state::Console;
use super::super::super::theme::Role;
use super::super::super::words;
use super::super::text::{Pen, fit, fit_path, width, wrap};
use super::files::stat_words;
use crate::base::text::safe_text;
use crate::runtime::protocol::diff::{Lines, Stat, TextSide};

/// A sentence in the place of a text.
pub(super) fn say(console: &Console, text: &str, role: Role, area: Rect, buffer: &mut Buffer) {
    let columns = usize::from(area.width.saturating_sub(4));
    for (line, y) in wrap(safe_text(text).as_str(), columns).iter().zip(area.y + 1..area.bottom()) {
        Pen::new(buffer, area.x + 2, y, area.right()).write(line, console.theme.style(role));
    }
}

/// Path, counts, mode and how many files were viewed.
pub(super) fn draw_head(console: &Console, screen: &ReviewScreen, area: Rect, buffer: &mut Buffer) {
    let dim = console.theme.style(Role::Dim);
    let title = if screen.part == Part::Text { Role::TitleFocus } else { Role::Title };
    let mut pen = Pen::new(buffer, area.x + 1, area.y, area.right().saturating_sub(1));
    let Some(entry) = screen.entry() else { return };
    let count = screen.files().len();
    let viewed = (0..count.min(2_000)).filter(|file| screen.is_viewed(*file)).count();
    pen.write_right(&format!("file {}/{count}  viewed {viewed}/{count}", screen.file + 1), dim);
    if let Some(search) = &screen.search {
        let found = match search.hits.len() {
            _ if search.waiting.is_some() => "searching…".to_owned(),
            0 => "no hit in this file".to_owned(),
            count => format!("hit {}/{count}", search.current + 1),
        };
        pen.write_right("   ", dim).write_right(&found, console.theme.style(Role::Accent));
    }
    let room = pen.room().saturating_sub(16);
    let path = fit_path(safe_text(&entry.path).as_str(), room, console.glyphs.ellipsis);
    pen.write(&path, console.theme.style(title)).write(" ", dim);
    for (text, role) in stat_words(entry, screen.stat(screen.file)) {
        pen.write(" ", dim).write(&text, console.theme.style(role));
    }
    if let Some(before) = &entry.old_path {
        pen.write(&format!("  was {}", safe_text(before)), dim);
    }
    match (entry.old_mode, entry.new_mode) {
        (Some(old), Some(new)) if old != new => {
            pen.write(&format!("  mode {old:06o} → {new:06o}"), console.theme.style(Role::Warning));
        }
        (None, Some(0o120_000)) => drop(pen.write("  link", dim)),
        _ => {}
    }
}

pub(super) fn draw(console: &Console, screen: &ReviewScreen, area: Rect, buffer: &mut Buffer) {
    let Some(listing) = &screen.listing else {
        return say(console, "comparing…", Role::Dim, area, buffer);
    };
    if listing.files.is_empty() {
        return say(console, "nothing differs here", Role::Dim, area, buffer);
    }
    let Some(body) = screen.body() else { return draw_stat(console, screen, area, buffer) };
    if let Some(text) = instead(&body.stat, screen) {
        return say(console, &text, Role::Dim, area, buffer);
    }
    let digits = body.old.len().max(body.new.len()).to_string().len().max(3);
    let (from, to) = screen.selection();
    for (row, y) in (screen.top..screen.layout.len).zip(area.y..area.bottom()) {
        let Some(what) = screen.layout.row(row) else { break };
        let line = Rect { y, height: 1, ..area };
        let chosen = (from..=to).contains(&row) && screen.part == Part::Text;
        let drawer = Drawer { console, screen, digits, chosen };
        drawer.row(what, line, buffer);
    }
}

/// What is said where there are no lines to show.
fn instead(stat: &Stat, screen: &ReviewScreen) -> Option<String> {
    let grew = |old: u64, new: u64| format!("{} before, {} now", words::bytes(old), words::bytes(new));
    Some(match stat {
        Stat::Text { added: 0, removed: 0 } if screen.layout.hunks.is_empty() => {
            let mode = screen.entry().is_some_and(|entry| entry.old_mode != entry.new_mode);
            let white = if screen.whitespace { "" } else { " but white space" };
            match (mode, screen.body()?.new.is_empty() && screen.body()?.old.is_empty()) {
                (_, true) => "an empty file".to_owned(),
                (true, _) => format!("only its mode changed{white}"),
                (false, _) => format!("its lines are the same{white}"),
            }
        }
        Stat::Text { .. } => return None,
        Stat::Binary { old, new } => format!("no text: {}", grew(*old, *new)),
        Stat::Large { old, new } => format!("too large to be compared line by line: {}", grew(*old, *new)),
        Stat::Module { old, new } => format!(
            "another repository: {} before, {} now",
            old.as_deref().unwrap_or("nothing"),
            new.as_deref().unwrap_or("nothing")
        ),
        Stat::Unreadable { why } => format!("it cannot be read: {why}"),
    })
}

/// How much changed in each file, until the text of the shown one is there.
fn draw_stat(console: &Console, screen: &ReviewScreen, area: Rect, buffer: &mut Buffer) {
    for (file, y) in (screen.file..screen.files().len()).zip(area.y..area.bottom()) {
        let mut pen = Pen::new(buffer, area.x + 2, y, area.right());
        let path = safe_text(&screen.files()[file].path);
        pen.write(&fit_path(path.as_str(), 60, console.glyphs.ellipsis), console.theme.style(Role::Text));
        for (text, role) in stat_words(&screen.files()[file], screen.stat(file)) {
            pen.write("  ", console.theme.style(Role::Dim)).write(&text, console.theme.style(role));
        }
    }
}

struct Drawer<'a> {
    console: &'a Console,
    screen: &'a ReviewScreen,
    digits: usize,
    chosen: bool,
}

impl Drawer<'_> {
    fn row(&self, what: Row, area: Rect, buffer: &mut Buffer) {
        match what {
            Row::Fold { lines, .. } => {
                let text = format!(
                    "{:>1$}   {2}",
                    self.console.glyphs.ellipsis,
                    self.digits,
                    words::count(lines as usize, "line", "lines")
                );
                self.plain(&text, Role::Dim, area, buffer);
            }
            Row::Note { note, line } => {
                let Some((text, role)) = self.screen.notes.get(note).and_then(|note| note.rows.get(line))
                else {
                    return;
                };
                let bar = if self.console.settings.ascii { "|" } else { "┃" };
                self.plain(&format!(" {bar} {text}"), *role, area, buffer);
            }
            _ if self.screen.is_split() => {
                let half = area.width / 2;
                let left = Rect { width: half.saturating_sub(1), ..area };
                let right = Rect { x: area.x + half, width: area.width - half, ..area };
                self.half(what, TextSide::Old, left, buffer);
                let rule = self.console.theme.style(Role::Rule);
                Pen::new(buffer, left.right(), area.y, right.x).write(self.console.glyphs.vertical, rule);
                self.half(what, TextSide::New, right, buffer);
            }
            Row::Old(line) => self.line(TextSide::Old, line, (Some(line), None), true, area, buffer),
            Row::New(line) => self.line(TextSide::New, line, (None, Some(line)), true, area, buffer),
            Row::Same { old, new } => {
                self.line(TextSide::New, new, (Some(old), Some(new)), false, area, buffer)
            }
            Row::Pair { .. } => {}
        }
    }

    fn plain(&self, text: &str, role: Role, area: Rect, buffer: &mut Buffer) {
        if self.chosen {
            buffer.set_style(area.intersection(buffer.area), self.console.theme.style(Role::Selected));
        }
        let text = fit(text, usize::from(area.width), self.console.glyphs.ellipsis);
        let theme = &self.console.theme;
        let style = match self.chosen {
            true => theme.over(role, self.ground(Role::Text)),
            false => theme.style(role),
        };
        Pen::new(buffer, area.x, area.y, area.right()).write(&text, style);
    }

    fn half(&self, what: Row, side: TextSide, area: Rect, buffer: &mut Buffer) {
        match what.line(side) {
            Some(line) => {
                let numbers = (Some(line), None);
                self.line(side, line, numbers, what.is_change(), area, buffer);
            }
            None if self.chosen => {
                buffer.set_style(area.intersection(buffer.area), self.console.theme.style(Role::Selected));
            }
            None => {}
        }
    }

    /// Where a line holds what is searched, and how that is shown.
    fn hits(&self, whole: &str, side: TextSide, number: u32) -> (Vec<(usize, usize)>, Role) {
        let Some(search) = &self.screen.search else { return (Vec::new(), Role::Hit) };
        let current = search.hits.get(search.current) == Some(&(side, number));
        (search::within(whole, &search.text), if current { Role::HitCurrent } else { Role::Hit })
    }

    /// What stands under a line.
    fn ground(&self, role: Role) -> Style {
        let ground = self.console.theme.style(role);
        if !self.chosen {
            return ground;
        }
        let selected = self.console.theme.style(Role::Selected);
        Style { fg: selected.fg.or(ground.fg), bg: selected.bg.or(ground.bg), ..ground }
            .add_modifier(selected.add_modifier - Modifier::BOLD)
    }

    /// A line number in its column, or an empty one.
    fn number(&self, number: Option<u32>) -> String {
        let text = number.map_or(String::new(), |number| (number + 1).to_string());
        format!("{text:>0$} ", self.digits)
    }

    fn line(
        &self,
        side: TextSide,
        number: u32,
        numbers: (Option<u32>, Option<u32>),
        changed: bool,
        area: Rect,
        buffer: &mut Buffer,
    ) {
        let Some(body) = self.screen.body() else { return };
        let text: &Lines = if side == TextSide::Old { &body.old } else { &body.new };
        let (ground, word, sign, tone) = roles(side, changed);
        let theme = &self.console.theme;
        let ground = self.ground(ground);
        buffer.set_style(area.intersection(buffer.area), ground);
        let on = |role: Role| theme.over(role, ground);
        let mut pen = Pen::new(buffer, area.x, area.y, area.right());
        pen.write(&self.number(numbers.0), on(Role::Dim));
        if !self.screen.is_split() {
            pen.write(&self.number(numbers.1), on(Role::Dim));
        }
        pen.write(sign, on(tone)).write(" ", ground);
        let plain;
        let pieces: Vec<(&str, Role, bool)> = match self.screen.pieces(side, number) {
            Some(pieces) => pieces.iter().map(|(text, role, word)| (text.as_str(), *role, *word)).collect(),
            None => {
                plain = shown(text, number);
                vec![(plain.as_str(), Role::Text, false)]
            }
        };
        let whole: String = pieces.iter().map(|piece| piece.0).collect();
        let (hits, hit) = self.hits(&whole, side, number);
        let mut skip = self.screen.left;
        let (mut at, mut cut_off) = (0, false);
        for (text, role, changed) in pieces {
            let mut style = on(role);
            if changed {
                let word = theme.style(word);
                let paper = Style { bg: word.bg.or(style.bg), ..ground };
                style = theme.over(role, paper).add_modifier(word.add_modifier);
            }
            for (part, found) in cut(text, at, &hits) {
                let style = if found { theme.hit(hit, ground) } else { style };
                let part = skipped(part, &mut skip);
                cut_off |= width(part) > pen.room();
                pen.write(part, style);
            }
            at += text.len();
        }
        if cut_off {
            let last = area.right().saturating_sub(1);
            let mark = if self.console.settings.ascii { ">" } else { "›" };
            Pen::new(buffer, last, area.y, area.right()).write(mark, on(Role::Dim));
            return;
        }
        if text.is_unended() && number + 1 == text.len() && changed {
            pen.write("  no line end", on(Role::Dim));
        }
    }
}

/// What a line stands on, what its changed words stand on, its sign and the colour of that.
fn roles(side: TextSide, changed: bool) -> (Role, Role, &'static str, Role) {
    match (changed, side) {
        (false, _) => (Role::Text, Role::Text, " ", Role::Dim),
        (true, TextSide::Old) => (Role::DiffRemoveLine, Role::DiffRemoveWord, "-", Role::DiffRemove),
        (true, TextSide::New) => (Role::DiffAddLine, Role::DiffAddWord, "+", Role::DiffAdd),
    }
}

/// A piece that begins at byte `at` of its line, cut where hits begin and end.
fn cut<'a>(text: &'a str, at: usize, hits: &[(usize, usize)]) -> Vec<(&'a str, bool)> {
    if hits.is_empty() {
        return vec![(text, false)];
    }
    let mut parts = Vec::new();
    let mut done = 0;
    for (from, to) in hits {
        let begin = from.saturating_sub(at).clamp(done, text.len());
        let end = to.saturating_sub(at).clamp(begin, text.len());
        if !text.is_char_boundary(begin) || !text.is_char_boundary(end) {
            continue;
        }
        parts.push((&text[done..begin], false));
        parts.push((&text[begin..end], true));
        done = end;
    }
    parts.push((&text[done..], false));
    parts
}

/// What is left of a text when so many columns of the line are scrolled out.
fn skipped<'a>(text: &'a str, skip: &mut usize) -> &'a str {
    if *skip == 0 {
        return text;
    }
    for (at, c) in text.char_indices() {
        if *skip == 0 {
            return &text[at..];
        }
        *skip = skip.saturating_sub(width(&text[at..at + c.len_utf8()]));
    }
    ""
}
