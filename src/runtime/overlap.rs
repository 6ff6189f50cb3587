//! Whether two tickets work on the same files, from their `files` lists alone (koru §10: parallel on disjoint files).
//!
//! Paths are compared as text after `.` and `..` are resolved: the same path, one inside the other, or a glob that
//! could match. A glob counts with everything below its fixed part, which errs on the safe side. A ticket that names
//! no files overlaps with nobody: it made no claim that could be checked.

/// The first path of `one` that collides with a path of `other`.
pub(crate) fn collision<'a>(one: &'a [String], other: &[String]) -> Option<&'a str> {
    let others: Vec<Vec<&str>> = other.iter().filter_map(|path| fixed_part(path)).collect();
    if others.is_empty() {
        return None;
    }
    one.iter()
        .map(String::as_str)
        .find(|path| fixed_part(path).is_some_and(|parts| others.iter().any(|other| contains(&parts, other))))
}

/// Whether one is the other or a folder above it.
fn contains(one: &[&str], other: &[&str]) -> bool {
    one.iter().zip(other).all(|(a, b)| a == b)
}

/// The components of a path before its first glob; `None` for a blank path.
fn fixed_part(path: &str) -> Option<Vec<&str>> {
    let path = path.trim();
    if path.is_empty() {
        return None;
    }
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            glob if glob.contains(['*', '?', '[', '{']) => break,
            name => parts.push(name),
        }
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collides(one: &str, other: &str) -> bool {
        let [one, other] = [one, other].map(|path| vec![path.to_owned()]);
        collision(&one, &other).is_some()
    }

    #[test]
    fn same_inside_and_globs_collide() {
        for (one, other) in [
            ("src/a.rs", "./src/a.rs"),
            ("src", "src/a.rs"),
            ("src/x/../a.rs", "src/a.rs"),
            ("src/**/*.rs", "src/deep/a.rs"),
            ("src/*.rs", "src/deep"),
            ("*.md", "README.md"),
            (".", "src/a.rs"),
        ] {
            assert!(collides(one, other), "{one} {other}");
            assert!(collides(other, one), "{other} {one}");
        }
    }

    #[test]
    fn neighbours_and_blank_paths_do_not() {
        for (one, other) in [("src/a.rs", "src/b.rs"), ("src", "src2"), ("", "src"), ("a/*.rs", "b/*.rs")] {
            assert!(!collides(one, other), "{one} {other}");
            assert!(!collides(other, one), "{other} {one}");
        }
        assert_eq!(collision(&[], &["src".to_owned()]), None);
    }

    #[test]
    fn the_colliding_path_is_named() {
        let one = ["docs/a.md".to_owned(), "src/lib.rs".to_owned()];
        assert_eq!(collision(&one, &["src".to_owned()]), Some("src/lib.rs"));
    }
}
