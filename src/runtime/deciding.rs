//! A person's decision on reviewed work, on its way: checked against what was on the screen, written to the audit and to
//! the rounds, and said as a step on the ticket. Blocking; for the console and for verbs alike.
//!
//! The order is fixed: nothing is written before everything was checked, the audit comes first, then the rounds, then the
//! ticket (by the caller). Where the ticket refuses, [`Decided::take_back`] puts the rounds back; where it agrees,
//! [`Decided::taken`] drops what was told. A lock is held from the first look to the end, so that two deciders do not
//! undo each other.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::launch::{Delegation, ReviewWish};
use super::protocol::review::{Finding, Review, ReviewChoice, Round, Stage};
use super::reviews::{QUEUED, ReviewFolder};
use crate::base::lock::FileLock;
use crate::base::paths::ProjectPaths;
use crate::base::redact::Redactor;
use crate::execute::isolation;
use crate::learn::audit;
use crate::plan::lifecycle::{Op, Patch, live_holder};
use crate::plan::store::Step;
use crate::plan::ticket::{Status, Ticket};

/// A decision.
#[derive(Clone, Debug)]
pub(crate) struct Deciding {
    /// Project folder.
    pub(crate) root: PathBuf,
    /// Commit that was on the screen.
    pub(crate) seen: String,
    /// What was decided.
    pub(crate) choice: ReviewChoice,
    /// Who decides.
    pub(crate) actor: String,
    /// When.
    pub(crate) now: Timestamp,
}

/// A decision that is on record. The ticket does not know it yet.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    /// What the ticket is to become.
    pub(crate) step: Step,
    /// The rounds as decided.
    pub(crate) review: Review,
    /// The ticket is worked on afterwards, so.
    pub(crate) again: Option<Delegation>,
    /// What the operator had kept for the next round, and is in the one that was decided on.
    queued: Vec<Finding>,
    /// The rounds as they were.
    before: Review,
    folder: ReviewFolder,
    /// Nobody else decides, and no run takes the rounds up, before the ticket knows it or this was taken back.
    _lock: Arc<FileLock>,
}

impl Decided {
    /// The ticket knows it, and the round is on disk: what is in it leaves the queue.
    pub(crate) fn taken(&self) {
        if let Err(error) = self.folder.told(&self.queued) {
            tracing::warn!(%error, "findings that are in a round stay in the queue");
        }
    }

    /// The ticket refused: the rounds are as before, unless somebody went on with them.
    pub(crate) fn take_back(&self) {
        let taken = match self.folder.read() {
            Ok(Some(now)) if now == self.review => self.folder.write(&self.before),
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = taken {
            tracing::warn!(%error, "a decision that came to nothing cannot be taken back from the rounds");
        }
    }
}

impl Deciding {
    /// Checks and records the decision on `ticket`.
    ///
    /// # Errors
    /// A sentence for the operator; nothing was decided.
    pub(crate) fn record(&self, ticket: &Ticket) -> Result<Decided, String> {
        let folder = ReviewFolder::of(&self.root, &ticket.id);
        let id = &ticket.id;
        let lock = match folder.path().is_dir() {
            true => folder.lock_rounds().map_err(|error| format!("{id} cannot be decided on: {error}"))?,
            false => return Err(format!("{id} has no rounds to decide on")),
        };
        let before = folder
            .read()
            .map_err(|error| format!("the rounds of {id} cannot be read: {error}"))?
            .ok_or_else(|| format!("{id} has no rounds to decide on"))?;
        let last = before.rounds.last().ok_or_else(|| format!("{id} has no rounds to decide on"))?;
        let queued = folder.queued().map_err(|error| {
            format!("what you said about {id} cannot be read in {}: {error}", folder.path().display())
        })?;
        self.may_decide(ticket, last)?;
        let is_over = before.stage == Stage::Approved && ticket.status.satisfies_dependants();
        if self.choice == ReviewChoice::Accept && is_over {
            return Err(format!("{id} is approved already and {}", ticket.status.word()));
        }
        if self.choice == ReviewChoice::Accept && !queued.is_empty() {
            let (count, path) = (queued.len(), folder.path().display());
            return Err(format!(
                "{count} of your comments on {id} were told to nobody yet; have another round mend them, or remove \
                 {path}/{QUEUED} and approve again"
            ));
        }
        let mut review = before.clone();
        let (op, then) = self.apply(ticket, last, &mut review, &queued)?;
        self.audit(ticket, last)?;
        folder.write(&review).map_err(|error| {
            format!(
                "keeping the decision in {} failed: {error}; nothing was decided",
                folder.path().display()
            )
        })?;
        let again = matches!(self.choice, ReviewChoice::Another { .. } | ReviewChoice::ReviewAgain)
            .then(|| again(&before));
        let actor = Some(self.actor.clone());
        let step = Step { then, seen: ticket.updated_at, actor, ..Step::new(id.clone(), op) };
        let queued = match self.choice {
            ReviewChoice::Another { .. } => queued,
            _ => Vec::new(),
        };
        Ok(Decided { step, review, again, queued, before, folder, _lock: Arc::new(lock) })
    }

