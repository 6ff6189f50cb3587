//! The states of a project that the scenes show: each a snapshot as the runtime would give it.

use std::sync::Arc;

use jiff::SignedDuration;
use koru_tui::plan::queue::Standing;
use koru_tui::plan::store::{FileFault, Plan};
use koru_tui::plan::ticket::{ExecutorKind, Priority, Status};
use koru_tui::plan::yaml::SprintFault;
use koru_tui::runtime::protocol::review::{Review, Stage};
use koru_tui::runtime::protocol::{
    AgentPhase, ChangedFile, Cost, Hearing, PlanHealth, RunState, RunView, Snapshot,
};

use crate::console_support::agents::{agent, checks, trouble, with_agent};
use crate::console_support::{ago, busy, empty, id, noon, run, ticket, with};
use crate::review_scene::reviewed;

/// Changes one ticket of a snapshot.
fn change(snapshot: &mut Snapshot, name: &str, how: impl Fn(&mut koru_tui::plan::ticket::Ticket)) {
    let mut plan = Plan::clone(&snapshot.plan);
    for ticket in plan.tickets.iter_mut().filter(|ticket| ticket.id == id(name)) {
        how(Arc::make_mut(ticket));
    }
    snapshot.plan = Arc::new(plan);
}

/// Money was spent today and a budget is set: the header is at its fullest.
pub(crate) fn working() -> Snapshot {
    let mut snapshot = with_agent(RunState::Running, |_, _| {});
    snapshot.cost_today = Some(Cost { usd: 3.12, estimated: true });
    snapshot.day_usd = Some(25.0);
    snapshot
}

pub(crate) fn idle() -> Snapshot {
    let mut snapshot = with(vec![
        (
            ticket("PLF-082", "rate limit headers", ExecutorKind::Api, Priority::High),
            Standing::Ready { position: 0 },
        ),
        (
            ticket("PLF-090", "tidy README", ExecutorKind::Shell, Priority::Low),
            Standing::Ready { position: 1 },
        ),
    ]);
    snapshot.runs = Vec::new();
    snapshot
}

pub(crate) fn all_done() -> Snapshot {
    let mut done = ticket("PLF-001", "first steps", ExecutorKind::Shell, Priority::Normal);
    done.status = Status::Done;
    with(vec![(done, Standing::Done)])
}

/// Names, paths and ids as long as they come in a grown repository.
pub(crate) fn long_names() -> Snapshot {
    let mut snapshot = working();
    snapshot.name = "payments-reconciliation-service".to_owned();
    snapshot.branch = Some("feature/2291-retry-settlement-with-idempotency-keys".to_owned());
    change(&mut snapshot, "PLF-074", |ticket| {
        ticket.name =
            "The parser of settlement files drops a carriage return in front of an empty trailer record"
                .to_owned();
        ticket.files = vec![
            "services/settlement/src/main/java/com/example/settlement/parser/TrailerRecordParser.java"
                .to_owned(),
            "services/settlement/src/test/java/com/example/settlement/parser/TrailerRecordParserTest.java"
                .to_owned(),
        ];
    });
    let mut view = RunView::clone(&snapshot.runs[0]);
    if let Some(with) = &mut view.agent {
        let with = Arc::make_mut(with);
        with.tally.doing = Some(
            "Edit  services/settlement/src/main/java/com/example/settlement/parser/TrailerRecordParser.java"
                .to_owned(),
        );
        checks(with);
        let file = |path: &str, added, removed| ChangedFile { path: path.to_owned(), added, removed };
        with.changed = vec![
            file(
                "services/settlement/src/main/java/com/example/settlement/parser/TrailerRecordParser.java",
                1_206,
                42,
            ),
            file(
                "services/settlement/src/test/java/com/example/settlement/parser/TrailerRecordParserTest.java",
                21,
                6,
            ),
            file("docs/a b.md", 2, 0),
        ];
    }
    snapshot.runs[0] = Arc::new(view);
    snapshot
}

pub(crate) fn refused() -> Snapshot {
    let message = ".planfile/config.yaml is not readable: permission denied (os error 13); check who owns it"
        .to_owned();
    Snapshot { health: PlanHealth::Refused { message }, ..empty() }
}

pub(crate) fn read_only() -> Snapshot {
    let reason = "another koru-tui (pid 4711) works this planfile since 11:02; leave that one to write here"
        .to_owned();
    Snapshot {
        health: PlanHealth::Open { read_only: Some(reason), watching: "watch".to_owned() },
        ..working()
    }
}

pub(crate) fn broken() -> Snapshot {
    let mut snapshot = working();
    let mut plan = Plan::clone(&snapshot.plan);
    plan.faults.push(FileFault {
        path: ".planfile/sprints/current.yaml".to_owned(),
        fault: SprintFault {
            line: 41,
            column: 9,
            message: "a mapping key has no value; write `name: …` or remove the line".to_owned(),
            excerpt: Some("    name which auth flow?".to_owned()),
        },
    });
    snapshot.plan = Arc::new(plan);
    snapshot
}

