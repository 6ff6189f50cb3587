//! The command line as data: clap derives for every verb, each with an example.
//!
//! Only words live here: what a verb does stands in the file of its name. Option names are those of
//! `planfile ticket` (0.1.126) and of koru's flags wherever a twin exists, so that habits and scripts carry over.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

pub(super) mod agent;
pub(super) mod diff;
pub(super) mod gate;
pub(super) mod looping;
pub(super) mod promotion;
pub(super) mod review;
pub(super) mod runs;
pub(super) mod ticket;
pub(super) mod working;
pub(super) mod worktree;

use agent::AgentArgs;
use diff::DiffArgs;
use gate::GateVerb;
use looping::LoopVerb;
use promotion::PromotionVerb;
use review::ReviewArgs;
use runs::RunsVerb;
use ticket::TicketVerb;
use worktree::WorktreeVerb;

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "koru-tui",
    version,
    about = "The terminal console for closed-loop coding-agent automation over a planfile",
    long_about = "Opens the console on the planfile of this project when no verb is given and standard output is a \
                  terminal; prints the markdown brief otherwise.\n\nExit codes: 0 done, 1 the environment or the work \
                  failed, 2 the command line is wrong, 70 a bug of ours.",
    after_help = "koru's flags (--init --doctor --context --bootstrap --queue --loop …) are understood as spellings of \
                  these verbs.\n\nExample:\n  koru-tui demo                 a scratch project with work in its queue\n  \
                  koru-tui init && koru-tui     your own repository\n  \
                  koru-tui --theme koru-light   with other colours",
    disable_help_subcommand = true,
    max_term_width = 110
)]
pub(crate) struct Cli {
    /// Project folder; found from the current folder when not given
    #[arg(long, value_name = "PATH", global = true)]
    pub(super) project: Option<PathBuf>,
    /// How to print: text, json or markdown
    #[arg(long, value_enum, value_name = "FORMAT", global = true)]
    pub(super) format: Option<Format>,
    /// How the console looks, also when no verb is said
    #[command(flatten)]
    pub(super) look: LookArgs,
    /// What to do; the console when nothing is said
    #[command(subcommand)]
    pub(super) verb: Option<Verb>,
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people; every foreign string made safe
    #[value(alias = "table")]
    Text,
    /// For programs; exact values
    Json,
    /// For agents and documents
    Markdown,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(super) enum Verb {
    /// Make a planfile here: config, first sprint, policy stub, .gitignore line
    #[command(after_help = "Example:\n  koru-tui init --from pipeline.yaml --sprint sprint-7")]
    Init(InitArgs),
    /// Import a flat pipeline file as a sprint, without policy stub and .gitignore
    #[command(after_help = "Example:\n  koru-tui bootstrap --from pipeline.yaml --force")]
    Bootstrap(BootstrapArgs),
    /// Say what is wrong with this project; exit 1 when a check fails
    #[command(after_help = "JSON: {schema_version, project, summary{pass,warn,fail,skip}, has_failures, \
                            checks[{name,status,detail}]}\n\nExample:\n  koru-tui doctor --format json")]
    Doctor,
    /// Print the board as text: counts, and what is not finished, by need
    #[command(
        after_help = "Exit 1 when a file of the planfile does not parse. JSON: {project, branch, counts{running, \
                            needs_you, stalled, failed, interrupted, ready, waiting, done}, tickets[{id, state, priority, \
                            executor, name, updated_at, why, run{run, agent, started_at, silent_seconds, cost, \
                            last}}]}\n\nExamples:\n  koru-tui status\n  watch -n 5 koru-tui status"
    )]
    Status,
    /// Print what people did here and what broke the policy
    #[command(
        after_help = "JSON: [{at, kind, who, …}], the newest last\n\nExample:\n  koru-tui audit --ticket PLF-007"
    )]
    Audit(AuditArgs),
    /// Print the brief that an agent reads first (always exit 0)
    #[command(after_help = "Example:\n  koru-tui brief --ticket PLF-007 --format json")]
    Brief(BriefArgs),
    /// Work with tickets
    #[command(after_help = "Example:\n  koru-tui ticket next --debug")]
    Ticket {
        /// What to do with tickets
        #[command(subcommand)]
        verb: TicketVerb,
    },
    /// Run tickets of the queue
    #[command(after_help = "Example:\n  koru-tui queue run --loop --jobs 2")]
    Queue {
        /// What to do with the queue
        #[command(subcommand)]
        verb: QueueVerb,
    },
    /// Look after the checkouts that agents worked in
    #[command(after_help = "Example:\n  koru-tui worktree list")]
    Worktree {
        /// What to do with them
        #[command(subcommand)]
        verb: WorktreeVerb,
    },
    /// Print what a ticket's work changed: everything, one round, between two rounds, or the working tree
    #[command(
        after_help = "JSON: {ticket, range, base, head, hash, files[{path, old_path, change, stat, changes[{old, new, \
                      removed, added}], …}], left_out}\n\nExamples:\n  koru-tui diff PLF-007 --stat\n  koru-tui diff \
                      PLF-007 --between 1 2"
    )]
    Diff(DiffArgs),
    /// Look after what runs left on disk
    #[command(after_help = "Example:\n  koru-tui runs prune --dry-run")]
    Runs {
        /// What to do with it
        #[command(subcommand)]
        verb: RunsVerb,
    },
    /// Decide about the quality gates of a ticket
    #[command(
        after_help = "Example:\n  koru-tui gate authorize PLF-007 --mode auto --skipped ci --reason 'docs only'"
    )]
    Gate {
        /// What to decide
        #[command(subcommand)]
        verb: GateVerb,
    },
    /// Land finished work on its base branch, reject it, or take it back
    #[command(after_help = "Example:\n  koru-tui promotion list")]
    Promotion {
        /// What to do with it
        #[command(subcommand)]
        verb: PromotionVerb,
    },
    /// Let a reviewer judge the work on a branch, a ticket or a pull request, and with --fix an agent mend it
    #[command(
        after_help = "The reviewer is `review.command`, else whoever has the role `reviewer`, else the first agent that \
                            is installed; it reads in a worktree of its own, and a review that changed the work does not \
                            count. Fixes are made in a worktree, on the branch that is reviewed, and committed by \
                            koru-tui.\n\nExit codes: 0 green, yellow or nothing to review; 1 could not review, or a fix \
                            failed; 2 red.\n\nJSON: {target, base, status, verdict, summary, findings[{dimension, severity, \
                            file, line, title, …}], detail, resume_hint, report_path, duration_s, …}; with --fix {…, \
                            fixes_attempted, iterations[], fixes[]}\n\nExamples:\n  koru-tui review\n  koru-tui review \
                            PLF-007 --fix\n  koru-tui review 42 --base main --json"
    )]
    Review(ReviewArgs),
    /// Let a worker and a reviewer work on a task card in rounds, on loop-kit's files
    #[command(after_help = "Example:\n  koru-tui loop run --loop-dir .loop --auto-dispatch --resume")]
    Loop {
        /// What to do with the loop
        #[command(subcommand)]
        verb: LoopVerb,
    },
    /// Print the brief and save it as a prompt; list the coding agents, or start one here with it
    #[command(after_help = "JSON of --list: {summary{total,available,launchable,ready}, \
                            agents[{id,label,available,launchable,command,reason,project_hint}]}\n\nExit codes of \
                            --launch: the agent's own, 2 when none can be started, 1 when it does not \
                            start.\n\nExamples:\n  koru-tui agent --list\n  koru-tui agent --launch --agent claude-code")]
    Agent(AgentArgs),
    /// Make a scratch project with work of every kind and open the console on it
    #[command(after_help = "Example:\n  koru-tui demo --no-open --path /tmp/my-demo")]
    Demo(DemoArgs),
    /// Print a completion script for a shell
    #[command(
        after_help = "Example:\n  koru-tui completions bash > ~/.local/share/bash-completion/completions/koru-tui"
    )]
    Completions {
        /// Which shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// Open the console
    #[command(after_help = "Example:\n  koru-tui open --jobs 4")]
    Open(OpenArgs),
}

