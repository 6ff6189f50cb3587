//! A sprint file's text → its tickets and where they stand.
//!
//! First chunk by chunk (see `layout`), taking over what a previous document already parsed; when anything is unusual,
//! the whole file at once. Faults always come from the parse of the whole file, so that they are the first in the file.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_64;

use super::fault::{Bad, position};
use super::layout::{self, Layout};
use super::scan::break_len;
use super::sprint::{Entry, Outline, SprintFault, SprintWarning};
use super::tape::{Kind, Tape};
use super::value::{for_each_pair, is_merge, key_text, to_value};
use super::{check, fast, full, parallel, read, tail};

/// What loading yields.
pub(super) struct Loaded {
    pub(super) entries: Vec<Entry>,
    pub(super) warnings: Vec<SprintWarning>,
    /// The layout, when the file is read chunk by chunk.
    pub(super) layout: Option<Layout>,
}

/// Loads the tickets of `text`.
///
/// # Errors
/// The first place where planfile would not read the file as its author meant.
pub(super) fn load(text: &str, stem: &str, previous: Option<&Outline>) -> Result<Loaded, SprintFault> {
    let from = bom_len(text);
    if let Some(loaded) = by_chunks(text, from, stem, previous) {
        return Ok(loaded);
    }
    whole(text, from, stem).map_err(|bad| bad.in_file(text))
}

/// Bytes of a byte order mark at the start.
pub(super) fn bom_len(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// Parses the lines of one ticket alone; `None` when they are not exactly one pair at the right place that reaches
/// nowhere else.
pub(super) fn parse_chunk<'a>(
    text: &'a str,
    span: &Range<usize>,
    indent: usize,
    tape: &mut Tape<'a>,
) -> Option<(usize, usize)> {
    let pair = reparse_chunk(text, span, indent, tape)?;
    let reaching = tape.aliases > 0 || tape.directives || tape.props.iter().any(|props| props.anchored);
    let fine = !reaching && !is_merge(tape, pair.0) && check::constructible(tape, 0).is_ok();
    fine.then_some(pair)
}

/// As [`parse_chunk`] for lines that passed it before.
pub(super) fn reparse_chunk<'a>(
    text: &'a str,
    span: &Range<usize>,
    indent: usize,
    tape: &mut Tape<'a>,
) -> Option<(usize, usize)> {
    let text = &text[..span.end];
    if fast::parse(text, span.start, tape).is_none() {
        full::parse(text, span.start, tape).ok().filter(|found| *found)?;
    }
    let root = tape.nodes.first()?;
    if root.kind != Kind::BlockMap || root.start as usize != span.start + indent {
        return None;
    }
    let mut pairs = tape.pairs(0);
    pairs.next().filter(|_| pairs.next().is_none())
}

fn by_chunks(text: &str, from: usize, stem: &str, previous: Option<&Outline>) -> Option<Loaded> {
    let layout = layout::find(text, from)?;
    let mut warnings = skeleton(text, from, &layout)?;
    let known: HashMap<u64, &Entry> = previous
        .filter(|previous| previous.stem() == stem)
        .map(|previous| previous.entries().iter().map(|entry| (entry.hash, entry)).collect())
        .unwrap_or_default();
    let spans: Vec<Range<usize>> = layout.chunks().collect();
    let read = |spans: &[Range<usize>]| read_chunks(text, spans, layout.indent, stem, &known);
    let mut entries = parallel::flat_map(&spans, text.len(), read)?;
    finish(text, &mut entries, &mut warnings);
    Some(Loaded { entries, warnings, layout: Some(layout) })
}

