//! What is to be reviewed: the words of the operator made into two commits.
//!
//! A reference is resolved by libgit2 and never reaches a command line before it was found to name a commit and not to
//! look like an option.

use std::path::{Path, PathBuf};

use git2::{BranchType, Oid, Repository, RepositoryState};

use super::pulls::{Pull, PullError};
use super::snapshot::{self, SnapshotError};
use crate::execute::isolation;
use crate::plan::store::Store;
use crate::plan::ticket::{Ticket, TicketId};

/// What is compared.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    /// What it is called: the reference, or the ticket's id.
    pub(super) target: String,
    /// A name of the head that git understands.
    pub(super) head_name: String,
    /// Commit that is judged.
    pub(super) head: String,
    /// What it is compared with, by name.
    pub(super) base_name: String,
    /// Commit that it is compared with: where the two parted.
    pub(super) base: String,
    /// Local branch that the head is the tip of.
    pub(super) branch: Option<String>,
    /// The ticket, when it is one's branch.
    pub(super) ticket: Option<Ticket>,
    /// The head is a snapshot of the operator's working tree.
    pub(super) uncommitted: bool,
    /// What the operator should know about all of it, in sentences (foreign text).
    pub(super) notes: Vec<String>,
}

/// Why there is nothing that could be reviewed.
#[derive(Debug, thiserror::Error)]
pub(super) enum TargetError {
    #[error("reviewing failed: {root} is in no git repository; run `git init` and commit once")]
    NoRepository { root: PathBuf },
    #[error("reviewing failed: {0} is a bare repository; use a checkout of it as the project")]
    Bare(PathBuf),
    #[error("reviewing failed: there is no commit yet; commit once")]
    Unborn,
    #[error(
        "reviewing failed: {0:?} is no name of a branch, commit or ticket; such names begin with no `-` and hold no spaces"
    )]
    BadName(String),
    #[error(
        "reviewing failed: {name:?} names no commit here ({why}); fetch it, or name a branch, commit or ticket"
    )]
    NoCommit { name: String, why: String },
    #[error("reviewing failed: no base branch was found (looked for {0}); name one with --base")]
    NoBase(String),
    #[error("reviewing failed: no agent has worked on {0} yet: it has no branch")]
    NoBranch(TicketId),
    #[error("reviewing failed: a {0} is in progress; finish or abort it, or name what to review")]
    InProgress(&'static str),
    #[error("reviewing failed: {0:?} is a branch and a tag, and they differ; say heads/{0} or tags/{0}")]
    Ambiguous(String),
    #[error(
        "reviewing failed: {number} is no ticket, branch or commit here, nor known as a pull request: {why}"
    )]
    NoPull { number: String, why: PullError },
    #[error(
        "reviewing failed: the newest commit of pull request {number}, {head:?}, is not here; \
         `git fetch origin pull/{number}/head` brings it"
    )]
    NotFetched { number: String, head: String },
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("reviewing failed: {0}")]
    Git(#[from] git2::Error),
}

/// Names of base branches, in order of preference.
const BASES: [&str; 4] = ["origin/HEAD", "main", "master", "trunk"];

/// Resolves `target` (nothing is the working tree) against `base`. `pull` is what `gh` said of a number. Blocking.
pub(super) fn resolve(
    root: &Path,
    target: Option<&str>,
    pull: Option<&Result<Pull, PullError>>,
    base: Option<&str>,
) -> Result<Subject, TargetError> {
    let repo = Repository::discover(root).map_err(|_| TargetError::NoRepository { root: root.to_owned() })?;
    if repo.is_bare() || repo.workdir().is_none() {
        return Err(TargetError::Bare(repo.path().to_owned()));
    }
    if repo.is_empty()? || (target.is_none() && repo.head().is_err()) {
        return Err(TargetError::Unborn);
    }
    let found = match (target, pull) {
        (None, _) => working_tree(&repo)?,
        (Some(target), pull) => match (ticket(root, target)?, pull) {
            (Some(of_ticket), _) => return of_its_ticket(&repo, of_ticket, base),
            (None, Some(Ok(pull))) => of_pull(&repo, pull)?,
            (None, Some(Err(why))) => reference(&repo, target).map_err(|error| match error {
                TargetError::NoCommit { name, .. } => TargetError::NoPull { number: name, why: why.clone() },
                other => other,
            })?,
            (None, None) => reference(&repo, target)?,
        },
    };
    let into = pull.and_then(|pull| pull.as_ref().ok()?.base.as_deref());
    let base = match base {
        Some(base) => base.to_owned(),
        None => default_base(&repo, into)?,
    };
    found.against(&repo, &base)
}

