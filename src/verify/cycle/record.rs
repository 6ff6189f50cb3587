//! A ticket's rounds as the record of a cycle: read as a position, and made to stand at one.

use super::Position;
use crate::verify::finding::Finding;
use crate::verify::rounds::{Review, Round, Stage};

impl Review {
    /// Where it stands.
    pub fn position(&self) -> Position {
        let last = self.rounds.last();
        Position {
            base: self.base.clone(),
            round: last.map_or(0, |round| round.number),
            of: self.max_rounds,
            from: last.map(|round| round.from.clone()),
            head: last.and_then(|round| round.head.clone()),
            stage: self.stage.clone(),
        }
    }

    /// Stands at `at` from now on. A round that begins with it is given what is still required, unless the work was over,
    /// and what the operator `said`.
    pub fn stand(&mut self, at: &Position, said: Vec<Finding>) {
        let number = self.rounds.last().map_or(0, |round| round.number);
        if at.round > number {
            let over = matches!(self.stage, Stage::Approved | Stage::Ended { .. });
            let mut fixes = if over { Vec::new() } else { self.to_mend() };
            fixes.extend(said);
            self.begin_round(at.from.as_deref().unwrap_or(&at.base), fixes);
        }
        if let Some(last) = self.rounds.last_mut() {
            last.head.clone_from(&at.head);
        }
        self.max_rounds = at.of;
        self.stage = at.stage.clone();
    }

    /// Adds a round that begins from `from`, with what is to be mended in it, above the limit if need be.
    pub fn begin_round(&mut self, from: &str, fixes: Vec<Finding>) {
        let number = self.rounds.last().map_or(0, |round| round.number).saturating_add(1);
        self.max_rounds = self.max_rounds.max(number);
        self.stage = Stage::Working;
        self.rounds.push(Round {
            number,
            from: from.to_owned(),
            head: None,
            fixes,
            worker: None,
            gates: Vec::new(),
            reviewer: None,
            verdict: None,
        });
    }
}
