//! Ids that would leave their folder, look like an option, or act on a terminal.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::agents::bench::SCRIPTED;
use super::agents::stage::ID;
use super::scene::Scene;

const IDS: [&str; 9] = [
    "../../../outside/evil",
    "..",
    "/evil",
    "a/../../../../outside/evil",
    "-rf",
    "--format=json",
    "x\u{1b}[31m\u{7}y\nz",
    "HEAD.lock",
    "\u{202e}evil~^:?*[@{-1}",
];

/// All paths below `folder`, but what is below `but`.
fn paths(folder: &Path, but: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path == but {
                continue;
            }
            if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                open.push(path.clone());
            }
            found.insert(path);
        }
    }
    found
}

/// A ticket with such an id is worked, or refused by name; its runs, worktree and branch stay where such things are.
#[test]
fn tickets_with_such_ids_stay_in_their_folders() {
    for id in IDS {
        let mut scene = Scene::new();
        scene.agent("printf 'Hello, world!\\n' >hello.txt\n", &[]);
        let sprint = scene.bench.project.read(".planfile/sprints/current.yaml");
        let quoted = serde_json::to_string(id).unwrap();
        let sprint = sprint.replace(&format!("'{ID}'"), &quoted).replace(ID, &quoted);
        scene.bench.project.write(".planfile/sprints/current.yaml", &sprint);
        let (around, planfile) =
            (scene.bench.project.around().to_owned(), scene.bench.project.path().join(".planfile"));
        assert!(sprint.contains(&quoted), "{sprint}");
        let git = scene.bench.project.path().join(".git");
        // Git's own, and what our calls say and log.
        let usual = [git, scene.bench.project.home(), scene.bench.around("ours")];
        let strange = |path: &PathBuf| !usual.iter().any(|usual| path.starts_with(usual));
        let before: BTreeSet<PathBuf> = paths(&around, &planfile).into_iter().filter(strange).collect();
        let ran = scene.bench.koru(&["ticket", "run", "--agent", SCRIPTED, "--", id]);
        assert!(matches!(ran.code, Some(0..=2)), "{id:?} {ran:?}");
        let mut said = format!("{}{}", ran.out, ran.err);
        for verb in [
            &["ticket", "log"][..],
            &["ticket", "runs"],
            &["ticket", "show"],
            &["diff"],
            &["ticket", "review"],
        ] {
            let ran = scene.bench.koru(&[verb, &["--", id]].concat());
            assert!(matches!(ran.code, Some(0..=2)), "{id:?} {verb:?} {ran:?}");
            said.push_str(&ran.out);
            said.push_str(&ran.err);
        }
        for arguments in [&["worktree", "list"][..], &["ticket", "list"], &["brief"]] {
            said.push_str(&scene.bench.koru(arguments).out);
        }
        let obeyed = said.chars().find(|c| {
            (c.is_control() && !matches!(c, '\n' | '\t'))
                || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        });
        assert_eq!(obeyed, None, "{id:?} {said:?}");
        let after: BTreeSet<PathBuf> = paths(&around, &planfile).into_iter().filter(strange).collect();
        assert_eq!(after, before, "{id:?}");
        let folder = planfile.join(".koru/worktrees");
        for branch in scene.bench.git(&["for-each-ref", "--format=%(refname)"]).lines() {
            assert!(branch == "refs/heads/main" || branch.starts_with("refs/heads/koru/"), "{id:?} {branch}");
        }
        for line in scene.bench.git(&["worktree", "list", "--porcelain"]).lines() {
            let Some(path) = line.strip_prefix("worktree ") else { continue };
            let path = Path::new(path);
            let known = path == scene.bench.project.path() || path.parent() == Some(&folder);
            assert!(known, "{id:?} {}", path.display());
        }
    }
}

