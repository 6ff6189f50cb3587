//! The terminal console: `update(state, message) -> effects` is plain, one loop draws, panes only read.
