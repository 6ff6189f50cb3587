//! Reading a file that others replace while we look: one version of it, or a clear error. Keeps nothing.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::base::atomic::Stamp;
use crate::base::regular::{self, Links};

/// A file larger than this, in bytes, is no planfile: hundreds of thousands of tickets fit.
const LARGEST: u64 = 1024 * 1024 * 1024;

/// How often a read is tried while somebody keeps writing; then the last answer is taken.
pub(super) const ROUNDS: usize = 5;

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
        if before.size > LARGEST {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is larger than 1 GiB"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(before.size).unwrap_or(0) + 1);
        file.by_ref().take(LARGEST + 1).read_to_end(&mut bytes)?;
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
    regular::open(path, Links::Followed).map(|(file, _)| file)
}
