//! The headless drain: order, parallel runs, attempts, signals, races, dead runners.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "support/script.rs"]
mod script;

use std::fmt::Write as _;
use std::path::Path;

use koru_tui::execute::output::OutputLine;
use koru_tui::execute::runlog;
use koru_tui::plan::store::Store;
use koru_tui::plan::ticket::{Status, Ticket, TicketId};
use koru_tui::runtime::drain::{Answer, DrainIo, DrainOptions, DrainReport, Tick, TickStatus, drain};
use tokio_util::sync::CancellationToken;

use script::until_exists;

fn ticket(id: &str, script: &str, extra: &str) -> String {
    let script = serde_json::to_string(script).unwrap();
    format!(
        "    {id}:\n      id: {id}\n      name: the ticket {id}\n      status: open\n      priority: normal\n      \
         executor:\n        kind: shell\n        mode: automatic\n      inputs:\n        script: {script}\n{extra}      \
         created_at: '2026-11-21T06:00:00Z'\n      updated_at: '2026-11-21T06:00:00Z'\n"
    )
}

fn attempts(max: u32) -> String {
    format!("      execution:\n        state: ready\n        attempt: 0\n        max_attempts: {max}\n")
}

fn project(tickets: &[String]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let planfile = folder.path().join(".planfile");
    std::fs::create_dir_all(planfile.join("sprints")).unwrap();
    let config = "project: demo\nprefix: PLF\nnext_id: 900\nstorage:\n  backend: single-yaml\n";
    std::fs::write(planfile.join("config.yaml"), config).unwrap();
    let mut text = "sprint:\n  id: current\n  name: now\n  status: active\n  tickets:\n".to_owned();
    tickets.iter().for_each(|ticket| write!(text, "{ticket}").unwrap());
    std::fs::write(planfile.join("sprints/current.yaml"), text).unwrap();
    folder
}

/// Keeps what it is told; cancels the drain at the first output when it has a token.
#[derive(Default)]
struct Io {
    ticks: Vec<(u32, TickStatus, Option<String>)>,
    warnings: Vec<String>,
    cancel_at_output: Option<CancellationToken>,
}

impl DrainIo for Io {
    fn tick(&mut self, tick: &Tick) {
        let ticket = tick.ticket.as_ref().map(|id| id.as_str().to_owned());
        self.ticks.push((tick.iteration, tick.status, ticket));
    }

    fn output(&mut self, _ticket: &TicketId, _lines: &[OutputLine]) {
        if let Some(token) = &self.cancel_at_output {
            token.cancel();
        }
    }

    fn ask<'a>(&'a mut self, _ticket: &'a Ticket) -> Answer<'a> {
        Box::pin(async { None })
    }

    fn warn(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }
}

fn options(root: &Path) -> DrainOptions {
    DrainOptions { looped: true, ..DrainOptions::new(root.to_owned()) }
}

async fn run(options: DrainOptions) -> (DrainReport, Io) {
    let mut io = Io::default();
    let report = drain(options, &mut io).await;
    (report, io)
}

fn words(report: &DrainReport) -> Vec<(&str, &str)> {
    report
        .ticks
        .iter()
        .map(|tick| (tick.ticket.as_ref().map_or("-", TicketId::as_str), tick.status.word()))
        .collect()
}

