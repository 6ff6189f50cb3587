//! What `/proc/<pid>/stat` says. Linux only; elsewhere nothing is ever found.

use std::fs::File;
use std::io::Read;

/// The fields that we use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    pub(super) pid: u32,
    /// Ended, waiting to be reaped.
    pub(super) zombie: bool,
    pub(super) parent: u32,
    /// Process group.
    pub(super) group: u32,
    /// Session.
    pub(super) session: u32,
    /// Clock ticks since boot at start.
    pub(super) start_ticks: u64,
}

impl Stat {
    /// Of the process with this pid.
    pub(super) fn read(pid: u32) -> Option<Stat> {
        // One read of a buffer that holds every such line: a size is not known before, and asking piece by piece costs a
        // few more calls for each process of the machine.
        let mut line = [0_u8; 1024];
        let read = File::open(format!("/proc/{pid}/stat")).ok()?.read(&mut line).ok()?;
        Stat::parse(pid, &line[..read])
    }

    /// Of every process.
    pub(super) fn all() -> impl Iterator<Item = Stat> {
        std::fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
            .filter_map(Stat::read)
    }

    /// The name, in brackets, may hold anything, brackets too: fields are counted from the last one.
    fn parse(pid: u32, bytes: &[u8]) -> Option<Stat> {
        let end = memchr::memrchr(b')', bytes)?;
        let mut fields = std::str::from_utf8(&bytes[end + 1..]).ok()?.split_ascii_whitespace();
        let zombie = matches!(fields.next()?, "Z" | "X" | "x");
        let parent = fields.next()?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        let session = fields.next()?.parse().ok()?;
        // Field 22 of the line; the state, just read past, was field 3 and the session field 6.
        let start_ticks = fields.nth(15)?.parse().ok()?;
        Some(Stat { pid, zombie, parent, group, session, start_ticks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_full_of_traps_is_skipped() {
        let line = b"4711 (a) Z ) (b)) S 1 4700 4699 34816 4711 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987654 1 1";
        let expected =
            Stat { pid: 4711, zombie: false, parent: 1, group: 4700, session: 4699, start_ticks: 987_654 };
        assert_eq!(Stat::parse(4711, line), Some(expected));
        assert_eq!(Stat::parse(1, b"1 (x) S 1"), None);
        assert_eq!(Stat::parse(1, b""), None);
    }
}
