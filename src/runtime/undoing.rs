//! The way back from what a person did to a ticket, and its row in the audit.
//!
//! Runs on the planfile's owner thread, around the change itself: the record before and after gives the keys that differ,
//! and their old values are the way back. It is kept in `.planfile/.koru/undo/<ticket>.json`, the newest change last, at
//! most [`KEPT`] of them; who deletes the folder loses the way back and nothing else. Invariant: a change is taken back
//! only while the ticket is as that change left it, whoever has touched it since.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use xxhash_rust::xxh3::xxh3_64;

use crate::base::atomic;
use crate::base::paths::ProjectPaths;
use crate::execute::folder::safe_name;
use crate::learn::audit;
use crate::plan::lifecycle::{Change, Op};
use crate::plan::store::{MutateError, Step, Store};
use crate::plan::ticket::TicketId;
use crate::runtime::protocol::AuditRow;

/// Changes of one ticket that can be taken back.
const KEPT: usize = 20;

/// Bytes of a file of ours that are read at most.
const LARGEST: u64 = 4 << 20;

/// Keys that tell of a change and are no part of it.
const TELLING: [&str; 2] = ["history", "updated_at"];

/// One change, and the way back from it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// The ticket: file names of two ids may be the same.
    ticket: TicketId,
    /// What was done, as the end of a sentence: `blocked`.
    what: String,
    /// By whom.
    who: String,
    /// When.
    at: Timestamp,
    /// The ticket's `updated_at` before and after.
    before: Option<Timestamp>,
    after: Option<Timestamp>,
    /// Words that were written for it and come back as a draft.
    text: Option<String>,
    /// What brings the old values back.
    back: Vec<Change>,
}

/// What was taken back.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Undone {
    /// What had been done: `blocked`.
    pub(crate) what: String,
    /// Words that had been written for it.
    pub(crate) text: Option<String>,
}

/// Who changes tickets of which project, and when.
#[derive(Clone, Debug)]
pub(crate) struct Undoing {
    paths: ProjectPaths,
    who: String,
    now: Timestamp,
}

impl Undoing {
    /// For `who` at `now`.
    pub(crate) fn new(root: &Path, who: &str, now: Timestamp) -> Undoing {
        Undoing { paths: ProjectPaths::new(root), who: who.to_owned(), now }
    }

    /// Does `act`, which changes `id`; then keeps the way back and writes the audit. Neither is a reason to say that the
    /// change failed: it is durable, and stands in the ticket's own history.
    ///
    /// # Errors
    /// Those of `act`.
    pub(crate) fn noted<T, E>(
        &self,
        store: &mut Store,
        id: &TicketId,
        what: &str,
        text: Option<&str>,
        act: impl FnOnce(&mut Store) -> Result<T, E>,
    ) -> Result<T, E> {
        let before = store.record(id);
        let done = act(store)?;
        let after = store.record(id);
        let back = match (&before, &after) {
            (Some(before), Some(after)) => way_back(before, after),
            _ => Vec::new(),
        };
        if !back.is_empty() {
            self.keep(
                id,
                Entry {
                    ticket: id.clone(),
                    what: what.to_owned(),
                    who: self.who.clone(),
                    at: self.now,
                    before: before.as_ref().and_then(updated_at),
                    after: after.as_ref().and_then(updated_at),
                    text: text.map(str::to_owned),
                    back,
                },
            );
        }
        self.audit(id, what, before.as_ref(), after.as_ref());
        Ok(done)
    }

    /// Notes that `id` was made; taking that back cancels it.
    pub(crate) fn made(&self, store: &mut Store, id: &TicketId) {
        let after = store.record(id);
        let back = vec![Change::set(&["status"], "canceled")];
        self.keep(
            id,
            Entry {
                ticket: id.clone(),
                what: "made".to_owned(),
                who: self.who.clone(),
                at: self.now,
                before: None,
                after: after.as_ref().and_then(updated_at),
                text: None,
                back,
            },
        );
        self.audit(id, "made", None, after.as_ref());
    }

    /// Takes the last change of `id` back.
    ///
    /// # Errors
    /// A sentence for the operator; the ticket is as it was.
    pub(crate) fn undo(&self, store: &mut Store, id: &TicketId) -> Result<Undone, String> {
        let mut entries = self.entries(id);
        let none = "keeps no change that can be taken back; its history tells what became of it";
        let last = entries.pop().ok_or_else(|| format!("{id} {none}"))?;
        let before = store.record(id).ok_or_else(|| MutateError::NoTicket(id.clone()).to_string())?;
        if updated_at(&before) != last.after {
            return Err(format!(
                "{id} was changed again after it was {} by {}; nothing was taken back, its page shows what it is now",
                last.what, last.who
            ));
        }
        let op = Op::Restore { changes: last.back.clone() };
        let step = Step { seen: last.after, actor: Some(self.who.clone()), ..Step::new(id.clone(), op) };
        let missing = || Err(MutateError::NoTicket(id.clone()));
        store.apply(&[step]).pop().unwrap_or_else(missing).map_err(|error| error.to_string())?;
        let after = store.record(id);
        // It is as the change before left it, under a new time.
        if let Some(earlier) = entries.last_mut().filter(|earlier| earlier.after == last.before) {
            earlier.after = after.as_ref().and_then(updated_at);
        }
        self.write(id, &entries);
        self.audit(id, &format!("undone: {}", last.what), Some(&before), after.as_ref());
        Ok(Undone { what: last.what, text: last.text })
    }

