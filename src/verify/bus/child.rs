//! Which process a role's agent is, while it runs: `runtime/<role>.child.json` (ours; loop-kit leaves such names alone). A
//! loop that was killed cannot stop its agent; the next one does, and finds it here.
//!
//! Invariant: what it names is stopped only while it is that very process or carries our mark, so that an old file stops
//! nobody else.

use serde_json::Value;

use super::read::BusError;
use super::{Bus, Role, read, remove, write};
use crate::base::process::ProcessIdentity;

impl Bus {
    /// Notes the agent that was started.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn note_child(&self, role: Role, child: &ProcessIdentity) -> Result<(), BusError> {
        let path = self.make_folder(&["runtime"])?.join(name(role));
        let value =
            serde_json::to_value(child).map_err(|error| BusError::io(&path, "write", error.into()))?;
        write(&path, &value)
    }

    /// The agent that was noted last and not forgotten since; what cannot be read is none.
    pub fn noted_child(&self, role: Role) -> Option<ProcessIdentity> {
        let folder = self.make_folder(&["runtime"]).ok()?;
        let map = read::of_bytes(&read::bytes(&folder.join(name(role))).ok()?).ok()?;
        serde_json::from_value(Value::Object(map)).ok()
    }

    /// Forgets the agent: it has ended.
    ///
    /// # Errors
    /// See [`BusError`].
    pub fn forget_child(&self, role: Role) -> Result<(), BusError> {
        remove(&self.make_folder(&["runtime"])?.join(name(role)))
    }
}

fn name(role: Role) -> String {
    format!("{}.child.json", role.word())
}
