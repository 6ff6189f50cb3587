//! Tests of `execute::isolation`, on real repositories in scratch folders.

mod commits;
mod preparing;
mod pruning;
mod stacking;
mod submodules;

use std::path::{Path, PathBuf};

use git2::{Oid, Repository, RepositoryInitOptions, Signature};

use super::*;

/// A project with one commit: `README.md`, `src/lib.rs`, `.github/ci.yml`, `.gitignore` (`*.o`), a planfile.
pub(super) struct Scratch {
    _keep: tempfile::TempDir,
    pub(super) root: PathBuf,
    pub(super) repo: Repository,
}

impl Scratch {
    pub(super) fn new() -> Scratch {
        let scratch = Scratch::empty();
        scratch.write("README.md", "one\n");
        scratch.write("src/lib.rs", "fn one() {}\n");
        scratch.write(".github/ci.yml", "on: push\n");
        scratch.write(".gitignore", "*.o\n.planfile/.koru/\n");
        scratch.write(".planfile/config.yaml", "project: x\n");
        scratch.commit("one");
        scratch
    }

    pub(super) fn empty() -> Scratch {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap().join("project");
        let mut options = RepositoryInitOptions::new();
        options.initial_head("main");
        let repo = Repository::init_opts(&root, &options).unwrap();
        let mut config = repo.config().unwrap();
        config.set_str("user.name", "Op").unwrap();
        config.set_str("user.email", "op@example.invalid").unwrap();
        Scratch { _keep: keep, root, repo }
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        write(&self.root, path, text);
    }

    pub(super) fn commit(&self, message: &str) -> Oid {
        let who = Signature::now("Op", "op@example.invalid").unwrap();
        let mut index = self.repo.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = self.repo.find_tree(index.write_tree().unwrap()).unwrap();
        let parent = self.repo.head().ok().and_then(|head| head.peel_to_commit().ok());
        let parents: Vec<_> = parent.iter().collect();
        self.repo.commit(Some("HEAD"), &who, &who, message, &tree, &parents).unwrap()
    }

    pub(super) fn prepare(&self, ticket: &str) -> (Worktree, Prepared) {
        prepare(&self.root, &TicketId::new(ticket), None).unwrap()
    }

    pub(super) fn tip(&self, reference: &str) -> String {
        self.repo.find_reference(reference).unwrap().target().unwrap().to_string()
    }

    /// Everything about the operator's checkout that must stay as it is: HEAD, the index and the files.
    pub(super) fn checkout(&self) -> (String, Vec<u8>, Vec<String>) {
        let head = std::fs::read_to_string(self.root.join(".git/HEAD")).unwrap();
        let index = std::fs::read(self.root.join(".git/index")).unwrap_or_default();
        let mut files: Vec<String> = std::fs::read_dir(&self.root)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        files.sort();
        (head, index, files)
    }

    /// Path and text of every blob of a commit.
    pub(super) fn files_of(&self, commit: &str) -> Vec<String> {
        let tree = self.repo.find_commit(Oid::from_str(commit).unwrap()).unwrap().tree().unwrap();
        let mut found = Vec::new();
        tree.walk(git2::TreeWalkMode::PreOrder, |folder, entry| {
            if entry.kind() == Some(git2::ObjectType::Blob) {
                found.push(format!("{folder}{}", entry.name().unwrap_or_default()));
            }
            git2::TreeWalkResult::Ok
        })
        .unwrap();
        found.sort();
        found
    }
}

pub(super) fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

pub(super) fn commit(worktree: &Worktree) -> Committed {
    let policy = crate::plan::policy::Policy::default();
    commit_all(worktree, "PLF-1: round 1", &Identity::default(), &policy).unwrap()
}

pub(super) fn changed(path: &str, added: u32, removed: u32) -> ChangedFile {
    ChangedFile { path: path.to_owned(), added, removed }
}
