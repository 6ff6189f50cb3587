//! The plan: tickets as plain YAML on disk, the order in which they run, the policy, and the brief an agent reads.
//!
//! [`store`] is the only module that writes a planfile. [`yaml`] turns a sprint's text into spans and back without
//! touching what was not named. [`ticket`] holds plain data that every floor above may use.

pub mod brief;
mod kind;
pub mod lifecycle;
pub mod pipeline;
pub mod policy;
pub mod queue;
pub mod scaffold;
pub mod settings;
pub mod store;
pub mod surroundings;
pub mod ticket;
pub mod yaml;
