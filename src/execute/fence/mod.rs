//! What keeps a run inside the policy while it works: git hooks through the environment, a Landlock write fence, and a
//! watch over refs (DESIGN §5, layers 2 and 3).

use std::ffi::OsString;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What one run is started with.
#[derive(Clone, Debug, Default)]
pub struct Fence {
    /// Variables that inject the hooks and name what the run may do.
    pub env: Vec<(OsString, OsString)>,
    /// Folders below which it may write; empty when there is no kernel fence. Everything else can be read and run.
    pub writable: Vec<PathBuf>,
}

/// A rule that a run broke, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// Which rule: a policy gate's key, `forbidden_paths`, `files`, `write_fence`.
    pub rule: String,
    /// What was done, in a sentence (foreign text).
    pub what: String,
    /// Proof: ref and hashes, path, command (foreign text).
    pub evidence: String,
    /// It was put back as it was.
    pub undone: bool,
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