/// What names a run may not name anything else.
#[test]
fn names_of_runs_lead_to_runs_only() {
    let mut scene = Scene::new();
    scene.agent("printf 'Hello, world!\\n' >hello.txt\n", &[]);
    scene.run();
    let secret = scene.bench.around("outside").join("transcript.jsonl");
    std::fs::write(&secret, "{\"format\":1}\n{\"t\":0,\"c\":\"out\",\"s\":\"SECRET\"}\n").unwrap();
    let from = scene.bench.project.path().join(".planfile/.koru/runs");
    for name in
        ["../../../../outside", "../runs/../../../../outside", secret.parent().unwrap().to_str().unwrap()]
    {
        assert!(from.join(name).join("transcript.jsonl").exists(), "{name} would lead there");
        let ran = scene.bench.koru(&["ticket", "log", "--", name]);
        assert!(ran.code != Some(0) && !format!("{}{}", ran.out, ran.err).contains("SECRET"), "{ran:?}");
    }
}

/// Ids that only differ in what a file name or a branch cannot carry, in case, or in alphabet: each has its own run, its
/// own worktree and its own branch, and none gets another's work.
#[test]
fn ids_that_look_alike_share_nothing() {
    let long = "x".repeat(300);
    let longer = format!("{long}y");
    let ids =
        ["a/b", "a_b", "A_B", "a\\b", "\u{430}_b", "a:b", "a b", "a_b.", long.as_str(), longer.as_str()];
    let mut scene = Scene::new();
    let sprint = scene.bench.project.read(".planfile/sprints/current.yaml");
    let (head, ticket) = sprint.split_once("  tickets:\n").unwrap();
    let all: String = ids
        .iter()
        .map(|id| {
            let quoted = serde_json::to_string(id).unwrap();
            ticket.replace(&format!("'{ID}'"), &quoted).replace(ID, &quoted)
        })
        .collect();
    scene.bench.project.write(".planfile/sprints/current.yaml", &format!("{head}  tickets:\n{all}"));
    scene.agent("ls -A >\"$NOTES/found\"; printf 'Hello, world!\\n' >hello.txt; echo x >\"own-$KORU_TICKET\" 2>/dev/null || echo x >own\n", &[]);
    let mut places = BTreeSet::new();
    for id in ids {
        let ran = scene.bench.koru(&["ticket", "run", "--agent", SCRIPTED, "--", id]);
        assert!(matches!(ran.code, Some(0..=2)), "{id:.20?} {ran:?}");
        if ran.code == Some(0) {
            let found = scene.bench.noted("found");
            assert!(!found.contains("own"), "{id:.20?} found another's work: {found}");
        }
    }
    for entry in
        std::fs::read_dir(scene.bench.project.path().join(".planfile/.koru/worktrees")).unwrap().flatten()
    {
        if entry.path().is_dir() {
            let name = entry.file_name().to_string_lossy().into_owned();
            assert!(places.insert(name.clone()), "two worktrees called {name}");
            assert!(name.len() <= 255);
        }
    }
    let branches = scene.bench.git(&["for-each-ref", "--format=%(refname)", "refs/heads/koru/"]);
    assert_eq!(branches.lines().count(), places.len(), "{branches}\n{places:?}");
}

/// No byte that ends a C string gets into a path, a branch or a child's arguments.
#[test]
fn a_zero_byte_in_an_id_is_refused_or_replaced() {
    let mut scene = Scene::new();
    scene.agent("printf 'Hello, world!\\n' >hello.txt\n", &[]);
    let sprint = scene.bench.project.read(".planfile/sprints/current.yaml");
    let sprint = sprint.replace(&format!("'{ID}'"), "\"a\\0b\"").replace(ID, "\"a\\0b\"");
    scene.bench.project.write(".planfile/sprints/current.yaml", &sprint);
    for args in
        [&["ticket", "list"][..], &["queue", "run", "--loop"], &["brief"], &["worktree", "list"], &["doctor"]]
    {
        let ran = scene.bench.koru(args);
        assert!(matches!(ran.code, Some(0..=2)), "{args:?} {ran:?}");
        assert!(!ran.out.contains('\0') && !ran.err.contains('\0'), "{args:?} {ran:?}");
    }
}
