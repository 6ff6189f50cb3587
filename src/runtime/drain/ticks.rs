//! The ticks of a drain: numbered when a ticket is dispatched, told and logged in that order once they are final.

use tokio::time::Instant;

use super::{DrainIo, DrainOptions, DrainReport, Tick, TickStatus};
use crate::base::redact::Redactor;
use crate::execute::outcome::Outcome;
use crate::execute::runlog::{LogIteration, LogStart, RunLog};
use crate::execute::tail::RESULT_CHARS;
use crate::plan::ticket::{Ticket, TicketId};

/// Characters of a tail in a report.
const TAIL_CHARS: usize = 500;

/// A number handed out at dispatch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot(usize);

/// One dispatched ticket.
#[derive(Debug)]
struct Entry {
    ticket: Option<TicketId>,
    executor: Option<String>,
    dispatched: Instant,
    /// The final tick; `Some(None)` when it was withdrawn.
    last: Option<Option<Tick>>,
}

/// All ticks so far, and the log they go to.
#[derive(Debug)]
pub(super) struct Ticks {
    entries: Vec<Entry>,
    /// Entries that are final and told, in order.
    told: usize,
    /// Entries that were withdrawn.
    void: usize,
    report: DrainReport,
    started: Instant,
    log: Option<RunLog>,
}

impl Ticks {
    /// No ticks yet.
    pub(super) fn new() -> Self {
        let report = DrainReport {
            ticks: Vec::new(),
            completed: Vec::new(),
            failed: Vec::new(),
            waiting: Vec::new(),
            denied: Vec::new(),
            interrupted: Vec::new(),
            last_status: TickStatus::Idle,
            capped: false,
            duration_ms: 0,
            log: None,
        };
        Self { entries: Vec::new(), told: 0, void: 0, report, started: Instant::now(), log: None }
    }

    /// Opens the run log; that it cannot be written is said once and stops nothing.
    pub(super) fn open_log(&mut self, options: &DrainOptions, io: &mut dyn DrainIo) {
        let project = options.root.display().to_string();
        let start = LogStart {
            project: &project,
            looped: options.looped,
            actor: &options.actor,
            queue: options.queue.as_deref(),
            interactive: options.interactive,
            at: options.clock.now(),
        };
        let folder = crate::plan::scaffold::ensure_runs_dir(&options.root).map_err(|error| error.to_string());
        let log = folder.and_then(|runs| {
            RunLog::create(&runs, &start, options.clock.clone()).map_err(|error| error.to_string())
        });
        match log {
            Ok(log) => {
                self.report.log = Some(format!(".planfile/.koru/runs/{}", log.name()));
                self.log = Some(log);
            }
            Err(error) => io.warn(&format!("the run log cannot be written: {error}")),
        }
    }

