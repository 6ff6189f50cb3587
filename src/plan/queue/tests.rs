//! Order, lifts and reasons, each rule by itself, then the invariants over random plans.

use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::plan::ticket::{ExecutorKind, Status};

fn now() -> Timestamp {
    "2026-11-21T05:00:00Z".parse().unwrap()
}

fn id(text: &str) -> TicketId {
    TicketId::new(text)
}

fn ids(text: &str) -> Vec<TicketId> {
    text.split_whitespace().map(TicketId::new).collect()
}

fn shell(name: &str) -> Ticket {
    let mut ticket = Ticket { id: id(name), sprint: "current".to_owned(), ..Ticket::default() };
    ticket.executor.kind = ExecutorKind::Shell;
    ticket.created_at = Some("2026-11-20T00:00:00Z".parse().unwrap());
    ticket
}

fn with(name: &str, change: impl FnOnce(&mut Ticket)) -> Ticket {
    let mut ticket = shell(name);
    change(&mut ticket);
    ticket
}

fn after(name: &str, blockers: &str) -> Ticket {
    with(name, |ticket| ticket.blocked_by = ids(blockers))
}

fn ordered(tickets: Vec<Ticket>) -> Order {
    let tickets: Vec<Arc<Ticket>> = tickets.into_iter().map(Arc::new).collect();
    order(&tickets, &Scope::default(), now())
}

fn reasons(order: &Order, name: &str) -> Vec<WaitReason> {
    match &order.standing[&id(name)] {
        Standing::Waiting { reasons } => reasons.clone(),
        other => panic!("{name} is {other:?}"),
    }
}

#[test]
fn the_queue_is_ordered_by_rank_bug_age_and_number() {
    let found = ordered(vec![
        with("A-1000", |t| t.priority = Priority::High),
        with("A-999", |t| t.priority = Priority::High),
        with("A-1", |t| t.created_at = None),
        with("A-2", |t| t.created_at = Some("2026-11-19T23:30:00-02:00".parse().unwrap())),
        with("A-3", |t| t.priority = Priority::Other("P0".to_owned())),
        with("A-4", |t| {
            t.labels = vec!["bug".to_owned()];
            t.created_at = Some("2026-11-21T00:00:00Z".parse().unwrap());
        }),
        with("A-5", |t| t.priority = Priority::Low),
        with("A-6", |t| t.created_at = Some("2026-11-20T01:00:00Z".parse().unwrap())),
    ]);
    assert_eq!(found.runnable, ids("A-4 A-999 A-1000 A-6 A-2 A-1 A-5 A-3"));
    assert_eq!(found.standing[&id("A-1000")], Standing::Ready { position: 2 });
}

#[test]
fn a_bug_is_lifted_one_step_and_only_exactly_labelled() {
    let bug = |priority: Priority, label: &str| {
        with("A-1", |t| {
            t.priority = priority;
            t.labels = vec![label.to_owned()];
        })
    };
    let cases = [
        (Priority::Low, "bug", Priority::Normal, vec![Lift::Bug]),
        (Priority::Normal, "bug", Priority::High, vec![Lift::Bug]),
        (Priority::High, "bug", Priority::Critical, vec![Lift::Bug]),
        (Priority::Critical, "bug", Priority::Critical, vec![]),
        (Priority::Normal, "Bug", Priority::Normal, vec![]),
        (Priority::Other("P0".to_owned()), "bug", Priority::Other("P0".to_owned()), vec![]),
    ];
    for (given, label, priority, reasons) in cases {
        let found = ordered(vec![bug(given, label)]);
        assert_eq!(found.effective[&id("A-1")], Effective { priority, reasons });
    }
}

