//! From the command line, the environment and the user's configuration folder to [`Settings`].
//!
//! The only place of the console that reads the environment and configuration files, once, at the start. What cannot be
//! used is said on the screen and never stops the console.

use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::glyphs::locale_is_utf8;
use super::keymap::Keymap;
use super::notify::Notify;
use super::preferences::Preferences;
use super::state::Settings;
use super::theme::{Depth, Themes};

/// What the command line says.
#[derive(Clone, Debug, Default)]
pub struct ConsoleOptions {
    /// Name of the theme; the one chosen last when `None`, or else one that fits the terminal's background.
    pub theme: Option<String>,
    /// Draw with ASCII only; also chosen when the locale is not UTF-8.
    pub ascii: bool,
    /// Ring when a ticket begins to wait for the operator.
    pub bell: bool,
    /// Folder of `keymap.yaml`, `notify.yaml` and `themes/`; that of the user when `None`.
    pub config_dir: Option<PathBuf>,
    /// Folder in which the chosen theme is remembered; that of the user when `None`.
    pub state_dir: Option<PathBuf>,
    /// Start working the queue at once.
    pub work: bool,
}

/// Files of the user larger than this are not read.
const LARGEST: u64 = 256 * 1024;

impl ConsoleOptions {
    /// The settings, and sentences about what could not be used.
    pub(crate) fn settings(&self) -> (Settings, Vec<String>) {
        let env = |name: &str| std::env::var(name).ok();
        let mut troubles = Vec::new();
        let folder = self.config_dir.clone().or_else(crate::base::paths::config_dir);
        let keymap = folder.as_deref().map(|folder| read_keymap(folder, &mut troubles)).unwrap_or_default();
        let notify = folder.as_deref().map(|folder| read_notify(folder, &mut troubles));
        let notify = notify.unwrap_or_else(Notify::usual);
        let themes = folder.as_deref().map(|folder| read_themes(folder, &mut troubles)).unwrap_or_default();
        // A theme that was taken away since is forgotten without a word; one that was asked for is not.
        let remembered = || self.preferences().theme().filter(|name| themes.names().contains(name));
        let theme = self
            .theme
            .clone()
            .or_else(remembered)
            .unwrap_or_else(|| default_theme(env("COLORFGBG").as_deref()).to_owned());
        let settings = Settings {
            theme,
            themes,
            depth: Depth::detect(env),
            ascii: self.ascii || !locale_is_utf8(env),
            notify: Notify { bell: self.bell || notify.bell, ..notify },
            keymap,
            zone: TimeZone::system(),
        };
        (settings, troubles)
    }
}

impl ConsoleOptions {
    /// What is remembered of earlier times.
    pub(crate) fn preferences(&self) -> Preferences {
        Preferences::in_folder(self.state_dir.clone().or_else(crate::base::paths::state_dir))
    }
}

/// `COLORFGBG` is `foreground;background` with ANSI numbers; 7 and 15 are light grounds.
fn default_theme(colorfgbg: Option<&str>) -> &'static str {
    match colorfgbg.and_then(|value| value.rsplit(';').next()) {
        Some("7" | "15") => "koru-light",
        _ => "koru-dark",
    }
}

fn read_keymap(folder: &Path, troubles: &mut Vec<String>) -> Keymap {
    match read_small(&folder.join("keymap.yaml")) {
        Ok(None) => Keymap::default(),
        Ok(Some(text)) => {
            let (keymap, wrong) = Keymap::read(&text);
            troubles.extend(wrong);
            keymap
        }
        Err(trouble) => {
            troubles.push(trouble);
            Keymap::default()
        }
    }
}

fn read_notify(folder: &Path, troubles: &mut Vec<String>) -> Notify {
    match read_small(&folder.join("notify.yaml")) {
        Ok(None) => Notify::usual(),
        Ok(Some(text)) => {
            let (notify, wrong) = Notify::read(&text);
            troubles.extend(wrong);
            notify
        }
        Err(trouble) => {
            troubles.push(trouble);
            Notify::usual()
        }
    }
}

fn read_themes(folder: &Path, troubles: &mut Vec<String>) -> Themes {
    let mut users = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder.join("themes")) else { return Themes::default() };
    for entry in entries.flatten() {
        let path = entry.path();
        let Some(name) =
            path.file_name().and_then(|name| name.to_str()).and_then(|name| name.strip_suffix(".yaml"))
        else {
            continue;
        };
        match read_small(&path) {
            Ok(Some(text)) => users.push((name.to_owned(), text)),
            Ok(None) => {}
            Err(trouble) => troubles.push(trouble),
        }
    }
    users.sort();
    Themes::with_users(users)
}

fn read_small(path: &Path) -> Result<Option<String>, String> {
    match std::fs::metadata(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Ok(metadata) if metadata.len() > LARGEST => {
            return Err(format!("{} is larger than {} KiB and was not read", path.display(), LARGEST / 1024));
        }
        Ok(_) | Err(_) => {}
    }
    std::fs::read_to_string(path)
        .map(Some)
        .map_err(|error| format!("reading {} failed: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_light_ground_gets_the_light_theme() {
        assert_eq!(default_theme(Some("0;15")), "koru-light");
        assert_eq!(default_theme(Some("15;default;0")), "koru-dark");
        assert_eq!(default_theme(None), "koru-dark");
    }

    #[test]
    fn the_theme_that_was_chosen_last_comes_back_unless_another_is_asked_for() {
        let state = tempfile::tempdir().unwrap();
        let options = ConsoleOptions {
            config_dir: Some(state.path().to_owned()),
            state_dir: Some(state.path().to_owned()),
            ..ConsoleOptions::default()
        };
        let remember = |name: &str| {
            std::fs::write(state.path().join("look.json"), format!("{{\"theme\":\"{name}\"}}")).unwrap();
        };
        remember("gruvbox-dark");
        assert_eq!(options.settings().0.theme, "gruvbox-dark");
        let asked = ConsoleOptions { theme: Some("monochrome".to_owned()), ..options.clone() };
        assert_eq!(asked.settings().0.theme, "monochrome");
        remember("gone");
        assert_eq!((options.settings().0.theme.as_str(), options.settings().1), ("koru-dark", vec![]));
    }

    #[test]
    fn the_users_files_are_read_and_their_mistakes_said() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("themes")).unwrap();
        std::fs::write(folder.path().join("themes/mine.yaml"), "roles: {}").unwrap();
        std::fs::write(folder.path().join("keymap.yaml"), "ticket.answr: x").unwrap();
        let options =
            ConsoleOptions { config_dir: Some(folder.path().to_owned()), ..ConsoleOptions::default() };
        let (settings, troubles) = options.settings();
        assert!(settings.themes.names().contains(&"mine".to_owned()));
        assert_eq!(troubles, ["keymap.yaml: there is no action `ticket.answr`; the palette shows the names"]);
    }
}
