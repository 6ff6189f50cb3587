//! The one place that prints. Every string passes `base::text`, ours too: a verb cannot forget it.
//!
//! Text and markdown go out line by line; JSON goes out exact, with every control, bidi and zero-width character
//! escaped by JSON's own `\u` form, so that it is safe on a terminal as well. A reader that went away (EPIPE) turns
//! the rest into silence; the verb still finishes its work and keeps its exit code.

use std::io::{self, BufWriter, IsTerminal, Write};

use serde::Serialize;

use super::error::VerbError;
use super::json::Pretty;
use crate::base::text;

/// How a piece of a line looks; shown only on a terminal without `NO_COLOR`, and never the only carrier of a meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    /// As it is.
    Plain,
    /// What the eye should find.
    Strong,
    /// Of less weight.
    Faint,
    /// Went well.
    Good,
    /// Waits, or should be looked at.
    Warn,
    /// Went badly.
    Bad,
}

impl Tone {
    fn sgr(self) -> &'static str {
        match self {
            Tone::Plain => "",
            Tone::Strong => "\x1b[1m",
            Tone::Faint => "\x1b[2m",
            Tone::Good => "\x1b[32m",
            Tone::Warn => "\x1b[33m",
            Tone::Bad => "\x1b[31m",
        }
    }
}

/// Standard output and standard error of one call.
pub(super) struct Out {
    to: BufWriter<Box<dyn Write + Send>>,
    err: Box<dyn Write + Send>,
    colour: bool,
    err_colour: bool,
    /// The reader went away, or writing failed.
    silent: bool,
    failure: Option<io::Error>,
}

impl Out {
    /// The process's own streams.
    pub(super) fn standard() -> Self {
        let stdout = io::stdout();
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let colour = stdout.is_terminal() && !plain;
        let err_colour = io::stderr().is_terminal() && !plain;
        Self::new(Box::new(stdout), Box::new(io::stderr()), colour, err_colour)
    }

    fn new(to: Box<dyn Write + Send>, err: Box<dyn Write + Send>, colour: bool, err_colour: bool) -> Self {
        Self {
            to: BufWriter::with_capacity(64 * 1024, to),
            err,
            colour,
            err_colour,
            silent: false,
            failure: None,
        }
    }

    /// Prints no colours from here on.
    pub(super) fn without_colour(&mut self) {
        (self.colour, self.err_colour) = (false, false);
    }

    /// One plain line.
    pub(super) fn line(&mut self, text: &str) {
        self.pieces(&[(Tone::Plain, text)]);
    }

    /// One line of several pieces.
    pub(super) fn pieces(&mut self, pieces: &[(Tone, &str)]) {
        let rendered = render(pieces, self.colour);
        self.raw(rendered.as_bytes());
    }

    /// A body of many lines, each made safe.
    pub(super) fn block(&mut self, body: &str) {
        let body = body.strip_suffix('\n').unwrap_or(body);
        for line in text::safe_block(body) {
            self.raw(line.as_str().as_bytes());
            self.raw(b"\n");
        }
    }

    /// A script that we wrote ourselves (completions), byte for byte.
    pub(super) fn script(&mut self, script: &[u8]) {
        self.raw(script);
    }

    /// JSON that a phase rendered; what acts on a terminal is escaped, the values stay the same.
    pub(super) fn json_text(&mut self, json: &str) {
        if self.silent {
            return;
        }
        if let Err(error) = super::json::fragment(&mut self.to, json) {
            self.gone(error);
        }
    }

    /// A value as JSON, indented by 2.
    pub(super) fn json<T: Serialize + ?Sized>(&mut self, value: &T) {
        if self.silent {
            return;
        }
        let written =
            value.serialize(&mut serde_json::Serializer::with_formatter(&mut self.to, Pretty::default()));
        match written {
            Ok(()) => self.raw(b"\n"),
            Err(error) => self.gone(error.into()),
        }
    }

    /// What is printed so far reaches the reader now.
    pub(super) fn flush(&mut self) {
        if !self.silent
            && let Err(error) = self.to.flush()
        {
            self.gone(error);
        }
    }

    /// A line on standard error, after everything that was printed before it.
    pub(super) fn note(&mut self, tone: Tone, text: &str) {
        self.flush();
        let mut rendered = String::new();
        for line in text.lines() {
            rendered.push_str(&render(&[(tone, line)], self.err_colour));
        }
        // Nobody can be told when standard error itself is gone.
        let _ = self.err.write_all(rendered.as_bytes());
    }

