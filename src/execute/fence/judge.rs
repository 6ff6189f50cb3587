//! The difference that a run made, held against the policy and the ticket (DESIGN §5, layer 4). Pure.

use globset::{GlobBuilder, GlobMatcher};

use super::Breach;
use crate::execute::isolation::{Change, ChangeKind, Worktree};
use crate::plan::policy::Policy;

/// What of `changes` ([`crate::execute::isolation::survey`]) the policy or the ticket's `files` forbid. `files` empty
/// means no limit; entries are paths, folders or globs from the project's folder. Nothing of it is undone: the commit
/// leaves forbidden paths out, and the operator decides about the rest.
pub fn judge(worktree: &Worktree, changes: &[Change], policy: &Policy, files: &[String]) -> Vec<Breach> {
    let scope = Scope::new(files);
    changes.iter().filter_map(|change| judge_one(worktree, change, policy, &scope)).collect()
}

/// The first rule that a change breaks: one breach a path is what an operator wants to read.
fn judge_one(worktree: &Worktree, change: &Change, policy: &Policy, scope: &Scope) -> Option<Breach> {
    let path = change.path.as_str();
    let inner = worktree.in_project(path);
    let breach = |rule: &str, what: String| {
        Some(Breach { rule: rule.to_owned(), what, evidence: evidence(change), undone: false })
    };
    let pattern =
        inner.and_then(|inner| policy.forbidden_path(inner)).or_else(|| policy.forbidden_path(path));
    if let Some(pattern) = pattern {
        return breach("forbidden_paths", format!("{path} is forbidden by `{pattern}`"));
    }
    if change.kind == ChangeKind::Submodule {
        return breach(
            "submodules",
            format!("{path} is a repository of its own, or a submodule that was changed"),
        );
    }
    if let Some(link) = change.link.as_ref().filter(|link| link.leaves) {
        return breach("links", format!("{path} is a link out of the worktree, to {}", link.target));
    }
    if scope.is_limited() && !inner.is_some_and(|inner| scope.covers(inner)) {
        return breach("files", format!("{path} is none of the ticket's files"));
    }
    None
}

fn evidence(change: &Change) -> String {
    let kind = match change.kind {
        ChangeKind::Added => "added",
        ChangeKind::Modified => "modified",
        ChangeKind::Deleted => "deleted",
        ChangeKind::Submodule => "submodule",
    };
    format!("{} ({kind}, +{} -{})", change.path, change.added, change.removed)
}

/// The ticket's `files`.
struct Scope {
    entries: Vec<Entry>,
}

struct Entry {
    /// Without `./` in front and `/` behind.
    text: String,
    glob: Option<GlobMatcher>,
}

impl Scope {
    fn new(files: &[String]) -> Self {
        let texts = files.iter().map(|file| {
            let text = file.trim();
            text.strip_prefix("./").unwrap_or(text).trim_end_matches('/').to_owned()
        });
        let entries = texts.filter(|text| !text.is_empty()).map(|text| {
            let glob = GlobBuilder::new(&text).literal_separator(true).build().ok();
            Entry { glob: glob.map(|glob| glob.compile_matcher()), text }
        });
        Scope { entries: entries.collect() }
    }

    fn is_limited(&self) -> bool {
        !self.entries.is_empty()
    }

    /// Whether `path` is an entry, lies below one, or fits one as a glob (what lies below a folder that fits, too).
    fn covers(&self, path: &str) -> bool {
        self.entries.iter().any(|entry| {
            if entry.text == "." {
                return true;
            }
            let below = path
                .strip_prefix(entry.text.as_str())
                .is_some_and(|rest| rest.starts_with('/') || rest.is_empty());
            let fits = |glob: &GlobMatcher| {
                path.match_indices('/')
                    .map(|(at, _)| &path[..at])
                    .chain([path])
                    .any(|part| glob.is_match(part))
            };
            below || entry.glob.as_ref().is_some_and(fits)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::execute::isolation::Link;
    use crate::plan::ticket::TicketId;

    fn worktree(subfolder: &str) -> Worktree {
        Worktree {
            ticket: TicketId::new("PLF-1"),
            path: "/p/w".into(),
            branch: "koru/PLF-1".to_owned(),
            base: String::new(),
            subfolder: subfolder.to_owned(),
            git_dir: "/p/.git/worktrees/w".into(),
        }
    }

    fn change(path: &str) -> Change {
        Change { path: path.to_owned(), kind: ChangeKind::Modified, added: 3, removed: 1, link: None }
    }

    fn rules(subfolder: &str, changes: &[Change], files: &[&str]) -> Vec<(String, String)> {
        let files: Vec<String> = files.iter().map(ToString::to_string).collect();
        let found = judge(&worktree(subfolder), changes, &Policy::default(), &files);
        found.into_iter().map(|breach| (breach.rule, breach.evidence)).collect()
    }

    #[test]
    fn each_kind_of_offence_is_named_with_its_proof() {
        let link = |leaves| Some(Link { target: "../../x".to_owned(), leaves });
        let changes = [
            change("src/main.rs"),
            change(".planfile/sprints/current.yaml"),
            change("deploy/server.pem"),
            Change { kind: ChangeKind::Submodule, added: 0, removed: 0, ..change("vendor/lib") },
            Change { link: link(true), kind: ChangeKind::Added, ..change("out") },
            Change { link: link(false), ..change("in") },
        ];
        let found = rules("", &changes, &[]);
        let want = [
            ("forbidden_paths", ".planfile/sprints/current.yaml (modified, +3 -1)"),
            ("forbidden_paths", "deploy/server.pem (modified, +3 -1)"),
            ("submodules", "vendor/lib (submodule, +0 -0)"),
            ("links", "out (added, +3 -1)"),
        ];
        assert_eq!(found, want.map(|(rule, proof)| (rule.to_owned(), proof.to_owned())));
    }

    #[test]
    fn files_are_paths_folders_and_globs() {
        let files = ["src/lib.rs", "./docs/", "tests/**/*.rs", "*.toml", "crates/*"];
        let inside = [
            "src/lib.rs",
            "docs/a/b.md",
            "tests/x/y.rs",
            "tests/y.rs",
            "Cargo.toml",
            "crates/one/src/lib.rs",
        ];
        assert_eq!(rules("", &inside.map(change), &files), []);
        let outside = ["src/main.rs", "src/lib.rs.bak", "docsx/a", "tests/x.py", "sub/Cargo.toml", "crates"];
        assert_eq!(rules("", &outside.map(change), &files).len(), outside.len());
        assert_eq!(rules("", &outside.map(change), &["", " "]), []);
    }

    #[test]
    fn a_project_below_the_top_is_measured_from_its_folder() {
        let changes = [change("apps/web/src/a.js"), change("apps/api/a.py"), change("apps/web/.env")];
        let found = rules("apps/web", &changes, &["src/"]);
        let rules: Vec<&str> = found.iter().map(|(rule, _)| rule.as_str()).collect();
        assert_eq!(rules, ["files", "forbidden_paths"]);
    }
}
