#![allow(unreachable_pub)]
//! One call of a tool of the test server, without the binary around it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use koru_tui::base::http;
use koru_tui::execute::environment::Environment;
use koru_tui::execute::mcp::{self, request::McpRequest};
use koru_tui::execute::outcome::Outcome;
use koru_tui::execute::output::Channel;
use koru_tui::execute::recorder::Recorder;
use koru_tui::execute::stop::{StopWatch, stop_pair};
use koru_tui::plan::settings::{McpServer, Settings};
use serde_json::Value;

use crate::heard::{self, Heard};
use crate::support::peer;

/// Python itself, not something that starts it: what is started here is also ended here. `None`, noted as skipped,
/// when there is none.
pub fn python() -> Option<String> {
    static PYTHON: OnceLock<Option<String>> = OnceLock::new();
    let found = || {
        let output = Command::new(peer::program("python3")?)
            .args(["-c", "import sys; print(sys.executable)"])
            .output()
            .unwrap();
        Some(String::from_utf8(output.stdout).unwrap().trim().to_owned())
    };
    PYTHON.get_or_init(found).clone()
}

/// The test server's command line.
pub fn command(kind: &str, flags: &[&str]) -> Option<Vec<String>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/mcp/server.py");
    let mut command = vec![python()?, "-I".to_owned(), script.to_str().unwrap().to_owned(), kind.to_owned()];
    command.extend(flags.iter().map(|flag| (*flag).to_owned()));
    Some(command)
}

/// A server that is started for each call.
pub fn program(flags: &[&str]) -> Option<McpServer> {
    Some(McpServer { command: command("stdio", flags)?, ..McpServer::default() })
}

/// A server behind a URL, ended with the value.
pub struct Web {
    child: Child,
    pub url: String,
}

impl Web {
    pub fn start(flags: &[&str]) -> Option<Web> {
        let command = command("http", flags)?;
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut port).unwrap();
        Some(Web { child, url: format!("http://127.0.0.1:{}/mcp", port.trim()) })
    }

    pub fn server(&self) -> McpServer {
        McpServer { url: Some(self.url.clone()), ..McpServer::default() }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A call that is to be made.
pub struct Bench {
    pub settings: Settings,
    pub environment: Environment,
    pub grace: Duration,
    pub folder: PathBuf,
}

impl Bench {
    /// With one server, `kitchen`.
    pub fn of(server: McpServer) -> Bench {
        Bench {
            settings: Settings {
                mcp: BTreeMap::from([("kitchen".to_owned(), server)]),
                ..Settings::default()
            },
            environment: [("PATH".into(), std::env::var_os("PATH").unwrap())].into_iter().collect(),
            grace: Duration::from_millis(300),
            folder: std::env::temp_dir(),
        }
    }

    pub fn recorder(&self) -> (Recorder, Heard) {
        heard::recorder(self.environment.redactor_of(&self.settings, &[]))
    }

    /// Calls it with a stop of the caller's.
    pub async fn run(&self, request: &McpRequest, stop: StopWatch, recorder: Recorder) -> Outcome {
        let ground = mcp::Ground {
            environment: &self.environment,
            settings: &self.settings,
            folder: &self.folder,
            keys: &[],
            extra: &[("KORU_TICKET", "PLF-1")],
            grace: self.grace,
        };
        let client = || http::direct_client().map_err(|error| error.to_string());
        // The test's own limit, so that a hang is a failure.
        let run = mcp::run(request, &ground, client, stop, recorder);
        tokio::time::timeout(Duration::from_secs(60), run).await.expect("the run hangs")
    }

    /// Calls it to its end.
    pub async fn call(&self, tool: &str, arguments: Value) -> (Outcome, Vec<(Channel, String)>) {
        let (recorder, mut heard) = self.recorder();
        let (_stopper, watch) = stop_pair();
        let outcome = self.run(&request(tool, arguments, 30.0), watch, recorder).await;
        assert!(!heard.lives(), "the server lives on");
        (outcome, heard.rest())
    }

    /// Calls it with this limit, and gives why it failed.
    pub async fn failure(&self, tool: &str, seconds: f64) -> Outcome {
        let (recorder, heard) = self.recorder();
        let (_stopper, watch) = stop_pair();
        let outcome = self.run(&request(tool, Value::Null, seconds), watch, recorder).await;
        assert!(!heard.lives(), "the server lives on");
        outcome
    }
}

/// A call of `tool`; `null` is no arguments.
pub fn request(tool: &str, arguments: Value, seconds: f64) -> McpRequest {
    let arguments = match arguments {
        Value::Object(arguments) => arguments,
        _ => serde_json::Map::new(),
    };
    McpRequest { server: None, tool: tool.to_owned(), arguments, timeout: Duration::from_secs_f64(seconds) }
}
