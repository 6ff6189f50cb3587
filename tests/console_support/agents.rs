//! Runs of agents as the runtime shows them, and what they print.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use koru_tui::console::RuntimeMessage;
use koru_tui::runtime::protocol::{
    AgentPhase, AgentView, Breach, ChangedFile, Channel, Cost, GateResult, GateState, Hearing, OutputLine,
    ProjectEvent, RunEvent, RunId, RunState, RunView, Snapshot, Tally, Tokens, Worktree, WorktreeInfo,
};

use super::{ago, busy, id, run};

/// An agent in the middle of its work.
pub(crate) fn agent(ticket: &str) -> AgentView {
    AgentView {
        agent: "claude".to_owned(),
        turn: None,
        phase: AgentPhase::Working,
        tally: Tally {
            model: Some("sonnet-5".to_owned()),
            turns: 12,
            tools: 9,
            tokens: Tokens { input: 1_200, cache_read: 38_000, cache_write: 1_000, output: 1_700 },
            cost: Some(Cost { usd: 0.384, estimated: false }),
            doing: Some("Bash  cargo test parser".to_owned()),
            ..Tally::default()
        },
        hearing: Hearing::Live,
        queued: Vec::new(),
        pausing: false,
        worktree: Some(Worktree {
            ticket: id(ticket),
            path: PathBuf::from(format!("/home/ada/my-app/.planfile/.koru/worktrees/{ticket}")),
            branch: format!("koru/{ticket}"),
            base: "3f9c2e14d0".repeat(4),
            git_dir: PathBuf::from(format!("/home/ada/my-app/.git/worktrees/{ticket}")),
            subfolder: String::new(),
        }),
        sleeping_until: None,
        waits_for_job: false,
        breaches: Vec::new(),
        gates: Vec::new(),
        changed: Vec::new(),
        raw_lines: 40,
    }
}

/// The run of an agent, and the busy board with it in the place of the parser's run.
pub(crate) fn with_agent(state: RunState, change: impl Fn(&mut RunView, &mut AgentView)) -> Snapshot {
    let mut snapshot = busy();
    let mut view = run("r1", "PLF-074", state, 192);
    let mut with = agent("PLF-074");
    "llm".clone_into(&mut view.executor);
    view.last_output_at = Some(ago(4));
    change(&mut view, &mut with);
    view.agent = Some(Arc::new(with));
    snapshot.runs[0] = Arc::new(view);
    snapshot
}

fn line(at: u64, channel: Channel, block: u32, text: &str) -> OutputLine {
    OutputLine { block, ..OutputLine::new(at * 1_000, channel, text) }
}

