//! The summary of a loop that ended with an approval (loop-kit §6).

use serde_json::{Map, Value};

use super::fields::{Fields, Invalid, put};
use super::state::RoundDetail;

/// A summary. Texts are foreign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Summary {
    /// Of which task.
    pub task_id: String,
    /// How it ended.
    pub outcome: String,
    /// Rounds that it took.
    pub rounds: u32,
    /// Commit that the task began from.
    pub base_sha: String,
    /// Commit that was approved.
    pub head_sha: String,
    /// Files that differ between them.
    pub files_changed: Vec<String>,
    /// Suggestions of the reviewer, texts or objects.
    pub review_non_blocking: Vec<Value>,
    /// Every round.
    pub round_details: Vec<RoundDetail>,
    /// Keys that are not ours.
    pub extra: Map<String, Value>,
}

impl Summary {
    pub(super) fn parse(map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::new(map);
        let details = fields.objects("round_details")?.into_iter();
        let round_details =
            details.map(|(place, map)| RoundDetail::parse_in(&place, map)).collect::<Result<_, _>>()?;
        Ok(Self {
            task_id: fields.text("task_id")?,
            outcome: fields.text("outcome")?,
            rounds: fields.number("rounds")?,
            base_sha: fields.optional_text("base_sha")?.unwrap_or_default(),
            head_sha: fields.optional_text("head_sha")?.unwrap_or_default(),
            files_changed: fields.texts("files_changed")?,
            review_non_blocking: fields.list("review_non_blocking")?,
            round_details,
            extra: fields.rest(),
        })
    }

    /// As it is written.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "task_id", self.task_id.as_str());
        put(&mut map, "outcome", self.outcome.as_str());
        put(&mut map, "rounds", self.rounds);
        put(&mut map, "base_sha", self.base_sha.as_str());
        put(&mut map, "head_sha", self.head_sha.as_str());
        put(&mut map, "files_changed", self.files_changed.clone());
        put(&mut map, "review_non_blocking", self.review_non_blocking.clone());
        let details: Vec<Value> = self.round_details.iter().map(RoundDetail::to_value).collect();
        put(&mut map, "round_details", details);
        map.extend(self.extra.clone());
        Value::Object(map)
    }
}
