//! Bits in words that somebody else owns, and runs of them.
//!
//! The words are those of `RTL_BITMAP`, 32 bits each, the lowest bit first; `RTL_BITMAP_EX` with its 64-bit words is the same
//! sequence of bits on machines that store the low byte first, as all of NT's do. Runs are followed a word at a time.
//!
//! # NT
//! `RTL_BITMAP` and its routines. [`Bitmap`](crate::Bitmap) is what the kernel itself uses where it takes one bit after
//! another.

/// Bits in a word.
pub const WORD: usize = u32::BITS as usize;

/// How many words hold so many bits.
pub const fn words_for(length: usize) -> usize {
    length.div_ceil(WORD)
}

/// A run of equal bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Run {
    /// The first bit.
    pub start: usize,
    /// How many there are.
    pub length: usize,
}

/// Bits to look at.
#[derive(Clone, Copy)]
pub struct Bits<'a> {
    words: &'a [u32],
    length: usize,
}

impl<'a> Bits<'a> {
    /// The first `length` bits of the words, or as many as there are.
    pub fn new(words: &'a [u32], length: usize) -> Self {
        let length = length.min(words.len().saturating_mul(WORD));
        Self { words, length }
    }

    /// How many bits there are.
    pub fn length(&self) -> usize {
        self.length
    }

    /// A word with its set bits where the wanted ones are.
    fn wanted(&self, index: usize, value: bool) -> u32 {
        let word = self.words[index];
        if value { word } else { !word }
    }

    /// The first bit from `from` on that has this value; the length if none has.
    fn next(&self, from: usize, value: bool) -> usize {
        if from >= self.length {
            return self.length;
        }
        let mut index = from / WORD;
        let mut word = self.wanted(index, value) & (u32::MAX << (from % WORD));
        while word == 0 {
            index += 1;
            if index >= words_for(self.length) {
                return self.length;
            }
            word = self.wanted(index, value);
        }
        (index * WORD + word.trailing_zeros() as usize).min(self.length)
    }

    /// The last bit up to `from` that has this value.
    fn previous(&self, from: usize, value: bool) -> Option<usize> {
        let from = from.min(self.length.checked_sub(1)?);
        let mut index = from / WORD;
        let mut word = self.wanted(index, value) & (u32::MAX >> (WORD - 1 - from % WORD));
        while word == 0 {
            index = index.checked_sub(1)?;
            word = self.wanted(index, value);
        }
        Some(index * WORD + word.ilog2() as usize)
    }

    /// The runs of bits of this value, from `from` on.
    pub fn runs(self, from: usize, value: bool) -> impl Iterator<Item = Run> + 'a {
        let mut at = from;
        core::iter::from_fn(move || {
            let start = self.next(at, value);
            at = self.next(start, !value);
            (start < at).then(|| Run {
                start,
                length: at - start,
            })
        })
    }

    /// The last run of bits of this value that begins at or before `from`, cut off behind it.
    pub fn last_run(self, from: usize, value: bool) -> Option<Run> {
        let last = self.previous(from, value)?;
        let start = self.previous(last, !value).map_or(0, |before| before + 1);
        Some(Run {
            start,
            length: last + 1 - start,
        })
    }

    /// The longest run of bits of this value, the first of several.
    pub fn longest_run(self, value: bool) -> Option<Run> {
        let longer = |longest: Run, run: Run| {
            if run.length > longest.length {
                run
            } else {
                longest
            }
        };
        self.runs(0, value).reduce(longer)
    }

    /// Where so many bits of this value begin, at or after `hint`, or else anywhere; `None` also for a count of 0.
    pub fn find(self, count: usize, hint: usize, value: bool) -> Option<usize> {
        if count == 0 || count > self.length {
            return None;
        }
        let hint = if hint < self.length { hint } else { 0 };
        let fits = |run: &Run| run.length >= count;
        let from_hint = self.runs(hint, value).find(fits);
        let run =
            from_hint.or_else(|| (hint > 0).then(|| self.runs(0, value).find(fits)).flatten());
        run.map(|run| run.start)
    }

    /// Whether all of a run of bits have this value; false if there are none, or some are beyond the end.
    pub fn all(self, run: Run, value: bool) -> bool {
        let Some(end) = run.start.checked_add(run.length) else {
            return false;
        };
        run.length > 0 && end <= self.length && self.next(run.start, !value) >= end
    }

    /// How many bits are set in a run, which is cut off at the end.
    pub fn count_set(self, run: Run) -> usize {
        pieces(run, self.length)
            .map(|(index, mask)| (self.words[index] & mask).count_ones() as usize)
            .sum()
    }

    /// Whether a bit is set; those beyond the end are clear.
    pub fn is_set(self, bit: usize) -> bool {
        bit < self.length && self.words[bit / WORD] >> (bit % WORD) & 1 != 0
    }
}

/// The words of a run, each with the bits of it that belong to the run, which is cut off at `length`.
pub fn pieces(run: Run, length: usize) -> impl Iterator<Item = (usize, u32)> {
    let end = run.start.saturating_add(run.length).min(length);
    let mut at = run.start;
    core::iter::from_fn(move || {
        if at >= end {
            return None;
        }
        let first = at % WORD;
        let count = (WORD - first).min(end - at);
        let mask = (u32::MAX >> (WORD - count)) << first;
        let index = at / WORD;
        at += count;
        Some((index, mask))
    })
}

