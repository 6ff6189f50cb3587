#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]
//! Which modes of a terminal the bytes written to it have left on.

/// The terminal's modes that a program can leave on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Modes {
    /// DEC private modes that were set and not reset, ascending; mode 25 (cursor) counts when it was *hidden*.
    pub private: Vec<u16>,
    /// Depth of the kitty keyboard stack.
    pub keyboard: i32,
}

/// Reads `CSI ? n h`, `CSI ? n l`, `CSI > n u` and `CSI < n u` and says what is left on.
pub fn left_by(raw: &[u8]) -> Modes {
    let mut modes = Modes::default();
    let mut rest = raw;
    while let Some(start) =
        rest.windows(3).position(|window| window[..2] == *b"\x1b[" && b"?<>".contains(&window[2]))
    {
        let kind = rest[start + 2];
        rest = &rest[start + 3..];
        let Some(end) = rest.iter().position(|byte| !byte.is_ascii_digit() && *byte != b';') else { break };
        let numbers =
            std::str::from_utf8(&rest[..end]).unwrap().split(';').filter_map(|text| text.parse().ok());
        let numbers: Vec<u16> = numbers.collect();
        match (kind, rest[end]) {
            (b'?', on @ (b'h' | b'l')) => {
                for number in numbers {
                    modes.private.retain(|mode| *mode != number);
                    if (on == b'h') != (number == 25) {
                        modes.private.push(number);
                    }
                }
            }
            (b'>', b'u') => modes.keyboard += 1,
            (b'<', b'u') => modes.keyboard -= i32::from(numbers.first().copied().unwrap_or(1)),
            _ => {}
        }
        rest = &rest[end..];
    }
    modes.private.sort_unstable();
    modes
}
