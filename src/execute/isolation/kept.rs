//! Whether commits that only one branch has are on another one as other commits: made again on top of a base that had
//! moved on, as a landing by rebase does, or picked by hand. Their work is not lost with the branch then.
//!
//! What counts is what a commit changes: its files and every line that it takes away or adds, blanks included, wherever
//! they stand. A commit that changes a binary file or a mode is taken by its whole contents, and a merge is never found
//! again. At most [`LOOKED_AT`] commits of the other branches are compared, the newest first.

use std::collections::HashSet;

use git2::{Delta, Diff, DiffFormat, DiffOptions, Oid, Repository};
use sha2::{Digest, Sha256};

/// Commits of other branches that are compared.
const LOOKED_AT: usize = 1000;

/// Commits of a branch that are looked for; a branch with more is kept.
const LOOKED_FOR: usize = 100;

/// How many of `alone` are nowhere else. `others` are the tips of the other branches.
///
/// # Errors
/// libgit2's.
pub(super) fn nowhere_else(repo: &Repository, alone: &[Oid], others: &[Oid]) -> Result<usize, git2::Error> {
    if alone.is_empty() || alone.len() > LOOKED_FOR {
        return Ok(alone.len());
    }
    let mut wanted = HashSet::new();
    let mut lost = 0;
    for id in alone {
        match change(repo, *id)? {
            Some(change) => drop(wanted.insert(change)),
            None => lost += 1,
        }
    }
    let mut walk = repo.revwalk()?;
    for tip in others {
        // Something that is no commit (a tag of a tree, say) has nothing.
        let _ = walk.push(*tip);
    }
    // What the branch itself is built on holds none of its commits.
    for id in alone {
        walk.hide(*id)?;
    }
    for id in walk.take(LOOKED_AT) {
        if wanted.is_empty() {
            break;
        }
        if let Some(change) = change(repo, id?)? {
            wanted.remove(&change);
        }
    }
    Ok(lost + wanted.len())
}

/// What a commit changes, as a hash; `None` for one without exactly one parent.
fn change(repo: &Repository, id: Oid) -> Result<Option<[u8; 32]>, git2::Error> {
    let commit = repo.find_commit(id)?;
    if commit.parent_count() != 1 {
        return Ok(None);
    }
    let mut options = DiffOptions::new();
    options.context_lines(0).include_typechange(true);
    let (before, after) = (commit.parent(0)?.tree()?, commit.tree()?);
    let diff = repo.diff_tree_to_tree(Some(&before), Some(&after), Some(&mut options))?;
    hash(&diff).map(Some)
}

fn hash(diff: &Diff<'_>) -> Result<[u8; 32], git2::Error> {
    let mut digest = Sha256::new();
    let mut part = |kind: u8, bytes: &[u8]| {
        digest.update([kind]);
        digest.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(bytes);
    };
    diff.print(DiffFormat::Patch, |delta, _, line| {
        match line.origin() {
            origin @ ('+' | '-' | '<' | '>' | '=') => {
                part(u8::try_from(origin).unwrap_or_default(), line.content())
            }
            // The head of a file names its blobs, which differ wherever the file differs elsewhere.
            'F' => {
                let (old, new) = (delta.old_file(), delta.new_file());
                part(b'F', new.path_bytes().or(old.path_bytes()).unwrap_or_default());
                part(b'M', format!("{:?} {:?} {:?}", delta.status(), old.mode(), new.mode()).as_bytes());
                let whole = old.is_binary() || new.is_binary() || delta.status() == Delta::Typechange;
                if whole {
                    part(b'O', old.id().as_bytes());
                    part(b'N', new.id().as_bytes());
                }
            }
            'B' => {
                part(b'O', delta.old_file().id().as_bytes());
                part(b'N', delta.new_file().id().as_bytes());
            }
            _ => {}
        }
        true
    })?;
    Ok(digest.finalize().into())
}
