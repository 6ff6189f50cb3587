#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]
//! The real binary in a real pseudo-terminal: what an operator does in a day, what may go wrong around them, and how the
//! console leaves the terminal behind.

#[path = "console_pty/attaching.rs"]
mod attaching;
#[path = "console_pty/board.rs"]
mod board;
#[path = "console_pty/leaving.rs"]
mod leaving;
#[path = "console_pty/pictures.rs"]
mod pictures;
#[path = "console_pty/promotions.rs"]
mod promotions;
#[path = "console_pty/review.rs"]
mod review;
#[path = "console_pty/steps.rs"]
mod steps;
mod support;
#[path = "console_pty/trouble.rs"]
mod trouble;
