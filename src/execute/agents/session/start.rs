//! Starting an agent: its files, its variables, its process, and the stream that its output goes into.

use super::input::AgentInput;
use super::raw::{Kept, RawStream};
use super::stream::Stream;
use super::{AgentEnding, AgentJob};
use crate::base::process::{Program, Running, SpawnError};
use crate::execute::agents::assemble::Assembler;
use crate::execute::agents::backend::{self, Input, detect, environment::environment};
use crate::execute::agents::kind::AgentKind;
use crate::execute::recorder::Recorder;

/// An agent that runs.
pub(super) struct Started {
    /// Its process.
    pub(super) child: Running,
    /// Where its output goes.
    pub(super) stream: Stream,
    /// What becomes of its output as it came.
    pub(super) kept: Kept,
    /// Where it reads.
    pub(super) input: AgentInput,
    /// The id to resume the conversation by, when the stream does not tell one.
    pub(super) conversation: Option<String>,
}

/// Starts the agent of `job`.
///
/// # Errors
/// The ending that this is, and why in a sentence.
pub(super) async fn start(job: &AgentJob, recorder: &mut Recorder) -> Result<Started, (AgentEnding, String)> {
    let launch = backend::launch(job).map_err(|error| {
        let scratch = job.scratch.display();
        (AgentEnding::Failed, format!("writing the agent's files in {scratch} failed: {error}"))
    })?;
    let mut env = environment(job.kind, &job.settings, &job.env);
    // For the search alone; the fence sets them itself.
    env.extend(job.fence.env.iter().cloned());
    let name = match &job.settings.program {
        Some(program) => program.into(),
        None => launch.program,
    };
    let Some(path) = detect::find(&name, &env) else {
        let name = name.to_string_lossy();
        let why = format!(
            "starting the agent failed: `{name}` was not found on the PATH; install it, or name it in \
             .planfile/.koru/config.yaml under agents.{}.program",
            job.kind.word()
        );
        return Err((AgentEnding::Missing, why));
    };
    let mut program = Program::new(path, &job.folder).args(&launch.arguments).env(env);
    let (dialogue, program) = match launch.input {
        Input::Nothing => (None, program),
        Input::Bytes(bytes) => {
            program = program.input(bytes);
            (None, program)
        }
        Input::Live(dialogue) => (Some(dialogue), program.open_input()),
    };
    // Without the fence that was raised for it, it does not start.
    let program = job.fence.around(program).map_err(|error| (AgentEnding::Failed, error.to_string()))?;
    let mut child = program.spawn().await.map_err(|error| match error {
        SpawnError::NotFound { .. } => (AgentEnding::Missing, error.to_string()),
        _ => (AgentEnding::Failed, error.to_string()),
    })?;
    recorder.started(child.identity().cloned());
    recorder.new_blocks();
    let input = child.take_input().map(AgentInput::open).unwrap_or_default();
    let spoken = match job.kind {
        AgentKind::Custom => job.settings.stream.as_deref().and_then(AgentKind::parse),
        _ => None,
    };
    let (raw, kept) = RawStream::new(&job.scratch, &recorder.redactor());
    let stream = Stream::new(
        spoken.unwrap_or(job.kind),
        raw,
        dialogue,
        Assembler::new(job.before.as_ref(), job.settings.price),
    );
    Ok(Started { child, stream, kept, input, conversation: launch.conversation })
}
