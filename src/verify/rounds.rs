//! What is known of the rounds of a ticket: worker, gates, reviewer, verdict. Plain data, shown by the console and by
//! verbs, and kept as `rounds.json` beside the file bus of the ticket (`.koru/loop/<ticket>/`).
//!
//! Invariant: a round keeps its own number for good, the last one included, and its `head` is the commit that was
//! checked and judged.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::finding::Finding;
use super::gates::GateResult;
use super::verdict::{Decision, Verdict};
use crate::execute::agents::tally::{Cost, Tokens};
use crate::plan::ticket::TicketId;

/// All rounds of one ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// Ticket.
    pub ticket: TicketId,
    /// Rounds that it may take before a person decides.
    pub max_rounds: u32,
    /// Commit that the work began from, 40 hexadecimal digits; it never moves.
    pub base: String,
    /// The rounds, oldest first, numbered from 1 without a gap.
    pub rounds: Vec<Round>,
    /// What happens now.
    pub stage: Stage,
    /// Who judges because somebody wished for it, by name in the configuration; as configured when `None`. Whoever goes on
    /// with the work keeps to it.
    #[serde(default)]
    pub reviewer: Option<String>,
    /// Commit that gates are run on right now, 40 hexadecimal digits. Where it stays behind after a run that was cut off,
    /// what differs from it is what they left.
    #[serde(default)]
    pub gated: Option<String>,
}

/// What happens in a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "stage", rename_all = "snake_case")]
pub enum Stage {
    /// The worker's turn.
    Working,
    /// Gates run.
    Checking,
    /// The reviewer's turn.
    Reviewing,
    /// A person decides ([`Wait::ask`] says what about).
    Waiting {
        /// Why.
        why: Wait,
    },
    /// The work passed.
    Approved,
    /// It ended otherwise.
    Ended {
        /// Sentence.
        why: String,
    },
}

/// Why a person has to decide (issue: human gates).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "wait", rename_all = "snake_case")]
pub enum Wait {
    /// The verdict contradicts itself.
    Contradiction {
        /// Sentence.
        sentence: String,
    },
    /// All rounds were used and the reviewer still requires changes.
    MaxRounds,
    /// The reviewer did not give a verdict.
    NoVerdict {
        /// Sentence (foreign text).
        sentence: String,
    },
    /// The reviewer changed the work that it was to judge.
    ReviewerChangedWork {
        /// Paths from the top of the repository (foreign text).
        paths: Vec<String>,
    },
    /// The worker changed nothing in this round.
    NoChange,
    /// The reviewer approves, and no gate proves the work, or somebody demanded that a person decides.
    Gates {
        /// Sentence.
        sentence: String,
    },
}

impl Wait {
    /// What a person is asked, as a sentence (foreign text in it).
    pub fn ask(&self) -> String {
        match self {
            Wait::Contradiction { sentence } => format!("{sentence}; decide on the work yourself"),
            Wait::MaxRounds => {
                "all rounds are used and changes are still required; allow another round, approve or reject"
                    .to_owned()
            }
            Wait::NoVerdict { sentence } => format!("there is no verdict: {sentence}"),
            Wait::ReviewerChangedWork { paths } => format!(
                "the reviewer changed the work that it was to judge, and its changes were undone: {}",
                paths.join(", ")
            ),
            Wait::NoChange => "the worker changed nothing in this round".to_owned(),
            Wait::Gates { sentence } => format!("the reviewer approves; {sentence}"),
        }
    }

    /// The same in two or three words.
    pub fn word(&self) -> &'static str {
        match self {
            Wait::Contradiction { .. } => "contradiction",
            Wait::MaxRounds => "rounds used up",
            Wait::NoVerdict { .. } => "no verdict",
            Wait::ReviewerChangedWork { .. } => "reviewer changed work",
            Wait::NoChange => "no change",
            Wait::Gates { .. } => "no proof",
        }
    }
}

/// One round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Number, from 1.
    pub number: u32,
    /// Commit that this round began from.
    pub from: String,
    /// Commit that the worker left.
    pub head: Option<String>,
    /// What the worker was given to mend: findings of the round before, and the operator's comments.
    pub fixes: Vec<Finding>,
    /// The worker's part.
    pub worker: Option<Part>,
    /// What the gates said of `head`.
    pub gates: Vec<GateResult>,
    /// The reviewer's part.
    pub reviewer: Option<Part>,
    /// The verdict on `head`.
    pub verdict: Option<Verdict>,
}

/// What one agent, or one person, did in a round.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Its name in the configuration, or the actor of a person.
    pub by: String,
    /// The run's folder name, whose transcript holds it.
    pub run: Option<String>,
    /// Start.
    pub began: Timestamp,
    /// How long it took; `None` while it goes on.
    pub took: Option<Duration>,
    /// What it cost.
    pub cost: Option<Cost>,
    /// Tokens.
    pub tokens: Tokens,
    /// Conversation that the next round can go on with.
    pub conversation: Option<String>,
    /// Its last words (foreign text).
    pub notes: String,
}

