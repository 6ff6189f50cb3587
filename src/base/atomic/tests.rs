//! Tests of `base::atomic`.

use super::*;
use crate::base::faults::{Fault, inject};
use std::os::unix::fs::symlink;

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().mode() & 0o7777
}

#[test]
fn parts_are_joined_in_order_and_the_stamp_is_that_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.yaml");
    let stamp = replace(&path, &[b"one ", b"", b"two ", b"three"]).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"one two three");
    assert_eq!(Stamp::read(&path).unwrap(), Some(stamp));
    assert_eq!(names(folder.path()), ["a.yaml"]);
}

#[test]
fn more_parts_than_one_system_call_takes_are_all_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let parts: Vec<Vec<u8>> = (0..5000).map(|n| format!("{n}\n").into_bytes()).collect();
    let slices: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    replace(&path, &slices).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), parts.concat());
}

#[test]
fn a_new_file_is_private_and_an_old_one_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    replace(&path, &[b"x"]).unwrap();
    assert_eq!(mode(&path), 0o600);
    for kept in [0o644, 0o600, 0o400] {
        std::fs::set_permissions(&path, Permissions::from_mode(kept)).unwrap();
        replace(&path, &[b"y"]).unwrap();
        assert_eq!(mode(&path), kept);
    }
}

#[test]
fn the_modification_time_always_differs() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let mut last = replace(&path, &[b"0"]).unwrap();
    for n in 0..200_u32 {
        let next = replace(&path, &[n.to_string().as_bytes()]).unwrap();
        assert_ne!(next.mtime_ns, last.mtime_ns);
        last = next;
    }
}

#[test]
fn an_equal_modification_time_is_moved() {
    let file = tempfile::tempfile().unwrap();
    let old = Stamp::of(&file.metadata().unwrap());
    let moved = distinct_stamp(&file, Some(old)).unwrap();
    assert_eq!(moved.mtime_ns - old.mtime_ns, 1_000_000);
    assert_eq!(Stamp::of(&file.metadata().unwrap()), moved);
}

#[test]
fn links_and_folders_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("target");
    std::fs::write(&target, "kept").unwrap();
    let link = folder.path().join("link");
    symlink(&target, &link).unwrap();
    assert_eq!(replace(&link, &[b"x"]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    assert_eq!(replace(folder.path(), &[b"x"]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    append_line(&link, "x").unwrap_err();
    assert_eq!(std::fs::read(&target).unwrap(), b"kept");
    assert_eq!(names(folder.path()), ["link", "target"]);
}

#[test]
fn a_name_of_255_bytes_can_be_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("n".repeat(255));
    replace(&path, &[b"x"]).unwrap();
    replace(&path, &[b"y"]).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), b"y");
}

#[test]
fn every_failing_step_leaves_the_old_file_whole_and_no_litter() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    replace(&path, &[b"old"]).unwrap();
    let (_, steps) = inject(None, || replace(&path, &[b"old"]).unwrap());
    assert_eq!(steps, 5);
    for step in 1..=steps {
        for errno in [Errno::EIO, Errno::ENOSPC] {
            let (result, _) = inject(Some(Fault::Fail(step, errno)), || replace(&path, &[b"new"]));
            result.unwrap_err();
            // Only the last step, the sync of the folder, comes after the rename.
            let expected: &[u8] = if step == steps { b"new" } else { b"old" };
            assert_eq!(std::fs::read(&path).unwrap(), expected, "step {step}");
            assert_eq!(names(folder.path()), ["a"], "step {step}");
            replace(&path, &[b"old"]).unwrap();
        }
    }
}

#[test]
fn lines_are_appended_whole_and_a_torn_one_is_ended() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.jsonl");
    append_line(&path, "{\"a\":1}").unwrap();
    assert_eq!(mode(&path), 0o600);
    append_line(&path, "{\"b\":2}").unwrap();
    append_line(&path, "{\"c\":3}").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"b\":2}\n{\"c\":3}\n");
    std::fs::write(&path, "{\"a\":1}\n{\"torn").unwrap();
    append_line(&path, "{\"d\":4}").unwrap();
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "{\"a\":1}\n{\"torn\n{\"d\":4}\n");
    assert_eq!(append_line(&path, "a\nb").unwrap_err().kind(), io::ErrorKind::InvalidInput);
}

#[test]
fn private_folders_are_made_with_parents() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a/b/c");
    make_private_dir(&path).unwrap();
    make_private_dir(&path).unwrap();
    assert_eq!([mode(&path), mode(&folder.path().join("a"))], [0o700, 0o700]);
    std::fs::write(folder.path().join("file"), "").unwrap();
    make_private_dir(&folder.path().join("file")).unwrap_err();
}

#[test]
fn a_missing_file_has_no_stamp() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Stamp::read(&folder.path().join("none")).unwrap(), None);
}

#[test]
fn ranges_of_the_old_version_and_new_bytes_make_the_new_version() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let old: Vec<u8> = (0..5_000_000u32).map(|n| (n % 251) as u8).collect();
    let basis = replace(&path, &[&old]).unwrap();
    let file = File::open(&path).unwrap();
    let parts = [
        Part::Range { file: &file, bytes: 0..2_100_001 },
        Part::Bytes(b"new"),
        Part::Range { file: &file, bytes: 2_100_010..5_000_000 },
        Part::Range { file: &file, bytes: 7..7 },
    ];
    let stamp = replace_parts(&path, basis, &parts).unwrap();
    let wanted = [&old[..2_100_001], b"new", &old[2_100_010..]].concat();
    assert!(std::fs::read(&path).unwrap() == wanted);
    assert_eq!(Stamp::read(&path).unwrap(), Some(stamp));
}

#[test]
fn a_version_that_somebody_else_wrote_meanwhile_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let basis = replace(&path, &[b"old old"]).unwrap();
    let file = File::open(&path).unwrap();
    let copy = [Part::Range { file: &file, bytes: 0..7 }];
    let longer = [Part::Range { file: &file, bytes: 0..8 }];
    assert_eq!(replace_parts(&path, basis, &longer).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    // In place, by another file, and gone.
    std::fs::write(&path, b"in place").unwrap();
    assert_eq!(replace_parts(&path, basis, &copy).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    assert_eq!(std::fs::read(&path).unwrap(), b"in place");
    replace(&path, &[b"another"]).unwrap();
    assert_eq!(replace_parts(&path, basis, &copy).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    assert_eq!(std::fs::read(&path).unwrap(), b"another");
    assert_eq!(names(folder.path()), ["a"]);
    std::fs::remove_file(&path).unwrap();
    assert_eq!(replace_parts(&path, basis, &copy).unwrap_err().kind(), io::ErrorKind::ResourceBusy);
    assert_eq!(names(folder.path()), [""; 0]);
}
