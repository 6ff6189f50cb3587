//! The environment that a child gets, built from a list of what is allowed instead of inherited by accident.
//!
//! A koru-tui that was started from a shell carries whatever that shell carries. A child gets of it what programs need
//! ([`names`]): the operator's own commands more than those who work unattended ([`Recipient`]). Beyond that it gets
//! what the operator names in `environment` of `.planfile/.koru/config.yaml`, what a ticket asks for in
//! `inputs.env_keys`, and what an agent is configured with. Invariants: a variable whose name says that it holds a
//! secret is only given when it is asked for by its full name, never by a glob; git's own redirections (`GIT_DIR` and
//! its like), which would make a run work on another repository, likewise. What was withheld is counted and named
//! ([`Given::note`]), so that nobody hunts for a variable that is not there.

mod names;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use globset::Glob;

use crate::base::redact::{Redactor, is_secret_name};
use crate::execute::agents::backend;
use crate::execute::agents::kind::AgentKind;
use crate::plan::settings::{AgentSettings, McpServer, Settings};

/// Names that a note lists at most.
const NAMED: usize = 4;

/// The variables of this process, read once.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    vars: BTreeMap<OsString, OsString>,
}

/// Who gets an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// A command that the operator wrote down: a shell ticket.
    Command,
    /// Whoever works unattended: a coding agent, the gates of its work, an MCP server. No keys of the desktop, the
    /// session's bus, other machines or the cloud.
    Guest,
}

/// What a child is to get.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Who it is.
    pub recipient: Recipient,
    /// Names and globs of names that the operator allows ([`crate::plan::settings::Settings::environment`]).
    pub allowed: &'a [String],
    /// Full names that ticket or agent ask for, secrets included.
    pub keys: &'a [String],
    /// The child's own variables: names, or prefixes that end in `*`, secrets included (an agent's `ANTHROPIC_*`).
    pub own: &'a [&'a str],
    /// What is set in any case.
    pub extra: &'a [(&'a str, &'a str)],
}

/// What a child gets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    /// Its whole environment, sorted by name.
    pub vars: Vec<(OsString, OsString)>,
    /// Names that it does not get and might miss, sorted (foreign text).
    pub withheld: Vec<String>,
}

