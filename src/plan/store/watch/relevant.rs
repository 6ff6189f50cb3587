//! Which file system events mean something: temporary files, mirrors, the lock, our own folder and mere reading do not.

use std::path::Path;

use notify::event::{AccessKind, AccessMode, EventKind};

use crate::base::paths::ProjectPaths;

/// What an event means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Meaning {
    /// Not for us.
    Nothing,
    /// Receipts.
    Evidence,
    /// Sprints or config.
    Plan,
    /// A watched folder came, went or was replaced.
    Folders,
}

/// What an event, or the failure to get one, means.
pub(super) fn meaning(paths: &ProjectPaths, event: &notify::Result<notify::Event>) -> Meaning {
    let Ok(event) = event else { return Meaning::Folders };
    if event.need_rescan() {
        return Meaning::Folders;
    }
    // Files are opened and closed by every reader, ourselves included.
    if matches!(event.kind, EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write)) {
        return Meaning::Nothing;
    }
    event.paths.iter().map(|path| meaning_of(paths, path)).max().unwrap_or(Meaning::Nothing)
}

fn meaning_of(paths: &ProjectPaths, path: &Path) -> Meaning {
    let planfile = paths.planfile();
    if [planfile.as_path(), &paths.sprints(), &paths.evidence(), paths.root()].contains(&path) {
        return Meaning::Folders;
    }
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let hidden = name.starts_with('.');
    match path.parent() {
        Some(folder) if folder == paths.sprints() && !hidden && name.ends_with(".yaml") => Meaning::Plan,
        Some(folder) if folder == paths.evidence() && !hidden && name.ends_with(".jsonl") => {
            Meaning::Evidence
        }
        Some(folder) if folder == planfile && name == "config.yaml" => Meaning::Plan,
        _ => Meaning::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag, ModifyKind, RenameMode};

    use super::*;

    fn of(kind: EventKind, path: &str) -> Meaning {
        let event = notify::Event::new(kind).add_path(Path::new("/p").join(path));
        meaning(&ProjectPaths::new("/p"), &Ok(event))
    }

    #[test]
    fn only_what_readers_would_see_differently_matters() {
        let renamed = EventKind::Modify(ModifyKind::Name(RenameMode::To));
        let cases = [
            (".planfile/sprints/current.yaml", Meaning::Plan),
            (".planfile/sprints/.current.yaml.x1.tmp", Meaning::Nothing),
            (".planfile/sprints/current.yaml.fast.json", Meaning::Nothing),
            (".planfile/config.yaml", Meaning::Plan),
            (".planfile/config.yaml.fast.json", Meaning::Nothing),
            (".planfile/.store.lock", Meaning::Nothing),
            (".planfile/.koru", Meaning::Nothing),
            (".planfile/evidence/PLF-1.jsonl", Meaning::Evidence),
            (".planfile/sprints", Meaning::Folders),
            (".planfile", Meaning::Folders),
            ("README.md", Meaning::Nothing),
        ];
        for (path, wanted) in cases {
            assert_eq!(of(renamed, path), wanted, "{path}");
        }
    }

    #[test]
    fn reading_is_nothing_and_an_overflow_is_everything() {
        let current = ".planfile/sprints/current.yaml";
        assert_eq!(of(EventKind::Access(AccessKind::Open(AccessMode::Any)), current), Meaning::Nothing);
        assert_eq!(of(EventKind::Access(AccessKind::Close(AccessMode::Read)), current), Meaning::Nothing);
        assert_eq!(of(EventKind::Access(AccessKind::Close(AccessMode::Write)), current), Meaning::Plan);
        assert_eq!(of(EventKind::Create(CreateKind::File), current), Meaning::Plan);
        let overflow = notify::Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(meaning(&ProjectPaths::new("/p"), &Ok(overflow)), Meaning::Folders);
        assert_eq!(meaning(&ProjectPaths::new("/p"), &Err(notify::Error::generic("lost"))), Meaning::Folders);
    }
}
