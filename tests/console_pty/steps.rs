//! Steps that the scripts of this suite have in common.

use crate::support::modes::{self, Modes};
use crate::support::project::Project;
use crate::support::pty::{Launch, Terminal};
use crate::support::script::until_exists;
use crate::support::wait;

/// Opens the console on a project at 120 columns by 40 rows and waits for its first ticket.
#[track_caller]
pub(crate) fn open(project: &Project) -> Terminal {
    let terminal = Launch::koru(project.path(), &[]).size(120, 40).start();
    terminal.wait_for("PLF-001");
    terminal
}

/// As [`open`], with this `$SHELL` and what it writes before each command.
#[track_caller]
pub(crate) fn open_as(project: &Project, shell: &str, prompt: &str) -> Terminal {
    let launch = Launch::koru(project.path(), &[]).env("SHELL", shell).env("PS1", format!("{prompt} "));
    let terminal = launch.size(120, 40).start();
    terminal.wait_for("PLF-001");
    terminal
}

/// The detail pane of a 120×40 board: the lower left.
fn detail(screen: &str) -> String {
    screen.lines().skip(24).map(|line| line.chars().take(50).collect::<String>() + "\n").collect()
}

/// The row of a ticket in the queue pane: the upper left.
fn row_of(screen: &str, id: &str) -> Option<usize> {
    screen.lines().take(24).position(|line| line.chars().take(12).collect::<String>().contains(id))
}

/// Goes up or down the queue until the detail pane is about this ticket.
#[track_caller]
pub(crate) fn select(terminal: &Terminal, id: &str) {
    terminal.wait_until(&format!("a row of {id}"), |screen| row_of(screen, id).is_some());
    for _ in 0..20 {
        let screen = terminal.text();
        let before = detail(&screen);
        // The second line of the pane says whose detail it is.
        let title = before.lines().nth(1).unwrap_or_default().to_owned();
        if title.contains(id) {
            return;
        }
        let now = title.split_whitespace().next().and_then(|selected| row_of(&screen, selected));
        terminal.send(if now > row_of(&screen, id) { "k" } else { "j" });
        terminal.wait_until("the selection to move", |screen| detail(screen) != before);
    }
    panic!("{id} cannot be selected:\n{}", terminal.text());
}

/// Leaves by key and checks what is left behind.
#[track_caller]
pub(crate) fn quit(mut terminal: Terminal) {
    terminal.send("q");
    assert_left_well(&mut terminal, 0);
}

/// Waits for the end, and checks the exit code and that the terminal is as a shell wants it.
#[track_caller]
pub(crate) fn assert_left_well(terminal: &mut Terminal, code: u32) {
    let status = terminal.wait_exit();
    assert_eq!((status.exit_code(), status.signal()), (code, None), "{}", terminal.text());
    assert_restored(terminal);
}

/// The terminal is as a shell wants it: no mode left on, canonical input with echo.
#[track_caller]
pub(crate) fn assert_restored(terminal: &Terminal) {
    assert_eq!(modes::left_by(&terminal.raw()), Modes::default());
    assert!(terminal.is_cooked(), "the line discipline is still raw");
}

/// Waits until a ticket's record on disk has this status.
#[track_caller]
pub(crate) fn wait_status(project: &Project, id: &str, status: &str) {
    let mut last = String::new();
    wait::until(&format!("{id} to be {status} on disk"), || {
        let word = project.record(id)["status"].as_str().unwrap_or_default().to_owned();
        if word != last {
            println!("{id} is {word}");
            last.clone_from(&word);
        }
        (word == status).then_some(())
    });
}

/// What [`waits_for_go`] prints first. The script spells it otherwise, as the detail pane shows scripts.
pub(crate) const STARTED: &str = "up and running";

/// A shell script that says its pid in the file `pid`, prints [`STARTED`], and goes on when the file `go` appears
/// (see [`until_exists`] for when it does not).
pub(crate) fn waits_for_go(then: &str) -> String {
    format!("echo $$ > pid; echo up 'and' running; {}; {then}", until_exists("go"))
}
