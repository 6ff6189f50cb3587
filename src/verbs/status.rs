//! `status`: the board as plain text: counts, then every ticket that is not finished, by need, with what it asks, why it
//! failed, or what its run said last. The twin of the console for pipes, screen readers and a look over ssh.
//!
//! Reads the planfile, the folders of runs and nothing else; a run is seen from outside here, so its silence is the age
//! of its transcript.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;

use super::context::Context;
use super::error::{Exit, VerbError, fault_line};
use super::output::{Out, Tone};
use super::ticket::words;
use crate::base::paths::ProjectPaths;
use crate::base::redact::Redactor;
use crate::base::repo;
use crate::base::text::safe_line;
use crate::execute::folder::RunFolder;
use crate::execute::output::{Channel, OutputLine};
use crate::execute::transcript::TranscriptReader;
use crate::plan::queue::{Order, Scope, Standing, order};
use crate::plan::settings::Settings;
use crate::plan::ticket::{Status, Ticket};
use crate::runtime::past_runs;
use crate::runtime::protocol::{Cost, RunState, RunView};

/// Failed tickets in history files older than this are history.
const OLD_DAYS: i64 = 7;

/// Tickets by state, as the console's header counts them.
#[derive(Debug, Default, Serialize)]
struct Counts {
    running: usize,
    needs_you: usize,
    stalled: usize,
    failed: usize,
    interrupted: usize,
    ready: usize,
    waiting: usize,
    done: usize,
}

/// One ticket that is not finished.
#[derive(Debug, Serialize)]
struct Row {
    id: String,
    state: &'static str,
    priority: String,
    executor: String,
    name: String,
    updated_at: Option<Timestamp>,
    /// What it asks, why it failed, what it waits for.
    why: Option<String>,
    run: Option<Run>,
    #[serde(skip)]
    key: (u8, usize),
    #[serde(skip)]
    tone: Tone,
}

/// Its newest run.
#[derive(Debug, Serialize)]
struct Run {
    run: String,
    agent: Option<String>,
    started_at: Timestamp,
    /// Seconds since it printed something, while it runs.
    silent_seconds: Option<i64>,
    cost: Option<Cost>,
    /// The last line that it printed.
    last: Option<String>,
}

#[derive(Debug, Serialize)]
struct Board {
    project: String,
    branch: Option<String>,
    counts: Counts,
    tickets: Vec<Row>,
}

/// Prints it. Exit 1 when a file does not parse; what parses is shown all the same.
///
/// # Errors
/// See [`VerbError`].
pub(super) fn run(context: &Context, out: &mut Out) -> Result<Exit, VerbError> {
    let root = context.root()?;
    let store = context.store()?;
    let (plan, now) = (store.plan(), context.clock.now());
    let scope = Scope::default();
    let order = order(&plan.tickets, &scope, now);
    let stalled = Settings::load(&root).0.budgets.stalled_minutes;
    let desk = Desk { order: &order, paths: ProjectPaths::new(&root), now, stalled };
    let mut counts = Counts::default();
    let mut rows: Vec<Row> = plan.tickets.iter().filter_map(|ticket| desk.row(ticket, &mut counts)).collect();
    rows.sort_by_key(|row| row.key);
    let board = Board { project: plan.project.clone(), branch: repo::branch(&root), counts, tickets: rows };
    match context.json() {
        true => out.json(&board),
        false => told(&board, now, out),
    }
    for fault in &plan.faults {
        out.note(Tone::Bad, &format!("koru-tui: {}", fault_line(fault)));
    }
    Ok(if plan.faults.is_empty() { Exit::Ok } else { Exit::Failed })
}

struct Desk<'a> {
    order: &'a Order,
    paths: ProjectPaths,
    now: Timestamp,
    /// Minutes.
    stalled: f64,
}

