//! Checks of what stands in the sprint files: what planfile cannot read, does not see or would wait for for ever.

use std::collections::HashMap;

use super::findings::{Config, Findings};
use super::koru::trouble;
use super::{Probe, Verdict, fail, pass, skip, some_of, warn};
use crate::base::regular::{self, Links};
use crate::base::yaml;
use crate::plan::ticket::{Ticket, TicketId};

pub(super) const PROBES: &[Probe] = &[
    ("sprint_syntax", sprint_syntax),
    ("invisible_tickets", invisible_tickets),
    ("duplicate_ids", duplicate_ids),
    ("next_id", next_id),
    ("dangling_blockers", dangling_blockers),
    ("blocker_cycles", blocker_cycles),
    ("cross_sprint_blockers", cross_sprint_blockers),
];

fn sprint_syntax(findings: &Findings<'_>) -> Verdict {
    let broken: Vec<String> = findings
        .sprints
        .iter()
        .filter_map(|file| Some(trouble(&file.name, file.content.as_ref().err()?)))
        .collect();
    if broken.is_empty() {
        return pass(format!("{} file(s) read well", findings.sprints.len()));
    }
    fail(format!(
        "{}; repair it by hand before planfile writes here: a file that it cannot read counts as empty and is replaced",
        some_of(&broken)
    ))
}

/// Tickets that planfile 0.1.126 leaves out of every list, without a word.
fn invisible_tickets(findings: &Findings<'_>) -> Verdict {
    let mut hidden = Vec::new();
    for (file, document) in findings.documents() {
        for warning in document.warnings() {
            hidden.push(format!("{} line {}: {}", file.name, warning.line, warning.message));
        }
        for ticket in document.tickets() {
            let Some(reason) = &ticket.invalid else { continue };
            let line = document.source(ticket.id.as_str()).and_then(|source| {
                // The source is a part of the document's own text, so its place in it is its line.
                let at = (source.as_ptr() as usize).checked_sub(document.text().as_ptr() as usize)?;
                Some(document.text().get(..at)?.matches('\n').count() + 1)
            });
            let place = line.map_or_else(|| file.name.clone(), |line| format!("{} line {line}", file.name));
            let told = format!("{place}: {} {reason}", ticket.id);
            if !hidden.iter().any(|known: &String| known.contains(reason) && known.starts_with(&place)) {
                hidden.push(told);
            }
        }
    }
    if hidden.is_empty() { pass("planfile sees every ticket as written") } else { warn(some_of(&hidden)) }
}

fn duplicate_ids(findings: &Findings<'_>) -> Verdict {
    let twice: Vec<String> = findings
        .places
        .iter()
        .filter(|(_, places)| places.len() > 1)
        .map(|(id, places)| format!("{id} in {}", places.join(" and ")))
        .collect();
    if twice.is_empty() {
        pass("every id stands once")
    } else {
        fail(format!(
            "{}; give one of each a new id, or remove the copy that is out of date",
            some_of(&twice)
        ))
    }
}

/// planfile 0.1.126 trusts `next_id`: when it is behind, the next created ticket replaces an existing one.
fn next_id(findings: &Findings<'_>) -> Verdict {
    if !matches!(findings.config, Config::Mapping(_)) {
        return skip("no config to compare with");
    }
    let prefix = findings.config_value(&["prefix"]).and_then(serde_yaml::Value::as_str).unwrap_or("PLF");
    let own = format!("{prefix}-");
    let highest = findings
        .places
        .keys()
        .filter_map(|id| id.as_str().strip_prefix(&own)?.parse::<u64>().ok().map(|number| (number, id)))
        .max();
    let Some(value) = findings.config_value(&["next_id"]) else {
        return match highest {
            Some((number, _)) => fail(format!("next_id is missing in config.yaml; set it to {}", number + 1)),
            None => pass("not set, and no ticket needs it"),
        };
    };
    // planfile takes a quoted number too.
    let Some(next) = value.as_u64().or_else(|| value.as_str()?.trim().parse().ok()) else {
        return fail("next_id in config.yaml is not a whole number; planfile cannot create tickets");
    };
    match highest {
        Some((number, id)) if number >= next => fail(format!(
            "next_id is {next} and {id} exists: the next `planfile ticket create` would overwrite a ticket; set it to {}",
            number + 1
        )),
        _ => pass(format!("{next} is free")),
    }
}

