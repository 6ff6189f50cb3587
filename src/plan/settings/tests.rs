//! The configuration as a file: what counts, what does not and what that means for agents. One function is longer than
//! 60 lines: it holds a whole file and everything that is read from it.

use std::fs;

use super::load::from_bytes;
use super::*;

fn read(text: &str) -> (Settings, Vec<SettingsNote>) {
    from_bytes(text.as_bytes())
}

/// The notes as people read them.
fn notes(text: &str) -> Vec<String> {
    read(text).1.iter().map(ToString::to_string).collect()
}

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn a_missing_or_empty_file_is_the_defaults() {
    let dir = tempfile::tempdir().unwrap();
    assert_eq!(Settings::load(dir.path()), (Settings::default(), Vec::new()));
    for text in ["", "# nothing\n", "budgets:\nagents: {}\n", STUB] {
        assert_eq!(read(text), (Settings::default(), Vec::new()), "{text}");
    }
}

#[test]
fn every_key_of_the_stub_is_known_when_its_comment_sign_is_taken_away() {
    let lines = STUB.lines().skip_while(|line| !line.starts_with("# roles:"));
    // Prose begins with a capital letter or goes on from such a line; keys are indented or lower case and hold a colon.
    let keys: String = lines
        .filter_map(|line| line.strip_prefix("# "))
        .filter(|line| line.split('#').next().unwrap().contains(':') && !line.starts_with(char::is_uppercase))
        .filter(|line| {
            line.starts_with(' ') || line.trim_end().ends_with(':') || line.starts_with("environment")
        })
        .map(|line| format!("{line}\n"))
        .collect();
    let (settings, notes) = read(&keys);
    assert_eq!(notes, []);
    assert_eq!(settings.agents.keys().collect::<Vec<_>>(), ["claude", "mine"], "{keys}");
    assert_eq!((settings.budgets.day_usd, settings.mcp.len()), (Some(40.0), 2), "{keys}");
}

#[test]
fn a_whole_file_is_read() {
    let text = "
roles: {worker: fast, reviewer: claude-code}
agents:
  fast: {kind: codex, model: m, args: [--x, 1], env: {A: 1, B: true}, env_keys: [K], writable: [~/.x], price: {input: 3, output: 15}}
  claude:
  own: {kind: custom, args: [run, '{prompt}'], stream: claude, program: ./run}
budgets: {run_minutes: 0.5, run_tokens: 2e6, run_usd: 5, day_usd: 1.5, silence_minutes: 1, rate_limit_sleeps: 0}
mcp:
  docs: {command: docs --stdio 'a b', args: [more], env_keys: [T]}
  web: {url: 'https://example.org/mcp', headers: {X-A: 1}}
llm: {cache: true, cache_hours: 2, keys: {Models.example: MODELS_KEY, lan: none}}
environment: [MY_*, OTHER]
";
    let expected = Settings {
        roles: map(&[("worker", "fast"), ("reviewer", "claude-code")]),
        agents: BTreeMap::from([
            (
                "fast".to_owned(),
                AgentSettings {
                    kind: Some("codex".to_owned()),
                    model: Some("m".to_owned()),
                    args: vec!["--x".to_owned(), "1".to_owned()],
                    env: map(&[("A", "1"), ("B", "true")]),
                    env_keys: vec!["K".to_owned()],
                    writable: vec!["~/.x".to_owned()],
                    price: Some(Price { input: 3.0, output: 15.0, ..Price::default() }),
                    ..AgentSettings::default()
                },
            ),
            ("claude".to_owned(), AgentSettings::default()),
            (
                "own".to_owned(),
                AgentSettings {
                    kind: Some("custom".to_owned()),
                    program: Some("./run".to_owned()),
                    args: vec!["run".to_owned(), "{prompt}".to_owned()],
                    stream: Some("claude".to_owned()),
                    ..AgentSettings::default()
                },
            ),
        ]),
        budgets: Budgets {
            run_minutes: 0.5,
            silence_minutes: Some(1.0),
            run_tokens: Some(2_000_000),
            run_usd: Some(5.0),
            day_usd: Some(1.5),
            rate_limit_sleeps: 0,
            ..Budgets::default()
        },
        mcp: BTreeMap::from([
            (
                "docs".to_owned(),
                McpServer {
                    command: ["docs", "--stdio", "a b", "more"].map(str::to_owned).to_vec(),
                    env_keys: vec!["T".to_owned()],
                    ..McpServer::default()
                },
            ),
            (
                "web".to_owned(),
                McpServer {
                    url: Some("https://example.org/mcp".to_owned()),
                    headers: map(&[("X-A", "1")]),
                    ..McpServer::default()
                },
            ),
        ]),
        llm: LlmSettings {
            cache: true,
            cache_hours: Some(2.0),
            keys: map(&[("models.example", "MODELS_KEY"), ("lan", "none")]),
        },
        environment: vec!["MY_*".to_owned(), "OTHER".to_owned()],
        ..Settings::default()
    };
    assert_eq!(read(text), (expected, Vec::new()));
}

