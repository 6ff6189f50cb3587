//! The reviewer, whoever it is: what it is given to judge, and how its answer becomes a [`Verdict`].
//!
//! A reviewer is an agent ([`prompt()`], [`schema`], [`verdict`]) or a program that speaks `kagura-code-reviewer`'s
//! envelope. What it says is data: it is asked for by schema, read strictly, and refused with a name when it is anything
//! else; nothing is picked out of prose. What it is given is fenced as other people's text, with a mark that nobody can
//! guess ([`fenced`]). Whoever calls this also sees to it that the reviewer changed nothing.
//!
//! [`review()`] is the whole of it for the command line: what to review, who does it, a scratch worktree behind the house's
//! fence for the reviewer, and fixes in turns.
//!
//! The parts: [`roles`] says what worker and reviewer are told about their part, [`patch`] makes the difference,
//! [`prompt()`] and [`fix_prompt`] the words, `answer` reads the reply, [`from_gates`] makes findings of gates that failed.
//!
//! [`Verdict`]: super::verdict::Verdict

mod answer;
mod asking;
mod envelope;
mod fenced;
mod fixing;
pub mod from_gates;
mod ground;
mod looped;
mod mending;
mod once;
pub mod patch;
mod program;
mod prompt;
mod pulls;
mod report;
pub mod roles;
mod snapshot;
mod target;

pub use answer::{Expected, VerdictError, schema, verdict};
pub use fixing::{fix_prompt, to_fix};
pub use looped::{ReviewOptions, review};
pub use prompt::{ReviewRequest, prompt};
pub use report::{Fix, FixReport, Report, Reviewed, Status};
