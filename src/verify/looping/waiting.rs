//! Waiting for a report: by watching the folder of the bus, with a limit, and for people with signs of life.
//!
//! Reports of other tasks and rounds are not this round's and are left alone; each version of such a file is named once. One
//! that cannot be read may still be being written: it counts once it stays as it is. A person is told and may mend it, an
//! agent that ended will not, so that its report is a bad one.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, sleep_until};

use super::Driver;
use super::ledger::Lack;
use crate::base::atomic::Stamp;
use crate::execute::stop::{Stop, StopWatch};
use crate::verify::bus::{BusError, Level, Pulse, ReviewReport, Role, Unread, WorkReport};

/// Nobody is waited for longer than this (loop-kit §2).
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Between two looks when the folder cannot be watched (no inotify left, a network disk).
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Between two looks besides, in case a change was not told.
const LOOK_ANYWAY: Duration = Duration::from_secs(30);

/// A report that cannot be read and did not change for so long is not being written any more.
const SETTLED: Duration = Duration::from_secs(1);

/// A folder that is watched.
pub(super) struct Folder {
    _watcher: RecommendedWatcher,
    changes: UnboundedReceiver<()>,
}

impl Folder {
    fn watch(folder: &Path) -> Option<Self> {
        let (sender, changes) = unbounded_channel();
        let tell = move |event: notify::Result<notify::Event>| {
            // Reading the report is an event too.
            if !event.is_ok_and(|event| event.kind.is_access()) {
                let _ = sender.send(());
            }
        };
        let mut watcher = notify::recommended_watcher(tell).ok()?;
        watcher.watch(folder, RecursiveMode::NonRecursive).ok()?;
        Some(Self { _watcher: watcher, changes })
    }
}

/// A report that is of this task and round.
pub(super) enum Heard {
    Work(Box<WorkReport>),
    Review(Box<ReviewReport>),
}

/// What stands where the report should be.
enum Found {
    Ours(Result<Heard, Lack>),
    /// Somebody else's report, and whose.
    Other(String),
    /// What cannot be read, and why.
    Broken(String),
    Nothing,
}

/// What was seen while waiting.
#[derive(Default)]
struct Seen {
    /// Versions that were named.
    named: HashSet<Option<Stamp>>,
    /// The version that cannot be read, and since when it is the one.
    broken: Option<(Option<Stamp>, Instant)>,
    /// What stood there last.
    last: Option<String>,
}

impl Driver {
    /// Waits for the role's report.
    pub(super) async fn wait(&mut self, role: Role, person: bool, round: u32) -> Result<Heard, Lack> {
        let mut seen = Seen::default();
        if let Some(input) = self.look(role, person, round, &mut seen) {
            return input;
        }
        if person && !self.plan.rules.auto {
            let name = role.report().name();
            let text = format!(
                "waiting for the {} to write {} (task {}, round {})",
                role.word(),
                self.bus.folder().join(name).display(),
                self.card.task_id,
                round
            );
            self.say(Level::Info, &text);
        }
        if self.watched.is_none() {
            self.watched = Folder::watch(self.bus.folder());
        }
        let limit = if person { self.plan.phase_timeout } else { self.plan.artifact_timeout };
        let limit = limit.unwrap_or(LONGEST).min(LONGEST);
        let until = Instant::now() + limit;
        let mut stop = self.stop.clone();
        loop {
            // Written between the look before and the watch.
            if let Some(input) = self.look(role, person, round, &mut seen) {
                return input;
            }
            if self.stop.current() > Stop::No {
                return Err(Lack::Stopped);
            }
            let now = Instant::now();
            if now >= until {
                return Err(Lack::Absent(self.late(role, limit, seen.last)));
            }
            match self.next_look(role, person, &seen, now) {
                Ok(wake) => self.rest(until.min(wake), &mut stop).await,
                Err(why) => return Err(Lack::Absent(why)),
            }
        }
    }

    /// When to look again though nothing changed; why a person is not waited for any more.
    fn next_look(&self, role: Role, person: bool, seen: &Seen, now: Instant) -> Result<Instant, String> {
        let mut wake = now + if self.watched.is_some() { LOOK_ANYWAY } else { LOOK_EVERY };
        if let Some((_, since)) = seen.broken.filter(|(_, since)| *since + SETTLED > now) {
            wake = wake.min(since + SETTLED);
        }
        let Some(ttl) = self.plan.heartbeat.filter(|_| person) else { return Ok(wake) };
        match self.bus.pulse(role, ttl) {
            Pulse::Alive { age, .. } => {
                Ok(wake.min(now + ttl.saturating_sub(age) + Duration::from_millis(20)))
            }
            pulse => Err(format!("the {} gives no sign of life: {}", role.word(), pulse.reason())),
        }
    }

