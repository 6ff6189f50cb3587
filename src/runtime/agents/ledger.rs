//! What agents and questions to language models have used today, and which agents a rate limit keeps asleep: shared by
//! all runs of one supervisor.
//!
//! The numbers of runs that are over are read from their records, so that they also count what other processes ran;
//! those of live runs are told. A day is a day of the machine's calendar.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

use crate::execute::agents::tally::Tally;
use crate::execute::agents::used::Used;

/// Shared by all runs of one supervisor.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    live: Mutex<HashMap<Arc<str>, Used>>,
    past: Mutex<Used>,
    asleep: Mutex<HashMap<String, Timestamp>>,
    /// Somebody told something.
    told: watch::Sender<()>,
}

impl Ledger {
    /// Reads what runs that are over have used on the day of `now`. Blocking.
    pub(crate) fn read_today(&self, runs: &Path, now: Timestamp) {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let past = Used::of_day(runs, now, |run| live.contains_key(run));
        drop(live);
        *self.past.lock().unwrap_or_else(PoisonError::into_inner) = past;
    }

    /// A live run has used so much. Returns what the whole day has.
    pub(crate) fn tell(&self, run: &Arc<str>, tally: &Tally) -> Used {
        let mut live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.insert(Arc::clone(run), Used::of(tally));
        drop(live);
        self.told.send_replace(());
        self.today()
    }

    /// Tells of every further [`Ledger::tell`].
    pub(crate) fn changes(&self) -> watch::Receiver<()> {
        self.told.subscribe()
    }

    /// What the whole day has used without this run.
    pub(crate) fn others_today(&self, run: &Arc<str>) -> Used {
        let mut sum = *self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.iter().filter(|(other, _)| *other != run).for_each(|(_, used)| sum.add(*used));
        sum
    }

    /// What the whole day has used, as far as it was read and told.
    pub(crate) fn today(&self) -> Used {
        let mut sum = *self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        live.values().for_each(|used| sum.add(*used));
        sum
    }

    /// A live run is over: its record counts from now on.
    pub(crate) fn over(&self, run: &Arc<str>) {
        let used = self.live.lock().unwrap_or_else(PoisonError::into_inner).remove(run);
        if let Some(used) = used {
            self.past.lock().unwrap_or_else(PoisonError::into_inner).add(used);
        }
    }

    /// The agent's host refuses until then: every run of it waits.
    pub(crate) fn sleep(&self, agent: &str, until: Timestamp) {
        let mut asleep = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = asleep.entry(agent.to_owned()).or_insert(until);
        *kept = until.max(*kept);
    }

    /// Whether any agent sleeps.
    pub(crate) fn any_asleep(&self, now: Timestamp) -> bool {
        let asleep = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        asleep.values().any(|until| *until > now)
    }

    /// Until when the agent sleeps, if it does.
    pub(crate) fn asleep(&self, agent: &str, now: Timestamp) -> Option<Timestamp> {
        let asleep = self.asleep.lock().unwrap_or_else(PoisonError::into_inner);
        asleep.get(agent).copied().filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::agents::tally::{Cost, Tokens};

    fn tally(tokens: u64, usd: f64) -> Tally {
        Tally {
            tokens: Tokens { input: tokens, ..Tokens::default() },
            cost: Some(Cost { usd, estimated: false }),
            ..Tally::default()
        }
    }

    #[test]
    fn live_runs_are_counted_once_and_stay_counted() {
        let ledger = Ledger::default();
        let (one, two): (Arc<str>, Arc<str>) = ("one".into(), "two".into());
        ledger.tell(&one, &tally(10, 0.5));
        assert_eq!(ledger.tell(&one, &tally(30, 1.0)), Used { tokens: 30, usd: 1.0, estimated: false });
        ledger.over(&one);
        assert_eq!(ledger.tell(&two, &tally(5, 0.25)), Used { tokens: 35, usd: 1.25, estimated: false });
    }

    #[test]
    fn questions_of_today_count_like_agents() {
        use crate::execute::folder::{FORMAT, RecordState, RunFolder, RunRecord};
        use crate::plan::ticket::TicketId;
        let base = tempfile::tempdir().unwrap();
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        for (started_at, spent) in [(now, Some(tally(7, 0.5))), (now, None)] {
            let ticket = TicketId::new("PLF-1");
            let folder = RunFolder::create(base.path(), &ticket, started_at).unwrap();
            let record = RunRecord {
                format: FORMAT,
                run: folder.name().to_owned(),
                ticket,
                executor: "llm".to_owned(),
                label: "m".to_owned(),
                holder: "h".to_owned(),
                supervisor: None,
                child: None,
                started_at,
                state: RecordState::Done,
                ended_at: None,
                exit_code: None,
                message: None,
                agent: None,
                spent,
            };
            folder.write_record(&record).unwrap();
        }
        let ledger = Ledger::default();
        ledger.read_today(base.path(), now);
        assert_eq!(ledger.today(), used(7, 0.5));
        let own: Arc<str> = "own".into();
        let mut changes = ledger.changes();
        ledger.tell(&own, &tally(9, 1.0));
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        assert_eq!((ledger.today(), ledger.others_today(&own)), (used(16, 1.5), used(7, 0.5)));
    }

    fn used(tokens: u64, usd: f64) -> Used {
        Used { tokens, usd, estimated: false }
    }

    #[test]
    fn an_agent_sleeps_until_the_latest_time_said() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let ledger = Ledger::default();
        ledger.sleep("pi", at(20));
        ledger.sleep("pi", at(10));
        assert_eq!(ledger.asleep("pi", at(5)), Some(at(20)));
        assert_eq!(ledger.asleep("pi", at(20)), None);
        assert_eq!(ledger.asleep("codex", at(5)), None);
    }
}
