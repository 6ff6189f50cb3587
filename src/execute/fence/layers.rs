//! Which layers of safety this machine has (DESIGN §5).

use super::Layer;
use crate::base::process::landlock_version;
use crate::base::repo::program;

/// First git that takes configuration from `GIT_CONFIG_COUNT`.
const HOOKS_FROM: (u32, u32) = (2, 31);

/// First git that asks `reference-transaction` before HEAD is put on another branch.
const SWITCH_FROM: (u32, u32) = (2, 46);

/// The layers of safety on this machine, for `doctor`. Runs `git --version`.
pub fn layers() -> Vec<Layer> {
    vec![
        layer(
            "policy_shell",
            true,
            "a ticket's command line is parsed as shell and refused before it is claimed",
        ),
        hooks(program::version()),
        layer("ref_guard", true, "references are compared before and after each run, and put back"),
        kernel(),
        layer(
            "diff_check",
            true,
            "forbidden paths and the ticket's files are checked against the real difference",
        ),
        layer("gates", true, "CI or the detected gates run in the worktree before a ticket is complete"),
    ]
}

fn layer(name: &str, active: bool, detail: impl Into<String>) -> Layer {
    Layer { name: name.to_owned(), active, detail: detail.into() }
}

fn hooks(version: Option<String>) -> Layer {
    let Some(version) = version else {
        return layer("git_hooks", false, "git is not installed; an agent cannot run it either");
    };
    let numbers = parse(&version);
    if numbers < HOOKS_FROM {
        let (major, minor) = HOOKS_FROM;
        return layer("git_hooks", false, format!("git {version} is older than {major}.{minor}; update it"));
    }
    if numbers < SWITCH_FROM {
        return layer(
            "git_hooks",
            true,
            format!("git {version}; switching branches is undone after the run"),
        );
    }
    layer("git_hooks", true, format!("git {version}"))
}

fn parse(version: &str) -> (u32, u32) {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    (parts.next().unwrap_or(0), parts.next().unwrap_or(0))
}

fn kernel() -> Layer {
    match landlock_version() {
        Ok(version @ ..=2) => layer(
            "landlock",
            true,
            format!("ABI {version}: files outside can be cut short, update the kernel"),
        ),
        Ok(version @ ..=5) => {
            layer("landlock", true, format!("ABI {version}: processes outside can be signalled"))
        }
        Ok(version) => layer("landlock", true, format!("ABI {version}")),
        Err(error) => layer("landlock", false, error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_git_is_said_to_be_weaker() {
        let of = |version: &str| {
            let layer = hooks(Some(version.to_owned()));
            (layer.active, layer.detail)
        };
        assert_eq!(of("2.47.3"), (true, "git 2.47.3".to_owned()));
        assert_eq!(of("2.39.5"), (true, "git 2.39.5; switching branches is undone after the run".to_owned()));
        assert_eq!(of("2.30.1"), (false, "git 2.30.1 is older than 2.31; update it".to_owned()));
        assert!(!hooks(None).active);
    }
}
