//! Colours a part of a text and marks the words that changed in it, on the painter's thread.
//!
//! A part is [`PART`] lines. Colouring needs the state of the grammar at its first line: that is kept for parts that were
//! coloured before, and where none is near the grammar begins a little above, which may take the inside of a long
//! comment for code. Long lines stay plain, and a part has a deadline, since foreign text may drive a grammar hard.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use syntect::parsing::{ParseState, ScopeStack, SyntaxReference};

use super::words;
use crate::base::text::safe_text;
use crate::console::source::code;
use crate::console::theme::Role;
use crate::runtime::protocol::diff::{Block, Body, DiffId, Lines, TextSide};

/// Lines of a part.
pub(crate) const PART: u32 = 64;
/// Columns of a line that is coloured.
const COLUMNS: usize = 500;
/// Parts from which the grammar is led on to a wanted one.
const LEAD: u32 = 24;
/// Parts above a wanted one at which the grammar begins when nothing is known nearby.
const COLD: u32 = 3;
/// How long one part may take.
const DEADLINE: Duration = Duration::from_millis(400);
/// Texts whose states are kept.
const TEXTS: usize = 6;

/// Which part of which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PartKey {
    pub(crate) diff: DiffId,
    pub(crate) file: u32,
    pub(crate) side: TextSide,
    pub(crate) part: u32,
}

/// A part to be coloured.
#[derive(Clone, Debug, PartialEq)]
pub struct PartJob {
    pub(crate) key: PartKey,
    pub(crate) path: String,
    pub(crate) body: Arc<Body>,
}

impl PartJob {
    /// Colours the part on its own. Takes milliseconds; never called on the loop.
    pub fn paint(&self) -> PaintedPart {
        PaintCache::default().paint(self)
    }
}

/// A piece of a line: safe text, what it is, and whether it is what changed in the line.
pub(crate) type Piece = (String, Role, bool);

/// A part that was coloured, or was not come to and may be asked for again.
#[derive(Clone, Debug, PartialEq)]
pub struct PaintedPart {
    pub(crate) key: PartKey,
    pub(crate) lines: Option<Arc<Vec<Vec<Piece>>>>,
}

type State = (ParseState, ScopeStack);

/// What a painter remembers of the texts it coloured.
#[derive(Default)]
pub(super) struct PaintCache {
    states: HashMap<(DiffId, u32, TextSide), BTreeMap<u32, State>>,
}

impl PaintCache {
    /// Colours a part.
    pub(super) fn paint(&mut self, job: &PartJob) -> PaintedPart {
        let key = job.key;
        let (text, other) = match key.side {
            TextSide::Old => (&job.body.old, &job.body.new),
            TextSide::New => (&job.body.new, &job.body.old),
        };
        let from = key.part * PART;
        let numbers = from..(from + PART).min(text.len());
        let safe: Vec<String> = numbers.clone().map(|number| shown(text, number)).collect();
        let coloured = self.colour(job, text, &safe);
        let lines = numbers
            .zip(&safe)
            .zip(coloured)
            .map(|((number, line), pieces)| {
                let partner =
                    partner(&job.body.blocks, key.side, number).and_then(|number| other.get(number));
                let changed = partner.map(|partner| words::changed(line, safe_text(partner).as_str()));
                marked(pieces, &changed.unwrap_or_default())
            })
            .collect();
        PaintedPart { key, lines: Some(Arc::new(lines)) }
    }

    fn colour(&mut self, job: &PartJob, text: &Lines, safe: &[String]) -> Vec<Vec<(String, Role)>> {
        let mut lines: Vec<Vec<(String, Role)>> =
            safe.iter().map(|line| vec![(line.clone(), Role::Text)]).collect();
        let Some(syntax) = code::syntax_of(&job.path, text.get(0).unwrap_or_default()) else { return lines };
        let until = Instant::now() + DEADLINE;
        let key = job.key;
        let name = (key.diff, key.file, key.side);
        if self.states.len() >= TEXTS && !self.states.contains_key(&name) {
            self.states.clear();
        }
        let known = self.states.entry(name).or_default();
        let Some((mut state, mut scopes)) = lead(known, text, key.part, syntax, until) else { return lines };
        for (line, text) in lines.iter_mut().zip(safe) {
            if Instant::now() > until {
                return lines;
            }
            if text.len() > COLUMNS {
                continue;
            }
            let Some(coloured) = code::paint_line(text, &mut state, &mut scopes) else { return lines };
            *line = coloured;
        }
        known.insert(key.part + 1, (state, scopes));
        lines
    }
}

