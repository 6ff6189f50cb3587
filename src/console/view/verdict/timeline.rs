//! The rounds as a table: worker, checks, reviewer, verdict; as much of it as fits, the same for every round.

use jiff::SignedDuration;

use super::super::super::source::Line;
use super::super::super::state::Console;
use super::super::super::theme::Role;
use super::super::super::words;
use super::super::text::{fit, width};
use crate::base::text::safe_text;
use crate::runtime::protocol::review::{Decision, Part, Review, Round, Source};
use crate::runtime::protocol::{GateResult, GateState};

/// How much is told.
#[derive(Clone, Copy)]
struct Detail {
    /// Commit that the worker left.
    commit: bool,
    /// Names of the gates, not only how they ended.
    gates: bool,
    /// What agents cost.
    cost: bool,
    /// `changes required`, not `changes`.
    words: bool,
    /// Columns that a name may take.
    name: usize,
}

/// From most to least; the first with which every round fits is taken, else the last.
const DETAILS: [Detail; 5] = [
    Detail { commit: true, gates: true, cost: true, words: true, name: 24 },
    Detail { commit: false, gates: true, cost: true, words: true, name: 24 },
    Detail { commit: false, gates: true, cost: true, words: false, name: 16 },
    Detail { commit: false, gates: false, cost: true, words: false, name: 12 },
    Detail { commit: false, gates: false, cost: false, words: false, name: 10 },
];

/// Between two columns.
const GAP: &str = "  ";

/// One line a round.
pub(super) fn lines(console: &Console, review: &Review, columns: usize) -> Vec<Line> {
    let tables = DETAILS.iter().map(|detail| table(console, review, *detail));
    let mut last = Vec::new();
    for table in tables {
        let fits = table.iter().all(|line| measure(line) <= columns);
        last = table;
        if fits {
            break;
        }
    }
    last
}

fn measure(line: &Line) -> usize {
    line.iter().map(|(text, _)| width(text)).sum()
}

fn table(console: &Console, review: &Review, detail: Detail) -> Vec<Line> {
    let rows: Vec<[Line; 4]> =
        review.rounds.iter().map(|round| cells(console, review, round, detail)).collect();
    // The verdict stands last and needs no padding; a column that is empty in every round takes no room.
    let wide: Vec<usize> =
        (0..3).map(|column| rows.iter().map(|row| measure(&row[column])).max().unwrap_or_default()).collect();
    rows.into_iter()
        .zip(&review.rounds)
        .map(|(row, round)| {
            let mut line: Line = vec![(format!("{:>2}", round.number), Role::Accent)];
            for (column, cell) in row.into_iter().enumerate() {
                let pad = wide.get(column).map(|wide| wide - measure(&cell));
                if pad.is_some() && wide[column] == 0 {
                    continue;
                }
                line.push((GAP.to_owned(), Role::Dim));
                line.extend(cell);
                if let Some(pad) = pad.filter(|pad| *pad > 0) {
                    line.push((" ".repeat(pad), Role::Dim));
                }
            }
            line
        })
        .collect()
}

/// Worker, gates, reviewer, verdict.
fn cells(console: &Console, review: &Review, round: &Round, detail: Detail) -> [Line; 4] {
    let mut worker: Line = Vec::new();
    if let Some(part) = &round.worker {
        worker.extend(told(console, part, detail));
    }
    if let Some(head) = round.head.as_ref().filter(|_| detail.commit) {
        worker.push((format!(" {}", head.get(..7).unwrap_or(head)), Role::Dim));
    }
    let mut gates: Line = Vec::new();
    for gate in &round.gates {
        let (glyph, role) = mark(console, gate);
        if detail.gates {
            let gap = if gates.is_empty() { "" } else { GAP };
            let name = fit(safe_text(&gate.gate).as_str(), detail.name, console.glyphs.ellipsis);
            gates.push((format!("{gap}{name} "), Role::Dim));
        }
        gates.push((glyph.to_owned(), role));
    }
    let reviewer = round.reviewer.as_ref().map(|part| told(console, part, detail)).unwrap_or_default();
    [worker, gates, reviewer, verdict(console, review, round, detail)]
}

fn verdict(console: &Console, review: &Review, round: &Round, detail: Detail) -> Line {
    let last = review.rounds.last().is_some_and(|last| last.number == round.number);
    let Some(verdict) = &round.verdict else {
        let (glyph, text, role) = super::stage(console, review);
        return if last { vec![(format!("{glyph} {text}"), role)] } else { Vec::new() };
    };
    let (glyph, word, role) = match verdict.decision {
        Decision::Approve => (console.glyphs.done, "approve", Role::Done),
        Decision::ChangesRequired if detail.words => {
            (console.glyphs.failed, "changes required", Role::Failed)
        }
        Decision::ChangesRequired => (console.glyphs.failed, "changes", Role::Failed),
    };
    let by = match &verdict.by {
        Source::Gate { gate } if detail.words => format!(" by {}", safe_text(gate)),
        Source::Operator { actor } if detail.words => format!(" by {}", safe_text(actor)),
        _ => String::new(),
    };
    let count = match verdict.findings.len() {
        0 => String::new(),
        count if detail.words => format!(" · {}", words::count(count, "finding", "findings")),
        count => format!(" ({count})"),
    };
    vec![(format!("{glyph} {word}{by}{count}"), role)]
}

fn mark(console: &Console, gate: &GateResult) -> (&'static str, Role) {
    match &gate.state {
        GateState::Passed => (console.glyphs.done, Role::Done),
        GateState::Failed { .. } => (console.glyphs.failed, Role::Failed),
        GateState::Skipped { .. } => (console.glyphs.canceled, Role::Warning),
        GateState::Waived { .. } => (console.glyphs.review, Role::Warning),
    }
}

/// `claude 3m12s $0.38`.
fn told(console: &Console, part: &Part, detail: Detail) -> Line {
    let name = fit(safe_text(&part.by).as_str(), detail.name, console.glyphs.ellipsis);
    let end = match part.took {
        Some(took) => SignedDuration::try_from(took)
            .ok()
            .and_then(|took| part.began.checked_add(took).ok())
            .unwrap_or(part.began),
        None => console.now,
    };
    let mut facts = format!(" {}", words::duration(part.began, end));
    if let Some(cost) = part.cost.filter(|_| detail.cost) {
        facts.push_str(&format!(" {}", words::cost(cost)));
    }
    vec![(name, Role::Text), (facts, Role::Dim)]
}
