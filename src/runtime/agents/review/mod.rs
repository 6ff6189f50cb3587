//! Work in rounds: the worker works, gates check, a reviewer judges, and what is to be mended goes back, until the work
//! is approved or a person has to decide.
//!
//! What follows from what is decided by the [`Cycle`](crate::verify::cycle::Cycle); in here it is done. Every step is on
//! disk before the next begins ([`book`]), so that a run that was cut off anywhere goes on where it was and nobody is paid
//! twice. Budgets, the stop ladder, pauses and sleeps hold over all rounds together.

mod begun;
mod book;
mod check;
mod fixes;
mod judge;
mod telling;

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::time::Instant;

use super::place::Place;
use super::rounds::{Spent, since};
use super::{AgentRun, Left, Plan, is_stopped};
use crate::execute::agents::backend;
use crate::execute::agents::session::Steer;
use crate::execute::agents::tally::Tally;
use crate::execute::outcome::Outcome;
use crate::execute::recorder::Recorder;
use crate::execute::stop::StopWatch;
use crate::execute::tail::tail_chars;
use crate::runtime::protocol::{Role, Turn};
use crate::verify::cycle::{Cycle, Do, Input, Judgement};
use crate::verify::finding::Finding;
use crate::verify::gates::waiver::waiver;
use crate::verify::gates::{Consequence, GateReport};
use crate::verify::review;
use crate::verify::rounds::{Part, Stage};
use crate::verify::verdict::{Decision, Verdict};
pub(super) use begun::begun;
use book::Book;
pub(super) use judge::Judge;

/// Characters of an agent's last words that a round keeps.
const NOTES_CHARS: usize = 4000;

/// What came of a turn.
enum Turned {
    /// Something to decide on.
    Tell(Input),
    /// The run is over, wherever the rounds stand: somebody stopped it, or a limit or a rule did.
    Over(Box<Outcome>),
}

/// One run of a ticket whose work is reviewed.
struct Loop<'a> {
    run: &'a AgentRun<'a>,
    plan: &'a Arc<Plan>,
    judge: Judge,
    place: Place,
    /// The fence of `place` was used by a turn of the worker.
    used: bool,
    /// What was said of places in this run; once is enough.
    noted: Vec<String>,
    book: Book<'a>,
    cycle: Cycle,
    /// What the operator said, for the round that it begins.
    said: Vec<Finding>,
    spent: &'a mut Spent,
    stop: StopWatch,
    steer: &'a mut mpsc::UnboundedReceiver<Steer>,
    recorder: &'a mut Recorder,
    left: Option<Left>,
    /// A limit that was reached with the reviewer's last word: nobody is paid any more in this run.
    limit: Option<String>,
}

impl AgentRun<'_> {
    /// Works the ticket in rounds to an outcome.
    pub(super) async fn in_rounds(
        &self,
        plan: &Arc<Plan>,
        (judge, place): (Judge, Place),
        stop: StopWatch,
        steer: &mut mpsc::UnboundedReceiver<Steer>,
        spent: &mut Spent,
        recorder: &mut Recorder,
    ) -> Outcome {
        let asked = self.review.max_rounds.is_some();
        let opened = match Book::open(self, &place, &judge, asked).await {
            Ok(opened) => opened,
            Err(sentence) => return Outcome::not_started(sentence),
        };
        if let Some(note) = opened.note {
            recorder.note(&format!("[{note}]"));
        }
        let mut rounds = Loop {
            run: self,
            plan,
            judge,
            noted: place.notes.iter().chain(&place.quiet).cloned().collect(),
            place,
            used: false,
            book: opened.book,
            cycle: opened.cycle,
            said: Vec::new(),
            spent,
            stop,
            steer,
            recorder,
            left: None,
            limit: None,
        };
        rounds.go(opened.first).await
    }
}

