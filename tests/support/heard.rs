//! A recorder whose lines a test can wait for.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use koru_tui::base::process::ProcessIdentity;
use koru_tui::base::redact::Redactor;
use koru_tui::execute::output::{Channel, OutputLine};
use koru_tui::execute::recorder::{Listener, Recorder};
use koru_tui::execute::transcript::TranscriptWriter;
use tokio::sync::mpsc;

/// Hands every line to the test, and remembers the child.
struct Ear {
    lines: mpsc::UnboundedSender<OutputLine>,
    child: Arc<Mutex<Option<ProcessIdentity>>>,
}

impl Listener for Ear {
    fn lines(&mut self, _first: u64, lines: Vec<OutputLine>) {
        for line in lines {
            let _ = self.lines.send(line);
        }
    }

    fn started(&mut self, leader: Option<ProcessIdentity>) {
        *self.child.lock().unwrap() = leader;
    }
}

/// What a run says.
pub struct Heard {
    lines: mpsc::UnboundedReceiver<OutputLine>,
    pub child: Arc<Mutex<Option<ProcessIdentity>>>,
}

/// A recorder, and what is heard of it.
pub fn recorder(redactor: Redactor) -> (Recorder, Heard) {
    recorder_with(redactor, None)
}

/// The same with a transcript.
pub fn recorder_with(redactor: Redactor, transcript: Option<TranscriptWriter>) -> (Recorder, Heard) {
    let (sender, lines) = mpsc::unbounded_channel();
    let child = Arc::default();
    let ear = Ear { lines: sender, child: Arc::clone(&child) };
    (Recorder::new(redactor, transcript, Box::new(ear)), Heard { lines, child })
}

impl Heard {
    /// Waits for a line that holds `text`.
    pub async fn wait_for(&mut self, text: &str) {
        let found = async {
            while let Some(line) = self.lines.recv().await {
                if line.text.contains(text) {
                    return;
                }
            }
            panic!("the run ended without saying {text:?}");
        };
        tokio::time::timeout(Duration::from_secs(20), found).await.unwrap();
    }

    /// Everything that was not waited for.
    pub fn rest(&mut self) -> Vec<(Channel, String)> {
        let mut lines = Vec::new();
        while let Ok(line) = self.lines.try_recv() {
            lines.push((line.channel, line.text.into()));
        }
        lines
    }

    /// Whether the program that was started lives.
    pub fn lives(&self) -> bool {
        self.child.lock().unwrap().as_ref().is_some_and(ProcessIdentity::is_alive)
    }
}
