//! `agent`: which coding agents there are, and one of them started in this terminal with the brief (koru §6.4).
//!
//! This is the operator's own agent, in the operator's own checkout and environment: nothing watches it but the operator.
//! Tickets that are to be worked inside limits are delegated through the queue or `ticket run`.

use std::io::{BufRead, IsTerminal, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;

use super::cli::agent::AgentArgs;
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use crate::base::atomic;
use crate::base::paths::ProjectPaths;
use crate::plan::brief::lanes::{self, LaneState};
use crate::plan::brief::{BriefOptions, build};
use crate::plan::surroundings::Surroundings;

/// Longest prompt that is given as one argument: the kernel takes 128 KiB.
const MAX_ARGUMENT: usize = 100 * 1024;

/// Name of the prompt's file (koru §6.4).
const PROMPT_FILE: &str = "latest-agent-prompt.md";

/// Runs the verb.
///
/// # Errors
/// No agent that could be started, or one that does not start.
pub(super) fn run(context: &Context, args: &AgentArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let root = context.root()?;
    let machine = Surroundings::of_process();
    let known = lanes::agents(&root, &machine.clone().with_env_files(&root));
    if args.list {
        list(context, &known, out);
        return Ok(Exit::Ok);
    }
    let lane = if args.launch { Some(pick(&known, args.agent.as_deref(), out)?) } else { None };
    let options = BriefOptions {
        ticket: args.ticket.clone(),
        queue: args.queue_name.clone(),
        surroundings: machine,
        ..BriefOptions::default()
    };
    let prompt = build(&root, &options, None, &context.clock).to_markdown();
    let Some(lane) = lane else {
        out.block(&prompt);
        // Where there is no planfile nothing is made; the brief itself says how to begin.
        if ProjectPaths::new(&root).planfile().is_dir() {
            let file = save(&root, &prompt)?;
            out.note(Tone::Faint, &format!("saved as {}", file.display()));
        }
        return Ok(Exit::Ok);
    };
    let file = save(&root, &prompt)?;
    Err(launch(&root, lane, &prompt, &file, out))
}

fn list(context: &Context, known: &[LaneState], out: &mut Out) {
    let count = |is: fn(&LaneState) -> bool| known.iter().filter(|lane| is(lane)).count();
    let (available, launchable) = (count(|lane| lane.available), count(|lane| lane.launchable));
    if context.json() {
        let ready = count(|lane| lane.available && lane.launchable);
        let total = known.len();
        let summary =
            json!({"total": total, "available": available, "launchable": launchable, "ready": ready});
        out.json(&json!({"summary": summary, "agents": known}));
        return;
    }
    let width = known.iter().map(|lane| lane.id.len()).max().unwrap_or(0);
    for lane in known {
        let (mark, tone) = if lane.available { ("✓", Tone::Good) } else { ("·", Tone::Faint) };
        let how = if lane.launchable { "launchable" } else { "manual" };
        out.pieces(&[
            (tone, mark),
            (Tone::Strong, &format!(" {:width$}", lane.id)),
            (Tone::Plain, &format!("  {how:10}  ")),
            (Tone::Faint, &lane.reason),
        ]);
    }
    out.line(&format!("{available} of {} available, {launchable} launchable", known.len()));
}

/// Which one: the named one, else the only one or the first; on a terminal the operator chooses among several.
fn pick<'a>(known: &'a [LaneState], id: Option<&str>, out: &mut Out) -> Result<&'a LaneState, VerbError> {
    if let Some(id) = id {
        let same = |lane: &&LaneState| lane.id == id || lane.id.strip_suffix("-code") == Some(id);
        let lane = known.iter().find(same).ok_or_else(|| {
            let ids: Vec<&str> = known.iter().map(|lane| lane.id.as_str()).collect();
            VerbError::Usage(format!("--agent {id}: no such agent; known are {}", ids.join(", ")))
        })?;
        if !lane.launchable {
            return Err(VerbError::Usage(format!("{} cannot be started: {}", lane.id, lane.reason)));
        }
        return Ok(lane);
    }
    let able: Vec<&LaneState> = known.iter().filter(|lane| lane.launchable).collect();
    let Some(first) = able.first() else {
        let why = "no agent that could be started was found on PATH; `koru-tui agent --list` shows what was looked for";
        return Err(VerbError::Usage(why.to_owned()));
    };
    if able.len() == 1 || !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Ok(first);
    }
    for (number, lane) in able.iter().enumerate() {
        out.note(Tone::Plain, &format!("  {}. {} ({})", number + 1, lane.id, lane.label));
    }
    out.note(Tone::Plain, &format!("Which one? 1 to {}, Enter for 1:", able.len()));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    let chosen = match (read, answer.trim()) {
        (Ok(1..), "") => Some(0),
        (Ok(1..), number) => number.parse::<usize>().ok().and_then(|number| number.checked_sub(1)),
        _ => None,
    };
    let lane = chosen.and_then(|at| able.get(at)).copied();
    lane.ok_or_else(|| VerbError::Usage(format!("`{}` is none of them; nothing was started", answer.trim())))
}

