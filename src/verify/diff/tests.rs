//! Diffs of real repositories in scratch folders.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use git2::{Repository, Signature};

use super::*;
use crate::execute::isolation::{self, Identity, Worktree};
use crate::plan::policy::Policy;
use crate::plan::ticket::TicketId;
use crate::verify::rounds::{Review, Round, Stage};

struct Scene {
    _keep: tempfile::TempDir,
    root: PathBuf,
    worktree: Worktree,
}

fn put(root: &Path, path: impl AsRef<Path>, bytes: &[u8]) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn repository(root: &Path) -> Repository {
    let repo = Repository::init(root).unwrap();
    let mut config = repo.config().unwrap();
    config.set_str("user.name", "Op").unwrap();
    config.set_str("user.email", "op@example.invalid").unwrap();
    repo
}

impl Scene {
    fn new() -> Scene {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().canonicalize().unwrap().join("project");
        let repo = repository(&root);
        put(&root, "a.rs", b"one\ntwo\nthree\n");
        put(&root, "moved.txt", &b"the same line\n".repeat(20));
        put(&root, "gone.txt", b"x\n");
        put(&root, ".planfile/config.yaml", b"project: x\n");
        put(&root, ".gitignore", b".planfile/.koru/\n");
        let mut index = repo.index().unwrap();
        index.add_all(["*"], git2::IndexAddOption::DEFAULT, None).unwrap();
        index.write().unwrap();
        let tree = repo.find_tree(index.write_tree().unwrap()).unwrap();
        let who = Signature::now("Op", "op@example.invalid").unwrap();
        repo.commit(Some("HEAD"), &who, &who, "one", &tree, &[]).unwrap();
        let (worktree, _) = isolation::prepare(&root, &ticket(), None).unwrap();
        Scene { _keep: keep, root, worktree }
    }

    fn put(&self, path: impl AsRef<Path>, bytes: &[u8]) {
        put(&self.worktree.path, path, bytes);
    }

    fn commit(&self) -> String {
        isolation::commit_all(&self.worktree, "PLF-1", &Identity::default(), &Policy::default()).unwrap();
        let repo = Repository::open(&self.root).unwrap();
        let tip = repo.find_reference(&self.worktree.branch_ref()).unwrap();
        tip.target().unwrap().to_string()
    }

    fn open(&self, range: &DiffRange) -> (Differ, Listing) {
        Differ::open(&self.root, &ticket(), None, range, true).unwrap()
    }
}

fn ticket() -> TicketId {
    TicketId::new("PLF-1")
}

/// Letter, path and stat of each file.
fn told(differ: &mut Differ, listing: &Listing) -> Vec<(char, String, Stat)> {
    let files = listing.files.iter().enumerate();
    files
        .map(|(at, file)| (file.change.letter(), file.path.clone(), differ.count(at).unwrap().stat))
        .collect()
}

fn text(added: u32, removed: u32) -> Stat {
    Stat::Text { added, removed }
}

