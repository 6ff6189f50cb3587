//! The words of `ticket …`: options as `planfile ticket` 0.1.126 spells them, and ours where it has none.

use clap::{Args, Subcommand};

use super::working::{DecideArgs, RunArgs};

/// `ticket …`.
#[derive(Debug, Subcommand)]
pub(crate) enum TicketVerb {
    /// List tickets
    #[command(
        after_help = "JSON: a list of whole records as `planfile ticket list --format json` prints them.\n\n\
                            Example:\n  koru-tui ticket list --status open -l bug --format json"
    )]
    List(ListArgs),
    /// Show one ticket with everything that is known about it
    #[command(after_help = "Example:\n  koru-tui ticket show PLF-007 --format json")]
    Show(Id),
    /// Say which ticket would run next, and with --debug why the others would not
    #[command(
        after_help = "JSON: the record, or null. With --debug: {selected, servable[], skipped[{id, reason}]}\n\n\
                            Example:\n  koru-tui ticket next --queue default --debug"
    )]
    Next(NextArgs),
    /// Make a ticket
    #[command(
        after_help = "Example:\n  koru-tui ticket create 'Fix the login test' -p high -l bug --executor shell \
                            --script 'cargo test login'"
    )]
    Create(Box<CreateArgs>),
    /// Take a ticket for a worker, without starting it
    #[command(after_help = "Example:\n  koru-tui ticket claim PLF-007 --assigned-to me --lease-seconds 3600")]
    Claim(ClaimArgs),
    /// Start a ticket
    #[command(after_help = "Example:\n  koru-tui ticket start PLF-007 --assigned-to me")]
    Start(ClaimArgs),
    /// Complete a ticket, with its outputs
    #[command(
        after_help = "Example:\n  koru-tui ticket complete PLF-007 --note 'merged' --artifact report.html \
                            --result-json '{\"tests\": 12}'"
    )]
    Complete(CompleteArgs),
    /// Complete a ticket without outputs
    #[command(after_help = "Example:\n  koru-tui ticket done PLF-007")]
    Done(Id),
    /// Record a failed attempt
    #[command(after_help = "Example:\n  koru-tui ticket fail PLF-007 --error 'the build broke'")]
    Fail(FailArgs),
    /// Ask a human for input
    #[command(
        after_help = "Example:\n  koru-tui ticket input PLF-007 --prompt 'Which region?' --env-key AWS_REGION"
    )]
    Input(InputArgs),
    /// Answer the question of a human ticket; without --text the answer is read from standard input
    #[command(after_help = "Example:\n  koru-tui ticket answer PLF-007 --text 'PKCE by default'")]
    Answer(AnswerArgs),
    /// Make a ticket runnable again
    #[command(after_help = "Example:\n  koru-tui ticket ready PLF-007 --note 'key was added'")]
    Ready(NoteArgs),
    /// Take back the last change of a ticket that was made from a console
    #[command(
        after_help = "Refused when anybody changed the ticket since. JSON: {ticket, undone, text}\n\nExample:\n  koru-tui \
                            ticket undo PLF-007"
    )]
    Undo(Id),
    /// Run one ticket now, by its own executor or by a coding agent
    #[command(
        after_help = "With --agent a coding agent works the ticket in a git worktree of its own; without a name the one \
                            that has the role `worker` in .planfile/.koru/config.yaml, else the first that is \
                            installed. Exit 1 when the run failed, broke the policy, or the ticket cannot run now \
                            (target_not_runnable); 0 when it is done or waits for you.\n\nExamples:\n  koru-tui ticket \
                            run PLF-007\n  koru-tui ticket run PLF-007 --agent claude --note 'keep the public API'"
    )]
    Run(RunArgs),
    /// List every kept run of a ticket, newest first: how each ended, how long it took, what it cost
    #[command(
        after_help = "JSON: [{run, ticket, executor, agent, state, started_at, ended_at, exit_code, turns, tokens, \
                            cost{usd, estimated}, label, message, branch, folder}]\n\nExample:\n  koru-tui ticket runs \
                            PLF-007"
    )]
    Runs(Id),
    /// Print what a run said, as text that no terminal obeys
    #[command(
        after_help = "Text: time since the start, a mark (! error, * tool, > operator, ~ thought, - koru-tui), the line. \
                            JSON: [{at_ms, channel, text, block}].\n\nExamples:\n  koru-tui ticket log PLF-007 --lines \
                            50\n  koru-tui ticket log PLF-007-20261121T140211Z-0 --raw"
    )]
    Log(LogArgs),
    /// Show the rounds of worker and reviewer of a ticket, their verdicts, and what is asked of you
    #[command(
        after_help = "JSON: {ticket, max_rounds, base, rounds[{number, from, head, fixes, worker, gates, reviewer, \
                            verdict}], stage}, or null.\n\nExample:\n  koru-tui ticket review PLF-007 --format json"
    )]
    Review(Id),
    /// Decide on reviewed work that waits for a person
    #[command(
        after_help = "The decision is about the commit that you looked at (--seen, as `ticket review` prints it) and is \
                            refused when the work moved since. `another` and `review-again` work the ticket at once; \
                            without --fixes the next round mends what the last verdict found.\n\nExamples:\n  koru-tui \
                            ticket decide PLF-007 approve --seen a81b7d0c\n  koru-tui ticket decide PLF-007 reject \
                            --seen a81b7d0c --reason 'breaks the API'\n  koru-tui ticket decide PLF-007 another --seen \
                            a81b7d0c --fixes fixes.txt"
    )]
    Decide(DecideArgs),
    /// Block a ticket
    #[command(after_help = "Example:\n  koru-tui ticket block PLF-007 --reason 'waits for legal'")]
    Block(BlockArgs),
    /// Change fields of a ticket
    #[command(after_help = "Example:\n  koru-tui ticket update PLF-007 -p critical --blocked-by PLF-003")]
    Update(Box<UpdateArgs>),
}