    fn may_decide(&self, ticket: &Ticket, last: &Round) -> Result<(), String> {
        let id = &ticket.id;
        if ticket.status == Status::InProgress
            && let Some(holder) = live_holder(ticket, self.now)
        {
            return Err(format!("{id} is being worked on by {holder}; stop it first"));
        }
        let goes_on = matches!(self.choice, ReviewChoice::Another { .. } | ReviewChoice::ReviewAgain);
        if ticket.status.satisfies_dependants() && goes_on {
            return Err(format!("{id} is {}; make a new ticket for what is to follow", ticket.status.word()));
        }
        let head = last.head.as_deref().unwrap_or(&last.from);
        let worktree = isolation::find(&self.root, id).filter(|worktree| worktree.path.is_dir());
        let tip = match &worktree {
            Some(worktree) => isolation::tip(worktree).map_err(|error| error.to_string())?,
            None if goes_on => return Err(format!("the worktree of {id} is gone; run the ticket anew")),
            None => head.to_owned(),
        };
        if !names(&self.seen, &tip) {
            return Err(format!(
                "{id} is at {} by now, not at {} as you saw it; look again, then decide",
                short(&tip),
                short(&self.seen)
            ));
        }
        if self.choice == ReviewChoice::Accept
            && let Some(worktree) = &worktree
        {
            let changed = isolation::since(worktree, &tip).map_err(|error| error.to_string())?;
            if let Some(first) = changed.first() {
                let path = &first.path;
                return Err(format!(
                    "{} files of {id} differ from what was reviewed ({path}, …); let it be reviewed again first",
                    changed.len()
                ));
            }
        }
        Ok(())
    }