/// What a pull request goes into, else the repository's base branch. The remote's own branch is preferred for the former:
/// it is what the host compares with.
fn default_base(repo: &Repository, into: Option<&str>) -> Result<String, TargetError> {
    let into = into.map(|into| [format!("origin/{into}"), into.to_owned()]);
    let names = into.into_iter().flatten().chain(BASES.map(str::to_owned));
    let mut there = names.filter(|name| named(repo, name).is_ok());
    there.next().ok_or_else(|| TargetError::NoBase(BASES.join(", ")))
}

/// What is reviewed, before it is known what it is compared with.
struct Found {
    target: String,
    head_name: String,
    head: Oid,
    branch: Option<String>,
    ticket: Option<Ticket>,
    uncommitted: bool,
    notes: Vec<String>,
}

impl Found {
    fn against(self, repo: &Repository, base: &str) -> Result<Subject, TargetError> {
        let (base, base_name) = named(repo, base)?;
        // Two histories without a common commit are compared as they are.
        let base = repo.merge_base(base, self.head).unwrap_or(base);
        Ok(Subject {
            target: self.target,
            head_name: self.head_name,
            head: self.head.to_string(),
            base_name,
            base: base.to_string(),
            branch: self.branch,
            ticket: self.ticket,
            uncommitted: self.uncommitted,
            notes: self.notes,
        })
    }
}

fn of_its_ticket(
    repo: &Repository,
    (ticket, branch, begun): (Ticket, String, String),
    base: Option<&str>,
) -> Result<Subject, TargetError> {
    let head = commit(repo, &format!("refs/heads/{branch}"));
    let head = head.map_err(|_| TargetError::NoBranch(ticket.id.clone()))?;
    let found = Found {
        target: ticket.id.as_str().to_owned(),
        head_name: branch.clone(),
        head,
        branch: Some(branch),
        ticket: Some(ticket),
        uncommitted: false,
        notes: Vec::new(),
    };
    found.against(repo, base.unwrap_or(&begun))
}

/// The newest commit of a pull request: what the host has, which the branch of that name here may not be.
fn of_pull(repo: &Repository, pull: &Pull) -> Result<Found, TargetError> {
    let Some(named_head) = &pull.head else { return reference(repo, &pull.branch) };
    plain(&pull.branch)?;
    let absent = || TargetError::NotFetched { number: pull.number.clone(), head: named_head.clone() };
    let id = Oid::from_str(named_head).map_err(|_| absent())?;
    let head = repo.find_commit(id).map_err(|_| absent())?.id();
    let local = commit(repo, &format!("refs/heads/{}", pull.branch)).ok();
    let elsewhere = local.filter(|tip| *tip != head);
    let note = elsewhere.map(|_| {
        let Pull { number, branch, .. } = pull;
        format!(
            "the branch {branch} here is not at the newest commit of pull request {number}; that is reviewed"
        )
    });
    let ours = local == Some(head);
    Ok(Found {
        target: pull.branch.clone(),
        head_name: if ours { pull.branch.clone() } else { head.to_string() },
        head,
        branch: ours.then(|| pull.branch.clone()),
        ticket: None,
        uncommitted: false,
        notes: note.into_iter().collect(),
    })
}

/// The ticket of that id, with its branch and the commit that its work began from.
fn ticket(root: &Path, target: &str) -> Result<Option<(Ticket, String, String)>, TargetError> {
    let id = TicketId::new(target);
    let ticket = Store::open(root).ok().and_then(|store| store.plan().ticket(&id).cloned());
    let Some(ticket) = ticket else { return Ok(None) };
    let known = isolation::known(root, &id).ok_or(TargetError::NoBranch(id))?;
    Ok(Some((ticket.as_ref().clone(), known.branch, known.base)))
}

fn reference(repo: &Repository, name: &str) -> Result<Found, TargetError> {
    let (head, head_name) = named(repo, name)?;
    let branch = match name {
        "HEAD" => repo
            .head()
            .ok()
            .filter(git2::Reference::is_branch)
            .and_then(|head| Some(head.shorthand().ok()?.to_owned())),
        _ => {
            let short = name.strip_prefix("refs/").unwrap_or(name);
            let short = short.strip_prefix("heads/").unwrap_or(name);
            repo.find_branch(short, BranchType::Local).is_ok().then(|| short.to_owned())
        }
    };
    let (target, notes) = (name.to_owned(), Vec::new());
    Ok(Found { target, head_name, head, branch, ticket: None, uncommitted: false, notes })
}

/// Whether a name may be given to git at all.
fn plain(name: &str) -> Result<(), TargetError> {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    let bad = name.is_empty()
        || name.starts_with('-')
        || name.contains(odd)
        || name.contains("..")
        || name.len() > 1000;
    if bad { Err(TargetError::BadName(name.to_owned())) } else { Ok(()) }
}

