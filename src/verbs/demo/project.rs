//! Writes the demo's files and makes them one commit of a new git repository, under an identity of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use git2::{IndexAddOption, Repository, RepositoryInitOptions, Signature};
use jiff::Timestamp;

use super::super::error::VerbError;
use super::assets::{ASSETS, fill};
use crate::plan::lifecycle::{Op, Patch};
use crate::plan::scaffold;
use crate::plan::store::Store;
use crate::plan::ticket::TicketId;

/// Tickets that need the demo's server, which only lives while `demo` keeps the console open.
const NEED_SERVER: [&str; 2] = ["TILL-015", "TILL-026"];
/// Shown for a ticket whose server is not there; planfile's `next` passes over labels that begin so.
const NO_SERVER: &str = "waiting:demo-server";

/// Fills `folder`. Without a `server` the tickets that need it wait, and say so.
///
/// # Errors
/// A file or the repository cannot be written.
pub(super) fn make(folder: &Path, server: Option<&str>, now: Timestamp) -> Result<(), VerbError> {
    let address = server.unwrap_or("http://127.0.0.1:9");
    for asset in ASSETS {
        let path = folder.join(fill(asset.path, address, now));
        write(&path, &fill(asset.text, address, now), asset.script).map_err(|source| VerbError::Io {
            doing: "writing the demo's",
            path: path.clone(),
            source,
        })?;
    }
    write(&folder.join(".planfile/.store.lock"), "", false).map_err(|source| VerbError::Io {
        doing: "writing the demo's lock in",
        path: folder.to_owned(),
        source,
    })?;
    scaffold::ensure_runs_dir(folder)?;
    if server.is_none() {
        park(folder)?;
    }
    commit(folder).map_err(|error| {
        VerbError::Failed(format!("making the demo's git repository in {} failed: {error}", folder.display()))
    })
}

fn write(path: &Path, text: &str, script: bool) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(if script { 0o755 } else { 0o644 }))
}

fn park(folder: &Path) -> Result<(), VerbError> {
    let mut store = Store::open(folder)?;
    for id in NEED_SERVER {
        let id = TicketId::new(id);
        let mut labels = store.plan().ticket(&id).map(|ticket| ticket.labels.clone()).unwrap_or_default();
        labels.push(NO_SERVER.to_owned());
        store.mutate(&id, Op::Update(Patch { labels: Some(labels), ..Patch::default() }), None)?;
    }
    Ok(())
}

fn commit(folder: &Path) -> Result<(), git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options.no_reinit(true).external_template(false).initial_head("main");
    let repository = Repository::init_opts(folder, &options)?;
    let mut config = repository.config()?;
    config.set_str("user.name", "Till")?;
    config.set_str("user.email", "till@example.org")?;
    let mut index = repository.index()?;
    index.add_all(["*"], IndexAddOption::DEFAULT, None)?;
    index.write()?;
    let tree = repository.find_tree(index.write_tree()?)?;
    let author = Signature::now("Till", "till@example.org")?;
    repository.commit(Some("HEAD"), &author, &author, "Open the shop", &tree, &[])?;
    Ok(())
}
