#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! What every verb promises besides koru's cases: exit codes, shapes of the JSON, planfile's option names, leases that
//! exclude, comments that survive, and a reader that goes away.

#[path = "support/cli.rs"]
mod cli;
mod support;

use std::io::Read;
use std::process::{Command, Stdio};

use cli::{Empty, Place};
use serde_json::{Value, json};
use support::project::{Project, human, shell};

#[test]
fn create_takes_every_field() {
    let place = Project::with(&[]);
    let args = [
        "ticket",
        "create",
        "Fix the login",
        "-p",
        "high",
        "-l",
        "bug",
        "-l",
        "ui",
        "-d",
        "It fails.",
        "--files",
        "src/a.rs",
        "--executor",
        "shell",
        "--script",
        "cargo test login",
        "--max-attempts",
        "2",
        "--queue",
        "night",
        "--format",
        "json",
    ];
    let made = place.run(&args).expect(0).json();
    let id = made["id"].as_str().unwrap().to_owned();
    assert_eq!(made, place.run(&["ticket", "show", &id, "--format", "json"]).expect(0).json());
    let record = place.on_disk(&id);
    assert_eq!((&record["name"], &record["priority"]), (&"Fix the login".into(), &"high".into()));
    assert_eq!((&record["labels"], &record["files"]), (&json!(["bug", "ui"]), &json!(["src/a.rs"])));
    assert_eq!(
        (&record["executor"]["kind"], &record["inputs"]["script"]),
        (&"shell".into(), &"cargo test login".into())
    );
    assert_eq!(
        (&record["execution"]["queue"], &record["execution"]["max_attempts"]),
        (&"night".into(), &2.into())
    );
}

#[test]
fn a_ticket_goes_through_its_life() {
    let place = Project::with(&[shell("PLF-001", "Fix the login", "true").execution("max_attempts: 2")]);
    let id = "PLF-001".to_owned();
    place.run(&["ticket", "claim", &id, "--assigned-to", "ada", "--lease-seconds", "600"]).expect(0);
    assert_eq!(place.on_disk(&id)["execution"]["assigned_to"], "ada");
    place.run(&["ticket", "start", &id, "--assigned-to", "ada"]).expect(0);
    let record = place.on_disk(&id);
    assert_eq!(
        (&record["status"], &record["execution"]["state"]),
        (&"in_progress".into(), &"running".into())
    );
    place.run(&["ticket", "fail", &id, "--error", "first try"]).expect(0);
    let record = place.on_disk(&id);
    assert_eq!((&record["status"], &record["execution"]["attempt"]), (&"open".into(), &1.into()));
    place.run(&["ticket", "input", &id, "--prompt", "Which key?", "--env-key", "KEY"]).expect(0);
    assert_eq!(place.on_disk(&id)["execution"]["state"], "waiting_input");
    place.run(&["ticket", "ready", &id, "--note", "here it is"]).expect(0);
    place
        .run(&[
            "ticket",
            "complete",
            &id,
            "--note",
            "done",
            "--artifact",
            "r.html",
            "--result-json",
            "{\"n\": 1}",
        ])
        .expect(0);
    let record = place.on_disk(&id);
    assert_eq!((&record["status"], &record["outputs"]["result"]), (&"done".into(), &json!({"n": 1})));
    assert_eq!(record["outputs"]["notes"], json!(["here it is", "done"]));
    assert_eq!(record["outputs"]["artifacts"], json!(["r.html"]));
    // [OURS] planfile lets anybody re-open what is finished, by a detour.
    let ran = place.run(&["ticket", "start", &id]).expect(1);
    assert!(ran.err.contains("finished ticket"), "{}", ran.err);
}

#[test]
fn a_claim_excludes_everybody_else() {
    // [OURS] in planfile the last claim wins.
    let place = Project::with(&[shell("PLF-001", "One", "true")]);
    place.run(&["ticket", "claim", "PLF-001", "--assigned-to", "ada", "--lease-seconds", "600"]).expect(0);
    let before = place.get(".planfile/sprints/current.yaml");
    for args in [
        ["ticket", "claim", "PLF-001", "--assigned-to", "bob"],
        ["ticket", "start", "PLF-001", "--assigned-to", "bob"],
    ] {
        let ran = place.run(&args).expect(1);
        assert!(ran.err.contains("held by ada"), "{}", ran.err);
    }
    assert_eq!(place.get(".planfile/sprints/current.yaml"), before);
    assert_eq!(place.run(&["ticket", "next", "--format", "json"]).expect(0).json(), Value::Null);
    place.run(&["ticket", "start", "PLF-001", "--assigned-to", "ada"]).expect(0);
}

