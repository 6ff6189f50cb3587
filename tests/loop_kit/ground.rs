//! What a loop stands on: the card, the lock, the configuration and the folders are not as they should be.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::json;

use crate::loop_support::{Ran, Scratch, fixtures};
use crate::outcome;

fn pipe(path: &Path) {
    nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap();
}

/// The example card with another id, outside of the bus.
fn other_card(scratch: &Scratch, id: &str) -> String {
    let card = fs::read_to_string(fixtures().join("fakes/task_card.json")).unwrap();
    let path = scratch.outside().join("other.json");
    fs::write(&path, card.replace("T-001", id)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_refused_start_leaves_the_card_of_the_loop_that_stands_there() {
    let scratch = Scratch::new();
    scratch.run(&["--single-round", "--round", "1"], &[]).expect(0);
    let other = other_card(&scratch, "T-777");
    for how in [&["--resume"][..], &["--single-round", "--round", "2"]] {
        let ran = scratch.run(&[&["--task", &other], how].concat(), &[]).expect(3);
        assert!(ran.err.contains("state_task_mismatch"), "{}", ran.err);
        assert_eq!(scratch.read("task_card.json")["task_id"], json!("T-001"));
    }
    scratch.run(&["--resume"], &[]).expect(0);
    assert_eq!(outcome(&scratch), "approved");
}

#[test]
fn a_broken_card_is_kept_when_another_takes_its_place() {
    let scratch = Scratch::new();
    fs::write(scratch.bus().join("task_card.json"), "{\"goal\": \"half").unwrap();
    let other = other_card(&scratch, "T-001");
    scratch.run(&["--task", &other], &[]).expect(0);
    let kept = fs::read_to_string(scratch.bus().join("archive/T-001/run-1/r0_task_card.json"));
    assert_eq!(kept.unwrap(), "{\"goal\": \"half");
}

#[test]
fn a_pipe_or_a_link_in_place_of_lock_or_configuration_holds_nobody_up() {
    let scratch = Scratch::new();
    pipe(&scratch.bus().join("config.yaml"));
    let ran = scratch.run(&[], &[]).expect(0);
    assert!(ran.err.contains("config.yaml cannot be read; the defaults count"), "{}", ran.err);
    let (lock, outside) = (scratch.bus().join("lock"), scratch.outside().join("made"));
    for makes in [&pipe as &dyn Fn(&Path), &|lock: &Path| symlink(&outside, lock).unwrap()] {
        fs::remove_file(&lock).unwrap();
        makes(&lock);
        let ran = scratch.run(&[], &[]).expect(1);
        assert!(ran.err.contains("the bus cannot be locked"), "{}", ran.err);
        assert!(!outside.exists(), "nothing is made through a link");
    }
}

#[test]
fn folders_that_are_links_are_not_written_through() {
    let scratch = Scratch::new();
    let outside = scratch.outside().join("theirs");
    fs::create_dir(&outside).unwrap();
    symlink(&outside, scratch.bus().join("templates")).unwrap();
    scratch.call(&["init", "--loop-dir", ".loop"], &[]).expect(1);
    let program = Path::new(env!("CARGO_BIN_EXE_koru-tui"));
    Ran::of(scratch.program(program, &["init"], &[]).output().unwrap()).expect(0);
    fs::create_dir_all(scratch.root().join(".planfile/.koru")).unwrap();
    symlink(&outside, scratch.root().join(".planfile/.koru/loop")).unwrap();
    let card = other_card(&scratch, "T-001");
    let ran = scratch.call(&["run", &card, "--auto-dispatch"], &[]).expect(1);
    assert!(ran.err.contains("is a symbolic link"), "{}", ran.err);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    let ran = scratch.call(&["archive", "--task-id", "T-001", "--restore", "r1_state"], &[]).expect(1);
    assert!(ran.err.contains("is a symbolic link"), "{}", ran.err);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
}
