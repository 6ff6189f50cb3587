//! Hostile text in every field of a planfile, in every configuration and in every place that a message quotes, through
//! every verb that prints, as text and as JSON.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use serde_json::{Value, json};

use super::agents::bench::git;
use super::cli::{Place, Ran};
use super::hostile::{harmless, hostile};
use super::support::project::{Project, human, shell};

/// Verbs that show a ticket.
const LOOKS: [&[&str]; 15] = [
    &["ticket", "list", "--sprint", "all"],
    &["ticket", "show", "PLF-001"],
    &["ticket", "show", "PLF-002"],
    &["ticket", "show", "PLF-003"],
    &["ticket", "next", "--debug"],
    &["ticket", "runs", "PLF-001"],
    &["ticket", "log", "PLF-001"],
    &["ticket", "review", "PLF-001"],
    &["brief"],
    &["brief", "--ticket", "PLF-001"],
    &["brief", "--ticket", "PLF-003"],
    &["doctor"],
    &["worktree", "list"],
    &["queue", "run", "--dry-run", "--loop"],
    &["agent", "--list"],
];

/// Runs a verb in both formats; gives what it said.
#[track_caller]
fn said(place: &impl Place, args: &[&str]) -> Vec<Ran> {
    ["text", "json"]
        .map(|format| {
            let ran = place.run(&[&["--format", format], args].concat());
            for (name, text) in [("stdout", &ran.out), ("stderr", &ran.err)] {
                harmless(&format!("{args:?} as {format} on {name}"), text);
            }
            assert!(matches!(ran.code, 0..=3), "{args:?} {format}: {} {}", ran.code, ran.all());
            ran
        })
        .into()
}

/// JSON in ASCII only, which is YAML that every reader takes.
pub fn ascii(value: &Value) -> String {
    let mut out = String::new();
    for c in value.to_string().chars() {
        if c.is_ascii() && c != '\u{7f}' {
            out.push(c);
        } else {
            let mut units = [0; 2];
            let code = u32::from(c);
            match code {
                0x1_0000.. => out.push_str(&format!("\\U{code:08x}")),
                _ => {
                    c.encode_utf16(&mut units).iter().for_each(|unit| out.push_str(&format!("\\u{unit:04x}")))
                }
            }
        }
    }
    out
}

/// A ticket with hostile text in every field that takes text, of this kind.
fn ticket(id: &str, kind: &str, status: &str) -> Value {
    let h = hostile();
    json!({
        "id": id, "name": h, "description": h, "status": status, "priority": "normal", "sprint": "current",
        "contract_version": "planfile.ticket/v1", "created_at": "2026-11-20T10:00:00Z", "updated_at": h,
        "labels": [h, "bug"], "files": [h], "acceptance_criteria": [h], "blocked_by": [h], "blocks": [h],
        "executor": {"kind": kind, "mode": "automatic", "handler": h},
        "execution": {"state": h, "queue": h, "assigned_to": h, "last_error": h, "lease_expires_at": h, "note": h},
        "inputs": {
            "prompt": h, "script": format!("true {h}"), "choices": [h, h], "env_keys": [h], "mcp_tool": h,
            "mcp_server": h, "mcp_arguments": {h.as_str(): h}, "api_endpoint": h, "api_method": h,
            "api_headers": {h.as_str(): h}, "api_body": h, "llm_model": h, "llm_endpoint": h, "system_prompt": h,
            "response_schema": h, h.as_str(): h,
        },
        "outputs": {"notes": [h, format!("KORU-GATE-AUTH {{{h}")], "artifacts": [h], "result": {h.as_str(): h}},
        "history": [{"at": h, "actor": h, "event": h, "from": h, "to": h, "note": h}],
        "source": {"tool": h, "timestamp": h, "context": {h.as_str(): h}},
        "sync": {h.as_str(): h}, h.as_str(): {h.as_str(): [h]},
    })
}

fn sprint(place: &Project, tickets: &[Value]) {
    let all: serde_json::Map<String, Value> =
        tickets.iter().map(|ticket| (ticket["id"].as_str().unwrap().to_owned(), ticket.clone())).collect();
    let h = hostile();
    let sprint = json!({"sprint": {"id": h, "name": h, "status": h, "goal": h, "tickets": all}});
    place.write(".planfile/sprints/current.yaml", &format!("{}\n", ascii(&sprint)));
}

