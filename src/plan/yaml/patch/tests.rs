//! A patched outline against the outline of the patched text.

use super::*;
use crate::plan::lifecycle::Change;

/// Everything that an outline says.
fn said(outline: &Outline) -> String {
    let index: std::collections::BTreeMap<_, _> = outline.index.iter().collect();
    let layout = outline.layout();
    format!("{:?}\n{index:?}\n{:?}\n{layout:?}\n{}", outline.entries, outline.warnings(), outline.size())
}

/// The corpus's control file, grown to six tickets.
fn text() -> String {
    let root =
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/planfile/malformed/00-control/current.yaml");
    let text = std::fs::read_to_string(root).unwrap();
    let doc = SprintDoc::parse("current", text.into_bytes(), None).unwrap();
    let source = doc.source("PLF-002").unwrap().to_owned();
    let more = (3..=6).fold(doc, |doc, n| {
        let id = format!("PLF-00{n}");
        doc.insert_source(&id, &source.replace("PLF-002", &id)).unwrap()
    });
    more.text().to_owned()
}

fn parsed(text: &str) -> SprintDoc {
    SprintDoc::parse("current", text.as_bytes().to_vec(), None).unwrap()
}

/// A document of one ticket's lines.
fn alone(lines: &str) -> SprintDoc {
    parsed(&format!("sprint:\n  id: x\n  tickets:\n{lines}"))
}

#[test]
fn a_patched_outline_is_the_outline_of_the_patched_text() {
    let text = text();
    let doc = parsed(&text);
    let lines = |id: &str| &text[doc.lines_of(id).unwrap()];
    let longer =
        alone(lines("PLF-003")).edit("PLF-003", &[Change::set(&["name"], "a: much longer name")]).unwrap();
    let shorter = alone(lines("PLF-005")).edit("PLF-005", &[Change::set(&["name"], "x")]).unwrap();
    let of = |doc: &SprintDoc| doc.text().split_once("tickets:\n").unwrap().1.to_owned();
    let added = alone(&lines("PLF-002").replace("PLF-002", "PLF-010"));
    let patches = [
        Patch::Replace("PLF-003", &longer),
        Patch::Replace("PLF-005", &shorter),
        Patch::Remove("PLF-001"),
        Patch::Remove("PLF-006"),
        Patch::Append(&added),
    ];
    for chosen in 1..1 << patches.len() {
        let chosen: Vec<Patch<'_>> =
            (0..patches.len()).filter(|bit| chosen >> bit & 1 == 1).map(|bit| patches[bit]).collect();
        let mut after = text.clone();
        for patch in &chosen {
            after = match patch {
                Patch::Replace(id, doc) => after.replace(lines(id), &of(doc)),
                Patch::Remove(id) => after.replace(lines(id), ""),
                Patch::Append(doc) => after + &of(doc),
            };
        }
        assert!(doc.accepts(&chosen), "{chosen:?}");
        let patched = doc.outline().clone().patched(&chosen);
        assert_eq!(said(&patched), said(parsed(&after).outline()), "{chosen:?}");
        assert_eq!(patched.with_text(after.clone()).unwrap().text(), after);
    }
    assert!(doc.with_text(text.replace("PLF-001", "PLF-007")).is_err(), "another text of the same length");
}

#[test]
fn what_is_odd_is_not_patched() {
    let text = text();
    let doc = parsed(&text);
    let lines = |id: &str| text[doc.lines_of(id).unwrap()].to_owned();
    let (first, second) = (alone(&lines("PLF-001")), alone(&lines("PLF-002")));
    let commented = alone(&(lines("PLF-001") + "    # about nobody\n"));
    let all: Vec<String> = doc.tickets().map(|ticket| ticket.id.to_string()).collect();
    let everything: Vec<Patch<'_>> = all.iter().map(|id| Patch::Remove(id)).collect();
    assert!(!doc.accepts(&everything), "an empty `tickets:` would be left");
    assert!(!doc.accepts(&[Patch::Append(&first)]), "the id is taken");
    assert!(!doc.accepts(&[Patch::Replace("PLF-001", &second)]), "another ticket");
    assert!(!doc.accepts(&[Patch::Remove("PLF-404")]), "not there");
    assert!(!first.accepts(&[Patch::Append(&commented)]), "a comment that belongs to nobody");
    assert!(commented.is_one_ticket("PLF-001") != first.is_one_ticket("PLF-001"));
    let cases = [
        text.clone() + "  footer: 1\n",
        text.clone() + "    # a last word\n",
        text.trim_end().to_owned(),
        text.replace('\n', "\r\n"),
    ];
    for case in cases {
        let doc = parsed(&case);
        let appended = alone(&lines("PLF-001").replace("PLF-001", "PLF-020"));
        assert!(!doc.takes_more() && !doc.accepts(&[Patch::Append(&appended)]), "{case}");
    }
    let twins = text.replace("PLF-002:", "PLF-001:");
    assert_eq!(parsed(&twins).lines_of("PLF-001"), None);
}
