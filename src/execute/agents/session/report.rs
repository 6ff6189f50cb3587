//! What is handed back of a run: everything that was learnt, put together once it is over.

use jiff::Timestamp;

use super::ending::{self, Ended};
use super::watch::Watch;
use super::{AgentReport, answer, of_outcome};
use crate::execute::outcome::Outcome;
use crate::execute::recorder::Recorder;
use crate::execute::tail::Tail;

impl Watch<'_> {
    /// Ends the recording and reports.
    pub(super) fn report(mut self, recorder: &mut Recorder) -> AgentReport {
        let on_their_way = self.stream.dialogue().map(|dialogue| dialogue.on_their_way().to_vec());
        let mut unheard = on_their_way.unwrap_or_default();
        unheard.append(&mut self.unheard);
        let (assembler, signs) = self.stream.into_parts();
        let answer = assembler.answer().map(|answer| recorder.clean(answer));
        let duration = recorder.elapsed();
        let structured = self.job.schema.as_ref().and_then(|_| answer::structured(&assembler));
        let (_, stderr) = recorder.take_tails();
        let (exit_code, signal) = ending::exit(self.leader);
        let ended = Ended {
            kind: self.job.kind,
            cause: self.cause.as_ref(),
            exit_code,
            signal,
            finish: assembler.finish_said(),
            answer: answer.as_deref(),
            signs: &signs,
            stderr: stderr.last(usize::MAX),
            now: Timestamp::now(),
        };
        let (ending, reason) = ended.name();
        let outcome = Outcome {
            ending: of_outcome(&ending),
            exit_code,
            signal,
            stdout: answer.as_deref().map(Tail::from).unwrap_or_default(),
            stderr,
            duration,
            ..Outcome::not_started(reason.clone().unwrap_or_default())
        };
        let outcome = Outcome { reason, ..outcome };
        let mut tally = assembler.tally().clone();
        tally.conversation = tally.conversation.or(self.conversation);
        AgentReport { ending, outcome, tally, answer, structured, unheard }
    }
}
