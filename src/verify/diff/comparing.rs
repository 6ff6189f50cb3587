//! Both contents of a file become its figures and blocks.

use std::sync::Arc;

use git2::Blob;

use super::blocks::{self, Block};
use super::content::{self, Content};
use super::listing::Stat;

/// How much two sides differ, and where; `blobs` are both as objects, when they were read as such.
pub(super) fn compare(
    old: &Content,
    new: &Content,
    blobs: Option<(&Blob<'_>, &Blob<'_>)>,
    whitespace: bool,
) -> (Stat, Arc<[Block]>) {
    let none = stat(old, new, &[]);
    let (Stat::Text { .. }, Some(before), Some(after)) = (&none, old.bytes(), new.bytes()) else {
        return (none, Arc::default());
    };
    let found = match blobs {
        Some((before, after)) => blocks::of_blobs(before, after, whitespace),
        None => blocks::blocks(before, after, whitespace),
    };
    match found {
        Ok(found) => (stat(old, new, &found), found.into()),
        Err(why) => (Stat::Unreadable { why }, Arc::default()),
    }
}

/// How much two sides differ that do so in these blocks.
pub(super) fn stat(old: &Content, new: &Content, blocks: &[Block]) -> Stat {
    let sizes = (old.size(), new.size());
    let module = |content: &Content| match content {
        Content::Module(commit) => Some(commit.clone()),
        _ => None,
    };
    match (old, new) {
        (Content::Failed(why), _) | (_, Content::Failed(why)) => Stat::Unreadable { why: why.clone() },
        (Content::Module(_), _) | (_, Content::Module(_)) => {
            Stat::Module { old: module(old), new: module(new) }
        }
        (Content::Large(_), _) | (_, Content::Large(_)) => Stat::Large { old: sizes.0, new: sizes.1 },
        _ if [old, new].iter().any(|side| side.bytes().is_some_and(content::is_binary)) => {
            Stat::Binary { old: sizes.0, new: sizes.1 }
        }
        _ => {
            let (added, removed) = blocks::totals(blocks);
            Stat::Text { added, removed }
        }
    }
}
