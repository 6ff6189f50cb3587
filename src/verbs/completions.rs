//! `completions`: the completion script of a shell.

use clap::CommandFactory;

use super::cli::Cli;
use super::output::Out;

/// Prints the script.
pub(super) fn run(shell: clap_complete::Shell, out: &mut Out) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "koru-tui", &mut script);
    out.script(&script);
}
