//! What one round leaves for the next (loop-kit 0.3.1): `handoff/<task>/<role>_r<N>.json`. Read into prompts; those that
//! are there are never changed.

use serde_json::{Map, Value};

use super::fields::{Fields, Invalid, put};
use super::ids::check_task_id;
use super::read::{BusError, Unread};
use super::{Bus, Role, read, stamp, write_lightly};

/// A handoff. Texts are foreign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Handoff {
    /// What was done.
    pub done: Vec<String>,
    /// What is not known yet.
    pub open_questions: Vec<String>,
    /// What comes next.
    pub next_actions: Vec<String>,
    /// What proves it.
    pub evidence: Vec<String>,
    /// Files that must be read first.
    pub must_read_files: Vec<String>,
}

impl Handoff {
    fn parse(map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::new(map);
        Ok(Self {
            done: fields.texts("done")?,
            open_questions: fields.texts("open_questions")?,
            next_actions: fields.texts("next_actions")?,
            evidence: fields.texts("evidence")?,
            must_read_files: fields.texts("must_read_files")?,
        })
    }
}

impl Bus {
    /// The handoff of that role and round, when there is one that can be read.
    pub fn handoff(&self, task_id: &str, role: Role, round: u32) -> Option<Handoff> {
        check_task_id(task_id).ok()?;
        let folder = self.folder().join("handoff").join(task_id);
        if std::fs::symlink_metadata(&folder).is_ok_and(|found| found.is_symlink()) {
            return None;
        }
        read::object(&folder.join(format!("{}_r{round}.json", role.word())), Handoff::parse).ok()
    }

    /// Leaves a handoff, unless that role left one for this round already.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn leave_handoff(
        &self,
        task_id: &str,
        role: Role,
        round: u32,
        handoff: &Handoff,
        now: jiff::Timestamp,
    ) -> Result<(), BusError> {
        check_task_id(task_id).map_err(|bad| BusError::new(self.folder(), Unread::Name(bad)))?;
        let path = self.make_folder(&["handoff", task_id])?.join(format!("{}_r{round}.json", role.word()));
        if path.symlink_metadata().is_ok() {
            return Ok(());
        }
        let mut map = Map::new();
        put(&mut map, "task_id", task_id);
        put(&mut map, "role", role.word());
        put(&mut map, "round", round);
        put(&mut map, "created_at", stamp(now));
        put(&mut map, "done", handoff.done.clone());
        put(&mut map, "open_questions", handoff.open_questions.clone());
        put(&mut map, "next_actions", handoff.next_actions.clone());
        put(&mut map, "evidence", handoff.evidence.clone());
        put(&mut map, "must_read_files", handoff.must_read_files.clone());
        // A hint for the next round: not synced.
        write_lightly(&path, &Value::Object(map))
    }
}
