//! Which agents are there: path, version, login; and what is remembered of that.

use std::ffi::OsString;
use std::path::Path;

use koru_tui::execute::agents::backend::detect::{Found, Login, detect};
use koru_tui::execute::agents::kind::AgentKind;
use koru_tui::plan::settings::AgentSettings;

use super::bench::Bench;

fn program(path: &Path, script: &str) {
    std::fs::write(path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
}

fn environment(bench: &Bench, more: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    let path = format!("relative:{}:/usr/bin:/bin", bench.path("outside").display());
    let mut env: Vec<(OsString, OsString)> =
        vec![("PATH".into(), path.into()), ("HOME".into(), bench.path("notes").into())];
    env.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    env
}

fn no(hint: &str) -> Login {
    Login::No { hint: hint.to_owned() }
}

fn yes(how: &str) -> Login {
    Login::Yes { how: how.to_owned() }
}

#[tokio::test]
async fn an_agent_is_found_on_the_path_and_asked_for_its_version_once() {
    let bench = Bench::new();
    let asked = bench.path("notes/asked");
    let path = bench.path("outside/claude");
    program(&path, &format!("echo asked >>{}; echo '2.1.329 (Claude Code)'", asked.display()));
    let settings = AgentSettings::default();
    let env = environment(&bench, &[]);
    let hint = "run `claude` and log in, or set ANTHROPIC_API_KEY";
    let want = Found { path: Some(path.clone()), version: Some("2.1.329".to_owned()), login: no(hint) };
    for _ in 0..2 {
        assert_eq!(detect(AgentKind::Claude, &settings, &env).await, want);
    }
    assert_eq!(std::fs::read_to_string(&asked).unwrap(), "asked\n");

    let env = environment(&bench, &[("ANTHROPIC_API_KEY", "sk-ant-not-a-key")]);
    assert_eq!(detect(AgentKind::Claude, &settings, &env).await.login, yes("ANTHROPIC_API_KEY"));
    std::fs::create_dir(bench.path("notes/.claude")).unwrap();
    std::fs::write(bench.path("notes/.claude/.credentials.json"), "{}").unwrap();
    let login = detect(AgentKind::Claude, &settings, &environment(&bench, &[])).await.login;
    assert_eq!(login, yes("its stored login"));
}

#[tokio::test]
async fn an_agent_that_is_not_there_is_said_to_be_missing() {
    let bench = Bench::new();
    let settings = AgentSettings { program: Some("no-such-agent".to_owned()), ..AgentSettings::default() };
    let found = detect(AgentKind::Codex, &settings, &environment(&bench, &[])).await;
    let hint = "run `codex login`, or set OPENAI_API_KEY";
    assert_eq!(found, Found { path: None, version: None, login: no(hint) });
    // A file that may not be run is no program.
    std::fs::write(bench.path("outside/gemini"), "").unwrap();
    let found = detect(AgentKind::Gemini, &AgentSettings::default(), &environment(&bench, &[])).await;
    assert_eq!(found.path, None);
}

#[tokio::test]
async fn a_custom_command_is_never_started_to_ask_it() {
    let bench = Bench::new();
    let path = bench.path("outside/mine");
    program(&path, &format!("echo started >{}", bench.path("notes/started").display()));
    let settings = AgentSettings { args: vec!["mine".to_owned()], ..AgentSettings::default() };
    let found = detect(AgentKind::Custom, &settings, &environment(&bench, &[])).await;
    assert_eq!(found, Found { path: Some(path), version: None, login: Login::Unknown });
    assert!(!bench.path("notes/started").exists());
}