/// The entries of some chunks; those whose bytes are known are taken over.
fn read_chunks(
    text: &str,
    spans: &[Range<usize>],
    indent: usize,
    stem: &str,
    known: &HashMap<u64, &Entry>,
) -> Option<Vec<Entry>> {
    let mut tape = Tape::default();
    let mut entries = Vec::with_capacity(spans.len());
    for span in spans {
        let span = span.clone();
        let hash = xxh3_64(&text.as_bytes()[span.clone()]);
        let same = known.get(&hash).filter(|entry| entry.span.len() == span.len());
        entries.push(match same {
            Some(entry) => Entry { span, ..(*entry).clone() },
            None => {
                let pair = parse_chunk(text, &span, indent, &mut tape)?;
                entry(text, &tape, pair, span, hash, stem)
            }
        });
    }
    Some(entries)
}

/// Makes the entry of one ticket of `text`; offsets in it count from its span's start.
fn entry(
    text: &str,
    tape: &Tape<'_>,
    pair: (usize, usize),
    span: Range<usize>,
    hash: u64,
    stem: &str,
) -> Entry {
    let (key, value) = pair;
    let relative = |at: u32| at as usize - span.start;
    let body = relative(tape.nodes[value].end.max(tape.nodes[key].end));
    let tail = tail::of_block_text(text, tape, pair).map(|at| at - span.start);
    // Bytes decide for a ticket that stands alone; one that reaches elsewhere, or that what follows can change, is told
    // by what it reads as.
    let record_hash = if tape.aliases > 0 || tail.is_some() {
        xxh3_64(to_value(tape, value).to_string().as_bytes())
    } else {
        xxh3_64(&text.as_bytes()[span.start..span.start + body])
    };
    Entry {
        key: Arc::from(key_text(tape, key)),
        key_at: tape.outer_start(key) - span.start,
        body,
        tail: tail.unwrap_or(body),
        hash,
        record_hash,
        duplicate: check::duplicate(tape, value)
            .map(|key| (relative(tape.nodes[key].start), Arc::from(key_text(tape, key)))),
        shadowed: false,
        twin: false,
        record: tape.node(value).kind.is_map(),
        ticket: Arc::new(read::ticket(tape, key, value, stem)),
        span,
    }
}

/// Parses the file without its ticket lines and makes sure that the tickets belong where they stand.
pub(super) fn skeleton(text: &str, from: usize, layout: &Layout) -> Option<Vec<SprintWarning>> {
    let bones = format!("{}{}", &text[..layout.start], &text[layout.end..]);
    let mut tape = Tape::default();
    full::parse(&bones, from, &mut tape).ok().filter(|found| *found)?;
    if tape.aliases > 0 || tape.directives || tape.props.iter().any(|props| props.anchored) {
        return None;
    }
    check::constructible(&tape, 0).ok()?;
    let place = Place::find(&tape).ok()?;
    let (key, value) = place.tickets?;
    let empty = tape.nodes[value].kind == Kind::Plain
        && tape.nodes[value].text.is_empty()
        && tape.props(value).is_none();
    if tape.nodes[key].start as usize != layout.tickets || !empty {
        return None;
    }
    Some(place.warnings(text))
}

/// Where the `tickets` mapping hangs.
pub(super) struct Place {
    wrapped: bool,
    /// The mapping that holds `tickets`.
    pub(super) map: usize,
    pub(super) tickets: Option<(usize, usize)>,
}

impl Place {
    /// Finds `sprint.tickets`, or `tickets` at the root when there is no `sprint`.
    pub(super) fn find(tape: &Tape<'_>) -> Result<Place, Bad> {
        let root = tape.resolve(0);
        if !tape.nodes[root].kind.is_map() {
            let message = "the file is not a mapping; it must begin with `sprint:`";
            return Err(Bad::new(tape.nodes[root].start as usize, message));
        }
        let sprint = only(tape, root, "sprint")?;
        let (map, wrapped) = match sprint {
            None => (root, false),
            Some((key, value)) => {
                let map = tape.resolve(value);
                if !tape.nodes[map].kind.is_map() {
                    let message = "`sprint:` is not a mapping; it must hold id, name, status and tickets";
                    return Err(Bad::new(tape.nodes[key].start as usize, message));
                }
                (map, true)
            }
        };
        Ok(Place { wrapped, map, tickets: only(tape, map, "tickets")? })
    }

