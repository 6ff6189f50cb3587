//! The console with hostile text in everything that a runtime can tell it: whatever keys are pressed, a cell never holds
//! what a terminal would obey, hide or pile up.

use std::sync::Arc;

use koru_tui::console::{InputMessage, Key, Message, RuntimeMessage};
use koru_tui::runtime::protocol::diff::DiffEvent;
use koru_tui::runtime::protocol::{ProjectEvent, RunEvent, RunId, RunState, Snapshot};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::console_support::{Bench, agents, id};
use super::hostile::{acts, hostile};
use super::review_scene;

/// The value with hostile text behind every text in it that takes any.
fn poisoned<T: Serialize + DeserializeOwned>(value: &T) -> T {
    let mut json = serde_json::to_value(value).unwrap();
    let mut paths = Vec::new();
    collect(&json, String::new(), &mut paths);
    let mut count = 0;
    for path in &paths {
        let Some(leaf) = json.pointer_mut(path) else { continue };
        let before = leaf.clone();
        let text = before.as_str().unwrap_or_default();
        *leaf = Value::String(format!("{text}{}", hostile()));
        // Words of ours, times and hashes do not take it.
        if serde_json::from_value::<T>(json.clone()).is_ok() {
            count += 1;
        } else if let Some(leaf) = json.pointer_mut(path) {
            *leaf = before;
        }
    }
    assert!(count > 0 || paths.is_empty(), "no text takes anything in {json}");
    serde_json::from_value(json).unwrap()
}

fn collect(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        // What joins the parts of a snapshot stays as it is, or nothing would be found on the screen.
        Value::String(text) if !text.starts_with("PLF-") && text != "r1" => paths.push(path),
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| collect(item, format!("{path}/{at}"), paths));
        }
        Value::Object(map) => {
            for (key, item) in map {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(item, format!("{path}/{key}"), paths);
            }
        }
        _ => {}
    }
}

/// The ids themselves hostile as well, in every place.
fn odd_ids(snapshot: &Snapshot) -> Snapshot {
    let text = serde_json::to_string(snapshot).unwrap();
    let tail = serde_json::to_string(&hostile()).unwrap();
    let tail = tail.trim_matches('"');
    // Longest first, so that no id is a part of another.
    serde_json::from_str(&text.replace("\"PLF-074\"", &format!("\"PLF-074{tail}\""))).unwrap()
}

#[track_caller]
fn look(bench: &mut Bench, told: &str) {
    let buffer = bench.buffer();
    for (at, cell) in buffer.content.iter().enumerate() {
        let symbol = cell.symbol();
        assert!(!symbol.contains('\n'), "{told}: a line end in cell {at}");
        if let Some(found) = acts(symbol) {
            panic!("{told}: cell {at} holds {symbol:?}: {found}");
        }
    }
}

const NAMES: [&str; 24] = [
    "enter",
    "esc",
    "tab",
    "shift-tab",
    "up",
    "down",
    "left",
    "right",
    "home",
    "end",
    "pageup",
    "pagedown",
    "space",
    "backspace",
    "ctrl-p",
    "ctrl-s",
    "ctrl-e",
    "ctrl-o",
    "ctrl-l",
    "ctrl-r",
    "ctrl-d",
    "ctrl-u",
    "ctrl-x",
    "delete",
];

/// Presses keys as a monkey would, the same in every run.
fn monkey(bench: &mut Bench, seed: u64, presses: usize) {
    let printable: Vec<String> = (33_u8..127).map(|c| char::from(c).to_string()).collect();
    let names: Vec<&str> = NAMES.iter().copied().chain(printable.iter().map(String::as_str)).collect();
    let mut state = seed | 1;
    for press in 0..presses {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let name = names[usize::try_from(state % names.len() as u64).unwrap()];
        bench.tell(Message::Input(InputMessage::Key(Key::parse(name).unwrap())));
        look(bench, &format!("seed {seed}, press {press} ({name})"));
    }
    bench.effects.clear();
}

