//! Text that acts on a terminal, hides in it or piles up on one cell, and the question whether any of it is left.

/// A name that tries everything: colours, clipboard, link, title, device string, 8-bit controls, overwriting, bell, bidi,
/// zero width, separators, tags, variation selectors, fillers, and a hundred marks on one letter.
pub fn hostile() -> String {
    let marks = "\u{301}\u{489}".repeat(50);
    format!(
        "a\u{1b}[31mred\u{1b}]52;c;aGk=\u{7}\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\\u{1b}]0;title\u{7}\
         \u{1b}P1$r0m\u{1b}\\\u{1b}_apc\u{1b}\\\u{1b}^pm\u{1b}\\\u{1b}c\u{9b}2J\u{90}x\u{9c}\u{9d}0;t\u{9c}\u{85}b\rc\u{8}\
         \u{7f}\u{5}\u{e}\u{202e}evil\u{2066}\u{200b}\u{200d}\u{feff}\u{2060}\u{2028}\u{2029}\u{61c}\u{ad}\u{180e}\
         \u{e0041}\u{e007f}\u{e0101}\u{3164}\u{115f}\u{fff9}e{marks}d\ne\tf\u{1b}"
    )
}

/// The first thing in `text` that a terminal would not just show, or that nobody would see; line ends excepted.
pub fn acts(text: &str) -> Option<String> {
    let mut run = 0;
    for (at, c) in text.char_indices() {
        let code = u32::from(c);
        let hidden = c.is_control() && c != '\n'
            || matches!(code,
                0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x180b..=0x180f | 0x200b..=0x200f | 0x2028..=0x202e
                | 0x2060..=0x206f | 0x3164 | 0xfeff | 0xffa0 | 0xfff9..=0xfffb | 0xe0000..=0xe0fff);
        let is_mark = matches!(code, 0x300..=0x36f | 0x483..=0x489 | 0x1ab0..=0x1aff | 0x20d0..=0x20ff);
        run = if is_mark { run + 1 } else { 0 };
        if hidden || run > 4 {
            let from = text[..at].char_indices().rev().nth(30).map_or(0, |(from, _)| from);
            return Some(format!("U+{code:04X} after {:?}", &text[from..at]));
        }
    }
    None
}

/// Fails when anything of that kind is in `text`.
#[track_caller]
pub fn harmless(what: &str, text: &str) {
    if let Some(found) = acts(text) {
        panic!("{what} lets through {found}\n{text:?}");
    }
}
