//! Numbers of pull requests, through `gh` where it is installed.
//!
//! Owned by nobody: `gh` is asked anew each time. What it says is foreign text; `target` makes commits of it.

use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};

use super::ground::Ground;
use crate::base::process::{Program, Running, SpawnError};
use crate::execute::environment::{Recipient, Wanted};
use crate::execute::stop::Stop;
use crate::execute::tail::tail_chars;

/// How long `gh` may take.
const GH: Duration = Duration::from_secs(30);

/// Most bytes of its output that are read.
const OUTPUT: u64 = 4096;

/// Characters of its complaint in a sentence.
const SAID: usize = 200;

/// What is asked, one line each: kagura asks for the branch alone (kagura-engineer §8), which is the wrong commit when the
/// branch is not up to date here, or when a fork calls its branch as this repository calls another.
const FIELDS: &str = "headRefName,headRefOid,baseRefName";

/// The same for `-q`.
const QUERY: &str = ".headRefName, .headRefOid, .baseRefName";

/// What is asked for the checks that failed on the host; a question of its own, as not everybody who may read a pull
/// request may read its checks.
const CHECKS: &str = "[.statusCheckRollup[]? | select((.conclusion // .state) as $is | [\"FAILURE\", \"TIMED_OUT\", \
                      \"STARTUP_FAILURE\", \"ACTION_REQUIRED\", \"ERROR\"] | index($is)) | (.name // .context)] | unique[]";

/// Most names of checks that are told.
const CHECKS_NAMED: usize = 20;

/// A pull request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pull {
    /// The number as it was asked for.
    pub(super) number: String,
    /// Its branch.
    pub(super) branch: String,
    /// Its newest commit, where `gh` names it.
    pub(super) head: Option<String>,
    /// The branch that it is to be merged into, where `gh` names it.
    pub(super) base: Option<String>,
}

/// Why a number is not known as a pull request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PullError {
    #[error("gh is not installed, so nobody was asked; install it, or name a branch, a commit or a ticket")]
    Absent,
    #[error("gh did not answer within {} s; try again, or name a branch, a commit or a ticket", GH.as_secs())]
    Silent,
    #[error("gh was stopped")]
    Stopped,
    #[error("gh could not be run: {0}")]
    NotRun(String),
    #[error("gh says: {0}; see `gh auth status`, or name a branch, a commit or a ticket")]
    Refused(String),
    #[error("gh named no branch; name a branch, a commit or a ticket")]
    Nameless,
}

/// Whether a target could be the number of a pull request.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The pull request of that number. On any trouble the number is still a name that git may know (kagura-engineer §8).
pub(super) async fn pull_request(ground: &Ground, number: &str) -> Result<Pull, PullError> {
    let out = gh(ground, &["pr", "view", number, "--json", FIELDS, "-q", QUERY]).await?;
    read(number, &out).ok_or(PullError::Nameless)
}

/// The checks that failed on the host for the newest commit of the pull request, by name (foreign text).
pub(super) async fn failed_checks(ground: &Ground, number: &str) -> Result<Vec<String>, PullError> {
    let out = gh(ground, &["pr", "view", number, "--json", "statusCheckRollup", "-q", CHECKS]).await?;
    let names = out.lines().map(str::trim).filter(|name| !name.is_empty());
    Ok(names.take(CHECKS_NAMED).map(str::to_owned).collect())
}

/// What `gh` prints for these words.
async fn gh(ground: &Ground, words: &[&str]) -> Result<String, PullError> {
    let wanted = Wanted {
        recipient: Recipient::Command,
        allowed: &ground.settings.environment,
        keys: &["GH_TOKEN".to_owned(), "GITHUB_TOKEN".to_owned(), "GH_HOST".to_owned()],
        own: &["GH_*"],
        extra: &[("GH_PROMPT_DISABLED", "1"), ("NO_COLOR", "1")],
    };
    let program =
        Program::new("gh", &ground.root).args(words).env(ground.environment.for_child(&wanted).vars);
    let mut child = program.spawn().await.map_err(|error| match error {
        SpawnError::NotFound { .. } => PullError::Absent,
        other => PullError::NotRun(other.to_string()),
    })?;
    let mut stop = ground.stop.clone();
    let stopped = async {
        while stop.current() == Stop::No {
            stop.changed().await;
        }
    };
    // Leaving before its end drops the child, and that ends it with all that it started.
    let answer = tokio::select! {
        answer = tokio::time::timeout(GH, answer(&mut child)) => answer.map_err(|_| PullError::Silent)?,
        () = stopped => return Err(PullError::Stopped),
    };
    let (succeeded, out, complaint) = answer.map_err(|error| PullError::NotRun(error.to_string()))?;
    if !succeeded {
        let complaint = tail_chars(complaint.trim(), SAID).lines().collect::<Vec<_>>().join(" ");
        return Err(PullError::Refused(if complaint.is_empty() { "nothing".to_owned() } else { complaint }));
    }
    Ok(out)
}

/// Whether it succeeded, what it printed, and what it complained about.
async fn answer(child: &mut Running) -> std::io::Result<(bool, String, String)> {
    let Some((out, err)) = child.take_output() else {
        return Err(std::io::Error::other("its output is gone"));
    };
    let (out, err, status) = tokio::join!(bounded(out), bounded(err), child.wait());
    Ok((status?.success(), out?, err?))
}

/// The first [`OUTPUT`] bytes; whoever writes more finds the pipe closed.
async fn bounded(pipe: impl AsyncRead + Unpin) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    pipe.take(OUTPUT).read_to_end(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Its answer: a line for each of [`FIELDS`]; one that is missing or `null` is not known.
fn read(number: &str, out: &str) -> Option<Pull> {
    let mut lines =
        out.lines().map(|line| Some(line.trim()).filter(|line| !line.is_empty() && *line != "null"));
    let branch = lines.next().flatten()?.to_owned();
    let mut next = || lines.next().flatten().map(str::to_owned);
    Some(Pull { number: number.to_owned(), branch, head: next(), base: next() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gh_prints_is_read_line_by_line() {
        let pull = |head: Option<&str>, base: Option<&str>| Pull {
            number: "42".to_owned(),
            branch: "feat/x".to_owned(),
            head: head.map(str::to_owned),
            base: base.map(str::to_owned),
        };
        assert_eq!(read("42", "feat/x\nabc\nmain\n"), Some(pull(Some("abc"), Some("main"))));
        assert_eq!(read("42", "feat/x\r\nabc\r\nnull\r\n"), Some(pull(Some("abc"), None)));
        assert_eq!(read("42", "feat/x\n"), Some(pull(None, None)));
        assert_eq!((read("42", ""), read("42", "null\nabc\n")), (None, None));
    }

    #[test]
    fn only_short_rows_of_digits_are_numbers() {
        let numbers = ["", "42", "0123456789", "01234567890", "4a", "-1", "４２"].map(is_number);
        assert_eq!(numbers, [false, true, true, false, false, false, false]);
    }
}
