//! The review request: what the reviewer is given to judge (loop-kit §6). Its difference is cumulative, base to head.

use serde_json::{Map, Value};

use super::fields::{Fields, Invalid, put};
use super::work::TestResult;

/// A review request. Texts are foreign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReviewRequest {
    /// Of which task.
    pub task_id: String,
    /// Commit that the task began from.
    pub base_sha: String,
    /// Commit to be judged.
    pub head_sha: String,
    /// Commits between them, newest first, a line each.
    pub commits: String,
    /// The difference.
    pub diff: String,
    /// Of the card.
    pub acceptance_criteria: Vec<String>,
    /// Of the card.
    pub constraints: Vec<String>,
    /// Of which round, from 1.
    pub round: u32,
    /// What the worker said.
    pub worker_notes: Option<String>,
    /// Tests that the worker told of.
    pub worker_tests: Vec<TestResult>,
    /// Keys that are not ours.
    pub extra: Map<String, Value>,
}

impl ReviewRequest {
    pub(super) fn parse(map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::new(map);
        let tests = fields.objects("worker_tests")?.into_iter();
        let worker_tests =
            tests.map(|(name, map)| TestResult::parse(&name, map)).collect::<Result<_, _>>()?;
        Ok(Self {
            task_id: fields.text("task_id")?,
            base_sha: fields.text("base_sha")?,
            head_sha: fields.text("head_sha")?,
            commits: fields.optional_text("commits")?.unwrap_or_default(),
            diff: fields.optional_text("diff")?.unwrap_or_default(),
            acceptance_criteria: fields.texts("acceptance_criteria")?,
            constraints: fields.texts("constraints")?,
            round: fields.number("round")?,
            worker_notes: fields.optional_text("worker_notes")?,
            worker_tests,
            extra: fields.rest(),
        })
    }

    /// As it is written.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "task_id", self.task_id.as_str());
        put(&mut map, "base_sha", self.base_sha.as_str());
        put(&mut map, "head_sha", self.head_sha.as_str());
        put(&mut map, "commits", self.commits.as_str());
        put(&mut map, "diff", self.diff.as_str());
        put(&mut map, "acceptance_criteria", self.acceptance_criteria.clone());
        put(&mut map, "constraints", self.constraints.clone());
        put(&mut map, "round", self.round);
        put(&mut map, "worker_notes", self.worker_notes.clone().unwrap_or_default());
        put(&mut map, "worker_tests", self.worker_tests.iter().map(TestResult::to_value).collect::<Vec<_>>());
        map.extend(self.extra.clone());
        Value::Object(map)
    }
}