    /// Ticks that were dispatched.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.entries.len() - self.void).unwrap_or(u32::MAX)
    }

    /// Numbers the next tick.
    pub(super) fn dispatch(&mut self, ticket: Option<&Ticket>) -> Slot {
        self.entries.push(Entry {
            ticket: ticket.map(|ticket| ticket.id.clone()),
            executor: ticket.map(|ticket| ticket.executor.kind.word().to_owned()),
            dispatched: Instant::now(),
            last: None,
        });
        Slot(self.entries.len() - 1)
    }

    /// A dispatch that came to nothing and is not to be seen.
    pub(super) fn withdraw(&mut self, slot: Slot, now: Now<'_>) {
        if let Some(entry) = self.entries.get_mut(slot.0) {
            entry.last = Some(None);
            self.void += 1;
            self.tell_all(now);
        }
    }

    /// A tick without output is final.
    pub(super) fn settle(&mut self, slot: Slot, status: TickStatus, message: &str, now: Now<'_>) {
        self.put(slot, status, message.to_owned(), None, now);
    }

    /// A run is final.
    pub(super) fn settle_run(
        &mut self,
        slot: Slot,
        status: TickStatus,
        message: String,
        outcome: &Outcome,
        now: Now<'_>,
    ) {
        self.put(slot, status, message, Some(outcome), now);
    }

    fn put(
        &mut self,
        slot: Slot,
        status: TickStatus,
        message: String,
        outcome: Option<&Outcome>,
        now: Now<'_>,
    ) {
        let Some(entry) = self.entries.get_mut(slot.0) else { return };
        let tail = |text: Option<&str>| text.unwrap_or_default().to_owned();
        entry.last = Some(Some(Tick {
            iteration: 0,
            ticket: entry.ticket.clone(),
            executor: entry.executor.clone(),
            status,
            exit_code: outcome.map(|outcome| outcome.exit_code),
            message: Redactor::default().clean(&message).into_owned(),
            stdout_tail: tail(outcome.map(|outcome| outcome.stdout.last(TAIL_CHARS.min(RESULT_CHARS)))),
            stderr_tail: tail(outcome.map(|outcome| outcome.stderr.last(TAIL_CHARS.min(RESULT_CHARS)))),
            duration_ms: u64::try_from(entry.dispatched.elapsed().as_millis()).unwrap_or(u64::MAX),
        }));
        self.tell_all(now);
    }

    /// Tells what is final, in order of dispatch; numbers have no gaps.
    fn tell_all(&mut self, now: Now<'_>) {
        while let Some(last) = self.entries.get_mut(self.told).and_then(|entry| entry.last.take()) {
            self.told += 1;
            if let Some(tick) = last {
                let iteration = u32::try_from(self.report.ticks.len() + 1).unwrap_or(u32::MAX);
                self.tell(Tick { iteration, ..tick }, now.at, now.io);
            }
        }
    }

    fn tell(&mut self, tick: Tick, at: jiff::Timestamp, io: &mut dyn DrainIo) {
        self.account(&tick);
        if let Some(log) = &mut self.log {
            let written = log.iteration(&LogIteration {
                iteration: tick.iteration,
                ticket: tick.ticket.as_ref().map(TicketId::as_str),
                executor: tick.executor.as_deref(),
                status: tick.status.word(),
                exit_code: tick.exit_code,
                message: &tick.message,
                stdout: &tick.stdout_tail,
                stderr: &tick.stderr_tail,
                duration_ms: tick.duration_ms,
                at,
            });
            if let Err(error) = written {
                io.warn(&format!("the run log cannot be written any more: {error}"));
            }
        }
        io.tick(&tick);
        self.report.ticks.push(tick);
    }

    /// Each ticket stands in the list of its last result.
    fn account(&mut self, tick: &Tick) {
        self.report.last_status = tick.status;
        let Some(id) = &tick.ticket else { return };
        let report = &mut self.report;
        if report.failed.last() == Some(id) || report.failed.contains(id) {
            report.failed.retain(|other| other != id);
        }
        match tick.status {
            TickStatus::Completed => report.completed.push(id.clone()),
            TickStatus::Failed => report.failed.push(id.clone()),
            TickStatus::WaitingInput => report.waiting.push(id.clone()),
            TickStatus::PolicyDenied => report.denied.push(id.clone()),
            TickStatus::Idle
            | TickStatus::DryRun
            | TickStatus::UnsupportedExecutor
            | TickStatus::PlanfileError
            | TickStatus::ClaimFailed
            | TickStatus::TargetNotRunnable
            | TickStatus::Interrupted => {}
        }
    }

    /// The report, with the log closed.
    pub(super) fn finish(
        mut self,
        capped: bool,
        interrupted: Vec<TicketId>,
        io: &mut dyn DrainIo,
    ) -> DrainReport {
        if let Some(Err(error)) = self.log.take().map(RunLog::end) {
            io.warn(&format!("the end of the run log cannot be written: {error}"));
        }
        self.report.capped = capped;
        self.report.interrupted = interrupted;
        self.report.duration_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.report
    }
}

/// Now, and whom to tell.
pub(super) struct Now<'a> {
    /// The clock's time.
    pub(super) at: jiff::Timestamp,
    /// Whom to tell.
    pub(super) io: &'a mut dyn DrainIo,
}
