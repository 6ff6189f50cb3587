//! Symbolic links where a file or a folder is expected: in the worktree, and in the folders that we write to.

use std::os::unix::fs::symlink;
use std::path::Path;

use super::agents::stage::ID;
use super::scene::Scene;

const SECRET: &str = "the operator's secret";

/// Names below `folder`.
fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// A file and a folder of the work become links to what the agent may read and we must not take into a commit or a
/// diff: a breach, and nothing is read, written or taken away through them.
#[test]
fn links_in_the_worktree_are_links_and_lead_nowhere() {
    let mut scene = Scene::new();
    let outside = scene.bench.around("outside");
    std::fs::create_dir(outside.join("kept")).unwrap();
    std::fs::write(outside.join("kept/secret"), SECRET).unwrap();
    scene.bench.project.write("docs/secret", "public\n");
    scene.bench.git(&["add", "docs"]);
    scene.bench.git(&["commit", "-qm", "docs", "--", "docs"]);
    let deeds = "printf 'Hello, world!\\n' >hello.txt\n\
                 rm -r docs; ln -s \"$OUTSIDE/kept\" docs\n\
                 ln -s \"$OUTSIDE/kept/secret\" leak.txt\n\
                 ln -s \"$CHECKOUT/.planfile/sprints\" sprints\n\
                 ln -s /proc/self/environ env; ln -s loop loop\n";
    scene.agent(deeds, &[]);
    let ran = scene.run();
    let said = scene.look();
    for text in [&said, &ran.out, &ran.err] {
        assert!(!text.contains(SECRET), "{text}");
    }
    // Each is named, nothing of it is committed, and a link within the worktree is no breach.
    for name in ["docs", "env", "leak.txt", "sprints"] {
        assert!(ran.out.contains(&format!("{name} is a link out of the worktree")), "{name} {ran:?}");
    }
    assert!(!ran.out.contains("loop is a link"), "{ran:?}");
    assert!(!scene.tree().contains("120000"), "{}", scene.tree());
    assert!(!scene.bench.git(&["log", "--all", "-p"]).contains(SECRET));
    assert_eq!(std::fs::read_to_string(outside.join("kept/secret")).unwrap(), SECRET);
    assert_eq!(scene.bench.project.read("docs/secret"), "public\n");
}

/// The file that joins worktree and repository becomes a link, a folder, or leads to another repository.
#[test]
fn the_worktrees_own_link_is_mended_and_the_breach_named() {
    for deed in [
        "rm .git; ln -s \"$OUTSIDE/remote.git\" .git",
        "rm .git; printf 'gitdir: %s\\n' \"$OUTSIDE/remote.git\" >.git",
        "d=$(git rev-parse --git-dir); rm \"$d/commondir\"; ln -s \"$OUTSIDE/remote.git\" \"$d/commondir\"",
    ] {
        let mut scene = Scene::new();
        scene.agent(&format!("printf 'Hello, world!\\n' >hello.txt\n{deed}\n"), &[]);
        let ran = scene.run();
        let named = "the worktree was detached from its repository (worktree, undone)";
        assert!(ran.out.contains(named), "{deed} {ran:?}");
        let top = super::agents::bench::git(&scene.bench.worktree(ID), &["rev-parse", "--git-common-dir"]);
        assert_eq!(Path::new(top.trim()), scene.bench.project.path().join(".git").canonicalize().unwrap());
        scene.look();
    }
}

/// A repository that brings links in the place of our folders: nothing is written through them, and the link is named.
#[test]
fn links_in_the_place_of_our_folders_are_refused_by_name() {
    for name in ["runs", "worktrees", ""] {
        let mut scene = Scene::new();
        scene.agent("printf 'Hello, world!\\n' >hello.txt\n", &[]);
        let (koru, elsewhere) = (
            scene.bench.project.path().join(".planfile/.koru"),
            scene.bench.around("outside").join("elsewhere"),
        );
        std::fs::create_dir(&elsewhere).unwrap();
        if name.is_empty() {
            for file in names(&koru) {
                std::fs::rename(koru.join(&file), elsewhere.join(&file)).unwrap();
            }
            std::fs::remove_dir(&koru).unwrap();
            symlink(&elsewhere, &koru).unwrap();
        } else {
            symlink(&elsewhere, koru.join(name)).unwrap();
        }
        let before = names(&elsewhere);
        let ran = scene.run();
        assert_eq!(ran.code, Some(1), "{name} {ran:?}");
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains("is a symbolic link, and koru-tui writes only into"), "{name} {said}");
        assert_eq!(names(&elsewhere), before, "{name}");
    }
}
