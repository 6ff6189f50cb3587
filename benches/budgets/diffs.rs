//! The review of a diff of a hundred thousand changed lines: over many files and in one file. Key to the first painted
//! text, beside `git diff --stat` of the same range in the same run; then keys that scroll through it; then leaving it
//! while it is still compared.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use koru_tui::execute::isolation;
use koru_tui::plan::ticket::TicketId;

use crate::Options;
use crate::console::{SIZE, settle};
use crate::measure::{Report, Samples, interleave, shown, wall};
use crate::planfiles::{Project, id};
use crate::pty::{Launch, Terminal};

/// Openings.
const ROUNDS: usize = 11;

/// Keys of each kind that scroll.
const KEYS: usize = 200;

/// Changed lines in all, removed and added together.
const CHANGED: usize = 100_000;

/// What a first paint may take beyond `git diff --stat`.
const MORE: Duration = Duration::from_millis(50);

/// What the first line of the first change says: one that was removed.
const MARK: &str = "let first_of_all = 0";

/// See the module.
pub fn diffs(_: &Options, report: &mut Report) {
    for files in [100, 1] {
        let project = changed(files);
        let terminal = Launch::koru(&project.path(), &[]).size(SIZE.0, SIZE.1).start();
        terminal.wait_for("bulk ticket 0001");
        let what = format!("{CHANGED} changed lines in {files} files");
        open(report, &what, &project, &terminal);
        scroll(report, &what, &terminal);
        leave(report, &what, &terminal);
    }
}

/// A line of Rust; `word` differs between the two states.
fn line(file: usize, line: usize, word: &str) -> String {
    match line {
        0 => format!("    let first_of_all = {};\n", if word == "now" { 1 } else { 0 }),
        line => format!("    let value_{line} = call_{file}(\"{word} {line}\", {line}); // says little\n"),
    }
}

/// A project whose ticket's branch changed `files` files, each wholly.
fn changed(files: usize) -> Project {
    let project = Project::new(1, |_| "true".to_owned());
    let root = project.path();
    let lines = CHANGED / 2 / files;
    let write = |root: &Path, word: &str| {
        for file in 0..files {
            let text: String = (0..lines).map(|number| line(file, number, word)).collect();
            let path = root.join(format!("src/part_{file:03}.rs"));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
    };
    std::fs::write(root.join(".gitignore"), ".planfile/.koru/\n").unwrap();
    write(&root, "before");
    git(&root, &["add", "-A"]);
    git(&root, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "one"]);
    let (worktree, _) = isolation::prepare(&root, &TicketId::new(id(1)), None).unwrap();
    write(&worktree.path, "now");
    git(&worktree.path, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qam", "two"]);
    project
}

fn git(folder: &Path, args: &[&str]) {
    wall(Command::new("git").args(args).current_dir(folder));
}

/// Key to the text of the first file, against `git diff --stat`.
fn open(report: &mut Report, what: &str, project: &Project, terminal: &Terminal) {
    let root = project.path();
    let range = format!("HEAD...refs/heads/koru/{}", id(1));
    let paint = || {
        settle(terminal);
        let sent = Instant::now();
        terminal.send("d");
        terminal.wait_for(MARK);
        let took = sent.elapsed();
        // All of it is counted before the next round begins.
        terminal.wait_gone("counting");
        terminal.send("\x1b");
        terminal.wait_for("bulk ticket 0001");
        took
    };
    let stat = || wall(Command::new("git").args(["diff", "--stat", &range]).current_dir(&root));
    let (ours, peer) = interleave(ROUNDS, paint, stat);
    let (of_ours, of_peer) = (ours.percentile(50), peer.percentile(50));
    report.row(
        &format!("{what}: key → text painted"),
        format!("p50 {} (n={})", shown(of_ours), ours.len()),
        format!("`git diff --stat`: p50 {} (n={})", shown(of_peer), peer.len()),
        "≤ the peer + 50 ms".to_owned(),
        Some(of_ours <= of_peer + MORE),
    );
}

/// Keys that scroll, each to the first byte that answers it: single lines, whole pages, changes, both ends.
fn scroll(report: &mut Report, what: &str, terminal: &Terminal) {
    terminal.send("d");
    terminal.wait_for(MARK);
    for (name, keys) in [("lines", ["j", "k"]), ("pages", ["\x1b[6~", "\x1b[6~"]), ("ends", ["G", "\x1b[H"])]
    {
        let mut samples = Samples::default();
        for number in 0..KEYS {
            let before = terminal.written();
            let sent = Instant::now();
            terminal.send(keys[number % 2]);
            terminal.wait_written(before);
            samples.push(terminal.arrival_after(before).unwrap().duration_since(sent));
            // Colours come later and are painted for themselves.
            settle(terminal);
        }
        report.p99(&format!("{what}: {name}, key → paint"), &samples, Duration::from_micros(16_700));
        terminal.send("\x1b[H");
        settle(terminal);
    }
    terminal.send("\x1b");
    terminal.wait_for("bulk ticket 0001");
}

/// Opened and left at once: the way back does not wait for what is compared.
fn leave(report: &mut Report, what: &str, terminal: &Terminal) {
    let mut samples = Samples::default();
    for _ in 0..ROUNDS {
        settle(terminal);
        terminal.send("d");
        terminal.wait_until("the review", |screen| !screen.contains("bulk ticket 0001"));
        let sent = Instant::now();
        terminal.send("\x1b");
        terminal.wait_for("bulk ticket 0001");
        samples.push(sent.elapsed());
    }
    // A lone Esc is held back for a moment, as it may begin a key.
    report.p99(&format!("{what}: left while it opens"), &samples, Duration::from_millis(100));
}
