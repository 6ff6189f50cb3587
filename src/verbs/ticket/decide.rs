//! `ticket decide`: a person's decision on reviewed work, named by the commit that was looked at.
//!
//! Approving and rejecting end the ticket. Another round and another review make it ready and work it here and now, as
//! `ticket run` does, unless `--no-run` leaves that to whoever comes next.

use std::io::{Read, stdin};

use super::super::cli::DEFAULT_ACTOR;
use super::super::cli::working::{DecideArgs, DecisionWord};
use super::super::context::Context;
use super::super::error::{Exit, VerbError};
use super::super::output::Out;
use super::super::queue;
use super::{changed, found};
use crate::plan::store::MutateError;
use crate::plan::ticket::TicketId;
use crate::runtime::deciding::{Deciding, cleaned};
use crate::runtime::drain::{DrainOptions, Target};
use crate::runtime::fixlist;
use crate::runtime::protocol::ReviewChoice;
use crate::runtime::protocol::review::Finding;
use crate::runtime::reviews::ReviewFolder;

/// Longest fix list that is read, in bytes.
const LONGEST: u64 = 1024 * 1024;

/// Decides.
///
/// # Errors
/// Work that is not what was seen, a missing reason or fix list, a ticket that is being worked on, or a failing write.
pub(super) fn run(context: &Context, args: &DecideArgs, out: &mut Out) -> Result<Exit, VerbError> {
    let mut store = context.store()?;
    let ticket = found(&store, &TicketId::new(args.id.as_str()))?;
    let actor = args.actor.clone().unwrap_or_else(|| DEFAULT_ACTOR.to_owned());
    let choice = choice(store.root(), args, &ticket.id, &actor)?;
    let deciding = Deciding {
        root: store.root().to_path_buf(),
        seen: args.seen.clone(),
        choice,
        actor: actor.clone(),
        now: context.clock.now(),
    };
    let decided = deciding.record(&ticket).map_err(VerbError::Failed)?;
    let missing = || Err(MutateError::NoTicket(ticket.id.clone()));
    let applied = store.apply(std::slice::from_ref(&decided.step)).pop().unwrap_or_else(missing);
    let mutated = match applied {
        Ok(mutated) => mutated,
        Err(error) => {
            decided.take_back();
            return Err(error.into());
        }
    };
    decided.taken();
    // The run that follows takes the rounds up, which the decision keeps others from.
    let again = decided.again.clone();
    drop(decided);
    let Some(again) = again.filter(|_| !args.no_run) else {
        changed(context, &store, &mutated, args.decision.did(), out);
        return Ok(Exit::Ok);
    };
    drop(store);
    let target =
        Target { ticket: ticket.id.clone(), agent: Some(again.agent), note: None, review: again.review };
    let options = |options: DrainOptions| DrainOptions { target: Some(target), actor, ..options };
    let report = queue::drained(context, options, false, out)?;
    Ok(queue::told(context, &report, false, out))
}

fn choice(
    root: &std::path::Path,
    args: &DecideArgs,
    ticket: &TicketId,
    actor: &str,
) -> Result<ReviewChoice, VerbError> {
    let unused = |option: &str, given: bool| match given {
        true => Err(VerbError::Usage(format!("{option} does not go with {}", args.decision.word()))),
        false => Ok(()),
    };
    match args.decision {
        DecisionWord::Another => unused("--reason", args.reason.is_some())?,
        DecisionWord::Reject => unused("--fixes", args.fixes.is_some())?,
        DecisionWord::Approve | DecisionWord::ReviewAgain => {
            unused("--reason", args.reason.is_some())?;
            unused("--fixes", args.fixes.is_some())?;
        }
    }
    Ok(match args.decision {
        DecisionWord::Approve => ReviewChoice::Accept,
        DecisionWord::ReviewAgain => ReviewChoice::ReviewAgain,
        DecisionWord::Reject => ReviewChoice::Reject {
            reason: args.reason.clone().ok_or_else(|| {
                VerbError::Usage("a rejection needs --reason: it is told to whoever works it next".to_owned())
            })?,
        },
        DecisionWord::Another => {
            let known = required(root, ticket);
            let fixes = match &args.fixes {
                Some(path) => cleaned(fixlist::read(&text(path)?, &known, actor)),
                None => known,
            };
            ReviewChoice::Another { fixes }
        }
    })
}

/// What another round would have to mend.
fn required(root: &std::path::Path, ticket: &TicketId) -> Vec<Finding> {
    let review = ReviewFolder::of(root, ticket).read().ok().flatten();
    review.map(|review| review.to_mend()).unwrap_or_default()
}

fn text(path: &std::path::Path) -> Result<String, VerbError> {
    let io = |source| VerbError::Io { doing: "reading the fix list", path: path.to_path_buf(), source };
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        stdin().lock().take(LONGEST + 1).read_to_end(&mut bytes)
    } else {
        std::fs::File::open(path).map_err(io)?.take(LONGEST + 1).read_to_end(&mut bytes)
    };
    if read.map_err(io)? as u64 > LONGEST {
        return Err(VerbError::Usage("the fix list is longer than 1 MiB".to_owned()));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
