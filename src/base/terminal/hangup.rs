//! What happens when the terminal goes away under us (its window was closed).
//!
//! The key reader of crossterm 0.29 does not leave its call then: it reads a terminal that was hung up over and over
//! and takes neither "end of file" nor an error for an answer, so that the thread that asked for keys, which may be the
//! loop's own, is lost for ever, with a whole processor, and hears no signal any more. So one thread waits for nothing
//! but the hang-up, which costs nothing, and puts a pipe in place of standard input that is empty, open and says "would
//! block", which is the one answer that the reader understands. Then it makes sure that the program hears of it, also
//! where the kernel tells only the shell.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::OnceLock;

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, dup2_stdin, pipe2};

/// Both ends of the pipe that stands in for a terminal that is gone. They stay open as long as the process.
static SILENCE: OnceLock<(OwnedFd, OwnedFd)> = OnceLock::new();

/// Watches the terminal on standard output from now on, once a process.
///
/// # Errors
/// No pipe or no thread was to be had.
pub(super) fn watch() -> io::Result<()> {
    if SILENCE.get().is_some() {
        return Ok(());
    }
    let pipe = pipe2(OFlag::O_NONBLOCK | OFlag::O_CLOEXEC)?;
    let terminal = io::stdout().as_fd().try_clone_to_owned()?;
    if SILENCE.set(pipe).is_ok() {
        std::thread::Builder::new().name("hang-up".to_owned()).spawn(move || {
            wait(&terminal);
            if let Some((silence, _)) = SILENCE.get() {
                let _ = dup2_stdin(silence);
            }
            let _ = kill(Pid::this(), Signal::SIGHUP);
        })?;
    }
    Ok(())
}

/// Returns when the terminal was hung up, or cannot be watched.
fn wait(terminal: &OwnedFd) {
    loop {
        // Asked for no event at all, the system still tells of the end.
        let mut watched = [PollFd::new(terminal.as_fd(), PollFlags::empty())];
        match poll(&mut watched, PollTimeout::NONE) {
            Err(Errno::EINTR) | Ok(0) => {}
            Err(_) | Ok(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_and_nothing_before_it() {
        let pty = nix::pty::openpty(None, None).unwrap();
        let (told, heard) = std::sync::mpsc::channel();
        let waiting = std::thread::spawn(move || {
            wait(&pty.slave);
            told.send(()).unwrap();
        });
        nix::unistd::write(&pty.master, b"a key\n").unwrap();
        let early = heard.recv_timeout(std::time::Duration::from_millis(200));
        assert!(early.is_err(), "a key is no end");
        drop(pty.master);
        heard.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
        waiting.join().unwrap();
    }
}
