//! Who gets which variables.

use super::*;
use crate::plan::settings::McpServer;

fn environment(vars: &[(&str, &str)]) -> Environment {
    vars.iter().map(|(name, value)| (OsString::from(name), OsString::from(value))).collect()
}

/// An environment whose values do not matter.
fn named(names: &[&str]) -> Environment {
    names.iter().map(|name| (OsString::from(name), OsString::from("x"))).collect()
}

fn texts(items: &[&str]) -> Vec<String> {
    items.iter().map(|item| (*item).to_owned()).collect()
}

const NOBODY: Wanted<'static> =
    Wanted { recipient: Recipient::Command, allowed: &[], keys: &[], own: &[], extra: &[] };

fn names_of(given: &Given) -> Vec<String> {
    given.vars.iter().map(|(name, _)| name.to_string_lossy().into_owned()).collect()
}

#[test]
fn a_command_gets_what_programs_need_and_the_rest_is_named() {
    let all = [
        "PATH",
        "HOME",
        "LANG",
        "LC_ALL",
        "TERM",
        "XDG_CACHE_HOME",
        "TMPDIR",
        "https_proxy",
        "NO_PROXY",
        "SSL_CERT_FILE",
        "CARGO_HOME",
        "RUSTUP_HOME",
        "GOPATH",
        "JAVA_HOME",
        "NVM_DIR",
        "PYENV_ROOT",
        "VIRTUAL_ENV",
        "PYTHONPATH",
        "SSH_AUTH_SOCK",
        "DISPLAY",
        "KUBECONFIG",
    ];
    let mut expected = texts(&all);
    expected.sort();
    let rest = ["DATABASE_URL", "MY_APP_MODE", "GOOGLE_CLOUD_PROJECT", "BUNDLE_GEMS__EXAMPLE__COM"];
    let quiet =
        ["PWD", "OLDPWD", "SHLVL", "_", "LS_COLORS", "TMUX", "XDG_SESSION_ID", "KORU_TUI_FAULT", "PS1"];
    let given = named(&[&all[..], &rest, &quiet].concat()).for_child(&NOBODY);
    assert_eq!(names_of(&given), expected);
    assert_eq!(
        given.withheld,
        ["BUNDLE_GEMS__EXAMPLE__COM", "DATABASE_URL", "GOOGLE_CLOUD_PROJECT", "MY_APP_MODE"]
    );
    assert_eq!(
        given.note().unwrap(),
        "4 variables are not passed on: BUNDLE_GEMS__EXAMPLE__COM, DATABASE_URL, GOOGLE_CLOUD_PROJECT, MY_APP_MODE; \
         allow them under `environment` in config.yaml"
    );
    assert_eq!(named(&["PATH", "SHLVL"]).for_child(&NOBODY).note(), None);
}

#[test]
fn whoever_works_unattended_gets_no_key_to_elsewhere() {
    let doors =
        ["SSH_AUTH_SOCK", "DBUS_SESSION_BUS_ADDRESS", "WAYLAND_DISPLAY", "DOCKER_HOST", "AWS_PROFILE"];
    let all = named(&[&doors[..], &["PATH", "CARGO_HOME"]].concat());
    let guest = all.for_child(&Wanted { recipient: Recipient::Guest, ..NOBODY });
    assert_eq!(names_of(&guest), ["CARGO_HOME", "PATH"]);
    let mut withheld = texts(&doors);
    withheld.sort();
    assert_eq!(guest.withheld, withheld);
    assert_eq!(all.for_child(&NOBODY).vars.len(), 7);
}

