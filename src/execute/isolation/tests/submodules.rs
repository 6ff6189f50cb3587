//! Submodules in worktrees, on clones in scratch folders.

use std::process::Command;

use super::*;

fn git(folder: &Path, arguments: &[&str]) {
    let fixed =
        ["-c", "protocol.file.allow=always", "-c", "user.name=Op", "-c", "user.email=op@example.invalid"];
    let output = Command::new("git").args(fixed).args(arguments).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A project with the submodule `vendor/lib`, which has one of its own, `deep`.
fn with_submodules() -> (Scratch, tempfile::TempDir) {
    let (scratch, outside) = (Scratch::new(), tempfile::tempdir().unwrap());
    for name in ["deep", "lib"] {
        let folder = outside.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        git(&folder, &["init", "-q", "-b", "main"]);
        write(&folder, "text", &format!("{name}\n"));
        if name == "lib" {
            git(&folder, &["submodule", "--quiet", "add", "../deep", "deep"]);
        }
        git(&folder, &["add", "-A"]);
        git(&folder, &["commit", "-qm", "one"]);
    }
    let lib = outside.path().join("lib");
    git(&scratch.root, &["submodule", "--quiet", "add", lib.to_str().unwrap(), "vendor/lib"]);
    git(&scratch.root, &["submodule", "--quiet", "update", "--init", "--recursive"]);
    git(&scratch.root, &["commit", "-qm", "with a submodule"]);
    (scratch, outside)
}

fn read(worktree: &Worktree, path: &str) -> Option<String> {
    std::fs::read_to_string(worktree.path.join(path)).ok()
}

/// Every file of the operator's repository with its bytes, what belongs to worktrees left out.
fn operators(scratch: &Scratch) -> Vec<(PathBuf, Vec<u8>)> {
    let (mut found, mut folders) = (Vec::new(), vec![scratch.root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let ours =
                ["worktrees", "refs", "logs"].iter().any(|name| path == scratch.root.join(".git").join(name));
            if path.is_dir() && !ours && path != scratch.root.join(".planfile/.koru") {
                folders.push(path);
            } else if path.is_file() {
                found.push((path.clone(), std::fs::read(&path).unwrap()));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn submodules_are_filled_from_the_operators_clones_which_stay_as_they_are() {
    let (scratch, outside) = with_submodules();
    // Nothing is fetched: where they came from is gone.
    drop(outside);
    let before = operators(&scratch);
    let (worktree, prepared) = scratch.prepare("PLF-1");
    assert_eq!(operators(&scratch), before);
    assert_eq!(prepared.notes, [Note::Submodules { filled: 2, empty: vec![] }]);
    assert_eq!(read(&worktree, "vendor/lib/text").as_deref(), Some("lib\n"));
    assert_eq!(read(&worktree, "vendor/lib/deep/text").as_deref(), Some("deep\n"));
    assert_eq!(survey(&worktree).unwrap(), []);
    // git itself agrees that nothing differs, and each is at the commit that is recorded.
    let status = |folder: &Path| {
        let output =
            Command::new("git").args(["status", "--porcelain"]).current_dir(folder).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(status(&worktree.path), "");
    assert_eq!(status(&worktree.path.join("vendor/lib")), "");
    let head = |folder: &Path| Repository::open(folder).unwrap().head().unwrap().target();
    assert_eq!(head(&worktree.path.join("vendor/lib")), head(&scratch.root.join("vendor/lib")));
    // Once more: they are there, and stay.
    write(&worktree.path, "README.md", "two\n");
    let (again, prepared) = scratch.prepare("PLF-1");
    assert_eq!(
        (again, prepared.notes),
        (worktree.clone(), vec![Note::Submodules { filled: 2, empty: vec![] }])
    );
    assert!(commit(&worktree).commit.is_some());
    let report = prune_all(&scratch.root).unwrap();
    assert_eq!(report.kept.len(), 1, "its commit is nowhere else: {report:?}");
}

#[test]
fn what_is_built_in_a_submodule_is_no_change_and_an_edit_is() {
    let (scratch, _outside) = with_submodules();
    let (worktree, _) = scratch.prepare("PLF-1");
    write(&worktree.path, "vendor/lib/build/out.o", "x");
    write(&worktree.path, "vendor/lib/deep/out.o", "x");
    assert_eq!(survey(&worktree).unwrap(), []);
    write(&worktree.path, "vendor/lib/text", "changed\n");
    let found: Vec<_> =
        survey(&worktree).unwrap().into_iter().map(|change| (change.path, change.kind)).collect();
    assert_eq!(found, [("vendor/lib".to_owned(), ChangeKind::Submodule)]);
    git(&worktree.path.join("vendor/lib"), &["commit", "-qam", "moved"]);
    let found: Vec<_> =
        survey(&worktree).unwrap().into_iter().map(|change| (change.path, change.kind)).collect();
    assert_eq!(found, [("vendor/lib".to_owned(), ChangeKind::Submodule)]);
}

#[test]
fn what_the_operator_has_not_is_empty_and_named_until_it_is_there() {
    let (scratch, _outside) = with_submodules();
    git(&scratch.root, &["submodule", "--quiet", "deinit", "--all", "-f"]);
    let (worktree, prepared) = scratch.prepare("PLF-1");
    assert_eq!(prepared.notes, [Note::Submodules { filled: 0, empty: vec!["vendor/lib".to_owned()] }]);
    let said = prepared.notes[0].to_string();
    assert!(
        said.contains("empty in the worktree: vendor/lib; after `git submodule update --init`"),
        "{said}"
    );
    assert_eq!(read(&worktree, "vendor/lib/text"), None);
    git(&scratch.root, &["submodule", "--quiet", "update", "--init", "--recursive"]);
    let (worktree, prepared) = scratch.prepare("PLF-1");
    assert_eq!(prepared.notes, [Note::Submodules { filled: 2, empty: vec![] }]);
    assert_eq!(read(&worktree, "vendor/lib/deep/text").as_deref(), Some("deep\n"));
}

#[test]
fn what_an_agent_put_into_the_folder_of_a_submodule_stays() {
    let (scratch, _outside) = with_submodules();
    git(&scratch.root, &["submodule", "--quiet", "deinit", "--all", "-f"]);
    let (worktree, _) = scratch.prepare("PLF-1");
    write(&worktree.path, "vendor/lib/mine", "kept\n");
    git(&scratch.root, &["submodule", "--quiet", "update", "--init"]);
    let (worktree, prepared) = scratch.prepare("PLF-1");
    assert_eq!(prepared.notes, [Note::Submodules { filled: 0, empty: vec!["vendor/lib".to_owned()] }]);
    assert_eq!(read(&worktree, "vendor/lib/mine").as_deref(), Some("kept\n"));
    // A link in its place leads nowhere.
    std::fs::remove_dir_all(worktree.path.join("vendor")).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    std::fs::create_dir(elsewhere.path().join("lib")).unwrap();
    std::os::unix::fs::symlink(elsewhere.path(), worktree.path.join("vendor")).unwrap();
    let (_, prepared) = scratch.prepare("PLF-1");
    assert_eq!(prepared.notes, [Note::Submodules { filled: 0, empty: vec!["vendor/lib".to_owned()] }]);
    assert_eq!(std::fs::read_dir(elsewhere.path().join("lib")).unwrap().count(), 0);
}
