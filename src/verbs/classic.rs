//! koru's flags as spellings of our verbs (koru §0.1), with koru's precedence, for scripts and for a link named `koru`.
//!
//! A command line without one of our verbs but with flags is read here; everything else is left to [`super::cli`].

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use clap::Parser;

use super::cli::{
    BootstrapArgs, BriefArgs, Cli, DEFAULT_ACTOR, Format, InitArgs, LookArgs, QueueRunArgs, QueueVerb, Verb,
};
use super::error::VerbError;

/// koru's flags.
#[derive(Debug, Parser)]
#[command(name = "koru", disable_help_flag = true)]
struct Classic {
    #[arg(long)]
    project: Option<PathBuf>,
    #[arg(long, value_enum)]
    format: Option<Format>,
    #[arg(long)]
    init: bool,
    #[arg(long)]
    doctor: bool,
    #[arg(long)]
    context: bool,
    #[arg(long)]
    bootstrap: bool,
    #[arg(long)]
    queue: bool,
    #[arg(long = "loop", requires = "queue")]
    looping: bool,
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    max_iterations: u32,
    #[arg(long, default_value = DEFAULT_ACTOR)]
    actor: String,
    #[arg(long)]
    queue_name: Option<String>,
    #[arg(long, requires = "queue")]
    dry_run: bool,
    #[arg(long, requires = "queue")]
    interactive: bool,
    #[arg(long, requires = "queue")]
    no_log: bool,
    #[arg(long, requires = "queue", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,
    #[arg(long)]
    from: Option<PathBuf>,
    #[arg(long)]
    sprint: Option<String>,
    #[arg(long)]
    force: bool,
    #[arg(long)]
    ticket: Option<String>,
    #[arg(long, overrides_with = "no_include_fixtures")]
    include_fixtures: bool,
    #[arg(long, overrides_with = "include_fixtures")]
    no_include_fixtures: bool,
}

/// Flags that take a value, so that the value is not mistaken for a verb.
const TAKES_VALUE: [&str; 16] = [
    "--project",
    "--format",
    "--theme",
    "--max-iterations",
    "--actor",
    "--queue-name",
    "--jobs",
    "--from",
    "--sprint",
    "--ticket",
    "--workspace",
    "--include",
    "--max-rounds",
    "--command",
    "--ws-url",
    "--max-events",
];

/// Flags of koru whose work is not here yet.
const LATER_FLAGS: [&str; 7] =
    ["--watch", "--ws-url", "--max-events", "--command", "--workspace", "--include", "--max-rounds"];

/// Subcommands of koru whose work is not here yet.
const LATER_VERBS: [&str; 4] = ["task", "scan", "gc", "serve"];

/// Reads koru's spelling; `None` when the command line is not koru's (then [`Cli`] reads it).
///
/// # Errors
/// [`VerbError::Usage`] for flags that do not go together or whose work is not here yet.
pub(super) fn parse(args: &[OsString]) -> Result<Option<Cli>, VerbError> {
    let called_koru =
        args.first().map(Path::new).and_then(Path::file_name).is_some_and(|name| name == "koru");
    let (flags, words) = split(args.get(1..).unwrap_or_default());
    if let Some(word) = words.first() {
        let clean = words.get(1).is_some_and(|second| word == "queue" && second == "clean");
        if clean || LATER_VERBS.contains(&word.as_str()) {
            return Err(later(&words[..if clean { 2 } else { 1 }].join(" ")));
        }
        return Ok(None);
    }
    if let Some(flag) = flags.iter().find(|flag| LATER_FLAGS.contains(&flag.as_str())) {
        return Err(later(flag));
    }
    let asks_us = |flag: &String| matches!(flag.as_str(), "-h" | "--help" | "-V" | "--version");
    let neutral = |flag: &String| matches!(flag.as_str(), "--project" | "--format");
    // koru has no console, so flags of its looks are ours, whatever we are called.
    let looks = |flag: &String| matches!(flag.as_str(), "--theme" | "--ascii" | "--bell");
    let ours = flags.iter().any(looks) || !called_koru;
    if flags.iter().any(asks_us) || (flags.iter().all(|flag| neutral(flag) || looks(flag)) && ours) {
        return Ok(None);
    }
    let classic = Classic::try_parse_from(args).map_err(|error| VerbError::Usage(super::usage(&error)))?;
    verb(classic).map(Some)
}

fn later(what: &str) -> VerbError {
    VerbError::Usage(format!("{what} is not in this version yet; `koru-tui --help` lists what is"))
}

/// The flags (without values) and the words of a command line, up to its first `--`.
fn split(args: &[OsString]) -> (Vec<String>, Vec<String>) {
    let (mut flags, mut words) = (Vec::new(), Vec::new());
    let mut args = args.iter().map(|arg| arg.to_string_lossy());
    while let Some(arg) = args.next() {
        if arg == "--" {
            break;
        }
        if !arg.starts_with('-') || arg == "-" {
            words.push(arg.into_owned());
            continue;
        }
        let (flag, value) = arg.split_once('=').map_or((&*arg, None), |(flag, value)| (flag, Some(value)));
        flags.push(flag.to_owned());
        if words.is_empty() && value.is_none() && TAKES_VALUE.contains(&flag) {
            args.next();
        }
    }
    (flags, words)
}