#[test]
fn an_open_blocker_of_open_tickets_is_critical_through_others() {
    let found = ordered(vec![
        with("A-1", |t| {
            t.priority = Priority::Low;
            t.labels = vec!["bug".to_owned()];
        }),
        after("A-10", "A-1"),
        after("A-2", "A-10 A-10 A-4"),
        with("A-3", |t| t.blocked_by = ids("A-4")),
        with("A-4", |t| t.status = Status::Done),
        with("A-5", |t| {
            t.status = Status::Done;
            t.blocked_by = ids("A-6");
        }),
        shell("A-6"),
    ]);
    let critical = |reasons| Effective { priority: Priority::Critical, reasons };
    let normal = Effective { priority: Priority::Normal, reasons: vec![] };
    let wanted = HashMap::from([
        (id("A-1"), critical(vec![Lift::Bug, Lift::Blocks(ids("A-2 A-10"))])),
        (id("A-10"), critical(vec![Lift::Blocks(ids("A-2"))])),
        (id("A-2"), normal.clone()),
        (id("A-3"), normal.clone()),
        (id("A-6"), normal),
    ]);
    assert_eq!(found.effective, wanted);
    assert_eq!(found.runnable, ids("A-1 A-3 A-6"));
}

#[test]
fn computing_twice_lifts_once() {
    let tickets = vec![with("A-1", |t| t.labels = vec!["bug".to_owned()])];
    assert_eq!(ordered(tickets.clone()), ordered(tickets));
}

#[test]
fn every_reason_is_named() {
    let found = ordered(vec![
        with("A-1", |t| {
            t.sprint = "backlog".to_owned();
            t.execution.state = "running".to_owned();
            t.labels = vec!["Needs-Human-Review".to_owned(), "x".to_owned(), "WAITING:gpu".to_owned()];
            t.execution.assigned_to = Some("w".to_owned());
            t.blocked_by = ids("A-2 A-9 A-3 A-4 A-5 A-9");
        }),
        with("A-2", |t| {
            t.sprint = "backlog".to_owned();
            t.status = Status::InProgress;
        }),
        with("A-3", |t| {
            t.sprint = "history-2026-11-20".to_owned();
            t.status = Status::Failed;
        }),
        shell("A-4"),
        with("A-5", |t| {
            t.sprint = "other".to_owned();
            t.status = Status::Canceled;
        }),
    ]);
    let label = |text: &str| WaitReason::Label { label: text.to_owned() };
    let by = |name: &str, status: &str| WaitReason::BlockedBy { id: id(name), status: status.to_owned() };
    let wanted = vec![
        WaitReason::OtherSprint { sprint: "backlog".to_owned() },
        WaitReason::State { state: "running".to_owned() },
        label("Needs-Human-Review"),
        label("WAITING:gpu"),
        WaitReason::Claimed { holder: "w".to_owned(), until: None },
        by("A-2", "in_progress"),
        WaitReason::DanglingBlocker { id: id("A-9") },
        by("A-3", "failed"),
        WaitReason::CrossSprintBlocker { id: id("A-4"), sprint: "current".to_owned() },
    ];
    assert_eq!(reasons(&found, "A-1"), wanted);
}

#[test]
fn rings_are_named_from_each_member() {
    let found =
        ordered(vec![after("A-1", "A-2"), after("A-2", "A-3"), after("A-3", "A-1"), after("A-4", "A-1")]);
    let ring = |text: &str| WaitReason::Cycle { ring: ids(text) };
    let by = |name: &str| WaitReason::BlockedBy { id: id(name), status: "open".to_owned() };
    assert_eq!(reasons(&found, "A-1"), vec![ring("A-1 A-2 A-3 A-1"), by("A-2")]);
    assert_eq!(reasons(&found, "A-3"), vec![ring("A-3 A-1 A-2 A-3"), by("A-1")]);
    assert_eq!(reasons(&found, "A-4"), vec![by("A-1")]);
    let found = ordered(vec![after("A-1", "A-1")]);
    assert_eq!(reasons(&found, "A-1"), vec![ring("A-1 A-1"), by("A-1")]);
    assert_eq!(found.effective[&id("A-1")].reasons, vec![]);
}

