//! Deciding about promotions: landing, rejecting, taking back, and settling what a crash cut off.
//!
//! Every decision is made under the shelf's lock on the record as it is on disk, so that two consoles cannot decide
//! twice. The order of a landing: everything is looked at ([`Decider::prepare`]), the caller runs the checks that are
//! needed and writes the audit, then the move is kept on disk, made, and kept as made ([`Decider::land`]). A process that
//! is killed in between leaves a state that [`Decider::settle`] ends truthfully.

mod error;

use std::path::Path;

use git2::{BranchType, Oid, Repository, Signature};
use jiff::Timestamp;

use super::combine::{Combined, Way, combine, without};
use super::landing::{Move, MoveError, Settled};
use super::record::{Landed, Promotion, State};
use super::request::{Asked, failed};
use super::shelf::Shelf;
use crate::base::paths::ProjectPaths;
use crate::execute::isolation::{self, Identity, WorktreeError};
use crate::plan::settings::{PromotionSettings, Risk};
use crate::plan::ticket::{Status, Ticket};
use crate::verify::gates::{GateReport, Verdict};
use crate::verify::rounds::Review;

pub use error::DecideError;

/// Who decides, and where.
#[derive(Clone, Copy, Debug)]
pub struct Decider<'a> {
    /// Project folder.
    pub root: &'a Path,
    /// What may land.
    pub settings: &'a PromotionSettings,
    /// Who decides.
    pub by: &'a str,
    /// When.
    pub now: Timestamp,
}

/// What a landing would do. Nothing of it was done yet.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    /// The promotion as it is on disk.
    pub promotion: Promotion,
    /// The move of the base.
    pub going: Move,
    /// How the work comes onto it.
    pub way: Way,
}

impl Ready {
    /// Whether what lands was never checked as it lands: the base has moved on.
    pub fn must_be_checked(&self) -> bool {
        matches!(self.way, Way::Rebased | Way::Merged)
    }
}

