//! Tests of the output pane: what is on screen after what came in and what was pressed.

use super::view::Need;
use super::*;
use crate::base::redact::Redactor;
use crate::runtime::protocol::{Channel, OutputLine};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};

mod anything;
mod blocks;
mod search;

fn line(text: &str) -> OutputLine {
    OutputLine::new(0, Channel::Out, text)
}

fn numbered(range: std::ops::Range<u64>) -> Vec<OutputLine> {
    range.map(|n| line(&format!("line {n}"))).collect()
}

fn view_of(lines: &[OutputLine]) -> OutputView {
    let mut view = OutputView::new();
    view.push(0, lines);
    view
}

fn buffer(view: &OutputView, width: u16, height: u16) -> Buffer {
    let area = Rect::new(0, 0, width, height);
    let mut buffer = Buffer::empty(area);
    view.draw(area, &mut buffer, &OutputStyle::default());
    buffer
}

/// Prepares until nothing is left to do, and returns the rows without trailing blanks.
fn screen(view: &mut OutputView, width: u16, height: u16) -> Vec<String> {
    while view.prepare(width, height).busy {}
    rows(&buffer(view, width, height))
}

fn rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let row = |y| (0..area.width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..area.height).map(row).collect()
}

#[test]
fn the_tail_is_followed() {
    let mut view = view_of(&numbered(0..3));
    assert_eq!(screen(&mut view, 20, 4), ["  line 0", "  line 1", "  line 2", ""]);
    view.push(3, &numbered(3..10));
    assert_eq!(screen(&mut view, 20, 3), ["  line 7", "  line 8", "  line 9"]);
    assert!(view.status().following);
}

#[test]
fn scrolling_up_freezes_and_counts_what_is_new() {
    let mut view = view_of(&numbered(0..10));
    screen(&mut view, 20, 3);
    view.scroll_rows(-2);
    assert_eq!(screen(&mut view, 20, 3), ["  line 5", "  line 6", "  line 7"]);
    view.push(10, &numbered(10..15));
    assert_eq!(screen(&mut view, 20, 3), ["  line 5", "  line 6", "  line 7"]);
    let status = view.status();
    assert_eq!((status.following, status.new_lines, status.total, status.first), (false, 5, 15, 5));
    view.end();
    assert_eq!(screen(&mut view, 20, 3), ["  line 12", "  line 13", "  line 14"]);
    assert_eq!((view.status().following, view.status().new_lines), (true, 0));
}

#[test]
fn scrolling_down_to_the_last_row_follows_again() {
    let mut view = view_of(&numbered(0..10));
    screen(&mut view, 20, 3);
    view.scroll_pages(-1);
    assert_eq!(screen(&mut view, 20, 3)[0], "  line 5");
    view.scroll_rows(1);
    assert!(!view.status().following);
    view.scroll_rows(1);
    assert!(view.status().following);
    view.home();
    assert_eq!(screen(&mut view, 20, 3)[0], "  line 0");
    view.scroll_rows(-5);
    assert_eq!(screen(&mut view, 20, 3)[0], "  line 0");
    view.scroll_rows(i64::MAX);
    assert!(view.status().following);
    view.scroll_rows(i64::MIN);
    assert_eq!(screen(&mut view, 20, 3)[0], "  line 0");
}

#[test]
fn long_lines_wrap_or_are_reached_sideways() {
    let mut view = view_of(&[line("0123456789abcdefghijKLMN"), line("end")]);
    assert_eq!(screen(&mut view, 12, 4), ["  0123456789", "\\ abcdefghij", "\\ KLMN", "  end"]);
    // Rows, not lines, are scrolled.
    screen(&mut view, 12, 2);
    view.scroll_rows(-1);
    assert_eq!(screen(&mut view, 12, 2), ["\\ abcdefghij", "\\ KLMN"]);
    view.toggle_wrap();
    assert_eq!(screen(&mut view, 12, 2), ["  0123456789", "  end"]);
    view.scroll_columns(8);
    assert_eq!(screen(&mut view, 12, 2), ["  89abcdefgh", ""]);
    view.scroll_columns(99);
    assert_eq!(screen(&mut view, 12, 2), ["  efghijKLMN", ""]);
    view.scroll_columns(-99);
    assert_eq!(screen(&mut view, 12, 2)[0], "  0123456789");
}

