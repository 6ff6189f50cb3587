//! Worktrees that start from work that has not landed.

use super::*;
use crate::execute::isolation::{beneath, prepare_on};

fn ids(names: &[&str]) -> Vec<TicketId> {
    names.iter().copied().map(TicketId::new).collect()
}

fn on(scratch: &Scratch, ticket: &str, done: &[&str]) -> Result<(Worktree, Prepared), WorktreeError> {
    prepare_on(&scratch.root, &TicketId::new(ticket), &ids(done))
}

/// A ticket whose work is `text` in `path`.
fn worked(scratch: &Scratch, ticket: &str, path: &str, text: &str) -> Worktree {
    let (worktree, _) = scratch.prepare(ticket);
    write(&worktree.path, path, text);
    commit(&worktree);
    worktree
}

fn left(scratch: &Scratch, ticket: &str) -> Vec<TicketId> {
    let main = scratch.repo.refname_to_id("refs/heads/main").unwrap();
    beneath(&scratch.root, &TicketId::new(ticket), main).unwrap()
}

fn land(scratch: &Scratch, worktree: &Worktree) {
    let tip = Oid::from_str(&scratch.tip(&worktree.branch_ref())).unwrap();
    scratch.repo.reference("refs/heads/main", tip, true, "landed").unwrap();
}

#[test]
fn what_builds_on_work_that_has_not_landed_starts_from_it() {
    let scratch = Scratch::new();
    let before = scratch.checkout();
    let below = worked(&scratch, "BELOW", "below", "1\n");
    let (above, prepared) = on(&scratch, "ABOVE", &["BELOW", "NEVER-WORKED"]).unwrap();
    assert_eq!(above.base, scratch.tip("refs/heads/koru/BELOW"));
    assert!(above.path.join("below").exists());
    assert_eq!(prepared.notes, [Note::StartsOn(vec!["BELOW".to_owned()])]);
    assert_eq!(left(&scratch, "ABOVE"), ids(&["BELOW"]));
    // Where it starts from is no news when it goes on.
    assert_eq!(on(&scratch, "ABOVE", &["BELOW"]).unwrap().1.notes, []);
    assert_eq!(scratch.checkout(), before);
    land(&scratch, &below);
    assert_eq!(left(&scratch, "ABOVE"), []);
    assert_eq!(on(&scratch, "LATER", &["BELOW"]).unwrap().1.notes.len(), usize::from(has_changes(&scratch)));
}

/// The reference was moved past the checkout, which therefore differs from it.
fn has_changes(scratch: &Scratch) -> bool {
    crate::base::repo::has_tracked_changes(&scratch.root, ".planfile")
}

#[test]
fn several_works_are_joined_with_what_the_operator_did_since() {
    let scratch = Scratch::new();
    worked(&scratch, "ONE", "one", "1\n");
    worked(&scratch, "TWO", "two", "2\n");
    scratch.write("README.md", "moved on\n");
    scratch.commit("moved on");
    let (above, _) = on(&scratch, "ABOVE", &["ONE", "TWO"]).unwrap();
    let read = |path: &str| std::fs::read_to_string(above.path.join(path)).unwrap();
    assert_eq!(
        (read("one"), read("two"), read("README.md")),
        ("1\n".into(), "2\n".into(), "moved on\n".into())
    );
    assert_eq!(left(&scratch, "ABOVE"), ids(&["ONE", "TWO"]));
}

#[test]
fn works_that_do_not_fit_together_are_named_and_nothing_is_made() {
    let scratch = Scratch::new();
    worked(&scratch, "ONE", "same", "1\n");
    worked(&scratch, "TWO", "same", "2\n");
    let refused = on(&scratch, "ABOVE", &["ONE", "TWO"]).unwrap_err();
    assert!(
        matches!(&refused, WorktreeError::Apart { ticket, with } if ticket == "TWO" && with == "ONE"),
        "{refused}"
    );
    assert!(scratch.repo.find_reference("refs/heads/koru/ABOVE").is_err());
    assert!(find(&scratch.root, &TicketId::new("ABOVE")).is_none());
}
