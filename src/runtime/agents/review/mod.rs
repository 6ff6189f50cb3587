//! Work in rounds: the worker works, gates check, a reviewer judges, and what is to be mended goes back, until the work
//! is approved or a person has to decide.
//!
//! Every step is on disk before the next begins ([`book`]), so that a run that was cut off anywhere goes on where it was
//! ([`start`]) and nobody is paid twice. Budgets, the stop ladder, pauses and sleeps hold over all rounds together.

mod begun;
mod book;
mod check;
mod fixes;
mod judge;
pub(in crate::runtime) mod start;
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
use crate::verify::gates::waiver::waiver;
use crate::verify::gates::{Consequence, GateReport};
use crate::verify::review;
use crate::verify::rounds::{Part, Stage, Wait};
use crate::verify::verdict::{Decision, Verdict};
pub(super) use begun::begun;
use book::Book;
pub(super) use judge::Judge;
use start::Phase;

/// Characters of an agent's last words that a round keeps.
const NOTES_CHARS: usize = 4000;

/// What follows a step.
enum Step {
    /// The next one.
    Go(Phase),
    /// The run is over.
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
        let (book, phase, note) = match Book::open(self, &place, &judge, asked).await {
            Ok(opened) => opened,
            Err(sentence) => return Outcome::not_started(sentence),
        };
        if let Some(note) = note {
            recorder.note(&format!("[{note}]"));
        }
        let mut rounds = Loop {
            run: self,
            plan,
            judge,
            noted: place.notes.clone(),
            place,
            used: false,
            book,
            spent,
            stop,
            steer,
            recorder,
            left: None,
            limit: None,
        };
        rounds.go(phase).await
    }
}

