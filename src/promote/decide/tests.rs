//! Deciding as a whole, on real git: landing, refusing, rejecting, taking back, and a failure at every durable step.

use std::fs;

use super::super::bench::Bench;
use super::super::combine::CombineError;
use super::*;
use crate::base::faults::{Fault, inject};
use crate::execute::isolation::{Identity, Worktree, commit_all};
use crate::plan::policy::Policy;
use crate::plan::settings::Onto;
use crate::plan::ticket::TicketId;
use crate::promote::{CheckoutError, Shelf};
use crate::verify::gates::{GateResult, GateState};

/// A finished ticket whose work stands on its branch.
struct Done {
    bench: Bench,
    ticket: Ticket,
    worktree: Worktree,
    settings: PromotionSettings,
}

fn now() -> Timestamp {
    "2026-11-21T06:00:00Z".parse().unwrap()
}

impl Done {
    fn new() -> Done {
        let bench = Bench::new();
        fs::write(bench.root().join(".git/info/exclude"), ".planfile/\n").unwrap();
        let ticket = Ticket {
            id: TicketId::new("PLF-1"),
            name: "Say hello".to_owned(),
            status: Status::Done,
            ..Ticket::default()
        };
        let (worktree, _) = isolation::prepare(&bench.root(), &ticket.id, None).unwrap();
        let done = Done { bench, ticket, worktree, settings: PromotionSettings::default() };
        done.work("new", "hello\n");
        done
    }

    fn work(&self, path: &str, text: &str) {
        fs::write(self.worktree.path.join(path), text).unwrap();
        commit_all(&self.worktree, "work", &Identity::default(), &Policy::default()).unwrap();
    }

    fn request(&self) -> Promotion {
        let root = self.bench.root();
        let asked = Asked { root: &root, settings: &self.settings, review: None, by: "ann", now: now() };
        asked.request(&self.ticket).unwrap()
    }

    fn decider<T>(&self, go: impl FnOnce(Decider<'_>) -> T) -> T {
        let root = self.bench.root();
        go(Decider { root: &root, settings: &self.settings, by: "ann", now: now() })
    }

    fn prepare(&self, promotion: &Promotion) -> Result<Ready, DecideError> {
        self.decider(|decider| decider.prepare(&self.ticket, None, &promotion.id, &promotion.head, None))
    }

    fn land(&self, promotion: &Promotion) -> Result<Promotion, DecideError> {
        let ready = self.prepare(promotion)?;
        self.decider(|decider| decider.land(&ready, None))
    }

    fn undo(&self, promotion: &Promotion) -> Result<Promotion, DecideError> {
        self.decider(|decider| decider.undo(&promotion.id))
    }

    fn on_disk(&self, promotion: &Promotion) -> Promotion {
        Shelf::of(&self.bench.root()).read(&promotion.id).unwrap()
    }

    fn file(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.bench.root().join(path)).ok()
    }

    fn clean(&self) -> bool {
        let statuses = self.bench.repo.statuses(None).unwrap();
        statuses.iter().all(|entry| matches!(entry.status(), git2::Status::CURRENT | git2::Status::IGNORED))
    }
}

fn checked(state: GateState) -> GateReport {
    let result = GateResult {
        gate: "ci".to_owned(),
        state,
        command: Some("true".to_owned()),
        exit_code: Some(0),
        output: String::new(),
        duration: std::time::Duration::ZERO,
    };
    GateReport { results: vec![result] }
}

#[test]
fn a_request_is_one_promotion_and_work_that_goes_on_makes_another() {
    let done = Done::new();
    let first = done.request();
    assert_eq!(first.id, format!("PLF-1.{}", &first.head[..12]));
    assert_eq!((first.base_branch.as_str(), first.diff.paths.as_slice()), ("main", &["new".to_owned()][..]));
    assert_eq!((first.diff.added, first.diff.removed), (1, 0));
    assert_eq!(done.request(), first);
    done.work("new", "hello again\n");
    let second = done.request();
    assert_ne!((&second.id, &second.diff.hash), (&first.id, &first.diff.hash));
    assert_eq!(done.on_disk(&first).state.word(), "expired");
    let refused = done.prepare(&first).unwrap_err();
    assert!(matches!(refused, DecideError::Decided { state: "expired", .. }), "{refused}");
}

#[test]
fn an_approved_promotion_is_on_the_base_and_in_the_operators_checkout() {
    let done = Done::new();
    let promotion = done.request();
    let landed = done.land(&promotion).unwrap();
    assert_eq!(done.bench.tip("main").to_string(), promotion.head);
    assert_eq!(done.file("new").as_deref(), Some("hello\n"));
    assert!(done.clean());
    assert_eq!(done.on_disk(&promotion), landed);
    let said: Vec<&str> = landed.history.iter().map(|deed| deed.what.as_str()).collect();
    assert_eq!(
        said,
        ["requested", "approved, to land on main", &format!("landed as {}", &promotion.head[..12])]
    );
    let again = done.land(&promotion).unwrap_err();
    assert!(matches!(&again, DecideError::Decided { state: "applied", by, .. } if by == "ann"), "{again}");
    assert!(done.decider(|decider| decider.reject(&promotion.id, "late")).is_err());
}

