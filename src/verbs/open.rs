//! `open`: everything `main` needs to know to open the console, as plain data.

use super::cli::{LookArgs, OpenArgs};
use super::context::Context;
use super::demo::DemoServer;
use super::error::VerbError;
use super::logging::{self, LogGuard};
use super::output::{Out, Tone};
use crate::runtime::Options;

/// A call of the console.
#[derive(Debug)]
pub struct ConsoleCall {
    /// How the runtime is hosted.
    pub options: Options,
    /// Whether the queue is started at once (the demo does).
    pub resume: bool,
    /// Name of a theme.
    pub theme: Option<String>,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Ring when a ticket begins to wait for the operator.
    pub bell: bool,
    /// The demo's server, which lives as long as the console.
    pub(super) demo: Option<DemoServer>,
    /// The log, which lives as long as the console.
    pub(super) _log: Option<LogGuard>,
}

impl ConsoleCall {
    /// What is said once the console is closed: where a demo was left.
    pub fn farewell(&self) {
        if self.demo.is_some() {
            let path = self.options.root.display();
            Out::standard().note(Tone::Faint, &format!("the demo is kept in {path}"));
        }
    }
}

/// The call for the project at hand, which need not be initialised: the console offers to do it.
///
/// # Errors
/// A project folder that does not exist.
pub(super) fn call(context: &Context, args: OpenArgs) -> Result<ConsoleCall, VerbError> {
    let options = Options {
        actor: args.actor,
        queue: args.queue_name,
        jobs: args.jobs,
        clock: context.clock.clone(),
        ..Options::new(context.root()?)
    };
    let LookArgs { theme, ascii, bell } = args.look;
    Ok(ConsoleCall { options, resume: false, theme, ascii, bell, demo: None, _log: logging::start() })
}
