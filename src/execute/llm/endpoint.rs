//! Where a question goes and which key opens that door (koru §7, with its [OURS] rules).
//!
//! The endpoint is the ticket's, else the operator's `KORU_LLM_ENDPOINT`, else OpenRouter; a full URL or the base of an
//! API. A ticket may come from anybody, so a key only ever goes to the host that it belongs to: OpenRouter's to
//! openrouter.ai, OpenAI's to openai.com, `KORU_LLM_API_KEY` to the host of `KORU_LLM_ENDPOINT`, and any other where
//! `llm.keys` of the configuration says so. (koru tells hosts by a text within the URL, sends OpenAI's key to every
//! other endpoint, and OpenRouter's where OpenAI's is missing.) No key leaves the machine over plain http. A host on
//! the machine itself needs none.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::Url;

use crate::base::http::is_loopback;

/// The endpoint when nobody names one (koru §7).
pub(crate) const USUAL: &str = "https://openrouter.ai/api/v1/chat/completions";
/// The operator's endpoint.
const OWN_ENDPOINT: &str = "KORU_LLM_ENDPOINT";
/// The key for the operator's endpoint (ours).
const OWN_KEY: &str = "KORU_LLM_API_KEY";
const OPENROUTER_KEY: &str = "OPENROUTER_API_KEY";
const OPENAI_KEY: &str = "OPENAI_API_KEY";
/// In `llm.keys`: this host is called without a key.
const NO_KEY: &str = "none";
/// Where chats are held below the base of an API.
const CHAT: &str = "chat/completions";

/// Why an endpoint is not called.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    /// It is no URL.
    #[error("the endpoint {endpoint:?} ({from}) is no usable URL: {why}; write it as https://HOST/v1")]
    NoUrl {
        /// As written.
        endpoint: String,
        /// Where it stands.
        from: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// It has a name and password in it.
    #[error(
        "the endpoint for {host} ({from}) has a name or password in it; take it out and name the key's variable under \
         llm.keys in .planfile/.koru/config.yaml"
    )]
    Credentials {
        /// Its host.
        host: String,
        /// Where it stands.
        from: &'static str,
    },
    /// The key that belongs to it is not set.
    #[error("{variable} is not set; refusing to call {shown} without a key")]
    NoKey {
        /// Its variable.
        variable: String,
        /// The endpoint.
        shown: String,
    },
    /// Nobody said which key belongs to it.
    #[error(
        "no key belongs to {host}, and OPENAI_API_KEY and OPENROUTER_API_KEY go to their own hosts only; refusing to \
         call {shown} without a key: set KORU_LLM_ENDPOINT to it and KORU_LLM_API_KEY to its key, or write `{host}: \
         VARIABLE` (or `none`) under llm.keys in .planfile/.koru/config.yaml"
    )]
    Unknown {
        /// Its host.
        host: String,
        /// The endpoint.
        shown: String,
    },
    /// The key would be readable on its way.
    #[error(
        "{variable} would go to {shown} in plain text; refusing to: use https, or a host on this machine"
    )]
    PlainText {
        /// The key's variable.
        variable: String,
        /// The endpoint.
        shown: String,
    },
}

/// A key and the variable that it comes from. Shown without its value.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// Variable.
    pub variable: String,
    value: String,
}

impl Key {
    /// The secret.
    pub(super) fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.variable)
    }
}

/// An endpoint that may be called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Full URL.
    pub url: Url,
    /// The key to call it with.
    pub key: Option<Key>,
    /// Whether it is OpenRouter, which is told who asks.
    pub openrouter: bool,
}

