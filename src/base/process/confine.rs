//! The kernel's write fence for a child: Landlock, where the kernel has it.
//!
//! The rules are made here, in the parent; the child only enters them between fork and exec (`base::sys`), so that
//! nothing but two system calls happens there. They hold for the child and all that it starts, for ever, and never for
//! us. Whoever is inside can read and run everything, and cannot gain privileges (`sudo`), write elsewhere, signal
//! processes outside, or reach their abstract sockets; older kernels fence less of that, see [`landlock_version`].

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

/// Why a confinement could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ConfineError {
    /// The kernel has no Landlock, or it is switched off.
    #[error("confining the program failed: there is no Landlock here ({why})")]
    Unsupported {
        /// What the system says.
        why: String,
    },
    /// A path cannot be opened for a rule.
    #[error("confining the program to {path} failed: {why}; make the path or take it out of the settings")]
    Path {
        /// Path.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The kernel refused.
    #[error("confining the program failed: {why}")]
    Kernel {
        /// Why.
        why: String,
    },
}

/// Rules that a child is started under: it may write below some paths only.
#[derive(Debug)]
pub struct Confinement {
    pub(super) rules: OwnedFd,
}

/// The version of the kernel's Landlock interface. From 2 on, files move between writable folders; from 3 on,
/// `truncate` is fenced; from 5 on, device controls; from 6 on, signals and abstract sockets.
///
/// # Errors
/// [`ConfineError::Unsupported`] with the reason.
pub fn landlock_version() -> Result<i32, ConfineError> {
    crate::base::sys::landlock_version().map_err(|error| {
        let why = match error.raw_os_error() {
            Some(nix::libc::EOPNOTSUPP) => {
                "it is switched off at boot; add `landlock` to the `lsm=` option".into()
            }
            Some(nix::libc::ENOSYS) => "this kernel is built without it".to_owned(),
            _ => error.to_string(),
        };
        ConfineError::Unsupported { why }
    })
}

impl Confinement {
    /// Writing only below these folders, and to these files.
    ///
    /// # Errors
    /// See [`ConfineError`].
    #[cfg(target_os = "linux")]
    pub fn new(writable: &[impl AsRef<Path>]) -> Result<Self, ConfineError> {
        use landlock::{
            ABI, Access, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
            RulesetCreatedAttr, Scope,
        };
        landlock_version()?;
        let kernel = |error: landlock::RulesetError| ConfineError::Kernel { why: error.to_string() };
        // The newest rights that this code was tested with; the crate leaves out what an older kernel does not know.
        let writing = AccessFs::from_write(ABI::V7);
        let mut rules = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(writing)
            .and_then(|rules| rules.scope(Scope::from_all(ABI::V7)))
            .and_then(Ruleset::create)
            .map_err(kernel)?;
        for path in writable {
            let path = path.as_ref();
            let opened = PathFd::new(path)
                .map_err(|error| ConfineError::Path { path: path.to_path_buf(), why: error.to_string() })?;
            rules = rules.add_rule(PathBeneath::new(opened, writing)).map_err(kernel)?;
        }
        let rules: Option<OwnedFd> = rules.into();
        let none = || ConfineError::Unsupported { why: "the kernel made no rules".to_owned() };
        Ok(Confinement { rules: rules.ok_or_else(none)? })
    }

    /// There is no such fence on this system.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(target_os = "linux"))]
    pub fn new(writable: &[impl AsRef<Path>]) -> Result<Self, ConfineError> {
        let _ = writable;
        landlock_version().and_then(|_| Err(ConfineError::Unsupported { why: "not Linux".to_owned() }))
    }
}

impl From<ConfineError> for io::Error {
    fn from(error: ConfineError) -> Self {
        io::Error::other(error.to_string())
    }
}
