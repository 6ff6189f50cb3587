//! Tests of `base::text`: examples by name, then properties over arbitrary bytes.

use super::*;
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

fn shown(bytes: &[u8]) -> String {
    safe_line(bytes).plain()
}

fn style(set: impl FnOnce(&mut TextStyle)) -> TextStyle {
    let mut style = TextStyle::default();
    set(&mut style);
    style
}

fn spans(bytes: &[u8]) -> Vec<(String, TextStyle)> {
    safe_line(bytes).spans().iter().map(|span| (span.text.clone(), span.style)).collect()
}

#[test]
fn output_acts_as_on_a_terminal() {
    let cases: &[(&[u8], &str)] = &[
        (b"", ""),
        (b"plain text", "plain text"),
        (b"10%\r20%\r100%", "100%"),
        (b"abcdef\rXY", "XYcdef"),
        (b"line\r", "line"),
        (b"abc\x08\x08X", "aXc"),
        (b"\x08\x08a", "a"),
        (b"a\tb\tc", "a       b       c"),
        (b"12345678\tx", "12345678        x"),
        (b"downloading\r\x1b[Kdone", "done"),
        (b"\x1b[2K\x1b[1Gnext", "next"),
        (b"spinner |\x1b[1D/", "spinner /"),
        (b"a\x1b[5Cb", "a     b"),
        (b"abcdef\x1b[4G\x1b[K", "abc"),
        (b"abcdef\x1b[3G\x1b[1K", "   def"),
        ("漢字\rX".as_bytes(), "X 字"),
        ("漢字\x1b[2GX".as_bytes(), " X字"),
        ("ab\r漢".as_bytes(), "漢"),
        ("abc\r漢".as_bytes(), "漢c"),
        (b"two\nlines", "two\u{23ce}lines"),
        (b"bell\x07 nul\0 del\x7f", "bell^G nul^@ del^?"),
        (b"bad \xff\xfe utf8", "bad \u{fffd}\u{fffd} utf8"),
        ("c1 \u{9b}31m".as_bytes(), "c1 <U+009B>31m"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(shown(bytes), *expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn string_sequences_never_survive() {
    let cases: &[(&[u8], &str)] = &[
        (b"a\x1b]52;c;ZXZpbA==\x07b", "ab"),
        (b"a\x1b]0;title\x1b\\b", "ab"),
        (b"a\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\b", "alinkb"),
        (b"a\x1bPq#0;2;0;0;0\x1b\\b", "ab"),
        (b"a\x1b_Gf=100;AAAA\x1b\\b", "ab"),
        (b"a\x1b^private\x1b\\b\x1bXsos\x1b\\c", "abc"),
        (b"open\x1b]0;never ends", "open"),
        (b"open\x1bPnever ends", "open"),
        (b"\x1b[?1049h\x1b[2J\x1b[10;10H\x1b[6nx\x1bc\x1b(0y", "xy"),
        (b"cut \x1b[", "cut "),
    ];
    for (bytes, expected) in cases {
        assert_eq!(shown(bytes), *expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn colours_and_attributes_are_kept() {
    let red = style(|s| s.fg = Some(TextColor::Indexed(1)));
    assert_eq!(
        spans(b"a\x1b[31mred\x1b[0mb"),
        [("a".into(), TextStyle::default()), ("red".into(), red), ("b".into(), TextStyle::default())]
    );
    let cases: &[(&str, TextStyle)] = &[
        ("1;4", style(|s| (s.bold, s.underline) = (true, true))),
        ("2;3;7;9", style(|s| (s.dim, s.italic, s.reverse, s.strike) = (true, true, true, true))),
        ("1;22", TextStyle::default()),
        ("4:3", style(|s| s.underline = true)),
        ("4;4:0", TextStyle::default()),
        ("97;104", style(|s| (s.fg, s.bg) = (Some(TextColor::Indexed(15)), Some(TextColor::Indexed(12))))),
        ("38;5;208", style(|s| s.fg = Some(TextColor::Indexed(208)))),
        ("38:5:208", style(|s| s.fg = Some(TextColor::Indexed(208)))),
        ("38;2;1;2;3", style(|s| s.fg = Some(TextColor::Rgb(1, 2, 3)))),
        ("48:2::1:2:3", style(|s| s.bg = Some(TextColor::Rgb(1, 2, 3)))),
        ("48:2:1:2:3", style(|s| s.bg = Some(TextColor::Rgb(1, 2, 3)))),
        ("58;5;1;31", red),
        ("38;5;300;31", red),
        ("5;8;31", red),
        ("31;41", red),
        ("31;39", TextStyle::default()),
        ("", TextStyle::default()),
    ];
    for (codes, expected) in cases {
        assert_eq!(spans(format!("\x1b[{codes}mx").as_bytes()), [("x".into(), *expected)], "{codes}");
    }
}

#[test]
fn overwriting_keeps_the_styles_of_what_stays() {
    let red = style(|s| s.fg = Some(TextColor::Indexed(1)));
    assert_eq!(spans(b"\x1b[31mabcd\x1b[0m\rXY"), [("XY".into(), TextStyle::default()), ("cd".into(), red)]);
}

#[test]
fn invisible_characters_become_visible() {
    for (text, expected) in [
        ("a\u{202e}b", "a<U+202E>b"),
        ("a\u{200b}b", "a<U+200B>b"),
        ("\u{feff}a", "<U+FEFF>a"),
        ("a\u{2028}b\u{85}c", "a<U+2028>b<U+0085>c"),
        ("a\u{e0041}", "a<U+E0041>"),
        ("a\u{fffe}", "a<U+FFFE>"),
        ("a\u{200d}b", "a<U+200D>b"),
        ("\u{301}a", "<U+0301>a"),
        ("e\u{301}", "e\u{301}"),
        ("z\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}!", "z\u{301}\u{302}\u{303}\u{304}!"),
    ] {
        assert_eq!(shown(text.as_bytes()), expected);
        assert_eq!(safe_text(text).as_str(), expected);
    }
}

#[test]
fn emoji_are_never_merged() {
    for (text, expected, columns) in [
        ("\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}", "\u{1f468}\u{1f469}\u{1f467}", 6),
        ("\u{1f44d}\u{1f3fd}", "\u{1f44d}", 2),
        ("\u{26a0}\u{fe0f} x", "\u{26a0} x", 3),
        ("\u{1f600}\u{200d}\u{200d}", "\u{1f600}<U+200D>", 10),
        ("x\u{1f3fd}", "x<U+1F3FD>", 10),
        ("\u{1f1e9}\u{1f1ea}", "\u{1f1e9}\u{1f1ea}", 2),
    ] {
        assert_eq!(
            (shown(text.as_bytes()).as_str(), safe_line(text.as_bytes()).width()),
            (expected, columns)
        );
        assert_eq!((safe_text(text).as_str(), safe_text(text).width()), (expected, columns));
    }
}

#[test]
fn names_hide_nothing() {
    for (text, expected) in [
        ("echo ok\x1b]0;\x07 rm", "echo ok^[]0;^G rm"),
        ("rm x\rls  ", "rm x^Mls  "),
        ("a\nb\r\nc", "a⏎b⏎c"),
        ("\x1b[31mred", "^[[31mred"),
        ("a\tb", "a       b"),
        ("a\x08b", "a^Hb"),
    ] {
        assert_eq!(safe_text(text).as_str(), expected);
    }
    let body: Vec<String> = safe_block("one\r\n\n\x07two\n").into_iter().map(String::from).collect();
    assert_eq!(body, ["one", "", "^Gtwo"]);
}

#[test]
fn long_lines_are_cut_and_say_so() {
    let long = "x".repeat(10_000);
    let expected = format!("{}… {} more bytes", "x".repeat(8144), 10_000 - 8144);
    assert_eq!(shown(long.as_bytes()), expected);
    assert_eq!(safe_text(&long).as_str(), expected);
    let whole = "x".repeat(LINE_BYTES);
    assert_eq!(shown(whole.as_bytes()), whole);
    let huge = vec![b'y'; 3 << 20];
    assert!(shown(&huge).ends_with(&format!("… {} more bytes", (3 << 20) - 8144)));
    let wide = "漢".repeat(5_000);
    let line = safe_line(wide.as_bytes());
    assert!(line.plain().len() <= LINE_BYTES);
    assert_eq!(line.width(), width(&line.plain()));
}

#[test]
fn text_is_cut_and_padded_by_columns() {
    let text = safe_text("src/漢字/parser.rs");
    assert_eq!(text.width(), 18);
    assert_eq!(text.truncate_end(6).as_str(), "src/…");
    assert_eq!(text.truncate_end(7).as_str(), "src/漢…");
    assert_eq!(text.truncate_middle(12).as_str(), "src/…rser.rs");
    assert_eq!(text.truncate_end(0).as_str(), "");
    assert_eq!(text.truncate_middle(1).as_str(), "…");
    assert_eq!(text.pad(6).as_str(), "src/… ");
    assert_eq!(
        format!(
            "{:>4}|{:<4}|{:^4}|{:.3}|{:4}",
            safe_text("漢"),
            safe_text("漢"),
            safe_text("漢"),
            text,
            safe_text("a")
        ),
        "  漢|漢  | 漢 |sr…|a   "
    );
}

#[test]
fn bodies_wrap_at_blanks() {
    let rows = |text: &str, columns| -> Vec<String> {
        safe_text(text).wrap(columns).into_iter().map(String::from).collect()
    };
    assert_eq!(rows("the quick brown fox", 10), ["the quick", "brown fox"]);
    assert_eq!(rows("abcdefghij", 4), ["abcd", "efgh", "ij"]);
    assert_eq!(rows("  indented word", 9), ["  indente", "d word"]);
    assert_eq!(rows("ab cd", 2), ["ab", "cd"]);
    assert_eq!(rows("漢字", 1), ["…", "…"]);
    assert_eq!(rows("", 5), [""]);
}

#[test]
fn lines_are_sliced_and_wrapped_by_columns() {
    let line = safe_line("a漢b\x1b[1mcd".as_bytes());
    let plain = |line: SafeLine| (line.plain(), line.width());
    assert_eq!(plain(line.slice(0, 2)), ("a ".into(), 2));
    assert_eq!(plain(line.slice(2, 3)), (" bc".into(), 3));
    assert_eq!(plain(line.slice(9, 3)), (String::new(), 0));
    assert_eq!(plain(line.truncate_end(4)), ("a漢…".into(), 4));
    let rows: Vec<_> = line.wrap(2).into_iter().map(plain).collect();
    assert_eq!(rows, [("a".into(), 1), ("漢".into(), 2), ("bc".into(), 2), ("d".into(), 1)]);
    assert_eq!(line.wrap(0).len(), 5);
}

#[test]
fn lines_wrap_between_words() {
    let rows = |text: &str, columns: usize| -> Vec<(usize, String)> {
        safe_line(text.as_bytes())
            .wrap_words(columns)
            .into_iter()
            .map(|(start, row)| (start, row.plain()))
            .collect()
    };
    let row = |start: usize, text: &str| (start, text.to_owned());
    assert_eq!(rows("the quick brown fox", 10), [row(0, "the quick"), row(10, "brown fox")]);
    assert_eq!(rows("a abcdefghijkl", 6), [row(0, "a abcd"), row(6, "efghij"), row(12, "kl")]);
    assert_eq!(rows("ab cd  ", 5), [row(0, "ab cd")]);
    assert_eq!(rows("           0", 1), [row(0, " "), row(11, "0")]);
    assert_eq!(rows("     word", 3), [row(0, "   "), row(5, "wor"), row(8, "d")]);
    assert_eq!(rows("    \u{301} x", 3), [row(0, "   "), row(3, " \u{301} x")]);
    assert_eq!(rows("漢字 x", 4), [row(0, "漢字"), row(5, "x")]);
    assert_eq!(rows("漢", 1), [row(0, "…")]);
    assert_eq!(rows("", 5), [row(0, "")]);
}

fn hostile() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        3 => "[ -~]{0,12}".prop_map(String::into_bytes),
        3 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
        2 => prop::sample::select(vec![
            "\r", "\x08", "\t", "\n", "\x1b[", "\x1b]", "\x1bP", "\x1b\\", "\x1b[31m", "\x1b[K", "\x1b[1K", "\x1b[2K",
            "\x1b[5G", "\x1b[3C", "\x1b[2D", "\x1b[0m", "\x1b[44m", "漢", "e\u{301}", "\u{301}", "\u{200d}", "\u{fe0f}",
            "\u{1f468}", "\u{1f3fd}", "\u{1f1e9}", "\u{202e}", "\u{9b}", "\u{1100}", "\u{1161}", "\u{11a8}",
            "\u{915}", "\u{94d}", "\u{644}", "\u{627}", "\u{600}", "\u{17d2}", "\u{1780}", "1", "\u{20e3}",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..8),
        1 => (0..9000_usize).prop_map(|n| vec![b'x'; n]),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

#[test]
fn every_character_is_safe_alone_and_after_a_letter() {
    // What lies between are ideographs and private use, all alike.
    for c in ('\0'..'\u{20000}').chain('\u{e0000}'..'\u{e1000}') {
        assert_clean(safe_text(&format!("{c}")).as_str());
        assert_clean(safe_text(&format!("a{c}")).as_str());
    }
}

fn assert_clean(text: &str) {
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert!(!text.contains(['\u{200d}', '\u{202e}', '\u{fe0f}', '\u{feff}', '\u{2028}']), "{text:?}");
    assert!(text.len() <= LINE_BYTES);
    // ratatui lays out by grapheme cluster, terminals by character: both must agree with us.
    let clusters: usize = text.graphemes(true).map(UnicodeWidthStr::width).sum();
    assert_eq!(width(text), clusters, "{text:?}");
}

fn cut_within_bounds(bytes: &[u8], first: usize, columns: usize) -> Result<(), TestCaseError> {
    let line = safe_line(bytes);
    let slice = line.slice(first, columns);
    prop_assert_eq!(slice.width(), line.width().saturating_sub(first).min(columns));
    prop_assert_eq!(slice.width(), width(&slice.plain()));
    prop_assert!(line.truncate_end(columns).width() <= columns);
    let rows = line.wrap(columns);
    prop_assert!(rows.iter().all(|row| row.width() <= columns.max(1) && row.width() == width(&row.plain())));
    if columns > 1 {
        prop_assert_eq!(rows.iter().map(SafeLine::plain).collect::<String>(), line.plain());
    }
    let words = line.wrap_words(columns);
    let fits = |row: &SafeLine| row.width() <= columns.max(1) && row.width() == width(&row.plain());
    prop_assert!(words.iter().all(|(_, row)| fits(row)));
    prop_assert!(words.windows(2).all(|two| two[0].0 < two[1].0));
    if columns > 1 {
        let solid = |text: String| text.replace(' ', "");
        prop_assert_eq!(solid(words.iter().map(|(_, row)| row.plain()).collect()), solid(line.plain()));
        prop_assert!(words.iter().all(|(start, row)| line.slice(*start, row.width()).plain() == row.plain()));
    }
    let text = safe_text(&String::from_utf8_lossy(bytes));
    prop_assert!(text.truncate_end(columns).width() <= columns);
    prop_assert!(text.truncate_middle(columns).width() <= columns);
    prop_assert_eq!(text.pad(columns).width(), columns);
    prop_assert!(text.wrap(columns).iter().all(|row| row.width() <= columns.max(1)));
    Ok(())
}

#[test]
fn cutting_held_where_it_once_did_not() {
    // Blanks up to a cursor that stayed where it was are wider than the row.
    cut_within_bounds(b"xxxxxxxxxxx\x1b[1K0", 0, 0).unwrap();
}

proptest! {
    #[test]
    fn output_is_safe_and_stable(bytes in hostile()) {
        let line = safe_line(&bytes);
        let text = line.plain();
        assert_clean(&text);
        prop_assert_eq!(line.width(), width(&text));
        prop_assert_eq!(shown(text.as_bytes()), text);
    }

    #[test]
    fn names_are_safe_and_stable(bytes in hostile()) {
        let text = safe_text(&String::from_utf8_lossy(&bytes));
        assert_clean(text.as_str());
        let again = safe_text(text.as_str());
        prop_assert_eq!(again, text);
    }

    #[test]
    fn both_ways_in_agree_on_safe_text(bytes in hostile()) {
        let text = safe_text(&String::from_utf8_lossy(&bytes));
        prop_assert_eq!(shown(text.as_str().as_bytes()), text.as_str());
    }

    #[test]
    fn cutting_keeps_within_bounds(bytes in hostile(), first in 0..40_usize, columns in 0..40_usize) {
        cut_within_bounds(&bytes, first, columns)?;
    }
}