/// The grammar's state at the beginning of `part`.
fn lead(
    known: &mut BTreeMap<u32, State>,
    text: &Lines,
    part: u32,
    syntax: &SyntaxReference,
    until: Instant,
) -> Option<State> {
    let near =
        known.range(part.saturating_sub(LEAD)..=part).next_back().map(|(at, state)| (*at, state.clone()));
    let fresh = || (ParseState::new(syntax), ScopeStack::new());
    let (mut at, (mut state, mut scopes)) = match near {
        Some(near) => near,
        None if part <= LEAD => (0, fresh()),
        None => (part - COLD, fresh()),
    };
    while at < part {
        for number in at * PART..(at + 1) * PART {
            if Instant::now() > until {
                return None;
            }
            let line = shown(text, number);
            if line.len() <= COLUMNS {
                code::paint_line(&line, &mut state, &mut scopes)?;
            }
        }
        at += 1;
        known.insert(at, (state.clone(), scopes.clone()));
    }
    Some((state, scopes))
}

/// A line as it is shown.
pub(crate) fn shown(text: &Lines, number: u32) -> String {
    safe_text(text.get(number).unwrap_or_default()).into()
}

/// The line of the other text that stands in the place of line `number`.
pub(crate) fn partner(blocks: &[Block], side: TextSide, number: u32) -> Option<u32> {
    let of = |block: &Block| match side {
        TextSide::Old => (block.old, block.old_len, block.new, block.new_len),
        TextSide::New => (block.new, block.new_len, block.old, block.old_len),
    };
    let at = blocks.partition_point(|block| of(block).0 <= number).checked_sub(1)?;
    let (from, len, other, others) = of(&blocks[at]);
    let offset = number - from;
    (offset < len && offset < others).then_some(other + offset)
}

/// Cuts the pieces where what changed begins and ends.
fn marked(pieces: Vec<(String, Role)>, changed: &[(usize, usize)]) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    let mut at = 0;
    for (text, role) in pieces {
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let inside = changed.iter().find(|(from, to)| (*from..*to).contains(&at));
            let end = match inside {
                Some((_, to)) => *to,
                None => changed.iter().map(|(from, _)| *from).find(|from| *from > at).unwrap_or(usize::MAX),
            };
            let take = (end - at).min(rest.len());
            let take = if rest.is_char_boundary(take) { take } else { rest.len() };
            out.push((rest[..take].to_owned(), role, inside.is_some()));
            rest = &rest[take..];
            at += take;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::protocol::diff::Stat;

    fn body(old: &str, new: &str) -> Arc<Body> {
        let blocks = crate::console::review::tests::blocks(old, new);
        Arc::new(Body {
            stat: Stat::Text { added: 0, removed: 0 },
            new_blob: None,
            old: Arc::new(Lines::of(old.to_owned())),
            new: Arc::new(Lines::of(new.to_owned())),
            blocks: blocks.into(),
        })
    }

    fn painted(cache: &mut PaintCache, body: &Arc<Body>, path: &str, part: u32) -> Vec<Vec<Piece>> {
        let key = PartKey { diff: DiffId(1), file: 0, side: TextSide::New, part };
        let job = PartJob { key, path: path.to_owned(), body: Arc::clone(body) };
        Vec::clone(&cache.paint(&job).lines.unwrap())
    }

    #[test]
    fn colours_and_changed_words_meet_in_one_line() {
        let body = body("fn a() {\n    let x = 1;\n}\n", "fn a() {\n    let x = 2;\n}\n");
        let lines = painted(&mut PaintCache::default(), &body, "a.rs", 0);
        let changed: Vec<&str> =
            lines.iter().flatten().filter(|piece| piece.2).map(|piece| piece.0.as_str()).collect();
        assert_eq!(changed, ["2"]);
        assert!(lines[1].contains(&("let".to_owned(), Role::CodeKeyword, false)), "{:?}", lines[1]);
    }

    #[test]
    fn a_part_far_down_is_coloured_without_those_above_and_no_character_is_lost() {
        let text = "/* one\n".to_owned() + &"still inside\n".repeat(300) + "*/ let x = \"\u{202e}\";\n";
        let body = body("", &text);
        let mut cache = PaintCache::default();
        for part in [4, 0, 1] {
            let lines = painted(&mut cache, &body, "a.rs", part);
            for (line, number) in lines.iter().zip(part * PART..) {
                let joined: String = line.iter().map(|piece| piece.0.as_str()).collect();
                assert_eq!(joined, shown(&body.new, number));
            }
        }
        assert!(painted(&mut cache, &body, "a.rs", 4)[0].iter().all(|piece| piece.1 == Role::CodeComment));
        assert!(painted(&mut cache, &body, "none.xyzzy", 4)[0].iter().all(|piece| piece.1 == Role::Text));
    }
}
