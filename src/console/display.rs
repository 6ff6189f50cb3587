//! The terminal as the loop uses it: paint, ring, copy, give back, take back.
//!
//! Owns the guard and the backend. [`Display`] is a trait so that the loop is tested without a terminal.

use std::io::{self, Write};

use ratatui::Terminal;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::layout::Rect;

use crate::base::terminal::{Guard, Screen};

use super::clipboard::osc52;
use super::notify::{self, Call, Desktop};
use super::state::Console;

/// What the loop does to a terminal.
pub(crate) trait Display {
    /// Draws one frame.
    fn paint(&mut self, console: &mut Console) -> io::Result<()>;
    /// Forgets what was drawn, so that the next frame paints every cell.
    fn forget(&mut self) -> io::Result<()>;
    /// Writes a control that draws nothing.
    fn control(&mut self, control: &Control) -> io::Result<()>;
    /// Gives the terminal to another program.
    fn leave(&mut self) -> io::Result<()>;
    /// Takes it back.
    fn retake(&mut self) -> io::Result<()>;
    /// Stops the program until it is continued; false where nobody could continue it.
    fn suspend(&mut self) -> io::Result<bool>;
    /// Whether a task has panicked and the terminal was given back for that.
    fn is_lost(&self) -> bool;
}

/// A control that draws nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Control {
    /// Ring.
    Bell,
    /// Name the window.
    Title(String),
    /// Ask the desktop, by way of the terminal, to call the operator.
    Desktop(Desktop, Call),
    /// Put this on the clipboard.
    Copy(String),
}

/// The real terminal.
#[derive(Debug)]
pub(crate) struct RealDisplay {
    guard: Guard,
    screen: Screen,
    terminal: Terminal<CrosstermBackend<Screen>>,
    /// The next frame paints every cell.
    forgotten: bool,
    /// What names the window; another program that had the terminal may have named it.
    title: String,
}

impl RealDisplay {
    /// Takes the terminal.
    pub(crate) fn enter() -> Result<RealDisplay, crate::base::terminal::TerminalError> {
        let guard = Guard::enter()?;
        let screen = Screen::new(true);
        let terminal = Terminal::new(CrosstermBackend::new(screen.clone()))?;
        Ok(RealDisplay { guard, screen, terminal, forgotten: false, title: String::new() })
    }

    /// Empties the screen and what is known of it.
    fn clear(&mut self) -> io::Result<()> {
        let size = self.terminal.backend().size()?;
        // `Terminal::clear` would ask the terminal for its cursor and wait; a resize to the same size does not.
        self.terminal.resize(Rect::new(0, 0, size.width, size.height))
    }

    /// One frame without the cursor commands that `Terminal::draw` writes each time: the cursor is hidden throughout,
    /// text fields draw their own.
    fn frame(&mut self, console: &mut Console) -> io::Result<()> {
        self.terminal.autoresize()?;
        let mut frame = self.terminal.get_frame();
        let area = frame.area();
        console.paint(area, frame.buffer_mut());
        self.terminal.flush()?;
        self.terminal.swap_buffers();
        Ok(())
    }
}

impl Display for RealDisplay {
    fn paint(&mut self, console: &mut Console) -> io::Result<()> {
        self.screen.begin_frame();
        // Inside the frame: an empty screen between two frames would be seen as flicker.
        let cleared = if std::mem::take(&mut self.forgotten) { self.clear() } else { Ok(()) };
        let drawn = cleared.and_then(|()| self.frame(console));
        let written = self.screen.end_frame();
        drawn.and(written)
    }

    fn forget(&mut self) -> io::Result<()> {
        self.forgotten = true;
        Ok(())
    }

    fn control(&mut self, control: &Control) -> io::Result<()> {
        let bytes = match control {
            Control::Bell => "\x07".to_owned(),
            Control::Title(text) => {
                self.title = notify::title(text);
                self.title.clone()
            }
            Control::Desktop(how, call) => notify::desktop(*how, call),
            Control::Copy(text) => osc52(text),
        };
        self.screen.write_all(bytes.as_bytes())?;
        self.screen.flush()
    }

    fn leave(&mut self) -> io::Result<()> {
        self.guard.leave()
    }

    fn retake(&mut self) -> io::Result<()> {
        self.guard.reclaim().map_err(io::Error::other)?;
        self.screen.write_all(self.title.as_bytes())?;
        self.forget()
    }

    fn suspend(&mut self) -> io::Result<bool> {
        let stopped = self.guard.suspend().map_err(io::Error::other)?;
        self.screen.write_all(self.title.as_bytes())?;
        self.forget()?;
        Ok(stopped)
    }

    fn is_lost(&self) -> bool {
        self.guard.has_panicked()
    }
}
