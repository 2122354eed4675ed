//! Bitmaps: `RTL_BITMAP`, its form for more than 2^32 bits, and bits of single numbers.
//!
//! The structures only refer to words that the caller owns; the routines are those of [`rtl::bits`]. A routine takes the
//! words for itself while it runs, as NT asks of its callers, but for the two interlocked ones, which change each word
//! atomically.

use core::sync::atomic::Ordering;

use c_interface::{Ptr, exports};
use nt_abi::native::{Only32, Only64, Pointer};
use rtl::bits::{self, Bits, Run};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// `RTL_BITMAP`.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct RtlBitmap {
    /// How many bits there are.
    pub size: u32,
    reserved: Only64<u32>,
    /// The words.
    pub buffer: Pointer,
}

/// `RTL_BITMAP_EX`.
#[derive(Clone, Copy, Default, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct RtlBitmapEx {
    /// How many bits there are.
    pub size: u64,
    /// The words, of 64 bits.
    pub buffer: Pointer,
    reserved: Only32<u32>,
}

/// `RTL_BITMAP_RUN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, FromBytes, IntoBytes, Immutable)]
#[repr(C)]
pub struct RtlBitmapRun {
    /// The first bit.
    pub starting_index: u32,
    /// How many there are.
    pub number_of_bits: u32,
}

const _: () = assert!(size_of::<RtlBitmap>() == 2 * size_of::<usize>());
const _: () = assert!(size_of::<RtlBitmapEx>() == 16);

/// What is answered in place of a bit where there is none.
const NONE: u32 = u32::MAX;
/// The same, of the 64-bit form.
const NONE_EX: u64 = u64::MAX;

/// A number of bits as an index; what memory cannot hold is more than there is.
fn index(bits: u64) -> usize {
    usize::try_from(bits).unwrap_or(usize::MAX)
}

fn index32(bits: u32) -> usize {
    index(u64::from(bits))
}

/// An index as the answer; bitmaps of this form have fewer bits than 2^32.
fn answer(bits: usize) -> u32 {
    u32::try_from(bits).unwrap_or(NONE)
}

fn run(start: u32, length: u32) -> Run {
    Run {
        start: index32(start),
        length: index32(length),
    }
}

fn run_ex(start: u64, length: u64) -> Run {
    Run {
        start: index(start),
        length: index(length),
    }
}

/// Either form: where its words are, and how many bits it has.
trait Map {
    fn place(self) -> (Ptr<u32>, usize);
}

impl Map for Ptr<RtlBitmap> {
    fn place(self) -> (Ptr<u32>, usize) {
        let map = self.read();
        (Ptr::at(map.buffer), index32(map.size))
    }
}

impl Map for Ptr<RtlBitmapEx> {
    fn place(self) -> (Ptr<u32>, usize) {
        let map = self.read();
        (Ptr::at(map.buffer), index(map.size))
    }
}

fn look<'a>(map: impl Map) -> Bits<'a> {
    let (words, length) = map.place();
    Bits::new(words.slice(bits::words_for(length)), length)
}

fn fill(map: impl Map, run: Run, value: bool) {
    let (words, length) = map.place();
    bits::fill(words.slice_mut(bits::words_for(length)), length, run, value);
}

/// Sets all words, which may have more bits than the bitmap.
fn fill_all(map: impl Map, word_bytes: usize, byte: u8) {
    let (words, length) = map.place();
    let bytes = length.div_ceil(word_bytes * 8) * word_bytes;
    words.cast::<u8>().fill(byte, bytes);
}

/// Sets or clears one bit.
fn put(map: impl Map, bit: usize, value: bool) {
    fill(
        map,
        Run {
            start: bit,
            length: 1,
        },
        value,
    );
}

/// Finds bits of one value and gives them the other.
fn take(map: impl Map + Copy, count: usize, hint: usize, value: bool) -> Option<usize> {
    let start = look(map).find(count, hint, value)?;
    let found = Run {
        start,
        length: count,
    };
    fill(map, found, !value);
    Some(start)
}

/// Writes the first runs of clear bits, as many as fit; gives how many.
fn first_runs(map: Ptr<RtlBitmap>, into: Ptr<RtlBitmapRun>, room: usize) -> usize {
    let runs = look(map).runs(0, false).take(room);
    runs.zip(0..)
        .map(|(run, at)| into.add(at).write(as_written(run)))
        .count()
}

