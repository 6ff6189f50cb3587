//! Files of the bus and trees that are not as they should be: each has a named outcome and loses nothing.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::loop_support::{Ran, Scratch};
use crate::{outcome, script};

/// The worker works; the reviewer copies its report from the file that `$REVIEW` names.
const COPIED: &str = "[ $role = worker ] && { work; exit; }; cp \"$REVIEW\" .loop/review_report.json";

/// The worker fails, and the reviewer approves: whoever pays the worker again is found out.
const APPROVES: &str = "[ $role = worker ] && exit 9; review '\"decision\":\"approve\"'";

fn approval() -> Value {
    json!({"task_id": "T-001", "round": 1, "decision": "approve", "blocking_issues": []})
}

/// A round in which the reviewer gives exactly these bytes.
fn reviewed(bytes: &[u8], more: &[&str]) -> (Scratch, Ran) {
    let scratch = Scratch::new();
    script(&scratch, COPIED);
    let path = scratch.outside().join("review");
    fs::write(&path, bytes).unwrap();
    let ran = scratch.run(more, &[("REVIEW", path.to_str().unwrap())]);
    (scratch, ran)
}

#[test]
fn verdicts_in_a_fence_in_crlf_or_after_a_mark_are_read() {
    let text = format!("{:#}", approval());
    let crlf = text.replace('\n', "\r\n");
    for form in [
        format!("```json\n{text}\n```\n"),
        crlf.clone(),
        format!("\u{feff}{text}"),
        format!("```\r\n{crlf}\r\n```\r\n"),
    ] {
        let (scratch, ran) = reviewed(form.as_bytes(), &[]);
        ran.expect(0);
        assert_eq!(outcome(&scratch), "approved", "{form}");
    }
}

#[test]
fn verdicts_that_cannot_be_read_are_named_kept_and_asked_for_again() {
    let text = approval().to_string();
    let twice = text.replacen('{', "{\"decision\":\"changes_required\",", 1);
    let after = format!("{text}\nI hope that this helps.");
    let before = format!("Here it is: {text}");
    let cases: [(&[u8], &str); 6] = [
        (after.as_bytes(), "there is text after the JSON object"),
        (before.as_bytes(), "it is not JSON"),
        (&text.as_bytes()[..40], "it ends too early"),
        (b"[\"approve\"]", "it must hold a JSON object, not a list"),
        (b"{\"task_id\":\"T-001\xff\"}", "it is not UTF-8 text"),
        (twice.as_bytes(), "the key \"decision\" stands in it twice"),
    ];
    for (bytes, expected) in cases {
        let (scratch, ran) = reviewed(bytes, &[]);
        let ran = ran.expect(3);
        assert_eq!(outcome(&scratch), "invalid_review_report", "{expected}");
        assert!(
            ran.err.contains(expected) && ran.err.contains("--resume asks the reviewer again"),
            "{}",
            ran.err
        );
        let report = scratch.bus().join("review_report.json");
        assert_eq!(fs::read(&report).unwrap(), bytes, "it is left for a person to see");
        script(&scratch, APPROVES);
        scratch.run(&["--resume"], &[]).expect(0);
        assert_eq!(outcome(&scratch), "approved");
        let kept = fs::read(scratch.bus().join("archive/T-001/r1_review_report.json")).unwrap();
        assert_eq!(kept, bytes, "{expected}");
    }
}

#[test]
fn an_answer_for_another_ticket_or_round_is_no_answer() {
    for (key, value) in [("task_id", json!("T-999")), ("round", json!(7))] {
        let mut other = approval();
        other[key] = value.clone();
        let (scratch, ran) = reviewed(other.to_string().as_bytes(), &["--artifact-timeout", "1"]);
        let ran = ran.expect(3);
        assert_eq!(outcome(&scratch), "reviewer_dispatch_failed");
        assert!(
            ran.err.contains("is left alone: it is of task") && ran.err.contains(&value.to_string()),
            "{}",
            ran.err
        );
        assert_eq!(scratch.read("review_report.json"), other);
        script(&scratch, APPROVES);
        scratch.run(&["--resume"], &[]).expect(0);
        assert_eq!(outcome(&scratch), "approved");
    }
}

