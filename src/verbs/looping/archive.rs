//! `loop archive`: lists what is archived of a task, or puts one file back.

use serde_json::json;

use super::super::cli::looping::ArchiveArgs;
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::{Out, Tone};
use super::{failed, place};
use crate::verify::bus::Bus;

pub(super) fn run(context: &Context, args: &ArchiveArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let bus = Bus::at(place::bus(context, args.bus.loop_dir.as_deref(), Some(&args.task_id))?);
    if let Some(name) = &args.restore {
        // What is written goes through no link that a repository brought.
        let bus = Bus::open(bus.folder()).map_err(failed)?;
        // A run that is under way owns the files.
        let _lock = bus.lock().map_err(failed)?;
        let to = bus.restore(&args.task_id, name).map_err(failed)?;
        if context.json() {
            out.json(&json!({"task_id": args.task_id, "restored": name, "to": to}));
        } else {
            out.pieces(&[(Tone::Good, "✓"), (Tone::Plain, &format!(" {name} → {}", to.display()))]);
        }
        return Ok(Exit::Ok);
    }
    let files = bus.archived(&args.task_id).map_err(failed)?;
    if context.json() {
        out.json(&json!({"task_id": args.task_id, "files": files}));
        return Ok(Exit::Ok);
    }
    for file in &files {
        out.line(&format!("{:8}  {}", file.bytes, file.name));
    }
    if files.is_empty() {
        out.line(&format!("nothing is archived of {}", args.task_id));
    }
    Ok(Exit::Ok)
}
