//! `diff`: what a ticket's work changed, as text that is safe to print, or as JSON. The twin of the console's review.

use serde_json::{Value, json};

use super::cli::diff::DiffArgs;
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use crate::plan::ticket::TicketId;
use crate::verify::diff::{
    Block, Body, DiffError, DiffRange, Differ, FileEntry, Lines, Listing, Stat, rounds_on_disk,
};

/// Lines around a change.
const CONTEXT: u32 = 3;

/// Prints it.
///
/// # Errors
/// A ticket that nobody worked on, a round that there is not, a repository that cannot be read.
pub(super) fn run(context: &Context, args: &DiffArgs, out: &mut Out) -> Result<Exit, VerbError> {
    if args.no_color {
        out.without_colour();
    }
    let (root, ticket) = (context.root()?, TicketId::new(args.ticket.as_str()));
    let opened = rounds_on_disk(&root, &ticket).and_then(|review| {
        Differ::open(&root, &ticket, review.as_ref(), &range(args), !args.ignore_whitespace)
    });
    let (mut differ, listing) = opened.map_err(failed)?;
    if context.json() {
        let files: Vec<Value> =
            (0..listing.files.len()).map(|file| file_json(&mut differ, &listing, file, args.stat)).collect();
        let hash = differ.hash();
        out.json(&json!({
            "ticket": ticket, "range": range(args), "base": listing.base, "head": listing.head, "hash": hash,
            "files": files, "left_out": listing.left_out,
        }));
        return Ok(Exit::Ok);
    }
    for (at, file) in listing.files.iter().enumerate() {
        if args.stat {
            let stat = differ.count(at).map(|counted| counted.stat);
            stat_line(file, stat.as_ref(), out);
        } else if let Some(body) = differ.body(at) {
            text(file, &body, out);
        }
    }
    if listing.left_out > 0 {
        out.note(Tone::Warn, &format!("{} more files are not listed", listing.left_out));
    }
    Ok(Exit::Ok)
}

fn range(args: &DiffArgs) -> DiffRange {
    match (args.round, args.between.as_slice()) {
        (Some(number), _) => DiffRange::Round { number },
        (None, [from, to]) => DiffRange::Between { from: *from, to: *to },
        _ if args.working_tree => DiffRange::WorkingTree,
        _ => DiffRange::Whole,
    }
}

fn failed(error: DiffError) -> VerbError {
    match error {
        DiffError::NoRound { .. } | DiffError::NoHead { .. } => VerbError::Usage(error.to_string()),
        _ => VerbError::Failed(error.to_string()),
    }
}

/// What is said of a file in one line.
fn words(stat: &Stat) -> String {
    match stat {
        Stat::Text { added, removed } => format!("+{added} -{removed}"),
        Stat::Binary { old, new } => format!("binary, {old} to {new} bytes"),
        Stat::Large { old, new } => format!("too large to be compared, {old} to {new} bytes"),
        Stat::Module { old, new } => {
            let word = |commit: &Option<String>| commit.clone().unwrap_or_else(|| "nothing".to_owned());
            format!("another repository, {} to {}", word(old), word(new))
        }
        Stat::Unreadable { why } => format!("unreadable: {why}"),
    }
}

fn stat_line(file: &FileEntry, stat: Option<&Stat>, out: &mut Out) {
    let counts = stat.map(words).unwrap_or_default();
    out.pieces(&[
        (Tone::Plain, &format!("{} {}  ", file.change.letter(), named(file))),
        (Tone::Faint, &format!("{counts}{}", mode(file))),
    ]);
}

fn named(file: &FileEntry) -> String {
    match &file.old_path {
        Some(before) => format!("{before} → {}", file.path),
        None => file.path.clone(),
    }
}

/// How its mode changed, where it did.
fn mode(file: &FileEntry) -> String {
    match (file.old_mode, file.new_mode) {
        (Some(old), Some(new)) if old != new => format!("  mode {old:06o} → {new:06o}"),
        _ => String::new(),
    }
}

fn text(file: &FileEntry, body: &Body, out: &mut Out) {
    let head = format!("{} {}", file.change.letter(), named(file));
    out.pieces(&[(Tone::Strong, &head), (Tone::Faint, &format!("  {}{}", words(&body.stat), mode(file)))]);
    let mut at = 0;
    while at < body.blocks.len() {
        // Changes whose context would meet are one hunk.
        let meets = |pair: &[Block]| pair[1].new - (pair[0].new + pair[0].new_len) <= 2 * CONTEXT;
        let more = body.blocks[at..].windows(2).take_while(|pair| meets(pair)).count();
        hunk(body, &body.blocks[at..=at + more], out);
        at += more + 1;
    }
}

fn hunk(body: &Body, blocks: &[Block], out: &mut Out) {
    let (Some(first), Some(last)) = (blocks.first(), blocks.last()) else { return };
    let before = first.new.min(first.old).min(CONTEXT);
    let end = last.new + last.new_len;
    let after = body.new.len().saturating_sub(end).min(CONTEXT);
    let (old, new) = (first.old - before, first.new - before);
    let (old_len, new_len) = (last.old + last.old_len + after - old, end + after - new);
    let start = |line: u32, len: u32| if len == 0 { line } else { line + 1 };
    let head = format!("@@ -{},{old_len} +{},{new_len} @@", start(old, old_len), start(new, new_len));
    out.pieces(&[(Tone::Faint, &head)]);
    let mut at = new;
    for block in blocks {
        lines(&body.new, at..block.new, (' ', Tone::Plain), out);
        lines(&body.old, block.old..block.old + block.old_len, ('-', Tone::Bad), out);
        lines(&body.new, block.new..block.new + block.new_len, ('+', Tone::Good), out);
        at = block.new + block.new_len;
    }
    lines(&body.new, at..end + after, (' ', Tone::Plain), out);
}

fn lines(text: &Lines, numbers: std::ops::Range<u32>, (sign, tone): (char, Tone), out: &mut Out) {
    for number in numbers {
        if let Some(line) = text.get(number) {
            out.pieces(&[(tone, &format!("{sign}{line}"))]);
            if text.is_unended() && number + 1 == text.len() {
                out.pieces(&[(Tone::Faint, "\\ no line end")]);
            }
        }
    }
}

fn file_json(differ: &mut Differ, listing: &Listing, file: usize, stat: bool) -> Value {
    let mut value = serde_json::to_value(&listing.files[file]).unwrap_or_default();
    if let Some(counted) = differ.count(file) {
        value["stat"] = serde_json::to_value(&counted.stat).unwrap_or_default();
        if counted.new_blob.is_some() {
            value["new_blob"] = json!(counted.new_blob);
        }
    }
    if stat {
        return value;
    }
    if let Some(body) = differ.body(file) {
        let side = |text: &Lines, from: u32, len: u32| -> Vec<String> {
            (from..from + len).filter_map(|number| text.get(number)).map(str::to_owned).collect()
        };
        let blocks = body.blocks.iter().map(|block| {
            json!({
                "old": block.old + 1, "new": block.new + 1,
                "removed": side(&body.old, block.old, block.old_len), "added": side(&body.new, block.new, block.new_len),
            })
        });
        value["changes"] = Value::Array(blocks.collect());
    }
    value
}
