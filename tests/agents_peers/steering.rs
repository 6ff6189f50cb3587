//! The agents that hear a message while they work, each by its own protocol on standard input: the message goes into the
//! next request of the same turn, the turn ends once, and the program ends well when its input is closed.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use super::agents::installed::{Agent, Seat};
use super::agents::scenario::{self, act, say};
use super::agents::stub::Stub;
use super::support::project::Project;
use super::support::{leftover, wait};

const MESSAGE: &str = "Mention cats, please.";

/// A program that is spoken to. Killed when it is dropped alive.
struct Live {
    child: Child,
    input: Option<ChildStdin>,
    output: Lines<BufReader<ChildStdout>>,
}

impl Live {
    fn start(seat: &Seat, arguments: &[&str], project: &Project) -> Self {
        let mut command = Command::new(&seat.installed.program);
        command.args(arguments).current_dir(project.path()).env_clear().envs(seat.env.clone());
        command.stderr(Stdio::null());
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let output = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { input: child.stdin.take(), child, output }
    }

    fn send(&mut self, message: &Value) {
        self.input.as_mut().unwrap().write_all(format!("{message}\n").as_bytes()).unwrap();
    }

    /// Reads up to the next line that `is_it`; gives it.
    #[track_caller]
    fn until(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        let lines = self.output.by_ref().map(Result::unwrap);
        lines
            .filter_map(|line| serde_json::from_str::<Value>(&line).ok())
            .find(|line| is_it(line))
            .unwrap_or_else(|| panic!("its output ended without {what}"))
    }

    /// Closes its input; gives the exit code and what it said after that.
    fn close(mut self) -> (Option<i32>, Vec<String>) {
        drop(self.input.take());
        let rest = self.output.by_ref().map(Result::unwrap).collect();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A turn whose command waits for the file `go`, then the answer to the message. `None` when it is not installed.
fn stage(agent: Agent) -> Option<(Project, Stub, Seat)> {
    let installed = agent.installed()?;
    let project = Project::bare();
    project.write(scenario::FILE, scenario::GREETING);
    let waits = "echo yes > started; n=0; \
                 until [ -e go ]; do n=$((n+1)); [ -e hello.txt ] && [ $n -lt 2000 ] || exit 75; sleep 0.02; done";
    let stub = Stub::start(vec![act().bash(waits), say("Cats, then.")]);
    let seat = installed.seat(&project.around().join("state"), &stub);
    Some((project, stub, seat))
}

/// The model was asked twice, the second time with the message.
#[track_caller]
fn heard(stub: &Stub) {
    let seen = stub.seen();
    let main = seen.main();
    assert_eq!((main.len(), main[0].holds(MESSAGE), main[1].holds(MESSAGE)), (2, false, true));
}

#[test]
fn claude_hears() {
    let Some((project, stub, seat)) = stage(Agent::Claude) else { return };
    let arguments = [
        "-p",
        "--input-format",
        "stream-json",
        "--output-format",
        "stream-json",
        "--verbose",
        "--replay-user-messages",
        "--permission-mode",
        "acceptEdits",
        "--allowedTools",
        "Bash",
        "--setting-sources",
        "",
        "--strict-mcp-config",
        "--model",
        "claude-sonnet-4-5",
    ];
    let mut live = Live::start(&seat, &arguments, &project);
    let message = |text: &str| json!({"type": "user", "message": {"role": "user", "content": [{"type": "text", "text": text}]}});
    live.send(&message(scenario::TASK));
    wait::text_in(&project.path().join("started"));
    live.send(&message(MESSAGE));
    project.write("go", "");
    live.until("the message", |line| {
        line["isReplay"] == true && line["message"]["content"][0]["text"] == MESSAGE
    });
    let result = live.until("a result", |line| line["type"] == "result");
    assert_eq!((&result["is_error"], &result["result"]), (&json!(false), &json!("Cats, then.")));
    heard(&stub);
    assert_eq!(live.close(), (Some(0), vec![]));
    assert_eq!(leftover::of_folder(project.around()), vec![]);
}

#[test]
fn pi_hears() {
    let Some((project, stub, seat)) = stage(Agent::Pi) else { return };
    let arguments = [
        "--mode",
        "rpc",
        "--provider",
        "stub",
        "--model",
        "stub-model",
        "--no-extensions",
        "--no-skills",
        "--no-prompt-templates",
        "--no-themes",
        "--no-approve",
    ];
    let mut live = Live::start(&seat, &arguments, &project);
    live.send(&json!({"id": "1", "type": "prompt", "message": scenario::TASK}));
    wait::text_in(&project.path().join("started"));
    live.send(&json!({"id": "2", "type": "steer", "message": MESSAGE}));
    let taken = live.until("an answer", |line| line["id"] == "2");
    assert_eq!((&taken["type"], &taken["success"]), (&json!("response"), &json!(true)));
    project.write("go", "");
    live.until("the end of the turn", |line| line["type"] == "agent_settled");
    heard(&stub);
    live.send(&json!({"id": "3", "type": "get_state"}));
    let state = live.until("its state", |line| line["id"] == "3");
    assert!(state["data"]["sessionId"].is_string(), "{state}");
    assert_eq!(live.close(), (Some(0), vec![]));
    assert_eq!(leftover::of_folder(project.around()), vec![]);
}

#[test]
fn codex_hears() {
    let Some((project, stub, seat)) = stage(Agent::Codex) else { return };
    let mut live = Live::start(&seat, &["app-server"], &project);
    let request = |id: u32, method: &str, params: Value| json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
    let input = |text: &str| json!([{"type": "text", "text": text}]);
    let us = json!({"name": "koru-tui-test", "title": "test", "version": "0"});
    live.send(&request(1, "initialize", json!({ "clientInfo": us })));
    live.until("a greeting", |line| line["id"] == 1);
    live.send(&json!({"jsonrpc": "2.0", "method": "initialized"}));
    let how = json!({"cwd": project.path(), "sandbox": "danger-full-access", "approvalPolicy": "never"});
    live.send(&request(2, "thread/start", how));
    let thread = live.until("a thread", |line| line["id"] == 2)["result"]["thread"]["id"].clone();
    let start = json!({"threadId": thread, "input": input(scenario::TASK)});
    live.send(&request(3, "turn/start", start));
    let turn = live.until("a turn", |line| line["id"] == 3)["result"]["turn"]["id"].clone();
    wait::text_in(&project.path().join("started"));
    let steer = json!({"threadId": thread, "expectedTurnId": turn, "input": input(MESSAGE)});
    live.send(&request(4, "turn/steer", steer));
    let taken = live.until("an answer", |line| line["id"] == 4);
    assert_eq!(taken["result"], json!({ "turnId": turn }));
    project.write("go", "");
    let end = live.until("the end of the turn", |line| line["method"] == "turn/completed");
    assert_eq!(end["params"]["turn"]["status"], "completed", "{end}");
    heard(&stub);
    assert_eq!(live.close().0, Some(0));
    assert_eq!(leftover::of_folder(project.around()), vec![]);
}
