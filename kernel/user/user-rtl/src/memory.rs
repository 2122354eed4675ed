//! Memory as bytes: comparing, filling, moving.
//!
//! A comparison goes by eight bytes at a time and looks at single ones only where they differ.

use c_interface::{Ptr, exports};
use nt_abi::NtStatus;

/// Bytes that are compared at once.
const STEP: usize = size_of::<u64>();

/// How many bytes are the same from the start on.
fn common_prefix(left: Ptr<u8>, right: Ptr<u8>, length: usize) -> usize {
    let mut at = 0;
    while length - at >= STEP {
        let left = left.byte_add(at).cast::<u64>().read();
        let right = right.byte_add(at).cast::<u64>().read();
        let differing = (left ^ right).to_le();
        if differing != 0 {
            return at + differing.trailing_zeros() as usize / 8;
        }
        at += STEP;
    }
    while at < length && left.byte_add(at).read() == right.byte_add(at).read() {
        at += 1;
    }
    at
}

/// How many bytes from the start on are copies of a pattern; what is no whole copy at the end does not count.
fn repetitions(memory: Ptr<u32>, length: usize, pattern: u32) -> usize {
    let mut at = 0;
    while length - at >= size_of::<u32>() && memory.byte_add(at).read() == pattern {
        at += size_of::<u32>();
    }
    at
}

exports! {
    /// How many bytes are the same from the start of both on, before the first that differs.
    fn RtlCompareMemory(left: Ptr<u8>, right: Ptr<u8>, length: usize) -> usize {
        common_prefix(left, right, length)
    }

    /// How many bytes are copies of a 32-bit pattern; 0 for memory that does not lie at a multiple of 4.
    fn RtlCompareMemoryUlong(memory: Ptr<u32>, length: usize, pattern: u32) -> usize {
        if !memory.address().is_multiple_of(size_of::<u32>()) {
            return 0;
        }
        repetitions(memory, length, pattern)
    }

    /// Whether all bytes are 0.
    fn RtlIsZeroMemory(memory: Ptr<u8>, length: usize) -> u8 {
        let mut at = 0;
        while length - at >= STEP {
            if memory.byte_add(at).cast::<u64>().read() != 0 {
                return 0;
            }
            at += STEP;
        }
        u8::from((at..length).all(|at| memory.byte_add(at).read() == 0))
    }

    /// Sets bytes to a value.
    fn RtlFillMemory(memory: Ptr<u8>, length: usize, byte: u8) {
        memory.fill(byte, length);
    }

    /// As `RtlFillMemory`; that the cache is not wanted is no promise.
    fn RtlFillMemoryNonTemporal(memory: Ptr<u8>, length: usize, byte: u8) {
        memory.fill(byte, length);
    }

    /// Fills memory with copies of a 32-bit pattern; what is too short for one at the end stays.
    fn RtlFillMemoryUlong(memory: Ptr<u32>, length: usize, pattern: u32) {
        (0..length / size_of::<u32>()).for_each(|index| memory.add(index).write(pattern));
    }

    /// Fills memory with copies of a 64-bit pattern; what is too short for one at the end stays.
    fn RtlFillMemoryUlonglong(memory: Ptr<u64>, length: usize, pattern: u64) {
        (0..length / size_of::<u64>()).for_each(|index| memory.add(index).write(pattern));
    }

    /// Sets bytes to 0.
    fn RtlZeroMemory(memory: Ptr<u8>, length: usize) {
        memory.fill(0, length);
    }

    /// Sets bytes to 0, even if nobody reads them again.
    fn RtlSecureZeroMemory(memory: Ptr<u8>, length: usize) -> Ptr<u8> {
        memory.fill(0, length);
        core::hint::black_box(memory)
    }

    /// Copies bytes; the two places may overlap.
    fn RtlMoveMemory(to: Ptr<u8>, from: Ptr<u8>, length: usize) {
        to.copy_from(from, length);
    }

    /// Copies bytes.
    fn RtlCopyMemory(to: Ptr<u8>, from: Ptr<u8>, length: usize) {
        to.copy_from(from, length);
    }

    /// As `RtlCopyMemory`; that the cache is not wanted is no promise.
    fn RtlCopyMemoryNonTemporal(to: Ptr<u8>, from: Ptr<u8>, length: usize) {
        to.copy_from(from, length);
    }

    /// Copies bytes of a mapped file.
    ///
    /// # Differs
    /// In Windows a page that cannot be read is a status; here it is an exception.
    fn RtlCopyMappedMemory(to: Ptr<u8>, from: Ptr<u8>, length: usize) -> NtStatus {
        to.copy_from(from, length);
        NtStatus::SUCCESS
    }

    /// Says that memory will be read once, soon; nothing comes of it here.
    fn RtlPrefetchMemoryNonTemporal(_memory: Ptr<u8>, _length: usize) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(bytes: &mut [u8]) -> Ptr<u8> {
        Ptr::new(bytes.as_mut_ptr().expose_provenance())
    }

    #[test]
    fn the_first_difference_is_found_wherever_it_is() {
        for length in 0..40 {
            for difference in 0..=length {
                let mut left = [0xA5; 41];
                let mut right = left;
                right[difference] = 0x25;
                let found = RtlCompareMemory(at(&mut left), at(&mut right), length);
                assert_eq!(found, difference, "{length}");
                assert_eq!(RtlIsZeroMemory(at(&mut [0; 41]), length), 1);
            }
        }
    }

    #[test]
    fn one_byte_that_is_not_zero_is_seen() {
        for length in 1..20 {
            for place in 0..length {
                let mut bytes = [0; 20];
                bytes[place] = 0x80;
                assert_eq!(RtlIsZeroMemory(at(&mut bytes), length), 0);
            }
        }
    }

    #[test]
    fn patterns_are_counted_in_whole_copies() {
        let mut words = [0x1234_5678u32, 0x1234_5678, 0x1234_5679];
        let memory = Ptr::of(&mut words[0]);
        for (length, expected) in [(0, 0), (3, 0), (4, 4), (7, 4), (8, 8), (12, 8)] {
            assert_eq!(RtlCompareMemoryUlong(memory, length, 0x1234_5678), expected);
        }
        assert_eq!(
            RtlCompareMemoryUlong(memory.byte_add(1), 4, 0x7812_3456),
            0,
            "not aligned"
        );
        RtlFillMemoryUlong(memory, 11, 0xAABB_CCDD);
        assert_eq!(words, [0xAABB_CCDD, 0xAABB_CCDD, 0x1234_5679]);
        let mut long = [1u64, 2];
        RtlFillMemoryUlonglong(Ptr::of(&mut long[0]), 15, 7);
        assert_eq!(long, [7, 2]);
    }

    #[test]
    fn moves_may_overlap() {
        let mut bytes = *b"abcdefgh";
        let memory = at(&mut bytes);
        RtlMoveMemory(memory.byte_add(2), memory, 6);
        assert_eq!(&bytes, b"ababcdef");
        RtlFillMemory(memory, 3, b'x');
        RtlSecureZeroMemory(memory.byte_add(7), 1);
        assert_eq!(&bytes, b"xxxbcde\0");
    }
}
