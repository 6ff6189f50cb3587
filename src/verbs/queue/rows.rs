//! What `queue run` prints: koru's rows as ticks end, the questions it asks, and the summary (koru §4.2, §4.4).

use std::io::IsTerminal;

use super::super::output::{Out, Tone, printed};
use super::answers::{Answers, Reading};
use crate::plan::ticket::{Ticket, TicketId};
use crate::runtime::drain::{Answer, DrainIo, DrainReport, Tick, TickStatus};
use crate::runtime::protocol::OutputLine;

/// Prints what a drain says.
pub(super) struct Rows<'a> {
    out: &'a mut Out,
    json: bool,
    looping: bool,
    /// Whether somebody watches: live output goes to standard error then, so that standard output stays koru's rows.
    watched: bool,
    answers: Answers,
}

impl<'a> Rows<'a> {
    /// Prints to `out`; with `json` only warnings and questions, to standard error.
    pub(super) fn new(out: &'a mut Out, json: bool, looping: bool, answers: Answers) -> Self {
        Self { out, json, looping, watched: std::io::stderr().is_terminal(), answers }
    }

    fn question(&mut self, ticket: &Ticket) {
        let lines = [
            format!("{} asks: {}", ticket.id, ticket.name),
            ticket.question().to_owned(),
            ticket.inputs.choices.iter().map(|choice| format!("  - {choice}")).collect::<Vec<_>>().join("\n"),
            "(end of input, Ctrl-D, submits; Ctrl-C cancels)".to_owned(),
        ];
        for text in lines.iter().filter(|text| !text.is_empty()) {
            if self.json {
                self.out.note(Tone::Plain, text);
            } else {
                self.out.block(text);
            }
        }
        self.out.flush();
    }
}

impl DrainIo for Rows<'_> {
    fn tick(&mut self, tick: &Tick) {
        if self.json {
            return;
        }
        if self.looping {
            row(tick, self.out);
        } else {
            single(tick, self.out);
        }
        self.out.flush();
    }

    fn output(&mut self, ticket: &TicketId, lines: &[OutputLine]) {
        if self.watched {
            for line in lines {
                self.out.note(Tone::Faint, &format!("{ticket} │ {}", printed(&line.text)));
            }
        }
    }

    fn ask<'b>(&'b mut self, ticket: &'b Ticket) -> Answer<'b> {
        Box::pin(async move {
            self.question(ticket);
            match self.answers.read().await {
                Reading::Answer(answer) => Some(answer),
                Reading::Nothing => None,
                Reading::TooLong => {
                    self.warn(
                        "the answer is longer than 1 MiB and was not taken; put it into a file and name that",
                    );
                    None
                }
            }
        })
    }

    fn warn(&mut self, message: &str) {
        self.out.note(Tone::Warn, &format!("koru queue: {message}"));
    }
}

fn tone(status: TickStatus) -> Tone {
    match status {
        TickStatus::Completed => Tone::Good,
        TickStatus::WaitingInput | TickStatus::Interrupted => Tone::Warn,
        TickStatus::Idle | TickStatus::DryRun => Tone::Plain,
        _ => Tone::Bad,
    }
}

/// koru's single result: one line, then the message.
fn single(tick: &Tick, out: &mut Out) {
    let (id, kind) = (word(tick.ticket.as_ref().map(TicketId::as_str)), word(tick.executor.as_deref()));
    out.pieces(&[
        (Tone::Plain, "koru queue: status="),
        (tone(tick.status), tick.status.word()),
        (Tone::Plain, &format!(" ticket={id} executor={kind}")),
    ]);
    let message = message(tick);
    if !message.is_empty() {
        out.block(&message);
    }
    let stderr = printed(&tick.stderr_tail);
    if tick.status == TickStatus::Failed && !stderr.trim().is_empty() && stderr.trim() != message.trim() {
        out.block(&stderr);
    }
}

/// What is said about a tick. The error of a failed one is what its program printed; a command or a question is shown
/// with every escape visible instead.
fn message(tick: &Tick) -> String {
    if tick.status == TickStatus::Failed { printed(&tick.message) } else { tick.message.clone() }
}

/// koru's row of a loop, with the reason when the ticket was not completed.
fn row(tick: &Tick, out: &mut Out) {
    let (id, kind) = (word(tick.ticket.as_ref().map(TicketId::as_str)), word(tick.executor.as_deref()));
    let quiet = matches!(tick.status, TickStatus::Completed | TickStatus::Idle);
    let message = message(tick);
    let message = message.lines().find(|line| !line.trim().is_empty()).filter(|_| !quiet);
    out.pieces(&[
        (Tone::Plain, &format!("  [{:>3}] ", tick.iteration)),
        (tone(tick.status), &format!("{} {:<22}", tick.status.marker(), tick.status.word())),
        (Tone::Strong, &format!(" {id:<14}")),
        (Tone::Faint, &format!(" ({kind})")),
        (Tone::Plain, &message.map(|line| format!("  {line}")).unwrap_or_default()),
    ]);
}

fn word(text: Option<&str>) -> &str {
    text.unwrap_or("-")
}

/// The last lines of a drain.
pub(super) fn summary(report: &DrainReport, looping: bool, out: &mut Out) {
    if looping {
        out.line(&format!(
            "koru queue loop: iterations={} completed={} failed={} waiting={} last_status={}",
            report.ticks.len(),
            report.completed.len(),
            report.failed.len(),
            report.waiting.len(),
            report.last_status.word()
        ));
        let lists = [
            ("completed", &report.completed),
            ("failed", &report.failed),
            ("waiting", &report.waiting),
            ("denied", &report.denied),
        ];
        for (name, ids) in lists.into_iter().filter(|(_, ids)| !ids.is_empty()) {
            out.line(&format!("  {name}: {}", joined(ids)));
        }
    }
    if report.capped {
        out.note(
            Tone::Warn,
            "koru queue: the cap was reached while work is left; run it again, or raise --max-iterations",
        );
    }
    if !report.interrupted.is_empty() {
        let ids = joined(&report.interrupted);
        let what =
            "in progress, but whoever ran them is gone; `koru-tui ticket ready ID` makes one runnable again";
        out.note(Tone::Warn, &format!("koru queue: {ids}: {what}"));
    }
}

fn joined(ids: &[TicketId]) -> String {
    ids.iter().map(TicketId::as_str).collect::<Vec<_>>().join(", ")
}
