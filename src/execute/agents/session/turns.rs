//! What the operator says to an agent while it works, and what the ends of its turns ask for.
//!
//! A message goes to an agent that hears it; otherwise it is kept for the next round, and the transcript says so. A
//! pause takes effect between two replies, when no tool runs: an agent that hears is interrupted there, another is
//! ended, since its conversation is on disk by then and can be resumed. Input is closed when an agent says that it is
//! finished and no message is on its way to it.

use super::Steer;
use super::ending::Cause;
use super::watch::{LINGER, Ladder, Pause, TURN_WAIT, Watch};
use crate::execute::fence::{Breach, Refusal, Sighting};
use crate::execute::output::{Channel, OutputLine};
use crate::execute::recorder::Recorder;

impl Watch<'_> {
    /// Does what the end of a reply, or of the whole work, asks for.
    pub(super) fn follow_turn(&mut self, recorder: &mut Recorder) {
        if self.stream.turn().is_finished() {
            let waits = self.stream.dialogue().is_some_and(|dialogue| !dialogue.on_their_way().is_empty());
            if waits {
                // It will begin another turn with it.
                self.give_time(TURN_WAIT);
            } else {
                self.input.close();
                self.give_time(LINGER);
            }
            return;
        }
        if self.pause != Pause::Asked && self.open[0] {
            self.patience = None;
        }
        if self.pause == Pause::Wanted && self.stream.turn().is_between() && self.ladder == Ladder::Idle {
            recorder.note("[pausing: the turn is over]");
            self.cause.get_or_insert(Cause::Paused);
            self.pause = Pause::Asked;
            let interrupt = self.stream.dialogue().map(|dialogue| dialogue.interrupt());
            match interrupt.is_some_and(|interrupt| self.input.write(interrupt)) {
                true => self.give_time(TURN_WAIT),
                false => self.ask(recorder),
            }
        }
    }

    pub(super) fn steered(&mut self, said: Steer, recorder: &mut Recorder) {
        match said {
            Steer::Say(text) => self.say(text, recorder),
            Steer::PauseAfterTurn(true) if self.pause == Pause::No && self.leader.is_none() => {
                self.pause = Pause::Wanted;
                recorder.note("[pausing after this turn]");
                self.follow_turn(recorder);
            }
            Steer::PauseAfterTurn(false) if self.pause == Pause::Wanted => {
                self.pause = Pause::No;
                recorder.note("[not pausing after this turn]");
            }
            Steer::PauseAfterTurn(_) => {}
            Steer::Seen(sighting) => match *sighting {
                Sighting::Breach(breach) => self.broke(&breach, recorder),
                Sighting::Denied(refusal) => self.denied(&refusal, recorder),
            },
        }
    }

    /// The kernel refused something, which the agent took for a fault. It is told while its turn lasts, once a gate: a
    /// word too late would begin another turn, and one more answer where a certain one is asked for.
    fn denied(&mut self, refusal: &Refusal, recorder: &mut Recorder) {
        recorder.note(&format!("[{}]", refusal.sentence()));
        let hint = refusal.hint();
        let knows = self.hints.iter().any(|(gate, _)| *gate == refusal.gate);
        let works = self.ladder == Ladder::Idle && self.pause != Pause::Asked && self.input.is_open();
        if knows || !works || self.job.schema.is_some() || self.stream.turn().is_finished() {
            return;
        }
        if let Some(dialogue) = self.stream.dialogue() {
            let bytes = dialogue.say(&hint);
            self.input.write(bytes);
            self.hints.push((refusal.gate.clone(), hint));
        }
    }

    /// It did what the policy forbids: whatever it says from now on, that is how it ended.
    fn broke(&mut self, breach: &Breach, recorder: &mut Recorder) {
        let at_ms = recorder.now_ms();
        let text = format!("policy broken: {} ({}); stopping", breach.what, breach.rule);
        let evidence = format!("  evidence: {}", breach.evidence);
        recorder.lines(vec![
            OutputLine::new(at_ms, Channel::Error, text),
            OutputLine::new(at_ms, Channel::Note, evidence),
        ]);
        if self.leader.is_none() && !matches!(self.cause, Some(Cause::Broke(_))) {
            self.cause =
                Some(Cause::Broke(format!("stopped in its work: {} ({})", breach.what, breach.rule)));
        }
        if self.ladder == Ladder::Idle {
            self.ask(recorder);
        }
    }

    fn say(&mut self, text: String, recorder: &mut Recorder) {
        let at_ms = recorder.now_ms();
        let line = |line: &str| OutputLine::new(at_ms, Channel::Operator, line);
        recorder.lines(text.lines().map(line).collect());
        let hears = self.ladder == Ladder::Idle && self.pause != Pause::Asked && self.input.is_open();
        match self.stream.dialogue().filter(|_| hears) {
            Some(dialogue) => {
                let bytes = dialogue.say(&text);
                self.input.write(bytes);
            }
            None => {
                recorder.note("[it does not hear this now; it is told in its next round]");
                self.unheard.push(text);
            }
        }
    }
}
