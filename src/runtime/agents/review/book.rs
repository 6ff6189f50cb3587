//! The record of a ticket's rounds while a run works it: every change is on disk before anybody is shown it.

use std::sync::Arc;

use super::begun::cut_off;
use super::judge::Judge;
use crate::execute::agents::tally::Tally;
use crate::execute::isolation::{self, Worktree};
use crate::runtime::agents::AgentRun;
use crate::runtime::agents::earlier::Earlier;
use crate::runtime::agents::place::Place;
use crate::runtime::reviews::ReviewFolder;
use crate::verify::cycle::{Begin, Cycle, Do, Position};
use crate::verify::finding::Finding;
use crate::verify::gates::{GateResult, GateState};
use crate::verify::rounds::{Part, Review, Round, Stage};

/// The rounds of the ticket that a run works.
pub(super) struct Book<'a> {
    run: &'a AgentRun<'a>,
    folder: ReviewFolder,
    review: Review,
    /// As it is on disk, once this run wrote it.
    kept: Option<Arc<Review>>,
}

/// A record that was opened.
pub(super) struct Opened<'a> {
    pub(super) book: Book<'a>,
    pub(super) cycle: Cycle,
    /// What is done first.
    pub(super) first: Do,
    /// What the operator is told of it.
    pub(super) note: Option<String>,
}

impl<'a> Book<'a> {
    /// Opens the record, or begins one, and says where the run goes on. Nothing is written yet.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(super) async fn open(
        run: &'a AgentRun<'a>,
        place: &Place,
        judge: &Judge,
        asked: bool,
    ) -> Result<Opened<'a>, String> {
        let (folder, worktree) = (ReviewFolder::of(&run.ground.root, &run.ticket.id), place.worktree.clone());
        let (ground, ticket) = (Arc::clone(run.ground), Arc::clone(run.ticket));
        let (own, kept) = (run.folder.name().to_owned(), folder.clone());
        let (max_rounds, wished) = (judge.max_rounds, judge.wished.clone());
        let reading = move || -> Result<(Review, Cycle, Do, Option<String>), String> {
            let git = |error: isolation::WorktreeError| error.to_string();
            let tip = isolation::tip(&worktree).map_err(git)?;
            // Somebody who decides right now ends first.
            let _lock = match kept.path().is_dir() {
                true => {
                    Some(kept.lock_rounds().map_err(|error| format!("reading the rounds failed: {error}"))?)
                }
                false => None,
            };
            let (found, note) = found(&kept, &worktree.base, ground.clock.now())?;
            let mut review = found.unwrap_or_else(|| Review {
                ticket: ticket.id.clone(),
                max_rounds,
                base: worktree.base.clone(),
                rounds: Vec::new(),
                stage: Stage::Working,
                reviewer: None,
                gated: None,
            });
            let gated = review.gated.take().filter(|gated| *gated == tip);
            let moved = gated.map_or(Ok(None), |_| aside(&kept, &worktree, &tip, ground.clock.now()))?;
            let clean = isolation::since(&worktree, &tip).map_err(git)?.is_empty();
            review.reviewer = wished;
            if asked {
                review.max_rounds = max_rounds.max(review.rounds.last().map_or(1, |round| round.number));
            }
            let cut_off = cut_off(&ground.runs, &ticket, &own, Some(&tip));
            // Whoever starts a ticket's run wants it worked on, whatever it waited for.
            let begin = Begin { tip, clean, cut_off, leave: Some(max_rounds), ..Begin::default() };
            let (cycle, first) = begun(&mut review, begin);
            Ok((review, cycle, first, note.or(moved)))
        };
        let read = tokio::task::spawn_blocking(reading).await;
        let read = read.unwrap_or_else(|error| Err(format!("reading the rounds failed: {error}")));
        read.map(|(review, cycle, first, note)| {
            let book = Book { run, folder, review, kept: None };
            Opened { book, cycle, first, note }
        })
    }

    /// Everything that is recorded.
    pub(super) fn review(&self) -> &Review {
        &self.review
    }

    /// The round that is worked on. There always is one: opening begins the first.
    pub(super) fn round(&self) -> &Round {
        static NONE: Round = Round {
            number: 0,
            from: String::new(),
            head: None,
            fixes: Vec::new(),
            worker: None,
            gates: Vec::new(),
            reviewer: None,
            verdict: None,
        };
        self.review.rounds.last().unwrap_or(&NONE)
    }

    /// Changes the round that is worked on; on disk with the next step.
    pub(super) fn put(&mut self, change: impl FnOnce(&mut Round)) {
        if let Some(round) = self.review.rounds.last_mut() {
            change(round);
        }
    }

    /// Changes the round that is worked on, durably, then shows it.
    ///
    /// # Errors
    /// A sentence for the operator; nobody was shown anything.
    pub(super) async fn change(&mut self, change: impl FnOnce(&mut Round)) -> Result<(), String> {
        self.put(change);
        self.keep().await
    }

    /// Gates begin on this commit, or are done. On disk with the next change.
    pub(super) fn gated(&mut self, on: Option<String>) {
        self.review.gated = on;
    }

    /// Stands where the cycle does, durably. What the operator `said` is in the round that begins with it, and was told.
    ///
    /// # Errors
    /// As [`Book::change`].
    pub(super) async fn stand(&mut self, at: &Position, said: Vec<Finding>) -> Result<(), String> {
        self.review.stand(at, said.clone());
        self.keep().await?;
        self.told(said).await;
        Ok(())
    }

    /// What the operator wants said and no round was told yet. What is in this round already was told, also when a crash
    /// left it in the queue.
    ///
    /// # Errors
    /// A sentence for the operator: what was said is not known, which is not the same as nothing.
    pub(super) async fn queued(&self) -> Result<Vec<Finding>, String> {
        let folder = self.folder.clone();
        let read = tokio::task::spawn_blocking(move || folder.queued()).await;
        let mut queued = read.map_err(std::io::Error::other).and_then(|read| read).map_err(|error| {
            let path = self.folder.path().display();
            format!("reading what you said from {path} failed: {error}; see to the file, then retry")
        })?;
        queued.retain(|finding| !self.round().fixes.contains(finding));
        Ok(queued)
    }

    /// These were told: they are in a round that is on disk.
    pub(super) async fn told(&self, findings: Vec<Finding>) {
        if findings.is_empty() {
            return;
        }
        let folder = self.folder.clone();
        let told = tokio::task::spawn_blocking(move || folder.told(&findings)).await;
        if let Ok(Err(error)) = told {
            tracing::warn!(%error, "findings that were told stay in the queue");
        }
    }

    async fn keep(&mut self) -> Result<(), String> {
        if self.kept.as_deref() == Some(&self.review) {
            return Ok(());
        }
        let (folder, review) = (self.folder.clone(), Arc::new(self.review.clone()));
        let (kept, path) = (Arc::clone(&review), folder.path().to_path_buf());
        let written = tokio::task::spawn_blocking(move || folder.write(&kept)).await;
        let written = written.map_err(std::io::Error::other).and_then(|written| written);
        written.map_err(|error| {
            let path = path.display();
            format!(
                "keeping the rounds in {path} failed: {error}; see to the room and rights there, then retry"
            )
        })?;
        self.kept = Some(Arc::clone(&review));
        self.run.feed.review(review);
        Ok(())
    }

    /// The worker's conversation of earlier rounds, and what it amounts to.
    pub(super) fn conversation(&self, worker: &str) -> Option<Earlier> {
        let parts = || {
            let rounds = self.review.rounds.iter().filter_map(|round| round.worker.as_ref());
            rounds.filter(|part| part.by == worker)
        };
        let conversation = parts().filter_map(|part| part.conversation.clone()).next_back()?;
        let same = parts().filter(|part| part.conversation.as_ref() == Some(&conversation));
        let tally = same.fold(Tally::default(), |sum, part| {
            sum.plus(&Tally { tokens: part.tokens, cost: part.cost, ..Tally::default() })
        });
        Some(Earlier { conversation, tally, why: "was reviewed".to_owned() })
    }

    /// A part that begins now, after what the same part of this round amounted to when it was cut off.
    pub(super) fn begin_part(&self, by: &str, before: Option<&Part>) -> Part {
        let before = before.filter(|part| part.by == by);
        Part {
            by: by.to_owned(),
            run: Some(self.run.folder.name().to_owned()),
            began: before.map_or_else(|| self.run.ground.clock.now(), |part| part.began),
            took: None,
            cost: before.and_then(|part| part.cost),
            tokens: before.map(|part| part.tokens).unwrap_or_default(),
            conversation: before.and_then(|part| part.conversation.clone()),
            notes: String::new(),
        }
    }
}

