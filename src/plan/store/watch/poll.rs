//! Looking twice a second, where watching cannot be had.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;

use super::{Message, Noticed};
use crate::base::atomic::Stamp;
use crate::base::paths::ProjectPaths;

/// Pause between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// For [`super::Watcher::describe`].
pub(super) fn describe(reason: &str) -> String {
    format!("poll: {} ms, because watching failed: {reason}", PAUSE.as_millis())
}

/// Versions of the files of one folder.
type Versions = BTreeMap<OsString, Stamp>;

/// Looks until stopped.
pub(super) fn run(
    paths: &ProjectPaths,
    messages: &mpsc::Receiver<Message>,
    notices: &UnboundedSender<Noticed>,
) {
    let mut last = None;
    loop {
        let found = look(paths);
        let noticed = match &last {
            // What changed between the failure and the first look is not known.
            None => Some(Noticed::Plan),
            Some((plan, _)) if *plan != found.0 => Some(Noticed::Plan),
            Some((_, evidence)) if *evidence != found.1 => Some(Noticed::Evidence),
            Some(_) => None,
        };
        if let Some(noticed) = noticed
            && notices.send(noticed).is_err()
        {
            return;
        }
        last = Some(found);
        match messages.recv_timeout(PAUSE) {
            Ok(Message::Stop) | Err(mpsc::RecvTimeoutError::Disconnected) => return,
            Ok(Message::Event(_)) | Err(mpsc::RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Versions of config and sprints, and of the receipts.
fn look(paths: &ProjectPaths) -> (Versions, Versions) {
    let mut plan = versions(&paths.sprints(), ".yaml");
    if let Ok(Some(stamp)) = Stamp::read(&paths.config()) {
        plan.insert("../config.yaml".into(), stamp);
    }
    (plan, versions(&paths.evidence(), ".jsonl"))
}

fn versions(folder: &Path, ending: &str) -> Versions {
    let Ok(entries) = std::fs::read_dir(folder) else { return Versions::new() };
    let files = entries.flatten().filter(|entry| {
        let name = entry.file_name();
        name.to_str().is_some_and(|name| name.ends_with(ending) && !name.starts_with('.'))
    });
    files.filter_map(|entry| Some((entry.file_name(), Stamp::of(&entry.metadata().ok()?)))).collect()
}