/// One ticket.
#[derive(Debug, Args)]
pub(crate) struct Id {
    /// Ticket id, such as PLF-007
    #[arg(value_name = "ID")]
    pub(crate) id: String,
}

/// Options of `ticket log`.
#[derive(Debug, Args)]
pub(crate) struct LogArgs {
    /// Run, as `ticket runs` names it; a ticket's id stands for its newest run
    #[arg(value_name = "RUN")]
    pub(crate) run: String,
    /// The agent's stream as it came, instead of the transcript
    #[arg(long)]
    pub(crate) raw: bool,
    /// Only the last so many lines
    #[arg(long, short = 'n', value_name = "N")]
    pub(crate) lines: Option<u64>,
}

/// Options of `ticket list`.
#[derive(Debug, Default, Args)]
pub(crate) struct ListArgs {
    /// Sprint file to list, or `all`
    #[arg(long, short = 's', value_name = "NAME", default_value = "current")]
    pub(crate) sprint: String,
    /// Only this status (open, in_progress, review, done, blocked, canceled, failed), or `all`
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// Only tickets that carry all of these labels
    #[arg(long, short = 'l', value_name = "LABEL")]
    pub(crate) label: Vec<String>,
    /// Only tickets made by this tool
    #[arg(long, value_name = "TOOL")]
    pub(crate) source: Option<String>,
    /// Only tickets that name a file matching one of these globs
    #[arg(long, value_name = "GLOB")]
    pub(crate) files: Vec<String>,
    /// Only tickets with this priority on disk
    #[arg(long, short = 'p', value_name = "PRIORITY")]
    pub(crate) priority: Option<String>,
    /// Only tickets of this queue
    #[arg(long, value_name = "QUEUE")]
    pub(crate) queue: Option<String>,
}

/// Options of `ticket next`.
#[derive(Debug, Args)]
pub(crate) struct NextArgs {
    /// Sprint file to pick from
    #[arg(long, short = 's', value_name = "NAME", default_value = "current")]
    pub(crate) sprint: String,
    /// Only this queue
    #[arg(long, value_name = "QUEUE")]
    pub(crate) queue: Option<String>,
    /// Whose own claims do not count against it
    #[arg(long, value_name = "NAME")]
    pub(crate) assigned_to: Option<String>,
    /// Say for every other ticket why it is not next
    #[arg(long)]
    pub(crate) debug: bool,
}

/// Options of `ticket create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Title
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Priority: critical, high, normal or low
    #[arg(long, short = 'p', value_name = "PRIORITY", default_value = "normal")]
    pub(crate) priority: String,
    /// Sprint file to put it in
    #[arg(long, short = 's', value_name = "NAME", default_value = "current")]
    pub(crate) sprint: String,
    /// Tool that makes the ticket
    #[arg(long, value_name = "TOOL")]
    pub(crate) source: Option<String>,
    /// Labels
    #[arg(long, short = 'l', value_name = "LABEL")]
    pub(crate) label: Vec<String>,
    /// Body
    #[arg(long, short = 'd', value_name = "TEXT", default_value = "")]
    pub(crate) description: String,
    /// Files in scope
    #[arg(long, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Tickets that must be done first
    #[arg(long, value_name = "ID")]
    pub(crate) blocked_by: Vec<String>,
    /// Acceptance criteria
    #[arg(long, value_name = "TEXT")]
    pub(crate) accept: Vec<String>,
    /// Who works it: human, shell, api, llm or mcp
    #[arg(long, value_name = "KIND", default_value = "human")]
    pub(crate) executor: String,
    /// Let this coding agent work it; without a name, the one that has the role `worker`
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["executor", "handler"])]
    pub(crate) agent: Option<String>,
    /// Command, URL or agent name of the executor
    #[arg(long, value_name = "TEXT")]
    pub(crate) handler: Option<String>,
    /// Queue
    #[arg(long, value_name = "QUEUE")]
    pub(crate) queue: Option<String>,
    /// Attempts before it counts as failed
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i64).range(1..))]
    pub(crate) max_attempts: Option<i64>,
    /// Question or instruction (inputs.prompt)
    #[arg(long, value_name = "TEXT")]
    pub(crate) prompt: Option<String>,
    /// Answers offered on a human ticket (inputs.choices)
    #[arg(long, value_name = "TEXT")]
    pub(crate) choice: Vec<String>,
    /// Shell text (inputs.script)
    #[arg(long, value_name = "TEXT")]
    pub(crate) script: Option<String>,
    /// URL of an api ticket (inputs.api_endpoint)
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// HTTP method of an api ticket (inputs.api_method)
    #[arg(long, value_name = "METHOD")]
    pub(crate) method: Option<String>,
    /// Environment variables that must be set (inputs.env_keys)
    #[arg(long, value_name = "KEY")]
    pub(crate) env_key: Vec<String>,
    /// More inputs as a JSON object; the options above win
    #[arg(long, value_name = "JSON")]
    pub(crate) inputs_json: Option<String>,
    /// Make it even if name or description hold an unfilled <placeholder>
    #[arg(long)]
    pub(crate) force: bool,
}

