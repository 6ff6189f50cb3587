//! Agents that take more than their share, or change the rules while they work.

use std::time::Instant;

use super::agents::stage::ID;
use super::scene::Scene;

/// A file of 100 GB that takes no room: it is named, and nobody reads it through.
#[test]
fn a_huge_sparse_file_is_named_and_not_read() {
    let mut scene = Scene::new();
    scene.agent("printf 'Hello, world!\\n' >hello.txt\ntruncate -s 100G big.bin\n", &[]);
    let began = Instant::now();
    let ran = scene.run();
    // Reading it would take minutes.
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
    let said = format!("{}{}", ran.out, ran.err);
    assert!(said.contains("big.bin has 100 GiB, and files of more than 2 GiB are not committed"), "{said}");
    assert_eq!(scene.tree().lines().filter(|line| line.contains("big.bin")).count(), 0);
    scene.look();
    assert!(scene.bench.worktree(ID).join("big.bin").exists(), "nothing is taken away");
}

/// Two hundred processes in sessions of their own: [`Scene::run`] looks that nobody is left.
#[test]
fn a_storm_of_processes_ends_with_the_run() {
    let mut scene = Scene::new();
    let storm =
        "i=0; while [ $i -lt 200 ]; do i=$((i + 1)); setsid sleep 60 >/dev/null 2>&1 </dev/null & done\n";
    scene.agent(&format!("printf 'Hello, world!\\n' >hello.txt\n{storm}"), &[]);
    let began = Instant::now();
    scene.run().expect(0);
    assert!(began.elapsed().as_secs() < 45, "they were waited for: {:?}", began.elapsed());
}

/// The policy that was there when the run began is the one that counts, and the change is told.
#[test]
fn a_policy_that_is_swapped_in_the_middle_opens_nothing() {
    let mut scene = Scene::new();
    let policy = scene.bench.project.path().join(".planfile/.koru/policy.yaml");
    let deeds = "printf 'llm: {allow_commit: true, allow_tag: true}\\n' >\"$CHECKOUT/.planfile/.koru/policy.yaml\"\n\
                 printf 'Hello, world!\\n' >hello.txt\n\
                 git tag sneaky; git -c core.hooksPath=/dev/null commit -qam sneaky\n";
    scene.agent(deeds, std::slice::from_ref(&policy));
    let ran = scene.run();
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(std::fs::read_to_string(&policy).unwrap().contains("allow_tag: true"), "it could be swapped");
    assert!(ran.out.contains("allow_commit"), "{ran:?}");
    assert!(!scene.bench.git(&["log", "--all", "--format=%s"]).contains("sneaky"));
    assert_eq!(scene.bench.git(&["tag"]), "");
    let log = scene.bench.koru(&["ticket", "log", ID]).out;
    assert!(log.contains("policy.yaml changed while the run worked; it counts from the next on"), "{log}");
    assert!(log.contains("refused by policy.allow_tag=false: git tag sneaky"), "{log}");
}

/// A file of the repository that grows to 100 GB, and to a length whose low 32 bits are what it had: nobody reads it.
#[test]
fn a_known_file_that_becomes_huge_is_not_read() {
    for size in ["100G", "$((64 * 1024 * 1024 * 1024 + 14))"] {
        let mut scene = Scene::new();
        scene.agent(&format!("truncate -s {size} notes.txt\nprintf 'Hello, world!\\n' >hello.txt\n"), &[]);
        let began = Instant::now();
        let ran = scene.run();
        assert!(matches!(ran.code, Some(0..=1)), "{ran:?}");
        scene.look();
        assert!(began.elapsed().as_secs() < 60, "{size}: {:?}", began.elapsed());
    }
}

/// A shell ticket that promises changes leaves one: what is compared before and after is not read through.
#[test]
fn a_huge_file_of_a_shell_ticket_is_not_read() {
    use super::cli::Place;
    use super::support::project::{Project, shell};
    let ticket = shell("PLF-001", "One", "truncate -s 100G big.bin").input("expect_files_changed: true");
    let place = Project::with(&[ticket]);
    let began = Instant::now();
    place.run(&["ticket", "run", "PLF-001"]).expect(0);
    assert!(began.elapsed().as_secs() < 30, "{:?}", began.elapsed());
    assert_eq!(place.on_disk("PLF-001")["status"], "done");
}
