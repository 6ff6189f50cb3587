//! Tool calls, what they say while they run, their results, and the files they change.

use serde_json::Value;
use xxhash_rust::xxh3::xxh3_64;

use super::{Sink, body, title, words};
use crate::execute::agents::event::ChangeKind;
use crate::execute::output::Channel;

/// Calls without a result that are remembered; the oldest is forgotten first.
const RUNNING: usize = 64;

/// Lines of output that a call may write while it runs; the result has the rest.
const LIVE_LINES: usize = 200;

/// Bytes of the same.
const LIVE_BYTES: usize = 64 * 1024;

/// The calls that run.
#[derive(Debug, Default)]
pub(super) struct Tools {
    running: Vec<Call>,
    /// The call whose head or output was written last: its result needs no name.
    latest: Option<String>,
}

#[derive(Debug)]
struct Call {
    id: String,
    title: String,
    block: u32,
    live: Live,
}

/// Output that was written while the call ran: whole lines from its beginning.
#[derive(Debug, Default)]
struct Live {
    block: u32,
    lines: usize,
    bytes: usize,
    hash: u64,
    /// The output no longer begins with what was written, or is too long.
    over: bool,
}

impl Tools {
    /// Writes a call; gives its title.
    pub(super) fn call(&mut self, id: String, name: &str, input: &Value, sink: &mut Sink<'_>) -> String {
        let title = title::of(name, input);
        let block = sink.block();
        sink.line(Channel::Tool, title.clone(), block);
        let arguments = title::arguments(input);
        body::head(Channel::ToolInput, arguments.iter().map(String::as_str), block, sink);
        if self.running.len() == RUNNING {
            self.running.remove(0);
        }
        self.latest = Some(id.clone());
        self.running.push(Call { id, title: title.clone(), block, live: Live::default() });
        title
    }

    /// Title of the newest call that runs.
    pub(super) fn running(&self) -> Option<&str> {
        self.running.last().map(|call| call.title.as_str())
    }

    #[cfg(test)]
    pub(super) fn calls(&self) -> usize {
        self.running.len()
    }

    /// Writes the lines that a running call's output has more than before.
    pub(super) fn progress(&mut self, id: &str, output: &str, sink: &mut Sink<'_>) {
        let Some(call) = self.running.iter_mut().find(|call| call.id == id) else { return };
        let Some(rest) = call.live.rest(output) else {
            call.live.over = true;
            return;
        };
        let Some(end) = rest.rfind('\n') else { return };
        let lines = rest[..end].split('\n').count();
        if call.live.over || call.live.lines + lines > LIVE_LINES || call.live.bytes + end > LIVE_BYTES {
            call.live.over = true;
            return;
        }
        // Right below its call the output belongs to the call's block; elsewhere it needs the call's name.
        let follows = self.latest.as_deref() == Some(id);
        if call.live.block == 0 && follows {
            call.live.block = call.block;
        } else if call.live.block == 0 || (!follows && call.live.block == call.block) {
            call.live.block = sink.block();
            sink.line(Channel::ToolOutput, format!("{}: output so far", call.title), call.live.block);
        }
        body::both_ends(Channel::ToolOutput, &rest[..end], call.live.block, sink);
        call.live.lines += lines;
        call.live.bytes += end + 1;
        call.live.hash = xxh3_64(&output.as_bytes()[..call.live.bytes]);
        self.latest = Some(call.id.clone());
    }

    /// Writes how a call ended and what it gave, without what was written while it ran.
    pub(super) fn result(
        &mut self,
        id: &str,
        ok: bool,
        exit_code: Option<i32>,
        output: &str,
        sink: &mut Sink<'_>,
    ) {
        let at = self.running.iter().position(|call| call.id == id);
        let call = at.map(|at| self.running.remove(at));
        let outcome = words::outcome(ok, exit_code, output);
        let head = match &call {
            Some(call) if self.latest.as_deref() != Some(id) => format!("{}: {outcome}", call.title),
            _ => outcome,
        };
        let channel = if ok { Channel::ToolOutput } else { Channel::ToolError };
        let block = sink.block();
        sink.line(channel, head, block);
        self.latest = None;
        let rest = call.and_then(|call| call.live.rest(output)).unwrap_or(output);
        // The head of a failure says the first line already.
        let said = !ok && !output.trim().contains('\n') && output.trim().chars().count() <= 200;
        if !rest.trim().is_empty() && !said {
            body::both_ends(channel, rest, block, sink);
        }
    }
}

impl Live {
    /// What follows the lines that were written; `None` if the output does not begin with them.
    fn rest<'a>(&self, output: &'a str) -> Option<&'a str> {
        let (written, rest) = (output.get(..self.bytes)?, output.get(self.bytes..)?);
        (self.bytes == 0 || xxh3_64(written.as_bytes()) == self.hash).then_some(rest)
    }
}

/// Writes a file change: its path with the number of lines, and its diff.
pub(super) fn change(path: &str, kind: ChangeKind, diff: Option<&str>, sink: &mut Sink<'_>) {
    let block = sink.block();
    let diff = diff.unwrap_or_default();
    let counted = |sign: char| diff.lines().filter(|line| line.starts_with(sign)).count();
    let what = match kind {
        ChangeKind::Added => "new, ",
        ChangeKind::Deleted => "deleted, ",
        ChangeKind::Modified => "",
    };
    let what = match diff {
        "" if what.is_empty() => "changed".to_owned(),
        "" => what.trim_end_matches(", ").to_owned(),
        _ => format!("{what}+{} -{}", counted('+'), counted('-')),
    };
    sink.line(Channel::File, format!("{}  {what}", words::one_line(path)), block);
    body::head(Channel::Diff, diff.lines(), block, sink);
}
