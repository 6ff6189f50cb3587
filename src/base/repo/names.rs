//! Names that git and every file system take, made from foreign text.
//!
//! A name is one component of a branch name and one folder name at once. It obeys `git check-ref-format`: no `..`, no
//! `@{`, no leading dot, no trailing dot or `.lock`, no control character, space or any of `~^:?*[\`.

/// Longest name; a component of a path may have 255 bytes, and `.lock` and hash have to fit too.
const LONGEST: usize = 80;

/// How much of a text that is no name itself is kept in front of its hash.
const KEPT: usize = 40;

/// `text` itself when it is a safe name, else a readable beginning and a hash of the whole text, so that different
/// texts get different names.
pub fn safe_component(text: &str) -> String {
    if is_safe(text) {
        return text.to_owned();
    }
    let mut kept: String =
        text.chars().take(KEPT).map(|c| if is_plain(c) && c != '.' { c } else { '-' }).collect();
    while kept.starts_with('-') {
        kept.remove(0);
    }
    let kept = if kept.is_empty() { "ticket" } else { kept.as_str() };
    format!("{kept}-{:016x}", xxhash_rust::xxh3::xxh3_64(text.as_bytes()))
}

/// Whether git and file systems take `text` as it stands.
fn is_safe(text: &str) -> bool {
    let starts_well = text.starts_with(|c: char| c.is_ascii_alphanumeric());
    let lower = text.to_ascii_lowercase();
    starts_well
        && text.len() <= LONGEST
        && text.chars().all(is_plain)
        && !text.contains("..")
        && !text.ends_with('.')
        // Ours beside the folders: records and indexes.
        && ![".lock", ".json", ".index", ".tmp"].iter().any(|end| lower.ends_with(end))
        && lower != "head"
}

fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_ids_stay_as_they_are() {
        for id in ["PLF-1", "a", "x_y.z-9", "2026-11-21"] {
            assert_eq!(safe_component(id), id);
        }
    }

    #[test]
    fn hostile_ids_get_valid_distinct_names() {
        let long = "x".repeat(200);
        let ids = [
            "",
            ".",
            "..",
            "../x",
            "/etc/passwd",
            "a..b",
            ".lock",
            "a.lock",
            "a.LOCK",
            "a.",
            "-rf",
            "a b",
            "a:b",
            "a~1",
            "a^",
            "a?b",
            "a*b",
            "a[b",
            "a\\b",
            "@{",
            "@",
            "a@{b",
            "\u{1F600}",
            "\u{1F601}",
            "naïve",
            "a\nb",
            "a\0b",
            "HEAD",
            "a/b",
            "a/",
            "a.json",
            &long,
        ];
        let mut names = std::collections::BTreeSet::new();
        for id in ids {
            let name = safe_component(id);
            assert!(git2::Branch::name_is_valid(&format!("koru/{name}")).unwrap(), "{id:?} → {name:?}");
            assert!(is_safe(&name), "{id:?} → {name:?}");
            assert!(names.insert(name.clone()), "{id:?} → {name:?} is taken");
        }
    }
}
