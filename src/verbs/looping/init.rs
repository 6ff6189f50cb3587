//! `loop init`: makes the folder of a loop. Nothing that is there is replaced.

use serde_json::json;

use super::super::cli::looping::WhereArgs;
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::{Out, Tone};
use super::{failed, place};
use crate::base::atomic;
use crate::verify::bus::Bus;

/// The worker's template, in loop-kit's placeholders: it needs one to run, and we need none.
const WORKER: &str = "Role: worker\nCurrent task_id: {task_id}, round: {round_num}.\n\n{agents_md}\n\n{role_md}\n\n\
                      {task_card_section}\n\n{prior_context_section}\n\nCommit your work, then write \
                      {work_report_path}: one JSON object with task_id, round, head_sha, files_changed, tests and notes.\n";

/// The reviewer's; loop-kit fills in nothing else here.
const REVIEWER: &str = "Role: reviewer\nCurrent task_id: {task_id}, round: {round_num}.\n\n{role_md}\n\nJudge what \
                        review_request.json in the folder of the loop asks for, change nothing, then write \
                        {review_report_path}: one JSON object with task_id, round, decision, blocking_issues and \
                        non_blocking_suggestions.\n";

pub(super) fn run(context: &Context, args: &WhereArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let folder = place::bus(context, args.bus.loop_dir.as_deref(), args.task.as_deref())?;
    let bus = Bus::open(&folder).map_err(failed)?;
    let card = json!({
        "task_id": args.task.as_deref().unwrap_or("T-001"),
        "goal": "<one-sentence goal>",
        "in_scope": ["<file or module>"],
        "out_of_scope": [],
        "acceptance_criteria": ["<measurable criterion>"],
        "constraints": [],
    });
    let files = [
        ("examples/task_card.json", format!("{card:#}\n")),
        ("templates/worker_prompt.txt", WORKER.to_owned()),
        ("templates/reviewer_prompt.txt", REVIEWER.to_owned()),
    ];
    let mut made = Vec::new();
    for (name, text) in files {
        let path = bus.folder().join(name);
        let io = |source| VerbError::Io { doing: "writing", path: path.clone(), source };
        if path.symlink_metadata().is_ok() {
            continue;
        }
        if let Some((folder, _)) = name.split_once('/') {
            bus.make_folder(&[folder]).map_err(failed)?;
        }
        atomic::replace(&path, &[text.as_bytes()]).map_err(io)?;
        made.push(name);
    }
    if context.json() {
        out.json(&json!({"loop_dir": bus.folder().display().to_string(), "made": made}));
        return Ok(Exit::Ok);
    }
    out.pieces(&[(Tone::Good, "✓"), (Tone::Plain, &format!(" loop folder {}", bus.folder().display()))]);
    out.line("next: write task_card.json (examples/task_card.json shows how), then `koru-tui loop run`");
    Ok(Exit::Ok)
}
