//! Fault points: places where a test may make an operation fail, or kill the process, at its n-th durable step.
//!
//! Compiled to nothing in release builds. In debug builds the environment variable `KORU_TUI_FAULT` holds
//! `kill@N` (SIGKILL to self before step N), `eio@N` or `enospc@N` (step N fails), or `count:PATH` (append one byte to
//! PATH a step, so that a test knows how many there are). Steps are counted per process from 1. `panic@frame:N` panics
//! before the N-th frame is drawn instead, which shows how a bug of ours leaves the terminal. A value that is none of
//! these does nothing.
//!
//! A durable step is whatever a crash or a full disk can tear apart: making a temporary file, writing it, syncing it,
//! renaming it, syncing its folder, appending a line. [`super::atomic`] passes one for each; code that removes or
//! links durable files itself passes its own. Unit tests of this crate use [`inject`] instead of the environment, which
//! tests must not change.

use std::io;

/// A durable step is about to happen; `what` names it in the injected error.
///
/// # Errors
/// The injected error, in debug builds only.
pub fn step(what: &'static str) -> io::Result<()> {
    #[cfg(debug_assertions)]
    return active::step(what);
    #[cfg(not(debug_assertions))]
    {
        let _ = what;
        Ok(())
    }
}

/// A frame is about to be drawn.
pub(crate) fn frame() {
    #[cfg(debug_assertions)]
    active::frame();
}

#[cfg(test)]
pub(crate) use active::{Fault, inject};

#[cfg(debug_assertions)]
mod active {
    use std::io;
    use std::path::PathBuf;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use nix::errno::Errno;

    /// What to do, and when.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(crate) enum Fault {
        /// SIGKILL to this process before step N.
        Kill(u64),
        /// Step N fails with this error.
        Fail(u64, Errno),
        /// Every step appends one byte to this file.
        Count(PathBuf),
        /// Panic before frame N.
        Panic(u64),
    }

    impl Fault {
        /// Reads the value of `KORU_TUI_FAULT`.
        pub(crate) fn parse(value: &str) -> Option<Fault> {
            if let Some(path) = value.strip_prefix("count:") {
                return (!path.is_empty()).then(|| Fault::Count(PathBuf::from(path)));
            }
            let (kind, at) = value.split_once('@')?;
            let (kind, at) = match (kind, at.strip_prefix("frame:")) {
                ("panic", frame) => ("panic", frame?),
                _ => (kind, at),
            };
            let at: u64 = at.parse().ok().filter(|at| *at > 0)?;
            match kind {
                "panic" => Some(Fault::Panic(at)),
                "kill" => Some(Fault::Kill(at)),
                "eio" => Some(Fault::Fail(at, Errno::EIO)),
                "enospc" => Some(Fault::Fail(at, Errno::ENOSPC)),
                _ => None,
            }
        }

        fn strike(&self, number: u64, what: &'static str) -> io::Result<()> {
            match self {
                Fault::Kill(at) if *at == number => {
                    nix::sys::signal::kill(nix::unistd::getpid(), nix::sys::signal::Signal::SIGKILL)?;
                    // The signal is delivered before the call returns to user space; nothing runs after it.
                    Ok(())
                }
                Fault::Fail(at, errno) if *at == number => {
                    let kind = io::Error::from(*errno).kind();
                    Err(io::Error::new(kind, format!("{errno} (injected at durable step {number}, {what})")))
                }
                Fault::Count(path) => {
                    use std::io::Write as _;
                    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path)?;
                    file.write_all(b".")
                }
                Fault::Kill(_) | Fault::Fail(..) | Fault::Panic(_) => Ok(()),
            }
        }
    }

    pub(super) fn step(what: &'static str) -> io::Result<()> {
        #[cfg(test)]
        if let Some(result) = local::step(what) {
            return result;
        }
        static STEPS: AtomicU64 = AtomicU64::new(0);
        match of_environment() {
            None => Ok(()),
            Some(fault) => fault.strike(STEPS.fetch_add(1, Ordering::Relaxed) + 1, what),
        }
    }

    #[allow(clippy::panic, reason = "a panic is what was asked for")]
    pub(super) fn frame() {
        static FRAMES: AtomicU64 = AtomicU64::new(0);
        if let Some(Fault::Panic(at)) = of_environment()
            && FRAMES.fetch_add(1, Ordering::Relaxed) + 1 == *at
        {
            panic!("injected before frame {at}");
        }
    }

    fn of_environment() -> Option<&'static Fault> {
        static FAULT: OnceLock<Option<Fault>> = OnceLock::new();
        FAULT.get_or_init(|| Fault::parse(&std::env::var("KORU_TUI_FAULT").ok()?)).as_ref()
    }

    #[cfg(test)]
    pub(crate) use local::inject;

    #[cfg(test)]
    mod local {
        use super::Fault;
        use std::cell::RefCell;
        use std::io;

        thread_local! {
            static INJECTED: RefCell<Option<(Option<Fault>, u64)>> = const { RefCell::new(None) };
        }

        pub(super) fn step(what: &'static str) -> Option<io::Result<()>> {
            INJECTED.with_borrow_mut(|injected| {
                let (fault, steps) = injected.as_mut()?;
                *steps += 1;
                Some(fault.as_ref().map_or(Ok(()), |fault| fault.strike(*steps, what)))
            })
        }

        /// Runs `body` with a fault (or only counting) on this thread; returns its result and the number of steps.
        pub(crate) fn inject<T>(fault: Option<Fault>, body: impl FnOnce() -> T) -> (T, u64) {
            INJECTED.set(Some((fault, 0)));
            let result = body();
            let steps = INJECTED.take().map_or(0, |(_, steps)| steps);
            (result, steps)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::errno::Errno;

    #[test]
    fn the_environment_value_is_read_as_documented() {
        let cases = [
            ("kill@3", Some(Fault::Kill(3))),
            ("eio@1", Some(Fault::Fail(1, Errno::EIO))),
            ("enospc@12", Some(Fault::Fail(12, Errno::ENOSPC))),
            ("count:/x/y", Some(Fault::Count("/x/y".into()))),
            ("panic@frame:2", Some(Fault::Panic(2))),
            ("panic@2", None),
            ("panic@frame:0", None),
            ("kill@frame:2", None),
            ("count:", None),
            ("eio@0", None),
            ("eio@", None),
            ("boom@1", None),
            ("", None),
        ];
        for (value, expected) in cases {
            assert_eq!(Fault::parse(value), expected, "{value}");
        }
    }

    #[test]
    fn only_the_named_step_fails() {
        let (results, steps) = inject(Some(Fault::Fail(2, Errno::ENOSPC)), || {
            [step("a"), step("b"), step("c")].map(|result| result.map_err(|error| error.to_string()))
        });
        assert_eq!(steps, 3);
        assert_eq!(
            results,
            [
                Ok(()),
                Err("ENOSPC: No space left on device (injected at durable step 2, b)".to_owned()),
                Ok(())
            ]
        );
    }

    #[test]
    fn counting_appends_a_byte_a_step() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("steps");
        let (result, _) = inject(Some(Fault::Count(path.clone())), || step("a").and_then(|()| step("b")));
        result.unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"..");
    }
}
