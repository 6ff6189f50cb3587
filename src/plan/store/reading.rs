//! Reading a file that others replace while we look: one version of it, or a clear error. Keeps nothing.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::base::atomic::Stamp;

/// How often a read is tried while somebody keeps writing; then the last answer is taken.
const ROUNDS: usize = 5;

/// Reads one version of a regular file, never a mixture of two; `None` when there is none.
pub(super) fn read_whole(path: &Path) -> io::Result<Option<(Stamp, Vec<u8>)>> {
    let mut last = None;
    for _ in 0..ROUNDS {
        let mut file = match open_regular(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let before = Stamp::of(&file.metadata()?);
        let mut bytes = Vec::with_capacity(usize::try_from(before.size).unwrap_or(0) + 1);
        file.read_to_end(&mut bytes)?;
        let after = Stamp::of(&file.metadata()?);
        let settled = before == after && u64::try_from(bytes.len()).is_ok_and(|size| size == after.size);
        last = Some((after, bytes));
        if settled {
            break;
        }
    }
    Ok(last)
}

/// Opens without waiting for a writer that a FIFO in the file's place would never get.
pub(super) fn open_regular(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = nix::fcntl::OFlag::O_NONBLOCK.bits();
    let file = std::fs::OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
}
