//! Arguments behind the last one that a prototype names, as C's `va_list` walks over them.
//!
//! On all machines of Windows a `va_list` is the address of the next argument, in a row of slots that have the size of a
//! pointer; what is smaller fills a slot. Numbers of 64 bits take two slots where pointers have 32, and on ARM32 they begin
//! at a multiple of eight.

use crate::Ptr;

/// The arguments that are left.
#[derive(Clone, Copy, Debug)]
pub struct Arguments {
    next: Ptr<u8>,
}

impl Arguments {
    /// Whether numbers of 64 bits are aligned where they take two slots.
    pub const ALIGNS_64: bool = cfg!(target_arch = "arm");

    /// The arguments of a `va_list`.
    pub const fn new(list: Ptr<u8>) -> Self {
        Self { next: list }
    }

    /// The next argument, which is as wide as a pointer or less: the upper part of what is less is anything.
    #[inline]
    pub fn next_word(&mut self) -> usize {
        let value = self.next.cast::<usize>().read();
        self.next = self.next.byte_add(size_of::<usize>());
        value
    }

    /// The next argument, of 64 bits.
    #[inline]
    pub fn next_u64(&mut self) -> u64 {
        if Self::ALIGNS_64 {
            self.next = Ptr::new(self.next.address().next_multiple_of(size_of::<u64>()));
        }
        let value = self.next.cast::<u64>().read();
        self.next = self.next.byte_add(size_of::<u64>());
        value
    }

    /// The next argument, an address.
    #[inline]
    pub fn next_ptr<T>(&mut self) -> Ptr<T> {
        Ptr::new(self.next_word())
    }

    /// The next argument, a floating-point number: C has no smaller one here than `double`.
    #[inline]
    pub fn next_f64(&mut self) -> f64 {
        f64::from_bits(self.next_u64())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_walked_one_by_one() {
        let slots = [5_u64, 1.5_f64.to_bits(), u64::MAX, 7];
        let list = Ptr::<u8>::new(slots.as_ptr().expose_provenance());
        let mut arguments = Arguments::new(list);
        if size_of::<usize>() == size_of::<u64>() {
            assert_eq!(arguments.next_word(), 5);
        } else {
            assert_eq!(arguments.next_u64(), 5);
        }
        assert!((arguments.next_f64() - 1.5).abs() < f64::EPSILON);
        assert_eq!(arguments.next_u64(), u64::MAX);
        assert_eq!(arguments.next_ptr::<u8>(), Ptr::new(7));
    }
}
