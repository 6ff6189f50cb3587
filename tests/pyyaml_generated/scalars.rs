//! Scalars: typed by their look or tag, in quotes, as block texts.

use super::super::dice::Dice;
use super::below_ticket;
use super::blocks::comment;

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

/// Characters that decide what a plain scalar is.
pub(super) fn typed(dice: &mut Dice) -> String {
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
        1 => date(dice),
        2 => number(dice),
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

/// A date or a time, or nearly one.
fn date(dice: &mut Dice) -> String {
    let year = dice.pick(&["2026", "0001", "9999", "1900", "2024", "0000", "226"]);
    let month = dice.pick(&["01", "2", "02", "11", "12", "13", "00", "0"]);
    let day = dice.pick(&["1", "01", "28", "29", "30", "31", "32", "00"]);
    let between = dice.pick(&["", "T", "t", " ", "  ", "x", "T ", " T"]);
    let clock = dice.pick(&[
        "", "10:00:00", "1:00:00", "23:59:59", "24:00:00", "10:60:00", "10:00", "10:00:60", "00:00:00",
    ]);
    let fraction = dice.pick(&["", "", ".", ".5", ".123456", ".1234567", ".000001", ".x"]);
    let zone = dice.pick(&[
        "", "", "Z", " Z", "+02:00", "-5", "+5:30", "+23:59", "+24:00", "-00:30", "+1:2", " +2", "z", "+",
        "-0:00",
    ]);
    format!("{year}-{month}-{day}{between}{clock}{fraction}{zone}")
}

/// A number, or nearly one.
fn number(dice: &mut Dice) -> String {
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
        "", ".", ".0", ".5", "_", "__1", "1f", "e3", "e+3", "E-30", "e+400", "e-400", ":30", ":59.9", ":60",
        "0", "01",
    ]);
    format!("{sign}{number}{rest}")
}

/// A quoted scalar, its line ends and blanks included; further lines are about `indent` deep.
pub(super) fn quoted(dice: &mut Dice, indent: usize) -> String {
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

/// A quoted scalar in each place where one may stand.
pub(super) fn quoted_place(dice: &mut Dice) -> String {
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
pub(super) fn text_block(dice: &mut Dice, indent: usize) -> String {
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

/// A block text in each place where one may stand.
pub(super) fn block_text(dice: &mut Dice) -> String {
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
