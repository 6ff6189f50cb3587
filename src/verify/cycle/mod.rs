//! Rounds of worker and reviewer as one decision: where the work stands, and what just happened, say what is to be done
//! next. Nothing in here reads, starts, waits or knows the time.
//!
//! Two drivers do what it says, each with a record of its own: the runtime works tickets in worktrees and keeps
//! [`Review`](super::rounds::Review) ([`record`]); [`super::looping`] works in the tree as it is, on loop-kit's folder of
//! files. A driver has [`Cycle::at`] on record *before* it does what it was told, so that it may be cut off anywhere:
//! who begins again from the record ([`Cycle::begin`]) is told the same, or to look at work again that nobody vouches for.
//!
//! Rules, for everybody alike: a round that changed nothing goes to a person; so do a verdict that contradicts itself, a
//! missing one, and one on work that the reviewer changed; a missing review never pays the worker again; a verdict on
//! record is paid once; nothing is approved that no check proves; rounds end at their limit unless a person wants more.
//!
//! What stays with the drivers: how a turn is carried out (attempts, budgets, sleeps), and what a turn without a result
//! means. A ticket's worker goes on in its round; loop-kit ends the loop with a word of its own.

mod record;
#[cfg(test)]
mod tests;

use super::finding::Source;
use super::rounds::{Stage, Wait};
use super::verdict::{Decision, Verdict};

/// Where the work stands: all that a decision looks at, and what has to be on record before anything more is done.
#[derive(Clone, Debug, PartialEq)]
pub struct Position {
    /// Commit that the work began from; it never moves.
    pub base: String,
    /// Round, from 1; 0 before the first.
    pub round: u32,
    /// Rounds that it may take.
    pub of: u32,
    /// Commit that this round began from; `None` where that is not known any more.
    pub from: Option<String>,
    /// Commit that the worker left in this round.
    pub head: Option<String>,
    /// What happens.
    pub stage: Stage,
}

/// What is found when somebody begins, or goes on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Begin {
    /// Commit that the tree is at.
    pub tip: String,
    /// No file differs from it. False where nobody vouches for the tree: then the work is looked at again.
    pub clean: bool,
    /// The run before was cut off: how it ended never reached who asked for it.
    pub cut_off: bool,
    /// Checks on record failed: they are asked again before anybody judges.
    pub red: bool,
    /// The verdict of this round that is on record, if its reviewer was seen to have left the work alone.
    pub given: Option<Verdict>,
    /// Whoever begins may go past what only a person allows: rounds that are added where the work was over. `None`: the
    /// limit stands, and so does an end.
    pub leave: Option<u32>,
    /// It is over after one round.
    pub single: bool,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The worker's turn is over, and left this commit.
    Worked {
        /// Full hash.
        head: String,
    },
    /// The work was checked.
    Checked {
        /// Commit that was checked.
        head: String,
        /// Checks failed; their verdict is on record with it. No reviewer is paid to find what they found.
        red: bool,
    },
    /// The reviewer's turn is over.
    Judged(Judgement),
    /// Whether the operator said anything that no round was told.
    Said(bool),
}

/// What a reviewer's turn came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Its verdict, or why there is none (foreign text).
    pub verdict: Result<Verdict, String>,
    /// Paths that it changed though it was to judge (foreign text).
    pub changed: Vec<String>,
    /// Why an approval would not do, by the checks that are on record; `None` when they prove the work.
    pub unproven: Option<String>,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Do {
    /// Let the worker work: brings [`Input::Worked`].
    Work,
    /// Check what the worker left: brings [`Input::Checked`].
    Check,
    /// Let the reviewer judge: brings [`Input::Judged`].
    Judge,
    /// Take the verdict on record, nobody is paid: brings [`Input::Judged`].
    Take,
    /// Look for what the operator said: brings [`Input::Said`]. Once the stage says approved nothing more may be taken from
    /// the operator, so that this look is the last.
    Listen,
    /// It is over; the stage says how. Still [`Stage::Working`] after a single round that was sent back.
    End,
}

/// What an answer about the operator's words is waited for with.
#[derive(Clone, Debug, PartialEq)]
enum Pending {
    /// The round goes back.
    Back,
    /// The verdict approves; why that would not do.
    Pass { unproven: Option<String> },
    /// The work passed, on record.
    Passed,
}

/// The rounds of one piece of work.
#[derive(Clone, Debug, PartialEq)]
pub struct Cycle {
    at: Position,
    single: bool,
    /// Commit that the verdict on record is about, when it counts.
    given: Option<String>,
    pending: Pending,
    next: Do,
}

impl Cycle {
    /// Goes on where `at` says, and what is to be done first.
    pub fn begin(at: Position, begin: Begin) -> (Cycle, Do) {
        let counts = |verdict: &Verdict| {
            matches!(verdict.by, Source::Reviewer { .. }) && verdict.contradiction().is_none()
        };
        let given =
            begin.given.as_ref().filter(|verdict| counts(verdict)).and_then(|verdict| verdict.head.clone());
        let mut cycle = Cycle { at, single: begin.single, given, pending: Pending::Back, next: Do::End };
        cycle.next = cycle.start(&begin);
        let next = cycle.next;
        (cycle, next)
    }

    /// Where it stands.
    pub fn at(&self) -> &Position {
        &self.at
    }

