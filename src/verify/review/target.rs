//! What is to be reviewed: the words of the operator made into two commits.
//!
//! A reference is resolved by libgit2 and never reaches a command line before it was found to name a commit and not to
//! look like an option.

use std::path::{Path, PathBuf};

use git2::{Oid, Repository, RepositoryState, Signature};

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
    #[error("reviewing the working tree failed: {0}")]
    Snapshot(git2::Error),
    #[error("reviewing failed: {0}")]
    Git(#[from] git2::Error),
}

/// Names of base branches, in order of preference.
const BASES: [&str; 4] = ["origin/HEAD", "main", "master", "trunk"];

/// Resolves `target` (nothing is the working tree) against `base`. `pr` is the branch that `gh` named for a pull request.
/// Blocking.
pub(super) fn resolve(
    root: &Path,
    target: Option<&str>,
    pr: Option<&str>,
    base: Option<&str>,
) -> Result<Subject, TargetError> {
    let repo = Repository::discover(root).map_err(|_| TargetError::NoRepository { root: root.to_owned() })?;
    if repo.is_bare() || repo.workdir().is_none() {
        return Err(TargetError::Bare(repo.path().to_owned()));
    }
    if repo.is_empty()? || (target.is_none() && repo.head().is_err()) {
        return Err(TargetError::Unborn);
    }
    let found = match target {
        None => working_tree(&repo)?,
        Some(target) => match ticket(root, target)? {
            Some((ticket, branch, begun)) => {
                let head = commit(&repo, &format!("refs/heads/{branch}"))
                    .map_err(|_| TargetError::NoBranch(ticket.id.clone()))?;
                let base = base.map_or(begun, str::to_owned);
                let found = Found {
                    target: ticket.id.as_str().to_owned(),
                    head_name: branch.clone(),
                    head,
                    branch: Some(branch),
                    ticket: Some(ticket),
                    uncommitted: false,
                };
                return found.against(&repo, &base);
            }
            None => reference(&repo, pr.unwrap_or(target))?,
        },
    };
    let base = match base {
        Some(base) => base.to_owned(),
        None => {
            let there = BASES.iter().find(|name| commit(&repo, name).is_ok());
            (*there.ok_or_else(|| TargetError::NoBase(BASES.join(", ")))?).to_owned()
        }
    };
    found.against(&repo, &base)
}

struct Found {
    target: String,
    head_name: String,
    head: Oid,
    branch: Option<String>,
    ticket: Option<Ticket>,
    uncommitted: bool,
}

impl Found {
    fn against(self, repo: &Repository, base_name: &str) -> Result<Subject, TargetError> {
        let base = named(repo, base_name)?;
        // Two histories without a common commit are compared as they are.
        let base = repo.merge_base(base, self.head).unwrap_or(base);
        Ok(Subject {
            target: self.target,
            head_name: self.head_name,
            head: self.head.to_string(),
            base_name: base_name.to_owned(),
            base: base.to_string(),
            branch: self.branch,
            ticket: self.ticket,
            uncommitted: self.uncommitted,
        })
    }
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
    let head = named(repo, name)?;
    let branch = match name {
        "HEAD" => repo
            .head()
            .ok()
            .filter(git2::Reference::is_branch)
            .and_then(|head| Some(head.shorthand().ok()?.to_owned())),
        _ => repo.find_branch(name, git2::BranchType::Local).is_ok().then(|| name.to_owned()),
    };
    let (target, head_name) = (name.to_owned(), name.to_owned());
    Ok(Found { target, head_name, head, branch, ticket: None, uncommitted: false })
}

/// A commit by a name that the operator, or `gh`, gave.
fn named(repo: &Repository, name: &str) -> Result<Oid, TargetError> {
    let odd = |c: char| c.is_whitespace() || c.is_control();
    if name.is_empty()
        || name.starts_with('-')
        || name.contains(odd)
        || name.contains("..")
        || name.len() > 1000
    {
        return Err(TargetError::BadName(name.to_owned()));
    }
    // A pull request's branch may be known from the remote alone.
    let found =
        commit(repo, name).or_else(|error| commit(repo, &format!("origin/{name}")).map_err(|_| error));
    found.map_err(|error| TargetError::NoCommit { name: name.to_owned(), why: error.message().to_owned() })
}

fn commit(repo: &Repository, name: &str) -> Result<Oid, git2::Error> {
    Ok(repo.revparse_single(name)?.peel_to_commit()?.id())
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
        _ => None,
    };
    if let Some(busy) = busy {
        return Err(TargetError::InProgress(busy));
    }
    let found = reference(repo, "HEAD")?;
    match snapshot(repo, found.head).map_err(TargetError::Snapshot)? {
        Some(head) => Ok(Found { head, uncommitted: true, ..found }),
        None => Ok(found),
    }
}

/// A commit of the working tree on top of `head`; `None` when nothing differs. Neither index nor references are touched.
fn snapshot(repo: &Repository, head: Oid) -> Result<Option<Oid>, git2::Error> {
    let parent = repo.find_commit(head)?;
    let mut index = repo.index()?;
    let modules: Vec<Vec<u8>> = index
        .iter()
        .filter(|entry| entry.mode == u32::from(git2::FileMode::Commit))
        .map(|entry| entry.path)
        .collect();
    let mut keep = |path: &Path, _: &[u8]| -> i32 {
        use std::os::unix::ffi::OsStrExt;
        let ours = path.components().any(|part| part.as_os_str() == ".planfile");
        let module = modules.iter().any(|module| module == path.as_os_str().as_bytes());
        i32::from(ours || module || path.as_os_str().as_bytes().ends_with(b"/"))
    };
    let options = git2::IndexAddOption::DEFAULT | git2::IndexAddOption::DISABLE_PATHSPEC_MATCH;
    index.add_all(["*"], options, Some(&mut keep))?;
    let tree = index.write_tree()?;
    // The operator's index on disk stays as it is; only this handle knows the change.
    index.read(true)?;
    let same = tree == parent.tree_id();
    if same {
        return Ok(None);
    }
    let who = Signature::now("koru-tui", "koru-tui@localhost")?;
    let tree = repo.find_tree(tree)?;
    repo.commit(None, &who, &who, "The working tree, for review\n", &tree, &[&parent]).map(Some)
}

/// Where a reference of the repository is now; `None` when it is not there.
pub(super) fn tip(root: &Path, name: &str) -> Option<String> {
    commit(&Repository::discover(root).ok()?, name).ok().map(|id| id.to_string())
}
