//! `promotion …`: what waits to land, landing it, rejecting it, taking it back.
//!
//! Exit codes: 0 done (also when it was done already), 1 refused or failed, 2 the command line is wrong.

use serde_json::json;

use super::cli::DEFAULT_ACTOR;
use super::cli::promotion::{ApplyArgs, ListArgs, PromotionVerb, RejectArgs, UndoArgs};
use super::context::Context;
use super::error::{Exit, VerbError};
use super::output::{Out, Tone};
use super::watching::watched;
use super::{logging, queue};
use crate::plan::settings::{Risk, Settings};
use crate::plan::store::Store;
use crate::plan::ticket::Ticket;
use crate::promote::{Promotion, State};
use crate::runtime::promotions::{After, Approval, Carried, Desk, Promotions};
use crate::verify::gates::GateState;

/// Runs the verb.
///
/// # Errors
/// No project, no such promotion, and whatever keeps work from landing.
pub(super) fn run(context: &Context, verb: PromotionVerb, out: &mut Out) -> Result<Exit, VerbError> {
    let store = context.store()?;
    let actor = match &verb {
        PromotionVerb::Apply(ApplyArgs { actor, .. })
        | PromotionVerb::Reject(RejectArgs { actor, .. })
        | PromotionVerb::Undo(UndoArgs { actor, .. }) => actor.clone(),
        PromotionVerb::List(_) | PromotionVerb::Show { .. } => DEFAULT_ACTOR.to_owned(),
    };
    let root = store.root().to_path_buf();
    let (settings, _) = Settings::load(&root);
    let desk = Desk { root, settings, actor, now: context.clock.now() };
    let known = desk.list(&store.plan());
    match verb {
        PromotionVerb::List(args) => Ok(list(context, &args, known, out)),
        PromotionVerb::Show { id } => {
            let promotion = named(&known, &id)?;
            match context.json() {
                true => out.json(promotion),
                false => show(promotion, out),
            }
            Ok(Exit::Ok)
        }
        PromotionVerb::Apply(args) => apply(context, &desk, &store, &known, &args, out),
        PromotionVerb::Reject(args) => {
            let promotion = named(&known, &args.id)?;
            let after = if args.close { After::Close } else { After::Rework };
            let ticket = ticket(&store, promotion)?;
            let carried = desk.reject(&ticket, &promotion.id, &args.reason, after);
            Ok(carried_out(context, &carried.map_err(VerbError::Failed)?, out))
        }
        PromotionVerb::Undo(args) => {
            let promotion = named(&known, &args.id)?;
            let ticket = ticket(&store, promotion).ok();
            let carried = desk.undo(ticket.as_ref(), &promotion.id);
            Ok(carried_out(context, &carried.map_err(VerbError::Failed)?, out))
        }
    }
}

fn list(context: &Context, args: &ListArgs, known: Promotions, out: &mut Out) -> Exit {
    let Promotions { all, unreadable, troubles } = known;
    let open = ["pending", "landing", "undoing"];
    let wanted = |promotion: &&Promotion| {
        let word = promotion.state.word();
        let state = match &args.state {
            Some(state) => state == word,
            None => args.all || open.contains(&word),
        };
        state && args.ticket.as_ref().is_none_or(|id| promotion.ticket.as_str() == id)
    };
    let shown: Vec<&Promotion> = all.iter().filter(wanted).collect();
    if context.json() {
        out.json(&json!({ "promotions": shown, "unreadable": unreadable, "troubles": troubles }));
        return Exit::Ok;
    }
    for promotion in &shown {
        row(promotion, out);
    }
    if shown.is_empty() {
        out.line("nothing waits to land");
    }
    for file in &unreadable {
        out.note(Tone::Warn, &format!("{} is no promotion: {}", file.path.display(), file.why));
    }
    for trouble in &troubles {
        out.note(Tone::Warn, trouble);
    }
    Exit::Ok
}

fn row(promotion: &Promotion, out: &mut Out) {
    let diff = &promotion.diff;
    out.pieces(&[
        (Tone::Strong, &format!("{:<28}", promotion.id)),
        (state_tone(&promotion.state), &format!(" {:<9}", promotion.state.word())),
        (risk_tone(promotion.risk), &format!(" {:<6}", promotion.risk.word())),
        (Tone::Plain, &format!(" {:>9} +{} −{}", files(diff.files), diff.added, diff.removed)),
        (Tone::Faint, &format!("  {} → {}  ", promotion.branch, promotion.base_branch)),
        (Tone::Plain, promotion.title.lines().next().unwrap_or_default()),
    ]);
    if let (Some(why), State::Pending) = (&promotion.blocked, &promotion.state) {
        out.pieces(&[(Tone::Bad, &format!("    may not land: {why}"))]);
    }
}

