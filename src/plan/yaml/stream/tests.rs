//! The block-wise reading against the whole document: the same text, and taken only where it may be.

use std::io::Write;

use super::{Keep, Source, by_blocks};
use crate::plan::yaml::SprintDoc;

/// The two ways to the records of a file: by blocks of this size, and by the whole document.
pub(in crate::plan::yaml) fn both(
    text: &str,
    block: u64,
    keep: Option<Keep<'_>>,
) -> (Option<String>, String) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let source = Source { file: &file, size: text.len() as u64, block, stem: "current", keep };
    let doc = SprintDoc::parse("current", text.as_bytes().to_vec(), None).unwrap();
    let mut whole = Vec::new();
    doc.write_records(|ticket| keep.is_none_or(|keep| keep(ticket)), &mut whole);
    (by_blocks(source).map(|pieces| pieces.join(",")), String::from_utf8(whole).unwrap())
}

fn ticket(number: usize) -> String {
    let text = ["plain", "'it''s'", "\"q\\\"\\t\\e\"", "żółw 🐢\n        folded  on"][number % 4];
    format!(
        "    A-{number}:\n      id: A-{number}\n      labels:\n      - l{}\n\n      name: {text}\n      n: {number}\n",
        number % 3
    )
}

fn sprint(tickets: usize, foot: &str) -> String {
    let tickets: String = (0..tickets).map(ticket).collect();
    format!("sprint:\n  id: s\n  name: S\n  status: active\n  tickets:\n{tickets}{foot}")
}

#[test]
fn blocks_of_any_size_say_what_the_whole_says() {
    for foot in ["", "  z: 1\n", "other:\n  x: y\n"] {
        let text = sprint(9, foot);
        let labelled = |ticket: &crate::plan::ticket::Ticket| ticket.labels == ["l1"];
        // The first block must hold the head, and only the last may hold the foot.
        for block in 60..text.len() as u64 + 2 {
            let (ours, whole) = both(&text, block, None);
            assert!(ours.is_some() || !foot.is_empty(), "{block} {foot:?}");
            assert!(ours.is_none_or(|ours| ours == whole), "{block} {foot:?}");
            let (ours, whole) = both(&text, block, Some(&labelled));
            assert_eq!(whole.matches("\"id\"").count(), 3);
            assert!(ours.is_none_or(|ours| ours == whole), "{block} {foot:?}");
        }
        let (ours, whole) = both(&text, 1 << 20, None);
        assert_eq!(ours, Some(whole), "{foot:?}");
    }
}

#[test]
fn what_is_unusual_is_not_mine() {
    let usual = sprint(2, "");
    let cases = [
        ("twice", format!("{usual}{}", ticket(0))),
        ("another id", usual.replace("      id: A-1\n", "      id: A-0\n")),
        ("no id", usual.replace("      id: A-1\n", "")),
        ("no mapping", format!("{usual}    A-9: 1\n")),
        ("an anchor", usual.replace("name: plain", "name: &a plain")),
        ("a comment between", format!("{usual}    # here\n{}", ticket(5))),
        ("deeper keys", usual.replace("\n    ", "\n     ")),
        ("a mark", format!("\u{feff}{usual}")),
        ("no sprint", usual.replace("sprint:", "sprinter:")),
        ("nothing", "sprint:\n  tickets: {}\n".to_owned()),
        ("two heads", usual.replace("  status: active\n", "  tickets:\n")),
    ];
    for (what, text) in cases {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let source =
            |block| Source { file: &file, size: text.len() as u64, block, stem: "current", keep: None };
        assert_eq!(by_blocks(source(1 << 20)), None, "{what}");
        assert_eq!(by_blocks(source(70)), None, "{what}");
    }
}

#[test]
fn a_file_that_does_not_parse_is_not_mine() {
    let usual = sprint(3, "");
    for (from, to) in [
        ("name: plain", "name: 'open"),
        ("name: plain", "name: [a"),
        ("n: 1", "n: a: b"),
        ("name: plain", "name: \u{7}"),
        ("name: plain", "name: a\u{85}b"),
        ("    A-2:", "<<<<<<< ours\n    A-2:"),
        ("    A-2:", "\t A-2:"),
        ("id: s\n", "id: [\n"),
    ] {
        let text = usual.replacen(from, to, 1);
        assert_ne!(text, usual);
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        for block in [1 << 20, 80] {
            let source = Source { file: &file, size: text.len() as u64, block, stem: "current", keep: None };
            assert_eq!(by_blocks(source), None, "{from} → {to}");
        }
    }
}
