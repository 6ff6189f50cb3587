//! The console in a real pseudo-terminal, against `less` on the same file: start, keys, silence, outside edits, memory.

use std::fs;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::Options;
use crate::measure::{Report, Samples, interleave};
use crate::planfiles::Project;
use crate::pty::{Launch, Terminal};

/// Columns and rows of the terminal.
pub const SIZE: (u16, u16) = (200, 60);

fn open(project: &Project) -> Terminal {
    Launch::koru(&project.path(), &[]).size(SIZE.0, SIZE.1).start()
}

fn less(project: &Project) -> Terminal {
    let file = project.current();
    Launch::program("less", &project.path(), &[file.to_str().unwrap()])
        .env("LESS", "")
        .size(SIZE.0, SIZE.1)
        .start()
}

fn has_less(report: &mut Report, what: &str) -> bool {
    let found = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default())
        .any(|folder| folder.join("less").is_file());
    if !found {
        report.skipped(what, "less");
    }
    found
}

/// First byte and all data, from the moment the program is started.
pub fn start(_: &Options, report: &mut Report) {
    if !has_less(report, "first frame") {
        return;
    }
    let project = Project::of_true(1_000);
    let first_byte = |start: &dyn Fn() -> Terminal| {
        let started = Instant::now();
        let terminal = start();
        terminal.wait_written(0);
        terminal.arrival_after(0).unwrap().duration_since(started)
    };
    let (ours, peer) = interleave(21, || first_byte(&|| open(&project)), || first_byte(&|| less(&project)));
    report.within("first frame, 1,000 tickets, 200×60", &ours, "`less` first byte", &peer, 3.0);

    let all_data = |start: &dyn Fn() -> Terminal, text: &str| {
        let started = Instant::now();
        let terminal = start();
        terminal.wait_for(text);
        started.elapsed()
    };
    let (ours, peer) = interleave(
        21,
        || all_data(&|| open(&project), "bulk ticket 0020"),
        || all_data(&|| less(&project), "PLF-001"),
    );
    report.within("all data on screen", &ours, "`less` first page", &peer, 10.0);
}

/// A key to the first byte that answers it.
fn key_to_byte(terminal: &Terminal, key: &str) -> Duration {
    let before = terminal.written();
    let sent = Instant::now();
    terminal.send(key);
    terminal.wait_written(before);
    terminal.arrival_after(before).unwrap().duration_since(sent)
}

/// Lets output that is still on its way arrive: a measurement must not begin inside the answer to the one before.
pub fn settle(terminal: &Terminal) {
    loop {
        let before = terminal.written();
        std::thread::sleep(Duration::from_millis(25));
        if terminal.written() == before {
            return;
        }
    }
}

