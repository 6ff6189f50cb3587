//! The gates that a folder shows: test runners, then companion tools (koru §4.6).
//!
//! Every runner that is detected is a gate of its own. A manifest whose program is not there is a gate that is skipped
//! with the reason; a folder that shows nothing has no gates, which is no success either.

use std::path::Path;

use super::manifests::{self, Package, Says};
use super::{GatePlan, Planned};
use crate::plan::surroundings::Surroundings;

/// All gates of `folder`, in a fixed order.
pub(super) fn gates(folder: &Path, machine: &Surroundings) -> Vec<GatePlan> {
    let look = Look { folder, machine };
    let found = [
        look.task(),
        look.pytest(),
        look.node(),
        look.make(),
        look.cargo(),
        look.go(),
        look.gradle(),
        look.maven(),
        look.testql(),
        look.wup(),
        look.regix(),
    ];
    found.into_iter().flatten().collect()
}

struct Look<'a> {
    folder: &'a Path,
    machine: &'a Surroundings,
}

fn runs(gate: &str, command: impl Into<String>) -> Option<GatePlan> {
    Some(GatePlan { gate: gate.to_owned(), planned: Planned::Run { command: command.into() } })
}

fn skips(gate: &str, why: impl Into<String>) -> Option<GatePlan> {
    Some(GatePlan { gate: gate.to_owned(), planned: Planned::Skip { why: why.into() } })
}

