//! Whatever happens to the pane, in any order: it shows what it should, and comes to an end.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Key {
    Rows(i64),
    Pages(i64),
    Columns(i64),
    Home,
    End,
    Wrap,
    Times,
    Search(String),
    Next,
    Previous,
    Accept,
    Cancel,
    Push(u64, Vec<String>),
    /// Lines of an agent, each a channel by number and a block.
    Said(u64, Vec<(usize, u32)>),
    Partial(String),
    Cursor(i64),
    Fold,
    FoldAll,
    OpenAll,
    Filter(usize),
    Error(bool),
    Frame(u16, u16),
}

const CHANNELS: [Channel; 16] = [
    Channel::Out,
    Channel::Err,
    Channel::Note,
    Channel::Operator,
    Channel::Text,
    Channel::Thinking,
    Channel::Tool,
    Channel::ToolInput,
    Channel::ToolOutput,
    Channel::ToolError,
    Channel::File,
    Channel::Diff,
    Channel::Status,
    Channel::Retry,
    Channel::Error,
    Channel::Unknown,
];

fn key() -> impl Strategy<Value = Key> {
    prop_oneof![
        (-30..30_i64).prop_map(Key::Rows),
        (-3..3_i64).prop_map(Key::Pages),
        (-9..9_i64).prop_map(Key::Columns),
        Just(Key::Home),
        Just(Key::End),
        Just(Key::Wrap),
        Just(Key::Times),
        "[a-c漢é]{0,2}".prop_map(Key::Search),
        Just(Key::Next),
        Just(Key::Previous),
        Just(Key::Accept),
        Just(Key::Cancel),
        (0..300_u64, prop::collection::vec("([a-c ]{0,30}|.{0,20}|\x1b\\[31m|漢{0,9}|é)", 0..40))
            .prop_map(|(first, lines)| Key::Push(first, lines)),
        (0..300_u64, prop::collection::vec((0..16_usize, 0..5_u32), 0..40))
            .prop_map(|(first, lines)| Key::Said(first, lines)),
        "[a-c 漢]{0,60}".prop_map(Key::Partial),
        (-9..9_i64).prop_map(Key::Cursor),
        Just(Key::Fold),
        Just(Key::FoldAll),
        Just(Key::OpenAll),
        (0..6_usize).prop_map(Key::Filter),
        any::<bool>().prop_map(Key::Error),
        (0..40_u16, 0..12_u16).prop_map(|(width, height)| Key::Frame(width, height)),
    ]
}

/// Does what happened; a frame gives the size from then on.
fn happen(view: &mut OutputView, key: Key, size: &mut (u16, u16)) {
    match key {
        Key::Rows(by) => view.scroll_rows(by),
        Key::Pages(by) => view.scroll_pages(by),
        Key::Columns(by) => view.scroll_columns(by),
        Key::Home => view.home(),
        Key::End => view.end(),
        Key::Wrap => view.toggle_wrap(),
        Key::Times => view.toggle_times(),
        Key::Search(query) => view.search_set(&query),
        Key::Next => view.search_next(),
        Key::Previous => view.search_previous(),
        Key::Accept => view.search_accept(),
        Key::Cancel => view.search_cancel(),
        Key::Push(first, lines) => {
            let lines: Vec<_> = lines.iter().map(|text| line(text)).collect();
            view.supply(first, &lines);
        }
        Key::Said(first, lines) => {
            let said = |(at, (channel, block)): (usize, &(usize, u32))| OutputLine {
                block: *block,
                ..OutputLine::new(0, CHANNELS[*channel], if at % 2 == 0 { "ok, a b" } else { "c" })
            };
            let lines: Vec<_> = lines.iter().enumerate().map(said).collect();
            view.push(first, &lines);
        }
        Key::Partial(text) => view.set_partial(Channel::Text, &text),
        Key::Cursor(by) => view.move_cursor(by),
        Key::Fold => drop(view.toggle_fold()),
        Key::FoldAll => view.fold_all(),
        Key::OpenAll => view.open_all(),
        Key::Filter(at) => view.set_filter(Filter::EVERY[at]),
        Key::Error(forward) => view.jump_to_error(forward),
        Key::Frame(width, height) => *size = (width, height),
    }
}

proptest! {
    #[test]
    fn nothing_that_can_happen_breaks_the_pane(keys in prop::collection::vec(key(), 1..60)) {
        let mut view = OutputView::with_limit(8 * 1024);
        let mut size = (30, 5);
        for key in keys {
            happen(&mut view, key, &mut size);
            view.prepare(size.0, size.1);
            let shown = buffer(&view, size.0, size.1);
            prop_assert!(!shown.content().iter().any(|cell| cell.symbol().chars().any(char::is_control)));
            let status = view.status();
            let seen = view.seen_lines();
            prop_assert!(seen.iter().all(|line| *line < status.total && view.shown.is_visible(*line)));
            prop_assert!(seen.is_sorted());
            if let Some(last) = view.shown.next(status.total, false).line().filter(|_| size.1 > 0) {
                // What can be seen fills the pane; at the tail its last line is in sight.
                prop_assert!(!status.following || seen.contains(&last), "{last} of {seen:?}");
                prop_assert!(view.cursor.is_some() != status.following);
            }
            if let Some(search) = status.search {
                prop_assert!(search.current.is_none_or(|current| current >= 1));
            }
        }
        // Whatever is under way comes to an end, also where lines can not be had.
        let mut frames = 0;
        view.forget_request();
        loop {
            let prepared = view.prepare(size.0, size.1);
            if prepared.need.is_some() {
                view.forget_request();
            } else if !prepared.busy && !view.is_hunting() {
                break;
            }
            frames += 1;
            prop_assert!(frames < 1_000);
        }
    }
}
