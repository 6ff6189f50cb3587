//! Which two states are compared: a range of the operator's as commits.

use std::path::Path;

use git2::{Oid, Repository};
use serde::{Deserialize, Serialize};

use super::error::DiffError;
use crate::base::paths::ProjectPaths;
use crate::base::regular::{self, Links};
use crate::base::repo::names::safe_component;
use crate::execute::isolation::{self, Worktree};
use crate::plan::ticket::TicketId;
use crate::verify::rounds::{Review, Round};

/// Longest `rounds.json` that is read.
const ROUNDS_LIMIT: u64 = 64 * 1024 * 1024;

/// What is compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "range", rename_all = "snake_case")]
pub enum DiffRange {
    /// Everything on the ticket's branch against the commit that the work began from.
    Whole,
    /// What one round did.
    Round {
        /// Its number, from 1.
        number: u32,
    },
    /// What changed from the end of one round to the end of another.
    Between {
        /// Earlier round; 0 is the commit that the work began from.
        from: u32,
        /// Later round.
        to: u32,
    },
    /// The files of the worktree, committed or not, against the commit that the work began from.
    WorkingTree,
}

/// The two states, with the repository that holds them.
pub(super) struct Ends {
    pub(super) repo: Repository,
    pub(super) base: Oid,
    /// `None` for the files of the worktree.
    pub(super) head: Option<Oid>,
    pub(super) worktree: Option<Worktree>,
}

/// The rounds of a ticket as the disk knows them; `None` when there are none.
///
/// # Errors
/// The file is there and cannot be read.
pub fn rounds_on_disk(root: &Path, ticket: &TicketId) -> Result<Option<Review>, DiffError> {
    let path = ProjectPaths::new(root).loops().join(safe_component(ticket.as_str())).join("rounds.json");
    let fault = |why: String| DiffError::Rounds { path: path.clone(), why };
    let bytes = match regular::read(&path, Links::Refused, ROUNDS_LIMIT) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| fault(error.to_string()))?,
    };
    let review: Review = serde_json::from_slice(&bytes).map_err(|error| fault(error.to_string()))?;
    if review.ticket != *ticket {
        return Err(fault(format!("it is about {}", review.ticket)));
    }
    Ok(Some(review))
}

/// Finds the two states of `range` of `ticket`.
pub(super) fn resolve(
    root: &Path,
    ticket: &TicketId,
    review: Option<&Review>,
    range: &DiffRange,
) -> Result<Ends, DiffError> {
    let worktree = isolation::find(root, ticket);
    let repo = match (&worktree, range) {
        (Some(worktree), DiffRange::WorkingTree) => isolation::repository(worktree)?,
        (None, DiffRange::WorkingTree) if review.is_some() => {
            return Err(DiffError::NoWorktree(ticket.clone()));
        }
        (None, _) if review.is_none() => return Err(DiffError::NoWork(ticket.clone())),
        _ => isolation::operators_repository(root)?,
    };
    let Some(base) = base(worktree.as_ref(), review) else {
        return Err(DiffError::NoWork(ticket.clone()));
    };
    let commit = |name: &str| {
        Oid::from_str(name).and_then(|id| repo.find_commit(id)).map(|commit| commit.id()).map_err(|error| {
            let doing = "finding the commit of a round";
            DiffError::Git { doing, path: repo.path().to_path_buf(), why: error.message().to_owned() }
        })
    };
    let (base, head) = match range {
        DiffRange::WorkingTree => (commit(&base)?, None),
        DiffRange::Whole => {
            let branch = worktree.as_ref().and_then(|worktree| tip(&repo, &worktree.branch_ref()));
            let judged =
                review.and_then(|review| review.rounds.iter().rev().find_map(|round| round.head.clone()));
            let head = match (branch, judged) {
                (Some(head), _) => head,
                (None, Some(judged)) => commit(&judged)?,
                (None, None) => return Err(DiffError::NoWork(ticket.clone())),
            };
            (commit(&base)?, Some(head))
        }
        DiffRange::Round { number } => {
            let round = round(ticket, review, *number)?;
            let head = head(ticket, round)?;
            (commit(&round.from)?, Some(commit(head)?))
        }
        DiffRange::Between { from, to } => {
            let end = |number: u32| match number {
                0 => commit(&base),
                number => commit(head(ticket, round(ticket, review, number)?)?),
            };
            (end(*from)?, Some(end(*to)?))
        }
    };
    Ok(Ends { repo, base, head, worktree })
}

fn base(worktree: Option<&Worktree>, review: Option<&Review>) -> Option<String> {
    let review = review.map(|review| review.base.clone());
    review.filter(|base| !base.is_empty()).or_else(|| worktree.map(|worktree| worktree.base.clone()))
}

fn tip(repo: &Repository, branch: &str) -> Option<Oid> {
    repo.find_reference(branch).and_then(|found| found.peel_to_commit()).ok().map(|commit| commit.id())
}

fn round<'a>(ticket: &TicketId, review: Option<&'a Review>, number: u32) -> Result<&'a Round, DiffError> {
    let rounds = review.map(|review| review.rounds.as_slice()).unwrap_or_default();
    rounds.iter().find(|round| round.number == number).ok_or_else(|| DiffError::NoRound {
        ticket: ticket.clone(),
        number,
        rounds: u32::try_from(rounds.len()).unwrap_or(u32::MAX),
    })
}

fn head<'a>(ticket: &TicketId, round: &'a Round) -> Result<&'a str, DiffError> {
    let none = || DiffError::NoHead { ticket: ticket.clone(), number: round.number };
    round.head.as_deref().ok_or_else(none)
}

/// The project's folder within the repository; empty when the project is the whole of it.
pub(super) fn subfolder(root: &Path, worktree: Option<&Worktree>, repo: &Repository) -> String {
    if let Some(worktree) = worktree {
        return worktree.subfolder.clone();
    }
    let inside = || {
        let (root, top) = (root.canonicalize().ok()?, repo.workdir()?.canonicalize().ok()?);
        Some(root.strip_prefix(top).ok()?.to_string_lossy().into_owned())
    };
    inside().unwrap_or_default()
}
