//! What a worker and a reviewer are told about their part: the project's own words where it has them, else ours.
//!
//! The project's files are `docs/roles/code-writer.md`, `docs/roles/reviewer.md` and, for the worker besides,
//! `AGENTS.md` (`reference/loop-kit.md` §12). They are read from the operator's checkout, never from a worktree: a run
//! cannot write the rules that it is judged by. A file that is empty, too long or leads out of the project does not count.

use std::path::Path;

use crate::base::regular::{self, Links};

/// What the worker is told when the project says nothing.
const WORKER: &str = include_str!("../../../assets/roles/code-writer.md");

/// What the reviewer is told when the project says nothing.
const REVIEWER: &str = include_str!("../../../assets/roles/reviewer.md");

/// Longest file that counts, in bytes.
const LIMIT: u64 = 128 * 1024;

/// The worker's part in the project at `root`. Reads files.
pub fn worker(root: &Path) -> String {
    let role = own(root, "docs/roles/code-writer.md").unwrap_or_else(|| WORKER.trim().to_owned());
    match own(root, "AGENTS.md") {
        Some(agents) => format!("{role}\n\n{agents}"),
        None => role,
    }
}

/// The reviewer's part in the project at `root`. Reads files.
pub fn reviewer(root: &Path) -> String {
    own(root, "docs/roles/reviewer.md").unwrap_or_else(|| REVIEWER.trim().to_owned())
}

/// The text of the project's own file.
fn own(root: &Path, name: &str) -> Option<String> {
    let path = root.join(name);
    // A link to a file within the project is fine (`AGENTS.md` often is one); a FIFO would never end.
    let real = path.canonicalize().ok()?;
    let inside = root.canonicalize().is_ok_and(|root| real.starts_with(root));
    let Some(bytes) = inside.then(|| regular::read(&real, Links::Refused, LIMIT).ok()).flatten() else {
        tracing::warn!(path = %path.display(), "a role's file is no plain file of the project, or too long: it does not count");
        return None;
    };
    let text = String::from_utf8_lossy(&bytes);
    let text = text.trim_start_matches('\u{feff}').trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_words_count_when_there_are_any() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!((worker(root), reviewer(root)), (WORKER.trim().to_owned(), REVIEWER.trim().to_owned()));
        std::fs::create_dir_all(root.join("docs/roles")).unwrap();
        std::fs::write(root.join("docs/roles/reviewer.md"), "Be kind.\n").unwrap();
        std::fs::write(root.join("docs/roles/code-writer.md"), " \n").unwrap();
        std::fs::write(root.join("AGENTS.md"), "Use tabs.").unwrap();
        assert_eq!(reviewer(root), "Be kind.");
        assert_eq!(worker(root), format!("{}\n\nUse tabs.", WORKER.trim()));
    }

    #[test]
    fn a_file_that_leads_out_of_the_project_does_not_count() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        std::fs::write(elsewhere.path().join("secret"), "key").unwrap();
        std::os::unix::fs::symlink(elsewhere.path().join("secret"), folder.path().join("AGENTS.md")).unwrap();
        assert_eq!(worker(folder.path()), WORKER.trim());
        std::fs::remove_file(folder.path().join("AGENTS.md")).unwrap();
        std::fs::write(folder.path().join("RULES.md"), "Use tabs.").unwrap();
        std::os::unix::fs::symlink("RULES.md", folder.path().join("AGENTS.md")).unwrap();
        assert!(worker(folder.path()).ends_with("Use tabs."));
    }
}