impl Endpoint {
    /// Decides where the question of a ticket goes that names `asked`, and with which key.
    ///
    /// # Errors
    /// See [`EndpointError`]; nothing may be called then.
    pub fn find(
        asked: Option<&str>,
        keys: &BTreeMap<String, String>,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Endpoint, EndpointError> {
        let variable =
            |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|v| !v.is_empty());
        let own = variable(OWN_ENDPOINT);
        let url = match (asked.map(str::trim).filter(|asked| !asked.is_empty()), &own) {
            (Some(asked), _) => parse(asked, "the ticket's")?,
            (None, Some(own)) => parse(own, OWN_ENDPOINT)?,
            (None, None) => parse(USUAL, "the usual one")?,
        };
        let host = url.host_str().unwrap_or_default().to_owned();
        let openrouter = is_of(&host, "openrouter.ai");
        // An own endpoint that is no URL only matters when it is used.
        let own = own.and_then(|own| parse(&own, OWN_ENDPOINT).ok());
        let own_key =
            own.is_some_and(|own| own.origin() == url.origin()).then(|| variable(OWN_KEY)).flatten();
        let wanted = match keys.get(&host).map(String::as_str) {
            Some(NO_KEY) => None,
            Some(name) => Some(name),
            None if own_key.is_some() => Some(OWN_KEY),
            None if openrouter => Some(OPENROUTER_KEY),
            None if is_of(&host, "openai.com") => Some(OPENAI_KEY),
            None if is_loopback(&url) => None,
            None => return Err(EndpointError::Unknown { host, shown: shown(&url) }),
        };
        let key = match wanted {
            None => None,
            Some(name) => {
                if url.scheme() != "https" && !is_loopback(&url) {
                    return Err(EndpointError::PlainText { variable: name.to_owned(), shown: shown(&url) });
                }
                let Some(value) = variable(name) else {
                    return Err(EndpointError::NoKey { variable: name.to_owned(), shown: shown(&url) });
                };
                Some(Key { variable: name.to_owned(), value })
            }
        };
        Ok(Endpoint { url, key, openrouter })
    }

    /// The endpoint as it may be shown: no query, which may hold a secret.
    pub fn shown(&self) -> String {
        shown(&self.url)
    }
}

/// Whether a handler or an input can be meant as an endpoint at all.
pub(crate) fn looks_like_one(text: &str) -> bool {
    text.contains("://")
}

/// The full URL of what is a full URL or the base of an API.
fn parse(text: &str, from: &'static str) -> Result<Url, EndpointError> {
    // A URL that cannot be taken apart may hide a password anywhere: it is shown up to its host at most.
    let shown = || match text.split_once('@') {
        Some(_) => "…".to_owned(),
        None => text.split(['?', '#']).next().unwrap_or_default().chars().take(200).collect(),
    };
    let bad = |why: String| EndpointError::NoUrl { endpoint: shown(), from, why };
    let mut url = Url::parse(text).map_err(|error| bad(error.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad("it begins with neither http:// nor https://".to_owned()));
    }
    let Some(host) = url.host_str() else { return Err(bad("it has no host".to_owned())) };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(EndpointError::Credentials { host: host.to_owned(), from });
    }
    url.set_fragment(None);
    let path = url.path().to_owned();
    if let Some(full) = full_path(&path) {
        url.set_path(&full);
    }
    Ok(url)
}

/// What a base's path becomes; `None` for a path that is whole already: anything that ends neither in `/` nor in a
/// version (`v1`, `v1beta`), `api` or `openai`.
fn full_path(path: &str) -> Option<String> {
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let is_version =
        last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    match path {
        "" | "/" => Some(format!("/v1/{CHAT}")),
        path if path.trim_end_matches('/').ends_with(CHAT) => None,
        path if path.ends_with('/') || is_version || matches!(last, "api" | "openai") => {
            Some(format!("{}/{CHAT}", path.trim_end_matches('/')))
        }
        _ => None,
    }
}

fn is_of(host: &str, domain: &str) -> bool {
    host == domain || host.strip_suffix(domain).is_some_and(|front| front.ends_with('.'))
}

fn shown(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

#[cfg(test)]
mod tests;
