//! Reading files in whose place somebody else may have put something else: a pipe that nobody writes to, a device, a
//! socket, a folder, a link to anywhere, a file without an end.
//!
//! Looking first and reading then leaves a moment in between, so what was opened is what is judged: opened without
//! waiting for a writer, asked for what it is, and read as far as the limit at most. Owns nothing.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// What to do with a symbolic link in the last step of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// It is followed: the file is the operator's own, and may be kept elsewhere.
    Followed,
    /// It is refused: agents or repositories can put one there.
    Refused,
}

/// Opens a regular file for reading, with what it is. Never waits.
///
/// # Errors
/// Any I/O error (`ELOOP` for a link that is refused), and [`io::ErrorKind::InvalidInput`] for what is no regular file.
pub fn open(path: &Path, links: Links) -> io::Result<(File, Metadata)> {
    let mut flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    if links == Links::Refused {
        flags |= OFlag::O_NOFOLLOW;
    }
    let file = OpenOptions::new().read(true).custom_flags(flags.bits()).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    Ok((file, metadata))
}

/// The bytes of a regular file that has `limit` bytes at most.
///
/// # Errors
/// As [`open`], and [`io::ErrorKind::FileTooLarge`] for a larger one.
pub fn read(path: &Path, links: Links, limit: u64) -> io::Result<Vec<u8>> {
    let (file, metadata) = open(path, links)?;
    let large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("it is larger than {limit} bytes"));
    if metadata.len() > limit {
        return Err(large());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0) + 1);
    // It may grow while it is read.
    file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(large()) } else { Ok(bytes) }
}

/// As [`read`], as text; what is no UTF-8 is an error.
///
/// # Errors
/// As [`read`], and [`io::ErrorKind::InvalidData`].
pub fn read_text(path: &Path, links: Links, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, links, limit)?)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn what_is_no_plain_file_is_refused_and_never_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&at("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        let _socket = UnixListener::bind(at("socket")).unwrap();
        std::fs::write(at("plain"), "text").unwrap();
        symlink(at("plain"), at("link")).unwrap();
        symlink(at("pipe"), at("to-pipe")).unwrap();
        for links in [Links::Followed, Links::Refused] {
            for name in ["pipe", "socket", "", "to-pipe", "absent", "../../../../dev/null"] {
                assert!(open(&at(name), links).is_err(), "{name} {links:?}");
            }
            assert_eq!(read(&at("plain"), links, 4).unwrap(), b"text");
        }
        assert_eq!(read(&at("link"), Links::Followed, 4).unwrap(), b"text");
        assert!(read(&at("link"), Links::Refused, 4).is_err());
    }

    #[test]
    fn a_file_beyond_the_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("huge");
        File::create(&path).unwrap().set_len(100 << 30).unwrap();
        assert_eq!(read(&path, Links::Refused, 1 << 20).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        std::fs::write(&path, b"\xff").unwrap();
        assert_eq!(read(&path, Links::Refused, 1).unwrap(), b"\xff");
        assert_eq!(read_text(&path, Links::Refused, 1).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
