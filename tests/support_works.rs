#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! The harness itself: a suite that cannot see a defect proves nothing, so its own eyes are tested first.

mod support;

use support::modes::{self, Modes};
use support::project::{Project, human, shell};
use support::pty::Launch;
use support::{peer, svg};

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
    let script = "trap 'stty size' WINCH; echo up; while :; do read line || :; done";
    let terminal = Launch::program("/bin/sh", project.path(), &["-c", script]).size(60, 12).start();
    terminal.wait_for("up");
    terminal.resize(33, 7);
    terminal.send("\r");
    terminal.wait_for("7 33");
}

#[test]
fn a_closed_window_is_felt_by_the_program() {
    let project = Project::bare();
    let script =
        "trap 'echo size' WINCH; trap 'echo hung up > hung; exit' HUP; echo up; while :; do sleep 0.02; done";
    let mut terminal = Launch::program("/bin/sh", project.path(), &["-c", script]).start();
    terminal.wait_for("up");
    terminal.hang_up();
    terminal.wait_exit();
    assert_eq!(project.read("hung"), "hung up\n");
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