#[test]
fn what_is_no_configuration_starts_nobody_and_says_where_and_what_to_do() {
    let (settings, notes) = read("budgets:\n  run_usd: [1\nagents: {}\n");
    assert_eq!((settings.budgets.clone(), notes.len()), (Budgets::default(), 1));
    assert_eq!((notes[0].level, notes[0].at.map(|(line, _)| line)), (NoteLevel::WholeFile, Some(3)));
    let shown = notes[0].to_string();
    for part in [".planfile/.koru/config.yaml, line 3, column ", "no agent is started until it is repaired"] {
        assert!(shown.contains(part), "{shown}");
    }
    assert!(matches!(settings.agent(Some("claude")), Err(AgentChoiceError::Refused(_))));
    for text in ["- a\n", "text", "a: 1\na: 2\n", "\0", "budgets: {run_usd: 1\n"] {
        let (settings, notes) = read(text);
        assert_eq!((notes.len(), notes[0].level), (1, NoteLevel::WholeFile), "{text:?}");
        // What refuses agents refuses to land anything too, with the same words.
        assert_eq!(settings.promotion.refused, settings.refused, "{text:?}");
        let promotion = PromotionSettings { refused: None, ..settings.promotion.clone() };
        let without = Settings { refused: None, promotion, ..settings.clone() };
        assert_eq!(without, Settings::default(), "{text:?}");
        let refusal = settings.agent(None).unwrap_err().to_string();
        assert!(refusal.starts_with("no agent is started: .planfile/.koru/config.yaml "), "{refusal}");
    }
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir_all(dir.path().join(".planfile/.koru/config.yaml")).unwrap();
    let (settings, notes) = Settings::load(dir.path());
    assert!(settings.refused.is_some() && notes[0].message.contains("not a regular file"), "{notes:?}");
}

#[test]
fn a_limit_that_cannot_be_understood_starts_nobody() {
    for (value, says) in [
        ("run_minutes: -5", "`budgets.run_minutes` is -5, not a number above 0"),
        ("run_usd: .nan", "`budgets.run_usd` is .nan, not a number above 0"),
        ("day_usd: ten", "`budgets.day_usd` is the text \"ten\", not a number above 0"),
        ("run_tokens: 1.5", "`budgets.run_tokens` is 1.5, not a whole number from 1"),
        ("rate_limit_sleeps: -1", "`budgets.rate_limit_sleeps` is -1, not a whole number from 0"),
    ] {
        let (settings, notes) = read(&format!("budgets: {{{value}, stalled_minutes: 2}}\n"));
        assert_eq!(notes.len(), 1, "{value}");
        let shown = notes[0].to_string();
        assert!(shown.contains(says) && shown.contains("no agent is started"), "{shown}");
        assert_eq!(settings.budgets, Budgets { stalled_minutes: 2.0, ..Budgets::default() }, "{value}");
        let refusal = settings.agent(Some("codex")).unwrap_err().to_string();
        assert!(refusal.contains(says), "{refusal}");
    }
    let (settings, _) = read("budgets: [1]\n");
    assert!(settings.refused.is_some());
}

