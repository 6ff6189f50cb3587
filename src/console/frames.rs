//! How often may be drawn: a pure helper that clamps to 60 frames a second.
//!
//! Owns the time of the last frame. The loop asks before drawing; nothing here waits or draws.

use std::time::{Duration, Instant};

/// Shortest time between two frames.
pub(crate) const FRAME: Duration = Duration::from_micros(16_667);

/// Remembers the last frame.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct FrameLimiter {
    last: Option<Instant>,
    #[cfg(test)]
    frames: u64,
}

impl FrameLimiter {
    /// How long to wait before the next frame may be drawn; zero when it may be drawn now.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.last.map_or(Duration::ZERO, |last| (last + FRAME).saturating_duration_since(now))
    }

    /// A frame was drawn.
    pub(crate) fn drawn(&mut self, now: Instant) {
        self.last = Some(now);
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
    fn the_first_frame_is_free_and_the_next_waits_its_turn() {
        let start = Instant::now();
        let mut limiter = FrameLimiter::default();
        assert_eq!(limiter.wait(start), Duration::ZERO);
        limiter.drawn(start);
        assert_eq!(limiter.wait(start), FRAME);
        assert_eq!(limiter.wait(start + FRAME / 2), FRAME - FRAME / 2);
        assert_eq!(limiter.wait(start + FRAME * 3), Duration::ZERO);
    }

    #[test]
    fn a_storm_of_a_second_draws_sixty_frames() {
        let start = Instant::now();
        let mut limiter = FrameLimiter::default();
        for microseconds in (0..1_000_000).step_by(100) {
            let now = start + Duration::from_micros(microseconds);
            if limiter.wait(now).is_zero() {
                limiter.drawn(now);
            }
        }
        assert_eq!(limiter.frames(), 60);
    }
}
