//! The fix list: what the next round has to mend (loop-kit §6). Entries are the reviewer's own, `required_change` included.

use serde_json::{Map, Value};

use super::fields::{Fields, Invalid, put};
use super::issue::Issue;

/// A fix list. Texts are foreign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FixList {
    /// Of which task.
    pub task_id: String,
    /// The round that mends.
    pub round: u32,
    /// Commit that the task began from.
    pub base_sha: String,
    /// Commit that was judged.
    pub head_sha: String,
    /// What to mend.
    pub fixes: Vec<Issue>,
    /// What the worker said last.
    pub prior_round_notes: Option<String>,
    /// Suggestions of the reviewer, texts or objects.
    pub prior_review_non_blocking: Vec<Value>,
    /// Keys that are not ours.
    pub extra: Map<String, Value>,
}

impl FixList {
    pub(super) fn parse(map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::new(map);
        let fixes = fields.objects("fixes")?.into_iter().map(|(place, map)| Issue::parse(&place, map));
        let fixes = fixes.collect::<Result<_, _>>()?;
        Ok(Self {
            task_id: fields.text("task_id")?,
            round: fields.number("round")?,
            base_sha: fields.optional_text("base_sha")?.unwrap_or_default(),
            head_sha: fields.optional_text("head_sha")?.unwrap_or_default(),
            fixes,
            prior_round_notes: fields.optional_text("prior_round_notes")?,
            prior_review_non_blocking: fields.list("prior_review_non_blocking")?,
            extra: fields.rest(),
        })
    }

    /// As it is written.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "task_id", self.task_id.as_str());
        put(&mut map, "round", self.round);
        put(&mut map, "base_sha", self.base_sha.as_str());
        put(&mut map, "head_sha", self.head_sha.as_str());
        put(&mut map, "fixes", self.fixes.iter().map(Issue::to_value).collect::<Vec<_>>());
        put(&mut map, "prior_round_notes", self.prior_round_notes.clone().unwrap_or_default());
        put(&mut map, "prior_review_non_blocking", self.prior_review_non_blocking.clone());
        map.extend(self.extra.clone());
        Value::Object(map)
    }
}