#[test]
fn a_misspelt_limit_starts_nobody() {
    let path = ".planfile/.koru/config.yaml";
    for (text, says) in [
        (
            "agents: {pi: }\nbudgets:\n  run_usd: 5\n  day_uds: 5\n",
            format!(
                "{path}, line 4, column 3: `budgets.day_uds` is no known key and does nothing; did you mean \
                 `day_usd`? No agent is started until it is corrected"
            ),
        ),
        (
            "budget: {day_usd: 5}\n",
            format!(
                "{path}, line 1, column 1: `budget` is no known key and does nothing; did you mean `budgets`? No \
                 agent is started until it is corrected"
            ),
        ),
        (
            "budgets: {day_usd: 5, colour: red}\n",
            format!(
                "{path}, line 1, column 23: `budgets.colour` is no known key and does nothing; known here: \
                 run_minutes, stalled_minutes, silence_minutes, run_tokens, run_usd, day_tokens, day_usd, \
                 rate_limit_sleeps; no agent is started until it is corrected"
            ),
        ),
        (
            "budgets: {7: 5}\n",
            format!(
                "{path}, line 1, column 1: `budgets` has a key that is a number, not text; no agent is started \
                 until it is corrected"
            ),
        ),
    ] {
        let (settings, notes) = read(text);
        let said: Vec<String> = notes.iter().map(ToString::to_string).collect();
        assert_eq!(said, std::slice::from_ref(&says), "{text}");
        assert_eq!(notes[0].level, NoteLevel::Error, "{text}");
        for agent in [None, Some("pi"), Some("claude"), Some("nobody")] {
            assert_eq!(settings.agent(agent), Err(AgentChoiceError::Refused(says.clone())), "{text}");
        }
    }
}

#[test]
fn strangers_are_warnings_with_the_key_that_was_meant() {
    let text = "agent: {}\nagents: {claude: {modle: x, 7: y}}\nmcp: {a: {url: 'http://x', colour: red}}\n";
    let path = ".planfile/.koru/config.yaml";
    assert_eq!(
        notes(text),
        [
            format!("{path}: `agent` is no known key and does nothing; did you mean `agents`?"),
            format!("{path}: `agents.claude.modle` is no known key and does nothing; did you mean `model`?"),
            format!("{path}: `agents.claude` has a key that is a number, not text"),
            format!(
                "{path}: `mcp.a.colour` is no known key and does nothing; known here: command, args, env, env_keys, url, \
                 headers"
            ),
        ]
    );
    assert!(read(text).1.iter().all(|note| note.level == NoteLevel::Warning));
    assert!(read(text).0.agents.contains_key("claude"), "a warning takes nothing away");
}

#[test]
fn bad_values_are_named_with_their_key_and_take_only_their_own_block_away() {
    for (text, key) in [
        ("agents: {x: {kind: martian}}", "agents.x.kind"),
        ("agents: {x: {model: m}}", "agents.x.kind"),
        ("agents: {x: {kind: custom}}", "agents.x.args"),
        ("agents: {claude: {model: [a]}}", "agents.claude.model"),
        ("agents: {claude: {env: {'A=B': 1}}}", "agents.claude.env.A=B"),
        ("agents: {claude: {env_keys: [a-b]}}", "agents.claude.env_keys"),
        ("agents: {claude: {stream: custom}}", "agents.claude.stream"),
        ("agents: {claude: {price: {input: -1}}}", "agents.claude.price.input"),
        ("agents: {claude: 7}", "agents.claude"),
        ("agents: [claude]", "agents"),
        ("roles: {worker: nobody}", "roles.worker"),
        ("roles: {worker: custom}", "roles.worker"),
        ("mcp: {s: {}}", "mcp.s"),
        ("mcp: {s: {command: a, url: 'http://x'}}", "mcp.s"),
        ("mcp: {s: {url: 'ftp://x'}}", "mcp.s.url"),
        ("mcp: {s: {args: [a]}}", "mcp.s.args"),
        ("mcp: {s: {command: \"a 'b\"}}", "mcp.s.command"),
        ("llm: {cache: 'yes'}", "llm.cache"),
        ("llm: {cache_hours: 0}", "llm.cache_hours"),
        ("environment: ['A B']", "environment"),
    ] {
        let (settings, notes) = read(&format!("{text}\n"));
        let keys: Vec<&str> = notes.iter().map(|note| note.key.as_str()).collect();
        assert!(keys.contains(&key), "{text}: {notes:?}");
        assert!(notes.iter().all(|note| note.level == NoteLevel::Error), "{text}: {notes:?}");
        assert_eq!((settings.refused, settings.mcp.len(), settings.agents.len()), (None, 0, 0), "{text}");
        assert_eq!((settings.llm, settings.environment), (LlmSettings::default(), Vec::new()), "{text}");
    }
}

