//! The reviewer's turn: an agent in the worker's worktree that can write nothing there, asked for one verdict.
//!
//! The kernel's fence keeps it from writing; where there is none, or it found a way, files and references are compared
//! afterwards, what it changed is put back, and a person is told. An answer that is no verdict is asked for once more.

use std::sync::Arc;

use tokio::time::Instant;

use super::super::place::Asked;
use super::begun::Begun;
use super::{Loop, Plan, Turned, last_words, since, spend};
use crate::execute::agents::kind::AgentKind;
use crate::execute::agents::session::{AgentEnding, AgentReport};
use crate::execute::isolation::{self, Change};
use crate::plan::settings::REVIEWER;
use crate::runtime::agents::is_stopped;
use crate::runtime::agents::place::Place;
use crate::runtime::agents::tidy::differing;
use crate::runtime::launch::ReviewWish;
use crate::runtime::protocol::{AgentPhase, Role};
use crate::verify::review::{self, Expected, ReviewRequest, VerdictError, patch, roles};
use crate::verify::rounds::Part;
use crate::verify::verdict::Verdict;

/// Who judges, and for how many rounds.
pub(in crate::runtime::agents) struct Judge {
    plan: Arc<Plan>,
    pub(super) max_rounds: u32,
    /// Its name, where somebody wished for it, now or when the rounds began.
    pub(super) wished: Option<String>,
}

impl Judge {
    /// Who judges the work of `plan`; nobody when it is not wished for and nobody has the role. Rounds that were begun and
    /// are not over go on as they were wished for, whoever starts the run.
    ///
    /// # Errors
    /// A sentence for the operator: the reviewer is not there, or not as it should be.
    pub(in crate::runtime::agents) fn of(
        plan: &Plan,
        wish: &ReviewWish,
        begun: Option<&Begun>,
    ) -> Result<Option<Judge>, String> {
        let role = plan.settings.roles.get(REVIEWER);
        let kept = begun.and_then(|begun| begun.wished.as_ref());
        let named = wish.reviewer.as_ref().or(kept);
        if !wish.on.unwrap_or(role.is_some() || named.is_some() || begun.is_some()) {
            return Ok(None);
        }
        // Asked for without anybody named: the worker's own program, in a conversation of its own.
        let last = begun.and_then(|begun| begun.last.as_ref());
        let name = named.or(role).or(last).unwrap_or(&plan.name);
        let choice = plan.settings.agent(Some(name)).map_err(|error| format!("the reviewer: {error}"))?;
        let Some(choice) = choice else { return Err(format!("the reviewer {name} is no agent")) };
        let kind = AgentKind::parse(&choice.kind)
            .ok_or_else(|| format!("the reviewer: no agent program is called {:?}", choice.kind))?;
        let judge = Plan {
            name: choice.name.clone(),
            kind,
            choice,
            settings: plan.settings.clone(),
            policy: plan.policy.clone(),
        };
        let max_rounds = wish.max_rounds.unwrap_or(plan.settings.review.max_rounds).max(1);
        let wished = (wish.on == Some(true) || named.is_some()).then(|| judge.name.clone());
        Ok(Some(Judge { plan: Arc::new(judge), max_rounds, wished }))
    }
}

/// An answer as it is taken.
enum Heard {
    Verdict(Box<Verdict>),
    /// None, why, and whether asking again may help.
    Nothing(String, bool),
    /// The session was ended by a limit, by a pause or by the operator.
    Cut(String),
}

