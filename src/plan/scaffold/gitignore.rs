//! The one line that is written outside of `.planfile/` (koru §1): `.planfile/.koru/` in `.gitignore`.

use super::GitignoreChange;

/// The line.
pub(super) const LINE: &str = ".planfile/.koru/";
/// The comment above it.
const MARKER: &str = "# koru runtime artefacts (generated)";

/// Whether the file already has the line.
pub(super) fn has_line(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| line.trim_ascii() == LINE.as_bytes())
}

/// The new content, and what that is; `None` when the file stays as it is.
pub(super) fn with_line(old: Option<&[u8]>) -> Option<(Vec<u8>, GitignoreChange)> {
    let change = if old.is_some() { GitignoreChange::Updated } else { GitignoreChange::Created };
    let old = old.unwrap_or_default();
    if has_line(old) {
        return None;
    }
    let mut text = old.to_vec();
    if !text.is_empty() {
        if !text.ends_with(b"\n") {
            text.push(b'\n');
        }
        text.push(b'\n');
    }
    text.extend_from_slice(format!("{MARKER}\n{LINE}\n").as_bytes());
    Some((text, change))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_added_once_and_earlier_lines_survive() {
        let rows: [(Option<&str>, Option<&str>); 6] = [
            (None, Some("# koru runtime artefacts (generated)\n.planfile/.koru/\n")),
            (Some(""), Some("# koru runtime artefacts (generated)\n.planfile/.koru/\n")),
            (Some("a"), Some("a\n\n# koru runtime artefacts (generated)\n.planfile/.koru/\n")),
            (Some("a\n"), Some("a\n\n# koru runtime artefacts (generated)\n.planfile/.koru/\n")),
            (Some("a\n  .planfile/.koru/ \r\nb\n"), None),
            (
                Some("# .planfile/.koru/\n"),
                Some("# .planfile/.koru/\n\n# koru runtime artefacts (generated)\n.planfile/.koru/\n"),
            ),
        ];
        for (old, new) in rows {
            let got = with_line(old.map(str::as_bytes)).map(|(text, _)| String::from_utf8(text).unwrap());
            assert_eq!(got.as_deref(), new, "{old:?}");
        }
        assert_eq!(with_line(None).unwrap().1, GitignoreChange::Created);
        assert_eq!(with_line(Some(b"")).unwrap().1, GitignoreChange::Updated);
    }
}
