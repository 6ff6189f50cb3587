//! Durable writes: a file is either the old one or the new one, after any crash.
//!
//! Write beside (`.<name>.<random>.tmp`, same folder, mode of the old file or 0600), sync, rename, sync the folder.
//! The new modification time always differs from the old one: planfile trusts its mirror by mtime alone
//! (`reference/planfile.md` §5.3). Every durable step passes a [`super::faults`] point.
//!
//! Nobody else may own the bytes between two calls: callers that share a file with other programs hold
//! [`super::lock`] around reading and replacing. File systems that cannot sync (`ENOTSUP`, `EINVAL`) are tolerated;
//! any other failure to sync is an error, because the promise is not kept then.

use std::fs::{DirBuilder, File, Metadata, OpenOptions, Permissions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::faults;
use parts::Sink;

pub use parts::Part;

/// Mode of files that we make.
const PRIVATE_FILE: u32 = 0o600;
/// Mode of folders that we make.
const PRIVATE_DIR: u32 = 0o700;
/// Bytes of the file's name kept in the temporary name, so that a 255-byte name can still be replaced.
const TEMP_NAME_BYTES: usize = 200;

/// What identifies one version of a file without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Modification time in nanoseconds since the epoch.
    pub mtime_ns: i128,
    /// Length in bytes.
    pub size: u64,
    /// Inode number.
    pub inode: u64,
}

impl Stamp {
    /// The stamp of these metadata.
    pub fn of(metadata: &Metadata) -> Stamp {
        Stamp {
            mtime_ns: i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec()),
            size: metadata.size(),
            inode: metadata.ino(),
        }
    }

    /// The stamp of the file at `path` (links are followed); `None` when there is none.
    ///
    /// # Errors
    /// Any I/O error but "not found".
    pub fn read(path: &Path) -> io::Result<Option<Stamp>> {
        match std::fs::metadata(path) {
            Ok(metadata) => Ok(Some(Stamp::of(&metadata))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Replaces `path` by the concatenation of `parts`. A symlink is refused rather than replaced.
///
/// The stamp is that of the file we made, taken before it got its name, so that a writer who replaces it right after
/// cannot be mistaken for us.
///
/// # Errors
/// The old file is whole and no temporary file is left behind. The one exception is a failing sync of the folder, the
/// last step: the new file is in place then, but a power loss may bring the old one back.
pub fn replace(path: &Path, parts: &[&[u8]]) -> io::Result<Stamp> {
    put(path, |sink| parts.iter().try_for_each(|part| sink.bytes(part)), || Ok(()), Name::Synced)
}

/// As [`replace`], but a power loss may bring the whole old file back: for what is made again from other files.
///
/// # Errors
/// As [`replace`].
pub fn replace_derived(path: &Path, parts: &[&[u8]]) -> io::Result<Stamp> {
    put(path, |sink| parts.iter().try_for_each(|part| sink.bytes(part)), || Ok(()), Name::Left)
}

/// As [`replace`], but nothing is synced: a power loss may leave the new file empty or cut off. For what its readers check
/// and can do without.
///
/// # Errors
/// As [`replace`].
pub fn replace_unsynced(path: &Path, parts: &[&[u8]]) -> io::Result<Stamp> {
    put(path, |sink| parts.iter().try_for_each(|part| sink.bytes(part)), || Ok(()), Name::Unsynced)
}

/// As [`replace`], for a new version that is mostly the one of `basis`, which is read from its open file as it is
/// written: a small change of a large file needs no memory for it.
///
/// # Errors
/// As [`replace`]; besides, when `path` no longer is the version `basis` once everything was copied: another program
/// wrote the file meanwhile, and what was copied may be a mixture.
pub fn replace_parts(path: &Path, basis: Stamp, parts: &[Part<'_>]) -> io::Result<Stamp> {
    let unchanged = || match Stamp::read(path)? {
        Some(stamp) if stamp == basis => Ok(()),
        _ => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "another program wrote the file at the same time; look at it and try again",
        )),
    };
    put(path, |sink| parts.iter().try_for_each(|part| sink.part(part)), unchanged, Name::Synced)
}

/// What is on the disk when we return.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Name {
    /// The file and its name.
    Synced,
    /// The file.
    Left,
    /// Perhaps nothing.
    Unsynced,
}

/// Writes a new version with `fill` and gives it the name unless `allowed` objects at the last moment.
fn put(
    path: &Path,
    fill: impl FnOnce(&mut Sink<'_>) -> io::Result<()>,
    allowed: impl FnOnce() -> io::Result<()>,
    name: Name,
) -> io::Result<Stamp> {
    let old = replaceable(path)?;
    let folder = folder_of(path);
    let mode = old.as_ref().map_or(PRIVATE_FILE, |old| old.mode() & 0o7777);

    faults::step("create temporary file")?;
    let mut temp = tempfile::Builder::new()
        .prefix(&temp_prefix(path)?)
        .suffix(".tmp")
        .rand_bytes(8)
        .make_in(&folder, |temp| {
            OpenOptions::new().write(true).create_new(true).mode(PRIVATE_FILE).open(temp)
        })?;
    let file = temp.as_file_mut();
    if mode != PRIVATE_FILE {
        file.set_permissions(Permissions::from_mode(mode))?;
    }
    faults::step("write")?;
    fill(&mut Sink::new(file))?;
    let stamp = distinct_stamp(file, old.as_ref().map(Stamp::of))?;
    if name != Name::Unsynced {
        faults::step("sync file")?;
        tolerate_no_sync(file.sync_all())?;
    }
    allowed()?;
    faults::step("rename")?;
    // Dropping `temp` on any of the errors above removes the temporary file.
    temp.into_temp_path().persist(path).map_err(|error| error.error)?;
    if name == Name::Synced {
        faults::step("sync folder")?;
        sync_dir(&folder)?;
    }
    Ok(stamp)
}

/// Appends one line (a `\n` is added) in one write and syncs it. A torn last line left by a crash is ended first.
///
/// The file is made with mode 0600 when it does not exist. A symlink is refused.
///
/// # Errors
/// Any I/O error; a `line` that itself holds a line end is refused, because it would be read back as two.
pub fn append_line(path: &Path, line: &str) -> io::Result<()> {
    if line.contains('\n') {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "a line to append holds a line end"));
    }
    faults::step("open for append")?;
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(PRIVATE_FILE)
        .custom_flags(OFlag::O_NOFOLLOW.bits())
        .open(path)?;
    let size = file.metadata()?.size();
    let torn = size > 0 && last_byte(&mut file)? != b'\n';
    let mut bytes = Vec::with_capacity(line.len() + 2);
    if torn {
        bytes.push(b'\n');
    }
    bytes.extend_from_slice(line.as_bytes());
    bytes.push(b'\n');
    faults::step("append")?;
    // One write: a reader or a second appender never sees half a line unless the disk is full.
    file.write_all(&bytes)?;
    faults::step("sync appended")?;
    tolerate_no_sync(file.sync_data())?;
    if size == 0 {
        faults::step("sync folder")?;
        sync_dir(&folder_of(path))?;
    }
    Ok(())
}

