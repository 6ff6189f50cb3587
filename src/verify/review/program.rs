//! The external reviewer: `kagura-code-reviewer`'s options, exit codes and envelope (kagura-engineer §8).

use std::path::Path;
use std::time::Duration;

use super::envelope::Envelope;
use super::fenced::{Nonce, cut};
use super::ground::{Ground, Run};
use super::target::{Subject, as_given};
use crate::base::atomic;
use crate::base::regular::{self, Links};
use crate::execute::agents::backend::OWN_FOLDER;
use crate::execute::outcome::{Ending, Outcome};
use crate::execute::shell::{self, ShellJob};
use crate::execute::tail::tail_chars;
use crate::verify::finding::Finding;

/// Longest time that it may take.
const TIMEOUT: Duration = Duration::from_secs(1800);

/// Characters of its standard error in a sentence.
const SAID: usize = 200;

/// Longest report that is read, in bytes.
const REPORT: u64 = 16 * 1024 * 1024;

/// What it prints when it finds nothing to review.
const NOTHING: &str = "No changes to review";

/// What came of it.
pub(super) enum Judged {
    /// It had nothing to review.
    Nothing,
    /// It gave its envelope, which is in that file.
    Envelope(Box<Envelope>, String),
}

/// What it is called: its file's name.
pub(super) fn name(command: &[String]) -> String {
    let word = command.first().map(String::as_str).unwrap_or_default();
    Path::new(word).file_name().map_or(word.to_owned(), |name| name.to_string_lossy().into_owned())
}

/// Runs it in the place of `run`.
///
/// # Errors
/// A sentence: it could not review.
pub(super) async fn run(
    command: &[String],
    run: &mut Run,
    subject: &Subject,
    earlier: &[Finding],
    ground: &Ground,
) -> Result<Judged, String> {
    let own = run.folder.path().join(OWN_FOLDER);
    let (report, stdout, context) = (own.join("review.json"), own.join("stdout"), own.join("context.md"));
    // The folder is new; what is there all the same is nobody's answer to this question.
    for stale in [&report, &stdout] {
        if let Err(error) = std::fs::remove_file(stale)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            return Err(format!("removing the old report {} failed: {error}", stale.display()));
        }
    }
    let known = context_text(subject, earlier);
    if let Some(text) = &known {
        atomic::replace(&context, &[text.as_bytes()])
            .map_err(|error| format!("writing {} failed: {error}", context.display()))?;
    }
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let folder = run.worktree.path.clone();
    let (base, head) = as_given(&ground.root, subject);
    let mut words: Vec<String> = command.to_vec();
    let options = [
        ("--base", base),
        ("--head", head),
        ("--repo", path(&folder)),
        ("--format", "json".to_owned()),
        ("--out", path(&report)),
        ("--effort", "med".to_owned()),
    ];
    for (option, value) in options {
        words.extend([option.to_owned(), value]);
    }
    if known.is_some() {
        words.extend(["--context-file".to_owned(), path(&context)]);
    }
    let quoted = shlex::try_join(words.iter().map(String::as_str)).map_err(|error| error.to_string())?;
    let to = shlex::try_quote(&path(&stdout)).map_err(|error| error.to_string())?.into_owned();
    let job = ShellJob {
        command: format!("exec {quoted} > {to}"),
        folder,
        env: run.env.clone(),
        fence: run.fence.clone(),
        timeout: TIMEOUT,
        grace: Duration::from_secs(5),
    };
    let outcome = shell::run_with(&job, ground.stop.clone(), &mut run.recorder).await;
    let printed = read(&stdout).unwrap_or_default();
    judge(&outcome, command, &printed, &report, subject)
}

fn judge(
    outcome: &Outcome,
    command: &[String],
    printed: &[u8],
    report: &Path,
    subject: &Subject,
) -> Result<Judged, String> {
    let name = name(command);
    let code = outcome.exit_code;
    let written = read(report).filter(|bytes| !bytes.trim_ascii().is_empty());
    let ended = outcome.signal.is_none() && outcome.ending == Ending::Succeeded;
    // kagura looks for these words before anything else (kagura-engineer §8); whoever wrote a report, or failed, did not
    // find nothing to review.
    if ended && written.is_none() && String::from_utf8_lossy(printed).contains(NOTHING) {
        return Ok(Judged::Nothing);
    }
    let said = tail_chars(outcome.stderr.last(SAID).trim_end(), SAID);
    match (&outcome.ending, &outcome.reason, outcome.signal) {
        (Ending::TimedOut, ..) => {
            return Err(format!("the reviewer timed out after {} s", TIMEOUT.as_secs()));
        }
        (Ending::Stopped, ..) => return Err("the review was stopped".to_owned()),
        (_, Some(why), _) => return Err(format!("the reviewer could not be started: {why}")),
        (_, _, Some(signal)) => return Err(format!("the reviewer was ended by signal {signal}: {said}")),
        (..) if matches!(code, 126 | 127) => {
            return Err(format!("the reviewer {name} could not be started: {said}"));
        }
        (..) if matches!(code, 2 | 3) => {
            return Err(format!("reviewer could not complete (exit {code}): {said}"));
        }
        _ => {}
    }
    let bytes = written.as_deref().unwrap_or(printed);
    match Envelope::read(bytes, &name, &subject.head) {
        Some(envelope) => {
            let path = if written.is_some() { report.to_string_lossy().into_owned() } else { String::new() };
            Ok(Judged::Envelope(Box::new(envelope), path))
        }
        None => Err(format!(
            "reviewer could not complete (exit {code}): it gave no report that can be read {said}"
        )),
    }
}

/// The bytes of a plain file that is not too long.
fn read(path: &Path) -> Option<Vec<u8>> {
    regular::read(path, Links::Refused, REPORT).ok()
}

/// What the reviewer is told besides the commits; nothing when nothing is known.
fn context_text(subject: &Subject, earlier: &[Finding]) -> Option<String> {
    if subject.ticket.is_none() && earlier.is_empty() {
        return None;
    }
    let nonce = Nonce::new();
    let mut text = format!("# For the reviewer\n\n{}\n", nonce.rule());
    if let Some(ticket) = &subject.ticket {
        let criteria: Vec<String> =
            ticket.acceptance_criteria.iter().map(|line| format!("- {line}")).collect();
        let asked = format!("{}\n\n{}\n\n{}", ticket.name, ticket.description, criteria.join("\n"));
        text.push_str(&format!(
            "\n## What was asked for\n\n{}\n",
            nonce.fence("asked", &cut(&asked, 24 * 1024))
        ));
    }
    if !earlier.is_empty() {
        let line = |finding: &Finding| {
            let place = finding.place().unwrap_or_default();
            format!("- [{}] {place} {}", finding.severity.word(), cut(&finding.reason, 1000))
        };
        let lines: Vec<String> = earlier.iter().take(100).map(line).collect();
        text.push_str(&format!(
            "\n## Findings of the review before\n\n{}\n",
            nonce.fence("earlier", &lines.join("\n"))
        ));
    }
    Some(text)
}