/// Writes the longest runs of clear bits, the longest first, as many as fit; gives how many.
fn longest_runs(map: Ptr<RtlBitmap>, into: Ptr<RtlBitmapRun>, room: usize) -> usize {
    let mut count = 0;
    for run in look(map).runs(0, false).map(as_written) {
        if count == room {
            // Full: the shortest makes room, if it is shorter than this one.
            match count.checked_sub(1) {
                Some(last) if into.add(last).read().number_of_bits < run.number_of_bits => {
                    count = last;
                }
                _ => continue,
            }
        }
        let mut at = count;
        while let Some(before) = at.checked_sub(1) {
            let shorter = into.add(before).read();
            if shorter.number_of_bits >= run.number_of_bits {
                break;
            }
            into.add(at).write(shorter);
            at = before;
        }
        into.add(at).write(run);
        count += 1;
    }
    count
}

fn as_written(run: Run) -> RtlBitmapRun {
    RtlBitmapRun {
        starting_index: answer(run.start),
        number_of_bits: answer(run.length),
    }
}

/// Writes where a run begins, or that there is none; gives its length.
fn run_answer(run: Option<Run>, start: Ptr<u32>) -> u32 {
    start.write(run.map_or(NONE, |run| answer(run.start)));
    run.map_or(0, |run| answer(run.length))
}

