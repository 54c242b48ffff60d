//! Repeatable random numbers: a seed on the command line brings back the same campaign.

/// xorshift64*: small, fast, and good enough to draw test cases.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A generator for this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// A number below `n`, which must not be 0.
    pub fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.bits() >> 33).unwrap_or(0) % n
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the elements.
    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    /// A number from `lo` to `hi`.
    pub fn between(&mut self, lo: u128, hi: u128) -> u128 {
        let span = hi - lo;
        let wide = u128::from(self.bits()) << 64 | u128::from(self.bits());
        if span == u128::MAX { wide } else { lo + wide % (span + 1) }
    }
}
