//! A validated pipeline becomes a sprint, under planfile's lock.
//!
//! Everything is composed in memory before the first byte is written. The sprint file is written last: a crash before
//! it leaves a project that does not count as initialised, and the same command simply runs again.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{GitignoreChange, InitError, InitReport, config, gitignore};
use crate::base::clock::Clock;
use crate::base::lock::FileLock;
use crate::base::paths::ProjectPaths;
use crate::base::regular::{self, Links};
use crate::base::{atomic, text};
use crate::plan::pipeline::{Pipeline, Task};
use crate::plan::settings::STUB;
use crate::plan::yaml::SprintDoc;

/// How long another program may keep the lock.
const LOCK_WAIT: Duration = Duration::from_secs(10);

/// A file of the planfile larger than this, in bytes, is not read.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;

/// The policy that `init` writes once.
const POLICY_STUB: &str = include_str!("../../../assets/policy.yaml");

/// What an import is asked to do.
pub(super) struct Request<'a> {
    pub(super) root: &'a Path,
    pub(super) pipeline: &'a Pipeline,
    pub(super) starter: bool,
    pub(super) sprint: &'a str,
    pub(super) force: bool,
    /// Also policy stub and `.gitignore` line.
    pub(super) project_files: bool,
    pub(super) clock: &'a Clock,
}

/// Carries the request out.
pub(super) fn run(request: &Request<'_>) -> Result<InitReport, InitError> {
    let project = absolute(request.root);
    let paths = ProjectPaths::new(&project);
    let sprint_path = paths.sprints().join(format!("{}.yaml", request.sprint));
    let sprint_text = sprint_text(request)?;
    let mut report = InitReport {
        project: project.clone(),
        sprint: request.sprint.to_owned(),
        imported: request.pipeline.tasks.len(),
        starter: request.starter,
        config_written: false,
        policy_written: false,
        settings_written: false,
        gitignore: GitignoreChange::Untouched,
        backup: None,
        warnings: Vec::new(),
    };
    let config = config_change(&paths, request.pipeline, &mut report.warnings)?;
    if !request.force && exists(&sprint_path) {
        return Err(InitError::SprintExists(sprint_path));
    }

    make_dir(&paths.sprints())?;
    let _lock = FileLock::acquire(&paths.store_lock(), LOCK_WAIT)?;
    // Looked at again: someone else may have been at it while we waited.
    if exists(&sprint_path) {
        if !request.force {
            return Err(InitError::SprintExists(sprint_path));
        }
        report.backup = Some(back_up(&paths, &sprint_path, request)?);
    }
    if let Some((text, new)) = config {
        write(&paths.config(), text.as_bytes())?;
        report.config_written = new;
    }
    if request.project_files {
        if !exists(&paths.policy()) {
            make_dir(&paths.koru())?;
            write(&paths.policy(), POLICY_STUB.as_bytes())?;
            report.policy_written = true;
        }
        if !exists(&paths.koru_config()) {
            make_dir(&paths.koru())?;
            write(&paths.koru_config(), STUB.as_bytes())?;
            report.settings_written = true;
        }
        report.gitignore = ignore(&project, &mut report.warnings)?;
    }
    same_ids(&paths, request, &mut report.warnings);
    write(&sprint_path, sprint_text.as_bytes())?;
    Ok(report)
}

