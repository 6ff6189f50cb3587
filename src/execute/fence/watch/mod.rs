//! Finds a breach while the run works, so that it is stopped in the middle and not only found at its end.
//!
//! A thread of its own sleeps until something happens where it matters: references and HEADs, the links of the worktree,
//! and, when asked for, files in the worktree that the policy forbids. Then it asks the [`Guard`] what is wrong now: the
//! rules about whose doing a change is are those of [`Guard::settle`], so what the operator, another run or the runtime
//! itself does is nobody's breach. A git in the middle of its work may look odd for a moment; what counts is what a look
//! some time later still sees ([`CONFIRM`], [`FILE_CONFIRM`]). Nothing is put back here: the run lives.
//!
//! What the kernel refused to a git of the run is told as well, by the name of its gate ([`super::denied`]).
//!
//! The watch owns no state of anybody else. Without events it does nothing at all; where inotify cannot be had it looks
//! twice a second at the stamps of the same files, references only. The end of the run finds whatever a watch missed.

mod places;
mod poll;
#[cfg(test)]
mod tests;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;

use super::denied::Denials;
use super::{Breach, Guard, Refusal};
use places::{Meaning, Places};

/// Between the first event and a look: what belongs together comes together.
const QUIET: Duration = Duration::from_millis(20);

/// How long a breach of references must stand: longer than a git needs between its steps.
const CONFIRM: Duration = Duration::from_millis(60);

/// How long a forbidden file must stand: tests make some for a moment.
const FILE_CONFIRM: Duration = Duration::from_secs(1);

/// A look that took long is not repeated before so many times as long: a storm of events must not keep a core busy.
const REST: u32 = 4;

/// What a watch looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// References, HEADs and links.
    References,
    /// Those, and changes of files that the policy forbids.
    FilesToo,
}

/// What a watch saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sighting {
    /// The policy was broken.
    Breach(Breach),
    /// The kernel refused something to git, and nothing came of it.
    Denied(Refusal),
}

/// A running watch. Dropping it ends it.
#[derive(Debug)]
pub struct FenceWatch {
    inbox: mpsc::Sender<Message>,
    armed: Option<oneshot::Receiver<()>>,
}

/// What the thread is told.
#[derive(Debug)]
enum Message {
    Event(notify::Result<notify::Event>),
    Stop,
}

impl FenceWatch {
    /// Watches for breaches of `guard`'s policy; each goes to `found` once. What was wrong before the watch began is
    /// found too, and what was refused before the guard was raised is not.
    pub fn start(guard: Guard, watched: Watched, found: UnboundedSender<Sighting>) -> FenceWatch {
        let (inbox, messages) = mpsc::channel();
        let events = inbox.clone();
        let (standing, armed) = oneshot::channel();
        let spawned = std::thread::Builder::new().name("fence-watch".to_owned()).spawn(move || {
            let handler = move |event| drop(events.send(Message::Event(event)));
            let places = Places::new(&guard, watched);
            let mut looker = Looker::new(&guard, found);
            let armed = notify::recommended_watcher(handler).and_then(|watcher| arm(watcher, &places));
            // Whoever waited may be gone.
            let _ = standing.send(());
            match armed {
                Ok(watcher) => watch(watcher, places, &mut looker, &messages),
                Err(error) => {
                    tracing::warn!(%error, "references are looked at twice a second: watching them failed");
                    poll::run(&guard, &mut looker, &messages);
                }
            }
        });
        if let Err(error) = spawned {
            tracing::warn!(%error, "a breach of the policy is found at the end of the run only: no watching thread");
        }
        FenceWatch { inbox, armed: Some(armed) }
    }

    /// Waits until it watches: what happens to files from then on is seen.
    pub async fn armed(&mut self) {
        if let Some(armed) = self.armed.take() {
            // The thread is gone: it watches nothing, and the end of the run has to find everything.
            let _ = armed.await;
        }
    }
}

impl Drop for FenceWatch {
    fn drop(&mut self) {
        let _ = self.inbox.send(Message::Stop);
    }
}

fn arm(mut watcher: RecommendedWatcher, places: &Places<'_>) -> notify::Result<RecommendedWatcher> {
    for (folder, mode) in places.needed() {
        watcher.watch(&folder, mode)?;
    }
    // Git's trace is a help and no more. The worktree's folders are many, and the end has the last word about files.
    for folder in places.told().into_iter().chain(places.folders()) {
        if let Err(error) = watcher.watch(&folder, RecursiveMode::NonRecursive) {
            tracing::debug!(path = %folder.display(), %error, "a folder of the worktree is not watched");
        }
    }
    Ok(watcher)
}

