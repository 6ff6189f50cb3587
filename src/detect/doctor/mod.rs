//! The doctor: reads everything, changes nothing, uses no network (koru §3).
//!
//! koru's eight checks come first, in koru's order and with koru's words; ours follow. A probe that crashes becomes a
//! failed check, never a crash of the doctor.

mod findings;
mod koru;
mod machine;
mod plan;
mod runs;
mod settings;
mod storage;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use serde::Serialize;
use serde_json::json;

use findings::Findings;

use crate::base::clock::Clock;
use crate::base::redact::Redactor;
use crate::base::text;
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
    /// The layers of safety that keep agents inside the policy (DESIGN §5), told by whoever knows them.
    pub layers: Vec<SafetyLayer>,
}

/// A layer of safety and whether this machine has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafetyLayer {
    /// Name.
    pub name: String,
    /// Whether it works here.
    pub active: bool,
    /// Version, or why it does not.
    pub detail: String,
}

/// Examines the project at `root`.
pub fn run(root: &Path, options: &DoctorOptions) -> Report {
    let project =
        root.canonicalize().or_else(|_| std::path::absolute(root)).unwrap_or_else(|_| root.to_owned());
    let findings = Findings::gather(&project, options);
    let mut checks = Vec::new();
    for (name, probe) in koru::PROBES {
        checks.extend(examine(name, || probe(&findings)));
    }
    if findings.paths.planfile().is_dir() {
        for (name, probe) in
            settings::PROBES.iter().chain(plan::PROBES).chain(runs::PROBES).chain(storage::PROBES)
        {
            checks.extend(examine(name, || probe(&findings)));
        }
    }
    checks.extend(examine("inotify_limits", || machine::inotify(&findings)));
    for layer in &options.layers {
        checks.extend(examine(&format!("layer: {}", layer.name), || machine::layer(layer)));
    }
    let project = text::safe_text(&project.to_string_lossy()).to_string();
    Report { project, checks }
}

/// What a probe says: status and detail, or nothing when it does not apply here.
///
/// The error is a probe that could not do its work.
type Verdict = Result<Option<(CheckStatus, String)>, String>;

/// A probe with its stable name.
type Probe = (&'static str, fn(&Findings<'_>) -> Verdict);

fn pass(detail: impl Into<String>) -> Verdict {
    Ok(Some((CheckStatus::Pass, detail.into())))
}

fn warn(detail: impl Into<String>) -> Verdict {
    Ok(Some((CheckStatus::Warn, detail.into())))
}

fn fail(detail: impl Into<String>) -> Verdict {
    Ok(Some((CheckStatus::Fail, detail.into())))
}

fn skip(detail: impl Into<String>) -> Verdict {
    Ok(Some((CheckStatus::Skip, detail.into())))
}

/// Runs one probe; whatever it does, a check comes out.
fn examine(name: &str, probe: impl FnOnce() -> Verdict) -> Option<Check> {
    let verdict = catch_unwind(AssertUnwindSafe(probe)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(ToString::to_string);
        Err(text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default())
    });
    let (status, detail) = match verdict {
        Ok(verdict) => verdict?,
        Err(why) => (CheckStatus::Fail, format!("probe crashed: {why}")),
    };
    let detail = Redactor::default().clean(&detail).into_owned();
    Some(Check { name: name.to_owned(), status, detail: text::safe_text(&detail).to_string() })
}

/// Names of at most five, and how many more there are.
fn some_of(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join("; ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}; and {more} more"),
    }
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

    fn count(&self, status: CheckStatus) -> usize {
        self.checks.iter().filter(|check| check.status == status).count()
    }

    /// The JSON of koru §3, indented by 2, ending in a line end.
    pub fn to_json(&self) -> String {
        let value = json!({
            "schema_version": "1",
            "project": self.project,
            "summary": {
                "pass": self.count(CheckStatus::Pass),
                "warn": self.count(CheckStatus::Warn),
                "fail": self.count(CheckStatus::Fail),
                "skip": self.count(CheckStatus::Skip),
            },
            "has_failures": self.has_failures(),
            "checks": self.checks,
        });
        format!("{value:#}\n")
    }

    /// The text of koru §3, ending in a line end.
    pub fn to_text(&self) -> String {
        let width = self.checks.iter().map(|check| check.name.len()).max().unwrap_or(0);
        let mut lines = vec![format!("koru doctor — {}", self.project)];
        for check in &self.checks {
            let glyph = match check.status {
                CheckStatus::Pass => "OK ",
                CheckStatus::Warn => "WARN",
                CheckStatus::Fail => "FAIL",
                CheckStatus::Skip => "SKIP",
            };
            lines.push(format!("  [{glyph}] {:width$}  {}", check.name, check.detail));
        }
        let mut counts = vec![format!("{} checks", self.checks.len())];
        for (status, word) in [
            (CheckStatus::Pass, "passed"),
            (CheckStatus::Warn, "warning(s)"),
            (CheckStatus::Fail, "failed"),
            (CheckStatus::Skip, "skipped"),
        ] {
            let count = self.count(status);
            if count > 0 {
                counts.push(format!("{count} {word}"));
            }
        }
        lines.push(format!("  {}", counts.join(", ")));
        lines.join("\n") + "\n"
    }
}
