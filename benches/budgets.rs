#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::print_stderr
)]
//! The speed and size budgets, measured on the real binary against named peers in the same run.
//!
//! Subject and peer take turns (A B A B …), times are compared as trimmed means, and the hard gates are ratios and
//! counts, so that a slow or shared machine changes little. Prints one table in Markdown for `benches/README.md` and
//! exits with 1 when a budget is missed. Everything happens in throw-away folders and stops by itself.
//!
//! `cargo bench --bench budgets -- [--peer-python PATH] [--peer-loop PATH] [--drain N] [--idle SECONDS] [SECTION…]`

#[path = "budgets/agents.rs"]
mod agents;
#[path = "budgets/console.rs"]
mod console;
#[path = "budgets/diffs.rs"]
mod diffs;
#[path = "../tests/support/leftover.rs"]
mod leftover;
#[path = "budgets/measure.rs"]
mod measure;
#[path = "budgets/planfiles.rs"]
mod planfiles;
#[path = "../tests/support/pty.rs"]
mod pty;
#[path = "budgets/rounds.rs"]
mod rounds;
#[path = "budgets/session.rs"]
mod session;
#[path = "budgets/streams.rs"]
mod streams;
#[path = "budgets/transcripts.rs"]
mod transcripts;
#[path = "budgets/verbs.rs"]
mod verbs;
#[path = "../tests/support/wait.rs"]
mod wait;

use std::path::PathBuf;

use measure::Report;

/// What the command line asks for.
pub struct Options {
    /// The `planfile` program of the peer's Python; `None` leaves its rows out, by name.
    pub planfile: Option<PathBuf>,
    /// The `loop` program of agent-task-runner 0.3.1; `None` leaves its numbers out, by name.
    pub loop_kit: Option<PathBuf>,
    /// Tickets to drain in the long run.
    pub drain: usize,
    /// Length of the idle watch.
    pub idle_seconds: u64,
    /// Only the subject works, and nothing is compared: for a profiler. Known to the section `session`.
    pub ours_only: bool,
    sections: Vec<String>,
}

/// A section measures something and adds its rows.
type Section = fn(&Options, &mut Report);

impl Options {
    fn from_args() -> Self {
        let provisioned = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.peers/venv/bin/python"));
        let loop_kit = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.peers/loop-kit/bin/loop"));
        let mut options = Self {
            planfile: Some(provisioned),
            loop_kit: Some(loop_kit),
            drain: 10_000,
            idle_seconds: 60,
            ours_only: false,
            sections: Vec::new(),
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            match arg.as_str() {
                // cargo's own flag for every bench target.
                "--bench" => {}
                "--peer-python" => options.planfile = args.next().map(PathBuf::from),
                "--peer-loop" => options.loop_kit = args.next().map(PathBuf::from),
                "--drain" => options.drain = args.next().and_then(|n| n.parse().ok()).expect("--drain N"),
                "--idle" => {
                    options.idle_seconds = args.next().and_then(|n| n.parse().ok()).expect("--idle SECONDS")
                }
                "--ours-only" => options.ours_only = true,
                section => options.sections.push(section.to_owned()),
            }
        }
        options.planfile =
            options.planfile.map(|python| python.with_file_name("planfile")).filter(|path| path.is_file());
        options.loop_kit = options.loop_kit.filter(|path| path.is_file());
        options
    }

    fn wants(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|wanted| wanted == section)
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let Some((agents::SPEAK, words)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return agents::speak(words);
    }
    let options = Options::from_args();
    let mut report = Report::default();
    let sections: [(&str, Section); 16] = [
        ("lifecycle", verbs::lifecycle),
        ("mutation", verbs::mutation),
        ("list", verbs::list),
        ("drain", verbs::drain),
        ("start", console::start),
        ("keys", console::keys),
        ("idle", console::idle),
        ("watch", console::watch),
        ("memory", console::memory),
        ("streams", streams::streams),
        ("session", session::session),
        ("agents", agents::flooded),
        ("first", agents::first),
        ("open", transcripts::opened),
        ("rounds", rounds::rounds),
        ("diffs", diffs::diffs),
    ];
    for (name, run) in sections {
        if options.wants(name) {
            eprintln!("… {name}");
            run(&options, &mut report);
        }
    }
    println!("{}", report.table());
    if report.missed() {
        std::process::exit(1);
    }
}