/// Makes `path` and its parents, new folders with mode 0700.
///
/// # Errors
/// Any I/O error; something that is not a folder standing in the way is one.
pub fn make_private_dir(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(PRIVATE_DIR).create(path)
}

/// As [`make_private_dir`], for a folder below a project's `.planfile`: a repository can bring links there, through which
/// what we write would go anywhere.
///
/// # Errors
/// As there; a symbolic link at `path` or above it, up to `.koru` or to what lies in `.planfile`, is one. (That folder
/// itself may be kept elsewhere.)
pub fn make_own_dir(path: &Path) -> io::Result<()> {
    let named = |wanted: &str| {
        path.ancestors().position(|folder| folder.file_name().is_some_and(|name| name == wanted))
    };
    let ours = named(".planfile").or_else(|| named(".koru").map(|at| at + 1));
    for folder in path.ancestors().take(ours.unwrap_or(0)) {
        if folder.symlink_metadata().is_ok_and(|found| found.is_symlink()) {
            return Err(io::Error::other(format!(
                "{} is a symbolic link, and koru-tui writes only into folders of its own: put a folder in its place",
                folder.display()
            )));
        }
    }
    make_private_dir(path)
}

/// Syncs a folder, so that names made or removed in it survive a power loss.
///
/// # Errors
/// Any I/O error but that the file system cannot sync folders.
pub fn sync_dir(folder: &Path) -> io::Result<()> {
    tolerate_no_sync(File::open(folder)?.sync_all())
}

fn last_byte(file: &mut File) -> io::Result<u8> {
    file.seek(SeekFrom::End(-1))?;
    let mut byte = [0];
    file.read_exact(&mut byte)?;
    Ok(byte[0])
}

/// The metadata of what `path` names now; refuses what must not be replaced by a regular file.
fn replaceable(path: &Path) -> io::Result<Option<Metadata>> {
    match std::fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_file() => Ok(Some(metadata)),
        Ok(metadata) => {
            let what =
                if metadata.file_type().is_symlink() { "a symbolic link" } else { "not a regular file" };
            Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                format!("it is {what}; put a regular file in its place"),
            ))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn folder_of(path: &Path) -> PathBuf {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

fn temp_prefix(path: &Path) -> io::Result<std::ffi::OsString> {
    use std::os::unix::ffi::{OsStrExt, OsStringExt};
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?
        .as_bytes();
    let mut prefix = vec![b'.'];
    prefix.extend_from_slice(&name[..name.len().min(TEMP_NAME_BYTES)]);
    prefix.push(b'.');
    Ok(std::ffi::OsString::from_vec(prefix))
}

/// The stamp of the written file, its modification time moved until it differs from the old file's: by 1 ms, and on
/// file systems that keep whole seconds or pairs of them by more.
fn distinct_stamp(file: &File, old: Option<Stamp>) -> io::Result<Stamp> {
    let mut stamp = Stamp::of(&file.metadata()?);
    let Some(old) = old else { return Ok(stamp) };
    for bump in [1, 1_000, 3_000].map(Duration::from_millis) {
        if stamp.mtime_ns != old.mtime_ns {
            return Ok(stamp);
        }
        let later = file.metadata()?.modified()? + bump;
        file.set_modified(later)?;
        stamp = Stamp::of(&file.metadata()?);
    }
    if stamp.mtime_ns == old.mtime_ns {
        return Err(io::Error::other("the file system does not let the modification time differ"));
    }
    Ok(stamp)
}

fn tolerate_no_sync(result: io::Result<()>) -> io::Result<()> {
    match result.as_ref().map_err(|error| error.raw_os_error().map(Errno::from_raw)) {
        Err(Some(Errno::EOPNOTSUPP | Errno::EINVAL | Errno::ENOSYS)) => Ok(()),
        _ => result,
    }
}

mod parts;
#[cfg(test)]
mod tests;
