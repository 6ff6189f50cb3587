//! The blocks of the file.

use serde_yaml::{Mapping, Value};

use super::choice::word;
use super::near::nearest;
use super::promotion;
use super::reader::{Number, Reader, is_variable};
use super::{
    AGENT_WORDS, AgentSettings, Budgets, CUSTOM, LlmSettings, McpServer, Price, ReviewSettings, Settings,
};

/// Reads the whole mapping.
pub(super) fn settings(reader: &mut Reader<'_>, root: &Mapping) -> Settings {
    let known = ["roles", "agents", "budgets", "mcp", "llm", "review", "promotion", "environment"];
    let (limits, others): (Mapping, Mapping) =
        root.clone().into_iter().partition(|(key, _)| meant_as_limits(key, &known));
    reader.strangers(&others, "", &known);
    reader.limits(|reader| reader.strangers_among_limits(&limits, "", &known));
    let mut settings = Settings {
        budgets: budgets(reader, root),
        llm: llm(reader, root),
        review: review(reader, root),
        promotion: promotion::read(reader, root),
        ..Settings::default()
    };
    for (name, block) in reader.named(root, "agents") {
        let before = reader.notes.len();
        let agent = agent(reader, &name, block);
        let wrong = reader.notes[before..].iter().find(|note| note.level == super::NoteLevel::Error);
        match wrong {
            Some(note) => drop(settings.unusable.insert(name, format!("`{}` {}", note.key, note.message))),
            None => drop(settings.agents.insert(name, agent)),
        }
    }
    not_even_blocks(root, "agents", |name| {
        settings.unusable.entry(name).or_insert_with(|| "its entry is not a mapping".to_owned());
    });
    for (name, block) in reader.named(root, "mcp") {
        if let Some(server) = server(reader, &name, block) {
            settings.mcp.insert(name, server);
        }
    }
    settings.roles = roles(reader, root, &settings);
    settings.environment = environment(reader, root);
    settings
}

/// Whether a key that nobody knows is `budgets` misspelt: the limits under it are not in force.
fn meant_as_limits(key: &Value, known: &[&str]) -> bool {
    key.as_str().is_some_and(|key| !known.contains(&key) && nearest(key, known) == Some("budgets"))
}

/// Names under `key` whose value is neither a mapping nor nothing.
fn not_even_blocks(root: &Mapping, key: &str, mut each: impl FnMut(String)) {
    for (name, value) in root.get(key).and_then(Value::as_mapping).into_iter().flatten() {
        if let (Some(name), false) = (name.as_str(), value.is_mapping() || value.is_null()) {
            each(name.trim().to_owned());
        }
    }
}

fn roles(
    reader: &mut Reader<'_>,
    root: &Mapping,
    settings: &Settings,
) -> std::collections::BTreeMap<String, String> {
    let roles = reader.pairs(root, "roles", false);
    for (role, agent) in &roles {
        let there = settings.agents.contains_key(agent)
            || settings.unusable.contains_key(agent)
            || word(agent).is_some_and(|word| word != CUSTOM);
        if !there {
            let message =
                format!("names the agent `{agent}`, which is neither under `agents` nor one of {}", words());
            reader.error(&format!("roles.{role}"), message);
        }
    }
    // A role that names nobody is kept: whoever asks for it is told, instead of getting another agent.
    roles
}

fn agent(reader: &mut Reader<'_>, name: &str, block: &Mapping) -> AgentSettings {
    let at = |key: &str| format!("agents.{name}.{key}");
    let known = ["kind", "program", "model", "args", "env", "env_keys", "writable", "stream", "price"];
    reader.strangers(block, &format!("agents.{name}"), &known);
    let agent = AgentSettings {
        kind: reader.text(block, &at("kind")),
        program: reader.text(block, &at("program")),
        model: reader.text(block, &at("model")),
        args: reader.texts(block, &at("args")),
        env: reader.pairs(block, &at("env"), true),
        env_keys: reader.variables(block, &at("env_keys")),
        writable: reader.texts(block, &at("writable")),
        stream: reader.text(block, &at("stream")),
        price: price(reader, block, &at("price")),
    };
    let kind = match &agent.kind {
        Some(kind) => match word(kind) {
            Some(word) => Some(word),
            None => {
                reader.error(&at("kind"), format!("is `{kind}`; use one of {} or {CUSTOM}", words()));
                None
            }
        },
        None => {
            let own = word(name);
            if own.is_none() {
                let message = format!(
                    "is missing: `{name}` is no agent's own word; use one of {} or {CUSTOM}",
                    words()
                );
                reader.error(&at("kind"), message);
            }
            own
        }
    };
    if kind == Some(CUSTOM) && agent.args.is_empty() {
        let message =
            "is missing: a custom agent needs its command line, such as [my-agent, --prompt, '{prompt}']";
        reader.error(&at("args"), message);
    }
    if let Some(stream) = &agent.stream
        && stream != "text"
        && !(stream == "exec" && kind == Some("codex"))
        && word(stream).is_none_or(|word| word == CUSTOM)
    {
        reader.error(&at("stream"), format!("is `{stream}`; use text or one of {}", words()));
    }
    agent
}

fn words() -> String {
    AGENT_WORDS.join(", ")
}

fn price(reader: &mut Reader<'_>, parent: &Mapping, path: &str) -> Option<Price> {
    let block = reader.block(parent, path)?;
    reader.strangers(block, path, &["input", "cache_read", "cache_write", "output"]);
    let mut dollars =
        |key: &str| reader.number(block, &format!("{path}.{key}"), Number::NotNegative).unwrap_or(0.0);
    Some(Price {
        input: dollars("input"),
        cache_read: dollars("cache_read"),
        cache_write: dollars("cache_write"),
        output: dollars("output"),
    })
}

