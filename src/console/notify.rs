//! What reaches the operator who looks elsewhere: the bell, the window's title, a desktop notification through the
//! terminal, and a command of the user's own.
//!
//! What is wanted stands in `notify.yaml` of the user's configuration, never of a project: a repository must not be able
//! to start programs by being looked at. Foreign text goes out as plain words: no control can end a sequence, and the
//! command is started without a shell.

use std::process::Stdio;
use std::time::Duration;

use serde_yaml::{Mapping, Value};

use super::rows::RowState;

/// Longest text of one notification, in characters.
const TEXT: usize = 200;

/// How long a command may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How a desktop notification is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Desktop {
    /// `OSC 9`: iTerm2, WezTerm, kitty, Ghostty, Windows Terminal.
    Osc9,
    /// `OSC 777`: urxvt, foot, Konsole, VTE.
    Osc777,
}

/// What is wanted; by itself, nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    pub(crate) bell: bool,
    pub(crate) title: bool,
    pub(crate) desktop: Option<Desktop>,
    /// Program and arguments; `{project}`, `{ticket}`, `{state}` and `{text}` stand for what happened.
    pub(crate) command: Vec<String>,
    /// The states that are worth it.
    pub(crate) on: Vec<RowState>,
}

/// The words of `on`.
const STATES: [(&str, RowState); 6] = [
    ("needs_you", RowState::NeedsYou),
    ("broke_policy", RowState::Violation),
    ("failed", RowState::Failed),
    ("refused", RowState::Refused),
    ("interrupted", RowState::Interrupted),
    ("stalled", RowState::Stalled),
];

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Project, safe text.
    pub(crate) project: String,
    /// Ticket, safe text.
    pub(crate) ticket: String,
    /// State: `needs you`.
    pub(crate) state: String,
    /// The whole as one line, safe text.
    pub(crate) text: String,
}

impl Notify {
    /// What is wanted where the user says nothing: the window's title.
    pub(crate) fn usual() -> Notify {
        Notify { title: true, on: STATES.iter().map(|(_, state)| *state).collect(), ..Notify::default() }
    }

    /// Reads `notify.yaml`; what cannot be honoured comes back as sentences.
    pub fn read(text: &str) -> (Notify, Vec<String>) {
        let (mut notify, mut troubles) = (Notify::usual(), Vec::new());
        match serde_yaml::from_str::<Option<Mapping>>(text) {
            Err(error) => troubles.push(format!("notify.yaml: {error}; nothing in it counts")),
            Ok(entries) => {
                for (key, value) in entries.unwrap_or_default() {
                    let name = key.as_str().unwrap_or_default().to_owned();
                    if let Err(why) = notify.take(&name, &value) {
                        troubles.push(format!("notify.yaml: {name}: {why}"));
                    }
                }
            }
        }
        (notify, troubles)
    }

    fn take(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let texts = |value: &Value| -> Option<Vec<String>> {
            value.as_sequence()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        };
        match name {
            "bell" => self.bell = value.as_bool().ok_or("true or false")?,
            "title" => self.title = value.as_bool().ok_or("true or false")?,
            "desktop" => {
                self.desktop = match value.as_str() {
                    Some("osc9") => Some(Desktop::Osc9),
                    Some("osc777") => Some(Desktop::Osc777),
                    Some("off") => None,
                    _ => return Err("osc9, osc777 or off".to_owned()),
                }
            }
            "command" => {
                self.command = texts(value).ok_or("a list of texts: the program and its arguments")?
            }
            "on" => {
                let known = || STATES.map(|(word, _)| word).join(", ");
                let words = texts(value).ok_or_else(|| format!("a list of {}", known()))?;
                let state =
                    |word: &String| STATES.iter().find(|(known, _)| known == word).map(|(_, state)| *state);
                self.on = words
                    .iter()
                    .map(state)
                    .collect::<Option<_>>()
                    .ok_or_else(|| format!("use {}", known()))?;
            }
            _ => return Err("there is no such key; use bell, title, desktop, command, on".to_owned()),
        }
        Ok(())
    }

    /// Whether anybody wants to be called.
    pub(crate) fn calls(&self) -> bool {
        self.bell || self.desktop.is_some() || !self.command.is_empty()
    }
}

