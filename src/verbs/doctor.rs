//! `doctor`: what is wrong with this project (koru §3).

use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::Out;
use crate::detect::doctor::{DoctorOptions, SafetyLayer, run as examine};
use crate::execute::fence;
use crate::plan::surroundings::Surroundings;

/// Examines the project; exit 1 when a check fails.
///
/// # Errors
/// A project folder that does not exist.
pub(super) fn run(context: &Context, out: &mut Out) -> Result<Exit, VerbError> {
    let layers = fence::layers()
        .into_iter()
        .map(|layer| SafetyLayer { name: layer.name, active: layer.active, detail: layer.detail })
        .collect();
    let options =
        DoctorOptions { surroundings: Surroundings::of_process(), clock: context.clock.clone(), layers };
    let report = examine(&context.root()?, &options);
    if context.json() {
        out.json_text(&report.to_json());
    } else {
        out.block(&report.to_text());
    }
    Ok(if report.has_failures() { Exit::Failed } else { Exit::Ok })
}
