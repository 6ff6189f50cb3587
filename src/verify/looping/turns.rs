//! A turn of the worker, a turn of the reviewer, and the look at the work between them.

use jiff::Timestamp;

use super::attempts::After;
use super::ledger::{Lack, Ledger, Write};
use super::waiting::Heard;
use super::{Driver, LoopError, tree};
use crate::execute::stop::Stop;
use crate::verify::bus::{Role, WorkReport, stamp};
use crate::verify::cycle::Do;

impl Driver {
    /// Takes turns until there is nothing more to do.
    pub(super) async fn drive(&mut self, ledger: &mut Ledger) -> Result<(), LoopError> {
        loop {
            let writes = match ledger.next() {
                Do::Work => self.work(ledger).await?,
                Do::Check => self.check(ledger),
                Do::Judge => self.judge(ledger, true).await?,
                Do::Take => self.judge(ledger, false).await?,
                Do::Listen | Do::End => return Ok(()),
            };
            self.write_all(writes, &ledger.state)?;
        }
    }

    async fn work(&mut self, ledger: &mut Ledger) -> Result<Vec<Write>, LoopError> {
        Ok(match self.report(Role::Worker, ledger, true).await? {
            Ok(Heard::Work(report)) => self.compared(*report, ledger),
            Ok(Heard::Review(_)) => Vec::new(),
            Err(lack) => ledger.lacks(Role::Worker, lack, &now()),
        })
    }

    /// Work that stands in the bus.
    fn check(&mut self, ledger: &mut Ledger) -> Vec<Write> {
        match ledger.work().cloned() {
            Some(work) => self.compared(work, ledger),
            None => ledger.lacks(Role::Worker, Lack::Absent("there is no work report".to_owned()), &now()),
        }
    }

    fn compared(&mut self, work: WorkReport, ledger: &mut Ledger) -> Vec<Write> {
        let base = ledger.state.base_sha.clone().unwrap_or_default();
        let found = tree::compare(&self.plan.root, &base, &work.head_sha);
        if self.stopped() {
            return ledger.interrupted(&now());
        }
        let writes = ledger.worked(work, found.as_ref().map_err(String::as_str), &now());
        self.compared = found.ok();
        writes
    }

    /// `paid`: an agent is asked, or a person; otherwise the report that is there is read.
    async fn judge(&mut self, ledger: &mut Ledger, paid: bool) -> Result<Vec<Write>, LoopError> {
        let before = tree::look(&self.plan.root, self.bus.folder());
        let heard = self.report(Role::Reviewer, ledger, paid).await?;
        Ok(match heard {
            Ok(Heard::Review(report)) => {
                let changed = self.looked(before);
                match self.stopped() {
                    true => ledger.interrupted(&now()),
                    false => ledger.reviewed(*report, changed, &now()),
                }
            }
            Ok(Heard::Work(_)) => Vec::new(),
            Err(lack) => ledger.lacks(Role::Reviewer, lack, &now()),
        })
    }

    /// What changed since the reviewer began. A tree that cannot be looked at is a changed one: a verdict on it is not
    /// known to be of the work.
    fn looked(&self, before: Result<tree::Look, String>) -> Vec<String> {
        match (before, tree::look(&self.plan.root, self.bus.folder())) {
            (Ok(before), Ok(after)) => before.changed(&after),
            (Err(why), _) => vec![format!("the tree could not be looked at before: {why}")],
            (_, Err(why)) => vec![format!("the tree cannot be looked at any more: {why}")],
        }
    }

    /// The report of a role: its agent is started for it, or a person is waited for. `paid` as for the reviewer.
    async fn report(
        &mut self,
        role: Role,
        ledger: &mut Ledger,
        paid: bool,
    ) -> Result<Result<Heard, Lack>, LoopError> {
        let agent = ledger.rules.auto && paid;
        if agent && let Some(lack) = self.tried(role, ledger).await? {
            return Ok(Err(lack));
        }
        let heard = self.wait(role, !agent, ledger.state.round).await;
        Ok(if self.stopped() { Err(Lack::Stopped) } else { heard })
    }

    /// Starts the role's agent as often as it takes; why there will be no report.
    async fn tried(&mut self, role: Role, ledger: &mut Ledger) -> Result<Option<Lack>, LoopError> {
        let (round, mut attempt) = (ledger.state.round, 0);
        loop {
            attempt += 1;
            let resume = ledger.conversation(role).map(|session| session.session_id.clone());
            let ended = self.dispatch(role, round, attempt, resume, &ledger.state).await;
            let Some(ended) = ended.filter(|_| !self.stopped()) else { return Ok(Some(Lack::Stopped)) };
            let after = ledger.after(role, attempt, ended);
            match after {
                After::Report(write) => {
                    self.write_all(write.into_iter().collect(), &ledger.state)?;
                    return Ok(None);
                }
                After::Anew(write) => {
                    attempt -= 1;
                    self.write_all(vec![write], &ledger.state)?;
                }
                After::Again(pause, write) => {
                    self.write_all(vec![write], &ledger.state)?;
                    let mut stop = self.stop.clone();
                    tokio::select! {
                        () = tokio::time::sleep(pause) => {}
                        _ = stop.changed() => {}
                    }
                    if self.stopped() {
                        return Ok(Some(Lack::Stopped));
                    }
                    self.write_all(vec![Write::Retire(round, role.report())], &ledger.state)?;
                }
                After::Over(lack) => return Ok(Some(lack)),
            }
        }
    }

    fn stopped(&self) -> bool {
        self.stop.current() > Stop::No
    }
}

fn now() -> String {
    stamp(Timestamp::now())
}
