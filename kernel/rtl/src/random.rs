//! Numbers that look random and are the same every time: for tests, self-checks and fuzzers.
//!
//! Steele, Lea and Flood's SplitMix64: a counter with a large odd step, and a mixer that makes each count look
//! unrelated to its neighbours. One word of state, no bad seeds, every number once in 2^64. Whoever saw a few
//! numbers knows all of them: nothing that has to be secret may come from here.

/// A generator; a copy of it goes on with the same numbers.
#[derive(Clone, Debug)]
pub struct Random {
    count: u64,
}

impl Random {
    /// A generator whose numbers depend on the seed alone; every seed is good.
    pub const fn new(seed: u64) -> Self {
        Self { count: seed }
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.count = self.count.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.count;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `end`; 0 if `end` is 0.
    ///
    /// The number's place in 0..2^64 is scaled to 0..end; some results are more likely than others by `end` in 2^64.
    pub fn below(&mut self, end: u64) -> u64 {
        let (_, scaled) = self.next_u64().carrying_mul(end, 0);
        scaled
    }

    /// An index into something of this length; 0 if there is none.
    pub fn index(&mut self, length: usize) -> usize {
        // What is below a usize is one.
        usize::try_from(self.below(length as u64)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_the_numbers_of_the_published_algorithm() {
        let mut random = Random::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!(expected.map(|_| random.next_u64()), expected);
    }

    #[test]
    fn below_stays_below_and_meets_everything() {
        let mut random = Random::new(1);
        let mut met = [0u32; 10];
        for _ in 0..10_000 {
            met[random.index(10)] += 1;
            assert!(random.below(3) < 3);
        }
        assert!(met.iter().all(|times| (850..1150).contains(times)));
        assert_eq!(random.below(0), 0);
        assert_eq!(random.below(1), 0);
        assert_eq!((random.index(0), random.index(1)), (0, 0));
    }
}
