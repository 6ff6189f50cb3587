//! An agent's output: folds, filter, jumps, the cursor row, unfinished text.

use super::*;

fn said(channel: Channel, block: u32, text: &str) -> OutputLine {
    OutputLine { block, ..OutputLine::new(0, channel, text) }
}

/// A short run: reasoning, a call with its result, an edit, a failed call, a retry, an answer.
fn run() -> Vec<OutputLine> {
    vec![
        said(Channel::Operator, 0, "please fix it"),
        said(Channel::Thinking, 1, "I should read first"),
        said(Channel::Thinking, 1, "and then edit"),
        said(Channel::Tool, 2, "Read  src/a.rs"),
        said(Channel::ToolInput, 2, "path: src/a.rs"),
        said(Channel::ToolOutput, 3, "ok, 2 lines"),
        said(Channel::ToolOutput, 3, "fn main() {"),
        said(Channel::ToolOutput, 3, "}"),
        said(Channel::File, 4, "src/a.rs  +1 -1"),
        said(Channel::Diff, 4, "-fn main() {"),
        said(Channel::Diff, 4, "+fn start() {"),
        said(Channel::Tool, 5, "Bash  cargo test"),
        said(Channel::ToolError, 6, "failed, exit 101: no main"),
        said(Channel::ToolError, 6, "error[E0601]"),
        said(Channel::Retry, 0, "overloaded"),
        said(Channel::Text, 7, "All done."),
        said(Channel::Text, 7, "Nothing else."),
    ]
}

const FOLDED: [&str; 10] = [
    "> please fix it",
    "+ I should read first                   +1 line",
    "+ Read  src/a.rs                    ok, 2 lines",
    "- src/a.rs  +1 -1",
    "    -fn main() {",
    "    +fn start() {",
    "+ Bash  cargo test  x failed, exit 101: no main",
    "~ retry: overloaded",
    "  All done.",
    "  Nothing else.",
];

#[test]
fn what_explains_is_folded_to_its_head_and_results_stand_beside_their_call() {
    let mut view = view_of(&run());
    assert_eq!(screen(&mut view, 47, 10), FOLDED);
}

#[test]
fn what_a_call_prints_while_it_runs_is_read_as_it_comes_and_folds_into_its_row() {
    let mut lines = vec![
        said(Channel::Tool, 1, "shell  make"),
        said(Channel::ToolOutput, 1, "cc a.c"),
        said(Channel::ToolOutput, 1, "cc b.c"),
    ];
    assert_eq!(screen(&mut view_of(&lines), 30, 5), ["- shell  make", "    cc a.c", "    cc b.c", "", ""]);
    lines.push(said(Channel::ToolOutput, 2, "ok, 2 lines"));
    assert_eq!(screen(&mut view_of(&lines), 30, 5), ["+ shell  make      ok, 2 lines", "", "", "", ""]);
}

#[test]
fn a_block_opens_at_the_cursor_and_the_view_stays() {
    let mut view = view_of(&run());
    screen(&mut view, 47, 20);
    // The first step up puts the cursor on the last row; seven more go to the call.
    view.move_cursor(-1);
    view.move_cursor(-7);
    assert!(view.toggle_fold());
    let shown = screen(&mut view, 47, 20);
    assert_eq!(
        shown[2..7],
        ["- Read  src/a.rs", "    path: src/a.rs", "- ok, 2 lines", "    fn main() {", "    }"]
    );
    assert_eq!(shown[..2], FOLDED[..2]);
    assert!(!view.status().following, "a fold is a place to stay at");
    // From within, it folds again as one.
    view.move_cursor(1);
    assert!(view.toggle_fold());
    assert_eq!(screen(&mut view, 47, 10), FOLDED);
    view.open_all();
    assert_eq!(screen(&mut view, 47, 30).iter().filter(|row| !row.is_empty()).count(), 17);
    view.open_all();
    assert_eq!(screen(&mut view, 47, 10), FOLDED);
    view.fold_all();
    assert_eq!(
        screen(&mut view, 47, 10)[3..5],
        [
            "+ src/a.rs  +1 -1                      +2 lines",
            "+ Bash  cargo test  x failed, exit 101: no main"
        ]
    );
}

#[test]
fn the_cursor_walks_rows_and_follows_again_below_the_last() {
    let mut view = view_of(&numbered(0..20));
    screen(&mut view, 20, 5);
    let style = OutputStyle { cursor: Some(Style::new().bg(Color::Red)), ..OutputStyle::default() };
    let at = |view: &mut OutputView| {
        view.prepare(20, 5);
        let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 5));
        view.draw(buffer.area, &mut buffer, &style);
        let row = (0..5).find(|y| buffer[(19, *y)].bg == Color::Red);
        (rows(&buffer)[0].clone(), row)
    };
    assert_eq!(at(&mut view), ("  line 15".to_owned(), None));
    view.move_cursor(-1);
    assert_eq!(at(&mut view), ("  line 15".to_owned(), Some(4)));
    view.move_cursor(-3);
    assert_eq!(at(&mut view), ("  line 15".to_owned(), Some(1)));
    view.move_cursor(-3);
    assert_eq!(at(&mut view), ("  line 13".to_owned(), Some(0)));
    // New lines move neither the view nor the cursor.
    view.push(20, &numbered(20..30));
    assert_eq!(at(&mut view), ("  line 13".to_owned(), Some(0)));
    view.scroll_pages(1);
    assert_eq!(at(&mut view), ("  line 17".to_owned(), Some(0)));
    view.move_cursor(99);
    assert!(!view.status().following);
    assert_eq!(at(&mut view), ("  line 25".to_owned(), Some(4)));
    view.move_cursor(1);
    assert_eq!((at(&mut view), view.status().following), (("  line 25".to_owned(), None), true));
}

