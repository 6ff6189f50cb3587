//! Real files, bent.

use std::path::Path;

use super::dice::Dice;

/// Bits of YAML that mutations put in.
const BITS: &[&str] = &[
    " ",
    "  ",
    "\n",
    "\n\n",
    "\t",
    ":",
    ": ",
    "- ",
    "#",
    " #",
    "'",
    "\"",
    "|",
    ">",
    "&a ",
    "*a",
    "!",
    "!!str ",
    "[",
    "]",
    "{",
    "}",
    ",",
    ", ",
    "?",
    "? ",
    "%",
    "@",
    "\\",
    "\\n",
    "---\n",
    "...\n",
    "\r",
    "\r\n",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "é",
    "🚀",
    "<<: ",
    "=",
    "0",
    "1_0",
    "yes",
    "~",
    "\n    ",
    "\n      ",
    "\n        ",
    "\n      - ",
    "\n    X-1:",
];

/// A file with a few pieces put in, taken out or doubled.
pub(crate) fn mutate(source: &str, dice: &mut Dice) -> String {
    let mut text: Vec<char> = source.chars().collect();
    for _ in 0..=dice.roll(3) {
        let at = dice.roll(text.len() + 1);
        match dice.roll(5) {
            0 => {
                let end = (at + 1 + dice.roll(12)).min(text.len());
                text.drain(at..end);
            }
            1 => {
                let end = (at + dice.roll(60)).min(text.len());
                let piece: Vec<char> = text[at..end].to_vec();
                let to = dice.roll(text.len() + 1);
                text.splice(to..to, piece);
            }
            _ => {
                let bit = BITS[dice.roll(BITS.len())];
                text.splice(at..at, bit.chars());
            }
        }
    }
    text.into_iter().collect()
}

/// Files that mutations begin with.
pub(crate) fn seeds() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/planfile");
    let mut seeds: Vec<String> = [
        "malformed/00-control",
        "malformed/12-duplicate-ticket-key",
        "malformed/50-execution-state-unknown",
        "malformed/60-anchor-alias",
        "malformed/61-merge-key",
        "malformed/68-octal-hex-sexagesimal",
        "malformed/71-non-string-map-keys",
        "malformed/16-crlf",
    ]
    .iter()
    .map(|case| std::fs::read_to_string(root.join(case).join("current.yaml")).unwrap())
    .collect();
    seeds.push(
        std::fs::read_to_string(root.join("pairs/foreign-edits/before/.planfile/sprints/current.yaml"))
            .unwrap(),
    );
    seeds.push(sprint_of(
        "    A-1:\n      id: A-1\n      name: \"multi\\\n        line\n\n        text\"\n      d: |\n        one\n          two\n\n        three\n      e: >-\n        a\n        b\n      l:\n      - x: 1\n        y: [a, {b: c}]\n      - 'it''s\n        it'\n      - plain text\n        goes on\n    # comment\n    B-1:\n      ? k\n      : v\n      id: B-1\n",
    ));
    seeds
}

fn sprint_of(tickets: &str) -> String {
    format!("sprint:\n  id: s\n  tickets:\n{tickets}")
}
