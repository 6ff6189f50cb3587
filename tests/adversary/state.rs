//! Links in the place of what we write to: folders and files below `.planfile`, whole or one of them, never written
//! through; and names for a file that it has elsewhere.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use super::agents::bench::SCRIPTED;
use super::agents::stage::ID;
use super::cli::Place;
use super::hostile::harmless;
use super::scene::Scene;
use super::support::project::{Project, human, shell};

/// Every file below `folder` with its bytes.
fn content(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
                found.insert(entry.path(), Vec::new());
            } else {
                found.insert(entry.path(), std::fs::read(entry.path()).unwrap_or_default());
            }
        }
    }
    found
}

/// Everything of ours that writes, on a project with a shell ticket, a question and an agent.
fn write_everything(scene: &Scene) -> String {
    let mut said = String::new();
    for args in [
        &["ticket", "run", ID, "--agent", SCRIPTED][..],
        &["queue", "run", "--loop"],
        &["ticket", "answer", "PLF-003", "yes"],
        &["gate", "authorize", ID, "--mode", "auto", "--skipped", "ci", "--reason", "because"],
        &["ticket", "update", "PLF-002", "--name", "Other"],
        &["ticket", "create", "New"],
        &["ticket", "decide", ID, "approve", "--seen", "HEAD"],
        &["runs", "prune"],
        &["worktree", "prune"],
        &["init"],
        &["init", "--force"],
        &["loop", "init", "T-1"],
    ] {
        let ran = scene.bench.koru(args);
        assert!(matches!(ran.code, Some(0..=3)), "{args:?} {ran:?}");
        said.push_str(&ran.out);
        said.push_str(&ran.err);
    }
    harmless("what they say", &said);
    said
}

fn scene() -> Scene {
    let mut scene = Scene::new();
    let more = [shell("PLF-002", "Shell", "echo x; exit 1"), human("PLF-003", "Ask", "Yes?")];
    let sprint = scene.bench.project.read(".planfile/sprints/current.yaml");
    let tickets = super::support::project::sprint(&more);
    let tickets = tickets.split_once("  tickets:\n").unwrap().1;
    scene.bench.project.write(".planfile/sprints/current.yaml", &format!("{sprint}{tickets}"));
    scene.agent("printf 'Hello, world!\\n' >hello.txt\n", &[]);
    scene
}

#[test]
fn folders_that_are_links_are_never_written_through() {
    for name in [
        ".koru/loop",
        ".koru/loop/PLF-001",
        ".koru/runs",
        ".koru/worktrees",
        ".koru/audit",
        ".koru/prompts",
        ".koru/prompts/drafts",
        ".koru/llm-cache",
        "events",
        "index",
        "evidence",
    ] {
        let scene = scene();
        let elsewhere = scene.bench.around("outside").join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        std::fs::write(elsewhere.join("kept"), "kept").unwrap();
        let link = scene.bench.project.path().join(".planfile").join(name);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(&elsewhere, &link).unwrap();
        let before = content(&elsewhere);
        let said = write_everything(&scene);
        assert_eq!(content(&elsewhere), before, "{name}: {said}");
        assert!(link.is_symlink(), "{name} was replaced");
    }
}

#[test]
fn files_that_are_links_are_never_written_through() {
    let today = jiff::Timestamp::now().strftime("%Y-%m-%d").to_string();
    for name in [
        ".koru/config.yaml".to_owned(),
        ".koru/policy.yaml".to_owned(),
        ".koru/known-whole.json".to_owned(),
        ".koru/loop/PLF-001/rounds.json".to_owned(),
        ".koru/loop/PLF-001/comments.json".to_owned(),
        ".koru/loop/PLF-001/.rounds.lock".to_owned(),
        ".koru/worktrees/PLF-001.json".to_owned(),
        ".koru/worktrees/.gitignore".to_owned(),
        ".koru/prompts/PLF-003.md".to_owned(),
        format!(".koru/audit/{today}.jsonl"),
        "events/operations.jsonl".to_owned(),
        "index/history-locations.yaml".to_owned(),
        "config.yaml".to_owned(),
        "sprints/current.yaml".to_owned(),
        "sprints/current.yaml.fast.json".to_owned(),
        ".store.lock".to_owned(),
    ] {
        let scene = scene();
        let path = scene.bench.project.path().join(".planfile").join(&name);
        let elsewhere = scene.bench.around("outside").join("elsewhere");
        std::fs::create_dir(&elsewhere).unwrap();
        let target = elsewhere.join("file");
        let had = std::fs::read(&path).ok();
        if let Some(bytes) = &had {
            std::fs::write(&target, bytes).unwrap();
            std::fs::remove_file(&path).unwrap();
        } else {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        }
        // Also one that leads nowhere: nothing is made there.
        symlink(&target, &path).unwrap();
        let before = content(&elsewhere);
        let said = write_everything(&scene);
        assert_eq!(content(&elsewhere), before, "{name}: {said}");
    }
}

/// Another name of a planfile (a hard link, as a backup tool or an attacker makes one) keeps what it had.
#[test]
fn other_names_of_the_planfile_keep_their_content() {
    let place = Project::with(&[shell("PLF-001", "One", "true")]);
    let other = place.around().join("other.yaml");
    std::fs::hard_link(place.current(), &other).unwrap();
    let before = std::fs::read(&other).unwrap();
    place.run(&["ticket", "update", "PLF-001", "--name", "Two"]).expect(0);
    assert_eq!(std::fs::read(&other).unwrap(), before);
    assert_eq!(place.on_disk("PLF-001")["name"], "Two");
    // Nor does writing to the other name reach us unseen: it is a file of its own by now.
    std::fs::write(&other, "sprint: {tickets: {}}\n").unwrap();
    assert_eq!(place.on_disk("PLF-001")["name"], "Two");
}
