//! A shell in the worktree of an agent's run: the terminal is lent, the agent works on, and however the shell ends the
//! console takes the terminal back.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::steps::{assert_restored, open_as, quit, wait_status};
use crate::support::project::{Project, shell};
use crate::support::pty::{Launch, Terminal};
use crate::support::wait;

/// What the shell writes before each command.
const PROMPT: &str = "in-worktree>";

/// A project whose one agent changes a file, says so, and ends when the file `go` appears beside the project.
fn project() -> Project {
    let project = Project::with(&[shell("PLF-001", "greet the world", "true")]);
    let go = project.around().join("go");
    let script = format!(
        "echo world > hello.txt; echo 'hello is written'; n=0\nwhile [ ! -e {go} ] && [ $n -lt 1200 ]; do n=$((n + 1)); \
         sleep 0.05; done\necho 'and it is good'\n",
        go = go.display()
    );
    let agent = project.around().join("agent");
    std::fs::write(&agent, script).unwrap();
    let config = format!(
        "roles: {{worker: helper}}\nagents:\n  helper:\n    kind: custom\n    args: [/bin/sh, {}, '{{prompt}}']\n",
        agent.display()
    );
    project.write(".planfile/.koru/config.yaml", &config);
    project.write(
        ".planfile/.koru/policy.yaml",
        "llm:\n  require_ci_pass_before_complete: true\nci:\n  command: grep -q world hello.txt\n",
    );
    project
}

fn go(project: &Project) {
    std::fs::write(project.around().join("go"), "").unwrap();
}

/// Hands the ticket to the agent by key and waits until it works.
#[track_caller]
fn delegate(terminal: &Terminal) {
    terminal.send("D");
    terminal.wait_for("who works PLF-001?");
    terminal.send("\r");
    // A note is not needed.
    terminal.wait_for("[ Start ]");
    terminal.send("\x13");
    terminal.wait_for("hello is written");
}

/// Opens the shell by key: it has the terminal, as a shell wants it.
#[track_caller]
fn attach(terminal: &Terminal) {
    terminal.send("!");
    terminal.wait_for(PROMPT);
    assert!(!terminal.screen().alternate_screen(), "{}", terminal.text());
    assert_restored(terminal);
}

/// The console has the terminal again, and reads keys.
#[track_caller]
fn assert_back(terminal: &Terminal) {
    terminal.wait_until("the console", |screen| screen.contains("QUEUE") && screen.contains("PLF-001"));
    assert!(terminal.screen().alternate_screen());
    wait::until("keys to be read raw", || (!terminal.is_cooked()).then_some(()));
    terminal.send("?");
    terminal.wait_for("keys that work here");
    terminal.send("?");
    terminal.wait_gone("keys that work here");
}

#[test]
fn a_shell_in_the_worktree_has_the_terminal_while_the_agent_works_on() {
    let project = project();
    let terminal = open_as(&project, "/bin/sh", PROMPT);
    delegate(&terminal);
    attach(&terminal);
    terminal.send(
        "echo at=$(basename \"$(dirname \"$PWD\")\")/$(basename \"$PWD\") on=$(git branch --show-current)\r",
    );
    terminal.wait_for("at=worktrees/PLF-001 on=koru/PLF-001");
    terminal.send("echo said=$(cat hello.txt)\r");
    terminal.wait_for("said=world");
    // An interrupt is the shell's, also while nothing runs in it.
    terminal.send("\x03");
    // What is typed before the next prompt is thrown away with the line.
    terminal.wait_until("a prompt after the interrupt", |screen| {
        screen.contains("^C") && screen.trim_end().ends_with(&format!("\n{PROMPT}"))
    });
    terminal.send("echo still=$((40 + 2))\r");
    terminal.wait_for("still=42");
    go(&project);
    wait_status(&project, "PLF-001", "done");
    // What was heard meanwhile is not drawn over the shell.
    terminal.send("echo end=$((40 + 3))\r");
    terminal.wait_for("end=43");
    assert!(
        !terminal.screen().alternate_screen() && !terminal.text().contains("QUEUE"),
        "{}",
        terminal.text()
    );
    terminal.send("exit 3\r");
    terminal.wait_for("1 done");
    assert_back(&terminal);
    // Once more, of a run that is over: finished tickets are folded away.
    terminal.send("f");
    terminal.wait_for("PLF-001  greet the world");
    attach(&terminal);
    terminal.send("exit\r");
    assert_back(&terminal);
    quit(terminal);
}

#[test]
fn a_shell_that_is_killed_gives_the_terminal_back_all_the_same() {
    let project = project();
    // A shell with job control makes itself the foreground and, killed, does not undo that.
    let terminal = open_as(&project, "/bin/bash", PROMPT);
    delegate(&terminal);
    terminal.send("!");
    // What it writes before a command depends on the machine's own files.
    terminal.wait_gone("QUEUE");
    terminal.send("kill -KILL $$\r");
    assert_back(&terminal);
    go(&project);
    wait_status(&project, "PLF-001", "done");
    terminal.wait_for("1 done");
    quit(terminal);
}

#[test]
fn a_console_that_must_go_takes_the_shell_along() {
    let project = project();
    // Under a shell, as in life: two of them must not be left with one terminal.
    let outer = Launch::program("bash", project.path(), &["--norc", "--noprofile", "-i"]);
    let outer = outer.env("PS1", "outer> ").env("SHELL", "/bin/sh");
    let mut terminal = outer.size(120, 40).start();
    terminal.wait_for("outer>");
    terminal.send(&format!("PS1='{PROMPT} ' {}\r", env!("CARGO_BIN_EXE_koru-tui")));
    terminal.wait_for("PLF-001");
    delegate(&terminal);
    attach(&terminal);
    terminal.send("echo $$ $PPID > ../../../../pids\r");
    let pids = wait::text_in(&project.path().join("pids"));
    let (inner, console) = pids.split_once(' ').unwrap();
    kill(Pid::from_raw(console.parse().unwrap()), Signal::SIGTERM).unwrap();
    wait::gone(console);
    wait::gone(inner);
    terminal.send("echo cooked=$(stty -a | grep -c ' icanon')\r");
    terminal.wait_for("cooked=1");
    assert!(!terminal.screen().alternate_screen(), "{}", terminal.text());
    terminal.send("exit 7\r");
    assert_eq!(terminal.wait_exit().exit_code(), 7);
    assert_eq!(project.record("PLF-001")["status"], "open", "its ticket can be run again");
}
