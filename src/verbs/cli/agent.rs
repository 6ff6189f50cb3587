//! The words of `agent` (koru §6.4).

use clap::Args;

/// Options of `agent`.
#[derive(Debug, Default, Args)]
pub(crate) struct AgentArgs {
    /// Say which coding agents this machine and project offer
    #[arg(long, conflicts_with = "launch")]
    pub(crate) list: bool,
    /// Start one here, in this terminal, with the brief as its prompt
    #[arg(long)]
    pub(crate) launch: bool,
    /// Which one, by the id that --list shows
    #[arg(long, value_name = "ID", requires = "launch")]
    pub(crate) agent: Option<String>,
    /// This ticket instead of the next one
    #[arg(long, value_name = "ID")]
    pub(crate) ticket: Option<String>,
    /// Only tickets of this queue
    #[arg(long, value_name = "QUEUE")]
    pub(crate) queue_name: Option<String>,
}
