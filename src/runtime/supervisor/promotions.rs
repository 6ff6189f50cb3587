//! Promotions as consoles see them, and what consoles decide about them.
//!
//! A look reads repositories, so it is done on a thread: once the planfile was read, whenever finished work of an agent
//! is other than at the last look, when a console asks, and after every decision, also after one that was refused: whoever
//! comes second sees what became of it. Nothing looks by itself. One promotion lands at a time; closing stops its checks
//! and waits for it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;

use super::{Mail, Supervisor};
use crate::execute::stop::{Stop, Stopper, stop_pair};
use crate::plan::settings::{Onto, Settings};
use crate::plan::store::Plan;
use crate::plan::ticket::{Status, Ticket, TicketId};
use crate::promote::{Promotion, State};
use crate::runtime::promotions::{After, Approval, Carried, Desk};
use crate::runtime::protocol::promotion::{
    LandingView, PromotionCommand, PromotionEvent, PromotionView, PromotionsView,
};
use crate::runtime::protocol::{Event, Outcome, RequestId};

/// How often what checks print is shown anew.
const SAY_EVERY: Duration = Duration::from_millis(150);

/// What is known of promotions.
#[derive(Debug, Default)]
pub(super) struct Promotions {
    /// As shown.
    pub(super) view: Arc<PromotionsView>,
    /// Finished work of agents at the last look.
    looked: Option<Vec<(TicketId, Option<Timestamp>)>>,
    /// A look is under way.
    looking: bool,
    /// Another look is to follow.
    again: bool,
    /// Who asked for the next look.
    asked: Vec<RequestId>,
    /// The landing under way.
    landing: Option<Stopper>,
    /// Decisions on their way.
    deciding: usize,
}

/// What the threads say of promotions.
#[derive(Debug)]
pub(in crate::runtime) enum PromotionMail {
    /// What a look found, and who asked for it.
    Looked(Found, Vec<RequestId>),
    /// What the checks of a landing print.
    Says(String),
    /// A decision was carried out, or not; what there is after it. `landing` says that it was an approval.
    Decided { request: RequestId, result: Result<Box<Carried>, String>, found: Found, landing: bool },
}

/// What a look found.
#[derive(Debug)]
pub(in crate::runtime) struct Found {
    list: Vec<Arc<PromotionView>>,
    troubles: Vec<String>,
    onto: Onto,
}

impl Promotions {
    /// Decisions that closing waits for.
    pub(super) fn deciding(&self) -> usize {
        self.deciding
    }

    /// Asks the checks of a landing to end.
    pub(super) fn stop(&self, stop: Stop) {
        if let Some(stopper) = &self.landing {
            stopper.at_least(stop);
        }
    }
}

impl Supervisor {
    pub(super) fn promotion_command(&mut self, request: RequestId, command: PromotionCommand) {
        if self.closing.is_some() && !matches!(command, PromotionCommand::Stop { .. }) {
            return self.refuse(request, "koru-tui is closing; nothing is decided");
        }
        match command {
            PromotionCommand::Refresh => {
                self.promotions.asked.push(request);
                self.look_at_promotions();
            }
            PromotionCommand::Approve { id, seen, word } => self.land(request, Approval { id, seen, word }),
            PromotionCommand::Stop { id } => self.stop_landing(request, &id),
            PromotionCommand::Reject { id, seen, reason, after } => {
                self.reject_promotion(request, id, seen, reason, after)
            }
            PromotionCommand::Undo { id } => self.take_promotion_back(request, id),
        }
    }

