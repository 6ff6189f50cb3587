//! The terminal guard: raw mode, alternate screen, bracketed paste and cursor are entered and left in one place, also
//! on panic, on a signal, on suspend and resume.
//!
//! There is one terminal, so whether it is entered is one flag of the process: [`Guard`] owns it, the panic hook and
//! [`restore`] clear it. Whoever clears it gives the terminal back, so that everything can be called twice and from any
//! thread. [`Screen`] is the only way to the terminal while it is entered and writes nothing after it was left: a panic
//! message is not drawn over by a frame that was under way. Mouse and focus reports stay off: selecting text with the
//! mouse is the terminal's own.

mod hangup;
mod screen;

use std::io::{self, IsTerminal, Write};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::terminal::{disable_raw_mode, enable_raw_mode};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::unistd::{Pid, getpgrp, getsid, tcsetpgrp};

pub use screen::Screen;

/// Window title put aside, alternate screen, bracketed paste on, mouse and focus reports off, cursor hidden.
const ENTER: &str =
    "\x1b[22;2t\x1b[?1049h\x1b[?2004h\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1004l\x1b[?25l\x1b[2J";

/// The reverse, in the order that leaves a clean prompt whatever was under way: an open string sequence is ended, a
/// frame is released, then every mode that anything of ours could have set, colours, the cursor and its shape, and at
/// last the screen and the window's title.
const LEAVE: &str = "\x1b\\\x1b[?2026l\x1b[?1006l\x1b[?1003l\x1b[?1002l\x1b[?1000l\x1b[?1004l\x1b[?2004l\x1b[0m\
                     \x1b[0 q\x1b[23;2t\x1b[?25h\x1b[?1049l";

/// Whether the modes are set now.
static ENTERED: AtomicBool = AtomicBool::new(false);
/// Whether any thread has panicked while the terminal was entered.
static PANICKED: AtomicBool = AtomicBool::new(false);

/// Why the terminal was not had.
#[derive(Debug, thiserror::Error)]
pub enum TerminalError {
    /// Input or output is not a terminal.
    #[error(
        "the console needs a terminal on standard input and output; use the verbs in scripts, see `koru-tui --help`"
    )]
    NotATerminal,
    /// Setting or resetting a mode failed.
    #[error("setting up the terminal failed: {0}")]
    Io(#[from] io::Error),
}

/// The terminal, entered. Dropping it leaves.
#[derive(Debug)]
#[must_use = "dropping the guard gives the terminal back"]
pub struct Guard {
    _one: (),
}

impl Guard {
    /// Takes the terminal, and makes panics give it back before they print.
    ///
    /// # Errors
    /// See [`TerminalError`]. The terminal is as it was.
    pub fn enter() -> Result<Guard, TerminalError> {
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(TerminalError::NotATerminal);
        }
        restore_on_panic();
        hangup::watch()?;
        enter_modes()?;
        Ok(Guard { _one: () })
    }

    /// Gives the terminal back; nothing happens when it was given back already.
    ///
    /// # Errors
    /// Any I/O error; as much as possible was reset.
    pub fn leave(&mut self) -> io::Result<()> {
        restore()
    }

    /// Takes it again after [`Guard::leave`] (an editor has ended). The whole screen must be drawn anew. Events must
    /// not be read in between: drop the event stream before leaving and make a new one after.
    ///
    /// # Errors
    /// See [`TerminalError`].
    pub fn retake(&mut self) -> Result<(), TerminalError> {
        if ENTERED.load(Ordering::SeqCst) { Ok(()) } else { enter_modes() }
    }

    /// As [`Guard::retake`], after a program that may have made itself the terminal's foreground (a shell) and may not
    /// have put that back when it ended.
    ///
    /// # Errors
    /// See [`TerminalError`].
    pub fn reclaim(&mut self) -> Result<(), TerminalError> {
        let mut stop = SigSet::empty();
        stop.add(Signal::SIGTTOU);
        // Whoever is in the background is stopped for asking, unless the signal is held off.
        stop.thread_block().map_err(io::Error::from)?;
        let _ = tcsetpgrp(io::stdin(), getpgrp());
        let retaken = self.retake();
        let _ = stop.thread_unblock();
        retaken
    }

    /// Ctrl-Z: gives the terminal back, stops our process group until the shell continues it, takes the terminal
    /// again. Returns whether it was stopped; it is not where no shell could continue it (the console is the only
    /// program of a window, say). The whole screen must be drawn anew after.
    ///
    /// # Errors
    /// See [`TerminalError`].
    pub fn suspend(&mut self) -> Result<bool, TerminalError> {
        if !has_job_control() {
            return Ok(false);
        }
        self.leave()?;
        // STOP and not TSTP: the program may have asked for TSTP as an event. To the group, so that a wrapper which
        // started us (`cargo run`) stops too and the shell notices.
        kill(Pid::from_raw(0), Signal::SIGSTOP).map_err(io::Error::from)?;
        self.retake()?;
        Ok(true)
    }

    /// Whether a thread has panicked: the terminal was given back then, and the program should end with an error.
    pub fn has_panicked(&self) -> bool {
        PANICKED.load(Ordering::SeqCst)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        let _ = restore();
    }
}

/// Gives the terminal back if it is entered. For signal handling paths that cannot reach the [`Guard`].
///
/// # Errors
/// Any I/O error; as much as possible was reset.
pub fn restore() -> io::Result<()> {
    if !ENTERED.swap(false, Ordering::SeqCst) {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    let written = out.write_all(LEAVE.as_bytes()).and_then(|()| out.flush());
    disable_raw_mode().and(written)
}

fn enter_modes() -> Result<(), TerminalError> {
    enable_raw_mode()?;
    // From here on an error or a panic has something to undo.
    ENTERED.store(true, Ordering::SeqCst);
    let mut out = io::stdout().lock();
    let written = out.write_all(ENTER.as_bytes()).and_then(|()| out.flush());
    drop(out);
    if let Err(error) = written {
        let _ = restore();
        return Err(error.into());
    }
    Ok(())
}

fn restore_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if ENTERED.load(Ordering::SeqCst) {
                PANICKED.store(true, Ordering::SeqCst);
                let _ = restore();
            }
            before(info);
        }));
    });
}

/// Whether some program of our session, outside of our process group, has one of our group for a child and so could
/// continue us: what the kernel calls a group that is not orphaned.
fn has_job_control() -> bool {
    let Ok(session) = getsid(None) else { return false };
    super::process::is_continuable(getpgrp().as_raw().unsigned_abs(), session.as_raw().unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Private modes that a sequence sets (`h`) or resets (`l`).
    fn modes(sequence: &str, end: char) -> Vec<&str> {
        sequence
            .split("\x1b[?")
            .skip(1)
            .filter_map(|rest| rest.split_once(end))
            .map(|(mode, _)| mode)
            .filter(|mode| mode.bytes().all(|byte| byte.is_ascii_digit()))
            .collect()
    }

    #[test]
    fn everything_that_is_set_is_reset() {
        let reset = modes(LEAVE, 'l');
        for mode in modes(ENTER, 'h') {
            assert!(reset.contains(&mode), "{mode}");
        }
        for mode in ["2026", "1000", "1002", "1003", "1006", "1004", "2004", "1049"] {
            assert!(reset.contains(&mode), "{mode}");
        }
        assert_eq!(modes(LEAVE, 'h'), ["25"]);
    }

    #[test]
    fn giving_back_what_was_not_taken_does_nothing() {
        restore().unwrap();
        restore().unwrap();
    }
}
