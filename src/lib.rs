//! koru-tui: the terminal console for closed-loop coding-agent automation over a planfile.
//!
//! The map of the house. An arrow that is not listed here is a defect, and `tests/architecture.rs` fails on it:
//!
//! | floor | knows | what it does |
//! | --- | --- | --- |
//! | [`base`] | nothing | files, locks, processes, git, clock, paths, hostile text → safe text |
//! | [`plan`] | `base` | tickets on disk, the order of the queue, policy, the brief |
//! | [`detect`] | `base`, `plan` | doctor: what is wrong with this project |
//! | [`execute`] | `base`, `plan` | run one ticket: shell, api, llm, mcp, human, coding agents in worktrees |
//! | [`verify`] | `execute` and below | whether work is good: quality gates |
//! | [`promote`] | `verify` and below | land finished work on its base, take it back |
//! | [`learn`] | `base`, `plan` | what was done, recorded once: the audit |
//! | [`runtime`] | all of the above | takes commands, owns all mutable state, emits events and snapshots |
//! | [`verbs`] | `runtime` and the phases | the command line, one file a verb |
//! | [`console`] | `runtime` and plain data of `plan` | the terminal screen |
//!
//! Data flows one way: planfile on disk → `plan::store` → `plan::queue` → `runtime` → `execute` → transcript on disk,
//! and the console at the end of the same stream reads snapshots and events, and sends commands.

pub mod base;
pub mod console;
pub mod detect;
pub mod execute;
pub mod learn;
pub mod plan;
pub mod promote;
pub mod runtime;
pub mod verbs;
pub mod verify;