    /// Looks when finished work of agents is other than at the last look.
    pub(super) fn look_for_promotions(&mut self) {
        if self.view.plan.revision == 0 && self.view.plan.tickets.is_empty() {
            return;
        }
        let by_agent = |ticket: &&Arc<Ticket>| {
            let result = ticket.outputs.result.as_ref().and_then(serde_json::Value::as_object);
            ticket.status == Status::Done && result.is_some_and(|result| result.contains_key("worktree"))
        };
        let finished: Vec<(TicketId, Option<Timestamp>)> = self
            .view
            .plan
            .tickets
            .iter()
            .filter(by_agent)
            .map(|ticket| (ticket.id.clone(), ticket.updated_at))
            .collect();
        if self.promotions.looked.as_ref() != Some(&finished) {
            self.promotions.looked = Some(finished);
            self.look_at_promotions();
        }
    }

    fn look_at_promotions(&mut self) {
        if self.promotions.looking {
            self.promotions.again = true;
            return;
        }
        self.promotions.looking = true;
        let asked = std::mem::take(&mut self.promotions.asked);
        let (post, making) = (self.post.clone(), self.desk());
        tokio::task::spawn_blocking(move || {
            let found = making.found();
            let _ = post.send(Mail::Promotion(PromotionMail::Looked(found, asked)));
        });
    }

    pub(super) fn take_promotion_mail(&mut self, mail: PromotionMail) {
        match mail {
            PromotionMail::Looked(found, asked) => {
                self.promotions.looking = false;
                self.show_promotions(found);
                for request in asked {
                    self.reply(request, Outcome::Done { ticket: None, run: None });
                }
                if std::mem::take(&mut self.promotions.again) && self.closing.is_none() {
                    self.look_at_promotions();
                }
            }
            PromotionMail::Says(line) => self.change_landing(|landing| landing.says = line),
            PromotionMail::Decided { request, result, found, landing } => {
                self.promotions.deciding -= 1;
                if landing {
                    self.promotions.landing = None;
                    Arc::make_mut(&mut self.promotions.view).landing = None;
                }
                self.show_promotions(found);
                self.storage.refresh();
                match result {
                    Ok(carried) => {
                        let Carried { promotion, trouble } = *carried;
                        let ticket = Some(promotion.ticket.clone());
                        let event = PromotionEvent::Carried { promotion: Arc::new(promotion), trouble };
                        self.outbox.push(Event::Promotion(event));
                        self.reply(request, Outcome::Done { ticket, run: None });
                    }
                    Err(message) => self.refuse(request, message),
                }
            }
        }
    }

    fn show_promotions(&mut self, found: Found) {
        let view = Arc::make_mut(&mut self.promotions.view);
        view.looks += 1;
        (view.list, view.troubles, view.onto) = (found.list, found.troubles, found.onto);
        self.dirty = true;
    }

    fn change_landing(&mut self, change: impl FnOnce(&mut LandingView)) {
        if let Some(landing) = &mut Arc::make_mut(&mut self.promotions.view).landing {
            change(landing);
            self.dirty = true;
        }
    }

    fn stop_landing(&mut self, request: RequestId, id: &str) {
        let lands = self.promotions.view.landing.as_ref().is_some_and(|landing| landing.id == id);
        let Some(stopper) = self.promotions.landing.as_ref().filter(|_| lands) else {
            return self.refuse(request, format!("{id} does not land right now"));
        };
        stopper.press();
        self.change_landing(|landing| landing.stopping = true);
        self.reply(request, Outcome::Done { ticket: None, run: None });
    }

    fn land(&mut self, request: RequestId, approval: Approval) {
        if let Some(landing) = &self.promotions.view.landing {
            let other = landing.id.clone();
            return self.refuse(request, format!("{other} lands right now; one lands after the other"));
        }
        let Some(ticket) = self.ticket_of(&approval.id) else {
            return self.refuse(request, gone(&approval.id));
        };
        let (stopper, stop) = stop_pair();
        let (progress, lines) = mpsc::unbounded_channel();
        tokio::spawn(tell(lines, self.post.clone()));
        self.promotions.landing = Some(stopper);
        self.promotions.deciding += 1;
        Arc::make_mut(&mut self.promotions.view).landing =
            Some(LandingView { id: approval.id.clone(), says: String::new(), stopping: false });
        self.dirty = true;
        let (post, making) = (self.post.clone(), self.desk());
        tokio::spawn(async move {
            let made = making.clone();
            let result = match blocking(move || made.desk()).await {
                Some(desk) => desk.approve(&ticket, &approval, progress, stop).await.map(Box::new),
                None => Err("looking at it failed; nothing landed".to_owned()),
            };
            tokio::task::spawn_blocking(move || {
                let found = making.found();
                let _ = post.send(Mail::Promotion(PromotionMail::Decided {
                    request,
                    result,
                    found,
                    landing: true,
                }));
            });
        });
    }

