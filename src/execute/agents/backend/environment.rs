//! Which variables an agent gets: a list of what is allowed, not of what is forbidden, since a koru-tui that was
//! started from a shell carries secrets that are none of an agent's business.
//!
//! Allowed are what every program needs (paths, language, terminal, proxies and certificate authorities, places of
//! tool chains), the agent's own documented variables, its key included, and what the configuration names. `GIT_*` and
//! `SSH_AUTH_SOCK` are left out on purpose: an agent works on the repository it stands in, and pushes nothing.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};

use super::backend;
use crate::execute::agents::kind::AgentKind;
use crate::plan::settings::AgentSettings;

/// What every program needs: names, or prefixes that end in `*`.
const COMMON: [&str; 58] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TERM",
    "COLORTERM",
    "NO_COLOR",
    "TZ",
    "TMPDIR",
    "XDG_*",
    "KORU_*",
    // Proxies and certificate authorities.
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "NODE_USE_SYSTEM_CA",
    "GIT_SSL_CAINFO",
    // Where tool chains are, for the checks that an agent runs.
    "CARGO_HOME",
    "CARGO_TARGET_DIR",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOROOT",
    "GOCACHE",
    "GOMODCACHE",
    "GOPROXY",
    "GOTOOLCHAIN",
    "JAVA_HOME",
    "MAVEN_OPTS",
    "GRADLE_USER_HOME",
    "NVM_DIR",
    "NODE_PATH",
    "NODE_ENV",
    "PNPM_HOME",
    "VOLTA_HOME",
    "BUN_INSTALL",
    "DENO_DIR",
    "VIRTUAL_ENV",
    "PYENV_ROOT",
    "CONDA_PREFIX",
    "UV_CACHE_DIR",
    "PKG_CONFIG_PATH",
    "LD_LIBRARY_PATH",
    "CI",
    "NIX_PATH",
];

/// The variables that an agent is started with, sorted by name: of `all`, what is allowed; then what is switched off
/// for it unless `all` decides otherwise; then what its configuration sets.
pub fn environment(
    kind: AgentKind,
    settings: &AgentSettings,
    all: &[(OsString, OsString)],
) -> Vec<(OsString, OsString)> {
    let own = backend(kind);
    let mut env: BTreeMap<OsString, OsString> =
        own.fixed().iter().map(|(name, value)| (name.into(), value.into())).collect();
    let allowed = |name: &OsStr| {
        let named = |list: &[&str]| list.iter().any(|pattern| matches(pattern, name));
        named(&COMMON)
            || named(own.variables())
            || settings.env_keys.iter().any(|key| OsStr::new(key) == name)
    };
    env.extend(all.iter().filter(|(name, _)| allowed(name)).cloned());
    env.extend(settings.env.iter().map(|(name, value)| (name.into(), value.into())));
    env.into_iter().collect()
}

fn matches(pattern: &str, name: &OsStr) -> bool {
    match pattern.strip_suffix('*') {
        Some(prefix) => name.as_encoded_bytes().starts_with(prefix.as_bytes()),
        None => name == pattern,
    }
}
