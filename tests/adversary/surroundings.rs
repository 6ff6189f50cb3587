//! Variables and terminals that are not what they should be: what reaches children is what the documentation says, our
//! own git goes where it is told by us, and odd values break nothing.

use std::collections::BTreeSet;

use super::agents::bench::SCRIPTED;
use super::agents::stage::ID;
use super::cli::Place;
use super::hostile::{harmless, hostile};
use super::scene::Scene;
use super::support::project::{Project, human, shell};

/// What runs code in a program that is started, points git elsewhere, or is a secret: nobody gets it.
const KEPT_BACK: [&str; 19] = [
    "LD_PRELOAD",
    "LD_AUDIT",
    "BASH_ENV",
    "ENV",
    "BASH_FUNC_ls%%",
    "PROMPT_COMMAND",
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_EXTERNAL_DIFF",
    "GIT_PAGER",
    "GIT_EXEC_PATH",
    "MY_TOKEN",
    "AWS_SECRET_ACCESS_KEY",
    "LESSOPEN",
    "SOMETHING_ELSE",
];

/// What the operator's own command gets and whoever works unattended does not.
const OWN: [&str; 5] =
    ["SSH_AUTH_SOCK", "DISPLAY", "DBUS_SESSION_BUS_ADDRESS", "GIT_SSH_COMMAND", "KUBECONFIG"];

/// What tool chains need: everybody gets it as the operator has it.
const COMMON: [&str; 6] =
    ["LANG", "HTTPS_PROXY", "NODE_OPTIONS", "PYTHONSTARTUP", "EDITOR", "XDG_CONFIG_DIRS"];

fn value(name: &str) -> String {
    match name {
        // The dynamic loader of our own binary obeys it too.
        "LD_PRELOAD" | "LD_AUDIT" => " ".to_owned(),
        "NODE_OPTIONS" => "--max-old-space-size=99".to_owned(),
        _ => format!("value-of-{name}"),
    }
}

