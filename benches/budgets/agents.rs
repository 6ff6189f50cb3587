//! The console with agents at work, in a real pseudo-terminal: keys under a flood, memory, and how soon output is seen.
//!
//! The agents are this benchmark's own program ([`speak`]), configured as custom agents that speak Claude Code's stream,
//! so each of them goes the whole way: worktree, fence, session, transcript, console.

use std::fs;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::Options;
use crate::console::SIZE;
use crate::measure::{Report, Samples};
use crate::planfiles::Project;
use crate::pty::{Launch, Terminal};
use crate::wait;

/// Agents at a time.
const AGENTS: usize = 4;

/// Events that each of them prints in a second.
const RATE: usize = 10_000;

/// How long they print.
const SECONDS: usize = 30;

/// Memory that the flood may add, in MB.
const GROWTH: f64 = 64.0;

/// What the page of keys says and no stream.
const HELP_MARK: &str = "keys that work here";

/// The command line that makes this program an agent: `--speak flood` or `--speak echo FIFO`.
pub const SPEAK: &str = "--speak";

const SESSION: &str = r#"{"type":"system","subtype":"init","session_id":"s-1","model":"m","tools":[]}"#;
const START: &str = r#"{"type":"stream_event","event":{"type":"message_start","message":{"id":"m-1"}},"session_id":"s-1","parent_tool_use_id":null}"#;
const RESULT: &str = r#"{"type":"result","subtype":"success","is_error":false,"result":"Done.","session_id":"s-1","num_turns":1,"usage":{"input_tokens":10,"output_tokens":5},"total_cost_usd":0.01}"#;

/// A piece of a reply, as Claude Code prints it.
fn delta(text: &str) -> String {
    format!(
        r#"{{"type":"stream_event","event":{{"type":"content_block_delta","index":0,"delta":{{"type":"text_delta","text":{}}}}},"session_id":"1b1a5f5e-58a2-4b6b-a6bc-8d5d3a0f1c2e","parent_tool_use_id":null,"uuid":"0d6f6a4e-7d0c-4a53-9a53-2f6e1b9c8d7a"}}"#,
        serde_json::to_string(text).unwrap()
    )
}

/// This program as an agent.
pub fn speak(words: &[String]) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{SESSION}\n{START}");
    match words {
        [kind, fifo] if kind == "echo" => {
            let lines = std::io::BufReader::new(fs::File::open(fifo).unwrap()).lines();
            for line in lines.map_while(Result::ok) {
                let text = line.strip_suffix('.').map(|line| format!("{line}\n")).unwrap_or(line);
                let _ = writeln!(out, "{}", delta(&text)).and_then(|()| out.flush());
            }
        }
        _ => flood(&mut out),
    }
    let _ = writeln!(out, "{RESULT}");
}

/// [`RATE`] events a second in a hundred portions, two in three of them without a line end.
fn flood(out: &mut impl std::io::Write) {
    let portion: String = (0..RATE / 100)
        .map(|n| {
            let end = if n % 3 == 2 { "\n" } else { " " };
            delta(&format!("piece {n} of an answer that says little{end}")) + "\n"
        })
        .collect();
    let started = Instant::now();
    for tick in 0..u32::try_from(SECONDS * 100).unwrap() {
        if out.write_all(portion.as_bytes()).and_then(|()| out.flush()).is_err() {
            return;
        }
        std::thread::sleep(
            (started + Duration::from_millis(10) * (tick + 1)).saturating_duration_since(Instant::now()),
        );
    }
    let took = format!("flooded for {} ms\n", started.elapsed().as_millis());
    let _ = writeln!(out, "{}", delta(&took));
}

