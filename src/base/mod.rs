//! The ground floor: everything here is ignorant of tickets, runs and screens.
//!
//! Each module owns one promise to the floors above: text that is safe to show ([`text`]), files that are whole after
//! a crash ([`atomic`]), locks that the Python planfile respects ([`lock`]), children that leave nobody behind
//! ([`process`]), secrets that do not leak ([`redact`]).

pub mod atomic;
pub mod clock;
pub mod faults;
pub mod http;
pub mod lock;
pub mod paths;
pub mod process;
pub mod redact;
pub mod regular;
pub mod repo;
pub mod sys;
pub mod terminal;
pub mod text;
pub mod yaml;
