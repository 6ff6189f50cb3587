//! Decisions on reviewed work, from the verdict pane: each is about the commit that stood on the screen (rule B), works
//! only where the operator went (rule A), and accepting needs a second key.

use super::super::actions::Action;
use super::super::layers::confirm::Confirmed;
use super::super::layers::message::Purpose;
use super::super::layers::{Confirm, Layer};
use super::super::list::Motion;
use super::super::state::verdict::{judged, said_in, standing};
use super::super::state::{Console, Pane, Pending, Then};
use super::super::words;
use crate::plan::ticket::TicketId;
use crate::runtime::fixlist;
use crate::runtime::protocol::diff::DiffRange;
use crate::runtime::protocol::review::{Decision, Finding, Progress, Stage};
use crate::runtime::protocol::{Command, Review, ReviewChoice, ReviewCommand};

/// Findings that a page goes on by: they are of different heights.
const FINDINGS_PAGE: usize = 10;

/// Whether a decision of the pane may be made now.
pub(super) fn decidable(console: &Console, action: Action) -> Result<(), String> {
    if let Some(reason) = console.read_only() {
        return Err(reason);
    }
    let id = console.reviewed_id();
    let Some(review) = id.as_ref().and_then(|id| console.snapshot.reviews.get(id)) else {
        return Err("there are no rounds here".to_owned());
    };
    if console.run_of(&review.ticket).is_some_and(|run| super::super::rows::is_live(run)) {
        return Err("it is being worked on; stop it first".to_owned());
    }
    let Some(head) = Console::head_of(review) else { return Err("there is no work yet".to_owned()) };
    if console.seen_head(&review.ticket) != Some(head) {
        return Err("this round was not on the screen yet; look and press again".to_owned());
    }
    undecided(console, review, action)
}

/// Whether a decision is still to be made that is not made yet: the same in the verdict pane and in the review.
pub(super) fn undecided(console: &Console, review: &Review, action: Action) -> Result<(), String> {
    let done = console.snapshot.plan.ticket(&review.ticket).is_some_and(|ticket| ticket.status.is_terminal());
    match (&review.stage, action) {
        (Stage::Approved, Action::VerdictApprove | Action::ReviewApprove) if done => {
            Err("it is approved".to_owned())
        }
        (Stage::Ended { .. }, Action::VerdictReject | Action::ReviewReject) if done => {
            Err("it has ended".to_owned())
        }
        (_, Action::VerdictAnother | Action::VerdictAgain) if done => {
            Err("the ticket is over; make a new one for what is to follow".to_owned())
        }
        _ => Ok(()),
    }
}

/// Whether the pane can be gone to.
pub(super) fn shown(console: &Console) -> Result<(), String> {
    match console.reviewed() {
        Some(_) => Ok(()),
        None => Err("there are no rounds here".to_owned()),
    }
}

impl Console {
    /// Does an action of the pane; availability was asked before.
    pub(super) fn verdict_action(&mut self, action: Action) {
        if action == Action::VerdictShow {
            return self.show_verdict();
        }
        let Some(review) = self.reviewed().cloned() else { return };
        let Some(head) = Console::head_of(&review).map(str::to_owned) else { return };
        let id = words::safe(&review.ticket);
        let short: String = head.chars().take(12).collect();
        match action {
            Action::VerdictFinding => self.open_finding(&review),
            Action::VerdictApprove => {
                let open = standing(&review)
                    .iter()
                    .filter(|(progress, finding)| finding.blocking && *progress != Progress::Fixed)
                    .count();
                let still = match open {
                    0 => String::new(),
                    1 => "1 blocker still stands. ".to_owned(),
                    open => format!("{open} blockers still stand. "),
                };
                self.layers.push(Layer::Confirm(Confirm {
                    question: format!("approve {id} as it is at {short}?"),
                    detail: format!("{still}The ticket is complete then; its branch stays as it is."),
                    yes: "approve",
                    then: Confirmed::Approve { ticket: review.ticket.clone(), seen: head },
                }));
            }
            Action::VerdictReject => self.open_message(review.ticket.clone(), Purpose::Reject { seen: head }),
            Action::VerdictAnother => self.open_fixes(&review, head),
            Action::VerdictAgain => self.layers.push(Layer::Confirm(Confirm {
                question: format!("review {id} again at {short}?"),
                detail: again_means(&review),
                yes: "review again",
                then: Confirmed::ReviewAgain { ticket: review.ticket.clone(), seen: head },
            })),
            _ => {}
        }
    }

    /// Goes to the pane, out of whatever hides it.
    pub(super) fn show_verdict(&mut self) {
        if let Some(Layer::Page(page)) = self.layers.last() {
            self.queue.selected = Some(page.ticket.clone());
            self.layers.pop();
        }
        self.runs.grid = false;
        self.focus = Pane::Verdict;
        self.dirty = true;
    }

