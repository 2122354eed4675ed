//! Arrays searched and sorted with a comparison of the caller's.
//!
//! Sorting is a heap sort: it needs no memory, and no array makes it slow. As C allows, elements that compare equal may
//! change places. No element is compared with itself.

use c_interface::{Function, Ptr, exports};

use super::errno::Errno;

/// A comparison: negative, zero, positive.
type Compare = Function<fn(Ptr<u8>, Ptr<u8>) -> i32>;
/// A comparison that is handed something of its caller's.
type CompareWith = Function<fn(Ptr<u8>, Ptr<u8>, Ptr<u8>) -> i32>;

/// An array of elements of any size.
#[derive(Clone, Copy)]
struct Array {
    base: Ptr<u8>,
    width: usize,
}

impl Array {
    fn at(self, index: usize) -> Ptr<u8> {
        self.base.byte_add(index.wrapping_mul(self.width))
    }

    fn swap(self, left: usize, right: usize) {
        let (left, right) = (self.at(left), self.at(right));
        let mut done = 0;
        while done < self.width {
            let mut kept = [0; 64];
            let count = kept.len().min(self.width - done);
            let kept = &mut kept[..count];
            left.byte_add(done).read_array(kept);
            left.byte_add(done).copy_from(right.byte_add(done), count);
            right.byte_add(done).write_array(kept);
            done += count;
        }
    }

    /// Puts the element at a place below all larger ones under it, as in a heap with so many elements.
    fn sift(self, mut place: usize, count: usize, compare: &impl Fn(Ptr<u8>, Ptr<u8>) -> i32) {
        loop {
            let mut child = 2 * place + 1;
            if child >= count {
                return;
            }
            if child + 1 < count && compare(self.at(child), self.at(child + 1)) < 0 {
                child += 1;
            }
            if compare(self.at(place), self.at(child)) >= 0 {
                return;
            }
            self.swap(place, child);
            place = child;
        }
    }

    fn sort(self, count: usize, compare: impl Fn(Ptr<u8>, Ptr<u8>) -> i32) {
        for place in (0..count / 2).rev() {
            self.sift(place, count, &compare);
        }
        for last in (1..count).rev() {
            self.swap(0, last);
            self.sift(0, last, &compare);
        }
    }

    fn find_sorted(self, count: usize, compare: impl Fn(Ptr<u8>) -> i32) -> Ptr<u8> {
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            match compare(self.at(middle)) {
                0 => return self.at(middle),
                order if order < 0 => high = middle,
                _ => low = middle + 1,
            }
        }
        Ptr::NULL
    }
}

