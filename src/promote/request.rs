//! Making the promotion of a ticket's work: what would land, as it is now.
//!
//! Asked for twice, it is the same one; work that went on since makes another and lets the old one expire. Everything is
//! read from the repository's objects and the records on disk: no work tree is looked at.

use std::path::Path;

use git2::{Diff, DiffOptions, Oid, Repository};
use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::record::{DiffMark, FORMAT, Promotion, State, VerdictMark};
use super::scope;
use super::shelf::Shelf;
use crate::base::lock::LockError;
use crate::base::repo::names::safe_component;
use crate::execute::agents::tally::Cost;
use crate::execute::isolation::{self, Worktree, WorktreeError};
use crate::plan::settings::PromotionSettings;
use crate::plan::ticket::{Ticket, TicketId};
use crate::verify::finding::Source;
use crate::verify::gates::{GateReport, GateResult, GateState};
use crate::verify::rounds::{Part, Review, Round};

/// Paths that a promotion names.
const PATHS: usize = 500;

/// Digits of the commit in its name.
const DIGITS: usize = 12;

/// Why there is nothing to land.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// No agent worked on it.
    #[error("{ticket} has no branch of its own to land; only the work of an agent is promoted")]
    NoWork {
        /// Ticket.
        ticket: String,
    },
    /// The branch is gone.
    #[error("the branch {branch} of {ticket} is gone")]
    NoBranch {
        /// Ticket.
        ticket: String,
        /// Branch.
        branch: String,
    },
    /// No branch to land on.
    #[error(
        "{ticket} was begun from a bare commit, so it is not known where it lands; name the branch as promotion.base in \
         .planfile/.koru/config.yaml"
    )]
    NoBase {
        /// Ticket.
        ticket: String,
    },
    /// The base branch is gone.
    #[error(
        "the branch {branch} that {ticket} is to land on does not exist; name another as promotion.base in .planfile/.koru/config.yaml"
    )]
    BaseGone {
        /// Ticket.
        ticket: String,
        /// Base branch.
        branch: String,
    },
    /// Everything is on the base branch, or nothing was changed.
    #[error("nothing of {ticket} is left to land on {branch}")]
    Nothing {
        /// Ticket.
        ticket: String,
        /// Base branch.
        branch: String,
    },
    /// The worktree's record or repository cannot be used.
    #[error(transparent)]
    Worktree(#[from] WorktreeError),
    /// git failed.
    #[error("git could not read the work of {ticket}: {source}")]
    Git {
        /// Ticket.
        ticket: String,
        /// Why.
        source: git2::Error,
    },
    /// Somebody else decides.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// It cannot be kept.
    #[error("keeping the promotion of {ticket} in {} failed: {source}", folder.display())]
    Io {
        /// Ticket.
        ticket: String,
        /// Folder.
        folder: std::path::PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

/// Who asks, and what is known of the work.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Project folder.
    pub root: &'a Path,
    /// What may land.
    pub settings: &'a PromotionSettings,
    /// The rounds, if it was worked in rounds.
    pub review: Option<&'a Review>,
    /// Who asks.
    pub by: &'a str,
    /// When.
    pub now: Timestamp,
}

impl Asked<'_> {
    /// The promotion of `ticket`'s work as it is now, kept on disk: the one that is there, else a new one. What the rules,
    /// checks and rounds say of one that waits is what they say now, and one of which nothing is left expires.
    ///
    /// Blocking.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn request(&self, ticket: &Ticket) -> Result<Promotion, RequestError> {
        let shelf = Shelf::of(self.root);
        let made = match self.look(ticket) {
            Err(nothing @ RequestError::Nothing { .. }) => {
                // Seldom any waits: only then somebody else is kept from deciding.
                if shelf.list().0.iter().any(|one| waits(one, ticket)) {
                    let _lock = shelf.lock()?;
                    self.expire(&shelf, shelf.list().0, ticket, &nothing.to_string())?;
                }
                return Err(nothing);
            }
            made => made?,
        };
        let io = |source| RequestError::Io {
            ticket: ticket.id.to_string(),
            folder: shelf.folder().to_path_buf(),
            source,
        };
        let _lock = shelf.lock()?;
        let (known, _) = shelf.list();
        if let Some(same) = known.iter().find(|promotion| promotion.id == made.id) {
            let now = newly_judged(same, made);
            if now != *same {
                shelf.write(&now).map_err(io)?;
            }
            return Ok(now);
        }
        shelf.write(&made).map_err(io)?;
        self.expire(&shelf, known, ticket, &format!("the work went on to {}", made.id))?;
        Ok(made)
    }

    /// What waits of a ticket does so no more.
    fn expire(
        &self,
        shelf: &Shelf,
        known: Vec<Promotion>,
        ticket: &Ticket,
        why: &str,
    ) -> Result<(), RequestError> {
        for mut older in known.into_iter().filter(|one| waits(one, ticket)) {
            older.note(self.now, self.by, why);
            older.state = State::Expired { why: why.to_owned(), at: self.now };
            shelf.write(&older).map_err(|source| RequestError::Io {
                ticket: ticket.id.to_string(),
                folder: shelf.folder().to_path_buf(),
                source,
            })?;
        }
        Ok(())
    }

    /// The same without keeping it.
    ///
    /// # Errors
    /// See [`RequestError`].
    pub fn look(&self, ticket: &Ticket) -> Result<Promotion, RequestError> {
        let id = ticket.id.to_string();
        let root = self.root.canonicalize().unwrap_or_else(|_| self.root.to_path_buf());
        let worktree =
            isolation::known(&root, &ticket.id).ok_or_else(|| RequestError::NoWork { ticket: id.clone() })?;
        let repo = isolation::operators_repository(&root)?;
        let base_branch = self
            .settings
            .base
            .clone()
            .or_else(|| isolation::base_branch(&root, &ticket.id))
            .ok_or_else(|| RequestError::NoBase { ticket: id.clone() })?;
        let head = repo
            .refname_to_id(&worktree.branch_ref())
            .map_err(|_| RequestError::NoBranch { ticket: id.clone(), branch: worktree.branch.clone() })?;
        let tip = repo
            .refname_to_id(&format!("refs/heads/{base_branch}"))
            .map_err(|_| RequestError::BaseGone { ticket: id.clone(), branch: base_branch.clone() })?;
        let git = |source| RequestError::Git { ticket: id.clone(), source };
        let base = repo.merge_base(tip, head).map_err(git)?;
        let diff = mark(&repo, base, head).map_err(git)?;
        if base == head || diff.files == 0 {
            return Err(RequestError::Nothing { ticket: id, branch: base_branch });
        }
        let mut made = self.filled(ticket, &worktree, base_branch, base, head, diff);
        let beneath = isolation::beneath(&root, &ticket.id, tip)?;
        if !beneath.is_empty() {
            let names: Vec<String> = beneath.iter().map(ToString::to_string).collect();
            let why =
                format!("it is built on {}, which has not landed yet; land that first", names.join(", "));
            made.blocked = made.blocked.or(Some(why));
        }
        Ok(made)
    }

    fn filled(
        &self,
        ticket: &Ticket,
        worktree: &Worktree,
        base_branch: String,
        base: Oid,
        head: Oid,
        mut diff: DiffMark,
    ) -> Promotion {
        let head = head.to_string();
        let paths: Vec<String> = diff
            .paths
            .iter()
            .map(|path| worktree.in_project(path).unwrap_or(path).to_owned())
            .chain(ticket.files.iter().cloned())
            .collect();
        let scope = scope::judge(self.settings, scope::declared(ticket, self.settings), &paths);
        // The rules were asked about all of them; the record names as many as anybody reads.
        diff.paths.truncate(PATHS);
        let round = self.review.and_then(|review| {
            review.rounds.iter().rev().find(|round| round.head.as_deref() == Some(head.as_str()))
        });
        let checks = round.map_or_else(|| checks_of(ticket, &head), |round| round.gates.clone());
        let blocked = scope.refused.map(|outside| outside.to_string()).or_else(|| failed(&checks));
        let mut promotion = Promotion {
            format: FORMAT,
            id: name_of(&ticket.id, &head),
            ticket: ticket.id.clone(),
            title: ticket.name.to_string(),
            created_at: self.now,
            branch: worktree.branch.clone(),
            base_branch,
            base: base.to_string(),
            head,
            diff,
            checks,
            verdict: round.and_then(verdict),
            risk: scope.risk,
            reasons: scope.reasons,
            blocked,
            cost: self.review.and_then(cost).or_else(|| cost_of(ticket)),
            state: State::Pending,
            history: Vec::new(),
        };
        promotion.note(self.now, self.by, "requested");
        promotion
    }
}

