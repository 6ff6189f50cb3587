//! The rows of a list over the board, the chosen one on the ground of the selection.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::super::list::List;
use super::super::state::Console;
use super::super::theme::Role;
use super::text::Pen;

/// What the parts of one row stand on.
pub(super) struct Ground<'a> {
    console: &'a Console,
    style: Style,
}

impl Ground<'_> {
    /// The ground itself, for blanks.
    pub(super) fn bare(&self) -> Style {
        self.style
    }

    /// A role on this ground, readable on it.
    pub(super) fn on(&self, role: Role) -> Style {
        self.console.theme.over(role, self.style)
    }
}

/// Draws the rows that are seen; `row` is told the number of each, and writes it.
pub(super) fn draw<T>(
    console: &Console,
    list: &List<T>,
    area: Rect,
    buffer: &mut Buffer,
    row: impl FnMut(usize, &T, &Ground<'_>, &mut Pen<'_>),
) {
    draw_on(Role::Overlay, console, list, area, buffer, row);
}

/// The same on another ground than that of overlays.
pub(super) fn draw_on<T>(
    ground: Role,
    console: &Console,
    list: &List<T>,
    area: Rect,
    buffer: &mut Buffer,
    mut row: impl FnMut(usize, &T, &Ground<'_>, &mut Pen<'_>),
) {
    for (y, (at, item, chosen)) in (area.y..area.bottom()).zip(list.seen(usize::from(area.height))) {
        let role = if chosen { Role::Selected } else { ground };
        let ground = Ground { console, style: console.theme.style(role) };
        buffer.set_style(Rect { y, height: 1, ..area }.intersection(buffer.area), ground.bare());
        row(at, item, &ground, &mut Pen::new(buffer, area.x, y, area.right()));
    }
}
