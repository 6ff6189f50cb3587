//! Made-up sprint files, each of one of several grammars: nested blocks, lines at odd depths, typed scalars, quotes,
//! block texts, flow collections, anchors and merges, directives and document markers, other line ends.
//!
//! A grammar leans towards what PyYAML reads, since a text that it refuses at the first line tells little; every
//! grammar can make the mistakes of its kind.

use super::dice::Dice;

/// A sprint file.
pub(crate) fn document(dice: &mut Dice) -> String {
    let text = match dice.roll(9) {
        0 => below_ticket(&block(dice, 6, 3), "\n"),
        1 => lines(dice),
        2 => below_ticket(&format!("      v: {}\n      id: A-1\n", typed(dice)), "\n"),
        3 => quoted_place(dice),
        4 => block_text(dice),
        5 => flow_place(dice),
        6 => references(dice),
        7 => outside(dice),
        _ => soup(dice),
    };
    let text = if dice.once_in(6) { other_ends(&text, dice) } else { text };
    match dice.roll(12) {
        0 => text.trim_end_matches('\n').to_owned(),
        1 => {
            format!("{text}{}", dice.string(&[" ", "\t", "\n", "#", "# c\n", "...\n", "---\n", "\r", "x"], 4))
        }
        _ => text,
    }
}

fn below_ticket(body: &str, after_key: &str) -> String {
    format!("sprint:\n  id: s\n  tickets:\n    A-1:{after_key}{body}")
}

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

