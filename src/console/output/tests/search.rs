//! Searching the output: found while typing, stepped through, counted, highlighted.

use super::*;

fn found(view: &OutputView) -> (Option<u64>, u64, bool) {
    let status = view.status().search.unwrap();
    (status.current, status.matches, status.wrapped)
}

#[test]
fn searching_finds_while_typing_steps_and_wraps() {
    let mut lines = numbered(0..200);
    lines[20] = line("an Error here");
    lines[120] = line("error and error");
    let mut view = view_of(&lines);
    screen(&mut view, 20, 9);
    view.home();
    screen(&mut view, 20, 9);
    view.search_begin();
    view.search_set("err");
    assert_eq!(screen(&mut view, 20, 9)[3], "  an Error here");
    assert_eq!(found(&view), (Some(1), 3, false));
    view.search_set("error");
    view.search_accept();
    screen(&mut view, 20, 9);
    view.search_next();
    assert_eq!(screen(&mut view, 20, 9)[3], "  error and error");
    assert_eq!(found(&view), (Some(2), 3, false));
    view.search_next();
    screen(&mut view, 20, 9);
    assert_eq!(found(&view), (Some(3), 3, false));
    view.search_next();
    screen(&mut view, 20, 9);
    assert_eq!(found(&view), (Some(1), 3, true));
    view.search_previous();
    screen(&mut view, 20, 9);
    assert_eq!(found(&view), (Some(3), 3, true));
    // A capital asks for capitals.
    view.search_set("Error");
    screen(&mut view, 20, 9);
    assert_eq!(found(&view), (Some(1), 1, false));
}

/// Keys that come faster than frames: the search is typed and left behind before it was carried out.
#[test]
fn a_move_after_a_search_is_not_undone_by_the_search() {
    let mut lines = numbered(0..200);
    lines[20] = line("the needle");
    let mut view = view_of(&lines);
    screen(&mut view, 20, 9);
    view.search_begin();
    view.search_set("needle");
    view.search_accept();
    view.end();
    assert_eq!(screen(&mut view, 20, 9)[8], "  line 199");
    assert!(view.status().following);
    view.search_next();
    assert!(screen(&mut view, 20, 9).contains(&"  the needle".to_owned()));
}

#[test]
fn a_search_at_the_tail_looks_upwards_first() {
    let mut lines = numbered(0..200);
    lines[10] = line("needle");
    lines[150] = line("needle");
    let mut view = view_of(&lines);
    screen(&mut view, 20, 5);
    view.search_begin();
    view.search_set("needle");
    screen(&mut view, 20, 5);
    assert_eq!((found(&view).0, view.status().following), (Some(2), false));
    view.search_set("needles");
    screen(&mut view, 20, 5);
    assert_eq!(found(&view), (None, 0, false));
    view.search_cancel();
    assert_eq!(screen(&mut view, 20, 5)[4], "  line 199");
    assert!(view.status().following && view.status().search.is_none());
}

#[test]
fn matches_are_counted_while_output_streams_in() {
    let mut view = view_of(&[line("hit"), line("miss")]);
    screen(&mut view, 20, 5);
    view.search_set("hit");
    screen(&mut view, 20, 5);
    assert_eq!(found(&view), (Some(1), 1, false));
    view.push(2, &[line("hit hit")]);
    screen(&mut view, 20, 5);
    assert_eq!(found(&view), (Some(1), 3, false));
    let status = view.status().search.unwrap();
    assert!(status.complete && status.everything);
}

#[test]
fn a_search_is_spread_over_frames() {
    let lines: Vec<_> = (0..40_000).map(|n| line(&format!("{n} some text to look through"))).collect();
    let mut view = view_of(&lines);
    view.prepare(40, 10);
    view.home();
    view.search_set("39999 some");
    let mut frames = 0;
    while view.prepare(40, 10).busy {
        frames += 1;
    }
    assert!(frames > 5, "{frames}");
    assert_eq!(found(&view), (Some(1), 1, false));
}

#[test]
fn matches_are_highlighted_across_wrapped_rows_and_wide_characters() {
    let mut view = view_of(&[line("漢字abc 0123456789 abc")]);
    screen(&mut view, 14, 3);
    view.search_set("abc");
    screen(&mut view, 14, 3);
    view.search_accept();
    let shown = buffer(&view, 14, 3);
    assert_eq!(rows(&shown), ["  漢 字 abc", "\\ 0123456789", "\\ abc"]);
    let styled = |y: u16, modifier: Modifier| -> Vec<u16> {
        (0..14).filter(|x| shown[(*x, y)].modifier.contains(modifier)).collect()
    };
    assert_eq!(styled(0, Modifier::UNDERLINED), [6, 7, 8]);
    // The one nearest to the tail is the current one.
    assert_eq!(styled(2, Modifier::REVERSED), [2, 3, 4]);
    view.toggle_wrap();
    view.search_next();
    screen(&mut view, 14, 3);
    view.search_next();
    screen(&mut view, 14, 3);
    assert!(view.status().left > 0, "the match was brought into sight");
}