/// The sprint file. Each ticket is emitted into a document of its own and the pieces are joined, so that ten thousand
/// tickets cost ten thousand times one; the whole is parsed again and compared before anything is written.
fn sprint_text(request: &Request<'_>) -> Result<String, InitError> {
    let composing = |detail: String| InitError::Compose { sprint: request.sprint.to_owned(), detail };
    let parse = |text: String| {
        SprintDoc::parse(request.sprint, text.into_bytes(), None)
            .map_err(|fault| composing(fault.to_string()))
    };
    let empty = parse(SprintDoc::empty_text(request.sprint, &request.pipeline.title, "active"))?;
    let now = request.clock.now();
    let mut text = String::new();
    let mut records = Vec::new();
    for (index, task) in request.pipeline.tasks.iter().enumerate() {
        let record = Value::Object(record(request, task, now, index));
        let single = empty.insert(&task.id, &record).map_err(|error| composing(error.to_string()))?;
        let source = single.source(&task.id).unwrap_or_default();
        if text.is_empty() {
            let start = single.text().find(source).unwrap_or(0);
            text.push_str(&single.text()[..start]);
        }
        text.push_str(source);
        if !text.ends_with('\n') {
            text.push('\n');
        }
        records.push((&task.id, record));
    }
    if records.is_empty() {
        return Ok(empty.text().to_owned());
    }
    let whole = parse(text)?;
    match records.iter().find(|(id, record)| whole.record(id).as_ref() != Some(record)) {
        Some((id, _)) => Err(composing(format!("{id} would not read back as meant"))),
        None if whole.tickets().count() != records.len() => {
            Err(composing("tickets would be lost".to_owned()))
        }
        None => Ok(whole.text().to_owned()),
    }
}

/// The record of one task, with what only the import knows.
fn record(request: &Request<'_>, task: &Task, now: Timestamp, index: usize) -> Map<String, Value> {
    // A microsecond apart, so that both programs keep tickets of one priority in the order of the file.
    let offset = jiff::SignedDuration::from_micros(i64::try_from(index).unwrap_or(i64::MAX));
    let at = now.checked_add(offset).unwrap_or(now).strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    let mut record = task.record.clone();
    record.insert("sprint".to_owned(), json!(request.sprint));
    record.entry("contract_version").or_insert_with(|| json!("planfile.ticket/v1"));
    record.entry("created_at").or_insert_with(|| json!(at));
    record.entry("updated_at").or_insert_with(|| json!(at));
    record.entry("source").or_insert_with(|| {
        let origin = if request.starter { "starter" } else { "pipeline" };
        json!({"tool": "koru-tui", "timestamp": at, "context": {"import": origin}})
    });
    record
}

/// The config to write, and whether it is a new one; `None` when the one there is good as it is.
fn config_change(
    paths: &ProjectPaths,
    pipeline: &Pipeline,
    warnings: &mut Vec<String>,
) -> Result<Option<(String, bool)>, InitError> {
    let ids: Vec<&str> = pipeline.tasks.iter().map(|task| task.id.as_str()).collect();
    let (prefix, next_id) = config::numbering(&ids);
    let path = paths.config();
    let text = match regular::read_text(&path, Links::Followed, MAX_BYTES) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let name = paths.root().file_name().map(|name| name.to_string_lossy().into_owned());
            let text = config::text(&name.unwrap_or_else(|| "project".to_owned()), &prefix, next_id);
            return Ok(Some((text, true)));
        }
        Err(source) => return Err(InitError::Io { operation: "reading", path, source }),
    };
    let known = config::read(&text).map_err(|message| InitError::Config { path: path.clone(), message })?;
    if !known.locks {
        warnings.push(
            "config.yaml has no `storage` block: it was made by a planfile release that takes no lock, and koru-tui \
             will only read this project until planfile 0.1.126 or later has written to it"
                .to_owned(),
        );
    }
    let own = format!("{}-", known.prefix);
    let highest = ids
        .iter()
        .filter(|id| id.starts_with(&own))
        .filter_map(|id| config::number_of(id))
        .max()
        .unwrap_or(0);
    if highest < known.next_id {
        return Ok(None);
    }
    match config::with_next_id(&text, highest.saturating_add(1)) {
        Some(text) => Ok(Some((text, false))),
        None => {
            warnings.push(format!(
                "next_id in config.yaml is behind the imported ids; set it to {} by hand",
                highest.saturating_add(1)
            ));
            Ok(None)
        }
    }
}

