//! The project as an agent finds it: git, markers of tools and languages (koru §2.1).

use std::path::Path;

use serde_json::{Map, Value, json};

use crate::base::repo;
use crate::plan::surroundings::Surroundings;

/// Branch, head, dirty and remote; nothing for a folder without a repository.
pub(super) fn git(root: &Path) -> Value {
    let facts = repo::facts(root);
    json!({"branch": facts.branch, "head": facts.head, "dirty": facts.dirty, "remote": facts.remote})
}

/// Folder, platform and markers. `python` is the interpreter an agent would get, not one that we run.
pub(super) fn project(root: &Path, machine: &Surroundings) -> Value {
    let python = ["python3", "python"].iter().find_map(|name| machine.find_program(name));
    json!({
        "cwd": root.to_string_lossy(),
        "name": root.file_name().map(|name| name.to_string_lossy().into_owned()),
        "python": python.map(|path| path.to_string_lossy().into_owned()),
        "platform": format!("{}-{}", std::env::consts::OS, std::env::consts::ARCH),
        "markers": markers(root),
    })
}

/// What stands in the project's root. The last four are ours.
fn markers(root: &Path) -> Map<String, Value> {
    let any = |names: &[&str]| names.iter().any(|name| root.join(name).exists());
    let found = [
        ("git", any(&[".git"])),
        ("planfile", any(&[".planfile"])),
        ("koru_policy", any(&[".planfile/.koru/policy.yaml"])),
        ("pyproject", any(&["pyproject.toml"])),
        ("package_json", any(&["package.json"])),
        ("taskfile", any(&["Taskfile.yml", "Taskfile.yaml", "taskfile.yml", "taskfile.yaml"])),
        ("makefile", any(&["Makefile", "makefile", "GNUmakefile"])),
        ("docker_compose", docker_compose(root)),
        ("windsurf_rules", any(&[".windsurf", ".windsurfrules"])),
        ("cursor_rules", any(&[".cursor", ".cursorrules"])),
        ("wup_yaml", any(&["wup.yaml", "wup.yml"])),
        ("regix_yaml", any(&["regix.yaml", "regix.yml"])),
        ("testql_scenarios", any(&["testql-scenarios", "testql-testing/scenarios"])),
        ("cargo_toml", any(&["Cargo.toml"])),
        ("go_mod", any(&["go.mod"])),
        ("cmake_lists", any(&["CMakeLists.txt"])),
        ("github_workflows", any(&[".github/workflows"])),
    ];
    found.into_iter().map(|(name, there)| (name.to_owned(), Value::Bool(there))).collect()
}

fn docker_compose(root: &Path) -> bool {
    let is_compose = |name: &str| {
        name.starts_with("docker-compose") && (name.ends_with(".yml") || name.ends_with(".yaml"))
    };
    std::fs::read_dir(root).is_ok_and(|entries| {
        entries.flatten().any(|entry| entry.file_name().to_str().is_some_and(is_compose))
    })
}
