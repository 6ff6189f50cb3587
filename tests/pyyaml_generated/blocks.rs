//! Nested blocks, and lines that only look like them.

use super::super::dice::Dice;
use super::flow::flow;
use super::scalars::{quoted, text_block};

const PLAIN: &[&str] = &[
    "a",
    "b c",
    "x-y",
    "1",
    "yes",
    "~",
    "null",
    "2026-05-11",
    "1.5",
    "é",
    "a:b",
    "a#b",
    "-a",
    ":a",
    "?a",
    "<<",
    "=",
    "a, b",
    "it's",
    "say \"x\"",
    "[a",
    "a]",
    "{",
    "@x",
    "`x",
    "%x",
    "a\\n",
    "a  b",
    "\u{a0}a",
    "-",
    "?",
    ":",
    "--- a",
    "...",
    "a - b",
    "a ? b",
    "a:",
    "🚀",
    "a\tb",
    "!x",
    "&x",
    "*x",
    "\u{85}",
    "a\u{2028}b",
    "\u{feff}a",
];

const KEYS: &[&str] = &[
    "a",
    "b",
    "c",
    "d e",
    "'q'",
    "\"q\"",
    "1",
    "yes",
    "~",
    "2026-05-11",
    "a-b",
    "é",
    "<<",
    "=",
    "? x\n",
    "[a]",
    "{a: b}",
    "&k a",
    "!!str a",
    "''",
    "-a",
    "a#b",
    "ż",
    "*k",
    "0x1F",
    "1.5",
];

const WORDS: &[&str] = &[
    "a", "key", "- ", "- - ", "-", ": ", ":", "'", "''", "\"", "\\n", "\\", "{}", "[]", "[", "]", "{", "}",
    "#", " #", " ", "  ", "x y", "1.5", "|", ">", "|-", ">+", "|1", "&a ", "*a", "!", "? ", "é", "a:b",
    "key: v", "key:", "b: w", "- key: v", "'q'", "\"d\"", "---", "...", "\t", "\r", ",", "<<: ", "%",
    "\u{85}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{a0}", "!!str ", "\r\n", "# c", "@", "`", "A-1:",
    "tickets:", "id: A-1",
];

/// What may stand between a value and the end of its line, or below it.
pub(super) fn comment(dice: &mut Dice, indent: usize) -> String {
    match dice.roll(9) {
        0 => " # c".to_owned(),
        1 => "\t# c".to_owned(),
        2 => format!("\n{}# c", " ".repeat(dice.roll(indent + 4))),
        3 => format!("\n{}", " ".repeat(dice.roll(indent + 4))),
        4 => "  ".to_owned(),
        5 if dice.once_in(3) => dice.string(&["\t", " ", "#", "\n"], 3),
        _ => String::new(),
    }
}

/// A block mapping or list at `indent`, every line of it with its line end.
pub(super) fn block(dice: &mut Dice, indent: usize, depth: usize) -> String {
    let list = dice.once_in(3);
    let mut out = String::new();
    for _ in 0..=dice.roll(3) {
        let off = if dice.once_in(25) { dice.roll(3) } else { 0 };
        let pad = " ".repeat((indent + off).saturating_sub(usize::from(dice.once_in(40))));
        out.push_str(&pad);
        if dice.once_in(60) {
            out.push('\t');
        }
        if list {
            out.push_str(dice.pick(&["- ", "- ", "- ", "-  ", "-", "-\t", "- - ", "- a: ", "- ? "]));
        } else {
            match dice.roll(12) {
                0 => out.push_str("? "),
                1 => {
                    out.push_str("? ");
                    out.push_str(&value(dice, indent, depth));
                    out.push_str(&pad);
                    out.push_str(": ");
                }
                _ => {
                    let keys = if dice.once_in(3) { KEYS } else { &KEYS[..4] };
                    out.push_str(dice.pick(keys));
                    out.push_str(dice.pick(&[":", ":", ":", " :", ": ", ":\t"]));
                    if !dice.once_in(20) {
                        out.push(' ');
                    }
                }
            }
        }
        out.push_str(&value(dice, indent, depth));
    }
    out
}

/// What may stand behind a key or a dash, with the line end.
fn value(dice: &mut Dice, indent: usize, depth: usize) -> String {
    let properties = match dice.roll(14) {
        0 => format!("&{} ", dice.pick(&["k", "l", "m1", "n-n"])),
        1 => format!("{} ", dice.pick(&["!", "!!str", "!!map", "!!seq", "!!int", "!!null", "!x", "!!set"])),
        _ => String::new(),
    };
    let tail = |dice: &mut Dice| format!("{}\n", comment(dice, indent));
    let body = match dice.roll(12) {
        0 if depth > 0 => {
            let deeper = indent + [0, 1, 2, 2, 2, 3, 4][dice.roll(7)];
            format!("{}{}", tail(dice), block(dice, deeper, depth - 1))
        }
        1 | 2 if depth > 0 => format!("{}{}", tail(dice), block(dice, indent + 2, depth - 1)),
        3 => format!("{}{}", flow(dice, 2), tail(dice)),
        4 => format!("{}{}", quoted(dice, indent), tail(dice)),
        5 => text_block(dice, indent),
        6 => tail(dice),
        7 => {
            // A plain text over several lines.
            let mut out = dice.pick(PLAIN).to_owned();
            for _ in 0..=dice.roll(2) {
                let pad = " ".repeat((indent + 3).saturating_sub(dice.roll(5)));
                out.push_str(dice.pick(&["\n", "\n", "\n\n", " \n", "\n \n", "\t\n", "\n\t\n"]));
                out.push_str(&pad);
                out.push_str(dice.pick(PLAIN));
            }
            format!("{out}{}", tail(dice))
        }
        8 => format!("*{}\n", dice.pick(&["k", "l", "m1", "n-n", "k "])),
        _ => format!("{}{}", dice.pick(PLAIN), tail(dice)),
    };
    properties + &body
}

/// Lines of any depth.
pub(super) fn lines(dice: &mut Dice) -> String {
    let head = dice.pick(&[
        "sprint:\n  tickets:\n    A-1:\n      id: A-1\n",
        "sprint:\n  tickets:\n    A-1:\n",
        "sprint:\n  tickets:\n",
        "tickets:\n",
        "tickets:\n  A-1:\n",
        "sprint:\n  tickets:\n    A-1:\n      v:\n",
        "sprint:\n  tickets:\n    A-1:\n      v: |\n",
        "sprint:\n  tickets:\n    A-1:\n    - b\n",
    ]);
    let mut out = head.to_owned();
    let usual = [0, 2, 4, 6, 8][dice.roll(5)];
    for _ in 0..=dice.roll(6) {
        let indent = if dice.once_in(2) { usual } else { dice.roll(10) };
        out.push_str(&" ".repeat(indent));
        out.push_str(&dice.string(WORDS, 4));
        out.push('\n');
    }
    out
}

/// Words of all kinds without any order.
pub(super) fn soup(dice: &mut Dice) -> String {
    let words = dice.string(&[WORDS, PLAIN, &["\n      ", "\n      ", "\n        ", "\n"]].concat(), 9);
    match dice.roll(4) {
        0 => format!("sprint:\n  tickets:\n    A-1: {words}\n"),
        1 => format!("sprint:\n  tickets:\n    A-1:\n      l:\n      - {words}\n"),
        2 => format!("sprint:\n  tickets:\n    A-1:\n      {words}: v\n      id: A-1\n"),
        _ => format!(
            "sprint:\n  tickets:\n    A-1:\n      v: {words}\n      id: A-1\n    B-1:\n      id: B-1\n"
        ),
    }
}