    /// Until `wake`, a change in the folder, or somebody who stops us.
    async fn rest(&mut self, wake: Instant, stop: &mut StopWatch) {
        let changed = async {
            match &mut self.watched {
                Some(folder) => {
                    folder.changes.recv().await;
                    // One look for all that changed at once.
                    while folder.changes.try_recv().is_ok() {}
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed => {}
            () = sleep_until(wake) => {}
            _ = stop.changed() => {}
        }
    }

    fn late(&self, role: Role, limit: Duration, other: Option<String>) -> String {
        let name = role.report().name();
        let other = other.map(|other| format!(" ({other})")).unwrap_or_default();
        format!("no {name} of this round came within {} s{other}", limit.as_secs_f64())
    }

    /// The report by now, if any. What else stands there is named once a version of the file.
    fn look(&self, role: Role, person: bool, round: u32, seen: &mut Seen) -> Option<Result<Heard, Lack>> {
        let found = self.found(role, round);
        if !matches!(found, Found::Broken(_)) {
            seen.broken = None;
        }
        match found {
            Found::Ours(input) => return Some(input),
            Found::Nothing => seen.last = None,
            Found::Other(what) => self.name_once(role, what, seen),
            Found::Broken(why) => {
                let (stamp, now) = (self.stamp(role), Instant::now());
                let since = seen.broken.filter(|(of, _)| *of == stamp).map_or(now, |(_, since)| since);
                seen.broken = Some((stamp, since));
                if now.duration_since(since) < SETTLED {
                    seen.last = Some(why);
                } else if person {
                    self.name_once(role, why, seen);
                } else {
                    return Some(Err(Lack::Bad(format!("{}: {why}", role.report().name()))));
                }
            }
        }
        None
    }

    fn name_once(&self, role: Role, what: String, seen: &mut Seen) {
        if seen.named.insert(self.stamp(role)) {
            self.say(Level::Warning, &format!("{} is left alone: {what}", role.report().name()));
        }
        seen.last = Some(what);
    }

    fn stamp(&self, role: Role) -> Option<Stamp> {
        Stamp::read(&self.bus.path(role.report())).ok().flatten()
    }

    fn found(&self, role: Role, round: u32) -> Found {
        let task = &self.card.task_id;
        match role {
            Role::Worker => match self.bus.work_report() {
                Ok(report) if report.belongs(task, round) => Found::Ours(Ok(Heard::Work(Box::new(report)))),
                Ok(WorkReport { task_id, round, .. }) => foreign(&task_id, round),
                Err(error) => self.unread(role, &error, round),
            },
            Role::Reviewer => match self.bus.review_report() {
                Ok(report) if report.belongs(task, round) => Found::Ours(Ok(Heard::Review(Box::new(report)))),
                Ok(ReviewReport { task_id, round, .. }) => foreign(&task_id, round),
                Err(error) => self.unread(role, &error, round),
            },
        }
    }

    /// A report that breaks a rule is judged when it may be ours, and left alone when it says that it is not.
    fn unread(&self, role: Role, error: &BusError, round: u32) -> Found {
        match &error.why {
            Unread::Missing => Found::Nothing,
            Unread::Invalid(invalid) => {
                let (task, of) = self.bus.claims(role.report());
                let other = task.as_ref().is_some_and(|task| *task != self.card.task_id)
                    || of.is_some_and(|of| of != u64::from(round));
                match other {
                    true => foreign(&task.unwrap_or_default(), round),
                    false => Found::Ours(Err(Lack::Bad(format!("{}: {invalid}", role.report().name())))),
                }
            }
            Unread::Twice { .. } | Unread::NoObject { .. } => {
                Found::Ours(Err(Lack::Bad(format!("{}: {}", role.report().name(), error.why))))
            }
            why => Found::Broken(why.to_string()),
        }
    }
}

fn foreign(task: &str, round: u32) -> Found {
    Found::Other(format!("it is of task {task:?}, round {round}"))
}
