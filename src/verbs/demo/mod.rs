//! `demo`: a scratch git project with a planfile of every executor kind and scripted workers, and the console on it.
//!
//! No key, no network: the `api` tickets talk to a loopback server that this process hosts for as long as the console
//! is open. The folder is fresh each time and kept afterwards; nothing outside of it is touched.

mod assets;
mod project;
mod server;

use std::io::{IsTerminal, stdin, stdout};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::Done;
use super::cli::{DemoArgs, OpenArgs};
use super::context::Context;
use super::error::{Exit, VerbError};
use super::open;
use super::output::{Out, Tone};
use crate::base::{atomic, paths};
use server::Server;

pub(super) use server::Server as DemoServer;

/// Makes the project; opens the console on it unless told not to.
///
/// # Errors
/// A folder that holds something already, or that cannot be written.
pub(super) fn run(context: &Context, args: &DemoArgs, out: &mut Out) -> Result<Done, VerbError> {
    let terminal = stdin().is_terminal() && stdout().is_terminal();
    if !(args.no_open || terminal) {
        // Said before anything is made.
        let remedy = "the demo opens the console, which needs a terminal; make it only with --no-open";
        return Err(VerbError::Failed(remedy.to_owned()));
    }
    let folder = folder(args.path.as_deref())?;
    let server = if args.no_open {
        None
    } else {
        let io =
            |source| VerbError::Io { doing: "starting the demo's server for", path: folder.clone(), source };
        Some(Server::start().map_err(io)?)
    };
    project::make(&folder, server.as_ref().map(Server::url).as_deref(), context.clock.now())?;
    if args.no_open {
        if context.json() {
            out.json(&json!({ "path": folder }));
        } else {
            out.line(&folder.display().to_string());
            out.note(Tone::Faint, &format!("open it with: koru-tui --project {}", folder.display()));
        }
        return Ok(Exit::Ok.into());
    }
    let here = Context { project: Some(folder), ..context.clone() };
    let mut call = open::call(&here, OpenArgs { look: args.look.clone(), ..OpenArgs::default() })?;
    call.resume = true;
    call.demo = server;
    Ok(Done::Console(Box::new(call)))
}

/// The folder to fill: the given one, new or empty, or a fresh one in the user's state folder.
fn folder(given: Option<&Path>) -> Result<PathBuf, VerbError> {
    let io = |doing, path: &Path| {
        let path = path.to_owned();
        move |source| VerbError::Io { doing, path, source }
    };
    let Some(path) = given else {
        let state = paths::state_dir().ok_or_else(|| {
            VerbError::Failed(
                "no home folder is known; say where to make the demo with --path DIR".to_owned(),
            )
        })?;
        let demos = state.join("demo");
        atomic::make_private_dir(&demos).map_err(io("making", &demos))?;
        let fresh = tempfile::Builder::new().prefix("till-").tempdir_in(&demos);
        return Ok(fresh.map_err(io("making a folder in", &demos))?.keep());
    };
    match std::fs::read_dir(path) {
        Ok(mut entries) => {
            if entries.next().is_some() {
                let path = path.display();
                return Err(VerbError::Usage(format!(
                    "{path} is not empty; give --path a new or empty folder"
                )));
            }
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            atomic::make_private_dir(path).map_err(io("making", path))?;
        }
        Err(error) => return Err(io("looking into", path)(error)),
    }
    path.canonicalize().map_err(io("opening", path))
}