fn budgets(reader: &mut Reader<'_>, root: &Mapping) -> Budgets {
    reader.limits(|reader| {
        let usual = Budgets::default();
        let Some(block) = reader.block(root, "budgets") else { return usual };
        let known = [
            "run_minutes",
            "stalled_minutes",
            "silence_minutes",
            "run_tokens",
            "run_usd",
            "day_tokens",
            "day_usd",
            "rate_limit_sleeps",
        ];
        reader.strangers_among_limits(block, "budgets", &known);
        let mut number = |key: &str| reader.number(block, &format!("budgets.{key}"), Number::Positive);
        let (run, stalled) = (number("run_minutes"), number("stalled_minutes"));
        let (silence_minutes, run_usd, day_usd) =
            (number("silence_minutes"), number("run_usd"), number("day_usd"));
        let mut count = |key: &str, least| reader.count(block, &format!("budgets.{key}"), least);
        let (run_tokens, day_tokens) = (count("run_tokens", 1), count("day_tokens", 1));
        let sleeps = count("rate_limit_sleeps", 0).map(|count| u32::try_from(count).unwrap_or(u32::MAX));
        Budgets {
            run_minutes: run.unwrap_or(usual.run_minutes),
            stalled_minutes: stalled.unwrap_or(usual.stalled_minutes),
            silence_minutes,
            run_tokens,
            run_usd,
            day_tokens,
            day_usd,
            rate_limit_sleeps: sleeps.unwrap_or(usual.rate_limit_sleeps),
        }
    })
}

/// A server that can be spoken to, or nothing.
fn server(reader: &mut Reader<'_>, name: &str, block: &Mapping) -> Option<McpServer> {
    let path = format!("mcp.{name}");
    let at = |key: &str| format!("{path}.{key}");
    reader.strangers(block, &path, &["command", "args", "env", "env_keys", "url", "headers"]);
    let before = reader.notes.iter().filter(|note| note.level == super::NoteLevel::Error).count();
    let mut command = match block.get("command") {
        Some(Value::String(text)) => shlex::split(text).unwrap_or_else(|| {
            reader.error(&at("command"), "has an unclosed quote");
            Vec::new()
        }),
        _ => reader.texts(block, &at("command")),
    };
    let args = reader.texts(block, &at("args"));
    if command.is_empty() && !args.is_empty() {
        reader.error(&at("args"), "has no `command` that it could belong to");
    }
    command.extend(args);
    let server = McpServer {
        command,
        env: reader.pairs(block, &at("env"), true),
        env_keys: reader.variables(block, &at("env_keys")),
        url: reader.text(block, &at("url")),
        headers: reader.pairs(block, &at("headers"), false),
    };
    match (server.command.is_empty(), &server.url) {
        (true, None) => reader.error(&path, "has neither `command` nor `url`; the server does not count"),
        (false, Some(_)) => reader.error(&path, "has both `command` and `url`; the server does not count"),
        (true, Some(url)) if !(url.starts_with("http://") || url.starts_with("https://")) => {
            reader.error(&at("url"), "does not begin with http:// or https://; the server does not count");
        }
        _ => {}
    }
    let errors = reader.notes.iter().filter(|note| note.level == super::NoteLevel::Error).count();
    (errors == before).then_some(server)
}

fn llm(reader: &mut Reader<'_>, root: &Mapping) -> LlmSettings {
    let Some(block) = reader.block(root, "llm") else { return LlmSettings::default() };
    reader.strangers(block, "llm", &["cache", "cache_hours", "keys"]);
    let mut keys = reader.pairs(block, "llm.keys", false);
    keys.retain(|host, variable| {
        let fits = is_variable(variable);
        if !fits {
            let message = format!("is `{variable}`, which is neither the name of a variable nor `none`");
            reader.error(&format!("llm.keys.{host}"), message);
        }
        fits
    });
    LlmSettings {
        cache: reader.flag(block, "llm.cache").unwrap_or(false),
        cache_hours: reader.number(block, "llm.cache_hours", Number::Positive),
        keys: keys.into_iter().map(|(host, variable)| (host.to_lowercase(), variable)).collect(),
    }
}

fn review(reader: &mut Reader<'_>, root: &Mapping) -> ReviewSettings {
    let usual = ReviewSettings::default();
    let Some(block) = reader.block(root, "review") else { return usual };
    reader.strangers(block, "review", &["max_rounds", "max_loops", "command"]);
    let mut count = |key: &str, least| {
        reader
            .count(block, &format!("review.{key}"), least)
            .map(|count| u32::try_from(count).unwrap_or(u32::MAX))
    };
    let (max_rounds, max_loops) = (count("max_rounds", 1), count("max_loops", 0));
    ReviewSettings {
        max_rounds: max_rounds.unwrap_or(usual.max_rounds),
        max_loops: max_loops.unwrap_or(usual.max_loops),
        command: reader.texts(block, "review.command"),
    }
}

/// Names and globs of names.
fn environment(reader: &mut Reader<'_>, root: &Mapping) -> Vec<String> {
    let mut patterns = reader.texts(root, "environment");
    patterns.retain(|pattern| {
        let fits = is_variable(&pattern.replace(['*', '?'], "_"));
        if !fits {
            let message = format!(
                "holds `{pattern}`, which is neither a variable's name nor a glob of names (`AWS_*`)"
            );
            reader.error("environment", message);
        }
        fits
    });
    patterns
}
