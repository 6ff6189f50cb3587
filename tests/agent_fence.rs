#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Real git, real kernel: what a script does in an agent's place is stopped or put back, with and without the kernel's
//! fence, and honest work goes unhindered. Scratch folders only.
//!
//! The tests of the kernel's fence are never skipped: on a machine without Landlock they fail.

#[path = "support/agents/mod.rs"]
mod agents;
#[path = "agent_fence/files.rs"]
mod files;
#[path = "agent_fence/honest.rs"]
mod honest;
#[path = "agent_fence/real.rs"]
mod real;
#[path = "agent_fence/references.rs"]
mod references;
#[path = "agent_fence/scene.rs"]
mod scene;
mod support;
#[path = "agent_fence/watch.rs"]
mod watch;
