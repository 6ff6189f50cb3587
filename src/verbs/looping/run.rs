//! `loop run`: worker and reviewer in rounds on one task card.

use std::path::{Path, PathBuf};

use tokio::runtime::{Builder, Runtime};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::unbounded_channel;

use super::super::cli::looping::RunArgs;
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::{Out, Tone};
use super::options::choose;
use super::{failed, place};
use crate::base::paths::ProjectPaths;
use crate::base::repo;
use crate::execute::stop::{Stop, StopWatch, stop_pair};
use crate::plan::settings::Settings;
use crate::plan::store::Store;
use crate::plan::ticket::TicketId;
use crate::verify::bus::{Level, TaskCard};
use crate::verify::looping::{self, BACKENDS, End, LoopEnd, LoopError, LoopPlan, Said, known_backend};

pub(super) fn run(context: &Context, args: &RunArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let from = place::start(context)?;
    let (bus, card) = bus_and_card(context, args, &from)?;
    let chosen = choose(args, &bus)?;
    for note in &chosen.notes {
        out.note(Tone::Warn, note);
    }
    let root = repo::roots(&from).map(|(own, _)| own).ok_or_else(|| {
        VerbError::Failed(format!("{} is in no git work tree; run the loop in one", from.display()))
    })?;
    if chosen.rules.auto {
        check_backends(&chosen.rules.backends, &root)?;
    }
    let plan = LoopPlan {
        bus,
        root,
        card,
        rules: chosen.rules,
        how: chosen.how,
        dispatch_timeout: chosen.dispatch_timeout,
        artifact_timeout: chosen.artifact_timeout,
        phase_timeout: chosen.phase_timeout,
        heartbeat: chosen.heartbeat,
        allow_dirty: args.allow_dirty,
        verbose: args.verbose,
    };
    let runtime = async_runtime()?;
    let ended = runtime.block_on(watched(context, plan, out));
    // Nothing of ours runs any more; a thread that watches the folder need not be waited for.
    runtime.shutdown_background();
    told(context, ended?, out)
}

/// Runs it and prints what is said meanwhile.
async fn watched(
    context: &Context,
    plan: LoopPlan,
    out: &mut Out,
) -> Result<Result<LoopEnd, LoopError>, VerbError> {
    let stop = stopping()?;
    let (say, mut said) = unbounded_channel();
    let work = looping::run(plan, stop, say);
    tokio::pin!(work);
    let ended = loop {
        tokio::select! {
            biased;
            Some(line) = said.recv() => show(context, &line, out),
            ended = &mut work => break ended,
        }
    };
    while let Ok(line) = said.try_recv() {
        show(context, &line, out);
    }
    Ok(ended)
}

fn show(context: &Context, said: &Said, out: &mut Out) {
    match said {
        Said::Note(Level::Info, text) if !context.json() => out.line(text),
        Said::Agent(role, line) if !context.json() => out.line(&format!("[{}] {line}", role.word())),
        Said::Note(Level::Info, _) | Said::Agent(..) => {}
        Said::Note(Level::Warning, text) => out.note(Tone::Warn, &format!("warning: {text}")),
        Said::Note(Level::Error, text) => out.note(Tone::Bad, text),
    }
    out.flush();
}

fn told(context: &Context, ended: Result<LoopEnd, LoopError>, out: &mut Out) -> Result<Exit, VerbError> {
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) => {
            let exit = match &error {
                LoopError::Locked(_) => Exit::Locked,
                LoopError::Dirty(_) | LoopError::Unfinished(_) => Exit::Dirty,
                _ => return Err(failed(error)),
            };
            out.error(&failed(error));
            return Ok(exit);
        }
    };
    if context.json() {
        out.json(&ended.state.to_value());
    } else if let Some(outcome) = &ended.state.outcome {
        out.line(&format!("outcome: {outcome}"));
    }
    Ok(match ended.end {
        End::Ok => Exit::Ok,
        End::Exhausted => Exit::Failed,
        End::TimedOut => Exit::TIMEOUT,
        End::Invalid => Exit::Invalid,
        End::Interrupted => Exit::Interrupted,
    })
}

/// Names that nobody can start are told before anything begins.
fn check_backends(backends: &[String; 2], root: &Path) -> Result<(), VerbError> {
    let (settings, _) = Settings::load(root);
    for name in backends.iter().filter(|name| !known_backend(name)) {
        settings
            .agent(Some(name))
            .map_err(|error| VerbError::Failed(format!("{error}; loop-kit's are {}", BACKENDS.join(", "))))?;
    }
    Ok(())
}

/// The folder and the card, when it is not the folder's own.
fn bus_and_card(
    context: &Context,
    args: &RunArgs,
    from: &Path,
) -> Result<(PathBuf, Option<PathBuf>), VerbError> {
    let named = args.task.clone().map(|path| from.join(path));
    let loop_dir = args.bus.loop_dir.as_deref();
    let Some(reference) = args.task_ref.as_deref().filter(|_| named.is_none()) else {
        let task = named.as_deref().map(TaskCard::read).transpose().map_err(failed)?.map(|card| card.task_id);
        return Ok((place::bus(context, loop_dir, task.as_deref())?, named));
    };
    let path = from.join(reference);
    if path.is_file() {
        let card = TaskCard::read(&path).map_err(failed)?;
        return Ok((place::bus(context, loop_dir, Some(&card.task_id))?, Some(path)));
    }
    if loop_dir.is_none()
        && let Some(paths) = ProjectPaths::find(from)
    {
        let store = Store::open(paths.root())?;
        if store.plan().ticket(&TicketId::new(reference)).is_some() {
            let say = format!(
                "{reference} is a ticket of the planfile, whose rounds run in a worktree of its own: use `koru-tui \
                 ticket run {reference}`"
            );
            return Err(VerbError::Failed(say));
        }
    }
    let bus = place::bus(context, loop_dir, Some(reference))?;
    if let Some(found) = card_of(&bus, reference) {
        return Ok((bus, Some(found)));
    }
    // The folder may be the task's own.
    let own = TaskCard::read(&bus.join("task_card.json")).is_ok_and(|card| card.task_id == reference);
    if own {
        return Ok((bus, None));
    }
    let say = format!("{reference}: no such file, and no card {}/tasks/{reference}-*.json", bus.display());
    Err(VerbError::Failed(say))
}

/// `tasks/<ID>-*.json`, the first in order.
fn card_of(bus: &Path, id: &str) -> Option<PathBuf> {
    let entries = std::fs::read_dir(bus.join("tasks")).ok()?.flatten();
    let mut cards: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.strip_prefix(id)
                .is_some_and(|rest| rest == ".json" || (rest.starts_with('-') && rest.ends_with(".json")))
        })
        .collect();
    cards.sort();
    cards.into_iter().next()
}

/// A runtime on this thread.
pub(super) fn async_runtime() -> Result<Runtime, VerbError> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| VerbError::Failed(format!("starting the async runtime failed: {error}")))
}

/// Ctrl-C, TERM and HUP stop politely, a second one at once.
pub(super) fn stopping() -> Result<StopWatch, VerbError> {
    let (stopper, watch) = stop_pair();
    let listen =
        |kind| signal(kind).map_err(|error| failed(format!("listening for signals failed: {error}")));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    tokio::spawn(async move {
        loop {
            tokio::select! {
                _ = interrupt.recv() => drop(stopper.press()),
                _ = terminate.recv() => stopper.at_least(Stop::Polite),
                _ = hangup.recv() => stopper.at_least(Stop::Polite),
            }
        }
    });
    Ok(watch)
}
