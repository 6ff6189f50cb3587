//! The operator's shell in the worktree of a run, for looking around and for doing it better.
//!
//! Owns nothing: the shell is the operator's, and whatever it starts in the background is theirs too.

use std::path::Path;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::process::{Child, Command};

/// Starts `$SHELL` in a folder; the terminal must have been given back before. The error is a sentence.
pub(crate) fn start(folder: &Path) -> Result<Child, String> {
    start_program(&chosen(), folder)
}

fn start_program(program: &str, folder: &Path) -> Result<Child, String> {
    if !folder.is_dir() {
        return Err(format!("{} is gone; a retry makes a worktree again", folder.display()));
    }
    Command::new(program)
        .current_dir(folder)
        .env("PWD", folder)
        .spawn()
        .map_err(|error| format!("starting {program} in {} failed: {error}", folder.display()))
}

/// Waits for the shell to end, however it does. Cancel-safe.
pub(crate) async fn ended(child: &mut Child) -> Result<(), String> {
    // The status is that of the last command typed and says nothing about the shell.
    child.wait().await.map(drop).map_err(|error| format!("waiting for the shell failed: {error}"))
}

/// Tells the shell that its terminal is gone: left alive, it would share the terminal with whoever had it before us.
/// Shells pass it on to what they run.
pub(crate) fn hang_up(child: &Child) {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        let _ = kill(Pid::from_raw(pid), Signal::SIGHUP);
    }
}

fn chosen() -> String {
    std::env::var("SHELL")
        .ok()
        .filter(|value| !value.trim().is_empty())
        .unwrap_or_else(|| "/bin/sh".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_runs_in_the_folder_and_its_status_is_no_error() {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("shell");
        std::fs::write(&script, "#!/bin/sh\npwd > here; exit 3\n").unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(&script, mode).unwrap();
        let mut child = start_program(script.to_str().unwrap(), folder.path()).unwrap();
        assert_eq!(ended(&mut child).await, Ok(()));
        let here = std::fs::read_to_string(folder.path().join("here")).unwrap();
        assert_eq!(Path::new(here.trim()), folder.path().canonicalize().unwrap());
    }

    #[test]
    fn a_folder_that_is_gone_is_named() {
        let said = start_program("/bin/sh", Path::new("/no/such/worktree")).unwrap_err();
        assert_eq!(said, "/no/such/worktree is gone; a retry makes a worktree again");
    }
}
