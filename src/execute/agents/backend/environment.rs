//! An agent's own variables: those that it reads, its key included, and those that it is given in any case.
//!
//! What an agent gets of koru-tui's environment is decided in one place for every kind of child,
//! [`crate::execute::environment`]; this is what that place does not know.

use std::collections::BTreeMap;
use std::ffi::OsString;

use super::{backend, providers};
use crate::execute::agents::kind::AgentKind;
use crate::plan::settings::AgentSettings;

/// The documented variables of an agent: names, or prefixes that end in `*`.
pub fn variables(kind: AgentKind) -> impl Iterator<Item = &'static str> {
    let (own, any) = (backend(kind).variables(), backend(kind).speaks_to_any_host());
    let hosts = if any { providers::VARIABLES } else { &[] };
    own.iter().chain(hosts).copied()
}

/// The variables that an agent is started with, sorted by name: what is switched off for it unless `given` decides
/// otherwise; then `given`; then what its configuration sets.
pub fn environment(
    kind: AgentKind,
    settings: &AgentSettings,
    given: &[(OsString, OsString)],
) -> Vec<(OsString, OsString)> {
    let mut env: BTreeMap<OsString, OsString> =
        backend(kind).fixed().iter().map(|(name, value)| (name.into(), value.into())).collect();
    env.extend(given.iter().cloned());
    env.extend(settings.env.iter().map(|(name, value)| (name.into(), value.into())));
    env.into_iter().collect()
}
