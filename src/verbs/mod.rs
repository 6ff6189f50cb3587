//! The command line: one file a verb, each a thin call into a phase or the runtime.
//!
//! [`run`] reads the words ([`cli`], or koru's flags through [`classic`]), runs the verb and returns its exit code;
//! only `open` and `demo` hand over to the console, which this floor does not know. Verbs other than `queue run`,
//! `ticket run` and `review` start no async runtime. [`output`] is the only module that prints, [`error`] the only one that maps errors to exit codes.

mod agent;
mod audit;
mod brief;
mod classic;
mod cli;
mod completions;
mod context;
mod demo;
mod diff;
mod doctor;
mod error;
mod gate;
mod init;
mod json;
mod logging;
mod looping;
mod open;
mod output;
mod promotion;
mod queue;
mod review;
mod runs;
mod search;
mod status;
mod ticket;
mod watching;
mod worktree;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::panic::AssertUnwindSafe;

use clap::Parser;

use crate::base::clock::Clock;
use cli::{BriefArgs, Cli, DemoArgs, Format, LookArgs, OpenArgs, QueueVerb, Verb};
use context::Context;
use error::{Exit, VerbError};
use output::Out;

pub use open::ConsoleCall;

/// What `main` does after the verb.
#[derive(Debug)]
pub enum Handover {
    /// Leave with this exit code.
    Exit(u8),
    /// Open the console.
    Console(Box<ConsoleCall>),
}

/// Result of one verb.
enum Done {
    Exit(Exit),
    Console(Box<ConsoleCall>),
}

impl From<Exit> for Done {
    fn from(exit: Exit) -> Self {
        Done::Exit(exit)
    }
}

/// Runs the command line `args` (with the program's name first).
pub fn run(args: Vec<OsString>) -> Handover {
    let mut out = Out::standard();
    let done = match words(args, &mut out) {
        Ok(Some(cli)) => dispatch(cli, &mut out),
        Ok(None) => Ok(Done::Exit(Exit::Ok)),
        Err(error) => Err(error),
    };
    let exit = match done {
        Ok(Done::Console(call)) => return Handover::Console(call),
        Ok(Done::Exit(exit)) => exit,
        Err(error) => {
            out.error(&error);
            error.exit()
        }
    };
    let exit = match out.finish() {
        Ok(()) => exit,
        Err(source) => {
            let error = VerbError::Failed(format!("writing the output failed: {source}"));
            out.error(&error);
            error.exit()
        }
    };
    Handover::Exit(exit as u8)
}

/// Runs `work` and turns a panic, which is a bug of ours, into a message and exit code 70.
pub fn guarded(work: impl FnOnce() -> u8) -> u8 {
    std::panic::set_hook(Box::new(|info| {
        // Whatever the message holds, it is made safe like everything else.
        Out::standard().error(&VerbError::Failed(format!("a bug of ours: {info}; please report it")));
    }));
    std::panic::catch_unwind(AssertUnwindSafe(work)).unwrap_or(Exit::Bug as u8)
}

/// Says on standard error that a part of the program broke, which is a bug of ours, and gives the exit code for it.
pub fn bug(error: &dyn std::fmt::Display) -> u8 {
    complain(error);
    Exit::Bug as u8
}

/// Says on standard error why the console could not go on, and gives the exit code for it.
pub fn complain(error: &dyn std::fmt::Display) -> u8 {
    let error = VerbError::Failed(error.to_string());
    Out::standard().error(&error);
    error.exit() as u8
}

/// The words as data; `None` when help or version was printed.
fn words(args: Vec<OsString>, out: &mut Out) -> Result<Option<Cli>, VerbError> {
    if let Some(cli) = classic::parse(&args)? {
        return Ok(Some(cli));
    }
    match Cli::try_parse_from(args) {
        Ok(cli) => Ok(Some(cli)),
        Err(error) if !error.use_stderr() => {
            out.block(&error.render().to_string());
            Ok(None)
        }
        Err(error) => Err(VerbError::Usage(usage(&error))),
    }
}

/// clap's message without its own `error:` head; it may quote hostile arguments, so it is printed like all text.
fn usage(error: &clap::Error) -> String {
    let text = error.render().to_string();
    text.strip_prefix("error: ").unwrap_or(&text).trim_end().to_owned()
}

fn dispatch(cli: Cli, out: &mut Out) -> Result<Done, VerbError> {
    let context = Context { project: cli.project, format: cli.format, clock: Clock::System };
    let look = cli.look;
    let Some(verb) = cli.verb else { return without_a_verb(&context, look, out) };
    if look != LookArgs::default() && !matches!(verb, Verb::Open(_) | Verb::Demo(_)) {
        let say =
            "--theme, --ascii and --bell are for the console: leave the verb out, or use `open` or `demo`";
        return Err(VerbError::Usage(say.to_owned()));
    }
    Ok(match verb {
        Verb::Init(args) => init::init(&context, &args, out)?.into(),
        Verb::Bootstrap(args) => init::bootstrap(&context, &args, out)?.into(),
        Verb::Status => status::run(&context, out)?.into(),
        Verb::Audit(args) => audit::run(&context, &args, out)?.into(),
        Verb::Doctor => doctor::run(&context, out)?.into(),
        Verb::Brief(args) => brief::run(&context, &args, out)?.into(),
        Verb::Ticket { verb } => ticket::run(&context, verb, out)?.into(),
        Verb::Worktree { verb } => worktree::run(&context, &verb, out)?.into(),
        Verb::Diff(args) => diff::run(&context, &args, out)?.into(),
        Verb::Runs { verb } => runs::run(&context, &verb, out)?.into(),
        Verb::Gate { verb } => gate::run(&context, verb, out)?.into(),
        Verb::Promotion { verb } => promotion::run(&context, verb, out)?.into(),
        Verb::Review(args) => review::run(&context, args, out)?.into(),
        Verb::Loop { verb } => looping::run(&context, verb, out)?.into(),
        Verb::Agent(args) => agent::run(&context, &args, out)?.into(),
        Verb::Queue { verb: QueueVerb::Run(args) } => queue::run(&context, &args, out)?.into(),
        Verb::Demo(args) => {
            demo::run(&context, &DemoArgs { look: args.look.clone().over(look), ..args }, out)?
        }
        Verb::Completions { shell } => {
            completions::run(shell, out);
            Exit::Ok.into()
        }
        Verb::Open(args) => {
            let args = OpenArgs { look: args.look.clone().over(look), ..args };
            Done::Console(Box::new(open::call(&context, args)?))
        }
    })
}

/// koru's bare call printed the brief; on a terminal ours opens the console.
fn without_a_verb(context: &Context, look: LookArgs, out: &mut Out) -> Result<Done, VerbError> {
    if std::io::stdout().is_terminal() && context.format.is_none() {
        let args = OpenArgs { look, ..OpenArgs::default() };
        return Ok(Done::Console(Box::new(open::call(context, args)?)));
    }
    let format = context.format.or(Some(Format::Markdown));
    brief::run(&Context { format, ..context.clone() }, &BriefArgs::default(), out).map(Done::Exit)
}
