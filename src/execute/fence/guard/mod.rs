//! Finding what a run did to the repository, and putting it back (DESIGN §5, layer 2).
//!
//! Hooks can be gone round (`git -c core.hooksPath=…`, plumbing, a cleared environment, files written by hand), so every
//! reference is noted before a run and compared after it. The operator, other runs and other tools work in the same
//! repository meanwhile, and what *they* did must stay. The decision, for each reference that differs:
//!
//! 1. Behind the kernel's fence the run can only have written where it was let; anything else was somebody else.
//! 2. The ticket's own branch and the worktree's own HEAD are nobody else's business: their change is the run's.
//! 3. A reflog entry in the run's own name (every git of the run gets a committer address of its own) is the run's;
//!    one in another name is not, unless the reference names a commit that only this run can have made.
//! 4. A branch that changed without a reflog entry, a reference that says something no git would write, and a branch
//!    that has gone while its reflog is still there were written by hand: no tool does that in daily work, so they are
//!    laid at the run's door.
//! 5. What is left (a tag without a reflog on an old commit, a branch that was deleted without a trace) cannot be told
//!    apart from the operator's doing. It is reported with its hashes and left alone.
//!
//! What is put back is put back under the reference's lock, only from the very value that was judged, with a reflog entry.
//! Commits are never lost by it: they stay in the object database and in the breach's evidence. HEAD of the operator's
//! checkout is put back only when it was written by hand; after a real switch its files belong to the other branch.
//! Configuration and hooks of the repository cannot be laid at anybody's door; changes there that make git run programs
//! are a breach that is not undone, others are reported. Behind the kernel's fence none of them can be the run's.
//!
//! While the run works the same judgement is asked for with [`Guard::look`], which puts nothing back: what is certainly
//! the run's against the policy stops it in the middle ([`super::watch`]). Configuration and hooks are left to the end,
//! since they may be the operator's.

mod culprit;
mod files;
mod own;
mod references;
mod undo;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use git2::{Oid, Repository};

use super::denied::Denials;
use super::hooks::HookFolder;
use super::{Breach, FenceRequest, Refusal, Settlement, judge};
use crate::base::repo::refs::{self, LogEntry, RefValue, Refs};
use crate::execute::isolation::{self, Worktree, standing};
use crate::plan::policy::Policy;
use culprit::log_path;

/// Most things that changed meanwhile which are told one by one.
const TOLD: usize = 40;

/// Knows how references, links and configuration stood before the run.
#[derive(Clone, Debug)]
pub struct Guard {
    pub(super) worktree: Worktree,
    pub(super) policy: Policy,
    /// The shared `.git` folder.
    pub(super) common: PathBuf,
    /// Where the run could write; empty without the kernel's fence.
    pub(super) writable: Vec<PathBuf>,
    /// Committer address of the run.
    who: String,
    pub(super) hooks: HookFolder,
    /// Refusals of the hooks, and of the kernel, that were told before.
    told: [usize; 2],
    before: Refs,
    /// Newest reflog entry of each HEAD: a HEAD that changes without a new one was written by hand.
    heads: Vec<(String, Option<LogEntry>)>,
    files: files::Files,
}

/// One reference that differs.
struct Difference<'a> {
    name: &'a str,
    before: Option<&'a RefValue>,
    after: Option<&'a RefValue>,
}

/// A breach, and what puts it back.
struct Finding<'a> {
    breach: Breach,
    act: Act<'a>,
}

/// What puts a breach back.
enum Act<'a> {
    /// HEAD of the worktree goes on the ticket's branch.
    Head,
    /// The ticket's branch goes from this value to that.
    Branch { now: Option<RefValue>, to: Oid },
    /// The reference gets its old value.
    PutBack { difference: Difference<'a>, log: Vec<LogEntry>, rule: &'static str },
}

impl Guard {
    pub(super) fn new(
        request: &FenceRequest<'_>,
        common: &Path,
        writable: &[PathBuf],
        who: String,
        hooks: HookFolder,
    ) -> Guard {
        let before = refs::read_all(common);
        Guard {
            worktree: request.worktree.clone(),
            policy: request.policy.clone(),
            common: common.to_path_buf(),
            writable: writable.to_vec(),
            who,
            hooks,
            told: [0, 0],
            heads: heads(common, &before),
            before,
            files: files::Files::read(common, &request.worktree.path),
        }
    }

    /// The same guard for what the run does from now on: everything counts as it stands now, the runtime's own commit
    /// among it. Call after [`Guard::settle`]. Reads files: blocking.
    #[must_use]
    pub fn anew(&self) -> Guard {
        let before = refs::read_all(&self.common);
        Guard {
            told: self.refusals().map(|refusals| refusals.len()),
            heads: heads(&self.common, &before),
            before,
            files: files::Files::read(&self.common, &self.worktree.path),
            ..self.clone()
        }
    }

