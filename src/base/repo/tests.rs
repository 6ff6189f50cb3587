//! Tests of `base::repo`.

use super::*;
use git2::{RepositoryInitOptions, Signature, WorktreeAddOptions};

pub(crate) fn init(root: &Path) -> Repository {
    let mut options = RepositoryInitOptions::new();
    options.initial_head("main");
    Repository::init_opts(root, &options).unwrap()
}

fn commit(repo: &Repository) -> String {
    let who = Signature::now("A Tester", "tester@example.invalid").unwrap();
    let mut index = repo.index().unwrap();
    index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
    index.write().unwrap();
    let tree = repo.find_tree(index.write_tree().unwrap()).unwrap();
    let parent = repo.head().ok().and_then(|head| head.peel_to_commit().ok());
    let parents: Vec<_> = parent.iter().collect();
    repo.commit(Some("HEAD"), &who, &who, "one", &tree, &parents).unwrap().to_string()
}

#[test]
fn no_repository_has_no_facts() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(facts(folder.path()), RepoFacts::default());
    assert_eq!(branch(folder.path()), None);
    assert_eq!(roots(folder.path()), None);
}

#[test]
fn a_branch_is_named_before_its_first_commit() {
    let folder = tempfile::tempdir().unwrap();
    init(folder.path());
    assert_eq!(facts(folder.path()), RepoFacts { branch: Some("main".into()), ..RepoFacts::default() });
}

#[test]
fn facts_follow_commits_changes_and_detachment() {
    let folder = tempfile::tempdir().unwrap();
    let repo = init(folder.path());
    std::fs::write(folder.path().join("a"), "1").unwrap();
    let id = commit(&repo);
    repo.remote("origin", "https://me:pw@example.invalid/x.git").unwrap();
    let mut expected = RepoFacts {
        branch: Some("main".into()),
        head: Some(id[..12].to_owned()),
        dirty: false,
        remote: Some("https://example.invalid/x.git".into()),
    };
    assert_eq!(facts(folder.path()), expected);
    std::fs::write(folder.path().join("untracked"), "1").unwrap();
    expected.dirty = true;
    assert_eq!(facts(folder.path()), expected);
    repo.set_head_detached(git2::Oid::from_str(&id).unwrap()).unwrap();
    expected.branch = None;
    assert_eq!(facts(folder.path()), expected);
}

#[test]
fn a_linked_worktree_knows_its_main_one() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("main");
    std::fs::create_dir_all(main.join("deep")).unwrap();
    std::fs::write(main.join("deep/file"), "1").unwrap();
    let repo = init(&main);
    commit(&repo);
    let linked = folder.path().join("linked");
    repo.worktree("linked", &linked, Some(&WorktreeAddOptions::new())).unwrap();
    let (main, linked) = (main.canonicalize().unwrap(), linked.canonicalize().unwrap());
    assert_eq!(roots(&main.join("deep")), Some((main.clone(), main.clone())));
    assert_eq!(roots(&linked.join("deep")), Some((linked, main)));
}
