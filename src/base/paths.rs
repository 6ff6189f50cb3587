//! Where everything lives: under `<project>/.planfile/` and, user-wide, in the XDG folders. Nothing is created here.

use std::path::{Path, PathBuf};

use etcetera::base_strategy::{BaseStrategy, Xdg};

use super::repo;

/// Our folder in each XDG folder.
const APP: &str = "koru-tui";

/// The paths of one project.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProjectPaths {
    root: PathBuf,
}

macro_rules! under_root {
    ($($(#[$doc:meta])* $name:ident => $relative:literal;)*) => {
        $($(#[$doc])* pub fn $name(&self) -> PathBuf { self.root.join($relative) })*
    };
}

impl ProjectPaths {
    /// Paths of the project folder `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Finds the project for `from`: the nearest ancestor with `.planfile/config.yaml` or `.planfile/sprints`, not
    /// above the git work tree; inside a linked worktree the main project (through git's common folder). `None` when
    /// there is none, in which case `from` itself (or its work tree root) is where `init` would go.
    ///
    /// A linked worktree's own copy of `.planfile/` counts only when the main project has none. A folder below
    /// `<project>/.planfile/` (our agents' worktrees, run folders) belongs to `<project>`.
    pub fn find(from: &Path) -> Option<Self> {
        let from = from.canonicalize().or_else(|_| std::path::absolute(from)).ok()?;
        if let Some(owner) = owner_of_planfile_folder(&from) {
            return Some(Self::new(owner));
        }
        let tree = from.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
        // Only a `.git` *file* can mean a linked worktree; the usual repository is not opened at all.
        if tree.is_some_and(|tree| tree.join(".git").is_file())
            && let Some((own, main)) = repo::roots(&from)
            && own != main
        {
            let inside = from.strip_prefix(&own).unwrap_or(Path::new(""));
            if let Some(root) = nearest(&main.join(inside), Some(&main)) {
                return Some(Self::new(root));
            }
        }
        nearest(&from, tree).map(Self::new)
    }

    /// The project folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    under_root! {
        /// planfile's folder.
        planfile => ".planfile";
        /// planfile's config.
        config => ".planfile/config.yaml";
        /// Sprint files.
        sprints => ".planfile/sprints";
        /// planfile's lock.
        store_lock => ".planfile/.store.lock";
        /// planfile's index folder.
        index => ".planfile/index";
        /// planfile's journal folder.
        events => ".planfile/events";
        /// planfile's evidence folder.
        evidence => ".planfile/evidence";
        /// Our folder.
        koru => ".planfile/.koru";
        /// Policy.
        policy => ".planfile/.koru/policy.yaml";
        /// Our config.
        koru_config => ".planfile/.koru/config.yaml";
        /// Run logs and run folders.
        runs => ".planfile/.koru/runs";
        /// The file bus of worker and reviewer, a folder a ticket.
        loops => ".planfile/.koru/loop";
        /// Checkouts of tickets that agents work on, with a record beside each.
        worktrees => ".planfile/.koru/worktrees";
        /// Requests to land work, and what became of them.
        promotions => ".planfile/.koru/promotions";
        /// The way back from what people did to tickets, a file a ticket.
        undo => ".planfile/.koru/undo";
        /// The audit, a file a day.
        audit => ".planfile/.koru/audit";
        /// Answers of language models that are kept.
        llm_cache => ".planfile/.koru/llm-cache";
        /// Prompts and answers.
        prompts => ".planfile/.koru/prompts";
        /// Drafts of answers.
        drafts => ".planfile/.koru/prompts/drafts";
    }
}

/// `$XDG_CONFIG_HOME/koru-tui` (keymap, themes).
pub fn config_dir() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.config_dir().join(APP))
}

/// `$XDG_STATE_HOME/koru-tui` (log, registry).
pub fn state_dir() -> Option<PathBuf> {
    Some(Xdg::new().ok()?.state_dir()?.join(APP))
}

/// The nearest folder with a planfile, from `from` up to `top` (or the root of the file system).
fn nearest(from: &Path, top: Option<&Path>) -> Option<PathBuf> {
    for folder in from.ancestors() {
        let planfile = folder.join(".planfile");
        if planfile.join("config.yaml").is_file() || planfile.join("sprints").is_dir() {
            return Some(folder.to_path_buf());
        }
        if Some(folder) == top {
            break;
        }
    }
    None
}

/// The project whose `.planfile/` holds `path`.
fn owner_of_planfile_folder(path: &Path) -> Option<PathBuf> {
    path.ancestors()
        .filter(|folder| folder.file_name().is_some_and(|name| name == ".planfile"))
        .filter_map(Path::parent)
        .find(|owner| nearest(owner, Some(owner)).is_some())
        .map(Path::to_path_buf)
}

#[cfg(test)]
mod tests;
