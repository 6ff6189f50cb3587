//! The command line against the Python planfile: one lifecycle, one mutation, one listing, one long drain.

use std::cell::Cell;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Options;
use crate::measure::{Report, Samples, interleave, shown, timed, wall};
use crate::planfiles::{Project, copy_of, id};

/// Our binary in a project.
pub fn koru(project: &Project, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_koru-tui"));
    let home = project.path().with_file_name("home");
    command.args(args).current_dir(project.path()).env("HOME", &home);
    command.env("XDG_CONFIG_HOME", home.join("config")).env("XDG_STATE_HOME", home.join("state"));
    command
}

fn planfile(program: &std::path::Path, project: &Project, args: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(args).current_dir(project.path());
    command.env("NO_COLOR", "1").env("TERM", "dumb").env("COLUMNS", "100000");
    command
}

/// Next, claim, start, run `true`, complete: one process of ours against the four calls that koru makes.
pub fn lifecycle(options: &Options, report: &mut Report) {
    let ours = Project::of_true(1_000);
    let what = "lifecycle of one `true` ticket among 1,000, one process";
    let tick = || wall(&mut koru(&ours, &["queue", "run"]));
    let Some(program) = &options.planfile else {
        report.skipped(what, "planfile 0.1.126");
        return;
    };
    let theirs = copy_of(&ours);
    let four_calls = || {
        let started = Instant::now();
        let (_, next) = timed(&mut planfile(program, &theirs, &["ticket", "next", "--format", "json"]));
        let next: serde_json::Value = serde_json::from_slice(&next).unwrap();
        let id = next["id"].as_str().expect("a next ticket").to_owned();
        wall(&mut planfile(program, &theirs, &["ticket", "claim", &id, "--assigned-to", "bench"]));
        wall(&mut planfile(program, &theirs, &["ticket", "start", &id, "--assigned-to", "bench"]));
        wall(&mut Command::new("true"));
        wall(&mut planfile(program, &theirs, &["ticket", "complete", &id, "--note", "done"]));
        started.elapsed()
    };
    let (of_ours, of_theirs) = interleave(11, tick, four_calls);
    report.faster(what, &of_ours, "4 × `planfile ticket`", &of_theirs, 200.0);

    // The same in a loop, where the planfile is read once: what each further ticket costs.
    let looped = |count: u32| {
        let project = copy_of(&ours);
        let limit = count.to_string();
        let mut command =
            koru(&project, &["queue", "run", "--loop", "--jobs", "1", "--max-iterations", &limit]);
        let started = Instant::now();
        // Stopping at the cap with work left is exit code 1 by koru's rule.
        let output = command.output().unwrap();
        assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
        started.elapsed()
    };
    let mut per_ticket = Samples::default();
    for _ in 0..5 {
        let (one, many) = (looped(1), looped(51));
        per_ticket.push(many.saturating_sub(one) / 50);
    }
    report.faster(
        "the same inside one `queue run --loop`",
        &per_ticket,
        "4 × `planfile ticket`",
        &of_theirs,
        200.0,
    );
}

/// One start of a ticket among 10,000.
pub fn mutation(options: &Options, report: &mut Report) {
    let what = "`ticket start` among 10,000";
    let Some(program) = &options.planfile else {
        report.skipped(what, "planfile 0.1.126");
        return;
    };
    let ours = Project::of_true(10_000);
    let theirs = copy_of(&ours);
    let next = Cell::new(0);
    let start_of = |number: usize| id(number);
    let a = || {
        next.set(next.get() + 1);
        wall(&mut koru(&ours, &["ticket", "start", &start_of(next.get())]))
    };
    let b = || wall(&mut planfile(program, &theirs, &["ticket", "start", &start_of(next.get())]));
    let (of_ours, of_theirs) = interleave(5, a, b);
    report.faster(what, &of_ours, "`planfile ticket start`", &of_theirs, 200.0);
}

/// The whole list as JSON.
pub fn list(options: &Options, report: &mut Report) {
    let what = "`ticket list --format json` of 10,000";
    let Some(program) = &options.planfile else {
        report.skipped(what, "planfile 0.1.126");
        return;
    };
    let project = Project::of_true(10_000);
    let args = ["ticket", "list", "--format", "json"];
    let count = |output: &[u8]| match serde_json::from_slice::<serde_json::Value>(output).unwrap() {
        serde_json::Value::Array(items) => items.len(),
        object => object["tickets"].as_array().map_or(0, Vec::len),
    };
    let run = |mut command: Command| {
        let (took, output) = timed(&mut command);
        assert_eq!(count(&output), 10_000, "{command:?}");
        took
    };
    let (of_ours, of_theirs) =
        interleave(5, || run(koru(&project, &args)), || run(planfile(program, &project, &args)));
    report.faster(what, &of_ours, "planfile, its mirror warm", &of_theirs, 20.0);
}

/// Everything in the queue, one ticket after another; the cost of a ticket must not grow with what is behind it.
pub fn drain(options: &Options, report: &mut Report) {
    let count = options.drain;
    let project = Project::of_true(count);
    let limit = (count + 1).to_string();
    let (took, _) =
        timed(&mut koru(&project, &["queue", "run", "--loop", "--jobs", "1", "--max-iterations", &limit]));
    let ends = iteration_ends(&project);
    assert_eq!(ends.len(), count, "every ticket ran once");
    let tenth = count / 10;
    let span = |from: usize, to: usize| Duration::from_secs_f64((ends[to] - ends[from]).max(0.5));
    let (first, last) = (span(0, tenth), span(count - tenth - 1, count - 1));
    let growth = last.as_secs_f64() / first.as_secs_f64();
    report.row(
        &format!("drain of {count} tickets by `queue run --loop`"),
        format!("{} in all, {} a ticket", shown(took), shown(took / u32::try_from(count).unwrap())),
        format!("first tenth {}, last tenth {}", shown(first), shown(last)),
        format!("last tenth ≤ 1.25 × first: {growth:.2}×"),
        Some(growth <= 1.25),
    );
}

/// When each ticket ended, in seconds, from the run's log.
fn iteration_ends(project: &Project) -> Vec<f64> {
    let folder = project.path().join(".planfile/.koru/runs");
    let log = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .expect("a run log");
    std::fs::read_to_string(log)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .filter(|row| row["type"] == "iteration" && row["ticket_id"].is_string())
        .map(|row| {
            row["at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond() as f64 / 1e3
        })
        .collect()
}
