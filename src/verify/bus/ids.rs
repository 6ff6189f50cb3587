//! Names that come from outside and go into paths, prompts and command lines: checked before anything is done with them.

/// Longest id of a task; it is a folder's name.
const LONGEST_ID: usize = 120;

/// Longest name of a commit.
const LONGEST_REFERENCE: usize = 250;

/// A name that is not used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} {name:?} is refused: {why}")]
pub struct BadName {
    /// Of what it would be the name.
    pub what: &'static str,
    /// The name (foreign text, quoted).
    pub name: String,
    /// Why.
    pub why: &'static str,
}

/// Whether `id` can be the id of a task: a single folder name, printable, that no program takes for an option.
///
/// # Errors
/// Why not.
pub fn check_task_id(id: &str) -> Result<(), BadName> {
    let why = match id {
        "" => "it is empty",
        _ if id.len() > LONGEST_ID => "it is longer than 120 bytes",
        _ if id.contains(['/', '\\']) => "it holds a slash",
        _ if id.contains("..") => "it holds two dots in a row",
        _ if id.starts_with(['.', '-']) => "it begins with a dot or a dash",
        _ if id.trim() != id => "it begins or ends with a blank",
        _ if id.chars().any(is_hidden) => "it holds a character that cannot be seen",
        _ => return Ok(()),
    };
    Err(bad("the task id", id, why))
}

/// Whether `name` may be asked of git as a commit: a hash, a branch, `HEAD~2`; never an option or a range.
///
/// # Errors
/// Why not.
pub fn check_reference(name: &str) -> Result<(), BadName> {
    let why = match name {
        "" => "it is empty",
        _ if name.len() > LONGEST_REFERENCE => "it is longer than 250 bytes",
        _ if name.starts_with('-') => "it looks like an option",
        _ if name.contains("..") => "it is a range, not a commit",
        _ if name.contains([' ', ':', '?', '*', '[', '\\']) || name.contains("@{") => {
            "it holds a character that names of commits do not have"
        }
        _ if name.chars().any(is_hidden) => "it holds a character that cannot be seen",
        _ => return Ok(()),
    };
    Err(bad("the commit", name, why))
}

/// Whether an agent's own id of a conversation may be given back to it as an argument.
///
/// # Errors
/// Why not.
pub fn check_session(id: &str) -> Result<(), BadName> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':');
    let why = match id {
        "" => "it is empty",
        _ if id.len() > LONGEST_ID => "it is longer than 120 bytes",
        _ if id.starts_with(['-', '.']) => "it looks like an option",
        _ if !id.chars().all(plain) => "it holds a character that such ids do not have",
        _ => return Ok(()),
    };
    Err(bad("the conversation", id, why))
}

/// Whether `name` is one component of an archived file's path.
pub(super) fn check_file_name(name: &str) -> Result<(), BadName> {
    let why = match name {
        "" => "it is empty",
        _ if name.len() > LONGEST_ID => "it is longer than 120 bytes",
        _ if name.contains(['/', '\\']) => "it holds a slash",
        _ if name.contains("..") => "it holds two dots in a row",
        _ if name.starts_with(['.', '-']) => "it begins with a dot or a dash",
        _ if name.chars().any(is_hidden) => "it holds a character that cannot be seen",
        _ => return Ok(()),
    };
    Err(bad("the archived file", name, why))
}

fn bad(what: &'static str, name: &str, why: &'static str) -> BadName {
    BadName { what, name: name.chars().take(LONGEST_ID).collect(), why }
}

/// Controls, line separators, and what turns the direction of a text or has no width.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_within_their_folder() {
        for id in ["T-001", "UNKNOWN", "PLF-7", "a b", "x.y", "żółw"] {
            assert_eq!(check_task_id(id), Ok(()), "{id}");
        }
        let long = "x".repeat(121);
        for id in [
            "",
            "../../x",
            "..",
            ".",
            "a/b",
            "a\\b",
            "-rf",
            ".hidden",
            " x",
            "x\n",
            "a\u{202e}b",
            "a..b",
            &long,
        ] {
            assert!(check_task_id(id).is_err(), "{id:?}");
        }
    }

    #[test]
    fn commits_are_no_options_and_no_ranges() {
        for name in ["HEAD", "HEAD~2", "HEAD^", "main", "feature/x", "0a1b2c3", "v1.2", "refs/heads/x"] {
            assert_eq!(check_reference(name), Ok(()), "{name}");
        }
        for name in ["", "--output=/x", "-p", "a..b", "a...b", "a b", "HEAD:f", "x\ny", "a@{1}", "*"] {
            assert!(check_reference(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn conversations_are_no_options() {
        for id in ["thr-worker-r1", "0d154645-ee26-4f2e-87bf-05f4722fafe8", "ses_1"] {
            assert_eq!(check_session(id), Ok(()), "{id}");
        }
        for id in ["", "--dangerously", "a b", "x/y", "a\n"] {
            assert!(check_session(id).is_err(), "{id:?}");
        }
    }
}