exports! {
    /// Sorts an array.
    cdecl fn qsort(base: Ptr<u8>, count: usize, width: usize, compare: Compare) {
        // Without a width there is nothing to put in order.
        if width != 0 {
            Array { base, width }.sort(count, |left, right| compare.call_cdecl(left, right));
        }
    }

    /// Sorts an array; the comparison is handed what the caller gives.
    cdecl fn qsort_s(base: Ptr<u8>, count: usize, width: usize, compare: CompareWith, context: Ptr<u8>) {
        if base.is_null() && count != 0 || width == 0 || compare.is_null() {
            Errno::Invalid.report();
            return;
        }
        Array { base, width }.sort(count, |left, right| compare.call_cdecl(context, left, right));
    }

    /// Finds an element in a sorted array; null: there is none.
    cdecl fn bsearch(key: Ptr<u8>, base: Ptr<u8>, count: usize, width: usize, compare: Compare) -> Ptr<u8> {
        Array { base, width }.find_sorted(count, |element| compare.call_cdecl(key, element))
    }

    /// Finds an element in a sorted array; the comparison is handed what the caller gives.
    cdecl fn bsearch_s(
        key: Ptr<u8>,
        base: Ptr<u8>,
        count: usize,
        width: usize,
        compare: CompareWith,
        context: Ptr<u8>,
    ) -> Ptr<u8> {
        if base.is_null() && count != 0 || width == 0 || compare.is_null() {
            Errno::Invalid.report();
            return Ptr::NULL;
        }
        Array { base, width }.find_sorted(count, |element| compare.call_cdecl(context, key, element))
    }

    /// Finds an element in any array; null: there is none.
    cdecl fn _lfind(key: Ptr<u8>, base: Ptr<u8>, count: Ptr<u32>, width: u32, compare: Compare) -> Ptr<u8> {
        let array = Array {
            base,
            width: width as usize,
        };
        (0..count.read() as usize)
            .map(|index| array.at(index))
            .find(|element| compare.call_cdecl(key, *element) == 0)
            .unwrap_or(Ptr::NULL)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use rtl::Random;

    use super::*;
    use crate::strings::testing::Room;

    extern "C" fn by_value(left: Ptr<u8>, right: Ptr<u8>) -> i32 {
        let value = |place: Ptr<u8>| place.cast::<u32>().read();
        value(left).cmp(&value(right)) as i32
    }

    extern "C" fn backwards(calls: Ptr<u8>, left: Ptr<u8>, right: Ptr<u8>) -> i32 {
        let calls = calls.cast::<u32>();
        calls.write(calls.read() + 1);
        by_value(right, left)
    }

    fn compare() -> Compare {
        Function::new(by_value as *const () as usize)
    }

    fn compare_backwards() -> CompareWith {
        Function::new(backwards as *const () as usize)
    }

    #[test]
    fn arrays_come_out_sorted() {
        let mut random = Random::new(11);
        for count in 0..200 {
            let values: Vec<u32> = (0..count)
                .map(|_| u32::try_from(random.below(50)).unwrap())
                .collect();
            let room = Room::new(&values);
            qsort(room.ptr().cast(), values.len(), 4, compare());
            let mut sorted = values.clone();
            sorted.sort_unstable();
            assert_eq!(room.now(), sorted);
            let mut calls = 0_u32;
            qsort_s(
                room.ptr().cast(),
                values.len(),
                4,
                compare_backwards(),
                Ptr::of(&mut calls).cast(),
            );
            sorted.reverse();
            assert_eq!(room.now(), sorted);
            assert!(count < 2 || calls > 0);
        }
    }

    #[test]
    fn wide_elements_move_as_a_whole() {
        // A key and 100 bytes that repeat it.
        let mut bytes = Vec::new();
        for key in [3_u32, 1, 2] {
            bytes.extend(key.to_ne_bytes());
            bytes.extend([key.to_le_bytes()[0]; 100]);
        }
        let room = Room::new(&bytes);
        qsort(room.ptr(), 3, 104, compare());
        for (index, element) in room.now().chunks(104).enumerate() {
            let key = u8::try_from(index + 1).unwrap();
            assert_eq!(element[..4], u32::from(key).to_ne_bytes());
            assert!(element[4..].iter().all(|byte| *byte == key));
        }
    }

    #[test]
    fn elements_are_found() {
        let values: Vec<u32> = (0..30).map(|value| value * 2).collect();
        let room = Room::new(&values);
        for wanted in 0..60_u32 {
            let key = Room::new(&[wanted]);
            let expected = match wanted % 2 {
                0 => room.ptr().add(wanted as usize / 2).cast(),
                _ => Ptr::NULL,
            };
            let (key, base) = (key.ptr().cast(), room.ptr().cast());
            assert_eq!(bsearch(key, base, 30, 4, compare()), expected);
            let mut count = 30_u32;
            assert_eq!(
                _lfind(key, base, Ptr::of(&mut count), 4, compare()),
                expected
            );
        }
        let mut calls = 0_u32;
        let key = Room::new(&[7_u32]);
        let room = Room::new(&[9_u32, 7, 5]);
        let found = bsearch_s(
            key.ptr().cast(),
            room.ptr().cast(),
            3,
            4,
            compare_backwards(),
            Ptr::of(&mut calls).cast(),
        );
        assert_eq!(found, room.ptr().add(1).cast());
        assert_eq!(
            bsearch(key.ptr().cast(), room.ptr().cast(), 0, 4, compare()),
            Ptr::NULL
        );
    }
}
