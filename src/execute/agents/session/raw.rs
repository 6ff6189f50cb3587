//! The stream as it came: `stream.jsonl` in the run's folder, with nothing changed but secrets taken out and bytes that
//! are no UTF-8 replaced. Evidence for when a parser misunderstood, so a block is on its way here before it is parsed.
//!
//! A thread of its own cleans and writes, beside the session that parses. It gets the [`Block`]s in the order in which
//! they were read, and since those are few, a disk that is slow slows the reading down instead of filling memory. What
//! it has written is whole lines, and ends when the stream does: a session waits for that ([`Kept::follow`]).

use std::borrow::Cow;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};

use tokio::sync::watch;

use super::blocks::Block;
use super::split::{Line, Splitter, first_lines};
use crate::base::redact::Redactor;
use crate::execute::line_index::LineIndexWriter;
use crate::execute::raw_stream::RawReader;
use crate::execute::recorder::Recorder;
use crate::execute::transcript::TRANSCRIPT_LIMIT;

/// Its name in the run's folder.
pub(super) const NAME: &str = "stream.jsonl";

/// Bytes that it may have.
const LIMIT: u64 = TRANSCRIPT_LIMIT;

/// Room that stays reserved between two writes.
const BUFFER: usize = 512 * 1024;

/// Bytes of whole lines that are looked at together for secrets.
const TOGETHER: usize = 32 * 1024;

/// Where the stream of one run goes.
pub(super) struct RawStream(Option<Sender<Block>>);

/// What became of it: follows the writing.
pub(super) struct Kept(watch::Receiver<News>);

/// How far the writing has come.
#[derive(Clone, Debug, Default)]
struct News {
    /// Lines that the file has.
    lines: u64,
    /// Why it goes on without, in a sentence.
    trouble: Option<String>,
}

impl RawStream {
    /// A file in `folder`, made with the first line; a later session of the same run appends.
    pub(super) fn new(folder: &Path, redactor: &Redactor) -> (Self, Kept) {
        let (sender, blocks) = mpsc::channel::<Block>();
        let (told, news) = watch::channel(News::default());
        let writer = Writer {
            path: folder.join(NAME),
            redactor: redactor.clone(),
            file: None,
            buffer: String::new(),
            bytes: 0,
        };
        let work = move || writer.work(&blocks, &told);
        let name = "koru-raw-stream".to_owned();
        let started = std::thread::Builder::new().name(name).spawn(work);
        let Err(error) = started else { return (Self(Some(sender)), Kept(news)) };
        let trouble = format!("[{NAME} cannot be kept, there is no thread to be had for it: {error}]");
        let (_, mut news) = watch::channel(News { lines: 0, trouble: Some(trouble) });
        news.mark_changed();
        (Self(None), Kept(news))
    }

    /// Hands a block over. When it cannot be kept, the run goes on without, and [`Kept::follow`] says so once.
    pub(super) fn take(&mut self, block: &Block) {
        // Whoever does not listen has said why.
        let _ = self.0.as_ref().map(|to| to.send(block.clone()));
    }

    /// Nothing more comes.
    pub(super) fn end(&mut self) {
        self.0 = None;
    }
}

impl Kept {
    /// Waits until there is something to [tell](Self::tell). False when the writing is over and all of it was told.
    pub(super) async fn follow(&mut self) -> bool {
        self.0.changed().await.is_ok()
    }

    /// Tells the recorder how far the writing has come, and why it went no further.
    pub(super) fn tell(&mut self, recorder: &mut Recorder) {
        let News { lines, trouble } = self.0.borrow_and_update().clone();
        recorder.raw(lines);
        if let Some(trouble) = trouble {
            recorder.note(&trouble);
        }
    }
}

/// The writing end, on its thread.
struct Writer {
    path: PathBuf,
    redactor: Redactor,
    file: Option<(File, LineIndexWriter)>,
    buffer: String,
    bytes: u64,
}

impl Writer {
    /// Writes until there is no more, or it cannot.
    fn work(mut self, blocks: &mpsc::Receiver<Block>, told: &watch::Sender<News>) {
        let mut splitter = Splitter::default();
        let mut written = Ok(());
        while written.is_ok() {
            match blocks.recv() {
                Ok(block) => {
                    self.block(&block, &mut splitter);
                    // It can be read into again before this is written.
                    drop(block);
                    written = self.flush(told);
                }
                Err(mpsc::RecvError) => {
                    splitter.finish(|line| self.line(&line));
                    written = self.flush(told);
                    break;
                }
            }
        }
        if let Err(trouble) = written {
            told.send_modify(|news| news.trouble = Some(trouble));
        }
    }