/// What an agent prints: everything that there is.
pub(crate) fn said(run: &str) -> RuntimeMessage {
    use Channel::*;
    let mut lines = vec![
        line(0, Status, 0, "session 5f3a, model sonnet-5, version 2.1.329"),
        line(1, Operator, 0, "keep the public API as it is"),
        line(2, Thinking, 1, "The parser splits at LF. I should look at the failing test"),
        line(2, Thinking, 1, "before I touch anything."),
        line(4, Text, 2, "I'll read the failing test before touching the parser."),
        line(5, Tool, 3, "Read  tests/parser.rs"),
        line(5, ToolInput, 3, "file_path: tests/parser.rs"),
        line(6, ToolOutput, 4, "ok, 214 lines"),
    ];
    lines.extend((1..=214).map(|n| line(6, ToolOutput, 4, &format!("{n:>4}  let case = cases[{n}];"))));
    lines.extend([
        line(9, Tool, 5, "Edit  src/parser.rs"),
        line(9, ToolOutput, 6, "ok, no output"),
        line(9, File, 7, "src/parser.rs  +2 -1"),
        line(9, Diff, 7, "@@ -118,3 +118,4 @@"),
        line(9, Diff, 7, "     let line = &self.buf[..end];"),
        line(9, Diff, 7, "-    let end = buf.find('\\n')?;"),
        line(9, Diff, 7, "+    let end = memchr2(b'\\r', b'\\n', buf)?;"),
        line(9, Diff, 7, "+    let crlf = buf[end..].starts_with(b\"\\r\\n\");"),
        line(11, Tool, 8, "Bash  cargo test parser"),
        line(14, ToolError, 9, "failed, exit 101: test lone_cr ... FAILED"),
        line(14, ToolError, 9, "left: 1, right: 2"),
        line(15, Retry, 0, "trying again (1 of 10) in 2 s: overloaded"),
        line(18, Error, 0, "the model's host answered 529"),
        line(19, Unknown, 0, r#"{"type":"telemetry","n":3}"#),
        line(20, Text, 10, "All parser tests pass but one; a lone CR still ends no line."),
    ]);
    RuntimeMessage::Run(RunEvent::Output { run: RunId(run.into()), first: 0, lines: lines.into() })
}

/// The beginning of the same stream as it came.
pub(crate) fn raw(run: &str) -> RuntimeMessage {
    let lines: Vec<OutputLine> = (0..40)
        .map(|n| {
            line(
                n,
                Channel::Unknown,
                0,
                &format!(r#"{{"type":"stream_event","event":{{"n":{n}}},"uuid":"0d1e-{n}"}}"#),
            )
        })
        .collect();
    RuntimeMessage::Run(RunEvent::RawLines {
        run: RunId(run.into()),
        first: 0,
        total: 40,
        lines: lines.into(),
    })
}

/// What an agent left behind that did what it may not, and the gates that ran before.
pub(crate) fn trouble(agent: &mut AgentView) {
    agent.breaches = vec![
        Breach {
            rule: "agent_commit_allowed".to_owned(),
            what: "a commit was made on koru/PLF-074".to_owned(),
            evidence: "refs/heads/koru/PLF-074 3f9c2e1 -> a81b7d0, \"quick fix\"".to_owned(),
            undone: true,
        },
        Breach {
            rule: "forbidden_paths".to_owned(),
            what: "secrets/token.txt was written".to_owned(),
            evidence: "secrets/token.txt +1 -0".to_owned(),
            undone: false,
        },
    ];
    checks(agent);
}

/// Gates of every kind of ending, and changed files.
pub(crate) fn checks(agent: &mut AgentView) {
    let gate = |name: &str, state: GateState, seconds: u64| GateResult {
        gate: name.to_owned(),
        command: (!matches!(state, GateState::Skipped { .. })).then(|| name.to_owned()),
        state,
        exit_code: Some(0),
        output: "test lone_cr ... FAILED\n1 failed".to_owned(),
        duration: Duration::from_secs(seconds),
    };
    agent.gates = vec![
        gate("cargo fmt", GateState::Passed, 2),
        gate("cargo test", GateState::Failed { why: "exit 101".to_owned() }, 31),
        gate("pytest", GateState::Skipped { why: "it is not installed".to_owned() }, 0),
        gate("ci", GateState::Waived { who: "ada".to_owned(), why: "the runner is down".to_owned() }, 0),
    ];
    let file = |path: &str, added, removed| ChangedFile { path: path.to_owned(), added, removed };
    agent.changed = vec![file("src/parser.rs", 6, 2), file("tests/parser.rs", 21, 6)];
}

/// Worktrees: one in use, one with work of its own, two that may go.
pub(crate) fn worktrees() -> RuntimeMessage {
    let info = |ticket: &str, bytes: u64, unmerged, dirty, in_use| WorktreeInfo {
        worktree: agent(ticket).worktree.unwrap(),
        bytes,
        unmerged,
        dirty,
        in_use,
        trouble: None,
    };
    RuntimeMessage::Project(ProjectEvent::Worktrees {
        list: vec![
            info("PLF-074", 1_503_238_553, 0, 0, true),
            info("PLF-061", 734_003_200, 2, 1, false),
            info("PLF-050", 412_000, 0, 0, false),
            info("PLF-049", 2_048, 0, 0, false),
        ],
    })
}
