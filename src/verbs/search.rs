//! `runs search`: words in what runs printed, over every kept run, newest first.

use serde_json::{Value, json};

use super::cli::runs::SearchArgs;
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use crate::runtime::past_runs::search::{Hit, Wanted, search};

/// Prints the hits. Exit 1 when there is none, as grep does.
///
/// # Errors
/// A folder that cannot be read.
pub(super) fn run(context: &Context, args: &SearchArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let wanted = Wanted { words: args.words.join(" "), ticket: args.ticket.clone(), limit: args.limit };
    if wanted.words.trim().is_empty() {
        return Err(VerbError::Usage("say what to search for".to_owned()));
    }
    let root = context.root()?;
    let found = search(&root, &wanted);
    if context.json() {
        let rows: Vec<Value> = found.hits.iter().map(row).collect();
        out.json(&rows);
    } else {
        for hit in &found.hits {
            out.pieces(&[
                (Tone::Strong, &hit.run),
                (Tone::Faint, &format!(":{}  ", hit.line)),
                (Tone::Plain, &hit.text),
            ]);
        }
        if found.more {
            out.note(Tone::Faint, &format!("the first {} hits; --limit N shows more", found.hits.len()));
        }
    }
    Ok(if found.hits.is_empty() { Exit::Failed } else { Exit::Ok })
}

fn row(hit: &Hit) -> Value {
    json!({"run": hit.run, "ticket": hit.ticket, "line": hit.line, "channel": hit.channel, "text": hit.text})
}
