//! Child processes that leave nobody behind: each child leads its own group, is killed when we die (PDEATHSIG), is
//! stopped by a ladder (TERM, grace, KILL), and can be found again by the next start through its identity.

use serde::{Deserialize, Serialize};

/// A process that cannot be confused with a later one of the same pid.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Process id.
    pub pid: u32,
    /// Start time in clock ticks since boot (field 22 of `/proc/<pid>/stat`).
    pub start_ticks: u64,
    /// Boot id of the machine.
    pub boot_id: String,
}

impl ProcessIdentity {
    /// This process.
    pub fn own() -> Option<Self> {
        unimplemented!()
    }

    /// The process that has this pid now.
    pub fn of(pid: u32) -> Option<Self> {
        let _ = pid;
        unimplemented!()
    }

    /// Whether that very process still lives (a zombie does not count).
    pub fn is_alive(&self) -> bool {
        unimplemented!()
    }
}