/// The sequence that sets the window's title. Like all of these it ends with ST, so that a terminal that does not know it
/// does not ring.
pub(crate) fn title(text: &str) -> String {
    format!("\x1b]2;{}\x1b\\", plain(text))
}

/// The sequence that asks the terminal for a notification.
pub(crate) fn desktop(how: Desktop, call: &Call) -> String {
    match how {
        Desktop::Osc9 => format!("\x1b]9;{}\x1b\\", plain(&call.text)),
        // A semicolon would end the title.
        Desktop::Osc777 => {
            let head = plain(&format!("koru {}", call.project)).replace(';', ",");
            format!("\x1b]777;notify;{head};{}\x1b\\", plain(&call.text))
        }
    }
}

/// Text in which nothing acts: it was made safe where it came in, and this is the last gate.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT).collect()
}

/// Starts the user's command; it is given [`PATIENCE`] and nobody waits for it. What goes wrong is logged: the console
/// has said what happened anyway.
pub(crate) fn start(command: &[String], call: &Call) {
    let Some((program, arguments)) =
        filled(command, call).split_first().map(|(a, b)| (a.clone(), b.to_vec()))
    else {
        return;
    };
    let child = tokio::process::Command::new(&program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    match child {
        Err(error) => tracing::warn!(%error, program, "the command of notify.yaml does not start"),
        Ok(mut child) => {
            tokio::spawn(async move {
                if tokio::time::timeout(PATIENCE, child.wait()).await.is_err() {
                    tracing::warn!(program, "the command of notify.yaml takes too long and is ended");
                }
            });
        }
    }
}

fn filled(command: &[String], call: &Call) -> Vec<String> {
    let fill = |argument: &String| {
        argument
            .replace("{project}", &call.project)
            .replace("{ticket}", &call.ticket)
            .replace("{state}", &call.state)
            .replace("{text}", &plain(&call.text))
    };
    command.iter().map(fill).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(text: &str) -> Call {
        Call {
            project: "shop; x".to_owned(),
            ticket: "PLF-1".to_owned(),
            state: "needs you".to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn the_file_is_read_and_its_mistakes_are_said() {
        let (notify, troubles) = Notify::read(
            "bell: true\ntitle: false\ndesktop: osc777\ncommand: [notify-send, '{ticket} {state}']\non: [needs_you]\n",
        );
        let expected = Notify {
            bell: true,
            title: false,
            desktop: Some(Desktop::Osc777),
            command: vec!["notify-send".to_owned(), "{ticket} {state}".to_owned()],
            on: vec![RowState::NeedsYou],
        };
        assert_eq!((notify, troubles), (expected, vec![]));
        let (notify, troubles) = Notify::read("bel: true\ndesktop: loud\non: [always]\ncommand: ls\n");
        assert_eq!(notify, Notify::usual());
        assert_eq!(troubles.len(), 4, "{troubles:?}");
    }

    #[test]
    fn no_text_ends_a_sequence_early() {
        let hostile = call("a\x07b\x1b\\c\u{9c}d");
        assert_eq!(desktop(Desktop::Osc9, &hostile), "\x1b]9;ab\\cd\x1b\\");
        assert_eq!(desktop(Desktop::Osc777, &hostile), "\x1b]777;notify;koru shop, x;ab\\cd\x1b\\");
        assert_eq!(title("x\x1b]0;y\x07"), "\x1b]2;x]0;y\x1b\\");
    }

    #[test]
    fn the_command_gets_words_and_no_shell() {
        let command = ["say".to_owned(), "{project}: {ticket} {state}: {text}".to_owned()];
        assert_eq!(filled(&command, &call("$(reboot)")), ["say", "shop; x: PLF-1 needs you: $(reboot)"]);
    }

    #[tokio::test]
    async fn the_command_is_started() {
        let folder = tempfile::tempdir().unwrap();
        let told = folder.path().join("told");
        let script = format!("printf %s \"$1\" > {0}.new && mv {0}.new {0}", told.display());
        start(&["sh".to_owned(), "-c".to_owned(), script, "x".to_owned(), "{ticket}".to_owned()], &call("t"));
        let said = async {
            loop {
                if let Ok(text) = std::fs::read_to_string(&told) {
                    break text;
                }
                tokio::task::yield_now().await;
            }
        };
        assert_eq!(tokio::time::timeout(Duration::from_secs(20), said).await.unwrap(), "PLF-1");
    }
}