/// Tickets whose blockers matter.
fn waiting<'a>(findings: &'a Findings<'_>) -> impl Iterator<Item = (&'a Ticket, &'a TicketId)> {
    let tickets = findings.tickets_in_order().into_iter().filter(|ticket| !ticket.status.is_terminal());
    tickets.flat_map(|ticket| ticket.blocked_by.iter().map(move |blocker| (&**ticket, blocker)))
}

fn dangling_blockers(findings: &Findings<'_>) -> Verdict {
    let missing: Vec<String> = waiting(findings)
        .filter(|(_, blocker)| !findings.tickets.contains_key(blocker))
        .map(|(ticket, blocker)| format!("{} waits for {blocker}, which does not exist", ticket.id))
        .collect();
    if missing.is_empty() {
        pass("every blocker exists")
    } else {
        warn(format!("{}; correct blocked_by, or these never run", some_of(&missing)))
    }
}

fn blocker_cycles(findings: &Findings<'_>) -> Verdict {
    let tickets = findings.tickets_in_order();
    let open: Vec<&Ticket> = tickets
        .iter()
        .map(|ticket| &***ticket)
        .filter(|ticket| !ticket.status.satisfies_dependants())
        .collect();
    let index: HashMap<&TicketId, usize> =
        open.iter().enumerate().map(|(index, ticket)| (&ticket.id, index)).collect();
    let edges: Vec<Vec<usize>> = open
        .iter()
        .map(|ticket| ticket.blocked_by.iter().filter_map(|id| index.get(id).copied()).collect())
        .collect();
    let ids: Vec<&str> = open.iter().map(|ticket| ticket.id.as_str()).collect();
    let rings: Vec<String> =
        crate::plan::pipeline::rings(&ids, &edges).into_iter().map(|ring| ring.join(" → ")).collect();
    if rings.is_empty() {
        pass("no ticket waits for itself")
    } else {
        warn(format!("{}; take one blocker out of each ring, or these never run", some_of(&rings)))
    }
}

/// planfile's `next` looks for blockers in the same sprint and in the archive's locator file, nowhere else.
fn cross_sprint_blockers(findings: &Findings<'_>) -> Verdict {
    let located = locator(findings);
    let mut waits = Vec::new();
    for (ticket, blocker) in waiting(findings) {
        let Some(found) = findings.tickets.get(blocker).filter(|found| found.sprint != ticket.sprint) else {
            continue;
        };
        let archived = found.sprint.starts_with("history-");
        if archived && located.iter().any(|id| id == blocker.as_str()) {
            continue;
        }
        let state = if found.status.satisfies_dependants() { "finished" } else { found.status.word() };
        waits.push(format!("{} waits for {blocker}, {state} in {}", ticket.id, found.sprint));
    }
    if waits.is_empty() {
        pass("planfile finds every blocker")
    } else {
        warn(format!(
            "{}; koru-tui looks there, planfile does not and waits for ever: move the blocker to the same sprint",
            some_of(&waits)
        ))
    }
}

/// Ids that planfile finds in the archive.
fn locator(findings: &Findings<'_>) -> Vec<String> {
    let path = findings.paths.index().join("history-locations.yaml");
    let Ok(text) = regular::read_text(&path, Links::Followed, 64 << 20) else { return Vec::new() };
    let Ok(serde_yaml::Value::Mapping(root)) = yaml::from_str(&text) else { return Vec::new() };
    // Either the map itself, or one level below a key such as `tickets`.
    let keys = |map: &serde_yaml::Mapping| {
        map.keys().filter_map(|key| key.as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let mut ids = keys(&root);
    for value in root.values() {
        if let serde_yaml::Value::Mapping(inner) = value {
            ids.extend(keys(inner));
        }
    }
    ids
}