fn events(bench: &mut Bench) {
    for message in [agents::said("r1"), agents::raw("r1")] {
        if let RuntimeMessage::Run(event) = message {
            bench.hear(RuntimeMessage::Run(poisoned(&event)));
        }
    }
    let text = hostile();
    bench.hear(RuntimeMessage::Run(RunEvent::Partial {
        run: RunId("r1".into()),
        channel: koru_tui::runtime::protocol::Channel::Text,
        text: text.as_str().into(),
    }));
    if let RuntimeMessage::Project(event) = agents::worktrees() {
        bench.hear(RuntimeMessage::Project(poisoned(&event)));
    }
    bench
        .hear(RuntimeMessage::Project(ProjectEvent::Draft { key: "PLF-081".to_owned(), text: text.clone() }));
    let message = koru_tui::runtime::protocol::Outcome::Refused { message: text };
    bench.reply(koru_tui::runtime::protocol::RequestId(1), message);
}

const SIZES: [(u16, u16); 4] = [(80, 24), (120, 40), (200, 60), (31, 9)];

#[test]
fn the_board_with_hostile_text_everywhere_is_harmless_under_any_keys() {
    let plain = agents::with_agent(RunState::Running, |_, agent| agents::trouble(agent));
    let hostile = poisoned(&plain);
    for ((width, height), seed) in SIZES.into_iter().zip(1..) {
        for snapshot in [hostile.clone(), odd_ids(&hostile)] {
            let mut bench = Bench::new(snapshot, width, height);
            look(&mut bench, "first frame");
            events(&mut bench);
            look(&mut bench, "with output");
            monkey(&mut bench, seed * 7_919, 350);
        }
    }
}

#[test]
fn rounds_verdicts_and_diffs_with_hostile_text_are_harmless_under_any_keys() {
    let hostile = poisoned(&review_scene::reviewed());
    for ((width, height), seed) in SIZES.into_iter().zip(1..) {
        let mut bench = Bench::new(hostile.clone(), width, height);
        bench.keys("V d");
        let mut told = 0;
        for (request, command) in bench.requests() {
            if let koru_tui::runtime::protocol::Command::Diff(command) = &command {
                told += tell_diff(&mut bench, command);
            }
            bench.reply(request, koru_tui::runtime::protocol::Outcome::Done { ticket: None, run: None });
        }
        look(&mut bench, "with rounds");
        monkey(&mut bench, seed * 104_729, 350);
        for (_, command) in bench.requests() {
            if let koru_tui::runtime::protocol::Command::Diff(command) = &command {
                told += tell_diff(&mut bench, command);
            }
        }
        look(&mut bench, "with a diff");
        monkey(&mut bench, seed * 15_485_863, 250);
        let _ = told;
    }
}

/// Answers a question about a diff with hostile paths, lines and words. How many answers there were.
fn tell_diff(bench: &mut Bench, command: &koru_tui::runtime::protocol::diff::DiffCommand) -> usize {
    use koru_tui::runtime::protocol::diff::DiffCommand;
    match command {
        DiffCommand::Open { id, .. } => {
            let listing = Arc::new(poisoned(&review_scene::listing()));
            bench.hear(RuntimeMessage::Diff(DiffEvent::Listed { id: *id, listing }));
            1
        }
        DiffCommand::Body { id, file } => {
            let text = format!("{}\n{}\n", hostile().repeat(3), hostile());
            let body = Arc::new(review_scene::body("a\nb\n", &text));
            bench.hear(RuntimeMessage::Diff(DiffEvent::Body { id: *id, file: *file, body }));
            1
        }
        _ => 0,
    }
}

/// A diff on the screen: file names, lines on both sides, findings beside them.
#[test]
fn an_open_diff_of_hostile_files_is_harmless() {
    for (width, height) in SIZES {
        let mut bench = Bench::new(poisoned(&review_scene::reviewed()), width, height);
        let mut told = 0;
        for keys in ["j", "j", "j", "j", "d", "tab", "t", "s", "w", "r", "]", "[", "j j j", "tab", "c"] {
            bench.keys(keys);
            look(&mut bench, keys);
            for (request, command) in bench.requests() {
                if let koru_tui::runtime::protocol::Command::Diff(command) = &command {
                    told += tell_diff(&mut bench, command);
                }
                bench.reply(request, koru_tui::runtime::protocol::Outcome::Done { ticket: None, run: None });
            }
            look(&mut bench, keys);
        }
        assert!(told > 0 || width < 80, "no diff was asked for at {width}×{height}");
    }
    let _ = id("PLF-074");
}
