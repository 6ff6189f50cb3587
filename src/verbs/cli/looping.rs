//! The words of `loop …` (loop-kit §2): its names, flags and defaults.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// `loop …`.
#[derive(Debug, Subcommand)]
pub(crate) enum LoopVerb {
    /// Make the folder of a loop, with an example card; nothing that is there is replaced
    #[command(after_help = "Example:\n  koru-tui loop init --loop-dir .loop")]
    Init(WhereArgs),
    /// Let a worker and a reviewer work on a task card in rounds
    #[command(
        after_help = "Without --auto-dispatch, people or other tools write the reports. Flags win over LOOP_MAX_ROUNDS, \
                      LOOP_DISPATCH_TIMEOUT and LOOP_BACKEND_PREFERENCE, those over config.yaml or config.json in the \
                      folder. Tickets of the planfile are run with `ticket run ID`: in a \
                      worktree of their own, behind a fence and with answers in a schema, none of which a loop has. Its \
                      agents commit in your tree and write their reports as files, which any other program may do in \
                      their place: that is what loop-kit's files are for.\n\nExit codes: 0 approved, or nothing \
                      to resume; 1 bad arguments, bad card, rounds used up; 2 nobody wrote the report in time; 3 \
                      something is not as it must be (a report, an empty round, a failed agent, a contradictory verdict, \
                      a refused resume); 4 tracked files differ; 5 another loop runs; 130 stopped (--resume goes \
                      on).\n\nExamples:\n  koru-tui loop run card.json --auto-dispatch --worker-backend claude\n  \
                      koru-tui loop run --loop-dir .loop --auto-dispatch --resume"
    )]
    Run(Box<RunArgs>),
    /// Say where a loop stands and which of its files are there
    #[command(after_help = "Example:\n  koru-tui loop status --loop-dir .loop --format json")]
    Status(WhereArgs),
    /// Say whether worker and reviewer give signs of life (always exit 0)
    #[command(after_help = "Example:\n  koru-tui loop health --ttl 60")]
    Health(HealthArgs),
    /// Give signs of life until Ctrl-C
    #[command(after_help = "Example:\n  koru-tui loop heartbeat --role worker")]
    Heartbeat(HeartbeatArgs),
    /// List what is archived of a task, or put one file back
    #[command(
        after_help = "Example:\n  koru-tui loop archive --task-id T-001 --restore r1_work_report --loop-dir .loop"
    )]
    Archive(ArchiveArgs),
    /// Print the difference between two commits
    #[command(
        after_help = "Exit 1 for a name that is no commit.\n\nExample:\n  koru-tui loop extract-diff main HEAD"
    )]
    ExtractDiff(DiffArgs),
}

/// Which loop.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct BusArgs {
    /// Folder of the loop, counted from the current one; a task's own below .planfile/.koru/loop, else .loop, when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) loop_dir: Option<PathBuf>,
}

/// Which loop, by its folder or its task.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct WhereArgs {
    /// Task whose loop it is, when the project has several
    #[arg(value_name = "TASK")]
    pub(crate) task: Option<String>,
    /// Which loop
    #[command(flatten)]
    pub(crate) bus: BusArgs,
}