    fn reject_promotion(
        &mut self,
        request: RequestId,
        id: String,
        seen: String,
        reason: String,
        after: After,
    ) {
        let Some(ticket) = self.ticket_of(&id) else {
            return self.refuse(request, gone(&id));
        };
        self.carry_out(request, move |desk| {
            desk.is_what_was_seen(&id, &seen)?;
            desk.reject(&ticket, &id, &reason, after)
        });
    }

    fn take_promotion_back(&mut self, request: RequestId, id: String) {
        let ticket = self.ticket_of(&id);
        self.carry_out(request, move |desk| desk.undo(ticket.as_deref(), &id));
    }

    /// Carries a decision out on a thread, and looks at what there is after it.
    fn carry_out(
        &mut self,
        request: RequestId,
        decide: impl FnOnce(&Desk) -> Result<Carried, String> + Send + 'static,
    ) {
        self.promotions.deciding += 1;
        let (post, making) = (self.post.clone(), self.desk());
        tokio::task::spawn_blocking(move || {
            let result = decide(&making.desk()).map(Box::new);
            let found = making.found();
            let mail = PromotionMail::Decided { request, result, found, landing: false };
            let _ = post.send(Mail::Promotion(mail));
        });
    }

    fn ticket_of(&self, id: &str) -> Option<Arc<Ticket>> {
        let named = self.promotions.view.named(id)?;
        self.view.ticket(&named.promotion.ticket).cloned()
    }

    fn desk(&self) -> Making {
        Making {
            root: self.options.root.clone(),
            actor: self.options.actor.clone(),
            now: self.now(),
            plan: Arc::clone(&self.view.plan),
        }
    }
}

/// What a desk is made of; the configuration is read where reading may block.
#[derive(Clone, Debug)]
struct Making {
    root: std::path::PathBuf,
    actor: String,
    now: Timestamp,
    plan: Arc<Plan>,
}

impl Making {
    fn desk(&self) -> Desk {
        let (settings, _) = Settings::load(&self.root);
        Desk { root: self.root.clone(), settings, actor: self.actor.clone(), now: self.now }
    }

    /// Blocking.
    fn found(&self) -> Found {
        let desk = self.desk();
        let known = desk.list(&self.plan);
        let broken = known
            .unreadable
            .iter()
            .map(|file| format!("{} is no promotion: {}", file.path.display(), file.why));
        let troubles = known.troubles.iter().cloned().chain(broken).collect();
        let view = |promotion: Promotion| {
            let matters = matches!(promotion.state, State::Pending | State::Undone { .. });
            let base_ahead = if matters { desk.base_ahead(&promotion) } else { None };
            Arc::new(PromotionView { promotion, base_ahead })
        };
        Found {
            list: known.all.into_iter().map(view).collect(),
            troubles,
            onto: desk.settings.promotion.onto,
        }
    }
}

fn gone(id: &str) -> String {
    format!("the promotion {id} or its ticket is gone; look again")
}

/// Passes on what checks print last, not more often than anybody reads.
async fn tell(mut lines: mpsc::UnboundedReceiver<String>, post: mpsc::UnboundedSender<Mail>) {
    while let Some(mut line) = lines.recv().await {
        while let Ok(newer) = lines.try_recv() {
            line = newer;
        }
        let _ = post.send(Mail::Promotion(PromotionMail::Says(line)));
        tokio::time::sleep(SAY_EVERY).await;
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}