#[test]
fn what_was_not_seen_is_not_landed() {
    let done = Done::new();
    let promotion = done.request();
    let seen = |seen: &str| {
        done.decider(|decider| decider.prepare(&done.ticket, None, &promotion.id, seen, None)).map(drop)
    };
    assert!(matches!(seen(&"0".repeat(40)), Err(DecideError::Unseen { .. })));
    assert!(matches!(seen(&promotion.head[..6]), Err(DecideError::Unseen { .. })));
    seen(&promotion.diff.hash[..12]).unwrap();
    done.work("new", "changed behind it\n");
    assert!(matches!(seen(&promotion.head), Err(DecideError::WentOn { .. })));
}

#[test]
fn rules_and_unfinished_tickets_keep_work_out() {
    let mut done = Done::new();
    let promotion = done.request();
    done.settings.deny = vec!["new".to_owned()];
    assert!(matches!(done.prepare(&promotion), Err(DecideError::Blocked { .. })));
    done.settings =
        PromotionSettings { refused: Some("unreadable".to_owned()), ..PromotionSettings::default() };
    assert!(matches!(done.prepare(&promotion), Err(DecideError::Blocked { .. })));
    done.settings = PromotionSettings { high_risk: vec!["*".to_owned()], ..PromotionSettings::default() };
    assert!(matches!(done.prepare(&promotion), Err(DecideError::Word { .. })));
    let word = Some("PLF-1");
    done.decider(|decider| decider.prepare(&done.ticket, None, &promotion.id, &promotion.head, word))
        .unwrap();
    done.ticket.status = Status::InProgress;
    assert!(matches!(done.prepare(&promotion), Err(DecideError::Unfinished { .. })));
}

#[test]
fn a_base_that_moved_on_needs_the_checks_again_or_is_refused() {
    let done = Done::new();
    let promotion = done.request();
    let theirs = done.bench.commit("main", "b", "theirs\n");
    done.bench.check_out();
    let ready = done.prepare(&promotion).unwrap();
    assert!(ready.must_be_checked());
    let land = |checks: Option<&GateReport>| done.decider(|decider| decider.land(&ready, checks));
    assert!(matches!(land(None), Err(DecideError::Blocked { .. })));
    let red = checked(GateState::Failed { why: "it exited with 1".to_owned() });
    assert!(matches!(land(Some(&red)), Err(DecideError::Blocked { .. })));
    assert_eq!((done.bench.tip("main"), done.on_disk(&promotion).state), (theirs, State::Pending));
    let landed = land(Some(&checked(GateState::Passed))).unwrap();
    assert_eq!((done.file("new").as_deref(), done.file("b").as_deref()), (Some("hello\n"), Some("theirs\n")));
    assert_eq!(landed.checks, checked(GateState::Passed).results);
    assert!(done.clean());

    let mut done = Done::new();
    done.settings.onto = Onto::FastForward;
    let promotion = done.request();
    let theirs = done.bench.commit("main", "b", "theirs\n");
    let refused = done.prepare(&promotion).unwrap_err();
    assert!(matches!(refused, DecideError::Combine { source: CombineError::Drifted, .. }), "{refused}");
    assert_eq!((done.bench.tip("main"), done.on_disk(&promotion).state), (theirs, State::Pending));
}

#[test]
fn a_base_that_moves_between_the_look_and_the_landing_wins() {
    let done = Done::new();
    let promotion = done.request();
    let ready = done.prepare(&promotion).unwrap();
    let theirs = done.bench.commit("main", "b", "theirs\n");
    let refused = done.decider(|decider| decider.land(&ready, None)).unwrap_err();
    assert!(matches!(&refused, DecideError::Move { source: MoveError::Moved { .. }, .. }), "{refused}");
    let after = done.on_disk(&promotion);
    assert_eq!((done.bench.tip("main"), &after.state, after.history.len()), (theirs, &State::Pending, 2));
}

#[test]
fn user_files_in_the_way_refuse_it_by_name_and_our_own_do_not() {
    let done = Done::new();
    let promotion = done.request();
    fs::write(done.bench.root().join("new"), "mine\n").unwrap();
    let refused = done.land(&promotion).unwrap_err();
    match &refused {
        DecideError::Move { source: MoveError::Checkout(CheckoutError::Overlap { files, .. }), .. } => {
            assert_eq!(*files, ["new"]);
        }
        other => panic!("{other}"),
    }
    assert_eq!(done.file("new").as_deref(), Some("mine\n"));
    fs::remove_file(done.bench.root().join("new")).unwrap();
    done.land(&promotion).unwrap();
}

