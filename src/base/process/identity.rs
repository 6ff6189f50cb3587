//! Who a process is, beyond a number that will be used again.

use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::stat::Stat;

/// A process that cannot be confused with a later one of the same pid.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// Process id.
    pub pid: u32,
    /// Start time in clock ticks since boot (field 22 of `/proc/<pid>/stat`).
    pub start_ticks: u64,
    /// Boot id of the machine.
    pub boot_id: String,
    /// Value of [`super::MARKER`] in its environment, for processes that we spawned: it proves that what
    /// is left of a group whose leader is gone is ours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marker: Option<String>,
}

impl ProcessIdentity {
    /// This process.
    pub fn own() -> Option<Self> {
        Self::of(std::process::id())
    }

    /// The process that has this pid now; `None` when there is none or the machine has no `/proc`.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = Stat::read(pid)?;
        Some(Self { pid, start_ticks: stat.start_ticks, boot_id: boot_id()?.to_owned(), marker: None })
    }

    /// Whether that very process still lives (a zombie does not count).
    pub fn is_alive(&self) -> bool {
        self.is_of_this_boot()
            && Stat::read(self.pid).is_some_and(|stat| stat.start_ticks == self.start_ticks && !stat.zombie)
    }

    pub(super) fn is_of_this_boot(&self) -> bool {
        boot_id().is_some_and(|boot| boot == self.boot_id)
    }
}

fn boot_id() -> Option<&'static str> {
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    BOOT.get_or_init(|| {
        let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        Some(text.trim().to_owned())
    })
    .as_deref()
}
