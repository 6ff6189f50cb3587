//! Endpoints and keys, as tables: where a question goes, which key goes with it, and what is refused.

use super::*;

type Vars<'a> = &'a [(&'a str, &'a str)];

fn find(asked: Option<&str>, keys: Vars<'_>, vars: Vars<'_>) -> Result<Endpoint, EndpointError> {
    let keys = keys.iter().map(|(host, name)| ((*host).to_owned(), (*name).to_owned())).collect();
    let variable =
        |name: &str| vars.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    Endpoint::find(asked, &keys, &variable)
}

/// URL and variable of the key, or the kind of refusal.
fn told(found: Result<Endpoint, EndpointError>) -> (String, String) {
    match found {
        Ok(endpoint) => {
            (endpoint.url.to_string(), endpoint.key.map_or_else(|| "-".to_owned(), |key| key.variable))
        }
        Err(EndpointError::NoUrl { .. }) => ("refused".to_owned(), "no url".to_owned()),
        Err(EndpointError::Credentials { .. }) => ("refused".to_owned(), "credentials".to_owned()),
        Err(EndpointError::NoKey { variable, .. }) => ("refused".to_owned(), format!("unset {variable}")),
        Err(EndpointError::Unknown { host, .. }) => ("refused".to_owned(), format!("unknown {host}")),
        Err(EndpointError::PlainText { variable, .. }) => ("refused".to_owned(), format!("plain {variable}")),
    }
}

const ALL: Vars<'static> = &[("OPENAI_API_KEY", "sk-openai"), ("OPENROUTER_API_KEY", "sk-router")];

