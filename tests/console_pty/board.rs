//! A day's work on the board: open, watch, search, answer, retry, and what others do to the planfile meanwhile.

use std::fs;
use std::time::Duration;

use crate::steps::{STARTED, open, quit, select, wait_status, waits_for_go};
use crate::support::peer;
use crate::support::project::{Project, human, shell};
use crate::support::pty::{Launch, Terminal};
use crate::support::wait;

#[test]
fn the_board_opens_on_the_tickets_of_the_planfile() {
    let project = Project::with(&[
        shell("PLF-001", "run the linter", "true").priority("high"),
        human("PLF-002", "choose a licence", "which one?"),
        shell("PLF-003", "publish", "true").blocked_by("PLF-001"),
    ]);
    let terminal = open(&project);
    let screen = terminal.wait_for("publish");
    for text in ["run the linter", "choose a licence", "test-app", "main", "PLF-002"] {
        assert!(screen.contains(text), "no {text:?} on:\n{screen}");
    }
    quit(terminal);
}

#[test]
fn a_run_is_watched_live_and_ends_on_disk() {
    let project =
        Project::with(&[shell("PLF-001", "build", &waits_for_go("echo 'second' line; echo 'bad' news >&2"))]);
    let terminal = open(&project);
    terminal.send("s");
    terminal.wait_for(STARTED);
    assert_eq!(project.record("PLF-001")["status"], "in_progress");
    assert!(!terminal.text().contains("second line"));
    project.write("go", "");
    terminal.wait_for("second line");
    terminal.wait_for("bad news");
    terminal.wait_for("1 done");
    wait_status(&project, "PLF-001", "done");
    let record = project.record("PLF-001");
    assert_eq!(record["outputs"]["result"]["exit_code"], 0);
    assert_eq!(record["outputs"]["result"]["stdout"], "up and running\nsecond line\n");
    assert_eq!(record["execution"]["assigned_to"], serde_yaml::Value::Null);
    quit(terminal);
}

#[test]
fn output_is_searched_while_typing() {
    let script = "seq -f 'row %g' 300 | sed 's/^row 42$/& needle/'; echo 'the' end";
    let project = Project::with(&[shell("PLF-001", "print a lot", script)]);
    let terminal = open(&project);
    terminal.send("s");
    let tail = terminal.wait_for("the end");
    assert!(!tail.contains("row 42 needle"), "the hit must not be on the tail for this test:\n{tail}");
    // The output pane is the next one after the queue; what is typed is searched at once.
    terminal.wait_for("1 done");
    terminal.send("\t");
    terminal.send("/needle");
    terminal.wait_for("row 42 needle");
    terminal.send("\r");
    terminal.send("G");
    terminal.wait_for("the end");
    quit(terminal);
}

#[test]
fn a_human_ticket_is_answered_in_place_and_the_file_says_so() {
    let project = Project::with(&[human("PLF-001", "which flow?", "device code or PKCE?")]);
    let before = project.read(".planfile/sprints/current.yaml");
    let commented = before.replace("sprint:\n", "# kept by the operator\nsprint:\n");
    fs::write(project.current(), &commented).unwrap();
    let terminal = open(&project);
    terminal.send("a");
    terminal.wait_for("device code or PKCE?");
    terminal.send("PKCE by default;\rdevice code behind --device: yes");
    terminal.wait_for("device code behind --device: yes");
    assert_eq!(
        project.read(".planfile/sprints/current.yaml"),
        commented,
        "nothing is written before the answer is sent"
    );
    terminal.send("\x13");
    wait_status(&project, "PLF-001", "done");
    let outputs = serde_yaml::to_string(&project.record("PLF-001")["outputs"]).unwrap();
    for line in ["PKCE by default;", "device code behind --device: yes"] {
        assert!(outputs.contains(line), "no {line:?} in {outputs}");
    }
    assert!(project.read(".planfile/sprints/current.yaml").starts_with("# kept by the operator\n"));
    terminal.wait_gone("PKCE by default;");
    quit(terminal);
}

#[test]
fn a_failed_ticket_is_retried_by_key() {
    let script = "if [ -e fixed ]; then echo repaired; else echo 'it' broke >&2; exit 3; fi";
    let project = Project::with(&[shell("PLF-001", "flaky", script), shell("PLF-002", "other", "true")]);
    let terminal = open(&project);
    select(&terminal, "PLF-001");
    terminal.send("s");
    terminal.wait_for("it broke");
    wait_status(&project, "PLF-001", "failed");
    terminal.wait_for("1 failed");
    assert_eq!(project.record("PLF-001")["execution"]["last_error"], "it broke");
    project.write("fixed", "");
    select(&terminal, "PLF-001");
    terminal.send("r");
    terminal.wait_for("1 done");
    assert_eq!(project.record("PLF-001")["status"], "done");
    assert_eq!(project.record("PLF-002")["status"], "open", "only the selected ticket was run");
    quit(terminal);
}

#[test]
fn edits_by_the_real_planfile_appear() {
    let Some(planfile) = peer::planfile() else { return };
    let project = Project::with(&[shell("PLF-001", "first", "true"), shell("PLF-002", "second", "true")]);
    let terminal = open(&project);
    project.planfile(&planfile, &["ticket", "create", "made outside"]);
    terminal.wait_for("made outside");
    project.planfile(&planfile, &["ticket", "update", "PLF-002", "--name", "renamed outside"]);
    terminal.wait_for("renamed outside");
    terminal.wait_gone("second");
    quit(terminal);
}

