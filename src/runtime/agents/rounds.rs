//! Sessions of one agent until its work is over: a rate limit is slept over, words that it could not hear while it
//! worked are its next round, and every limit of the run holds over all of them together.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::breach_watch::BreachWatch;
use super::next::{After, Next, next};
use super::place::Place;
use super::{AgentRun, Plan, is_stopped};
use crate::execute::agents::backend;
use crate::execute::agents::session::{self, AgentEnding, AgentJob, AgentReport, Hearing, Limits, Steer};
use crate::execute::agents::tally::{Cost, Tally};
use crate::execute::fence::Watched;
use crate::execute::outcome::Ending;
use crate::execute::recorder::Recorder;
use crate::execute::stop::{Stop, StopWatch, stop_pair};
use crate::runtime::protocol::Role;

/// What a run has used of its limits that a session does not know of.
#[derive(Debug)]
pub(super) struct Spent {
    began: Instant,
    slept: Duration,
    sleeps: u32,
    /// Said by the operator and heard by nobody: it is for the worker's next round. Empty but for what could not be kept on
    /// disk.
    pub(super) held: Vec<String>,
    /// What else was asked between two sessions: the next one hears it.
    pub(super) later: Vec<Steer>,
}

impl Spent {
    /// Nothing yet.
    pub(super) fn new() -> Spent {
        Spent { began: Instant::now(), slept: Duration::ZERO, sleeps: 0, held: Vec::new(), later: Vec::new() }
    }

    /// Work begins now: what was prepared before costs none of its time.
    pub(super) fn begin(&mut self) {
        self.began = Instant::now();
    }

    /// Time that counts: a rate limit that is slept over does not.
    fn used(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.slept)
    }
}

/// First sleep after a rate limit whose end nobody said; doubled with each.
const UNSAID_SLEEP: Duration = Duration::from_secs(60);

/// What it takes to be given a job when one is free.
const A_MOMENT: Duration = Duration::from_millis(500);

/// What a session is begun with.
struct Words {
    prompt: String,
    resume: Option<String>,
}

/// What a run amounts to since `begun`.
pub(super) fn since(now: &Tally, begun: &Tally) -> Tally {
    let cost = now.cost.map(|cost| {
        let usd = cost.usd - begun.cost.map_or(0.0, |before| before.usd);
        Cost { usd: usd.max(0.0), ..cost }
    });
    Tally {
        turns: now.turns.saturating_sub(begun.turns),
        tools: now.tools.saturating_sub(begun.tools),
        failed_tools: now.failed_tools.saturating_sub(begun.failed_tools),
        changes: now.changes.saturating_sub(begun.changes),
        tokens: now.tokens.less(begun.tokens),
        aside: now.aside.less(begun.aside),
        cost,
        ..now.clone()
    }
}

/// A prompt, and what the operator said besides.
pub(super) fn with_words(prompt: String, words: &[String]) -> String {
    format!("{prompt}\n\nThe operator adds:\n{}", words.join("\n\n"))
}

fn going_to_sleep(until: Timestamp, sleeps: u32, allowed: u32) -> String {
    format!("[rate limit: asleep until {until:.0}, then it goes on ({sleeps} of {allowed})]")
}

/// What reaches a session from outside of it.
struct Outside<'a> {
    stop: StopWatch,
    steer: &'a mut mpsc::UnboundedReceiver<Steer>,
    breach_watch: BreachWatch,
    role: Role,
}

