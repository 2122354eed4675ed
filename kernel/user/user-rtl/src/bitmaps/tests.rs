//! The same random bitmaps and questions were put to Wine's ntdll; what it answered is here, as one hash for each routine.
//!
//! Its routines for runs are not asked: they lose the start of a run that crosses a word, and give runs of no bits.

use super::*;

/// Knuth's generator, as the program for Wine had it.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let high = u32::try_from(self.0 >> 33).expect("31 bits");
        if end == 0 { 0 } else { high % end }
    }
}

/// FNV-1a of the answers, from 0.
#[derive(Clone, Copy, Default)]
struct Answers(u64);

impl Answers {
    fn note(&mut self, answer: u32) {
        for byte in answer.to_le_bytes() {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
        }
    }
}

/// What Wine 8.0 answered.
const WINE: [u64; 8] = [
    0xd7b6_cb6a_217e_2540,
    0x2970_89d0_fdc8_863e,
    0x6e0d_430e_c399_9e3c,
    0xcbab_0ab0_a263_3be2,
    0xfbab_51c8_d164_0210,
    0x757b_c767_c5c1_1cd1,
    0x37d7_5f9e_2075_294d,
    0x5945_2315_b3e4_3442,
];

fn random_bitmap(numbers: &mut Numbers, words: &mut [u32; 8]) -> u32 {
    let size = numbers.below(200);
    *words = [0; 8];
    let (mut at, mut value) = (0, false);
    while at < size {
        let span = numbers.below(7);
        let count = 1 + numbers.below(1 << span);
        for bit in (at..at + count).take_while(|bit| *bit < size) {
            words[bit as usize / 32] |= u32::from(value) << (bit % 32);
        }
        at += count;
        value = !value;
    }
    size
}

#[test]
fn wine_answers_the_same() {
    let mut numbers = Numbers(42);
    let mut answers = [Answers::default(); 8];
    let mut words = [0; 8];
    let mut map = RtlBitmap::default();
    let map = Ptr::of(&mut map);
    for _ in 0..2000 {
        let size = random_bitmap(&mut numbers, &mut words);
        RtlInitializeBitMap(map, Ptr::of(&mut words[0]), size);
        let count = 1 + numbers.below(30);
        let hint = numbers.below(210);
        answers[0].note(RtlFindClearBits(map, count, hint));
        answers[1].note(RtlFindSetBits(map, count, hint));
        answers[2].note(RtlNumberOfSetBits(map));
        answers[3].note(RtlNumberOfClearBits(map));
        answers[4].note(u32::from(RtlAreBitsSet(map, hint, count)));
        answers[5].note(u32::from(RtlAreBitsClear(map, hint, count)));
        numbers.below(6);
        answers[6].note(RtlFindClearBitsAndSet(map, count, hint));
        answers[6].note(RtlFindSetBitsAndClear(map, count + 1, hint));
        answers[6].note(RtlNumberOfSetBits(map));
        if hint + count <= size {
            RtlSetBits(map, hint, count);
            answers[7].note(RtlNumberOfSetBits(map));
            RtlClearBits(map, hint, count / 2);
            answers[7].note(RtlNumberOfSetBits(map));
        }
    }
    for (routine, (answers, wine)) in answers.iter().zip(WINE).enumerate() {
        assert_eq!(answers.0, wine, "routine {routine}");
    }
}

#[test]
fn both_forms_answer_the_same() {
    let mut numbers = Numbers(7);
    let mut words = [0; 8];
    let (mut short, mut long) = (RtlBitmap::default(), RtlBitmapEx::default());
    let (short, long) = (Ptr::of(&mut short), Ptr::of(&mut long));
    for _ in 0..300 {
        let size = random_bitmap(&mut numbers, &mut words);
        RtlInitializeBitMap(short, Ptr::of(&mut words[0]), size);
        RtlInitializeBitMapEx(long, Ptr::of(&mut words[0]).cast(), u64::from(size));
        let (count, hint) = (1 + numbers.below(20), numbers.below(200));
        let find = RtlFindClearBits(short, count, hint);
        let find = if find == NONE { NONE_EX } else { find.into() };
        assert_eq!(RtlFindClearBitsEx(long, count.into(), hint.into()), find);
        assert_eq!(RtlNumberOfSetBitsEx(long), RtlNumberOfSetBits(short).into());
        assert_eq!(
            RtlNumberOfClearBitsEx(long),
            RtlNumberOfClearBits(short).into()
        );
        assert_eq!(RtlTestBitEx(long, hint.into()), RtlTestBit(short, hint));
        let all = RtlAreBitsClearEx(long, hint.into(), count.into());
        assert_eq!(all, RtlAreBitsClear(short, hint, count));
    }
}

