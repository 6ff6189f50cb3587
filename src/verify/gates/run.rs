//! Running the gates, one after another, through the run's recorder.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::waiver::Waiver;
use super::{GatePlan, GateReport, GateResult, GateState, Planned};
use crate::execute::fence::Fence;
use crate::execute::outcome::{Ending, Outcome};
use crate::execute::recorder::Recorder;
use crate::execute::shell::{self, ShellJob};
use crate::execute::stop::{Stop, StopWatch};
use crate::execute::tail::tail_chars;

/// Characters of its output that a result keeps.
const OUTPUT_CHARS: usize = 4000;

/// pytest's exit code when there was nothing to run.
const PYTEST_NO_TESTS: i32 = 5;

/// What to run, and where.
#[derive(Clone, Debug)]
pub struct GateJob {
    /// The gates, as [`super::plan()`] found them.
    pub gates: Vec<GatePlan>,
    /// Folder of the work: the ticket's worktree.
    pub folder: PathBuf,
    /// The whole environment before the fence's variables, that of the run whose work is judged.
    pub env: Vec<(OsString, OsString)>,
    /// What keeps the gates in: they run code that the run wrote.
    pub fence: Fence,
    /// What may be skipped.
    pub waiver: Option<Waiver>,
    /// Limit of each gate (`ci.timeout_seconds`).
    pub timeout: Duration,
    /// TERM to KILL.
    pub grace: Duration,
}

/// Runs every gate to its end; one that fails does not keep the others from running. A heading stands before each gate's
/// output and its result after it. When the operator stops the run, the gate that runs has failed and the rest is
/// skipped. Dropping the future kills what runs.
pub async fn run(job: &GateJob, stop: StopWatch, recorder: &mut Recorder) -> GateReport {
    let mut results = Vec::with_capacity(job.gates.len());
    for gate in &job.gates {
        let result = one(job, gate, stop.clone(), recorder).await;
        recorder.note(&format!("[gate {}: {}]", result.gate, said(&result)));
        results.push(result);
    }
    if results.is_empty() {
        recorder.note("[no gates: no test runner was found and ci.command is empty]");
    }
    GateReport { results }
}

async fn one(job: &GateJob, gate: &GatePlan, stop: StopWatch, recorder: &mut Recorder) -> GateResult {
    let mut result = GateResult {
        gate: gate.gate.clone(),
        state: GateState::Passed,
        command: None,
        exit_code: None,
        output: String::new(),
        duration: Duration::ZERO,
    };
    let command = match &gate.planned {
        Planned::Run { command } => command,
        Planned::Skip { why } => {
            result.state = GateState::Skipped { why: why.clone() };
            return result;
        }
    };
    result.command = Some(recorder.clean(command));
    if let Some(waiver) = job.waiver.as_ref().filter(|waiver| waiver.skips(&gate.gate)) {
        let (who, why) = (recorder.clean(&waiver.authorized_by), recorder.clean(&waiver.reason));
        result.state = GateState::Waived { who, why };
        return result;
    }
    if stop.current() > Stop::No {
        result.state = GateState::Skipped { why: "the run was stopped before it".to_owned() };
        return result;
    }
    recorder.note(&format!("[gate {}: {command}]", gate.gate));
    let shell = ShellJob {
        command: command.clone(),
        folder: job.folder.clone(),
        env: job.env.clone(),
        fence: job.fence.clone(),
        timeout: job.timeout,
        grace: job.grace,
    };
    let outcome = shell::run_with(&shell, stop, recorder).await;
    result.state = state(gate, command, &outcome);
    let ended = outcome.signal.is_none() && matches!(outcome.ending, Ending::Succeeded | Ending::Failed);
    result.exit_code = (ended && outcome.reason.is_none()).then_some(outcome.exit_code);
    result.output = output(&outcome);
    result.duration = outcome.duration;
    result
}

fn state(gate: &GatePlan, command: &str, outcome: &Outcome) -> GateState {
    if outcome.succeeded() {
        return GateState::Passed;
    }
    let by_itself = outcome.ending == Ending::Failed && outcome.signal.is_none() && outcome.reason.is_none();
    if by_itself && gate.gate == "pytest" && outcome.exit_code == PYTEST_NO_TESTS {
        return GateState::Skipped { why: "pytest found no tests".to_owned() };
    }
    let why = match (outcome.ending, &outcome.reason, outcome.signal) {
        (Ending::TimedOut, Some(reason), _) => format!("it {reason}"),
        (Ending::Stopped, ..) => "it was stopped by the operator".to_owned(),
        (_, Some(reason), _) => reason.clone(),
        (_, None, Some(signal)) => format!("it was ended by signal {signal}"),
        // What a shell answers with (POSIX): not executable, not found.
        (_, None, None) if matches!(outcome.exit_code, 126 | 127) => {
            format!("it exited with {}: a program in `{command}` cannot be run here", outcome.exit_code)
        }
        (_, None, None) => format!("it exited with {}", outcome.exit_code),
    };
    GateState::Failed { why }
}

/// The end of what it printed, standard error last.
fn output(outcome: &Outcome) -> String {
    let (out, err) = (outcome.stdout.last(OUTPUT_CHARS), outcome.stderr.last(OUTPUT_CHARS));
    let gap = if out.is_empty() || err.is_empty() || out.ends_with('\n') { "" } else { "\n" };
    tail_chars(&format!("{out}{gap}{err}"), OUTPUT_CHARS).to_owned()
}

/// The result in one line.
fn said(result: &GateResult) -> String {
    match &result.state {
        GateState::Passed => format!("passed in {:.1} s", result.duration.as_secs_f64()),
        GateState::Failed { why } => format!("failed, {why}"),
        GateState::Skipped { why } => format!("skipped, {why}"),
        GateState::Waived { who, why } => format!("waived by {who}: {why}"),
    }
}
