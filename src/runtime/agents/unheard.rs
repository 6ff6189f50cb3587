//! What the operator said and no agent heard: too late for the agent's last look, or to somebody who was not to be told.
//!
//! It is on disk (`queued.json` beside the rounds of the ticket, [`ReviewFolder`]) until a worker was told it, whoever
//! works the ticket next; a run that ends before that says so in its transcript, its pane and its outcome.

use serde_json::json;
use tokio::sync::mpsc;

use super::AgentRun;
use super::earlier::Earlier;
use super::place::Place;
use super::rounds::{Spent, with_words};
use crate::execute::agents::session::{AgentReport, Steer};
use crate::execute::outcome::{Ending, Outcome};
use crate::execute::recorder::Recorder;
use crate::runtime::reviews::ReviewFolder;
use crate::verify::finding::{Finding, Source};
use crate::verify::review;

/// Messages that the end of a transcript repeats.
const NAMED: usize = 5;

impl AgentRun<'_> {
    /// Keeps what the operator said while somebody else than the worker was at it, for the worker's next round: on disk, as
    /// the run may end before there is one. Returns what could not be kept.
    pub(super) async fn keep_said(&self, texts: Vec<String>) -> Vec<String> {
        if texts.is_empty() {
            return texts;
        }
        let folder = self.said_folder();
        let actor = self.ground.holder.to_string();
        let findings: Vec<Finding> = texts.iter().map(|text| said(text.clone(), &actor)).collect();
        let kept = tokio::task::spawn_blocking(move || folder.queue(&findings)).await;
        match kept.map_err(std::io::Error::other).and_then(|kept| kept) {
            Ok(()) => Vec::new(),
            Err(error) => {
                tracing::warn!(%error, "what the operator said is in memory only");
                texts
            }
        }
    }

    /// Keeps what was said and nobody took up, between two turns or at the end.
    pub(super) async fn put_away(&self, steer: &mut mpsc::UnboundedReceiver<Steer>, spent: &mut Spent) {
        while let Ok(steer) = steer.try_recv() {
            match steer {
                Steer::Say(text) => spent.held.push(text),
                other => spent.later.push(other),
            }
        }
        spent.held = self.keep_said(std::mem::take(&mut spent.held)).await;
    }

    /// What a worker without rounds is to be told: everything that was kept, whichever run it was said to.
    ///
    /// # Errors
    /// A sentence for the operator: what was said is not known, which is not the same as nothing.
    pub(super) async fn kept(
        &self,
        steer: &mut mpsc::UnboundedReceiver<Steer>,
        spent: &mut Spent,
    ) -> Result<Vec<Finding>, String> {
        self.put_away(steer, spent).await;
        let mut all = self.waiting().await?;
        let actor = self.ground.holder.to_string();
        all.extend(spent.held.drain(..).map(|text| said(text, &actor)));
        self.feed.agent(|view| view.queued.clear());
        Ok(all)
    }

    /// These were told to a worker that had a turn with them.
    pub(super) async fn heard(&self, findings: Vec<Finding>) {
        let folder = self.said_folder();
        let told = tokio::task::spawn_blocking(move || folder.told(&findings)).await;
        if let Ok(Err(error)) = told {
            tracing::warn!(%error, "what was told stays among what waits");
        }
    }

    /// The end of the run: from here on whoever says something is refused, and what came before that and reached nobody is
    /// kept and told of.
    pub(super) async fn leave_said(
        &self,
        mut outcome: Outcome,
        steer: &mut mpsc::UnboundedReceiver<Steer>,
        spent: &mut Spent,
        recorder: &mut Recorder,
    ) -> Outcome {
        steer.close();
        self.put_away(steer, spent).await;
        let waiting = match self.waiting().await {
            Ok(waiting) => waiting,
            Err(sentence) => {
                recorder.note(&format!("[{sentence}]"));
                Vec::new()
            }
        };
        let lost = std::mem::take(&mut spent.held);
        let kept: Vec<String> = waiting.into_iter().map(|finding| finding.reason).collect();
        if kept.is_empty() && lost.is_empty() {
            return outcome;
        }
        for text in kept.iter().take(NAMED) {
            recorder.note(&format!("[nobody was told yet: {text}]"));
        }
        if kept.len() > NAMED {
            recorder.note(&format!("[… and {} more]", kept.len() - NAMED));
        }
        if !kept.is_empty() {
            recorder.note("[it is kept, and told when this ticket is worked on again]");
        }
        for text in &lost {
            recorder.note(&format!("[could not be kept, say it again: {text}]"));
        }
        let all: Vec<String> = kept.into_iter().chain(lost).collect();
        let shown: Vec<String> = all.iter().map(|text| recorder.clean(text)).collect();
        self.feed.agent(|view| view.queued = shown);
        let reason = outcome.reason.take().filter(|_| outcome.ending != Ending::Succeeded);
        outcome.reason = reason.map(|reason| format!("{reason}; {}", waits(all.len())));
        outcome.facts.insert("unheard".to_owned(), json!(all));
        outcome
    }

    /// What is kept on disk.
    pub(super) async fn waiting(&self) -> Result<Vec<Finding>, String> {
        let folder = self.said_folder();
        let path = folder.path().display().to_string();
        let read = tokio::task::spawn_blocking(move || folder.queued()).await;
        read.map_err(std::io::Error::other).and_then(|read| read).map_err(|error| {
            format!("reading what you said from {path} failed: {error}; see to the file, then retry")
        })
    }

    fn said_folder(&self) -> ReviewFolder {
        ReviewFolder::of(&self.ground.root, &self.ticket.id)
    }
}

fn waits(count: usize) -> String {
    match count {
        1 => "1 message of yours was heard by nobody and waits".to_owned(),
        n => format!("{n} messages of yours were heard by nobody and wait"),
    }
}

/// What a worker without rounds is told of it.
pub(super) fn words(findings: &[Finding]) -> String {
    match findings.iter().any(|finding| finding.file.is_some()) {
        true => review::fix_prompt(findings),
        false => {
            let words: Vec<String> = findings.iter().map(|finding| finding.reason.clone()).collect();
            with_words(String::new(), &words).trim_start().to_owned()
        }
    }
}

/// The conversation of a turn that is over, for one more.
pub(super) fn conversation(place: &Place, report: &AgentReport) -> Option<Earlier> {
    let conversation = report.tally.conversation.clone()?;
    let before = place.earlier.as_ref().filter(|earlier| earlier.conversation == conversation);
    let tally = before.map_or_else(|| report.tally.clone(), |before| before.tally.plus(&report.tally));
    Some(Earlier { conversation, tally, why: "ended, and the operator said more".to_owned() })
}

/// What the operator said, as what has to be mended.
pub(super) fn said(text: String, actor: &str) -> Finding {
    Finding::blocking(text, Source::Operator { actor: actor.to_owned() })
}
