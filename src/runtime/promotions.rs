//! Promotions as the console and the verbs work with them: requested for what is finished, decided on with the audit
//! written first and the ticket told after it.
//!
//! `promote` carries out, this says to whom: nothing here decides. Blocking, but for [`approve`], which may have to run
//! checks. What cannot be told to the ticket afterwards is a trouble beside the decision, which stands.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use git2::{Oid, Repository};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::deciding::{cleaned, names, short, write_audit};
pub(crate) use super::protocol::promotion::After;
use super::protocol::review::Finding;
use super::reviews::ReviewFolder;
use crate::base::paths::ProjectPaths;
use crate::execute::environment::Environment;
use crate::execute::isolation;
use crate::execute::stop::{Stop, StopWatch};
use crate::plan::lifecycle::{Op, Patch};
use crate::plan::settings::Settings;
use crate::plan::store::{Plan, Step, Store};
use crate::plan::ticket::{Status, Ticket};
use crate::promote::proving::Proving;
use crate::promote::request::name_of;
use crate::promote::shelf::Unreadable;
use crate::promote::{Asked, DecideError, Decider, Promotion, RequestError, Shelf, State};
use crate::verify::rounds::Review;

/// Who works with the promotions of a project.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    /// Project folder.
    pub(crate) root: PathBuf,
    /// Configuration.
    pub(crate) settings: Settings,
    /// Who decides.
    pub(crate) actor: String,
    /// When.
    pub(crate) now: Timestamp,
}

/// All promotions, and what is wrong with some.
#[derive(Debug, Default)]
pub(crate) struct Promotions {
    /// The newest first.
    pub(crate) all: Vec<Promotion>,
    /// Files that are no promotions.
    pub(crate) unreadable: Vec<Unreadable>,
    /// Sentences: finished work that could not be requested, landings that could not be settled.
    pub(crate) troubles: Vec<String>,
}

/// What is approved, and as what it was seen.
#[derive(Clone, Debug)]
pub(crate) struct Approval {
    /// Name of the promotion.
    pub(crate) id: String,
    /// Beginning of the commit, or of the diff's hash, that was on the screen.
    pub(crate) seen: String,
    /// The ticket's id, typed, where the work is high-risk.
    pub(crate) word: Option<String>,
}

/// A decision that was carried out.
#[derive(Debug)]
pub(crate) struct Carried {
    /// The promotion as it is now.
    pub(crate) promotion: Promotion,
    /// Sentence: the ticket could not be told.
    pub(crate) trouble: Option<String>,
}

impl Desk {
    /// All promotions of the project, with one for every finished ticket whose work stands on a branch of its own and
    /// not yet on its base. What a crash cut off is settled first.
    pub(crate) fn list(&self, plan: &Plan) -> Promotions {
        let mut troubles: Vec<String> = self.settings.promotion.refused.iter().cloned().collect();
        match self.decider().settle() {
            Ok((_, left)) => troubles.extend(left.iter().map(ToString::to_string)),
            // Somebody lands right now: that is not cut off.
            Err(DecideError::Lock(_)) => {}
            Err(error) => troubles.push(error.to_string()),
        }
        // Work whose promotion was decided about stays decided: of many finished tickets only a few are looked into.
        let (known, _) = Shelf::of(&self.root).list();
        let over = |state: &State| !matches!(state, State::Pending);
        let decided: HashSet<String> =
            known.into_iter().filter(|one| over(&one.state)).map(|one| one.id).collect();
        let repo = isolation::operators_repository(&self.root).ok();
        let wanted = |ticket: &&Arc<Ticket>| self.is_to_be_requested(ticket, repo.as_ref(), &decided);
        for ticket in plan.tickets.iter().filter(wanted) {
            match self.asked(self.review(ticket).as_ref()).request(ticket) {
                Ok(_) | Err(RequestError::Nothing { .. } | RequestError::NoBranch { .. }) => {}
                Err(error) => troubles.push(error.to_string()),
            }
        }
        let (all, unreadable) = Shelf::of(&self.root).list();
        Promotions { all, unreadable, troubles }
    }

