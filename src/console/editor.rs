//! Handing a text to the operator's own editor, in a private file that is gone afterwards.
//!
//! Owns the file for as long as the editor runs. The file lies with the drafts of the project (0600), never in a shared
//! temporary folder.

use std::io::Write;
use std::path::Path;

use tokio::process::{Child, Command};

use crate::base::atomic::make_own_dir;

/// A text in the editor.
#[derive(Debug)]
pub(crate) struct Editing {
    file: tempfile::NamedTempFile,
    child: Child,
    name: String,
}

/// Starts the editor; the terminal must have been given back before. The error is a sentence.
pub(crate) fn start(text: &str, drafts: &Path, editor: &str) -> Result<Editing, String> {
    let failed =
        |error: std::io::Error| format!("handing the text to {editor} failed: {error}; it is as it was");
    make_own_dir(drafts).map_err(failed)?;
    let mut file =
        tempfile::Builder::new().prefix("edit-").suffix(".md").tempfile_in(drafts).map_err(failed)?;
    file.write_all(text.as_bytes()).and_then(|()| file.flush()).map_err(failed)?;
    // Through the shell, because `$EDITOR` may carry arguments (`code --wait`); the path is an argument, not text of it.
    let child = Command::new("/bin/sh")
        .arg("-c")
        .arg(format!("{editor} \"$1\""))
        .arg("sh")
        .arg(file.path())
        .kill_on_drop(true)
        .spawn()
        .map_err(failed)?;
    Ok(Editing { file, child, name: editor.to_owned() })
}

impl Editing {
    /// Waits for the editor to end. Cancel-safe.
    pub(crate) async fn ended(&mut self) -> Result<(), String> {
        match self.child.wait().await {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{} ended with {status}; your text is as it was", self.name)),
            Err(error) => Err(format!("waiting for {} failed: {error}; your text is as it was", self.name)),
        }
    }

    /// The text as it stands in the file. Read by path: most editors replace the file instead of writing into it.
    pub(crate) fn text(&self) -> Result<String, String> {
        let bytes = std::fs::read(self.file.path()).map_err(|error| {
            format!("reading what {} wrote failed: {error}; your text is as it was", self.name)
        })?;
        String::from_utf8(bytes).map_err(|_| format!("{} wrote no UTF-8; your text is as it was", self.name))
    }
}

/// The operator's editor.
pub(crate) fn chosen() -> String {
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    set("VISUAL").or_else(|| set("EDITOR")).unwrap_or_else(|| "vi".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_the_editor_wrote_comes_back_and_the_file_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut editing = start("draft", folder.path(), "sed -i -e s/draft/answer/").unwrap();
        editing.ended().await.unwrap();
        assert_eq!(editing.text(), Ok("answer".to_owned()));
        drop(editing);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[tokio::test]
    async fn an_editor_that_fails_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut editing = start("draft", folder.path(), "false").unwrap();
        let said = editing.ended().await.unwrap_err();
        assert!(said.starts_with("false ended with"), "{said}");
    }
}