fn waits(promotion: &Promotion, ticket: &Ticket) -> bool {
    promotion.ticket == ticket.id && promotion.state == State::Pending
}

/// The name of the promotion of a ticket's work at a commit (40 hexadecimal digits).
pub fn name_of(ticket: &TicketId, head: &str) -> String {
    format!("{}.{}", safe_component(ticket.as_str()), head.get(..DIGITS).unwrap_or(head))
}

/// One that waits, with what is said of it now; what was decided stays as it was decided on.
fn newly_judged(known: &Promotion, now: Promotion) -> Promotion {
    if known.state != State::Pending {
        return known.clone();
    }
    Promotion {
        risk: now.risk,
        reasons: now.reasons,
        blocked: now.blocked,
        checks: now.checks,
        verdict: now.verdict,
        cost: now.cost,
        ..known.clone()
    }
}

/// Why failed checks block it, if they do.
pub(super) fn failed(checks: &[GateResult]) -> Option<String> {
    let failed = checks.iter().find(|check| matches!(check.state, GateState::Failed { .. }))?;
    Some(format!("the check {} failed; let the work be mended first", failed.gate))
}

/// What the ticket's result says of the gates, if it speaks of this commit.
fn checks_of(ticket: &Ticket, head: &str) -> Vec<GateResult> {
    let Some(result) = ticket.outputs.result.as_ref().and_then(serde_json::Value::as_object) else {
        return Vec::new();
    };
    if result.get("commit").and_then(serde_json::Value::as_str) != Some(head) {
        return Vec::new();
    }
    let gates = result.get("gates").cloned().unwrap_or_default();
    serde_json::from_value::<GateReport>(serde_json::json!({ "results": gates }))
        .map(|report| report.results)
        .unwrap_or_default()
}

