//! Whole screens of the console at three sizes, and every screen at every size.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod console_support;

use std::sync::Arc;

use console_support::{Bench, busy, empty, output, run, with};
use koru_tui::console::{Depth, Effect, Message, RuntimeMessage, Settings, SystemMessage};
use koru_tui::plan::store::{FileFault, Plan};
use koru_tui::plan::ticket::{ExecutorKind, Priority};
use koru_tui::plan::yaml::SprintFault;
use koru_tui::runtime::protocol::{PlanHealth, RunState, Snapshot};
use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];

/// Compares a screen at the three sizes.
fn at_three_sizes(name: &str, make: impl Fn(u16, u16) -> Bench) {
    for (width, height) in SIZES {
        insta::assert_snapshot!(format!("{name}_{width}x{height}"), make(width, height).screen());
    }
}

fn with_output(mut bench: Bench) -> Bench {
    let lines = [
        "   Compiling parser v0.3.1",
        "running 14 tests",
        "test crlf ... \u{1b}[32mok\u{1b}[0m",
        "error: it is slow",
    ];
    bench.hear(output("r1", &lines));
    bench
}

fn busy_bench(width: u16, height: u16) -> Bench {
    with_output(Bench::new(busy(), width, height))
}

fn uninitialised() -> Snapshot {
    Snapshot { health: PlanHealth::Uninitialised, ..empty() }
}

/// The busy board while `current.yaml` does not parse.
fn broken() -> Snapshot {
    let mut snapshot = busy();
    let mut plan = Plan::clone(&snapshot.plan);
    plan.faults.push(FileFault {
        path: ".planfile/sprints/current.yaml".to_owned(),
        fault: SprintFault {
            line: 41,
            column: 9,
            message: "a mapping key has no value; write `name: …` or remove the line".to_owned(),
            excerpt: Some("    name which auth\u{1b}[31m flow?".to_owned()),
        },
    });
    snapshot.plan = Arc::new(plan);
    snapshot
}

#[test]
fn the_busy_board() {
    at_three_sizes("board_busy", busy_bench);
}

#[test]
fn the_empty_board() {
    at_three_sizes("board_empty", |width, height| Bench::new(empty(), width, height));
}

#[test]
fn a_folder_without_a_planfile() {
    at_three_sizes("uninitialised", |width, height| Bench::new(uninitialised(), width, height));
}

#[test]
fn a_broken_file_over_its_last_good_state() {
    at_three_sizes("broken_file", |width, height| Bench::new(broken(), width, height));
}

