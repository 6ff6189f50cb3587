//! How loop-kit starts its three agents (`reference/loop-kit.md` §10, §14): argument for argument, so that who uses it can
//! change over in the middle of a task. The prompt goes through standard input, never into an argument.

use std::io::Read;
use std::path::{Path, PathBuf};

/// Agents that loop-kit knows; any agent of the configuration can be named besides.
pub const BACKENDS: [&str; 3] = ["codex", "claude", "opencode"];

/// loop-kit's one argument that says where the prompt is (0.3.1).
const INSTRUCTION: &str = "Execute the context provided via stdin. Follow the instructions embedded in it and only \
                           finish after the required output artifact is written.";

/// Whether `name` is one of loop-kit's.
pub fn known_backend(name: &str) -> bool {
    BACKENDS.contains(&name)
}

/// A command line of one of loop-kit's agents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CommandLine {
    /// Arguments after the program.
    pub(super) arguments: Vec<String>,
    /// Id of the conversation, when it is known before the agent says it.
    pub(super) session: Option<String>,
}

/// The command line for `backend` in `root`, to go on with `resume` or to begin.
pub(super) fn command_line(backend: &str, root: &Path, resume: Option<&str>) -> CommandLine {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    // Where it is started is the same folder; a name that is no text cannot be given.
    let folder = root.to_str().unwrap_or(".");
    match backend {
        "claude" => {
            let begun = resume.is_none().then(new_uuid);
            let id = resume.map(str::to_owned).or(begun).unwrap_or_default();
            let how = if resume.is_some() { "--resume" } else { "--session-id" };
            let arguments = owned(&[
                "-p",
                "--output-format",
                "stream-json",
                "--verbose",
                "--dangerously-skip-permissions",
                how,
                &id,
            ]);
            CommandLine { arguments, session: Some(id) }
        }
        "opencode" => {
            let mut arguments = owned(&["run", "--format", "json"]);
            if let Some(id) = resume {
                arguments.extend(owned(&["--session", id]));
            }
            arguments.push(INSTRUCTION.to_owned());
            CommandLine { arguments, session: None }
        }
        _ => {
            let bypass = "--dangerously-bypass-approvals-and-sandbox";
            let mut arguments = owned(&["exec", "--json", bypass, "-C", folder]);
            if let Some(id) = resume {
                arguments.extend(owned(&["resume", id]));
            }
            arguments.push(INSTRUCTION.to_owned());
            CommandLine { arguments, session: None }
        }
    }
}

/// Where programs are besides the `PATH` (loop-kit §10).
pub(super) fn other_places(home: Option<&Path>, name: &str) -> Vec<PathBuf> {
    let below = home.into_iter().flat_map(|home| [home.join(".npm-global/bin"), home.join(".local/bin")]);
    below.chain([PathBuf::from("/usr/local/bin")]).map(|folder| folder.join(name)).collect()
}

/// A random UUID (version 4).
fn new_uuid() -> String {
    let mut bytes = [0_u8; 16];
    let read = std::fs::File::open("/dev/urandom").and_then(|mut source| source.read_exact(&mut bytes));
    if read.is_err() {
        // Unique on this machine is enough where there is no such device.
        let now = jiff::Timestamp::now().as_nanosecond().to_le_bytes();
        bytes = now;
        bytes[12..].copy_from_slice(&std::process::id().to_le_bytes());
    }
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(backend: &str, resume: Option<&str>) -> String {
        command_line(backend, Path::new("/repo"), resume).arguments.join("|")
    }

    #[test]
    fn agents_are_called_as_loop_kit_calls_them() {
        // L24, from its captures.
        let codex = "exec|--json|--dangerously-bypass-approvals-and-sandbox|-C|/repo|";
        assert_eq!(line("codex", None), format!("{codex}{INSTRUCTION}"));
        assert_eq!(line("codex", Some("thr-1")), format!("{codex}resume|thr-1|{INSTRUCTION}"));
        let claude = "-p|--output-format|stream-json|--verbose|--dangerously-skip-permissions|";
        assert_eq!(line("claude", Some("0d15")), format!("{claude}--resume|0d15"));
        assert_eq!(line("opencode", None), format!("run|--format|json|{INSTRUCTION}"));
        let begun = command_line("claude", Path::new("/repo"), None);
        let id = begun.session.unwrap();
        assert_eq!(begun.arguments.join("|"), format!("{claude}--session-id|{id}"));
        assert_eq!((id.len(), id.as_bytes()[14]), (36, b'4'), "{id}");
        assert_ne!(new_uuid(), new_uuid());
    }
}