#[test]
fn prose_breaks_between_words_and_what_is_drawn_is_cut() {
    let bar = format!("Building [{}>    ] 118/214", "=".repeat(20));
    let mut view = view_of(&[line("the quick brown fox jumps"), line(&bar), line("│ a │ b │ c and more")]);
    assert_eq!(
        screen(&mut view, 14, 5),
        ["  the quick", "\\ brown fox", "\\ jumps", "  Building [=…", "  │ a │ b │ c…"]
    );
}

#[test]
fn channels_are_marked_and_times_can_be_shown() {
    let with = |at_ms, channel, text: &str| OutputLine::new(at_ms, channel, text);
    let mut view = view_of(&[
        with(500, Channel::Out, "out"),
        with(61_000, Channel::Err, "err"),
        with(3_723_000, Channel::Note, "note"),
    ]);
    assert_eq!(screen(&mut view, 24, 3), ["  out", "! err", "* note"]);
    view.toggle_times();
    assert_eq!(screen(&mut view, 24, 3), ["      0:00 out", "!     1:01 err", "*  1:02:03 note"]);
    // Too narrow for times, then for marks.
    assert_eq!(screen(&mut view, 14, 3), ["  out", "! err", "* note"]);
    assert_eq!(screen(&mut view, 8, 3), ["out", "err", "note"]);
}

#[test]
fn hostile_text_is_tamed_and_colours_are_kept() {
    let mut view = view_of(&[line("a\x1b]52;c;x\x07\x1b[31mred\x1b[0m\u{202e}")]);
    assert_eq!(screen(&mut view, 30, 1), ["  ared<U+202E>"]);
    let shown = buffer(&view, 30, 1);
    assert_eq!(shown[(3, 0)].style().fg, Some(Color::Indexed(1)));
    let style = OutputStyle { color: &|_| (None, None), ..OutputStyle::default() };
    let mut plain = Buffer::empty(Rect::new(0, 0, 30, 1));
    view.draw(plain.area, &mut plain, &style);
    assert_eq!(plain[(3, 0)].style().fg, Some(Color::Reset));
}

#[test]
fn secrets_are_taken_out_before_anything_is_shown_or_found() {
    let mut view = view_of(&[line("the pass\x1b[1mword\x1b[0m is swordfish"), line("--token=abc123def456")]);
    view.set_redactor(Redactor::with_values(["swordfish".to_owned()]));
    assert_eq!(screen(&mut view, 40, 2), ["  the password is [redacted]", "  --token=[redacted]"]);
    view.search_set("swordfish");
    screen(&mut view, 40, 2);
    assert_eq!(view.status().search.unwrap().matches, 0);
    assert_eq!(view.visible_text(), "the password is [redacted]\n--token=[redacted]\n");
}

#[test]
fn a_huge_line_costs_little_and_says_what_is_missing() {
    let mut view = view_of(&[line(&"x".repeat(50 << 20)), line("after")]);
    assert!(view.store.bytes() < 20_000);
    let shown = screen(&mut view, 80, 2);
    assert!(shown[0].ends_with(" more bytes"), "{shown:?}");
    assert_eq!(shown[1], "  after");
}

#[test]
fn memory_is_bounded_and_line_numbers_stay_true() {
    let mut view = OutputView::with_limit(64 * 1024);
    for n in 0..20_000 {
        view.push(n, &[line(&format!("line {n}"))]);
        if n % 100 == 0 {
            view.prepare(20, 3);
        }
    }
    assert!(view.store.bytes() <= 64 * 1024);
    assert_eq!(screen(&mut view, 20, 2), ["  line 19998", "  line 19999"]);
    view.home();
    assert_eq!(screen(&mut view, 20, 2), ["  …", "  …"]);
}

