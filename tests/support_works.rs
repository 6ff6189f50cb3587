#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The harness itself: a suite that cannot see a defect proves nothing, so its own eyes are tested first.

mod support;

use support::modes::{self, Modes};
use support::project::{Project, human, shell};
use support::pty::Launch;
use support::{leftover, peer, svg, wait};

#[test]
fn a_program_is_typed_to_and_its_screen_is_read() {
    let project = Project::bare();
    let script = "printf 'ready\\n'; read line; printf 'got <%s>\\n' \"$line\"; exit 3";
    let mut terminal = Launch::program("/bin/sh", project.path(), &["-c", script]).size(40, 10).start();
    terminal.wait_for("ready");
    terminal.send("zażółć\r");
    terminal.wait_for("got <zażółć>");
    assert_eq!(terminal.wait_exit().exit_code(), 3);
}

#[test]
fn a_question_to_the_terminal_is_answered() {
    let project = Project::bare();
    let script = "stty raw -echo; printf '\\033[6n'; dd bs=1 count=6 2>/dev/null | od -An -c; stty sane";
    let terminal = Launch::program("/bin/sh", project.path(), &["-c", script]).start();
    terminal.wait_for("033   [   1   ;   1   R");
}

#[test]
fn modes_that_are_left_on_are_seen() {
    assert_eq!(
        modes::left_by(b"\x1b[?1049h\x1b[?25l\x1b[?2004hx\x1b[?2004l\x1b[?25h\x1b[?1049l"),
        Modes::default()
    );
    assert_eq!(
        modes::left_by(b"\x1b[?1049h\x1b[?25l\x1b[?1000;1006h\x1b[>1u"),
        Modes { private: vec![25, 1000, 1006, 1049], keyboard: 1 }
    );
}

#[test]
fn the_size_of_the_window_reaches_the_program() {
    let project = Project::bare();
    let script = "trap 'stty size' WINCH; echo up; for i in $(seq 100); do read line || :; done";
    let terminal = Launch::program("/bin/sh", project.path(), &["-c", script]).size(60, 12).start();
    terminal.wait_for("up");
    terminal.resize(33, 7);
    terminal.send("\r");
    terminal.wait_for("7 33");
}

#[test]
fn a_closed_window_is_felt_by_the_program() {
    let project = Project::bare();
    let script = "trap 'echo size' WINCH; trap 'echo hung up > hung; exit' HUP; echo up; for i in $(seq 2000); do sleep 0.02; done";
    let mut terminal = Launch::program("/bin/sh", project.path(), &["-c", script]).start();
    terminal.wait_for("up");
    terminal.hang_up();
    terminal.wait_exit();
    assert_eq!(project.read("hung"), "hung up\n");
}

/// A process in a session of its own that only its environment or its working folder tells as one of `project`'s.
fn stray(project: &Project, script: &str) -> std::process::Child {
    let mut command = std::process::Command::new("setsid");
    command.args(["--wait", "sh", "-c", script]).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    if script.contains("cd /") {
        command.env("HOME", project.home());
    }
    command.current_dir(project.path()).spawn().unwrap()
}

#[test]
fn whoever_is_left_behind_is_seen_and_ended_and_nobody_else_is() {
    let (project, other) = (Project::bare(), Project::bare());
    let ours = || leftover::of_folder(project.around());
    let theirs = || leftover::of_folder(other.around());
    assert_eq!((ours(), theirs()), (vec![], vec![]));
    let mut strays = vec![
        stray(&project, "echo > by-folder; sleep 30; true"),
        stray(&project, "echo > by-environment; cd /; sleep 30; true"),
    ];
    strays.push(stray(&other, "echo > up; sleep 30; true"));
    for (project, file) in [(&project, "by-folder"), (&project, "by-environment"), (&other, "up")] {
        wait::until(file, || project.path().join(file).exists().then_some(()));
    }
    let lines = |found: Vec<leftover::Found>| found.into_iter().map(|(_, line)| line).collect::<String>();
    let seen = lines(ours());
    assert!(
        seen.contains("by-folder") && seen.contains("by-environment") && !seen.contains("> up"),
        "{seen}"
    );
    leftover::kill_all(ours);
    assert_eq!(ours(), vec![]);
    assert!(lines(theirs()).contains("> up"), "a stranger was ended");

    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(other)));
    let message = *end.expect_err("the end of a folder that is lived in fails").downcast::<String>().unwrap();
    assert!(message.starts_with("the test left these behind: [") && message.contains("> up"), "{message}");
    for stray in &mut strays {
        stray.wait().unwrap();
    }
}

#[test]
fn a_program_that_leaves_somebody_behind_is_told_of() {
    let project = Project::bare();
    // Before it has a session of its own it would hear the end of the terminal.
    let script = "KORU_TUI_SPAWN=$$-1-0 setsid sh -c 'echo > up; sleep 30; true' & \
                  for i in $(seq 500); do [ -e up ] && break; sleep 0.02; done; echo left";
    let mut terminal = Launch::program("/bin/sh", project.path(), &["-c", script]).start();
    terminal.wait_for("left");
    assert!(terminal.wait_exit().success());
    let end = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| drop(terminal)));
    let message = *end.expect_err("it is told of").downcast::<String>().unwrap();
    assert!(message.starts_with("the program left by itself and these behind: ["), "{message}");
    assert_eq!(leftover::of_folder(project.around()), vec![], "and it was ended");
}

#[test]
fn a_program_is_asked_to_leave_before_it_is_killed() {
    let project = Project::bare();
    let script = "trap 'echo asked > asked; exit' TERM; echo up; for i in $(seq 2000); do sleep 0.02; done";
    let terminal = Launch::program("/bin/sh", project.path(), &["-c", script]).start();
    terminal.wait_for("up");
    drop(terminal);
    assert_eq!(project.read("asked"), "asked\n");
}

#[test]
fn a_picture_keeps_text_and_colours() {
    let mut emulator = vt100::Parser::new(2.try_into().unwrap(), 10.try_into().unwrap(), 0);
    emulator.process(b"a<b \x1b[1;31mred\x1b[0m\r\n\x1b[48;2;1;2;3mx");
    let picture = svg::picture(emulator.screen(), "T");
    assert!(picture.contains(">a&lt;b </text>"), "{picture}");
    assert!(picture.contains("fill=\"#e06c75\" font-weight=\"bold\">red</text>"), "{picture}");
    assert!(picture.contains("fill=\"#010203\"/>"), "{picture}");
}

#[test]
fn planfile_reads_the_projects_that_we_build() {
    let Some(planfile) = peer::planfile() else { return };
    let project = Project::with(&[
        shell("PLF-001", "say: \"hello\"", "echo hello").priority("high").label("bug").file("src/a.rs"),
        human("PLF-002", "choose", "which?\nsecond line").blocked_by("PLF-001").execution("max_attempts: 3"),
    ]);
    let listed: serde_json::Value =
        serde_json::from_str(&project.planfile(&planfile, &["ticket", "list", "--format", "json"])).unwrap();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|ticket| ticket["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["say: \"hello\"", "choose"]);
    let next: serde_json::Value =
        serde_json::from_str(&project.planfile(&planfile, &["ticket", "next", "--format", "json"])).unwrap();
    assert_eq!(next["id"], "PLF-001");
    assert_eq!(next["inputs"]["script"], "echo hello");
}
