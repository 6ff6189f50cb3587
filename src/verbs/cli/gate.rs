//! The words of `gate …` (koru §6.5).

use clap::builder::PossibleValuesParser;
use clap::{Args, Subcommand};

use crate::verify::gates::WaiverMode;

/// `gate …`.
#[derive(Debug, Subcommand)]
pub(crate) enum GateVerb {
    /// Put it on record that gates of a ticket may be skipped, or that a person must decide
    #[command(
        after_help = "Modes: `advisory` and `auto` skip the gates named with --skipped (`ci` names all of them); \
                      `mandatory_human` lets a person decide whatever the gates say. The note counts for runs that \
                      start after it.\n\nExample:\n  koru-tui gate authorize PLF-007 --mode advisory --skipped pytest \
                      --reason 'the runner is down'"
    )]
    Authorize(AuthorizeArgs),
}

/// Options of `gate authorize`.
#[derive(Debug, Args)]
pub(crate) struct AuthorizeArgs {
    /// Ticket id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What is authorized
    #[arg(long, value_name = "MODE", value_parser = PossibleValuesParser::new(WaiverMode::WORDS))]
    pub(crate) mode: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: String,
    /// Gates that may be skipped, by name (`ci`, `cargo test`, `pytest`, …)
    #[arg(long, value_name = "GATE")]
    pub(crate) skipped: Vec<String>,
    /// Who authorizes; KORU_AGENT, USER or LOGNAME when not given
    #[arg(long, value_name = "NAME")]
    pub(crate) authorized_by: Option<String>,
}