/// Options of `ticket claim` and `ticket start`.
#[derive(Debug, Args)]
pub(crate) struct ClaimArgs {
    /// Ticket id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Who takes it
    #[arg(long, value_name = "NAME")]
    pub(crate) assigned_to: Option<String>,
    /// How long it is kept, in seconds from now
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(i64).range(1..=31_536_000))]
    pub(crate) lease_seconds: Option<i64>,
}

/// Options of `ticket complete`.
#[derive(Debug, Args)]
pub(crate) struct CompleteArgs {
    /// Ticket id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Note to append
    #[arg(long, short = 'n', value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Paths or URLs produced
    #[arg(long, value_name = "PATH")]
    pub(crate) artifact: Vec<String>,
    /// Result as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) result_json: Option<String>,
}

/// Options of `ticket fail`.
#[derive(Debug, Args)]
pub(crate) struct FailArgs {
    /// Ticket id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Why it failed
    #[arg(long, short = 'e', value_name = "TEXT")]
    pub(crate) error: String,
    /// Result as JSON
    #[arg(long, value_name = "JSON")]
    pub(crate) result_json: Option<String>,
}

/// Options of `ticket input`.
#[derive(Debug, Args)]
pub(crate) struct InputArgs {
    /// Ticket id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What is asked
    #[arg(long, value_name = "TEXT")]
    pub(crate) prompt: String,
    /// Environment variables asked for
    #[arg(long, value_name = "KEY")]
    pub(crate) env_key: Vec<String>,
    /// Note to append
    #[arg(long, short = 'n', value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

/// Options of `ticket answer`.
#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
    /// Ticket id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// The answer
    #[arg(long, short = 't', value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Who answers
    #[arg(long, value_name = "NAME")]
    pub(crate) actor: Option<String>,
}

/// A ticket and a note.
#[derive(Debug, Args)]
pub(crate) struct NoteArgs {
    /// Ticket id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Note to append
    #[arg(long, short = 'n', value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

/// Options of `ticket block`.
#[derive(Debug, Args)]
pub(crate) struct BlockArgs {
    /// Ticket id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// Why
    #[arg(long, short = 'r', value_name = "TEXT")]
    pub(crate) reason: String,
}

/// Options of `ticket update`; at least one is needed.
#[derive(Debug, Args)]
#[group(id = "field", required = true, multiple = true)]
pub(crate) struct UpdateFields {
    /// New status
    #[arg(long, value_name = "STATUS")]
    pub(crate) status: Option<String>,
    /// New priority
    #[arg(long, short = 'p', value_name = "PRIORITY")]
    pub(crate) priority: Option<String>,
    /// New title
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// New body, in place of the old one
    #[arg(long, short = 'd', value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Labels, in place of the old ones ("" for none)
    #[arg(long, short = 'l', value_name = "LABEL")]
    pub(crate) label: Option<Vec<String>>,
    /// Blockers, in place of the old ones ("" for none)
    #[arg(long, value_name = "ID")]
    pub(crate) blocked_by: Option<Vec<String>>,
    /// Files in scope, in place of the old ones ("" for none)
    #[arg(long, value_name = "FILE")]
    pub(crate) files: Option<Vec<String>>,
    /// New executor kind
    #[arg(long, value_name = "KIND")]
    pub(crate) executor: Option<String>,
    /// New question or instruction
    #[arg(long, value_name = "TEXT")]
    pub(crate) prompt: Option<String>,
    /// New shell text
    #[arg(long, value_name = "TEXT")]
    pub(crate) script: Option<String>,
    /// Note to append
    #[arg(long, short = 'n', value_name = "TEXT")]
    pub(crate) note: Option<String>,
}

/// `ticket update`.
#[derive(Debug, Args)]
pub(crate) struct UpdateArgs {
    /// Ticket id
    #[arg(value_name = "ID")]
    pub(crate) id: String,
    /// What changes
    #[command(flatten)]
    pub(crate) fields: UpdateFields,
}
