//! Finding the lines of one ticket in an open sprint file without holding the file: through one small buffer.
//!
//! Only planfile's own layout is known here (ticket keys at column 4). No answer means "look at the whole file", never
//! an error. The file belongs to the caller, who makes sure that it did not change meanwhile.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use memchr::memmem;

/// Bytes looked at together.
const WINDOW: usize = 256 << 10;

/// First guess at the length of a ticket.
const TICKET: usize = 16 << 10;

/// The lines of one ticket and where they stand: its key at column 4, found exactly once, up to the next line that is
/// not deeper.
pub(super) fn ticket_lines(file: &File, id: &str) -> Option<(Range<u64>, String)> {
    if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return None;
    }
    let key = format!("    {id}:\n");
    let start = only_place(file, format!("\n    {id}:").as_bytes())? + 1;
    let mut lines = Vec::new();
    loop {
        let have = lines.len();
        lines.resize(have + have.max(TICKET), 0);
        let read = fill(file, &mut lines[have..], start + have as u64).ok()?;
        let ended = have + read < lines.len();
        lines.truncate(have + read);
        if let Some(end) = end_of(&lines, ended) {
            lines.truncate(end);
            break;
        }
    }
    let text = String::from_utf8(lines).ok().filter(|text| text.starts_with(&key))?;
    Some((start..start + text.len() as u64, text))
}

/// Where the first ticket in `lines` ends; `None` when more has to be read to know.
fn end_of(lines: &[u8], all: bool) -> Option<usize> {
    let mut at = 0;
    while let Some(newline) = memchr::memchr(b'\n', &lines[at..]) {
        at += newline + 1;
        let next = &lines[at..];
        if next.len() < 5 && !all && !next.starts_with(b"\n") {
            return None;
        }
        if !next.starts_with(b"     ") && !next.starts_with(b"\n") {
            return Some(at);
        }
    }
    all.then_some(lines.len())
}

/// Where `needle` (of which no two overlap) begins, if it stands in the file exactly once.
fn only_place(file: &File, needle: &[u8]) -> Option<u64> {
    let mut found = None;
    let once = scan(file, needle, 0, |at, _, _| found.replace(at).is_none())?;
    found.filter(|_| once)
}

/// Whether no ticket key at column 4 is `id`, quoted or not.
pub(super) fn is_absent(file: &File, id: &str) -> Option<bool> {
    scan(file, id.as_bytes(), 8, |_, before, _| {
        let before = before.strip_suffix(b"\"").or_else(|| before.strip_suffix(b"'")).unwrap_or(before);
        !before.ends_with(b"\n    ")
    })
}

/// Whether `like` is true of the status of any ticket outside of `besides`: of the word as it is written at column 6.
pub(super) fn any_status(file: &File, besides: &Range<u64>, like: impl Fn(&str) -> bool) -> Option<bool> {
    let none = scan(file, b"\n      status:", 40, |at, _, behind| {
        let word = behind.split(|byte| *byte == b'\n').next().unwrap_or_default();
        besides.contains(&at) || std::str::from_utf8(word).is_ok_and(|word| !like(word.trim()))
    })?;
    Some(!none)
}

/// Calls `each` with the place of every `needle` (of which no two overlap) and up to `around` bytes before and behind
/// it, until it returns false; whether it never did. `None` when the file cannot be read.
fn scan(
    file: &File,
    needle: &[u8],
    around: usize,
    mut each: impl FnMut(u64, &[u8], &[u8]) -> bool,
) -> Option<bool> {
    let finder = memmem::Finder::new(needle);
    let mut window = vec![0; WINDOW];
    // The window begins at this offset of the file; its first bytes are kept from the one before. What was found before
    // this place was told.
    let (mut offset, mut kept, mut told) = (0, 0, 0);
    loop {
        let read = fill(file, &mut window[kept..], offset + kept as u64).ok()?;
        let filled = kept + read;
        let ended = filled < WINDOW;
        for place in finder.find_iter(&window[..filled]) {
            let (at, end) = (offset + place as u64, place + needle.len());
            if at < told {
                continue;
            }
            if end + around > filled && !ended {
                break;
            }
            told = at + 1;
            let behind = &window[end..(end + around).min(filled)];
            if !each(at, &window[place.saturating_sub(around)..place], behind) {
                return Some(false);
            }
        }
        if ended {
            return Some(true);
        }
        kept = needle.len() + 2 * around;
        window.copy_within(filled - kept.., 0);
        offset += (filled - kept) as u64;
    }
}

