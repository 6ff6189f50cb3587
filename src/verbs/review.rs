//! `review`: the work on a branch, a ticket or a pull request judged by a reviewer, and mended with --fix.
//!
//! Exit codes are kagura-engineer's: 0 green or yellow, 1 could not review, 2 red.

use super::cli::Format;
use super::cli::review::ReviewArgs;
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use super::watching::watched;
use super::{logging, queue};
use crate::plan::scaffold::is_initialised;
use crate::plan::store::OpenError;
use crate::verify::finding::Finding;
use crate::verify::review::{FixReport, Report, ReviewOptions, Reviewed, Status, review};

/// Runs the verb.
///
/// # Errors
/// No project, nothing that could be reviewed, nobody to review it.
pub(super) fn run(context: &Context, args: ReviewArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let root = context.root()?;
    if !is_initialised(&root) {
        return Err(OpenError::Uninitialised(root).into());
    }
    for (what, name) in [("TARGET", &args.target), ("--base", &args.base)] {
        // Named here, because such a name never means what it says to git.
        if let Some(name) = name.as_ref().filter(|name| name.starts_with('-')) {
            return Err(VerbError::Usage(format!(
                "{what} {name}: no name of a branch or ticket begins with `-`"
            )));
        }
    }
    let json = args.json || context.format == Some(Format::Json);
    let (target, base, fix, reviewer) = (args.target, args.base, args.fix, args.reviewer);
    let options = ReviewOptions { root, target, base, fix, reviewer };
    let asked = options.clone();
    let _log = logging::start();
    let runtime = queue::async_runtime(2)?;
    let reviewed = match runtime.block_on(watched(out, |progress, stop| review(options, progress, stop))) {
        Ok(reviewed) => reviewed,
        // Whoever reads JSON gets a report of that, too.
        Err(VerbError::Failed(why)) if json => Reviewed::not_begun(&asked, why),
        Err(error) => return Err(error),
    };
    if json {
        out.json(&reviewed);
    } else {
        match &reviewed {
            Reviewed::Once(report) => once(report, out),
            Reviewed::Fixed(report) => fixed(report, out),
        }
    }
    Ok(match reviewed.status() {
        Status::Ok => Exit::Ok,
        Status::Fail => Exit::Failed,
        Status::Blocked => Exit::RED,
    })
}

fn tone(status: Status) -> Tone {
    match status {
        Status::Ok => Tone::Good,
        Status::Fail => Tone::Warn,
        Status::Blocked => Tone::Bad,
    }
}

fn once(report: &Report, out: &mut Out) {
    let word = report.verdict.as_deref().unwrap_or("no verdict");
    out.pieces(&[
        (tone(report.status), word),
        (Tone::Strong, &format!("  {}", report.target)),
        (Tone::Faint, &format!(" against {}", report.base)),
    ]);
    out.line(&report.detail);
    if !report.words.is_empty() {
        out.block(&report.words);
    }
    report.findings.iter().for_each(|finding| told(finding, out));
    if let Some(hint) = &report.resume_hint {
        out.pieces(&[(Tone::Faint, hint)]);
    }
}

fn told(finding: &Finding, out: &mut Out) {
    let tone = if finding.blocking { Tone::Bad } else { Tone::Plain };
    let place = finding.place().map(|place| format!("  {place}")).unwrap_or_default();
    let mut lines = finding.reason.lines();
    let title = lines.next().unwrap_or_default();
    let severity = format!("{:8}", finding.severity.word());
    out.pieces(&[(tone, &severity), (Tone::Strong, &place), (Tone::Plain, &format!("  {title}"))]);
    for line in lines {
        out.line(&format!("          {line}"));
    }
    for line in finding.required_change.iter().flat_map(|change| change.lines()) {
        out.pieces(&[(Tone::Faint, &format!("          → {line}"))]);
    }
}

fn fixed(report: &FixReport, out: &mut Out) {
    for (number, review) in report.iterations.iter().enumerate() {
        let word = review.verdict.as_deref().unwrap_or("no verdict");
        let fix = number.checked_sub(1).and_then(|at| report.fixes.get(at));
        let after = fix
            .map(|fix| format!(" after {} mended {} finding(s)", fix.agent, fix.given))
            .unwrap_or_default();
        out.pieces(&[
            (Tone::Strong, &format!("review {}  ", number + 1)),
            (tone(review.status), word),
            (Tone::Plain, &format!("{after}: {}", review.detail)),
        ]);
    }
    if let Some(last) = report.iterations.last() {
        last.findings.iter().for_each(|finding| told(finding, out));
    }
    out.pieces(&[(tone(report.status), &report.detail)]);
    match &report.branch {
        Some(branch) if report.notes.is_empty() => out.line(&format!("the fixes are on {branch}")),
        _ => report.notes.iter().for_each(|note| out.line(note)),
    }
    if let Some(hint) = &report.resume_hint {
        out.pieces(&[(Tone::Faint, hint)]);
    }
}
