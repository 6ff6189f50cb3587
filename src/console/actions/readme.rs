//! The README's table of keys, made from the table of actions. `KORU_TUI_WRITE_README=1` writes it; otherwise the test
//! says where the two differ.

use super::{SPECS, Spec};
use crate::console::keymap::pretty;
use crate::console::keys::Key;

const BEGIN: &str = "<!-- keys: written by the tests from the table of actions -->\n";
const END: &str = "<!-- /keys -->\n";

/// The rows, by the area of an action's name.
const AREAS: [(&str, &[&str]); 10] = [
    ("a ticket", &["ticket"]),
    ("the queue", &["queue"]),
    ("runs", &["run", "worktree"]),
    ("rounds", &["verdict"]),
    ("the output", &["output"]),
    ("the review", &["review"]),
    ("work that lands", &["promotion"]),
    ("moving", &["move", "pane"]),
    ("forms", &["form"]),
    ("the console", &[]),
];

fn table() -> String {
    let area = |spec: &Spec| spec.name.split_once('.').map_or("", |(area, _)| area);
    let known = |spec: &Spec| AREAS.iter().any(|(_, areas)| areas.contains(&area(spec)));
    let mut out = String::from("| for | keys |\n| --- | --- |\n");
    for (what, areas) in AREAS {
        let here = |spec: &&Spec| if areas.is_empty() { !known(spec) } else { areas.contains(&area(spec)) };
        let entries: Vec<String> = SPECS.iter().filter(here).map(entry).collect();
        out.push_str(&format!("| {what} | {} |\n", entries.join(", ")));
    }
    out
}

fn entry(spec: &Spec) -> String {
    let keys: Vec<String> = spec
        .keys
        .iter()
        .filter_map(|name| Key::parse(name).ok())
        .map(|key| format!("`{}`", pretty(key)))
        .collect();
    let keys = if keys.is_empty() { "(palette)".to_owned() } else { keys.join(" ") };
    format!("{keys} {}", spec.title)
}

#[test]
fn the_readme_shows_the_keys_of_the_table() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = readme.split_once(BEGIN).unwrap();
    let (shown, after) = rest.split_once(END).unwrap();
    if std::env::var_os("KORU_TUI_WRITE_README").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
        return;
    }
    assert_eq!(shown, table(), "write it with KORU_TUI_WRITE_README=1 cargo test --lib the_readme_shows");
}
