//! What consoles ask of agents: words to one that runs, its stream as it came, the worktrees.

use std::path::Path;
use std::sync::Arc;

use super::{Mail, Supervisor};
use crate::execute::agents::session::Steer;
use crate::execute::isolation;
use crate::plan::settings::Settings;
use crate::runtime::agents::installed;
use crate::runtime::launch::Ground;
use crate::runtime::protocol::{
    Cost, Event, Outcome, ProjectEvent, RequestId, RunEvent, RunId, WorktreeCommand,
};

/// Most lines of a stream that one fetch returns: they are far longer than those of a transcript.
const FETCH_RAW_LINES: u32 = 2_000;

/// Which agents a ticket can be handed to, which servers have tools for one, and what a day may cost.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::runtime) struct Staff {
    /// Names; the one that is taken when none is named stands first.
    pub(super) names: Vec<String>,
    /// Names of MCP servers.
    pub(super) servers: Vec<String>,
    /// US dollars of a day.
    pub(super) day_usd: Option<f64>,
}

impl Supervisor {
    /// Looks for agents, and reads what today's runs have used, on the files' thread.
    pub(super) fn ask_staff(&self) {
        let (post, ground) = (self.post.clone(), Arc::clone(&self.ground));
        self.files.work(move || {
            ground.ledger.read_today(&ground.runs, ground.clock.now());
            let _ = post.send(Mail::Staff(staff(&ground)));
        });
    }

    /// What today's runs have cost; `None` while nobody said anything about money.
    pub(super) fn cost_today(&self) -> Option<Cost> {
        let used = self.ground.ledger.today();
        (used.usd > 0.0).then_some(Cost { usd: used.usd, estimated: used.estimated })
    }

    /// Says something to a running agent. It is shown in the transcript once the agent is given it.
    pub(super) fn say(&mut self, request: RequestId, run: RunId, text: String) {
        if text.trim().is_empty() {
            return self.refuse(request, "an empty message is not sent; write something or cancel");
        }
        self.steer(request, run, Steer::Say(text));
    }

    /// Lets an agent end after its turn, or not any more.
    pub(super) fn pause(&mut self, request: RequestId, run: RunId, on: bool) {
        self.steer(request, run, Steer::PauseAfterTurn(on));
    }

    fn steer(&mut self, request: RequestId, run: RunId, steer: Steer) {
        let Some(found) = self.runs.iter().find(|active| active.launched.id == run.0) else {
            return self.refuse(request, format!("the run {} is over; retry it with a note instead", run.0));
        };
        let heard = found.launched.steer.as_ref().is_some_and(|steers| steers.send(steer).is_ok());
        match heard {
            true => self.reply(request, Outcome::Done { ticket: None, run: Some(run) }),
            false => self.refuse(request, format!("no agent hears you in {}", run.0)),
        }
    }

    pub(super) fn fetch_raw(&mut self, request: RequestId, run: RunId, from: u64, count: u32) {
        let post = self.post.clone();
        self.files.fetch_raw(run.0.to_string(), from, count.min(FETCH_RAW_LINES), move |read| {
            let mail = match read {
                Ok((lines, total)) => {
                    let lines = lines.into();
                    let event = RunEvent::RawLines { run: run.clone(), first: from, total, lines };
                    Mail::Told(request, Event::Run(event), Outcome::Done { ticket: None, run: Some(run) })
                }
                Err(error) => {
                    let message = format!("reading the stream of {} failed: {error}", run.0);
                    Mail::Replied(request, Outcome::Refused { message })
                }
            };
            let _ = post.send(mail);
        });
    }

    /// Measuring and removing worktrees reads and writes many files: it is done on a thread of its own, since it may
    /// take long.
    pub(super) fn worktree_command(&mut self, request: RequestId, command: WorktreeCommand) {
        let (post, root) = (self.post.clone(), self.options.root.clone());
        tokio::task::spawn_blocking(move || {
            let _ = post.send(worktrees(request, &root, &command));
        });
    }
}

/// The configured agents and the programs that are installed.
fn staff(ground: &Ground) -> Staff {
    let (settings, _) = Settings::load(&ground.root);
    let usual = settings.agent(None).ok().flatten().map(|choice| choice.name);
    let mut names: Vec<String> = usual.into_iter().collect();
    let variables = ground.environment.all();
    let installed = installed(&settings, &variables).map(|choice| choice.name);
    let known = settings.agents.keys().cloned().chain(installed);
    for name in known {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let servers = settings.mcp.keys().cloned().collect();
    Staff { names, servers, day_usd: settings.budgets.day_usd }
}

fn worktrees(request: RequestId, root: &Path, command: &WorktreeCommand) -> Mail {
    let event = match command {
        WorktreeCommand::List => {
            let mut list = isolation::list(root);
            list.sort_by_key(|info| std::cmp::Reverse(info.bytes));
            ProjectEvent::Worktrees { list }
        }
        WorktreeCommand::Prune { tickets } => {
            let pruned = match tickets.is_empty() {
                true => isolation::prune_all(root),
                false => isolation::prune(root, tickets),
            };
            match pruned {
                Ok(report) => ProjectEvent::Pruned { report },
                Err(error) => {
                    return Mail::Replied(request, Outcome::Refused { message: error.to_string() });
                }
            }
        }
    };
    Mail::Told(request, Event::Project(event), Outcome::Done { ticket: None, run: None })
}