fn show(promotion: &Promotion, out: &mut Out) {
    row(promotion, out);
    let mut fact = |name: &str, text: &str| {
        out.pieces(&[(Tone::Faint, &format!("  {name:<8} ")), (Tone::Plain, text)]);
    };
    fact("commit", &format!("{} on {}", promotion.head, promotion.base));
    fact("diff", &promotion.diff.hash);
    fact("checks", &checks(promotion));
    match &promotion.verdict {
        Some(verdict) => fact(
            "verdict",
            &format!(
                "{} by {} in round {}, {} findings, {} blocking",
                verdict.decision.word(),
                verdict.by,
                verdict.round,
                verdict.findings,
                verdict.blocking
            ),
        ),
        None => fact("verdict", "none"),
    }
    for reason in &promotion.reasons {
        fact("risk", reason);
    }
    if let Some(cost) = promotion.cost {
        let estimated = if cost.estimated { " (estimated)" } else { "" };
        fact("cost", &format!("${:.4}{estimated}", cost.usd));
    }
    for path in &promotion.diff.paths {
        fact("file", path);
    }
    for deed in &promotion.history {
        fact("history", &format!("{}  {}: {}", deed.at.strftime("%Y-%m-%d %H:%MZ"), deed.by, deed.what));
    }
}

fn files(count: u32) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}

fn checks(promotion: &Promotion) -> String {
    let word = |state: &GateState| match state {
        GateState::Passed => "passed",
        GateState::Failed { .. } => "failed",
        GateState::Skipped { .. } => "skipped",
        GateState::Waived { .. } => "waived",
    };
    let told: Vec<String> =
        promotion.checks.iter().map(|check| format!("{} {}", check.gate, word(&check.state))).collect();
    if told.is_empty() { "none ran on this commit".to_owned() } else { told.join(", ") }
}

fn apply(
    context: &Context,
    desk: &Desk,
    store: &Store,
    known: &Promotions,
    args: &ApplyArgs,
    out: &mut Out,
) -> Result<Exit, VerbError> {
    let promotion = named(known, &args.id)?;
    if matches!(promotion.state, State::Applied(_)) && promotion.head.starts_with(&args.seen) {
        let carried = Carried { promotion: promotion.clone(), trouble: None };
        return Ok(carried_out(context, &carried, out));
    }
    let ticket = ticket(store, promotion)?;
    let approval =
        Approval { id: promotion.id.clone(), seen: args.seen.clone(), word: args.high_risk.clone() };
    let _log = logging::start();
    let runtime = queue::async_runtime(2)?;
    let carried =
        runtime.block_on(watched(out, |progress, stop| desk.approve(&ticket, &approval, progress, stop)))?;
    Ok(carried_out(context, &carried, out))
}

fn carried_out(context: &Context, carried: &Carried, out: &mut Out) -> Exit {
    let promotion = &carried.promotion;
    if context.json() {
        out.json(&json!({ "promotion": promotion, "trouble": carried.trouble }));
    } else {
        let last = promotion.history.last().map(|deed| deed.what.clone()).unwrap_or_default();
        out.pieces(&[
            (Tone::Strong, promotion.id.as_str()),
            (state_tone(&promotion.state), &format!(" {}", promotion.state.word())),
            (Tone::Plain, &format!("  {last}")),
        ]);
    }
    match &carried.trouble {
        Some(trouble) => {
            out.note(Tone::Warn, trouble);
            Exit::Failed
        }
        None => Exit::Ok,
    }
}

/// The promotion of that name, or the newest one of that ticket.
fn named<'a>(known: &'a Promotions, id: &str) -> Result<&'a Promotion, VerbError> {
    let by_name = known.all.iter().find(|promotion| promotion.id == id);
    by_name.or_else(|| known.all.iter().find(|promotion| promotion.ticket.as_str() == id)).ok_or_else(|| {
        let broken: Vec<String> =
            known.unreadable.iter().map(|file| format!("{} ({})", file.path.display(), file.why)).collect();
        let more = known.troubles.iter().cloned().chain(broken).collect::<Vec<_>>().join("; ");
        let more = if more.is_empty() { String::new() } else { format!(" ({more})") };
        VerbError::Failed(format!(
            "there is no promotion {id}: only finished tickets that an agent worked on have one; see `koru-tui \
             promotion list --all`{more}"
        ))
    })
}

fn ticket(store: &Store, promotion: &Promotion) -> Result<Ticket, VerbError> {
    let plan = store.plan();
    plan.ticket(&promotion.ticket).map(|ticket| Ticket::clone(ticket)).ok_or_else(|| {
        VerbError::Failed(format!(
            "the ticket {} of {} is gone from the planfile",
            promotion.ticket, promotion.id
        ))
    })
}

fn state_tone(state: &State) -> Tone {
    match state {
        State::Pending | State::Landing(_) | State::Undoing { .. } => Tone::Warn,
        State::Applied(_) => Tone::Good,
        State::Rejected { .. } => Tone::Bad,
        State::Undone { .. } | State::Expired { .. } => Tone::Faint,
    }
}

fn risk_tone(risk: Risk) -> Tone {
    match risk {
        Risk::Low => Tone::Faint,
        Risk::Medium => Tone::Plain,
        Risk::High => Tone::Bad,
    }
}
