//! What is coloured, what stays plain, and that nothing of the text is lost or made unsafe.

use super::paint::paint;
use super::*;
use crate::plan::ticket::{ExecutorKind, Status};

fn painted(language: Language, text: &str) -> Vec<Line> {
    Vec::clone(&paint(Job::new(&TicketId::new("A-1"), language, text)).lines)
}

fn line(pieces: &[(&str, Role)]) -> Line {
    pieces.iter().map(|(text, role)| ((*text).to_owned(), *role)).collect()
}

#[test]
fn bash_json_and_yaml_are_told_apart_by_their_parts() {
    use Role::{CodeComment, CodeKeyword, CodeName, CodeNumber, CodeString, Text};
    assert_eq!(
        painted(Language::Bash, "if true # why\n"),
        [line(&[("if", CodeKeyword), (" ", Text), ("true ", CodeName), ("# why", CodeComment)])]
    );
    assert_eq!(
        painted(Language::Json, "{\"a\": 1}"),
        [line(&[("{", Text), ("\"a\"", CodeString), (": ", Text), ("1", CodeNumber), ("}", Text)])]
    );
    assert_eq!(
        painted(Language::Yaml, "id: A-1"),
        [line(&[("id", CodeName), (": ", Text), ("A-1", CodeString)])]
    );
}

#[test]
fn colouring_changes_no_character_and_lets_no_control_through() {
    let hostile = "echo \"\u{1b}[2J\u{202e}open $((\ncat <<E\n\u{9b}31m 日本語 🎉\nE\n}))\"";
    for language in [Language::Bash, Language::Json, Language::Yaml] {
        let job = Job::new(&TicketId::new("A-1"), language, hostile);
        let text = |lines: &[Line]| -> Vec<String> {
            lines.iter().map(|line| line.iter().map(|(text, _)| text.as_str()).collect()).collect()
        };
        let plain = text(&job.plain());
        assert!(!plain.concat().contains(|c: char| c.is_control() || c == '\u{202e}'), "{plain:?}");
        assert_eq!(text(&paint(job).lines), plain);
    }
}

#[test]
fn long_texts_are_cut_and_say_so() {
    let job =
        Job::new(&TicketId::new("A-1"), Language::Bash, &format!("{}\n", "x".repeat(600)).repeat(2_003));
    assert_eq!((job.lines.len(), job.lines[0].len()), (2_001, 500));
    assert_eq!(job.lines[2_000], "… and 3 more lines");
}

#[test]
fn a_text_is_asked_for_once_and_a_changed_one_again() {
    let id = TicketId::new("A-1");
    let (one, other) = (Job::new(&id, Language::Bash, "ls"), Job::new(&id, Language::Bash, "ls -l"));
    let mut sources = Sources::default();
    assert_eq!([sources.ask(&one), sources.ask(&one), sources.ask(&other)], [true, false, true]);
    assert_eq!(sources.painted(&one), None);
    assert!(sources.came(paint(one.clone())));
    assert_eq!((sources.painted(&one).is_some(), sources.painted(&other), sources.version), (true, None, 1));
    // Many later ones put the first out; what then still comes back for it is dropped.
    for number in 0..KEPT {
        sources.ask(&Job::new(&id, Language::Bash, &number.to_string()));
    }
    assert!(!sources.came(paint(one)));
}

#[test]
fn lines_are_broken_where_the_columns_end_and_keep_their_blanks() {
    let long = line(&[("  if", Role::CodeKeyword), (" 日本", Role::Text)]);
    let rows = [line(&[("  if", Role::CodeKeyword), (" ", Role::Text)]), line(&[("日本", Role::Text)])];
    assert_eq!(wrap(&long, 5), rows);
    assert_eq!(wrap(&line(&[("日", Role::Text)]), 1), [Line::new()]);
    assert_eq!(wrap(&Line::new(), 5), [Line::new()]);
}

#[test]
fn a_ticket_as_yaml_leaves_out_what_says_nothing() {
    let mut ticket = Ticket { id: TicketId::new("A-1"), name: "a: b".to_owned(), ..Ticket::default() };
    ticket.status = Status::Open;
    ticket.executor.kind = ExecutorKind::Shell;
    let text = yaml(&ticket);
    assert!(
        text.contains("id: A-1\n") && text.contains("name: 'a: b'\n") && text.contains("kind: shell\n"),
        "{text}"
    );
    assert!(!text.contains("null") && !text.contains("description") && !text.contains("[]"), "{text}");
}
