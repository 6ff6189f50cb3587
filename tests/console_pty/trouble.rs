//! What goes wrong around a console: it is killed, it is not alone, its window changes wildly.

use nix::sys::signal::Signal;

use crate::steps::{STARTED, open, quit, wait_status, waits_for_go};
use crate::support::project::{Project, shell};
use crate::support::pty::patience;
use crate::support::{leftover, wait};

#[test]
fn a_killed_console_leaves_an_interrupted_ticket_that_can_be_retried() {
    let project = Project::with(&[shell("PLF-001", "long build", &waits_for_go("echo finished"))]);
    let mut terminal = open(&project);
    terminal.send("s");
    terminal.wait_for(STARTED);
    let (pid, killed) = (wait::text_in(&project.path().join("pid")), terminal.pid());
    terminal.signal(Signal::SIGKILL);
    terminal.wait_exit();
    wait::gone(&pid);
    assert_eq!(project.record("PLF-001")["status"], "in_progress", "nobody was left to say otherwise");

    let terminal = open(&project);
    terminal.wait_for("interrupted");
    // The script's last `sleep` outlives it by a moment, and nothing is retried beside processes of the old run.
    leftover::wait_none(patience(), || leftover::of_console(killed));
    project.write("go", "");
    terminal.send("r");
    wait_status(&project, "PLF-001", "done");
    terminal.wait_for("1 done");
    quit(terminal);
}

#[test]
fn two_consoles_never_run_one_ticket_twice() {
    let tickets: Vec<_> = (1..=12)
        .map(|number| {
            shell(&format!("PLF-{number:03}"), "step", &format!("echo PLF-{number:03} >> ran; sleep 0.05"))
        })
        .collect();
    let project = Project::with(&tickets);
    let (first, second) = (open(&project), open(&project));
    first.send("w");
    second.send("w");
    for number in 1..=12 {
        wait_status(&project, &format!("PLF-{number:03}"), "done");
    }
    let ran = project.read("ran");
    let mut ran: Vec<&str> = ran.lines().collect();
    ran.sort_unstable();
    let expected: Vec<String> = (1..=12).map(|number| format!("PLF-{number:03}")).collect();
    assert_eq!(ran, expected);
    first.wait_until("no run is active", |screen| {
        !screen.contains("1 running") && !screen.contains("2 running")
    });
    second.wait_until("no run is active", |screen| {
        !screen.contains("1 running") && !screen.contains("2 running")
    });
    quit(first);
    quit(second);
}

#[test]
fn a_storm_of_sizes_does_no_harm() {
    let project = Project::with(&[
        shell("PLF-001", "a name that is too long for a small window, and then some more of it", "seq 100"),
        shell("PLF-002", "漢字 and emoji 👩‍👩‍👧 in a name", "true").blocked_by("PLF-001"),
    ]);
    let terminal = open(&project);
    // Each layer with something that only it says, and the key that closes it.
    let layers = [
        ("?", "keys that work here", "?"),
        (":", "every action", "\x1b"),
        ("n", "[ Create ]", "\x1b"),
        ("T", "monochrome", "\x1b"),
        ("z", "QUEUE", "z"),
        ("g", "QUEUE", "g"),
        ("s", "done (0)", ""),
    ];
    let sizes = [
        (200, 60),
        (20, 5),
        (80, 24),
        (1, 1),
        (33, 7),
        (2, 50),
        (200, 2),
        (59, 14),
        (60, 15),
        (119, 36),
        (20, 5),
    ];
    for (key, mark, close) in layers {
        terminal.send(key);
        terminal.wait_for(mark);
        for (columns, rows) in sizes {
            terminal.resize(columns, rows);
        }
        terminal.resize(120, 40);
        terminal.wait_for(mark);
        terminal.send(close);
        // A key right after Esc would be read as one with Alt.
        terminal
            .wait_until("the layer to close", |screen| !screen.contains(mark) || !close.starts_with('\x1b'));
    }
    terminal.wait_for("PLF-001");
    quit(terminal);
}