    /// Whether a ticket waits for a decision on its rounds, which is made in the pane and not by an answer in words.
    pub(super) fn waits_for_decision(&self, id: &TicketId) -> bool {
        let review = self.snapshot.reviews.get(id);
        review.is_some_and(|review| matches!(review.stage, Stage::Waiting { .. }))
    }

    /// Opens the diff at the line of the finding with the cursor; without findings, the diff.
    ///
    /// Lines are those of the commit that was judged, so that round is what is compared, unless it is the newest: then
    /// the whole work ends at the same commit, and shows files too that an earlier round changed. What was mended since
    /// is shown where it stood: in the work as the round left it that it was found in.
    fn open_finding(&mut self, review: &Review) {
        let newest = review.rounds.iter().rev().find(|round| round.head.is_some()).map(|round| round.number);
        let mut range = match judged(review).map(|round| round.number) {
            Some(number) if Some(number) != newest => DiffRange::Round { number },
            _ => DiffRange::Whole,
        };
        let (mut file, mut line) = (None, None);
        if let Some((progress, finding)) = standing(review).get(self.verdict.cursor) {
            (file, line) = (finding.file.clone(), finding.line);
            if *progress == Progress::Fixed {
                match said_in(review, &finding.id) {
                    Some(to) => range = DiffRange::Between { from: 0, to },
                    None => line = None,
                }
            }
        }
        self.open_diff_at(review.ticket.clone(), range, file, line);
        if let Some(screen) = self.review_mut() {
            screen.wanted_top = screen.wanted.is_some() && line.is_none();
        }
    }

    /// The form with the fix list, to be edited before it is sent.
    fn open_fixes(&mut self, review: &Review, seen: String) {
        let fixes = fixes(review);
        let text = fixlist::write(&fixes);
        self.open_message(review.ticket.clone(), Purpose::Fixes { seen, known: fixes });
        if let Some(Layer::Message(form)) = self.layers.last_mut() {
            form.begin_with(text);
        }
    }

    /// Lets the commit that was on screen be judged once more.
    pub(super) fn send_review_again(&mut self, ticket: TicketId, seen: String) {
        let said = Pending::say(format!("{} is reviewed again", words::safe(&ticket)));
        self.decide_on(ticket, seen, ReviewChoice::ReviewAgain, said);
    }

    fn decide_on(&mut self, ticket: TicketId, seen: String, choice: ReviewChoice, pending: Pending) {
        self.send(Command::Review(ReviewCommand::Decide { ticket, seen, choice }), pending);
    }

    /// Sends the words of a rejection or of a fix list. `Err` says why they cannot be sent.
    pub(super) fn send_judgement(
        &mut self,
        ticket: &TicketId,
        purpose: Purpose,
        text: &str,
        key: String,
    ) -> Result<(), String> {
        let id = words::safe(ticket);
        let (seen, choice, done) = match purpose {
            Purpose::Reject { seen } => {
                let reason = text.trim().to_owned();
                (seen, ReviewChoice::Reject { reason }, format!("{id} is rejected"))
            }
            Purpose::Fixes { seen, known } => {
                let fixes = fixlist::read(text, &known, &self.snapshot.actor);
                if fixes.is_empty() {
                    return Err("say what is to be mended; Esc closes without another round".to_owned());
                }
                let count = words::count(fixes.len(), "thing", "things");
                (seen, ReviewChoice::Another { fixes }, format!("{id} goes back with {count} to mend"))
            }
            _ => return Ok(()),
        };
        self.decide_on(ticket.clone(), seen, choice, Pending { done, then: Then::FormSent(key) });
        Ok(())
    }

    /// Moves the cursor over the findings.
    pub(super) fn move_verdict(&mut self, motion: Motion) {
        let Some(review) = self.reviewed() else { return };
        let last = standing(review).len().saturating_sub(1);
        self.verdict.cursor = motion.from(self.verdict.cursor, last, FINDINGS_PAGE);
    }
}

/// What it means to have the last round judged once more.
fn again_means(review: &Review) -> String {
    let verdict = review.rounds.last().and_then(|round| round.verdict.as_ref());
    let lost = verdict.map_or(String::new(), |verdict| match verdict.findings.len() {
        0 => " The verdict of this round goes into the audit.".to_owned(),
        count => format!(
            " The verdict of this round, with {}, goes into the audit.",
            words::count(count, "finding", "findings")
        ),
    });
    format!("The reviewer is paid again, the worker is not.{lost}")
}

/// What another round would mend: what the last verdict still requires.
fn fixes(review: &Review) -> Vec<Finding> {
    let last = review.rounds.last();
    let verdict = last.and_then(|round| round.verdict.as_ref());
    match verdict {
        Some(verdict) if verdict.decision == Decision::Approve && verdict.blockers().next().is_none() => {
            Vec::new()
        }
        Some(verdict) => verdict.findings.clone(),
        None => last.map(|round| round.fixes.clone()).unwrap_or_default(),
    }
}
