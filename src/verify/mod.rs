//! Whether work is good: quality gates in the ticket's worktree, later the review rounds.

pub mod gates;
