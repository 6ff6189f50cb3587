//! Running one ticket: shell, api, llm, mcp and human executors, coding agents, live output, transcript on disk, result.
//!
//! No ticket is written here: this floor is told what to run ([`action`] reads a ticket once) and reports an
//! [`outcome::Outcome`]. Each run owns one folder under `.koru/runs/`; files there are 0600, folders 0700, and every
//! text passes the run's redactor before it is kept or passed on.

pub mod action;
pub mod agents;
pub mod api;
pub mod environment;
pub mod fence;
pub mod folder;
mod group;
pub mod human;
pub mod isolation;
mod line_index;
mod lines;
pub mod llm;
pub mod mcp;
pub mod outcome;
pub mod output;
pub mod raw_stream;
pub mod recorder;
pub mod runlog;
mod schema;
pub mod scratch_runs;
pub mod shell;
pub mod stop;
pub mod tail;
pub mod transcript;
mod windows;