    /// Writes a row about something that is no change of a ticket: a stop, a start, words to an agent.
    pub(crate) fn told(&self, kind: &str, detail: &Value) {
        if let Err(error) = audit::append(&self.paths.audit(), self.now, kind, &self.who, detail) {
            tracing::error!(%error, kind, "writing the audit failed");
        }
    }

    fn audit(&self, id: &TicketId, what: &str, before: Option<&Value>, after: Option<&Value>) {
        let hash = |record: Option<&Value>| {
            record.map(|record| format!("{:016x}", xxh3_64(record.to_string().as_bytes())))
        };
        let detail = json!({
            "ticket": id.as_str(), "what": what, "before": hash(before), "after": hash(after),
        });
        self.told("ticket.changed", &detail);
    }

    fn file(&self, id: &TicketId) -> PathBuf {
        self.paths.undo().join(format!("{}.json", safe_name(id.as_str())))
    }

    fn entries(&self, id: &TicketId) -> Vec<Entry> {
        let path = self.file(id);
        let plain = path.symlink_metadata().is_ok_and(|file| file.is_file() && file.len() <= LARGEST);
        let text = plain.then(|| std::fs::read(&path).ok()).flatten();
        let mut entries: Vec<Entry> =
            text.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default();
        entries.retain(|entry| entry.ticket == *id);
        entries
    }

    fn keep(&self, id: &TicketId, entry: Entry) {
        let mut entries = self.entries(id);
        entries.push(entry);
        let surplus = entries.len().saturating_sub(KEPT);
        entries.drain(..surplus);
        self.write(id, &entries);
    }

    fn write(&self, id: &TicketId, entries: &[Entry]) {
        let text = serde_json::to_vec(entries).unwrap_or_default();
        let written = atomic::make_own_dir(&self.paths.undo())
            .and_then(|()| atomic::replace_unsynced(&self.file(id), &[&text]).map(drop));
        if let Err(error) = written {
            tracing::error!(%error, ticket = id.as_str(), "keeping the way back failed");
        }
    }
}

impl From<audit::Row> for AuditRow {
    fn from(row: audit::Row) -> AuditRow {
        let words = |value: &Value| match value {
            Value::String(text) => text.clone(),
            Value::Null => "-".to_owned(),
            other => other.to_string(),
        };
        let parts: Vec<String> =
            row.detail.iter().map(|(key, value)| format!("{key} {}", words(value))).collect();
        AuditRow { at: row.at, kind: row.kind, who: row.who, text: parts.join(", ") }
    }
}

/// What an operation does to its ticket, as the end of a sentence.
pub(crate) fn done_by(op: &Op) -> &'static str {
    match op {
        Op::Claim { .. } => "claimed",
        Op::Start { .. } => "started",
        Op::Renew { .. } => "renewed",
        Op::Complete { .. } => "completed",
        Op::Fail { .. } => "called failed",
        Op::Input { .. } | Op::Wait { .. } => "made to wait",
        Op::Ready { .. } => "released",
        Op::Block { .. } => "blocked",
        Op::Update(patch) if patch.priority.is_some() && patch.name.is_none() => "given another priority",
        Op::Update(_) => "edited",
        Op::Restore { .. } => "restored",
    }
}

fn updated_at(record: &Value) -> Option<Timestamp> {
    record.get("updated_at")?.as_str()?.parse().ok()
}

