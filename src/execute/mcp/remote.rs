//! A server behind a URL: which requests may be made of it at all, and with which headers.
//!
//! Headers are the operator's keys: they go to the configured host and, as no redirect is followed, to nobody else, and
//! over plain http only within this machine. A URL may hold a secret in its path or query (many hosted servers have it
//! so), hence only its host is ever shown.

use std::collections::HashMap;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Client, Url};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use super::stdio::LINE_LIMIT;
use crate::base::http::is_loopback;
use crate::execute::environment::Environment;
use crate::plan::settings::McpServer;

/// A checked server: its URL, and headers with their variables filled in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Remote {
    url: Url,
    headers: HashMap<HeaderName, HeaderValue>,
}

impl Remote {
    /// Looks at the server `name` before anything is sent.
    ///
    /// # Errors
    /// A sentence for the ticket.
    pub(super) fn of(
        name: &str,
        url: &str,
        server: &McpServer,
        environment: &Environment,
    ) -> Result<Self, String> {
        let place = format!("mcp.{name}.url in .planfile/.koru/config.yaml");
        let url = Url::parse(url.trim()).map_err(|error| format!("{place} is no usable URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("{place} begins with neither http:// nor https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(format!("{place} has a name or password in it; put them into mcp.{name}.headers"));
        }
        if url.scheme() == "http" && !server.headers.is_empty() && !is_loopback(&url) {
            return Err(format!(
                "mcp.{name}.headers would go to {} in plain text; refusing to: use https, or a host on this machine",
                shown(&url)
            ));
        }
        let mut headers = HashMap::new();
        let variable = |name: &str| {
            let value = environment.get(name)?.to_str()?.trim().to_owned();
            (!value.is_empty()).then_some(value)
        };
        for header in server.headers.keys() {
            let key = format!("mcp.{name}.headers.{header}");
            let text = server.header(header, &variable).map_err(|unset| {
                format!("{unset} is not set, and {key} needs it; refusing to call without")
            })?;
            let parsed = HeaderName::from_bytes(header.as_bytes())
                .map_err(|_| format!("{key}: {header:?} is not a header name"))?;
            let mut value = HeaderValue::from_str(&text)
                .map_err(|_| format!("{key} has characters that a header cannot have"))?;
            value.set_sensitive(true);
            headers.insert(parsed, value);
        }
        Ok(Remote { url, headers })
    }

    /// Where it is, without what may be secret.
    pub(super) fn shown(&self) -> String {
        shown(&self.url)
    }

    /// The way to it. A call is made once: nobody knows what a call that broke off has done already.
    pub(super) fn transport(self, client: Client) -> StreamableHttpClientTransport<Client> {
        let config = StreamableHttpClientTransportConfig::with_uri(self.url.as_str())
            .custom_headers(self.headers)
            .max_sse_event_size(LINE_LIMIT)
            .reinit_on_expired_session(false);
        StreamableHttpClientTransport::with_client(client, config)
    }
}

fn shown(url: &Url) -> String {
    url.origin().ascii_serialization()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(url: &str, headers: &[(&str, &str)]) -> Result<Remote, String> {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let server = McpServer { url: Some(url.to_owned()), headers, ..McpServer::default() };
        let environment = [("DOCS_TOKEN", "hunter22"), ("EMPTY", " ")]
            .iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect();
        Remote::of("docs", url, &server, &environment)
    }

    #[test]
    fn headers_are_filled_in_and_only_the_host_is_shown() {
        let remote =
            remote("https://docs.example:8443/s/secret?key=1", &[("authorization", "Bearer ${DOCS_TOKEN}")]);
        let remote = remote.unwrap();
        assert_eq!(remote.shown(), "https://docs.example:8443");
        let want = HeaderValue::from_static("Bearer hunter22");
        assert_eq!(remote.headers, HashMap::from([(HeaderName::from_static("authorization"), want)]));
        assert!(!format!("{remote:?}").contains("hunter22"));
    }

    #[test]
    fn keys_go_nowhere_in_plain_text_and_stand_in_no_url() {
        let key = [("X-Key", "k")];
        assert!(remote("http://127.0.0.1:1/mcp", &key).is_ok());
        assert!(remote("http://docs.example/mcp", &[]).is_ok());
        for (url, headers, want) in [
            ("http://docs.example/mcp", &key[..], "in plain text"),
            ("https://me:pass@docs.example/", &[], "has a name or password in it"),
            ("ftp://docs.example/", &[], "neither http:// nor https://"),
            ("https://", &[], "no usable URL"),
            ("https://docs.example", &[("X-Key", "${GONE}")], "GONE is not set"),
            ("https://docs.example", &[("X-Key", "${EMPTY}")], "EMPTY is not set"),
            ("https://docs.example", &[("X Key", "k")], "is not a header name"),
            ("https://docs.example", &[("X-Key", "a\nb")], "characters that a header cannot have"),
        ] {
            let error = remote(url, headers).unwrap_err();
            assert!(error.contains(want) && !error.contains("pass@"), "{error}");
        }
    }
}