    /// The error line of a verb that failed.
    pub(super) fn error(&mut self, error: &VerbError) {
        self.note(Tone::Bad, &format!("koru-tui: {error}"));
    }

    /// Ends the printing.
    ///
    /// # Errors
    /// The first failure to write, a vanished reader excepted.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.flush();
        self.failure.take().map_or(Ok(()), Err)
    }

    fn raw(&mut self, bytes: &[u8]) {
        if !self.silent
            && let Err(error) = self.to.write_all(bytes)
        {
            self.gone(error);
        }
    }

    fn gone(&mut self, error: io::Error) {
        self.silent = true;
        if error.kind() != io::ErrorKind::BrokenPipe {
            self.failure = Some(error);
        }
    }
}

/// What a program printed, without its colours and with its overwriting done, as lines for people.
pub(super) fn printed(output: &str) -> String {
    output.lines().map(|line| text::safe_line(line.as_bytes()).plain()).collect::<Vec<_>>().join("\n")
}

/// One line, made safe piece by piece, with its line end.
fn render(pieces: &[(Tone, &str)], colour: bool) -> String {
    let mut line = String::new();
    for (tone, piece) in pieces {
        let safe = text::safe_text(piece);
        if colour && *tone != Tone::Plain && !safe.as_str().is_empty() {
            line.push_str(tone.sgr());
            line.push_str(safe.as_str());
            line.push_str("\x1b[0m");
        } else {
            line.push_str(safe.as_str());
        }
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use super::{Out, Tone};
    use crate::verbs::error::VerbError;

    /// Keeps what is written; fails with this error after so many bytes.
    #[derive(Clone, Default)]
    struct Sink {
        kept: Arc<Mutex<Vec<u8>>>,
        fails: Option<io::ErrorKind>,
    }

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if let Some(kind) = self.fails {
                return Err(kind.into());
            }
            self.kept.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Sink {
        fn text(&self) -> String {
            String::from_utf8(self.kept.lock().unwrap().clone()).unwrap()
        }
    }

    fn captured(colour: bool, print: impl FnOnce(&mut Out)) -> (String, String) {
        let (to, err) = (Sink::default(), Sink::default());
        let mut out = Out::new(Box::new(to.clone()), Box::new(err.clone()), colour, colour);
        print(&mut out);
        out.finish().unwrap();
        (to.text(), err.text())
    }

    #[test]
    fn colours_are_ours_and_never_those_of_the_text() {
        let print = |out: &mut Out| {
            out.pieces(&[
                (Tone::Bad, "x\u{1b}[32my"),
                (Tone::Plain, " \u{1b}]0;t\u{7}z\n"),
                (Tone::Good, ""),
            ]);
            out.note(Tone::Warn, "two\nlines\u{1b}[2J");
        };
        assert_eq!(captured(true, print).1, "\u{1b}[33mtwo\u{1b}[0m\n\u{1b}[33mlines^[[2J\u{1b}[0m\n");
        let (plain, _) = captured(false, print);
        assert!(!plain.contains('\u{1b}'), "{plain:?}");
        let (coloured, _) = captured(true, print);
        assert_eq!(coloured.matches('\u{1b}').count(), 2, "{coloured:?}");
        assert!(coloured.starts_with("\u{1b}[31m"), "{coloured:?}");
        assert_eq!(plain.lines().count(), 1, "a line stays one line: {plain:?}");
    }

    fn failing(kind: io::ErrorKind) -> io::Result<()> {
        let sink = Sink { fails: Some(kind), ..Sink::default() };
        let mut out = Out::new(Box::new(sink), Box::new(Sink::default()), false, false);
        out.json(&vec!["x"; 100_000]);
        out.line("more");
        out.finish()
    }

    #[test]
    fn a_reader_that_went_away_is_silence_and_a_full_disk_is_an_error() {
        assert!(failing(io::ErrorKind::BrokenPipe).is_ok());
        assert_eq!(failing(io::ErrorKind::StorageFull).unwrap_err().kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn an_error_names_the_program() {
        let (out, err) = captured(false, |out| out.error(&VerbError::Usage("no such thing".to_owned())));
        assert_eq!((out.as_str(), err.as_str()), ("", "koru-tui: no such thing\n"));
    }
}