/// `queue …`.
#[derive(Debug, Subcommand)]
pub(super) enum QueueVerb {
    /// Run the next ticket, or with --loop everything that can run
    #[command(
        after_help = "Exit 1 when a ticket failed or was refused, when work is left at the cap, or when the planfile \
                            cannot be used; 0 when the queue is idle or waits for a human.\n\nExamples:\n  koru-tui \
                            queue run --loop --max-iterations 20\n  echo 'ship it' | koru-tui queue run --interactive"
    )]
    Run(QueueRunArgs),
}

/// Options of `init`.
#[derive(Debug, Default, Args)]
pub(super) struct InitArgs {
    /// Import this pipeline file instead of the starter tickets
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// Sprint to make
    #[arg(long, short = 's', value_name = "NAME", default_value = "current")]
    pub(super) sprint: String,
    /// Import again over an initialised project (a copy of the old sprint is kept)
    #[arg(long)]
    pub(super) force: bool,
}

/// Options of `bootstrap`.
#[derive(Debug, Args)]
pub(super) struct BootstrapArgs {
    /// The pipeline file
    #[arg(long, value_name = "FILE")]
    pub(super) from: PathBuf,
    /// Sprint to make
    #[arg(long, short = 's', value_name = "NAME", default_value = "current")]
    pub(super) sprint: String,
    /// Replace the sprint if it exists (a copy of the old one is kept)
    #[arg(long)]
    pub(super) force: bool,
}

