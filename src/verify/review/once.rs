//! One review: the difference, a scratch worktree of the head, the reviewer in it, and its words made into a report.

use std::sync::Arc;
use std::time::Instant;

use super::asking::{self, About};
use super::ground::LOOK;
use super::ground::{Agent, Finished, Ground, Who};
use super::patch::{self, PROMPT_BYTES, Patch};
use super::program::{self, Judged};
use super::report::Report;
use super::target::{Subject, tip};
use crate::execute::agents::session::AgentReport;
use crate::execute::isolation::{self, ChangeKind, Worktree};
use crate::plan::policy::Policy;
use crate::verify::finding::Finding;
use crate::verify::verdict::Verdict;

/// Folders that running somebody's tests leaves behind: new files in them are no change of the work.
const CACHES: [&str; 7] =
    ["__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache", ".hypothesis", "node_modules", "target"];

/// Most paths that a sentence names.
const NAMED: usize = 5;

/// Reviews `subject`. `earlier` are the findings of the review before, when this is one of several.
pub(super) async fn review(
    ground: &Arc<Ground>,
    who: &Who,
    subject: &Subject,
    earlier: &[Finding],
) -> Report {
    let began = Instant::now();
    let name = match who {
        Who::Program(words) => program::name(words),
        Who::Agent(agent) => agent.choice.name.clone(),
    };
    let report = Report {
        reviewer: Some(name),
        head: subject.head.clone(),
        base_commit: subject.base.clone(),
        ..Report::new(&subject.target, &subject.base_name)
    };
    let report = judged(ground, who, subject, earlier, report).await;
    Report { duration_s: (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0, ..report }
}

async fn judged(
    ground: &Arc<Ground>,
    who: &Who,
    subject: &Subject,
    earlier: &[Finding],
    report: Report,
) -> Report {
    let (root, base, head) = (ground.root.clone(), subject.base.clone(), subject.head.clone());
    let made = blocking(move || {
        let patch = patch::between(&root, &base, &head, PROMPT_BYTES);
        patch.map_err(|error| format!("comparing the commits failed: {}", error.message()))
    });
    let patch = match made.await {
        Ok(patch) if patch.is_empty() => return report.nothing(),
        Ok(patch) => patch,
        Err(why) => return report.failed(why),
    };
    let (shared, head) = (Arc::clone(ground), subject.head.clone());
    let worktree = match blocking(move || shared.scratch(LOOK, &head)).await {
        Ok(worktree) => worktree,
        Err(why) => return report.failed(why),
    };
    let report = in_place(ground, who, subject, earlier, patch, &worktree, report).await;
    let root = ground.root.clone();
    let thrown = blocking(move || isolation::discard(&root, &worktree).map_err(|error| error.to_string()));
    if let Err(why) = thrown.await {
        ground.say(format!("the worktree of the review stays: {why}"));
    }
    // A branch that moved meanwhile was not judged.
    let now = subject.branch.as_ref().map(|branch| tip(&ground.root, &format!("refs/heads/{branch}")));
    if !subject.uncommitted && now.is_some_and(|now| now.as_ref() != Some(&subject.head)) {
        return report.failed(format!("{} moved while it was reviewed; review it again", subject.target));
    }
    report
}

/// What a reviewer said, before it is known whether it left the work alone.
enum Said {
    Nothing,
    Envelope(Box<super::envelope::Envelope>, String),
    Verdict(Box<Verdict>),
    None(String),
}

async fn in_place(
    ground: &Arc<Ground>,
    who: &Who,
    subject: &Subject,
    earlier: &[Finding],
    patch: Patch,
    worktree: &Worktree,
    report: Report,
) -> Report {
    let (shared, by, place) = (Arc::clone(ground), who.clone(), worktree.clone());
    let name = report.reviewer.clone().unwrap_or_default();
    let label = format!("review of {} by {name}", subject.target);
    // Whatever the project's policy opens, it opens for workers.
    let started = blocking(move || shared.start(&by, place, &Policy::default(), &label)).await;
    let mut run = match started {
        Ok(run) => run,
        Err(why) => return report.failed(why),
    };
    let report = Report { run: Some(run.folder.name().to_owned()), ..report };
    ground.say(format!("{name} reviews {} against {}", subject.target, subject.base_name));
    let mut agent: Option<(&Agent, AgentReport)> = None;
    let said = match who {
        Who::Program(words) => match program::run(words, &mut run, subject, earlier, ground).await {
            Ok(Judged::Nothing) => Said::Nothing,
            Ok(Judged::Envelope(envelope, path)) => Said::Envelope(envelope, path),
            Err(why) => Said::None(run.recorder.clean(&why)),
        },
        Who::Agent(by) => {
            let place = worktree.clone();
            let (told, verdict) =
                asking::ask(ground, by, &mut run, About { subject, earlier, patch, place }).await;
            agent = Some((by, told));
            match verdict {
                Ok(verdict) => Said::Verdict(Box::new(verdict)),
                Err(why) => Said::None(run.recorder.clean(&why)),
            }
        }
    };
    let looked = worktree.clone();
    let settled = blocking(move || {
        let (breaches, run) = run.settle();
        let mut wrong: Vec<String> = breaches.iter().map(|breach| breach.what.clone()).collect();
        wrong.extend(changed(&looked)?);
        Ok((wrong, run))
    });
    let (wrong, run) = match settled.await {
        Ok(settled) => settled,
        Err(why) => return report.failed(format!("looking at what the reviewer did failed: {why}")),
    };
    let report = finish(report, said, &wrong, &run);
    let tally = agent.as_ref().map(|(_, told)| told.tally.clone()).unwrap_or_default();
    let report = Report { tokens: tally.tokens, cost: tally.cost, ..report };
    let good = report.verdict.is_some();
    run.record(good, agent.as_ref().map(|(by, told)| (*by, told)), if good { "" } else { &report.detail });
    report
}

fn finish(report: Report, said: Said, wrong: &[String], run: &Finished) -> Report {
    if !wrong.is_empty() {
        let shown: Vec<String> = wrong.iter().take(NAMED).map(|line| run.recorder.clean(line)).collect();
        let more =
            if wrong.len() > NAMED { format!(" and {} more", wrong.len() - NAMED) } else { String::new() };
        return report.failed(format!(
            "the reviewer changed the work that it was to judge, so its verdict does not count: {}{more}",
            shown.join(", ")
        ));
    }
    match said {
        // We found a difference before it was asked; kagura takes its word for it (kagura-engineer §8), and so do we, aloud.
        Said::Nothing => {
            let name = report.reviewer.clone().unwrap_or_default();
            let report = report.nothing();
            Report { detail: format!("{}, says {name}, though the commits differ", report.detail), ..report }
        }
        Said::None(why) => report.failed(why),
        Said::Verdict(verdict) => report.judged(cleaned(*verdict, run), None, None),
        Said::Envelope(envelope, path) => {
            let report = Report { report_path: Some(path).filter(|path| !path.is_empty()), ..report };
            let mut summary = envelope.summary.clone();
            if envelope.is_incomplete() {
                summary.insert("incomplete".to_owned(), true.into());
            }
            report.judged(
                cleaned(envelope.verdict, run),
                Some(run.recorder.clean(&envelope.word)),
                Some(summary),
            )
        }
    }
}

/// The verdict without secrets.
fn cleaned(verdict: Verdict, run: &Finished) -> Verdict {
    verdict.cleaned(|text| run.recorder.clean(text))
}

/// Paths that differ from what was to be judged.
fn changed(worktree: &Worktree) -> Result<Vec<String>, String> {
    let survey = isolation::survey(worktree).map_err(|error| error.to_string())?;
    let cache = |path: &str| path.split('/').any(|part| CACHES.contains(&part));
    let meant = survey.into_iter().filter(|change| change.kind != ChangeKind::Added || !cache(&change.path));
    Ok(meant.map(|change| change.path).collect())
}

/// Runs blocking work on a thread for it.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, String> + Send + 'static,
) -> Result<T, String> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(format!("a thread of ours ended: {error}")))
}