impl Desk<'_> {
    /// The row of a ticket; none of those that are finished.
    fn row(&self, ticket: &Arc<Ticket>, counts: &mut Counts) -> Option<Row> {
        let standing = self.order.standing.get(&ticket.id)?;
        if ticket.status == Status::Done {
            counts.done += 1;
        }
        if matches!(standing, Standing::Done | Standing::Canceled) || self.is_old_failure(ticket, standing) {
            return None;
        }
        let worked_on = matches!(
            standing,
            Standing::Running | Standing::NeedsYou | Standing::Failed | Standing::LeaseExpired
        );
        let run = worked_on.then(|| self.newest(ticket)).flatten();
        let silent = run.as_ref().and_then(|run| run.silent_seconds);
        #[expect(clippy::cast_precision_loss, reason = "seconds of silence are few")]
        let is_stalled = silent.is_some_and(|seconds| seconds as f64 >= self.stalled * 60.0);
        let (word, tone) = words::standing(standing);
        let (rank, state, tone, count) = match standing {
            Standing::NeedsYou => (0, word, tone, Some(&mut counts.needs_you)),
            Standing::Failed => (1, word, tone, Some(&mut counts.failed)),
            Standing::LeaseExpired => (2, "interrupted", tone, Some(&mut counts.interrupted)),
            Standing::Running if is_stalled => (3, "stalled", Tone::Warn, Some(&mut counts.stalled)),
            Standing::Running => (4, word, tone, Some(&mut counts.running)),
            Standing::Ready { .. } => (5, word, tone, Some(&mut counts.ready)),
            Standing::Waiting { .. } => (6, word, tone, Some(&mut counts.waiting)),
            _ => (7, word, tone, None),
        };
        if let Some(count) = count {
            *count += 1;
        }
        let place = match standing {
            Standing::Ready { position } => *position,
            _ => self.order.effective.get(&ticket.id).map_or(9, |found| usize::from(found.priority.rank())),
        };
        let effective = self.order.effective.get(&ticket.id).map(|found| found.priority.word());
        Some(Row {
            id: ticket.id.as_str().to_owned(),
            state,
            priority: effective.unwrap_or(ticket.priority.word()).to_owned(),
            executor: ticket.executor.kind.word().to_owned(),
            name: ticket.name.clone(),
            updated_at: ticket.updated_at,
            why: why(ticket, standing),
            run,
            key: (rank, place),
            tone,
        })
    }

    fn is_old_failure(&self, ticket: &Ticket, standing: &Standing) -> bool {
        let ended = ticket.execution.finished_at.or(ticket.updated_at);
        *standing == Standing::Failed
            && ticket.sprint.starts_with("history-")
            && ended.is_none_or(|at| self.now.duration_since(at).as_hours() > OLD_DAYS * 24)
    }

    fn newest(&self, ticket: &Ticket) -> Option<Run> {
        let runs = self.paths.runs();
        let view = past_runs::list(&runs, &ticket.id).0.into_iter().next()?;
        let folder = RunFolder::at(&runs, &view.id.0)?;
        let lives = view.state == RunState::Running;
        Some(Run {
            run: view.id.0.to_string(),
            agent: view.agent.as_ref().map(|agent| agent.agent.clone()),
            started_at: view.started_at,
            silent_seconds: lives.then(|| self.silence(&folder.transcript(), &view)),
            cost: view.agent.as_ref().and_then(|agent| agent.tally.cost),
            last: last_line(&folder.transcript()),
        })
    }

    /// Seconds since the transcript grew.
    fn silence(&self, transcript: &Path, view: &RunView) -> i64 {
        let changed = transcript.metadata().and_then(|file| file.modified()).ok();
        let at = changed.and_then(|at| Timestamp::try_from(at).ok()).unwrap_or(view.started_at);
        self.now.duration_since(at).as_secs().max(0)
    }
}

