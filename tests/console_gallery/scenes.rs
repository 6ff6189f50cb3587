//! Every screen, pane, overlay, form, menu and state of the console, each under a name of its own.
//!
//! A scene is made anew for a theme and a size: the snapshot, the keys that lead there, and what a runtime would have
//! said on the way. Names are `area/what`, so that a list of them is a table of contents.

use std::sync::Arc;

use jiff::SignedDuration;
use koru_tui::console::{Message, RuntimeMessage, Settings, SystemMessage};
use koru_tui::plan::queue::Standing;
use koru_tui::plan::store::{FileFault, Plan};
use koru_tui::plan::ticket::{ExecutorKind, Priority, Status};
use koru_tui::plan::yaml::SprintFault;
use koru_tui::runtime::protocol::diff::{DiffEvent, DiffId, Listing};
use koru_tui::runtime::protocol::review::{Review, Stage};
use koru_tui::runtime::protocol::{
    AgentPhase, ChangedFile, Command, Cost, Hearing, Outcome, PlanHealth, ProjectEvent, RunEvent, RunState,
    RunView, Snapshot,
};

use crate::console_support::agents::{agent, checks, raw, said, trouble, with_agent, worktrees};
use crate::console_support::{Bench, ago, busy, empty, id, noon, output, run, ticket, with};
use crate::promotion_scene;
use crate::review_scene::{Answers, reviewed};

/// One screen.
pub(crate) struct Scene {
    pub(crate) name: &'static str,
    snapshot: fn() -> Snapshot,
    /// What happens before it is looked at.
    play: fn(&mut Bench),
}

impl Scene {
    /// The console in this scene.
    pub(crate) fn bench(&self, settings: Settings, width: u16, height: u16) -> Bench {
        let mut bench = Bench::with_settings(settings, (self.snapshot)(), width, height);
        bench.hear(said("r1"));
        bench.hear(output("r2", &["   Compiling parser v0.3.1", "running 14 tests", "error: it is slow"]));
        (self.play)(&mut bench);
        bench.screen();
        bench
    }
}

const fn scene(name: &'static str, snapshot: fn() -> Snapshot, play: fn(&mut Bench)) -> Scene {
    Scene { name, snapshot, play }
}

macro_rules! keys {
    ($script:expr) => {
        |bench: &mut Bench| {
            bench.keys($script);
        }
    };
}