    fn warnings(&self, text: &str) -> Vec<SprintWarning> {
        if self.wrapped {
            return Vec::new();
        }
        let message = "there is no `sprint:` above `tickets:`; planfile reads the file, and its `ticket create` corrupts it: \
                       indent everything below a `sprint:` line";
        let (line, ..) = position(text.as_bytes(), bom_len(text));
        vec![SprintWarning { line, message: message.to_owned() }]
    }
}

/// The pair of a key that may stand only once; a merged one when the mapping has none of its own.
fn only(tape: &Tape<'_>, map: usize, name: &str) -> Result<Option<(usize, usize)>, Bad> {
    let named = |key: usize| tape.node(key).kind.is_scalar() && key_text(tape, key) == name;
    if let Some((key, _)) = tape.pairs(map).filter(|(key, _)| named(*key)).nth(1) {
        let message = format!(
            "`{name}:` stands twice, and planfile drops the first with all that is below it; join them"
        );
        return Err(Bad::new(tape.nodes[key].start as usize, message));
    }
    let mut found = None;
    for_each_pair(tape, map, &mut |key, value| {
        if named(key) {
            found = Some((key, value));
        }
    });
    Ok(found)
}

fn whole(text: &str, from: usize, stem: &str) -> Result<Loaded, Bad> {
    let mut tape = Tape::default();
    let found = full::parse(text, from, &mut tape)?;
    let root = tape.nodes.first();
    if !found
        || root.is_none_or(|root| {
            root.kind == Kind::Plain && super::scalar::implicit(&root.text) == super::scalar::Implicit::Null
        })
    {
        let message = "the file is empty, and planfile would destroy it on its next write; put the sprint back or delete the file";
        return Err(Bad::new(0, message));
    }
    check::constructible(&tape, 0)?;
    let place = Place::find(&tape)?;
    let mut warnings = place.warnings(text);
    let mut entries = Vec::new();
    if let Some((key, value)) = place.tickets {
        let map = tape.resolve(value);
        let at = tape.nodes[key].start as usize;
        if tape.nodes[map].kind.is_map() {
            for (key, value) in ticket_pairs(&tape, map) {
                let mut span = ticket_span(text, &tape, key, value);
                if let Some(tail) = tail::of_block_text(text, &tape, (key, value)) {
                    span.end = tail;
                }
                let hash = xxh3_64(&text.as_bytes()[span.clone()]);
                entries.push(entry(text, &tape, (key, value), span, hash, stem));
            }
        } else if super::value::scalar(&tape, value) == Some(super::scalar::Scalar::Null) {
            let (line, ..) = position(text.as_bytes(), at);
            let message =
                "`tickets:` is empty, and planfile cannot create a ticket there; write `tickets: {}`"
                    .to_owned();
            warnings.push(SprintWarning { line, message });
        } else {
            return Err(Bad::new(
                at,
                "`tickets:` is not a mapping of ids to tickets; write `PLF-001:` lines below it",
            ));
        }
    }
    finish(text, &mut entries, &mut warnings);
    Ok(Loaded { entries, warnings, layout: None })
}

/// The pairs of the `tickets` mapping: its own in their order, those that it merges and does not override before them.
fn ticket_pairs(tape: &Tape<'_>, map: usize) -> Vec<(usize, usize)> {
    let own = tape.pairs(map).filter(|(key, _)| !is_merge(tape, *key));
    if tape.pairs(map).all(|(key, _)| !is_merge(tape, key)) {
        return own.collect();
    }
    // By key, since aliases can name one mapping a million times.
    let mut merged = HashMap::new();
    for_each_pair(tape, map, &mut |key, value| {
        merged.insert(key_text(tape, key), (key, value));
    });
    for (key, _) in own.clone() {
        merged.remove(&key_text(tape, key));
    }
    let mut pairs: Vec<(usize, usize)> = merged.into_values().collect();
    pairs.sort_unstable();
    pairs.extend(own);
    pairs
}

