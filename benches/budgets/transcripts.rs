//! Opening the run of an earlier session whose transcript has a gigabyte: time to the first paint of its end and of its
//! beginning, and memory.

use std::fs;
use std::os::fd::AsFd as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use koru_tui::execute::output::{Channel, OutputLine};
use koru_tui::execute::transcript::TranscriptWriter;
use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};
use nix::sys::signal::Signal;

use crate::Options;
use crate::agents::resident;
use crate::console::{SIZE, settle};
use crate::leftover;
use crate::measure::{Report, Samples, shown};
use crate::planfiles::Project;
use crate::pty::{Launch, Terminal};

/// Bytes of the transcript.
const BYTES: u64 = 1_000_000_000;

/// Openings of each kind.
const ROUNDS: usize = 9;

fn open(project: &Project) -> Terminal {
    Launch::koru(&project.path(), &[]).size(SIZE.0, SIZE.1).start()
}

/// A project whose only ticket's run lost its console: the next one shows it as interrupted.
fn interrupted() -> (Project, PathBuf) {
    let project = Project::new(1, |_| "echo be''gun; sleep 60".to_owned());
    let mut terminal = Launch::koru(&project.path(), &["open"]).size(SIZE.0, SIZE.1).start();
    terminal.wait_for("bulk ticket 0001");
    terminal.send("w");
    terminal.wait_for("begun");
    terminal.signal(Signal::SIGKILL);
    terminal.wait_exit();
    leftover::kill_all(|| leftover::of_folder(project.path().parent().unwrap()));
    let runs = fs::read_dir(project.path().join(".planfile/.koru/runs")).unwrap().flatten();
    let run = runs.map(|entry| entry.path()).find(|path| path.is_dir()).expect("the run's folder");
    (project, run)
}

/// Writes a transcript of so many bytes in place of the one that is there.
fn write(run: &Path, bytes: u64) -> u64 {
    let path = run.join("transcript.jsonl");
    for old in [&path, &path.with_extension("places")] {
        let _ = fs::remove_file(old);
    }
    let mut writer = TranscriptWriter::new(path.clone(), "bench");
    let mut count = 0;
    while fs::metadata(&path).map_or(0, |file| file.len()) < bytes {
        let line = |n: u64| {
            let text = format!(
                "line {n} of a build that says much about little, as builds do, and more than is read"
            );
            OutputLine::new(n, Channel::Out, text)
        };
        let lines: Vec<OutputLine> = (count..count + 10_000).map(line).collect();
        writer.append(&lines).unwrap();
        count += 10_000;
    }
    count
}

/// Puts the file out of the page cache.
fn forget(path: &Path) {
    let file = fs::File::open(path).unwrap();
    file.sync_all().unwrap();
    posix_fadvise(file.as_fd(), 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED).unwrap();
}

/// See the module.
pub fn opened(_: &Options, report: &mut Report) {
    let (project, run) = interrupted();
    let small = {
        write(&run, 1);
        let terminal = open(&project);
        terminal.wait_for("line 9999 of");
        settle(&terminal);
        resident(&terminal, "VmRSS:")
    };
    let count = write(&run, BYTES);
    let last = format!("line {} of", count - 1);
    let limit = Duration::from_millis(200);
    let (mut warm, mut cold, mut home) = (Samples::default(), Samples::default(), Samples::default());
    let mut most = 0.0_f64;
    for round in 0..ROUNDS * 2 {
        if round % 2 == 1 {
            forget(&run.join("transcript.jsonl"));
            forget(&run.join("transcript.places"));
        }
        let started = Instant::now();
        let terminal = open(&project);
        terminal.wait_for(&last);
        if round % 2 == 1 { &mut cold } else { &mut warm }.push(started.elapsed());
        settle(&terminal);
        // To the output pane, and to its beginning.
        terminal.send("\t");
        settle(&terminal);
        let sent = Instant::now();
        terminal.send("\x1b[H");
        terminal.wait_for("line 0 of");
        home.push(sent.elapsed());
        most = most.max(resident(&terminal, "VmHWM:"));
    }
    let what = "a transcript of 1 GB of an earlier session";
    for (samples, how) in [(&warm, "in the page cache"), (&cold, "not in the page cache")] {
        report.row(
            &format!("{what}, {how}: program started → its end painted"),
            format!(
                "p50 {}, slowest {} (n={})",
                shown(samples.percentile(50)),
                shown(samples.percentile(100)),
                samples.len()
            ),
            String::new(),
            "≤ 200 ms".to_owned(),
            Some(samples.percentile(100) <= limit),
        );
    }
    report.p99("the same: key → its beginning painted", &home, limit);
    let index = (count as f64 / 64.0 * 8.0 + count as f64) / (1024.0 * 1024.0);
    report.row(
        "the same: memory",
        format!("peak {most:.1} MB; with 1 MB of transcript {small:.1} MB; index {index:.1} MB"),
        String::new(),
        "≤ 40 MB more than the index".to_owned(),
        Some(most - small - index <= 40.0),
    );
}
