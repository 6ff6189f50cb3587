//! Sentences for the operator that both the supervisor and the drain say.

use crate::plan::queue::{Standing, WaitReason};

/// Why a ticket with this standing does not run; foreign text inside.
pub(crate) fn why_not(standing: &Standing) -> String {
    match standing {
        Standing::NeedsYou => "it waits for a person".to_owned(),
        Standing::Failed => "it failed; make it ready again first".to_owned(),
        Standing::Running => "it is running".to_owned(),
        Standing::LeaseExpired => "it is in progress under a lease that is over; release it first".to_owned(),
        Standing::Ready { .. } => "it is ready".to_owned(),
        Standing::Waiting { reasons } => reasons.iter().map(reason).collect::<Vec<_>>().join("; "),
        Standing::Review => "it is in review".to_owned(),
        Standing::Blocked => "it is blocked; make it ready again first".to_owned(),
        Standing::Done => "it is done".to_owned(),
        Standing::Canceled => "it is canceled".to_owned(),
        Standing::Invalid { reason } => format!("planfile cannot read it ({reason}); repair it first"),
    }
}

fn reason(reason: &WaitReason) -> String {
    match reason {
        WaitReason::BlockedBy { id, status } => format!("it waits for {id}, which is {status}"),
        WaitReason::DanglingBlocker { id } => format!("it waits for {id}, which does not exist"),
        WaitReason::CrossSprintBlocker { id, sprint } => {
            format!("it waits for {id} in sprint {sprint}, which is not finished")
        }
        WaitReason::Cycle { ring } => {
            let ring: Vec<&str> = ring.iter().map(crate::plan::ticket::TicketId::as_str).collect();
            format!("its blockers form a ring: {}", ring.join(" → "))
        }
        WaitReason::State { state } => format!("its execution state is {state}"),
        WaitReason::Label { label } => format!("its label {label} holds it back"),
        WaitReason::Claimed { holder, until } => match until {
            Some(until) => format!("{holder} holds it until {until:.0}"),
            None => format!("{holder} holds it"),
        },
        WaitReason::OtherQueue { queue } => format!("it is in the queue {queue}"),
        WaitReason::OtherSprint { sprint } => format!("it is in the sprint {sprint}"),
        WaitReason::Unsupported { kind } => format!("this version cannot run executor kind {kind}"),
    }
}