#[test]
fn every_kind_of_change_is_named_and_counted() {
    let scene = Scene::new();
    scene.put("a.rs", b"one\n2\nthree\nfour");
    std::fs::rename(scene.worktree.path.join("moved.txt"), scene.worktree.path.join("new name.txt")).unwrap();
    std::fs::remove_file(scene.worktree.path.join("gone.txt")).unwrap();
    scene.put("data.bin", b"\0\x01\x02");
    scene.put("empty", b"");
    scene.put(std::ffi::OsStr::from_bytes(b"caf\xe9.txt"), b"caf\xe9\n");
    scene.put(".planfile/config.yaml", b"project: other\n");
    // What an agent writes into attributes hides nothing.
    scene.put(".gitattributes", b"*.rs -diff\n*.rs binary\n");
    std::os::unix::fs::symlink("a.rs", scene.worktree.path.join("link")).unwrap();
    let expected = |at: &[&str]| at.iter().map(|path| (*path).to_owned()).collect::<Vec<_>>();
    for committed in [false, true] {
        let range = if committed { DiffRange::Whole } else { DiffRange::WorkingTree };
        if committed {
            scene.commit();
        }
        let (mut differ, listing) = scene.open(&range);
        let found = told(&mut differ, &listing);
        let paths: Vec<String> = found.iter().map(|(letter, path, _)| format!("{letter} {path}")).collect();
        assert_eq!(
            paths,
            expected(&[
                "A .gitattributes",
                "M a.rs",
                "A caf<0xE9>.txt",
                "A data.bin",
                "A empty",
                "D gone.txt",
                "A link",
                "R new name.txt"
            ]),
            "committed: {committed}"
        );
        let stats: Vec<Stat> = found.into_iter().map(|(_, _, stat)| stat).collect();
        let binary = Stat::Binary { old: 0, new: 3 };
        let all =
            [text(2, 0), text(2, 1), text(1, 0), binary, text(0, 0), text(0, 1), text(1, 0), text(0, 0)];
        assert_eq!(stats, all, "committed: {committed}");
        assert_eq!(listing.head.is_some(), committed);
        let body = differ.body(1).unwrap();
        assert_eq!((body.old.get(1), body.new.get(1), body.new.is_unended()), (Some("two"), Some("2"), true));
        assert_eq!(differ.body(6).unwrap().new.text(), "a.rs", "of a link its target is shown");
        assert_eq!(listing.files[7].old_path.as_deref(), Some("moved.txt"));
    }
}

#[test]
fn a_file_that_is_counted_and_shown_is_read_once() {
    let scene = Scene::new();
    scene.put("a.rs", b"one\n2\nthree\n");
    scene.commit();
    let (mut differ, _) = scene.open(&DiffRange::Whole);
    let counted = differ.count(0).unwrap();
    // What would be read again is not there any more.
    let objects = scene.root.join(".git/objects");
    std::fs::rename(&objects, scene.root.join(".git/elsewhere")).unwrap();
    let body = differ.body(0).unwrap();
    assert_eq!((body.stat, body.new_blob), (counted.stat, counted.new_blob));
    assert_eq!((body.old.text(), body.new.text()), ("one\ntwo\nthree\n", "one\n2\nthree\n"));
    // Nothing is held beyond that.
    assert!(matches!(differ.body(0).unwrap().stat, Stat::Unreadable { .. }));
}

#[test]
fn the_hash_is_of_the_contents() {
    let scene = Scene::new();
    scene.put("a.rs", b"one\n2\nthree\n");
    let hash = || {
        let (mut differ, listing) = scene.open(&DiffRange::WorkingTree);
        told(&mut differ, &listing);
        differ.hash()
    };
    let first = hash();
    assert_eq!((first.len(), hash()), (64, first.clone()));
    scene.put("a.rs", b"one\n3\nthree\n");
    let second = hash();
    assert_ne!(first, second);
    scene.commit();
    let (differ, _) = scene.open(&DiffRange::Whole);
    assert_eq!(differ.hash(), second, "committing the files does not change what they are");
}

fn round(number: u32, from: &str, head: Option<&str>) -> Round {
    Round {
        number,
        from: from.to_owned(),
        head: head.map(str::to_owned),
        fixes: Vec::new(),
        worker: None,
        gates: Vec::new(),
        reviewer: None,
        verdict: None,
    }
}

#[test]
fn rounds_are_compared_with_each_other_and_with_the_base() {
    let scene = Scene::new();
    scene.put("a.rs", b"one\n2\nthree\n");
    let first = scene.commit();
    scene.put("b.rs", b"b\n");
    let second = scene.commit();
    let base = scene.worktree.base.clone();
    let review = Review {
        ticket: ticket(),
        max_rounds: 3,
        base: base.clone(),
        rounds: vec![round(1, &base, Some(&first)), round(2, &first, Some(&second)), round(3, &second, None)],
        stage: Stage::Working,
        reviewer: None,
        gated: None,
    };
    let open = |range: DiffRange| Differ::open(&scene.root, &ticket(), Some(&review), &range, true);
    let files = |range: DiffRange| {
        let (_, listing) = open(range).unwrap();
        listing.files.iter().map(|file| file.path.clone()).collect::<Vec<_>>()
    };
    assert_eq!(files(DiffRange::Whole), ["a.rs", "b.rs"]);
    assert_eq!(files(DiffRange::Round { number: 1 }), ["a.rs"]);
    assert_eq!(files(DiffRange::Round { number: 2 }), ["b.rs"]);
    assert_eq!(files(DiffRange::Between { from: 0, to: 2 }), ["a.rs", "b.rs"]);
    assert_eq!(files(DiffRange::Between { from: 1, to: 2 }), ["b.rs"]);
    assert!(matches!(open(DiffRange::Round { number: 3 }), Err(DiffError::NoHead { number: 3, .. })));
    assert!(matches!(
        open(DiffRange::Round { number: 9 }),
        Err(DiffError::NoRound { number: 9, rounds: 3, .. })
    ));
}