#[test]
fn a_human_ticket_is_answered_by_name() {
    let place = Project::with(&[
        human("PLF-001", "Region", "Which region?"),
        shell("PLF-002", "Run", "true"),
        shell("PLF-003", "Run", "true").execution("state: waiting_input").input("prompt: \"Which key?\""),
    ]);
    place.run(&["ticket", "answer", "PLF-001", "--text", "eu-west", "--actor", "ada"]).expect(0);
    let record = place.on_disk("PLF-001");
    assert_eq!(record["status"], "done");
    assert_eq!(
        record["outputs"]["result"],
        json!({"actor": "ada", "prompt": "Which region?", "answer": "eu-west"})
    );
    // The answer of a ticket of another kind makes it runnable again; it is read from standard input here.
    place.run_with(&["ticket", "answer", "PLF-003"], "the red one\n").expect(0);
    let record = place.on_disk("PLF-003");
    assert_eq!((&record["status"], &record["execution"]["state"]), (&"open".into(), &"ready".into()));
    assert!(record["outputs"]["notes"][0].as_str().unwrap().contains("the red one"), "{record:#}");
    let before = place.get(".planfile/sprints/current.yaml");
    place.run(&["ticket", "answer", "PLF-002", "--text", "x"]).expect(2);
    place.run_with(&["ticket", "answer", "PLF-003"], "x").expect(2);
    place.run(&["ticket", "answer", "PLF-404", "--text", "x"]).expect(2);
    assert_eq!(place.get(".planfile/sprints/current.yaml"), before);
    let kept = std::fs::read_dir(place.root().join(".planfile/.koru/prompts")).unwrap().count();
    assert_eq!(kept, 2, "every answer is kept");
}

#[test]
fn mistakes_of_the_caller_are_exit_code_2() {
    let place = Project::with(&[shell("PLF-001", "One", "true")]);
    let before = place.planfile_bytes();
    for args in [
        ["ticket", "show", "PLF-404"].as_slice(),
        &["ticket", "done", "PLF-404"],
        &["ticket", "list", "--status", "bogus"],
        &["ticket", "list", "--sprint", "nowhere"],
        &["ticket", "list", "--files", "["],
        &["ticket", "update", "PLF-001", "--status", "bogus"],
        &["ticket", "update", "PLF-001", "-p", "urgent"],
        &["ticket", "update", "PLF-001", "--name", " "],
        &["ticket", "update", "PLF-001"],
        &["ticket", "create", "  "],
        &["ticket", "create", "Fix <module> now"],
        &["ticket", "create", "x", "-p", "urgent"],
        &["ticket", "create", "x", "--inputs-json", "[]"],
        &["ticket", "create", "x", "--sprint", "../up"],
        &["ticket", "complete", "PLF-001", "--result-json", "{"],
        &["ticket", "fail", "PLF-001"],
        &["ticket", "claim", "PLF-001", "--lease-seconds", "0"],
        &["queue", "run", "--jobs", "0"],
        &["queue", "run", "--loop", "--max-iterations", "-1"],
        &["--loop"],
        &["--watch"],
        &["task", "write", "it"],
        &["scan"],
        &["--project", "no/such/folder", "ticket", "list"],
        &["--nonsense"],
    ] {
        let ran = place.run(args);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{args:?}: {}", ran.all());
        assert!(ran.err.starts_with("koru-tui: "), "{args:?}: {}", ran.err);
    }
    assert_eq!(place.planfile_bytes(), before);
}

