//! What changed: of a round, of a whole ticket, between two rounds, in the working tree.
//!
//! [`Differ`] holds one comparison. It is opened with the list of files (a walk over two trees), [`Differ::count`] looks
//! into one file at a time, [`Differ::body`] gives the texts of one file: each step can be followed by none, so whoever
//! drives it on a thread of its own can stop between any two. Nothing here writes, runs a program, or lets attributes
//! that an agent wrote decide what is shown.
//!
//! [`Differ::hash`] is over base, paths, modes and contents: what was on screen when somebody decided.

mod blocks;
mod comparing;
mod content;
mod differ;
mod error;
mod lines;
mod listing;
mod range;
#[cfg(test)]
mod tests;

pub use blocks::{Block, blocks};
pub use content::TEXT_LIMIT;
pub use differ::{Differ, FILES};
pub use error::DiffError;
pub use lines::Lines;
pub use listing::{Body, Counted, FileChange, FileEntry, Listing, Stat};
pub use range::{DiffRange, rounds_on_disk};
