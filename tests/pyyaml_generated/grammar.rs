//! Made-up sprint files, each of one of several grammars: nested blocks, lines at odd depths, typed scalars, quotes,
//! block texts, flow collections, anchors and merges, directives and document markers, other line ends.
//!
//! A grammar leans towards what PyYAML reads, since a text that it refuses at the first line tells little; every
//! grammar can make the mistakes of its kind.

mod blocks;
mod flow;
mod outside;
mod scalars;

use super::dice::Dice;

/// A sprint file.
pub(crate) fn document(dice: &mut Dice) -> String {
    let text = match dice.roll(9) {
        0 => below_ticket(&blocks::block(dice, 6, 3), "\n"),
        1 => blocks::lines(dice),
        2 => below_ticket(&format!("      v: {}\n      id: A-1\n", scalars::typed(dice)), "\n"),
        3 => scalars::quoted_place(dice),
        4 => scalars::block_text(dice),
        5 => flow::flow_place(dice),
        6 => flow::references(dice),
        7 => outside::outside(dice),
        _ => blocks::soup(dice),
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

/// The file whose one ticket is `body`.
fn below_ticket(body: &str, after_key: &str) -> String {
    format!("sprint:\n  id: s\n  tickets:\n    A-1:{after_key}{body}")
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
