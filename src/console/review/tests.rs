//! What the tests of the review share.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::layout::{Layout, NoteAt, Options, Row};
use crate::runtime::protocol::diff::{Block, Body, Lines, Stat, TextSide};

/// Blocks of two short texts: what is not common at both ends.
pub(crate) fn blocks(old: &str, new: &str) -> Vec<Block> {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    let head = a.iter().zip(&b).take_while(|(a, b)| a == b).count();
    let rest = a.len().min(b.len()) - head;
    let tail = a.iter().rev().zip(b.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let at = u32::try_from(head).unwrap();
    let len = |lines: &[&str]| u32::try_from(lines.len() - head - tail).unwrap();
    if len(&a) + len(&b) == 0 {
        return Vec::new();
    }
    vec![Block { old: at, old_len: len(&a), new: at, new_len: len(&b) }]
}

/// A body of two short texts.
pub(crate) fn body(old: &str, new: &str) -> Arc<Body> {
    let blocks = blocks(old, new);
    let (added, removed) =
        blocks.iter().fold((0, 0), |sum, block| (sum.0 + block.new_len, sum.1 + block.old_len));
    Arc::new(Body {
        stat: Stat::Text { added, removed },
        new_blob: None,
        old: Arc::new(Lines::of(old.to_owned())),
        new: Arc::new(Lines::of(new.to_owned())),
        blocks: blocks.into(),
    })
}

/// Whatever is folded opens: otherwise a search would ask for its hit in there with every frame.
#[test]
fn every_fold_opens() {
    let opened = Options { opened: BTreeMap::from([(0, 30)]), ..Options::default() };
    let folds = |blocks: &[Block], options: &Options, notes: &[NoteAt]| {
        let layout = Layout::new(blocks, (30, 30), options, notes);
        (0..layout.len).filter(|row| matches!(layout.row(*row), Some(Row::Fold { .. }))).count()
    };
    let last = [Block { old: 29, old_len: 1, new: 29, new_len: 1 }];
    let note = [NoteAt { at: Some((TextSide::New, 10)), height: 1 }];
    let cases: [(&[Block], &[NoteAt]); 4] = [(&[], &[]), (&[], &note), (&last, &note), (&last, &[])];
    for (blocks, notes) in cases {
        assert!(folds(blocks, &Options::default(), notes) > 0);
        assert_eq!(folds(blocks, &opened, notes), 0, "{blocks:?} {notes:?}");
    }
}
