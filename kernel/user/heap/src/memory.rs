//! Every access of the heap to memory.
//!
//! The heap's own data has no Rust types: it lies in the process's memory, where a program may have written over it. So it is
//! read and written as single numbers, at addresses that were checked before. All of that passes through here; in this
//! crate's tests each access is held against the pages that the heap has at that moment.

use core::marker::PhantomData;

use c_interface::Ptr;

/// A number that the heap keeps in memory.
pub(crate) trait Number: Copy {
    /// Reads one.
    fn load(address: usize) -> Self;
    /// Writes one.
    fn store(address: usize, value: Self);
}

macro_rules! numbers {
    ($($type:ty)*) => {$(
        impl Number for $type {
            #[inline(always)]
            fn load(address: usize) -> Self {
                watch(address, size_of::<Self>());
                Ptr::<Self>::new(address).read()
            }

            #[inline(always)]
            fn store(address: usize, value: Self) {
                watch(address, size_of::<Self>());
                Ptr::<Self>::new(address).write(value);
            }
        }
    )*};
}

numbers! { u16 u32 usize }

/// Where a `T` is.
pub(crate) struct Place<T> {
    address: usize,
    of: PhantomData<T>,
}

impl<T> Place<T> {
    /// The place at an address.
    #[inline(always)]
    pub(crate) fn at(address: usize) -> Self {
        Self {
            address,
            of: PhantomData,
        }
    }

    /// Its address.
    #[inline(always)]
    pub(crate) fn address(&self) -> usize {
        self.address
    }
}

impl<T: Number> Place<T> {
    /// What is there.
    #[inline(always)]
    pub(crate) fn get(&self) -> T {
        T::load(self.address)
    }

    /// Changes what is there.
    #[inline(always)]
    pub(crate) fn set(&self, value: T) {
        T::store(self.address, value);
    }
}

impl<T: Number, const N: usize> Place<[T; N]> {
    /// One of several; the last one if there are not so many.
    #[inline(always)]
    pub(crate) fn item(&self, index: usize) -> Place<T> {
        Place::at(
            self.address
                .wrapping_add(index.min(N - 1).wrapping_mul(size_of::<T>())),
        )
    }
}

/// Declares something that lies in memory: a type that is its address, with a [`Place`] for each field.
macro_rules! places {
    ($(
        $(#[$doc:meta])*
        struct $name:ident: $layout:ident {
            $($(#[$field_doc:meta])* $field:ident: $type:ty,)*
        }
    )*) => {$(
        #[repr(C)]
        struct $layout {
            $($field: $type,)*
        }

        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) usize);

        #[allow(dead_code, reason = "a field may be there for its room alone")]
        impl $name {
            /// How many bytes it has.
            pub(crate) const BYTES: usize = size_of::<$layout>();

            $(
                $(#[$field_doc])*
                #[inline(always)]
                pub(crate) fn $field(self) -> $crate::memory::Place<$type> {
                    $crate::memory::Place::at(
                        self.0.wrapping_add(core::mem::offset_of!($layout, $field)),
                    )
                }
            )*
        }
    )*};
}

pub(crate) use places;

/// Sets bytes to zero.
pub(crate) fn clear(address: usize, bytes: usize) {
    watch(address, bytes);
    Ptr::<u8>::new(address).fill(0, bytes);
}

/// Copies bytes to a place that may overlap.
pub(crate) fn copy(to: usize, from: usize, bytes: usize) {
    watch(to, bytes);
    watch(from, bytes);
    Ptr::<u8>::new(to).copy_from(Ptr::new(from), bytes);
}

/// The low half of an address or a cookie: what headers are bound to.
#[inline(always)]
#[allow(
    clippy::cast_possible_truncation,
    reason = "the low half is what is wanted"
)]
pub(crate) fn low(word: usize) -> u32 {
    word as u32
}

/// One step of a digest of 32 bits. A change in one word alone always changes the digest: each step can be undone.
#[inline]
pub(crate) fn mix(digest: u32, word: u32) -> u32 {
    (digest ^ word).wrapping_mul(0x9E37_79B1).rotate_left(15)
}

/// A digest of words that is one itself. A change in one word alone always changes it, and the turns are by no whole bytes,
/// so a pattern that is written over several words changes it, too.
#[inline]
pub(crate) fn fold<const N: usize>(seed: usize, words: [usize; N]) -> usize {
    words
        .into_iter()
        .fold(seed, |digest, word| digest.rotate_left(13) ^ word)
}

/// A step for each half of a word.
#[inline]
pub(crate) fn mix_word(digest: u32, word: usize) -> u32 {
    // In two shifts, since one by the width of a word is no number on 32 bits.
    mix(mix(digest, low(word)), low(word >> 16 >> 16))
}

#[cfg(not(test))]
#[inline(always)]
fn watch(_address: usize, _bytes: usize) {}

#[cfg(test)]
use crate::tests::arena::watch;
