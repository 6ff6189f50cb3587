//! Fixes of what a review found: by the worker, in a worktree, never in whatever happens to be checked out, and committed
//! by us.
//!
//! Where the branch that is reviewed is checked out nowhere, it goes on to the fixes; where it is, they stay on a branch of
//! their own, because moving a checked-out branch would turn the operator's files into changes.

use std::path::Path;
use std::sync::Arc;

use git2::{Oid, Repository, Signature};

use super::ground::{Agent, Ground, Run, Task, Who};
use super::once::blocking;
use super::report::Fix;
use super::target::{Subject, tip, tree};
use super::{fix_prompt, roles};
use crate::base::paths::ProjectPaths;
use crate::base::repo::moving::move_reference;
use crate::execute::agents::session::{AgentEnding, AgentReport};
use crate::execute::fence;
use crate::execute::folder::worked_elsewhere;
use crate::execute::isolation::{self, Identity, Worktree};
use crate::plan::policy::Policy;
use crate::plan::ticket::TicketId;
use crate::verify::finding::Finding;

/// What one fix is about.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    /// What is to be mended.
    pub(super) given: &'a [Finding],
    /// Blocking findings before it.
    pub(super) before: usize,
    /// The branch that is reviewed.
    pub(super) branch: &'a str,
}

/// Lets the worker mend `given` in the worktree, and commits what it did. The subject's head moves on.
pub(super) async fn mend(
    ground: &Arc<Ground>,
    subject: &mut Subject,
    place: &mut Option<Worktree>,
    turn: &Turn<'_>,
) -> Result<Fix, String> {
    let Turn { given, before, branch } = *turn;
    let agent = ground.agent(None)?;
    let worktree = match place {
        // Between two fixes the ticket's worktree is anybody's.
        Some(worktree) if subject.ticket.is_none() => worktree.clone(),
        _ => place.insert(made(ground, subject).await?).clone(),
    };
    let (policy, _) = Policy::load(&ground.root);
    let (shared, who, at, rules) =
        (Arc::clone(ground), Who::Agent(agent.clone()), worktree.clone(), policy.clone());
    let label = format!("fix of {} by {}", subject.target, agent.choice.name);
    let ticket = subject.ticket.as_ref().map(|ticket| ticket.id.clone());
    let started = blocking(move || {
        let run = shared.start(&who, at, &rules, &label)?;
        // Whoever looked before our record was there did not see us.
        match ticket.map(|ticket| free(&shared, &ticket, run.folder.name())) {
            Some(Err(why)) => {
                run.settle().1.record(false, None, &why);
                Err(why)
            }
            _ => Ok(run),
        }
    });
    let mut run = started.await?;
    ground.say(format!("{} mends {} finding(s)", agent.choice.name, given.len()));
    let words = format!("{}\n\n# The task\n\n{}", roles::worker(&ground.root), fix_prompt(given));
    let told = ground.session(&agent, &mut run, Task { prompt: words, ..Task::default() }).await;
    let name = agent.choice.name.clone();
    let (run, commit) = settled(subject, &agent, &told, run, policy).await?;
    let now = tip(&ground.root, &worktree.branch_ref()).unwrap_or_default();
    // A worker that may commit has perhaps left nothing for us to commit, or has committed nothing at all.
    let same = tree(&ground.root, &now) == tree(&ground.root, &subject.head);
    let commit = commit.or_else(|| (now != subject.head).then(|| now.clone())).filter(|_| !same);
    if commit.is_some() {
        move_on(ground, subject, branch, &worktree, &now).await?;
    }
    Ok(Fix { agent: name, given: given.len(), commit, run, before, after: None })
}

/// Looks at what the worker did and commits it. The run's name, and the commit if there is one.
async fn settled(
    subject: &Subject,
    agent: &Agent,
    told: &AgentReport,
    run: Run,
    policy: Policy,
) -> Result<(String, Option<String>), String> {
    let name = agent.choice.name.clone();
    let message =
        format!("Address the findings of the review of {}\n\nWorked by the agent {name}.\n", subject.target);
    let scope = subject.ticket.as_ref().map(|ticket| ticket.files.clone()).unwrap_or_default();
    let good = told.ending == AgentEnding::Finished;
    let settled = blocking(move || {
        let (mut breaches, run) = run.settle();
        let worktree = &run.worktree;
        let survey = isolation::survey(worktree).map_err(|error| error.to_string())?;
        breaches.extend(fence::judge(worktree, &survey, &policy, &scope));
        let commit = match breaches.is_empty() && good {
            true => {
                isolation::commit_all(worktree, &message, &Identity::default(), &policy)
                    .map_err(|error| error.to_string())?
                    .commit
            }
            false => None,
        };
        Ok((breaches, run, commit))
    });
    let (breaches, run, commit) = settled.await?;
    let why = match (breaches.first(), good) {
        (Some(breach), _) => Some(format!("the fix broke the policy: {} ({})", breach.what, breach.rule)),
        (None, false) => {
            let reason = told.outcome.reason.clone().unwrap_or_else(|| "it did not finish".to_owned());
            Some(format!("the fix failed: {name}: {reason}"))
        }
        (None, true) => None,
    };
    run.record(why.is_none(), Some((agent, told)), why.as_deref().unwrap_or_default());
    if let Some(why) = why {
        return Err(run.recorder.clean(&why));
    }
    Ok((run.folder.name().to_owned(), commit))
}

