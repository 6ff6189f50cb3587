//! Facts as words of the operator: times, reasons for waiting, reasons for a raised priority.
//!
//! Owns no data. Everything that comes back is safe to show: foreign parts passed `base::text`.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::base::text::safe_text;
use crate::plan::queue::{Effective, Lift, WaitReason};
use crate::plan::ticket::{ExecutorKind, Priority, TicketId};
use crate::runtime::protocol::{AgentPhase, Cost, HeldWhy, Tokens};

/// An age or a duration with its unit, at most four characters up to 999 days: `9s`, `12m`, `3h`, `41d`.
pub(crate) fn age(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..86_400 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// A duration to the second: `9s`, `3m12s`, `2h05m`.
pub(crate) fn duration(from: Timestamp, to: Timestamp) -> String {
    let seconds = to.duration_since(from).as_secs().max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
    }
}

/// Seconds as [`duration`] writes them.
pub(crate) fn seconds(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp::from_second(seconds)
        .map_or_else(|_| format!("{seconds}s"), |until| duration(Timestamp::UNIX_EPOCH, until))
}

/// Lines that came and went, as they stand behind a path: `  +6`, ` −2`; nothing for none.
pub(crate) fn changed(added: u32, removed: u32) -> (String, String) {
    let part = |lead: &str, sign: char, count: u32| match count {
        0 => String::new(),
        count => format!("{lead}{sign}{count}"),
    };
    (part("  ", '+', added), part(if added == 0 { "  " } else { " " }, '−', removed))
}

/// The time of day to the minute.
pub(crate) fn clock_minutes(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M").to_string()
}

/// The time of day.
pub(crate) fn clock(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string()
}

