//! `loop status` and `loop health`: reads, never writes.

use std::time::Duration;

use serde_json::json;

use super::super::cli::looping::{HealthArgs, WhereArgs};
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::{Out, Tone};
use super::place;
use crate::verify::bus::{Bus, File, Pulse, Role, StateSource};

/// How long a sign of life counts for `status`.
const TTL: Duration = Duration::from_secs(30);

pub(super) fn status(context: &Context, args: &WhereArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let bus = Bus::at(place::bus(context, args.bus.loop_dir.as_deref(), args.task.as_deref())?);
    let (state, source) = bus.state();
    let warning = match source {
        StateSource::File => None,
        StateSource::Backup(error) => Some(format!("{error}; what follows is from its copy")),
        StateSource::Fresh(error) => Some(format!("{error}; nothing is known of the loop")),
    };
    let files: Vec<(&str, bool)> = File::ALL
        .iter()
        .filter(|file| **file != File::State)
        .map(|file| (file.name(), bus.path(*file).is_file()))
        .collect();
    let beats = Role::BOTH.map(|role| (role.word(), bus.heartbeat_path(role).is_file()));
    if context.json() {
        let files: serde_json::Map<_, _> =
            files.iter().map(|(name, there)| ((*name).to_owned(), json!(there))).collect();
        let beats: serde_json::Map<_, _> =
            beats.iter().map(|(role, there)| ((*role).to_owned(), json!(there))).collect();
        out.json(&json!({
            "loop_dir": bus.folder().display().to_string(), "state": state.to_value(), "files": files, "heartbeats": beats, "warning": warning,
        }));
        return Ok(Exit::Ok);
    }
    if let Some(warning) = warning {
        out.note(Tone::Warn, &format!("warning: {warning}"));
    }
    out.line(&format!("state:   {}", state.phase.word()));
    out.line(&format!("round:   {}", state.round));
    out.line(&format!("task:    {}", state.task_id.as_deref().unwrap_or("-")));
    out.line(&format!("outcome: {}", state.outcome.as_deref().unwrap_or("-")));
    if let Some(error) = &state.error {
        out.line(&format!("error:   {error}"));
    }
    for detail in &state.round_details {
        let tests = detail.tests_summary;
        let decision = detail.review_decision.as_deref().unwrap_or("-");
        out.line(&format!(
            "  round {}: {decision}, tests {} of {} passed",
            detail.round, tests.pass, tests.total
        ));
    }
    let beats = beats.iter().map(|(role, there)| (format!("{role}.heartbeat.json"), *there));
    for (name, there) in files.iter().map(|(name, there)| ((*name).to_owned(), *there)).chain(beats) {
        let (tone, word) = if there { (Tone::Good, "EXISTS ") } else { (Tone::Faint, "missing") };
        out.pieces(&[(tone, word), (Tone::Plain, &format!("  {name}"))]);
    }
    Ok(Exit::Ok)
}

pub(super) fn health(context: &Context, args: &HealthArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let place = &args.place;
    let bus = Bus::at(place::bus(context, place.bus.loop_dir.as_deref(), place.task.as_deref())?);
    let ttl = if args.ttl == 0 { TTL } else { Duration::from_secs(args.ttl) };
    let pulses: Vec<(Role, Pulse)> =
        Role::BOTH.into_iter().map(|role| (role, bus.pulse(role, ttl))).collect();
    if context.json() {
        let roles: Vec<_> = pulses
            .iter()
            .map(|(role, pulse)| json!({"role": role.word(), "alive": pulse.is_alive(), "reason": pulse.reason()}))
            .collect();
        out.json(
            &json!({"loop_dir": bus.folder().display().to_string(), "ttl": ttl.as_secs(), "roles": roles}),
        );
        return Ok(Exit::Ok);
    }
    for (role, pulse) in &pulses {
        let (tone, word) = if pulse.is_alive() { (Tone::Good, "alive") } else { (Tone::Bad, "dead ") };
        out.pieces(&[
            (Tone::Strong, &format!("{:8}", role.word())),
            (tone, word),
            (Tone::Plain, &format!("  {}", pulse.reason())),
        ]);
    }
    Ok(Exit::Ok)
}