impl Given {
    /// One line for the run's output about what was withheld; `None` when nothing was.
    pub fn note(&self) -> Option<String> {
        let (count, names) = (self.withheld.len(), self.withheld.iter().take(NAMED));
        let shown = names.cloned().collect::<Vec<_>>().join(", ");
        let more = match count.saturating_sub(NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let variables = if count == 1 { "variable is" } else { "variables are" };
        (count > 0).then(|| {
            format!(
                "{count} {variables} not passed on: {shown}{more}; allow them under `environment` in config.yaml"
            )
        })
    }
}

impl Environment {
    /// Reads the environment of this process.
    pub fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// Every variable, for whoever passes none of it on.
    pub fn all(&self) -> Vec<(OsString, OsString)> {
        self.vars.iter().map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The value of one variable.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.vars.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// Which of `keys` are not set or empty, in order.
    pub fn missing(&self, keys: &[String]) -> Vec<String> {
        let set = |key: &String| self.get(key).is_some_and(|value| !value.is_empty());
        keys.iter().filter(|key| !set(key)).cloned().collect()
    }

    /// What a child gets, and what it does not.
    pub fn for_child(&self, wanted: &Wanted<'_>) -> Given {
        let allowed = Allowed::of(wanted.allowed);
        let mut given: BTreeMap<OsString, OsString> = BTreeMap::new();
        let mut withheld = Vec::new();
        for (name, value) in &self.vars {
            let text = name.to_string_lossy();
            let asked = wanted.keys.iter().any(|key| *key == text) || names::any(wanted.own, &text);
            let guarded = is_secret_name(&text) || names::is_redirection(&text);
            let usual = names::any(names::COMMON, &text)
                || (wanted.recipient == Recipient::Command && names::any(names::OWN, &text));
            if asked || allowed.by_name(&text) || (!guarded && (usual || allowed.by_glob(&text))) {
                given.insert(name.clone(), value.clone());
            } else if !names::any(names::PLUMBING, &text)
                && !wanted.extra.iter().any(|(extra, _)| *extra == text)
            {
                withheld.push(text.into_owned());
            }
        }
        given.extend(wanted.extra.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))));
        Given { vars: given.into_iter().collect(), withheld }
    }

    /// What an agent gets: the part of a [`Recipient::Guest`], its own documented variables, what its configuration and
    /// the ticket (`keys`) ask for, and what its configuration sets.
    pub fn for_agent(
        &self,
        kind: AgentKind,
        settings: &AgentSettings,
        allowed: &[String],
        keys: &[String],
        extra: &[(&str, &str)],
    ) -> Given {
        let keys = [keys, &settings.env_keys].concat();
        let own: Vec<&str> = backend::environment::variables(kind).collect();
        let wanted = Wanted { recipient: Recipient::Guest, allowed, keys: &keys, own: &own, extra };
        let mut given = self.for_child(&wanted);
        given.vars = backend::environment::environment(kind, settings, &given.vars);
        given.withheld.retain(|name| !settings.env.contains_key(name));
        given
    }

    /// A redactor that knows the value of every secret variable and of every variable in `keys`.
    pub fn redactor(&self, keys: &[String]) -> Redactor {
        Redactor::with_values(self.secrets(keys))
    }

    /// As [`Environment::redactor`], one that also knows what the project's configuration gives to agents and MCP
    /// servers (the values that it sets, the headers that it sends, the variables that it passes on), and the keys of
    /// the chat executor.
    pub fn redactor_of(&self, settings: &Settings, keys: &[String]) -> Redactor {
        let agents = settings.agents.values().flat_map(|agent| &agent.env_keys);
        let servers = settings.mcp.values().flat_map(|server| &server.env_keys);
        let headers = settings.mcp.values().flat_map(McpServer::header_variables).map(str::to_owned);
        let named = keys.iter().chain(agents).chain(servers).chain(settings.llm.keys.values()).cloned();
        let keys: Vec<String> = named.chain(headers).collect();
        Redactor::with_values(self.secrets(&keys).chain(configured(settings)))
    }

    fn secrets(&self, keys: &[String]) -> impl Iterator<Item = String> {
        let values = self.vars.iter().filter(|(name, _)| {
            let name = name.to_string_lossy();
            is_secret_name(&name) || (keys.iter().any(|key| *key == name) && !names::is_plain(&name))
        });
        values.map(|(_, value)| value.to_string_lossy().into_owned())
    }
}

/// Values that the configuration sets, but those whose name says that they are harmless. Of a header such as
/// `Bearer …` also what follows the scheme.
fn configured(settings: &Settings) -> impl Iterator<Item = String> {
    let agents = settings.agents.values().flat_map(|agent| &agent.env);
    let servers = settings.mcp.values().flat_map(|server| &server.env);
    let variables = agents.chain(servers).filter(|(name, _)| !names::is_plain(name));
    let headers = settings.mcp.values().flat_map(|server| &server.headers);
    let headers = headers
        .filter(|(name, _)| !names::is_plain_header(name))
        .flat_map(|(_, value)| [Some(value.as_str()), value.split_once(' ').map(|(_, rest)| rest.trim())]);
    variables.map(|(_, value)| value.as_str()).chain(headers.flatten()).map(str::to_owned)
}

impl FromIterator<(OsString, OsString)> for Environment {
    fn from_iter<T: IntoIterator<Item = (OsString, OsString)>>(vars: T) -> Self {
        Self { vars: vars.into_iter().collect() }
    }
}

/// What the operator allows beyond the usual.
struct Allowed<'a> {
    names: Vec<&'a str>,
    globs: Vec<globset::GlobMatcher>,
}

impl<'a> Allowed<'a> {
    fn of(patterns: &'a [String]) -> Self {
        let (globs, names): (Vec<&String>, Vec<&String>) =
            patterns.iter().partition(|pattern| pattern.contains(['*', '?', '[', '{']));
        let globs = globs.into_iter().filter_map(|pattern| Some(Glob::new(pattern).ok()?.compile_matcher()));
        Self { names: names.into_iter().map(String::as_str).collect(), globs: globs.collect() }
    }

    fn by_name(&self, name: &str) -> bool {
        self.names.contains(&name)
    }

    fn by_glob(&self, name: &str) -> bool {
        self.globs.iter().any(|glob| glob.is_match(name))
    }
}
