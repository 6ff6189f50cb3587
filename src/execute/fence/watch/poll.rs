//! Looking twice a second, where watching cannot be had: at the stamps first, so that nothing is read while all is quiet.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use super::{Looker, Message};
use crate::base::atomic::Stamp;
use crate::execute::fence::Guard;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Looks until stopped.
pub(super) fn run(guard: &Guard, looker: &mut Looker<'_>, messages: &mpsc::Receiver<Message>) {
    let mut last = None;
    let mut again: Option<Instant> = None;
    while !looker.is_deaf() {
        let found = stamps(guard);
        if again.is_some() || last.as_ref() != Some(&found) {
            (looker.stirred, looker.told_more) = (true, true);
            again = looker.look();
        }
        last = Some(found);
        let pause = again.map_or(PAUSE, |again| again.saturating_duration_since(Instant::now()).min(PAUSE));
        match messages.recv_timeout(pause) {
            Ok(Message::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Ok(Message::Event(_)) | Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Stamps of every reference file, HEAD and link.
fn stamps(guard: &Guard) -> BTreeMap<PathBuf, Option<Stamp>> {
    let (common, worktree) = (&guard.common, &guard.worktree);
    let mut found = BTreeMap::new();
    let mut note = |path: PathBuf| {
        let stamp = path.symlink_metadata().ok().map(|metadata| Stamp::of(&metadata));
        found.insert(path, stamp);
    };
    for name in ["HEAD", "packed-refs"] {
        note(common.join(name));
    }
    for name in ["HEAD", "gitdir", "commondir", "config.worktree"] {
        note(worktree.git_dir.join(name));
    }
    note(worktree.path.join(".git"));
    note(guard.hooks.events.clone());
    for folder in entries(&common.join("worktrees")) {
        note(folder.join("HEAD"));
    }
    let mut waiting = vec![common.join("refs")];
    while let Some(folder) = waiting.pop() {
        for path in entries(&folder) {
            match path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
                true => waiting.push(path),
                false => note(path),
            }
        }
    }
    found
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path())
}
