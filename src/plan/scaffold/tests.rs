//! `init` and `bootstrap` on real folders (koru A01–A06, A09, A10).

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use tempfile::TempDir;

use super::*;

fn clock() -> Clock {
    Clock::manual("2026-11-21T07:00:00Z".parse::<Timestamp>().unwrap())
}

/// Every file of a project with its content, `.store.lock` aside.
fn files(root: &Path) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if entry.file_name() != ".store.lock" {
                let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

fn with_pipeline(text: &str) -> (TempDir, InitOptions) {
    let dir = tempfile::tempdir().unwrap();
    let from = dir.path().join("pipe.yaml");
    std::fs::write(&from, text).unwrap();
    (dir, InitOptions { from: Some(from), ..InitOptions::default() })
}

const ONE_TASK: &str = "description: Ship it\ntasks:\n  - {id: WEB-041, name: Only one}\n";

#[test]
fn a01_a02_an_empty_folder_becomes_a_project_and_nothing_else_appears() {
    let dir = tempfile::tempdir().unwrap();
    let report = init(dir.path(), &InitOptions::default(), &clock()).unwrap();
    let project = dir.path().canonicalize().unwrap();
    assert_eq!(
        report,
        InitReport {
            project,
            sprint: "current".to_owned(),
            imported: 2,
            starter: true,
            config_written: true,
            policy_written: true,
            settings_written: true,
            gitignore: GitignoreChange::Created,
            backup: None,
            warnings: Vec::new(),
        }
    );
    let names: Vec<String> = files(dir.path()).into_keys().collect();
    assert_eq!(
        names,
        [
            ".gitignore",
            ".planfile/.koru/config.yaml",
            ".planfile/.koru/policy.yaml",
            ".planfile/config.yaml",
            ".planfile/sprints/current.yaml"
        ]
    );
    let (policy, notes) = crate::plan::policy::Policy::load(dir.path());
    assert_eq!(notes, []);
    let expected = crate::plan::policy::Policy { ci_timeout_seconds: 600, ..Default::default() };
    assert_eq!(policy, expected, "the stub opens nothing");
    let (settings, notes) = crate::plan::settings::Settings::load(dir.path());
    assert_eq!((settings, notes), Default::default());
    let config = &files(dir.path())[".planfile/config.yaml"];
    assert!(config.contains("next_id: 3\nprefix: STARTER\n"), "{config}");
    assert!(is_initialised(dir.path()));
}

#[test]
fn a03_a04_a05_a_second_init_changes_nothing_and_force_imports_again() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(".gitignore"), "target\n").unwrap();
    init(dir.path(), &InitOptions::default(), &clock()).unwrap();
    let policy = ProjectPaths::new(dir.path()).policy();
    std::fs::write(&policy, "llm: {allow_commit: true} # mine\n").unwrap();
    let before = files(dir.path());
    let error = init(dir.path(), &InitOptions::default(), &clock()).unwrap_err();
    assert!(matches!(error, InitError::AlreadyInitialised(_)));
    assert_eq!(error.exit_code(), 1);
    assert_eq!(files(dir.path()), before);

    let sprint = ProjectPaths::new(dir.path()).sprints().join("current.yaml");
    let edited = before[".planfile/sprints/current.yaml"].replace("Check that", "Make sure that");
    std::fs::write(&sprint, &edited).unwrap();
    std::fs::write(sprint.with_extension("yaml.fast.json"), "{}").unwrap();
    let again = InitOptions { force: true, ..InitOptions::default() };
    let report = init(dir.path(), &again, &clock()).unwrap();
    assert_eq!((report.imported, report.policy_written, report.config_written), (2, false, false));
    assert_eq!(report.gitignore, GitignoreChange::Untouched);
    let mut expected = before;
    expected.insert(".planfile/.koru/backups/current-20261121T070000Z.yaml".to_owned(), edited);
    assert_eq!(
        files(dir.path()),
        expected,
        "the policy and the ignore file are untouched, the mirror is gone"
    );
    init(dir.path(), &again, &clock()).unwrap();
    assert!(files(dir.path()).contains_key(".planfile/.koru/backups/current-20261121T070000Z-2.yaml"));
}