pub(crate) fn grid() -> Snapshot {
    let mut snapshot = working();
    let others =
        [("PLF-066", RunState::Running), ("PLF-070", RunState::Stalled), ("PLF-082", RunState::Sleeping)];
    for (at, (ticket, state)) in others.into_iter().enumerate() {
        let mut view = run(&format!("a{at}"), ticket, state, 60 * (i64::try_from(at).unwrap() + 1));
        let mut with = agent(ticket);
        with.agent = ["codex", "pi", "opencode"][at].to_owned();
        with.sleeping_until = (state == RunState::Sleeping).then(|| noon() + SignedDuration::from_secs(90));
        view.agent = Some(Arc::new(with));
        snapshot.runs.insert(1, Arc::new(view));
    }
    snapshot.runs.truncate(4);
    snapshot
}

pub(crate) fn sleeping() -> Snapshot {
    with_agent(RunState::Sleeping, |run, agent| {
        run.message = Some("rate limit: 5-hour limit reached".to_owned());
        agent.sleeping_until = Some(noon() + SignedDuration::from_secs(1_500));
    })
}

pub(crate) fn stalled() -> Snapshot {
    with_agent(RunState::Stalled, |run, agent| {
        run.last_output_at = Some(ago(412));
        agent.hearing = Hearing::NextRound;
        agent.pausing = true;
        agent.queued = vec!["one".to_owned()];
        checks(agent);
    })
}

/// The run broke the policy: its ticket waits for a human.
pub(crate) fn violated() -> Snapshot {
    let mut snapshot = with_agent(RunState::Violation, |run, agent| {
        run.ended_at = Some(ago(5));
        run.message = Some("the policy was broken: agent_commit_allowed: a commit was made".to_owned());
        agent.phase = AgentPhase::Over;
        trouble(agent);
    });
    Arc::make_mut(&mut snapshot.order).standing.insert(id("PLF-074"), Standing::NeedsYou);
    snapshot
}

/// The run is over and wants to be looked at.
pub(crate) fn over() -> Snapshot {
    let mut snapshot = with_agent(RunState::NeedsYou, |run, agent| {
        run.ended_at = Some(ago(5));
        run.message = Some("cargo test was skipped; a person decides".to_owned());
        agent.phase = AgentPhase::Over;
        checks(agent);
    });
    Arc::make_mut(&mut snapshot.order).standing.insert(id("PLF-074"), Standing::NeedsYou);
    snapshot
}

/// An agent asks in the middle of its work.
pub(crate) fn asks() -> Snapshot {
    let mut snapshot = busy();
    change(&mut snapshot, "PLF-081", |ticket| {
        ticket.inputs.choices.clear();
        ticket.inputs.prompt = Some("Which of the two hosts is the primary one?".to_owned());
        ticket.parent = Some(id("PLF-074"));
    });
    snapshot
}

pub(crate) fn delegable() -> Snapshot {
    let mut snapshot = working();
    snapshot.agents = ["claude", "codex", "pi"].map(str::to_owned).to_vec();
    snapshot
}

pub(crate) fn past_runs() -> Vec<Arc<RunView>> {
    let past = |name: &str, state, seconds: i64, lasted: i64, message: Option<&str>| {
        let mut view = run(name, "PLF-061", state, seconds);
        view.ended_at = Some(ago(seconds) + SignedDuration::from_secs(lasted));
        view.message = message.map(str::to_owned);
        Arc::new(view)
    };
    vec![
        past("PLF-061-d", RunState::Failed, 3_700, 8, Some("exit 2: relation \"users\" already exists")),
        past("PLF-061-c", RunState::NeedsYou, 172_800, 1_210, Some("cargo test was skipped")),
        past("PLF-061-0", RunState::Done, 2_592_000, 9_000, None),
    ]
}

/// Two rounds were judged and the ticket waits.
pub(crate) fn waiting() -> Snapshot {
    let mut snapshot = reviewed();
    change(&mut snapshot, "PLF-074", |ticket| ticket.execution.state = "waiting_input".to_owned());
    Arc::make_mut(&mut snapshot.order).standing.insert(id("PLF-074"), Standing::NeedsYou);
    let mut view = run("r1", "PLF-074", RunState::NeedsYou, 192);
    view.ended_at = Some(ago(30));
    let mut with = agent("PLF-074");
    with.phase = AgentPhase::Over;
    checks(&mut with);
    view.agent = Some(Arc::new(with));
    snapshot.runs.insert(0, Arc::new(view));
    change_review(&mut snapshot, |review| {
        for round in &mut review.rounds {
            let mut with = agent("PLF-074");
            checks(&mut with);
            round.gates = with.gates;
        }
    });
    snapshot
}

fn change_review(snapshot: &mut Snapshot, how: impl Fn(&mut Review)) {
    let mut review = Review::clone(&snapshot.reviews[&id("PLF-074")]);
    how(&mut review);
    snapshot.reviews.insert(id("PLF-074"), Arc::new(review));
}

pub(crate) fn reviewing() -> Snapshot {
    let mut snapshot = with_agent(RunState::Running, |_, agent| agent.phase = AgentPhase::Reviewing);
    snapshot.reviews = reviewed().reviews;
    change_review(&mut snapshot, |review| {
        review.stage = Stage::Reviewing;
        if let Some(round) = review.rounds.last_mut() {
            round.verdict = None;
        }
    });
    snapshot
}

pub(crate) fn approved() -> Snapshot {
    let mut snapshot = waiting();
    change_review(&mut snapshot, |review| review.stage = Stage::Approved);
    snapshot
}
