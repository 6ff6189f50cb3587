//! However the console ends, the terminal is given back and nobody is left running.

use nix::sys::signal::Signal;

use crate::steps::{STARTED, assert_left_well, assert_restored, open, waits_for_go};
use crate::support::project::{Project, shell};
use crate::support::pty::{Launch, Terminal};
use crate::support::wait;

fn busy() -> Project {
    Project::with(&[shell("PLF-001", "long build", &waits_for_go("true"))])
}

/// Starts the one ticket of [`busy`] and gives the pid of its script.
#[track_caller]
fn start_run(project: &Project, terminal: &Terminal) -> String {
    terminal.send("s");
    terminal.wait_for(STARTED);
    wait::text_in(&project.path().join("pid"))
}

#[test]
fn quitting_restores_the_terminal() {
    let project = Project::with(&[shell("PLF-001", "nothing", "true")]);
    let mut terminal = open(&project);
    assert!(!terminal.is_cooked(), "the console reads keys raw");
    assert!(terminal.screen().alternate_screen());
    terminal.send("q");
    assert_left_well(&mut terminal, 0);
}

#[test]
fn quitting_with_a_run_asks_and_leaves_nobody_behind() {
    let project = busy();
    let mut terminal = open(&project);
    let pid = start_run(&project, &terminal);
    terminal.send("q");
    terminal.wait_for("still active");
    assert!(wait::is_alive(&pid), "asking stops nothing");
    terminal.send("\x1b");
    terminal.wait_gone("still active");
    assert!(wait::is_alive(&pid));
    terminal.send("q");
    terminal.wait_for("still active");
    terminal.send("s");
    assert_left_well(&mut terminal, 0);
    wait::gone(&pid);
    assert_eq!(project.record("PLF-001")["status"], "open", "its ticket can be run again");
}

#[test]
fn a_termination_signal_is_an_orderly_exit() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP, Signal::SIGINT] {
        let project = busy();
        let mut terminal = open(&project);
        let pid = start_run(&project, &terminal);
        terminal.signal(signal);
        let status = terminal.wait_exit();
        assert!(status.signal().is_none(), "{signal}: it died of the signal instead of leaving");
        assert_restored(&terminal);
        wait::gone(&pid);
    }
}

#[test]
fn a_window_that_closes_ends_the_console() {
    // Several times: it depends on the moment which thread of the console is the first to read a terminal that is gone.
    for _ in 0..5 {
        let project = busy();
        let mut terminal = open(&project);
        let pid = start_run(&project, &terminal);
        terminal.hang_up();
        terminal.wait_exit();
        wait::gone(&pid);
        assert_eq!(project.record("PLF-001")["status"], "open", "its ticket can be run again");
    }
}

#[test]
fn suspending_gives_the_shell_its_terminal_and_coming_back_redraws() {
    let project = Project::with(&[shell("PLF-001", "nothing", "true")]);
    let shell =
        Launch::program("bash", project.path(), &["--norc", "--noprofile", "-i"]).env("PS1", "shell> ");
    let mut terminal = shell.size(120, 40).start();
    terminal.wait_for("shell>");
    terminal.send(&format!("{}\r", env!("CARGO_BIN_EXE_koru-tui")));
    terminal.wait_for("PLF-001");
    terminal.send("\x1a");
    terminal.wait_for("Stopped");
    assert!(!terminal.screen().alternate_screen(), "{}", terminal.text());
    terminal.send("echo cooked=$(stty -a | grep -c ' icanon')\r");
    terminal.wait_for("cooked=1");
    terminal.send("fg\r");
    terminal.wait_for("PLF-001");
    assert!(terminal.screen().alternate_screen());
    terminal.send("q");
    terminal.wait_until("the shell's screen again", |screen| screen.contains("cooked=1"));
    terminal.send("exit 7\r");
    assert_eq!(terminal.wait_exit().exit_code(), 7);
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_speaks() {
    let project = Project::with(&[shell("PLF-001", "nothing", "true")]);
    let mut terminal =
        Launch::koru(project.path(), &[]).env("KORU_TUI_FAULT", "panic@frame:1").size(120, 40).start();
    // The one frame that comes whatever is read and however soon: the modes are set by then, nothing is drawn.
    assert_left_well(&mut terminal, 70);
    let raw = terminal.raw();
    let place = |part: &[u8]| raw.windows(part.len()).rposition(|window| window == part);
    let message = place(b"injected before frame 1").expect("the message is printed");
    let left = place(b"\x1b[?1049l").expect("the alternate screen is left");
    assert!(left < message, "the message was drawn on the screen that went away");
    // Nothing but the end of the message itself comes after it.
    assert_eq!(
        String::from_utf8_lossy(&raw[message..]),
        "injected before frame 1; please report it\u{1b}[0m\r\n"
    );
    let text = terminal.text();
    assert!(text.contains("koru-tui: a bug of ours:") && text.contains("please report it"), "{text}");
    assert!(!text.contains("QUEUE"), "the board was drawn:\n{text}");
    let entered = raw.windows(8).position(|window| window == b"\x1b[?1049h");
    assert!(entered.is_some_and(|entered| entered < left), "the console had the screen");
}