impl Look<'_> {
    fn has(&self, name: &str) -> bool {
        self.folder.join(name).is_file()
    }

    /// The first of these files that is there.
    fn first<'n>(&self, names: &[&'n str]) -> Option<&'n str> {
        names.iter().find(|name| self.has(name)).copied()
    }

    fn installed(&self, program: &str) -> bool {
        self.machine.find_program(program).is_some()
    }

    /// A gate of one program.
    fn gate(&self, gate: &str, program: &str, command: &str, because: &str) -> Option<GatePlan> {
        if self.installed(program) {
            return runs(gate, command);
        }
        skips(gate, format!("{because}, but `{program}` is not on PATH; install it or set ci.command"))
    }

    fn task(&self) -> Option<GatePlan> {
        let names = [
            "Taskfile.yml",
            "Taskfile.yaml",
            "taskfile.yml",
            "taskfile.yaml",
            "Taskfile.dist.yml",
            "Taskfile.dist.yaml",
        ];
        let name = self.first(&names)?;
        match manifests::taskfile(&manifests::text(&self.folder.join(name))?) {
            Says::Nothing => None,
            Says::Broken(why) => skips("task test", format!("{name} is of no use: {why}")),
            Says::Tests if !self.installed("task") && self.installed("go-task") => {
                runs("task test", "go-task test")
            }
            Says::Tests => self.gate("task test", "task", "task test", &format!("{name} has a task `test`")),
        }
    }

    fn pytest(&self) -> Option<GatePlan> {
        let because = self.python_tests()?;
        // The folder's own environment first; one of another checkout would test that checkout's code.
        let own = [".venv/bin/pytest", "venv/bin/pytest"].into_iter().find(|path| self.has(path));
        if let Some(own) = own {
            return runs("pytest", format!("{own} -q"));
        }
        for (lock, program) in [("uv.lock", "uv"), ("poetry.lock", "poetry")] {
            if self.has(lock) && self.installed(program) {
                return runs("pytest", format!("{program} run pytest -q"));
            }
        }
        self.gate("pytest", "pytest", "pytest -q", &because)
    }

    /// Why this looks like a project with Python tests.
    fn python_tests(&self) -> Option<String> {
        if let Some(name) =
            self.first(&["pytest.ini", "conftest.py", "tests/conftest.py", "test/conftest.py"])
        {
            return Some(format!("there is {name}"));
        }
        let sections =
            [("pyproject.toml", "[tool.pytest"), ("setup.cfg", "[tool:pytest]"), ("tox.ini", "[pytest]")];
        for (name, section) in sections {
            let says = manifests::text(&self.folder.join(name)).is_some_and(|text| text.contains(section));
            if says {
                return Some(format!("{name} configures pytest"));
            }
        }
        let is_test =
            |name: &str| name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"));
        let places = [("tests", 3), ("test", 3), (".", 0)];
        let there = places.iter().any(|(folder, depth)| holds(&self.folder.join(folder), *depth, &is_test));
        there.then(|| "there are Python tests".to_owned())
    }

    fn node(&self) -> Option<GatePlan> {
        let text = manifests::text(&self.folder.join("package.json"))?;
        let package = match Package::parse(&text) {
            Ok(package) => package,
            Err(why) => return skips("npm test", why),
        };
        if !package.has_tests() {
            return None;
        }
        let by_lock = [
            ("bun.lock", "bun"),
            ("bun.lockb", "bun"),
            ("pnpm-lock.yaml", "pnpm"),
            ("yarn.lock", "yarn"),
            ("package-lock.json", "npm"),
        ];
        let locked = by_lock.iter().find(|(lock, _)| self.has(lock)).map(|(_, manager)| *manager);
        let manager = package.manager().or(locked).unwrap_or("npm");
        let gate = format!("{manager} test");
        // Node looks for modules in every folder above as well, which a worktree inside its project relies on.
        let above = self.folder.ancestors().any(|folder| folder.join("node_modules").is_dir());
        if package.has_dependencies() && !above && !self.has(".pnp.cjs") {
            return skips(
                &gate,
                "the dependencies of package.json are not installed here (no node_modules); install them or set ci.command",
            );
        }
        // `bun test` is bun's own runner and would pass the script by.
        let command = if manager == "bun" { "bun run test" } else { gate.as_str() };
        self.gate(&gate, manager, command, "package.json has a test script")
    }

    fn make(&self) -> Option<GatePlan> {
        let name = self.first(&["GNUmakefile", "makefile", "Makefile"])?;
        if !manifests::makefile(&manifests::text(&self.folder.join(name))?) {
            return None;
        }
        self.gate("make test", "make", "make test", &format!("{name} has a target `test`"))
    }

    fn cargo(&self) -> Option<GatePlan> {
        self.first(&["Cargo.toml"])?;
        self.gate("cargo test", "cargo", "cargo test", "there is Cargo.toml")
    }

    fn go(&self) -> Option<GatePlan> {
        self.first(&["go.mod", "go.work"])?;
        self.gate("go test", "go", "go test ./...", "there is a Go module")
    }

    fn gradle(&self) -> Option<GatePlan> {
        let build = ["build.gradle", "build.gradle.kts", "settings.gradle", "settings.gradle.kts"];
        let name = self.first(&build)?;
        self.java("gradle test", name, "gradlew", "gradle", "--console=plain test")
    }

    fn maven(&self) -> Option<GatePlan> {
        let name = self.first(&["pom.xml"])?;
        self.java("maven test", name, "mvnw", "mvn", "-B -q test")
    }

    fn java(&self, gate: &str, name: &str, wrapper: &str, program: &str, words: &str) -> Option<GatePlan> {
        if !self.installed("java") && !self.machine.has("JAVA_HOME") {
            return skips(
                gate,
                format!("there is {name}, but no Java (neither `java` on PATH nor JAVA_HOME)"),
            );
        }
        // Through the shell, so that a wrapper that lost its mode in the worktree still runs.
        if self.has(wrapper) {
            return runs(gate, format!("sh ./{wrapper} {words}"));
        }
        self.gate(gate, program, &format!("{program} {words}"), &format!("there is {name}"))
    }

    fn testql(&self) -> Option<GatePlan> {
        if !holds(self.folder, 6, &|name| name.ends_with(".testql.toon.yaml")) {
            return None;
        }
        let command = "testql suite --pattern \"*.testql.toon.yaml\" --output console --fail-fast";
        self.gate("testql", "testql", command, "there are testql scenarios")
    }

    fn wup(&self) -> Option<GatePlan> {
        self.first(&["wup.yaml"])?;
        self.gate("wup", "wup", "wup status", "there is wup.yaml")
    }

    fn regix(&self) -> Option<GatePlan> {
        self.first(&["regix.yaml"])?;
        self.gate("regix", "regix", "regix gates", "there is regix.yaml")
    }
}

/// Folders that hold other people's files.
const FOREIGN: [&str; 7] = ["node_modules", "target", "vendor", "dist", "build", "venv", "__pycache__"];

/// Folders that are looked into at most.
const MAX_FOLDERS: usize = 2000;

/// Whether a file that `likes` stands at most `depth` folders down; hidden and foreign folders and links are left out.
fn holds(top: &Path, depth: usize, likes: &dyn Fn(&str) -> bool) -> bool {
    let mut open = vec![(top.to_owned(), depth)];
    let mut seen = 0;
    while let Some((folder, depth)) = open.pop() {
        seen += 1;
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let (Some(name), Ok(kind)) = (name.to_str(), entry.file_type()) else { continue };
            if kind.is_file() && likes(name) {
                return true;
            }
            let inside = kind.is_dir() && depth > 0 && !name.starts_with('.') && !FOREIGN.contains(&name);
            if inside && seen + open.len() < MAX_FOLDERS {
                open.push((entry.path(), depth - 1));
            }
        }
    }
    false
}