impl Loop<'_> {
    async fn go(&mut self, mut phase: Phase) -> Outcome {
        loop {
            let step = match phase {
                Phase::Work => self.work().await,
                Phase::Check => self.check().await,
                Phase::Judge => self.judge().await,
                Phase::Complete => self.complete().await,
            };
            let limit = self.limit.clone().or_else(|| self.used_up());
            if let (Ok(Step::Go(Phase::Work)), Some(sentence)) = (&step, limit) {
                self.recorder.note(&format!("[{sentence}]"));
                return self.told(|told| told.waiting(sentence)).await;
            }
            match step {
                Ok(Step::Go(next)) => phase = next,
                Ok(Step::Over(outcome)) => return *outcome,
                Err(sentence) => {
                    self.recorder.note(&format!("[{sentence}]"));
                    return self.told(|told| told.waiting(sentence)).await;
                }
            }
            if is_stopped(&self.stop) {
                return self.told(|told| told.stopped()).await;
            }
        }
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
    async fn work(&mut self) -> Result<Step, String> {
        self.add_said().await?;
        let (number, name) = (self.book.round().number, self.plan.name.clone());
        self.settle_in(number).await?;
        let conversation = self.place.earlier.as_ref().map(|earlier| earlier.conversation.clone());
        self.turn(Role::Worker, &name, conversation.as_deref());
        let mut part = self.book.begin_part(&name, self.book.round().worker.as_ref());
        let begun = part.clone();
        self.book.change(Stage::Working, |round| round.worker = Some(begun)).await?;
        let (before, began) = (self.run.feed.tallied(), Instant::now());
        let (run, plan) = (self.run, self.plan);
        let turn = run.turn(plan, &self.place, &self.stop, self.steer, self.spent, self.recorder).await;
        self.used = true;
        part.took = Some(began.elapsed());
        match turn {
            Err(stopped) => {
                spend(&mut part, &before, &stopped.tally);
                self.book.change(Stage::Working, |round| round.worker = Some(part)).await?;
                Ok(Step::Over(Box::new(stopped.outcome)))
            }
            Ok(left) => {
                spend(&mut part, &before, &left.report.tally);
                part.notes = last_words(left.report.answer.as_deref());
                let head = left.found.head.clone();
                self.left = Some(left);
                let idle = head == self.book.round().from && (number > 1 || head == self.book.review().base);
                let stage = if idle { Stage::Waiting { why: Wait::NoChange } } else { Stage::Checking };
                let done = |round: &mut crate::verify::rounds::Round| {
                    round.worker = Some(part);
                    round.head = Some(head);
                };
                self.book.change(stage, done).await?;
                if idle { Ok(self.over_waiting(Wait::NoChange).await) } else { Ok(Step::Go(Phase::Check)) }
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
    fn turn(&mut self, role: Role, name: &str, conversation: Option<&str>) {
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

    /// The reviewer's turn, and what follows from its verdict.
    async fn judge(&mut self) -> Result<Step, String> {
        let verdict = match self.given() {
            Some(verdict) => Box::new(verdict),
            None => match self.ask_judge().await? {
                judge::Judged::Verdict(verdict) => verdict,
                judge::Judged::Waits(why) => return self.wait(why).await,
                judge::Judged::Over(outcome) => return Ok(Step::Over(outcome)),
            },
        };
        let kept = Verdict::clone(&verdict);
        if let Some(contradiction) = verdict.contradiction() {
            let why = Wait::Contradiction { sentence: contradiction.to_string() };
            let stage = Stage::Waiting { why: why.clone() };
            self.book.change(stage, |round| round.verdict = Some(kept)).await?;
            return Ok(self.over_waiting(why).await);
        }
        self.book.change(Stage::Reviewing, |round| round.verdict = Some(kept)).await?;
        if is_stopped(&self.stop) {
            return Ok(Step::Over(Box::new(self.told(|told| told.stopped()).await)));
        }
        match verdict.decision {
            Decision::ChangesRequired => self.back().await,
            Decision::Approve => self.pass().await,
        }
    }

    /// The work goes back, while there are rounds left.
    async fn back(&mut self) -> Result<Step, String> {
        let round = self.book.round();
        let (number, head) = (round.number, round.head.clone().unwrap_or_else(|| round.from.clone()));
        let mut fixes = round.verdict.as_ref().map(|verdict| verdict.findings.clone()).unwrap_or_default();
        let said = self.said().await?;
        if number >= self.book.review().max_rounds && said.is_empty() {
            return self.wait(Wait::MaxRounds).await;
        }
        fixes.extend(said.iter().cloned());
        self.book.next_round(&head, fixes).await?;
        self.book.told(said).await;
        Ok(Step::Go(Phase::Work))
    }

    /// The work passes, unless the operator said something that nobody has worked on, or nothing proves it.
    async fn pass(&mut self) -> Result<Step, String> {
        if let Some(step) = self.mend_said().await? {
            return Ok(step);
        }
        let report = GateReport { results: self.book.round().gates.clone() };
        let sentence = match report.consequence(&self.plan.policy, waiver(self.run.ticket).as_ref()) {
            Consequence::Complete => None,
            Consequence::Ask { why } => Some(why),
            // The policy was made stricter since they ran.
            Consequence::Fail { .. } => Some(format!("but gates failed ({})", report.summary())),
        };
        if let Some(sentence) = sentence {
            return self.wait(Wait::Gates { sentence }).await;
        }
        self.book.change(Stage::Approved, |_| ()).await?;
        self.complete().await
    }

    /// The rounds say that the work passed; from there on no comment is taken, so this look for one is the last.
    async fn complete(&mut self) -> Result<Step, String> {
        let mut step = self.mend_said().await?;
        if step.is_none() {
            // Who says something from here on is refused; what came just before is seen now.
            self.steer.close();
            step = self.mend_said().await?;
        }
        match step {
            Some(step) => Ok(step),
            None => Ok(Step::Over(Box::new(self.approved().await))),
        }
    }

    /// The next round, where the operator said something that nobody has worked on.
    async fn mend_said(&mut self) -> Result<Option<Step>, String> {
        let said = self.said().await?;
        if said.is_empty() {
            return Ok(None);
        }
        let round = self.book.round();
        let head = round.head.clone().unwrap_or_else(|| round.from.clone());
        self.recorder.note("[approved; what you said meanwhile is the next round]");
        self.book.next_round(&head, said.clone()).await?;
        self.book.told(said).await;
        Ok(Some(Step::Go(Phase::Work)))
    }

    async fn wait(&mut self, why: Wait) -> Result<Step, String> {
        self.book.change(Stage::Waiting { why: why.clone() }, |_| ()).await?;
        Ok(self.over_waiting(why).await)
    }

    async fn over_waiting(&mut self, why: Wait) -> Step {
        self.recorder.note(&format!("[{}]", why.ask()));
        Step::Over(Box::new(self.told(|told| told.waiting(why.ask())).await))
    }

    async fn approved(&mut self) -> Outcome {
        self.told(|told| told.approved()).await
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