#[test]
fn reports_that_are_links_pipes_folders_or_huge_are_not_read_and_stay() {
    let cases = [
        ("ln -s \"$OUTSIDE\" .loop/work_report.json", "it is a symbolic link"),
        ("mkfifo .loop/work_report.json", "it is not a regular file"),
        ("mkdir .loop/work_report.json", "it is not a regular file"),
        ("truncate -s 40M .loop/work_report.json", "it has more than 32 MiB"),
    ];
    for (makes, expected) in cases {
        let scratch = Scratch::new();
        let outside = scratch.outside().join("theirs.json");
        let report = json!({"task_id": "T-001", "round": 1, "head_sha": "HEAD"}).to_string();
        fs::write(&outside, &report).unwrap();
        script(&scratch, &format!("work; rm .loop/work_report.json; {makes}"));
        let ran = scratch.run(&[], &[("OUTSIDE", outside.to_str().unwrap())]).expect(3);
        assert_eq!(outcome(&scratch), "invalid_work_report", "{makes}");
        assert!(ran.err.contains(expected), "{}", ran.err);
        script(&scratch, "[ $role = worker ] && { work; exit; }; review '\"decision\":\"approve\"'");
        scratch.run(&[], &[]).expect(0);
        assert!(scratch.bus().join("work_report.json.aside-1").symlink_metadata().is_ok(), "{makes}");
        assert_eq!(fs::read_to_string(&outside).unwrap(), report, "nothing is written through it");
    }
}

#[test]
fn cards_that_cannot_be_used_are_named_and_nobody_is_paid() {
    let scratch = Scratch::new();
    let card = scratch.bus().join("task_card.json");
    let refused = |expected: &str| {
        let ran = scratch.run(&[], &[]).expect(1);
        assert!(ran.err.contains("task_card.json") && ran.err.contains(expected), "{expected}: {}", ran.err);
        assert_eq!(scratch.calls(), Vec::<String>::new());
        assert!(!scratch.bus().join("state.json").exists());
    };
    let cases: [(&[u8], &str); 8] = [
        (b"", "it ends too early"),
        (b"{\"task_id\": \"T-001\", ", "it ends too early"),
        (b"[]", "not a list"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"{\"task_id\": 7}", "`task_id` must be a text"),
        (b"{\"task_id\": \"T-001\", \"in_scope\": \"src\"}", "`in_scope` must be a list"),
        (b"{\"task_id\": \"--output\"}", "it begins with a dot or a dash"),
        (b"{\"task_id\": \"T\\u202e1\"}", "cannot be seen"),
    ];
    for (bytes, expected) in cases {
        fs::write(&card, bytes).unwrap();
        refused(expected);
        assert_eq!(fs::read(&card).unwrap(), bytes);
    }
    fs::File::create(&card).unwrap().set_len(40 << 20).unwrap();
    refused("it has more than 32 MiB");
    fs::remove_file(&card).unwrap();
    refused("it is not there");
    nix::unistd::mkfifo(&card, nix::sys::stat::Mode::S_IRWXU).unwrap();
    refused("it is not a regular file");
    fs::remove_file(&card).unwrap();
    symlink("/dev/null", &card).unwrap();
    refused("it is a symbolic link");
}

#[test]
fn a_state_that_cannot_be_used_is_told_and_taken_from_its_copy() {
    let cases: [(&[u8], &str); 5] = [
        (b"{\"state\": ", "it ends too early"),
        (b"[]", "not a list"),
        (b"\xff", "it is not UTF-8"),
        (b"{\"state\": \"awaiting_work\", \"round\": \"2\"}", "`round` must be an integer"),
        (b"{\"state\": \"awaiting_work\", \"round\": 2, \"task_id\": \"../x\"}", "`task_id` is refused"),
    ];
    for (bytes, expected) in cases {
        let scratch = Scratch::new();
        let state = scratch.bus().join("state.json");
        fs::write(&state, bytes).unwrap();
        let ran = scratch.run(&["--resume"], &[]).expect(3);
        assert!(ran.err.contains(expected) && ran.err.contains("invalid_resume_state"), "{}", ran.err);
        assert_eq!(fs::read(&state).unwrap(), bytes);
        let ran = scratch.call(&["status", "--loop-dir", ".loop"], &[]).expect(0);
        assert!(ran.err.contains(expected) && ran.out.contains("idle"), "{}", ran.all());
    }
    let scratch = Scratch::new();
    scratch.run(&["--single-round", "--round", "1"], &[]).expect(0);
    fs::write(scratch.bus().join("state.json"), "{").unwrap();
    fs::remove_dir_all(scratch.noted()).unwrap();
    let ran = scratch.run(&["--resume"], &[]).expect(0);
    assert!(ran.err.contains("taken from its copy"), "{}", ran.err);
    assert_eq!(scratch.calls(), ["codex.reviewer.r2", "codex.worker.r2"], "round 1 is not paid again");
    assert_eq!(fs::read_to_string(scratch.bus().join("state.json.broken-1")).unwrap(), "{");
    assert_eq!(outcome(&scratch), "approved");
}