#[test]
fn a_base_becomes_the_full_url_and_a_full_url_stays() {
    let cases = [
        ("https://api.openai.com", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1", "https://api.openai.com/v1/chat/completions"),
        ("https://api.openai.com/v1/", "https://api.openai.com/v1/chat/completions"),
        ("https://openrouter.ai/api/v1", "https://openrouter.ai/api/v1/chat/completions"),
        (" https://openrouter.ai/api/v1/chat/completions ", "https://openrouter.ai/api/v1/chat/completions"),
        ("http://localhost:11434", "http://localhost:11434/v1/chat/completions"),
        ("http://127.0.0.1:1/v1beta/openai", "http://127.0.0.1:1/v1beta/openai/chat/completions"),
        (
            "http://localhost/d/x/chat/completions?api-version=1",
            "http://localhost/d/x/chat/completions?api-version=1",
        ),
        ("http://localhost/own/gate", "http://localhost/own/gate"),
        ("http://localhost/own/gate/", "http://localhost/own/gate/chat/completions"),
        ("http://localhost/v1#frag", "http://localhost/v1/chat/completions"),
    ];
    for (asked, want) in cases {
        assert_eq!(told(find(Some(asked), &[], ALL)).0, want, "{asked}");
    }
}

#[test]
fn the_ticket_wins_over_the_operators_endpoint_and_that_over_the_usual_one() {
    let own = [("KORU_LLM_ENDPOINT", "http://localhost:1/v1"), ("OPENROUTER_API_KEY", "sk-router")];
    let url = |asked, vars| told(find(asked, &[], vars)).0;
    assert_eq!(url(Some("http://[::1]:2/v1"), &own), "http://[::1]:2/v1/chat/completions");
    assert_eq!(url(None, &own), "http://localhost:1/v1/chat/completions");
    assert_eq!(url(Some("  "), &own), "http://localhost:1/v1/chat/completions");
    assert_eq!(url(None, ALL), USUAL);
}

#[test]
fn a_key_goes_to_its_own_host_only() {
    let own: Vars<'_> = &[
        ("OPENAI_API_KEY", "sk-openai"),
        ("OPENROUTER_API_KEY", "sk-router"),
        ("KORU_LLM_ENDPOINT", "https://models.example/v1"),
        ("KORU_LLM_API_KEY", "sk-own"),
    ];
    let plain_own: Vars<'_> =
        &[("KORU_LLM_ENDPOINT", "http://models.example/v1"), ("KORU_LLM_API_KEY", "sk-own")];
    let keys: Vars<'_> =
        &[("models.example", "MODELS_KEY"), ("lan.example", "none"), ("openrouter.ai", "OTHER")];
    let none: Vars<'_> = &[];
    let cases = [
        // The two that are known.
        ("https://openrouter.ai/api/v1", none, ALL, "OPENROUTER_API_KEY"),
        ("https://eu.openrouter.ai/api/v1", none, ALL, "OPENROUTER_API_KEY"),
        ("https://api.openai.com/v1", none, ALL, "OPENAI_API_KEY"),
        ("https://API.OpenAI.com/v1", none, ALL, "OPENAI_API_KEY"),
        ("https://api.openai.com/v1", none, &[("OPENROUTER_API_KEY", "sk")], "unset OPENAI_API_KEY"),
        ("https://openrouter.ai/api/v1", none, &[("OPENAI_API_KEY", "sk")], "unset OPENROUTER_API_KEY"),
        ("https://openrouter.ai/api/v1", none, &[("OPENROUTER_API_KEY", " ")], "unset OPENROUTER_API_KEY"),
        // Hosts that only look like them.
        ("https://evil.example/openrouter.ai", none, ALL, "unknown evil.example"),
        ("https://openrouter.ai.evil.example/v1", none, ALL, "unknown openrouter.ai.evil.example"),
        ("https://notopenai.com/v1", none, ALL, "unknown notopenai.com"),
        ("https://api.openai.com@evil.example/v1", none, ALL, "credentials"),
        ("https://evil.example/v1?x=api.openai.com", none, ALL, "unknown evil.example"),
        // Custom ones: the operator's own, and what the configuration names.
        ("https://models.example/v1", none, ALL, "unknown models.example"),
        ("https://models.example/v1", none, own, "KORU_LLM_API_KEY"),
        ("https://models.example:8443/v1", none, own, "unknown models.example"),
        ("https://other.example/v1", none, own, "unknown other.example"),
        ("https://models.example/v1", keys, &[("MODELS_KEY", "mk")], "MODELS_KEY"),
        ("https://models.example/v1", keys, ALL, "unset MODELS_KEY"),
        ("https://openrouter.ai/api/v1", keys, &[("OTHER", "o")], "OTHER"),
        ("http://lan.example/v1", keys, ALL, "-"),
        // Never over plain http, except on this machine.
        ("http://openrouter.ai/api/v1", none, ALL, "plain OPENROUTER_API_KEY"),
        ("http://api.openai.com/v1", none, ALL, "plain OPENAI_API_KEY"),
        ("http://models.example/v1", none, plain_own, "plain KORU_LLM_API_KEY"),
        ("http://models.example/v1", keys, &[("MODELS_KEY", "mk")], "plain MODELS_KEY"),
        // A host on this machine needs no key, and gets none that is not its own.
        ("http://localhost:1/v1", none, ALL, "-"),
        ("http://127.9.9.9/v1", none, ALL, "-"),
        ("http://[::1]/v1", none, ALL, "-"),
        ("https://localhost/v1", none, ALL, "-"),
        ("http://localhost:1/v1", &[("localhost", "MODELS_KEY")], &[("MODELS_KEY", "mk")], "MODELS_KEY"),
        ("http://localhost.evil.example/v1", none, ALL, "unknown localhost.evil.example"),
        ("http://127.0.0.1.evil.example/v1", none, ALL, "unknown 127.0.0.1.evil.example"),
        ("http://0.0.0.0/v1", none, ALL, "unknown 0.0.0.0"),
        // No URLs of ours.
        ("reviewer", none, ALL, "no url"),
        ("ftp://localhost/v1", none, ALL, "no url"),
        ("https://", none, ALL, "no url"),
    ];
    for (asked, keys, vars, want) in cases {
        assert_eq!(told(find(Some(asked), keys, vars)).1, want, "{asked}");
    }
}

#[test]
fn no_refusal_shows_a_secret() {
    for asked in [
        "https://u:hunter22@x.example/v1",
        "http://[hunter22@",
        "x y?key=hunter22",
        "https://x.example/?k=hunter22",
    ] {
        let error = find(Some(asked), &[], ALL).unwrap_err().to_string();
        assert!(!error.contains("hunter22") && !error.contains("sk-"), "{error}");
    }
    let found = find(None, &[], ALL).unwrap();
    assert!(!format!("{found:?}").contains("sk-router"));
}
