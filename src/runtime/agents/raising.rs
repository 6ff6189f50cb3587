//! One more fence in a run: for the next round of the worker, and for a reviewer, who may only look.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Plan;
use super::earlier::Earlier;
use super::place::Variables;
use crate::base::atomic;
use crate::execute::agents::backend::{OWN_FOLDER, writable};
use crate::execute::fence::{self, FenceRequest, Raised};
use crate::execute::isolation::Worktree;
use crate::plan::policy::Policy;

/// What raising one more fence in a run needs, owned so that it can go to another thread.
pub(super) struct Raising {
    pub(super) folder: PathBuf,
    pub(super) worktree: Worktree,
    pub(super) plan: Arc<Plan>,
    pub(super) env: Variables,
    /// Where an earlier conversation is a file of an earlier run.
    pub(super) earlier: Option<PathBuf>,
    pub(super) looks_only: bool,
}

impl Raising {
    /// Raises it.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub(super) async fn raise(self) -> Result<Raised, String> {
        let raised = tokio::task::spawn_blocking(move || self.raise_here()).await;
        raised.unwrap_or_else(|error| Err(format!("raising the fence failed: {error}")))
    }

    fn raise_here(self) -> Result<Raised, String> {
        let plan = &self.plan;
        atomic::make_private_dir(&self.folder)
            .map_err(|error| format!("making the folder {} failed: {error}", self.folder.display()))?;
        let mut writable = writable(plan.kind, &plan.choice.settings, &self.env);
        // The folder of the whole run: conversations of its earlier rounds are files there.
        writable.push(own_folder(self.folder.parent().unwrap_or(&self.folder))?);
        writable.extend(self.earlier);
        let shut = Policy {
            allow_commit: false,
            allow_push: false,
            allow_tag: false,
            allow_branch_create: false,
            allow_branch_switch: false,
            ..plan.policy.clone()
        };
        let request = FenceRequest {
            worktree: &self.worktree,
            policy: if self.looks_only { &shut } else { &plan.policy },
            run: &self.folder,
            writable: &writable,
            env: &self.env,
            kernel: true,
            looks_only: self.looks_only,
        };
        fence::raise(&request).map_err(|error| error.to_string())
    }
}

/// Where an agent may keep files of its own in a run's folder.
pub(super) fn own_folder(folder: &Path) -> Result<PathBuf, String> {
    let own = folder.join(OWN_FOLDER);
    atomic::make_private_dir(&own)
        .map_err(|error| format!("making the agent's folder {} failed: {error}", own.display()))?;
    Ok(own)
}

/// The folder of a conversation that is a file of a run.
pub(super) fn own_conversation(earlier: &Earlier, runs: &Path) -> Option<PathBuf> {
    let file = Path::new(&earlier.conversation);
    if !file.starts_with(runs) {
        return None;
    }
    file.parent().map(Path::to_path_buf)
}