#[test]
fn an_uninitialised_folder_is_named_with_the_remedy_and_stays_empty() {
    let place = Empty::new();
    for args in
        [["ticket", "list"].as_slice(), &["ticket", "create", "x"], &["ticket", "next"], &["queue", "run"]]
    {
        let ran = place.run(args).expect(1);
        assert!(ran.all().contains("koru-tui init"), "{args:?}: {}", ran.all());
    }
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn list_filters_as_planfile_does() {
    let place = Project::with(&[
        shell("PLF-001", "One", "true").label("bug").label("ui").file("src/a.rs"),
        shell("PLF-002", "Two", "true").label("bug").priority("high"),
        human("PLF-003", "Three", "?").status("review"),
    ]);
    let ids = |args: &[&str]| -> Vec<String> {
        let list = place.run(&[&["ticket", "list", "--format", "json"], args].concat()).expect(0).json();
        list.as_array().unwrap().iter().map(|record| record["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&[]), ["PLF-001", "PLF-002", "PLF-003"]);
    assert_eq!(ids(&["--status", "open"]), ["PLF-001", "PLF-002"]);
    assert_eq!(ids(&["--status", "all", "-l", "bug"]), ["PLF-001", "PLF-002"]);
    assert_eq!(ids(&["-l", "bug", "-l", "ui"]), ["PLF-001"]);
    assert_eq!(ids(&["--files", "src/*.rs"]), ["PLF-001"]);
    assert_eq!(ids(&["-p", "high"]), ["PLF-002"]);
    assert_eq!(ids(&["--sprint", "backlog"]), Vec::<String>::new());
    assert_eq!(ids(&["--source", "test"]).len(), 3);
}

#[test]
fn list_is_what_planfile_prints() {
    let Some(planfile) = support::peer::planfile() else { return };
    let place = Project::with(&[
        shell("PLF-001", "One", "true").label("bug").file("src/a.rs"),
        human("PLF-002", "Zażółć: yes", "Which?\nregion").blocked_by("PLF-001"),
    ]);
    let ours = place.run(&["ticket", "list", "--format", "json"]).expect(0).json();
    let theirs: Value =
        serde_json::from_str(&place.planfile(&planfile, &["ticket", "list", "--format", "json"])).unwrap();
    let pick = |list: &Value| -> Vec<Value> {
        let fields = ["id", "name", "status", "priority", "labels", "files", "blocked_by", "description"];
        let each = |record: &Value| fields.iter().map(|field| record[*field].clone()).collect::<Vec<_>>();
        list.as_array().unwrap().iter().map(|record| Value::from(each(record))).collect()
    };
    assert_eq!(pick(&ours), pick(&theirs));
}

#[test]
fn next_says_why_for_every_other_ticket() {
    let place = Project::with(&[
        shell("PLF-001", "Waits", "true").blocked_by("PLF-002"),
        shell("PLF-002", "Runs", "true"),
        shell("PLF-003", "Ghost", "true").blocked_by("PLF-404"),
        shell("PLF-004", "Night", "true").execution("queue: night"),
    ]);
    let report =
        place.run(&["ticket", "next", "--debug", "--queue", "default", "--format", "json"]).expect(0).json();
    assert_eq!((&report["selected"], &report["servable"]), (&"PLF-002".into(), &json!(["PLF-002"])));
    let keys: Vec<&String> = report.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["selected", "servable", "skipped"]);
    let skipped: Vec<(&str, &str)> = report["skipped"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["id"].as_str().unwrap(), entry["reason"].as_str().unwrap()))
        .collect();
    assert_eq!(
        skipped,
        [
            ("PLF-001", "blocked by PLF-002 (open)"),
            ("PLF-003", "blocked by PLF-404, which does not exist"),
            ("PLF-004", "in queue night"),
        ]
    );
}

#[test]
fn one_change_touches_one_ticket_and_keeps_every_comment() {
    let place = Project::with(&[shell("PLF-001", "One", "true"), shell("PLF-002", "Two", "true")]);
    let text = place.get(".planfile/sprints/current.yaml");
    let text = text.replace("    PLF-002:\n", "    # mine: keep this\n    PLF-002: # and this\n");
    place.put(".planfile/sprints/current.yaml", &text);
    place.run(&["ticket", "update", "PLF-001", "-p", "low"]).expect(0);
    let after = place.get(".planfile/sprints/current.yaml");
    let tail = |text: &str| text[text.find("    # mine").unwrap()..].to_owned();
    assert_eq!(tail(&after), tail(&text));
    assert_eq!(place.on_disk("PLF-001")["priority"], "low");
}

#[test]
fn verbs_work_from_a_subfolder_and_from_a_linked_worktree() {
    let place = Project::with(&[shell("PLF-001", "One", "true")]);
    place.put("deep/er/file", "");
    let mut command = place.command(&["ticket", "next", "--format", "json"]);
    let output = command.current_dir(place.root().join("deep/er")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let repository = git2::Repository::open(place.root()).unwrap();
    let linked = place.home_folder().join("linked");
    std::fs::create_dir_all(place.home_folder()).unwrap();
    repository.worktree("linked", &linked, None).unwrap();
    let output = place.command(&["ticket", "done", "PLF-001"]).current_dir(&linked).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(place.on_disk("PLF-001")["status"], "done");
    assert!(!linked.join(".planfile").exists());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let tickets: Vec<_> =
        (1..=400).map(|n| shell(&format!("PLF-{n:03}"), &"long name ".repeat(40), "true")).collect();
    let place = Project::with(&tickets);
    let mut child = Command::new(env!("CARGO_BIN_EXE_koru-tui"))
        .args(["ticket", "list", "--format", "json"])
        .current_dir(place.root())
        .env("HOME", place.home_folder())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut one = [0];
    child.stdout.take().unwrap().read_exact(&mut one).unwrap();
    // The pipe is closed here, long before everything was written.
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}

#[test]
fn called_through_a_link_named_koru_it_speaks_korus_flags() {
    let place = Project::with(&[shell("PLF-001", "One", "echo ok")]);
    let folder = place.home_folder().join("bin");
    std::fs::create_dir_all(&folder).unwrap();
    let koru = folder.join("koru");
    std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_koru-tui"), &koru).unwrap();
    let run = |args: &[&str]| {
        let output = Command::new(&koru)
            .args(args)
            .current_dir(place.root())
            .env("HOME", place.home_folder())
            .env("XDG_STATE_HOME", place.home_folder().join("state"))
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let (code, brief) = run(&[]);
    assert_eq!(code, Some(0));
    assert!(brief.starts_with("# koru handoff"), "{brief}");
    assert_eq!(run(&["--project", ".", "--context"]).0, Some(0));
    let (code, out) = run(&["--queue", "--loop", "--max-iterations", "5"]);
    assert_eq!(code, Some(0), "{out}");
    assert!(out.contains("last_status=idle"), "{out}");
    assert_eq!(run(&["ticket", "list"]).0, Some(0));
    assert_eq!(run(&["agent", "--list"]).0, Some(0));
    assert_eq!(run(&["scan"]).0, Some(2));
}

#[test]
fn help_version_and_completions_are_printed() {
    let place = Empty::new();
    assert!(place.run(&["--help"]).expect(0).out.contains("Exit codes"));
    assert!(place.run(&["ticket", "claim", "--help"]).expect(0).out.contains("Example"));
    assert!(place.run(&["--version"]).expect(0).out.starts_with("koru-tui "));
    for shell in ["bash", "zsh", "fish"] {
        let script = place.run(&["completions", shell]).expect(0).out;
        assert!(script.contains("koru-tui") && script.contains("bootstrap"), "{shell}");
    }
    assert_eq!(place.names(), Vec::<String>::new());
}

#[test]
fn a_stop_signal_ends_the_run_and_releases_its_ticket() {
    let place = Project::with(&[shell("PLF-001", "Long", "echo started > started; exec sleep 60")]);
    let mut child = Command::new(env!("CARGO_BIN_EXE_koru-tui"))
        .args(["queue", "run", "--format", "json"])
        .current_dir(place.root())
        .env("HOME", place.home_folder())
        .env("XDG_STATE_HOME", place.home_folder().join("state"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !place.root().join("started").exists() {
        assert!(std::time::Instant::now() < deadline, "the ticket never started");
        assert_eq!(child.try_wait().unwrap(), None, "it ended before it was stopped");
        std::thread::yield_now();
    }
    let pid = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap());
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM).unwrap();
    let output = child.wait_with_output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((output.status.code(), &report["last_status"]), (Some(1), &"interrupted".into()));
    let record = place.on_disk("PLF-001");
    assert_eq!((&record["status"], &record["execution"]["assigned_to"]), (&"open".into(), &Value::Null));
}