/// A repository with a commit, whose tickets are for agents that speak so.
fn project(count: usize, words: &[&str]) -> Project {
    let project = Project::of_true(count);
    let root = project.path();
    let sprint = fs::read_to_string(project.current()).unwrap();
    let sprint = sprint.replace("        kind: shell\n", "        handler: agent:bench\n        kind: llm\n");
    fs::write(project.current(), sprint).unwrap();
    fs::write(root.join(".gitignore"), ".planfile/\n").unwrap();
    for arguments in [&["add", ".gitignore"][..], &["commit", "-qm", "begin"]] {
        let identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"];
        let output = Command::new("git").args(identity).args(arguments).current_dir(&root).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    let own = std::env::current_exe().unwrap();
    let args: Vec<&str> = [own.to_str().unwrap(), SPEAK].into_iter().chain(words.iter().copied()).collect();
    let config =
        serde_json::json!({"agents": {"bench": {"kind": "custom", "stream": "claude", "args": args}}});
    fs::create_dir_all(root.join(".planfile/.koru")).unwrap();
    // JSON is YAML.
    fs::write(root.join(".planfile/.koru/config.yaml"), config.to_string()).unwrap();
    project
}

/// A console that has started the queue.
fn at_work(project: &Project, running: &str) -> Terminal {
    let terminal = Launch::koru(&project.path(), &["open", "--jobs", "4"]).size(SIZE.0, SIZE.1).start();
    terminal.wait_for("bulk ticket 0001");
    terminal.send("w");
    terminal.wait_for(running);
    terminal
}

/// A field of the kernel's account of the program's memory, in MB.
pub fn resident(terminal: &Terminal, field: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", terminal.pid())).unwrap();
    let line = status.lines().find(|line| line.starts_with(field)).expect("a memory field");
    line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() / 1024.0
}

/// Four agents that print 10,000 events a second each: key to paint, memory, and whether it all arrived in time.
pub fn flooded(_: &Options, report: &mut Report) {
    let project = project(AGENTS, &["flood"]);
    let terminal = at_work(&project, "4 running");
    terminal.wait_for("of an answer that says");
    let started = Instant::now();
    let (mut samples, before) = (Samples::default(), resident(&terminal, "VmRSS:"));
    while started.elapsed() < Duration::from_secs(SECONDS as u64 - 3) {
        for (key, shown) in [("?", true), ("?", false)] {
            let sent = Instant::now();
            terminal.send(key);
            terminal
                .wait_until("the page of keys to come or go", |screen| screen.contains(HELP_MARK) == shown);
            samples.push(sent.elapsed());
            std::thread::sleep(Duration::from_millis(30));
        }
    }
    let peak = resident(&terminal, "VmHWM:");
    let what = format!("{AGENTS} agents × {RATE} events/s for {SECONDS} s");
    report.p99(&format!("key → paint, {what}"), &samples, Duration::from_micros(16_700));
    report.row(
        &format!("memory, {what}"),
        format!("{before:.1} MB at its beginning, peak {peak:.1} MB"),
        String::new(),
        format!("≤ {GROWTH} MB more"),
        Some(peak - before <= GROWTH),
    );
    let took: Vec<u64> = (1..=AGENTS).map(|number| took(&project.path(), number)).collect();
    let slowest = took.iter().max().copied().unwrap_or_default();
    let most = SECONDS as u64 * 1_050;
    report.row(
        &format!("the last of {what} is taken"),
        format!("after {:.2} s", slowest as f64 / 1e3),
        String::new(),
        format!("≤ {:.1} s", most as f64 / 1e3),
        Some(slowest <= most),
    );
}

/// The transcript of a ticket's run.
fn transcript(root: &Path, number: usize) -> Option<PathBuf> {
    let prefix = format!("{}-", crate::planfiles::id(number));
    let folder = fs::read_dir(root.join(".planfile/.koru/runs")).ok()?.flatten();
    let mut runs = folder.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
    Some(runs.next()?.path().join("transcript.jsonl"))
}

/// Milliseconds that an agent took for its flood, by what it said at its end.
fn took(root: &Path, number: usize) -> u64 {
    wait::until("the end of a flood", || {
        let text = fs::read_to_string(transcript(root, number)?).ok()?;
        let (_, rest) = text.rsplit_once("flooded for ")?;
        rest.split_once(' ')?.0.parse().ok()
    })
}

/// A child writes a line, or text without a line end, after a silence: how soon it is on the screen.
pub fn first(_: &Options, report: &mut Report) {
    let pipes = tempfile::Builder::new().prefix("koru-tui-bench-").tempdir().unwrap();
    let fifo = pipes.path().join("words");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let project = project(1, &["echo", fifo.to_str().unwrap()]);
    let terminal = at_work(&project, "1 running");
    let mut words = fs::OpenOptions::new().write(true).open(&fifo).unwrap();
    let mut seen = |text: String, end: &str, samples: &mut Samples| {
        std::thread::sleep(Duration::from_millis(150));
        let started = Instant::now();
        words.write_all(format!("{text}{end}\n").as_bytes()).unwrap();
        terminal.wait_for(&text);
        samples.push(started.elapsed());
    };
    let (mut lines, mut halves) = (Samples::default(), Samples::default());
    // The first words of all, which also wait for the pane to show the run, do not count.
    seen("begun0".to_owned(), ".", &mut Samples::default());
    for round in 0..100 {
        seen(format!("whole{round:03}"), ".", &mut lines);
        seen(format!("half{round:03}"), "", &mut halves);
        // The line is ended, so that the next one stands at its beginning.
        seen(format!("end{round:03}"), ".", &mut Samples::default());
    }
    let limit = Duration::from_millis(50);
    report.p99("a line of an agent → painted, after a silence", &lines, limit);
    report.p99("text without a line end → painted, after a silence", &halves, limit);
}
