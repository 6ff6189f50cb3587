//! `audit`: what people did here and what broke the policy: when, who, what, about which state.

use super::cli::AuditArgs;
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use crate::base::paths::ProjectPaths;
use crate::learn::audit;
use crate::runtime::protocol::AuditRow;

/// Prints the newest rows, the newest last, as logs are read.
///
/// # Errors
/// A folder that cannot be read.
pub(super) fn run(context: &Context, args: &AuditArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let folder = ProjectPaths::new(&context.root()?).audit();
    let read = |source| VerbError::Io { doing: "reading the audit", path: folder.clone(), source };
    let mut found = audit::tail(&folder, usize::MAX).map_err(read)?;
    if let Some(ticket) = &args.ticket {
        found.rows.retain(|row| is_about(row, ticket));
    }
    let first = found.rows.len().saturating_sub(args.lines);
    found.rows.drain(..first);
    if context.json() {
        let rows: Vec<serde_json::Value> = found.rows.into_iter().map(whole).collect();
        out.json(&rows);
        return Ok(Exit::Ok);
    }
    for row in found.rows.into_iter().map(AuditRow::from) {
        let tone = if row.kind == "policy.breach" { Tone::Bad } else { Tone::Strong };
        out.pieces(&[
            (Tone::Faint, &format!("{:.0}  ", row.at)),
            (Tone::Plain, &format!("{:<12}  ", row.who)),
            (tone, &format!("{:<15} ", row.kind)),
            (Tone::Plain, &row.text),
        ]);
    }
    if found.unreadable > 0 {
        out.note(Tone::Warn, &format!("{} lines could not be read and are left alone", found.unreadable));
    }
    Ok(Exit::Ok)
}

/// Whether a row is about a ticket: by its own key, or by the run's name, which begins with the ticket's id.
fn is_about(row: &audit::Row, ticket: &str) -> bool {
    let holds = |key: &str, is: &dyn Fn(&str) -> bool| {
        row.detail.get(key).and_then(serde_json::Value::as_str).is_some_and(is)
    };
    holds("ticket", &|found| found == ticket)
        || holds("run", &|run| run.strip_prefix(ticket).is_some_and(|rest| rest.starts_with('-')))
}

fn whole(row: audit::Row) -> serde_json::Value {
    let mut all = serde_json::Map::new();
    all.insert("at".to_owned(), row.at.to_string().into());
    all.insert("kind".to_owned(), row.kind.into());
    all.insert("who".to_owned(), row.who.into());
    all.extend(row.detail);
    all.into()
}
