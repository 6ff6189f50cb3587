#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr
)]
//! A program in a real pseudo-terminal, read through a terminal emulator.
//!
//! A reader thread owns the master's output and feeds the emulator; tests block on a condition until the parsed screen
//! says what they wait for, and never sleep a fixed time or match raw bytes. Everything ends with the value: dropping it
//! asks the program to leave, kills it if it does not, and joins the reader. A program that left by itself must have
//! left nobody behind; whoever a killed one left is killed too.

use std::ffi::OsStr;
use std::io::Write;
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

use super::leftover;
use reader::{Shared, State, read_all};

#[path = "pty_reader.rs"]
mod reader;

/// How long a program may take to leave once its value is dropped.
const LEAVING: Duration = Duration::from_secs(5);

/// How long a test waits for the screen to say something. A loaded machine may stretch it by `KORU_TUI_TEST_PATIENCE`
/// (a factor); a test that fails waits this long, a test that passes does not.
pub fn patience() -> Duration {
    let factor =
        std::env::var("KORU_TUI_TEST_PATIENCE").ok().and_then(|text| text.parse().ok()).unwrap_or(1.0);
    Duration::from_secs(10).mul_f64(factor)
}

/// A running program and its screen.
pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Arc<Mutex<Option<Box<dyn Write + Send>>>>,
    shared: Shared,
    reader: Option<JoinHandle<()>>,
    session: Pid,
}

/// What to start, where, and how large.
pub struct Launch {
    command: CommandBuilder,
    size: (u16, u16),
}

impl Launch {
    /// Our own binary in `folder`, 80 columns by 24 rows. The environment is the fixed one of the suites: a colour
    /// terminal, UTF-8, no user configuration.
    pub fn koru(folder: &Path, args: &[&str]) -> Self {
        Self::program(env!("CARGO_BIN_EXE_koru-tui"), folder, args)
    }

    /// Any program.
    pub fn program(program: impl AsRef<OsStr>, folder: &Path, args: &[&str]) -> Self {
        let mut command = CommandBuilder::new(program);
        command.args(args);
        command.cwd(folder);
        let home = folder.with_file_name("home");
        for (name, value) in
            [("TERM", "xterm-256color"), ("COLORTERM", "truecolor"), ("LANG", "C.UTF-8"), ("TZ", "UTC")]
        {
            command.env(name, value);
        }
        for (name, inner) in [
            ("HOME", ""),
            ("XDG_CONFIG_HOME", "config"),
            ("XDG_STATE_HOME", "state"),
            ("XDG_CACHE_HOME", "cache"),
        ] {
            command.env(name, home.join(inner));
        }
        for name in ["NO_COLOR", "EDITOR", "VISUAL", "TMUX", "KORU_TUI_FAULT"] {
            command.env_remove(name);
        }
        Self { command, size: (80, 24) }
    }

    /// Columns and rows.
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        self.size = (columns, rows);
        self
    }

    /// One more environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Starts it.
    pub fn start(self) -> Terminal {
        let (columns, rows) = self.size;
        let pair = native_pty_system()
            .openpty(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 })
            .expect("a pseudo-terminal");
        let child = pair.slave.spawn_command(self.command).expect("the program starts");
        // Without this the master would never see the end of the program's output.
        drop(pair.slave);
        let session = Pid::from_raw(i32::try_from(child.process_id().unwrap()).unwrap());
        let writer = Arc::new(Mutex::new(Some(pair.master.take_writer().unwrap())));
        let shared: Shared = Arc::new((
            Mutex::new(State {
                emulator: vt100::Parser::new(cells(rows), cells(columns), 0),
                raw: Vec::new(),
                held: Vec::new(),
                arrivals: Vec::new(),
                closing: false,
                ended: false,
            }),
            Condvar::new(),
        ));
        let source = pair.master.try_clone_reader().unwrap();
        let reader = {
            let (shared, writer) = (Arc::clone(&shared), Arc::clone(&writer));
            std::thread::spawn(move || read_all(source, &shared, &writer))
        };
        Terminal { child, master: Some(pair.master), writer, shared, reader: Some(reader), session }
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a size above zero")
}