/// From the key to the end of the value; whole lines where the ticket has lines of its own.
fn ticket_span(text: &str, tape: &Tape<'_>, key: usize, value: usize) -> Range<usize> {
    let bytes = text.as_bytes();
    let start = tape.outer_start(key);
    // An alias as value ends where the alias ends.
    let end = (tape.nodes[value].end.max(tape.nodes[key].end) as usize).max(start);
    // Every end of a line that YAML 1.1 knows: a block text in the ticket is indented from there.
    let line = text[..start]
        .rfind(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'])
        .map_or(bom_len(text), |at| at + break_len(bytes, at));
    if bytes[line..start].iter().all(|byte| *byte == b' ') { line..end } else { start..end }
}

/// Marks shadowed tickets and gathers the warnings that concern tickets.
fn finish(text: &str, entries: &mut [Entry], warnings: &mut Vec<SprintWarning>) {
    let mut last: HashMap<Arc<str>, usize> = HashMap::with_capacity(entries.len());
    let mut notes: Vec<(usize, Cow<'static, str>)> = Vec::new();
    for index in 0..entries.len() {
        entries[index].shadowed = false;
        entries[index].twin = false;
        if let Some(earlier) = last.insert(entries[index].key.clone(), index) {
            entries[earlier].shadowed = true;
            entries[earlier].twin = true;
            entries[index].twin = true;
            let key = &entries[index].key;
            let at = entries[index].span.start + entries[index].key_at;
            notes.push((at, Cow::Owned(format!("{key} stands twice; planfile reads this one and drops the other on its next write: remove or rename one"))));
        }
    }
    for entry in entries.iter() {
        let at = entry.span.start + entry.key_at;
        if let Some((offset, key)) = &entry.duplicate {
            let message = format!(
                "`{key}` stands twice in {}; planfile reads the last one and drops the other: remove one",
                entry.key
            );
            notes.push((entry.span.start + offset, Cow::Owned(message)));
        }
        if entry.ticket.id.as_str() != &*entry.key {
            let message =
                format!("the ticket below {} says `id: {}`; make them equal", entry.key, entry.ticket.id);
            notes.push((at, Cow::Owned(message)));
        }
        if let Some(reason) = &entry.ticket.invalid {
            notes.push((at, Cow::Owned(format!("{}: {reason}", entry.key))));
        }
    }
    notes.sort_by_key(|(at, _)| *at);
    let mut lines = LineCounter::new(text);
    warnings.extend(
        notes
            .into_iter()
            .map(|(at, message)| SprintWarning { line: lines.line(at), message: message.into_owned() }),
    );
}

/// Line numbers of rising offsets in one pass.
struct LineCounter<'a> {
    bytes: &'a [u8],
    at: usize,
    line: usize,
}

impl<'a> LineCounter<'a> {
    fn new(text: &'a str) -> Self {
        LineCounter { bytes: text.as_bytes(), at: 0, line: 1 }
    }

    fn line(&mut self, to: usize) -> usize {
        for index in self.at..to.min(self.bytes.len()) {
            let byte = self.bytes[index];
            if byte == b'\n' || (byte == b'\r' && self.bytes.get(index + 1) != Some(&b'\n')) {
                self.line += 1;
            }
        }
        self.at = self.at.max(to);
        self.line
    }
}

/// Loads without chunks, to compare the two ways.
#[cfg(test)]
pub(super) fn whole_only(text: &str, stem: &str) -> Result<Loaded, SprintFault> {
    whole(text, bom_len(text), stem).map_err(|bad| bad.in_file(text))
}
