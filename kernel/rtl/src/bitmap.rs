//! A bitmap over words that somebody else owns.
//!
//! # NT
//! `RTL_BITMAP` and its routines.

/// Bits per word.
const WORD: usize = u64::BITS as usize;

/// Bits, all clear or set one by one, in borrowed words.
pub struct Bitmap<'a> {
    words: &'a mut [u64],
    length: usize,
    /// No clear bit is in a word before this one.
    first_clear: usize,
}

impl<'a> Bitmap<'a> {
    /// How many words `length` bits need.
    pub const fn words_for(length: usize) -> usize {
        length.div_ceil(WORD)
    }

    /// Makes a bitmap of `length` bits, all clear.
    ///
    /// # Panics
    /// If `words` is shorter than [`words_for`](Self::words_for) says: a mistake of the caller's.
    pub fn new(words: &'a mut [u64], length: usize) -> Self {
        assert!(
            words.len() >= Self::words_for(length),
            "{} words cannot hold {length} bits",
            words.len()
        );
        words.fill(0);
        Self {
            words,
            length,
            first_clear: 0,
        }
    }

    /// The number of bits.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Whether the bit is set; bits beyond the end count as set.
    pub fn is_set(&self, bit: usize) -> bool {
        bit >= self.length || self.words[bit / WORD] & (1 << (bit % WORD)) != 0
    }

    /// Sets a bit; beyond the end it does nothing.
    pub fn set(&mut self, bit: usize) {
        if bit < self.length {
            self.words[bit / WORD] |= 1 << (bit % WORD);
        }
    }

    /// Clears a bit; beyond the end it does nothing.
    pub fn clear(&mut self, bit: usize) {
        if bit < self.length {
            self.words[bit / WORD] &= !(1 << (bit % WORD));
            self.first_clear = self.first_clear.min(bit / WORD);
        }
    }

    /// Finds the lowest clear bit and sets it.
    ///
    /// # NT
    /// `RtlFindClearBitsAndSet` with a length of 1. Amortised constant time: a word that is full is not looked at again
    /// until one of its bits is cleared.
    pub fn take_first_clear(&mut self) -> Option<usize> {
        while self.first_clear < Self::words_for(self.length) {
            let word = self.words[self.first_clear];
            if word != u64::MAX {
                let bit = self.first_clear * WORD + word.trailing_ones() as usize;
                if bit >= self.length {
                    return None;
                }
                self.set(bit);
                return Some(bit);
            }
            self.first_clear += 1;
        }
        None
    }

    /// Finds the lowest run of `count` clear bits and sets them; gives the first. `None` also for a count of 0.
    pub fn take_clear_run(&mut self, count: usize) -> Option<usize> {
        let mut start = self.first_clear * WORD;
        let mut bit = start;
        while count > 0 && bit < self.length {
            if self.is_set(bit) {
                start = bit + 1;
            } else if bit + 1 - start == count {
                (start..=bit).for_each(|taken| self.set(taken));
                return Some(start);
            }
            bit += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn takes_every_bit_once_in_order() {
        let mut words = vec![u64::MAX; 3];
        let mut bitmap = Bitmap::new(&mut words, 130);
        let taken: Vec<_> = core::iter::from_fn(|| bitmap.take_first_clear()).collect();
        assert_eq!(taken, (0..130).collect::<Vec<_>>());
        assert_eq!(bitmap.take_first_clear(), None);
    }

    #[test]
    fn a_cleared_bit_is_found_again() {
        let mut words = vec![0; 4];
        let mut bitmap = Bitmap::new(&mut words, 256);
        while bitmap.take_first_clear().is_some() {}
        bitmap.clear(200);
        bitmap.clear(3);
        assert_eq!(bitmap.take_first_clear(), Some(3));
        assert_eq!(bitmap.take_first_clear(), Some(200));
        assert_eq!(bitmap.take_first_clear(), None);
    }

    #[test]
    fn a_run_skips_gaps_that_are_too_short() {
        let mut words = vec![0; 2];
        let mut bitmap = Bitmap::new(&mut words, 100);
        for bit in [2, 5, 66] {
            bitmap.set(bit);
        }
        assert_eq!(bitmap.take_clear_run(3), Some(6));
        assert_eq!(
            bitmap.take_clear_run(60),
            None,
            "9..66 has 57 bits, 67..100 has 33"
        );
        assert_eq!(bitmap.take_clear_run(57), Some(9));
        assert_eq!(bitmap.take_clear_run(33), Some(67));
        assert_eq!(bitmap.take_clear_run(2), Some(0));
        assert_eq!(bitmap.take_clear_run(0), None);
    }

    #[test]
    fn bits_beyond_the_end_are_set_and_stay() {
        let mut words = vec![0; 1];
        let mut bitmap = Bitmap::new(&mut words, 10);
        bitmap.clear(10);
        assert!(bitmap.is_set(10));
        assert_eq!(bitmap.take_clear_run(11), None);
    }
}
