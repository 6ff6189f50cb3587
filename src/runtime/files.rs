//! The thread for our own small files: drafts and windows of transcripts, in the order they were asked for.
//!
//! Apart from the planfile's owner, so that keeping a draft never waits for somebody's lock. Lines of a huge file whose
//! places are not known are looked for in slices, and whatever else is asked for meanwhile goes first.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};

use crate::base::atomic;
use crate::base::paths::ProjectPaths;
use crate::base::regular::{self, Links};
use crate::execute::folder::{RunFolder, safe_name};
use crate::execute::output::OutputLine;
use crate::execute::raw_stream::RawReader;
use crate::execute::transcript::TranscriptReader;

/// Longest draft that is kept.
const DRAFT_LIMIT: usize = 1024 * 1024;

/// Transcripts whose index is kept in memory.
const READERS: usize = 16;

/// Called with the answer, on the files' thread; must not block.
type Answer<T> = Box<dyn FnOnce(T) + Send>;

enum Request {
    Save(String, String, Answer<io::Result<()>>),
    Load(String, Answer<io::Result<String>>),
    Fetch { run: String, from: u64, count: u32, answer: Answer<io::Result<Vec<OutputLine>>> },
    FetchRaw { run: String, from: u64, count: u32, answer: Answer<io::Result<(Vec<OutputLine>, u64)>> },
    Work(Box<dyn FnOnce() + Send>),
}

/// The async side's handle.
#[derive(Clone, Debug)]
pub(crate) struct Files {
    requests: Sender<Request>,
}

impl Files {
    /// Starts the thread.
    pub(crate) fn start(paths: ProjectPaths) -> Files {
        let (requests, inbox) = channel();
        let keeper = move || Keeper::new(paths).serve(&inbox);
        if let Err(error) = std::thread::Builder::new().name("files".to_owned()).spawn(keeper) {
            tracing::error!(%error, "the files' thread cannot be started");
        }
        Files { requests }
    }

    /// Keeps a draft durably; an empty one is dropped.
    pub(crate) fn save(
        &self,
        key: String,
        text: String,
        answer: impl FnOnce(io::Result<()>) + Send + 'static,
    ) {
        let _ = self.requests.send(Request::Save(key, text, Box::new(answer)));
    }

    /// A draft; empty when there is none.
    pub(crate) fn load(&self, key: String, answer: impl FnOnce(io::Result<String>) + Send + 'static) {
        let _ = self.requests.send(Request::Load(key, Box::new(answer)));
    }

    /// Lines of a transcript.
    pub(crate) fn fetch(
        &self,
        run: String,
        from: u64,
        count: u32,
        answer: impl FnOnce(io::Result<Vec<OutputLine>>) + Send + 'static,
    ) {
        let _ = self.requests.send(Request::Fetch { run, from, count, answer: Box::new(answer) });
    }

    /// Lines of an agent's stream as it came, and how many there are.
    pub(crate) fn fetch_raw(
        &self,
        run: String,
        from: u64,
        count: u32,
        answer: impl FnOnce(io::Result<(Vec<OutputLine>, u64)>) + Send + 'static,
    ) {
        let _ = self.requests.send(Request::FetchRaw { run, from, count, answer: Box::new(answer) });
    }

    /// Anything else that reads or writes files.
    pub(crate) fn work(&self, work: impl FnOnce() + Send + 'static) {
        let _ = self.requests.send(Request::Work(Box::new(work)));
    }
}

struct Keeper {
    paths: ProjectPaths,
    readers: HashMap<String, TranscriptReader>,
    raw: HashMap<String, RawReader>,
    /// Requests for lines that were not come to yet.
    waiting: VecDeque<Request>,
}

impl Keeper {
    fn new(paths: ProjectPaths) -> Keeper {
        Keeper { paths, readers: HashMap::new(), raw: HashMap::new(), waiting: VecDeque::new() }
    }

    fn serve(&mut self, inbox: &Receiver<Request>) {
        loop {
            let request = match self.waiting.is_empty() {
                true => inbox.recv().map_err(|_| TryRecvError::Disconnected),
                false => inbox.try_recv(),
            };
            let request = match request {
                Ok(request) => Some(request),
                Err(TryRecvError::Empty) => self.waiting.pop_front(),
                Err(TryRecvError::Disconnected) => return,
            };
            if let Some(request) = request {
                let later = self.answer(request);
                self.waiting.extend(later);
            }
        }
    }

    /// Answers a request, or hands it back when a piece of the way to its answer was gone.
    fn answer(&mut self, request: Request) -> Option<Request> {
        match request {
            Request::Save(key, text, answer) => answer(save_draft(&self.paths, &key, &text)),
            Request::Load(key, answer) => answer(load_draft(&self.paths.drafts(), &key)),
            Request::Work(work) => work(),
            Request::Fetch { run, from, count, answer } => match self.fetch(&run, from, count).transpose() {
                Some(lines) => answer(lines),
                None => return Some(Request::Fetch { run, from, count, answer }),
            },
            Request::FetchRaw { run, from, count, answer } => {
                match self.fetch_raw(&run, from, count).transpose() {
                    Some(lines) => answer(lines),
                    None => return Some(Request::FetchRaw { run, from, count, answer }),
                }
            }
        }
        None
    }

