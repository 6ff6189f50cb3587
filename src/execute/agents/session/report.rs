//! What is handed back of a run: everything that was learnt, put together once it is over.

use jiff::Timestamp;

use super::ending::{self, Ended};
use super::watch::Watch;
use super::{AgentReport, answer, of_outcome};
use crate::execute::agents::verdict::Judgement;
use crate::execute::outcome::Outcome;
use crate::execute::recorder::Recorder;
use crate::execute::tail::Tail;

impl Watch<'_> {
    /// Ends the recording and reports.
    pub(super) fn report(mut self, recorder: &mut Recorder) -> AgentReport {
        let on_their_way = self.stream.dialogue().map(|dialogue| dialogue.on_their_way().to_vec());
        let mut unheard = on_their_way.unwrap_or_default();
        unheard.append(&mut self.unheard);
        // Ours are no reason for another round.
        unheard.retain(|text| !self.hints.iter().any(|(_, hint)| hint == text));
        let (assembler, torn) = self.stream.into_parts();
        let answer = assembler.answer().map(|answer| recorder.clean(answer));
        let structured = self.job.schema.as_ref().and_then(|_| answer::structured(&assembler));
        let exit = ending::exit(self.leader);
        let duration = self.started.elapsed();
        let (_, stderr) = recorder.take_tails();
        let ended = Ended {
            kind: self.job.kind,
            cause: self.cause.as_ref(),
            exit,
            torn,
            stderr: stderr.last(usize::MAX),
            now: Timestamp::now(),
        };
        let Judgement { ending, reason } = ended.name(&assembler.signs());
        let outcome = Outcome {
            ending: of_outcome(&ending),
            exit_code: ending::shell_code(exit),
            signal: exit.signal,
            stdout: answer.as_deref().map(Tail::from).unwrap_or_default(),
            stderr,
            reason: reason.map(|reason| recorder.clean(&reason)),
            duration,
            ..Outcome::not_started("")
        };
        let mut tally = assembler.tally().clone();
        tally.conversation = tally.conversation.or(self.conversation);
        tally.last_error = tally.last_error.map(|error| recorder.clean(&error));
        AgentReport { ending, outcome, tally, answer, structured, unheard }
    }
}