/// What a ticket asks, why it failed, what it waits for.
fn why(ticket: &Ticket, standing: &Standing) -> Option<String> {
    let said = match standing {
        Standing::NeedsYou => ticket.question().to_owned(),
        Standing::Failed | Standing::Blocked => ticket.execution.last_error.clone()?,
        Standing::Waiting { .. } | Standing::Invalid { .. } => words::why_not(standing)?,
        _ => return None,
    };
    let first = said.lines().find(|line| !line.trim().is_empty())?.trim().to_owned();
    Some(first)
}

/// The last line with something in it among the last few.
fn last_line(transcript: &Path) -> Option<String> {
    let mut reader = TranscriptReader::new(transcript);
    let from = reader.count().ok()?.saturating_sub(20);
    let lines = loop {
        if let Some((lines, _)) = reader.try_read(from, 20).ok()? {
            break lines;
        }
    };
    let redactor = Redactor::default();
    let shown = |text: &str| safe_line(redactor.clean(text).as_bytes()).plain();
    // Its own words are worth more than what was said about it.
    let of_run = |line: &&OutputLine| !matches!(line.channel, Channel::Note | Channel::Status);
    let own = lines.iter().rev().filter(of_run).map(|line| shown(&line.text));
    own.chain(lines.iter().rev().map(|line| shown(&line.text))).find(|text| !text.trim().is_empty())
}

fn told(board: &Board, now: Timestamp, out: &mut Out) {
    let counts = &board.counts;
    let branch = board.branch.as_deref().unwrap_or_default();
    out.pieces(&[
        (Tone::Strong, &board.project),
        (Tone::Faint, &format!("  {branch}  ")),
        (Tone::Plain, &format!("{} running  ", counts.running)),
        (
            if counts.needs_you > 0 { Tone::Warn } else { Tone::Plain },
            &format!("{} need you  ", counts.needs_you),
        ),
        (if counts.stalled > 0 { Tone::Warn } else { Tone::Plain }, &format!("{} stalled  ", counts.stalled)),
        (if counts.failed > 0 { Tone::Bad } else { Tone::Plain }, &format!("{} failed  ", counts.failed)),
        (Tone::Plain, &format!("{} interrupted  ", counts.interrupted)),
        (Tone::Plain, &format!("{} ready  {} waiting  ", counts.ready, counts.waiting)),
        (Tone::Good, &format!("{} done", counts.done)),
    ]);
    for row in &board.tickets {
        let changed = row.updated_at.map(|at| age(now.duration_since(at).as_secs())).unwrap_or_default();
        out.pieces(&[
            (row.tone, &format!("{:<12}", row.state)),
            (Tone::Strong, &format!("{}  ", row.id)),
            (Tone::Plain, &format!("{:<9}{:<7}", row.priority, row.executor)),
            (Tone::Plain, &row.name),
            (Tone::Faint, &format!("  {changed}")),
        ]);
        if let Some(why) = &row.why {
            out.pieces(&[(Tone::Faint, "            "), (Tone::Plain, why)]);
        }
        if let Some(run) = row.run.as_ref().filter(|run| run.silent_seconds.is_some()) {
            let who = run.agent.as_deref().unwrap_or(&row.executor);
            let since = age(now.duration_since(run.started_at).as_secs());
            let silent = run.silent_seconds.filter(|seconds| *seconds >= 3);
            let silent = silent.map(|seconds| format!(", silent {}", age(seconds))).unwrap_or_default();
            let cost = run.cost.map(|cost| format!(", ${:.2}", cost.usd)).unwrap_or_default();
            let last = run.last.as_deref().unwrap_or_default();
            out.pieces(&[
                (Tone::Faint, &format!("            {who} {since}{silent}{cost}: ")),
                (Tone::Plain, last),
            ]);
        }
    }
    if board.tickets.is_empty() {
        out.line("nothing is open; `koru-tui ticket create` makes a ticket");
    }
}

/// `9s`, `3m`, `2h`, `4d`.
fn age(seconds: i64) -> String {
    match seconds {
        ..60 => format!("{}s", seconds.max(0)),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}
