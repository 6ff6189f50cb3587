//! Words in what runs printed, over every kept run: newest run first, lines in their order.
//!
//! Reads each transcript once from its beginning, in windows, and stops at the limit: a history of gigabytes costs the
//! time to read it and no memory. Case counts only where the words hold a capital, as in the console's own search. Lines
//! are redacted before they are looked at, so that nobody finds out a secret by asking for its pieces.

use std::path::Path;

use crate::base::paths::ProjectPaths;
use crate::base::redact::Redactor;
use crate::base::text::safe_line;
use crate::execute::folder::{RunFolder, RunRecord, records};
use crate::execute::output::Channel;
use crate::execute::transcript::TranscriptReader;

/// Lines that are read at once.
const WINDOW: u32 = 4_000;

/// What is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// The words, as they stand in one line.
    pub(crate) words: String,
    /// Only runs of this ticket.
    pub(crate) ticket: Option<String>,
    /// Hits at most.
    pub(crate) limit: usize,
}

/// One line that holds the words.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Hit {
    /// The run.
    pub(crate) run: String,
    /// Its ticket.
    pub(crate) ticket: String,
    /// Number of the line, from 1.
    pub(crate) line: u64,
    /// What the line is.
    pub(crate) channel: Channel,
    /// The line, safe to show.
    pub(crate) text: String,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Found {
    /// Hits.
    pub(crate) hits: Vec<Hit>,
    /// The limit ended the search.
    pub(crate) more: bool,
}

/// Searches the runs of the project at `root`. A run that cannot be read has no hits.
pub(crate) fn search(root: &Path, wanted: &Wanted) -> Found {
    let mut runs = records(&ProjectPaths::new(root).runs());
    let is_wanted =
        |record: &RunRecord| wanted.ticket.as_ref().is_none_or(|ticket| record.ticket.as_str() == ticket);
    runs.retain(|(_, record)| is_wanted(record));
    runs.sort_by(|(one, a), (other, b)| {
        b.started_at.cmp(&a.started_at).then_with(|| other.name().cmp(one.name()))
    });
    let mut found = Found::default();
    for (folder, record) in runs {
        let _ = in_run(&folder, &record, wanted, &mut found);
        if found.more {
            break;
        }
    }
    found
}

fn in_run(folder: &RunFolder, record: &RunRecord, wanted: &Wanted, found: &mut Found) -> std::io::Result<()> {
    let mut reader = TranscriptReader::new(&folder.transcript());
    let exact = wanted.words.chars().any(char::is_uppercase);
    let words = if exact { wanted.words.clone() } else { wanted.words.to_lowercase() };
    let (redactor, mut at) = (Redactor::default(), 0);
    loop {
        let Some((lines, _)) = reader.try_read(at, WINDOW)? else { continue };
        if lines.is_empty() {
            return Ok(());
        }
        for line in &lines {
            at += 1;
            let text = safe_line(redactor.clean(&line.text).as_bytes()).plain();
            let holds = if exact { text.contains(&words) } else { text.to_lowercase().contains(&words) };
            if !holds {
                continue;
            }
            if found.hits.len() == wanted.limit {
                found.more = true;
                return Ok(());
            }
            found.hits.push(Hit {
                run: folder.name().to_owned(),
                ticket: record.ticket.as_str().to_owned(),
                line: at,
                channel: line.channel,
                text,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::folder::{FORMAT, RecordState};
    use crate::execute::output::OutputLine;
    use crate::execute::transcript::TranscriptWriter;
    use crate::plan::ticket::TicketId;

    fn kept(root: &Path, ticket: &str, second: i64, lines: &[&str]) -> String {
        let at = jiff::Timestamp::from_second(1_795_000_000 + second).unwrap();
        let folder = RunFolder::create(&ProjectPaths::new(root).runs(), &TicketId::new(ticket), at).unwrap();
        folder
            .write_record(&RunRecord {
                format: FORMAT,
                run: folder.name().to_owned(),
                ticket: TicketId::new(ticket),
                executor: "shell".to_owned(),
                label: "true".to_owned(),
                holder: "h".to_owned(),
                supervisor: None,
                child: None,
                started_at: at,
                state: RecordState::Done,
                ended_at: Some(at),
                exit_code: Some(0),
                message: None,
                agent: None,
                spent: None,
            })
            .unwrap();
        let mut writer = TranscriptWriter::new(folder.transcript(), folder.name());
        let lines: Vec<OutputLine> =
            lines.iter().map(|line| OutputLine::new(0, Channel::Out, *line)).collect();
        writer.append(&lines).unwrap();
        folder.name().to_owned()
    }

    fn told(found: &Found) -> Vec<(String, u64, String)> {
        found.hits.iter().map(|hit| (hit.run.clone(), hit.line, hit.text.clone())).collect()
    }

    #[test]
    fn words_are_found_over_all_runs_newest_first() {
        let keep = tempfile::tempdir().unwrap();
        let old = kept(keep.path(), "PLF-1", 0, &["building", "Error: no \u{1b}[31mdisk\u{1b}[0m left"]);
        let new = kept(keep.path(), "PLF-2", 60, &["error: no disk left", "fine"]);
        let wanted = |words: &str| Wanted { words: words.to_owned(), ticket: None, limit: 9 };
        let both = search(keep.path(), &wanted("no disk"));
        let expected =
            [(new, 1, "error: no disk left".to_owned()), (old.clone(), 2, "Error: no disk left".to_owned())];
        assert_eq!((told(&both), both.more), (expected.to_vec(), false));
        // A capital asks for exactly that.
        assert_eq!(told(&search(keep.path(), &wanted("Error"))).len(), 1);
        let one = Wanted { ticket: Some("PLF-1".to_owned()), ..wanted("no disk") };
        assert_eq!(told(&search(keep.path(), &one)), expected[1..]);
        let first = search(keep.path(), &Wanted { limit: 1, ..wanted("no disk") });
        assert_eq!((first.hits.len(), first.more), (1, true));
    }

    #[test]
    fn secrets_are_not_found() {
        let keep = tempfile::tempdir().unwrap();
        kept(keep.path(), "PLF-1", 0, &["token ghp_0123456789abcdefghijABCDEFGHIJ012345 used"]);
        let found = |words: &str| {
            search(keep.path(), &Wanted { words: words.to_owned(), ticket: None, limit: 9 }).hits
        };
        assert!(found("ghp_0123456789").is_empty());
        assert!(!found("used").iter().any(|hit| hit.text.contains("ghp_")), "{:?}", found("used"));
    }
}