/// All of them.
pub(crate) const SCENES: &[Scene] = &[
    // The board and its panes.
    scene("board/queue", working, keys!("")),
    scene("board/queue-low", working, keys!("end")),
    scene("board/finished", working, keys!("f end")),
    scene("board/queue-zoomed", working, keys!("z")),
    scene("board/detail", working, keys!("j j j j tab tab tab")),
    scene("board/long-names", long_names, keys!("")),
    scene("board/sprint", working, keys!("S")),
    scene("board/filter-typed", working, keys!(r#"/ "pars""#)),
    scene("board/filter-set", working, keys!(r#"/ "pars" enter"#)),
    scene("board/filter-finds-nothing", working, keys!(r#"/ "zzz" enter"#)),
    scene("board/empty", empty, keys!("")),
    scene("board/all-done", all_done, keys!("")),
    scene("board/loading", || Snapshot { health: PlanHealth::Loading, ..empty() }, keys!("")),
    scene("board/uninitialised", || Snapshot { health: PlanHealth::Uninitialised, ..empty() }, keys!("")),
    scene("board/refused", refused, keys!("")),
    scene("board/read-only", read_only, keys!("")),
    scene("board/broken-file", broken, keys!("")),
    scene("board/said", working, keys!("w")),
    scene("board/refusal", working, keys!("r")),
    scene("board/trouble", working, trouble_said),
    // Output of runs.
    scene("run/agent", working, keys!("j j j j tab")),
    scene("run/shell", working, keys!("tab ]")),
    scene("run/unfolded", working, keys!("j j j j tab home j j j j space")),
    scene("run/all-open", working, keys!("j j j j tab O")),
    scene("run/raw", working, |bench| {
        bench.keys("j j j j tab v");
        bench.hear(raw("r1"));
    }),
    scene("run/times-and-cut", working, keys!("j j j j tab t W")),
    scene("run/kinds", working, keys!("j j j j tab f")),
    scene("run/search-typed", working, keys!(r#"j j j j tab / "pars""#)),
    scene("run/search-set", working, keys!(r#"j j j j tab / "pars" enter"#)),
    scene("run/search-finds-nothing", working, keys!(r#"j j j j tab / "zzz" enter"#)),
    scene("run/grid", grid, keys!("g")),
    scene("run/sleeping", sleeping, keys!("j j j j tab")),
    scene("run/stalled", stalled, keys!("j j j j tab")),
    scene("run/violation", violated, keys!("j tab")),
    scene("run/over", over, keys!("j tab")),
    scene("run/none", idle, keys!("tab")),
    scene("run/message", working, keys!(r#"j j j j tab m "Keep the public API." enter "No new crates.""#)),
    scene("run/earlier-reading", working, keys!("home j E")),
    scene("run/earlier-none", working, |bench| earlier(bench, Vec::new())),
    scene("run/earlier", working, |bench| earlier(bench, past_runs())),
    // Rounds and their verdict.
    scene("verdict/waiting", waiting, keys!("j V")),
    scene("verdict/beside-the-queue", waiting, keys!("j")),
    scene("verdict/reviewing", reviewing, keys!("V")),
    scene("verdict/approved", approved, keys!("j V")),
    scene("verdict/finding", waiting, keys!("j V j")),
    scene("verdict/reject", waiting, keys!(r#"j V R "the twin is worse""#)),
    scene("verdict/another", waiting, keys!("j V n")),
    scene("verdict/approve", waiting, keys!("j V A")),
    // The review.
    scene("review/comparing", reviewed, keys!(r#"/ "PLF-074" enter d"#)),
    scene("review/unified", reviewed, |bench| review(bench, &["N"])),
    scene("review/split", reviewed, |bench| review(bench, &["N", "s"])),
    scene("review/files", reviewed, |bench| review(bench, &["tab j"])),
    scene("review/no-files", reviewed, |bench| review(bench, &["N t"])),
    scene("review/finding", reviewed, |bench| review(bench, &["f"])),
    scene("review/selecting", reviewed, |bench| review(bench, &["N", "v j"])),
    scene("review/comment", reviewed, |bench| review(bench, &["N", r#"c "why one byte more?""#])),
    scene("review/commented", reviewed, |bench| {
        review(bench, &["N", r#"c "why one byte more?" ctrl-s"#]);
    }),
    scene("review/range", reviewed, |bench| review(bench, &["r"])),
    scene("review/search-typed", reviewed, |bench| review(bench, &["N", r#"/ "line""#])),
    scene("review/search-set", reviewed, |bench| review(bench, &["N", r#"/ "line" enter"#])),
    scene("review/whole-file", reviewed, |bench| review(bench, &["N", "e"])),
    scene("review/approve", reviewed, |bench| review(bench, &["A"])),
    scene("review/reject", reviewed, |bench| review(bench, &["R"])),
    scene("review/nothing-differs", reviewed, review_of_nothing),
    // Work that lands.
    scene("promotions/list", promotion_scene::scene, keys!("L")),
    scene("promotions/none", working, keys!("L")),
    scene("promotions/applied", promotion_scene::scene, keys!("L f j")),
    scene("promotions/search-typed", promotion_scene::scene, keys!(r#"L / "lex""#)),
    scene("promotions/search-set", promotion_scene::scene, keys!(r#"L / "lex" enter"#)),
    scene("promotions/marked", promotion_scene::scene, keys!("L space space")),
    scene("promotions/armed", promotion_scene::scene, keys!("L A")),
    scene("promotions/reject", promotion_scene::scene, keys!(r#"L R "not yet""#)),
    scene("over/audit", working, keys!("H")),
    // A ticket.
    scene("ticket/page", working, keys!("j j j j enter")),
    scene("ticket/page-of-a-broken-policy", violated, keys!("j enter")),
    scene("ticket/page-of-a-failure", working, keys!("j enter")),
    scene("ticket/source", working, keys!("j j j j Y")),
    scene("ticket/answer", working, keys!("a")),
    scene("ticket/answer-typed", working, keys!(r#"a tab "PKCE by default; device code behind --device.""#)),
    scene("ticket/answer-refused", working, answer_refused),
    scene("ticket/answer-asked-by-agent", asks, keys!("a")),
    scene("ticket/create", working, keys!("n")),
    scene(
        "ticket/create-typed",
        working,
        keys!(r#"n "Split the lexer" tab "It does two things." tab right"#),
    ),
    scene("ticket/create-wrong", working, keys!("n ctrl-s tab")),
    scene("ticket/edit", working, keys!("j j j j e")),
    scene("ticket/edit-discard", working, keys!(r#"j j j j e "x" ctrl-x"#)),
    scene("ticket/block", working, keys!(r#"j b "waits for legal""#)),
    scene("ticket/priority", working, keys!("j p")),
    scene("ticket/delegate", delegable, keys!(r#"/ "PLF-090" enter D"#)),
    scene("ticket/delegate-note", delegable, keys!(r#"/ "PLF-090" enter D enter "small steps""#)),
    scene("ticket/retry-note", violated, keys!(r#"j I "without commits""#)),
    scene("ticket/stop", working, keys!("j j j j x")),
    scene("ticket/fail", working, keys!(r#"/ "PLF-059" enter F"#)),
    // Over everything.
    scene("over/help", working, keys!("?")),
    scene("over/help-of-output", working, keys!("j j j j tab ?")),
    scene("over/help-of-review", reviewed, |bench| review(bench, &["?"])),
    scene("over/palette", working, keys!(":")),
    scene("over/palette-typed", working, keys!(r#": "re""#)),
    scene("over/palette-finds-nothing", working, keys!(r#": "zzzz""#)),
    scene("over/messages", working, keys!("r w M")),
    scene("over/messages-none", working, keys!("M")),
    scene("over/theme", working, keys!("T")),
    scene("over/worktrees-measured", working, keys!("ctrl-w")),
    scene("over/worktrees-none", working, |bench| {
        bench.keys("ctrl-w");
        bench.hear(RuntimeMessage::Project(ProjectEvent::Worktrees { list: Vec::new() }));
    }),
    scene("over/worktrees", working, |bench| {
        bench.keys("ctrl-w");
        bench.hear(worktrees());
        bench.keys("j j");
    }),
    scene("over/worktrees-prune", working, |bench| {
        bench.keys("ctrl-w");
        bench.hear(worktrees());
        bench.keys("j j d");
    }),
    scene("over/quit", working, keys!("q")),
    scene("over/quit-stopping", working, keys!("q s")),
];

/// Changes one ticket of a snapshot.
fn change(snapshot: &mut Snapshot, name: &str, how: impl Fn(&mut koru_tui::plan::ticket::Ticket)) {
    let mut plan = Plan::clone(&snapshot.plan);
    for ticket in plan.tickets.iter_mut().filter(|ticket| ticket.id == id(name)) {
        how(Arc::make_mut(ticket));
    }
    snapshot.plan = Arc::new(plan);
}

/// Money was spent today and a budget is set: the header is at its fullest.
fn working() -> Snapshot {
    let mut snapshot = with_agent(RunState::Running, |_, _| {});
    snapshot.cost_today = Some(Cost { usd: 3.12, estimated: true });
    snapshot.day_usd = Some(25.0);
    snapshot
}

fn idle() -> Snapshot {
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

fn all_done() -> Snapshot {
    let mut done = ticket("PLF-001", "first steps", ExecutorKind::Shell, Priority::Normal);
    done.status = Status::Done;
    with(vec![(done, Standing::Done)])
}

/// Names, paths and ids as long as they come in a grown repository.
fn long_names() -> Snapshot {
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

fn refused() -> Snapshot {
    let message = ".planfile/config.yaml is not readable: permission denied (os error 13); check who owns it"
        .to_owned();
    Snapshot { health: PlanHealth::Refused { message }, ..empty() }
}

fn read_only() -> Snapshot {
    let reason = "another koru-tui (pid 4711) works this planfile since 11:02; leave that one to write here"
        .to_owned();
    Snapshot {
        health: PlanHealth::Open { read_only: Some(reason), watching: "watch".to_owned() },
        ..working()
    }
}

fn broken() -> Snapshot {
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

fn trouble_said(bench: &mut Bench) {
    let text = "keymap.yaml line 3: `ctlr-x` is no key; write it like ctrl-x, f5, or a letter".to_owned();
    bench.tell(Message::System(SystemMessage::Trouble(text)));
}

fn grid() -> Snapshot {
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

fn sleeping() -> Snapshot {
    with_agent(RunState::Sleeping, |run, agent| {
        run.message = Some("rate limit: 5-hour limit reached".to_owned());
        agent.sleeping_until = Some(noon() + SignedDuration::from_secs(1_500));
    })
}

fn stalled() -> Snapshot {
    with_agent(RunState::Stalled, |run, agent| {
        run.last_output_at = Some(ago(412));
        agent.hearing = Hearing::NextRound;
        agent.pausing = true;
        agent.queued = vec!["one".to_owned()];
        checks(agent);
    })
}

/// The run broke the policy: its ticket waits for a human.
fn violated() -> Snapshot {
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
fn over() -> Snapshot {
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
fn asks() -> Snapshot {
    let mut snapshot = busy();
    change(&mut snapshot, "PLF-081", |ticket| {
        ticket.inputs.choices.clear();
        ticket.inputs.prompt = Some("Which of the two hosts is the primary one?".to_owned());
        ticket.parent = Some(id("PLF-074"));
    });
    snapshot
}

fn delegable() -> Snapshot {
    let mut snapshot = working();
    snapshot.agents = ["claude", "codex", "pi"].map(str::to_owned).to_vec();
    snapshot
}

fn past_runs() -> Vec<Arc<RunView>> {
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

fn earlier(bench: &mut Bench, runs: Vec<Arc<RunView>>) {
    bench.keys("home j E");
    let total = runs.len() as u64;
    bench.hear(RuntimeMessage::Run(RunEvent::Earlier { ticket: id("PLF-061"), runs, total }));
}

/// Two rounds were judged and the ticket waits.
fn waiting() -> Snapshot {
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

fn reviewing() -> Snapshot {
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

fn approved() -> Snapshot {
    let mut snapshot = waiting();
    change_review(&mut snapshot, |review| review.stage = Stage::Approved);
    snapshot
}

/// The review of PLF-074, played with answers to all that it asks.
fn review(bench: &mut Bench, scripts: &[&str]) {
    let mut answers = Answers::default();
    bench.keys(r#"/ "PLF-074" enter d"#);
    answers.serve(bench);
    for script in scripts {
        bench.keys(script);
        answers.serve(bench);
    }
}

fn review_of_nothing(bench: &mut Bench) {
    bench.keys(r#"/ "PLF-074" enter d"#);
    let listing = Listing { files: Vec::new().into(), ..crate::review_scene::listing() };
    bench.hear(RuntimeMessage::Diff(DiffEvent::Listed { id: DiffId(1), listing: Arc::new(listing) }));
}

fn answer_refused(bench: &mut Bench) {
    bench.keys(r#"a tab "PKCE." ctrl-s"#);
    for (request, command) in bench.requests() {
        if !matches!(command, Command::Draft(_)) {
            let message = "the ticket was changed on disk meanwhile; look at it and submit again".to_owned();
            bench.reply(request, Outcome::Refused { message });
        }
    }
}
