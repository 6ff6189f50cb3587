//! The signals that concern the console: go, stop, go on.
//!
//! Owns the listeners. Everything that asks us to go is one signal to the loop; what it means is decided there.

use std::io;

use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

/// What a signal asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signal {
    /// TERM, HUP, QUIT or INT.
    Terminate,
    /// TSTP from outside; ctrl-z comes as a key.
    Suspend,
    /// CONT after a STOP that we did not ask for: the terminal may show anything.
    Continued,
    /// WINCH: the terminal has another size. The key stream says so too, but may lose it when a key comes with it.
    Resized,
}

/// The listeners; none in tests.
#[derive(Debug, Default)]
pub(super) struct Signals {
    terminate: Vec<Listener>,
    interrupt: Option<Listener>,
    suspend: Option<Listener>,
    continued: Option<Listener>,
    resized: Option<Listener>,
    interrupted: bool,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> io::Result<Signals> {
        let terminate = [SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
        Ok(Signals {
            terminate: terminate.into_iter().map(signal).collect::<io::Result<_>>()?,
            interrupt: Some(signal(SignalKind::interrupt())?),
            suspend: Some(signal(SignalKind::from_raw(nix::sys::signal::Signal::SIGTSTP as i32))?),
            continued: Some(signal(SignalKind::from_raw(nix::sys::signal::Signal::SIGCONT as i32))?),
            resized: Some(signal(SignalKind::window_change())?),
            interrupted: false,
        })
    }

    /// The next one. Cancel-safe.
    pub(super) async fn next(&mut self) -> Signal {
        let mut terminate = self.terminate.iter_mut();
        let (first, second, third) = (terminate.next(), terminate.next(), terminate.next());
        tokio::select! {
            () = heard(first) => { self.interrupted = false; Signal::Terminate }
            () = heard(second) => { self.interrupted = false; Signal::Terminate }
            () = heard(third) => { self.interrupted = false; Signal::Terminate }
            () = heard(self.interrupt.as_mut()) => { self.interrupted = true; Signal::Terminate }
            () = heard(self.suspend.as_mut()) => Signal::Suspend,
            () = heard(self.continued.as_mut()) => Signal::Continued,
            () = heard(self.resized.as_mut()) => Signal::Resized,
        }
    }

    /// Whether the last request to go was an INT: while an editor has the terminal, that was for the editor.
    pub(super) fn was_interrupt(&self) -> bool {
        self.interrupted
    }
}

async fn heard(listener: Option<&mut Listener>) {
    if let Some(listener) = listener
        && listener.recv().await.is_some()
    {
        return;
    }
    std::future::pending().await
}
