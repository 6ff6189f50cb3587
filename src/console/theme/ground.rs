//! What a role looks like on a ground that is not its own: a selected row, a form, a changed line.
//!
//! A theme names the ink of a role for the ground of the screen. On another ground that ink may be unreadable (white on
//! a white selection); there the ground's own ink takes its place. Contrast is that of WCAG 2.1 §1.4.3: 4.5 for text,
//! 3.0 for what is said quietly and stands in words elsewhere.

use ratatui::style::{Modifier, Style};

use super::ink::contrast;
use super::{Role, Theme, color};

/// Contrast that a role needs.
fn least(role: Role) -> f32 {
    match role {
        Role::Dim | Role::Title | Role::CodeComment => 3.0,
        // Lines between panes are no text.
        Role::Rule | Role::Frame => 1.0,
        _ => 4.5,
    }
}

impl Theme {
    /// The style of a role on `ground`: the ground's paper and weight, the role's ink where that can be read there.
    pub(crate) fn over(&self, role: Role, ground: Style) -> Style {
        let own = self.style(role);
        let mut style = Style { bg: ground.bg, ..own }.add_modifier(ground.add_modifier);
        let rgb = |color: Option<ratatui::style::Color>| color.and_then(color::rgb);
        if let (Some(ink), Some(paper)) = (rgb(own.fg), rgb(ground.bg))
            && contrast(ink, paper) < least(role)
        {
            style.fg = ground.fg.or(self.style(Role::Text).fg);
        }
        style
    }

    /// A hit of a search on `ground`. On a reversed row a hit that is reversed too would be lost: it is the one that
    /// is not.
    pub(crate) fn hit(&self, role: Role, ground: Style) -> Style {
        let hit = self.style(role);
        match ground.add_modifier.contains(Modifier::REVERSED) && hit.bg.is_none() {
            true => hit.remove_modifier(Modifier::REVERSED).add_modifier(Modifier::UNDERLINED),
            false => hit,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Depth, Themes};
    use super::*;

    const TEXT: [Role; 22] = [
        Role::Text,
        Role::Accent,
        Role::TitleFocus,
        Role::Key,
        Role::Running,
        Role::NeedsYou,
        Role::Stalled,
        Role::Failed,
        Role::Done,
        Role::Interrupted,
        Role::Ready,
        Role::Urgent,
        Role::Error,
        Role::Warning,
        Role::DiffAdd,
        Role::DiffRemove,
        Role::CodeKeyword,
        Role::CodeString,
        Role::CodeNumber,
        Role::CodeName,
        Role::Dim,
        Role::Title,
    ];
    const GROUNDS: [Role; 8] = [
        Role::Text,
        Role::Overlay,
        Role::Selected,
        Role::SelectedFaint,
        Role::DiffAddLine,
        Role::DiffRemoveLine,
        Role::DiffAddWord,
        Role::DiffRemoveWord,
    ];

    /// Every pair of ink and paper that a screen can show, in every theme that has both.
    #[test]
    fn every_ink_can_be_read_on_every_paper() {
        let themes = Themes::default();
        let mut measured = 0;
        for name in themes.names() {
            for depth in [Depth::True, Depth::Indexed256] {
                let theme = themes.load(&name, depth).unwrap();
                let paper = |role: Role| theme.style(role).bg.or(theme.style(Role::Text).bg);
                for ground in GROUNDS {
                    let under = Style { bg: paper(ground), ..theme.style(ground) };
                    for role in TEXT {
                        let style = theme.over(role, under);
                        let (Some(ink), Some(paper)) =
                            (style.fg.and_then(color::rgb), style.bg.and_then(color::rgb))
                        else {
                            continue;
                        };
                        measured += 1;
                        let found = contrast(ink, paper);
                        assert!(
                            found >= least(role),
                            "{role:?} on {ground:?} in {name} at {depth:?}: {found}"
                        );
                    }
                }
                for role in [Role::Hit, Role::HitCurrent, Role::TitleFocus, Role::Overlay, Role::Frame] {
                    let style = theme.style(role);
                    let (Some(ink), Some(paper)) = (
                        style.fg.and_then(color::rgb),
                        style.bg.or(theme.style(Role::Text).bg).and_then(color::rgb),
                    ) else {
                        continue;
                    };
                    let wanted = if role == Role::Frame { 3.0 } else { 4.5 };
                    assert!(contrast(ink, paper) >= wanted, "{role:?} in {name}: {}", contrast(ink, paper));
                }
            }
        }
        assert!(measured > 1_500, "{measured}");
    }

    /// Ink of the theme itself, on its own ground, without help: dim is legible and states keep their colours on the
    /// selection.
    #[test]
    fn the_palettes_need_no_help_where_states_are_shown() {
        let themes = Themes::default();
        for name in themes.names() {
            let theme = themes.load(&name, Depth::True).unwrap();
            let Some(paper) = theme.style(Role::Text).bg.and_then(color::rgb) else { continue };
            for role in TEXT.into_iter().filter(|role| theme.style(*role).bg.is_none()) {
                let ink = theme.style(role).fg.and_then(color::rgb).unwrap();
                let found = contrast(ink, paper);
                assert!(found >= 4.5, "{role:?} in {name}: {found}");
            }
        }
    }

    #[test]
    fn a_white_ink_on_a_white_selection_turns_black() {
        let theme = Themes::default().load("high-contrast", Depth::True).unwrap();
        let selected = theme.style(Role::Selected);
        assert_eq!(theme.over(Role::Text, selected).fg, selected.fg);
        assert_eq!(theme.over(Role::Dim, selected).fg, selected.fg);
        let dark = Themes::default().load("koru-dark", Depth::True).unwrap();
        let failed = dark.over(Role::Failed, dark.style(Role::Selected));
        assert_eq!(failed.fg, dark.style(Role::Failed).fg);
    }
}
