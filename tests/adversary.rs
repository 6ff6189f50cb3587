#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Agents, tickets and repositories that try to get out, met by our real binary: what is planted runs nothing outside of
//! the fence, links lead nowhere, and ids stay names.
//!
//! All of it is harmless: a trap only makes a file in a scratch folder that no fenced run can write to, so that the file
//! tells what ran outside.

#[path = "support/agents/mod.rs"]
mod agents;
#[path = "adversary/greedy.rs"]
mod greedy;
#[path = "adversary/ids.rs"]
mod ids;
#[path = "adversary/links.rs"]
mod links;
#[path = "adversary/planted.rs"]
mod planted;
#[path = "adversary/scene.rs"]
mod scene;
mod support;
