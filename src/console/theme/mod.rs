//! The colours by role, from a YAML file a theme: embedded ones and the user's own (`<config>/themes/<name>.yaml`).
//!
//! Owns the finished styles. Invariants: every role has a style; a colour never carries meaning alone (glyphs and words
//! do), so a theme that sets no colour at all is a legal theme.

mod color;
mod ground;
mod ink;

use std::collections::HashMap;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

pub use color::Depth;
use ink::Ink;

use crate::base::text::TextStyle;
use crate::base::yaml;

/// What a cell is for. Views name roles and never colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Role {
    /// The ground of every screen.
    Text,
    /// Secondary text.
    Dim,
    /// Focus and the name of the program.
    Accent,
    /// Title of a pane without the focus.
    Title,
    /// Title of the pane with the focus.
    TitleFocus,
    /// Lines between panes.
    Rule,
    /// The selected row.
    Selected,
    /// The selected row of a pane without the focus.
    SelectedFaint,
    /// A key on the footer.
    Key,
    /// State: running.
    Running,
    /// State: needs you.
    NeedsYou,
    /// State: stalled.
    Stalled,
    /// State: failed.
    Failed,
    /// State: done.
    Done,
    /// State: interrupted.
    Interrupted,
    /// State: ready.
    Ready,
    /// A high priority.
    Urgent,
    /// A search hit.
    Hit,
    /// The search hit under the cursor.
    HitCurrent,
    /// Standard error and refusals.
    Error,
    /// Warnings.
    Warning,
    /// Ground of forms and overlays.
    Overlay,
    /// Frame of forms and overlays.
    Frame,
    /// The text cursor.
    Cursor,
    /// Added lines of a diff.
    DiffAdd,
    /// Removed lines of a diff.
    DiffRemove,
    /// Ground of added lines in a review.
    DiffAddLine,
    /// Ground of removed lines in a review.
    DiffRemoveLine,
    /// What is new in a changed line.
    DiffAddWord,
    /// What went from a changed line.
    DiffRemoveWord,
    /// Source: words of the language.
    CodeKeyword,
    /// Source: strings.
    CodeString,
    /// Source: numbers and other constants.
    CodeNumber,
    /// Source: names of commands, variables and keys.
    CodeName,
    /// Source: comments.
    CodeComment,
}

impl Role {
    const COUNT: usize = Role::CodeComment as usize + 1;
}

/// A theme, ready to draw with at one colour depth.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    name: String,
    depth: Depth,
    styles: [Style; Role::COUNT],
    ink: Ink,
}

/// Why a theme file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    /// It is no theme.
    #[error("theme {name}: {source}; the built-in themes show the form")]
    Shape {
        /// Theme.
        name: String,
        /// What the YAML reader says.
        source: serde_yaml::Error,
    },
    /// A colour is neither `#rrggbb`, an ANSI number 0–255, `default`, nor a name of the palette.
    #[error(
        "theme {name}: `{color}` is no colour; write \"#rrggbb\", a number 0–255, `default`, or a name of its palette"
    )]
    Color {
        /// Theme.
        name: String,
        /// As written.
        color: String,
    },
    /// There is no theme of this name.
    #[error("there is no theme `{0}`; choose one of those that the theme menu shows")]
    Unknown(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    #[serde(default)]
    palette: HashMap<String, serde_yaml::Value>,
    roles: HashMap<Role, RoleFile>,
}

#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct RoleFile {
    fg: Option<serde_yaml::Value>,
    bg: Option<serde_yaml::Value>,
    /// The colour to take where only the sixteen exist, 0–15.
    ansi: Option<u8>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    reverse: bool,
}

const EMBEDDED: &[(&str, &str)] = &[
    ("koru-dark", include_str!("../../../themes/koru-dark.yaml")),
    ("koru-light", include_str!("../../../themes/koru-light.yaml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.yaml")),
    ("monochrome", include_str!("../../../themes/monochrome.yaml")),
    ("catppuccin-mocha", include_str!("../../../themes/catppuccin-mocha.yaml")),
    ("gruvbox-dark", include_str!("../../../themes/gruvbox-dark.yaml")),
];

