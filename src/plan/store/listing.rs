//! Many whole records at once, straight to JSON text, for `ticket list --format json`.
//!
//! The text of each record is that of [`super::Store::record`]. Records whose file may not be read straight (evidence
//! to be merged in, an order that differs) are made one by one.

use std::fs::File;
use std::sync::Arc;

use super::engine::Engine;
use super::reading::open_regular;
use crate::base::atomic::Stamp;
use crate::plan::ticket::Ticket;
use crate::plan::yaml::SprintDoc;
use crate::plan::yaml::stream::{self, Keep};

/// From this many tickets on a second thread pays.
const MANY: usize = 2_000;

impl Engine {
    /// See [`super::Store::current_records`].
    pub(super) fn current_records(&mut self, keep: Option<Keep<'_>>) -> Option<Vec<String>> {
        if self.loaded || self.evidence() || self.files.config_changed() {
            return None;
        }
        let path = self.files.sprint_path("current");
        let listed = self.files.whole_besides("current")?;
        let file = open_regular(&path).ok()?;
        let stamp = |file: &File| file.metadata().ok().map(|metadata| Stamp::of(&metadata));
        let before = stamp(&file)?;
        let records = stream::records(&file, before.size, "current", keep)?;
        // One version, that of when it was opened: whoever replaces the file meanwhile replaces it for the next call.
        let settled = stamp(&file)? == before;
        (settled && self.files.whole_besides("current")? == listed).then_some(records)
    }

    /// Whether there are receipts to be merged into records.
    fn evidence(&self) -> bool {
        std::fs::read_dir(self.files.paths.evidence()).is_ok_and(|mut rows| rows.next().is_some())
    }

    /// See [`super::Store::write_records`].
    pub(super) fn write_records(&mut self, tickets: &[&Arc<Ticket>], out: &mut Vec<u8>) -> bool {
        self.plan();
        let evidence = self.evidence();
        for group in tickets.chunk_by(|one, other| one.sprint == other.sprint) {
            let first = group.first().filter(|_| !evidence);
            let doc = first.and_then(|ticket| self.files.doc(&ticket.sprint).ok());
            let straight = doc.and_then(|doc| straight(&doc, group));
            match straight {
                Some(parts) => parts.iter().for_each(|part| append(part, out)),
                None => {
                    for ticket in group {
                        let Some(record) = self.record_as_looked_at(&ticket.id) else { return false };
                        append(record.to_string().as_bytes(), out);
                    }
                }
            }
        }
        true
    }
}

fn append(record: &[u8], out: &mut Vec<u8>) {
    if !matches!(out.last(), None | Some(b'[')) {
        out.push(b',');
    }
    out.extend_from_slice(record);
}

/// The records of `group`, which stand in `doc`, in parts; `None` when they do not stand there in this order.
fn straight(doc: &SprintDoc, group: &[&Arc<Ticket>]) -> Option<Vec<Vec<u8>>> {
    if group.len() < MANY {
        return Some(vec![part(doc, group)?]);
    }
    let (first, second) = group.split_at(group.len() / 2);
    std::thread::scope(|scope| {
        let other = scope.spawn(|| part(doc, second));
        let first = part(doc, first)?;
        Some(vec![first, other.join().ok()??])
    })
}

fn part(doc: &SprintDoc, group: &[&Arc<Ticket>]) -> Option<Vec<u8>> {
    let mut wanted = group.iter().peekable();
    let mut out = Vec::new();
    let keep = |ticket: &Ticket| wanted.next_if(|wanted| std::ptr::eq(Arc::as_ptr(wanted), ticket)).is_some();
    (doc.write_records(keep, &mut out) == group.len()).then_some(out)
}
