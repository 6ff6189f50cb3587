//! A person's decision on reviewed work, on its way: checked against what was on the screen, written to the audit and to
//! the rounds, and said as a step on the ticket. Blocking; for the console and for verbs alike.
//!
//! The order is fixed: nothing is written before everything was checked, the audit comes first, then the rounds, then the
//! ticket (by the caller). Where the ticket refuses, [`Decided::take_back`] puts the rounds back.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::{Value, json};

use super::agents::rounds_of::add;
use super::launch::{Delegation, ReviewWish};
use super::protocol::review::{Decision, Finding, Review, ReviewChoice, Round, Stage};
use super::reviews::ReviewFolder;
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
    before: Review,
    folder: ReviewFolder,
}

impl Decided {
    /// The ticket refused: the rounds are as before.
    pub(crate) fn take_back(&self) -> Review {
        if let Err(error) = self.folder.write(&self.before) {
            tracing::warn!(%error, "a decision that came to nothing cannot be taken back from the rounds");
        }
        self.before.clone()
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
        let before = folder
            .read()
            .map_err(|error| format!("the rounds of {id} cannot be read: {error}"))?
            .ok_or_else(|| format!("{id} has no rounds to decide on"))?;
        let last = before.rounds.last().ok_or_else(|| format!("{id} has no rounds to decide on"))?;
        self.may_decide(ticket, last)?;
        let mut review = before.clone();
        let (op, then) = self.apply(ticket, last, &mut review, &folder)?;
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
        Ok(Decided { step, review, again, before, folder })
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
        if !is_commit(&self.seen) || !tip.starts_with(&self.seen.to_ascii_lowercase()) {
            let short = |text: &str| text.chars().take(12).collect::<String>();
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
        folder: &ReviewFolder,
    ) -> Result<(Op, Vec<Op>), String> {
        let (actor, head) = (&self.actor, last.head.clone().unwrap_or_else(|| last.from.clone()));
        let short: String = head.chars().take(12).collect();
        Ok(match &self.choice {
            ReviewChoice::Another { fixes } => {
                let queued = folder.queued();
                let all: Vec<Finding> = fixes.iter().chain(&queued).cloned().collect();
                if all.is_empty() {
                    return Err("say what is to be mended in the next round".to_owned());
                }
                let count = all.len();
                let from = isolation::find(&self.root, &ticket.id)
                    .and_then(|worktree| isolation::tip(&worktree).ok())
                    .unwrap_or(head);
                add(review, &from, all);
                let number = review.rounds.last().map_or(1, |round| round.number);
                review.max_rounds = review.max_rounds.max(number);
                if let Err(error) = folder.told(&queued) {
                    tracing::warn!(%error, "findings that are in a round stay in the queue");
                }
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

/// The fix list of a round that the operator's findings begin: with what the last verdict still requires.
pub(crate) fn with_required(review: &Review, findings: Vec<Finding>) -> Vec<Finding> {
    let verdict = review.rounds.last().and_then(|round| round.verdict.as_ref());
    let required = verdict.filter(|verdict| verdict.decision == Decision::ChangesRequired);
    let mut all = required.map(|verdict| verdict.findings.clone()).unwrap_or_default();
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

fn is_commit(text: &str) -> bool {
    text.len() >= 7 && text.len() <= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}
