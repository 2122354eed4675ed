//! Names of exports as bytes: compared and taken apart a machine word at a time.
//!
//! A name that is looked for is compared with a handful of names of a table. It is read once, into words whose order as
//! numbers is the order of the bytes; each comparison then loads words from the table and compares numbers, without
//! looking for ends: the word with the name's NUL is compared up to it.

use core::cmp::Ordering;

use c_interface::Ptr;
use nt_abi::NtResult;

use crate::number::index;
use crate::view::{BAD, View};

/// What is compared at once.
type Word = usize;

/// Bytes of a word.
const WORD: usize = size_of::<Word>();
/// Names of up to this many bytes are compared by words, and longer ones byte by byte.
const LONGEST: usize = 64;
/// Words of a key; a power of two.
const WORDS: usize = LONGEST / WORD;
/// 1 in each byte.
const ONES: Word = Word::MAX / 0xFF;
/// The top bit of each byte.
const TOPS: Word = ONES << 7;

/// A name to look for in an image.
pub(crate) struct Key<'a> {
    /// The name; it ends at its NUL, or with the bytes.
    name: &'a [u8],
    view: &'a View,
    /// Up to where words of the image may be compared; 0 if they may not.
    limit: u32,
    /// Which word is the last.
    end: usize,
    /// The bytes of the last word up to the NUL.
    last: Word,
    /// The name's bytes, the first one on top, with zeros behind its end.
    words: [Word; WORDS],
}

/// Marks the zero bytes of a word, of which the lowest mark is right.
const fn zeros(word: Word) -> Word {
    word.wrapping_sub(ONES) & !word & TOPS
}

/// The first bytes of a word whose first byte is on top; `count` is at most a word's.
const fn first_bytes(count: u32) -> Word {
    if count == 0 {
        0
    } else {
        Word::MAX << (Word::BITS - 8 * count)
    }
}

impl<'a> Key<'a> {
    /// A key that has no words yet, so everything is compared byte by byte.
    #[inline]
    pub(crate) const fn new(name: &'a [u8], view: &'a View) -> Self {
        Self {
            name,
            view,
            limit: 0,
            end: 0,
            last: 0,
            words: [0; WORDS],
        }
    }

    /// Reads the name, if it is not too long.
    #[inline]
    pub(crate) fn read(&mut self) {
        let mut rest = self.name;
        for (number, place) in self.words.iter_mut().enumerate() {
            let bytes = match rest.split_first_chunk::<WORD>() {
                Some((bytes, behind)) => {
                    rest = behind;
                    *bytes
                }
                None => last_bytes(&mut rest),
            };
            let word = Word::from_be_bytes(bytes);
            let ends = zeros(Word::from_le_bytes(bytes));
            if ends == 0 {
                *place = word;
                continue;
            }
            let length = ends.trailing_zeros() / 8;
            *place = word & first_bytes(length);
            self.last = first_bytes(length + 1);
            self.end = number;
            // As many bytes as the words have must be there.
            let bytes = crate::number::saturating((number + 1) * WORD);
            self.limit = self.view.readable.saturating_sub(bytes);
            break;
        }
    }

    /// How the name at an offset of the image compares with this one. What is not in the image is behind all names.
    #[inline]
    pub(crate) fn compare_at(&self, rva: u32) -> Ordering {
        if rva >= self.limit {
            return self.compare_slowly(rva);
        }
        let mut at = self.view.base.byte_add(index(rva)).cast::<Word>();
        let mut number = 0;
        loop {
            let found = Word::from_be(at.read());
            // The mask keeps what is below the count anyway.
            let word = self.words[number & (WORDS - 1)];
            if number == self.end {
                return (found & self.last).cmp(&word);
            }
            if found != word {
                return found.cmp(&word);
            }
            number += 1;
            at = at.add(1);
        }
    }

    /// The same byte by byte: for long names, and at the end of an image.
    #[cold]
    #[inline(never)]
    fn compare_slowly(&self, rva: u32) -> Ordering {
        let Some(found) = self.view.from(rva) else {
            return Ordering::Greater;
        };
        let ended = |bytes: &'_ [u8], at: usize| bytes.get(at).copied().unwrap_or_default();
        for at in 0..pe::MAX_NAME {
            let (a, b) = (ended(found, at), ended(self.name, at));
            if a != b || a == 0 {
                return a.cmp(&b);
            }
        }
        Ordering::Equal
    }
}

/// The bytes of a name's end, with zeros behind it.
fn last_bytes(rest: &mut &[u8]) -> [u8; WORD] {
    let mut bytes = [0; WORD];
    for (to, from) in bytes.iter_mut().zip(core::mem::take(rest)) {
        *to = *from;
    }
    bytes
}

/// The bytes of a word that are zero, each as its top bit.
const fn all_zeros(word: Word) -> Word {
    const REST: Word = !TOPS;
    !(((word & REST) + REST) | word | REST)
}

