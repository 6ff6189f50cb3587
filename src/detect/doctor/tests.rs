//! The doctor on small projects, each with one thing wrong.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::base::paths::ProjectPaths;

const CONFIG: &str = "next_id: 3\nprefix: PLF\nproject: demo\nstorage:\n  backend: single-yaml\n";

fn ticket(id: &str, rest: &str) -> String {
    let rest: String = rest.lines().map(|line| format!("      {line}\n")).collect();
    format!("    {id}:\n      id: {id}\n      name: n\n{rest}")
}

fn sprint(tickets: &[String]) -> String {
    format!("sprint:\n  id: current\n  name: s\n  status: active\n  tickets:\n{}", tickets.concat())
}

/// A git project with two healthy tickets, in which every check passes or says that something optional is missing.
fn healthy() -> (TempDir, ProjectPaths) {
    let dir = tempfile::tempdir().unwrap();
    let paths = ProjectPaths::new(dir.path());
    fs::create_dir(dir.path().join(".git")).unwrap();
    fs::write(dir.path().join(".gitignore"), ".planfile/.koru/\n").unwrap();
    fs::create_dir_all(paths.sprints()).unwrap();
    fs::create_dir_all(paths.koru()).unwrap();
    fs::write(paths.config(), CONFIG).unwrap();
    fs::write(paths.policy(), "ci:\n  command: true\n").unwrap();
    put(&paths, "current", &[ticket("PLF-001", ""), ticket("PLF-002", "blocked_by:\n- PLF-001")]);
    (dir, paths)
}

fn put(paths: &ProjectPaths, stem: &str, tickets: &[String]) {
    fs::write(paths.sprints().join(format!("{stem}.yaml")), sprint(tickets)).unwrap();
}

fn options() -> DoctorOptions {
    DoctorOptions {
        clock: Clock::manual("2026-11-21T12:00:00Z".parse().unwrap()),
        ..DoctorOptions::default()
    }
}

fn examine_at(root: &Path) -> Report {
    run(root, &options())
}

#[track_caller]
fn check(report: &Report, name: &str) -> (CheckStatus, String) {
    let check = report.checks.iter().find(|check| check.name == name);
    let check = check.unwrap_or_else(|| panic!("no check {name} in\n{}", report.to_text()));
    (check.status, check.detail.clone())
}

#[track_caller]
fn says(root: &Path, name: &str, status: CheckStatus, text: &str) {
    let (found, detail) = check(&examine_at(root), name);
    assert_eq!(found, status, "{name}: {detail}");
    assert!(detail.contains(text), "{name}: {detail:?} does not say {text:?}");
}

use CheckStatus::{Fail, Pass, Skip, Warn};

#[test]
fn a_healthy_project_has_its_checks_in_the_fixed_order() {
    let (dir, _) = healthy();
    let report = examine_at(dir.path());
    let found: Vec<(&str, CheckStatus)> =
        report.checks.iter().map(|check| (check.name.as_str(), check.status)).collect();
    assert_eq!(
        found,
        [
            ("git_repo", Pass),
            ("planfile_binary", Warn),
            ("planfile_config", Pass),
            ("planfile_sprints", Pass),
            ("runtime_dir", Pass),
            ("policy_yaml", Warn),
            ("gitignore", Pass),
            ("ci_command", Warn),
            ("koru_config", Pass),
            ("sprint_syntax", Pass),
            ("invisible_tickets", Pass),
            ("duplicate_ids", Pass),
            ("next_id", Pass),
            ("dangling_blockers", Pass),
            ("blocker_cycles", Pass),
            ("cross_sprint_blockers", Pass),
            ("stuck_runs", Pass),
            ("expired_leases", Pass),
            ("storage_backend", Pass),
            ("planfile_writer", Pass),
            ("store_lock", Pass),
            ("mirrors", Pass),
            ("file_modes", Pass),
            ("inotify_limits", check(&report, "inotify_limits").0),
        ],
        "{}",
        report.to_text()
    );
    assert_eq!(check(&report, "planfile_sprints").1, "1 sprint(s), 2 ticket(s)");
    assert_eq!(report.exit_code(), 0);
}

#[test]
fn a24_without_git_there_is_a_warning_and_no_gitignore_check() {
    let (dir, _) = healthy();
    fs::remove_dir(dir.path().join(".git")).unwrap();
    let report = examine_at(dir.path());
    assert_eq!(check(&report, "git_repo").0, Warn);
    assert!(report.checks.iter().all(|check| check.name != "gitignore"));
    assert_eq!(report.exit_code(), 0);
}

#[test]
fn a25_an_empty_folder_fails_and_names_init() {
    let dir = tempfile::tempdir().unwrap();
    let report = examine_at(dir.path());
    assert_eq!(check(&report, "planfile_config").0, Fail);
    assert!(check(&report, "planfile_config").1.contains("koru-tui init"));
    assert_eq!(report.exit_code(), 1);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0, "the doctor writes nothing");
}