#[test]
fn every_field_of_a_ticket_is_harmless_in_every_verb() {
    let place = Project::with(&[]);
    let kinds =
        [("shell", "open"), ("human", "waiting_input"), ("llm", "failed"), ("mcp", "open"), ("api", "open")];
    let tickets: Vec<Value> = kinds
        .iter()
        .enumerate()
        .map(|(at, (kind, status))| ticket(&format!("PLF-00{}", at + 1), kind, status))
        .collect();
    sprint(&place, &tickets);
    for args in LOOKS {
        said(&place, args);
    }
    // The text is all there for a program.
    let shown = place.run(&["ticket", "show", "PLF-001", "--format", "json"]).expect(0).json();
    assert_eq!((&shown["name"], &shown["labels"][0]), (&json!(hostile()), &json!(hostile())));
    // Whoever works them says it too.
    said(&place, &["queue", "run", "--loop"]);
    for id in ["PLF-001", "PLF-002", "PLF-003", "PLF-004", "PLF-005"] {
        said(&place, &["ticket", "run", id]);
        said(&place, &["ticket", "log", id]);
        said(&place, &["ticket", "show", id]);
        said(&place, &["diff", id]);
    }
}

/// Enumerated words (status, priority, kind, sprint) and the keys of the file itself.
#[test]
fn words_that_are_none_of_ours_are_harmless() {
    let h = hostile();
    for (block, key) in
        [("", "status"), ("", "priority"), ("", "sprint"), ("executor", "kind"), ("executor", "mode")]
    {
        let place = Project::with(&[]);
        let mut bad = ticket("PLF-001", "shell", "open");
        if block.is_empty() {
            bad[key] = json!(h);
        } else {
            bad[block][key] = json!(h);
        }
        sprint(&place, &[bad, ticket("PLF-002", "human", "open"), ticket("PLF-003", "llm", "open")]);
        for args in LOOKS {
            said(&place, args);
        }
    }
}

/// Files that do not parse are quoted in the message, at the line where the fault is.
#[test]
fn messages_about_broken_files_quote_harmlessly() {
    let h = hostile();
    let raw: Vec<Vec<u8>> = vec![
        format!("sprint:\n  tickets:\n    PLF-001: [{h}\n").into_bytes(),
        format!("sprint: {{tickets: {{{h}: *{h}}}}}\n").into_bytes(),
        format!("{h}\n").into_bytes(),
        [b"sprint:\n  id: \x9b\xff\xfe\x1b[31m".as_slice(), h.as_bytes()].concat(),
        format!("sprint:\n  tickets:\n    \"{}\": 7\n", ascii(&json!(h)).trim_matches('"')).into_bytes(),
        format!("!{h} sprint:\n").into_bytes(),
        format!("sprint: &{h} {{}}\n<<<<<<< {h}\n=======\n>>>>>>> {h}\n").into_bytes(),
    ];
    for bytes in &raw {
        for file in [
            ".planfile/sprints/current.yaml",
            ".planfile/config.yaml",
            ".planfile/.koru/policy.yaml",
            ".planfile/.koru/config.yaml",
        ] {
            let place = Project::with(&[shell("PLF-001", "One", "true")]);
            place.write(file, "");
            std::fs::write(place.path().join(file), bytes).unwrap();
            let broken = place.run(&["ticket", "list"]).code != 0;
            for args in [
                &["ticket", "list"][..],
                &["ticket", "show", "PLF-001"],
                &["doctor"],
                &["brief"],
                &["agent", "--list"],
                &["queue", "run", "--dry-run"],
                &["ticket", "create", "x"],
                &["ticket", "run", "PLF-001"],
            ] {
                said(&place, args);
            }
            if broken && file.ends_with("current.yaml") {
                assert_eq!(
                    &std::fs::read(place.path().join(file)).unwrap(),
                    bytes,
                    "a broken file is never written"
                );
            }
        }
    }
}

/// Every value and key that a configuration takes, and those that it does not know.
#[test]
fn values_of_the_configuration_are_harmless() {
    let h = hostile();
    let config = json!({
        h.as_str(): h, "roles": {"worker": h, "reviewer": h, h.as_str(): h},
        "agents": {h.as_str(): {"kind": h, "program": h, "model": h, "args": [h], "env": {h.as_str(): h}, "env_keys": [h],
            "writable": [h], "stream": h}, "b": {"kind": "custom", "program": h, "args": [h]}},
        "budgets": {"run_usd": h, h.as_str(): 1}, "environment": [h], "review": {"command": [h], "max_rounds": h},
        "mcp": {h.as_str(): {"command": [h]}, "s": {"url": h, "headers": {h.as_str(): h}}}, "llm": {"keys": {h.as_str(): h}},
    });
    let policy = json!({
        "llm": {"allow_commit": h, h.as_str(): true, "forbidden_paths": [h], "forbidden_shell_patterns": [h, 7]},
        "ci": {"command": h, "timeout_seconds": h}, "notes": [h], h.as_str(): h,
    });
    let place = Project::with(&[
        shell("PLF-001", "One", "true"),
        human("PLF-002", "Two", "?"),
        shell("PLF-003", "3", "false"),
    ]);
    place.write(".planfile/.koru/config.yaml", &format!("{}\n", ascii(&config)));
    place.write(".planfile/.koru/policy.yaml", &format!("{}\n", ascii(&policy)));
    place.write(
        ".planfile/config.yaml",
        &format!(
            "{}\n",
            ascii(&json!({
                "project": h, "prefix": h, "next_id": h, "archive": {"enabled": h}, "storage": {"backend": h},
            }))
        ),
    );
    for args in LOOKS {
        said(&place, args);
    }
    said(&place, &["queue", "run", "--loop"]);
    said(&place, &["ticket", "run", "PLF-001", "--agent", "b"]);
    said(&place, &["ticket", "run", "PLF-001", "--agent", &h.replace('\0', "")]);
}

