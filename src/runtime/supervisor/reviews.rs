//! Reviews as consoles see them, and what consoles ask of them: decisions, and findings for the next round.
//!
//! A run tells of its own review, after it is on disk. Reviews of other processes and of earlier sessions are read from
//! the disk, on the files' thread, once the planfile was read and whenever the tickets that wait for somebody change.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use super::{Mail, Purpose, Supervisor};
use crate::plan::store::{MutateError, Mutated};
use crate::plan::ticket::{Status, TicketId};
use crate::runtime::deciding::{self, Decided, Deciding};
use crate::runtime::protocol::review::Finding;
use crate::runtime::protocol::{Outcome, RequestId, Review, ReviewChoice, ReviewCommand};
use crate::runtime::reviews::{self, ReviewFolder};

/// What is known of reviews.
#[derive(Debug, Default)]
pub(super) struct Reviews {
    /// As shown.
    pub(super) shown: BTreeMap<TicketId, Arc<Review>>,
    /// The tickets that waited for somebody when the disk was read last.
    looked: Option<Vec<(TicketId, Option<Timestamp>)>>,
}

/// Reviews of tickets that are over that are shown from disk.
const OVER: usize = 100;

impl Supervisor {
    pub(super) fn review_command(&mut self, request: RequestId, command: ReviewCommand) {
        match command {
            ReviewCommand::Decide { ticket, seen, choice } => self.decide(request, &ticket, seen, choice),
            ReviewCommand::SendFindings { ticket, seen, findings } => {
                self.send_findings(request, ticket, seen, deciding::cleaned(findings))
            }
        }
    }

    /// Checks and records a decision on a thread of its own: repositories are read.
    fn decide(&mut self, request: RequestId, id: &TicketId, seen: String, choice: ReviewChoice) {
        if self.runs.iter().any(|run| run.ticket.id == *id) || self.starting.contains(id) {
            return self.refuse(request, format!("{id} is being worked on; stop it first"));
        }
        if self.closing.is_some() {
            return self.refuse(request, "koru-tui is closing; nothing is decided");
        }
        let Some(ticket) = self.view.ticket(id).cloned() else {
            return self.refuse(request, format!("no ticket {id} in this planfile"));
        };
        let choice = match choice {
            ReviewChoice::Another { fixes } => ReviewChoice::Another { fixes: deciding::cleaned(fixes) },
            choice => choice,
        };
        let deciding = Deciding {
            root: self.options.root.clone(),
            seen,
            choice,
            actor: self.options.actor.clone(),
            now: self.now(),
        };
        // Nobody starts it meanwhile.
        self.starting.push(id.clone());
        let post = self.post.clone();
        tokio::task::spawn_blocking(move || {
            let result = deciding.record(&ticket).map(Box::new);
            let _ = post.send(Mail::Decided { request, ticket: ticket.id.clone(), result });
        });
    }

    /// The decision is on record, or refused.
    pub(super) fn decided(
        &mut self,
        request: RequestId,
        ticket: &TicketId,
        result: Result<Box<Decided>, String>,
    ) {
        match result {
            Ok(decided) => {
                let step = decided.step.clone();
                self.step(step, Purpose::Decide { request, decided });
            }
            Err(message) => {
                self.starting.retain(|starting| starting != ticket);
                self.refuse(request, message);
            }
        }
        self.dirty = true;
    }

    /// The ticket knows it, or not.
    pub(super) fn decision_written(
        &mut self,
        request: RequestId,
        decided: &Decided,
        result: Result<Mutated, MutateError>,
    ) {
        let id = decided.review.ticket.clone();
        self.dirty = true;
        match result {
            Ok(mutated) => {
                self.starting.retain(|starting| *starting != id);
                let taken = decided.clone();
                tokio::task::spawn_blocking(move || taken.taken());
                self.reviews.shown.insert(id.clone(), Arc::new(decided.review.clone()));
                self.queue.failures.remove(&id);
                self.past.retain(|view| {
                    view.ticket != id || view.state != crate::runtime::protocol::RunState::Interrupted
                });
                match &decided.again {
                    Some(again) => self.begin(&mutated.ticket, Some(request), Some(again.clone())),
                    None => self.reply(request, Outcome::Done { ticket: Some(id), run: None }),
                }
            }
            Err(error) => {
                // Nobody starts it before the rounds are as they were.
                let (decided, post) = (decided.clone(), self.post.clone());
                let message = format!("the decision on {id} was not taken: {error}");
                self.files.work(move || {
                    decided.take_back();
                    drop(decided);
                    let _ = post.send(Mail::Decided { request, ticket: id, result: Err(message) });
                });
            }
        }
    }

