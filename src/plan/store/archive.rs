//! Which finished tickets leave `current`, and where to (planfile 0.1.126, `reference/planfile.md` §1.2). Pure.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_yaml::Value;

use crate::plan::ticket::Ticket;

/// The `archive` section of the config, with planfile's defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ArchiveRule {
    /// Whether finished tickets are moved at all.
    pub(super) enabled: bool,
    max_current_tickets: u64,
    max_current_bytes: u64,
    retain_terminal_tickets: u64,
    /// Days (UTC dates, today included) that a finished ticket stays; 0 moves it at once.
    pub(super) retain_terminal_days: u64,
    terminal_statuses: HashSet<String>,
}

impl Default for ArchiveRule {
    fn default() -> Self {
        ArchiveRule {
            enabled: true,
            max_current_tickets: 100,
            max_current_bytes: 1_000_000,
            retain_terminal_tickets: 20,
            retain_terminal_days: 0,
            terminal_statuses: ["done", "canceled", "failed", "blocked"].map(str::to_owned).into(),
        }
    }
}

impl ArchiveRule {
    /// Reads the section as planfile does; values that make no sense fall back to the default.
    pub(super) fn read(section: Option<&Value>) -> ArchiveRule {
        let mut rule = ArchiveRule::default();
        let Some(section) = section.filter(|section| section.is_mapping()) else { return rule };
        for (key, slot) in [
            ("max_current_tickets", &mut rule.max_current_tickets),
            ("max_current_bytes", &mut rule.max_current_bytes),
            ("retain_terminal_tickets", &mut rule.retain_terminal_tickets),
            ("retain_terminal_days", &mut rule.retain_terminal_days),
        ] {
            if let Some(number) = section.get(key).and_then(number_of) {
                *slot = number;
            }
        }
        if let Some(Value::Sequence(words)) = section.get("terminal_statuses")
            && !words.is_empty()
        {
            let words = words.iter().filter_map(Value::as_str);
            rule.terminal_statuses = words.map(str::to_lowercase).collect();
        }
        rule.enabled = section.get("enabled").is_none_or(is_true);
        rule
    }

    /// Whether the rule is about this ticket.
    pub(super) fn covers(&self, ticket: &Ticket) -> bool {
        self.enabled && ticket.invalid.is_none() && self.terminal_statuses.contains(ticket.status.word())
    }

    /// Whether the rule may be about a ticket with this status as it is written, quotes and all.
    pub(super) fn covers_word(&self, written: &str) -> bool {
        let plain = written.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        self.enabled && (!plain || self.terminal_statuses.contains(written))
    }

    /// Whether the decision about one ticket does not depend on the others.
    pub(super) fn moves_at_once(&self) -> bool {
        self.retain_terminal_days == 0
    }

    /// The tickets of `current` that leave it now, oldest first, each with its history file's stem.
    pub(super) fn select<'a>(
        &self,
        tickets: impl Iterator<Item = &'a Ticket>,
        bytes: u64,
        now: Timestamp,
    ) -> Vec<(&'a Ticket, String)> {
        let mut total = 0_u64;
        let mut finished: Vec<(Timestamp, &Ticket)> = Vec::new();
        for ticket in tickets {
            total += 1;
            if self.covers(ticket) {
                finished.push((archive_instant(ticket, now), ticket));
            }
        }
        finished.sort_by(|a, b| (a.0, a.1.id.as_str()).cmp(&(b.0, b.1.id.as_str())));
        let full = (self.max_current_tickets > 0 && total > self.max_current_tickets)
            || (self.max_current_bytes > 0 && bytes > self.max_current_bytes);
        let kept = usize::try_from(self.retain_terminal_tickets).unwrap_or(usize::MAX);
        let surplus = if full { finished.len().saturating_sub(kept) } else { 0 };
        let chosen = finished
            .into_iter()
            .enumerate()
            .filter(|(place, (at, _))| *place < surplus || self.is_stale(*at, now));
        chosen.map(|(_, (at, ticket))| (ticket, history_stem(at))).collect()
    }

    fn is_stale(&self, at: Timestamp, now: Timestamp) -> bool {
        if self.moves_at_once() {
            return true;
        }
        let back = i32::try_from(self.retain_terminal_days - 1).unwrap_or(i32::MAX);
        let today = now.to_zoned(TimeZone::UTC).date();
        match today.checked_sub(back.days()) {
            Ok(cutoff) => at.to_zoned(TimeZone::UTC).date() < cutoff,
            Err(_) => false,
        }
    }
}

/// The instant that names a ticket's history file.
pub(super) fn archive_instant(ticket: &Ticket, now: Timestamp) -> Timestamp {
    ticket.execution.finished_at.or(ticket.updated_at).or(ticket.created_at).unwrap_or(now)
}

