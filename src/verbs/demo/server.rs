//! The shop's card and paper services: a loopback server with two answers, alive as long as its value.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longest head of a request in bytes.
const HEAD: u64 = 16 * 1024;
/// How long a client may take.
const PATIENCE: Duration = Duration::from_secs(2);

/// A running server; dropping it ends it.
#[derive(Debug)]
pub(in crate::verbs) struct Server {
    at: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free loopback port.
    ///
    /// # Errors
    /// No port or no thread can be had.
    pub(super) fn start() -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let at = listener.local_addr()?;
        let over: Arc<AtomicBool> = Arc::default();
        let told = Arc::clone(&over);
        let thread = std::thread::Builder::new().name("demo-server".to_owned()).spawn(move || {
            for client in listener.incoming() {
                if told.load(Ordering::SeqCst) {
                    return;
                }
                if let Ok(client) = client {
                    // A client that breaks off is its own affair.
                    let _ = answer(client);
                }
            }
        })?;
        Ok(Self { at, over, thread: Some(thread) })
    }

    /// `http://127.0.0.1:<port>`.
    pub(super) fn url(&self) -> String {
        format!("http://{}", self.at)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        // Wakes the thread, which then sees that it is over.
        let _ = TcpStream::connect_timeout(&self.at, PATIENCE);
        if let Some(thread) = self.thread.take() {
            // A panic in there is its own affair too; the port is free either way.
            let _ = thread.join();
        }
    }
}

fn answer(mut client: TcpStream) -> io::Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    client.set_write_timeout(Some(PATIENCE))?;
    let mut request = String::new();
    let mut length = 0;
    let mut head = BufReader::new(&client).take(HEAD);
    head.read_line(&mut request)?;
    let mut line = String::new();
    while head.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse::<u64>().unwrap_or(0).min(HEAD);
        }
        line.clear();
    }
    // The body is read so that closing the connection does not reset it under the client.
    head.set_limit(length);
    io::copy(&mut head, &mut io::sink())?;
    let (status, body) = match request.split_whitespace().nth(1) {
        Some("/health") => ("200 OK", r#"{"service": "cards", "status": "ok", "queue": 0}"#),
        Some("/orders") => ("503 Service Unavailable", r#"{"error": "the paper mill is on holiday"}"#),
        _ => ("404 Not Found", r#"{"error": "no such service"}"#),
    };
    write!(
        client,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )?;
    client.flush()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    use super::Server;

    fn ask(server: &Server, request: &str) -> String {
        let mut client = TcpStream::connect(server.at).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        client.read_to_string(&mut answer).unwrap();
        answer
    }

    #[test]
    fn two_services_answer_and_the_server_ends_with_its_value() {
        let server = Server::start().unwrap();
        assert!(ask(&server, "GET /health HTTP/1.1\r\nhost: x\r\n\r\n").starts_with("HTTP/1.1 200 OK\r\n"));
        let order = ask(&server, "POST /orders HTTP/1.1\r\ncontent-length: 2\r\n\r\n{}");
        assert!(order.starts_with("HTTP/1.1 503") && order.ends_with("holiday\"}"), "{order}");
        let at = server.at;
        drop(server);
        assert!(TcpStream::connect(at).is_err());
    }
}