/// Where the cycle goes on with what is on record of the last round. The record stands there.
fn begun(review: &mut Review, begin: Begin) -> (Cycle, Do) {
    let last = review.rounds.last();
    let failed = |gate: &GateResult| matches!(gate.state, GateState::Failed { .. });
    let red = last.is_some_and(|round| round.gates.iter().any(failed));
    let given = last.and_then(|round| round.verdict.clone());
    let (cycle, first) = Cycle::begin(review.position(), Begin { red, given, ..begin });
    review.stand(cycle.at(), Vec::new());
    (cycle, first)
}

/// Moves what gates of a run that was cut off left in the worktree into the archive, and says so. It may be that somebody
/// changed files by hand since, so nothing of it is thrown away.
fn aside(
    folder: &ReviewFolder,
    worktree: &Worktree,
    tip: &str,
    now: jiff::Timestamp,
) -> Result<Option<String>, String> {
    let left = isolation::since(worktree, tip).map_err(|error| error.to_string())?;
    if left.is_empty() {
        return Ok(None);
    }
    let archive = folder.path().join("archive").join(now.strftime("gates-%Y%m%dT%H%M%SZ").to_string());
    isolation::set_aside(worktree, tip, &left, &archive).map_err(|error| error.to_string())?;
    let (count, archive) = (left.len(), archive.display());
    Ok(Some(format!(
        "gates were cut off; {count} files that differed from the commit were moved to {archive}"
    )))
}

/// The review that is on disk, unless it is of work that is not there any more; then it is set aside, and why.
fn found(
    folder: &ReviewFolder,
    base: &str,
    now: jiff::Timestamp,
) -> Result<(Option<Review>, Option<String>), String> {
    let why = match folder.read() {
        Ok(None) => return Ok((None, None)),
        Ok(Some(review)) if review.base == base => return Ok((Some(review), None)),
        Ok(Some(_)) => "the rounds on record are of an earlier worktree".to_owned(),
        Err(error) => format!("the rounds on record cannot be read: {error}"),
    };
    folder.set_aside(now).map_err(|error| {
        format!("{why}, and moving them to {}/archive failed: {error}", folder.path().display())
    })?;
    Ok((None, Some(format!("{why}; they were moved to its archive, and round 1 begins"))))
}
