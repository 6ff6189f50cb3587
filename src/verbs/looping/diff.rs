//! `loop extract-diff`: the difference between two commits.

use serde_json::json;

use super::super::cli::looping::DiffArgs;
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::Out;
use super::{failed, place};
use crate::verify::looping::diff_of;

pub(super) fn run(context: &Context, args: &DiffArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let diff = diff_of(&place::start(context)?, &args.base, &args.head).map_err(failed)?;
    if context.json() {
        out.json(&json!({"base": args.base, "head": args.head, "diff": diff}));
    } else if !diff.is_empty() {
        out.block(&diff);
    }
    Ok(Exit::Ok)
}
