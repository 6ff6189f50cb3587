//! Checks of work in progress: tickets that nobody works on any more, and leases that are over.

use std::collections::HashMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use super::findings::Findings;
use super::{Probe, Verdict, pass, some_of, warn};
use crate::base::process::ProcessIdentity;
use crate::base::regular::{self, Links};
use crate::plan::ticket::{Status, Ticket, TicketId};

pub(super) const PROBES: &[Probe] =
    &[("stuck_runs", stuck_runs), ("expired_leases", expired_leases), ("runs_size", runs_size)];

/// Bytes of run folders that are worth a word.
const MUCH: u64 = 1 << 30;

/// How long a ticket may be in progress without a lease and without a run of ours: somebody may work by hand.
const QUIET: SignedDuration = SignedDuration::from_hours(1);

/// Longest run record that is read.
const MAX_RECORD: u64 = 1024 * 1024;

/// What of a run's `run.json` matters here.
#[derive(Deserialize)]
struct Record {
    ticket: TicketId,
    state: String,
    supervisor: Option<ProcessIdentity>,
}

fn stuck_runs(findings: &Findings<'_>) -> Verdict {
    let alive = running(findings);
    let mut stuck = Vec::new();
    for ticket in findings.tickets_in_order() {
        if ticket.status != Status::InProgress || ticket.execution.state == "waiting_input" {
            continue;
        }
        match alive.get(&ticket.id) {
            Some(true) => {}
            Some(false) => stuck.push(format!("{}: the program that ran it is gone", ticket.id)),
            None if held(ticket, findings.now) => {}
            None if findings.now.duration_since(ticket.updated_at.unwrap_or(Timestamp::UNIX_EPOCH))
                < QUIET => {}
            None => stuck.push(format!("{}: in progress, and no run or lease holds it", ticket.id)),
        }
    }
    if stuck.is_empty() {
        pass("every started ticket is being worked on")
    } else {
        warn(format!("{}; `koru-tui ticket ready ID` puts one back into the queue", some_of(&stuck)))
    }
}

fn expired_leases(findings: &Findings<'_>) -> Verdict {
    let mut over = Vec::new();
    for ticket in findings.tickets_in_order() {
        let Some(end) = ticket.execution.lease_expires_at.filter(|end| *end <= findings.now) else {
            continue;
        };
        if ticket.status.is_terminal() {
            continue;
        }
        let holder = ticket.execution.assigned_to.as_deref().unwrap_or("nobody");
        over.push(format!("{} of {holder}, over since {end}", ticket.id));
    }
    if over.is_empty() {
        pass("no lease is over")
    } else {
        warn(format!("{}; `koru-tui ticket ready ID` frees the ticket", some_of(&over)))
    }
}

/// Says what runs take, when it is much.
fn runs_size(findings: &Findings<'_>) -> Verdict {
    let bytes = size(&findings.paths.runs(), 3);
    if bytes < MUCH {
        return Ok(None);
    }
    let (whole, tenth) = (bytes >> 30, ((bytes % (1 << 30)) * 10) >> 30);
    warn(format!("runs take {whole}.{tenth} GiB; `koru-tui runs prune --dry-run` says which may go"))
}

/// Bytes of the files in a folder and so many levels below; links are not followed.
fn size(folder: &Path, levels: u32) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.flatten().map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() && levels > 0 => size(&entry.path(), levels - 1),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    });
    sizes.sum()
}

fn held(ticket: &Ticket, now: Timestamp) -> bool {
    ticket.execution.lease_expires_at.is_some_and(|end| end > now)
}

/// Tickets with a run that is recorded as running, and whether its supervisor lives.
fn running(findings: &Findings<'_>) -> HashMap<TicketId, bool> {
    let mut found = HashMap::new();
    let Ok(entries) = std::fs::read_dir(findings.paths.runs()) else { return found };
    for entry in entries.flatten() {
        let path = entry.path().join("run.json");
        let read = regular::read(&path, Links::Refused, MAX_RECORD);
        let record = read.ok().and_then(|bytes| serde_json::from_slice::<Record>(&bytes).ok());
        let Some(record) = record.filter(|record| record.state == "running") else { continue };
        let alive = record.supervisor.is_some_and(|process| process.is_alive());
        *found.entry(record.ticket).or_insert(false) |= alive;
    }
    found
}
