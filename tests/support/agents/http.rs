//! As much of HTTP/1.1 as the agents need: requests with a length or in chunks, answers in one piece or in chunks.

use std::io;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

/// A request larger than this is an error of the test.
const LARGEST: usize = 64 << 20;

/// One request.
pub struct Request {
    pub method: String,
    pub path: String,
    /// Names in lower case.
    headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// The value of a header, its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// A connection of an agent.
pub struct Connection {
    socket: BufReader<TcpStream>,
}

impl Connection {
    pub fn new(socket: TcpStream) -> Self {
        // Each delta is to arrive when it is sent.
        let _ = socket.set_nodelay(true);
        Self { socket: BufReader::new(socket) }
    }

    /// The next request; `None` when the agent hung up.
    pub async fn request(&mut self) -> io::Result<Option<Request>> {
        let first = self.line().await?;
        let mut words = first.split(' ').map(str::to_owned);
        let (Some(method), Some(path)) = (words.next(), words.next()) else { return Ok(None) };
        let mut request = Request { method, path, headers: Vec::new(), body: Vec::new() };
        loop {
            let line = self.line().await?;
            let Some((name, value)) = line.split_once(':') else { break };
            request.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if request.header("expect").is_some() {
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
        }
        if request.header("transfer-encoding").is_some_and(|how| how.contains("chunked")) {
            loop {
                let line = self.line().await?;
                let size = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)
                    .map_err(io::Error::other)?;
                self.take(size, &mut request.body).await?;
                self.line().await?;
                if size == 0 {
                    break;
                }
            }
        } else if let Some(length) = request.header("content-length").map(str::to_owned) {
            self.take(length.parse().map_err(io::Error::other)?, &mut request.body).await?;
        }
        Ok(Some(request))
    }

    async fn line(&mut self) -> io::Result<String> {
        let mut line = Vec::new();
        self.socket.read_until(b'\n', &mut line).await?;
        Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
    }

    async fn take(&mut self, size: usize, body: &mut Vec<u8>) -> io::Result<()> {
        let start = body.len();
        if start + size > LARGEST {
            return Err(io::Error::other("the request is too large"));
        }
        body.resize(start + size, 0);
        self.socket.read_exact(&mut body[start..]).await?;
        Ok(())
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let socket = self.socket.get_mut();
        socket.write_all(bytes).await?;
        socket.flush().await
    }

    /// A whole answer.
    pub async fn answer(
        &mut self,
        status: u16,
        content_type: &str,
        more: &[(&str, String)],
        body: &str,
    ) -> io::Result<()> {
        let more: String = more.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        let head = format!(
            "HTTP/1.1 {status} Scripted\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n{more}\r\n",
            body.len()
        );
        self.send(&[head.as_bytes(), body.as_bytes()].concat()).await
    }

    /// The head of an event stream.
    pub async fn open_stream(&mut self) -> io::Result<()> {
        self.send(
            b"HTTP/1.1 200 Scripted\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n\
              transfer-encoding: chunked\r\n\r\n",
        )
        .await
    }

    /// One event of a stream.
    pub async fn event(&mut self, name: Option<&str>, data: &str) -> io::Result<()> {
        let name = name.map(|name| format!("event: {name}\n")).unwrap_or_default();
        let text = format!("{name}data: {data}\n\n");
        self.send(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes()).await
    }

    /// The end of a stream.
    pub async fn close_stream(&mut self) -> io::Result<()> {
        self.send(b"0\r\n\r\n").await
    }

    /// Resets the connection.
    pub fn reset(self) -> io::Result<()> {
        self.socket.get_ref().set_zero_linger()
    }

    /// Waits until the agent hangs up. An agent that goes on talking is not heard.
    pub async fn hung_up(&mut self) {
        match self.socket.fill_buf().await {
            Ok(more) if !more.is_empty() => std::future::pending().await,
            _ => {}
        }
    }
}
