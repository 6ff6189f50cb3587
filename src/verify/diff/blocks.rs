//! Which lines of two texts differ, as blocks; libgit2 does the comparing, on buffers, so that no attribute of the
//! repository (`-diff`, `binary`, a driver) that an agent may have written can hide a change.

use git2::{Blob, DiffOptions, Patch};
use serde::{Deserialize, Serialize};

/// A block of lines that differ: `old_len` lines from `old` were replaced by `new_len` lines from `new`; numbers from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Block {
    /// First line in the old text.
    pub old: u32,
    /// Lines of the old text, 0 for a mere addition.
    pub old_len: u32,
    /// First line in the new text.
    pub new: u32,
    /// Lines of the new text, 0 for a mere removal.
    pub new_len: u32,
}

/// Whether and how white space counts is `whitespace`: when false, lines that differ in it alone are the same.
///
/// # Errors
/// libgit2's words.
pub fn blocks(old: &[u8], new: &[u8], whitespace: bool) -> Result<Vec<Block>, String> {
    if old == new {
        return Ok(Vec::new());
    }
    found(Patch::from_buffers(old, None, new, None, Some(&mut options(whitespace))))
}

/// The same of two objects of a repository. Of mere bytes libgit2 makes ids first, which takes as long as comparing them;
/// an object has one. There is no path, so there are no attributes to ask for.
///
/// # Errors
/// libgit2's words.
pub(super) fn of_blobs(old: &Blob<'_>, new: &Blob<'_>, whitespace: bool) -> Result<Vec<Block>, String> {
    if old.id() == new.id() {
        return Ok(Vec::new());
    }
    found(Patch::from_blobs(old, None, new, None, Some(&mut options(whitespace))))
}

fn options(whitespace: bool) -> DiffOptions {
    let mut options = DiffOptions::new();
    options.context_lines(0).interhunk_lines(0).force_text(true).ignore_whitespace(!whitespace);
    options
}

fn found(patch: Result<Patch<'_>, git2::Error>) -> Result<Vec<Block>, String> {
    let said = |error: git2::Error| error.message().to_owned();
    let patch = patch.map_err(said)?;
    let mut found = Vec::with_capacity(patch.num_hunks());
    for at in 0..patch.num_hunks() {
        let (hunk, _) = patch.hunk(at).map_err(said)?;
        // Of no lines git names the one before, counted from 1, which is the one after, counted from 0.
        let first = |start: u32, len: u32| if len == 0 { start } else { start.saturating_sub(1) };
        found.push(Block {
            old: first(hunk.old_start(), hunk.old_lines()),
            old_len: hunk.old_lines(),
            new: first(hunk.new_start(), hunk.new_lines()),
            new_len: hunk.new_lines(),
        });
    }
    Ok(found)
}

/// Lines added and removed.
pub(super) fn totals(blocks: &[Block]) -> (u32, u32) {
    blocks.iter().fold((0, 0), |(added, removed), block| (added + block.new_len, removed + block.old_len))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::lines::Lines;
    use super::*;

    /// Puts the blocks of `new` in the place of those of `old`; every line outside of them has to be the same.
    fn applied(old: &str, new: &str, blocks: &[Block]) -> String {
        let cut = |text: &str| text.split_inclusive('\n').map(str::to_owned).collect::<Vec<_>>();
        let (old, new) = (cut(old), cut(new));
        let mut out = String::new();
        let mut at = 0;
        for block in blocks {
            let (begin, new_at) = (block.old as usize, block.new as usize);
            old[at..begin].iter().for_each(|line| out.push_str(line));
            new[new_at..new_at + block.new_len as usize].iter().for_each(|line| out.push_str(line));
            at = begin + block.old_len as usize;
        }
        old[at..].iter().for_each(|line| out.push_str(line));
        out
    }

    fn texts() -> impl Strategy<Value = String> {
        let line =
            prop_oneof![Just("a"), Just("b"), Just(""), Just("  a"), Just("a "), Just("é\r"), Just("}")];
        (prop::collection::vec(line, 0..24), any::<bool>()).prop_map(|(lines, ended)| {
            let text = lines.join("\n");
            if ended && !text.is_empty() { text + "\n" } else { text }
        })
    }

    proptest! {
        #[test]
        fn the_blocks_make_the_new_text_of_the_old_one(old in texts(), new in texts()) {
            let found = blocks(old.as_bytes(), new.as_bytes(), true).unwrap();
            prop_assert_eq!(applied(&old, &new, &found), new.clone());
            let (old, new) = (Lines::decode(old.as_bytes()), Lines::decode(new.as_bytes()));
            let mut last = (0, 0);
            for block in &found {
                prop_assert!(block.old >= last.0 && block.new >= last.1, "{:?}", found);
                prop_assert_eq!(block.old - last.0, block.new - last.1, "what stands between is as long");
                last = (block.old + block.old_len, block.new + block.new_len);
            }
            prop_assert_eq!(old.len() - last.0, new.len() - last.1);
        }
    }

    #[test]
    fn white_space_counts_or_does_not() {
        let (old, new) = (b"a\n  b\nc\n", b"a\nb \nd\n");
        assert_eq!(blocks(old, new, true).unwrap(), [Block { old: 1, old_len: 2, new: 1, new_len: 2 }]);
        assert_eq!(blocks(old, new, false).unwrap(), [Block { old: 2, old_len: 1, new: 2, new_len: 1 }]);
    }
}