#[test]
fn the_interlocked_runs_are_plain_runs() {
    let (mut plain, mut interlocked) = ([0; 4], [0; 4]);
    let mut map = RtlBitmap::default();
    let map = Ptr::of(&mut map);
    for (start, count) in [(0, 128), (5, 0), (31, 2), (40, 64), (127, 1)] {
        for (words, atomic) in [(&mut plain, false), (&mut interlocked, true)] {
            RtlInitializeBitMap(map, Ptr::of(&mut words[0]), 128);
            if atomic {
                RtlInterlockedSetBitRun(map, start, count);
                RtlInterlockedClearBitRun(map, start + 1, count / 2);
            } else {
                RtlSetBits(map, start, count);
                RtlClearBits(map, start + 1, count / 2);
            }
        }
        assert_eq!(plain, interlocked);
    }
}

#[test]
fn words_are_set_whole() {
    let mut words = [0u32, 0, 0x55];
    let mut map = RtlBitmap::default();
    let map = Ptr::of(&mut map);
    RtlInitializeBitMap(map, Ptr::of(&mut words[0]), 33);
    RtlSetAllBits(map);
    assert_eq!(words, [u32::MAX, u32::MAX, 0x55]);
    assert_eq!(RtlNumberOfSetBits(map), 33);
    let mut wide = [0u64, 0, 0x55];
    let mut map = RtlBitmapEx::default();
    let map = Ptr::of(&mut map);
    RtlInitializeBitMapEx(map, Ptr::of(&mut wide[0]), 65);
    RtlSetAllBitsEx(map);
    assert_eq!(wide, [u64::MAX, u64::MAX, 0x55]);
}

#[test]
fn parts_of_bitmaps_are_copied() {
    let (mut from, mut to) = ([0b1011u32], [0u32; 2]);
    let (mut source, mut target) = (RtlBitmap::default(), RtlBitmap::default());
    let (source, target) = (Ptr::of(&mut source), Ptr::of(&mut target));
    RtlInitializeBitMap(source, Ptr::of(&mut from[0]), 4);
    RtlInitializeBitMap(target, Ptr::of(&mut to[0]), 40);
    RtlCopyBitMap(source, target, 30);
    assert_eq!(to, [0b11 << 30, 0b10]);
    RtlExtractBitMap(target, source, 31, 3);
    assert_eq!(from, [0b1101], "bits 31 to 33, and bit 3 as it was");
}

#[test]
fn bits_of_numbers() {
    // As Wine gives them.
    assert_eq!(
        (RtlFindMostSignificantBit(0), RtlFindLeastSignificantBit(0)),
        (-1, -1)
    );
    assert_eq!(RtlFindMostSignificantBit(1 << 63), 63);
    assert_eq!(RtlFindLeastSignificantBit(1 << 32), 32);
    assert_eq!(RtlNumberOfSetBitsUlongPtr(usize::MAX), usize::BITS);
}

#[test]
fn runs_of_clear_bits() {
    // Clear: 0 to 2, 6 to 31, 95 to 103, 127.
    let mut words = [0x38u32, u32::MAX, 0x7FFF_FFFF, 0x7FFF_FF00];
    let mut map = RtlBitmap::default();
    let map = Ptr::of(&mut map);
    RtlInitializeBitMap(map, Ptr::of(&mut words[0]), 128);
    let pairs = |longest, room| {
        let mut runs = [[0; 2]; 5];
        let count = RtlFindClearRuns(map, Ptr::of(&mut runs).cast(), room, longest);
        (count, runs)
    };
    let all = [[0, 3], [6, 26], [95, 9], [127, 1], [0, 0]];
    assert_eq!(pairs(0, 5), (4, all));
    assert_eq!(pairs(0, 1).1[..2], [[0, 3], [0, 0]]);
    let sorted = [[6, 26], [95, 9], [0, 3], [127, 1], [0, 0]];
    assert_eq!(pairs(1, 5), (4, sorted));
    assert_eq!(pairs(1, 2).1[..3], [[6, 26], [95, 9], [0, 0]]);
    assert_eq!(pairs(1, 0).0, 0);
    let mut start = 0;
    assert_eq!(RtlFindLongestRunClear(map, Ptr::of(&mut start)), 26);
    assert_eq!(start, 6);
    assert_eq!(RtlFindFirstRunClear(map, Ptr::of(&mut start)), 3);
    assert_eq!(start, 0);
    assert_eq!(RtlFindNextForwardRunClear(map, 10, Ptr::of(&mut start)), 22);
    assert_eq!(start, 10);
    assert_eq!(
        RtlFindLastBackwardRunClear(map, 94, Ptr::of(&mut start)),
        26
    );
    assert_eq!(start, 6);
    assert_eq!(RtlFindLastBackwardRunClear(map, 97, Ptr::of(&mut start)), 3);
    assert_eq!(start, 95);
    RtlSetAllBits(map);
    assert_eq!(RtlFindLongestRunClear(map, Ptr::of(&mut start)), 0);
    assert_eq!(start, u32::MAX);
}