    /// Whether a ticket is finished, was worked on in a worktree, and nobody decided about the commit that its branch is at.
    fn is_to_be_requested(
        &self,
        ticket: &Ticket,
        repo: Option<&Repository>,
        decided: &HashSet<String>,
    ) -> bool {
        if ticket.status != Status::Done {
            return false;
        }
        let Some(worktree) = isolation::known(&self.root, &ticket.id) else { return false };
        let tip = repo.and_then(|repo| repo.refname_to_id(&worktree.branch_ref()).ok());
        tip.is_none_or(|tip| !decided.contains(&name_of(&ticket.id, &tip.to_string())))
    }

    /// Commits that the base of a promotion has beyond its work.
    pub(crate) fn base_ahead(&self, promotion: &Promotion) -> Option<u32> {
        let repo = isolation::operators_repository(&self.root).ok()?;
        let tip = repo.refname_to_id(&format!("refs/heads/{}", promotion.base_branch)).ok()?;
        let head = Oid::from_str(&promotion.head).ok()?;
        let (ahead, _) = repo.graph_ahead_behind(tip, head).ok()?;
        u32::try_from(ahead).ok()
    }

    /// Refuses when `seen` is not the commit of the promotion `id`.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn is_what_was_seen(&self, id: &str, seen: &str) -> Result<(), String> {
        let promotion = Shelf::of(&self.root)
            .read(id)
            .map_err(|error| format!("the promotion {id} cannot be read: {error}"))?;
        if names(seen, &promotion.head) {
            return Ok(());
        }
        Err(format!("{id} is not what you saw ({}); look again, then decide", short(seen)))
    }

    /// Lands a promotion: looks, checks what was never checked as it lands, writes the audit, lands, tells the ticket.
    ///
    /// # Errors
    /// A sentence; nothing landed.
    pub(crate) async fn approve(
        &self,
        ticket: &Ticket,
        approval: &Approval,
        progress: mpsc::UnboundedSender<String>,
        stop: StopWatch,
    ) -> Result<Carried, String> {
        let looking = (self.clone(), ticket.clone(), approval.clone());
        let ready = blocking(move || {
            let (desk, ticket, approval) = looking;
            let review = desk.review(&ticket);
            let word = approval.word.as_deref();
            desk.decider()
                .prepare(&ticket, review.as_ref(), &approval.id, &approval.seen, word)
                .map_err(|error| error.to_string())
        })
        .await?;
        let checks = match ready.must_be_checked() {
            false => None,
            true => {
                let proving = Proving {
                    root: self.root.clone(),
                    settings: self.settings.clone(),
                    environment: Environment::of_process(),
                    ticket: ticket.clone(),
                    commit: ready.going.to.clone(),
                    progress,
                };
                Some(proving.run(stop.clone()).await?)
            }
        };
        // Checks that were stopped before they began have not failed; they have proven nothing either.
        if stop.current() > Stop::No {
            return Err(format!("{} was stopped before it landed; it waits as before", approval.id));
        }
        let (desk, ticket) = (self.clone(), ticket.clone());
        blocking(move || {
            let detail = json!({
                "ticket": ticket.id.as_str(), "promotion": ready.promotion.id, "head": ready.promotion.head,
                "diff": ready.promotion.diff.hash, "branch": ready.going.branch, "from": ready.going.from,
                "to": ready.going.to, "risk": ready.promotion.risk.word(),
            });
            desk.audit("promotion.apply", &detail)?;
            let landed = desk.decider().land(&ready, checks.as_ref()).map_err(|error| error.to_string())?;
            let note =
                format!("Landed on {} as {} by {}", ready.going.branch, short(&ready.going.to), desk.actor);
            let trouble = desk.tell(&ticket, Op::Update(noted(note)), Vec::new());
            Ok(Carried { promotion: landed, trouble })
        })
        .await
    }

    /// Rejects a promotion. The ticket goes back to a worker with the reason, or is over.
    ///
    /// # Errors
    /// A sentence; nothing was decided.
    pub(crate) fn reject(
        &self,
        ticket: &Ticket,
        id: &str,
        reason: &str,
        after: After,
    ) -> Result<Carried, String> {
        let detail = json!({
            "ticket": ticket.id.as_str(), "promotion": id, "reason": reason, "rework": after == After::Rework,
        });
        self.audit("promotion.reject", &detail)?;
        let promotion = self.decider().reject(id, reason).map_err(|error| error.to_string())?;
        let why = format!("promotion {id} rejected by {}: {}", self.actor, reason.trim());
        // planfile opens no finished ticket again, but for one that failed; and this one did, in the end.
        let failed = Op::Fail { error: why.clone(), result: None };
        let trouble = match after {
            After::Rework => self
                .give_back(ticket, &promotion, reason)
                .err()
                .or_else(|| self.tell(ticket, failed, vec![Op::Ready { note: Some(why) }])),
            After::Close => {
                let patch = Patch { status: Some(Status::Failed), ..Patch::default() };
                self.tell(ticket, failed, vec![Op::Update(patch)])
            }
        };
        Ok(Carried { promotion, trouble })
    }

    /// Takes a landed promotion back.
    ///
    /// # Errors
    /// A sentence; nothing was taken back.
    pub(crate) fn undo(&self, ticket: Option<&Ticket>, id: &str) -> Result<Carried, String> {
        self.audit("promotion.undo", &json!({ "promotion": id }))?;
        let promotion = self.decider().undo(id).map_err(|error| error.to_string())?;
        let back = match &promotion.state {
            State::Undone { back, .. } => short(&back.to),
            _ => String::new(),
        };
        let note = format!("Taken back by {}: {} is at {back}", self.actor, promotion.base_branch);
        let trouble = ticket.and_then(|ticket| self.tell(ticket, Op::Update(noted(note)), Vec::new()));
        Ok(Carried { promotion, trouble })
    }

    /// The reason becomes what the next round mends, where the work is done in rounds; else it waits for whoever works
    /// next, as what the operator said does.
    fn give_back(&self, ticket: &Ticket, promotion: &Promotion, reason: &str) -> Result<(), String> {
        let folder = ReviewFolder::of(&self.root, &ticket.id);
        let failed = |error: std::io::Error| {
            format!("the reason cannot be kept for the worker in {}: {error}", folder.path().display())
        };
        let findings = cleaned(vec![Finding::of_operator(reason, &self.actor)]);
        match folder.read().map_err(failed)? {
            Some(mut review) => {
                review.begin_round(&promotion.head, findings);
                folder.write(&review).map_err(failed)
            }
            None => folder.queue(&findings).map_err(failed),
        }
    }

    fn tell(&self, ticket: &Ticket, op: Op, then: Vec<Op>) -> Option<String> {
        let told = || -> Result<(), String> {
            let mut store = Store::open(&self.root).map_err(|error| error.to_string())?;
            let step = Step { then, actor: Some(self.actor.clone()), ..Step::new(ticket.id.clone(), op) };
            match store.apply(std::slice::from_ref(&step)).pop() {
                Some(Err(error)) => Err(error.to_string()),
                _ => Ok(()),
            }
        };
        told().err().map(|error| format!("it is decided, but {} could not be told: {error}", ticket.id))
    }

    fn audit(&self, kind: &str, detail: &Value) -> Result<(), String> {
        write_audit(&ProjectPaths::new(&self.root).audit(), self.now, kind, &self.actor, detail)
    }

    fn review(&self, ticket: &Ticket) -> Option<Review> {
        ReviewFolder::of(&self.root, &ticket.id).read().ok().flatten()
    }

    fn decider(&self) -> Decider<'_> {
        Decider { root: &self.root, settings: &self.settings.promotion, by: &self.actor, now: self.now }
    }

    fn asked<'a>(&'a self, review: Option<&'a Review>) -> Asked<'a> {
        Asked { root: &self.root, settings: &self.settings.promotion, review, by: &self.actor, now: self.now }
    }
}

fn noted(note: String) -> Patch {
    Patch { note: Some(note), ..Patch::default() }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}
