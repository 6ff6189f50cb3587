//! The machine around a project, as a value: environment variables and the search path.
//!
//! The brief and the doctor probe for tools and keys. They read this snapshot and never the process environment, so
//! that a test decides what is installed and nothing ever has to change the environment of a running process.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::base::redact::is_secret_name;
use crate::base::regular::{self, Links};

/// Environment variables as they were at one moment. `Default` is a machine with nothing installed.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Surroundings {
    variables: BTreeMap<String, OsString>,
}

impl std::fmt::Debug for Surroundings {
    /// Names only: values may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.variables.keys()).finish()
    }
}

impl Surroundings {
    /// The environment of this process.
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// Sets one variable in the snapshot.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// The value of a variable, when it is set, valid UTF-8 and not blank.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.variables.get(name)?.to_str().filter(|value| !value.trim().is_empty())
    }

    /// Whether a variable is set and not empty.
    pub fn has(&self, name: &str) -> bool {
        self.variables.get(name).is_some_and(|value| !value.is_empty())
    }

    /// Adds what `.env` and then `.env.local` in `root` define. Variables of the process win; of the two files the
    /// later wins (koru let the earlier win, which made `.env.local` useless: koru §2.2). Values are never shown.
    #[must_use]
    pub fn with_env_files(mut self, root: &Path) -> Self {
        let mut found = BTreeMap::new();
        for name in [".env", ".env.local"] {
            if let Ok(text) = regular::read_text(&root.join(name), Links::Followed, MAX_ENV_FILE) {
                found.extend(text.lines().filter_map(assignment));
            }
        }
        for (name, value) in found {
            self.variables.entry(name).or_insert_with(|| value.into());
        }
        self
    }

    /// Values of variables whose name says that they are secret; to be taken out of what is shown. Names that only may
    /// say so count too: hiding a harmless value harms nobody.
    pub fn secret_values(&self) -> Vec<String> {
        let secret = |name: &str| {
            let upper = name.to_ascii_uppercase();
            is_secret_name(name) || upper.contains("KEY") || upper.contains("AUTH")
        };
        let values = self.variables.iter().filter(|(name, _)| secret(name));
        values.filter_map(|(_, value)| value.to_str().map(str::to_owned)).collect()
    }

    /// The first executable file called `name` on `PATH`; a name with a slash is looked up as it stands.
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        if name.is_empty() {
            return None;
        }
        if name.contains('/') {
            return is_executable(Path::new(name)).then(|| PathBuf::from(name));
        }
        let path = self.variables.get("PATH")?;
        std::env::split_paths(path)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join(name))
            .find(|candidate| is_executable(candidate))
    }
}

impl FromIterator<(OsString, OsString)> for Surroundings {
    /// What a child sees that gets these variables; names that are no UTF-8 are left out.
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(variables: T) -> Self {
        let named = variables.into_iter().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self { variables: named.collect() }
    }
}

/// An environment file larger than this is not one.
const MAX_ENV_FILE: u64 = 256 * 1024;

fn is_executable(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

/// `NAME=value`, optionally after `export`, optionally quoted.
fn assignment(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let line = line.strip_prefix("export ").unwrap_or(line).trim_start();
    let (name, value) = line.split_once('=')?;
    let name = name.trim();
    let legal = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !legal {
        return None;
    }
    let value = value.trim();
    let unquoted = ['"', '\'']
        .iter()
        .find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote))
        .unwrap_or_else(|| value.split(" #").next().unwrap_or(value).trim_end());
    Some((name.to_owned(), unquoted.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_later_env_file_wins_over_the_earlier_and_the_process_over_both() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(".env"), "A=1\nexport B='two words'\nC=file\n# D=4\n9=x\n").unwrap();
        std::fs::write(dir.path().join(".env.local"), "A=2 # note\n").unwrap();
        let seen = Surroundings::default().with("C", "process").with_env_files(dir.path());
        let expected = Surroundings::default().with("A", "2").with("B", "two words").with("C", "process");
        assert!(seen == expected, "{seen:?}");
    }

    #[test]
    fn a_program_is_an_executable_file_on_the_path() {
        let dir = tempfile::tempdir().unwrap();
        for (name, mode) in [("tool", 0o755), ("text", 0o644)] {
            let path = dir.path().join(name);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let machine = Surroundings::default().with("PATH", dir.path());
        assert_eq!(machine.find_program("tool"), Some(dir.path().join("tool")));
        assert_eq!(machine.find_program("text"), None);
        assert_eq!(machine.find_program("absent"), None);
        assert_eq!(Surroundings::default().find_program("tool"), None);
    }

    #[test]
    fn values_are_secret_by_the_rule_of_redaction_and_where_in_doubt() {
        let names = ["STRIPE_KEY", "DB_PASSPHRASE", "GH_PAT", "LANG", "AUTHOR"];
        let machine = names.iter().fold(Surroundings::default(), |machine, name| machine.with(name, *name));
        assert_eq!(machine.secret_values(), ["AUTHOR", "DB_PASSPHRASE", "GH_PAT", "STRIPE_KEY"]);
    }

    #[test]
    fn debug_output_names_variables_and_never_shows_values() {
        let shown = format!("{:?}", Surroundings::default().with("API_KEY", "s3cret-value"));
        assert_eq!(shown, r#"["API_KEY"]"#);
    }
}
