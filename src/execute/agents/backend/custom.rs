//! Any command from the project's configuration: its `args` are a template of the whole command line.
//!
//! `{prompt}`, `{prompt_file}`, `{model}`, `{resume}` and `{worktree}` are filled in inside each argument; no shell ever
//! sees them. An argument for which there is nothing to fill in (no model, a first round) is left out, together with the
//! option before it. A command that names neither the prompt nor its file reads the prompt from standard input.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;

use super::detect::Login;
use super::files::Files;
use super::{Backend, Input, Launch, Place, asking_for};
use crate::execute::agents::session::AgentJob;

pub(super) struct Custom;

impl Backend for Custom {
    fn program(&self) -> &'static str {
        // There is none: the template begins with it.
        ""
    }

    fn variables(&self) -> &'static [&'static str] {
        &[]
    }

    fn fixed(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    fn launch(&self, job: &AgentJob, files: &Files) -> io::Result<Launch> {
        let prompt = asking_for(job.schema.as_ref(), &job.prompt);
        let names = |name: &str| job.settings.args.iter().any(|argument| argument.contains(name));
        let prompt_file = match names("{prompt_file}") {
            true => Some(files.write("prompt.txt", &prompt)?.to_string_lossy().into_owned()),
            false => None,
        };
        let worktree = job.folder.to_string_lossy();
        let values = [
            ("{prompt}", Some(prompt.as_str())),
            ("{prompt_file}", prompt_file.as_deref()),
            ("{model}", job.settings.model.as_deref()),
            ("{resume}", job.resume.as_deref()),
            ("{worktree}", Some(&*worktree)),
        ];
        let mut words = fill(&job.settings.args, &values).into_iter().map(OsString::from);
        // With a program in the configuration the template holds its arguments only.
        let program = match job.settings.program {
            Some(_) => OsString::new(),
            None => words.next().unwrap_or_default(),
        };
        let told = names("{prompt}") || names("{prompt_file}");
        let input = if told { Input::Nothing } else { Input::Bytes(prompt.clone().into_bytes()) };
        Ok(Launch { program, arguments: words.collect(), input, conversation: None })
    }

    fn state(&self, _place: &Place<'_>) -> Vec<PathBuf> {
        Vec::new()
    }

    fn login(&self, _place: &Place<'_>) -> Login {
        Login::Unknown
    }
}

/// Fills the template in one pass: what is filled in is not looked at again.
fn fill(template: &[String], values: &[(&str, Option<&str>)]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut option_before = false;
    for argument in template {
        match fill_one(argument, values) {
            Some(word) => {
                option_before = word == *argument && word.starts_with('-') && !words.is_empty();
                words.push(word);
            }
            None => {
                if std::mem::take(&mut option_before) {
                    words.pop();
                }
            }
        }
    }
    words
}

/// `None` when it names a value that is not there.
fn fill_one(argument: &str, values: &[(&str, Option<&str>)]) -> Option<String> {
    let mut word = String::new();
    let mut rest = argument;
    while let Some(at) = rest.find('{') {
        word.push_str(&rest[..at]);
        rest = &rest[at..];
        match values.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                word.push_str((*value)?);
                rest = &rest[name.len()..];
            }
            None => {
                word.push('{');
                rest = &rest[1..];
            }
        }
    }
    word.push_str(rest);
    Some(word)
}