    /// Takes a block: what ends a line that was begun before, then whole lines, then the beginning of one.
    fn block(&mut self, block: &[u8], splitter: &mut Splitter) {
        let whole = splitter.push_begun(block, |line| self.line(&line));
        let (mut rest, begun) = whole.split_at(memchr::memrchr(b'\n', whole).map_or(0, |last| last + 1));
        while !rest.is_empty() {
            let some = &rest[..first_lines(rest, TOGETHER)];
            rest = &rest[some.len()..];
            match std::str::from_utf8(some) {
                // Nearly always: none of the lines has anything to take out.
                Ok(text) if self.redactor.is_clean(text) => self.buffer.push_str(text),
                _ => splitter.push(some, |line| self.line(&line)),
            }
        }
        splitter.push(begun, |line| self.line(&line));
    }

    fn line(&mut self, line: &Line<'_>) {
        // Nearly always text, which is told faster than what of it is not.
        let mut text = match std::str::from_utf8(line.bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => String::from_utf8_lossy(line.bytes),
        };
        if line.dropped > 0 {
            // Before secrets are taken out: one may have been cut in two here.
            text.to_mut().push_str(&format!("… [{} more bytes were not kept]", line.dropped));
        }
        self.redactor.clean_into(&text, &mut self.buffer);
        self.buffer.push('\n');
    }

    /// Writes what was taken, in one call; why nothing more can be kept, in a sentence.
    fn flush(&mut self, told: &watch::Sender<News>) -> Result<(), String> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let written = self.write();
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER);
        let lines = written.map_err(|error| {
            format!("[{NAME} cannot be written: {error}; the raw stream is not kept any further]")
        })?;
        told.send_modify(|news| news.lines = lines);
        if self.bytes < LIMIT {
            return Ok(());
        }
        Err(format!("[{NAME} is full at {} MB; the raw stream is not kept any further]", LIMIT >> 20))
    }

    /// Writes what was taken; gives the number of lines that the file has then.
    fn write(&mut self) -> io::Result<u64> {
        let (file, places) = match &mut self.file {
            Some(file) => file,
            None => {
                let no_link = nix::libc::O_NOFOLLOW;
                let mut options = OpenOptions::new();
                options.append(true).create(true).mode(0o600).custom_flags(no_link);
                let file = options.open(&self.path)?;
                self.bytes = file.metadata()?.len();
                let held = RawReader::new(&self.path).count()?;
                self.file.insert((file, LineIndexWriter::new(&self.path, held, self.bytes)))
            }
        };
        let bytes = self.buffer.as_bytes();
        file.write_all(bytes)?;
        places.appended(bytes);
        self.bytes += bytes.len() as u64;
        Ok(places.lines())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn writer() -> Writer {
        let redactor = Redactor::with_values(["swordfish".to_owned()]);
        Writer { path: PathBuf::new(), redactor, file: None, buffer: String::new(), bytes: 0 }
    }

    proptest! {
        #[test]
        fn blocks_are_cut_anywhere_and_each_line_is_cleaned(
            lines in proptest::collection::vec(prop_oneof![
                "[a-z \":{}]{0,30}", Just("x swordfish y".to_owned()), Just("password=hunter2".to_owned()),
                Just("token: \"open".to_owned()), "\\PC{0,9}",
            ], 0..60),
            broken in any::<bool>(), size in 1..400_usize,
        ) {
            let mut bytes = lines.join("\n").repeat(20).into_bytes();
            if broken {
                let middle = bytes.len() / 2;
                bytes.insert(middle, 0xff);
            }
            let (mut writer, mut splitter) = (writer(), Splitter::default());
            for block in bytes.chunks(size * 97) {
                writer.block(block, &mut splitter);
            }
            splitter.finish(|line| writer.line(&line));
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let ended = text.strip_suffix('\n').unwrap_or(&text);
            let wanted: String = match text.is_empty() {
                true => String::new(),
                false => ended.split('\n').map(|line| writer.redactor.clean(line).into_owned() + "\n").collect(),
            };
            prop_assert_eq!(&writer.buffer, &wanted);
        }
    }
}