/// A commit by a name that the operator, or `gh`, gave, and the name under which git knows it.
fn named(repo: &Repository, name: &str) -> Result<(Oid, String), TargetError> {
    plain(name)?;
    // git would take the tag and warn; a review of the wrong one helps nobody.
    let kinds = ["refs/heads/", "refs/tags/"].map(|kind| commit(repo, &format!("{kind}{name}")).ok());
    if let [Some(branch), Some(tag)] = kinds
        && branch != tag
    {
        return Err(TargetError::Ambiguous(name.to_owned()));
    }
    let why = match commit(repo, name) {
        Ok(found) => return Ok((found, name.to_owned())),
        Err(error) => error.message().to_owned(),
    };
    // A branch may be known from the remote alone.
    let remote = format!("origin/{name}");
    match commit(repo, &remote) {
        Ok(found) => Ok((found, remote)),
        Err(_) => Err(TargetError::NoCommit { name: name.to_owned(), why }),
    }
}

fn commit(repo: &Repository, name: &str) -> Result<Oid, git2::Error> {
    Ok(repo.revparse_single(name)?.peel_to_commit()?.id())
}

/// How base and head are called for a program that resolves the names again, in a worktree of its own.
///
/// A name that a worktree has for itself (`HEAD`, `main@{1}`, `HEAD~1`) means something else there, and a branch may have
/// moved since: whatever is not a branch or tag that still means the judged commits goes as the commit's own name.
pub(super) fn as_given(root: &Path, subject: &Subject) -> (String, String) {
    let names = || -> Result<(bool, bool), git2::Error> {
        let repo = Repository::discover(root)?;
        let (base, head) = (Oid::from_str(&subject.base)?, Oid::from_str(&subject.head)?);
        let of = |name: &str| if lasting(&repo, name) { commit(&repo, name).ok() } else { None };
        let parted = of(&subject.base_name).map(|tip| repo.merge_base(tip, head).unwrap_or(tip));
        Ok((parted == Some(base), of(&subject.head_name) == Some(head)))
    };
    let (base, head) = names().unwrap_or_default();
    let name = |kept: bool, name: &str, id: &str| if kept { name.to_owned() } else { id.to_owned() };
    (name(base, &subject.base_name, &subject.base), name(head, &subject.head_name, &subject.head))
}

/// Whether a name is that of a branch or tag, in git's order of looking: those are the same in every worktree.
fn lasting(repo: &Repository, name: &str) -> bool {
    let shared =
        |full: &str| ["refs/heads/", "refs/tags/", "refs/remotes/"].iter().any(|kind| full.starts_with(kind));
    let folders = ["", "refs/", "refs/tags/", "refs/heads/", "refs/remotes/"];
    let found = folders.iter().find_map(|folder| repo.find_reference(&format!("{folder}{name}")).ok());
    found.is_some_and(|found| {
        let of_its_own = |name: &[u8]| std::str::from_utf8(name).is_ok_and(shared);
        of_its_own(found.name_bytes()) && found.symbolic_target_bytes().is_none_or(of_its_own)
    })
}

/// Where a reference of the repository is now; `None` when it is not there.
pub(super) fn tip(root: &Path, name: &str) -> Option<String> {
    commit(&Repository::discover(root).ok()?, name).ok().map(|id| id.to_string())
}

/// The files that the commit `id` stands for, as the name of their tree.
pub(super) fn tree(root: &Path, id: &str) -> Option<Oid> {
    let repo = Repository::discover(root).ok()?;
    Some(repo.find_commit(Oid::from_str(id).ok()?).ok()?.tree_id())
}

/// HEAD, with what is not committed as a commit of its own that no reference names.
fn working_tree(repo: &Repository) -> Result<Found, TargetError> {
    let busy = match repo.state() {
        RepositoryState::Merge => Some("merge"),
        RepositoryState::Rebase | RepositoryState::RebaseInteractive | RepositoryState::RebaseMerge => {
            Some("rebase")
        }
        RepositoryState::CherryPick | RepositoryState::CherryPickSequence => Some("cherry-pick"),
        RepositoryState::Revert | RepositoryState::RevertSequence => Some("revert"),
        RepositoryState::ApplyMailbox | RepositoryState::ApplyMailboxOrRebase => Some("git am"),
        RepositoryState::Clean | RepositoryState::Bisect => None,
    };
    if let Some(busy) = busy {
        return Err(TargetError::InProgress(busy));
    }
    let found = reference(repo, "HEAD")?;
    let taken = snapshot::take(repo, found.head)?;
    Ok(match taken.commit {
        Some(head) => Found { head, uncommitted: true, notes: taken.notes, ..found },
        None => Found { notes: taken.notes, ..found },
    })
}
