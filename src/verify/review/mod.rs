//! The reviewer, whoever it is: what it is given to judge, and how its answer becomes a [`Verdict`].
//!
//! A reviewer is an agent ([`prompt()`], [`schema`], [`verdict`]) or a program that speaks `kagura-code-reviewer`'s
//! envelope. What it says is data: it is asked for by schema, read strictly, and refused with a name when it is anything
//! else; nothing is picked out of prose. What it is given is fenced as other people's text, with a mark that nobody can
//! guess ([`fenced`]). Whoever calls this also sees to it that the reviewer changed nothing.
//!
//! The parts: [`roles`] says what worker and reviewer are told about their part, [`patch`] makes the difference,
//! [`prompt()`] and [`fix_prompt`] the words, `answer` reads the reply, [`from_gates`] makes findings of gates that failed.
//!
//! [`Verdict`]: super::verdict::Verdict

mod answer;
mod fenced;
mod fixing;
pub mod from_gates;
pub mod patch;
mod prompt;
pub mod roles;

pub use answer::{Expected, VerdictError, schema, verdict};
pub use fixing::{fix_prompt, to_fix};
pub use prompt::{ReviewRequest, prompt};