/// Finds the end of the string at an offset, and its last dot: the lengths of what is before each.
///
/// # Errors
/// `INVALID_IMAGE_FORMAT`: it has no end in the image, or no dot.
#[inline]
pub(crate) fn end_and_dot(view: &View, rva: u32) -> NtResult<(usize, usize)> {
    const DOTS: Word = ONES * b'.' as Word;
    let start: Ptr<u8> = view.base.byte_add(index(rva));
    let room = index(view.readable.checked_sub(rva).ok_or(BAD)?).min(pe::MAX_NAME);
    let (mut at, mut dot) = (0, None);
    let place = |bit: u32| index(bit / 8);
    while at + WORD <= room {
        let word = Word::from_le(start.byte_add(at).cast::<Word>().read());
        // The lowest mark is right, so no mark at all is right too.
        if zeros(word) | zeros(word ^ DOTS) != 0 {
            let ends = all_zeros(word);
            let before = if ends == 0 {
                Word::MAX
            } else {
                (ends & ends.wrapping_neg()) - 1
            };
            let dots = all_zeros(word ^ DOTS) & before;
            if dots != 0 {
                dot = Some(at + place(Word::BITS - 1 - dots.leading_zeros()));
            }
            if ends != 0 {
                let end = at + place(ends.trailing_zeros());
                return dot.map(|dot| (end, dot)).ok_or(BAD);
            }
        }
        at += WORD;
    }
    for at in at..room {
        match start.byte_add(at).read() {
            0 => return dot.map(|dot| (at, dot)).ok_or(BAD),
            b'.' => dot = Some(at),
            _ => {}
        }
    }
    Err(BAD)
}

/// Whether two strings are the same, of which each ends at its NUL or with its bytes.
#[inline]
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    let (a_words, _) = left.as_chunks::<WORD>();
    let (b_words, _) = right.as_chunks::<WORD>();
    for (a, b) in a_words.iter().zip(b_words) {
        let (a, b) = (Word::from_le_bytes(*a), Word::from_le_bytes(*b));
        let ends = zeros(a);
        if ends != 0 {
            // All up to the end, with it.
            let behind = Word::BITS - 8 - (ends.trailing_zeros() & !7);
            return (a ^ b) << behind == 0;
        }
        if a != b {
            return false;
        }
    }
    let seen = a_words.len().min(b_words.len()) * WORD;
    let rest = |bytes: &'_ [u8]| -> [u8; WORD] {
        let mut rest = bytes.get(seen..).unwrap_or_default();
        last_bytes(&mut rest)
    };
    cut(&rest(left)) == cut(&rest(right))
}

/// The bytes before the NUL.
fn cut(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| *byte == 0);
    bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec::Vec;

    use rtl::Random;

    use super::*;

    fn view(bytes: &[u8]) -> View {
        View {
            base: crate::view::start_of(bytes),
            readable: crate::number::saturating(bytes.len()),
        }
    }

    fn string(random: &mut Random) -> Vec<u8> {
        let longest = [20, 90][random.index(2)];
        let length = random.index(longest);
        let mut bytes: Vec<u8> = (0..length)
            .map(|_| [b'a', b'b', 0x01, 0x80, 0xFF, b'.'][random.index(6)])
            .collect();
        if random.index(2) == 0 {
            bytes.fill(b'a');
        }
        if random.index(8) != 0 {
            let at = random.index(bytes.len() + 1);
            bytes.insert(at, 0);
        }
        bytes
    }

    #[test]
    fn names_compare_as_in_c() {
        let mut random = Random::new(7);
        for _ in 0..200_000 {
            let (left, right) = (string(&mut random), string(&mut random));
            let start = random.index(left.len() + 1);
            let image = view(&left);
            let start_rva = crate::number::saturating(start);
            let expected = cut(&left[start..]).cmp(cut(&right));
            let mut key = Key::new(&right, &image);
            assert_eq!(
                key.compare_at(start_rva),
                expected,
                "{left:?} {start} {right:?}"
            );
            key.read();
            assert_eq!(
                key.compare_at(start_rva),
                expected,
                "{left:?} {start} {right:?}"
            );
            let equal = same(&left[start..], &right);
            assert_eq!(equal, expected.is_eq(), "{left:?} {start} {right:?}");
        }
    }

    #[test]
    fn dots_and_ends_are_found() {
        let mut random = Random::new(8);
        for _ in 0..200_000 {
            let bytes = string(&mut random);
            let start = random.index(bytes.len() + 1);
            let found = end_and_dot(&view(&bytes), crate::number::saturating(start));
            let text = cut(&bytes[start..]);
            let dot = text.iter().rposition(|byte| *byte == b'.');
            let ended = text.len() < bytes.len() - start;
            let expected = dot.filter(|_| ended).map(|dot| (text.len(), dot));
            assert_eq!(found.ok(), expected, "{bytes:?} {start}");
        }
    }
}