/// Sets or clears a run of the first `length` bits.
pub fn fill(words: &mut [u32], length: usize, run: Run, value: bool) {
    let length = length.min(words.len().saturating_mul(WORD));
    for (index, mask) in pieces(run, length) {
        if value {
            words[index] |= mask;
        } else {
            words[index] &= !mask;
        }
    }
}

/// Copies bits: `count` from bit `from` of one place to bit `to` of another, as many as both have.
pub fn copy(source: Bits<'_>, from: usize, target: (&mut [u32], usize), to: usize, count: usize) {
    let (words, length) = target;
    let count = count
        .min(source.length.saturating_sub(from))
        .min(length.saturating_sub(to));
    for index in 0..count {
        let run = Run {
            start: to + index,
            length: 1,
        };
        fill(words, length, run, source.is_set(from + index));
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use super::*;
    use crate::Random;

    /// The same questions, answered bit by bit.
    struct Model(Vec<bool>);

    impl Model {
        fn runs(&self, from: usize, value: bool) -> Vec<Run> {
            let mut runs = Vec::<Run>::new();
            for bit in from..self.0.len() {
                match runs.last_mut() {
                    Some(run) if self.0[bit] == value && run.start + run.length == bit => {
                        run.length += 1;
                    }
                    _ if self.0[bit] == value => runs.push(Run {
                        start: bit,
                        length: 1,
                    }),
                    _ => {}
                }
            }
            runs
        }

        fn find(&self, count: usize, hint: usize, value: bool) -> Option<usize> {
            let fits = |start: &usize| {
                let run = self.0.get(*start..start + count);
                run.is_some_and(|run| run.iter().all(|bit| *bit == value))
            };
            let hint = if hint < self.0.len() { hint } else { 0 };
            let mut places = (hint..self.0.len()).chain(0..hint);
            (count > 0).then(|| places.find(fits)).flatten()
        }
    }

    fn random_bits(random: &mut Random) -> (Vec<u32>, Model) {
        let length = random.index(150);
        let mut words: Vec<u32> = (0..words_for(length)).map(|_| 0).collect();
        let mut value = false;
        let mut at = 0;
        while at < length {
            let shift = random.index(7);
            let count = 1 + random.index(1 << shift);
            for bit in at..(at + count).min(length) {
                words[bit / WORD] |= u32::from(value) << (bit % WORD);
            }
            at += count;
            value = !value;
        }
        let model = (0..length).map(|bit| words[bit / WORD] >> (bit % WORD) & 1 != 0);
        let model = Model(model.collect());
        // What is behind the end must not matter.
        if !length.is_multiple_of(WORD) && random.index(2) == 0 {
            *words.last_mut().expect("one") |= u32::MAX << (length % WORD);
        }
        (words, model)
    }

    #[test]
    fn questions_are_answered_as_bit_by_bit() {
        let mut random = Random::new(11);
        for _ in 0..4000 {
            let (words, model) = random_bits(&mut random);
            let bits = Bits::new(&words, model.0.len());
            let (from, count) = (random.index(160), random.index(40));
            let value = random.index(2) == 0;
            assert_eq!(
                bits.runs(from, value).collect::<Vec<_>>(),
                model.runs(from, value)
            );
            assert_eq!(
                bits.find(count, from, value),
                model.find(count, from, value)
            );
            let run = Run {
                start: from,
                length: count,
            };
            let part = model.0.get(from..from + count);
            let all = count > 0 && part.is_some_and(|part| part.iter().all(|bit| *bit == value));
            assert_eq!(bits.all(run, value), all);
            let rest = model.0.iter().skip(from).take(count);
            assert_eq!(bits.count_set(run), rest.filter(|bit| **bit).count());
            let before = model
                .runs(0, value)
                .into_iter()
                .rfind(|run| run.start <= from);
            let before = before.map(|run| Run {
                length: run.length.min(from + 1 - run.start),
                ..run
            });
            assert_eq!(bits.last_run(from, value), before);
            let longest = model.runs(0, value).iter().map(|run| run.length).max();
            let found = bits.longest_run(value);
            assert_eq!(found.map(|run| run.length), longest);
            assert_eq!(
                found,
                model
                    .runs(0, value)
                    .into_iter()
                    .find(|run| Some(run.length) == longest)
            );
        }
    }

    #[test]
    fn fills_and_copies_touch_what_they_should() {
        let mut random = Random::new(12);
        for _ in 0..2000 {
            let (mut words, mut model) = random_bits(&mut random);
            let length = model.0.len();
            let run = Run {
                start: random.index(160),
                length: random.index(90),
            };
            let value = random.index(2) == 0;
            let tail = words.last().map(|word| word >> (length % WORD));
            fill(&mut words, length, run, value);
            model
                .0
                .iter_mut()
                .skip(run.start)
                .take(run.length)
                .for_each(|bit| *bit = value);
            let (source, from) = random_bits(&mut random);
            let (at, to) = (random.index(100), random.index(100));
            let count = random.index(100);
            copy(
                Bits::new(&source, from.0.len()),
                at,
                (&mut words, length),
                to,
                count,
            );
            let taken = from.0.iter().skip(at).take(count);
            model
                .0
                .iter_mut()
                .skip(to)
                .zip(taken)
                .for_each(|(bit, new)| *bit = *new);
            let bits = Bits::new(&words, length);
            assert!((0..length).all(|bit| bits.is_set(bit) == model.0[bit]));
            if !length.is_multiple_of(WORD) {
                assert_eq!(words.last().map(|word| word >> (length % WORD)), tail);
            }
        }
    }
}
