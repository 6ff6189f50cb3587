//! `loop heartbeat`: gives signs of life until it is stopped.

use std::time::Duration;

use jiff::Timestamp;

use super::super::cli::looping::{HeartbeatArgs, RoleWord};
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::Out;
use super::run::{async_runtime, stopping};
use super::{failed, place};
use crate::verify::bus::{Bus, Heartbeat, Role};

pub(super) fn run(context: &Context, args: &HeartbeatArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let place = &args.place;
    let folder = place::bus(context, place.bus.loop_dir.as_deref(), place.task.as_deref())?;
    let bus = Bus::open(folder).map_err(failed)?;
    let role = match args.role {
        RoleWord::Worker => Role::Worker,
        RoleWord::Reviewer => Role::Reviewer,
    };
    let cwd = place::start(context)?.display().to_string();
    let beat = Heartbeat { role, pid: std::process::id(), cwd };
    let every = Duration::from_secs(args.interval.max(1));
    out.line(&format!("signs of life of the {} every {} s; Ctrl-C ends it", role.word(), every.as_secs()));
    out.flush();
    async_runtime()?.block_on(async {
        let mut stop = stopping()?;
        loop {
            bus.beat(&beat, Timestamp::now()).map_err(failed)?;
            tokio::select! {
                () = tokio::time::sleep(every) => {}
                _ = stop.changed() => return Ok(Exit::Ok),
            }
        }
    })
}