/// `history-2026-11-21`, by UTC date.
pub(super) fn history_stem(at: Timestamp) -> String {
    format!("history-{}", at.strftime("%Y-%m-%d"))
}

/// Whether a file of this stem holds finished tickets (planfile's names).
pub(super) fn is_archive(stem: &str) -> bool {
    stem.starts_with("history-") || stem.starts_with("archive-")
}

/// Python's `max(0, int(x))`, `None` where that raises.
fn number_of(value: &Value) -> Option<u64> {
    match value {
        Value::Bool(flag) => Some(u64::from(*flag)),
        Value::Number(number) => number.as_u64().or_else(|| number.as_i64().map(|_| 0)).or_else(|| {
            let float = number.as_f64().filter(|float| float.is_finite())?;
            format!("{:.0}", float.trunc().max(0.0)).parse().ok()
        }),
        Value::String(text) => {
            text.trim().parse::<i128>().ok().map(|n| u64::try_from(n.max(0)).unwrap_or(u64::MAX))
        }
        _ => None,
    }
}

/// Python's truth of what PyYAML reads: YAML 1.1 has more words for false than our reader.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !matches!(text.to_lowercase().as_str(), "" | "no" | "off" | "n" | "false"),
        Value::Sequence(list) => !list.is_empty(),
        Value::Mapping(map) => !map.is_empty(),
        Value::Tagged(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::ticket::{Execution, Status, TicketId};

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn finished(id: &str, status: Status, end: &str) -> Ticket {
        let execution = Execution { finished_at: Some(at(end)), ..Execution::default() };
        Ticket { id: TicketId::new(id), status, execution, ..Ticket::default() }
    }

    fn selected(section: &str, bytes: u64) -> Vec<(String, String)> {
        let value: Value = serde_yaml::from_str(section).unwrap();
        let tickets = [
            finished("A-1", Status::Done, "2026-11-21T00:00:00Z"),
            finished("A-2", Status::Open, "2026-11-01T00:00:00Z"),
            finished("A-3", Status::Failed, "2026-11-19T23:59:59.9Z"),
            finished("A-4", Status::Blocked, "2026-11-20T00:00:00Z"),
            Ticket {
                invalid: Some("odd".to_owned()),
                ..finished("A-5", Status::Done, "2026-11-01T00:00:00Z")
            },
        ];
        let rule = ArchiveRule::read(Some(&value));
        let chosen = rule.select(tickets.iter(), bytes, at("2026-11-21T12:00:00Z"));
        chosen.into_iter().map(|(ticket, stem)| (ticket.id.to_string(), stem)).collect()
    }

    fn moved(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(id, day)| ((*id).to_owned(), format!("history-2026-11-{day}"))).collect()
    }

    #[test]
    fn without_retention_every_finished_ticket_leaves_to_its_own_day() {
        assert_eq!(selected("{}", 0), moved(&[("A-3", "19"), ("A-4", "20"), ("A-1", "21")]));
    }

    #[test]
    fn days_are_counted_with_today() {
        assert_eq!(selected("retain_terminal_days: 1", 0), moved(&[("A-3", "19"), ("A-4", "20")]));
        assert_eq!(selected("retain_terminal_days: 2", 0), moved(&[("A-3", "19")]));
        assert_eq!(selected("retain_terminal_days: 3", 0), moved(&[]));
    }

    #[test]
    fn a_full_file_moves_the_oldest_beyond_the_kept_number() {
        let kept = "{retain_terminal_days: 9, retain_terminal_tickets: 1, max_current_bytes: 10}";
        assert_eq!(selected(kept, 10), moved(&[]));
        assert_eq!(selected(kept, 11), moved(&[("A-3", "19"), ("A-4", "20")]));
        let counted = "{retain_terminal_days: 9, retain_terminal_tickets: 2, max_current_tickets: 4}";
        assert_eq!(selected(counted, 0), moved(&[("A-3", "19")]));
    }

    #[test]
    fn statuses_and_the_switch_are_honoured() {
        assert_eq!(selected("terminal_statuses: [Done]", 0), moved(&[("A-1", "21")]));
        assert_eq!(selected("terminal_statuses: done", 0).len(), 3);
        for off in ["enabled: false", "enabled: no", "enabled: 0", "enabled: ''", "enabled: null"] {
            assert_eq!(selected(off, 0), moved(&[]), "{off}");
        }
    }

    #[test]
    fn odd_numbers_fall_back_as_in_python() {
        let read =
            |text: &str| ArchiveRule::read(Some(&serde_yaml::from_str(text).unwrap())).retain_terminal_days;
        assert_eq!(read("retain_terminal_days: '3'"), 3);
        assert_eq!(read("retain_terminal_days: -3"), 0);
        assert_eq!(read("retain_terminal_days: 2.9"), 2);
        assert_eq!(read("retain_terminal_days: many"), 0);
        assert_eq!(read("retain_terminal_days: true"), 1);
    }
}
