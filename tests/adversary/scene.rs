//! The scene: a project, an agent that is a shell script, and a trap that leaves a mark when it runs outside the fence.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::agents::bench::{Bench, Ran, SCRIPTED};
use super::agents::scenario;
use super::agents::stage::ID;
use super::support::leftover;
use super::support::project::Ticket;

/// What the agent's script begins and ends with.
const HEAD: &str = r#"exec 2>&1
printf '{"type":"system","subtype":"init","session_id":"s-1","model":"m","tools":[]}\n'
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@example.invalid GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@example.invalid
"#;
const TAIL: &str = r#"
printf '{"type":"result","subtype":"success","is_error":false,"result":"Done.","session_id":"s-1","num_turns":1,"usage":{"input_tokens":1,"output_tokens":1},"total_cost_usd":0.01}\n'
"#;

pub struct Scene {
    pub bench: Bench,
}

impl Scene {
    pub fn new() -> Self {
        // No files are named, so that only what is planted can be wrong.
        let bench = Bench::new(&[Ticket::new(ID, scenario::TASK, "llm")]);
        let trap = bench.around("outside").join("trap");
        let text =
            format!("#!/bin/sh\necho \"$0 $*\" >>'{}'\n", bench.around("outside").join("sprung").display());
        std::fs::write(&trap, text).unwrap();
        std::fs::set_permissions(&trap, std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { bench }
    }

    /// Lets the agent do `deeds` in its worktree. `open` are folders that the configuration lets it write to besides.
    pub fn agent(&mut self, deeds: &str, open: &[PathBuf]) {
        let script = self.bench.around("notes").join("agent.sh");
        std::fs::write(&script, format!("{HEAD}{deeds}{TAIL}")).unwrap();
        let writable: Vec<PathBuf> = open.iter().cloned().chain([self.bench.around("notes")]).collect();
        let settings = json!({
            "kind": "custom", "stream": "claude", "args": ["/bin/sh", script, "{prompt}"], "writable": writable,
            "env": {
                "NOTES": self.bench.around("notes"), "OUTSIDE": self.bench.around("outside"),
                "CHECKOUT": self.bench.project.path(), "TRAP": self.trap(),
            },
        });
        self.bench.agent(SCRIPTED, settings);
    }

    pub fn trap(&self) -> PathBuf {
        self.bench.around("outside").join("trap")
    }

    /// What ran outside the fence, and how.
    pub fn sprung(&self) -> Option<String> {
        std::fs::read_to_string(self.bench.around("outside").join("sprung")).ok()
    }

    /// Runs the ticket.
    #[track_caller]
    pub fn run(&self) -> Ran {
        let ran = self.bench.koru(&["ticket", "run", ID, "--agent", SCRIPTED]);
        // Who was killed last may be dying still; who got away lives for a minute.
        let left = leftover::wait_none(Duration::from_secs(5), || self.bench.left());
        assert_eq!(left, vec![], "left behind\n{}{}", ran.out, ran.err);
        ran
    }

    /// Everything that looks at the work afterwards; none of it may run what was planted, or say what a terminal obeys.
    #[track_caller]
    pub fn look(&self) -> String {
        let mut said = String::new();
        for arguments in [
            &["ticket", "log", ID][..],
            &["ticket", "runs", ID],
            &["ticket", "show", ID],
            &["diff", ID],
            &["diff", ID, "--working-tree"],
            &["diff", ID, "--stat"],
            &["worktree", "list"],
            &["brief"],
            &["doctor"],
            &["worktree", "prune"],
        ] {
            let ran = self.bench.koru(arguments);
            assert!(matches!(ran.code, Some(0..=2)), "{arguments:?}: {ran:?}");
            said.push_str(&ran.out);
            said.push_str(&ran.err);
        }
        let obeyed = said.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        assert_eq!(obeyed, None, "{said:?}");
        said
    }

    /// The ticket's branch, a line a file: mode, kind, hash, name.
    pub fn tree(&self) -> String {
        self.bench.git(&["ls-tree", "-r", &format!("koru/{ID}")])
    }
}
