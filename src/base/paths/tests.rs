//! Tests of `base::paths`.

use super::*;
use git2::{Repository, Signature, WorktreeAddOptions};

fn planfile(at: &Path) {
    std::fs::create_dir_all(at.join(".planfile/sprints")).unwrap();
}

fn scratch() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    (folder, root)
}

fn repository(at: &Path) -> Repository {
    let repo = Repository::init(at).unwrap();
    let who = Signature::now("A Tester", "tester@example.invalid").unwrap();
    let tree = repo.index().unwrap().write_tree().unwrap();
    repo.commit(Some("HEAD"), &who, &who, "one", &repo.find_tree(tree).unwrap(), &[]).unwrap();
    repo
}

#[test]
fn the_nearest_ancestor_wins() {
    let (_keep, root) = scratch();
    repository(&root);
    planfile(&root);
    std::fs::create_dir_all(root.join("a/b")).unwrap();
    assert_eq!(ProjectPaths::find(&root.join("a/b")), Some(ProjectPaths::new(&root)));
    std::fs::create_dir_all(root.join("a/.planfile")).unwrap();
    assert_eq!(ProjectPaths::find(&root.join("a/b")), Some(ProjectPaths::new(&root)));
    std::fs::write(root.join("a/.planfile/config.yaml"), "").unwrap();
    assert_eq!(ProjectPaths::find(&root.join("a/b")), Some(ProjectPaths::new(root.join("a"))));
}

#[test]
fn a_work_tree_is_the_limit() {
    let (_keep, root) = scratch();
    planfile(&root);
    repository(&root.join("inner"));
    assert_eq!(ProjectPaths::find(&root.join("inner")), None);
}

#[test]
fn a_linked_worktree_means_the_main_project() {
    let (_keep, root) = scratch();
    let main = root.join("main");
    let repo = repository(&main);
    let linked = root.join("linked");
    repo.worktree("linked", &linked, Some(&WorktreeAddOptions::new())).unwrap();
    planfile(&linked);
    assert_eq!(ProjectPaths::find(&linked), Some(ProjectPaths::new(&linked)));
    planfile(&main);
    assert_eq!(ProjectPaths::find(&linked), Some(ProjectPaths::new(&main)));
}

#[test]
fn a_folder_inside_a_planfile_belongs_to_its_project() {
    let (_keep, root) = scratch();
    let project = root.join("packages/app");
    planfile(&project);
    let repo = repository(&root);
    let worktrees = project.join(".planfile/.koru/worktrees");
    std::fs::create_dir_all(&worktrees).unwrap();
    repo.worktree("T-1", &worktrees.join("T-1"), Some(&WorktreeAddOptions::new())).unwrap();
    assert_eq!(ProjectPaths::find(&worktrees.join("T-1")), Some(ProjectPaths::new(&project)));
}

#[test]
fn user_wide_folders_are_ours_alone() {
    for folder in [config_dir(), state_dir()].into_iter().flatten() {
        assert!(folder.is_absolute() && folder.ends_with(APP), "{folder:?}");
    }
}
