#![allow(unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Agents, tickets and repositories that try to get out, met by our real binary: what is planted runs nothing outside of
//! the fence, links lead nowhere, ids stay names, text stays text, and whoever runs away is found.
//!
//! All of it is harmless: a trap only makes a file in a scratch folder that no fenced run can write to, so that the file
//! tells what ran outside. `docs/adversary.md` lists the threats with what holds against each and its test.

#[path = "support/agents/mod.rs"]
mod agents;
#[path = "support/cli.rs"]
mod cli;
mod console_support;
#[path = "adversary/decisions.rs"]
mod decisions;
#[path = "adversary/escapes.rs"]
mod escapes;
#[path = "adversary/greedy.rs"]
mod greedy;
#[path = "adversary/hostile.rs"]
mod hostile;
#[path = "adversary/ids.rs"]
mod ids;
#[path = "adversary/links.rs"]
mod links;
#[path = "adversary/names.rs"]
mod names;
#[path = "adversary/pipes.rs"]
mod pipes;
#[path = "adversary/planted.rs"]
mod planted;
#[allow(dead_code, reason = "the rest of it is for the suite that it was made for")]
#[path = "console_review/scene.rs"]
mod review_scene;
#[path = "adversary/said.rs"]
mod said;
#[path = "adversary/scene.rs"]
mod scene;
#[path = "adversary/screens.rs"]
mod screens;
#[path = "adversary/state.rs"]
mod state;
mod support;
#[path = "adversary/surroundings.rs"]
mod surroundings;
#[path = "adversary/torn.rs"]
mod torn;
#[path = "adversary/words.rs"]
mod words;
