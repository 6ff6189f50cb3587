//! An agent asked for one verdict, and once more when what it answered was none.

use std::path::PathBuf;

use super::ground::{Agent, Ground, Run, Task};
use super::patch::Patch;
use super::target::Subject;
use super::{Expected, ReviewRequest, prompt, roles, schema, verdict};
use crate::execute::agents::session::{AgentEnding, AgentReport};
use crate::execute::agents::tally::Tally;
use crate::execute::isolation::Worktree;
use crate::execute::stop::Stop;
use crate::verify::finding::Finding;
use crate::verify::rounds::Progress;
use crate::verify::verdict::Verdict;

/// What is judged, and where.
pub(super) struct About<'a> {
    pub(super) subject: &'a Subject,
    /// Findings of the review before.
    pub(super) earlier: &'a [Finding],
    pub(super) patch: Patch,
    /// Holds the head.
    pub(super) place: Worktree,
}

/// Asks `agent`. What its sessions amount to together, and the verdict, or a sentence why there is none (foreign text).
pub(super) async fn ask(
    ground: &Ground,
    agent: &Agent,
    run: &mut Run,
    about: About<'_>,
) -> (AgentReport, Result<Verdict, String>) {
    let words = prompt(&request(ground, &about));
    let expected = expected(&about, &agent.choice.name);
    let task = Task { prompt: words.clone(), schema: Some(schema()), ..Task::default() };
    let told = ground.session(agent, run, task).await;
    let why = match answer(&told, &expected) {
        Err(why) if told.ending == AgentEnding::Finished && ground.stop.current() == Stop::No => why,
        answered => return (told, answered),
    };
    run.recorder.note(&format!("[{why}; it is asked once more]"));
    ground.say(format!("{why}; {} is asked once more", agent.choice.name));
    let again = format!(
        "That was no verdict ({why}). Answer once more, with nothing but the one JSON object that you were asked for."
    );
    let resume = told.tally.conversation.clone();
    // Whoever cannot go on with the conversation is told everything again.
    let prompt = if resume.is_some() { again } else { format!("{words}\n{again}\n") };
    let task = Task { prompt, schema: Some(schema()), resume, spent: told.tally.clone() };
    let second = ground.session(agent, run, task).await;
    let answered = answer(&second, &expected);
    let tally: Tally = told.tally.plus(&second.tally);
    (AgentReport { tally, ..second }, answered)
}

fn request(ground: &Ground, about: &About<'_>) -> ReviewRequest {
    let About { subject, earlier, .. } = about;
    let asked = match &subject.ticket {
        Some(ticket) => ReviewRequest::of_ticket(ticket),
        None => ReviewRequest { subject: subject.target.clone(), ..ReviewRequest::default() },
    };
    ReviewRequest {
        role: roles::reviewer(&ground.root),
        folder: about.place.work_folder(),
        base: subject.base.clone(),
        head: subject.head.clone(),
        patch: about.patch.clone(),
        earlier: earlier.iter().map(|finding| (Progress::New, finding.clone())).collect(),
        ..asked
    }
}

fn expected(about: &About<'_>, name: &str) -> Expected {
    let folders: Vec<PathBuf> = vec![about.place.work_folder(), about.place.path.clone()];
    Expected {
        ticket: about.subject.target.clone(),
        head: about.subject.head.clone(),
        reviewer: name.to_owned(),
        earlier: about.earlier.iter().map(|finding| finding.id.clone()).collect(),
        folders,
    }
}

fn answer(told: &AgentReport, expected: &Expected) -> Result<Verdict, String> {
    if told.ending != AgentEnding::Finished {
        let why = told.outcome.reason.clone().unwrap_or_else(|| "the agent did not finish".to_owned());
        return Err(format!("the reviewer did not finish: {why}"));
    }
    verdict(told.structured.as_ref(), told.answer.as_deref(), expected).map_err(|error| error.to_string())
}