/// Copies the sprint that is about to be replaced.
fn back_up(paths: &ProjectPaths, sprint: &Path, request: &Request<'_>) -> Result<PathBuf, InitError> {
    let old = regular::read(sprint, Links::Followed, MAX_BYTES).map_err(|source| InitError::Io {
        operation: "reading the sprint to keep,",
        path: sprint.to_owned(),
        source,
    })?;
    let folder = paths.koru().join("backups");
    make_dir(&folder)?;
    let stamp = request.clock.now().strftime("%Y%m%dT%H%M%SZ").to_string();
    let name = |number: usize| match number {
        1 => format!("{}-{stamp}.yaml", request.sprint),
        _ => format!("{}-{stamp}-{number}.yaml", request.sprint),
    };
    let free = (1..).map(|number| folder.join(name(number))).find(|path| !exists(path));
    let path = free.unwrap_or_else(|| folder.join(name(1)));
    write(&path, &old)?;
    Ok(path)
}

/// Adds the `.gitignore` line.
fn ignore(project: &Path, warnings: &mut Vec<String>) -> Result<GitignoreChange, InitError> {
    let path = project.join(".gitignore");
    let old = match std::fs::symlink_metadata(&path) {
        Ok(metadata) if !metadata.is_file() => {
            warnings.push(format!(
                ".gitignore is not a regular file; add the line `{}` yourself",
                gitignore::LINE
            ));
            return Ok(GitignoreChange::Untouched);
        }
        Ok(_) => {
            let read = regular::read(&path, Links::Refused, MAX_BYTES);
            Some(read.map_err(|source| InitError::Io { operation: "reading", path: path.clone(), source })?)
        }
        Err(_) => None,
    };
    let Some((text, change)) = gitignore::with_line(old.as_deref()) else {
        return Ok(GitignoreChange::Untouched);
    };
    write(&path, &text)?;
    if change == GitignoreChange::Created {
        // Not private: the file is the repository's, and other people read it.
        use std::os::unix::fs::PermissionsExt;
        let _ = std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644));
    }
    Ok(change)
}

/// Warns of imported ids that stand in another sprint as well: planfile shows only one of the two.
fn same_ids(paths: &ProjectPaths, request: &Request<'_>, warnings: &mut Vec<String>) {
    let Ok(entries) = std::fs::read_dir(paths.sprints()) else { return };
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.sort();
    for path in files {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        if stem == request.sprint || path.extension().is_none_or(|extension| extension != "yaml") {
            continue;
        }
        let Some(document) = regular::read(&path, Links::Followed, MAX_BYTES)
            .ok()
            .and_then(|bytes| SprintDoc::parse(&stem, bytes, None).ok())
        else {
            continue;
        };
        for task in request.pipeline.tasks.iter().filter(|task| document.ticket(&task.id).is_some()) {
            warnings
                .push(text::safe_text(&format!("{} also stands in the sprint {stem}", task.id)).to_string());
        }
    }
}

fn absolute(root: &Path) -> PathBuf {
    // A folder that is yet to be made has no canonical path.
    root.canonicalize().or_else(|_| std::path::absolute(root)).unwrap_or_else(|_| root.to_owned())
}

fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

pub(super) fn make_dir(path: &Path) -> Result<(), InitError> {
    atomic::make_own_dir(path).map_err(|source| InitError::Io {
        operation: "making the folder",
        path: path.to_owned(),
        source,
    })
}

/// Replaces a file; planfile's read mirror of it goes, because planfile trusts it by time stamp alone.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), InitError> {
    let failed = |source| InitError::Io { operation: "writing", path: path.to_owned(), source };
    atomic::replace(path, &[bytes]).map_err(failed)?;
    let mut mirror = path.as_os_str().to_owned();
    mirror.push(".fast.json");
    match std::fs::remove_file(&mirror) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(InitError::Io { operation: "removing planfile's mirror", path: mirror.into(), source: error })
        }
        _ => Ok(()),
    }
}