#[test]
fn a06_a_pipeline_is_imported_without_the_starter() {
    let (dir, options) = with_pipeline(ONE_TASK);
    let root = dir.path().join("deep/project");
    let report = init(&root, &options, &clock()).unwrap();
    assert_eq!((report.imported, report.starter), (1, false));
    let files = files(&root);
    let sprint = &files[".planfile/sprints/current.yaml"];
    assert!(sprint.contains("WEB-041") && !sprint.contains("STARTER"), "{sprint}");
    assert!(files[".planfile/config.yaml"].contains("next_id: 42\nprefix: WEB\nproject: project\n"));
}

#[test]
fn an_invalid_pipeline_writes_nothing_at_all() {
    let bad =
        "tasks:\n  - {id: A, name: a}\n  - {id: A, name: b, priority: urgent, executor: {kind: martian}}\n";
    let (dir, options) = with_pipeline(bad);
    let root = dir.path().join("project");
    let error = init(&root, &options, &clock()).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    for word in ["more than once", "martian", "urgent"] {
        assert!(error.to_string().contains(word), "{error}");
    }
    assert!(!root.exists());
    let options = InitOptions { from: Some("/nonexistent.yaml".into()), ..InitOptions::default() };
    assert_eq!(init(&root, &options, &clock()).unwrap_err().exit_code(), 2);
    let options = InitOptions { sprint: "../x".to_owned(), ..InitOptions::default() };
    assert_eq!(init(&root, &options, &clock()).unwrap_err().exit_code(), 2);
    assert!(!root.exists());
}

#[test]
fn a10_bootstrap_refuses_a_second_time_and_force_replaces() {
    let text = "tasks:\n  - {id: A-1, name: a}\n  - {id: A-2, name: b, blocked_by: [A-1]}\n";
    let (dir, options) = with_pipeline(text);
    let from = options.from.unwrap();
    let root = dir.path().join("project");
    bootstrap(&root, &from, "current", false, &clock()).unwrap();
    let sprint = files(&root)[".planfile/sprints/current.yaml"].clone();
    assert!(sprint.contains("state: ready") && sprint.contains("state: pending"), "{sprint}");
    assert!(!root.join(".gitignore").exists() && !ProjectPaths::new(&root).policy().exists());
    let error = bootstrap(&root, &from, "current", false, &clock()).unwrap_err();
    assert_eq!(error.exit_code(), 1);
    assert!(error.to_string().contains("already exists"), "{error}");
    assert!(bootstrap(&root, &from, "current", true, &clock()).unwrap().backup.is_some());
    let other = bootstrap(&root, &from, "next", false, &clock()).unwrap();
    assert_eq!(
        other.warnings,
        ["A-1 also stands in the sprint current", "A-2 also stands in the sprint current"]
    );
}

#[test]
fn a_lone_config_is_no_planfile_and_is_kept() {
    let (dir, options) = with_pipeline(ONE_TASK);
    let root = dir.path().join("project");
    let paths = ProjectPaths::new(&root);
    std::fs::create_dir_all(paths.planfile()).unwrap();
    std::fs::write(paths.config(), "# mine\nnext_id: 7\nprefix: WEB\nproject: shop\nstorage: {}\n").unwrap();
    assert!(!is_initialised(&root));
    let report = init(&root, &options, &clock()).unwrap();
    assert_eq!((report.config_written, report.warnings), (false, Vec::new()));
    assert_eq!(
        files(&root)[".planfile/config.yaml"],
        "# mine\nnext_id: 42\nprefix: WEB\nproject: shop\nstorage: {}\n"
    );
}

#[test]
fn a_broken_or_sharded_config_is_refused_and_left_alone() {
    for text in ["a: [", "storage: {backend: sharded-yaml}\n"] {
        let dir = tempfile::tempdir().unwrap();
        let paths = ProjectPaths::new(dir.path());
        std::fs::create_dir_all(paths.planfile()).unwrap();
        std::fs::write(paths.config(), text).unwrap();
        let error = init(dir.path(), &InitOptions::default(), &clock()).unwrap_err();
        assert!(matches!(error, InitError::Config { .. }), "{error}");
        assert_eq!(
            files(dir.path()),
            BTreeMap::from([(".planfile/config.yaml".to_owned(), text.to_owned())])
        );
    }
}

#[test]
fn the_explainer_is_written_with_the_first_runs_folder_only() {
    let dir = tempfile::tempdir().unwrap();
    let runs = ensure_runs_dir(dir.path()).unwrap();
    let readme = ProjectPaths::new(dir.path()).koru().join("README.md");
    assert!(runs.is_dir() && readme.is_file());
    std::fs::remove_file(&readme).unwrap();
    ensure_runs_dir(dir.path()).unwrap();
    assert!(!readme.exists());
}