impl Terminal {
    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }

    /// Process id of the program.
    pub fn pid(&self) -> Pid {
        self.session
    }

    /// The screen as text, one line a row, trailing blanks cut.
    pub fn text(&self) -> String {
        text_of(self.state().emulator.screen())
    }

    /// A copy of the screen.
    pub fn screen(&self) -> vt100::Screen {
        self.state().emulator.screen().clone()
    }

    /// Every byte written so far.
    pub fn raw(&self) -> Vec<u8> {
        self.state().raw.clone()
    }

    /// Number of bytes written so far.
    pub fn written(&self) -> usize {
        self.state().raw.len()
    }

    /// When the first byte after offset `from` arrived; `None` when there is none yet.
    pub fn arrival_after(&self, from: usize) -> Option<Instant> {
        self.state().arrivals.iter().find(|(_, length)| *length > from).map(|(at, _)| *at)
    }

    /// Waits until `done` holds for the screen's text; panics with the screen after [`patience`].
    #[track_caller]
    pub fn wait_until(&self, what: &str, done: impl Fn(&str) -> bool) -> String {
        match self.wait_state(|state| {
            let text = text_of(state.emulator.screen());
            done(&text).then_some(text)
        }) {
            Ok(text) => text,
            Err(text) => panic!("waited {:?} for {what}; the screen says:\n{text}", patience()),
        }
    }

    /// Waits until the screen shows `text`; gives the whole screen.
    #[track_caller]
    pub fn wait_for(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?}"), |screen| screen.contains(text))
    }

    /// Waits until the screen does not show `text`.
    #[track_caller]
    pub fn wait_gone(&self, text: &str) -> String {
        self.wait_until(&format!("{text:?} to go"), |screen| !screen.contains(text))
    }

    /// Waits until more than `count` bytes were written in all.
    #[track_caller]
    pub fn wait_written(&self, count: usize) {
        if let Err(text) = self.wait_state(|state| (state.raw.len() > count).then_some(())) {
            panic!("waited {:?} for output beyond byte {count}; the screen says:\n{text}", patience());
        }
    }

    fn wait_state<T>(&self, done: impl Fn(&State) -> Option<T>) -> Result<T, String> {
        let until = Instant::now() + patience();
        let mut state = self.state();
        loop {
            if let Some(value) = done(&state) {
                return Ok(value);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || state.ended {
                let note = if state.ended { "\n(the program is gone)" } else { "" };
                return Err(text_of(state.emulator.screen()) + note);
            }
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
    }

    /// Types bytes. A terminal that is gone swallows them.
    pub fn send(&self, keys: &str) {
        if let Some(writer) = self.writer.lock().unwrap().as_mut() {
            let _ = writer.write_all(keys.as_bytes()).and_then(|()| writer.flush());
        }
    }

    /// Pastes text as a terminal with bracketed paste does.
    pub fn paste(&self, text: &str) {
        self.send(&format!("\x1b[200~{text}\x1b[201~"));
    }

    /// Changes the size of the window.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.state().emulator.set_size(cells(rows), cells(columns));
        let master = self.master.as_ref().expect("the terminal is open");
        master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Sends a signal to the program alone.
    pub fn signal(&self, signal: Signal) {
        kill(self.session, signal).unwrap();
    }

    /// Closes the window as a terminal emulator does: the kernel sends SIGHUP, and every later read or write fails. The
    /// program must answer a change of size with output, which is what makes the reader let go.
    #[track_caller]
    pub fn hang_up(&mut self) {
        self.state().closing = true;
        let (rows, columns) = self.screen().size();
        self.resize(columns.get() - 1, rows.get());
        let until = Instant::now() + patience();
        let mut state = self.shared.0.lock().unwrap();
        while !state.ended {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "the program did not answer a change of size");
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
        drop(state);
        *self.writer.lock().unwrap() = None;
        self.master = None;
    }

    /// Whether the line discipline is cooked (canonical, with echo), as a shell expects it.
    pub fn is_cooked(&self) -> bool {
        let termios =
            self.master.as_ref().and_then(|master| master.get_termios()).expect("terminal attributes");
        let flags = format!("{:?}", termios.local_flags);
        flags.contains("ICANON") && flags.contains("ECHO")
    }

    /// Waits for the program to end by itself; panics with the screen after [`patience`].
    #[track_caller]
    pub fn wait_exit(&mut self) -> ExitStatus {
        let until = Instant::now() + patience();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // Its last bytes may still be on their way.
                let drained = Instant::now() + Duration::from_secs(1);
                let mut state = self.shared.0.lock().unwrap();
                while !state.ended && Instant::now() < drained {
                    state = self.shared.1.wait_timeout(state, Duration::from_millis(50)).unwrap().0;
                }
                return status;
            }
            assert!(Instant::now() < until, "the program does not end; the screen says:\n{}", self.text());
            // Nothing announces the end of a child of ours but its state; 5 ms keeps the wait short.
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Terminal {
    /// Asks the program to leave and waits; `None` when it had to be killed.
    fn end(&mut self) -> Option<ExitStatus> {
        if let Some(status) = self.child.try_wait().ok().flatten() {
            return Some(status);
        }
        let _ = kill(self.session, Signal::SIGTERM);
        let until = Instant::now() + LEAVING;
        while Instant::now() < until {
            if let Some(status) = self.child.try_wait().ok().flatten() {
                return Some(status);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = killpg(self.session, Signal::SIGKILL);
        let _ = self.child.wait();
        None
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let left_by_itself = self.end().is_some_and(|status| status.signal().is_none());
        // First of all: one of them may hold the terminal, and the reader waits for its end.
        let ours = || leftover::of_console(self.session);
        let left = ours();
        leftover::kill_all(ours);
        *self.writer.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.master = None;
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
        assert!(
            left.is_empty() || !left_by_itself || std::thread::panicking(),
            "the program left by itself and these behind: {left:?}"
        );
    }
}

/// The rows of a screen, trailing blanks cut.
pub fn text_of(screen: &vt100::Screen) -> String {
    let (_, columns) = screen.size();
    screen.rows(0, columns.get()).map(|row| row.trim_end().to_owned()).collect::<Vec<_>>().join("\n")
}
