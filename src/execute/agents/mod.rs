//! Coding agents: which there are, how each is started, and what its stream means (`reference/agent-streams.md`).
//!
//! The parts: [`event`] is what any agent can say; [`stream`] has one module an agent that turns its output into that;
//! [`assemble`] makes events into transcript lines and a [`tally`]; [`verdict`] names how a run ended; [`backend`] knows
//! how each program is started; [`session`] runs one agent to its end; [`single`] finds the one
//! JSON object of a last message. A ticket is never written here, and nothing here
//! decides whether work is good: the session reports, the floors above judge.

mod account;
pub mod assemble;
pub mod backend;
pub mod event;
pub mod kind;
pub mod session;
pub mod single;
pub mod stream;
pub mod tally;
pub(crate) mod used;
pub mod verdict;
