//! Waivers of gates, on record in a ticket's notes (koru §4.5, §6.5).
//!
//! `gate authorize` writes a note, [`waiver`] reads it back (koru never did). The note is one line of text that any
//! planfile tool keeps: `KORU-GATE-AUTH ` and a JSON object with sorted keys. What is malformed, or speaks of another
//! ticket, is passed over; the last waiver counts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::CI;
use crate::plan::ticket::{Ticket, TicketId};

/// What a waiver's note begins with.
const PREFIX: &str = "KORU-GATE-AUTH ";

/// `kind` of every waiver.
const KIND: &str = "gate_authorization";

/// Other words for the gates that stand between the work and `complete`.
const CI_WORDS: [&str; 4] = [CI, "ci_command", "ci.command", "ci-command"];

/// What a waiver asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaiverMode {
    /// The named gates give advice that nobody waits for.
    Advisory,
    /// The named gates are skipped by themselves.
    Auto,
    /// A person decides, whatever the gates say.
    MandatoryHuman,
}

impl WaiverMode {
    /// The words on the command line and on disk.
    pub const WORDS: [&str; 3] = ["advisory", "auto", "mandatory_human"];

    /// Reads a word.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "advisory" => WaiverMode::Advisory,
            "auto" => WaiverMode::Auto,
            "mandatory_human" => WaiverMode::MandatoryHuman,
            _ => return None,
        })
    }

    /// The word.
    pub fn word(self) -> &'static str {
        match self {
            WaiverMode::Advisory => "advisory",
            WaiverMode::Auto => "auto",
            WaiverMode::MandatoryHuman => "mandatory_human",
        }
    }
}

/// A waiver. All text in it is foreign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    /// When, to the second.
    pub authorized_at: Timestamp,
    /// Who.
    pub authorized_by: String,
    /// What for.
    pub mode: WaiverMode,
    /// Why, not blank.
    pub reason: String,
    /// Gates by name.
    pub skipped: Vec<String>,
    /// For which ticket.
    pub ticket: TicketId,
}

/// The object in the note, its keys sorted.
#[derive(Serialize, Deserialize)]
struct Record {
    authorized_at: String,
    authorized_by: String,
    kind: String,
    mode: WaiverMode,
    reason: String,
    #[serde(default)]
    skipped: Vec<String>,
    ticket: String,
}

impl Waiver {
    /// The text of the note.
    pub fn note(&self) -> String {
        let record = Record {
            authorized_at: self.authorized_at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            authorized_by: self.authorized_by.clone(),
            kind: KIND.to_owned(),
            mode: self.mode,
            reason: self.reason.clone(),
            skipped: self.skipped.clone(),
            ticket: self.ticket.to_string(),
        };
        // Texts and a list of texts: there is nothing in it that JSON cannot hold.
        format!("{PREFIX}{}", serde_json::to_string(&record).unwrap_or_default())
    }

    /// Reads a note; `None` for one that is no waiver for the ticket `id`.
    fn of_note(note: &str, id: &TicketId) -> Option<Self> {
        let record: Record = serde_json::from_str(note.trim().strip_prefix(PREFIX)?).ok()?;
        let said = |text: &str| !text.trim().is_empty();
        if record.kind != KIND || record.ticket != id.as_str() {
            return None;
        }
        if !said(&record.reason) || !said(&record.authorized_by) {
            return None;
        }
        Some(Waiver {
            authorized_at: record.authorized_at.parse().ok()?,
            authorized_by: record.authorized_by,
            mode: record.mode,
            reason: record.reason,
            skipped: record.skipped,
            ticket: id.clone(),
        })
    }

    /// Whether this waiver skips `gate`: it names it, or it names the CI gate, which is what all of them stand for. A
    /// waiver that names no gate skips none, and one that demands a person skips none either.
    pub fn skips(&self, gate: &str) -> bool {
        let names = |word: &str| {
            let word = word.trim().to_lowercase();
            word == gate.to_lowercase() || CI_WORDS.contains(&word.as_str())
        };
        self.mode != WaiverMode::MandatoryHuman && self.skipped.iter().any(|word| names(word))
    }
}

/// The waiver that counts for `ticket`. Give the ticket as it was when its run was claimed: a note that was written during
/// the run may be the run's own.
pub fn waiver(ticket: &Ticket) -> Option<Waiver> {
    ticket.outputs.notes.iter().rev().find_map(|note| Waiver::of_note(note, &ticket.id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Waiver {
        Waiver {
            authorized_at: "2026-11-21T10:00:00Z".parse().unwrap(),
            authorized_by: "ada".to_owned(),
            mode: WaiverMode::Advisory,
            reason: "the runner is \"down\"".to_owned(),
            skipped: vec!["ci".to_owned(), "pytest".to_owned()],
            ticket: TicketId::new("PLF-001"),
        }
    }

    fn ticket(notes: &[String]) -> Ticket {
        let mut ticket = Ticket { id: TicketId::new("PLF-001"), ..Ticket::default() };
        ticket.outputs.notes = notes.to_vec();
        ticket
    }

    #[test]
    fn the_note_is_korus_and_reads_back() {
        let note = example().note();
        assert_eq!(
            note,
            "KORU-GATE-AUTH {\"authorized_at\":\"2026-11-21T10:00:00Z\",\"authorized_by\":\"ada\",\"kind\":\
             \"gate_authorization\",\"mode\":\"advisory\",\"reason\":\"the runner is \\\"down\\\"\",\"skipped\":[\"ci\",\
             \"pytest\"],\"ticket\":\"PLF-001\"}"
        );
        assert_eq!(waiver(&ticket(&[note])), Some(example()));
    }

    #[test]
    fn the_last_good_one_counts_and_the_rest_is_passed_over() {
        let first = example();
        let last = Waiver { mode: WaiverMode::MandatoryHuman, ..example() };
        let foreign = Waiver { ticket: TicketId::new("PLF-002"), ..example() };
        let spaced = last.note().replace("\":\"", "\" : \"").replace("\",\"", "\", \"");
        let mut notes = vec!["hello".to_owned(), first.note(), spaced];
        let good = notes.len();
        notes.extend([
            foreign.note(),
            "KORU-GATE-AUTH".to_owned(),
            "KORU-GATE-AUTH {torn".to_owned(),
            "KORU-GATE-AUTH []".to_owned(),
            first.note().replace("advisory", "whatever"),
            first.note().replace("gate_authorization", "else"),
            first.note().replace("the runner is \\\"down\\\"", "  "),
            first.note().replace("2026-11-21T10", "yesterday"),
            first.note().replace("[\"ci\",\"pytest\"]", "7"),
            format!("seen: {}", first.note()),
        ]);
        assert_eq!(waiver(&ticket(&notes)), Some(last));
        assert_eq!(waiver(&ticket(&notes[..good - 1])), Some(first));
        assert_eq!(waiver(&ticket(&notes[good..])), None);
    }

    #[test]
    fn a_waiver_skips_what_it_names() {
        let of = |mode, skipped: &[&str]| Waiver {
            mode,
            skipped: skipped.iter().map(|gate| (*gate).to_owned()).collect(),
            ..example()
        };
        let auto = |skipped: &[&str]| of(WaiverMode::Auto, skipped);
        assert!(auto(&["Cargo Test"]).skips("cargo test") && !auto(&["cargo test"]).skips("pytest"));
        assert!(auto(&[" ci.command "]).skips(CI) && auto(&["ci"]).skips("pytest"));
        assert!(!auto(&[]).skips(CI), "naming nothing waives nothing");
        assert!(!of(WaiverMode::MandatoryHuman, &["ci"]).skips(CI));
    }
}