#[test]
fn lines_above_what_is_held_are_asked_for_once() {
    let mut view = OutputView::with_limit(64 * 1024);
    view.push(5_000, &numbered(5_000..5_100));
    assert_eq!(view.prepare(20, 3).need, None);
    view.home();
    assert_eq!(view.prepare(20, 3).need, Some(Need { from: 0, count: 203 }));
    assert_eq!(view.prepare(20, 3).need, None);
    view.supply(0, &numbered(0..203));
    assert_eq!(screen(&mut view, 20, 3), ["  line 0", "  line 1", "  line 2"]);
    // The tail was not lost to it.
    view.end();
    assert_eq!(screen(&mut view, 20, 1), ["  line 5099"]);
}

#[test]
fn lines_that_cannot_be_had_are_not_asked_for_again() {
    let mut view = OutputView::new();
    view.set_total(100);
    assert_eq!(view.prepare(40, 2).need, Some(Need { from: 0, count: 100 }));
    view.supply(0, &numbered(0..10));
    assert_eq!(view.prepare(40, 2).need, Some(Need { from: 10, count: 90 }));
    view.supply(10, &[]);
    assert_eq!(view.prepare(40, 2).need, None);
    assert_eq!(rows(&buffer(&view, 40, 2))[0], "  (no longer in the transcript)");
    // A refusal is an answer too.
    view.set_total(1_000);
    assert_eq!(view.prepare(40, 2).need, Some(Need { from: 798, count: 202 }));
    view.forget_request();
    assert_eq!(view.prepare(40, 2).need, None);
}

#[test]
fn a_frozen_view_keeps_its_lines_while_the_tail_runs_on() {
    let mut view = OutputView::with_limit(64 * 1024);
    view.push(0, &numbered(0..100));
    screen(&mut view, 20, 3);
    view.scroll_rows(-10);
    let before = screen(&mut view, 20, 3);
    for n in (100..50_000).step_by(100) {
        view.push(n, &numbered(n..n + 100));
        assert_eq!(view.prepare(20, 3).need, None);
    }
    assert_eq!(screen(&mut view, 20, 3), before);
    view.end();
    assert_eq!(screen(&mut view, 20, 1), ["  line 49999"]);
}

#[test]
fn batches_may_overlap_and_come_in_any_order() {
    let mut view = OutputView::new();
    view.push(4, &numbered(4..6));
    view.push(0, &numbered(0..3));
    view.push(2, &numbered(2..5));
    view.push(2, &numbered(2..5));
    assert_eq!(
        screen(&mut view, 20, 6),
        ["  line 0", "  line 1", "  line 2", "  line 3", "  line 4", "  line 5"]
    );
}

#[test]
fn a_style_of_the_theme_is_the_ground() {
    let mut view = view_of(&[line("x")]);
    view.prepare(10, 2);
    let mut buffer = Buffer::empty(Rect::new(0, 0, 10, 2));
    let style = OutputStyle { text: Style::new().bg(Color::Blue), ..OutputStyle::default() };
    view.draw(buffer.area, &mut buffer, &style);
    assert!(buffer.content().iter().all(|cell| cell.bg == Color::Blue));
}

#[test]
fn eight_busy_streams_cost_little() {
    // 8 runs × 10 s of 1,000 lines/s, in batches of 33 as they come 30 times a second, each followed by a frame.
    let lines: Vec<_> = (0..10_000)
        .map(|n| line(&format!("{n:05} \x1b[32mok\x1b[0m test module::name_{n} in 3 ms")))
        .collect();
    let started = std::time::Instant::now();
    for _ in 0..8 {
        let mut view = OutputView::new();
        for (batch, first) in lines.chunks(33).zip((0..).step_by(33)) {
            view.push(first, batch);
            view.prepare(100, 40);
        }
    }
    // An optimised build takes about a tenth; this guards against going quadratic, not against a slow machine.
    assert!(started.elapsed().as_secs() < 10, "{:?}", started.elapsed());
}