/// Branches, authors, messages and remotes; the folder of the project itself; a home folder and a terminal's name.
#[test]
fn what_git_and_the_surroundings_say_is_harmless() {
    let h = hostile();
    // What git takes in the name of a branch: no controls but 8-bit ones, no space.
    let branch = "x\u{9b}31m\u{202e}evil\u{200b}\u{e0041}\u{9d}0;t\u{9c}";
    let around = tempfile::Builder::new().prefix("koru-tui-adv-").tempdir().unwrap();
    let odd = around.path().join(OsStr::from_bytes(b"od\x1b[31md\x9b\xc2\x9b\xe2\x80\xae\n\x07dir\xff"));
    std::fs::create_dir(&odd).unwrap();
    struct Odd<'a>(&'a Path, &'a Path);
    impl Place for Odd<'_> {
        fn root(&self) -> std::path::PathBuf {
            self.0.to_owned()
        }
        fn home_folder(&self) -> std::path::PathBuf {
            self.1.join("ho\u{1b}[31mme\u{202e}")
        }
    }
    let place = Odd(&odd, around.path());
    git(&odd, &["init", "-q", "-b", "main"]);
    std::fs::write(odd.join("a"), "x").unwrap();
    git(&odd, &["add", "a"]);
    let author = format!("--author={} <evil\u{202e}@x>", h.replace(['\n', '\0', '<', '>'], " "));
    git(&odd, &["commit", "-q", &author, "-m", &h]);
    git(&odd, &["checkout", "-q", "-b", branch]);
    git(&odd, &["config", "remote.origin.url", &format!("https://u:p@h/{}", h.replace('\n', ""))]);
    said(&place, &["init"]);
    place.run(&["ticket", "create", "One"]).expect(0);
    for args in LOOKS {
        said(&place, args);
    }
    for args in [
        &["review"][..],
        &["review", branch],
        &["review", "HEAD~7"],
        &["ticket", "run", "PLF-001", "--agent", "x"],
    ] {
        said(&place, args);
    }
    said(&place, &["completions", "bash"]);
}

/// Whatever a person can type, or a script can pass.
#[test]
fn arguments_are_quoted_harmlessly() {
    let h = hostile().replace('\0', "");
    let place = Project::with(&[shell("PLF-001", "One", "true")]);
    for args in [
        &["review", h.as_str()][..],
        &["diff", &h],
        &["diff", "PLF-001", "--between", &h, &h],
        &["ticket", "log", &h],
        &["ticket", "runs", &h],
        &["ticket", "review", &h],
        &["ticket", "decide", &h, "approve", "--seen", &h],
        &["ticket", "decide", "PLF-001", "another", "--seen", &h, "--fixes", &h],
        &["ticket", "run", &h],
        &["ticket", "run", "PLF-001", "--agent", &h],
        &["ticket", "answer", "PLF-001", &h],
        &["gate", "authorize", &h, "--mode", "auto", "--reason", &h],
        &["gate", "authorize", "PLF-001", "--mode", &h, "--reason", &h],
        &["loop", "run", &h],
        &["loop", "status", "--loop-dir", &h],
        &["loop", "extract-diff", &h, &h],
        &["agent", "--launch", "--agent", &h],
        &["brief", "--ticket", &h],
        &["completions", &h],
        &["--project", &h, "ticket", "list"],
        &["runs", "prune", "--keep-days", &h],
        &["queue", "run", "--jobs", &h],
    ] {
        let ran = place.run(args);
        harmless(&format!("{args:?}"), &ran.all());
        assert!(matches!(ran.code, 0..=3), "{args:?}: {} {}", ran.code, ran.all());
    }
}
