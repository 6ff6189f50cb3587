//! Which agent works a ticket.

use super::{AGENT_WORDS, AgentSettings, CUSTOM, Settings, WORKER};

/// An agent that may be started.
#[derive(Clone, Debug, PartialEq)]
pub struct AgentChoice {
    /// Its name: what runs, notes and lists call it.
    pub name: String,
    /// The word of its program: one of [`AGENT_WORDS`] or [`CUSTOM`].
    pub kind: String,
    /// How it is run.
    pub settings: AgentSettings,
}

/// Why no agent may be started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AgentChoiceError {
    /// The configuration, or a limit in it, cannot be understood.
    #[error("no agent is started: {0}")]
    Refused(String),
    /// Nobody has that name.
    #[error(
        "there is no agent `{name}`; known are {known} (.planfile/.koru/config.yaml adds more under `agents`)"
    )]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The configuration of that agent is wrong.
    #[error("the agent `{name}` cannot be started: {why}; correct .planfile/.koru/config.yaml")]
    Unusable {
        /// Agent.
        name: String,
        /// What is wrong.
        why: String,
    },
}

/// See [`Settings::agent`].
pub(super) fn choose(
    settings: &Settings,
    name: Option<&str>,
) -> Result<Option<AgentChoice>, AgentChoiceError> {
    if let Some(why) = &settings.refused {
        return Err(AgentChoiceError::Refused(why.clone()));
    }
    let name = name.map(str::trim).filter(|name| !name.is_empty());
    let agent = match name {
        Some(name) => name,
        None => match (settings.roles.get(WORKER), only(settings)) {
            (Some(agent), _) => agent.as_str(),
            (None, Some(agent)) => agent,
            (None, None) => return Ok(None),
        },
    };
    if let Some(choice) = named(settings, agent)? {
        return Ok(Some(choice));
    }
    // A ticket may also say `agent:reviewer`.
    if let Some(holder) = settings.roles.get(agent)
        && let Some(choice) = named(settings, holder)?
    {
        return Ok(Some(choice));
    }
    Err(AgentChoiceError::Unknown { name: agent.to_owned(), known: known(settings) })
}

/// The one agent of the file, usable or not: one that is not must not be replaced by another silently.
fn only(settings: &Settings) -> Option<&str> {
    let mut names = settings.agents.keys().chain(settings.unusable.keys());
    let first = names.next()?;
    names.next().is_none().then_some(first.as_str())
}

fn named(settings: &Settings, name: &str) -> Result<Option<AgentChoice>, AgentChoiceError> {
    if let Some(why) = settings.unusable.get(name) {
        return Err(AgentChoiceError::Unusable { name: name.to_owned(), why: why.clone() });
    }
    if let Some(agent) = settings.agents.get(name) {
        let kind = agent.kind.as_deref().and_then(word).or_else(|| word(name));
        let kind = kind.unwrap_or(CUSTOM).to_owned();
        return Ok(Some(AgentChoice { name: name.to_owned(), kind, settings: agent.clone() }));
    }
    let Some(kind) = word(name).filter(|kind| *kind != CUSTOM) else { return Ok(None) };
    if kind != name {
        // koru's id of an agent that the file configures under its own word.
        return named(settings, kind);
    }
    let settings = AgentSettings::default();
    Ok(Some(AgentChoice { name: kind.to_owned(), kind: kind.to_owned(), settings }))
}

fn known(settings: &Settings) -> String {
    let mut names: Vec<&str> = settings.agents.keys().map(String::as_str).collect();
    names.extend(AGENT_WORDS.iter().filter(|word| !settings.agents.contains_key(**word)));
    names.join(", ")
}

/// The word of an agent's program for a word of the file, koru's own ids included (koru §6.4).
pub(super) fn word(word: &str) -> Option<&'static str> {
    match word {
        "claude-code" => Some("claude"),
        "gemini-cli" => Some("gemini"),
        CUSTOM => Some(CUSTOM),
        _ => AGENT_WORDS.iter().find(|known| **known == word).copied(),
    }
}