#[test]
fn a_claim_excludes_others_while_it_is_live() {
    let claimed = |until: Option<&str>| {
        with("A-1", |t| {
            t.execution.state = "ready".to_owned();
            t.execution.assigned_to = Some("w".to_owned());
            t.execution.lease_expires_at = until.map(|text| text.parse().unwrap());
        })
    };
    let runs_for = |ticket: Ticket, actor: &str| {
        let scope = Scope { actor: Some(actor.to_owned()), ..Scope::default() };
        order(&[Arc::new(ticket)], &scope, now()).runnable == ids("A-1")
    };
    assert!(!runs_for(claimed(None), "x"));
    assert!(!runs_for(claimed(Some("2026-11-21T05:00:01Z")), "x"));
    assert!(runs_for(claimed(Some("2026-11-21T05:00:01Z")), "w"));
    assert!(runs_for(claimed(Some("2026-11-21T05:00:00Z")), "x"));
}

#[test]
fn a_queue_is_asked_for_by_name_and_default_when_missing() {
    let runs_in = |queue: &str, asked: Option<&str>| {
        let ticket = with("A-1", |t| t.execution.queue = queue.to_owned());
        let scope = Scope { queue: asked.map(str::to_owned), ..Scope::default() };
        order(&[Arc::new(ticket)], &scope, now()).runnable.len() == 1
    };
    assert!(runs_in("", Some("default")) && runs_in("gpu", None) && runs_in("gpu", Some("gpu")));
    assert!(!runs_in("gpu", Some("default")) && !runs_in("", Some("gpu")));
}

#[test]
fn standings_follow_status_state_and_kind() {
    let set = |status: Status, state: &str, lease: Option<&str>| {
        let state = state.to_owned();
        let lease = lease.map(|text| text.parse().unwrap());
        with("A-1", move |t| {
            t.status = status;
            t.execution.state = state;
            t.execution.lease_expires_at = lease;
        })
    };
    let (past, future) = (Some("2026-11-21T04:59:59Z"), Some("2026-11-21T05:00:01Z"));
    let cases = [
        (set(Status::Open, "waiting_input", None), Standing::NeedsYou),
        (set(Status::InProgress, "waiting_input", past), Standing::NeedsYou),
        (set(Status::InProgress, "running", None), Standing::Running),
        (set(Status::InProgress, "running", future), Standing::Running),
        (set(Status::InProgress, "running", past), Standing::LeaseExpired),
        (set(Status::Review, "", None), Standing::Review),
        (set(Status::Blocked, "blocked", None), Standing::Blocked),
        (set(Status::Failed, "failed", None), Standing::Failed),
        (set(Status::Done, "done", None), Standing::Done),
        (set(Status::Canceled, "canceled", None), Standing::Canceled),
        (with("A-1", |t| t.executor.kind = ExecutorKind::Human), Standing::NeedsYou),
        (with("A-1", |t| t.executor.kind = ExecutorKind::Mcp), Standing::Ready { position: 0 }),
        (
            with("A-1", |t| t.invalid = Some("no name".to_owned())),
            Standing::Invalid { reason: "no name".to_owned() },
        ),
    ];
    for (ticket, wanted) in cases {
        assert_eq!(ordered(vec![ticket]).standing[&id("A-1")], wanted);
    }
}

#[test]
fn a_human_ticket_keeps_its_place_in_the_line() {
    let found = ordered(vec![
        shell("A-1"),
        with("A-2", |t| {
            t.executor.kind = ExecutorKind::Human;
            t.priority = Priority::High;
        }),
    ]);
    assert_eq!(found.runnable, ids("A-2 A-1"));
}