    /// What becomes of the rounds and of the ticket.
    fn apply(
        &self,
        ticket: &Ticket,
        last: &Round,
        review: &mut Review,
        queued: &[Finding],
    ) -> Result<(Op, Vec<Op>), String> {
        let (actor, head) = (&self.actor, last.head.clone().unwrap_or_else(|| last.from.clone()));
        let short = short(&head);
        Ok(match &self.choice {
            ReviewChoice::Another { fixes } => {
                let more = queued.iter().filter(|finding| !fixes.contains(finding));
                let all: Vec<Finding> = fixes.iter().chain(more).cloned().collect();
                if all.is_empty() {
                    return Err("say what is to be mended in the next round".to_owned());
                }
                let count = all.len();
                let from = isolation::find(&self.root, &ticket.id)
                    .and_then(|worktree| isolation::tip(&worktree).ok())
                    .unwrap_or(head);
                review.begin_round(&from, all);
                let number = review.rounds.last().map_or(1, |round| round.number);
                let note = format!("Round {number} wanted by {actor}, with {count} to mend");
                (Op::Ready { note: Some(note) }, Vec::new())
            }
            ReviewChoice::ReviewAgain => {
                if let Some(round) = review.rounds.last_mut() {
                    round.verdict = None;
                }
                review.stage = Stage::Reviewing;
                (Op::Ready { note: Some(format!("{actor} wants {short} reviewed again")) }, Vec::new())
            }
            ReviewChoice::Accept => {
                review.stage = Stage::Approved;
                let note = Some(format!("Approved by {actor} at {short}, round {}", last.number));
                (Op::Complete { note, artifacts: Vec::new(), result: None }, Vec::new())
            }
            ReviewChoice::Reject { reason } if reason.trim().is_empty() => {
                return Err("a rejection without a reason helps nobody; say why".to_owned());
            }
            ReviewChoice::Reject { reason } => {
                let why = format!("rejected by {actor} at {short}: {}", reason.trim());
                review.stage = Stage::Ended { why: why.clone() };
                // However many attempts it has left: a person has spoken.
                let failed = Patch { status: Some(Status::Failed), ..Patch::default() };
                (Op::Fail { error: why, result: None }, vec![Op::Update(failed)])
            }
        })
    }

