//! One HTTP client for all: rustls with ring, no ambient proxies for loopback, bounded bodies.

/// Why the client could not be made.
#[derive(Debug, thiserror::Error)]
#[error("preparing the HTTP client failed: {0}")]
pub struct ClientError(#[from] reqwest::Error);

/// A client; the TLS provider is installed once.
///
/// # Errors
/// See [`ClientError`].
pub fn client() -> Result<reqwest::Client, ClientError> {
    unimplemented!()
}
