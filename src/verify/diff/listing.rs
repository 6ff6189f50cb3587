//! What a diff is made of, before any line of it is looked at: plain data, sent to consoles and printed by verbs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::blocks::Block;
use super::lines::Lines;

/// The files of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Commit that is compared against, 40 hexadecimal digits.
    pub base: String,
    /// Commit that is shown, 40 hexadecimal digits; `None` for the files of the worktree, which no decision is made on.
    pub head: Option<String>,
    /// The files, by path; `.planfile/` is left out.
    pub files: Arc<[FileEntry]>,
    /// Files beyond [`super::FILES`] that are not listed.
    pub left_out: u32,
}

/// One file of a diff.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Path from the project's folder (`:/…` from the top of the repository when it lies outside); foreign text, bytes
    /// that are no UTF-8 as `<0xE9>`.
    pub path: String,
    /// Where it was before, when it was renamed.
    pub old_path: Option<String>,
    /// What happened to it.
    pub change: FileChange,
    /// Its mode before, as git writes it (`100644`); `None` when it was not there.
    pub old_mode: Option<u32>,
    /// Its mode now.
    pub new_mode: Option<u32>,
    /// Id of its content before, 40 hexadecimal digits.
    pub old_blob: Option<String>,
    /// Id of its content now; `None` also while a file of the worktree was not read yet ([`Counted::new_blob`]).
    pub new_blob: Option<String>,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileChange {
    /// It is new.
    Added,
    /// Its content or mode changed.
    Modified,
    /// It is gone.
    Deleted,
    /// It has another path, and perhaps other content.
    Renamed,
    /// It became another kind of thing: a link, a file, a submodule.
    Retyped,
    /// A merge left it in conflict.
    Conflicted,
}

impl FileChange {
    /// The letter that git gives it.
    pub fn letter(self) -> char {
        match self {
            FileChange::Added => 'A',
            FileChange::Modified => 'M',
            FileChange::Deleted => 'D',
            FileChange::Renamed => 'R',
            FileChange::Retyped => 'T',
            FileChange::Conflicted => 'U',
        }
    }

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            FileChange::Added => "added",
            FileChange::Modified => "modified",
            FileChange::Deleted => "deleted",
            FileChange::Renamed => "renamed",
            FileChange::Retyped => "another type",
            FileChange::Conflicted => "in conflict",
        }
    }
}

/// How much of a file changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stat", rename_all = "snake_case")]
pub enum Stat {
    /// Lines.
    Text {
        /// Added.
        added: u32,
        /// Removed.
        removed: u32,
    },
    /// No text.
    Binary {
        /// Bytes before.
        old: u64,
        /// Bytes now.
        new: u64,
    },
    /// Too large to be compared ([`super::TEXT_LIMIT`]).
    Large {
        /// Bytes before.
        old: u64,
        /// Bytes now.
        new: u64,
    },
    /// A submodule, or a repository of its own in the worktree.
    Module {
        /// Commit before.
        old: Option<String>,
        /// Commit now (foreign text).
        new: Option<String>,
    },
    /// It cannot be read.
    Unreadable {
        /// Why (foreign text).
        why: String,
    },
}

/// How much of one file changed, said after the listing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// Its place in [`Listing::files`].
    pub file: u32,
    /// How much.
    pub stat: Stat,
    /// Id of its content now, as [`FileEntry::new_blob`], for a file of the worktree.
    pub new_blob: Option<String>,
}

/// The texts of one file and where they differ.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Body {
    /// How much changed.
    pub stat: Stat,
    /// Id of the content now.
    pub new_blob: Option<String>,
    /// Before; empty for what is no text.
    pub old: Arc<Lines>,
    /// Now; empty for what is no text.
    pub new: Arc<Lines>,
    /// Where they differ, from the top.
    pub blocks: Arc<[Block]>,
}
