//! The words in which the verbs say where a ticket stands and why it does not run.

use super::super::output::Tone;
use crate::plan::queue::{Lift, Standing, WaitReason};

/// One word for where a ticket stands, and its tone.
pub(in crate::verbs) fn standing(standing: &Standing) -> (&'static str, Tone) {
    match standing {
        Standing::NeedsYou => ("needs you", Tone::Warn),
        Standing::Failed => ("failed", Tone::Bad),
        Standing::Running => ("running", Tone::Strong),
        Standing::LeaseExpired => ("lease expired", Tone::Warn),
        Standing::Ready { .. } => ("ready", Tone::Good),
        Standing::Waiting { .. } => ("waiting", Tone::Plain),
        Standing::Review => ("review", Tone::Plain),
        Standing::Blocked => ("blocked", Tone::Warn),
        Standing::Done => ("done", Tone::Faint),
        Standing::Canceled => ("canceled", Tone::Faint),
        Standing::Invalid { .. } => ("invalid", Tone::Bad),
    }
}

/// Why a ticket in this standing is not next, as a sentence fragment; `None` when it can run.
pub(in crate::verbs) fn why_not(standing: &Standing) -> Option<String> {
    Some(match standing {
        Standing::Ready { .. } => return None,
        Standing::NeedsYou => "waits for a human".to_owned(),
        Standing::Waiting { reasons } => reasons.iter().map(reason).collect::<Vec<_>>().join("; "),
        Standing::Invalid { reason } => format!("invalid: {reason}"),
        Standing::LeaseExpired => {
            "in progress, its lease is over: `ticket ready` makes it runnable again".to_owned()
        }
        Standing::Running => "in progress".to_owned(),
        other => format!("status {}", self::standing(other).0),
    })
}

/// One reason.
pub(in crate::verbs) fn reason(reason: &WaitReason) -> String {
    match reason {
        WaitReason::BlockedBy { id, status } => format!("blocked by {id} ({status})"),
        WaitReason::DanglingBlocker { id } => format!("blocked by {id}, which does not exist"),
        WaitReason::CrossSprintBlocker { id, sprint } => format!("blocked by {id} in sprint {sprint}"),
        WaitReason::Cycle { ring } => {
            let ids: Vec<&str> = ring.iter().map(|id| id.as_str()).collect();
            format!("its blockers form a ring: {}", ids.join(" → "))
        }
        WaitReason::State { state } => format!("execution.state is {state}"),
        WaitReason::Label { label } => format!("label {label}"),
        WaitReason::Claimed { holder, until: Some(until) } => format!("claimed by {holder} until {until:.0}"),
        WaitReason::Claimed { holder, until: None } => format!("claimed by {holder}, without an end"),
        WaitReason::OtherQueue { queue } => format!("in queue {queue}"),
        WaitReason::OtherSprint { sprint } => format!("in sprint {sprint}"),
        WaitReason::Unsupported { kind } => format!("executor {kind} cannot be run by this version"),
    }
}

/// Why the effective priority is higher than the one on disk.
pub(in crate::verbs) fn lift(lift: &Lift) -> String {
    match lift {
        Lift::Bug => "label bug".to_owned(),
        Lift::Blocks(ids) => {
            let shown: Vec<&str> = ids.iter().take(5).map(|id| id.as_str()).collect();
            let more = if ids.len() > 5 { format!(" and {} more", ids.len() - 5) } else { String::new() };
            format!("blocks {}{more}", shown.join(", "))
        }
    }
}
