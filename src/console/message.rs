//! What can happen to the console, grouped by area; and what it wants done, as data.
//!
//! The loop turns keys, runtime events, signals and timers into [`Message`]s; [`super::Console::update`] answers with
//! [`Effect`]s, which only the loop executes. So every behaviour is testable without a terminal or a child process.

use std::path::PathBuf;
use std::sync::Arc;

use crate::runtime::protocol::{
    Command, DiffEvent, Outcome, ProjectEvent, PromotionEvent, RequestId, RunEvent, Snapshot,
};

use super::keys::Key;
use super::notify::Call;
use super::review::paint::{PaintedPart, PartJob};
use super::source::{Job, Painted};

/// Something happened.
#[derive(Clone, Debug)]
pub enum Message {
    /// The operator did something at the terminal.
    Input(InputMessage),
    /// The runtime said something.
    Runtime(RuntimeMessage),
    /// The process or the machine did something.
    System(SystemMessage),
}

/// From the operator.
#[derive(Clone, Debug)]
pub enum InputMessage {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted in one piece.
    Paste(String),
    /// The terminal has this many columns and rows now.
    Resize(u16, u16),
}

/// From the runtime.
#[derive(Clone, Debug)]
pub enum RuntimeMessage {
    /// A newer state of everything.
    Snapshot(Arc<Snapshot>),
    /// A command was answered.
    Reply {
        /// Which.
        request: RequestId,
        /// How it went.
        outcome: Outcome,
    },
    /// About a run.
    Run(RunEvent),
    /// About the project.
    Project(ProjectEvent),
    /// About a diff that is looked at.
    Diff(DiffEvent),
    /// About work that lands.
    Promotion(PromotionEvent),
    /// The runtime has ended; nothing more will come.
    Gone,
}

/// From the process.
#[derive(Clone, Debug)]
pub enum SystemMessage {
    /// The moment that [`super::Console::next_wake`] asked for has come.
    Tick,
    /// TERM, HUP or QUIT came, or the terminal went away.
    Terminate,
    /// The editor came back: the new text, or why there is none.
    Edited {
        /// As given in [`Effect::Edit`].
        key: String,
        /// The text, or a sentence.
        result: Result<String, String>,
    },
    /// The shell of [`Effect::Attach`] has ended, or why there was none.
    Attached {
        /// Nothing, or a sentence.
        result: Result<(), String>,
    },
    /// A text that [`Effect::Paint`] asked for.
    Painted(Painted),
    /// A part of a diff that [`Effect::PaintPart`] asked for.
    PaintedPart(PaintedPart),
    /// Something about our own files that the operator should know (keymap, theme), as a sentence.
    Trouble(String),
}

/// Something to be done outside of the state.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Hand a command to the runtime.
    Send {
        /// Its number.
        request: RequestId,
        /// The command.
        command: Command,
    },
    /// Let the operator's editor change this text; answered by [`SystemMessage::Edited`].
    Edit {
        /// Which draft it is.
        key: String,
        /// The text.
        text: String,
    },
    /// Give the terminal to a shell in this folder; answered by [`SystemMessage::Attached`].
    Attach {
        /// The worktree.
        folder: PathBuf,
    },
    /// Put this on the clipboard (OSC 52).
    Copy {
        /// Text as shown.
        text: String,
    },
    /// Colour a text in the background; answered by [`SystemMessage::Painted`].
    Paint(Job),
    /// Colour a part of a diff in the background; answered by [`SystemMessage::PaintedPart`].
    PaintPart(PartJob),
    /// Remember this theme for the next time.
    KeepTheme(String),
    /// Ring.
    Bell,
    /// Name the window.
    Title(String),
    /// Call the operator who looks elsewhere.
    Notify(Call),
    /// Give the terminal back and stop until SIGCONT.
    Suspend,
    /// Paint every cell again.
    Repaint,
    /// Leave.
    Exit(ExitReason),
}

/// Why the console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitReason {
    /// The operator left.
    Quit,
    /// A signal asked us to go, or the terminal is gone.
    Terminated,
    /// The runtime ended before us.
    RuntimeGone,
}
