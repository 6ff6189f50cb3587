//! Where a run behind the kernel's fence may write.
//!
//! Its worktree, git's folder for it, loose objects, the references that the policy lets it move, its own TMPDIR, a few
//! devices, the state folders of its agent and the caches of build tools. Never packs: the history that is in them
//! cannot be destroyed by a run.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use crate::base::atomic;
use crate::execute::isolation::Worktree;
use crate::plan::policy::Policy;

/// Devices that programs write to. The folders are those of terminals that they open, and of shared memory.
const DEVICES: [&str; 9] = [
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/urandom",
    "/dev/tty",
    "/dev/ptmx",
    "/dev/pts",
    "/dev/shm",
];

/// Caches of build tools: a variable that names the folder, or where it is below the home folder, and what in it.
/// Programs and configuration beside the caches (`~/.cargo/bin`, say) stay closed.
const CACHES: [(&str, &str, &[&str]); 11] = [
    ("XDG_CACHE_HOME", ".cache", &[""]),
    (
        "CARGO_HOME",
        ".cargo",
        &["registry", "git", ".package-cache", ".package-cache-mutate", ".global-cache"],
    ),
    ("npm_config_cache", ".npm", &[""]),
    ("GOMODCACHE", "go/pkg/mod", &[""]),
    ("GOCACHE", ".cache/go-build", &[""]),
    ("GRADLE_USER_HOME", ".gradle", &["caches", "daemon", "wrapper"]),
    ("MAVEN_HOME_CACHE", ".m2/repository", &[""]),
    ("PNPM_STORE", ".local/share/pnpm/store", &[""]),
    ("YARN_CACHE_FOLDER", ".yarn/cache", &[""]),
    ("BUN_INSTALL_CACHE_DIR", ".bun/install/cache", &[""]),
    ("NUGET_PACKAGES", ".nuget/packages", &[""]),
];

/// What is asked for.
pub(super) struct Wanted<'a> {
    pub(super) worktree: &'a Worktree,
    pub(super) policy: &'a Policy,
    /// The shared `.git` folder.
    pub(super) common: &'a Path,
    /// TMPDIR and the hooks' log.
    pub(super) private: [&'a Path; 2],
    /// State folders of the agent and those of its configuration.
    pub(super) state: &'a [PathBuf],
    pub(super) env: &'a [(OsString, OsString)],
    /// Neither the worktree nor the repository.
    pub(super) looks_only: bool,
}

impl Wanted<'_> {
    /// The paths, all of them there; besides, what is not and was asked for.
    pub(super) fn paths(&self) -> (Vec<PathBuf>, Vec<String>) {
        let mut paths: Vec<PathBuf> = self.private.iter().map(|path| path.to_path_buf()).collect();
        if !self.looks_only {
            paths.extend([self.worktree.path.clone(), self.worktree.git_dir.clone()]);
            paths.extend(self.loose_objects());
            paths.extend(self.references());
        }
        paths.extend(DEVICES.iter().map(PathBuf::from).filter(|path| path.exists()));
        paths.extend(self.caches());
        let mut notes = Vec::new();
        for folder in self.state {
            make_state_folder(folder);
            if folder.exists() {
                paths.push(folder.clone());
            } else {
                notes.push(format!("{} is not there, so the agent cannot write to it", folder.display()));
            }
        }
        paths.sort_unstable();
        paths.dedup();
        (paths, notes)
    }

    /// The 256 folders of loose objects, made where they are not there yet: the folder above also holds the packs.
    fn loose_objects(&self) -> Vec<PathBuf> {
        let objects = self.common.join("objects");
        let folders = (0..=255_u8).map(|first| objects.join(format!("{first:02x}")));
        folders.filter(|folder| folder.is_dir() || fs::create_dir(folder).is_ok()).collect()
    }

    /// Folders of references that an open gate lets the run move, with those of their logs. The folder of the ticket's
    /// branch is always among them: git locks the branch for a mere `git reset`, and a lock is a file beside it. Whether
    /// it moves is for the hooks and the guard.
    fn references(&self) -> Vec<PathBuf> {
        let own = self.worktree.branch_ref();
        let mut names: Vec<String> =
            own.rsplit_once('/').map(|(folder, _)| folder.to_owned()).into_iter().collect();
        for (open, name) in [
            (self.policy.allow_branch_create, "refs/heads"),
            (self.policy.allow_tag, "refs/tags"),
            (self.policy.allow_push, "refs/remotes"),
        ] {
            names.extend(open.then(|| name.to_owned()));
        }
        let both =
            names.iter().flat_map(|name| [self.common.join(name), self.common.join("logs").join(name)]);
        both.filter(|folder| fs::create_dir_all(folder).is_ok()).collect()
    }

    fn caches(&self) -> Vec<PathBuf> {
        let home = self.variable("HOME").map(PathBuf::from);
        let mut found = Vec::new();
        for (variable, below, inside) in CACHES {
            let folder = match self.variable(variable) {
                Some(folder) => PathBuf::from(folder),
                None => match &home {
                    Some(home) => home.join(below),
                    None => continue,
                },
            };
            found.extend(inside.iter().map(|name| folder.join(name)).filter(|path| path.exists()));
        }
        found
    }

    fn variable(&self, name: &str) -> Option<&OsStr> {
        let value = self.env.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_os_str());
        value.filter(|value| Path::new(value).is_absolute())
    }
}

/// Makes an agent's state folder that is not there yet, as the agent itself would. What looks like a file is left out.
fn make_state_folder(folder: &Path) {
    if folder.symlink_metadata().is_err() && folder.extension().is_none() {
        let _ = atomic::make_private_dir(folder);
    }
}
