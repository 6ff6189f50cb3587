//! The whole way of an agent's output: a child writes a prepared stream into a pipe, a session reads, keeps it as it came,
//! parses, assembles, takes secrets out, writes transcript and places, and hands lines to a bounded queue. Against a bare
//! loop that starts the same child and does the same parse: the same parser on the same lines from the same kind of pipe,
//! its events counted and dropped.

use std::collections::VecDeque;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use koru_tui::base::redact::Redactor;
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::execute::agents::session::{self, AgentEnding, AgentJob, Limits};
use koru_tui::execute::agents::stream::parser;
use koru_tui::execute::fence::Fence;
use koru_tui::execute::output::OutputLine;
use koru_tui::execute::recorder::{Listener, Recorder};
use koru_tui::execute::stop::stop_pair;
use koru_tui::execute::transcript::TranscriptWriter;
use koru_tui::plan::settings::AgentSettings;

use crate::Options;
use crate::measure::{Report, interleave};
use crate::streams::{capture, megabytes};

/// Passes that count.
const ROUNDS: usize = 9;

/// How often the stream is repeated: the child's start and end should not matter.
const REPEATS: usize = 8;

/// Lines that the queue holds, as the runtime's.
const QUEUE: usize = 500;

/// Parse, keep and hand on at no less than 0.8 of the bare loop's rate.
pub fn session(options: &Options, report: &mut Report) {
    let folder = tempfile::Builder::new().prefix("koru-tui-bench-").tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for kind in [AgentKind::Claude, AgentKind::Codex, AgentKind::Pi] {
        let stream = capture(kind).repeat(REPEATS);
        let path = folder.path().join(kind.word());
        std::fs::write(&path, &stream).unwrap();
        if options.ours_only {
            let took: Duration = (0..ROUNDS).map(|_| runtime.block_on(recorded(kind, &path))).sum();
            let rate = (stream.len() * ROUNDS) as f64 / took.as_secs_f64() / 1e6;
            eprintln!("  {} of {} alone: {rate:.0} MB/s", megabytes(stream.len()), kind.word());
            continue;
        }
        let clean = cleaned(&stream);
        eprintln!(
            "  taking secrets out of each line of it alone: {:.0} MB/s",
            stream.len() as f64 / 1e6 / clean
        );
        let (ours, bare) =
            interleave(ROUNDS, || runtime.block_on(recorded(kind, &path)), || bare(kind, &path));
        let what =
            format!("{} of a {} stream: child to disk and queue", megabytes(stream.len()), kind.word());
        report.rate(&what, &ours, "bare loop, the same parser", &bare, stream.len(), 0.8);
    }
}

/// Seconds for taking secrets out of every line, which is a part of ours and not of the peer.
fn cleaned(stream: &[u8]) -> f64 {
    let redactor = redactor();
    let text = std::str::from_utf8(stream).unwrap();
    let started = Instant::now();
    let bytes: usize = text.split('\n').map(|line| redactor.clean(line).len()).sum();
    assert!(bytes > 0);
    started.elapsed().as_secs_f64()
}

/// One with a few values of variables, as every run has.
fn redactor() -> Redactor {
    let values = ["correct horse battery", "sk-bench-0123456789abcdef", "hunter22"];
    Redactor::with_values(values.map(str::to_owned))
}

/// The newest lines, as the runtime's own feed keeps them until a console takes them.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<(VecDeque<OutputLine>, u64)>>);

impl Listener for Queue {
    fn lines(&mut self, first: u64, lines: Vec<OutputLine>) {
        let mut queue = self.0.lock().unwrap();
        queue.1 = first + lines.len() as u64;
        queue.0.extend(lines);
        let over = queue.0.len().saturating_sub(QUEUE);
        queue.0.drain(..over);
    }
}

async fn recorded(kind: AgentKind, stream: &Path) -> Duration {
    let scratch =
        tempfile::Builder::new().prefix("koru-tui-bench-").tempdir_in(stream.parent().unwrap()).unwrap();
    let settings = AgentSettings {
        program: Some("cat".to_owned()),
        args: vec![stream.to_str().unwrap().to_owned()],
        stream: Some(kind.word().to_owned()),
        ..AgentSettings::default()
    };
    let limits = Limits {
        timeout: Duration::from_secs(120),
        silence: None,
        tokens: None,
        usd: None,
        grace: Duration::from_secs(1),
    };
    let job = AgentJob {
        kind: AgentKind::Custom,
        settings,
        prompt: String::new(),
        folder: scratch.path().to_owned(),
        env: vec![("PATH".into(), std::env::var_os("PATH").unwrap())],
        files: Vec::new(),
        resume: None,
        before: None,
        schema: None,
        scratch: scratch.path().to_owned(),
        limits,
        fence: Fence::default(),
    };
    let (_stopper, stop) = stop_pair();
    let (_steer, steered) = tokio::sync::mpsc::unbounded_channel();
    let queue = Queue::default();
    let transcript = TranscriptWriter::new(scratch.path().join("transcript.jsonl"), "bench");
    let started = Instant::now();
    let mut recorder = Recorder::new(redactor(), Some(transcript), Box::new(queue.clone()));
    let report = session::run(job, stop, steered, &mut recorder).await;
    let took = started.elapsed();
    assert_eq!(report.ending, AgentEnding::Finished, "{report:?}");
    let read = |path: &Path| std::fs::read(path).unwrap();
    let lines = |path: &Path| read(path).iter().filter(|byte| **byte == b'\n').count();
    assert_eq!(lines(&scratch.path().join("stream.jsonl")), lines(stream), "every line is kept");
    assert!(lines(&scratch.path().join("transcript.jsonl")) > 1 && queue.0.lock().unwrap().1 > 0);
    took
}

fn bare(kind: AgentKind, stream: &Path) -> Duration {
    let started = Instant::now();
    let mut child = Command::new("cat").arg(stream).stdout(Stdio::piped()).spawn().unwrap();
    let mut pipe = child.stdout.take().unwrap();
    let mut parser = parser(kind);
    let (mut buffer, mut held, mut events, mut count) = (vec![0; 64 * 1024], Vec::new(), Vec::new(), 0);
    let mut parse = |line: &[u8]| {
        parser.line(line, &mut events);
        count += events.drain(..).count();
    };
    loop {
        let read = pipe.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        let mut rest = &buffer[..read];
        while let Some(end) = memchr::memchr(b'\n', rest) {
            if held.is_empty() {
                parse(&rest[..end]);
            } else {
                held.extend_from_slice(&rest[..end]);
                parse(&held);
                held.clear();
            }
            rest = &rest[end + 1..];
        }
        held.extend_from_slice(rest);
    }
    assert!(child.wait().unwrap().success() && count > 0);
    started.elapsed()
}
