//! What is worth knowing about a worktree that is ready all the same.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A thing to know. Displays as a sentence; names in it are foreign text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "note", rename_all = "snake_case")]
pub enum Note {
    /// The branch that the worktree was made from has other commits by now; the worktree stays on its base.
    BaseMoved {
        /// Branch of the operator.
        branch: String,
        /// Commit then.
        from: String,
        /// Commit now.
        to: String,
    },
    /// It starts from the work of these tickets, which has not landed yet.
    StartsOn(Vec<String>),
    /// The usual branch name was somebody else's.
    BranchTaken {
        /// Usual name.
        wanted: String,
        /// Name used.
        used: String,
    },
    /// The operator's checkout has changes that are not committed: the worktree does not have them.
    OperatorDirty,
    /// The base has submodules.
    Submodules {
        /// As many are filled from the operator's clones.
        filled: u32,
        /// Paths of those that are empty, because the operator has no clone with their commit.
        empty: Vec<String>,
    },
    /// The operator's checkout is sparse; the worktree is whole.
    Sparse,
    /// Files under git filters, put through them (`filled`) or left as git stores them.
    Filters {
        /// Names of the filters.
        names: Vec<String>,
        /// Files concerned.
        files: u32,
        /// Why they were left as stored; `None` when they were filled.
        unfilled: Option<String>,
    },
    /// The folder or git's entry for it had gone and was made again.
    Repaired(String),
    /// HEAD of the worktree was not on the ticket's branch and was put back.
    HeadMoved {
        /// Where it was.
        from: String,
        /// Name under which its commit is kept, when no branch has it.
        kept: Option<String>,
    },
    /// Lock files that a killed git left behind were removed.
    LocksRemoved(Vec<String>),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::BaseMoved { branch, from, to } => {
                let (from, to) = (short(from), short(to));
                write!(f, "{branch} moved from {from} to {to} since the worktree was made; it stays on {from}")
            }
            Note::StartsOn(tickets) => {
                write!(f, "it starts from the work of {}, which has not landed yet", tickets.join(", "))
            }
            Note::BranchTaken { wanted, used } => {
                write!(f, "the branch {wanted} is not ours and was left alone; this ticket uses {used}")
            }
            Note::OperatorDirty => f.write_str(
                "your checkout has changes that are not committed; the worktree starts from the commit without them",
            ),
            Note::Submodules { filled, empty } if empty.is_empty() => {
                write!(f, "{filled} submodule(s) are filled from your clones; changes in them are refused")
            }
            Note::Submodules { empty, .. } => write!(
                f,
                "submodule(s) that your checkout does not have at this commit are empty in the worktree: {}; after `git \
                 submodule update --init` there, the next run has them",
                empty.join(", ")
            ),
            Note::Sparse => f.write_str("your checkout is sparse; the worktree has every file"),
            Note::Filters { names, files, unfilled: None } => {
                write!(f, "{files} file(s) went through git's filter {}", names.join(", "))
            }
            Note::Filters { names, files, unfilled: Some(why) } => write!(
                f,
                "{files} file(s) under git's filter {} are as git stores them (pointers): {why}",
                names.join(", ")
            ),
            Note::Repaired(what) => write!(f, "repaired: {what}"),
            Note::HeadMoved { from, kept: None } => {
                write!(f, "HEAD of the worktree was on {from} and was put back on the ticket's branch")
            }
            Note::HeadMoved { from, kept: Some(kept) } => write!(
                f,
                "HEAD of the worktree was on {from} and was put back on the ticket's branch; its commit is kept as \
                 {kept}"
            ),
            Note::LocksRemoved(names) => {
                write!(f, "lock files of an ended git were removed: {}", names.join(", "))
            }
        }
    }
}

/// An abbreviated commit id.
fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}