fn chosen(text: &str, name: Option<&str>) -> Result<Option<(String, String)>, String> {
    let choice = read(text).0.agent(name).map_err(|error| error.to_string())?;
    Ok(choice.map(|choice| (choice.name, choice.kind)))
}

#[test]
fn who_works() {
    let is = |name: &str, kind: &str| Ok(Some((name.to_owned(), kind.to_owned())));
    // By name, by an agent's own word, by koru's id, by role.
    let two = "roles: {worker: slow, reviewer: gemini-cli}\nagents: {slow: {kind: claude-code}, mine: {kind: custom, args: [x]}}\n";
    assert_eq!(chosen(two, Some("mine")), is("mine", "custom"));
    assert_eq!(chosen(two, Some("codex")), is("codex", "codex"));
    assert_eq!(chosen(two, Some("claude-code")), is("claude", "claude"));
    assert_eq!(chosen(two, Some("reviewer")), is("gemini", "gemini"));
    // Without a name: the worker, else the only one, else whoever is installed.
    assert_eq!(chosen(two, None), is("slow", "claude"));
    assert_eq!(chosen(two, Some(" ")), is("slow", "claude"));
    assert_eq!(chosen("agents: {pi: {model: m}}\n", None), is("pi", "pi"));
    assert_eq!(chosen("agents: {pi: {}, codex: {}}\n", None), Ok(None));
    assert_eq!(chosen("", None), Ok(None));
    // Configuration under an agent's own word counts for koru's id as well.
    let (settings, _) = read("agents: {gemini: {model: m}}\n");
    let choice = settings.agent(Some("gemini-cli")).unwrap().unwrap();
    assert_eq!((choice.name.as_str(), choice.settings.model.as_deref()), ("gemini", Some("m")));
}

#[test]
fn nobody_else_steps_in_for_an_agent_that_cannot_be_used() {
    let broken = "agents: {claude: {model: [x]}}\n";
    let error = chosen(broken, None).unwrap_err();
    assert!(error.contains("`claude` cannot be started") && error.contains("agents.claude.model"), "{error}");
    assert_eq!(chosen(broken, Some("claude-code")).unwrap_err(), error);
    let error = chosen("roles: {worker: nobody}\n", None).unwrap_err();
    assert_eq!(
        error,
        "there is no agent `nobody`; known are claude, codex, pi, opencode, gemini, aider \
         (.planfile/.koru/config.yaml adds more under `agents`)"
    );
    assert!(chosen("", Some("custom")).is_err(), "a custom agent needs a command line");
}

#[test]
fn limits_as_times() {
    let (settings, _) = read("budgets: {run_minutes: 0.5, silence_minutes: 1e9}\n");
    let budgets = settings.budgets;
    assert_eq!(
        (budgets.run_timeout(), budgets.stalled_after(), budgets.silence_limit()),
        (Duration::from_secs(30), Duration::from_secs(300), Some(Duration::from_secs(604_800)))
    );
    assert_eq!(Budgets::default().silence_limit(), None);
}

proptest::proptest! {
    /// Whatever stands there: reading ends, and a file that is not understood starts nobody.
    #[test]
    fn no_bytes_break_it(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let (settings, notes) = from_bytes(&bytes);
        let whole = notes.iter().any(|note| note.level == NoteLevel::WholeFile);
        proptest::prop_assert_eq!(settings.refused.is_some(), whole);
    }

    /// A configuration with limits, damaged at one place: either the limits are in force or nobody is started.
    #[test]
    fn a_damaged_limit_is_never_a_missing_one(at in 0_usize..50, byte in proptest::prelude::any::<u8>()) {
        let mut bytes = b"budgets: {run_usd: 5, day_usd: 20}\nagents: {pi: }\n".to_vec();
        let at = at % bytes.len();
        bytes[at] = byte;
        let (settings, notes) = from_bytes(&bytes);
        let limited = settings.budgets.run_usd.is_some() && settings.budgets.day_usd.is_some();
        // A comment sign, a blank or a null in the place of the number says that there is no limit.
        let emptied = matches!(byte, b'#' | b'~' | b' ' | b'\t' | b'\n' | b'\r');
        proptest::prop_assert!(limited || settings.refused.is_some() || !notes.is_empty() || emptied, "{:?}", bytes);
    }
}
