//! `review` as a whole: what to review, one review of it, or reviews and fixes in turns until it passes.
//!
//! Bounded by `review.max_loops`; it ends early when a fix changed nothing or went back to what was judged before, and mends nothing on a review that was not
//! complete: its finding is about the review.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use git2::Oid;
use tokio::sync::mpsc;

use super::fixing;
use super::ground::{Ground, LOOK, Who};
use super::mending::{self, Turn};
use super::once::{self, blocking};
use super::pulls::{failed_checks, is_number, pull_request};
use super::report::{Fix, FixReport, Report, Reviewed, Status};
use super::target::{Subject, resolve, tree};
use crate::execute::environment::Environment;
use crate::execute::isolation::{self, Worktree};
use crate::execute::scratch_runs;
use crate::execute::stop::StopWatch;
use crate::plan::settings::Settings;
use crate::plan::ticket::TicketId;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct ReviewOptions {
    /// Project folder.
    pub root: PathBuf,
    /// Branch, commit, ticket id or number of a pull request; the working tree when nothing is named.
    pub target: Option<String>,
    /// What it is compared with; where a ticket's work began, or the base branch, when nothing is named.
    pub base: Option<String>,
    /// Let an agent mend what is found.
    pub fix: bool,
    /// Agent that judges.
    pub reviewer: Option<String>,
}

/// Reviews. `progress` gets lines of text for people (foreign text); dropping the future stops everything.
///
/// # Errors
/// A sentence: there was nothing that could be reviewed, or nobody to do it.
pub async fn review(
    options: ReviewOptions,
    progress: mpsc::UnboundedSender<String>,
    stop: StopWatch,
) -> Result<Reviewed, String> {
    let root = options.root.clone();
    let (settings, environment) = (Settings::load(&root).0, Environment::of_process());
    let ground = Arc::new(Ground { root, settings, environment, progress, stop });
    let pull = match options.target.as_deref() {
        Some(number) if is_number(number) && !is_ticket(&ground, number) => {
            Some(pull_request(&ground, number).await)
        }
        _ => None,
    };
    let pulled = pull.as_ref().and_then(|pull| Some(pull.as_ref().ok()?.number.clone()));
    let asked = options.clone();
    let subject = blocking(move || {
        scratch_runs::sweep(&asked.root, LOOK);
        let (target, base) = (asked.target.as_deref(), asked.base.as_deref());
        resolve(&asked.root, target, pull.as_ref(), base).map_err(|error| error.to_string())
    });
    let subject = subject.await?;
    subject.notes.iter().for_each(|note| ground.say(note.as_str()));
    if subject.uncommitted {
        ground.say("what is not committed yet is reviewed too");
    }
    let failed_checks = match &pulled {
        Some(number) => checks(&ground, number).await,
        None => Vec::new(),
    };
    let who = ground.reviewer(options.reviewer.as_deref())?;
    if options.fix {
        return fixed(&ground, &who, subject).await.map(|report| Reviewed::Fixed(Box::new(report)));
    }
    let report = once::review(&ground, &who, &subject, &[]).await;
    Ok(Reviewed::Once(Box::new(Report { failed_checks, ..report })))
}

/// The checks of a pull request that failed on its host. The verdict is on the work as it lies here, so it stays what it
/// is; a green one above red checks is told as that.
async fn checks(ground: &Ground, number: &str) -> Vec<String> {
    match failed_checks(ground, number).await {
        Ok(failed) => {
            if !failed.is_empty() {
                ground.say(format!("checks that failed on pull request {number}: {}", failed.join(", ")));
            }
            failed
        }
        Err(error) => {
            ground.say(format!("the checks of pull request {number} are not known: {error}"));
            Vec::new()
        }
    }
}

fn is_ticket(ground: &Ground, id: &str) -> bool {
    isolation::known(&ground.root, &TicketId::new(id)).is_some()
}