#[test]
fn a_filter_shows_one_kind_and_search_opens_what_it_finds() {
    let mut view = view_of(&run());
    screen(&mut view, 47, 10);
    view.set_filter(Filter::Edits);
    assert_eq!(screen(&mut view, 47, 4)[..3], FOLDED[3..6]);
    view.set_filter(Filter::Errors);
    assert_eq!(screen(&mut view, 47, 3), ["x failed, exit 101: no main", "~ retry: overloaded", ""]);
    view.set_filter(Filter::NoThinking);
    assert_eq!(screen(&mut view, 47, 9)[1], FOLDED[2]);
    view.search_set("e0601");
    let shown = screen(&mut view, 47, 20);
    assert!(shown.contains(&"    error[E0601]".to_owned()), "{shown:?}");
    // What a filter hides is found too, and shown.
    view.set_filter(Filter::Edits);
    screen(&mut view, 47, 20);
    view.search_set("and then edit");
    let shown = screen(&mut view, 47, 20);
    assert!(shown.contains(&"    and then edit".to_owned()), "{shown:?}");
    assert_eq!(view.status().filter, Filter::All);
}

#[test]
fn errors_are_gone_to_one_by_one_and_the_end_is_said() {
    let mut view = view_of(&run());
    screen(&mut view, 47, 10);
    view.jump_to_error(false);
    screen(&mut view, 47, 10);
    assert_eq!(view.cursor.map(|at| at.line), Some(14));
    view.jump_to_error(false);
    let shown = screen(&mut view, 47, 20);
    assert_eq!(view.cursor.map(|at| at.line), Some(12));
    assert!(shown.contains(&"x failed, exit 101: no main".to_owned()), "{shown:?}");
    view.jump_to_error(false);
    assert_eq!(view.prepare(47, 10).said, Some("there is no error above".to_owned()));
    assert_eq!(view.cursor.map(|at| at.line), Some(12));
}

/// A transcript of ten million lines with an error in every twenty thousand, read as it is asked for.
fn answer(view: &mut OutputView, need: Need) {
    let lines: Vec<_> = (need.from..need.from + u64::from(need.count))
        .map(|n| match n % 20_000 {
            7 => said(Channel::Error, 0, &format!("error {n}")),
            _ if n % 20 == 0 => said(Channel::Tool, u32::try_from(n / 20 + 1).unwrap(), &format!("Read {n}")),
            _ => said(Channel::ToolInput, u32::try_from(n / 20 + 1).unwrap(), &format!("line {n}")),
        })
        .collect();
    view.supply(need.from, &lines);
}

#[test]
fn ten_million_lines_are_opened_folded_and_searched_for_errors_in_pieces() {
    let mut view = OutputView::new();
    view.set_total(10_000_000);
    let need = view.prepare(60, 40).need.unwrap();
    assert!(need.count <= 2 * 1_000, "{need:?}");
    answer(&mut view, need);
    let mut asked = 1;
    while let Some(need) = view.prepare(60, 40).need {
        answer(&mut view, need);
        asked += 1;
    }
    assert!(asked < 10, "a screen of folded blocks takes {asked} pieces");
    assert_eq!(rows(&buffer(&view, 60, 40))[39], "+ Read 9999980");
    view.jump_to_error(false);
    let mut pieces = 0;
    while view.is_hunting() {
        if let Some(need) = view.prepare(60, 40).need {
            answer(&mut view, need);
            pieces += 1;
        }
    }
    assert_eq!(view.cursor.map(|at| at.line), Some(9_980_007));
    assert!(pieces <= 12, "{pieces}");
    assert!(view.store.bytes() <= super::super::view::BYTES);
    // Going there again needs no reading: what lines are is kept.
    view.end();
    view.prepare(60, 40);
    view.jump_to_error(false);
    view.prepare(60, 40);
    assert!(!view.is_hunting());
    view.set_filter(Filter::Errors);
    let started = std::time::Instant::now();
    for _ in 0..40 {
        if let Some(need) = view.prepare(60, 40).need {
            answer(&mut view, need);
        }
    }
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
    assert!(rows(&buffer(&view, 60, 40)).iter().filter(|row| row.starts_with("x error")).count() >= 2);
}

#[test]
fn unfinished_text_stands_below_the_last_line_until_it_is_a_line() {
    let mut view = view_of(&numbered(0..3));
    view.set_partial(Channel::Text, "not yet a li");
    assert_eq!(screen(&mut view, 20, 3), ["  line 1", "  line 2", "  not yet a li"]);
    view.set_partial(Channel::Text, "words that take more than one row");
    assert_eq!(screen(&mut view, 20, 9)[3..], ["  words that take", "  more than one row", "", "", "", ""]);
    view.set_partial(Channel::Text, "");
    view.push(3, &numbered(3..4));
    assert_eq!(screen(&mut view, 20, 3), ["  line 1", "  line 2", "  line 3"]);
}
