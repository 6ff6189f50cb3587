//! One HTTP client for all: rustls with ring, the operator's proxies, but never a proxy for loopback.
//!
//! A proxy on the way to `127.0.0.1` would turn a private address into somebody else's. Timeouts of whole requests and
//! limits on bodies belong to the caller, who knows what is asked for; a connection that does not come about is given
//! up here. The client is cheap to clone and shares its connections.

use std::error::Error;
use std::net::IpAddr;
use std::sync::Once;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, NoProxy, Proxy, Url};

/// How long a connection, its TLS handshake included, may take to come about.
const CONNECT: Duration = Duration::from_secs(10);
/// Redirects that are followed.
const REDIRECTS: usize = 5;
/// Never reached through a proxy, whatever `NO_PROXY` says.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// Why the client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("preparing the HTTP client failed: {0}; look at HTTP_PROXY, HTTPS_PROXY and ALL_PROXY")]
pub struct ClientError(#[from] reqwest::Error);

/// A client; the TLS provider is installed once.
///
/// On a machine without certificate authorities (a bare container) the client works for plain HTTP, and each HTTPS
/// request fails with a certificate error.
///
/// # Errors
/// See [`ClientError`].
pub fn client() -> Result<Client, ClientError> {
    made(&|| Policy::limited(REDIRECTS))
}

/// A client that follows no redirects: for requests whose headers are meant for one server only.
///
/// # Errors
/// See [`ClientError`].
pub fn direct_client() -> Result<Client, ClientError> {
    made(&Policy::none)
}

/// The error with its causes and without its URL, which may carry credentials.
pub fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut reason = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        reason = format!("{reason}: {inner}");
        cause = inner.source();
    }
    reason
}

/// `localhost`, 127.0.0.0/8 or ::1: what the client never reaches through a proxy, and nobody else can listen to.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let ip = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback())
}

fn made(redirects: &dyn Fn() -> Policy) -> Result<Client, ClientError> {
    static PROVIDER: Once = Once::new();
    PROVIDER.call_once(|| {
        // It fails only when a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
    let proxies = proxies(&|name| std::env::var(name).ok().filter(|value| !value.is_empty()))?;
    let client = match builder(&proxies).redirect(redirects()).build() {
        Ok(client) => client,
        Err(_) => builder(&proxies).redirect(redirects()).tls_certs_only([]).build()?,
    };
    Ok(client)
}

fn builder(proxies: &[Proxy]) -> ClientBuilder {
    let builder = Client::builder()
        .user_agent(concat!("koru-tui/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT)
        .no_proxy();
    proxies.iter().cloned().fold(builder, ClientBuilder::proxy)
}

/// The operator's proxies: one for each scheme, else the one for all. Lower-case names win, as with curl.
fn proxies(variable: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Proxy>, reqwest::Error> {
    let either = |lower: &str, upper: &str| variable(lower).or_else(|| variable(upper));
    let all = either("all_proxy", "ALL_PROXY");
    let mut except = LOOPBACK.to_owned();
    if let Some(more) = either("no_proxy", "NO_PROXY") {
        except = format!("{except},{more}");
    }
    let mut proxies = Vec::new();
    if let Some(address) = either("http_proxy", "HTTP_PROXY").or_else(|| all.clone()) {
        proxies.push(Proxy::http(address)?.no_proxy(NoProxy::from_string(&except)));
    }
    if let Some(address) = either("https_proxy", "HTTPS_PROXY").or(all) {
        proxies.push(Proxy::https(address)?.no_proxy(NoProxy::from_string(&except)));
    }
    Ok(proxies)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Answers one request on a loopback port with its request line.
    fn echo_once() -> (u16, std::thread::JoinHandle<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let thread = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut bytes = [0; 4096];
            let read = stream.read(&mut bytes).unwrap();
            let line = String::from_utf8_lossy(&bytes[..read]).lines().next().unwrap_or_default().to_owned();
            let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{line}", line.len());
            stream.write_all(answer.as_bytes()).unwrap();
        });
        (port, thread)
    }

    async fn get(proxies: &[Proxy], url: String) -> String {
        let client = builder(proxies).tls_certs_only([]).build().unwrap();
        client.get(url).send().await.unwrap().text().await.unwrap()
    }

    #[tokio::test]
    async fn loopback_is_reached_without_a_proxy_and_others_with_it() {
        client().unwrap();
        let (port, thread) = echo_once();
        let address = format!("http://127.0.0.1:{port}");
        let variable = |name: &str| (name == "all_proxy").then(|| address.clone());
        let proxies = proxies(&variable).unwrap();
        // A proxy is asked for the whole URL, a server for the path only.
        assert_eq!(
            get(&proxies, "http://far.invalid/x".to_owned()).await,
            "GET http://far.invalid/x HTTP/1.1"
        );
        thread.join().unwrap();
        let (port, thread) = echo_once();
        assert_eq!(get(&proxies, format!("http://127.0.0.1:{port}/y")).await, "GET /y HTTP/1.1");
        thread.join().unwrap();
    }

    #[test]
    fn a_proxy_that_is_no_address_is_an_error() {
        let variable = |name: &str| (name == "HTTPS_PROXY").then(|| "http://[".to_owned());
        assert!(proxies(&variable).is_err());
    }
}