/// Options of `audit`.
#[derive(Debug, Args)]
pub(super) struct AuditArgs {
    /// Only what is about this ticket
    #[arg(long, value_name = "ID")]
    pub(super) ticket: Option<String>,
    /// The newest so many rows
    #[arg(long, short = 'n', value_name = "N", default_value_t = 50)]
    pub(super) lines: usize,
}

/// Options of `brief`.
#[derive(Debug, Default, Args)]
pub(super) struct BriefArgs {
    /// This ticket instead of the next one
    #[arg(long, value_name = "ID")]
    pub(super) ticket: Option<String>,
    /// Only tickets of this queue
    #[arg(long, value_name = "QUEUE")]
    pub(super) queue_name: Option<String>,
    /// Consider tickets labelled as test fixtures too
    #[arg(long, overrides_with = "no_include_fixtures")]
    pub(super) include_fixtures: bool,
    /// Leave fixture tickets out, whatever KORU_INCLUDE_FIXTURES says
    #[arg(long, overrides_with = "include_fixtures")]
    pub(super) no_include_fixtures: bool,
}

/// Options of `queue run`.
#[derive(Clone, Debug, Args)]
pub(super) struct QueueRunArgs {
    /// Go on until nothing can run
    #[arg(long = "loop")]
    pub(super) looping: bool,
    /// With --loop: stop after this many tickets
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) max_iterations: u32,
    /// Say what would run, in order; run nothing
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Ask the questions of human tickets here (end of input submits, Ctrl-C cancels)
    #[arg(long)]
    pub(super) interactive: bool,
    /// Recorded as the holder of what runs
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ACTOR)]
    pub(super) actor: String,
    /// Only tickets of this queue
    #[arg(long, value_name = "QUEUE")]
    pub(super) queue_name: Option<String>,
    /// With --loop: tickets that run at the same time
    #[arg(long, short = 'j', value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) jobs: Option<u32>,
    /// Write no run log
    #[arg(long)]
    pub(super) no_log: bool,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub(super) struct DemoArgs {
    /// Where to make it (must not exist or be empty); a fresh folder in the user's cache when not given
    #[arg(long, value_name = "DIR")]
    pub(super) path: Option<PathBuf>,
    /// Make it and print its path only
    #[arg(long)]
    pub(super) no_open: bool,
    /// How the console looks
    #[command(flatten)]
    pub(super) look: LookArgs,
}

/// Options of `open`.
#[derive(Debug, Args)]
pub(super) struct OpenArgs {
    /// Recorded in tickets as who did it
    #[arg(long, value_name = "NAME", default_value = DEFAULT_ACTOR)]
    pub(super) actor: String,
    /// Only tickets of this queue are started
    #[arg(long, value_name = "QUEUE")]
    pub(super) queue_name: Option<String>,
    /// Tickets that run at the same time
    #[arg(long, short = 'j', value_name = "N", default_value_t = DEFAULT_JOBS,
          value_parser = clap::value_parser!(u32).range(1..=64))]
    pub(super) jobs: u32,
    /// How it looks
    #[command(flatten)]
    pub(super) look: LookArgs,
}

/// How the console looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Args)]
pub(super) struct LookArgs {
    /// Theme, built in or from the themes folder of your configuration
    #[arg(long, value_name = "NAME")]
    pub(super) theme: Option<String>,
    /// Draw with ASCII only
    #[arg(long)]
    pub(super) ascii: bool,
    /// Ring when a ticket begins to wait for you
    #[arg(long)]
    pub(super) bell: bool,
}

impl LookArgs {
    /// These, and what they leave open as `outer` says: `koru-tui --ascii open` looks like `koru-tui open --ascii`.
    pub(super) fn over(self, outer: LookArgs) -> LookArgs {
        LookArgs {
            theme: self.theme.or(outer.theme),
            ascii: self.ascii || outer.ascii,
            bell: self.bell || outer.bell,
        }
    }
}

/// koru's default actor.
pub(super) const DEFAULT_ACTOR: &str = "koru-shell";
/// Parallel runs when nothing is said.
pub(super) const DEFAULT_JOBS: u32 = 2;

impl Default for OpenArgs {
    fn default() -> Self {
        Self {
            actor: DEFAULT_ACTOR.to_owned(),
            queue_name: None,
            jobs: DEFAULT_JOBS,
            look: LookArgs::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent_and_every_verb_has_an_example() {
        Cli::command().debug_assert();
        let mut missing = Vec::new();
        walk(&Cli::command(), &mut missing);
        assert_eq!(missing, Vec::<String>::new(), "verbs without an example in their help");
    }

    fn walk(command: &clap::Command, missing: &mut Vec<String>) {
        let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        if !help.contains("Example") {
            missing.push(command.get_name().to_owned());
        }
        command.get_subcommands().for_each(|sub| walk(sub, missing));
    }
}