    fn fetch(&mut self, run: &str, from: u64, count: u32) -> io::Result<Option<Vec<OutputLine>>> {
        if self.readers.len() >= READERS && !self.readers.contains_key(run) {
            self.readers.clear();
        }
        let folder = folder_of(&self.paths, run)?;
        let reader =
            self.readers.entry(run.to_owned()).or_insert_with(|| TranscriptReader::new(&folder.transcript()));
        Ok(reader.try_read(from, count)?.map(|(lines, _)| lines))
    }

    fn fetch_raw(&mut self, run: &str, from: u64, count: u32) -> io::Result<Option<(Vec<OutputLine>, u64)>> {
        if self.raw.len() >= READERS && !self.raw.contains_key(run) {
            self.raw.clear();
        }
        let folder = folder_of(&self.paths, run)?;
        let reader = self.raw.entry(run.to_owned()).or_insert_with(|| RawReader::new(&folder.stream()));
        reader.try_read(from, count)
    }
}

/// The folder of a run.
fn folder_of(paths: &ProjectPaths, run: &str) -> io::Result<RunFolder> {
    RunFolder::at(&paths.runs(), run)
        .ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("no run {run:?}")))
}

/// The file of a draft. Keys are foreign: what a file name cannot hold is replaced, and a hash keeps such keys apart.
fn draft_path(drafts: &Path, key: &str) -> PathBuf {
    let name = safe_name(key);
    if name == key {
        return drafts.join(format!("{name}.txt"));
    }
    drafts.join(format!("{name}-{:016x}.txt", xxhash_rust::xxh3::xxh3_64(key.as_bytes())))
}

fn save_draft(paths: &ProjectPaths, key: &str, text: &str) -> io::Result<()> {
    if text.len() > DRAFT_LIMIT {
        let message = format!("the draft is longer than {DRAFT_LIMIT} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, message));
    }
    let path = draft_path(&paths.drafts(), key);
    if text.is_empty() {
        return match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            Ok(()) | Err(_) => Ok(()),
        };
    }
    if !paths.planfile().is_dir() {
        let message = "there is no .planfile folder here yet; the draft is not kept on disk";
        return Err(io::Error::new(io::ErrorKind::NotFound, message));
    }
    atomic::make_own_dir(&paths.drafts())?;
    atomic::replace(&path, &[text.as_bytes()]).map(drop)
}

fn load_draft(drafts: &Path, key: &str) -> io::Result<String> {
    match regular::read(&draft_path(drafts, key), Links::Refused, DRAFT_LIMIT as u64) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_are_kept_replaced_and_dropped() {
        let base = tempfile::tempdir().unwrap();
        let paths = ProjectPaths::new(base.path());
        std::fs::create_dir(paths.planfile()).unwrap();
        for key in ["PLF-1", "new", "../../evil", "..%2F"] {
            save_draft(&paths, key, "one").unwrap();
            save_draft(&paths, key, "two\nlines").unwrap();
            assert_eq!(load_draft(&paths.drafts(), key).unwrap(), "two\nlines");
        }
        assert_eq!(std::fs::read_dir(paths.drafts()).unwrap().count(), 4);
        save_draft(&paths, "new", "").unwrap();
        assert_eq!(load_draft(&paths.drafts(), "new").unwrap(), "");
        save_draft(&paths, "new", "").unwrap();
    }

    #[test]
    fn a_draft_does_not_wait_for_lines_that_are_looked_for() {
        let base = tempfile::tempdir().unwrap();
        let paths = ProjectPaths::new(base.path());
        std::fs::create_dir_all(paths.runs().join("r-1")).unwrap();
        // Three slices long, and its places are not on disk.
        let row = "{\"t\":1,\"c\":\"out\",\"s\":\"x\"}\n";
        let count = (40 << 20) / row.len();
        let text = format!("{{\"format\":1,\"run\":\"r-1\"}}\n{}", row.repeat(count));
        std::fs::write(paths.runs().join("r-1/transcript.jsonl"), text).unwrap();
        let (sender, order) = channel();
        let (requests, inbox) = channel();
        let files = Files { requests };
        let last = count as u64 - 1;
        let done = sender.clone();
        files.fetch("r-1".to_owned(), last, 9, move |lines| {
            done.send(format!("{} lines", lines.unwrap().len())).unwrap()
        });
        let done = sender.clone();
        files.save("PLF-1".to_owned(), "text".to_owned(), move |saved| {
            done.send(format!("{saved:?}")).unwrap()
        });
        let done = sender;
        files.fetch("r-1".to_owned(), 0, 9, move |lines| {
            done.send(format!("{} lines", lines.unwrap().len())).unwrap()
        });
        drop(files);
        // Whoever hangs up waits for nothing: the thread ends with requests unanswered, so it is asked step by step.
        let mut keeper = Keeper::new(paths);
        let mut waiting: VecDeque<Request> = inbox.try_iter().collect();
        while let Some(request) = waiting.pop_front() {
            waiting.extend(keeper.answer(request));
        }
        assert_eq!(order.try_iter().collect::<Vec<_>>(), ["Ok(())", "9 lines", "1 lines"]);
    }

    #[test]
    fn without_a_planfile_nothing_is_made() {
        let base = tempfile::tempdir().unwrap();
        assert!(save_draft(&ProjectPaths::new(base.path()), "new", "text").is_err());
        assert_eq!(std::fs::read_dir(base.path()).unwrap().count(), 0);
    }
}
