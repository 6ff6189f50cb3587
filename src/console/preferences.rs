//! What the console remembers of its looks from one time to the next: the theme that the operator chose.
//!
//! One small file, `<state>/look.json`, written on the operator's choice and at no other time, on a thread that may wait
//! for the disk; the program ends after it. A file that cannot be read is as good as none; one that cannot be written
//! is said.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use crate::base::atomic;

/// The file's name in the user's state folder.
const FILE: &str = "look.json";

/// What is remembered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
struct Look {
    theme: Option<String>,
}

/// Remembers; without a folder nothing is kept.
#[derive(Debug)]
pub(crate) struct Preferences {
    folder: Option<PathBuf>,
    say: mpsc::UnboundedSender<String>,
    said: mpsc::UnboundedReceiver<String>,
}

impl Preferences {
    /// The preferences in this folder, which need not exist.
    pub(crate) fn in_folder(folder: Option<PathBuf>) -> Preferences {
        let (say, said) = mpsc::unbounded_channel();
        Preferences { folder, say, said }
    }

    /// The theme that was chosen last.
    pub(crate) fn theme(&self) -> Option<String> {
        let text = std::fs::read(self.folder.as_ref()?.join(FILE)).ok()?;
        serde_json::from_slice::<Look>(&text).ok()?.theme
    }

    /// Remembers a theme, in the background.
    pub(crate) fn keep_theme(&self, name: &str) {
        let Some(folder) = self.folder.clone() else { return };
        let look = Look { theme: Some(name.to_owned()) };
        let say = self.say.clone();
        tokio::task::spawn_blocking(move || {
            if let Err(error) = write(&folder, &serde_json::to_vec(&look).unwrap_or_default()) {
                let folder = folder.display();
                // Nobody listens when the console has ended: then there is nobody to tell.
                let _ = say.send(format!("remembering the theme in {folder} failed: {error}"));
            }
        });
    }

    /// What could not be remembered, as a sentence. Cancel-safe; waits for ever when all goes well.
    pub(crate) async fn trouble(&mut self) -> String {
        match self.said.recv().await {
            Some(sentence) => sentence,
            None => std::future::pending().await,
        }
    }
}

fn write(folder: &Path, text: &[u8]) -> std::io::Result<()> {
    atomic::make_private_dir(folder)?;
    atomic::replace(&folder.join(FILE), &[text, b"\n"]).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_remembered_and_what_cannot_be_read_is_none() {
        let state = tempfile::tempdir().unwrap();
        let folder = state.path().join("koru-tui");
        let preferences = Preferences::in_folder(Some(folder.clone()));
        assert_eq!(preferences.theme(), None);
        // A runtime ends after what it was given to do in the background.
        let wait_for = || tokio::runtime::Builder::new_current_thread().build().unwrap();
        wait_for().block_on(async { preferences.keep_theme("koru-light") });
        assert_eq!(preferences.theme(), Some("koru-light".to_owned()));
        std::fs::write(folder.join(FILE), "{").unwrap();
        assert_eq!(preferences.theme(), None);
    }

    #[tokio::test]
    async fn what_cannot_be_remembered_is_said() {
        let state = tempfile::tempdir().unwrap();
        std::fs::write(state.path().join("file"), "").unwrap();
        let mut preferences = Preferences::in_folder(Some(state.path().join("file/koru-tui")));
        preferences.keep_theme("koru-light");
        let said = preferences.trouble().await;
        assert!(said.starts_with("remembering the theme in "), "{said}");
    }
}
