//! Runs of agents on the screen: whole screens at three sizes, and what keys do to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;

use console_support::Bench;
use console_support::agents::{raw, said, with_agent};
use koru_tui::console::{Depth, Settings};
use koru_tui::runtime::protocol::{RunState, Snapshot};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// Compares a screen at the three sizes; the colours of a light theme change no text.
fn at_three_sizes(name: &str, snapshot: &Snapshot, play: impl Fn(&mut Bench)) {
    for (width, height) in SIZES {
        let screen = |theme: &str| {
            let settings = Settings { theme: theme.to_owned(), depth: Depth::True, ..Settings::default() };
            let mut bench = Bench::with_settings(settings, snapshot.clone(), width, height);
            bench.hear(said("r1"));
            play(&mut bench);
            bench.screen()
        };
        let dark = screen("koru-dark");
        assert_eq!(dark, screen("high-contrast"), "{name}");
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), dark);
    }
}

/// The queue's selection is on the run's ticket, and the output has the focus.
fn on_run(bench: &mut Bench) {
    bench.keys("j j j j tab");
}

fn working() -> Snapshot {
    with_agent(RunState::Running, |_, _| {})
}

#[test]
fn an_agent_at_work_with_its_tools_folded() {
    at_three_sizes("agent_folded", &working(), on_run);
}

#[test]
fn an_agent_at_work_with_a_tool_open() {
    at_three_sizes("agent_unfolded", &working(), |bench| {
        on_run(bench);
        bench.keys("home j j j j space");
    });
}

#[test]
fn the_raw_stream() {
    at_three_sizes("agent_raw", &working(), |bench| {
        on_run(bench);
        bench.keys("v");
        bench.hear(raw("r1"));
    });
}
