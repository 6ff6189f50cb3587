//! `inputs.expect_files_changed`: a ticket that promises a change is not done without one (koru §7, later contract).
//!
//! An agent that only describes what it would do exits 0 as well; this is what tells the two apart.

use globset::GlobBuilder;

/// Judges the files that a run changed (paths from the top of the repository) against what its ticket promises. Without a
/// promise, or with `false`, anything is fine. With `true`, at least one file changed, and where the ticket declares
/// `files`, one of those: a path, a folder or a glob.
///
/// # Errors
/// A sentence for the ticket that says what was expected and what came.
pub fn expectation(changed: &[String], files: &[String], expect: Option<bool>) -> Result<(), String> {
    if expect != Some(true) {
        return Ok(());
    }
    let declared: Vec<&str> = files.iter().map(|file| normal(file)).filter(|file| !file.is_empty()).collect();
    if changed.is_empty() {
        return Err(
            "the ticket expects changed files (inputs.expect_files_changed), and nothing changed".to_owned()
        );
    }
    if declared.is_empty() || changed.iter().any(|path| declared.iter().any(|file| covers(file, path))) {
        return Ok(());
    }
    Err(format!(
        "the ticket expects changes of its files ({}), and only others changed ({})",
        some(&declared),
        some(&changed.iter().map(String::as_str).collect::<Vec<_>>())
    ))
}

fn normal(path: &str) -> &str {
    path.trim().trim_start_matches("./").trim_end_matches('/')
}

/// Whether `file`, a path, a folder or a glob, covers `path`.
fn covers(file: &str, path: &str) -> bool {
    let path = normal(path);
    if file == "." || path == file || path.strip_prefix(file).is_some_and(|rest| rest.starts_with('/')) {
        return true;
    }
    GlobBuilder::new(file)
        .literal_separator(true)
        .build()
        .is_ok_and(|glob| glob.compile_matcher().is_match(path))
}

fn some(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
mod tests {
    use super::expectation;

    fn judge(changed: &[&str], files: &[&str], expect: Option<bool>) -> Result<(), String> {
        let texts = |items: &[&str]| items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>();
        expectation(&texts(changed), &texts(files), expect)
    }

    #[test]
    fn without_a_promise_nothing_is_asked() {
        for expect in [None, Some(false)] {
            assert_eq!(judge(&[], &["src/a.rs"], expect), Ok(()));
            assert_eq!(judge(&["x"], &[], expect), Ok(()));
        }
    }

    #[test]
    fn a_promised_change_must_be_one_of_the_declared_files() {
        for files in
            [&["src/a.rs"][..], &["./src"], &["src/"], &["src/*.rs"], &["**/a.rs"], &["."], &[], &[" "]]
        {
            assert_eq!(judge(&["src/a.rs"], files, Some(true)), Ok(()), "{files:?}");
        }
        for files in [&["src/b.rs"][..], &["sr"], &["*.rs"], &["src/a"], &["lib/", "[z"]] {
            assert!(judge(&["src/a.rs"], files, Some(true)).is_err(), "{files:?}");
        }
        assert_eq!(
            judge(&[], &[], Some(true)),
            Err("the ticket expects changed files (inputs.expect_files_changed), and nothing changed"
                .to_owned())
        );
        assert_eq!(
            judge(&["a", "b", "c", "d", "e", "f"], &["src", "lib"], Some(true)),
            Err("the ticket expects changes of its files (src, lib), and only others changed (a, b, c, d, e and 1 more)"
                .to_owned())
        );
    }
}