impl Decider<'_> {
    /// Looks whether `id`, the work of `ticket`, may land, and how. `seen` is what the person had on the screen: the
    /// beginning (seven digits at least) of the commit or of the diff's hash. High-risk work needs the ticket's id as
    /// `word`. Blocking; changes nothing but that a promotion without work left expires.
    ///
    /// # Errors
    /// See [`DecideError`].
    pub fn prepare(
        &self,
        ticket: &Ticket,
        review: Option<&Review>,
        id: &str,
        seen: &str,
        word: Option<&str>,
    ) -> Result<Ready, DecideError> {
        let shelf = Shelf::of(self.root);
        let promotion = landable(read(&shelf, id)?)?;
        if !(begins(&promotion.head, seen) || begins(&promotion.diff.hash, seen)) {
            return Err(DecideError::Unseen { id: id.to_owned(), seen: seen.to_owned() });
        }
        if ticket.status != Status::Done {
            let (ticket, status) = (ticket.id.to_string(), ticket.status.word());
            return Err(DecideError::Unfinished { ticket, status });
        }
        let asked = Asked { root: self.root, settings: self.settings, review, by: self.by, now: self.now };
        let now = asked.look(ticket)?;
        if now.id != promotion.id {
            return Err(DecideError::WentOn { ticket: ticket.id.to_string(), now: now.id });
        }
        let blocked = self.settings.refused.clone().or(now.blocked);
        if let Some(why) = blocked {
            return Err(DecideError::Blocked { id: id.to_owned(), why });
        }
        if now.risk == Risk::High && word != Some(ticket.id.as_str()) {
            return Err(DecideError::Word { id: id.to_owned(), word: ticket.id.to_string() });
        }
        let repo = isolation::operators_repository(self.root)?;
        let git = |source| DecideError::Git { id: id.to_owned(), source };
        let (tip, head) =
            (tip(&repo, &promotion).map_err(git)?, Oid::from_str(&promotion.head).map_err(git)?);
        let who = who().map_err(git)?;
        let message = format!("Merge {}: {}", promotion.ticket, first_line(&promotion.title));
        let Combined { target, way } = combine(&repo, tip, head, self.settings.onto, &who, &message)
            .map_err(|source| DecideError::Combine { id: id.to_owned(), source })?;
        let going =
            Move { branch: promotion.base_branch.clone(), from: tip.to_string(), to: target.to_string() };
        Ok(Ready { promotion, going, way })
    }

    /// Lands what was prepared. `checks` are those of the commit that lands, where [`Ready::must_be_checked`] says so.
    ///
    /// # Errors
    /// See [`DecideError`]; base and work trees are as they were, and the promotion waits as before.
    pub fn land(&self, ready: &Ready, checks: Option<&GateReport>) -> Result<Promotion, DecideError> {
        let id = ready.promotion.id.as_str();
        let blocked = |why: String| Err(DecideError::Blocked { id: id.to_owned(), why });
        if ready.must_be_checked() {
            match checks {
                None => return blocked("the base has moved on, and the result was not checked".to_owned()),
                Some(report) if report.verdict() == Verdict::Failed => {
                    let why = failed(&report.results).unwrap_or_default();
                    return blocked(format!("on the base as it is now, {why}"));
                }
                Some(_) => {}
            }
        }
        let shelf = Shelf::of(self.root);
        let _lock = shelf.lock()?;
        let before = landable(read(&shelf, id)?)?;
        let landed =
            Landed { going: ready.going.clone(), way: ready.way, by: self.by.to_owned(), at: self.now };
        let mut promotion = before.clone();
        if let Some(report) = checks {
            promotion.checks.clone_from(&report.results);
        }
        promotion.note(self.now, self.by, format!("approved, to land on {}", ready.going.branch));
        promotion.state = State::Landing(landed.clone());
        self.keep(&shelf, &promotion)?;
        if let Err(source) = self.go(&ready.going, &format!("koru-tui: land {}", promotion.ticket)) {
            let mut back = before;
            back.note(self.now, self.by, format!("approved, but not landed: {source}"));
            self.keep(&shelf, &back)?;
            return Err(source.of(id));
        }
        promotion.note(self.now, self.by, format!("landed as {}", short(&ready.going.to)));
        promotion.state = State::Applied(landed);
        self.keep(&shelf, &promotion)?;
        Ok(promotion)
    }

    /// Rejects `id` for `reason`. What becomes of the ticket is the caller's.
    ///
    /// # Errors
    /// See [`DecideError`].
    pub fn reject(&self, id: &str, reason: &str) -> Result<Promotion, DecideError> {
        if reason.trim().is_empty() {
            return Err(DecideError::NoReason);
        }
        let shelf = Shelf::of(self.root);
        let _lock = shelf.lock()?;
        let mut promotion = pending(read(&shelf, id)?)?;
        let reason = reason.trim().to_owned();
        promotion.note(self.now, self.by, format!("rejected: {reason}"));
        promotion.state = State::Rejected { reason, by: self.by.to_owned(), at: self.now };
        self.keep(&shelf, &promotion)?;
        Ok(promotion)
    }

    /// Takes `id` back: the base returns to where it was if nobody built on it and nobody else has it, else a commit on
    /// top takes it out again.
    ///
    /// # Errors
    /// See [`DecideError`]; base and work trees are as they were.
    pub fn undo(&self, id: &str) -> Result<Promotion, DecideError> {
        let shelf = Shelf::of(self.root);
        let _lock = shelf.lock()?;
        let before = read(&shelf, id)?;
        let State::Applied(landed) = before.state.clone() else {
            return Err(DecideError::NotApplied { id: id.to_owned(), state: before.state.word() });
        };
        let going = self.way_back(&before, &landed)?;
        let mut promotion = before.clone();
        let what = if going.to == landed.going.from {
            "returns to where it was"
        } else {
            "gets a commit that takes it out"
        };
        promotion.note(self.now, self.by, format!("taken back: {} {what}", going.branch));
        promotion.state =
            State::Undoing { landed: landed.clone(), going: going.clone(), by: self.by.to_owned() };
        self.keep(&shelf, &promotion)?;
        if let Err(source) = self.go(&going, &format!("koru-tui: undo {}", promotion.ticket)) {
            let mut back = before;
            back.note(self.now, self.by, format!("not taken back: {source}"));
            self.keep(&shelf, &back)?;
            return Err(source.of(id));
        }
        promotion.state = State::Undone { landed, back: going, by: self.by.to_owned(), at: self.now };
        self.keep(&shelf, &promotion)?;
        Ok(promotion)
    }

    /// Ends truthfully what a crash cut off in the middle of landing or taking back. Gives what it settled, and what it
    /// could not.
    ///
    /// # Errors
    /// Somebody else decides right now: then nothing is cut off.
    pub fn settle(&self) -> Result<(Vec<Promotion>, Vec<DecideError>), DecideError> {
        let shelf = Shelf::of(self.root);
        let open =
            |promotion: &Promotion| matches!(promotion.state, State::Landing(_) | State::Undoing { .. });
        if !shelf.list().0.iter().any(open) {
            return Ok((Vec::new(), Vec::new()));
        }
        let _lock = shelf.lock()?;
        let (mut settled, mut left) = (Vec::new(), Vec::new());
        for promotion in shelf.list().0.into_iter().filter(open) {
            match self.settle_one(&shelf, promotion) {
                Ok(promotion) => settled.push(promotion),
                Err(error) => left.push(error),
            }
        }
        Ok((settled, left))
    }

    fn settle_one(&self, shelf: &Shelf, mut promotion: Promotion) -> Result<Promotion, DecideError> {
        let going = match &promotion.state {
            State::Landing(landed) => landed.going.clone(),
            State::Undoing { going, .. } => going.clone(),
            _ => return Ok(promotion),
        };
        let log = format!("koru-tui: finish {}", promotion.ticket);
        let settled = self
            .with_repository(|repo, agents, who| going.settle(repo, agents, who, &log))
            .map_err(|source| source.of(&promotion.id))?;
        let (state, what) = match (promotion.state.clone(), settled) {
            (State::Landing(landed), Settled::Made) => {
                (State::Applied(landed), format!("landed as {}, after an interruption", short(&going.to)))
            }
            (State::Landing(_), Settled::NotMade) => {
                (State::Pending, "an interrupted landing came to nothing".to_owned())
            }
            (State::Undoing { landed, going, by }, Settled::Made) => {
                let state = State::Undone { landed, back: going, by, at: self.now };
                (state, "taken back, after an interruption".to_owned())
            }
            (State::Undoing { landed, .. }, Settled::NotMade) => {
                (State::Applied(landed), "an interrupted undo came to nothing".to_owned())
            }
            (state, _) => (state, String::new()),
        };
        promotion.note(self.now, self.by, what);
        promotion.state = state;
        self.keep(shelf, &promotion)?;
        Ok(promotion)
    }

    /// The move that takes a landing back.
    fn way_back(&self, promotion: &Promotion, landed: &Landed) -> Result<Move, DecideError> {
        let id = promotion.id.as_str();
        let git = |source| DecideError::Git { id: id.to_owned(), source };
        let repo = isolation::operators_repository(self.root)?;
        let oid = |text: &str| Oid::from_str(text).map_err(git);
        let (was, landed_at) = (oid(&landed.going.from)?, oid(&landed.going.to)?);
        let branch = landed.going.branch.clone();
        let tip = tip(&repo, promotion).map_err(git)?;
        let from = tip.to_string();
        if tip == landed_at && !published(&repo, landed_at).map_err(git)? {
            return Ok(Move { branch, from, to: was.to_string() });
        }
        if tip != landed_at && !repo.graph_descendant_of(tip, landed_at).map_err(git)? {
            return Err(DecideError::Rewritten { id: id.to_owned(), branch });
        }
        let who = who().map_err(git)?;
        let message = format!(
            "Undo {}: {}\n\nTakes out what landed as {}.",
            promotion.ticket,
            first_line(&promotion.title),
            landed.going.to
        );
        let to = without(&repo, tip, was, landed_at, &who, &message)
            .map_err(|source| DecideError::Combine { id: id.to_owned(), source })?;
        Ok(Move { branch, from, to: to.to_string() })
    }

    fn go(&self, going: &Move, log: &str) -> Result<(), Trouble> {
        self.with_repository(|repo, agents, who| going.make(repo, agents, who, log))
    }

    fn with_repository<T>(
        &self,
        go: impl FnOnce(&Repository, &Path, &Signature<'_>) -> Result<T, MoveError>,
    ) -> Result<T, Trouble> {
        let repo = isolation::operators_repository(self.root)?;
        let root = self.root.canonicalize().unwrap_or_else(|_| self.root.to_path_buf());
        let who = who().map_err(|source| MoveError::Git { branch: "the branch".to_owned(), source })?;
        Ok(go(&repo, &ProjectPaths::new(root).worktrees(), &who)?)
    }

    fn keep(&self, shelf: &Shelf, promotion: &Promotion) -> Result<(), DecideError> {
        shelf.write(promotion).map_err(|source| DecideError::Io {
            id: promotion.id.clone(),
            folder: shelf.folder().to_path_buf(),
            source,
        })
    }
}