/// Key to paint: at rest beside `less`, then while eight tickets print 1,000 lines a second each.
pub fn keys(_: &Options, report: &mut Report) {
    if !has_less(report, "key to paint") {
        return;
    }
    let project = Project::of_true(1_000);
    let (ours, peer) = (open(&project), less(&project));
    ours.wait_for("bulk ticket 0020");
    peer.wait_for("PLF-001");
    let (mut of_ours, mut of_peer) = (Samples::default(), Samples::default());
    for _ in 0..200 {
        for key in ["j", "k"] {
            settle(&ours);
            of_ours.push(key_to_byte(&ours, key));
            settle(&peer);
            of_peer.push(key_to_byte(&peer, key));
        }
    }
    report.within("key → paint, at rest", &of_ours, "`less`", &of_peer, 20.0);
    drop((ours, peer));

    let mut of_ours = Samples::default();
    let (noisy, terminal) = under_load();
    for _ in 0..150 {
        // The page of keys is unlike anything that a stream prints, so its paint cannot be mistaken.
        for (key, shown) in [("?", true), ("?", false)] {
            let sent = Instant::now();
            terminal.send(key);
            terminal
                .wait_until("the page of keys to come or go", |screen| screen.contains(HELP_MARK) == shown);
            of_ours.push(sent.elapsed());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    report.p99("key → paint, 8 streams × 1,000 lines/s", &of_ours, Duration::from_micros(16_700));
    drop(terminal);
    drop(noisy);
}

/// What the page of keys says and nothing else does.
const HELP_MARK: &str = "keys that work here";

/// A console with eight tickets that print 1,000 lines a second each, for a minute at most.
fn under_load() -> (Project, Terminal) {
    let project = Project::new(8, |number| {
        format!(
            "i=0; while [ $i -lt 600 ]; do seq -f 'stream {number} line %g of a build that says much about little' \
             100; sleep 0.1; i=$((i+1)); done"
        )
    });
    let terminal = Launch::koru(&project.path(), &["open", "--jobs", "8"]).size(SIZE.0, SIZE.1).start();
    terminal.wait_for("bulk ticket 0008");
    terminal.send("w");
    terminal.wait_for("8 running");
    (project, terminal)
}

/// A minute in which nothing happens: no frame, no child, no write.
pub fn idle(options: &Options, report: &mut Report) {
    let project = Project::of_true(1_000);
    let terminal = open(&project);
    terminal.wait_for("bulk ticket 0020");
    // The first seconds belong to start-up: the watcher settles, caches fill.
    std::thread::sleep(Duration::from_secs(3));
    let pid = terminal.pid().as_raw();
    let (bytes, before) = (terminal.written(), Counts::of(pid));
    std::thread::sleep(Duration::from_secs(options.idle_seconds));
    let after = Counts::of(pid);
    let seconds = options.idle_seconds;
    let zero = |report: &mut Report, what: &str, count: u64| {
        report.row(
            &format!("idle {seconds} s: {what}"),
            count.to_string(),
            String::new(),
            "0".to_owned(),
            Some(count == 0),
        );
    };
    zero(report, "bytes to the terminal (frames)", (terminal.written() - bytes) as u64);
    zero(report, "children started", after.children.saturating_sub(before.children));
    // eventfd and pipe wake-ups inside the process are writes to the kernel too; those of at most 8 bytes are its.
    zero(
        report,
        "bytes written beyond wake-ups",
        (after.bytes - before.bytes).saturating_sub(8 * (after.writes - before.writes)),
    );
    zero(report, "bytes that reach storage", after.stored - before.stored);
    let wakeups = (after.wakeups - before.wakeups) as f64 / seconds as f64;
    report.row(
        &format!("idle {seconds} s: wake-ups a second"),
        format!("{wakeups:.2}"),
        String::new(),
        "< 5".to_owned(),
        Some(wakeups < 5.0),
    );
}

/// What the kernel counted for a process.
struct Counts {
    bytes: u64,
    writes: u64,
    stored: u64,
    wakeups: u64,
    /// Children reaped so far cannot be seen from outside; their time can, and a child costs faults.
    children: u64,
}

impl Counts {
    fn of(pid: i32) -> Self {
        let io = fs::read_to_string(format!("/proc/{pid}/io")).unwrap();
        let field = |text: &str, name: &str| -> u64 {
            let line =
                text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
            line.split_whitespace().nth(1).unwrap().parse().unwrap()
        };
        let wakeups = fs::read_dir(format!("/proc/{pid}/task"))
            .unwrap()
            .map(|task| fs::read_to_string(task.unwrap().path().join("status")).unwrap_or_default())
            .filter(|status| !status.is_empty())
            .map(|status| field(&status, "voluntary_ctxt_switches:"))
            .sum();
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        // After the name in brackets: field 11 counts the minor faults of children that were waited for (cminflt).
        let children = stat.rsplit(')').next().unwrap().split_whitespace().nth(8).unwrap().parse().unwrap();
        Self {
            bytes: field(&io, "wchar:"),
            writes: field(&io, "syscw:"),
            stored: field(&io, "write_bytes:"),
            wakeups,
            children,
        }
    }
}

/// Another program replaces the sprint file; the new text is on the screen.
pub fn watch(_: &Options, report: &mut Report) {
    let project = Project::of_true(1_000);
    let terminal = open(&project);
    terminal.wait_for("bulk ticket 0020");
    let original = fs::read_to_string(project.current()).unwrap();
    let mut samples = Samples::default();
    for round in 0..200 {
        let name = format!("edited outside {round:04}");
        let text = original.replacen("name: bulk ticket 0001", &format!("name: {name}"), 1);
        let beside = project.current().with_file_name(".current.yaml.bench.tmp");
        fs::write(&beside, text).unwrap();
        settle(&terminal);
        let started = Instant::now();
        fs::rename(&beside, project.current()).unwrap();
        terminal.wait_for(&name);
        samples.push(started.elapsed());
    }
    report.p99("outside edit → painted, 1,000 tickets", &samples, Duration::from_millis(50));
}

/// Resident memory with 10,000 tickets on the board.
pub fn memory(_: &Options, report: &mut Report) {
    let project = Project::of_true(10_000);
    let mut terminal = open(&project);
    terminal.wait_for("bulk ticket 0020");
    settle(&terminal);
    let status = fs::read_to_string(format!("/proc/{}/status", terminal.pid())).unwrap();
    let kilobytes = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).expect("a memory field");
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let (resident, peak) = (kilobytes("VmRSS:") as f64 / 1024.0, kilobytes("VmHWM:") as f64 / 1024.0);
    report.row(
        "resident memory, 10,000 tickets",
        format!("{resident:.1} MB (peak {peak:.1} MB)"),
        String::new(),
        "≤ 60 MB".to_owned(),
        Some(resident <= 60.0),
    );
    terminal.signal(Signal::SIGTERM);
    terminal.wait_exit();
}
