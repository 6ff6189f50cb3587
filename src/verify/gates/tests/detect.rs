//! Which gates a folder shows.

use std::fs;
use std::path::Path;

use super::Place;
use crate::plan::policy::Policy;
use crate::verify::gates::{GatePlan, Planned, plan};

fn found(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(gate, command)| ((*gate).to_owned(), (*command).to_owned())).collect()
}

#[test]
fn every_runner_that_shows_itself_is_a_gate_of_its_own() {
    let place = Place::new(&[
        ("Taskfile.yml", "tasks: {test: x}"),
        ("pytest.ini", ""),
        ("package.json", r#"{"scripts": {"test": "node --test"}}"#),
        ("Makefile", "test:\n\ttrue\n"),
        ("Cargo.toml", ""),
        ("go.mod", ""),
        ("build.gradle.kts", ""),
        ("pom.xml", ""),
        ("mvnw", ""),
        ("deep/er/shop.testql.toon.yaml", ""),
        ("wup.yaml", ""),
        ("regix.yaml", ""),
    ]);
    let all = ["task", "pytest", "npm", "make", "cargo", "go", "gradle", "java", "testql", "wup", "regix"]
        .map(|name| (name, 0));
    let place = place.programs(&all);
    assert_eq!(
        place.planned(),
        found(&[
            ("task test", "task test"),
            ("pytest", "pytest -q"),
            ("npm test", "npm test"),
            ("make test", "make test"),
            ("cargo test", "cargo test"),
            ("go test", "go test ./..."),
            ("gradle test", "gradle --console=plain test"),
            ("maven test", "sh ./mvnw -B -q test"),
            ("testql", "testql suite --pattern \"*.testql.toon.yaml\" --output console --fail-fast"),
            ("wup", "wup status"),
            ("regix", "regix gates"),
        ])
    );
    let policy = Policy { ci_command: " make check ".to_owned(), ..Policy::default() };
    let only = GatePlan { gate: "ci".to_owned(), planned: Planned::Run { command: "make check".to_owned() } };
    assert_eq!(plan(&place.work(), &policy, &place.env()), [only], "the operator's command is the one gate");
}

#[test]
fn what_shows_no_tests_is_no_gate() {
    let place = Place::new(&[
        ("Taskfile.yml", "tasks: {build: x}"),
        ("pyproject.toml", "[project]\nname = 'x'\n"),
        ("setup.py", ""),
        ("package.json", r#"{"scripts": {"test": "echo \"Error: no test specified\" && exit 1"}}"#),
        ("Makefile", ".PHONY: test\nbuild:\n\ttrue\n"),
        ("node_modules/x/y.testql.toon.yaml", ""),
        ("node_modules/x/test_x.py", ""),
    ]);
    assert_eq!(place.programs(&[("npm", 0), ("make", 0), ("testql", 0)]).planned(), []);
}

#[test]
fn a_missing_program_skips_with_the_reason() {
    let place = Place::new(&[
        ("tests/unit/test_a.py", ""),
        ("package.json", r#"{"scripts": {"test": "vitest"}, "devDependencies": {"vitest": "1"}}"#),
        ("pnpm-lock.yaml", ""),
        ("Cargo.toml", ""),
        ("pom.xml", ""),
        ("Taskfile.yaml", "tasks: ["),
    ]);
    let planned = place.programs(&[("npm", 0)]).planned();
    let names: Vec<&str> = planned.iter().map(|(gate, _)| gate.as_str()).collect();
    assert_eq!(names, ["task test", "pytest", "pnpm test", "cargo test", "maven test"]);
    assert!(planned[0].1.starts_with("[Taskfile.yaml is of no use: it does not parse ("), "{planned:?}");
    assert_eq!(
        planned[1].1,
        "[there are Python tests, but `pytest` is not on PATH; install it or set ci.command]"
    );
    assert!(planned[2].1.contains("(no node_modules)"), "{planned:?}");
    assert_eq!(
        planned[3].1,
        "[there is Cargo.toml, but `cargo` is not on PATH; install it or set ci.command]"
    );
    assert!(planned[4].1.contains("no Java"), "{planned:?}");
}

#[test]
fn the_projects_own_package_manager_and_environment() {
    let script = r#"{"scripts": {"test": "x"}}"#;
    let node = |lock: &str| {
        let place = Place::new(&[("package.json", script), (lock, "")]);
        place.programs(&["npm", "pnpm", "yarn", "bun"].map(|name| (name, 0))).planned()
    };
    assert_eq!(node("package-lock.json"), found(&[("npm test", "npm test")]));
    assert_eq!(node("pnpm-lock.yaml"), found(&[("pnpm test", "pnpm test")]));
    assert_eq!(node("yarn.lock"), found(&[("yarn test", "yarn test")]));
    assert_eq!(node("bun.lock"), found(&[("bun test", "bun run test")]));
    let python = |name: &str| {
        let place = Place::new(&[("pyproject.toml", "[tool.pytest.ini_options]\n"), (name, "")]);
        place.programs(&["uv", "poetry", "pytest"].map(|name| (name, 0))).planned()
    };
    assert_eq!(python(".venv/bin/pytest"), found(&[("pytest", ".venv/bin/pytest -q")]));
    assert_eq!(python("uv.lock"), found(&[("pytest", "uv run pytest -q")]));
    assert_eq!(python("poetry.lock"), found(&[("pytest", "poetry run pytest -q")]));
    // A worktree inside its project finds the project's modules, as node itself does.
    let place = Place::new(&[("package.json", r#"{"scripts": {"test": "x"}, "dependencies": {"y": "1"}}"#)]);
    fs::create_dir(place.top.path().join("node_modules")).unwrap();
    assert_eq!(place.programs(&[("npm", 0)]).planned(), found(&[("npm test", "npm test")]));
}

#[test]
fn a_folder_that_is_not_there_has_no_gates() {
    assert_eq!(plan(Path::new("/nowhere"), &Policy::default(), &[]), []);
}