#[test]
fn a_broken_file_is_announced_and_the_last_good_state_stays() {
    let project = Project::with(&[shell("PLF-001", "still here", "true")]);
    let good = project.read(".planfile/sprints/current.yaml");
    let terminal = open(&project);
    let broken = format!("{good}    PLF-002: [unclosed\n");
    fs::write(project.current(), &broken).unwrap();
    let screen = terminal.wait_until("the fault with file and line", |screen| {
        screen.contains("current.yaml") && screen.contains("line")
    });
    assert!(screen.contains("still here"), "{screen}");
    // A write is refused and the broken file is left as it stands.
    terminal.send("+");
    // A message that is longer than the last row takes the rows above it.
    terminal.wait_until("the refusal in the last rows", |screen| {
        screen.lines().rev().take(3).any(|row| row.contains("current.yaml: line"))
    });
    assert_eq!(project.read(".planfile/sprints/current.yaml"), broken);
    fs::write(project.current(), good.replace("still here", "repaired by hand")).unwrap();
    terminal.wait_for("repaired by hand");
    quit(terminal);
}

#[test]
fn a_folder_without_planfile_offers_to_make_one() {
    let project = Project::bare();
    let terminal = Launch::koru(project.path(), &[]).size(120, 40).start();
    terminal.wait_for("There is no planfile");
    assert!(!project.path().join(".planfile").exists(), "opening creates nothing");
    terminal.send("i");
    terminal.wait_for("STARTER-001");
    assert!(project.path().join(".planfile/config.yaml").is_file());
    quit(terminal);
}

#[test]
fn hostile_text_never_reaches_the_terminal_as_control() {
    let hostile = "x\u{1b}]52;c;aGk=\u{7}\u{1b}[2J\u{1b}]0;owned\u{7}\u{202e}y\u{9b}31m";
    let script = "printf 'out \\033]52;c;aGk=\\007\\033[2J\\033[?1049l \\033[31mred\\033[0m end-'of'-out\\n'";
    let project = Project::with(&[shell("PLF-001", hostile, script), human("PLF-002", "ask", hostile)]);
    let terminal = open(&project);
    select(&terminal, "PLF-001");
    terminal.send("s");
    terminal.wait_for("end-of-out");
    select(&terminal, "PLF-002");
    terminal.send("a");
    terminal.wait_for("[ Submit ]");
    terminal.send("\x1b");
    terminal.wait_gone("[ Submit ]");
    // While a run is still ending, `q` asks first.
    terminal.wait_for("1 done");
    let raw = terminal.raw();
    for forbidden in [&b"\x1b]52"[..], b"\x07", b"\x1b]0;owned", b"\xc2\x9b", "\u{202e}".as_bytes()] {
        let found = raw.windows(forbidden.len()).any(|window| window == forbidden);
        assert!(!found, "{:?} was written to the terminal", String::from_utf8_lossy(forbidden));
    }
    assert!(terminal.screen().alternate_screen(), "the output left the alternate screen");
    quit(terminal);
}

#[test]
fn an_idle_console_is_silent() {
    let project = Project::with(&[shell("PLF-001", "nothing", "true"), human("PLF-002", "ask", "well?")]);
    let terminal = open(&project);
    terminal.wait_for("PLF-002");
    // Silence has no event to wait for. The first half second belongs to start-up, the next two seconds to nothing.
    std::thread::sleep(Duration::from_millis(500));
    let before = terminal.written();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(terminal.written(), before, "something was drawn while nothing happened");
    quit(terminal);
}

#[test]
fn a_draft_survives_a_crash() {
    let project = Project::with(&[human("PLF-001", "which flow?", "device code or PKCE?")]);
    let mut terminal = open(&project);
    terminal.send("a");
    terminal.wait_for("device code or PKCE?");
    terminal.send("half a thought");
    wait::until("the draft on disk", || {
        let drafts = fs::read_dir(project.path().join(".planfile/.koru/prompts/drafts")).ok()?;
        drafts
            .flatten()
            .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
            .find(|entry| fs::read_to_string(entry.path()).is_ok_and(|text| text.contains("half a thought")))
    });
    terminal.signal(nix::sys::signal::Signal::SIGKILL);
    terminal.wait_exit();
    let terminal = open(&project);
    terminal.send("a");
    terminal.wait_for("half a thought");
    terminal.send("\x1b");
    terminal.wait_gone("[ Submit ]");
    quit(terminal);
}

#[test]
fn looks_are_asked_for_without_a_verb_and_a_chosen_theme_is_remembered() {
    let project = Project::with(&[shell("PLF-001", "build", "true")]);
    let root = project.path().to_str().unwrap();
    let ground = |terminal: &Terminal| terminal.screen().cell(30, 100).map(|cell| cell.bgcolor());
    let light = Some(vt100::Color::Rgb(0xfb, 0xfa, 0xf7));
    let launch = |args: &[&str]| Launch::koru(project.path(), args).size(120, 40).start();
    let terminal = launch(&["--project", root, "--ascii", "--theme", "monochrome"]);
    let screen = terminal.wait_for("PLF-001");
    assert!(screen.is_ascii(), "{screen}");
    assert_ne!(ground(&terminal), light);
    terminal.send("T");
    terminal.wait_for("2 koru-light");
    // Chosen by its number, which also closes the menu.
    terminal.send("2");
    terminal.wait_gone("2 koru-light");
    quit(terminal);
    let terminal = launch(&[]);
    terminal.wait_for("PLF-001");
    assert_eq!(ground(&terminal), light, "the theme that was chosen last");
    quit(terminal);
}
