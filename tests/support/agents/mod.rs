//! Real coding agents without a model: a scripted model server on the loopback interface, the scenarios that it plays,
//! and the agents themselves as the tests install them. Nothing here needs a key or a network.
//!
//! A scenario is a list of [`scenario::Turn`]s; the server ([`stub::Stub`]) plays one for each request of the agent, in
//! whichever of the four wire protocols the request speaks, and remembers every request for the test to look at. It ends
//! with its value. Facts about the agents: `tests/peers/agents` pins the versions that these files were written against.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]

mod anthropic;
pub mod bench;
mod chat;
mod gemini;
mod http;
pub mod installed;
mod play;
mod responses;
pub mod scenario;
pub mod stage;
pub mod stub;
pub mod tools;
mod wire;
