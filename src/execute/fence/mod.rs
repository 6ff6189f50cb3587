//! What keeps a run inside the policy while it works, and finds what it did all the same (DESIGN §5, layers 2 to 4).
//!
//! One run: [`raise`] before it starts gives the [`Fence`] that its program is started with and the [`Guard`] that knows
//! how everything stood. While it works a [`FenceWatch`] finds what it does against the policy. After the run and all its
//! processes are gone, [`Guard::settle`] compares, puts back what the run had no business with and says so; then the work
//! is committed, and [`judge`] looks at the difference itself. What runs after that (gates) has a guard [`Guard::anew`].

mod denied;
mod guard;
mod hooks;
mod judge;
mod layers;
mod raise;
mod tmp;
mod watch;
mod writable;

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use guard::Guard;
pub use judge::judge;
pub use layers::layers;
pub use raise::{FenceError, raise};
pub use watch::{FenceWatch, Sighting, Watched};

use super::isolation::Worktree;
use crate::base::process::{ConfineError, Confinement, Program};
use crate::plan::policy::Policy;

/// What one run is started with.
#[derive(Clone, Debug, Default)]
pub struct Fence {
    /// Variables that inject the hooks and name what the run may do; they come after all others.
    pub env: Vec<(OsString, OsString)>,
    /// Folders and files that it may write; empty when there is no kernel fence. Everything else can be read and run.
    pub writable: Vec<PathBuf>,
    /// The private TMPDIR, which goes with the last copy of the fence.
    _tmp: Option<Arc<tmp::PrivateTmp>>,
}

impl Fence {
    /// The program with the fence's variables and, where there is a kernel fence, confined by it.
    ///
    /// # Errors
    /// When the kernel fence was there when the fence was raised and cannot be made now: the run must not start.
    pub fn around(&self, program: Program) -> Result<Program, ConfineError> {
        let program = program.env(self.env.iter().cloned());
        if self.writable.is_empty() {
            return Ok(program);
        }
        // A tidying git of the operator takes empty folders of loose objects away; what else has gone stays closed.
        let there =
            |path: &&PathBuf| path.exists() || (is_of_loose_objects(path) && fs::create_dir(path).is_ok());
        let writable: Vec<PathBuf> = self.writable.iter().filter(there).cloned().collect();
        Ok(program.confine(Confinement::new(&writable)?))
    }
}

/// `objects/a7`, say.
fn is_of_loose_objects(path: &Path) -> bool {
    let above = path.parent().and_then(Path::file_name);
    above.is_some_and(|above| above == "objects") && path.file_name().is_some_and(|name| name.len() == 2)
}

/// For whom a fence is raised.
#[derive(Clone, Copy, Debug)]
pub struct FenceRequest<'a> {
    /// Where it works.
    pub worktree: &'a Worktree,
    /// What it may do.
    pub policy: &'a Policy,
    /// Folder of the run: hooks, the hooks' log and the private TMPDIR are made below.
    pub run: &'a Path,
    /// Folders and files beside the worktree that it may write to: what
    /// [`super::agents::backend::writable`] says for its agent.
    pub writable: &'a [PathBuf],
    /// The environment that the run gets before the fence's own variables.
    pub env: &'a [(OsString, OsString)],
    /// Whether to use the kernel's fence where there is one; off only for tests of the other layers.
    pub kernel: bool,
    /// It only looks at the work: neither worktree nor repository is among what it may write to.
    pub looks_only: bool,
}

/// A fence and who watches it.
#[derive(Debug)]
pub struct Raised {
    /// For the program.
    pub fence: Fence,
    /// For afterwards.
    pub guard: Guard,
    /// What is worth knowing: why there is no kernel fence, folders that are not there (foreign text).
    pub notes: Vec<String>,
}

/// What a run did besides its work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// What the policy forbids and the run did, undone where that was possible.
    pub breaches: Vec<Breach>,
    /// What changed while the run worked and cannot be laid at its door (foreign text): left as it is.
    pub meanwhile: Vec<String>,
    /// What the hooks refused, then what the kernel refused to git; nothing came of it.
    pub refused: Vec<Refusal>,
}

/// Something that a hook, or the kernel in front of it, refused to a git of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Policy key; `write_fence` for what no gate opens.
    pub gate: String,
    /// What was tried, such as the command or the reference (foreign text, written where the run could write).
    pub what: String,
}

impl Refusal {
    /// What was refused, why, and who can allow it, in a sentence for the operator.
    pub fn sentence(&self) -> String {
        let Refusal { gate, what } = self;
        match self.is_policy() {
            true => format!(
                "refused by policy.{gate}=false: {what} (to allow it: `{gate}: true` under `llm` in \
                 .planfile/.koru/policy.yaml)"
            ),
            false => format!("refused by the write fence: {what} (a run may not write there)"),
        }
    }

    /// The same for the agent, who saw "Permission denied" and must not look for the fault.
    pub fn hint(&self) -> String {
        let Refusal { gate, what } = self;
        let why = match self.is_policy() {
            true => format!("policy.{gate}=false; only the operator can change that"),
            false => "the repository beyond your worktree cannot be written by a run".to_owned(),
        };
        format!(
            "koru-tui: `{what}` was refused ({why}). \"Permission denied\" was no fault to repair: do not try it by \
             another way, and go on with your work without it."
        )
    }

    fn is_policy(&self) -> bool {
        self.gate.starts_with("allow_")
    }
}

/// A rule that a run broke, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// Which rule: a policy gate's key, `forbidden_paths`, `files`, `write_fence`, `git_config`, `worktree`.
    pub rule: String,
    /// What was done, in a sentence (foreign text).
    pub what: String,
    /// Proof: ref and hashes, path, command (foreign text).
    pub evidence: String,
    /// It was put back as it was.
    pub undone: bool,
}

impl Breach {
    /// What it is about: the evidence begins with the reference, `HEAD` or the path.
    pub fn subject(&self) -> &str {
        let end = self.evidence.find(": ").or_else(|| self.evidence.find(" ("));
        &self.evidence[..end.unwrap_or(self.evidence.len())]
    }
}

/// One layer of safety and whether this machine has it, for `doctor`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Name.
    pub name: String,
    /// Whether it works here.
    pub active: bool,
    /// Version, or why it does not.
    pub detail: String,
}
