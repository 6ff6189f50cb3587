//! Where a repository's references stand, so that a reviewer that moves one is seen although no file changed: it switched
//! to another branch at the same commit, moved a branch or a tag, or deleted one.
//!
//! Branches that other worktrees have checked out are left out: whoever works there moves them. So are new references,
//! which change nothing of the work that is judged.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use git2::Repository;

/// What is compared before and after.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct References {
    /// The branch that HEAD names, `refs/heads/main`; `None` when it names a commit.
    head: Option<String>,
    /// Branches and tags with what they name.
    named: BTreeMap<String, String>,
    /// Branches that other worktrees have checked out.
    elsewhere: BTreeSet<String>,
}

impl References {
    /// Reads them.
    ///
    /// # Errors
    /// What git says.
    pub(super) fn of(repo: &Repository) -> Result<References, git2::Error> {
        let head = repo.find_reference("HEAD")?.symbolic_target_bytes().map(lossy);
        let mut named = BTreeMap::new();
        for reference in repo.references()? {
            let reference = reference?;
            let name = lossy(reference.name_bytes());
            if !name.starts_with("refs/heads/") && !name.starts_with("refs/tags/") {
                continue;
            }
            let target = reference.target().map(|id| id.to_string());
            let target = target.or_else(|| reference.symbolic_target_bytes().map(lossy));
            named.insert(name, target.unwrap_or_default());
        }
        Ok(References { head, named, elsewhere: elsewhere(repo) })
    }

    /// What differs in `after`, as sentences without a verb.
    pub(super) fn changed(&self, after: &References) -> Vec<String> {
        let mut changed = Vec::new();
        if self.head != after.head {
            let now = after.head.as_deref().unwrap_or("a commit and no branch");
            changed.push(format!("HEAD (now on {now})"));
        }
        // The own branch is told of as HEAD's commit.
        let own = |name: &String| self.head.as_ref() == Some(name) && after.named.contains_key(name);
        let others = |name: &String| self.elsewhere.contains(name) || after.elsewhere.contains(name);
        for (name, was) in self.named.iter().filter(|(name, _)| !own(name) && !others(name)) {
            match after.named.get(name) {
                Some(now) if now == was => {}
                Some(now) => changed.push(format!("{name} (now {})", short(now))),
                None => changed.push(format!("{name} (gone)")),
            }
        }
        changed
    }
}

/// Branches that other worktrees than this one, the main one included, have checked out.
fn elsewhere(repo: &Repository) -> BTreeSet<String> {
    let linked = std::fs::read_dir(repo.commondir().join("worktrees"));
    let linked = linked.into_iter().flatten().flatten().map(|entry| entry.path());
    let all = linked.chain([repo.commondir().to_owned()]);
    all.filter(|folder| !same(folder, repo.path())).filter_map(|folder| branch(&folder)).collect()
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// The branch that the HEAD of an administrative folder names.
fn branch(folder: &Path) -> Option<String> {
    let head = std::fs::read(folder.join("HEAD")).ok()?;
    Some(lossy(head.strip_prefix(b"ref: ")?).trim_end().to_owned())
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn short(target: &str) -> String {
    target.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_at_the_same_commit_and_moved_branches_are_seen_and_the_work_of_others_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let (top, other) = (folder.path().join("top"), folder.path().join("other"));
        let repo =
            Repository::init_opts(&top, git2::RepositoryInitOptions::new().initial_head("main").mkdir(true))
                .unwrap();
        let who = git2::Signature::new("a", "a@b", &git2::Time::new(0, 0)).unwrap();
        let tree = repo.find_tree(repo.treebuilder(None).unwrap().write().unwrap()).unwrap();
        let commit = |name: &str, parents: &[&git2::Commit<'_>]| {
            let id = repo.commit(None, &who, &who, name, &tree, parents).unwrap();
            repo.find_commit(id).unwrap()
        };
        let one = commit("one", &[]);
        let two = commit("two", &[&one]);
        let branch = |name: &str, at: &git2::Commit<'_>| repo.branch(name, at, true).unwrap();
        repo.reference("refs/heads/main", one.id(), true, "").unwrap();
        branch("side", &one);
        branch("gone", &one);
        branch("theirs", &one);
        let theirs = repo.find_reference("refs/heads/theirs").unwrap();
        let mut options = git2::WorktreeAddOptions::new();
        repo.worktree("other", &other, Some(options.reference(Some(&theirs)))).unwrap();
        let before = References::of(&repo).unwrap();
        assert_eq!(before.changed(&References::of(&repo).unwrap()), Vec::<String>::new());
        // New ones, and what is worked on in another worktree, change nothing here.
        branch("new", &two);
        repo.reference("refs/heads/theirs", two.id(), true, "").unwrap();
        assert_eq!(before.changed(&References::of(&repo).unwrap()), Vec::<String>::new());
        repo.set_head("refs/heads/side").unwrap();
        branch("gone", &one).delete().unwrap();
        repo.reference("refs/heads/main", two.id(), true, "").unwrap();
        let moved = two.id().to_string();
        let want = ["HEAD (now on refs/heads/side)", "refs/heads/gone (gone)"].map(str::to_owned).into_iter();
        assert_eq!(before.changed(&References::of(&repo).unwrap()), want.collect::<Vec<_>>());
        repo.set_head("refs/heads/main").unwrap();
        repo.reference("refs/heads/side", two.id(), true, "").unwrap();
        assert_eq!(
            before.changed(&References::of(&repo).unwrap()),
            ["refs/heads/gone (gone)".to_owned(), format!("refs/heads/side (now {})", &moved[..12])]
        );
    }
}
