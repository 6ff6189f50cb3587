//! Where the work of a ticket begins: at the operator's HEAD, or on top of what it depends on and what is on no branch of
//! the operator's yet.
//!
//! A ticket runs once the tickets that block it are done; where these were done by agents, their work stands on branches
//! of their own until somebody lands it. Work that began without it would be built on what is about to change.

use git2::{MergeOptions, Oid, Repository, Signature};

use super::commit::Identity;
use super::error::WorktreeError;
use super::kept::nowhere_else;
use super::prepare::find_base;
use super::record::Place;
use crate::plan::ticket::TicketId;

/// What a new worktree starts from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Start<'a> {
    /// The operator's HEAD.
    Head,
    /// Any revision that git understands.
    Revision(&'a str),
    /// The operator's HEAD and the work of these finished tickets, as far as it has not landed.
    On(&'a [TicketId]),
}

/// A commit to start from.
#[derive(Debug)]
pub(super) struct Base {
    pub(super) commit: Oid,
    /// The operator's branch that it belongs to, when there is one.
    pub(super) branch: Option<String>,
    /// Tickets whose work is in it and has not landed.
    pub(super) beneath: Vec<TicketId>,
}

impl Start<'_> {
    /// The commit; made where works have to be joined first. No reference moves.
    pub(super) fn base(self, repo: &Repository, root: &std::path::Path) -> Result<Base, WorktreeError> {
        let tickets = match self {
            Start::Head => &[],
            Start::On(tickets) => tickets,
            Start::Revision(revision) => {
                let (commit, branch) = find_base(repo, Some(revision))?;
                return Ok(Base { commit, branch, beneath: Vec::new() });
            }
        };
        let (head, branch) = find_base(repo, None)?;
        let mut base = Base { commit: head, branch, beneath: Vec::new() };
        for ticket in tickets {
            let Some(tip) = tip_of(repo, root, ticket) else { continue };
            if landed(repo, head, tip).map_err(WorktreeError::git("looking for landed work in", root))? {
                continue;
            }
            base.commit = joined(repo, base.commit, tip, ticket, &base.beneath)?;
            base.beneath.push(ticket.clone());
        }
        Ok(base)
    }
}

/// The commit that the work of a ticket stands at, if it has a branch of its own.
fn tip_of(repo: &Repository, root: &std::path::Path, ticket: &TicketId) -> Option<Oid> {
    let record = Place::of(root, ticket).read().filter(|record| record.worktree.ticket == *ticket)?;
    repo.refname_to_id(&record.worktree.branch_ref()).ok()
}

/// Whether `base` holds all that `tip` does, as the same commits or made again.
///
/// # Errors
/// libgit2's.
pub(super) fn landed(repo: &Repository, base: Oid, tip: Oid) -> Result<bool, git2::Error> {
    if base == tip || repo.graph_descendant_of(base, tip)? {
        return Ok(true);
    }
    let mut walk = repo.revwalk()?;
    walk.push(tip)?;
    walk.hide(base)?;
    let alone = walk.collect::<Result<Vec<Oid>, _>>()?;
    Ok(nowhere_else(repo, &alone, &[base])? == 0)
}

fn joined(
    repo: &Repository,
    base: Oid,
    tip: Oid,
    ticket: &TicketId,
    beneath: &[TicketId],
) -> Result<Oid, WorktreeError> {
    let git =
        |error: git2::Error| WorktreeError::git("joining the work that it depends on in", repo.path())(error);
    if base == tip || repo.graph_descendant_of(base, tip).map_err(git)? {
        return Ok(base);
    }
    if repo.graph_descendant_of(tip, base).map_err(git)? {
        return Ok(tip);
    }
    let find = |id: Oid| repo.find_commit(id).map_err(git);
    let (ours, theirs) = (find(base)?, find(tip)?);
    let mut options = MergeOptions::new();
    options.find_renames(true);
    let mut index = repo.merge_commits(&ours, &theirs, Some(&options)).map_err(git)?;
    if index.has_conflicts() {
        let of = beneath.iter().map(ToString::to_string).collect::<Vec<_>>();
        let with = if of.is_empty() { "your branch".to_owned() } else { of.join(", ") };
        return Err(WorktreeError::Apart { ticket: ticket.to_string(), with });
    }
    let tree = index.write_tree_to(repo).and_then(|tree| repo.find_tree(tree)).map_err(git)?;
    let identity = Identity::default();
    let who = Signature::now(&identity.name, &identity.email).map_err(git)?;
    repo.commit(None, &who, &who, &format!("Start on the work of {ticket}"), &tree, &[&ours, &theirs])
        .map_err(git)
}
