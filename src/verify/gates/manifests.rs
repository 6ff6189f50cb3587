//! What manifests say about tests: a task, a target, a script of that name.
//!
//! Files of a worktree are foreign: they are read up to a limit, never run, and one that does not parse is a reason to
//! skip its gate, not an error.

use std::path::Path;

use serde_json::Value;

use crate::base::regular::{self, Links};
use crate::base::yaml;

/// A manifest larger than this is not read.
const MAX_BYTES: u64 = 4 * 1024 * 1024;

/// What a manifest says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// There is something to run.
    Tests,
    /// There is nothing of the kind.
    Nothing,
    /// It cannot be understood, with the reason.
    Broken(String),
}

/// The text of a file, when it is a regular one of a sensible size.
pub(super) fn text(path: &Path) -> Option<String> {
    let bytes = regular::read(path, Links::Followed, MAX_BYTES).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether a Taskfile has a task `test`.
pub(super) fn taskfile(text: &str) -> Says {
    match yaml::from_str::<serde_yaml::Value>(text) {
        Ok(root) => match root.get("tasks").and_then(|tasks| tasks.get("test")) {
            Some(task) if !task.is_null() => Says::Tests,
            _ => Says::Nothing,
        },
        Err(error) => Says::Broken(format!("it does not parse ({error})")),
    }
}

/// Whether a Makefile has a rule for the target `test`. Included files and computed names are not followed.
pub(super) fn makefile(text: &str) -> bool {
    text.lines().filter(|line| !line.starts_with(['\t', '#'])).any(|line| {
        let Some((targets, rest)) = line.split_once(':') else { return false };
        // `test := x` and `test ::= x` set a variable; `test:: x` is a rule.
        let assigns = rest.trim_start_matches(':').starts_with('=');
        !assigns && !targets.contains(['=', '$']) && targets.split_whitespace().any(|target| target == "test")
    })
}

/// A package.json.
pub(super) struct Package {
    json: Value,
}

impl Package {
    /// Reads one.
    ///
    /// # Errors
    /// Why it cannot be used.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
            .map_err(|error| format!("package.json does not parse ({error})"))?;
        if json.is_object() { Ok(Self { json }) } else { Err("package.json is not an object".to_owned()) }
    }

    /// Whether it has a real test script; the placeholder of `npm init` is none.
    pub(super) fn has_tests(&self) -> bool {
        let script = self.json["scripts"]["test"].as_str().unwrap_or_default().trim();
        !script.is_empty() && !script.contains("no test specified")
    }

    /// The package manager that it names, without its version.
    pub(super) fn manager(&self) -> Option<&str> {
        let named = self.json["packageManager"].as_str()?;
        named.split('@').next().filter(|name| ["npm", "pnpm", "yarn", "bun"].contains(name))
    }

    /// Whether it needs anything to be installed.
    pub(super) fn has_dependencies(&self) -> bool {
        ["dependencies", "devDependencies"]
            .iter()
            .any(|key| self.json[key].as_object().is_some_and(|names| !names.is_empty()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_named_test() {
        assert_eq!(taskfile("version: '3'\ntasks:\n  test:\n    cmds: [go test]\n"), Says::Tests);
        assert_eq!(taskfile("tasks: {test: go test}\n"), Says::Tests);
        for none in ["tasks: {build: x}\n", "tasks:\n  test:\n", "- a\n", "", "test: x\n"] {
            assert_eq!(taskfile(none), Says::Nothing, "{none}");
        }
        assert!(matches!(taskfile("tasks: ["), Says::Broken(_)));
    }

    #[test]
    fn a_rule_for_test() {
        for rule in
            ["test:\n", "all test: deps\n", "test : x\n", "test:: x\n", "a:\n\tb\ntest:\n\tcargo test\n"]
        {
            assert!(makefile(rule), "{rule}");
        }
        for none in [
            ".PHONY: test\n",
            "test := x\n",
            "test ::= x\n",
            "test = a:b\n",
            "tests:\n",
            "# test:\n",
            "a:\n\ttest: x\n",
            "$(x) test: y\n",
            "",
        ] {
            assert!(!makefile(none), "{none}");
        }
    }

    #[test]
    fn a_real_test_script_and_its_manager() {
        let package = |text: &str| Package::parse(text).unwrap();
        assert!(package(r#"{"scripts": {"test": "node --test"}}"#).has_tests());
        for none in [
            r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#,
            r#"{"scripts": {"test": "  "}}"#,
            r#"{"scripts": {"test": 7}}"#,
            r#"{"scripts": []}"#,
            "{}",
        ] {
            assert!(!package(none).has_tests(), "{none}");
        }
        assert_eq!(package(r#"{"packageManager": "pnpm@9.1.0+sha512.x"}"#).manager(), Some("pnpm"));
        assert_eq!(package(r#"{"packageManager": "rm@1"}"#).manager(), None);
        assert!(package("\u{feff}{\"devDependencies\": {\"vitest\": \"1\"}}").has_dependencies());
        assert!(!package(r#"{"dependencies": {}}"#).has_dependencies());
        assert!(Package::parse("[").is_err() && Package::parse("[]").is_err());
    }
}
