//! What a file holds on one side: from the object database, or from the worktree as git would store it.
//!
//! Bounded: what is larger than [`TEXT_LIMIT`] is never loaded. A file of the worktree is the agent's: it is opened
//! without following a link and without waiting (a pipe would block), and only a plain file is read.

use std::fs::File;
use std::io::Read;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use git2::{AttrCheckFlags, AttrValue, Blob, FileMode, ObjectType, Oid, Repository};

use crate::base::repo::patrol::Patrol;

/// Files larger than this are not compared line by line; as in `execute::isolation`, so that counts agree.
pub const TEXT_LIMIT: u64 = 16 * 1024 * 1024;

/// Larger files of a worktree are not read at all, not even to tell one from another, in bytes.
pub(super) const HUGE: u64 = 1 << 30;

/// Bytes in which git looks for a NUL to call a file binary.
const LOOKED_AT: usize = 8000;

/// One side of a file.
#[derive(Clone, Debug)]
pub(super) struct Side {
    /// From the top of the repository.
    pub(super) path: Vec<u8>,
    pub(super) mode: FileMode,
    /// Zero when it lies in the worktree and was not read yet.
    pub(super) id: Oid,
}

/// What one side holds; cheap to copy.
#[derive(Clone)]
pub(super) enum Content {
    /// There is none on this side.
    Nothing,
    /// The whole of it.
    Bytes(Arc<[u8]>),
    /// More than [`TEXT_LIMIT`].
    Large(u64),
    /// Another repository at this commit.
    Module(String),
    /// It cannot be read; libgit2's or the system's words.
    Failed(String),
}

impl Content {
    pub(super) fn size(&self) -> u64 {
        match self {
            Content::Bytes(bytes) => bytes.len() as u64,
            Content::Large(size) => *size,
            Content::Nothing | Content::Module(_) | Content::Failed(_) => 0,
        }
    }

    pub(super) fn bytes(&self) -> Option<&[u8]> {
        match self {
            Content::Nothing => Some(&[]),
            Content::Bytes(bytes) => Some(bytes),
            Content::Large(_) | Content::Module(_) | Content::Failed(_) => None,
        }
    }
}

/// Whether git would call these bytes binary.
pub(super) fn is_binary(bytes: &[u8]) -> bool {
    memchr::memchr(0, &bytes[..bytes.len().min(LOOKED_AT)]).is_some()
}

/// A side that is stored in the repository: what it holds, and the object itself when it was read.
pub(super) fn stored<'r>(repo: &'r Repository, side: Option<&Side>) -> (Content, Option<Blob<'r>>) {
    let Some(side) = side else { return (Content::Nothing, None) };
    if side.mode == FileMode::Commit {
        return (Content::Module(side.id.to_string()), None);
    }
    let read = || -> Result<(Content, Option<Blob<'r>>), git2::Error> {
        let (size, _) = repo.odb()?.read_header(side.id)?;
        if size as u64 > TEXT_LIMIT {
            return Ok((Content::Large(size as u64), None));
        }
        let blob = repo.find_blob(side.id)?;
        Ok((Content::Bytes(blob.content().into()), Some(blob)))
    };
    read().unwrap_or_else(|error| (Content::Failed(error.message().to_owned()), None))
}

/// A side that lies in the worktree at `top`, and the id that git would give it.
pub(super) fn lying(repo: &Repository, top: &Path, side: Option<&Side>) -> (Content, Oid) {
    let Some(side) = side else { return (Content::Nothing, Oid::ZERO_SHA1) };
    if side.mode == FileMode::Commit || side.path.ends_with(b"/") {
        return (Content::Module(module_head(&top.join(as_path(&side.path)))), side.id);
    }
    let path = top.join(as_path(&side.path));
    let content = match read(&path, side.mode) {
        Ok(Content::Bytes(bytes)) if normalised(repo, side, &bytes) => {
            Content::Bytes(without_cr(&bytes).into())
        }
        Ok(content) => content,
        Err(error) => Content::Failed(error.to_string()),
    };
    let id = match &content {
        Content::Bytes(bytes) => Oid::hash_object(ObjectType::Blob, bytes).unwrap_or(Oid::ZERO_SHA1),
        // Never committed, and not worth an hour: its size and time stand for it.
        Content::Large(size) if *size > HUGE => standing_for(&path, *size),
        Content::Large(_) => Oid::hash_file(ObjectType::Blob, &path).unwrap_or(Oid::ZERO_SHA1),
        Content::Nothing | Content::Module(_) | Content::Failed(_) => Oid::ZERO_SHA1,
    };
    (content, id)
}

/// An id that changes when the file's size or time does.
fn standing_for(path: &Path, size: u64) -> Oid {
    let changed = path.symlink_metadata().and_then(|found| found.modified()).ok();
    let text = format!("{size} {changed:?}");
    Oid::hash_object(ObjectType::Blob, text.as_bytes()).unwrap_or(Oid::ZERO_SHA1)
}

fn read(path: &Path, mode: FileMode) -> std::io::Result<Content> {
    if mode == FileMode::Link {
        return Ok(Content::Bytes(std::fs::read_link(path)?.into_os_string().into_vec().into()));
    }
    let flags = nix::libc::O_NOFOLLOW | nix::libc::O_NONBLOCK;
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(std::io::Error::other("it is no plain file"));
    }
    if metadata.len() > TEXT_LIMIT {
        return Ok(Content::Large(metadata.len()));
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
    // It may grow while it is read.
    file.take(TEXT_LIMIT + 1).read_to_end(&mut bytes)?;
    let size = bytes.len() as u64;
    Ok(if size > TEXT_LIMIT { Content::Large(size) } else { Content::Bytes(bytes.into()) })
}

/// Whether git stores this file with LF although it lies there with CRLF.
fn normalised(repo: &Repository, side: &Side, bytes: &[u8]) -> bool {
    if memchr::memmem::find(bytes, b"\r\n").is_none() || is_binary(bytes) {
        return false;
    }
    let path = as_path(&side.path);
    let _patrol = repo.workdir().map(Patrol::clearing);
    let attribute = |name| repo.get_attr_bytes(&path, name, AttrCheckFlags::FILE_THEN_INDEX).ok().flatten();
    let end = matches!(AttrValue::from_bytes(attribute("eol")), AttrValue::String(_) | AttrValue::Bytes(_));
    match AttrValue::from_bytes(attribute("text")) {
        AttrValue::False => false,
        AttrValue::True | AttrValue::String(_) | AttrValue::Bytes(_) => true,
        AttrValue::Unspecified if end => true,
        AttrValue::Unspecified => {
            let value = repo.config().and_then(|mut config| config.snapshot());
            let value = value.and_then(|config| config.get_string("core.autocrlf")).unwrap_or_default();
            matches!(value.as_str(), "true" | "input")
        }
    }
}

fn without_cr(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut from = 0;
    for at in memchr::memmem::find_iter(bytes, b"\r\n") {
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
    }
    out.extend_from_slice(&bytes[from..]);
    out
}

/// The commit that a repository within the worktree stands at. Its `HEAD` is read as a file: opening it would mean to
/// trust the configuration of a repository that an agent made.
fn module_head(folder: &Path) -> String {
    let head = std::fs::read(folder.join(".git/HEAD")).unwrap_or_default();
    let head = String::from_utf8_lossy(&head[..head.len().min(200)]).trim().to_owned();
    if head.is_empty() { "a repository of its own".to_owned() } else { head }
}

pub(super) fn as_path(bytes: &[u8]) -> PathBuf {
    PathBuf::from(std::ffi::OsStr::from_bytes(bytes))
}