/// Where fixes are made: the ticket's worktree, or one of their own.
async fn made(ground: &Arc<Ground>, subject: &Subject) -> Result<Worktree, String> {
    let (shared, head) = (Arc::clone(ground), subject.head.clone());
    let ticket = subject.ticket.as_ref().map(|ticket| ticket.id.clone());
    let made = blocking(move || match ticket {
        Some(ticket) => of_ticket(&shared, &ticket, &head),
        None => shared.scratch("fix", &head),
    });
    made.await
}

/// An error when a run other than `own` works on the ticket.
fn free(ground: &Ground, ticket: &TicketId, own: &str) -> Result<(), String> {
    match worked_elsewhere(&ProjectPaths::new(&ground.root).runs(), ticket, own) {
        Some(run) => Err(format!("fixing failed: the run {run} works on {ticket} now")),
        None => Ok(()),
    }
}

/// The ticket's own worktree at `head`, unless a run works in it, or left work there that is not committed or not judged.
fn of_ticket(ground: &Ground, ticket: &TicketId, head: &str) -> Result<Worktree, String> {
    free(ground, ticket, "")?;
    let (worktree, _) = isolation::prepare(&ground.root, ticket, None).map_err(|error| error.to_string())?;
    if isolation::tip(&worktree).map_err(|error| error.to_string())? != head {
        return Err(format!(
            "fixing failed: the work on {ticket} went on since it was reviewed; review it again"
        ));
    }
    match uncommitted(&worktree)?.first() {
        Some(path) => Err(format!(
            "fixing failed: a run left work on {ticket} that is not committed ({path}); let it go on, or see {}",
            worktree.path.display()
        )),
        None => Ok(worktree),
    }
}

/// Paths in a worktree that differ from its branch.
fn uncommitted(worktree: &Worktree) -> Result<Vec<String>, String> {
    let tip = isolation::tip(worktree).map_err(|error| error.to_string())?;
    let since = isolation::since(worktree, &tip).map_err(|error| error.to_string())?;
    Ok(since.into_iter().map(|change| change.path).collect())
}

/// The subject is the new commit now; its branch follows where no checkout would notice.
async fn move_on(
    ground: &Ground,
    subject: &mut Subject,
    branch: &str,
    worktree: &Worktree,
    now: &str,
) -> Result<(), String> {
    if worktree.branch != branch {
        let (root, name) = (ground.root.clone(), format!("refs/heads/{branch}"));
        let (from, to) = (subject.head.clone(), now.to_owned());
        let moved = blocking(move || {
            forward(&root, &name, &from, &to)
                .map_err(|error| format!("moving {name} failed: {}", error.message()))
        });
        if !moved.await? {
            subject.branch = Some(worktree.branch.clone());
            subject.head_name = worktree.branch.clone();
        }
    }
    subject.head = now.to_owned();
    Ok(())
}

/// Moves a branch that is checked out nowhere; false when it is checked out.
fn forward(root: &Path, name: &str, from: &str, to: &str) -> Result<bool, git2::Error> {
    let repo = Repository::discover(root)?;
    let main = Repository::open(repo.commondir())?;
    let head_is = |repo: &Repository| {
        let head = repo.find_reference("HEAD").ok();
        head.and_then(|head| head.symbolic_target_bytes().map(|target| target == name.as_bytes()))
            .unwrap_or(false)
    };
    let mut taken = head_is(&main);
    let names = main.worktrees()?;
    for at in 0..names.len() {
        let Ok(Some(worktree)) = names.get(at) else { continue };
        let opened = main.find_worktree(worktree).and_then(|found| Repository::open_from_worktree(&found));
        taken |= opened.is_ok_and(|repo| head_is(&repo));
    }
    if taken {
        return Ok(false);
    }
    let who = Signature::now("koru-tui", "koru-tui@localhost")?;
    let (from, to) = (Oid::from_str(from)?, Oid::from_str(to)?);
    move_reference(&main, name, Some(from), Some(to), &who, "koru-tui: fixes of a review").map(|()| true)
}

/// What became of the fixes.
pub(super) struct Handed {
    /// The branch that has them, if there are any.
    pub(super) branch: Option<String>,
    /// What a worker left that is on no branch, in a sentence (foreign text).
    pub(super) left: Option<String>,
}

/// Hands the fixes over. A worktree of our own is thrown away when all that is in it is elsewhere too.
pub(super) async fn handed_over(
    ground: &Ground,
    branch: &str,
    place: Option<Worktree>,
    fixes: &[Fix],
) -> Handed {
    let Some(worktree) = place else { return Handed { branch: None, left: None } };
    let any = fixes.iter().any(|fix| fix.commit.is_some());
    let (here, at) = (worktree.branch == branch, worktree.path.clone());
    let (root, own, ours) = (ground.root.clone(), worktree.clone(), branch.to_owned());
    let settled = blocking(move || {
        let files = |commit: &str| tree(&root, commit);
        let there = tip(&root, &format!("refs/heads/{ours}")).and_then(|tip| files(&tip));
        let own_tip = isolation::tip(&own).map_err(|error| error.to_string())?;
        let commits = !here && (there.is_none() || there != files(&own_tip));
        let loose = !uncommitted(&own)?.is_empty();
        if !here && !commits && !loose {
            isolation::discard(&root, &own).map_err(|error| error.to_string())?;
        }
        Ok((commits, loose))
    });
    let (commits, loose) = match settled.await {
        Ok(settled) => settled,
        Err(why) => {
            ground.say(format!("the worktree of the fixes stays: {why}"));
            (any, true)
        }
    };
    let left = loose.then(|| format!("what was not committed is in {}", at.display()));
    let name = if commits { worktree.branch } else { branch.to_owned() };
    // Commits that the reviewed branch could not follow are on ours, also when their fix did not count.
    Handed { branch: (any || commits).then_some(name), left }
}