fn comment(dice: &mut Dice, indent: usize) -> String {
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
fn block(dice: &mut Dice, indent: usize, depth: usize) -> String {
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

const WORDS: &[&str] = &[
    "a", "key", "- ", "- - ", "-", ": ", ":", "'", "''", "\"", "\\n", "\\", "{}", "[]", "[", "]", "{", "}",
    "#", " #", " ", "  ", "x y", "1.5", "|", ">", "|-", ">+", "|1", "&a ", "*a", "!", "? ", "é", "a:b",
    "key: v", "key:", "b: w", "- key: v", "'q'", "\"d\"", "---", "...", "\t", "\r", ",", "<<: ", "%",
    "\u{85}", "\u{2028}", "\u{2029}", "\u{feff}", "\u{a0}", "!!str ", "\r\n", "# c", "@", "`", "A-1:",
    "tickets:", "id: A-1",
];

/// Lines of any depth.
fn lines(dice: &mut Dice) -> String {
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
fn soup(dice: &mut Dice) -> String {
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

/// Characters that decide what a plain scalar is.
fn typed(dice: &mut Dice) -> String {
    let tag = match dice.roll(8) {
        0 => dice.pick(&[
            "!!int ",
            "!!float ",
            "!!bool ",
            "!!null ",
            "!!str ",
            "!!timestamp ",
            "! ",
            "!!binary ",
        ]),
        _ => "",
    };
    let body = match dice.roll(6) {
        0 => {
            dice.string(&["0", "1", "7", "9", "_", ":", ".", "-", "+", "e", "E", "x", "b", "o", "f", "A"], 8)
        }
        1 => {
            let year = dice.pick(&["2026", "0001", "9999", "1900", "2024", "0000", "226"]);
            let month = dice.pick(&["01", "2", "02", "11", "12", "13", "00", "0"]);
            let day = dice.pick(&["1", "01", "28", "29", "30", "31", "32", "00"]);
            let between = dice.pick(&["", "T", "t", " ", "  ", "x", "T ", " T"]);
            let clock = dice.pick(&[
                "", "10:00:00", "1:00:00", "23:59:59", "24:00:00", "10:60:00", "10:00", "10:00:60",
                "00:00:00",
            ]);
            let fraction = dice.pick(&["", "", ".", ".5", ".123456", ".1234567", ".000001", ".x"]);
            let zone = dice.pick(&[
                "", "", "Z", " Z", "+02:00", "-5", "+5:30", "+23:59", "+24:00", "-00:30", "+1:2", " +2", "z",
                "+", "-0:00",
            ]);
            format!("{year}-{month}-{day}{between}{clock}{fraction}{zone}")
        }
        2 => {
            let number = dice.pick(&[
                "0",
                "1",
                "10",
                "0x",
                "0b",
                "0o",
                "07",
                "08",
                "1_",
                "190:20",
                ".",
                "",
                "1:",
                "9223372036854775807",
                "9223372036854775808",
                "18446744073709551616",
                "123456789012345678901234567890123456789012345",
            ]);
            let sign = dice.pick(&["", "-", "+", "--"]);
            let rest = dice.pick(&[
                "", ".", ".0", ".5", "_", "__1", "1f", "e3", "e+3", "E-30", "e+400", "e-400", ":30", ":59.9",
                ":60", "0", "01",
            ]);
            format!("{sign}{number}{rest}")
        }
        3 => dice
            .pick(&[
                ".inf", "-.inf", "+.Inf", ".NaN", ".nan", "-.nan", ".iNF", "~", "null", "NULL", "nuLL", "y",
                "Y", "n", "yes", "YES", "yES", "on", "Off", "oFF", "True", "tRUE", "<<", "=", "\"<<\"", "''",
            ])
            .to_owned(),
        4 => {
            format!("{}{}", dice.pick(&["'", "\""]), dice.pick(&["1'", "1\"", "~'", "yes\"", "2026-01-01'"]))
        }
        _ => dice.string(&["1", "0", "2", ":", "-", "T", "Z", ".", "a", "_", "e+", "0x", " "], 7),
    };
    format!("{tag}{body}")
}

/// A quoted scalar, its line ends and blanks included; further lines are about `indent` deep.
fn quoted(dice: &mut Dice, indent: usize) -> String {
    const PIECES: &[&str] = &[
        "a",
        "b",
        " ",
        "  ",
        "\t",
        "''",
        "\\n",
        "\\\"",
        "\\\\",
        "\\x41",
        "\\u263a",
        "\\U0001F600",
        "\\e",
        "\\_",
        "\\N",
        "\\L",
        "\\P",
        "\\0",
        "\\ ",
        "\\\t",
        "\\/",
        "\\a",
        "#",
        " #",
        ": ",
        ":",
        "- ",
        "é",
        "\u{85}",
        "\u{2028}",
        "\\\n",
        "\\\n",
        "\n",
        "\n",
        "\n\n",
        "---",
        "...",
        "\u{feff}",
        "[",
        "{",
        ",",
        "\\'",
        "\\z",
        "\\x4",
        "\\ud800",
        "\"",
        "'",
        "\\\r\n",
        "\r\n",
        "\\\u{85}",
        "\\\u{2028}",
        "\\U00110000",
    ];
    let quote = dice.pick(&["'", "\""]);
    let common = if quote == "'" { &PIECES[..6] } else { &PIECES[..22] };
    let mut out = quote.to_owned();
    for _ in 0..dice.roll(9) {
        let pieces = if dice.once_in(2) { common } else { PIECES };
        let piece = dice.pick(pieces);
        if piece == quote && !dice.once_in(4) {
            continue;
        }
        out.push_str(piece);
        if piece.ends_with(['\n', '\u{85}', '\u{2028}']) {
            out.push_str(&" ".repeat(if dice.once_in(3) { dice.roll(9) } else { indent + 2 }));
        }
    }
    if !dice.once_in(30) {
        out.push_str(quote);
    }
    out
}

fn quoted_place(dice: &mut Dice) -> String {
    let text = quoted(dice, 6);
    let tail = comment(dice, 6);
    match dice.roll(5) {
        0 => below_ticket(&format!("      {text}: v{tail}\n      id: A-1\n"), "\n"),
        1 => below_ticket(&format!("      l:\n      - {text}{tail}\n      - b\n"), "\n"),
        2 => below_ticket(&format!("{{id: A-1, v: {text}{tail}\n}}\n"), " "),
        3 => below_ticket(
            &format!("      v: [{text}, {}{tail}\n        ]\n      id: A-1\n", quoted(dice, 6)),
            "\n",
        ),
        _ => below_ticket(&format!("      v: {text}{tail}\n      id: A-1\n    B-1:\n      id: B-1\n"), "\n"),
    }
}

/// A literal or folded text below a key at `indent`, header and line ends included.
fn text_block(dice: &mut Dice, indent: usize) -> String {
    let mut out = dice.pick(&["|", ">"]).to_owned();
    out.push_str(
        dice.pick(&["", "", "", "-", "+", "2", "1", "-2", "2-", "+1", "3+", "0", "--", "9", "4", "10"]),
    );
    out.push_str(dice.pick(&["", "", "", "", " ", " # c", "# c", "\t", " c", "\t# c"]));
    out.push_str(dice.pick(&["\n", "\n", "\n", "\n", "\r\n", "\u{85}", "\u{2028}"]));
    let usual = indent + 1 + dice.roll(3);
    for _ in 0..dice.roll(6) {
        let depth = match dice.roll(5) {
            0 => usual + dice.roll(4),
            1 => dice.roll(usual + 3),
            _ => usual,
        };
        out.push_str(&" ".repeat(depth));
        out.push_str(dice.pick(&[
            "a",
            "b c",
            "",
            "",
            "# c",
            "- x",
            "k: v",
            "\t",
            "\ta",
            " a",
            "a ",
            "é",
            "...",
            "---",
            "'",
            "a\u{2028}",
            "a\u{85}b",
            "\u{feff}",
            "  ",
            "a\t",
            "#",
        ]));
        out.push_str(dice.pick(&["\n", "\n", "\n", "\n", "\n\n", "\r\n", "\u{2029}"]));
    }
    if dice.once_in(10) { out.trim_end_matches('\n').to_owned() } else { out }
}

fn block_text(dice: &mut Dice) -> String {
    match dice.roll(6) {
        0 => below_ticket(&format!("      v: {}", text_block(dice, 6)), "\n"),
        1 => below_ticket(&format!("      l:\n      - {}      - b\n", text_block(dice, 6)), "\n"),
        2 => below_ticket(&text_block(dice, 4), " "),
        3 => below_ticket(&format!("      ? {}      : v\n      id: A-1\n", text_block(dice, 6)), "\n"),
        4 => below_ticket(&format!("      l:\n      - - {}        - b\n", text_block(dice, 8)), "\n"),
        _ => below_ticket(
            &format!("      v: {}      id: A-1\n    B-1:\n      id: B-1\n", text_block(dice, 6)),
            "\n",
        ),
    }
}

/// A flow collection.
fn flow(dice: &mut Dice, depth: usize) -> String {
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

fn flow_place(dice: &mut Dice) -> String {
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
fn references(dice: &mut Dice) -> String {
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

/// What stands around the one document.
fn outside(dice: &mut Dice) -> String {
    let mut out = dice.string(
        &[
            "\u{feff}",
            "# c\n",
            "\n",
            "%YAML 1.1\n",
            "%YAML 1.2\n",
            "%YAML 1.3\n",
            "%YAML 2.0\n",
            "%TAG ! tag:x,2026:\n",
            "%TAG !! tag:yaml.org,2002:\n",
            "%TAG !e! tag:yaml.org,2002:\n",
            "%YAML 1.1 # c\n",
            "%FOO bar\n",
            "---\n",
            "---\n",
            "--- # c\n",
            "...\n",
            " ",
            "\t",
            "---",
            "%YAML 1.1#\n",
            "%YAML\t1.1\n",
            "%TAG !e! !\n",
            "%YAML 1.1 x\n",
            "% YAML 1.1\n",
            "%TAG !e tag:x\n",
            "%YAML 01.1\n",
            "--- ",
            "---\t",
            "%TAG !e!  tag:yaml.org,2002:str%21 \n",
            "\r\n",
            "\u{85}",
            "  # c\n",
        ],
        4,
    );
    let tag = dice.pick(&[
        "",
        "",
        "!e!str ",
        "!!str ",
        "!e!x ",
        "!x ",
        "! ",
        "!<tag:yaml.org,2002:str> ",
        "!<!> ",
        "!e! ",
        "!!st%72 ",
        "!<x ",
        "!a,b ",
        "!!int,",
        "!!str\t",
    ]);
    let body = format!("sprint:\n  tickets:\n    A-1:\n      v: {tag}5\n      id: A-1\n");
    match dice.roll(8) {
        0 => out.push_str(&body.lines().map(|line| format!("  {line}\n")).collect::<String>()),
        1 => out.push_str(&format!("{{sprint: {{tickets: {{A-1: {{v: {tag}5}}}}}}}}\n")),
        _ => out.push_str(&body),
    }
    if dice.once_in(2) {
        out.push_str(&dice.string(
            &[
                "...\n",
                "---\n",
                "# c\n",
                "\n",
                "...",
                "---",
                "... # c\n",
                "\u{feff}",
                "%YAML 1.1\n",
                "a: b\n",
                "x\n",
                " \n",
                "\t\n",
                "...x\n",
                "}\n",
                "]\n",
                "'\n",
                "    C-1: {}\n",
                "  - a\n",
                "- a\n",
                "....\n",
                "...\t\n",
                " ...\n",
                "\u{feff}# c\n",
                "\r",
                "  status: x\n",
                "other:\n",
                "- \n",
                "? x\n",
                ": y\n",
            ],
            3,
        ));
    }
    out
}

/// The same lines with other ends, all or some of them.
fn other_ends(text: &str, dice: &mut Dice) -> String {
    let end = dice.pick(&["\r\n", "\r\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"]);
    let all = dice.once_in(2);
    text.split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) if all || dice.once_in(4) => format!("{line}{end}"),
            _ => line.to_owned(),
        })
        .collect()
}
