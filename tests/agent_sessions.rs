//! Sessions of scripted agents: every ending by its name, every limit, messages to a working agent, and nobody left
//! behind. The scripts speak the streams of Claude Code and pi.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "support/agents/mod.rs"]
mod agents;
#[path = "agent_sessions/bench.rs"]
mod bench;
#[path = "agent_sessions/detection.rs"]
mod detection;
#[path = "agent_sessions/endings.rs"]
mod endings;
#[path = "agent_sessions/limits.rs"]
mod limits;
#[path = "agent_sessions/real.rs"]
mod real;
#[path = "agent_sessions/steering.rs"]
mod steering;
#[path = "agent_sessions/stopping.rs"]
mod stopping;
mod support;
