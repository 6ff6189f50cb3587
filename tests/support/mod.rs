//! What the black-box suites share. Each suite takes the parts it needs, so unused ones are no defect.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

pub mod leftover;
pub mod modes;
pub mod peer;
pub mod project;
pub mod pty;
pub mod script;
pub mod svg;
pub mod wait;