/// What became of a finding from one round to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// It was found before and is not any more.
    Fixed,
    /// It was found before and still is.
    Still,
    /// It was not found before.
    New,
}

impl Review {
    /// The findings of round `number` (1-based) and those of the newest round before it that was judged, each with what
    /// became of it: still and new ones in the verdict's order, then the fixed ones. Before a verdict nothing can be said.
    pub fn progress(&self, number: u32) -> Vec<(Progress, &Finding)> {
        let now = self.rounds.iter().find(|round| round.number == number);
        let Some(now) = now.and_then(|round| round.verdict.as_ref()) else { return Vec::new() };
        let before: &[Finding] = self.judged_before(number).map_or(&[], |(_, verdict)| &verdict.findings);
        let knows = |findings: &[Finding], id: &str| findings.iter().any(|finding| finding.id == id);
        let state =
            |finding: &Finding| if knows(before, &finding.id) { Progress::Still } else { Progress::New };
        let standing = now.findings.iter().map(|finding| (state(finding), finding));
        let gone = before.iter().filter(|finding| !knows(&now.findings, &finding.id));
        standing.chain(gone.map(|finding| (Progress::Fixed, finding))).collect()
    }

    /// What the reviewer of round `number` is to compare with: the findings of the newest round before it that was judged.
    /// A round without a verdict (nothing changed, no answer) settles nothing, so what was found before it still counts.
    pub fn earlier(&self, number: u32) -> Vec<(Progress, &Finding)> {
        self.judged_before(number).map_or_else(Vec::new, |(number, _)| self.progress(number))
    }

    /// What another round would have to mend: what the last verdict still requires, its blockers also where it approves;
    /// after a round that nobody judged, what that round was given to mend.
    pub fn to_mend(&self) -> Vec<Finding> {
        let Some(last) = self.rounds.last() else { return Vec::new() };
        match &last.verdict {
            Some(verdict) if verdict.decision == Decision::Approve && verdict.blockers().next().is_none() => {
                Vec::new()
            }
            Some(verdict) => verdict.findings.clone(),
            None => last.fixes.clone(),
        }
    }

    fn judged_before(&self, number: u32) -> Option<(u32, &Verdict)> {
        let earlier = self.rounds.iter().rev().filter(|round| round.number < number);
        earlier.filter_map(|round| Some((round.number, round.verdict.as_ref()?))).next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verify::finding::{Severity, Source};

    fn finding(id: &str, blocking: bool) -> Finding {
        Finding {
            id: id.to_owned(),
            severity: Severity::High,
            blocking,
            file: None,
            line: None,
            end_line: None,
            reason: id.to_owned(),
            required_change: None,
            source: Source::Reviewer { name: "judge".to_owned() },
            dimension: None,
            confidence: None,
        }
    }

    fn round(number: u32, fixes: Vec<Finding>, verdict: Option<(Decision, Vec<Finding>)>) -> Round {
        let by = Source::Reviewer { name: "judge".to_owned() };
        Round {
            number,
            from: "a".repeat(40),
            head: None,
            fixes,
            worker: None,
            gates: Vec::new(),
            reviewer: None,
            verdict: verdict.map(|(decision, findings)| Verdict {
                decision,
                summary: String::new(),
                findings,
                by,
                head: None,
            }),
        }
    }

    fn ids(findings: &[Finding]) -> Vec<&str> {
        findings.iter().map(|finding| finding.id.as_str()).collect()
    }

    #[test]
    fn a_round_without_a_verdict_forgets_nothing_that_was_required() {
        let wrong = || vec![finding("wrong", true)];
        let mut review = Review {
            ticket: TicketId::new("PLF-1"),
            max_rounds: 3,
            base: "a".repeat(40),
            rounds: vec![
                round(1, Vec::new(), Some((Decision::ChangesRequired, wrong()))),
                round(2, wrong(), None),
            ],
            stage: Stage::Waiting { why: Wait::NoChange },
            reviewer: None,
            gated: None,
        };
        assert_eq!(ids(&review.to_mend()), ["wrong"]);
        assert_eq!(review.earlier(3), [(Progress::New, &finding("wrong", true))]);
        review.rounds.push(round(3, wrong(), Some((Decision::Approve, Vec::new()))));
        assert_eq!(review.progress(3), [(Progress::Fixed, &finding("wrong", true))]);
        assert_eq!(ids(&review.to_mend()), Vec::<&str>::new());
        let contradicting = vec![finding("blocker", true), finding("remark", false)];
        review.rounds.push(round(4, Vec::new(), Some((Decision::Approve, contradicting))));
        assert_eq!(ids(&review.to_mend()), ["blocker", "remark"]);
    }
}
