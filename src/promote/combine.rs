//! Where a branch and its base meet: the commit that would be on the base afterwards, made in memory.
//!
//! Nothing here touches a work tree, an index on disk or a reference; new commits are objects that nobody names until
//! the base moves to them. Invariant: the tree that comes out is the one that a three-way merge of both tips gives,
//! whichever way it is reached, so that what is checked does not depend on the way.

use git2::{AnnotatedCommit, Commit, Index, MergeOptions, Oid, RebaseOptions, Repository, Signature};
use serde::{Deserialize, Serialize};

use crate::plan::settings::Onto;

/// What became of the two tips.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// The base just moves forward to the work.
    Forward,
    /// The work's commits were made again on top of the base.
    Rebased,
    /// A merge commit.
    Merged,
    /// The base holds all of it already.
    Contained,
}

/// The outcome of [`combine`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Combined {
    /// Commit that the base would be at.
    pub target: Oid,
    /// How it came to be.
    pub way: Way,
}

/// Why the two do not come together.
#[derive(Debug, thiserror::Error)]
pub enum CombineError {
    /// Both changed the same places.
    #[error("the base changed the same places: {}", .files.join(", "))]
    Conflict {
        /// Paths, sorted (foreign text).
        files: Vec<String>,
    },
    /// The base has moved on and may not be joined.
    #[error("the base has moved on since the work began, and only a fast-forward is allowed")]
    Drifted,
    /// They have no common commit.
    #[error("the branch and its base have no commit in common")]
    Unrelated,
    /// git refused.
    #[error("git could not join the branch and its base: {0}")]
    Git(#[from] git2::Error),
}

/// Joins `head` and the base's tip. `message` is that of a merge commit, `who` commits; authors stay who they are.
///
/// # Errors
/// See [`CombineError`]; the repository is as it was, but for objects that nobody names.
pub fn combine(
    repo: &Repository,
    base: Oid,
    head: Oid,
    onto: Onto,
    who: &Signature<'_>,
    message: &str,
) -> Result<Combined, CombineError> {
    let common = match repo.merge_base(base, head) {
        Ok(common) => common,
        Err(error) if error.code() == git2::ErrorCode::NotFound => return Err(CombineError::Unrelated),
        Err(error) => return Err(error.into()),
    };
    if common == head {
        return Ok(Combined { target: base, way: Way::Contained });
    }
    if common == base {
        return Ok(Combined { target: head, way: Way::Forward });
    }
    if onto == Onto::FastForward {
        return Err(CombineError::Drifted);
    }
    let (ours, theirs) = (repo.find_commit(base)?, repo.find_commit(head)?);
    let tree = joined(repo, &ours, &theirs)?;
    if onto == Onto::Rebase
        && let Some(target) = rebased(repo, &ours, &theirs, common, who)?
        && repo.find_commit(target)?.tree_id() == tree
    {
        return Ok(Combined { target, way: Way::Rebased });
    }
    let tree = repo.find_tree(tree)?;
    let target = repo.commit(None, who, who, message, &tree, &[&ours, &theirs])?;
    Ok(Combined { target, way: Way::Merged })
}

/// The commit that takes the changes between `was` and `landed` out of `tip` again.
///
/// # Errors
/// See [`CombineError`].
pub fn without(
    repo: &Repository,
    tip: Oid,
    was: Oid,
    landed: Oid,
    who: &Signature<'_>,
    message: &str,
) -> Result<Oid, CombineError> {
    let (tip, was, landed) = (repo.find_commit(tip)?, repo.find_commit(was)?, repo.find_commit(landed)?);
    let mut index = repo.merge_trees(&landed.tree()?, &tip.tree()?, &was.tree()?, Some(&options()))?;
    let tree = repo.find_tree(settled(repo, &mut index)?)?;
    Ok(repo.commit(None, who, who, message, &tree, &[&tip])?)
}

/// The tree of a three-way merge.
fn joined(repo: &Repository, ours: &Commit<'_>, theirs: &Commit<'_>) -> Result<Oid, CombineError> {
    let mut index = repo.merge_commits(ours, theirs, Some(&options()))?;
    settled(repo, &mut index)
}

fn options() -> MergeOptions {
    let mut options = MergeOptions::new();
    options.find_renames(true);
    options
}

/// The tree of an index without conflicts.
fn settled(repo: &Repository, index: &mut Index) -> Result<Oid, CombineError> {
    if index.has_conflicts() {
        let mut files: Vec<String> = index
            .conflicts()?
            .filter_map(Result::ok)
            .filter_map(|conflict| conflict.our.or(conflict.their).or(conflict.ancestor))
            .map(|entry| String::from_utf8_lossy(&entry.path).into_owned())
            .collect();
        files.sort();
        files.dedup();
        return Err(CombineError::Conflict { files });
    }
    Ok(index.write_tree_to(repo)?)
}

/// The work's commits on top of `ours`; `None` when they hold a merge, or one of them does not fit by itself.
fn rebased(
    repo: &Repository,
    ours: &Commit<'_>,
    theirs: &Commit<'_>,
    common: Oid,
    who: &Signature<'_>,
) -> Result<Option<Oid>, CombineError> {
    let mut walk = repo.revwalk()?;
    walk.push(theirs.id())?;
    walk.hide(common)?;
    for id in walk {
        if repo.find_commit(id?)?.parent_count() != 1 {
            return Ok(None);
        }
    }
    let annotated = |id: Oid| -> Result<AnnotatedCommit<'_>, git2::Error> { repo.find_annotated_commit(id) };
    let (branch, upstream) = (annotated(theirs.id())?, annotated(ours.id())?);
    let mut how = RebaseOptions::new();
    how.inmemory(true).merge_options(options());
    let mut rebase = repo.rebase(Some(&branch), Some(&upstream), None, Some(&mut how))?;
    let mut target = ours.id();
    while let Some(step) = rebase.next() {
        step?;
        if rebase.inmemory_index()?.has_conflicts() {
            return Ok(None);
        }
        match rebase.commit(None, who, None) {
            Ok(id) => target = id,
            // The base has this change already.
            Err(error) if error.code() == git2::ErrorCode::Applied => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(target))
}

#[cfg(test)]
mod tests {
    use super::super::bench::{Bench, who};
    use super::*;

    #[test]
    fn a_base_that_did_not_move_goes_forward_and_one_that_has_it_all_stays() {
        let bench = Bench::new();
        let base = bench.tip("main");
        let head = bench.commit("work", "a", "1\n2\n3\nmine\n");
        let forward = bench.combine(base, head, Onto::FastForward).unwrap();
        assert_eq!(forward, Combined { target: head, way: Way::Forward });
        let contained = bench.combine(head, base, Onto::FastForward).unwrap();
        assert_eq!(contained, Combined { target: head, way: Way::Contained });
    }

    #[test]
    fn commits_are_put_on_top_of_a_base_that_moved_and_keep_their_authors() {
        let bench = Bench::new();
        bench.commit("work", "b", "one\n");
        let head = bench.commit("work", "b", "two\n");
        let base = bench.commit("main", "c", "theirs\n");
        let combined = bench.combine(base, head, Onto::Rebase).unwrap();
        assert_eq!(combined.way, Way::Rebased);
        let target = bench.repo.find_commit(combined.target).unwrap();
        assert_eq!(
            (target.author().name().unwrap(), target.committer().name().unwrap()),
            ("worker", "koru-tui")
        );
        assert_eq!(target.parent(0).unwrap().parent_id(0).unwrap(), base);
        assert_eq!(bench.text(combined.target, "b"), "two\n");
        assert_eq!(bench.text(combined.target, "c"), "theirs\n");
        assert!(matches!(bench.combine(base, head, Onto::FastForward), Err(CombineError::Drifted)));
    }

    #[test]
    fn work_with_a_merge_in_it_is_merged() {
        let bench = Bench::new();
        let start = bench.tip("main");
        let one = bench.commit("work", "b", "one\n");
        let (left, right) = (bench.repo.find_commit(one).unwrap(), bench.repo.find_commit(start).unwrap());
        let head =
            bench.repo.commit(None, &who(), &who(), "join", &left.tree().unwrap(), &[&left, &right]).unwrap();
        let base = bench.commit("main", "c", "theirs\n");
        let combined = bench.combine(base, head, Onto::Rebase).unwrap();
        assert_eq!(combined.way, Way::Merged);
        let parents: Vec<Oid> = bench.repo.find_commit(combined.target).unwrap().parent_ids().collect();
        assert_eq!(parents, [base, head]);
    }

    #[test]
    fn a_conflict_names_its_files_and_unrelated_histories_are_refused() {
        let bench = Bench::new();
        let head = bench.commit("work", "a", "mine\n");
        let base = bench.commit("main", "a", "theirs\n");
        let refused = bench.combine(base, head, Onto::Rebase).unwrap_err();
        assert!(matches!(&refused, CombineError::Conflict { files } if *files == ["a"]), "{refused}");
        let tree = bench.repo.find_commit(base).unwrap().tree().unwrap();
        let alone = bench.repo.commit(None, &who(), &who(), "alone", &tree, &[]).unwrap();
        assert!(matches!(bench.combine(base, alone, Onto::Merge), Err(CombineError::Unrelated)));
    }

    #[test]
    fn a_change_is_taken_out_again_and_what_came_after_it_stays() {
        let bench = Bench::new();
        let was = bench.tip("main");
        let landed = bench.commit("main", "a", "1\n2\n3\nlanded\n");
        let tip = bench.commit("main", "c", "later\n");
        let undone = without(&bench.repo, tip, was, landed, &who(), "undo").unwrap();
        assert_eq!(bench.text(undone, "a"), "1\n2\n3\n");
        assert_eq!(bench.text(undone, "c"), "later\n");
        let over = bench.commit("main", "a", "1\n2\n3\nlanded and more\n");
        let refused = without(&bench.repo, over, was, landed, &who(), "undo").unwrap_err();
        assert!(matches!(refused, CombineError::Conflict { .. }), "{refused}");
    }
}
