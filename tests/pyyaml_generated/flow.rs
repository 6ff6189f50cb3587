//! Flow collections, and what refers to something elsewhere: anchors, aliases, merges, tags of collections.

use super::super::dice::Dice;
use super::below_ticket;
use super::blocks::comment;
use super::scalars::quoted;

const VALUES: &[&str] = &[
    "&a x",
    "*a",
    "&b {x: 1}",
    "*b",
    "&c [1, *a]",
    "*c",
    "{<<: *b, x: 2}",
    "{<<: [*b, *d], y: 1}",
    "&d {y: 2, z: 3}",
    "{x: 0, <<: *b}",
    "[*a, *b]",
    "&e",
    "*e",
    "&a y",
    "!!str *a",
    "&f !!int 5",
    "!!int &g 5",
    "*f",
    "{*a: 1}",
    "{*a : 1}",
    "{&h k: v, *h : w}",
    "!!omap [a: 1, b: 2]",
    "!!pairs [a: 1, a: 2]",
    "!!set {a, b}",
    "!!map {a: 1}",
    "!!seq [1]",
    "{<<: x}",
    "{<<: [x]}",
    "{<<: }",
    "{\"<<\": *b}",
    "{! <<: *b}",
    "{!!merge <<: *b}",
    "{1: a, 1.0: b}",
    "{yes: a, 1: b, true: c}",
    "{x: 1, x: 2}",
    "{[a]: b}",
    "{{a: b}: c}",
    "{? [a] : b}",
    "&i [*i]",
    "&j {k: *j}",
    "!!value =",
    "{=: a}",
    "=",
    "{~: a, null: b}",
    "{<<: *b, <<: *d}",
    "{<<: {x: 5}, x: 6}",
    "!!omap [a: 1, a: 2]",
    "!!omap {a: 1}",
    "!!binary aGk=",
    "!!binary a",
    "!!set {a: 1}",
    "!!set [a]",
    "!!omap [{a: 1, b: 2}]",
    "!!omap",
    "!!map",
    "!!set",
    "&k-1 a",
    "*k-1",
    "*k_1",
    "&k_1 b",
    "!!timestamp 2026-01-01",
    "!!null ''",
    "!!bool 'yes'",
    "! 'yes'",
    "! yes",
    "! [a]",
    "! ''",
    "!",
];

/// A flow collection.
pub(super) fn flow(dice: &mut Dice, depth: usize) -> String {
    let map = dice.once_in(2);
    let mut out = if map { "{" } else { "[" }.to_owned();
    let gap = |dice: &mut Dice| {
        dice.pick(&["", "", "", "", " ", " ", "\n        ", "\n", "\t", " # c\n    ", "#", "\n\t"])
    };
    for number in 0..dice.roll(4) {
        if number > 0 {
            out.push_str(dice.pick(&[",", ", ", ", ", " , ", ",,", " ", ",\n        "]));
        }
        out.push_str(gap(dice));
        if map || dice.once_in(4) {
            out.push_str(dice.pick(&[
                "a", "b", "'q'", "\"q\"", "", "? a", "?", "? ", "1", "[a]", "&k a", "*k", "a b", "-", "<<",
                "?a", "é", "!!str", "- a",
            ]));
            out.push_str(gap(dice));
            out.push_str(dice.pick(&[":", ": ", ": ", ": ", "", " :", ":\n       "]));
        }
        match dice.roll(6) {
            0 if depth > 0 => out.push_str(&flow(dice, depth - 1)),
            1 => out.push_str(&quoted(dice, 6)),
            2 => out.push_str(dice.pick(&[
                "*k", "&k", "&k a", "!!str", "!!int 5", "!", "- a", "|", "? a", "a: b", ":a", "a:b", "a:,",
                "&k [b]", "*k ", "%a", "-", "--- a", "\n--- ",
            ])),
            3 => out.push_str(dice.pick(&[
                "a\n        b",
                "a\n\n b",
                "a #c",
                "a#c",
                "a # c\n",
                "http://x/?a=b",
                "a?b",
                "a ?b",
                "a\tb",
                "a\u{2028}b",
                "...",
            ])),
            _ => out.push_str(dice.pick(&["a", "1", "x y", "~", "", "yes", "é"])),
        }
        out.push_str(gap(dice));
    }
    if dice.once_in(15) {
        out.push(',');
    }
    if !dice.once_in(25) {
        out.push_str(if map != dice.once_in(30) { "}" } else { "]" });
    }
    out
}

/// A flow collection in each place where one may stand.
pub(super) fn flow_place(dice: &mut Dice) -> String {
    let text = flow(dice, 3);
    let tail = comment(dice, 6);
    match dice.roll(7) {
        0 => below_ticket(&format!("      {text}: v{tail}\n      id: A-1\n"), "\n"),
        1 => below_ticket(&format!("      l:\n      - {text}{tail}\n      - b\n"), "\n"),
        2 => below_ticket(&format!("{text}{tail}\n"), " "),
        3 => format!("sprint: {{id: s, tickets: {{A-1: {text}, B-1: {{id: B-1}}}}}}{tail}\n"),
        4 => format!("{{sprint: {{tickets: {{A-1: {{v: {text}{tail}\n}}}}}}}}\n"),
        _ => below_ticket(&format!("      v: {text}{tail}\n      id: A-1\n    B-1:\n      id: B-1\n"), "\n"),
    }
}

/// Anchors, aliases, merges, duplicate keys and tagged collections.
pub(super) fn references(dice: &mut Dice) -> String {
    let mut out = String::from("sprint:\n  tickets:\n");
    for ticket in ["A-1", "B-1"] {
        out.push_str(&format!("    {ticket}:\n"));
        for field in 0..=dice.roll(4) {
            match dice.roll(8) {
                0 => out.push_str(&format!("      <<: {}\n", dice.pick(VALUES))),
                1 => out
                    .push_str(&format!("      f{field}:\n        <<: {}\n        x: 9\n", dice.pick(VALUES))),
                2 => out.push_str(&format!(
                    "      f{field}: {}\n        w: 1\n",
                    dice.pick(&["&q", "!!map", "&q !!map", "&r\n", "!x", "*a"])
                )),
                3 => out.push_str(&format!("      f{}: {}\n", dice.roll(2), dice.pick(VALUES))),
                _ => out.push_str(&format!("      f{field}: {}\n", dice.pick(VALUES))),
            }
        }
        out.push_str("      id: A-1\n");
    }
    out
}