impl Loop<'_> {
    async fn go(&mut self, mut next: Do) -> Outcome {
        loop {
            let over = match self.turn(next).await {
                Ok(Turned::Tell(input)) => {
                    next = self.cycle.step(input);
                    self.keep(next).await
                }
                Ok(Turned::Over(outcome)) => Ok(Some(outcome)),
                Err(sentence) => Err(sentence),
            };
            match over {
                Ok(None) => {}
                Ok(Some(outcome)) => return *outcome,
                Err(sentence) => {
                    self.recorder.note(&format!("[{sentence}]"));
                    return self.told(|told| told.waiting(sentence)).await;
                }
            }
        }
    }

    async fn turn(&mut self, next: Do) -> Result<Turned, String> {
        match next {
            Do::Work => self.work().await,
            Do::Check => self.check().await,
            Do::Judge => self.judge().await,
            Do::Take => self.take(),
            Do::Listen => self.listen().await,
            Do::End => Ok(Turned::Over(Box::new(self.ended().await))),
        }
    }

    /// Puts on record what was decided, before it is done. The outcome when it is not done in this run.
    async fn keep(&mut self, next: Do) -> Result<Option<Box<Outcome>>, String> {
        let said = std::mem::take(&mut self.said);
        self.book.stand(self.cycle.at(), said).await?;
        let limit = self.limit.clone().or_else(|| self.used_up()).filter(|_| next == Do::Work);
        if let Some(sentence) = limit {
            return Err(sentence);
        }
        // Work that passed is on record: only its ticket is to be told.
        let over = next == Do::End || self.cycle.at().stage == Stage::Approved;
        Ok(match !over && is_stopped(&self.stop) {
            true => Some(Box::new(self.told(|told| told.stopped()).await)),
            false => None,
        })
    }

    /// The limit of the run that is reached, also where whoever reached it had ended by itself.
    fn used_up(&self) -> Option<String> {
        let (budgets, spent) = (&self.plan.settings.budgets, self.run.feed.tallied());
        let (tokens, usd) = (spent.tokens.total(), spent.cost.map_or(0.0, |cost| cost.usd));
        match (budgets.run_tokens, budgets.run_usd) {
            (Some(limit), _) if tokens >= limit => {
                Some(format!("the run used {tokens} tokens; {limit} are allowed"))
            }
            (_, Some(limit)) if usd >= limit => {
                Some(format!("the run cost {usd:.4} US dollars; {limit} are allowed"))
            }
            _ => None,
        }
    }

    /// A turn of the worker.
    async fn work(&mut self) -> Result<Turned, String> {
        self.add_said().await?;
        let (number, name) = (self.book.round().number, self.plan.name.clone());
        self.settle_in(number).await?;
        let conversation = self.place.earlier.as_ref().map(|earlier| earlier.conversation.clone());
        self.show(Role::Worker, &name, conversation.as_deref());
        let mut part = self.book.begin_part(&name, self.book.round().worker.as_ref());
        let begun = part.clone();
        self.book.change(|round| round.worker = Some(begun)).await?;
        let (before, began) = (self.run.feed.tallied(), Instant::now());
        let (run, plan) = (self.run, self.plan);
        let turn = run.turn(plan, &self.place, &self.stop, self.steer, self.spent, self.recorder).await;
        self.used = true;
        part.took = Some(began.elapsed());
        match turn {
            Err(stopped) => {
                spend(&mut part, &before, &stopped.tally);
                self.book.change(|round| round.worker = Some(part)).await?;
                Ok(Turned::Over(Box::new(stopped.outcome)))
            }
            Ok(left) => {
                spend(&mut part, &before, &left.report.tally);
                part.notes = last_words(left.report.answer.as_deref());
                self.book.put(|round| round.worker = Some(part));
                let head = left.found.head.clone();
                self.left = Some(left);
                Ok(Turned::Tell(Input::Worked { head }))
            }
        }
    }

    /// Gives the worker's place what is to be mended, and a new fence where the old one was used.
    async fn settle_in(&mut self, number: u32) -> Result<(), String> {
        let fixes = self.book.round().fixes.clone();
        let earlier = self.book.conversation(&self.plan.name);
        let mut words = match fixes.is_empty() {
            true => String::new(),
            false => review::fix_prompt(&fixes),
        };
        // Who goes on with a conversation knows its part.
        if earlier.is_none() && self.place.earlier.is_none() {
            let root = self.run.ground.root.clone();
            let role = tokio::task::spawn_blocking(move || review::roles::worker(&root)).await;
            words = [role.unwrap_or_default(), words].join("\n\n").trim().to_owned();
        }
        if self.used {
            let place = self.place.again(self.run, self.plan, number, &words, earlier).await?;
            self.place = place;
        } else {
            self.place.round = Some(number);
            // What the conversation amounts to is the worker's part of it, not the reviewer's.
            if let (Some(kept), Some(known)) = (&mut self.place.earlier, &earlier)
                && kept.conversation == known.conversation
            {
                kept.tally = known.tally.clone();
            }
            if !words.is_empty() {
                self.place.tell(&words, earlier);
            }
        }
        Ok(())
    }

    /// Shows whose turn it is, in the pane and in the transcript.
    fn show(&mut self, role: Role, name: &str, conversation: Option<&str>) {
        let turn = Turn { round: self.book.round().number, of: self.book.review().max_rounds, role };
        let kind = match role {
            Role::Worker => Some(self.plan.kind),
            Role::Reviewer => None,
        };
        let hearing = kind.map_or(crate::runtime::protocol::Hearing::NextRound, |kind| {
            backend::hearing(kind, &self.plan.choice.settings)
        });
        self.run.feed.turn(name, turn, hearing, conversation);
        self.recorder.note(&format!("── round {} of {} · {} {name} ──", turn.round, turn.of, role.word()));
    }

    /// The reviewer's verdict that is on record: the run was cut off before anything followed from it.
    fn take(&self) -> Result<Turned, String> {
        let verdict =
            self.book.round().verdict.clone().ok_or("the verdict on record is gone; let it go on again")?;
        Ok(Turned::Tell(self.judged(Ok(verdict), Vec::new())))
    }

    /// What is decided on after the reviewer's turn.
    fn judged(&self, verdict: Result<Verdict, String>, changed: Vec<String>) -> Input {
        let report = GateReport { results: self.book.round().gates.clone() };
        let unproven = match report.consequence(&self.plan.policy, waiver(self.run.ticket).as_ref()) {
            Consequence::Complete => None,
            Consequence::Ask { why } => Some(why),
            // The policy was made stricter since they ran.
            Consequence::Fail { .. } => Some(format!("but gates failed ({})", report.summary())),
        };
        Input::Judged(Judgement { verdict, changed, unproven })
    }

    async fn listen(&mut self) -> Result<Turned, String> {
        self.said = self.said().await?;
        let verdict = self.book.round().verdict.as_ref();
        if !self.said.is_empty() && verdict.is_some_and(|verdict| verdict.decision == Decision::Approve) {
            self.recorder.note("[approved; what you said meanwhile is the next round]");
        }
        Ok(Turned::Tell(Input::Said(!self.said.is_empty())))
    }

    /// The rounds are over, or wait for a person.
    async fn ended(&mut self) -> Outcome {
        match self.cycle.at().stage.clone() {
            Stage::Approved => self.told(|told| told.approved()).await,
            Stage::Waiting { why } => {
                self.recorder.note(&format!("[{}]", why.ask()));
                self.told(|told| told.waiting(why.ask())).await
            }
            Stage::Ended { why } => self.told(|told| told.waiting(why)).await,
            Stage::Working | Stage::Checking | Stage::Reviewing => self.told(|told| told.stopped()).await,
        }
    }
}

/// Adds what was used since `before` to a part.
fn spend(part: &mut Part, before: &Tally, now: &Tally) {
    let used = since(now, before);
    let sum = Tally { tokens: part.tokens, cost: part.cost, ..Tally::default() }.plus(&used);
    part.tokens = sum.tokens;
    part.cost = sum.cost;
    part.conversation = now.conversation.clone().or(part.conversation.take());
}

fn last_words(answer: Option<&str>) -> String {
    tail_chars(answer.unwrap_or_default().trim(), NOTES_CHARS).to_owned()
}