/// Options of `loop run`. Numbers are checked by the verb: a wrong one ends with 1, as in loop-kit.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct RunArgs {
    /// Task card: a path, or an id that a file tasks/<ID>-*.json in the folder begins with
    #[arg(value_name = "TASK")]
    pub(crate) task_ref: Option<String>,
    /// Task card by its path; wins over TASK
    #[arg(long, value_name = "PATH")]
    pub(crate) task: Option<PathBuf>,
    /// Which loop
    #[command(flatten)]
    pub(crate) bus: BusArgs,
    /// Rounds before it is given up [default: 3]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_rounds: Option<i64>,
    /// Seconds that a person may take for a report; 0 is no limit but a day [default: 0]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) timeout: Option<f64>,
    /// Start agents instead of waiting for people
    #[arg(long)]
    pub(crate) auto_dispatch: bool,
    /// How agents are started; only `native`
    #[arg(long, value_name = "HOW")]
    pub(crate) dispatch_backend: Option<String>,
    /// Agent that works: codex, claude, opencode, or one of the configuration [default: codex]
    #[arg(long, value_name = "AGENT")]
    pub(crate) worker_backend: Option<String>,
    /// Agent that reviews [default: codex]
    #[arg(long, value_name = "AGENT")]
    pub(crate) reviewer_backend: Option<String>,
    /// Seconds that one start of an agent may take; 0 is no limit [default: 600]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) dispatch_timeout: Option<f64>,
    /// Times that a failed agent is started again [default: 2]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) dispatch_retries: Option<i64>,
    /// Seconds before the first of them, doubled each time [default: 5]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) dispatch_retry_base_sec: Option<f64>,
    /// Rounds after which a conversation begins anew; 0 is never [default: 0]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) max_session_rounds: Option<i64>,
    /// Seconds that a report may take to appear after its agent ended; 0 is no limit but a day [default: 90]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) artifact_timeout: Option<f64>,
    /// People must give signs of life (`loop heartbeat`)
    #[arg(long)]
    pub(crate) require_heartbeat: bool,
    /// Seconds for which a sign of life counts [default: 30]
    #[arg(long, value_name = "S", allow_negative_numbers = true)]
    pub(crate) heartbeat_ttl: Option<f64>,
    /// One round only, with --round
    #[arg(long)]
    pub(crate) single_round: bool,
    /// Which round, with --single-round
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) round: Option<i64>,
    /// Go on where it stopped
    #[arg(long)]
    pub(crate) resume: bool,
    /// Put everything of an earlier run away first; the card and the archive stay
    #[arg(long)]
    pub(crate) reset: bool,
    /// Go on although tracked files differ from the last commit
    #[arg(long)]
    pub(crate) allow_dirty: bool,
    /// Show every line of the agents
    #[arg(long)]
    pub(crate) verbose: bool,
}

/// Options of `loop health`.
#[derive(Clone, Debug, Args)]
pub(crate) struct HealthArgs {
    /// Which loop
    #[command(flatten)]
    pub(crate) place: WhereArgs,
    /// Seconds for which a sign of life counts
    #[arg(long, value_name = "S", default_value_t = 30)]
    pub(crate) ttl: u64,
}

/// Options of `loop heartbeat`.
#[derive(Clone, Debug, Args)]
pub(crate) struct HeartbeatArgs {
    /// Which loop
    #[command(flatten)]
    pub(crate) place: WhereArgs,
    /// Whose sign of life
    #[arg(long, value_enum)]
    pub(crate) role: RoleWord,
    /// Seconds between two, at least 1
    #[arg(long, value_name = "S", default_value_t = 5)]
    pub(crate) interval: u64,
}

/// A role on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum RoleWord {
    /// Who writes
    Worker,
    /// Who judges
    Reviewer,
}

/// Options of `loop archive`.
#[derive(Clone, Debug, Args)]
pub(crate) struct ArchiveArgs {
    /// Which loop
    #[command(flatten)]
    pub(crate) bus: BusArgs,
    /// Task
    #[arg(long, value_name = "ID")]
    pub(crate) task_id: String,
    /// Put this file back into the loop's folder
    #[arg(long, value_name = "NAME")]
    pub(crate) restore: Option<String>,
}

/// Options of `loop extract-diff`.
#[derive(Clone, Debug, Args)]
pub(crate) struct DiffArgs {
    /// Commit to begin from
    #[arg(value_name = "BASE", allow_hyphen_values = true)]
    pub(crate) base: String,
    /// Commit to end with
    #[arg(value_name = "HEAD", allow_hyphen_values = true)]
    pub(crate) head: String,
}
