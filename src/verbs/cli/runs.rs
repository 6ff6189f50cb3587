//! The words of `runs …`.

use clap::Subcommand;

/// `runs …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RunsVerb {
    /// Remove old runs of finished tickets, and old run logs
    #[command(
        after_help = "Never removes a run that goes on, that was interrupted and waits for a decision, whose ticket is \
                            not finished, or that is the only evidence of a broken policy. JSON: {dry_run, removed[{run, \
                            ticket, bytes}], kept[{run, why}], logs, freed}\n\nExamples:\n  koru-tui runs prune \
                            --dry-run\n  koru-tui runs prune --keep-days 7"
    )]
    Prune {
        /// Keep what ended within so many days
        #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..))]
        keep_days: u32,
        /// Say what would go; remove nothing
        #[arg(long)]
        dry_run: bool,
    },
}
