//! Numbers of pull requests, through `gh` where it is installed.

use std::time::Duration;

use super::ground::Ground;
use crate::base::process::Program;
use crate::execute::environment::{Recipient, Wanted};

/// How long `gh` may take to name a branch.
const GH: Duration = Duration::from_secs(30);

/// Whether a target could be the number of a pull request.
pub(super) fn is_number(text: &str) -> bool {
    !text.is_empty() && text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The branch of a pull request as `gh` names it; `None` on any trouble: the number is a reference then
/// (kagura-engineer §8).
pub(super) async fn pull_request(ground: &Ground, number: &str) -> Option<String> {
    let wanted = Wanted {
        recipient: Recipient::Command,
        allowed: &ground.settings.environment,
        keys: &["GH_TOKEN".to_owned(), "GITHUB_TOKEN".to_owned(), "GH_HOST".to_owned()],
        own: &["GH_*"],
        extra: &[("GH_PROMPT_DISABLED", "1"), ("NO_COLOR", "1")],
    };
    let program = Program::new("gh", &ground.root)
        .args(["pr", "view", number, "--json", "headRefName", "-q", ".headRefName"])
        .env(ground.environment.for_child(&wanted).vars);
    let mut child = program.spawn().await.ok()?;
    let (out, _err) = child.take_output()?;
    let asked = async {
        use tokio::io::AsyncReadExt;
        let mut text = Vec::new();
        let mut out = out.take(4096);
        let (_, status) = tokio::join!(out.read_to_end(&mut text), child.wait());
        (text, status)
    };
    let (text, status) = tokio::time::timeout(GH, asked).await.ok()?;
    let name = String::from_utf8(text).ok()?.trim().to_owned();
    (status.ok()?.success() && !name.is_empty()).then_some(name)
}