/// Reviews and fixes in turns.
async fn fixed(ground: &Arc<Ground>, who: &Who, subject: Subject) -> Result<FixReport, String> {
    let began = Instant::now();
    let branch = subject.branch.clone().ok_or(
        "fixing failed: HEAD or what was named is no branch, so fixes would be nowhere; name a branch or a ticket",
    )?;
    if subject.uncommitted {
        return Err(
            "fixing failed: there is uncommitted work; commit it first, or name what to review".to_owned()
        );
    }
    let mut turns = Turns {
        ground,
        who,
        subject,
        branch: branch.clone(),
        place: None,
        seen: Vec::new(),
        attempts: 0,
        iterations: Vec::new(),
        fixes: Vec::new(),
    };
    let (status, detail) = loop {
        if let Some(end) = turns.once().await {
            break end;
        }
    };
    let Turns { subject, place, attempts, iterations, fixes, .. } = turns;
    let handed = mending::handed_over(ground, &branch, place, &fixes).await;
    let elsewhere = handed.branch.as_ref().filter(|kept| **kept != branch);
    let merge = elsewhere.map(|kept| {
        format!(
            "{branch} stays where it is (it is checked out, or was moved), so the fixes are on {kept}: \
             `git merge {kept}` brings them"
        )
    });
    let notes = merge.into_iter().chain(handed.left).collect();
    let hint = format!("look at the findings, then run `koru-tui review {} --fix` again", subject.target);
    Ok(FixReport {
        target: subject.target,
        base: subject.base_name,
        status,
        fixes_attempted: attempts,
        detail,
        resume_hint: (status != Status::Ok).then_some(hint),
        duration_s: (began.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
        branch: handed.branch,
        notes,
        iterations,
        fixes,
    })
}

/// The state of reviews and fixes in turns.
struct Turns<'a> {
    ground: &'a Arc<Ground>,
    who: &'a Who,
    subject: Subject,
    /// The branch that is reviewed.
    branch: String,
    /// Where fixes are made, once there was one.
    place: Option<Worktree>,
    /// The files of each review, as the names of their trees.
    seen: Vec<Oid>,
    /// How often somebody was asked to mend.
    attempts: u32,
    iterations: Vec<Report>,
    fixes: Vec<Fix>,
}

impl Turns<'_> {
    /// One review, and a fix when it asks for one. The end, if this is it.
    async fn once(&mut self) -> Option<(Status, String)> {
        let earlier = self.iterations.last().map(|report| report.findings.clone()).unwrap_or_default();
        let report = once::review(self.ground, self.who, &self.subject, &earlier).await;
        let blocking = report.findings.iter().filter(|finding| finding.blocking).count();
        if let (Some(fix), true) = (self.fixes.last_mut(), report.verdict.is_some()) {
            fix.after = Some(blocking);
            self.ground.say(progress(fix.before, blocking));
        }
        let end = self.end(&report);
        let (said, given) = (report.detail.clone(), fixing::grave(&report.findings));
        self.iterations.push(report);
        if end.is_some() {
            return end;
        }
        self.seen.extend(tree(&self.ground.root, &self.subject.head));
        self.attempts += 1;
        let turn = Turn { given: &given, before: blocking, branch: &self.branch };
        let fix = match mending::mend(self.ground, &mut self.subject, &mut self.place, &turn).await {
            Ok(fix) => fix,
            Err(why) => return Some((Status::Fail, why)),
        };
        let end = self.idle(&fix).map(|how| (Status::Blocked, format!("{said}; {how}, so it ends here")));
        self.fixes.push(fix);
        end
    }

    /// Why a fix was none, if it was: no review of the same files would say anything else.
    fn idle(&self, fix: &Fix) -> Option<String> {
        if fix.commit.is_none() {
            return Some(format!("{} changed nothing", fix.agent));
        }
        let now = tree(&self.ground.root, &self.subject.head);
        let again = now.and_then(|now| self.seen.iter().position(|seen| *seen == now))?;
        Some(format!("{} brought back what review {} had judged", fix.agent, again + 1))
    }

    /// Whether `report` is the last word, and how it is said.
    fn end(&self, report: &Report) -> Option<(Status, String)> {
        let (said, count) = (&report.detail, self.attempts);
        let word = report.verdict.as_deref().unwrap_or_default();
        let end = match report.status {
            Status::Ok if count == 0 => said.clone(),
            Status::Ok => format!("clean ({word}) after {count} fix(es)"),
            Status::Fail => said.clone(),
            Status::Blocked if report.is_incomplete() => {
                format!("{said}; nothing was mended: the review itself was not complete")
            }
            Status::Blocked if report.findings.is_empty() => {
                format!("{said}; nothing was mended: no finding says what")
            }
            Status::Blocked if count >= self.ground.settings.review.max_loops => {
                format!("{said} after {count} fix(es), which is review.max_loops")
            }
            Status::Blocked => return None,
        };
        Some((report.status, end))
    }
}

fn progress(before: usize, after: usize) -> String {
    let word = match after.cmp(&before) {
        std::cmp::Ordering::Less => "fewer",
        std::cmp::Ordering::Equal => "no fewer",
        std::cmp::Ordering::Greater => "more",
    };
    format!("{word} blocking findings than before the fix: {before} → {after}")
}
