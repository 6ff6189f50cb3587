//! What reviews left behind whose process was killed: worktrees for one look, that nobody's work is in.

use std::path::Path;

use jiff::Timestamp;

use crate::base::paths::ProjectPaths;
use crate::base::process::ProcessIdentity;
use crate::execute::folder::{RecordState, RunFolder, RunRecord};
use crate::execute::isolation;

/// Beginning of the ids of worktrees for one look ([`super::ground::Ground::scratch`]).
pub(super) const LOOK: &str = "review";

/// The executor word of our records.
pub(super) const EXECUTOR: &str = "review";

/// Throws those worktrees away and closes their records. What cannot be removed stays for the next time. Blocking.
pub(super) fn sweep(root: &Path) {
    let runs = ProjectPaths::new(root).runs();
    let Ok(entries) = std::fs::read_dir(&runs) else { return };
    let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    for name in names.filter(|name| name.starts_with(&format!("{LOOK}-"))) {
        let Some(folder) = RunFolder::at(&runs, &name) else { continue };
        let Some(record) = folder.read_record().filter(is_dead) else { continue };
        let thrown = isolation::known(root, &record.ticket).map(|left| isolation::discard(root, &left));
        if let Some(Err(error)) = thrown {
            tracing::warn!(%error, run = name, "the worktree of a review that was killed cannot be removed");
            continue;
        }
        let (state, ended_at) = (RecordState::Interrupted, Some(Timestamp::now()));
        if let Err(error) = folder.write_record(&RunRecord { state, ended_at, ..record }) {
            tracing::warn!(%error, run = name, "the record of a review that was killed cannot be closed");
        }
    }
}

/// A review for one look that ran when its process died.
fn is_dead(record: &RunRecord) -> bool {
    let alive = record.supervisor.as_ref().is_some_and(ProcessIdentity::is_alive);
    let ours = record.executor == EXECUTOR && record.ticket.as_str().starts_with(&format!("{LOOK}-"));
    ours && record.state == RecordState::Running && !alive
}