/// The text of a part of the file.
pub(super) fn text_at(file: &File, range: &Range<u64>) -> Option<String> {
    let mut bytes = vec![0; usize::try_from(range.end.checked_sub(range.start)?).ok()?];
    file.read_exact_at(&mut bytes, range.start).ok()?;
    String::from_utf8(bytes).ok()
}

/// Reads until `buffer` is full or the file ends.
pub(super) fn fill(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read_at(&mut buffer[filled..], at + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn lines(text: &str, id: &str) -> Option<String> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let (range, lines) = ticket_lines(&file, id)?;
        assert_eq!(&text[range.start as usize..range.end as usize], lines, "{id}");
        Some(lines)
    }

    #[test]
    fn a_tickets_lines_end_where_the_next_key_begins() {
        let text = "sprint:\n  tickets:\n    A-1:\n      id: A-1\n\n      name: x\n    A-10:\n      id: A-10\n  z: 1\n";
        assert_eq!(lines(text, "A-1").unwrap(), "    A-1:\n      id: A-1\n\n      name: x\n");
        assert_eq!(lines(text, "A-10").unwrap(), "    A-10:\n      id: A-10\n");
        for id in ["A-2", "", "A 1", "id"] {
            assert_eq!(lines(text, id), None, "{id}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_not_guessed() {
        assert_eq!(lines("x:\n    A-1:\n      id: A-1\ny:\n    A-1:\n      id: A-1\n", "A-1"), None);
        assert_eq!(lines("x:\n    A-1:\n    A-1:\n      id: A-1\n", "A-1"), None);
    }

    #[test]
    fn keys_and_statuses_are_found_across_windows() {
        for shift in 0..64 {
            let filler = "x".repeat(WINDOW - 60 + shift);
            let text = format!(
                "t: {filler}\n    'A-1':\n      id: A-1\n      status: done\n    A-10:\n      status: open\n"
            );
            let mut file = tempfile::tempfile().unwrap();
            file.write_all(text.as_bytes()).unwrap();
            assert_eq!(is_absent(&file, "A-1"), Some(false), "{shift}");
            assert_eq!(is_absent(&file, "A-2"), Some(true), "{shift}");
            let mut words = Vec::new();
            let like = |word: &str| word == "done";
            let second = text.find("    A-10").unwrap() as u64..text.len() as u64;
            assert_eq!(any_status(&file, &second, like), Some(true), "{shift}");
            assert_eq!(any_status(&file, &(0..second.start), like), Some(false), "{shift}");
            let all = scan(&file, b"\n      status:", 40, |at, _, behind| {
                words.push((at as usize, String::from_utf8_lossy(behind).trim().to_owned()));
                true
            });
            let wanted: Vec<usize> = text.match_indices("\n      status:").map(|(at, _)| at).collect();
            assert_eq!((all, words.iter().map(|(at, _)| *at).collect::<Vec<_>>()), (Some(true), wanted));
            assert!(words[0].1.starts_with("done") && words[1].1.starts_with("open"), "{shift}");
        }
    }

    #[test]
    fn windows_split_neither_a_key_nor_a_ticket() {
        for shift in 0..24 {
            let filler = "x".repeat(WINDOW - 20 + shift);
            let body = format!("    A-1:\n      a: {}\n", "y".repeat(TICKET - 24 + shift));
            let text = format!("t: {filler}\n{body}    A-2:\n      id: A-2\n");
            assert_eq!(lines(&text, "A-1").as_deref(), Some(&*body), "{shift}");
            assert_eq!(lines(&text, "A-2").unwrap(), "    A-2:\n      id: A-2\n", "{shift}");
        }
    }
}