/// Looks whenever something happened, until stopped.
fn watch(
    mut watcher: RecommendedWatcher,
    mut places: Places<'_>,
    looker: &mut Looker<'_>,
    messages: &mpsc::Receiver<Message>,
) {
    // Something may have happened before the watches stood.
    let mut due = Some(Instant::now());
    loop {
        let message = match due {
            None => messages.recv().map_err(|_| mpsc::RecvTimeoutError::Disconnected),
            Some(due) => messages.recv_timeout(due.saturating_duration_since(Instant::now())),
        };
        let event = match message {
            Ok(Message::Event(event)) => event,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                due = looker.look();
                if looker.is_deaf() {
                    return;
                }
                continue;
            }
            Ok(Message::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
        };
        for meaning in places.meanings(&event) {
            match meaning {
                Meaning::References => looker.stirred = true,
                Meaning::Told => looker.told_more = true,
                Meaning::Forbidden(path) => looker.suspect(path),
                Meaning::NewFolder(folder) => {
                    let watch = |folder: &Path| drop(watcher.watch(folder, RecursiveMode::NonRecursive));
                    places.inside(&folder, watch).into_iter().for_each(|path| looker.suspect(path));
                }
            }
            let soon = (Instant::now() + QUIET).max(looker.rested_at);
            due = Some(due.map_or(soon, |due| due.min(soon)));
        }
    }
}

/// Rule and subject of a breach: what it is told apart by.
type Key = (String, String);

/// Asks the guard, and remembers what it said before.
struct Looker<'a> {
    guard: &'a Guard,
    found: UnboundedSender<Sighting>,
    /// References or files may have changed since the last look.
    stirred: bool,
    /// A git may have said something since.
    told_more: bool,
    denials: Denials,
    /// What the last look saw, and since when it stands.
    standing: HashMap<Key, Instant>,
    told: HashSet<Key>,
    /// Files that were touched and are forbidden by name.
    suspects: BTreeSet<String>,
    rested_at: Instant,
}

impl<'a> Looker<'a> {
    fn new(guard: &'a Guard, found: UnboundedSender<Sighting>) -> Self {
        let mut denials = Denials::default();
        // Those were told already.
        denials.more(guard);
        Self {
            guard,
            found,
            stirred: true,
            told_more: true,
            denials,
            standing: HashMap::new(),
            told: HashSet::new(),
            suspects: BTreeSet::new(),
            rested_at: Instant::now(),
        }
    }

    fn suspect(&mut self, path: String) {
        self.suspects.insert(path);
        self.stirred = true;
    }

    /// Nobody listens any more.
    fn is_deaf(&self) -> bool {
        self.found.is_closed()
    }

    /// Looks; says when to look again, if something is not certain yet.
    fn look(&mut self) -> Option<Instant> {
        if std::mem::take(&mut self.told_more) {
            for refusal in self.denials.more(self.guard) {
                let _ = self.found.send(Sighting::Denied(refusal));
            }
        }
        let stirred = std::mem::take(&mut self.stirred) || !self.standing.is_empty();
        if stirred { self.look_for_breaches() } else { None }
    }

    fn look_for_breaches(&mut self) -> Option<Instant> {
        let began = Instant::now();
        let mut breaches: Vec<(Breach, Duration)> =
            self.guard.look().into_iter().map(|breach| (breach, CONFIRM)).collect();
        let files = self.guard.look_at(&self.suspects);
        self.suspects = files.iter().map(|breach| breach.subject().to_owned()).collect();
        breaches.extend(files.into_iter().map(|breach| (breach, FILE_CONFIRM)));
        let mut standing = HashMap::new();
        let mut again: Option<Instant> = None;
        for (breach, confirm) in breaches {
            let key = (breach.rule.clone(), breach.subject().to_owned());
            if self.told.contains(&key) {
                continue;
            }
            let since = self.standing.get(&key).copied().unwrap_or(began);
            let certain_at = since + confirm;
            if began >= certain_at {
                self.told.insert(key);
                let _ = self.found.send(Sighting::Breach(breach));
            } else {
                standing.insert(key, since);
                again = Some(again.map_or(certain_at, |again| again.min(certain_at)));
            }
        }
        self.standing = standing;
        let now = Instant::now();
        self.rested_at = now + (now - began) * REST;
        again
    }
}