/// koru's precedence: doctor → init → context → bootstrap → queue; without an action the brief.
fn verb(classic: Classic) -> Result<Cli, VerbError> {
    let imports = classic.init || classic.bootstrap;
    for (given, flag) in [
        (classic.from.is_some(), "--from"),
        (classic.sprint.is_some(), "--sprint"),
        (classic.force, "--force"),
    ] {
        if given && !imports {
            return Err(VerbError::Usage(format!("{flag} goes with --init or --bootstrap; add one of them")));
        }
    }
    let sprint = classic.sprint.unwrap_or_else(|| "current".to_owned());
    let mut format = classic.format;
    let verb = if classic.doctor {
        Verb::Doctor
    } else if classic.init {
        Verb::Init(InitArgs { from: classic.from, sprint, force: classic.force })
    } else if !classic.context && classic.bootstrap {
        let from = classic.from.ok_or_else(|| {
            VerbError::Usage("--bootstrap needs --from FILE, the pipeline file to import".to_owned())
        })?;
        Verb::Bootstrap(BootstrapArgs { from, sprint, force: classic.force })
    } else if !classic.context && classic.queue {
        Verb::Queue {
            verb: QueueVerb::Run(QueueRunArgs {
                looping: classic.looping,
                max_iterations: classic.max_iterations,
                dry_run: classic.dry_run,
                interactive: classic.interactive,
                actor: classic.actor,
                queue_name: classic.queue_name,
                // koru runs one ticket after the other.
                jobs: classic.jobs.or(Some(1)),
                no_log: classic.no_log,
            }),
        }
    } else {
        // koru: `--context` prints JSON by default, a bare call markdown.
        format = format.or(Some(if classic.context { Format::Json } else { Format::Markdown }));
        Verb::Brief(BriefArgs {
            ticket: classic.ticket,
            queue_name: classic.queue_name,
            include_fixtures: classic.include_fixtures,
            no_include_fixtures: classic.no_include_fixtures,
        })
    };
    Ok(Cli { project: classic.project, format, look: LookArgs::default(), verb: Some(verb) })
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::super::error::VerbError;
    use super::parse;

    /// The verb in one word with its format, `-` when the command line is not koru's, or the error.
    fn read(line: &str) -> String {
        let args: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        match parse(&args) {
            Ok(None) => "-".to_owned(),
            Ok(Some(cli)) => {
                let verb = format!("{:?}", cli.verb);
                let word: String =
                    verb.trim_start_matches("Some(").chars().take_while(|c| c.is_alphabetic()).collect();
                format!("{word} {:?}", cli.format)
            }
            Err(VerbError::Usage(message)) => {
                format!("usage: {}", message.lines().next().unwrap_or_default())
            }
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn korus_flags_become_verbs_by_korus_precedence() {
        let lines = [
            ("koru", "Brief Some(Markdown)"),
            ("koru-tui", "-"),
            ("/usr/bin/koru --project x", "Brief Some(Markdown)"),
            ("koru-tui --project init", "-"),
            ("koru-tui --project=x --doctor", "Doctor None"),
            ("koru --queue --init --doctor", "Doctor None"),
            ("koru --context --bootstrap --from f --queue", "Brief Some(Json)"),
            ("koru --context --format markdown", "Brief Some(Markdown)"),
            ("koru --bootstrap --queue --from f", "Bootstrap None"),
            ("koru --queue --loop --max-iterations 3", "Queue None"),
            ("koru ticket list", "-"),
            ("koru --help", "-"),
            ("koru-tui ticket next --queue x", "-"),
            ("koru --bootstrap", "usage: --bootstrap needs --from FILE, the pipeline file to import"),
            ("koru --from f", "usage: --from goes with --init or --bootstrap; add one of them"),
            ("koru --loop", "usage: the following required arguments were not provided:"),
            ("koru --watch", "usage: --watch is not in this version yet; `koru-tui --help` lists what is"),
            ("koru scan --apply", "usage: scan is not in this version yet; `koru-tui --help` lists what is"),
            (
                "koru queue clean",
                "usage: queue clean is not in this version yet; `koru-tui --help` lists what is",
            ),
            ("koru --nonsense", "usage: unexpected argument '--nonsense' found"),
        ];
        let found: Vec<(&str, String)> = lines.iter().map(|(line, _)| (*line, read(line))).collect();
        let wanted: Vec<(&str, String)> =
            lines.iter().map(|(line, want)| (*line, (*want).to_owned())).collect();
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_cap_below_one_is_an_error() {
        assert!(read("koru --queue --loop --max-iterations 0").starts_with("usage: invalid value '0'"));
    }
}
