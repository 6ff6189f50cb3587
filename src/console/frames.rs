//! How often may be drawn: a pure helper that clamps to 60 frames a second over time, and answers keys at once.
//!
//! Owns the time at which the next frame is due. The loop asks before drawing; nothing here waits or draws. A plain
//! shortest distance between two frames would make a key wait for a whole frame whenever output streams, and would hold
//! back the first data after the first frame; so a short burst may run ahead of the rate, and only keys may use all of
//! it. Whoever runs ahead makes the frames after it later: the rate holds over any second, give or take the burst.

use std::time::{Duration, Instant};

/// Time between two frames at the full rate.
pub(crate) const FRAME: Duration = Duration::from_micros(16_667);
/// How far what happens by itself may run ahead of the rate.
const AHEAD: Duration = FRAME;
/// How far an answer to a key may run ahead of the rate.
const KEY_AHEAD: Duration = FRAME.saturating_mul(3);

/// What a frame is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// Something happened by itself: output, a file, a timer.
    Event,
    /// The operator pressed a key and looks for the answer.
    Key,
}

/// Remembers when the next frame is due.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FrameLimiter {
    due: Option<Instant>,
    #[cfg(test)]
    frames: u64,
}

impl FrameLimiter {
    /// How long to wait before the next frame may be drawn; zero when it may be drawn now.
    pub(crate) fn wait(&self, now: Instant, cause: Cause) -> Duration {
        let ahead = match cause {
            Cause::Event => AHEAD,
            Cause::Key => KEY_AHEAD,
        };
        self.due.map_or(Duration::ZERO, |due| due.saturating_duration_since(now + ahead))
    }

    /// A frame was drawn.
    pub(crate) fn drawn(&mut self, now: Instant) {
        self.due = Some(self.due.map_or(now, |due| due.max(now)) + FRAME);
        #[cfg(test)]
        {
            self.frames += 1;
        }
    }

    /// Frames drawn so far.
    #[cfg(test)]
    pub(crate) fn frames(&self) -> u64 {
        self.frames
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_frames_are_free_and_the_third_waits_its_turn() {
        let start = Instant::now();
        let mut limiter = FrameLimiter::default();
        for _ in 0..2 {
            assert_eq!(limiter.wait(start, Cause::Event), Duration::ZERO);
            limiter.drawn(start);
        }
        assert_eq!(limiter.wait(start, Cause::Event), FRAME);
        assert_eq!(limiter.wait(start + FRAME / 2, Cause::Event), FRAME - FRAME / 2);
        assert_eq!(limiter.wait(start + FRAME, Cause::Event), Duration::ZERO);
    }

    #[test]
    fn a_key_is_answered_at_once_while_output_uses_the_whole_rate() {
        let start = Instant::now();
        let mut limiter = FrameLimiter::default();
        let mut now = start;
        for _ in 0..600 {
            now += limiter.wait(now, Cause::Event);
            limiter.drawn(now);
        }
        assert_eq!(limiter.wait(now, Cause::Event), FRAME);
        assert_eq!(limiter.wait(now, Cause::Key), Duration::ZERO);
        limiter.drawn(now);
        assert_eq!(limiter.wait(now, Cause::Event), FRAME * 2, "what ran ahead is made up for");
    }

    #[test]
    fn a_storm_of_a_second_draws_sixty_frames_and_the_burst() {
        for (cause, most) in [(Cause::Event, 61), (Cause::Key, 63)] {
            let start = Instant::now();
            let mut limiter = FrameLimiter::default();
            for microseconds in (0..1_000_000).step_by(100) {
                let now = start + Duration::from_micros(microseconds);
                if limiter.wait(now, cause).is_zero() {
                    limiter.drawn(now);
                }
            }
            assert_eq!(limiter.frames(), most);
        }
    }
}
