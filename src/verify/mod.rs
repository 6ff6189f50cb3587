//! Whether work is good: quality gates in the ticket's worktree, rounds of worker and reviewer, their findings and
//! verdicts, and the differences that are judged.
//!
//! [`gates`] run programs; [`diff`] says what changed; [`finding`] and [`verdict`] are what a judgement is made of, whoever
//! made it; [`review`] asks a reviewer and reads its answer; [`rounds`] is what is known of each round of a ticket.
//! [`cycle`] decides what follows in such rounds, whoever drives them. [`bus`] is loop-kit's folder of files and [`looping`]
//! drives a loop on it; tickets are worked by the runtime. Nothing in here writes a planfile.

pub mod bus;
pub mod comments;
pub mod cycle;
pub mod diff;
pub mod finding;
pub mod gates;
pub mod looping;
pub mod markers;
pub mod review;
pub mod rounds;
pub mod verdict;
