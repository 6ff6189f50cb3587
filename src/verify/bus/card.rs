//! The task card: what is to be done, and how far it may go (loop-kit §6). No field is required there: a card without an
//! id is called `UNKNOWN`.

use std::path::Path;

use serde_json::{Map, Value};

use super::fields::{Fields, Invalid, put};
use super::ids::check_task_id;
use super::read::{self, BusError, Unread};

/// A task card. Texts are foreign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskCard {
    /// Its id, checked.
    pub task_id: String,
    /// What shall be reached.
    pub goal: String,
    /// Files and modules that belong to it.
    pub in_scope: Vec<String>,
    /// What does not.
    pub out_of_scope: Vec<String>,
    /// When it is done.
    pub acceptance_criteria: Vec<String>,
    /// What must be kept.
    pub constraints: Vec<String>,
    /// Keys that are not ours (0.3.1 writes `status`).
    pub extra: Map<String, Value>,
}

impl TaskCard {
    /// Reads a card anywhere; a card of the operator's own may be reached through a link.
    ///
    /// # Errors
    /// See [`BusError`]; an id that is no id is one.
    pub fn read(path: &Path) -> Result<Self, BusError> {
        let card = read::object(path, Self::parse)?;
        check_task_id(&card.task_id).map_err(|bad| BusError::new(path, Unread::Name(bad)))?;
        Ok(card)
    }

    pub(super) fn parse(map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::new(map);
        Ok(Self {
            task_id: fields
                .optional_text("task_id")?
                .filter(|id| !id.trim().is_empty())
                .unwrap_or_else(|| "UNKNOWN".to_owned()),
            goal: fields.optional_text("goal")?.unwrap_or_default(),
            in_scope: fields.texts("in_scope")?,
            out_of_scope: fields.texts("out_of_scope")?,
            acceptance_criteria: fields.texts("acceptance_criteria")?,
            constraints: fields.texts("constraints")?,
            extra: fields.rest(),
        })
    }

    /// As it is written.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "task_id", self.task_id.as_str());
        put(&mut map, "goal", self.goal.as_str());
        put(&mut map, "in_scope", self.in_scope.clone());
        put(&mut map, "out_of_scope", self.out_of_scope.clone());
        put(&mut map, "acceptance_criteria", self.acceptance_criteria.clone());
        put(&mut map, "constraints", self.constraints.clone());
        map.extend(self.extra.clone());
        Value::Object(map)
    }
}
