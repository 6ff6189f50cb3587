//! Planfiles of any size, shaped like the ones that planfile 0.1.126 writes: the same keys in the same order, with the
//! `dsl` line of about 1.3 kB that every record carries. Made from a counter alone, so every run gets the same bytes.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

const CONFIG: &str = "\
archive:
  enabled: true
  max_current_bytes: 1000000
  max_current_tickets: 100
  retain_terminal_days: 0
  retain_terminal_tickets: 20
  terminal_statuses:
  - done
  - canceled
  - failed
  - blocked
next_id: NEXT
prefix: PLF
project: bench
storage:
  backend: single-yaml
  custom_shards: 16
  index: none
  shard_size: 100
";

/// A project in a throw-away folder.
pub struct Project {
    folder: tempfile::TempDir,
}

impl Project {
    /// A git repository whose current sprint holds `count` open shell tickets; `script` gives each one's command line.
    pub fn new(count: usize, script: impl Fn(usize) -> String) -> Self {
        let folder = tempfile::Builder::new().prefix("koru-tui-bench-").tempdir().unwrap();
        let root = folder.path().join("app");
        git2::Repository::init(&root).unwrap();
        fs::create_dir_all(root.join(".planfile/sprints")).unwrap();
        let put =
            |relative: &str, text: &str| fs::write(root.join(".planfile").join(relative), text).unwrap();
        put("config.yaml", &CONFIG.replace("NEXT", &(count + 1).to_string()));
        put(".store.lock", "");
        put(
            "sprints/backlog.yaml",
            "sprint:\n  id: backlog\n  name: Backlog\n  status: backlog\n  tickets: {}\n",
        );
        put("sprints/current.yaml", &sprint(count, script));
        Self { folder }
    }

    /// Tickets that do nothing.
    pub fn of_true(count: usize) -> Self {
        Self::new(count, |_| "true".to_owned())
    }

    /// The project's folder.
    pub fn path(&self) -> PathBuf {
        self.folder.path().join("app")
    }

    /// The current sprint's file.
    pub fn current(&self) -> PathBuf {
        self.path().join(".planfile/sprints/current.yaml")
    }
}

/// `PLF-001`, `PLF-1000`: planfile pads to three digits.
pub fn id(number: usize) -> String {
    format!("PLF-{number:03}")
}

/// The text of a sprint file with `count` tickets numbered from 1.
pub fn sprint(count: usize, script: impl Fn(usize) -> String) -> String {
    let mut out = String::from("sprint:\n  id: sprint-001\n  name: Sprint 1\n  status: active\n  tickets:\n");
    for number in 1..=count {
        ticket(&mut out, number, &script(number));
    }
    out
}

fn ticket(out: &mut String, number: usize, script: &str) {
    let id = id(number);
    let stamp = format!(
        "2026-11-20T{:02}:{:02}:{:02}.{:06}Z",
        number / 3600 % 24,
        number / 60 % 60,
        number % 60,
        number
    );
    let script = serde_json::to_string(script).unwrap();
    let dsl = dsl(&id, number);
    let _ = write!(
        out,
        "    {id}:\n      acceptance_criteria: []\n      blocked_by: []\n      blocks: []\n      children: []\n      \
         contract_version: planfile.ticket/v1\n      created_at: '{stamp}'\n      description: ''\n      {dsl}      \
         execution:\n        attempt: 0\n        max_attempts: 1\n        queue: default\n        state: ready\n      \
         executor:\n        kind: shell\n        mode: automatic\n      files: []\n      history: []\n      id: {id}\n      \
         inputs:\n        api_headers: {{}}\n        api_method: GET\n        api_timeout_seconds: 30.0\n        \
         env_keys: []\n        script: {script}\n        uri_processes: []\n      labels:\n      - feature\n      \
         name: bulk ticket {number:04}\n      priority: normal\n      source:\n        context: {{}}\n        \
         timestamp: '{stamp}'\n        tool: bulk\n      sprint: current\n      status: open\n      sync: {{}}\n      \
         updated_at: '{stamp}'\n"
    );
}

/// The folded `dsl` scalar, its hashes and payload filled from a small generator.
fn dsl(id: &str, number: usize) -> String {
    let mut state = (number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(1);
    let mut filler = |count: usize, alphabet: &[u8]| -> String {
        (0..count)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                char::from(alphabet[(state >> 33) as usize % alphabet.len()])
            })
            .collect()
    };
    let hex = b"0123456789abcdef";
    let base64 = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    format!(
        "dsl: SODL/1 id=evt_{} event_hash={}\n        timestamp=2026-11-20T05%3A05%3A08.913514%2B00%3A00 kind=task \
         source=planfile.ticket\n        ticket_id={id} actor=bulk oql=ticket.create \
         uri=planfile%3A%2F%2Ftickets%2F{id}%2Fcommand%2Fcreate\n        mode=apply status=open correlation_id={id} \
         causation_id=- input_hash={}\n        receipt_ref=- replayable=true data={}\n",
        filler(24, hex),
        filler(64, hex),
        filler(64, hex),
        filler(900, base64),
    )
}

/// A copy of a project's planfile in a folder of its own, so that subject and peer each change their own.
pub fn copy_of(project: &Project) -> Project {
    let folder = tempfile::Builder::new().prefix("koru-tui-bench-").tempdir().unwrap();
    let root = folder.path().join("app");
    git2::Repository::init(&root).unwrap();
    copy_folder(&project.path().join(".planfile"), &root.join(".planfile"));
    Project { folder }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}