#[test]
fn secrets_and_git_redirections_stay_behind_unless_they_are_asked_for_in_full() {
    let all = environment(&[
        ("GIT_DIR", "/elsewhere"),
        ("MY_API_KEY", "k-123456"),
        ("GH_TOKEN", "t-123456"),
        ("NPM_CONFIG__AUTH", "a-123456"),
        ("CARGO_REGISTRY_TOKEN", "c-123456"),
        ("PATH", "/bin"),
    ]);
    let given =
        all.for_child(&Wanted { keys: &texts(&["GH_TOKEN"]), extra: &[("KORU_TICKET", "PLF-1")], ..NOBODY });
    let want: Vec<(OsString, OsString)> =
        [("GH_TOKEN", "t-123456"), ("KORU_TICKET", "PLF-1"), ("PATH", "/bin")]
            .map(|(name, value)| (name.into(), value.into()))
            .into();
    assert_eq!(given.vars, want);
    assert_eq!(given.withheld, ["CARGO_REGISTRY_TOKEN", "GIT_DIR", "MY_API_KEY", "NPM_CONFIG__AUTH"]);
    // A glob gives no secret away, a full name does; the agent's own family of variables does too.
    let globs = texts(&["*", "MY_API_KEY"]);
    assert_eq!(names_of(&all.for_child(&Wanted { allowed: &globs, ..NOBODY })), ["MY_API_KEY", "PATH"]);
    let own = all.for_child(&Wanted { own: &["MY_*"], recipient: Recipient::Guest, ..NOBODY });
    assert_eq!(names_of(&own), ["MY_API_KEY", "PATH"]);
}

#[test]
fn the_operators_patterns_add_to_the_usual() {
    let all = named(&["MY_APP_MODE", "MY_APP_PORT", "OTHER", "THIRD"]);
    let allowed = texts(&["MY_APP_*", "OTHE?", "[", "missing"]);
    let given = all.for_child(&Wanted { allowed: &allowed, recipient: Recipient::Guest, ..NOBODY });
    assert_eq!(names_of(&given), ["MY_APP_MODE", "MY_APP_PORT", "OTHER"]);
    assert_eq!(given.withheld, ["THIRD"]);
}

#[test]
fn a_long_list_is_cut_and_counted() {
    let many: Vec<String> = (10..40).map(|number| format!("APP_{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let note = named(&many).for_child(&NOBODY).note().unwrap();
    assert!(note.starts_with("30 variables are not passed on: APP_10, APP_11, "), "{note}");
    assert!(note.contains("APP_13 and 26 more;") && !note.contains("APP_14"), "{note}");
}

#[test]
fn unset_and_empty_keys_are_missing() {
    let some = environment(&[("A", "1"), ("B", "")]);
    assert_eq!(some.missing(&texts(&["A", "B", "C"])), ["B", "C"]);
    assert_eq!((some.get("A"), some.get("C")), (Some(OsStr::new("1")), None));
}

#[test]
fn the_redactor_knows_secrets_and_what_was_asked_for() {
    let all = environment(&[
        ("X_TOKEN", "tttttttt"),
        ("MODE", "mmmmmmmm"),
        ("HOME", "/home/ada"),
        ("Y", "yyyyyyyy"),
    ]);
    let redactor = all.redactor(&texts(&["MODE", "HOME"]));
    assert_eq!(
        redactor.clean("tttttttt mmmmmmmm /home/ada yyyyyyyy"),
        "[redacted] [redacted] /home/ada yyyyyyyy"
    );
}

#[test]
fn the_redactor_knows_what_the_configuration_gives_away() {
    let all = environment(&[("DOOR", "dddddddd"), ("HATCH", "hhhhhhhh"), ("Y", "yyyyyyyy")]);
    let agent = AgentSettings {
        env: [("PIN", "pin-\"violet\""), ("HOME", "/home/agent"), ("MODE", "on")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        env_keys: texts(&["DOOR"]),
        ..AgentSettings::default()
    };
    let server = McpServer {
        env: [("CODE".to_owned(), "cccccccc".to_owned())].into(),
        env_keys: texts(&["HATCH"]),
        headers: [("X-Door", "Bearer brass-key"), ("Content-Type", "application/json")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        ..McpServer::default()
    };
    let settings = Settings {
        agents: [("a".to_owned(), agent)].into(),
        mcp: [("m".to_owned(), server)].into(),
        ..Settings::default()
    };
    let redactor = all.redactor_of(&settings, &[]);
    for (text, want) in [
        ("dddddddd hhhhhhhh cccccccc yyyyyyyy", "[redacted] [redacted] [redacted] yyyyyyyy"),
        ("a pin-\"violet\" b", "a [redacted] b"),
        // As the value stands in a line of JSON.
        (r#"{"text":"a pin-\"violet\" b"}"#, r#"{"text":"a [redacted] b"}"#),
        ("a brass-key b", "a [redacted] b"),
        ("/home/agent on application/json", "/home/agent on application/json"),
    ] {
        assert_eq!(redactor.clean(text), want, "{text}");
    }
}
