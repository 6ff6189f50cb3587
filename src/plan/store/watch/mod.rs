//! Tells when the planfile on disk may have changed: folders are watched, never files (every write is a new inode).
//!
//! The first event of a burst is passed on after a few quiet milliseconds, so that the ten renames of one planfile
//! command are one notice; a burst that goes on is passed on at least every [`LONGEST`]. A notice only says "look
//! again": [`super::Store::refresh`] compares versions, so our own writes are not seen a second time. Where inotify
//! cannot be had (its limits are shared by all programs of a user) the folders are looked at twice a second, and
//! [`Watcher::describe`] says why.
//!
//! One thread owns the watches; without events it sleeps. Dropping the [`Watcher`] ends it.

mod poll;
mod relevant;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::UnboundedSender;

use crate::base::paths::ProjectPaths;
use relevant::Meaning;

/// A burst is over when nothing came for this long.
const QUIET: Duration = Duration::from_millis(5);
/// A burst that does not end is passed on after this long.
const LONGEST: Duration = Duration::from_millis(20);

/// What may have changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Noticed {
    /// Receipts of tickets; the plan itself is the same.
    Evidence,
    /// Sprint files or the config, or the whole folder came or went.
    Plan,
}

/// A running watcher.
#[derive(Debug)]
pub struct Watcher {
    inbox: mpsc::Sender<Message>,
    description: Arc<Mutex<String>>,
}

/// What the thread is told.
#[derive(Debug)]
enum Message {
    Event(notify::Result<notify::Event>),
    Stop,
}

impl Watcher {
    /// Watches the project at `root` (which need not hold a planfile yet) and sends what it notices to `notices` until
    /// dropped. The first notice may come for a change that was already read: watch first, then load.
    pub fn start(root: &Path, notices: UnboundedSender<Noticed>) -> Watcher {
        let (inbox, messages) = mpsc::channel();
        let events = inbox.clone();
        let handler = move |event| drop(events.send(Message::Event(event)));
        let watcher = notify::recommended_watcher(handler).map_err(|error| error.to_string());
        let armed = watcher.and_then(|watcher| {
            let mut folders = Folders { paths: ProjectPaths::new(root), watcher };
            folders.arm().map(|()| folders)
        });
        let description = Arc::new(Mutex::new("watch".to_owned()));
        let shared = Arc::clone(&description);
        let paths = ProjectPaths::new(root);
        let spawned = std::thread::Builder::new().name("planfile-watch".to_owned()).spawn(move || {
            let reason = match armed {
                Ok(folders) => match watch(folders, &messages, &notices) {
                    Some(reason) => reason,
                    None => return,
                },
                Err(reason) => reason,
            };
            set(&shared, poll::describe(&reason));
            poll::run(&paths, &messages, &notices);
        });
        if let Err(error) = spawned {
            set(
                &description,
                format!("off: the watching thread cannot be started ({error}); reload by hand"),
            );
        }
        Watcher { inbox, description }
    }

    /// How changes are noticed: `watch`, or `poll: …` with the reason.
    pub fn describe(&self) -> String {
        self.description.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let _ = self.inbox.send(Message::Stop);
    }
}

fn set(description: &Mutex<String>, text: String) {
    *description.lock().unwrap_or_else(PoisonError::into_inner) = text;
}

/// The watched folders.
struct Folders {
    paths: ProjectPaths,
    watcher: RecommendedWatcher,
}

impl Folders {
    /// Watches what is there now: planfile's folders, or the project folder while there is no planfile. Folders that
    /// were replaced are other folders, so each is taken anew.
    fn arm(&mut self) -> Result<(), String> {
        let planfile = self.paths.planfile();
        let wanted = [planfile.clone(), self.paths.sprints(), self.paths.evidence()];
        for folder in &wanted {
            let _ = self.watcher.unwatch(folder);
        }
        let _ = self.watcher.unwatch(self.paths.root());
        if !self.watch(&planfile)? {
            let root = self.paths.root().to_path_buf();
            self.watch(&root)?;
            // It may have come between the two.
            if !self.watch(&planfile)? {
                return Ok(());
            }
        }
        self.watch(&wanted[1])?;
        self.watch(&wanted[2])?;
        Ok(())
    }

    /// Watches one folder; false when it is not there.
    fn watch(&mut self, folder: &Path) -> Result<bool, String> {
        match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => Ok(true),
            Err(_) if !folder.is_dir() => Ok(false),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// Passes bursts on until stopped (`None`) or until watching fails (the reason).
fn watch(
    mut folders: Folders,
    messages: &mpsc::Receiver<Message>,
    notices: &UnboundedSender<Noticed>,
) -> Option<String> {
    loop {
        let mut burst = Burst::default();
        burst.add(&folders.paths, messages.recv().ok()?)?;
        let mut quiet = Instant::now() + QUIET;
        let end = Instant::now() + LONGEST;
        while burst.tells_something() {
            let wait = quiet.min(end).saturating_duration_since(Instant::now());
            match messages.recv_timeout(wait) {
                Ok(message) => {
                    if burst.add(&folders.paths, message)? {
                        quiet = Instant::now() + QUIET;
                    }
                }
                Err(mpsc::RecvTimeoutError::Timeout) => break,
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            }
        }
        if burst.folders_changed
            && let Err(reason) = folders.arm()
        {
            let _ = notices.send(Noticed::Plan);
            return Some(reason);
        }
        if let Some(noticed) = burst.noticed
            && notices.send(noticed).is_err()
        {
            return None;
        }
    }
}

/// What one burst of events adds up to.
#[derive(Debug, Default)]
struct Burst {
    noticed: Option<Noticed>,
    folders_changed: bool,
}

impl Burst {
    /// Whether there is anything to pass on.
    fn tells_something(&self) -> bool {
        self.noticed.is_some()
    }

    /// Adds an event; whether it matters, or `None` to stop.
    fn add(&mut self, paths: &ProjectPaths, message: Message) -> Option<bool> {
        let event = match message {
            Message::Stop => return None,
            Message::Event(event) => event,
        };
        let meaning = relevant::meaning(paths, &event);
        match meaning {
            Meaning::Nothing => return Some(false),
            Meaning::Evidence => self.noticed = self.noticed.max(Some(Noticed::Evidence)),
            Meaning::Plan => self.noticed = Some(Noticed::Plan),
            Meaning::Folders => {
                self.noticed = Some(Noticed::Plan);
                self.folders_changed = true;
            }
        }
        Some(true)
    }
}
