#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The MCP executor against a real server on this machine (`fixtures/mcp/server.py`, which shares no code with the SDK
//! that we use): over standard streams, over HTTP, and through the real binary.

#[path = "mcp_executor/bench.rs"]
mod bench;
#[path = "support/cli.rs"]
mod cli;
#[path = "support/heard.rs"]
mod heard;
#[path = "mcp_executor/programs.rs"]
mod programs;
#[path = "mcp_executor/real.rs"]
mod real;
#[path = "mcp_executor/remote.rs"]
mod remote;
mod support;
#[path = "mcp_executor/verbs.rs"]
mod verbs;