#[test]
fn a_ticket_that_nobody_worked_on_has_nothing_to_compare() {
    let scene = Scene::new();
    let other = TicketId::new("PLF-2");
    for range in [DiffRange::Whole, DiffRange::WorkingTree] {
        let opened = Differ::open(&scene.root, &other, None, &range, true);
        assert!(matches!(opened, Err(DiffError::NoWork(_))), "{range:?}");
    }
    let empty = tempfile::tempdir().unwrap();
    repository(empty.path());
    let opened = Differ::open(empty.path(), &other, None, &DiffRange::Whole, true);
    assert!(matches!(opened, Err(DiffError::NoWork(_))), "a repository without a commit");
}

#[test]
fn what_is_no_plain_file_or_too_large_is_named_and_not_read() {
    let scene = Scene::new();
    let huge = std::fs::File::create(scene.worktree.path.join("huge.log")).unwrap();
    huge.set_len(TEXT_LIMIT + 1).unwrap();
    let inner = scene.worktree.path.join("inner");
    repository(&inner);
    put(&inner, "file", b"x");
    let (mut differ, listing) = scene.open(&DiffRange::WorkingTree);
    let found = told(&mut differ, &listing);
    assert_eq!(found[0], ('A', "huge.log".to_owned(), Stat::Large { old: 0, new: TEXT_LIMIT + 1 }));
    assert_eq!((found[1].0, found[1].1.as_str()), ('A', "inner"));
    assert!(matches!(found[1].2, Stat::Module { old: None, new: Some(_) }), "{found:?}");
    // It becomes a pipe between listing and looking: nobody waits for it.
    scene.put("a.rs", b"other\n");
    let (mut differ, listing) = scene.open(&DiffRange::WorkingTree);
    std::fs::remove_file(scene.worktree.path.join("a.rs")).unwrap();
    nix::unistd::mkfifo(&scene.worktree.path.join("a.rs"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(listing.files[0].path, "a.rs");
    assert!(matches!(differ.count(0).unwrap().stat, Stat::Unreadable { .. }));
}

#[test]
fn line_ends_that_git_would_take_away_are_no_change() {
    let scene = Scene::new();
    scene.put(".gitattributes", b"*.rs text=auto\n");
    scene.put("a.rs", b"one\r\n2\r\nthree\r\n");
    let (mut differ, listing) = scene.open(&DiffRange::WorkingTree);
    assert_eq!(told(&mut differ, &listing)[1], ('M', "a.rs".to_owned(), text(1, 1)));
    let (mut plain, _) = Differ::open(&scene.root, &ticket(), None, &DiffRange::WorkingTree, false).unwrap();
    assert_eq!(plain.count(1).unwrap().stat, text(1, 1));
}

#[test]
fn rounds_on_disk_that_are_none_are_named() {
    let scene = Scene::new();
    assert_eq!(rounds_on_disk(&scene.root, &ticket()).unwrap(), None);
    let path = scene.root.join(".planfile/.koru/loop/PLF-1/rounds.json");
    for bad in ["", "[]", "{\"ticket\": 3}"] {
        put(&scene.root, &path, bad.as_bytes());
        let error = rounds_on_disk(&scene.root, &ticket()).unwrap_err().to_string();
        assert!(error.contains("rounds.json"), "{error}");
    }
}

fn run(folder: &Path, args: &[&str]) -> bool {
    let mut git = std::process::Command::new("git");
    let (name, mail) = ("user.name=Op", "user.email=op@example.invalid");
    git.args(["-c", name, "-c", mail, "-c", "protocol.file.allow=always"]).args(args).current_dir(folder);
    git.output().unwrap().status.success()
}

#[test]
fn a_detached_head_and_a_merge_of_the_operator_change_nothing() {
    let scene = Scene::new();
    scene.put("a.rs", b"one\n2\nthree\n");
    let before = scene.open(&DiffRange::WorkingTree).1.files;
    let head = scene.commit();
    // The operator's own checkout: detached, then in the middle of a merge that conflicts.
    let root = &scene.root;
    assert!(run(root, &["checkout", "-q", "--detach"]));
    put(root, "a.rs", b"one\nanother\nthree\n");
    assert!(run(root, &["commit", "-qam", "two"]));
    assert!(!run(root, &["merge", "-q", &head]), "it has to conflict");
    let (mut differ, listing) = scene.open(&DiffRange::Whole);
    assert_eq!(told(&mut differ, &listing), [('M', "a.rs".to_owned(), text(1, 1))]);
    assert_eq!((listing.files[0].path.clone(), listing.head), (before[0].path.clone(), Some(head)));
}

#[test]
fn a_conflict_in_the_worktree_is_named_and_shown_as_it_lies_there() {
    let scene = Scene::new();
    scene.put("a.rs", b"one\n2\nthree\n");
    scene.commit();
    put(&scene.root, "a.rs", b"one\nanother\nthree\n");
    assert!(run(&scene.root, &["commit", "-qam", "two"]));
    let theirs = Repository::open(&scene.root).unwrap().head().unwrap().target().unwrap().to_string();
    assert!(!run(&scene.worktree.path, &["merge", "-q", &theirs]), "it has to conflict");
    let (mut differ, listing) = scene.open(&DiffRange::WorkingTree);
    let found = told(&mut differ, &listing);
    assert_eq!((found.len(), found[0].1.as_str()), (1, "a.rs"), "{found:?}");
    assert_eq!(found[0].0, 'U', "{found:?}");
    let body = differ.body(0).unwrap();
    assert!(body.new.text().contains("<<<<<<<"), "{}", body.new.text());
    assert_eq!(body.old.text(), "one\ntwo\nthree\n");
}

#[test]
fn a_submodule_is_a_commit_and_its_files_are_not_looked_into() {
    let scene = Scene::new();
    let other = scene.root.with_file_name("other");
    let inner = repository(&other);
    put(&other, "file", b"x");
    assert!(run(&other, &["add", "-A"]) && run(&other, &["commit", "-qm", "one"]));
    let at = inner.head().unwrap().target().unwrap().to_string();
    let from = other.to_str().unwrap();
    assert!(run(&scene.worktree.path, &["submodule", "--quiet", "add", from, "vendor"]));
    assert!(run(&scene.worktree.path, &["commit", "-qm", "two"]));
    let (mut differ, listing) = scene.open(&DiffRange::Whole);
    let found = told(&mut differ, &listing);
    let module = ('A', "vendor".to_owned(), Stat::Module { old: None, new: Some(at) });
    assert!(found.contains(&module), "{found:?}");
    let at = found.iter().position(|file| *file == module).unwrap();
    let body = differ.body(at).unwrap();
    assert_eq!((body.new.text(), body.blocks.len()), ("", 0));
}

#[test]
fn a_comparison_that_nobody_waits_for_any_more_ends_between_its_steps() {
    let scene = Scene::new();
    scene.put("a.rs", b"one\n2\nthree\n");
    scene.put("b.rs", b"new\n");
    let asked = std::cell::Cell::new(0);
    let until = |last: u32| {
        asked.set(0);
        let wanted = || {
            asked.set(asked.get() + 1);
            asked.get() < last
        };
        let range = DiffRange::WorkingTree;
        let opened = Differ::open_while(&scene.root, &ticket(), None, &range, true, &wanted);
        (opened.is_ok(), matches!(opened, Err(DiffError::Unwanted)), asked.get())
    };
    assert_eq!(until(1), (false, true, 1), "after the walk over both states");
    assert_eq!(until(2), (false, true, 3), "at a file");
    assert!(until(u32::MAX).0);
}
