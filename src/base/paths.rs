//! Where everything lives: under `<project>/.planfile/` and, user-wide, in the XDG folders. Nothing is created here.

use std::path::{Path, PathBuf};

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
    pub fn find(from: &Path) -> Option<Self> {
        let _ = from;
        unimplemented!()
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
        /// Prompts and answers.
        prompts => ".planfile/.koru/prompts";
        /// Drafts of answers.
        drafts => ".planfile/.koru/prompts/drafts";
    }
}

/// `$XDG_CONFIG_HOME/koru-tui` (keymap, themes).
pub fn config_dir() -> Option<PathBuf> {
    unimplemented!()
}

/// `$XDG_STATE_HOME/koru-tui` (log, registry).
pub fn state_dir() -> Option<PathBuf> {
    unimplemented!()
}
