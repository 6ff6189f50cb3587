//! Which forbidden path pattern covers a path (koru §2.4). Paths are relative to the project, with `/`.
//!
//! A pattern that ends in `/` is a folder at any depth, a pattern without `/` is a name (with `*`, `?`, `[…]`) of any
//! component, any other pattern is a glob from the project's root that also covers what lies below it.

use globset::{GlobBuilder, GlobMatcher};

/// The first of `patterns` that covers `path`.
pub(super) fn covering<'a>(patterns: &'a [String], path: &str) -> Option<&'a str> {
    let parts = normal(path);
    patterns.iter().map(String::as_str).find(|pattern| covers(pattern, &parts))
}

fn covers(pattern: &str, parts: &[&str]) -> bool {
    let trimmed = pattern.trim().trim_start_matches("./");
    let folder = trimmed.strip_suffix('/');
    let name = folder.unwrap_or(trimmed).trim_start_matches('/');
    if name.is_empty() {
        return false;
    }
    let Some(matcher) = glob(name) else {
        // A broken glob is taken by the letter.
        return parts.contains(&name);
    };
    if name.contains('/') || trimmed.starts_with('/') {
        return (1..=parts.len()).any(|length| matcher.is_match(parts[..length].join("/")));
    }
    parts.iter().any(|part| matcher.is_match(part))
}

fn glob(pattern: &str) -> Option<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().ok()?;
    Some(glob.compile_matcher())
}

/// Components without `.`; `..` takes one back.
fn normal(path: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            _ => parts.push(part),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use crate::plan::policy::Policy;

    #[test]
    fn default_paths_cover_folders_names_and_globs_at_any_depth() {
        let policy = Policy::default();
        let covered = [
            (".git/config", ".git/"),
            ("sub/.git/config", ".git/"),
            ("./.planfile/sprints/current.yaml", ".planfile/"),
            (".env", ".env"),
            ("app/.env", ".env"),
            ("src/../.env", ".env"),
            ("certs/server.pem", "*.pem"),
            ("web/node_modules/x/index.js", "node_modules/"),
            ("secrets/a/b", "secrets/"),
            (".github/workflows/ci.yml", ".github/"),
            ("id_rsa", "id_rsa"),
        ];
        for (path, pattern) in covered {
            assert_eq!(policy.forbidden_path(path), Some(pattern), "{path}");
        }
        for path in ["src/main.rs", ".envrc", ".gitignore", "pem/x.txt", "src/keys.rs", "secrets.md", ""] {
            assert_eq!(policy.forbidden_path(path), None, "{path}");
        }
    }

    #[test]
    fn own_patterns_with_slashes_start_at_the_root_and_cover_what_lies_below() {
        let forbidden_paths =
            vec!["alembic/versions/".to_owned(), "docs/*.md".to_owned(), "/build".to_owned()];
        let policy = Policy { forbidden_paths, ..Policy::default() };
        assert_eq!(policy.forbidden_path("alembic/versions/0001/x.py"), Some("alembic/versions/"));
        assert_eq!(policy.forbidden_path("other/alembic/versions/x.py"), None);
        assert_eq!(policy.forbidden_path("docs/a.md"), Some("docs/*.md"));
        assert_eq!(policy.forbidden_path("docs/sub/a.md"), None);
        assert_eq!(policy.forbidden_path("build/x"), Some("/build"));
        assert_eq!(policy.forbidden_path("src/build/x"), None);
    }
}