/// The themes there are: the user's come first and may carry the name of a built-in one, which they replace.
#[derive(Clone, Debug, Default)]
pub struct Themes {
    users: Vec<(String, String)>,
}

impl Themes {
    /// Those of the user as (name, YAML), beside the built-in ones.
    pub fn with_users(users: Vec<(String, String)>) -> Self {
        Self { users }
    }

    /// Every name, built-in ones first.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = EMBEDDED.iter().map(|(name, _)| (*name).to_owned()).collect();
        names.extend(
            self.users
                .iter()
                .map(|(name, _)| name.clone())
                .filter(|name| !EMBEDDED.iter().any(|(embedded, _)| embedded == name)),
        );
        names
    }

    /// The theme of this name at this depth.
    ///
    /// # Errors
    /// See [`ThemeError`].
    pub fn load(&self, name: &str, depth: Depth) -> Result<Theme, ThemeError> {
        let own = self.users.iter().find(|(own, _)| own == name).map(|(_, text)| text.as_str());
        let embedded = || EMBEDDED.iter().find(|(embedded, _)| *embedded == name).map(|(_, text)| *text);
        let text = own.or_else(embedded).ok_or_else(|| ThemeError::Unknown(name.to_owned()))?;
        Theme::parse(name, text, depth)
    }
}

impl Theme {
    /// Reads a theme file.
    ///
    /// # Errors
    /// See [`ThemeError`].
    pub fn parse(name: &str, text: &str, depth: Depth) -> Result<Theme, ThemeError> {
        let file: ThemeFile =
            yaml::from_str(text).map_err(|source| ThemeError::Shape { name: name.to_owned(), source })?;
        let read = |depth: Depth| {
            let mut styles = [Style::new(); Role::COUNT];
            for (role, written) in &file.roles {
                styles[*role as usize] = style(written, &file.palette, depth)
                    .map_err(|color| ThemeError::Color { name: name.to_owned(), color })?;
            }
            Ok(styles)
        };
        let (full, mut styles) = (read(Depth::True)?, read(depth)?);
        let colourless =
            !file.roles.is_empty() && full.iter().all(|style| style.fg.is_none() && style.bg.is_none());
        let ink = Ink::new(|role| full[role as usize], colourless, depth);
        // Without colours a selection still has to be seen.
        if depth == Depth::None {
            for role in [Role::Selected, Role::HitCurrent, Role::Cursor] {
                styles[role as usize] = Style::new().add_modifier(Modifier::REVERSED);
            }
            styles[Role::Hit as usize] = Style::new().add_modifier(Modifier::UNDERLINED);
            styles[Role::SelectedFaint as usize] = Style::new().add_modifier(Modifier::UNDERLINED);
            styles[Role::Dim as usize] = Style::new().add_modifier(Modifier::DIM);
            styles[Role::TitleFocus as usize] =
                Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        }
        words_without_ground(&mut styles, depth);
        // Where the sixteen leave no ground of its own to the selection, reversing does.
        let (ground, selected) = (styles[Role::Text as usize], &mut styles[Role::Selected as usize]);
        if depth == Depth::Ansi16 && selected.bg.is_some() && selected.bg == ground.bg {
            *selected = Style::new().add_modifier(Modifier::REVERSED);
        }
        Ok(Theme { name: name.to_owned(), depth, styles, ink })
    }

