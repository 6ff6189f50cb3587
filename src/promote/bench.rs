//! A scratch repository for the unit tests of this floor: `main` is checked out, `work` begins where it does.

use std::path::PathBuf;

use git2::{Oid, Repository, Signature};

use super::combine::{CombineError, Combined, combine};
use crate::plan::settings::Onto;

pub(super) struct Bench {
    pub(super) folder: tempfile::TempDir,
    pub(super) repo: Repository,
}

/// Who lands.
pub(super) fn who() -> Signature<'static> {
    Signature::now("koru-tui", "koru-tui@localhost").unwrap()
}

impl Bench {
    pub(super) fn new() -> Bench {
        let folder = tempfile::tempdir().unwrap();
        let mut options = git2::RepositoryInitOptions::new();
        let repo = Repository::init_opts(folder.path(), options.initial_head("main")).unwrap();
        let bench = Bench { folder, repo };
        bench.commit("main", "a", "1\n2\n3\n");
        let start = bench.tip("main");
        bench.repo.reference("refs/heads/work", start, false, "work").unwrap();
        bench.check_out();
        bench
    }

    pub(super) fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    pub(super) fn tip(&self, branch: &str) -> Oid {
        self.repo.refname_to_id(&format!("refs/heads/{branch}")).unwrap()
    }

    /// Puts main's files into the work tree.
    pub(super) fn check_out(&self) {
        self.repo.checkout_head(Some(git2::build::CheckoutBuilder::new().force())).unwrap();
    }

    /// Commits `text` as `path` to `branch`, past any work tree.
    pub(super) fn commit(&self, branch: &str, path: &str, text: &str) -> Oid {
        let name = format!("refs/heads/{branch}");
        let parent = self.repo.find_reference(&name).ok().map(|found| found.peel_to_commit().unwrap());
        let blob = self.repo.blob(text.as_bytes()).unwrap();
        let before = parent.as_ref().map(|parent| parent.tree().unwrap());
        let mut tree = self.repo.treebuilder(before.as_ref()).unwrap();
        tree.insert(path, blob, 0o100_644).unwrap();
        let tree = self.repo.find_tree(tree.write().unwrap()).unwrap();
        let author = Signature::now("worker", "worker@localhost").unwrap();
        let parents: Vec<_> = parent.iter().collect();
        let id = self.repo.commit(None, &author, &author, path, &tree, &parents).unwrap();
        self.repo.reference(&name, id, true, "test").unwrap();
        id
    }

    /// What `path` says in `commit`.
    pub(super) fn text(&self, commit: Oid, path: &str) -> String {
        let tree = self.repo.find_commit(commit).unwrap().tree().unwrap();
        let blob = self.repo.find_blob(tree.get_name(path).unwrap().id()).unwrap();
        String::from_utf8(blob.content().to_vec()).unwrap()
    }

    pub(super) fn combine(&self, base: Oid, head: Oid, onto: Onto) -> Result<Combined, CombineError> {
        combine(&self.repo, base, head, onto, &who(), "join")
    }
}
