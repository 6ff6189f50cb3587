//! The work report: what the worker says that it did in a round (loop-kit §6).

use serde_json::{Map, Value};

use super::fields::{Fields, Invalid, put};
use super::ids::check_reference;
use super::state::TestsSummary;

/// A work report. Texts are foreign.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WorkReport {
    /// Of which task.
    pub task_id: String,
    /// Of which round, from 1.
    pub round: u32,
    /// The commit that holds the work, as the worker names it: to be asked of git.
    pub head_sha: String,
    /// Files that it says it changed.
    pub files_changed: Vec<String>,
    /// Tests that it says it ran.
    pub tests: Vec<TestResult>,
    /// What else it says.
    pub notes: Option<String>,
    /// Keys that are not ours.
    pub extra: Map<String, Value>,
}

/// One test as the worker tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TestResult {
    /// Its name.
    pub name: Option<String>,
    /// How it went, in the worker's word.
    pub result: Option<String>,
    /// Keys that are not ours.
    pub extra: Map<String, Value>,
}

impl WorkReport {
    pub(super) fn parse(map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::new(map);
        let task_id = fields.text("task_id")?;
        let round = fields.number("round")?;
        let head_sha = fields.text("head_sha")?;
        check_reference(&head_sha)
            .map_err(|bad| Invalid::new("head_sha", format!("is refused: {}", bad.why)))?;
        let files_changed = fields.texts("files_changed")?;
        let tests = fields.objects("tests")?.into_iter().map(|(name, map)| TestResult::parse(&name, map));
        let tests = tests.collect::<Result<_, _>>()?;
        let notes = fields.optional_text("notes")?;
        Ok(Self { task_id, round, head_sha, files_changed, tests, notes, extra: fields.rest() })
    }

    /// As it is written.
    pub fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "task_id", self.task_id.as_str());
        put(&mut map, "round", self.round);
        put(&mut map, "head_sha", self.head_sha.as_str());
        put(&mut map, "files_changed", self.files_changed.clone());
        put(&mut map, "notes", self.notes.clone());
        put(&mut map, "tests", self.tests.iter().map(TestResult::to_value).collect::<Vec<_>>());
        map.extend(self.extra.clone());
        Value::Object(map)
    }

    /// Whether it is of that task and round.
    pub fn belongs(&self, task_id: &str, round: u32) -> bool {
        self.task_id == task_id && self.round == round
    }

    /// How its tests went (loop-kit §6: `pass`; `fail`, `failed`, `error`; all else is other).
    pub fn summary(&self) -> TestsSummary {
        let mut summary = TestsSummary::default();
        for test in &self.tests {
            summary.total += 1;
            match test.result.as_deref() {
                Some("pass") => summary.pass += 1,
                Some("fail" | "failed" | "error") => summary.fail += 1,
                _ => summary.other += 1,
            }
        }
        summary
    }
}

impl TestResult {
    pub(super) fn parse(name: &str, map: Map<String, Value>) -> Result<Self, Invalid> {
        let mut fields = Fields::of(map, name);
        let (name, result) = (fields.optional_text("name")?, fields.optional_text("result")?);
        Ok(Self { name, result, extra: fields.rest() })
    }

    pub(super) fn to_value(&self) -> Value {
        let mut map = Map::new();
        put(&mut map, "name", self.name.clone());
        put(&mut map, "result", self.result.clone());
        map.extend(self.extra.clone());
        Value::Object(map)
    }
}