/// Keeps the prompt where the agent can read it.
fn save(root: &Path, prompt: &str) -> Result<PathBuf, VerbError> {
    let folder = ProjectPaths::new(root).prompts();
    let file = folder.join(PROMPT_FILE);
    let failed = |source| VerbError::Io { doing: "saving the prompt", path: file.clone(), source };
    if !ProjectPaths::new(root).planfile().is_dir() {
        let why =
            "this project has no planfile, so there is nowhere to keep the prompt; run `koru-tui init` first";
        return Err(VerbError::Failed(why.to_owned()));
    }
    atomic::make_own_dir(&folder).map_err(failed)?;
    atomic::replace(&file, &[prompt.as_bytes()]).map_err(failed)?;
    Ok(file)
}

/// How an agent is given its prompt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Given {
    /// As an argument after these words.
    Text(&'static [&'static str]),
    /// As a file after these words.
    File(&'static [&'static str]),
    /// An editor: it opens the folder and the file, and the operator does the rest.
    Opened,
}

fn given(lane: &LaneState) -> Given {
    let program = lane.command.as_deref().map(Path::new).and_then(Path::file_name);
    match (lane.id.as_str(), program.and_then(|name| name.to_str())) {
        ("gemini-cli" | "qwen-code", _) => Given::Text(&["-i"]),
        ("opencode", _) => Given::Text(&["--prompt"]),
        ("aider", _) => Given::File(&["--message-file"]),
        ("windsurf", _) | ("cursor", Some("cursor")) => Given::Opened,
        _ => Given::Text(&[]),
    }
}

/// The arguments, and the same as a shell would be told them.
fn arguments(how: Given, prompt: &str, file: &Path) -> (Vec<String>, String) {
    let name = file.to_string_lossy().into_owned();
    let quoted =
        |word: &str| shlex::try_quote(word).map_or_else(|_| "''".to_owned(), |word| word.into_owned());
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match how {
        Given::Text(before) => {
            let (text, shown) = if prompt.len() <= MAX_ARGUMENT {
                (prompt.to_owned(), format!("\"$(cat {})\"", quoted(&name)))
            } else {
                let text = format!("Read the file {name} and follow it.");
                (text.clone(), quoted(&text))
            };
            let shown = words(before).into_iter().chain([shown]).collect::<Vec<_>>().join(" ");
            (words(before).into_iter().chain([text]).collect(), shown)
        }
        Given::File(before) => {
            let all: Vec<String> = words(before).into_iter().chain([name]).collect();
            let shown = all.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
            (all, shown)
        }
        Given::Opened => (vec![".".to_owned(), name.clone()], format!(". {}", quoted(&name))),
    }
}

/// Becomes the agent: its exit code is ours. Comes back only when it could not be started.
fn launch(root: &Path, lane: &LaneState, prompt: &str, file: &Path, out: &mut Out) -> VerbError {
    let Some(program) = &lane.command else {
        return VerbError::Usage(format!("{} cannot be started: {}", lane.id, lane.reason));
    };
    let (arguments, shown) = arguments(given(lane), prompt, file);
    out.note(Tone::Faint, &format!("cd {} && {program} {shown}", root.display()));
    if let Err(error) = out.finish().and_then(|()| std::io::stderr().flush()) {
        return VerbError::Failed(format!("writing the output failed: {error}"));
    }
    let error = Command::new(program).args(arguments).current_dir(root).exec();
    VerbError::Failed(format!(
        "starting {program} failed: {error}; check that it is installed for this machine"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_agent_gets_its_prompt_its_own_way() {
        let lane = |id: &str, command: &str| LaneState {
            id: id.to_owned(),
            label: String::new(),
            available: true,
            launchable: true,
            command: Some(command.to_owned()),
            reason: String::new(),
            project_hint: false,
        };
        let file = Path::new("/p/a b.md");
        let of = |id: &str, command: &str, prompt: &str| arguments(given(&lane(id, command)), prompt, file);
        let told = |words: &[&str], shown: &str| {
            (words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), shown.to_owned())
        };
        let text = "\"$(cat '/p/a b.md')\"";
        assert_eq!(of("claude-code", "/bin/claude", "P"), told(&["P"], text));
        assert_eq!(of("cursor", "/bin/cursor-agent", "P"), told(&["P"], text));
        assert_eq!(of("gemini-cli", "/bin/gemini", "P"), told(&["-i", "P"], &format!("-i {text}")));
        assert_eq!(
            of("opencode", "/bin/opencode", "P"),
            told(&["--prompt", "P"], &format!("--prompt {text}"))
        );
        assert_eq!(
            of("aider", "/bin/aider", "P"),
            told(&["--message-file", "/p/a b.md"], "--message-file '/p/a b.md'")
        );
        assert_eq!(of("cursor", "/bin/cursor", "P"), told(&[".", "/p/a b.md"], ". '/p/a b.md'"));
        let long = "x".repeat(MAX_ARGUMENT + 1);
        let read = "Read the file /p/a b.md and follow it.";
        assert_eq!(
            of("codex", "/bin/codex", &long),
            told(&[read], "'Read the file /p/a b.md and follow it.'")
        );
    }
}
