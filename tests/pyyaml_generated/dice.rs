//! Dice that fall the same way for the same seed.

/// A small deterministic generator (xorshift): the suite must fail the same way twice.
pub(crate) struct Dice(u64);

impl Dice {
    /// Dice that fall alike for the same seed.
    pub(crate) fn new(seed: u64) -> Dice {
        // Zero is the one state that xorshift never leaves.
        Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).max(1))
    }

    /// A number below `sides`.
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    /// True once in `times`.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.roll(times) == 0
    }

    /// One of several.
    pub(crate) fn pick<'p>(&mut self, from: &[&'p str]) -> &'p str {
        from[self.roll(from.len())]
    }

    /// Up to `most` of several, one after the other.
    pub(crate) fn string(&mut self, from: &[&str], most: usize) -> String {
        (0..self.roll(most + 1)).map(|_| self.pick(from)).collect()
    }
}
