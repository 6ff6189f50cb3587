//! `ticket log`: the transcript of one run, read in windows, so that one of any size can be printed.

use std::path::Path;

use serde::de::IgnoredAny;

use super::super::cli::ticket::LogArgs;
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::{Out, Tone};
use crate::base::paths::ProjectPaths;
use crate::base::redact::Redactor;
use crate::base::text::safe_line;
use crate::execute::folder::RunFolder;
use crate::execute::output::{Channel, OutputLine};
use crate::execute::raw_stream::RawReader;
use crate::execute::transcript::TranscriptReader;
use crate::plan::ticket::TicketId;
use crate::runtime::past_runs;

/// Lines that are read at once.
const WINDOW: u32 = 2_000;

/// Prints it.
///
/// # Errors
/// A run of which nothing is kept, or files that cannot be read.
pub(super) fn run(context: &Context, args: &LogArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let runs = ProjectPaths::new(&context.root()?).runs();
    let folder = folder(&runs, &args.run)?;
    let path = if args.raw { folder.stream() } else { folder.transcript() };
    let failed = |source| VerbError::Io { doing: "reading the output of a run", path: path.clone(), source };
    let mut lines = match args.raw {
        true => Lines::Raw(RawReader::new(&path)),
        false => Lines::Transcript(TranscriptReader::new(&path)),
    };
    let from = match args.lines {
        Some(last) => lines.count().map_err(failed)?.saturating_sub(last),
        None => 0,
    };
    let json = context.json();
    if json {
        out.json_text("[");
    }
    let (mut at, redactor) = (from, Redactor::default());
    loop {
        let window = lines.read(at).map_err(failed)?;
        if window.is_empty() {
            break;
        }
        for (line, number) in window.into_iter().zip(at..) {
            let clean = OutputLine { text: redactor.clean(&line.text).into(), ..line };
            match json {
                true => {
                    let comma = if number == from { "\n" } else { ",\n" };
                    let text = serde_json::to_string(&clean).unwrap_or_default();
                    out.json_text(&format!("{comma}{text}"));
                }
                false => print(&clean, args.raw, out),
            }
            at = number + 1;
        }
    }
    if json {
        out.json_text(if at == from { "]\n" } else { "\n]\n" });
    } else if at == from {
        let what = if args.raw { "no stream of an agent is kept of" } else { "nothing was printed by" };
        out.note(Tone::Faint, &format!("{what} the run {}", folder.name()));
    }
    Ok(Exit::Ok)
}

/// The folder of a run, given by its own name, or by the ticket whose newest run is meant.
fn folder(runs: &Path, name: &str) -> Result<RunFolder, VerbError> {
    let named = RunFolder::at(runs, name).filter(|folder| folder.read_record().is_some());
    let newest = || {
        let (list, _) = past_runs::list(runs, &TicketId::new(name));
        list.first().and_then(|view| RunFolder::at(runs, &view.id.0))
    };
    named.or_else(newest).ok_or_else(|| {
        VerbError::Usage(format!(
            "nothing is kept of a run {name}; `koru-tui ticket runs ID` lists those of a ticket"
        ))
    })
}

enum Lines {
    Transcript(TranscriptReader),
    Raw(RawReader),
}

impl Lines {
    fn count(&mut self) -> std::io::Result<u64> {
        match self {
            Lines::Transcript(reader) => reader.count(),
            Lines::Raw(reader) => reader.count(),
        }
    }

    /// The lines from this one on, as many as a window takes; none at the end.
    fn read(&mut self, from: u64) -> std::io::Result<Vec<OutputLine>> {
        loop {
            let read = match self {
                Lines::Transcript(reader) => reader.try_read(from, WINDOW)?,
                Lines::Raw(reader) => reader.try_read(from, WINDOW)?,
            };
            if let Some((lines, _)) = read {
                return Ok(lines);
            }
        }
    }
}

/// One line for people, as a terminal would show it in the end, without its colours.
fn print(line: &OutputLine, raw: bool, out: &mut Out) {
    // What is JSON stays exact, so that it can be fed to another program.
    if raw && serde_json::from_str::<IgnoredAny>(&line.text).is_ok() {
        return out.json_text(&format!("{}\n", line.text));
    }
    let text = safe_line(line.text.as_bytes()).plain();
    if raw {
        return out.line(&text);
    }
    let seconds = line.at_ms / 1_000;
    let time = format!("{}:{:02}:{:02} ", seconds / 3_600, seconds / 60 % 60, seconds % 60);
    let (mark, tone) = match line.channel {
        Channel::Out | Channel::Text => ("  ", Tone::Plain),
        Channel::Err | Channel::Error | Channel::ToolError => ("! ", Tone::Bad),
        Channel::Note | Channel::Status => ("- ", Tone::Faint),
        Channel::Operator => ("> ", Tone::Strong),
        Channel::Thinking => ("~ ", Tone::Faint),
        Channel::Tool | Channel::File => ("* ", Tone::Strong),
        Channel::ToolInput | Channel::ToolOutput | Channel::Diff => ("  ", Tone::Faint),
        Channel::Retry => ("@ ", Tone::Warn),
        Channel::Unknown => ("? ", Tone::Faint),
    };
    out.pieces(&[(Tone::Faint, &time), (tone, mark), (tone, &text)]);
}