fn on_disk(root: &Path, id: &str) -> std::sync::Arc<Ticket> {
    std::sync::Arc::clone(Store::open(root).unwrap().plan().ticket(&TicketId::new(id)).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_come_in_order_of_dispatch_whoever_ends_first() {
    let project = project(&[
        ticket("PLF-1", &until_exists("second"), ""),
        ticket("PLF-2", "touch second", ""),
        ticket("PLF-3", "true", "      blocked_by:\n      - PLF-1\n"),
    ]);
    let (report, io) = run(options(project.path())).await;
    let want = [("PLF-1", "completed"), ("PLF-2", "completed"), ("PLF-3", "completed"), ("-", "idle")];
    assert_eq!(words(&report), want);
    assert_eq!(io.ticks.iter().map(|tick| tick.0).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert_eq!((report.exit_code(), io.warnings), (0, vec![]));
    assert!(
        Store::open(project.path())
            .unwrap()
            .plan()
            .tickets
            .iter()
            .all(|ticket| ticket.status == Status::Done)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attempts_are_used_up_after_everything_else_and_no_more() {
    let project = project(&[
        ticket("PLF-1", "echo x >> one; exit 1", &attempts(3)),
        ticket("PLF-2", "echo x >> two; test $(wc -l < two) -ge 2", &attempts(5)),
        ticket("PLF-3", "true", ""),
    ]);
    let (report, _) = run(DrainOptions { jobs: 1, ..options(project.path()) }).await;
    let want = [
        ("PLF-1", "failed"),
        ("PLF-2", "failed"),
        ("PLF-3", "completed"),
        ("PLF-1", "failed"),
        ("PLF-1", "failed"),
        ("PLF-2", "completed"),
        ("-", "idle"),
    ];
    assert_eq!(words(&report), want);
    assert_eq!((report.failed, report.completed.len()), (vec![TicketId::new("PLF-1")], 2));
    assert_eq!(on_disk(project.path(), "PLF-1").status, Status::Failed);
    assert_eq!(on_disk(project.path(), "PLF-2").status, Status::Done);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_denied_ticket_is_passed_over_and_makes_the_exit_code() {
    let project = project(&[ticket("PLF-1", "git commit -m x", ""), ticket("PLF-2", "true", "")]);
    let (report, _) = run(options(project.path())).await;
    assert_eq!(words(&report), [("PLF-1", "policy_denied"), ("PLF-2", "completed"), ("-", "idle")]);
    assert_eq!((report.exit_code(), &report.denied[..]), (1, &[TicketId::new("PLF-1")][..]));
    assert!(report.ticks[0].message.contains("allow_commit"), "{}", report.ticks[0].message);
    assert_eq!(on_disk(project.path(), "PLF-1").status, Status::Open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signal_stops_runs_releases_tickets_and_closes_the_log() {
    let project = project(&[ticket("PLF-1", "echo $$; sleep 60", ""), ticket("PLF-2", "true", "")]);
    let token = CancellationToken::new();
    let mut io = Io { cancel_at_output: Some(token.clone()), ..Io::default() };
    let options = DrainOptions { jobs: 1, stop: token, ..options(project.path()) };
    let report = drain(options, &mut io).await;
    assert_eq!(words(&report), [("PLF-1", "interrupted")]);
    assert_eq!(report.exit_code(), 1);
    let released = on_disk(project.path(), "PLF-1");
    assert_eq!((released.status, released.execution.state.as_str()), (Status::Open, "ready"));
    assert_eq!(on_disk(project.path(), "PLF-2").status, Status::Open);
    let pid = report.ticks[0].stdout_tail.trim();
    assert!(!Path::new(&format!("/proc/{pid}")).exists());
    let entries = runlog::read(&project.path().join(report.log.unwrap())).unwrap();
    let kinds: Vec<&str> = entries.iter().map(|entry| entry.kind.as_str()).collect();
    assert_eq!(kinds, ["run.start", "iteration", "run.end"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_drains_share_the_work_and_no_ticket_runs_twice() {
    let tickets: Vec<String> =
        (1..=40).map(|n| ticket(&format!("PLF-{n:02}"), &format!("echo {n:02} >> ran"), "")).collect();
    let project = project(&tickets);
    let ((one, _), (other, _)) = tokio::join!(run(options(project.path())), run(options(project.path())));
    let mut ran: Vec<String> =
        std::fs::read_to_string(project.path().join("ran")).unwrap().lines().map(str::to_owned).collect();
    ran.sort();
    assert_eq!(ran, (1..=40).map(|n| format!("{n:02}")).collect::<Vec<_>>());
    assert_eq!(one.completed.len() + other.completed.len(), 40);
    assert_eq!((one.exit_code(), other.exit_code()), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_expired_lease_is_released_and_a_dead_runner_named() {
    let running = |holder: &str, until: &str| {
        format!(
            "      execution:\n        state: running\n        assigned_to: {holder}\n        \
             lease_expires_at: '{until}'\n        attempt: 0\n        max_attempts: 1\n"
        )
    };
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap();
    let dead = format!("koru-shell@{}:4194303.1.00000000", host.trim());
    let tickets = [
        ticket("PLF-1", "true", &running("someone@elsewhere", "2026-01-01T00:00:00Z")),
        ticket("PLF-2", "true", &running(&dead, "2999-01-01T00:00:00Z")),
    ]
    .map(|ticket| ticket.replace("status: open", "status: in_progress"));
    let project = project(&tickets);
    let (report, io) = run(options(project.path())).await;
    assert_eq!(words(&report), [("PLF-1", "completed"), ("-", "idle")]);
    assert_eq!(report.interrupted, [TicketId::new("PLF-2")]);
    assert_eq!(io.warnings.len(), 2, "{:?}", io.warnings);
    assert_eq!(on_disk(project.path(), "PLF-2").status, Status::InProgress);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_planfile_is_an_error_and_stays_as_it_is() {
    let project = project(&[ticket("PLF-1", "true", "")]);
    let path = project.path().join(".planfile/sprints/current.yaml");
    let text = std::fs::read_to_string(&path).unwrap() + "  broken: [1,\n";
    std::fs::write(&path, &text).unwrap();
    let (report, _) = run(options(project.path())).await;
    assert_eq!(words(&report), [("-", "planfile_error")]);
    assert!(report.ticks[0].message.contains("current.yaml"), "{}", report.ticks[0].message);
    assert_eq!(report.exit_code(), 1);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);

    let empty = tempfile::tempdir().unwrap();
    let (report, _) = run(options(empty.path())).await;
    assert_eq!(words(&report), [("-", "planfile_error")]);
    assert_eq!(std::fs::read_dir(empty.path()).unwrap().count(), 0, "nothing is made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn overlapping_tickets_never_run_at_the_same_time() {
    let files = "      files:\n      - src/lib.rs\n";
    let script = "mkdir lock || exit 9; sleep 0.1; rmdir lock";
    let tickets = ["PLF-1", "PLF-2", "PLF-3"].map(|id| ticket(id, script, files));
    let project = project(&tickets);
    let (report, _) = run(DrainOptions { jobs: 4, ..options(project.path()) }).await;
    assert_eq!(report.completed.len(), 3, "{:?}", words(&report));
}