#[test]
fn what_the_reviewer_required_survives_its_list() {
    let cases = [
        ("it is not there", None),
        ("it ends too early", Some("{\"task_id\": ")),
        ("round 9", Some("{\"task_id\": \"T-001\", \"round\": 9, \"fixes\": []}")),
    ];
    for (expected, text) in cases {
        let scratch = Scratch::new();
        scratch.run(&["--single-round", "--round", "1"], &[]).expect(0);
        let list = scratch.bus().join("fix_list.json");
        match text {
            Some(text) => fs::write(list, text).unwrap(),
            None => fs::remove_file(list).unwrap(),
        }
        let ran = scratch.run(&["--resume"], &[]).expect(0);
        assert!(ran.err.contains(expected) && ran.err.contains("is taken from the archive"), "{}", ran.err);
        let told = fs::read_to_string(scratch.noted().join("codex.worker.r2.stdin")).unwrap();
        assert!(told.contains("Required: use +"), "{told}");
    }
    let scratch = Scratch::new();
    scratch.run(&["--single-round", "--round", "1"], &[]).expect(0);
    for name in ["fix_list.json", "review_report.json"] {
        fs::remove_file(scratch.bus().join(name)).unwrap();
    }
    fs::remove_dir_all(scratch.bus().join("archive")).unwrap();
    let ran = scratch.run(&["--resume"], &[]).expect(0);
    assert!(ran.err.contains("is not told what the reviewer of round 1 required"), "{}", ran.err);
}

#[test]
fn a_lost_report_or_request_pays_no_worker_again() {
    let scratch = Scratch::of_fixture("interrupted-round2-review");
    for name in ["work_report.json", "review_request.json"] {
        fs::remove_file(scratch.bus().join(name)).unwrap();
    }
    scratch.run(&["--resume"], &[]).expect(0);
    assert_eq!(scratch.calls(), ["codex.reviewer.r2"]);
    assert_eq!(scratch.read("review_request.json")["head_sha"], scratch.read("summary.json")["head_sha"]);
    assert_eq!(outcome(&scratch), "approved");
}

#[test]
fn commits_and_conversations_that_look_like_options_reach_nobody() {
    let scratch = Scratch::new();
    scratch.run(&["--single-round", "--round", "1"], &[]).expect(0);
    let good = scratch.state();
    let resumed = |change: &dyn Fn(&mut Value)| {
        let mut state = good.clone();
        change(&mut state);
        fs::write(scratch.bus().join("state.json"), state.to_string()).unwrap();
        let _ = fs::remove_dir_all(scratch.noted());
        scratch.run(&["--resume"], &[])
    };
    let ran = resumed(&|state| state["base_sha"] = json!("--output=written")).expect(3);
    assert!(
        ran.err.contains("invalid_resume_state") && ran.err.contains("it looks like an option"),
        "{}",
        ran.err
    );
    assert!(!scratch.root().join("written").exists() && scratch.calls().is_empty());
    let gone = "0123456789012345678901234567890123456789";
    let ran = resumed(&|state| state["base_sha"] = json!(gone)).expect(3);
    assert!(ran.err.contains(gone) && scratch.calls().is_empty(), "{}", ran.err);
    resumed(&|state| state["sessions"]["worker"]["session_id"] = json!("--evil")).expect(0);
    let called = fs::read_to_string(scratch.noted().join("codex.worker.r2.argv")).unwrap();
    assert!(!called.contains("evil") && !called.contains("resume"), "{called}");
}