impl AgentRun<'_> {
    /// Lets the agent work until it finished, failed, was stopped, or a limit was reached.
    pub(super) async fn rounds(
        &self,
        plan: &Arc<Plan>,
        place: &Place,
        stop: StopWatch,
        steer: &mut mpsc::UnboundedReceiver<Steer>,
        spent: &mut Spent,
        recorder: &mut Recorder,
    ) -> AgentReport {
        let breach_watch =
            BreachWatch::start(&place.guard, Watched::FilesToo, recorder.redactor(), self.feed).await;
        let mut outside = Outside { stop: stop.clone(), steer, breach_watch, role: place.role };
        let mut report = self.sessions(plan, place, spent, &mut outside, recorder).await;
        place.keep(outside.breach_watch.finish());
        spent.held.append(&mut report.unheard);
        spent.held = self.keep_said(std::mem::take(&mut spent.held)).await;
        report
    }

    async fn sessions(
        &self,
        plan: &Arc<Plan>,
        place: &Place,
        spent: &mut Spent,
        outside: &mut Outside<'_>,
        recorder: &mut Recorder,
    ) -> AgentReport {
        let (begun, allowed) = (self.feed.tallied(), plan.settings.budgets.rate_limit_sleeps);
        let mut prompt = place.brief.clone();
        let mut resume = place.earlier.as_ref().map(|earlier| earlier.conversation.clone());
        loop {
            self.sleep_if_limited(plan, spent, outside, recorder).await;
            let words = Words { prompt: prompt.clone(), resume: resume.clone() };
            let job = self.session_job(plan, place, words, spent.used(), &begun);
            let mut report = self.session(job, plan, spent, outside, recorder).await;
            let after = After {
                ending: &report.ending,
                stopped: is_stopped(&outside.stop),
                resumed: resume.is_some(),
                turns: report.tally.turns,
                conversation: report.tally.conversation.as_deref(),
                unheard: &report.unheard,
                may_sleep: spent.sleeps < allowed,
            };
            let next = next(&after);
            let unheard = next.says_besides(&mut report.unheard);
            match next {
                Next::Over => return report,
                Next::Sleep { until, resume: conversation } => {
                    let until = until.unwrap_or_else(|| self.soon(spent.sleeps));
                    spent.sleeps += 1;
                    self.ground.ledger.sleep(&plan.name, until);
                    recorder.note(&going_to_sleep(until, spent.sleeps, allowed));
                    if conversation.is_some() {
                        resume = conversation;
                        prompt = "Go on where the rate limit interrupted you.".to_owned();
                    }
                }
                Next::Anew => {
                    recorder.note("[the earlier conversation could not be resumed; a new one begins]");
                    resume = None;
                    prompt = place.anew(self, plan).await;
                }
                Next::Tell { words, resume: conversation } => {
                    recorder.note("[it is told now what you said while it worked]");
                    prompt = match &conversation {
                        Some(_) => words,
                        None => with_words(place.anew(self, plan).await, &[words]),
                    };
                    resume = conversation;
                    self.feed.agent(|view| view.queued.clear());
                }
            }
            if !unheard.is_empty() {
                prompt = with_words(prompt, &unheard);
                self.feed.agent(|view| view.queued.clear());
            }
        }
    }

    /// A rate limit that another run found keeps this one asleep, too.
    async fn sleep_if_limited(
        &self,
        plan: &Plan,
        spent: &mut Spent,
        outside: &Outside<'_>,
        recorder: &mut Recorder,
    ) {
        if let Some(until) = self.ground.ledger.asleep(&plan.name, self.ground.clock.now()) {
            recorder.note(&format!("[{} is asleep until {until:.0}: its rate limit]", plan.name));
            spent.slept += self.sleep(until, &outside.stop, recorder).await;
        }
    }

    fn soon(&self, sleeps: u32) -> Timestamp {
        let wait = UNSAID_SLEEP * 2_u32.saturating_pow(sleeps.min(6));
        let wait = jiff::SignedDuration::try_from(wait).unwrap_or(jiff::SignedDuration::ZERO);
        self.ground.clock.now().saturating_add(wait).unwrap_or(Timestamp::MAX)
    }

    /// Sleeps until then, or until the operator stops the run, and waits for a job to go on with: its own was free for
    /// others meanwhile. Returns how long it was.
    async fn sleep(&self, until: Timestamp, stop: &StopWatch, recorder: &mut Recorder) -> Duration {
        let began = Instant::now();
        let mut stop = stop.clone();
        self.slot.release();
        self.feed.agent(|view| view.sleeping_until = Some(until));
        let wait = Duration::try_from(until.duration_since(self.ground.clock.now())).unwrap_or_default();
        if !is_stopped(&stop) {
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = stop.changed() => {}
            }
        }
        self.slot.request();
        self.feed.agent(|view| {
            view.sleeping_until = None;
            view.waits_for_job = true;
        });
        if !is_stopped(&stop) {
            tokio::select! {
                () = self.job(recorder) => {}
                _ = stop.changed() => {}
            }
        }
        self.slot.force();
        self.feed.agent(|view| view.waits_for_job = false);
        began.elapsed()
    }

    /// Waits for a job, and says so when that is not a matter of a moment.
    async fn job(&self, recorder: &mut Recorder) {
        if tokio::time::timeout(A_MOMENT, self.slot.granted()).await.is_err() {
            recorder.note("[awake again; it waits for a free job]");
            self.slot.granted().await;
        }
    }

    fn session_job(
        &self,
        plan: &Plan,
        place: &Place,
        Words { prompt, resume }: Words,
        used: Duration,
        begun: &Tally,
    ) -> AgentJob {
        let budgets = &plan.settings.budgets;
        let spent = self.feed.tallied();
        // What the conversation amounted to before this session: earlier turns, then the sessions of this one.
        let earlier = place.earlier.as_ref().filter(|earlier| resume.as_ref() == Some(&earlier.conversation));
        let since = since(&spent, begun);
        let before = resume.as_ref().map(|_| match earlier {
            Some(earlier) => earlier.tally.plus(&since),
            None => since,
        });
        AgentJob {
            kind: plan.kind,
            settings: plan.choice.settings.clone(),
            prompt,
            folder: place.worktree.work_folder(),
            env: place.env.clone(),
            files: self.ticket.files.clone(),
            resume,
            before,
            schema: place.schema.clone(),
            scratch: self.folder.path().to_owned(),
            limits: Limits {
                timeout: budgets.run_timeout().saturating_sub(used),
                silence: budgets.silence_limit(),
                tokens: budgets.run_tokens.map(|limit| limit.saturating_sub(spent.tokens.total())),
                usd: budgets.run_usd.map(|limit| limit - spent.cost.map_or(0.0, |cost| cost.usd)),
                grace: self.ground.grace,
            },
            fence: place.fence.clone(),
        }
    }

    /// One session, with the operator's words passed on and the day's budget watched. Its report tells what the whole
    /// run amounts to.
    async fn session(
        &self,
        job: AgentJob,
        plan: &Plan,
        spent: &mut Spent,
        outside: &mut Outside<'_>,
        recorder: &mut Recorder,
    ) -> AgentReport {
        let hearing = backend::hearing(plan.kind, &plan.choice.settings);
        let (stopper, inner) = stop_pair();
        let (words, heard) = mpsc::unbounded_channel();
        let mut outer = outside.stop.clone();
        stopper.at_least(outer.current());
        let mut over = None;
        let run: Arc<str> = self.folder.name().into();
        self.read_today().await;
        for asked in spent.later.drain(..) {
            self.pass_on(asked, hearing, &words);
        }
        let session = session::run(job, inner, heard, recorder);
        tokio::pin!(session);
        let mut report = loop {
            tokio::select! {
                report = &mut session => break report,
                asked = outer.changed() => stopper.at_least(asked),
                sighting = outside.breach_watch.next() => drop(words.send(Steer::Seen(Box::new(sighting)))),
                Some(said) = outside.steer.recv() => match said {
                    // Who judges is told nothing: it is for the worker's next round.
                    Steer::Say(text) if outside.role == Role::Reviewer => {
                        self.feed.agent(|view| view.queued.push(text.clone()));
                        spent.held.extend(self.keep_said(vec![text]).await);
                    }
                    said => self.pass_on(said, hearing, &words),
                },
                () = self.feed.tally_changed() => {
                    let tally = self.feed.tallied();
                    // The conversation to go on with after a crash is the worker's.
                    if outside.role == Role::Worker {
                        self.remember(&tally);
                    }
                    let today = self.ground.ledger.tell(&run, &tally);
                    if over.is_none() && let Some(sentence) = today.over(&plan.settings.budgets) {
                        stopper.at_least(Stop::Polite);
                        over = Some(sentence);
                    }
                }
            }
        };
        self.feed.session_over();
        report.tally = self.feed.tallied();
        if let Some(sentence) = over {
            report.ending = AgentEnding::Limit { which: "day".to_owned() };
            report.outcome.ending = Ending::Failed;
            report.outcome.reason = Some(sentence);
        }
        report
    }

    /// Passes on what the operator wants of the agent, and shows what waits of it.
    fn pass_on(&self, said: Steer, hearing: Hearing, words: &mpsc::UnboundedSender<Steer>) {
        self.feed.agent(|view| match &said {
            Steer::Say(text) if hearing == Hearing::NextRound => view.queued.push(text.clone()),
            Steer::PauseAfterTurn(on) => view.pausing = *on,
            Steer::Say(_) | Steer::Seen(_) => {}
        });
        // A session that is over hears nothing more; what it did not hear is in its report.
        drop(words.send(said));
    }

    /// Reads what agents have used today, also those of other processes.
    async fn read_today(&self) {
        let ground = Arc::clone(self.ground);
        let read = move || ground.ledger.read_today(&ground.runs, ground.clock.now());
        drop(tokio::task::spawn_blocking(read).await);
    }

    /// Keeps a conversation's id as soon as it is known: a crash must not lose it.
    fn remember(&self, tally: &Tally) {
        let known = self.keeper.conversation();
        if tally.conversation.is_some() && tally.conversation != known {
            self.keeper.change(|record| {
                if let Some(agent) = &mut record.agent {
                    agent.tally = tally.clone();
                }
            });
        }
    }
}