    /// What is to be done after `input`. One that does not fit changes nothing: the same is still to be done.
    pub fn step(&mut self, input: Input) -> Do {
        self.next = match (self.next, input) {
            (Do::Work, Input::Worked { head }) => match self.left(head) {
                true => self.check(),
                false => self.wait(Wait::NoChange),
            },
            (Do::Check, Input::Checked { head, red }) => {
                // What was looked at once is judged, however little it is: somebody wants it so.
                let looked = self.at.head.is_some();
                match (self.left(head) || looked, red) {
                    (false, _) => self.wait(Wait::NoChange),
                    (true, true) => self.listen(Pending::Back),
                    (true, false) => self.judge(),
                }
            }
            (Do::Judge | Do::Take, Input::Judged(judgement)) => self.judged(judgement),
            (Do::Listen, Input::Said(said)) => self.heard(said),
            (same, _) => same,
        };
        self.next
    }

    /// Where it goes on. What was paid for is not paid for again.
    fn start(&mut self, begin: &Begin) -> Do {
        let tip = begin.tip.clone();
        if self.at.round == 0 {
            return self.another(tip);
        }
        let settled = begin.clean && self.at.head.as_ref() == Some(&begin.tip);
        match (self.at.stage.clone(), begin.leave) {
            (Stage::Working, None) if self.at.round > self.at.of && !self.single => {
                self.wait(Wait::MaxRounds)
            }
            (Stage::Working, _) => Do::Work,
            (Stage::Checking, _) => Do::Check,
            (Stage::Reviewing, _) => self.look(settled && !begin.red),
            (Stage::Approved, _) if begin.cut_off && settled => self.listen(Pending::Passed),
            (Stage::Approved | Stage::Ended { .. }, Some(rounds)) => {
                self.at.of = self.at.round.saturating_add(rounds);
                self.another(tip)
            }
            (Stage::Approved | Stage::Ended { .. }, None) => Do::End,
            (Stage::Waiting { why }, leave) => match why {
                Wait::NoVerdict { .. } | Wait::ReviewerChangedWork { .. } => self.look(settled && !begin.red),
                Wait::Gates { .. } => self.check(),
                // Somebody went on by hand since: that is checked and judged, and costs no worker.
                Wait::NoChange if leave.is_some() && !settled => self.check(),
                Wait::NoChange | Wait::MaxRounds | Wait::Contradiction { .. } if leave.is_some() => {
                    self.another(tip)
                }
                Wait::Contradiction { .. } => self.look(settled && !begin.red),
                Wait::NoChange | Wait::MaxRounds => Do::End,
            },
        }
    }

    /// Judges what is as it was checked, else checks first.
    fn look(&mut self, checked: bool) -> Do {
        if checked { self.judge() } else { self.check() }
    }

    fn check(&mut self) -> Do {
        self.at.stage = Stage::Checking;
        Do::Check
    }

    fn judge(&mut self) -> Do {
        self.at.stage = Stage::Reviewing;
        let given = self.given.take();
        if given.is_some() && given == self.at.head { Do::Take } else { Do::Judge }
    }

    fn listen(&mut self, pending: Pending) -> Do {
        self.pending = pending;
        Do::Listen
    }

    fn wait(&mut self, why: Wait) -> Do {
        self.at.stage = Stage::Waiting { why };
        Do::End
    }

    /// The worker works in another round, above the limit if need be: whoever comes here has leave.
    fn another(&mut self, from: String) -> Do {
        self.at.round = self.at.round.saturating_add(1);
        self.at.of = self.at.of.max(self.at.round);
        self.at.from = Some(from);
        self.at.head = None;
        self.at.stage = Stage::Working;
        self.given = None;
        Do::Work
    }

    /// Keeps what the worker left. Whether that is anything: nothing is what is at the base, and what is where a later
    /// round began. A first round may begin with work that nobody judged yet.
    fn left(&mut self, head: String) -> bool {
        let idle = self.at.from.as_ref() == Some(&head) && self.at.round > 1;
        let work = head != self.at.base && !idle;
        self.at.head = Some(head);
        work
    }

    fn judged(&mut self, judgement: Judgement) -> Do {
        let Judgement { verdict, changed, unproven } = judgement;
        if !changed.is_empty() {
            return self.wait(Wait::ReviewerChangedWork { paths: changed });
        }
        let verdict = match verdict {
            Ok(verdict) => verdict,
            Err(sentence) => return self.wait(Wait::NoVerdict { sentence }),
        };
        if let Some(contradiction) = verdict.contradiction() {
            return self.wait(Wait::Contradiction { sentence: contradiction.to_string() });
        }
        self.listen(match verdict.decision {
            Decision::ChangesRequired => Pending::Back,
            Decision::Approve => Pending::Pass { unproven },
        })
    }

    /// What follows from a verdict, now that it is known whether the operator has more to say. Whoever says something wants
    /// another round for it.
    fn heard(&mut self, said: bool) -> Do {
        match self.pending.clone() {
            Pending::Back if !said && !self.single && self.at.round >= self.at.of => {
                self.wait(Wait::MaxRounds)
            }
            Pending::Pass { unproven: Some(sentence) } if !said => self.wait(Wait::Gates { sentence }),
            Pending::Pass { unproven: None } if !said => {
                self.at.stage = Stage::Approved;
                self.listen(Pending::Passed)
            }
            Pending::Passed if !said => Do::End,
            _ => {
                let head = self.at.head.clone().or(self.at.from.clone());
                let worker = self.another(head.unwrap_or_else(|| self.at.base.clone()));
                if self.single { Do::End } else { worker }
            }
        }
    }
}
