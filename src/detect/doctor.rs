//! The doctor: reads everything, changes nothing, uses no network (koru §3).
//!
//! koru's eight checks come first, in koru's order and with koru's words; ours follow. A probe that crashes becomes a
//! failed check, never a crash of the doctor.

use std::path::Path;

use serde::Serialize;

use crate::base::clock::Clock;
use crate::plan::surroundings::Surroundings;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckStatus {
    /// Well.
    Pass,
    /// Something to know; the tool works.
    Warn,
    /// Broken.
    Fail,
    /// Could not be looked at, because something before it is missing.
    Skip,
}

/// One check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Stable name.
    pub name: String,
    /// How it ended.
    pub status: CheckStatus,
    /// What was found and what to do, one safe line.
    pub detail: String,
}

/// The whole examination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Absolute project folder.
    pub project: String,
    /// Checks in their fixed order.
    pub checks: Vec<Check>,
}

/// With what the doctor looks.
#[derive(Clone, Debug, Default)]
pub struct DoctorOptions {
    /// The machine to probe for tools.
    pub surroundings: Surroundings,
    /// The clock that leases are measured against.
    pub clock: Clock,
}

/// Examines the project at `root`.
pub fn run(root: &Path, options: &DoctorOptions) -> Report {
    let _ = (root, options);
    unimplemented!()
}

impl Report {
    /// Whether any check failed.
    pub fn has_failures(&self) -> bool {
        self.checks.iter().any(|check| check.status == CheckStatus::Fail)
    }

    /// 1 when any check failed, else 0.
    pub fn exit_code(&self) -> u8 {
        u8::from(self.has_failures())
    }

    /// The JSON of koru §3, indented by 2, ending in a line end.
    pub fn to_json(&self) -> String {
        unimplemented!()
    }

    /// The text of koru §3, ending in a line end.
    pub fn to_text(&self) -> String {
        unimplemented!()
    }
}