    /// Names of the references that are there before the run.
    pub(super) fn known(&self) -> impl Iterator<Item = String> {
        self.before.keys().filter(|name| name.starts_with("refs/")).cloned()
    }

    /// Compares with how everything stood and puts back what the run changed against the policy. Call when every process
    /// of the run is gone, before [`crate::execute::isolation::commit_all`].
    pub fn settle(&self) -> Settlement {
        let new = self.refusals().into_iter().zip(self.told);
        let refused = new.flat_map(|(refusals, told)| refusals.into_iter().skip(told)).collect();
        let mut found = Settlement { refused, ..Settlement::default() };
        self.mend_links(&mut found);
        match Repository::open(&self.common) {
            Ok(repo) => self.references(&repo, &mut found),
            Err(error) => found.breaches.push(Breach {
                rule: "git_config".to_owned(),
                what: "the repository cannot be opened any more, so references could not be compared"
                    .to_owned(),
                evidence: error.message().to_owned(),
                undone: false,
            }),
        }
        self.files.compare_ours(&mut found);
        if self.could_write("config") {
            self.files.compare(&self.common, &mut found);
        }
        let told = found.meanwhile.len();
        if told > TOLD {
            found.meanwhile.truncate(TOLD);
            found.meanwhile.push(format!("and {} more references changed meanwhile", told - TOLD));
        }
        found
    }

    /// What the run has done against the policy by now, as [`Guard::settle`] would judge it; nothing is put back. For
    /// while it works: a git that is in the middle of something may look odd for a moment, so only what two looks agree
    /// on counts. Blocking.
    pub fn look(&self) -> Vec<Breach> {
        let mut found: Vec<Breach> = self.link_breach().into_iter().collect();
        let after = refs::read_all(&self.common);
        let differences = self.differences(&after);
        if !differences.is_empty()
            && let Ok(repo) = Repository::open(&self.common)
        {
            let findings = self.findings(&repo, &after, differences, &mut Vec::new());
            found.extend(findings.into_iter().map(|finding| finding.breach));
        }
        found
    }

    /// Which of `paths` (from the top of the worktree) are changed against the policy's `forbidden_paths` now, as the
    /// comparison after the run would say. Reads the whole worktree unless none can be: blocking.
    pub(super) fn look_at(&self, paths: &BTreeSet<String>) -> Vec<Breach> {
        if paths.is_empty() {
            return Vec::new();
        }
        // A folder stands for all that is in it.
        let is_meant = |path: &str| {
            paths.contains(path) || path.match_indices('/').any(|(at, _)| paths.contains(&path[..at]))
        };
        let mut changes = isolation::survey(&self.worktree).unwrap_or_default();
        changes.retain(|change| is_meant(&change.path));
        let mut found = judge(&self.worktree, &changes, &self.policy, &[]);
        found.retain(|breach| breach.rule == "forbidden_paths");
        found
    }

    /// What the hooks refused, and what the kernel did, from the beginning of the run.
    fn refusals(&self) -> [Vec<Refusal>; 2] {
        [self.hooks.refusals(), Denials::default().more(self)]
    }

    fn references(&self, repo: &Repository, found: &mut Settlement) {
        let after = refs::read_all(&self.common);
        let differences = self.differences(&after);
        for Finding { mut breach, act } in self.findings(repo, &after, differences, &mut found.meanwhile) {
            let undone = self.act(repo, &act);
            if let Err(why) = &undone {
                breach.evidence.push_str(&format!("; left as it is: {why}"));
            }
            found.breaches.push(Breach { undone: undone.is_ok(), ..breach });
        }
    }

    /// The files that join the worktree to the repository.
    fn link_breach(&self) -> Option<Breach> {
        standing::broken_links(&self.worktree).map(|why| Breach {
            rule: "worktree".to_owned(),
            what: "the worktree was detached from its repository".to_owned(),
            evidence: why,
            undone: false,
        })
    }

    /// Mends them, and takes away locks that a killed git left.
    fn mend_links(&self, found: &mut Settlement) {
        if let Some(breach) = self.link_breach() {
            let mended = standing::mend_links(&self.worktree);
            let undone = mended.is_ok() && standing::broken_links(&self.worktree).is_none();
            found.breaches.push(Breach { undone, ..breach });
        }
        let _ = standing::remove_locks(&self.worktree, &self.common);
    }
}

/// The newest reflog entry of each HEAD.
fn heads(common: &Path, refs: &Refs) -> Vec<(String, Option<LogEntry>)> {
    refs.keys()
        .filter(|name| name.ends_with("HEAD") && !name.starts_with("refs/"))
        .map(|name| (name.clone(), refs::log(&log_path(common, name)).into_iter().next()))
        .collect()
}
