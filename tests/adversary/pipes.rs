//! Pipes, devices, sockets and folders where a file is expected: nobody waits for a writer that never comes, and what is
//! there is named.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::agents::bench::SCRIPTED;
use super::agents::stage::ID;
use super::cli::Place;
use super::scene::Scene;
use super::support::project::{Project, shell};

/// Far more than anything here takes, and far less than for ever.
const LIMIT: Duration = Duration::from_secs(90);

/// What an agent can put a pipe in the place of, in its worktree and in git's folder for it.
const PLACES: [&str; 16] = [
    ".gitignore",
    ".gitattributes",
    ".gitmodules",
    "deep/er/.gitignore",
    "deep/.gitattributes",
    "new.txt",
    ".git",
    "$d/index",
    "$d/HEAD",
    "$d/commondir",
    "$d/gitdir",
    "$d/locked",
    "$d/logs/HEAD",
    "$d/config.worktree",
    "$CHECKOUT/.git/refs/heads/koru/PLF-001",
    "$CHECKOUT/.git/refs/heads/koru/other",
];

/// A run whose agent leaves a pipe ends, and so does everything that looks at its work, prunes it or works it again.
#[track_caller]
fn nobody_waits(places: &[&str]) {
    for place in places {
        let began = Instant::now();
        let mut scene = Scene::new();
        let deeds = format!(
            "printf 'Hello, world!\\n' >hello.txt; mkdir -p deep/er; d=$(git rev-parse --git-dir)\n\
             rm -rf \"{place}\"; mkdir -p \"$(dirname \"{place}\")\"; mkfifo \"{place}\" && echo \"{place}\" >\"$NOTES/made\"\n"
        );
        scene.agent(&deeds, &[]);
        let ran = scene.run();
        assert!(matches!(ran.code, Some(0..=1)), "{place} {ran:?}");
        match std::fs::read_to_string(scene.bench.around("notes").join("made")) {
            Ok(made) => assert_eq!(made.trim().rsplit('/').next(), place.rsplit('/').next(), "{ran:?}"),
            // Whoever touches git's own folder may be stopped for it before the pipe is there.
            Err(_) => {
                let record = format!("{:?}", scene.bench.project.record(ID));
                assert!(record.contains("the policy was broken"), "{place}: no pipe\n{record}\n{ran:?}");
            }
        }
        scene.look();
        // Nothing of it is committed, and the operator's repository goes on.
        assert!(!scene.bench.git(&["ls-tree", "-r", "main"]).contains("gitignore"));
        scene.agent("printf 'Hello, world!\\n' >hello.txt\n", &[]);
        let again = scene.bench.koru(&["ticket", "run", ID, "--agent", SCRIPTED]);
        assert!(matches!(again.code, Some(0..=1)), "{place} {again:?}");
        assert!(began.elapsed() < LIMIT, "{place}: {:?}", began.elapsed());
    }
}

#[test]
fn pipes_that_an_agent_leaves_in_its_worktree_make_nobody_wait() {
    nobody_waits(&PLACES[..7]);
}

#[test]
fn pipes_that_an_agent_leaves_in_gits_folder_make_nobody_wait() {
    nobody_waits(&PLACES[7..]);
}

/// Puts something that is no file at `path`.
fn put(kind: &str, path: &Path) {
    let _ = std::fs::remove_file(path);
    let _ = std::fs::remove_dir_all(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    match kind {
        "pipe" => mkfifo(path, Mode::S_IRWXU).unwrap(),
        "socket" => drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
        "folder" => std::fs::create_dir(path).unwrap(),
        "endless" => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
        "sparse" => std::fs::File::create(path).unwrap().set_len(100 << 30).unwrap(),
        _ => unreachable!(),
    }
}

const FILES: [&str; 14] = [
    ".planfile/sprints/current.yaml",
    ".planfile/config.yaml",
    ".planfile/.koru/policy.yaml",
    ".planfile/.koru/config.yaml",
    ".planfile/sprints/backlog.yaml",
    ".planfile/.koru/known-whole.json",
    ".planfile/.koru/loop/PLF-001/rounds.json",
    ".planfile/.koru/runs/PLF-001-20261121T050508Z-1/run.json",
    ".planfile/.koru/runs/PLF-001-20261121T050508Z-1/transcript.jsonl",
    ".planfile/.koru/worktrees/PLF-001.json",
    ".planfile/index/history-locations.yaml",
    ".planfile/.store.lock",
    ".env",
    ".gitignore",
];

const CALLS: [&[&str]; 9] = [
    &["ticket", "list"],
    &["ticket", "show", "PLF-001"],
    &["ticket", "log", "PLF-001"],
    &["ticket", "review", "PLF-001"],
    &["doctor"],
    &["brief"],
    &["worktree", "list"],
    &["ticket", "update", "PLF-002", "--name", "Three"],
    &["queue", "run"],
];

/// Everything that a call reads of a project, replaced by what is no file, one after the other.
#[test]
fn what_is_no_file_is_named_and_no_call_waits_for_it_or_reads_it_through() {
    for (kind, files) in [
        ("pipe", &FILES[..]),
        ("endless", &FILES),
        ("sparse", &FILES),
        ("folder", &FILES[..4]),
        ("socket", &FILES[..4]),
    ] {
        for file in files {
            let place = Project::with(&[shell("PLF-001", "One", "true"), shell("PLF-002", "Two", "true")]);
            let path = place.path().join(file);
            put(kind, &path);
            for args in CALLS {
                let began = Instant::now();
                let ran = place.run(args);
                assert!(matches!(ran.code, 0..=2), "{kind} {file} {args:?}: {} {}", ran.code, ran.all());
                assert!(began.elapsed().as_secs() < 30, "{kind} {file} {args:?}: {:?}", began.elapsed());
            }
            // Nothing was put in its place, but where it is ours alone and only there to save time.
            let found = path.symlink_metadata().unwrap();
            let stays = match kind {
                "sparse" => found.len() == 100 << 30,
                "folder" => found.is_dir(),
                "endless" => found.is_symlink(),
                _ => !found.is_file() && !found.is_dir(),
            };
            assert!(stays || file.contains("known-whole"), "{kind} {file} was replaced");
        }
    }
}

/// A file that a person names on the command line.
#[test]
fn a_pipe_or_an_endless_file_on_the_command_line_is_refused() {
    let place = Project::with(&[shell("PLF-001", "One", "true")]);
    let (pipe, endless) = (place.around().join("pipe"), Path::new("/dev/zero"));
    put("pipe", &pipe);
    for path in [&*pipe, endless] {
        let path = path.to_str().unwrap();
        for args in [
            &["bootstrap", "--from", path][..],
            &["init", "--from", path, "--force"],
            &["loop", "run", path, "--auto-dispatch"],
        ] {
            let began = Instant::now();
            let ran = place.run(args);
            assert!(matches!(ran.code, 1..=3), "{args:?}: {} {}", ran.code, ran.all());
            assert!(began.elapsed().as_secs() < 20, "{args:?}");
        }
    }
}