/// Date and time, to the second.
pub(crate) fn exact(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `one run`, `3 runs`.
pub(crate) fn count(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// A number of tokens: `812 tok`, `41k tok`, `1.2M tok`.
pub(crate) fn tokens(tokens: Tokens) -> String {
    let total = tokens.total();
    match total {
        0..1_000 => format!("{total} tok"),
        1_000..1_000_000 => format!("{}k tok", total / 1_000),
        _ => format!("{}.{}M tok", total / 1_000_000, total / 100_000 % 10),
    }
}

/// An amount of money: `$0.38`; one that was computed here says so: `~$0.38 est.`.
pub(crate) fn cost(cost: Cost) -> String {
    if cost.estimated { format!("~{} est.", usd(cost.usd)) } else { usd(cost.usd) }
}

/// US dollars, with as many digits as say something.
pub(crate) fn usd(amount: f64) -> String {
    if amount > 0.0 && amount < 0.01 { format!("${amount:.4}") } else { format!("${amount:.2}") }
}

/// Bytes in the unit in which the number is easy to read: `812 B`, `41 KiB`, `1.2 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut whole, mut tenth, mut unit) = (bytes, 0, 0);
    while whole >= 1024 && unit + 1 < UNITS.len() {
        tenth = whole % 1024 * 10 / 1024;
        whole /= 1024;
        unit += 1;
    }
    let unit = UNITS[unit];
    if whole < 10 && unit != "B" { format!("{whole}.{tenth} {unit}") } else { format!("{whole} {unit}") }
}

/// What happens in a run of an agent, in a word.
pub(crate) fn phase(phase: &AgentPhase) -> String {
    match phase {
        AgentPhase::Preparing => "preparing".to_owned(),
        AgentPhase::Working => "working".to_owned(),
        AgentPhase::Inspecting => "inspecting".to_owned(),
        AgentPhase::Checking { gate } => format!("checking {}", safe_text(gate)),
        AgentPhase::Reviewing => "reviewing".to_owned(),
        AgentPhase::Over => "over".to_owned(),
    }
}

/// A reason for waiting in two words, for a row.
pub(crate) fn waiting_short(reason: &WaitReason) -> String {
    match reason {
        WaitReason::BlockedBy { id, .. } | WaitReason::CrossSprintBlocker { id, .. } => {
            format!("waits {}", safe(id))
        }
        WaitReason::DanglingBlocker { id } => format!("no {}", safe(id)),
        WaitReason::Cycle { .. } => "in a ring".to_owned(),
        WaitReason::State { state } => format!("is {}", safe_text(state)),
        WaitReason::Label { label } => safe_text(label).to_string(),
        WaitReason::Claimed { holder, .. } => format!("held {}", safe_text(holder)),
        WaitReason::OtherQueue { queue } => format!("queue {}", safe_text(queue)),
        WaitReason::OtherSprint { sprint } => format!("in {}", safe_text(sprint)),
        WaitReason::Unsupported { kind } => format!("kind {}", safe_text(kind)),
    }
}

/// A reason for waiting as a sentence.
pub(crate) fn waiting_long(reason: &WaitReason, zone: &TimeZone) -> String {
    match reason {
        WaitReason::BlockedBy { id, status } => {
            format!("waits for {}, which is {}", safe(id), safe_text(&status.replace('_', " ")))
        }
        WaitReason::DanglingBlocker { id } => {
            format!("waits for {}, which is in no file; edit the ticket to drop it", safe(id))
        }
        WaitReason::CrossSprintBlocker { id, sprint } => {
            format!("waits for {} in sprint {}", safe(id), safe_text(sprint))
        }
        WaitReason::Cycle { ring } => {
            let ring: Vec<String> = ring.iter().map(safe).collect();
            format!("its blockers form a ring: {}", ring.join(" → "))
        }
        WaitReason::State { state } => format!("its execution state is {}", safe_text(state)),
        WaitReason::Label { label } => format!("the label {} keeps it out of the queue", safe_text(label)),
        WaitReason::Claimed { holder, until: Some(until) } => {
            format!("{} holds it until {}", safe_text(holder), exact(*until, zone))
        }
        WaitReason::Claimed { holder, until: None } => format!("{} holds it", safe_text(holder)),
        WaitReason::OtherQueue { queue } => format!("it belongs to the queue {}", safe_text(queue)),
        WaitReason::OtherSprint { sprint } => format!("it stands in the sprint {}", safe_text(sprint)),
        WaitReason::Unsupported { kind } => {
            format!("this version cannot run tickets of kind {}", safe_text(kind))
        }
    }
}

/// Why a ticket in line is passed over, in two words.
pub(crate) fn held_short(why: &HeldWhy) -> String {
    match why {
        HeldWhy::Files { with, .. } => format!("files {}", safe(with)),
        HeldWhy::Policy { .. } => "refused".to_owned(),
        HeldWhy::Backoff { .. } => "retries".to_owned(),
        HeldWhy::Asleep { .. } => "asleep".to_owned(),
        HeldWhy::Start { .. } => "held".to_owned(),
    }
}

/// Why a ticket of this kind is never started.
pub(crate) fn no_runner(kind: &ExecutorKind) -> String {
    match kind {
        ExecutorKind::Mcp => {
            "no MCP server is configured; name one under `mcp` in .planfile/.koru/config.yaml".to_owned()
        }
        kind => format!("executor kind {} is not run by this version", safe_text(kind.word())),
    }
}

/// A priority in at most four letters.
pub(crate) fn priority_short(priority: &Priority) -> String {
    match priority {
        Priority::Critical => "crit".to_owned(),
        Priority::Normal => "norm".to_owned(),
        other => safe_text(other.word()).to_string(),
    }
}

/// Why the effective priority is higher than the one on disk, `None` when it is not.
pub(crate) fn lifted(effective: &Effective, on_disk: &Priority) -> Option<String> {
    if effective.reasons.is_empty() {
        return None;
    }
    let reasons: Vec<String> = effective.reasons.iter().map(lift).collect();
    Some(format!("was {}: {}", safe_text(on_disk.word()), reasons.join("; ")))
}

fn lift(lift: &Lift) -> String {
    match lift {
        Lift::Bug => "it is a bug".to_owned(),
        Lift::Blocks(ids) => {
            let shown: Vec<String> = ids.iter().take(3).map(safe).collect();
            let more = if ids.len() > 3 { format!(" and {} more", ids.len() - 3) } else { String::new() };
            format!("blocks {}{more}", shown.join(", "))
        }
    }
}

/// An id, safe to show.
pub(crate) fn safe(id: &TicketId) -> String {
    safe_text(id.as_str()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn ages_and_durations_carry_units() {
        let ages: Vec<String> =
            [0, 59, 60, 3_599, 3_600, 86_399, 86_400, -5].map(|s| age(at(0), at(s))).into();
        assert_eq!(ages, ["0s", "59s", "1m", "59m", "1h", "23h", "1d", "0s"]);
        let durations: Vec<String> = [9, 192, 7_500].map(|s| duration(at(0), at(s))).into();
        assert_eq!(durations, ["9s", "3m12s", "2h05m"]);
    }

    #[test]
    fn amounts_are_short_and_say_what_is_estimated() {
        let tokens: Vec<String> =
            [812, 41_900, 1_250_000].map(|output| tokens(Tokens { output, ..Tokens::default() })).into();
        assert_eq!(tokens, ["812 tok", "41k tok", "1.2M tok"]);
        let costs: Vec<String> = [(0.384, false), (0.384, true), (0.0021, false)]
            .map(|(usd, estimated)| cost(Cost { usd, estimated }))
            .into();
        assert_eq!(costs, ["$0.38", "~$0.38 est.", "$0.0021"]);
        let sizes: Vec<String> = [812, 41 << 10, (1 << 30) + (300 << 20)].map(bytes).into();
        assert_eq!(sizes, ["812 B", "41 KiB", "1.2 GiB"]);
    }
}