fn cost_of(ticket: &Ticket) -> Option<Cost> {
    let result = ticket.outputs.result.as_ref()?.as_object()?;
    serde_json::from_value(result.get("cost")?.clone()).ok()
}

fn verdict(round: &Round) -> Option<VerdictMark> {
    let verdict = round.verdict.as_ref()?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let by = match &verdict.by {
        Source::Reviewer { name } => name.clone(),
        Source::Operator { actor } => actor.clone(),
        Source::Gate { gate } => gate.clone(),
    };
    Some(VerdictMark {
        decision: verdict.decision,
        by,
        round: round.number,
        blocking: count(verdict.blockers().count()),
        findings: count(verdict.findings.len()),
    })
}

/// What all rounds cost together; estimated as soon as one of them is.
fn cost(review: &Review) -> Option<Cost> {
    let parts = review.rounds.iter().flat_map(|round| [round.worker.as_ref(), round.reviewer.as_ref()]);
    let costs = parts.flatten().filter_map(|part: &Part| part.cost);
    costs.reduce(|a, b| Cost { usd: a.usd + b.usd, estimated: a.estimated || b.estimated })
}

/// The change between two commits. The hash covers what is in the trees and nothing of how a diff is shown.
///
/// # Errors
/// libgit2's.
pub fn mark(repo: &Repository, base: Oid, head: Oid) -> Result<DiffMark, git2::Error> {
    let tree = |id: Oid| repo.find_commit(id)?.tree();
    let mut options = DiffOptions::new();
    options.include_typechange(true).ignore_submodules(false);
    let diff = repo.diff_tree_to_tree(Some(&tree(base)?), Some(&tree(head)?), Some(&mut options))?;
    let stats = diff.stats()?;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Ok(DiffMark {
        hash: hash(&diff),
        files: count(diff.deltas().len()),
        added: count(stats.insertions()),
        removed: count(stats.deletions()),
        paths: paths(&diff),
    })
}

fn hash(diff: &Diff<'_>) -> String {
    let mut rows: Vec<Vec<u8>> = diff
        .deltas()
        .map(|delta| {
            let mut row = Vec::new();
            for side in [delta.old_file(), delta.new_file()] {
                row.extend_from_slice(side.path_bytes().unwrap_or_default());
                row.push(0);
                row.extend_from_slice(&u32::from(side.mode()).to_be_bytes());
                row.extend_from_slice(side.id().as_bytes());
            }
            row
        })
        .collect();
    rows.sort();
    let mut digest = Sha256::new();
    for row in rows {
        digest.update(u64::try_from(row.len()).unwrap_or(u64::MAX).to_be_bytes());
        digest.update(&row);
    }
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn paths(diff: &Diff<'_>) -> Vec<String> {
    let mut paths: Vec<String> = diff
        .deltas()
        .filter_map(|delta| {
            delta.new_file().path_bytes().or(delta.old_file().path_bytes()).map(<[u8]>::to_vec)
        })
        .map(|path| String::from_utf8_lossy(&path).into_owned())
        .collect();
    paths.sort();
    paths
}