impl Loop<'_> {
    /// Lets the reviewer judge the head of the round.
    pub(super) async fn judge(&mut self) -> Result<Turned, String> {
        let judge = Arc::clone(&self.judge.plan);
        let round = self.book.round();
        let head = round.head.clone().unwrap_or_else(|| round.from.clone());
        let mut part = self.book.begin_part(&judge.name, round.reviewer.as_ref());
        let begun = part.clone();
        let change = |round: &mut crate::verify::rounds::Round| {
            round.reviewer = Some(begun);
            round.verdict = None;
        };
        self.book.change(change).await?;
        let prompt = self.request(&head).await?;
        let asked = Asked { round: self.book.round().number, prompt, schema: review::schema() };
        let mut bench = self.place.bench(self.run, &judge, asked).await?;
        let before = differing(&self.place, &head).await?;
        self.show(Role::Reviewer, &judge.name, None);
        self.run.feed.agent(|view| view.phase = AgentPhase::Reviewing);
        for note in std::mem::take(&mut bench.notes) {
            if !self.noted.contains(&note) {
                self.recorder.note(&format!("[{note}]"));
                self.noted.push(note);
            }
        }
        let (spent, began) = (self.run.feed.tallied(), Instant::now());
        let heard = self.hear(&judge, &mut bench, &head, &mut part).await;
        part.took = Some(began.elapsed());
        spend(&mut part, &spent, &self.run.feed.tallied());
        let changed = self.undo(&judge, &bench, &head, &before).await?;
        self.book.put(|round| round.reviewer = Some(part));
        let verdict = match heard {
            Heard::Verdict(verdict) => Ok(*verdict),
            Heard::Nothing(sentence, _) => Err(sentence),
            Heard::Cut(sentence) if changed.is_empty() => {
                self.book.change(|_| ()).await?;
                let over = match is_stopped(&self.stop) {
                    true => self.told(|told| told.stopped()).await,
                    false => self.told(|told| told.waiting(sentence)).await,
                };
                return Ok(Turned::Over(Box::new(over)));
            }
            Heard::Cut(sentence) => Err(sentence),
        };
        if let (Ok(verdict), true) = (&verdict, changed.is_empty()) {
            self.say(verdict);
            let kept = verdict.clone();
            self.book.put(|round| round.verdict = Some(kept));
        }
        Ok(Turned::Tell(self.judged(verdict, changed)))
    }

    /// The reviewer's sessions: one, and a second when the first gave no verdict.
    async fn hear(&mut self, judge: &Arc<Plan>, bench: &mut Place, head: &str, part: &mut Part) -> Heard {
        let (mut asked_again, begun) = (false, self.run.feed.tallied());
        loop {
            let report =
                self.run.rounds(judge, bench, self.stop.clone(), self.steer, self.spent, self.recorder).await;
            self.run.ground.ledger.tell(&self.run.folder.name().into(), &report.tally);
            part.notes = last_words(report.answer.as_deref());
            let heard = self.read(&report, judge, head);
            if let Heard::Verdict(_) = &heard {
                self.limit = last_word(&report, &judge.name);
            }
            match &heard {
                Heard::Nothing(sentence, true) if !asked_again && !is_stopped(&self.stop) => {
                    asked_again = true;
                    self.recorder.note(&format!("[{sentence}; it is asked once more]"));
                    let words = format!(
                        "That was no verdict ({sentence}). Answer once more, with nothing but the one JSON object that \
                         you were asked for."
                    );
                    bench.ask_again(&words, since(&report.tally, &begun));
                }
                _ => return heard,
            }
        }
    }

    fn read(&self, report: &AgentReport, judge: &Plan, head: &str) -> Heard {
        let because = |fallback: &str| report.outcome.reason.clone().unwrap_or_else(|| fallback.to_owned());
        let said = self.verdict(report, judge, head);
        match &report.ending {
            AgentEnding::Finished => {}
            // It had its say with the very tokens that reached the limit, or before it was paused: that is paid for.
            AgentEnding::Limit { .. } | AgentEnding::Stopped | AgentEnding::Paused if said.is_ok() => {}
            AgentEnding::Stopped | AgentEnding::Paused => {
                return Heard::Cut(format!(
                    "{} was paused before its verdict; let it go on, or decide yourself",
                    judge.name
                ));
            }
            AgentEnding::Limit { .. } | AgentEnding::RateLimited { .. } => return Heard::Cut(limit(report)),
            AgentEnding::Failed | AgentEnding::Garbage | AgentEnding::NothingDone => {
                return Heard::Nothing(because("the reviewer failed"), true);
            }
            _ => return Heard::Nothing(because("the reviewer cannot work"), false),
        }
        match said {
            Ok(verdict) => Heard::Verdict(Box::new(verdict)),
            Err(error) => Heard::Nothing(self.recorder.clean(&error.to_string()), true),
        }
    }

    /// The verdict in a report, without secrets: it is shown, kept and told to the worker.
    fn verdict(&self, report: &AgentReport, judge: &Plan, head: &str) -> Result<Verdict, VerdictError> {
        let worktree = &self.place.worktree;
        let earlier = self.book.review().earlier(self.book.round().number);
        let expected = Expected {
            ticket: self.run.ticket.id.as_str().to_owned(),
            head: head.to_owned(),
            reviewer: judge.name.clone(),
            earlier: earlier.into_iter().map(|(_, finding)| finding.id.clone()).collect(),
            folders: vec![worktree.work_folder(), worktree.path.clone()],
        };
        let verdict = review::verdict(report.structured.as_ref(), report.answer.as_deref(), &expected)?;
        Ok(verdict.cleaned(|text| self.recorder.clean(text)))
    }

    /// What the reviewer is asked. Reads the repository.
    async fn request(&mut self, head: &str) -> Result<String, String> {
        let (round, of) = (self.book.round(), self.book.review().max_rounds);
        let earlier = self.book.review().earlier(round.number);
        let mut request = ReviewRequest {
            folder: self.place.worktree.work_folder(),
            base: self.book.review().base.clone(),
            head: head.to_owned(),
            round: Some((round.number, of)),
            gates: round.gates.clone(),
            notes: round.worker.as_ref().map(|part| part.notes.clone()),
            earlier: earlier.into_iter().map(|(progress, finding)| (progress, finding.clone())).collect(),
            ..ReviewRequest::of_ticket(self.run.ticket)
        };
        let root = self.run.ground.root.clone();
        let asking = move || {
            request.role = roles::reviewer(&root);
            request.patch = patch::between(&root, &request.base, &request.head, patch::PROMPT_BYTES)?;
            Ok::<_, git2::Error>(review::prompt(&request))
        };
        let asked = tokio::task::spawn_blocking(asking).await;
        let asked = asked.map_err(|error| error.to_string())?;
        asked.map_err(|error| format!("reading what is to be judged failed: {}", error.message()))
    }

    /// Puts back what the reviewer changed all the same. Returns what that was.
    async fn undo(
        &mut self,
        judge: &Arc<Plan>,
        bench: &Place,
        head: &str,
        before: &[Change],
    ) -> Result<Vec<String>, String> {
        let settled = bench.settle().await;
        if !settled.breaches.is_empty() {
            self.run.audit(judge, &settled.breaches).await;
        }
        let now = differing(&self.place, head).await?;
        let gone = |change: &&Change| !now.iter().any(|other| other.path == change.path);
        let missing: Vec<String> = before.iter().filter(gone).map(|change| change.path.clone()).collect();
        let changed: Vec<Change> = now.into_iter().filter(|change| !before.contains(change)).collect();
        let mut told: Vec<String> = settled.breaches.into_iter().map(|breach| breach.what).collect();
        told.extend(changed.iter().map(|change| change.path.clone()).chain(missing));
        if !changed.is_empty() {
            let (worktree, head) = (self.place.worktree.clone(), head.to_owned());
            let back =
                tokio::task::spawn_blocking(move || isolation::put_back(&worktree, &head, &changed)).await;
            back.map_err(|error| error.to_string())?.map_err(|error| error.to_string())?;
        }
        Ok(told)
    }

    /// Puts the verdict into the transcript.
    fn say(&mut self, verdict: &Verdict) {
        let count = verdict.findings.len();
        let findings = match count {
            0 => "no finding".to_owned(),
            1 => "1 finding".to_owned(),
            n => format!("{n} findings"),
        };
        self.recorder.note(&format!("[verdict: {}, {findings}]", verdict.decision.word()));
        for finding in &verdict.findings {
            let place = finding.place().map(|place| format!(" {place}")).unwrap_or_default();
            let first = finding.reason.lines().next().unwrap_or_default();
            self.recorder.note(&format!("  {}{place}: {first}", finding.severity.word()));
        }
    }
}

/// Why nobody is paid any more after the verdict that came with this report.
fn last_word(report: &AgentReport, name: &str) -> Option<String> {
    match &report.ending {
        AgentEnding::Limit { .. } => Some(limit(report)),
        AgentEnding::Paused => {
            Some(format!("{name} paused after its verdict, as you asked; answer to let the work go on"))
        }
        _ => None,
    }
}

/// The limit that a session reached, as a sentence.
fn limit(report: &AgentReport) -> String {
    let reached = || "a limit was reached before the verdict".to_owned();
    report.outcome.reason.clone().unwrap_or_else(reached)
}