/// Names of variables in `text`, a variable a line.
fn names(text: &str) -> BTreeSet<String> {
    text.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn what_reaches_children_is_what_is_documented() {
    let all: Vec<(String, String)> =
        KEPT_BACK.iter().chain(&OWN).chain(&COMMON).map(|name| ((*name).to_owned(), value(name))).collect();
    let all: Vec<(&str, &str)> = all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut scene = Scene::new();
    let shell = super::support::project::sprint(&[shell("PLF-002", "Look", "env >\"$PWD/seen\"")]);
    let sprint = scene.bench.project.read(".planfile/sprints/current.yaml");
    let more = shell.split_once("  tickets:\n").unwrap().1;
    scene.bench.project.write(".planfile/sprints/current.yaml", &format!("{sprint}{more}"));
    scene.bench.project.write(
        ".planfile/.koru/policy.yaml",
        &format!(
            "llm: {{}}\nci: {{command: \"env >'{}'\"}}\n",
            scene.bench.around("notes").join("gate").display()
        ),
    );
    scene.agent("printf 'Hello, world!\\n' >hello.txt\nenv >\"$NOTES/agent\"\nenv >gate-may\n", &[]);
    scene.bench.configure("environment", serde_json::json!([]));
    let ran = scene.bench.start_in(&["ticket", "run", ID, "--agent", SCRIPTED], &all).end();
    assert!(matches!(ran.code, Some(0..=1)), "{ran:?}");
    scene.bench.start_in(&["ticket", "run", "PLF-002"], &all).end();
    let agent = names(&scene.bench.noted("agent"));
    let own = names(&scene.bench.project.read("seen"));
    for name in KEPT_BACK {
        assert!(!agent.contains(name) && !own.contains(name), "{name} reached a child");
    }
    for name in OWN {
        assert!(!agent.contains(name), "{name} reached an agent");
        assert!(own.contains(name), "{name} did not reach the operator's own command");
    }
    for name in COMMON {
        assert!(agent.contains(name) && own.contains(name), "{name} did not reach a child");
    }
}

/// Git's own variables do not turn our git against another repository, nor have it run anything.
#[test]
fn gits_variables_turn_our_git_nowhere_else() {
    let mut scene = Scene::new();
    scene.agent("printf 'Hello, world!\\n' >hello.txt\n", &[]);
    let other = scene.bench.around("outside").join("other");
    super::agents::bench::git(&scene.bench.around("outside"), &["init", "-q", "-b", "main", "other"]);
    super::agents::bench::git(&other, &["commit", "-q", "--allow-empty", "-m", "Other"]);
    let before = super::agents::bench::git(&other, &["for-each-ref"]);
    let (dir, trap) = (other.join(".git"), scene.trap());
    let [dir, tree, trap] = [&dir, &other, &trap].map(|path| path.to_str().unwrap().to_owned());
    let vars = [
        ("GIT_DIR", dir.as_str()),
        ("GIT_WORK_TREE", &tree),
        ("GIT_COMMON_DIR", &dir),
        ("GIT_INDEX_FILE", "/nonexistent/index"),
        ("GIT_OBJECT_DIRECTORY", "/nonexistent/objects"),
        ("GIT_CEILING_DIRECTORIES", "/"),
        ("GIT_EXTERNAL_DIFF", &trap),
        ("GIT_PAGER", &trap),
        ("GIT_EDITOR", &trap),
        ("GIT_SSH_COMMAND", &trap),
        ("GIT_ASKPASS", &trap),
        ("GIT_CONFIG_COUNT", "2"),
        ("GIT_CONFIG_KEY_0", "core.fsmonitor"),
        ("GIT_CONFIG_VALUE_0", &trap),
        ("GIT_CONFIG_KEY_1", "core.hooksPath"),
        ("GIT_CONFIG_VALUE_1", "/nonexistent"),
        ("GIT_TRACE", "/nonexistent/trace"),
    ];
    let ran = scene.bench.start_in(&["ticket", "run", ID, "--agent", SCRIPTED], &vars).end();
    assert_eq!(ran.code, Some(0), "{ran:?}");
    for args in [&["diff", ID][..], &["worktree", "list"], &["brief"], &["doctor"], &["review", ID]] {
        let ran = scene.bench.start_in(args, &vars).end();
        assert!(matches!(ran.code, Some(0..=2)), "{args:?} {ran:?}");
    }
    assert_eq!(scene.sprung(), None);
    assert_eq!(super::agents::bench::git(&other, &["for-each-ref"]), before);
    assert_eq!(scene.bench.committed(ID, "hello.txt").as_deref(), Some("Hello, world!\n"));
}

#[test]
fn odd_values_of_terminal_home_and_folders_break_nothing() {
    let h = hostile().replace('\0', "");
    let long = "x".repeat(100_000);
    for (name, values) in [
        ("TERM", &["", "$(touch sprung)", "../../../etc/passwd", h.as_str(), long.as_str()][..]),
        ("COLUMNS", &["-1", "0", "1", "99999999999999999999", "80; touch sprung", h.as_str()]),
        ("LINES", &["-1", "0", "99999999999999999999", h.as_str()]),
        ("NO_COLOR", &["", "0", h.as_str()]),
        ("LANG", &["", "xx_YY.nothing", h.as_str()]),
        ("TZ", &[":/dev/zero", "../../etc/shadow", h.as_str(), "UTC+99999"]),
        ("HOME", &["", "relative", "/dev/null", h.as_str()]),
        ("XDG_STATE_HOME", &["", "relative", "/dev/null", h.as_str()]),
        ("XDG_CONFIG_HOME", &["", "relative", "/dev/null", h.as_str()]),
        ("TMPDIR", &["", "/nonexistent", "relative", h.as_str()]),
        ("PATH", &["", ".", ":", h.as_str()]),
        ("USER", &["", h.as_str()]),
        ("EDITOR", &["$(touch sprung)", h.as_str()]),
        ("RUST_LOG", &["trace", h.as_str()]),
        ("KORU_TICKET", &["../../x", h.as_str()]),
    ] {
        let place = Project::with(&[shell("PLF-001", "One", "true"), human("PLF-002", "Two", "?")]);
        for value in values {
            for args in [
                &["ticket", "list"][..],
                &["doctor"],
                &["brief"],
                &["agent", "--list"],
                &["queue", "run", "--dry-run"],
            ] {
                let output = place.command(args).env(name, value).output().unwrap();
                let (out, err) =
                    (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
                harmless(&format!("{args:?} with {name}={value:.40}"), &format!("{out}{err}"));
                assert!(
                    matches!(output.status.code(), Some(0..=2)),
                    "{args:?} {name}: {:?} {err}",
                    output.status
                );
            }
        }
        assert!(!place.path().join("sprung").exists(), "{name} was run");
        assert!(!place.path().join("relative").exists(), "{name} was taken for a folder of the project");
    }
}