#[test]
fn the_json_and_the_text_have_korus_shape() {
    let report = Report {
        project: "/p".to_owned(),
        checks: vec![
            Check { name: "a".to_owned(), status: Pass, detail: "x".to_owned() },
            Check { name: "long".to_owned(), status: Warn, detail: "y".to_owned() },
            Check { name: "b".to_owned(), status: Fail, detail: "z".to_owned() },
        ],
    };
    assert_eq!(
        report.to_text(),
        "koru doctor — /p\n  [OK ] a     x\n  [WARN] long  y\n  [FAIL] b     z\n  3 checks, 1 passed, 1 warning(s), 1 failed\n"
    );
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!(
        json,
        json!({
            "schema_version": "1",
            "project": "/p",
            "summary": {"pass": 1, "warn": 1, "fail": 1, "skip": 0},
            "has_failures": true,
            "checks": [
                {"name": "a", "status": "pass", "detail": "x"},
                {"name": "long", "status": "warn", "detail": "y"},
                {"name": "b", "status": "fail", "detail": "z"},
            ],
        })
    );
}

#[test]
fn a_probe_that_crashes_is_a_failed_check() {
    let check = examine("x", || panic!("boom")).unwrap();
    assert_eq!((check.status, check.detail.as_str()), (Fail, "probe crashed: boom"));
    let check = examine("x", || Err("no disk\u{1b}[31m".to_owned())).unwrap();
    assert_eq!(check.status, Fail);
    assert!(check.detail.starts_with("probe crashed: no disk") && !check.detail.contains('\u{1b}'));
}

#[test]
fn planfile_config_and_sprints() {
    let (dir, paths) = healthy();
    fs::write(paths.config(), "a: [").unwrap();
    says(dir.path(), "planfile_config", Fail, "does not parse");
    fs::write(paths.config(), "- a").unwrap();
    says(dir.path(), "planfile_config", Fail, "is not a mapping");
    fs::write(paths.config(), CONFIG).unwrap();
    fs::write(paths.sprints().join("current.yaml"), "sprint:\n  tickets:\n    A: [\n").unwrap();
    says(dir.path(), "planfile_sprints", Fail, "current.yaml");
    says(dir.path(), "sprint_syntax", Fail, "current.yaml, line ");
    fs::write(paths.sprints().join("current.yaml"), "sprint:\n  id: a\n  name: b\n  tickets: {}\n").unwrap();
    says(dir.path(), "planfile_sprints", Warn, "1 sprint(s), 0 ticket(s)");
    fs::remove_file(paths.sprints().join("current.yaml")).unwrap();
    says(dir.path(), "planfile_sprints", Fail, "holds no sprint");
    fs::remove_dir(paths.sprints()).unwrap();
    says(dir.path(), "planfile_sprints", Fail, "is missing");
}

#[test]
fn programs_are_looked_up_on_the_given_machine() {
    let (dir, paths) = healthy();
    let tool = dir.path().join("planfile");
    fs::write(&tool, "").unwrap();
    fs::set_permissions(&tool, fs::Permissions::from_mode(0o755)).unwrap();
    let with = |name: &str, value: &str| {
        let surroundings = Surroundings::default().with(name, value);
        run(dir.path(), &DoctorOptions { surroundings, ..options() })
    };
    let root = dir.path().to_str().unwrap();
    assert_eq!(check(&with("PATH", root), "planfile_binary").0, Pass);
    assert_eq!(check(&with("KORU_PLANFILE_CMD", "nonesuch -m x"), "planfile_binary").0, Fail);
    assert_eq!(check(&with("KORU_PLANFILE_CMD", tool.to_str().unwrap()), "planfile_binary").0, Pass);

    for (command, status) in [
        ("planfile check", Pass),
        ("CI=1 planfile check", Pass),
        ("nonesuch -q", Fail),
        ("'unclosed", Fail),
        ("./planfile", Pass),
        ("cd x && nonesuch", Pass),
    ] {
        fs::write(paths.policy(), format!("ci:\n  command: {}\n", json!(command))).unwrap();
        assert_eq!(check(&with("PATH", root), "ci_command").0, status, "{command}");
    }
}