/// Why a move was not made.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    #[error(transparent)]
    Move(#[from] MoveError),
}

impl Trouble {
    fn of(self, id: &str) -> DecideError {
        match self {
            Trouble::Worktree(error) => error.into(),
            Trouble::Move(source) => DecideError::Move { id: id.to_owned(), source },
        }
    }
}

fn read(shelf: &Shelf, id: &str) -> Result<Promotion, DecideError> {
    shelf.read(id).map_err(|source| DecideError::Unknown { id: id.to_owned(), source })
}

/// The promotion, if nobody decided about it, or if it was taken back: then it may land once more.
fn landable(promotion: Promotion) -> Result<Promotion, DecideError> {
    if matches!(promotion.state, State::Undone { .. }) { Ok(promotion) } else { pending(promotion) }
}

/// The promotion, if nobody decided about it.
fn pending(promotion: Promotion) -> Result<Promotion, DecideError> {
    let by = match &promotion.state {
        State::Pending => return Ok(promotion),
        State::Landing(landed) | State::Applied(landed) => landed.by.clone(),
        State::Undoing { by, .. } | State::Undone { by, .. } | State::Rejected { by, .. } => by.clone(),
        State::Expired { .. } => "koru-tui".to_owned(),
    };
    Err(DecideError::Decided { id: promotion.id, state: promotion.state.word(), by })
}

fn tip(repo: &Repository, promotion: &Promotion) -> Result<Oid, git2::Error> {
    repo.refname_to_id(&format!("refs/heads/{}", promotion.base_branch))
}

/// Whether somebody else may have it: a remote's branch, as it was seen last, holds it.
fn published(repo: &Repository, commit: Oid) -> Result<bool, git2::Error> {
    for branch in repo.branches(Some(BranchType::Remote))? {
        let (branch, _) = branch?;
        let Some(tip) = branch.get().resolve().ok().and_then(|found| found.target()) else { continue };
        if tip == commit || repo.graph_descendant_of(tip, commit)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn who() -> Result<Signature<'static>, git2::Error> {
    let identity = Identity::default();
    Signature::now(&identity.name, &identity.email)
}

fn begins(whole: &str, text: &str) -> bool {
    text.len() >= 7
        && text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && whole.starts_with(&text.to_ascii_lowercase())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

#[cfg(test)]
mod tests;
