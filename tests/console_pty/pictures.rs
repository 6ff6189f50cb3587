//! The pictures of the README, rendered from the real screen. `KORU_TUI_WRITE_SCREENSHOTS=1` writes them; otherwise the
//! text on the screen must be the text in the file, ages and spinners apart, so that no picture shows what is not there.

use std::fs;
use std::path::{Path, PathBuf};

use crate::promotions;
use crate::steps::select;
use crate::support::project::{Project, Ticket, human, shell};
use crate::support::pty::{Launch, Terminal};
use crate::support::script::until_exists;
use crate::support::svg;

/// A project in the middle of a day.
fn shop() -> Project {
    let project = Project::with(&[
        shell("PLF-074", "parser drops CRLF", "sh tests/run.sh parser")
            .priority("normal")
            .label("bug")
            .file("src/parser.rs"),
        human(
            "PLF-081",
            "which auth flow?",
            "The client supports device code and PKCE. Which one should the command \
            line use by default, and should the other stay reachable behind a flag?",
        )
        .priority("critical")
        .input("choices: [device code, PKCE, both]"),
        shell("PLF-082", "rate limit headers", "true").priority("high"),
        shell("PLF-083", "import CSV", "true").priority("critical").blocked_by("PLF-074"),
        shell("PLF-090", "tidy README", "true").priority("low"),
        Ticket::new("PLF-095", "GET /health of staging", "api")
            .input("api_endpoint: http://127.0.0.1:9/health"),
        shell("PLF-061", "migrate schema", "true")
            .status("failed")
            .execution("state: failed")
            .execution("attempt: 1")
            .execution("max_attempts: 1")
            .execution("last_error: 'relation \"orders\" does not exist'"),
        shell("PLF-058", "bump dependencies", "true").status("done").execution("state: done"),
    ]);
    project.write("tests/run.sh", &tests());
    project
}

/// A test run that goes on until the file `go` appears. Its two streams are two pipes, so that their order on the screen
/// is a matter of luck: the line on standard error waits for the file `tests/more`, made when the others are shown.
fn tests() -> String {
    format!(
        r#"printf '\033[1mrunning 7 tests\033[0m\n'
for t in lexer parser crlf utf8 nested empty; do printf 'test parser::%s ... \033[32mok\033[0m\n' "$t"; done
printf 'test parser::lone_cr ... \033[31mFAILED\033[0m\n\nfailures:\n    CR alone ends a line too: left 1, right 2\n'
{}
echo 'one test failed, the others go on' >&2
{}
"#,
        until_exists("tests/more"),
        until_exists("go")
    )
}

/// What must be equal in a picture and on the screen: the words, without ages, times, what spins, and lines, which are as
/// long as the ages leave them.
fn words(text: &str) -> Vec<String> {
    text.split_whitespace()
        .map(|word| {
            word.chars().filter(|c| !('\u{2800}'..='\u{28ff}').contains(c) && *c != '─').collect::<String>()
        })
        .filter(|word| {
            !word.is_empty() && !word.chars().any(|c| c.is_ascii_digit() && !word.starts_with("PLF-"))
        })
        .collect()
}

/// The text of a picture, row by row.
fn text_in(picture: &str) -> String {
    let body = picture.split_once("</title>").expect("a title").1;
    let mut out = String::new();
    for line in body.lines().filter(|line| line.starts_with("<text")) {
        let text = line.split_once('>').and_then(|(_, rest)| rest.rsplit_once("</text>")).expect("a text").0;
        out.push_str(&text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"));
        out.push('\n');
    }
    out
}

#[track_caller]
fn keep(terminal: &Terminal, name: &str, title: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/screenshots").join(name);
    let fresh = svg::picture(&terminal.screen(), title);
    if std::env::var_os("KORU_TUI_WRITE_SCREENSHOTS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &fresh).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_default();
    assert!(!kept.is_empty(), "{} is not there; KORU_TUI_WRITE_SCREENSHOTS=1 makes it", path.display());
    let (kept, fresh) = (words(&text_in(&kept)), words(&text_in(&fresh)));
    assert_eq!(kept, fresh, "{name} is out of date; KORU_TUI_WRITE_SCREENSHOTS=1 makes it anew");
}

#[test]
fn the_pictures_show_what_the_console_shows() {
    let project = shop();
    let terminal = Launch::koru(project.path(), &[]).size(120, 40).start();
    terminal.wait_for("PLF-095");
    select(&terminal, "PLF-074");
    terminal.send("s");
    terminal.wait_for("CR alone ends a line");
    project.write("tests/more", "");
    terminal.wait_for("the others go on");
    terminal.wait_for("1 running");
    keep(&terminal, "board.svg", "The board: queue, live output, detail");

    select(&terminal, "PLF-081");
    terminal.send("a");
    terminal.wait_for("[ Submit ]");
    terminal.send("\tPKCE by default; device code behind --device.");
    terminal.wait_for("behind --device.");
    terminal.wait_for("draft saved");
    keep(&terminal, "answer.svg", "Answering a human ticket in place");
}

#[test]
fn the_picture_of_work_that_lands_shows_what_the_console_shows() {
    let project = promotions::finished(
        &[
            human("PLF-001", "parser drops CRLF", "where?"),
            human("PLF-002", "rate limit headers", "which?").label("risk:low"),
            human("PLF-003", "rotate the signing keys", "how often?").label("risk:high"),
        ],
        "",
    );
    let terminal = promotions::open_at(&project, 3);
    terminal.wait_for("PLF-003");
    terminal.send("j ");
    terminal.wait_for("1 marked");
    terminal.send("k");
    terminal.wait_for("PLF-001  parser drops CRLF");
    keep(&terminal, "promotions.svg", "Work that waits to land: the list, and the card of one");
}