#[test]
fn policy_and_gitignore() {
    let (dir, paths) = healthy();
    fs::write(paths.policy(), "llm:\n  allow_commit: 'yes'\n").unwrap();
    says(dir.path(), "policy_yaml", Warn, "llm.allow_commit is text");
    fs::write(paths.policy(), "llm: [").unwrap();
    says(dir.path(), "policy_yaml", Fail, "not readable YAML");
    fs::write(paths.policy(), "llm: []").unwrap();
    says(dir.path(), "policy_yaml", Fail, "`llm` key is a list");
    fs::remove_file(paths.policy()).unwrap();
    says(dir.path(), "policy_yaml", Pass, "absent");
    fs::write(dir.path().join(".gitignore"), "target\n").unwrap();
    says(dir.path(), "gitignore", Warn, "is missing");
    fs::remove_file(dir.path().join(".gitignore")).unwrap();
    says(dir.path(), "gitignore", Warn, "no .gitignore");
}

#[test]
fn tickets_that_planfile_would_hide_are_named_with_their_line() {
    let (dir, paths) = healthy();
    put(&paths, "current", &[ticket("PLF-001", ""), ticket("PLF-002", "status: bogus")]);
    let (status, detail) = check(&examine_at(dir.path()), "invisible_tickets");
    assert_eq!(status, Warn, "{detail}");
    assert!(detail.contains("current.yaml line ") && detail.contains("PLF-002"), "{detail}");
}

#[test]
fn ids_blockers_and_rings() {
    let (dir, paths) = healthy();
    put(&paths, "backlog", &[ticket("PLF-001", "status: done")]);
    says(dir.path(), "duplicate_ids", Fail, "PLF-001 in current and backlog");
    put(&paths, "current", &[ticket("PLF-002", "blocked_by:\n- PLF-001\n- PLF-099")]);
    says(dir.path(), "duplicate_ids", Pass, "");
    says(dir.path(), "dangling_blockers", Warn, "PLF-002 waits for PLF-099, which does not exist");
    says(dir.path(), "cross_sprint_blockers", Warn, "PLF-002 waits for PLF-001, finished in backlog");
    put(
        &paths,
        "current",
        &[ticket("PLF-002", "blocked_by:\n- PLF-003"), ticket("PLF-003", "blocked_by:\n- PLF-002")],
    );
    says(dir.path(), "blocker_cycles", Warn, "PLF-002 → PLF-003 → PLF-002");
    says(dir.path(), "next_id", Fail, "set it to 4");
}

#[test]
fn an_archived_blocker_counts_only_when_planfile_can_find_it() {
    let (dir, paths) = healthy();
    put(&paths, "current", &[ticket("PLF-002", "blocked_by:\n- PLF-001")]);
    put(&paths, "history-2026-11-20", &[ticket("PLF-001", "status: done")]);
    says(dir.path(), "cross_sprint_blockers", Warn, "finished in history-2026-11-20");
    fs::create_dir_all(paths.index()).unwrap();
    fs::write(paths.index().join("history-locations.yaml"), "tickets:\n  PLF-001: history-2026-11-20\n")
        .unwrap();
    says(dir.path(), "cross_sprint_blockers", Pass, "");
}

#[test]
fn next_id_that_planfile_cannot_use() {
    let (dir, paths) = healthy();
    for (line, status) in
        [("next_id: 2", Fail), ("next_id: x", Fail), ("next_id: '3'", Pass), ("", Fail), ("next_id: 3", Pass)]
    {
        fs::write(paths.config(), format!("{line}\nprefix: PLF\nstorage: {{}}\n")).unwrap();
        assert_eq!(check(&examine_at(dir.path()), "next_id").0, status, "{line:?}");
    }
    fs::remove_file(paths.config()).unwrap();
    assert_eq!(check(&examine_at(dir.path()), "next_id").0, Skip);
}

#[test]
fn work_that_nobody_does() {
    let (dir, paths) = healthy();
    let started = "status: in_progress\nupdated_at: '2026-11-21T08:00:00Z'\nexecution:\n  state: running\n  assigned_to: me";
    put(&paths, "current", &[ticket("PLF-001", started)]);
    says(dir.path(), "stuck_runs", Warn, "PLF-001: in progress, and no run or lease holds it");
    let leased = format!("{started}\n  lease_expires_at: '2026-11-21T12:30:00+00:00'");
    put(&paths, "current", &[ticket("PLF-001", &leased)]);
    says(dir.path(), "stuck_runs", Pass, "");
    says(dir.path(), "expired_leases", Pass, "");
    let record = |supervisor: serde_json::Value| {
        let folder = paths.runs().join("PLF-001-0");
        fs::create_dir_all(&folder).unwrap();
        let record = json!({"ticket": "PLF-001", "state": "running", "supervisor": supervisor, "format": 1});
        fs::write(folder.join("run.json"), record.to_string()).unwrap();
    };
    record(json!({"pid": 4_000_000_000_u32, "start_ticks": 1, "boot_id": "x"}));
    says(dir.path(), "stuck_runs", Warn, "PLF-001: the program that ran it is gone");
    let own = crate::base::process::ProcessIdentity::own().unwrap();
    record(serde_json::to_value(own).unwrap());
    says(dir.path(), "stuck_runs", Pass, "");
    let over = format!("{started}\n  lease_expires_at: '2026-11-21T11:00:00+00:00'");
    put(&paths, "current", &[ticket("PLF-001", &over)]);
    says(dir.path(), "expired_leases", Warn, "PLF-001 of me, over since 2026-11-21T11:00:00Z");
}

