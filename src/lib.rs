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
//!
//! # Where is it?
//!
//! | question | file |
//! | --- | --- |
//! | Where is a ticket claimed? | `src/runtime/claim.rs`, for the console and for `queue run`; what a claim writes is in `src/plan/lifecycle/effects.rs` |
//! | Who decides which ticket is next? | `src/plan/queue/rules.rs` gives the order and every reason against it, `src/runtime/supervisor/starts.rs` holds back what would collide |
//! | Where is the planfile written? | `src/plan/store/apply.rs`, and `src/plan/store/quick/mod.rs` when only lines of single tickets change; bytes reach the disk in `src/base/atomic.rs` |
//! | Where does a tool call of Claude become a line on the screen? | `src/execute/agents/stream/claude/mod.rs` reads it, `src/execute/agents/assemble/tools.rs` makes the line, `src/console/output/layout.rs` makes rows of it |
//! | Where does a finding become a comment at a line? | `src/console/review/notes.rs`; how a reviewer's answer becomes a finding is in `src/verify/review/answer.rs` |
//! | Who decides what follows in a round, and when rounds are over? | `src/verify/cycle/mod.rs`, for tickets and for loop-kit's loop; `src/runtime/agents/review/mod.rs` and `src/verify/looping/turns.rs` do it |
//! | Where is a key bound? | `src/console/actions/table.rs`, once for keys, palette, footer, help and README; `src/console/keymap.rs` reads what the operator changed |
//! | Where is a key handled? | `src/console/update/input.rs` asks the keymap, `src/console/update/actions.rs` does the action, and `src/console/update/layers.rs` has the keys while a form or list is open |
//! | Where is Ctrl-C handled? | As a key it is the action `quit` of the table, and `src/console/update/input.rs` knows it where a keymap forgot it; as a signal it is taken in `src/console/app/signals.rs`, and in `src/verbs/queue/signals.rs` for `queue run` |
//! | Where is a colour chosen? | `src/console/theme/mod.rs` names the roles, `themes/koru-dark.yaml` and its neighbours fill them, views only name a role |
//! | Where does foreign text become safe? | `src/base/text/mod.rs`; secrets are taken out in `src/base/redact/mod.rs` |
//! | What may a run do, and who stops it? | `src/plan/policy/mod.rs` has the rules, `src/execute/fence/mod.rs` enforces them, `src/runtime/agents/breach_watch.rs` stops who breaks them |
//! | What can be said between console and runtime? | `src/runtime/protocol/mod.rs` |
//! | Where is a verb? | `src/verbs/` has one file a verb; its words are in `src/verbs/cli.rs` and beside it |
//!
//! # One ticket, from the disk to the screen and back
//!
//! `src/plan/yaml/load.rs` parses a sprint file into spans and each record into a [`plan::ticket::Ticket`]; from there to
//! the screen the ticket is shared and never copied: `src/plan/store/mod.rs` hands out a plan, `src/runtime/storage.rs`
//! publishes it, `src/runtime/supervisor/snapshot.rs` puts it into a snapshot, `src/console/rows.rs` makes a row that is the
//! ticket's number in the plan, and `src/console/view/queue.rs` writes the cells.
//!
//! Back: `src/console/app.rs` reads a key, `src/console/keymap.rs` makes it an action,
//! `src/console/update/decide.rs` makes of it a command about the version of the ticket that stood on the screen,
//! `src/runtime/supervisor/commands.rs` makes of that a step for the thread in `src/runtime/storage.rs`, and
//! `src/plan/store/apply.rs` takes the lock, looks again, and lets `src/plan/yaml/edit/mod.rs` splice the keys that the
//! operation names.

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