#[test]
fn names_and_contents_that_are_no_utf8_and_submodules_pass() {
    let scratch = Scratch::new();
    let worker = "printf 'caf\\351\\n' > \"$(printf 'caf\\351.txt')\"; printf 'a\\000b' > data.bin; git add -A; \
                  git update-index --add --cacheinfo 160000,$(git rev-parse HEAD),vendor; git commit -q -m w; printf \
                  '{\"task_id\":\"T-001\",\"round\":1,\"head_sha\":\"%s\"}' \"$(git rev-parse HEAD)\" > \
                  .loop/work_report.json";
    script(
        &scratch,
        &format!("[ $role = worker ] && {{ {worker}; exit; }}; review '\"decision\":\"approve\"'"),
    );
    scratch.run(&[], &[]).expect(0);
    let request = scratch.read("review_request.json");
    let diff = request["diff"].as_str().unwrap();
    for part in ["+caf\u{fffd}", "Binary files", "+Subproject commit"] {
        assert!(diff.contains(part), "{part}: {diff}");
    }
    let files = scratch.read("summary.json")["files_changed"].clone();
    assert_eq!(files, json!(["caf\u{fffd}.txt", "data.bin", "vendor"]));
    // A tree whose own name is no text, and HEAD on no branch.
    let folder = scratch.outside().join(OsStr::from_bytes(b"caf\xe9"));
    let (from, to) = (scratch.root(), folder.clone());
    std::process::Command::new("git").args(["clone", "-q"]).arg(from).arg(&to).status().unwrap();
    fs::create_dir(folder.join(".loop")).unwrap();
    fs::copy(scratch.bus().join("task_card.json"), folder.join(".loop/task_card.json")).unwrap();
    let worker = "echo more >> src/app.py; git commit -q -a -m w; printf \
                  '{\"task_id\":\"T-001\",\"round\":1,\"head_sha\":\"HEAD\"}' > .loop/work_report.json";
    script(
        &scratch,
        &format!(
            "printf '%s ' \"$@\" > .loop/called; [ $role = worker ] && {{ {worker}; exit; }}; review '\"decision\":\"approve\"'"
        ),
    );
    let args = ["run", "--loop-dir", ".loop", "--auto-dispatch"];
    Ran::of(scratch.command(&args, &[]).current_dir(&folder).output().unwrap()).expect(0);
    let called = fs::read_to_string(folder.join(".loop/called")).unwrap();
    assert!(called.contains(" -C . "), "{called}");
    let json = ["status", "--loop-dir", ".loop", "--format", "json"];
    Ran::of(scratch.command(&json, &[]).current_dir(&folder).output().unwrap()).expect(0);
}

#[test]
fn a_merge_in_progress_is_finished_first() {
    let scratch = Scratch::new();
    scratch.git(&["checkout", "-q", "-b", "side"]);
    scratch.put("side.txt", "x\n");
    scratch.commit("side");
    scratch.git(&["checkout", "-q", "main"]);
    scratch.git(&["merge", "-q", "--no-commit", "--no-ff", "side"]);
    for more in [&[][..], &["--allow-dirty"]] {
        let ran = scratch.run(more, &[]).expect(4);
        assert!(ran.err.contains("a merge is in progress"), "{}", ran.err);
    }
    assert!(scratch.calls().is_empty() && scratch.root().join("side.txt").exists());
    scratch.git(&["merge", "--abort"]);
    scratch.run(&[], &[]).expect(0);
}

#[test]
fn hostile_cards_and_links_write_nothing_outside() {
    let scratch = Scratch::new();
    let card = json!({"task_id": "../../x", "goal": "g"});
    fs::write(scratch.bus().join("task_card.json"), card.to_string()).unwrap();
    let ran = scratch.run(&[], &[]).expect(1);
    assert!(ran.err.contains("the task id"), "{}", ran.err);
    assert!(!scratch.root().join("x").exists() && !scratch.outside().join("x").exists());
    let scratch = Scratch::new();
    let target = scratch.outside().join("elsewhere.json");
    fs::write(&target, "{}").unwrap();
    symlink(&target, scratch.bus().join("state.json")).unwrap();
    scratch.run(&[], &[]).expect(1);
    assert_eq!(fs::read_to_string(&target).unwrap(), "{}");
    assert!(scratch.calls().is_empty());
}