#[test]
fn a_rejection_keeps_its_reason_and_is_final() {
    let done = Done::new();
    let promotion = done.request();
    let reject = |reason: &str| done.decider(|decider| decider.reject(&promotion.id, reason));
    assert!(matches!(reject("  "), Err(DecideError::NoReason)));
    let rejected = reject("not like this").unwrap();
    assert_eq!(rejected.history.last().unwrap().what, "rejected: not like this");
    assert!(matches!(reject("again"), Err(DecideError::Decided { state: "rejected", .. })));
    assert!(done.land(&promotion).is_err());
    assert_eq!(done.file("new"), None);
}

#[test]
fn undo_returns_the_base_or_takes_the_change_out_of_what_was_built_on_it() {
    let done = Done::new();
    let before = done.bench.tip("main");
    let promotion = done.request();
    assert!(matches!(done.undo(&promotion), Err(DecideError::NotApplied { state: "pending", .. })));
    done.land(&promotion).unwrap();
    let undone = done.undo(&promotion).unwrap();
    assert_eq!((done.bench.tip("main"), done.file("new"), done.clean()), (before, None, true));
    assert_eq!(undone.state.word(), "undone");
    assert!(matches!(done.undo(&promotion), Err(DecideError::NotApplied { state: "undone", .. })));

    let done = Done::new();
    let promotion = done.request();
    done.land(&promotion).unwrap();
    let later = done.bench.commit("main", "b", "built on it\n");
    done.bench.check_out();
    done.undo(&promotion).unwrap();
    let tip = done.bench.repo.find_commit(done.bench.tip("main")).unwrap();
    assert_eq!(tip.parent_id(0).unwrap(), later);
    assert_eq!(
        (done.file("new"), done.file("b").as_deref(), done.clean()),
        (None, Some("built on it\n"), true)
    );
}

#[test]
fn what_a_remote_has_is_never_rewritten_and_what_others_rewrote_is_left() {
    let done = Done::new();
    let promotion = done.request();
    done.land(&promotion).unwrap();
    let landed = done.bench.tip("main");
    done.bench.repo.reference("refs/remotes/origin/main", landed, true, "pushed").unwrap();
    done.undo(&promotion).unwrap();
    let tip = done.bench.repo.find_commit(done.bench.tip("main")).unwrap();
    assert_eq!((tip.parent_id(0).unwrap(), done.file("new")), (landed, None));

    let done = Done::new();
    let before = done.bench.tip("main");
    let promotion = done.request();
    done.land(&promotion).unwrap();
    done.bench.repo.reference("refs/heads/main", before, true, "rewritten").unwrap();
    assert!(matches!(done.undo(&promotion), Err(DecideError::Rewritten { .. })));
}

/// Every durable step of a decision fails once: afterwards all is as before, or decided, and one more try ends it.
fn at_every_step(
    begin: impl Fn() -> (Done, Promotion),
    decide: impl Fn(&Done, &Promotion) -> Result<Promotion, DecideError>,
    end: &str,
) {
    for step in 1..200 {
        let (done, promotion) = begin();
        let before = done.on_disk(&promotion).state;
        let fault = Fault::Fail(step, nix::errno::Errno::ENOSPC);
        let (tried, _) = inject(Some(fault), || decide(&done, &promotion));
        if let Ok(decided) = &tried {
            assert_eq!(decided.state.word(), end, "step {step}");
            assert!(step > 3, "no step was ever failed");
            return;
        }
        let (settled, left) = done.decider(|decider| decider.settle()).unwrap();
        assert!(left.is_empty(), "step {step}: {left:?}");
        let now = done.on_disk(&promotion).state;
        assert!(settled.len() <= 1 && done.clean(), "step {step}: {now:?}");
        assert!(now == before || now.word() == end, "step {step}: {now:?}");
        let on_base = done.file("new").is_some();
        assert_eq!(on_base, matches!(now, State::Applied(_)), "step {step}: {now:?}");
        if now == before {
            assert_eq!(decide(&done, &promotion).unwrap().state.word(), end, "step {step}");
        }
    }
    panic!("a decision of two hundred steps");
}

#[test]
fn a_landing_that_fails_at_any_step_is_landed_or_not_and_never_half() {
    let begin = || {
        let done = Done::new();
        let promotion = done.request();
        (done, promotion)
    };
    at_every_step(begin, Done::land, "applied");
}

#[test]
fn an_undo_that_fails_at_any_step_is_undone_or_not_and_never_half() {
    let begin = || {
        let done = Done::new();
        let promotion = done.request();
        done.land(&promotion).unwrap();
        (done, promotion)
    };
    at_every_step(begin, Done::undo, "undone");
}