/// The changes that lead from `after` back to `before`.
fn way_back(before: &Value, after: &Value) -> Vec<Change> {
    let empty = Map::new();
    let (old, new) = (before.as_object().unwrap_or(&empty), after.as_object().unwrap_or(&empty));
    let mut back = Vec::new();
    let keys = new.keys().chain(old.keys().filter(|key| !new.contains_key(*key)));
    for key in keys.filter(|key| !TELLING.contains(&key.as_str())) {
        match (old.get(key), new.get(key)) {
            (old, new) if old == new => {}
            // A block keeps what in it did not change, also what this program does not know.
            (Some(Value::Object(old)), Some(Value::Object(new))) => {
                let inner = new.keys().chain(old.keys().filter(|key| !new.contains_key(*key)));
                back.extend(inner.filter(|inner| old.get(*inner) != new.get(*inner)).map(|inner| Change {
                    path: vec![key.clone(), inner.clone()],
                    value: old.get(inner).cloned(),
                }));
            }
            (old, _) => back.push(Change { path: vec![key.clone()], value: old.cloned() }),
        }
    }
    back
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::clock::Clock;
    use crate::plan::lifecycle::{NewTicket, Patch};
    use crate::plan::ticket::{ExecutorKind, Priority};

    struct Desk {
        _keep: tempfile::TempDir,
        store: Store,
        clock: Clock,
        undoing: Undoing,
    }

    fn desk() -> Desk {
        let keep = tempfile::tempdir().unwrap();
        let put = |relative: &str, text: &str| {
            let path = keep.path().join(".planfile").join(relative);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("config.yaml", "project: x\nprefix: PLF\nnext_id: 1\nstorage:\n  backend: single-yaml\n");
        put(
            "sprints/current.yaml",
            "sprint:\n  id: current\n  name: Current\n  status: active\n  tickets: {}\n",
        );
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let clock = Clock::manual(now);
        let mut store = Store::open(keep.path()).unwrap().with_clock(clock.clone());
        let new =
            NewTicket { name: "Which?".to_owned(), executor: ExecutorKind::Human, ..NewTicket::default() };
        store.create(&new).unwrap();
        let undoing = Undoing::new(keep.path(), "ann", now);
        Desk { _keep: keep, store, clock, undoing }
    }

    fn id() -> TicketId {
        TicketId::new("PLF-001")
    }

    impl Desk {
        fn does(&mut self, op: Op) {
            let later = self.clock.now() + jiff::SignedDuration::from_secs(60);
            self.clock.set(later);
            let (undoing, what) = (self.undoing.clone(), done_by(&op));
            undoing
                .noted(&mut self.store, &id(), what, None, |store| store.mutate(&id(), op, Some("ann")))
                .unwrap();
        }

        /// The record without what only tells of changes.
        fn record(&self) -> Value {
            let mut record = self.store.record(&id()).unwrap();
            TELLING.iter().for_each(|key| drop(record.as_object_mut().unwrap().shift_remove(*key)));
            record
        }
    }

    #[test]
    fn changes_are_taken_back_one_after_the_other_until_there_are_none() {
        let mut desk = desk();
        let fresh = desk.record();
        desk.does(Op::Update(Patch { priority: Some(Priority::High), ..Patch::default() }));
        let raised = desk.record();
        desk.does(Op::Block { reason: "wait for ann".to_owned() });
        let undone = |desk: &mut Desk| desk.undoing.clone().undo(&mut desk.store, &id());
        assert_eq!(undone(&mut desk).unwrap().what, "blocked");
        assert_eq!(desk.record(), raised);
        assert_eq!(undone(&mut desk).unwrap().what, "given another priority");
        assert_eq!(desk.record(), fresh);
        assert!(undone(&mut desk).unwrap_err().contains("keeps no change"), "there is nothing left");
        let rows = audit::tail(&desk.undoing.paths.audit(), 9).unwrap().rows;
        let told: Vec<_> = rows.iter().map(|row| (&*row.who, row.detail["what"].as_str().unwrap())).collect();
        let expected = [
            ("ann", "given another priority"),
            ("ann", "blocked"),
            ("ann", "undone: blocked"),
            ("ann", "undone: given another priority"),
        ];
        assert_eq!(told, expected);
        assert_eq!(rows[0].detail["after"], rows[1].detail["before"]);
    }

    /// A finished ticket stands in a history file; taking its end back brings it home.
    #[test]
    fn an_end_is_taken_back_from_the_archive() {
        let mut desk = desk();
        let fresh = desk.record();
        desk.does(Op::Complete { note: Some("yes".to_owned()), artifacts: Vec::new(), result: None });
        assert_ne!(desk.record(), fresh);
        desk.undoing.clone().undo(&mut desk.store, &id()).unwrap();
        assert_eq!(desk.record(), fresh);
        let plan = desk.store.plan();
        assert_eq!(plan.ticket(&id()).unwrap().sprint, "current");
    }

    #[test]
    fn nothing_is_taken_back_over_what_somebody_did_since() {
        let mut desk = desk();
        desk.does(Op::Block { reason: "wait".to_owned() });
        desk.clock.set(desk.clock.now() + jiff::SignedDuration::from_secs(60));
        desk.store.mutate(&id(), Op::Ready { note: None }, Some("bob")).unwrap();
        let before = desk.record();
        let refused = desk.undoing.clone().undo(&mut desk.store, &id()).unwrap_err();
        assert!(refused.contains("was changed again after it was blocked by ann"), "{refused}");
        assert_eq!(desk.record(), before);
    }

    #[test]
    fn a_link_in_the_place_of_the_file_is_not_read() {
        let mut desk = desk();
        desk.does(Op::Block { reason: "wait".to_owned() });
        let file = desk.undoing.file(&id());
        let elsewhere = file.with_file_name("elsewhere");
        std::fs::rename(&file, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &file).unwrap();
        assert!(desk.undoing.clone().undo(&mut desk.store, &id()).is_err());
    }
}