#[test]
fn a_long_chain_and_a_long_ring_are_explained_shortly() {
    let size = 10_000;
    let chain = |last: usize| {
        (0..size).map(move |n| after(&format!("A-{n}"), &format!("A-{}", if n == 0 { last } else { n - 1 })))
    };
    let mut tickets: Vec<Ticket> = chain(0).collect();
    tickets[0].blocked_by.clear();
    let found = ordered(tickets);
    assert_eq!(found.runnable, ids("A-0"));
    assert!(
        matches!(&found.effective[&id("A-0")].reasons[..], [Lift::Blocks(named)] if named.len() == MAX_NAMED)
    );
    let found = ordered(chain(size - 1).collect());
    assert_eq!(found.runnable, vec![]);
    let named = reasons(&found, "A-5").remove(0);
    let WaitReason::Cycle { ring } = named else { panic!("{named:?}") };
    assert_eq!(
        (ring.len(), &ring[0], &ring[MAX_NAMED], &ring[MAX_NAMED + 1]),
        (22, &id("A-5"), &id("…"), &id("A-5"))
    );
}

fn any_ticket() -> impl Strategy<Value = Ticket> {
    let state = prop::sample::select(vec!["", "pending", "ready", "running", "waiting_input", "done", "odd"]);
    let sprint = prop::sample::select(vec!["current", "current", "backlog", "history-2026-11-20"]);
    (0..12_u32, 0..7_usize, state, sprint, prop::collection::vec(0..14_u32, 0..4), 0..5_usize, 0..4_u8)
        .prop_map(|(number, status, state, sprint, blockers, rank, flags)| Ticket {
            status: Status::ALL[status],
            sprint: sprint.to_owned(),
            blocked_by: blockers.into_iter().map(|n| id(&format!("A-{n}"))).collect(),
            priority: Priority::KNOWN.get(rank).cloned().unwrap_or(Priority::Other("P0".to_owned())),
            labels: if flags & 1 == 1 { vec!["bug".to_owned()] } else { vec![] },
            invalid: (flags == 3).then(|| "odd".to_owned()),
            execution: crate::plan::ticket::Execution { state: state.to_owned(), ..Default::default() },
            ..shell(&format!("A-{number}"))
        })
}

proptest! {
    #[test]
    fn invariants_hold_for_any_plan(tickets in prop::collection::vec(any_ticket(), 0..24)) {
        let tickets: Vec<Arc<Ticket>> = tickets.into_iter().map(Arc::new).collect();
        let found = order(&tickets, &Scope::default(), now());
        let mut firsts: HashMap<TicketId, &Ticket> = HashMap::new();
        for ticket in &tickets {
            firsts.entry(ticket.id.clone()).or_insert(ticket);
        }
        prop_assert_eq!(found.standing.len(), firsts.len());
        for (id, standing) in &found.standing {
            let place = found.runnable.iter().position(|other| other == id);
            match standing {
                Standing::Ready { position } => prop_assert_eq!(place, Some(*position)),
                Standing::Waiting { reasons } => prop_assert!(place.is_none() && !reasons.is_empty()),
                Standing::NeedsYou => (),
                _ => prop_assert_eq!(place, None),
            }
        }
        for id in &found.runnable {
            for blocker in &firsts[id].blocked_by {
                let done = firsts.get(blocker).is_some_and(|t| t.invalid.is_none() && t.status.satisfies_dependants());
                prop_assert!(done, "{} runs before {}", id, blocker);
            }
        }
        for pair in found.runnable.windows(2) {
            let key = |id: &TicketId| rules::sort_key(firsts[id], found.effective.get(id));
            prop_assert!(key(&pair[0]) < key(&pair[1]));
        }
        let mut turned = tickets.clone();
        turned.dedup_by(|a, b| a.id == b.id);
        if turned.len() == tickets.len() && firsts.len() == tickets.len() {
            turned.reverse();
            prop_assert_eq!(&order(&turned, &Scope::default(), now()).runnable, &found.runnable);
        }
    }
}