    /// On record before anything else is.
    fn audit(&self, ticket: &Ticket, last: &Round) -> Result<(), String> {
        let (choice, more) = match &self.choice {
            ReviewChoice::Another { fixes } => ("another", json!(fixes)),
            // The verdict goes out of the rounds: the audit is where it stays.
            ReviewChoice::ReviewAgain => ("review-again", json!({ "verdict": last.verdict })),
            ReviewChoice::Accept => ("accept", Value::Null),
            ReviewChoice::Reject { reason } => ("reject", json!(reason)),
        };
        let row = json!({
            "ticket": ticket.id.as_str(), "round": last.number, "head": self.seen, "choice": choice, "said": more,
        });
        let audits = ProjectPaths::new(&self.root).audit();
        write_audit(&audits, self.now, "review.decide", &self.actor, &row)
    }
}

/// Writes a row, or says why nothing is done.
pub(crate) fn write_audit(
    folder: &Path,
    now: Timestamp,
    kind: &str,
    who: &str,
    row: &Value,
) -> Result<(), String> {
    audit::append(folder, now, kind, who, row).map_err(|error| {
        format!("writing the audit in {} failed: {error}; nothing was decided", folder.display())
    })
}

/// Who works on: as before.
fn again(review: &Review) -> Delegation {
    let parts = |part: fn(&Round) -> Option<&super::protocol::review::Part>| {
        review.rounds.iter().rev().find_map(part).map(|part| part.by.clone())
    };
    let wish =
        ReviewWish { on: Some(true), reviewer: parts(|round| round.reviewer.as_ref()), max_rounds: None };
    Delegation { agent: parts(|round| round.worker.as_ref()), note: None, review: wish }
}

/// The fix list of a round that the operator's findings begin: with what is still to be mended.
pub(crate) fn with_required(review: &Review, findings: Vec<Finding>) -> Vec<Finding> {
    let mut all = review.to_mend();
    all.retain(|known| !findings.iter().any(|finding| finding.id == known.id && finding.file == known.file));
    all.extend(findings);
    all
}

/// Findings without secrets: they are kept, and told to an agent.
pub(crate) fn cleaned(findings: Vec<Finding>) -> Vec<Finding> {
    let redactor = Redactor::default();
    findings
        .into_iter()
        .map(|finding| Finding {
            reason: redactor.clean(&finding.reason).into_owned(),
            required_change: finding.required_change.map(|text| redactor.clean(&text).into_owned()),
            ..finding
        })
        .collect()
}

/// Whether `text` is the beginning of `commit`, long enough to mean it.
pub(crate) fn names(text: &str, commit: &str) -> bool {
    let is_commit = text.len() >= 7 && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_commit && commit.starts_with(&text.to_ascii_lowercase())
}

/// A commit as it is shown.
pub(crate) fn short(commit: &str) -> String {
    commit.chars().take(12).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ticket::TicketId;

    struct Bench {
        project: tempfile::TempDir,
        ticket: Ticket,
        folder: ReviewFolder,
        head: String,
    }

    /// A ticket with a worktree and one round that waits for a person.
    fn bench() -> Bench {
        let project = tempfile::tempdir().unwrap();
        let repo = git2::Repository::init(project.path()).unwrap();
        let who = git2::Signature::now("a", "a@b").unwrap();
        let tree = repo.find_tree(repo.index().unwrap().write_tree().unwrap()).unwrap();
        repo.commit(Some("HEAD"), &who, &who, "one", &tree, &[]).unwrap();
        let ticket = Ticket { id: TicketId::new("PLF-1"), ..Ticket::default() };
        let (worktree, _) = isolation::prepare(project.path(), &ticket.id, None).unwrap();
        let head = isolation::tip(&worktree).unwrap();
        let folder = ReviewFolder::of(project.path(), &ticket.id);
        let why = super::super::protocol::review::Wait::MaxRounds;
        let mut review = Review {
            ticket: ticket.id.clone(),
            max_rounds: 1,
            base: head.clone(),
            rounds: Vec::new(),
            stage: Stage::Working,
            reviewer: None,
            gated: None,
        };
        review.begin_round(&head, Vec::new());
        review.stage = Stage::Waiting { why };
        folder.write(&review).unwrap();
        Bench { project, ticket, folder, head }
    }

    fn said(reason: &str) -> Finding {
        Finding::of_operator(reason, "ann")
    }

    impl Bench {
        fn record(&self, choice: ReviewChoice) -> Result<Decided, String> {
            let root = self.project.path().canonicalize().unwrap();
            let now = "2026-11-21T06:00:00Z".parse().unwrap();
            Deciding { root, seen: self.head.clone(), choice, actor: "ann".to_owned(), now }
                .record(&self.ticket)
        }
    }

    #[test]
    fn comments_leave_the_queue_only_once_the_ticket_knows_the_round_that_has_them() {
        let bench = bench();
        bench.folder.queue(&[said("rename it")]).unwrap();
        let before = bench.folder.read().unwrap().unwrap();
        let decided = bench.record(ReviewChoice::Another { fixes: vec![said("shorter")] }).unwrap();
        assert_eq!(decided.review.rounds[1].fixes, [said("shorter"), said("rename it")]);
        decided.take_back();
        assert_eq!(bench.folder.read().unwrap().unwrap(), before);
        assert_eq!(bench.folder.queued().unwrap(), [said("rename it")]);
        drop(decided);
        let refused = bench.record(ReviewChoice::Accept).unwrap_err();
        assert!(refused.contains("1 of your comments on PLF-1"), "{refused}");
        bench.record(ReviewChoice::Another { fixes: Vec::new() }).unwrap().taken();
        assert_eq!(bench.folder.queued().unwrap(), []);
    }

    #[test]
    fn two_deciders_wait_for_each_other_and_undo_only_what_is_theirs() {
        let bench = bench();
        let decided = bench.record(ReviewChoice::Accept).unwrap();
        let lock = bench.folder.path().join(".rounds.lock");
        let held = || FileLock::acquire(&lock, std::time::Duration::ZERO).is_err();
        assert!(held());
        let ended = Review { stage: Stage::Ended { why: "by hand".to_owned() }, ..decided.review.clone() };
        bench.folder.write(&ended).unwrap();
        decided.take_back();
        assert_eq!(bench.folder.read().unwrap().unwrap(), ended);
        drop(decided);
        assert!(!held());
    }
}