exports! {
    /// Makes a bitmap of words; they stay as they are.
    fn RtlInitializeBitMap(map: Ptr<RtlBitmap>, words: Ptr<u32>, size: u32) {
        map.write(RtlBitmap { size, buffer: words.raw(), ..RtlBitmap::default() });
    }

    /// Makes a bitmap of words; they stay as they are.
    fn RtlInitializeBitMapEx(map: Ptr<RtlBitmapEx>, words: Ptr<u64>, size: u64) {
        map.write(RtlBitmapEx { size, buffer: words.raw(), ..RtlBitmapEx::default() });
    }

    /// Sets a bit.
    fn RtlSetBit(map: Ptr<RtlBitmap>, bit: u32) {
        put(map, index32(bit), true);
    }

    /// Sets a bit.
    fn RtlSetBitEx(map: Ptr<RtlBitmapEx>, bit: u64) {
        put(map, index(bit), true);
    }

    /// Clears a bit.
    fn RtlClearBit(map: Ptr<RtlBitmap>, bit: u32) {
        put(map, index32(bit), false);
    }

    /// Clears a bit.
    fn RtlClearBitEx(map: Ptr<RtlBitmapEx>, bit: u64) {
        put(map, index(bit), false);
    }

    /// Whether a bit is set (`BOOLEAN`).
    fn RtlTestBit(map: Ptr<RtlBitmap>, bit: u32) -> u8 {
        u8::from(look(map).is_set(index32(bit)))
    }

    /// Whether a bit is set (`BOOLEAN`).
    fn RtlTestBitEx(map: Ptr<RtlBitmapEx>, bit: u64) -> u8 {
        u8::from(look(map).is_set(index(bit)))
    }

    /// Sets a run of bits.
    fn RtlSetBits(map: Ptr<RtlBitmap>, start: u32, count: u32) {
        fill(map, run(start, count), true);
    }

    /// Sets a run of bits.
    fn RtlSetBitsEx(map: Ptr<RtlBitmapEx>, start: u64, count: u64) {
        fill(map, run_ex(start, count), true);
    }

    /// Clears a run of bits.
    fn RtlClearBits(map: Ptr<RtlBitmap>, start: u32, count: u32) {
        fill(map, run(start, count), false);
    }

    /// Clears a run of bits.
    fn RtlClearBitsEx(map: Ptr<RtlBitmapEx>, start: u64, count: u64) {
        fill(map, run_ex(start, count), false);
    }

    /// Sets all bits, and those of the last word that are none of the bitmap's.
    fn RtlSetAllBits(map: Ptr<RtlBitmap>) {
        fill_all(map, 4, 0xFF);
    }

    /// Sets all bits, and those of the last word that are none of the bitmap's.
    fn RtlSetAllBitsEx(map: Ptr<RtlBitmapEx>) {
        fill_all(map, 8, 0xFF);
    }

    /// Clears all bits, and those of the last word that are none of the bitmap's.
    fn RtlClearAllBits(map: Ptr<RtlBitmap>) {
        fill_all(map, 4, 0);
    }

    /// Clears all bits, and those of the last word that are none of the bitmap's.
    fn RtlClearAllBitsEx(map: Ptr<RtlBitmapEx>) {
        fill_all(map, 8, 0);
    }

    /// Whether all bits of a run are set; 0 for one without bits, or beyond the end (`BOOLEAN`).
    fn RtlAreBitsSet(map: Ptr<RtlBitmap>, start: u32, count: u32) -> u8 {
        u8::from(look(map).all(run(start, count), true))
    }

    /// Whether all bits of a run are set; 0 for one without bits, or beyond the end (`BOOLEAN`).
    fn RtlAreBitsSetEx(map: Ptr<RtlBitmapEx>, start: u64, count: u64) -> u8 {
        u8::from(look(map).all(run_ex(start, count), true))
    }

    /// Whether all bits of a run are clear; 0 for one without bits, or beyond the end (`BOOLEAN`).
    fn RtlAreBitsClear(map: Ptr<RtlBitmap>, start: u32, count: u32) -> u8 {
        u8::from(look(map).all(run(start, count), false))
    }

    /// Whether all bits of a run are clear; 0 for one without bits, or beyond the end (`BOOLEAN`).
    fn RtlAreBitsClearEx(map: Ptr<RtlBitmapEx>, start: u64, count: u64) -> u8 {
        u8::from(look(map).all(run_ex(start, count), false))
    }

    /// Where so many clear bits begin, from `hint` on or else anywhere; -1: nowhere.
    fn RtlFindClearBits(map: Ptr<RtlBitmap>, count: u32, hint: u32) -> u32 {
        look(map).find(index32(count), index32(hint), false).map_or(NONE, answer)
    }

    /// Where so many clear bits begin, from `hint` on or else anywhere; -1: nowhere.
    fn RtlFindClearBitsEx(map: Ptr<RtlBitmapEx>, count: u64, hint: u64) -> u64 {
        look(map).find(index(count), index(hint), false).map_or(NONE_EX, |bit| bit as u64)
    }

    /// Where so many set bits begin, from `hint` on or else anywhere; -1: nowhere.
    fn RtlFindSetBits(map: Ptr<RtlBitmap>, count: u32, hint: u32) -> u32 {
        look(map).find(index32(count), index32(hint), true).map_or(NONE, answer)
    }

    /// Where so many set bits begin, from `hint` on or else anywhere; -1: nowhere.
    fn RtlFindSetBitsEx(map: Ptr<RtlBitmapEx>, count: u64, hint: u64) -> u64 {
        look(map).find(index(count), index(hint), true).map_or(NONE_EX, |bit| bit as u64)
    }

    /// As `RtlFindClearBits`; sets what it finds.
    fn RtlFindClearBitsAndSet(map: Ptr<RtlBitmap>, count: u32, hint: u32) -> u32 {
        take(map, index32(count), index32(hint), false).map_or(NONE, answer)
    }

    /// As `RtlFindClearBitsEx`; sets what it finds.
    fn RtlFindClearBitsAndSetEx(map: Ptr<RtlBitmapEx>, count: u64, hint: u64) -> u64 {
        take(map, index(count), index(hint), false).map_or(NONE_EX, |bit| bit as u64)
    }

    /// As `RtlFindSetBits`; clears what it finds.
    fn RtlFindSetBitsAndClear(map: Ptr<RtlBitmap>, count: u32, hint: u32) -> u32 {
        take(map, index32(count), index32(hint), true).map_or(NONE, answer)
    }

    /// As `RtlFindSetBitsEx`; clears what it finds.
    fn RtlFindSetBitsAndClearEx(map: Ptr<RtlBitmapEx>, count: u64, hint: u64) -> u64 {
        take(map, index(count), index(hint), true).map_or(NONE_EX, |bit| bit as u64)
    }

    /// How many bits are set.
    fn RtlNumberOfSetBits(map: Ptr<RtlBitmap>) -> u32 {
        answer(look(map).count_set(run(0, NONE)))
    }

    /// How many bits are set.
    fn RtlNumberOfSetBitsEx(map: Ptr<RtlBitmapEx>) -> u64 {
        look(map).count_set(run_ex(0, NONE_EX)) as u64
    }

    /// How many bits are clear.
    fn RtlNumberOfClearBits(map: Ptr<RtlBitmap>) -> u32 {
        let bits = look(map);
        answer(bits.length() - bits.count_set(run(0, NONE)))
    }

    /// How many bits are clear.
    fn RtlNumberOfClearBitsEx(map: Ptr<RtlBitmapEx>) -> u64 {
        let bits = look(map);
        (bits.length() - bits.count_set(run_ex(0, NONE_EX))) as u64
    }

    /// How many bits of a run are set; -1 if it is not all in the bitmap.
    fn RtlNumberOfSetBitsInRange(map: Ptr<RtlBitmap>, start: u32, count: u32) -> u32 {
        let bits = look(map);
        match start.checked_add(count) {
            Some(end) if index32(end) <= bits.length() => answer(bits.count_set(run(start, count))),
            _ => NONE,
        }
    }

    /// How many bits of a run are clear; -1 if it is not all in the bitmap.
    fn RtlNumberOfClearBitsInRange(map: Ptr<RtlBitmap>, start: u32, count: u32) -> u32 {
        match RtlNumberOfSetBitsInRange(map, start, count) {
            NONE => NONE,
            set => count - set,
        }
    }

    /// Finds runs of clear bits: the first ones in their order, or the longest ones, the longest first. Gives how many.
    fn RtlFindClearRuns(map: Ptr<RtlBitmap>, runs: Ptr<RtlBitmapRun>, room: u32, longest: u8) -> u32 {
        answer(match longest {
            0 => first_runs(map, runs, index32(room)),
            _ => longest_runs(map, runs, index32(room)),
        })
    }

    /// The longest run of clear bits: gives its length, 0 if all bits are set.
    fn RtlFindLongestRunClear(map: Ptr<RtlBitmap>, start: Ptr<u32>) -> u32 {
        run_answer(look(map).longest_run(false), start)
    }

    /// The first run of clear bits: gives its length, 0 if all bits are set.
    fn RtlFindFirstRunClear(map: Ptr<RtlBitmap>, start: Ptr<u32>) -> u32 {
        run_answer(look(map).runs(0, false).next(), start)
    }

    /// The next run of clear bits from a bit on: gives its length, 0 if there is none.
    fn RtlFindNextForwardRunClear(map: Ptr<RtlBitmap>, from: u32, start: Ptr<u32>) -> u32 {
        run_answer(look(map).runs(index32(from), false).next(), start)
    }

    /// The last run of clear bits up to a bit: gives its length, 0 if there is none.
    fn RtlFindLastBackwardRunClear(map: Ptr<RtlBitmap>, from: u32, start: Ptr<u32>) -> u32 {
        run_answer(look(map).last_run(index32(from), false), start)
    }

    /// Copies a bitmap into another one, from a bit of that on.
    fn RtlCopyBitMap(from: Ptr<RtlBitmap>, to: Ptr<RtlBitmap>, target: u32) {
        let (words, length) = to.place();
        let words = words.slice_mut(bits::words_for(length));
        bits::copy(look(from), 0, (words, length), index32(target), usize::MAX);
    }

    /// Copies bits, from one on, to the start of another bitmap.
    fn RtlExtractBitMap(from: Ptr<RtlBitmap>, to: Ptr<RtlBitmap>, start: u32, count: u32) {
        let (words, length) = to.place();
        let words = words.slice_mut(bits::words_for(length));
        bits::copy(look(from), index32(start), (words, length), 0, index32(count));
    }

    /// Sets a run of bits while other threads change other bits of the same words.
    fn RtlInterlockedSetBitRun(map: Ptr<RtlBitmap>, start: u32, count: u32) {
        let (words, length) = map.place();
        for (index, mask) in bits::pieces(run(start, count), length) {
            words.add(index).atomic().fetch_or(mask, Ordering::SeqCst);
        }
    }

    /// Clears a run of bits while other threads change other bits of the same words.
    fn RtlInterlockedClearBitRun(map: Ptr<RtlBitmap>, start: u32, count: u32) {
        let (words, length) = map.place();
        for (index, mask) in bits::pieces(run(start, count), length) {
            words.add(index).atomic().fetch_and(!mask, Ordering::SeqCst);
        }
    }

    /// The highest bit that is set; -1: none (`CCHAR`).
    fn RtlFindMostSignificantBit(number: u64) -> i8 {
        number.checked_ilog2().and_then(|bit| i8::try_from(bit).ok()).unwrap_or(-1)
    }

    /// The lowest bit that is set; -1: none (`CCHAR`).
    fn RtlFindLeastSignificantBit(number: u64) -> i8 {
        match number {
            0 => -1,
            _ => i8::try_from(number.trailing_zeros()).unwrap_or(-1),
        }
    }

    /// How many bits of a number are set.
    fn RtlNumberOfSetBitsUlongPtr(number: usize) -> u32 {
        number.count_ones()
    }
}

#[cfg(test)]
mod tests;