#[test]
fn the_answer_form() {
    at_three_sizes("answer", |width, height| {
        let mut bench = busy_bench(width, height);
        bench.keys(r#"a tab "PKCE by default; device code behind --device.""#);
        bench
    });
}

#[test]
fn the_create_form() {
    at_three_sizes("create", |width, height| {
        let mut bench = busy_bench(width, height);
        bench.keys(
            r#"n "Split the lexer" tab "It does two things." tab right tab right tab "cargo test lexer""#,
        );
        bench
    });
}

#[test]
fn the_help() {
    at_three_sizes("help", |width, height| {
        let mut bench = busy_bench(width, height);
        bench.keys("?");
        bench
    });
}

#[test]
fn the_palette() {
    at_three_sizes("palette", |width, height| {
        let mut bench = busy_bench(width, height);
        bench.keys(r#": "re""#);
        bench
    });
}

#[test]
fn leaving_while_runs_are_active() {
    at_three_sizes("quit", |width, height| {
        let mut bench = busy_bench(width, height);
        bench.keys("q");
        bench
    });
}

#[test]
fn a_tickets_page() {
    at_three_sizes("page", |width, height| {
        let mut bench = busy_bench(width, height);
        bench.keys("j j j j enter");
        bench
    });
}

#[test]
fn source_is_plain_until_it_is_coloured_in_the_background() {
    let script = "if test -f a.txt; then\n  echo \"it is $HOME\" # why\nfi\n";
    let mut shell = console_support::ticket("PLF-001", "scripted", ExecutorKind::Shell, Priority::Normal);
    shell.inputs.script = Some(script.to_owned());
    let snapshot = with(vec![(shell, koru_tui::plan::queue::Standing::Ready { position: 0 })]);
    let settings = Settings { depth: Depth::True, ..Settings::default() };
    let mut bench = Bench::with_settings(settings, snapshot.clone(), 80, 24);
    bench.screen();
    assert_eq!(bench.effects, [], "a board that is only looked at colours nothing");
    bench.keys("enter");
    let jobs = std::mem::take(&mut bench.effects);
    assert!(matches!(jobs.as_slice(), [Effect::Paint(_)]), "{jobs:?}");
    let colours = |buffer: &Buffer, y: u16| -> Vec<Color> {
        let mut colours: Vec<Color> = (3..80).map(|x| buffer[(x, y)].fg).collect();
        colours.dedup();
        colours
    };
    let plain = bench.buffer();
    let row = 1 + console_support::text(&plain).lines().position(|line| line.ends_with("then")).unwrap();
    let row = u16::try_from(row).unwrap();
    assert_eq!(colours(&plain, row).len(), 1);
    for job in jobs {
        let Effect::Paint(job) = job else { panic!("{job:?}") };
        bench.tell(Message::System(SystemMessage::Painted(job.paint())));
    }
    assert!(bench.console.is_dirty());
    let coloured = bench.buffer();
    assert_eq!(console_support::text(&coloured), console_support::text(&plain), "colours move nothing");
    assert!(colours(&coloured, row).len() >= 4, "{:?}", colours(&coloured, row));
    assert_eq!(bench.effects, [], "what is coloured is not asked for again");
    // Without colours the same page says the same, in one style.
    let mut none =
        Bench::with_settings(Settings { depth: Depth::None, ..Settings::default() }, snapshot, 80, 24);
    none.keys("enter");
    for job in std::mem::take(&mut none.effects) {
        let Effect::Paint(job) = job else { panic!("{job:?}") };
        none.tell(Message::System(SystemMessage::Painted(job.paint())));
    }
    let buffer = none.buffer();
    let styles: std::collections::HashSet<_> = (3..40).map(|x| buffer[(x, row)].style()).collect();
    assert_eq!(styles.len(), 1);
}

#[test]
fn a_tickets_source() {
    at_three_sizes("source", |width, height| {
        let mut bench = busy_bench(width, height);
        bench.keys("j j j j Y");
        bench
    });
}

#[test]
fn the_light_theme() {
    let settings = Settings { theme: "koru-light".to_owned(), depth: Depth::True, ..Settings::default() };
    let mut bench = with_output(Bench::with_settings(settings, busy(), 120, 40));
    let buffer = bench.buffer();
    insta::assert_snapshot!("board_light_120x40", console_support::text(&buffer));
    // Ground and ink are the theme's own, on every cell that no state colours.
    assert_eq!(buffer[(60, 30)].bg, Color::Rgb(0xfb, 0xfa, 0xf7));
    let styles: Vec<Color> = (0..120).map(|x| buffer[(x, 2)].fg).collect();
    assert!(
        styles.contains(&Color::Rgb(0x84, 0x54, 0x00)),
        "the row that needs you has the light theme's amber"
    );
}

#[test]
fn ascii_and_no_colour_still_say_every_state() {
    let settings = Settings { ascii: true, depth: Depth::None, ..Settings::default() };
    let mut bench = with_output(Bench::with_settings(settings, busy(), 120, 40));
    let buffer = bench.buffer();
    let text = console_support::text(&buffer);
    assert!(text.is_ascii(), "{text}");
    for word in ["needs you", "failed", "interrupted", "stalled", "running", "ready", "waits PLF-074"] {
        assert!(text.contains(word), "{word}\n{text}");
    }
    let coloured =
        buffer.content().iter().filter(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset).count();
    assert_eq!(coloured, 0);
    assert!(buffer[(4, 2)].modifier.contains(Modifier::REVERSED), "the selected row is seen without colour");
    insta::assert_snapshot!("board_ascii_120x40", text);
}

#[test]
fn states_differ_by_shape_and_word_in_every_theme() {
    for theme in
        ["koru-dark", "koru-light", "high-contrast", "monochrome", "catppuccin-mocha", "gruvbox-dark"]
    {
        for depth in [Depth::True, Depth::Indexed256, Depth::Ansi16, Depth::None] {
            let settings = Settings { theme: theme.to_owned(), depth, ..Settings::default() };
            let text = Bench::with_settings(settings, busy(), 120, 40).screen();
            assert_eq!(text, Bench::new(busy(), 120, 40).screen(), "{theme} at {depth:?} draws other text");
        }
    }
}

#[test]
fn hostile_text_reaches_no_cell() {
    let evil = "\u{1b}]52;c;AAAA\u{7}\u{1b}[2J\u{202e}evil\u{200b}\u{9b}31m\r\n\tname";
    let mut ticket = console_support::ticket(
        "PLF-001",
        evil,
        ExecutorKind::Other(evil.to_owned()),
        Priority::Other(evil.to_owned()),
    );
    ticket.description = evil.to_owned();
    ticket.labels = vec![evil.to_owned()];
    ticket.files = vec![evil.to_owned()];
    ticket.inputs.prompt = Some(evil.to_owned());
    ticket.inputs.choices = vec![evil.to_owned()];
    ticket.outputs.notes = vec![evil.to_owned()];
    ticket.execution.last_error = Some(evil.to_owned());
    let mut snapshot = with(vec![(ticket, koru_tui::plan::queue::Standing::NeedsYou)]);
    snapshot.name = evil.to_owned();
    snapshot.branch = Some(evil.to_owned());
    let mut hostile = run("r1", "PLF-001", RunState::Running, 5);
    hostile.label = evil.to_owned();
    hostile.message = Some(evil.to_owned());
    snapshot.runs = vec![Arc::new(hostile)];
    for keys in ["", "a", "e", "enter", "tab", "?", ": ", "p", "b", "x", "q", "T"] {
        let mut bench = Bench::new(snapshot.clone(), 120, 40);
        bench.hear(output("r1", &[evil]));
        bench.keys(keys);
        for cell in bench.buffer().content() {
            let bad = cell
                .symbol()
                .chars()
                .find(|c| c.is_control() || ('\u{202a}'..='\u{202e}').contains(c) || *c == '\u{200b}');
            assert_eq!(bad, None, "after {keys:?}: {:?}", cell.symbol());
        }
    }
}

#[test]
fn no_size_breaks_any_screen() {
    let scripts = [
        "",
        "tab",
        "tab tab",
        "a",
        r#"a tab "x""#,
        "n",
        "n tab tab tab tab tab tab tab tab",
        "e",
        "enter",
        "?",
        ":",
        r#": "re""#,
        "p",
        "T",
        "b",
        "x",
        "q",
        "q s",
        "m",
        "/",
        r#"/ "zz""#,
        "z",
        "tab /",
        "g",
        "f",
        "G",
        "pagedown",
    ];
    let snapshots: [fn() -> Snapshot; 4] = [busy, empty, uninitialised, broken];
    let mut sizes: Vec<(u16, u16)> =
        vec![(0, 0), (1, 1), (0, 9), (9, 0), (20, 5), (500, 200), (59, 14), (60, 15), (119, 19), (120, 20)];
    sizes.extend((1..40).map(|n| (n * 3, n)));
    sizes.extend((1..30).map(|n| (n, n * 2)));
    for snapshot in snapshots {
        for script in scripts {
            let mut bench = with_output(Bench::new(snapshot(), 120, 40));
            bench.keys(script);
            for (width, height) in &sizes {
                bench.resize(*width, *height);
                bench.screen();
            }
            bench.hear(RuntimeMessage::Snapshot(Arc::new(Snapshot { revision: 9, ..empty() })));
            bench.screen();
        }
    }
}

#[test]
fn keys_at_tiny_sizes_do_no_harm() {
    for (width, height) in [(0, 0), (1, 1), (20, 5), (59, 14)] {
        let mut bench = Bench::new(busy(), width, height);
        bench.keys("j k G home pagedown tab [ ] g z f S / esc a esc n esc ? esc : esc q esc enter esc");
        bench.screen();
    }
}