    /// Findings of the operator: the next round's when one runs, else they begin one. Lines are those of the commit that was
    /// looked at: a later one has other lines under their numbers.
    fn send_findings(&mut self, request: RequestId, id: TicketId, seen: String, findings: Vec<Finding>) {
        if findings.is_empty() {
            return self.refuse(request, "there is no comment to send");
        }
        let Some(run) = self.runs.iter().find(|run| run.ticket.id == id) else {
            let Some(review) = self.reviews.shown.get(&id) else {
                return self.refuse(request, format!("{id} has no rounds to add to"));
            };
            let fixes = deciding::with_required(review, findings);
            return self.decide(request, &id, seen, ReviewChoice::Another { fixes });
        };
        if !run.in_rounds {
            let why =
                "is worked on in no round by now, so nobody would be told; send them once a round is shown";
            return self.refuse(request, format!("{id} {why}"));
        }
        let heads = self.reviews.shown.get(&id).map(|review| &review.rounds);
        let head = heads.and_then(|rounds| rounds.iter().rev().find_map(|round| round.head.as_deref()));
        if let Some(head) = head.filter(|head| !deciding::names(&seen, head)) {
            let (seen, head) = (deciding::short(&seen), deciding::short(head));
            let message =
                format!("the newest round of {id} ends at {head}, and you saw {seen}; look at it, then send");
            return self.refuse(request, message);
        }
        let (post, folder) = (self.post.clone(), ReviewFolder::of(&self.options.root, &id));
        let (audits, now, actor) = (self.paths.audit(), self.now(), self.options.actor.clone());
        tokio::task::spawn_blocking(move || {
            let row = json!({"ticket": id.as_str(), "head": seen, "said": findings});
            let kept = deciding::write_audit(&audits, now, "review.findings", &actor, &row).and_then(|()| {
                folder.queue_while_open(&findings).map_err(|error| {
                    format!("keeping the comments in {} failed: {error}", folder.path().display())
                })
            });
            let outcome = match kept {
                Ok(()) => Outcome::Done { ticket: Some(id), run: None },
                Err(message) => Outcome::Refused { message },
            };
            let _ = post.send(Mail::Replied(request, outcome));
        });
    }

    /// Reads the reviews on disk when the tickets that wait for somebody are others than at the last look.
    pub(super) fn look_for_reviews(&mut self) {
        let waiting: Vec<(TicketId, Option<Timestamp>)> = self
            .view
            .plan
            .tickets
            .iter()
            .filter(|ticket| ticket.execution.state == "waiting_input" || ticket.status == Status::InProgress)
            .filter(|ticket| !self.runs.iter().any(|run| run.ticket.id == ticket.id))
            .map(|ticket| (ticket.id.clone(), ticket.updated_at))
            .collect();
        if self.reviews.looked.as_ref() == Some(&waiting) || self.view.plan.tickets.is_empty() {
            return;
        }
        self.reviews.looked = Some(waiting);
        let (post, root) = (self.post.clone(), self.options.root.clone());
        self.files.work(move || {
            let found = reviews::all(&root);
            if !found.is_empty() {
                let _ = post.send(Mail::Reviews(found));
            }
        });
    }

    /// Shows what the disk knows of tickets that are not over, and of the last ones that are. What a run of ours tells is
    /// newer.
    pub(super) fn take_reviews(&mut self, mut found: Vec<Review>) {
        let begun = |review: &Review| {
            let last = review.rounds.last();
            last.and_then(|round| round.reviewer.as_ref().or(round.worker.as_ref())).map(|part| part.began)
        };
        found.sort_by_key(|review| std::cmp::Reverse(begun(review)));
        let mut over = 0;
        for review in found {
            let ours = self.runs.iter().any(|run| run.ticket.id == review.ticket);
            let wanted = self.view.ticket(&review.ticket).is_some_and(|ticket| {
                over += usize::from(ticket.status.is_terminal());
                !ticket.status.is_terminal() || over <= OVER
            });
            let known = self.reviews.shown.get(&review.ticket);
            if !ours && (wanted || known.is_some()) && known.map(|known| &**known) != Some(&review) {
                self.reviews.shown.insert(review.ticket.clone(), Arc::new(review));
                self.dirty = true;
            }
        }
    }
}