#[test]
fn storage_lock_mirrors_and_modes() {
    let (dir, paths) = healthy();
    fs::write(paths.config(), "prefix: PLF\nnext_id: 3\nstorage:\n  backend: sharded-yaml\n").unwrap();
    says(dir.path(), "storage_backend", Fail, "sharded-yaml");
    fs::write(paths.config(), "prefix: PLF\nnext_id: 3\n").unwrap();
    says(dir.path(), "planfile_writer", Warn, "no `storage:` block");

    let held = fs::File::create(paths.store_lock()).unwrap();
    says(dir.path(), "store_lock", Pass, "free");
    held.lock().unwrap();
    says(dir.path(), "store_lock", Warn, "held by");
    drop(held);

    let yaml = paths.sprints().join("current.yaml");
    let stamp = crate::base::atomic::Stamp::read(&yaml).unwrap().unwrap().mtime_ns;
    let mirror = |stamp: i128, name: &str| {
        let two = json!({"id": "PLF-002", "name": "n", "blocked_by": ["PLF-001"]});
        let tickets = json!({"PLF-001": {"id": "PLF-001", "name": name}, "PLF-002": two});
        let data = json!({"sprint": {"id": "current", "name": "s", "status": "active", "tickets": tickets}});
        let mirror = json!({"version": 1, "yaml_mtime_ns": i64::try_from(stamp).unwrap(), "data": data});
        fs::write(paths.sprints().join("current.yaml.fast.json"), mirror.to_string()).unwrap();
    };
    mirror(stamp, "n");
    says(dir.path(), "mirrors", Pass, "1 trusted");
    mirror(stamp, "other");
    says(dir.path(), "mirrors", Fail, "current.yaml.fast.json");
    mirror(stamp + 1, "other");
    says(dir.path(), "mirrors", Pass, "0 trusted");

    fs::set_permissions(&yaml, fs::Permissions::from_mode(0o666)).unwrap();
    says(dir.path(), "file_modes", Warn, ".planfile/sprints/current.yaml can be changed by every user");
    fs::set_permissions(&yaml, fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir_all(paths.runs()).unwrap();
    fs::set_permissions(paths.runs(), fs::Permissions::from_mode(0o755)).unwrap();
    says(dir.path(), "file_modes", Warn, ".planfile/.koru/runs can be read by other users");
}

#[test]
fn the_configuration_and_the_layers_of_safety_have_their_checks() {
    let (dir, paths) = healthy();
    says(dir.path(), "koru_config", Pass, "absent; every default is in force");
    let put = |text: &str| fs::write(paths.koru_config(), text).unwrap();
    put("agents: {claude: }\nmcp: {docs: {command: /bin/sh}}\n");
    says(dir.path(), "koru_config", Pass, "1 agent(s), 1 MCP server(s)");
    put(
        "mcp: {docs: {command: no-such-docs, env_keys: [DOCS_KEY]}, web: {url: 'https://x', headers: {a: '${WEB_KEY}'}}}\n",
    );
    says(dir.path(), "koru_config", Warn, "mcp.docs: no-such-docs is not found");
    says(dir.path(), "koru_config", Warn, "mcp.docs: DOCS_KEY is not set");
    says(dir.path(), "koru_config", Warn, "mcp.web: WEB_KEY is not set");
    put("agents: {claude: {modle: x}}\n");
    says(
        dir.path(),
        "koru_config",
        Warn,
        "`agents.claude.modle` is no known key and does nothing; did you mean `model`?",
    );
    put("roles: {worker: nobody}\n");
    says(dir.path(), "koru_config", Warn, "`roles.worker` names the agent `nobody`");
    put("colour: red\nbudgets: {run_usd: lots}\n");
    says(dir.path(), "koru_config", Fail, "no agent is started until it is corrected");
    put("agents: [\n");
    says(dir.path(), "koru_config", Fail, ".planfile/.koru/config.yaml, line 2");
    let layer = |name: &str, active| SafetyLayer {
        name: name.to_owned(),
        active,
        detail: "ABI 7\u{1b}[31m".to_owned(),
    };
    let layers = vec![layer("write fence", true), layer("hooks", false)];
    let report = run(dir.path(), &DoctorOptions { layers, ..options() });
    assert_eq!(check(&report, "layer: write fence"), (Pass, "active; ABI 7^[[31m".to_owned()));
    assert_eq!(check(&report, "layer: hooks").0, Warn);
}