    /// A theme without any style, for when not even a built-in one can be read.
    pub(crate) fn plain(depth: Depth) -> Theme {
        Theme { name: "plain".to_owned(), depth, styles: [Style::new(); Role::COUNT], ink: Ink::Plain }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Colours that the terminal has.
    pub fn depth(&self) -> Depth {
        self.depth
    }

    /// The style of a role.
    pub(crate) fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// Foreground and background for what a program asked for; `None` leaves those of the ground.
    pub(crate) fn worker(&self, asked: &TextStyle) -> (Option<Color>, Option<Color>) {
        self.ink.of(asked)
    }
}

/// Sixteen colours have no quiet grounds: signs say which lines changed there, and a line under them which words; as
/// with a theme that names no such ground.
fn words_without_ground(styles: &mut [Style; Role::COUNT], depth: Depth) {
    let few = matches!(depth, Depth::Ansi16 | Depth::None);
    for role in [Role::DiffAddLine, Role::DiffRemoveLine] {
        if few {
            styles[role as usize] = Style::new();
        }
    }
    for role in [Role::DiffAddWord, Role::DiffRemoveWord] {
        if few || styles[role as usize] == Style::new() {
            styles[role as usize] = Style::new().add_modifier(Modifier::UNDERLINED);
        }
    }
}

fn style(
    written: &RoleFile,
    palette: &HashMap<String, serde_yaml::Value>,
    depth: Depth,
) -> Result<Style, String> {
    let resolve = |value: &Option<serde_yaml::Value>| match value {
        None => Ok(None),
        Some(value) => color::resolve(value, palette, depth).map(Some),
    };
    let mut style = Style::new();
    // Resolved also where there are no colours, so that a wrong theme is wrong everywhere.
    let (fg, bg) = (resolve(&written.fg)?, resolve(&written.bg)?);
    if depth != Depth::None {
        (style.fg, style.bg) = (fg, bg);
    }
    if let (Depth::Ansi16, Some(ansi)) = (depth, written.ansi) {
        style.fg = color::ansi(ansi);
    }
    for (on, modifier) in [
        (written.bold, Modifier::BOLD),
        (written.dim, Modifier::DIM),
        (written.italic, Modifier::ITALIC),
        (written.underline, Modifier::UNDERLINED),
        (written.reverse, Modifier::REVERSED),
    ] {
        if on {
            style = style.add_modifier(modifier);
        }
    }
    Ok(style)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_reads_at_every_depth_and_styles_every_role() {
        let themes = Themes::default();
        assert_eq!(themes.names().len(), 6);
        for (name, text) in EMBEDDED {
            let file: ThemeFile = serde_yaml::from_str(text).unwrap();
            assert_eq!(file.roles.len(), Role::COUNT, "{name} leaves out a role");
            for depth in [Depth::True, Depth::Indexed256, Depth::Ansi16, Depth::None] {
                let theme = themes.load(name, depth).unwrap();
                let colours = theme.styles.iter().flat_map(|style| [style.fg, style.bg]).flatten();
                for colour in colours {
                    let fits = match depth {
                        Depth::True => true,
                        Depth::Indexed256 => !matches!(colour, Color::Rgb(..)),
                        Depth::Ansi16 => !matches!(colour, Color::Rgb(..) | Color::Indexed(_)),
                        Depth::None => false,
                    };
                    assert!(fits, "{name} at {depth:?} has {colour:?}");
                }
            }
        }
    }

    #[test]
    fn a_theme_of_the_user_replaces_and_wrong_ones_say_why() {
        let own = "roles: {text: {fg: ink}}\npalette: {ink: \"#010203\"}\n";
        let themes = Themes::with_users(vec![("koru-dark".to_owned(), own.to_owned())]);
        assert_eq!(
            themes.load("koru-dark", Depth::True).unwrap().style(Role::Text).fg,
            Some(Color::Rgb(1, 2, 3))
        );
        assert_eq!(themes.names().len(), 6);
        let wrong = Theme::parse("mine", "roles: {text: {fg: blurple}}", Depth::True).unwrap_err();
        assert!(wrong.to_string().starts_with("theme mine: `blurple` is no colour"), "{wrong}");
        assert!(Theme::parse("mine", "rolls: {}", Depth::True).unwrap_err().to_string().contains("rolls"));
        assert!(themes.load("nope", Depth::True).unwrap_err().to_string().contains("`nope`"));
    }

    #[test]
    fn without_colours_the_selection_is_reversed() {
        let theme = Themes::default().load("koru-dark", Depth::None).unwrap();
        assert!(theme.style(Role::Selected).add_modifier.contains(Modifier::REVERSED));
    }
}
