//! The environment that a child gets, built explicitly instead of inherited by accident.
//!
//! A child inherits what an interactive shell would give it, minus two things: variables whose name says that they
//! hold a secret, unless the ticket asks for them in `inputs.env_keys`, and git's own redirections (`GIT_DIR` and its
//! like), which would make a ticket work on another repository than the project.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use crate::base::redact::Redactor;

/// Parts of a variable's name that mark its value as a secret.
const SECRET_PARTS: [&str; 11] = [
    "TOKEN",
    "SECRET",
    "PASSWORD",
    "PASSWD",
    "PASSPHRASE",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
    "CREDENTIAL",
    "CONNECTION_STRING",
];

/// Variables whose values are no secrets, even when a ticket names them in `env_keys`.
const PLAIN_NAMES: [&str; 12] =
    ["PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "TERM", "LANG", "TMPDIR", "TZ", "HOSTNAME", "EDITOR"];

/// git's variables that point it at another repository or index.
const GIT_REDIRECTIONS: [&str; 7] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

/// The variables of this process, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    vars: BTreeMap<OsString, OsString>,
}

impl Environment {
    /// Reads the environment of this process.
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// Every variable, for whoever has an allowlist of its own.
    pub fn all(&self) -> Vec<(OsString, OsString)> {
        self.vars.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Which of `keys` are not set or empty, in order.
    pub fn missing(&self, keys: &[String]) -> Vec<String> {
        let set = |key: &String| self.vars.get(OsStr::new(key)).is_some_and(|value| !value.is_empty());
        keys.iter().filter(|key| !set(key)).cloned().collect()
    }

    /// What a child gets that was asked for `keys`; `extra` variables win.
    pub fn for_child(&self, keys: &[String], extra: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
        let wanted = |name: &OsStr| {
            keys.iter().any(|key| OsStr::new(key) == name) || !(is_secret(name) || is_redirection(name))
        };
        let mut vars: BTreeMap<OsString, OsString> = self
            .vars
            .iter()
            .filter(|(name, _)| wanted(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        vars.extend(extra.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
        vars.into_iter().collect()
    }

    /// A redactor that knows the value of every secret variable and of every variable in `keys`.
    pub fn redactor(&self, keys: &[String]) -> Redactor {
        let asked = |name: &OsStr| {
            keys.iter().any(|key| OsStr::new(key) == name) && !PLAIN_NAMES.iter().any(|plain| *plain == name)
        };
        let values = self.vars.iter().filter(|(name, _)| is_secret(name) || asked(name));
        Redactor::with_values(values.map(|(_, value)| value.to_string_lossy().into_owned()))
    }
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(vars: T) -> Self {
        Self { vars: vars.into_iter().collect() }
    }
}

fn is_secret(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_uppercase();
    SECRET_PARTS.iter().any(|part| name.contains(part))
}

fn is_redirection(name: &OsStr) -> bool {
    GIT_REDIRECTIONS.iter().any(|redirection| *redirection == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(vars: &[(&str, &str)]) -> Environment {
        vars.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
    }

    #[test]
    fn secrets_and_git_redirections_stay_behind_unless_asked_for() {
        let all = environment(&[
            ("GIT_DIR", "/elsewhere"),
            ("MY_API_KEY", "k-123456"),
            ("GH_TOKEN", "t-123456"),
            ("PATH", "/bin"),
        ]);
        let child = all.for_child(&["GH_TOKEN".to_owned()], &[("KORU_TICKET", "PLF-1")]);
        let want: Vec<(OsString, OsString)> =
            [("GH_TOKEN", "t-123456"), ("KORU_TICKET", "PLF-1"), ("PATH", "/bin")]
                .map(|(name, value)| (name.into(), value.into()))
                .into();
        assert_eq!(child, want);
    }

    #[test]
    fn unset_and_empty_keys_are_missing() {
        let some = environment(&[("A", "1"), ("B", "")]);
        let keys = ["A", "B", "C"].map(str::to_owned);
        assert_eq!(some.missing(&keys), ["B", "C"]);
    }
}
